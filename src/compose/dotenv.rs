//! `.env`, `env_file` and `label_file` (Compose's dialect of dotenv).

use std::collections::BTreeMap;

use super::Compat;
use super::template::{self, Scope, TemplateError};
use super::yaml::MAX_BYTES;

/// What is wrong at a place; lines and columns count from 1. The text never holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DotenvError {
    pub line: u32,
    pub column: u32,
    pub title: String,
    pub hint: &'static str,
}

/// Reads `text` into `into`, later keys winning. Values may name variables: `lookup` is asked first, then `into`.
pub fn parse(
    text: &str,
    into: &mut BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
    compat: Compat,
) -> Result<(), DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut grown = 0;
    let mut reader = Reader { text, rest: text, compat };
    while reader.find_statement() {
        // A place is counted from the top, so only where it is told.
        let at = reader.rest;
        let (key, inherited) = reader.key()?;
        if key.contains(' ') {
            return Err(wrong(reader.place(at), "a key cannot contain a blank".into(), "write KEY=value"));
        }
        if inherited {
            if let Some(value) = lookup(&key) {
                into.insert(key, value);
            }
            continue;
        }
        let value = reader.value(into, lookup)?;
        grown += value.len();
        if grown > MAX_BYTES {
            let title = "with their variables the values of this file are larger than 8 MiB".into();
            return Err(wrong(reader.place(at), title, "write out less"));
        }
        into.insert(key, value);
    }
    Ok(())
}

/// `format: raw`: one KEY=VALUE to a line, taken as it stands (`docker run --env-file`).
pub fn parse_raw(
    text: &str,
    into: &mut BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    for (number, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (line, None),
        };
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(wrong(
                (number as u32 + 1, 1),
                "there is no name before `=`, or it has a blank".into(),
                "write KEY=value",
            ));
        }
        if let Some(value) = value.map(str::to_string).or_else(|| lookup(key)) {
            into.insert(key.to_string(), value);
        }
    }
    Ok(())
}

fn wrong((line, column): (u32, u32), title: String, hint: &'static str) -> DotenvError {
    DotenvError { line, column, title, hint }
}

struct Reader<'t> {
    text: &'t str,
    /// What is still to be read, the end of `text`.
    rest: &'t str,
    compat: Compat,
}

/// Blanks that do not end a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl Reader<'_> {
    fn advance(&mut self, to: usize) {
        self.rest = &self.rest[to..];
    }

    /// Line and column at which an end of the text begins.
    fn place(&self, end: &str) -> (u32, u32) {
        let before = &self.text[..self.text.len() - end.len()];
        let line = before.matches('\n').count() as u32 + 1;
        (line, before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1)
    }

    /// Moves to the next statement, over blank lines and comments.
    fn find_statement(&mut self) -> bool {
        loop {
            let Some(at) = self.rest.find(|c: char| !c.is_whitespace()) else { return false };
            self.advance(at);
            if !self.rest.starts_with('#') {
                return true;
            }
            match self.rest.find('\n') {
                Some(end) => self.advance(end),
                None => return false,
            }
        }
    }

    /// The key, and whether it stands alone (its value comes from outside).
    fn key(&mut self) -> Result<(String, bool), DotenvError> {
        if let Some(rest) = self.rest.strip_prefix("export").filter(|r| r.starts_with(char::is_whitespace)) {
            self.rest = rest.trim_start_matches(is_blank);
        }
        let start = self.rest;
        for (at, c) in self.rest.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    let key = self.rest[..at].trim_end().to_string();
                    self.advance(at + 1);
                    self.rest = self.rest.trim_start_matches(is_blank);
                    return Ok((key, c == '\n'));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_blank(c) || c.is_alphanumeric() => {}
                c => {
                    let title = format!("the character `{c}` cannot stand in a variable's name");
                    return Err(wrong(
                        self.place(&self.rest[at..]),
                        title,
                        "names are made of letters, digits, `_`, `.`, `-`, `[` and `]`",
                    ));
                }
            }
        }
        // The last line, without an end. Compose makes of it a value without a name, which no Engine takes.
        match std::mem::take(&mut self.rest).trim_end() {
            "" => Err(wrong(self.place(start), "there is no name here".into(), "write KEY=value")),
            key => Ok((key.to_string(), true)),
        }
    }

    fn value(
        &mut self,
        known: &BTreeMap<String, String>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, DotenvError> {
        let start = self.rest;
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let text = self.quoted(quote)?;
                match quote {
                    '"' => self.expand(&unescape(&text), start, known, lookup),
                    _ => Ok(text),
                }
            }
            _ => {
                let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
                let value = self.rest[..end].trim_end_matches('\n');
                let value = value.split_once(" #").map_or(value, |(before, _)| before).trim_end().to_string();
                self.advance(end);
                self.expand(&value, start, known, lookup)
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, DotenvError> {
        let mut text = String::new();
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c != quote {
                if !escaped && c == '\\' {
                    escaped = true;
                    continue;
                }
                if escaped {
                    escaped = false;
                    text.push('\\');
                }
                text.push(c);
                continue;
            }
            if escaped {
                escaped = false;
                text.push(c);
                continue;
            }
            self.advance(at + 1);
            return Ok(text);
        }
        Err(wrong(
            self.place(self.rest),
            "the quote that begins here is never closed".into(),
            "close it, or escape it with a backslash",
        ))
    }

    fn expand(
        &self,
        text: &str,
        start: &str,
        known: &BTreeMap<String, String>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, DotenvError> {
        let find = |name: &str| lookup(name).or_else(|| known.get(name).cloned());
        let mut scope = Scope { lookup: &find, compat: self.compat, unset: &mut |_| {} };
        template::substitute(text, &mut scope).map_err(|error| match error {
            TemplateError::Invalid => wrong(
                self.place(start),
                "a `$` here begins no variable".into(),
                "write $$ for a literal dollar sign, or quote the value with '...'",
            ),
            TemplateError::Limit(words) => wrong(self.place(start), words.into(), "write out less"),
            TemplateError::Required { name, message } => wrong(
                self.place(start),
                match message.as_str() {
                    "" => format!("the variable {name} is needed and has no value"),
                    message => format!("the variable {name} is needed and has no value: {message}"),
                },
                "set it, or write a default as ${NAME:-default}",
            ),
        })
    }
}

/// `\n` and its kin in a double-quoted value; `\$` becomes `$$`, which expansion reads as a literal dollar.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.peek().copied() {
            Some('0') => {
                chars.next();
                let mut digits = String::new();
                while digits.len() < 3 && chars.peek().is_some_and(char::is_ascii_digit) {
                    digits.extend(chars.next());
                }
                // Three octal digits make a byte; anything else stays as it was written.
                match (digits.len(), u8::from_str_radix(&digits, 8)) {
                    (3, Ok(byte)) => out.push(char::from(byte)),
                    _ => {
                        out.push_str("\\0");
                        out.push_str(&digits);
                    }
                }
            }
            Some(escape) => {
                let plain = match escape {
                    'a' => "\u{7}",
                    'b' => "\u{8}",
                    'f' => "\u{c}",
                    'n' => "\n",
                    'r' => "\r",
                    't' => "\t",
                    'v' => "\u{b}",
                    '"' => "\"",
                    '\\' => "\\",
                    '$' => "$$",
                    _ => {
                        out.push('\\');
                        continue;
                    }
                };
                chars.next();
                out.push_str(plain);
            }
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
        let mut map = BTreeMap::new();
        let lookup = |name: &str| (name == "OUT").then(|| "side".to_string());
        parse(text, &mut map, &lookup, Compat::V5).map(|()| map.into_iter().collect())
    }
    fn one(text: &str) -> String {
        read(text).unwrap().pop().unwrap().1
    }

    #[test]
    fn values_read_as_compose_reads_them() {
        for (text, value) in [
            ("A=1\n", "1"),
            ("export A=1", "1"),
            ("A: yaml # c", "yaml"),
            ("A=a#b # c", "a#b"),
            ("A='x $OUT\ny'", "x $OUT\ny"),
            ("A=\"x $OUT\\n\\$Z\"", "x side\n$Z"),
            ("A=a\\nb", "a\\nb"),
            ("A=${NO:-d}", "d"),
            ("A = b ", "b"),
            ("A=\"q\\\"q\"", "q\"q"),
            ("A=\"\\0101\"", "A"),
            ("A=", ""),
        ] {
            assert_eq!(one(text), value, "{text:?}");
        }
    }

    #[test]
    fn a_key_alone_takes_its_value_from_outside() {
        assert_eq!(read("A=1\nOUT").unwrap().pop(), Some(("OUT".into(), "side".into())));
        assert_eq!(read("OUT\nGONE\nA=1\n").unwrap(), [("A".into(), "1".into()), ("OUT".into(), "side".into())]);
    }

    #[test]
    fn mistakes_name_their_line_and_no_value() {
        assert_eq!(read("A=1\n\nB%=2").unwrap_err().line, 3);
        assert_eq!(read("A=1\nB C=2").unwrap_err().line, 2);
        assert_eq!(read("A=1\nB=\"secret\n").unwrap_err().line, 2);
        assert!(!read("B=\"secret\n").unwrap_err().title.contains("secret"));
    }

    #[test]
    fn raw_files_are_taken_as_they_stand() {
        let mut map = BTreeMap::new();
        parse_raw("A=\"q\" # c\n# x\nB=$C\n", &mut map, &|_| None).unwrap();
        assert_eq!((map["A"].as_str(), map["B"].as_str()), ("\"q\" # c", "$C"));
    }
}
