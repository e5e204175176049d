//! A line of a file as it may be shown: without the values whose names say that they are secret.

use crate::base::secret::is_secret_name;

const HIDDEN: &str = "(hidden)";

/// A line to show, and how columns of the written line become columns of it.
pub(super) struct Shown {
    pub text: String,
    /// Character ranges of the written line that were replaced, in order.
    gone: Vec<(usize, usize)>,
}

impl Shown {
    /// Where a character (from 0) of the written line stands now; inside a hidden value it is the value's begin.
    pub fn column(&self, at: usize) -> usize {
        let mut shift = 0isize;
        for (from, to) in &self.gone {
            if at < *from {
                break;
            }
            if at < *to {
                return (*from as isize + shift) as usize;
            }
            shift += HIDDEN.len() as isize - (to - from) as isize;
        }
        (at as isize + shift) as usize
    }
}

/// Hides values behind `NAME:` and `NAME=` where the name is a secret's, and passwords in addresses (`//user:password@`).
pub(super) fn hide(line: &str) -> Shown {
    let chars: Vec<char> = line.chars().collect();
    let mut shown = Shown { text: String::with_capacity(line.len()), gone: Vec::new() };
    let mut i = 0;
    while i < chars.len() {
        match secret_at(&chars, i) {
            Some((from, to)) => {
                shown.text.extend(&chars[i..from]);
                shown.text.push_str(HIDDEN);
                shown.gone.push((from, to));
                i = to;
            }
            None => {
                shown.text.push(chars[i]);
                i += 1;
            }
        }
    }
    shown
}

/// The value to hide, when a name or an address begins at `i`.
fn secret_at(chars: &[char], i: usize) -> Option<(usize, usize)> {
    if chars[i..].starts_with(&['/', '/']) {
        let end = span(chars, i + 2, |c| !c.is_whitespace() && !matches!(c, '/' | '"' | '\''));
        let at = (i + 2..end).rev().find(|at| chars[*at] == '@')?;
        let colon = (i + 2..at).find(|at| chars[*at] == ':')?;
        return (colon + 1 < at).then_some((colon + 1, at));
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !is_name(chars[i]) || i > 0 && is_name(chars[i - 1]) {
        return None;
    }
    let end = span(chars, i, is_name);
    let name: String = chars[i..end].iter().collect();
    if i >= 2 && chars[i - 2..i] == ['$', '{'] {
        // A reference: only a default may be secret.
        if !is_secret_name(&name) {
            return None;
        }
        let from = span(chars, end, |c| matches!(c, ':' | '-'));
        let to = span(chars, from, |c| c != '}');
        return (from > end && chars[from - 1] == '-' && to > from).then_some((from, to));
    }
    let mut from = span(chars, end, |c| matches!(c, '"' | '\'' | ' '));
    if !is_secret_name(&name) || name.to_uppercase().ends_with("_FILE") || !matches!(chars.get(from), Some(':' | '=')) {
        return None;
    }
    let sign = chars[from];
    from = span(chars, from + 1, |c| c == ' ');
    let flow = chars[..i].iter().any(|c| matches!(c, '{' | '['));
    let to = match chars.get(from)? {
        // A list or mapping: the names inside are looked at one by one. Behind `=` it is text.
        '{' | '[' if sign == ':' => return None,
        quote @ ('"' | '\'') => quoted(chars, from, *quote),
        _ if flow => span(chars, from, |c| !matches!(c, ',' | '}' | ']')),
        _ => chars.len(),
    };
    let value: String = chars[from..to].iter().collect();
    (to > from && !is_reference(&value)).then_some((from, to))
}

/// Where a quoted value ends: `\"` and `''` stand for a quote of its own.
fn quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' if quote == '"' => at += 1,
            c if c == quote && quote == '\'' && chars.get(at + 1) == Some(&quote) => at += 1,
            c if c == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    chars.len()
}

/// Nothing but a variable's name: the value stands elsewhere.
fn is_reference(value: &str) -> bool {
    let bare = value.trim().trim_matches(['"', '\'']);
    bare.starts_with('$')
        && !bare.contains(":-")
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"${}_:? ".contains(&b))
}

fn span(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| !wanted(chars[*at])).unwrap_or(chars.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_not_shown() {
        for (line, shown) in [
            ("      DB_PASSWORD: hunter2 # x", "      DB_PASSWORD: (hidden)"),
            ("  - API_TOKEN=abc", "  - API_TOKEN=(hidden)"),
            ("  - \"API_TOKEN=abc\"", "  - \"API_TOKEN=(hidden)"),
            ("{SECRET_KEY: 'a, b', image: x}", "{SECRET_KEY: (hidden), image: x}"),
            ("env: {PASSWORD: a b, A: 1}", "env: {PASSWORD: (hidden), A: 1}"),
            ("DB_PASSWORD: ${DB_PASSWORD:?}", "DB_PASSWORD: ${DB_PASSWORD:?}"),
            ("DB_PASSWORD: ${DB_PASSWORD:-hunter2}", "DB_PASSWORD: (hidden)"),
            ("A: x${API_KEY:-hunter2}", "A: x${API_KEY:-(hidden)}"),
            ("A: ${API_KEY:-}${API_KEY}", "A: ${API_KEY:-}${API_KEY}"),
            ("url: postgres://me:hunter2@db/x", "url: postgres://me:(hidden)@db/x"),
            ("image: registry:5000/x", "image: registry:5000/x"),
            ("COMPASS: north", "COMPASS: north"),
            ("secrets: [token]", "secrets: [token]"),
            (r#"PASSWORD: "a\"hunter2" # x"#, "PASSWORD: (hidden) # x"),
            ("PASSWORD: 'a''hunter2' # x", "PASSWORD: (hidden) # x"),
            ("  - API_TOKEN={hunter2", "  - API_TOKEN=(hidden)"),
            ("DB_PASSWORD_FILE: /run/secrets/db", "DB_PASSWORD_FILE: /run/secrets/db"),
        ] {
            assert_eq!(hide(line).text, shown, "{line}");
        }
    }

    #[test]
    fn carets_stay_below_what_they_point_at() {
        let shown = hide("{TOKEN: abcdefghijklmnop, image: x}");
        assert_eq!(shown.text, "{TOKEN: (hidden), image: x}");
        assert_eq!((shown.column(1), shown.column(8), shown.column(12), shown.column(26)), (1, 8, 8, 18));
    }
}
