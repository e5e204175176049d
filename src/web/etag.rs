//! Versions of what several people edit (RFC 9110, 8.8.3 and 13.1.1): whoever saves says which version they had before them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::Refusal;
use crate::diag::{Diagnostic, Kind};

/// A strong tag of a text, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    pub fn of(bytes: &[u8]) -> Etag {
        let digest = Sha256::digest(bytes);
        Etag(format!("\"{}\"", digest.iter().take(16).map(|b| format!("{b:02x}")).collect::<String>()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For the answer.
    pub fn header(&self) -> (header::HeaderName, HeaderValue) {
        (header::ETAG, HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("\"\"")))
    }

    /// Refuses a change that was made over another version, or over an unknown one. `now` is `None` where there is nothing yet, to be made with
    /// `If-None-Match: *`. `If-Match: *` is any version that there is. `what`: what there is, as a sentence names it.
    pub fn require(now: Option<&Etag>, headers: &HeaderMap, what: &str) -> Result<(), Response> {
        judged(now, headers, what).map_err(|d| {
            let status = match d.code {
                "web.no-version" => StatusCode::PRECONDITION_REQUIRED,
                "web.other-version" | "web.already-there" => StatusCode::PRECONDITION_FAILED,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Refusal(d).with(status)
        })
    }
}

/// The headers of a call that a form or another call stands for: a change of the version of this tag. What cannot be a tag is left out, and the call says that
/// it is missing.
pub fn over(tag: &str) -> HeaderMap {
    HeaderValue::from_str(tag).map(|tag| HeaderMap::from_iter([(header::IF_MATCH, tag)])).unwrap_or_default()
}

/// The same; without a tag what is there only where there is nothing yet.
pub fn over_or_new(tag: &str) -> HeaderMap {
    match over(tag) {
        over if !tag.is_empty() && !over.is_empty() => over,
        _ => HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("*"))]),
    }
}

fn judged(now: Option<&Etag>, headers: &HeaderMap, what: &str) -> Result<(), Diagnostic> {
    let only_new = only_new(headers)?;
    match (now, Over::of(headers)?) {
        (Some(_), _) if only_new => {
            let d = Diagnostic::error("web.already-there", format!("there is {what} already: nothing was saved"));
            Err(d
                .kind(Kind::Conflict)
                .hint("to change it, read it and send its ETag in the header If-Match, without If-None-Match"))
        }
        (Some(now), Some(over)) => over.holds(now),
        (Some(_), None) => Err(unsaid()),
        (None, None) => Ok(()),
        (None, Some(_)) => {
            let d = Diagnostic::error(
                "web.other-version",
                format!("there is no {} to change: nothing was saved", what.trim_start_matches("a ")),
            );
            Err(d
                .kind(Kind::Conflict)
                .hint("it was removed, or has another name; a new one is made with If-None-Match: *"))
        }
    }
}

/// What `If-Match` says, for what may be changed without it.
#[derive(Debug, Clone)]
pub struct Over(Vec<String>);

impl Over {
    /// `None` where nothing is said. What cannot be the tag of anything is refused with `web.no-etag`.
    pub fn of(headers: &HeaderMap) -> Result<Option<Over>, Diagnostic> {
        let Some(tags) = tags(headers, header::IF_MATCH) else { return Ok(None) };
        for tag in &tags {
            sound(tag)?;
        }
        Ok(Some(Over(tags)))
    }

    /// As [`Over::of`], where a list is sent whole: without a version it would take away in silence whom somebody else has just added. Refused with
    /// `web.no-version` (428), unless `known`: the version is said in another way.
    pub fn of_list(headers: &HeaderMap, field: Option<&str>, known: bool) -> Result<Option<Over>, Diagnostic> {
        match (Over::of(headers)?, field) {
            (None, Some(field)) if !known => Err(unsaid().field(field)),
            (over, _) => Ok(over),
        }
    }

    /// Refuses with `web.other-version` (412) where it is another by now. A star is any version.
    pub fn holds(&self, now: &Etag) -> Result<(), Diagnostic> {
        match self.0.iter().any(|tag| tag == "*" || *tag == now.0) {
            true => Ok(()),
            false => Err(other()),
        }
    }
}

/// Whether `If-None-Match` says that there must be none yet, which is all that it can say of a change.
fn only_new(headers: &HeaderMap) -> Result<bool, Diagnostic> {
    match tags(headers, header::IF_NONE_MATCH) {
        None => Ok(false),
        Some(tags) if tags == ["*"] => Ok(true),
        Some(_) => Err(Diagnostic::error("web.no-etag", "`If-None-Match` of a change is `*` and nothing else")
            .field("If-None-Match")
            .hint("`*` makes what is not there yet; to change what is there, send its ETag in the header If-Match")),
    }
}

/// A tag as it stands in an answer, or a star.
fn sound(tag: &str) -> Result<(), Diagnostic> {
    let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let strong = inner.is_some_and(|inner| !inner.contains('"')) && tag.len() > 1;
    if strong || tag == "*" {
        return Ok(());
    }
    let (title, hint) = match tag.strip_prefix("W/") {
        Some(_) => (
            "`If-Match` has a weak ETag, which stands for no version of its own",
            "send the ETag as the answer had it, without W/ before it; what makes weak ones of them stands between you and Hearth",
        ),
        None => (
            "`If-Match` is no ETag: one stands in double quotes, and they belong to it",
            "send it as the answer had it: -H 'If-Match: \"ETAG\"'; `*` is whatever version there is",
        ),
    };
    Err(Diagnostic::error("web.no-etag", title).field("If-Match").hint(hint))
}

fn tags(headers: &HeaderMap, name: header::HeaderName) -> Option<Vec<String>> {
    let all: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    let one = |v: &&HeaderValue| v.to_str().unwrap_or_default().split(',').map(|t| t.trim().to_owned()).collect();
    (!all.is_empty()).then(|| all.iter().flat_map(|v| -> Vec<String> { one(v) }).collect())
}

fn unsaid() -> Diagnostic {
    Diagnostic::error("web.no-version", "a change must say which version it was made over")
        .kind(Kind::Conflict)
        .hint("read it first, and send its ETag in the header If-Match")
}

fn other() -> Diagnostic {
    Diagnostic::error("web.other-version", "somebody else has changed this meanwhile: nothing was saved")
        .kind(Kind::Conflict)
        .hint("read it again, and make your change over what is there now")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_sends_on_the_version_that_it_was_made_over() {
        let named = |headers: HeaderMap| headers.iter().map(|(k, v)| format!("{k}: {}", v.to_str().unwrap())).collect();
        let (over, or_new) = (|tag| named(over(tag)), |tag| -> Vec<String> { named(over_or_new(tag)) });
        let said: Vec<String> = over("\"a\"");
        assert_eq!((said, or_new("\"a\"")), (vec!["if-match: \"a\"".into()], vec!["if-match: \"a\"".into()]));
        assert_eq!((over(""), or_new("")), (vec!["if-match: ".into()], vec!["if-none-match: *".into()]));
        assert_eq!((over("\n"), or_new("\n")), (Vec::<String>::new(), vec!["if-none-match: *".into()]));
    }

    #[test]
    fn two_editors_never_overwrite_each_other_in_silence() {
        let (a, b) = (Etag::of(b"a"), Etag::of(b"b"));
        let tried = |now: Option<&Etag>, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            if !name.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
            let told = judged(now, &headers, "a stack `web`");
            let code = told.as_ref().map_or_else(|d| d.code, |()| "");
            let status = Etag::require(now, &headers, "a stack `web`").map_or_else(|r| r.status().as_u16(), |()| 200);
            if let Err(d) = told {
                assert!(!d.title.is_empty() && !d.hints.is_empty(), "{d:?}");
            }
            (status, code)
        };
        let (bare, moved) = (a.as_str().trim_matches('"').to_owned(), (412, "web.other-version"));
        for (now, name, value, expected) in [
            (Some(&a), "if-match", a.as_str(), (200, "")),
            (Some(&a), "if-match", &format!("{}, {}", b.as_str(), a.as_str()), (200, "")),
            (Some(&a), "if-match", "*", (200, "")),
            (Some(&a), "if-match", b.as_str(), moved),
            (Some(&a), "if-match", &bare, (422, "web.no-etag")),
            (Some(&a), "if-match", &format!("W/{}", a.as_str()), (422, "web.no-etag")),
            (Some(&a), "if-match", "\"", (422, "web.no-etag")),
            (Some(&a), "if-match", "", (422, "web.no-etag")),
            (Some(&a), "", "", (428, "web.no-version")),
            (Some(&a), "if-none-match", "*", (412, "web.already-there")),
            (Some(&a), "if-none-match", a.as_str(), (422, "web.no-etag")),
            (None, "if-none-match", "*", (200, "")),
            (None, "", "", (200, "")),
            (None, "if-match", a.as_str(), moved),
            (None, "if-match", "*", moved),
        ] {
            assert_eq!(tried(now, name, value), expected, "{name}: {value}");
        }
        let over = |value: &str| Over::of(&HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]));
        for (value, holds) in [(a.as_str(), true), ("*", true), (b.as_str(), false)] {
            assert_eq!(over(value).unwrap().unwrap().holds(&a).is_ok(), holds, "{value}");
        }
        assert_eq!(over(&bare).unwrap_err().code, "web.no-etag");
        assert!(Over::of(&HeaderMap::new()).unwrap().is_none());
        let none = HeaderMap::new();
        assert_eq!(Over::of_list(&none, Some("members"), false).unwrap_err().code, "web.no-version");
        assert!(Over::of_list(&none, Some("members"), true).unwrap().is_none());
        assert!(Over::of_list(&none, None, false).unwrap().is_none());
    }
}
