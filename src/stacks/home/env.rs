//! `.env` of a home: where each variable stands, and the one value that Hearth writes there, `COMPOSE_PROFILES`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::compose::{Compat, dotenv};

/// The variable that tells plain Compose which profiles are on.
pub const PROFILES: &str = "COMPOSE_PROFILES";

/// One `NAME=value`, as Compose's dotenv reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub name: String,
    /// Counted from 1.
    pub line: u32,
    /// Bytes of the value as written, quotes included, comment and blanks not.
    pub value: Range<usize>,
}

/// All statements of the text in order. Values may be quoted over several lines.
pub fn statements(text: &str) -> Vec<Statement> {
    let mut all = Vec::new();
    // Lines up to `counted`: counting from the top each time made it quadratic.
    let (mut line, mut counted) = (1, 0);
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < text.len() {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        let rest = &text[at..];
        let line_end = at + rest.find('\n').unwrap_or(rest.len());
        if rest.starts_with('#') || rest.is_empty() {
            at = line_end;
            continue;
        }
        line += text[counted..at].matches('\n').count() as u32;
        counted = at;
        let Some(sign) = text[at..line_end].find(['=', ':']) else {
            at = line_end;
            continue;
        };
        let name = text[at..at + sign].trim();
        let name = name.strip_prefix("export").filter(|n| n.starts_with(char::is_whitespace)).unwrap_or(name).trim();
        let after = &text[at + sign + 1..line_end];
        let start = at + sign + 1 + (after.len() - after.trim_start_matches([' ', '\t']).len());
        let end = value_end(text, start, line_end);
        all.push(Statement { name: name.to_string(), line, value: start..end });
        // Behind a closing quote Compose reads the next statement, on the same line too.
        at = end;
    }
    all
}

fn value_end(text: &str, start: usize, line_end: usize) -> usize {
    match text[start..].bytes().next() {
        Some(quote @ (b'"' | b'\'')) => {
            let bytes = text.as_bytes();
            let mut i = start + 1;
            while i < bytes.len() {
                match bytes[i] {
                    b'\\' => i += 1,
                    b if b == quote => return i + 1,
                    _ => {}
                }
                i += 1;
            }
            line_end
        }
        _ => {
            let value = &text[start..line_end];
            let cut = value
                .char_indices()
                .find(|(i, c)| *c == '#' && value[..*i].ends_with(char::is_whitespace))
                .map_or(value, |(i, _)| &value[..i]);
            start + cut.trim_end().len()
        }
    }
}

/// The text with `COMPOSE_PROFILES` set to a comma list; every other byte is kept. The last statement is the one that counts.
pub fn with_profiles(text: &str, profiles: &[String]) -> String {
    with(text, PROFILES, &profiles.join(","))
}

/// The text with a variable set; `value` as it is to be written, in its quotes. Every other byte is kept. The last statement is the one that counts.
pub fn with(text: &str, name: &str, value: &str) -> String {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let found = statements(text).into_iter().rfind(|s| s.name == name);
    match found {
        Some(statement) => {
            let after = &text[statement.value.end..];
            // What the quote kept apart stays apart.
            let between = if after.is_empty() || after.starts_with(char::is_whitespace) { "" } else { newline };
            format!("{}{value}{between}{after}", &text[..statement.value.start])
        }
        None => {
            let between = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
            format!("{text}{between}{name}={value}{newline}")
        }
    }
}

/// The text without a variable, each time with the rest of its line; `None` where another one stands on such a line.
pub fn without(text: &str, name: &str) -> Option<String> {
    let mut text = text.to_owned();
    while let Some(statement) = statements(&text).into_iter().find(|s| s.name == name) {
        // A name's own line: what stands before it is `export` and nothing else.
        let head = &text[..statement.value.start];
        let start = head.rfind(name)?;
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let before = text[line..start].trim_start_matches('\u{feff}').trim();
        let end = text[statement.value.end..].find('\n').map_or(text.len(), |at| statement.value.end + at + 1);
        let after = text[statement.value.end..end].trim();
        if !(before.is_empty() || before == "export") || !(after.is_empty() || after.starts_with('#')) {
            return None;
        }
        text.replace_range(line..end, "");
    }
    Some(text)
}

/// The text with a variable that Compose, of either kind, reads as this very value, and every other variable as before; `None` where no spelling does that.
pub fn holding(text: &str, name: &str, value: &str) -> Option<String> {
    let parse = |text: &str, compat: Compat| {
        let mut values = BTreeMap::new();
        dotenv::parse(text, &mut values, &|_| None, compat).ok().map(|()| values)
    };
    let reads = |new: &str| {
        [Compat::V2, Compat::V5].into_iter().all(|compat| {
            let (Some(mut before), Some(mut after)) = (parse(text, compat), parse(new, compat)) else { return false };
            let said = after.remove(name);
            before.remove(name);
            // What is made of it changes with it.
            said.as_deref() == Some(value) && before.keys().eq(after.keys())
        })
    };
    spellings(value).into_iter().map(|spelled| with(text, name, &spelled)).find(|new| reads(new))
}

/// Ways to write a value, the plainest first. Which of them is read as the value is for whoever writes it to see.
fn spellings(value: &str) -> Vec<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    let mut all = Vec::new();
    if !value.is_empty() && value.chars().all(plain) {
        all.push(value.to_owned());
    }
    all.push(format!("'{}'", value.replace('\'', "\\'")));
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
    all.push(format!("\"{escaped}\""));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Option<BTreeMap<String, String>> {
        let mut map = BTreeMap::new();
        dotenv::parse(text, &mut map, &|_| None, Compat::V5).ok().map(|()| map)
    }

    #[test]
    fn only_the_one_value_changes() {
        for (before, after) in [
            ("", "COMPOSE_PROFILES=a,b\n"),
            ("A=1", "A=1\nCOMPOSE_PROFILES=a,b\n"),
            ("A=1\r\n", "A=1\r\nCOMPOSE_PROFILES=a,b\r\n"),
            ("# c\nCOMPOSE_PROFILES=x # on\nB='y'\n", "# c\nCOMPOSE_PROFILES=a,b # on\nB='y'\n"),
            ("COMPOSE_PROFILES=\"x\"\nB=2\n", "COMPOSE_PROFILES=a,b\nB=2\n"),
            ("export COMPOSE_PROFILES = x\n", "export COMPOSE_PROFILES = a,b\n"),
            ("COMPOSE_PROFILES=\nB=2\n", "COMPOSE_PROFILES=a,b\nB=2\n"),
            ("COMPOSE_PROFILES=x\nCOMPOSE_PROFILES=y\n", "COMPOSE_PROFILES=x\nCOMPOSE_PROFILES=a,b\n"),
            ("A=\"q\nCOMPOSE_PROFILES=no\n\"\nB=2\n", "A=\"q\nCOMPOSE_PROFILES=no\n\"\nB=2\nCOMPOSE_PROFILES=a,b\n"),
            ("#COMPOSE_PROFILES=x\n", "#COMPOSE_PROFILES=x\nCOMPOSE_PROFILES=a,b\n"),
            ("COMPOSE_PROFILES=\r\nB=2\r\n", "COMPOSE_PROFILES=a,b\r\nB=2\r\n"),
            ("COMPOSE_PROFILES: x\n", "COMPOSE_PROFILES: a,b\n"),
            ("COMPOSE_PROFILES='x'B=2\n", "COMPOSE_PROFILES=a,b\nB=2\n"),
            ("COMPOSE_PROFILES='\\'\n# 'a\n", "COMPOSE_PROFILES=a,b\na\n"),
            ("A='x' COMPOSE_PROFILES=y\n", "A='x' COMPOSE_PROFILES=a,b\n"),
        ] {
            assert_eq!(with_profiles(before, &["a".into(), "b".into()]), after, "{before:?}");
        }
    }

    #[test]
    fn a_variable_goes_with_its_line_and_nothing_else_does() {
        for (before, after) in [
            ("# a\nA=1\nX='1\n2' # x\nB=2\n", Some("# a\nA=1\nB=2\n")),
            ("export X=1\nA=1\n  X=2", Some("A=1\n")),
            ("A=1\n", Some("A=1\n")),
            ("X='1' A=2\n", None),
            ("A='1' X=2\n", None),
        ] {
            assert_eq!(without(before, "X").as_deref(), after, "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_there_the_other_variables_stay(lines in proptest::collection::vec(
            "(export )?(A|B|COMPOSE_PROFILES|C_1) ?[=:] ?('[^']{0,6}'|\"[a-z #\n]{0,6}\"|[a-z#= ]{0,6})( # c)?|# [a-z=\"']{0,5}|", 0..8)) {
            let text = lines.join("\n") + "\n";
            if let Some(mut before) = parse(&text) {
                let after = with_profiles(&text, &["p".into()]);
                let mut read = parse(&after).expect("stays readable");
                prop_assert_eq!(read.remove(PROFILES), Some("p".to_string()));
                before.remove(PROFILES);
                prop_assert_eq!(read, before);
            }
        }

        #[test]
        fn a_value_is_read_as_it_was_given_and_every_other_stays(
            value in "[ -~\\n\\t]{0,12}|\\PC{0,8}",
            text in prop_oneof![
                Just("# mine\nA=1 # a\nPW='old' # keep\nB=\"x\"\n".to_owned()),
                Just(String::new()),
                Just("A=1".to_owned()),
                Just("PW=x\r\nB=2\r\n".to_owned()),
            ],
        ) {
            if let Some(new) = holding(&text, "PW", &value) {
                let mut values = BTreeMap::new();
                dotenv::parse(&new, &mut values, &|_| None, Compat::V5).unwrap();
                prop_assert_eq!(values.get("PW"), Some(&value));
                for line in text.lines().filter(|line| !line.starts_with("PW")) {
                    prop_assert!(new.contains(line), "{}", new);
                }
            } else {
                // Only what no quote can hold.
                prop_assert!(value.contains(['\\', '\'', '"', '\r', '\n']) || value.chars().any(char::is_control) || !value.is_ascii(), "{:?}", value);
            }
        }
    }
}
