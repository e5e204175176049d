//! Lists: at most `limit` at once, and where the next ones begin. Pages by key, not by number: what is added meanwhile moves nothing.

//!
//! A call's query has `limit`, `after` and `sort` beside the call's own filters, written out there (`#[serde(flatten)]` reads no numbers from a query).

use std::borrow::Cow;
use std::cmp::Ordering;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::diag::Diagnostic;

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
        n => {
            let d = Diagnostic::error("web.bad-limit", format!("`limit` is {n}, and a list gives 1 to {MOST} at once"));
            Err(d.field("limit").hint(match n {
                0 => "ask for 1 at least, or leave `limit` out",
                _ => "ask for fewer, and go on with `after`",
            }))
        }
    }
}

/// The key that a cursor stands for.
pub fn key<K: DeserializeOwned>(after: Option<&str>) -> Result<Option<K>, Diagnostic> {
    let Some(text) = after.filter(|text| !text.is_empty()) else { return Ok(None) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).map(Some).ok_or_else(bad_cursor)
}

fn bad_cursor() -> Diagnostic {
    Diagnostic::error("web.bad-cursor", "`after` is not where a page of this list ended")
        .field("after")
        .hint("take it from `next` of the page before, in the same order, or leave it out to begin at the front")
}

/// What a list can be ordered by; [`order`](crate::order) makes them.
pub trait Order: Copy + Default + 'static {
    type Of;
    const ALL: &'static [Self];
    /// The last come first where nobody says otherwise.
    const DOWN: bool;
    fn word(self) -> &'static str;
    fn key(self, one: &Self::Of) -> Key;
}

/// What one of a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    Number(i64),
    Text(String),
}

impl From<i64> for Key {
    fn from(number: i64) -> Key {
        Key::Number(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::Text(text.to_owned())
    }
}

/// Makes an enum of words that a list of `$of` can be ordered by; the first is the usual one, downwards where `$down` is true.
#[macro_export]
macro_rules! order {
    ($name:ident of $of:ty, $down:literal: $usual:ident $usual_word:literal => $usual_key:expr $(, $by:ident $word:literal => $key:expr)* $(,)?) => {
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub enum $name {
            #[default]
            $usual,
            $($by,)*
        }

        /// For a query: utoipa reads no generic types there.
        pub type Sort = $crate::web::list::Sort<$name>;

        impl $crate::web::list::Order for $name {
            type Of = $of;
            const ALL: &'static [Self] = &[$name::$usual $(, $name::$by)*];
            const DOWN: bool = $down;

            fn word(self) -> &'static str {
                match self {
                    $name::$usual => $usual_word,
                    $($name::$by => $word,)*
                }
            }

            fn key(self, one: &$of) -> $crate::web::list::Key {
                let key: fn(&$of) -> $crate::web::list::Key = match self {
                    $name::$usual => $usual_key,
                    $($name::$by => $key,)*
                };
                key(one)
            }
        }
    };
}

/// `sort` of a call: what it is ordered by, downwards with `-` before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<O> {
    by: O,
    down: bool,
}

impl<O: Order> Default for Sort<O> {
    fn default() -> Sort<O> {
        Sort { by: O::default(), down: O::DOWN }
    }
}

impl<O: Order> Sort<O> {
    fn word(self) -> String {
        format!("{}{}", if self.down { "-" } else { "" }, self.by.word())
    }

    fn all() -> impl Iterator<Item = Sort<O>> {
        O::ALL.iter().flat_map(|by| [false, true].map(|down| Sort { by: *by, down }))
    }
}

impl<'de, O: Order> Deserialize<'de> for Sort<O> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sort<O>, D::Error> {
        let text = String::deserialize(from)?;
        Sort::all().find(|sort| sort.word() == text).ok_or_else(|| {
            let known: Vec<String> = Sort::<O>::all().map(Sort::word).collect();
            D::Error::custom(format!("it should be one of {}", known.join(", ")))
        })
    }
}

impl<O: Order> PartialSchema for Sort<O> {
    fn schema() -> RefOr<Schema> {
        let usual = Sort::<O>::default().word();
        let words = Sort::<O>::all().map(Sort::word);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .default(Some(usual.into()))
            .build()
            .into()
    }
}

impl<O: Order> ToSchema for Sort<O> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Sort")
    }
}

/// What was asked of a list that is all in memory.
#[derive(Debug)]
pub struct Asked<O> {
    limit: usize,
    /// How the page before was ordered, and where it ended.
    after: Option<(String, Key, String)>,
    sort: Sort<O>,
}

impl<O: Order> Asked<O> {
    /// Refuses what does not fit.
    pub fn of(limit: Option<u16>, after: Option<&str>, sort: Option<Sort<O>>) -> Result<Asked<O>, Diagnostic> {
        let sort = sort.unwrap_or_default();
        let after: Option<(String, Key, String)> = key(after)?;
        if after.as_ref().is_some_and(|(word, ..)| *word != sort.word()) {
            return Err(bad_cursor());
        }
        Ok(Asked { limit: self::limit(limit)?, after, sort })
    }

    /// The page of `all`. `id` tells those apart that have the same key.
    pub fn page(self, mut all: Vec<O::Of>, id: impl Fn(&O::Of) -> String) -> Page<O::Of> {
        let Asked { limit, after, sort } = self;
        let turned = |order: Ordering| if sort.down { order.reverse() } else { order };
        let place = |one: &O::Of| (sort.by.key(one), id(one));
        if let Some((_, key, id)) = after {
            let end = (key, id);
            all.retain(|one| turned(place(one).cmp(&end)).is_gt());
        }
        all.sort_by(|a, b| turned(place(a).cmp(&place(b))));
        Page::of(all, limit, |one| (sort.word(), sort.by.key(one), id(one)))
    }
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

    mod order {
        crate::order! { By of (i64, &'static str), true:
            Number "number" => |one| one.0.into(),
            Name "name" => |one| one.1.into(),
        }
    }
    use order::By;

    #[test]
    fn a_list_in_any_order_is_gone_through_once() {
        let all = vec![(1, "b"), (2, "a"), (3, "b"), (4, "b"), (5, "c")];
        for (sort, expected) in
            [("", [5, 4, 3, 2, 1]), ("number", [1, 2, 3, 4, 5]), ("name", [2, 1, 3, 4, 5]), ("-name", [5, 4, 3, 1, 2])]
        {
            let sort: Option<order::Sort> = (!sort.is_empty()).then(|| serde_json::from_value(sort.into()).unwrap());
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let asked = Asked::of(Some(2), after.as_deref(), sort).unwrap();
                let page = asked.page(all.clone(), |one| one.0.to_string());
                seen.extend(page.items.iter().map(|one| one.0));
                after = page.next;
                if after.is_none() {
                    break;
                }
                let other = serde_json::from_value(if sort.is_none() { "name" } else { "-number" }.into()).unwrap();
                let moved = Asked::<By>::of(None, after.as_deref(), Some(other));
                assert_eq!(moved.unwrap_err().code, "web.bad-cursor", "one order's place is none of another's");
            }
            assert_eq!(seen, expected);
        }
        assert!(serde_json::from_value::<order::Sort>("age".into()).unwrap_err().to_string().contains("-number, name"));
    }

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
        assert_eq!(key::<(i64, String)>(Some("")).unwrap(), None, "an empty one is the front");
        for bad in ["%", "e30", "bnVsbA=="] {
            assert_eq!(key::<(i64, String)>(Some(bad)).unwrap_err().code, "web.bad-cursor", "{bad}");
        }
        assert_eq!(limit(Some(0)).unwrap_err().code, "web.bad-limit");
        assert_eq!((limit(None).unwrap(), limit(Some(200)).unwrap()), (50, 200));
    }
}
