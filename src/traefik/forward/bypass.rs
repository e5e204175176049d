//! Paths of a route that need no session: an interface for programs has its own keys, or takes a token of Hearth's.
//!
//! Compared is the path as a server reads it. One that two servers could read as two paths is never let in by this: it needs a session.

use serde::{Deserialize, Serialize};

/// One such path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bypass {
    /// `/api`: that and what is below it. Without a final `/`.
    pub path: String,
    pub needs: Needs,
}

/// What is asked for in place of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// `Authorization: Bearer` with an API token of Hearth for this route.
    Token,
    /// Nothing: the application asks by itself.
    Nothing,
}

impl Needs {
    pub const WORDS: [&str; 2] = ["token", "nothing"];

    pub fn read(word: &str) -> Option<Needs> {
        match word {
            "token" => Some(Needs::Token),
            "nothing" => Some(Needs::Nothing),
            _ => None,
        }
    }
}

/// What this path needs in place of a session, where it needs something else; the longest of the bypasses counts. `uri`: path and query
/// as Traefik says them in `X-Forwarded-Uri`.
pub fn needs(all: &[Bypass], uri: &str) -> Option<Needs> {
    if all.is_empty() {
        return None;
    }
    let path = normal(uri.split(['?', '#']).next().unwrap_or_default())?;
    let fits =
        |one: &&Bypass| path.strip_prefix(&one.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    all.iter().filter(fits).max_by_key(|one| one.path.len()).map(|one| one.needs)
}

/// Characters that some server reads as a dot, a slash or a backslash (by compatibility forms of Unicode).
const LOOK_ALIKES: [char; 8] =
    ['\u{2024}', '\u{2025}', '\u{2026}', '\u{fe52}', '\u{ff0e}', '\u{ff0f}', '\u{2215}', '\u{ff3c}'];

/// The path with its codes read; `None` where servers differ in what it is: with an encoded slash, backslash, percent, semicolon, question
/// mark or number sign, with parts `.` and `..` or made of dots and blanks, with two slashes together, path parameters, control characters,
/// or with codes that are no text.
pub fn normal(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| tail.get(at).and_then(|b| (*b as char).to_digit(16));
        let byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        if b"/\\%;?#".contains(&byte) {
            return None;
        }
        bytes.push(byte);
        rest = &tail[2..];
    }
    let text = String::from_utf8(bytes).ok()?;
    let unclear = |c: char| c.is_control() || matches!(c, '\\' | ';') || LOOK_ALIKES.contains(&c);
    if !text.starts_with('/') || text.contains("//") || text.chars().any(unclear) {
        return None;
    }
    let dots = |part: &str| !part.is_empty() && part.chars().all(|c| c == '.' || c == ' ');
    (!text.split('/').any(dots)).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(uri: &str) -> Option<Needs> {
        let one = |path: &str, needs| Bypass { path: path.into(), needs };
        needs(&[one("/api", Needs::Token), one("/api/open", Needs::Nothing), one("/feed", Needs::Nothing)], uri)
    }

    #[test]
    fn a_path_ends_where_its_name_ends_and_the_longest_counts() {
        for (uri, wanted) in [
            ("/api", Some(Needs::Token)),
            ("/api/", Some(Needs::Token)),
            ("/api/v1/x?a=/../b", Some(Needs::Token)),
            ("/%61pi/x", Some(Needs::Token)),
            ("/api/caf%C3%A9", Some(Needs::Token)),
            ("/api/open/x", Some(Needs::Nothing)),
            ("/api/opened", Some(Needs::Token)),
            ("/feed?x", Some(Needs::Nothing)),
            ("/apiary", None),
            ("/API/x", None),
            ("/", None),
            ("", None),
            ("api", None),
        ] {
            assert_eq!(asked(uri), wanted, "{uri}");
        }
    }

    #[test]
    fn hostile_19_what_can_be_read_in_two_ways_is_not_bypassed() {
        for uri in [
            "/api/../admin",
            "/api/..",
            "/api/./x",
            "/api/%2e%2e/admin",
            "/api/.%2E/admin",
            "/api/%2e",
            "/api/..%2fadmin",
            "/api%2f..%2fadmin",
            "/api/%2F",
            "/api/..%5cadmin",
            "/api/..\\admin",
            "/api/..;/admin",
            "/api;x=1/y",
            "/api/%3b",
            "//api/x",
            "/api//x",
            "/api/%252e%252e/admin",
            "/api/%00",
            "/api/%0d%0ax",
            "/api/%7f",
            "/api/%c0%ae%c0%ae/admin",
            "/api/%ff",
            "/api/%ef%bc%8e%ef%bc%8e/admin",
            "/api/\u{ff0e}\u{ff0e}/admin",
            "/api/%2",
            "/api/%zz",
            "/api/...",
            "/api/..%20/admin",
            "/api/%3fx",
            "/api/%23",
        ] {
            assert_eq!(asked(uri), None, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn what_is_let_in_stays_below_its_path_for_every_way_to_read_it(tail in "[a-z./%;\\\\25ef? ]{0,24}") {
            let uri = format!("/api/{tail}");
            if asked(&uri).is_some() {
                // As servers do it: codes once, codes twice, backslashes as slashes, parameters cut, then dots.
                let path = uri.split('?').next().unwrap_or_default();
                let once = decoded(path);
                for read in [path.to_owned(), once.clone(), decoded(&once)] {
                    let read: Vec<String> = read.replace('\\', "/").split('/').map(|p| p.split(';').next().unwrap_or_default().to_owned()).collect();
                    prop_assert!(!read.iter().any(|part| part == ".."), "{uri}");
                    prop_assert_eq!(&read[1], "api");
                }
            }
        }
    }

    fn decoded(text: &str) -> String {
        let mut out = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let code = tail
                .get(..2)
                .filter(|_| *first == b'%')
                .and_then(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok());
            out.push(code.unwrap_or(*first));
            rest = if code.is_some() { &tail[2..] } else { tail };
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}
