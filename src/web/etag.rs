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

    /// Refuses a change that was made over another version, or over an unknown one. `None`: there is nothing yet, to be made with
    /// `If-None-Match: *`.
    pub fn require(now: Option<&Etag>, headers: &HeaderMap) -> Result<(), Response> {
        match (now, tags(headers, header::IF_MATCH), tags(headers, header::IF_NONE_MATCH)) {
            (Some(now), Some(tags), _) if tags.contains(&now.0) => Ok(()),
            (None, None, _) => Ok(()),
            (Some(_), None, None) => Err(Refusal(unsaid()).with(StatusCode::PRECONDITION_REQUIRED)),
            _ => Err(moved()),
        }
    }
}

/// What `If-Match` says, for what may be changed without it.
#[derive(Debug, Clone)]
pub struct Over(Vec<String>);

impl Over {
    pub fn of(headers: &HeaderMap) -> Option<Over> {
        tags(headers, header::IF_MATCH).map(Over)
    }

    /// As [`Over::of`], where a list is sent whole: without a version it would take away in silence whom somebody else has just added. Refused with
    /// `web.no-version` (428), unless `known`: the version is said in another way.
    pub fn of_list(headers: &HeaderMap, field: Option<&str>, known: bool) -> Result<Option<Over>, Diagnostic> {
        match (Over::of(headers), field) {
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

fn moved() -> Response {
    Refusal(other()).with(StatusCode::PRECONDITION_FAILED)
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
    fn two_editors_never_overwrite_each_other_in_silence() {
        let (a, b) = (Etag::of(b"a"), Etag::of(b"b"));
        let tried = |now: Option<&Etag>, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            if !name.is_empty() {
                headers.insert(name, value.parse().unwrap());
            }
            Etag::require(now, &headers).map_or_else(|r| r.status().as_u16(), |()| 200)
        };
        assert_eq!(tried(Some(&a), "if-match", a.as_str()), 200);
        assert_eq!(tried(Some(&a), "if-match", &format!("{}, {}", b.as_str(), a.as_str())), 200);
        assert_eq!(tried(Some(&a), "if-match", b.as_str()), 412);
        assert_eq!(tried(Some(&a), "if-match", "*"), 412, "a star says no version");
        assert_eq!(tried(Some(&a), "if-match", &format!("W/{}", a.as_str())), 412);
        assert_eq!(tried(Some(&a), "", ""), 428);
        assert_eq!(tried(Some(&a), "if-none-match", "*"), 412);
        assert_eq!(tried(None, "if-none-match", "*"), 200);
        assert_eq!(tried(None, "", ""), 200);
        assert_eq!(tried(None, "if-match", a.as_str()), 412);
        let over = |value: &str| Over::of(&HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]));
        for (value, holds) in [(a.as_str(), true), ("*", true), (b.as_str(), false), ("", false)] {
            assert_eq!(over(value).unwrap().holds(&a).is_ok(), holds, "{value}");
        }
        assert!(Over::of(&HeaderMap::new()).is_none());
        let none = HeaderMap::new();
        assert_eq!(Over::of_list(&none, Some("members"), false).unwrap_err().code, "web.no-version");
        assert!(Over::of_list(&none, Some("members"), true).unwrap().is_none());
        assert!(Over::of_list(&none, None, false).unwrap().is_none());
    }
}
