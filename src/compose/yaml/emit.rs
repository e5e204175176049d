//! A value as YAML that every YAML reader takes for the same value (words such as `no` and `on`, dates and numbers in
//! text are quoted). Deterministic to the byte.

use serde_json::Value;

use super::resolve;
use crate::compose::tree::Value as Yaml;

/// Block style, two blanks to a level, lists indented below their key.
pub fn emit(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0),
        other => {
            inline(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

fn pad(out: &mut String, level: usize) {
    out.extend(std::iter::repeat_n("  ", level));
}

fn mapping(out: &mut String, map: &serde_json::Map<String, Value>, level: usize) {
    for (key, value) in map {
        pad(out, level);
        entry(out, key, value, level);
    }
}

fn entry(out: &mut String, key: &str, value: &Value, level: usize) {
    text(out, key, None);
    out.push(':');
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, level + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, level + 1);
        }
        other => {
            out.push(' ');
            inline(out, other, level + 1);
            out.push('\n');
        }
    }
}

fn sequence(out: &mut String, items: &[Value], level: usize) {
    for item in items {
        pad(out, level);
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => {
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        pad(out, level + 1);
                    }
                    entry(out, key, value, level + 1);
                }
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                sequence(out, inner, level + 1);
            }
            other => {
                inline(out, other, level + 1);
                out.push('\n');
            }
        }
    }
}

fn inline(out: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => text(out, s, Some(level)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// Plain where that is safe, a block where it has lines (`level` given), else in double quotes.
fn text(out: &mut String, s: &str, level: Option<usize>) {
    if is_plain(s) {
        return out.push_str(s);
    }
    match level {
        Some(level) if is_block(s) => block(out, s, level),
        _ => quoted(out, s),
    }
}

fn is_plain(s: &str) -> bool {
    const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "<<", "="];
    let first_ok = s.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '$' | '+' | '~' | '('));
    first_ok
        && !s.ends_with([' ', ':'])
        && !s.contains(": ")
        && !s.contains(" #")
        && !s.chars().any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'))
        && !s.contains(['{', '}', '[', ']', ',', '"', '\'', '`']) | is_variable_text(s)
        && !WORDS.contains(&s.to_lowercase().as_str())
        && matches!(resolve(s), Yaml::Str(_))
        && !looks_sexagesimal(s)
}

/// `${NAME:-x}` may stand plain in block style when it begins with `$` or a word and has no quote or flow sign beyond braces.
fn is_variable_text(s: &str) -> bool {
    s.contains("${") && !s.contains(['[', ']', ',', '"', '\'', '`']) && !s.starts_with(['{', '}'])
}

/// `22:22` is a number to YAML 1.1 readers.
fn looks_sexagesimal(s: &str) -> bool {
    s.contains(':') && s.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'_' | b'-' | b'+'))
}

fn is_block(s: &str) -> bool {
    s.trim_end_matches('\n').contains('\n')
        && !s.starts_with([' ', '\n', '\t'])
        && !s.lines().any(|line| line.ends_with([' ', '\t']))
        && !s.chars().any(|c| {
            c != '\n' && c != '\t' && (c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'))
        })
}

fn block(out: &mut String, s: &str, level: usize) {
    let body = s.trim_end_matches('\n');
    let ends = s.len() - body.len();
    out.push_str(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, level);
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', ends.saturating_sub(1)));
}

fn quoted(out: &mut String, s: &str) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                let code = c as u32;
                out.push_str(&if code <= 0xff { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") });
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{output, yaml};
    use crate::diag::{Diagnostics, Sources};
    use proptest::prelude::*;

    fn reread(text: &str) -> Value {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        let mut told = Diagnostics::default();
        let docs = yaml::parse(file, &sources, &mut told);
        assert!(told.0.is_empty(), "{text}: {:?}", told.0);
        output::plain(&docs[0])
    }

    #[test]
    fn awkward_texts_come_back_as_they_were() {
        for s in [
            "no",
            "1.0",
            "22:22",
            "2020-01-01",
            "a: b",
            "x #y",
            "- a",
            "*a",
            "&a",
            "!x",
            "%x",
            "@x",
            "",
            " ",
            "a\nb",
            "a\nb\n",
            "a\nb\n\n",
            " a\nb",
            "~",
            "null",
            "${A:-{x}}",
            "{a}",
            "[a]",
            "é",
            "\u{7f}",
            "\t",
            "a\\b",
            "0x1",
            "=",
            "<<",
            "'",
            "\"",
            "a:",
            "?",
            "? a",
            "key: |",
            "|",
            ">",
            "a, b",
        ] {
            let value = serde_json::json!({ "k": s, "l": [s, { "m": s }] });
            assert_eq!(reread(&emit(&value)), value, "{s:?}\n{}", emit(&value));
        }
    }

    #[test]
    fn a_stack_reads_like_one_written_by_hand() {
        let value = serde_json::json!({"services": {"web": {"image": "nginx:1", "ports": ["80:80"], "x": {}, "z": [{"a": 1, "b": [2]}]}}});
        assert_eq!(
            emit(&value),
            "services:\n  web:\n    image: nginx:1\n    ports:\n      - \"80:80\"\n    x: {}\n    z:\n      - a: 1\n        b:\n          - 2\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_survives(s in "\\PC{0,12}|[ -~\\n\\t]{0,16}") {
            let value = serde_json::json!({ "k": s, s.clone() + "x": [s.clone()] });
            prop_assert_eq!(reread(&emit(&value)), value);
        }
    }
}
