//! Lists: at most `limit` at once, and where the next ones begin. Pages by key, not by number: what is added meanwhile moves nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;

/// How many of a list, and from where. Stands in a call's query beside its own filters (`#[serde(flatten)]` reads no numbers from a query: the
/// two fields are written out there).
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// For `after` of the next call; null where this was the end.
    #[schema(required)]
    pub next: Option<String>,
}

/// Of one call.
pub const MOST: u16 = 200;
const USUAL: u16 = 50;

/// How many are asked for.
pub fn limit(asked: Option<u16>) -> Result<usize, Diagnostic> {
    match asked.unwrap_or(USUAL) {
        n if (1..=MOST).contains(&n) => Ok(usize::from(n)),
        n => Err(Diagnostic::error("web.bad-limit", format!("`limit` is {n}, and a list gives 1 to {MOST} at once"))
            .field("limit")
            .hint("ask for fewer, and go on with `after`")),
    }
}

/// The key that a cursor stands for.
pub fn key<K: DeserializeOwned>(after: Option<&str>) -> Result<Option<K>, Diagnostic> {
    let Some(text) = after else { return Ok(None) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).map(Some).ok_or_else(|| {
        Diagnostic::error("web.bad-cursor", "`after` is not where a page of this list ended")
            .field("after")
            .hint("take it from `next` of the page before, as it is, or leave it out to begin at the front")
    })
}

impl<T> Page<T> {
    /// Of what was found one more than `limit` was asked for: whether there is a next page.
    pub fn of<K: Serialize>(mut found: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Page<T> {
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(key);
        let next = last.and_then(|key| serde_json::to_vec(&key).ok()).map(|key| BASE64_URL_SAFE_NO_PAD.encode(key));
        Page { items: found, next }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_through_a_list_once_and_end() {
        let all: Vec<(i64, &str)> = vec![(1, "a"), (2, "b"), (3, "c"), (4, "d")];
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let from: Option<(i64, String)> = key(after.as_deref()).unwrap();
            let rest = all.iter().filter(|(n, _)| from.as_ref().is_none_or(|(m, _)| n > m));
            let page = Page::of(rest.take(4).copied().collect(), 3, |one| *one);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        for bad in ["", "%", "e30", "bnVsbA=="] {
            assert_eq!(key::<(i64, String)>(Some(bad)).unwrap_err().code, "web.bad-cursor", "{bad}");
        }
        assert_eq!(limit(Some(0)).unwrap_err().code, "web.bad-limit");
        assert_eq!((limit(None).unwrap(), limit(Some(200)).unwrap()), (50, 200));
    }
}
