//! A command written as one text, split the way Compose splits it.

use crate::compose::Compat;

/// Splits at blanks, with quotes and backslashes. An unquoted `;`, `&`, `|`, `<`, `>` or backtick-free operator ends the list in
/// silence, as Compose does (the linter says so). `\t` and `\n` are a tab and a line break to Compose 5, plain letters to 2.
/// `Err` when a quote is not closed.
pub fn split(line: &str, compat: Compat) -> Result<Vec<String>, &'static str> {
    let mut args = Vec::new();
    let mut word = String::new();
    let mut got = false;
    let (mut escaped, mut double, mut single, mut back, mut dollar) = (false, false, false, false, false);
    for c in line.chars() {
        if escaped {
            word.push(match (c, compat) {
                ('t', Compat::V5) => '\t',
                ('n', Compat::V5) => '\n',
                (c, _) => c,
            });
            escaped = false;
            got = true;
            continue;
        }
        if c == '\\' {
            if single {
                word.push(c);
            } else {
                escaped = true;
            }
            continue;
        }
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            if single || double || back || dollar {
                word.push(c);
            } else if got {
                args.push(std::mem::take(&mut word));
                got = false;
            }
            continue;
        }
        match c {
            '`' if !single && !double && !dollar => back = !back,
            ')' if !single && !double && !back => dollar = false,
            '(' if !single && !double && !back => {
                if !dollar && word.ends_with('$') {
                    dollar = true;
                    word.push(c);
                    got = true;
                    continue;
                }
                return Err("an unquoted `(` cannot be part of a command");
            }
            '"' if !single && !dollar => {
                got = true;
                double = !double;
                continue;
            }
            '\'' if !double && !dollar => {
                got = true;
                single = !single;
                continue;
            }
            ';' | '&' | '|' | '<' | '>' if !(escaped || single || double || back || dollar) => {
                // `2>file`: the number in front belongs to the redirection.
                if c == '>' && word.starts_with(|d: char| d.is_ascii_digit()) {
                    got = false;
                }
                if got {
                    args.push(word);
                }
                return Ok(args);
            }
            _ => {}
        }
        got = true;
        word.push(c);
    }
    if escaped || single || double || back || dollar {
        return Err("a quote or bracket is not closed");
    }
    if got {
        args.push(word);
    }
    Ok(args)
}

/// The operator at which [`split`] would end the list in silence, if there is one.
pub fn cut_by(line: &str) -> Option<char> {
    let whole = split(line, Compat::V5).ok()?;
    ['|', '&', ';', '<', '>']
        .into_iter()
        .filter(|c| line.contains(*c))
        .find(|c| split(&line.replace(*c, " "), Compat::V5).is_ok_and(|args| args.len() > whole.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_split_as_compose_splits_them() {
        let s = |line: &str| split(line, Compat::V5).unwrap();
        assert_eq!(s("sh -c 'echo a | b'"), ["sh", "-c", "echo a | b"]);
        assert_eq!(s("a | b && c"), ["a"]);
        assert_eq!(s(r#"a "b c" d\ e ''"#), ["a", "b c", "d e", ""]);
        assert_eq!(s("echo $(date +%s)"), ["echo", "$(date +%s)"]);
        assert_eq!(s(""), Vec::<String>::new());
        assert!(split("a 'b", Compat::V5).is_err() && split("a \"b", Compat::V5).is_err());
        assert_eq!((s(r"a\nb"), split(r"a\nb", Compat::V2)), (vec!["a\nb".into()], Ok(vec!["anb".into()])));
        assert_eq!(cut_by("a | b"), Some('|'));
        assert_eq!(cut_by("sh -c 'a | b'"), None);
    }
}
