//! `${VAR}` in a text: the grammar of the Compose specification's 12-interpolation, read as Compose reads it.

use super::Compat;
use super::yaml::MAX_BYTES;

/// Why a text cannot be interpolated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// A `$` that begins nothing valid; `$$` would have been a literal one.
    Invalid,
    /// `${NAME:?message}` where NAME is missing. The message is the file's own words.
    Required { name: String, message: String },
    /// It grows beyond what any value can be; in words.
    Limit(&'static str),
}

/// Defaults within defaults.
const MAX_NESTING: usize = 100;

/// Where values come from, and who hears of variables that are not set.
pub struct Scope<'a> {
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Compose 2 evaluates a default even when it is not needed, so an error inside it counts.
    pub compat: Compat,
    pub unset: &'a mut dyn FnMut(&str),
}

/// Replaces every variable of `text`. No text grows beyond [`MAX_BYTES`].
pub fn substitute(text: &str, scope: &mut Scope<'_>) -> Result<String, TemplateError> {
    nested(text, scope, 0)
}

fn nested(text: &str, scope: &mut Scope<'_>, depth: usize) -> Result<String, TemplateError> {
    if depth > MAX_NESTING {
        return Err(TemplateError::Limit("variables stand within one another more than 100 deep"));
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        if out.len() > MAX_BYTES {
            return Err(TemplateError::Limit("with its variables this text is larger than 8 MiB"));
        }
        let after = &rest[at + 1..];
        rest = match after.bytes().next() {
            Some(b'$') => {
                out.push('$');
                &after[1..]
            }
            Some(b'{') => braced(&rest[at..], &mut out, scope, depth)?,
            Some(b) if is_name_start(b) => {
                let end = name_end(after);
                out.push_str(&value(&after[..end], scope));
                &after[end..]
            }
            _ => {
                out.push('$');
                after
            }
        };
    }
    out.push_str(rest);
    Ok(out)
}

/// Names of variables in `text`, with the operator and word that follow each, innermost ones included as far as
/// [`substitute`] would go.
pub fn variables(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    collect(text, &mut found, 0);
    found
}

fn collect<'t>(text: &'t str, found: &mut Vec<(&'t str, &'t str)>, depth: usize) {
    if depth > MAX_NESTING {
        return;
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        rest = match after.bytes().next() {
            Some(b'$') => &after[1..],
            Some(b'{') => {
                let Some(close) = closing(&rest[at..]) else { return };
                let inner = &rest[at + 2..at + close];
                let (name, operation) = inner.split_at(name_end(inner));
                found.push((name, operation));
                collect(operation, found, depth + 1);
                &rest[at + close + 1..]
            }
            Some(b) if is_name_start(b) => {
                let (name, rest) = after.split_at(name_end(after));
                found.push((name, ""));
                rest
            }
            _ => after,
        };
    }
}

/// `text` begins with `${`. Gives what stands behind the closing brace.
fn braced<'t>(text: &'t str, out: &mut String, scope: &mut Scope<'_>, depth: usize) -> Result<&'t str, TemplateError> {
    let close = closing(text).ok_or(TemplateError::Invalid)?;
    let (inner, rest) = (&text[2..close], &text[close + 1..]);
    if !inner.bytes().next().is_some_and(is_name_start) {
        return Err(TemplateError::Invalid);
    }
    let (name, operation) = inner.split_at(name_end(inner));
    if operation.is_empty() {
        out.push_str(&value(name, scope));
        return Ok(rest);
    }
    let (colon, operator, word) = match operation.as_bytes() {
        [b':', op @ (b'-' | b'+' | b'?'), ..] => (true, *op, &operation[2..]),
        [op @ (b'-' | b'+' | b'?'), ..] => (false, *op, &operation[1..]),
        _ => return Err(TemplateError::Invalid),
    };
    let found = (scope.lookup)(name);
    let present = found.as_ref().is_some_and(|v| !colon || !v.is_empty());
    let needed = if operator == b'+' { present } else { !present };
    let word = match needed || scope.compat == Compat::V2 {
        true => nested(word, scope, depth + 1)?,
        false => String::new(),
    };
    match operator {
        b'?' if !present => return Err(TemplateError::Required { name: name.to_string(), message: word }),
        b'?' => out.push_str(&found.unwrap_or_default()),
        _ if needed => out.push_str(&word),
        _ => out.push_str(&found.unwrap_or_default()),
    }
    Ok(rest)
}

fn value(name: &str, scope: &mut Scope<'_>) -> String {
    (scope.lookup)(name).unwrap_or_else(|| {
        (scope.unset)(name);
        String::new()
    })
}

/// Index of the brace that ends `${...}`, on the same line. Braces are counted; the character behind an opening one is
/// passed over, as Compose does. Where they do not balance, the last brace of the line ends it.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0i32;
    let mut i = 0;
    while i < bytes.len() && bytes[i] != b'\n' {
        match bytes[i] {
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            b'{' => {
                depth += 1;
                i += usize::from(bytes.get(i + 1) != Some(&b'\n'));
            }
            _ => {}
        }
        i += 1;
    }
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    bytes[..end].iter().rposition(|b| *b == b'}').filter(|at| *at >= 2)
}

fn is_name_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

fn name_end(text: &str) -> usize {
    text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, compat: Compat) -> Result<String, TemplateError> {
        let lookup = |name: &str| match name {
            "SET" => Some("v".to_string()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        substitute(text, &mut Scope { lookup: &lookup, compat, unset: &mut |_| {} })
    }

    #[test]
    fn every_form_gives_its_row_of_the_table() {
        for (text, value) in [
            ("$SET ${SET}", "v v"),
            ("[$NO]", "[]"),
            ("${NO-d} ${EMPTY-d} ${SET-d}", "d  v"),
            ("${NO:-d} ${EMPTY:-d} ${SET:-d}", "d d v"),
            ("${NO+a} ${EMPTY+a} ${SET+a}", " a a"),
            ("${NO:+a} ${EMPTY:+a} ${SET:+a}", "  a"),
            ("${EMPTY?m}", ""),
            ("${NO:-x-${NO:-y}-z}", "x-y-z"),
            ("${NO:-{j}}", "{j}"),
            ("${NO-a:-b}", "a:-b"),
            ("${NO:-a}b}", "ab}"),
            ("$$SET $$$SET $${SET}", "$SET $v ${SET}"),
            ("$1 a$ $ 5", "$1 a$ $ 5"),
            ("${NO:-{}}", "{}"),
            ("é$SETé", "é"),
        ] {
            // `$SETé`: the name ends at the first character outside A-Z, a-z, 0-9 and _.
            let value = if text == "é$SETé" { "évé" } else { value };
            assert_eq!(run(text, Compat::V5).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["${}", "${1A}", "${SET", "${ SET}", "${SET!y}", "${NO:-a\nb}", "${NO:}"] {
            assert_eq!(run(text, Compat::V5), Err(TemplateError::Invalid), "{text:?}");
        }
        let missing = TemplateError::Required { name: "NO".into(), message: "say v".into() };
        assert_eq!(run("${NO:?say $SET}", Compat::V5), Err(missing));
    }

    #[test]
    fn growth_has_bounds() {
        let deep = format!("{}x{}", "${NO:-".repeat(20_000), "}".repeat(20_000));
        assert!(matches!(run(&deep, Compat::V5), Err(TemplateError::Limit(_))));
        let long = "y".repeat(1 << 20);
        let lookup = |_: &str| Some(long.clone());
        let mut scope = Scope { lookup: &lookup, compat: Compat::V5, unset: &mut |_| {} };
        assert!(matches!(substitute(&"$A".repeat(1000), &mut scope), Err(TemplateError::Limit(_))));
    }

    #[test]
    fn defaults_are_lazy_in_five_and_eager_in_two() {
        assert_eq!(run("${SET:-${NO:?m}}", Compat::V5).as_deref(), Ok("v"));
        assert!(run("${SET:-${NO:?m}}", Compat::V2).is_err());
    }

    #[test]
    fn variables_are_listed_with_their_words() {
        let found = variables("$A ${B:-${C}} $$D");
        assert_eq!(found, [("A", ""), ("B", ":-${C}"), ("C", "")]);
        let deep = format!("{}x{}", "${A:-".repeat(50_000), "}".repeat(50_000));
        assert!(variables(&deep).len() <= MAX_NESTING + 1);
    }
}
