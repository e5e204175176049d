//! The words of pages, all in one place per language: `templates/words/<language>/*.ftl`, in Fluent (https://projectfluent.org/fluent/guide/).
//!
//! A template says `{{ "home-title"|say }}`, with one value `{{ "home-services"|with("count", n) }}`, with code and strong words in it
//! `{{ "trust-words"|marked }}`; code says [`Lang::say`] and [`Lang::with`]. What other rooms say of
//! services, plans and mistakes comes with its words, the same as in the terminal and the API.

use std::any::Any;
use std::borrow::Cow;
use std::sync::LazyLock;

use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use time::OffsetDateTime;

use super::words;
use crate::base::clock;

/// Each file of a language: language, name, text.
const FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// What is spoken where nobody has asked for another, and where another has no words.
const ENGLISH: &str = "en";

struct Language {
    tag: String,
    bundle: FluentBundle<FluentResource>,
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let mut tags: Vec<&str> = FILES.iter().map(|(tag, ..)| *tag).collect();
    tags.sort_by_key(|tag| (*tag != ENGLISH, *tag));
    tags.dedup();
    tags.into_iter().map(language).collect()
});

fn language(tag: &str) -> Language {
    let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
    // The marks around values are for text of both directions; names stand in elements of their own here.
    bundle.set_use_isolating(false);
    for (_, _, text) in FILES.iter().filter(|(of, ..)| *of == tag) {
        // What can be read of a file is taken; a test holds that all can.
        let file = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(file, _)| file);
        bundle.add_resource_overriding(file);
    }
    Language { tag: tag.to_owned(), bundle }
}

/// A language that pages can be had in.
/// By default the first, English.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Lang(usize);

impl std::fmt::Debug for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.tag())
    }
}

impl Lang {
    /// The first of the browser's languages (`Accept-Language`, RFC 9110, 12.5.4) that there are words in.
    pub fn of(headers: &HeaderMap) -> Lang {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let known = |one: &str| {
            let tag = one.split([';', '-']).next().unwrap_or_default().trim();
            LANGUAGES.iter().position(|language| language.tag.eq_ignore_ascii_case(tag))
        };
        asked.split(',').find_map(known).map(Lang).unwrap_or_default()
    }

    /// Of the request that is being answered ([`speaking`]); outside of one English.
    pub fn spoken() -> Lang {
        SPOKEN.try_with(|lang| *lang).unwrap_or_default()
    }

    /// For `<html lang>`.
    pub fn tag(self) -> &'static str {
        &LANGUAGES[self.0].tag
    }

    /// What is said under this name; the name itself where there is nothing, which a test keeps from happening.
    pub fn say(self, key: &str) -> Cow<'static, str> {
        self.look(key, None)
    }

    /// The same, with values in it: what is said of one thing can differ from what is said of several.
    pub fn with<const N: usize>(self, key: &str, values: [(&'static str, FluentValue<'_>); N]) -> String {
        let args: FluentArgs<'_> = values.into_iter().collect();
        self.look(key, Some(&args)).into_owned()
    }

    /// How long ago a moment was: `3 minutes ago`.
    pub fn ago(self, at: OffsetDateTime, now: OffsetDateTime) -> String {
        let (count, unit) = clock::since(at, now);
        self.with(words::ago(unit), [("count", count.into())])
    }

    fn look(self, key: &str, args: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        for language in [&LANGUAGES[self.0], &LANGUAGES[0]] {
            if let Some(pattern) = language.bundle.get_message(key).and_then(|message| message.value()) {
                let said = language.bundle.format_pattern(pattern, args, &mut Vec::new());
                return Cow::Owned(said.into_owned());
            }
        }
        Cow::Owned(key.to_owned())
    }
}

tokio::task_local! {
    static SPOKEN: Lang;
}

/// Answers a request in this language: a refusal is drawn wherever it comes up.
pub async fn speaking<T>(lang: Lang, answers: impl Future<Output = T>) -> T {
    SPOKEN.scope(lang, answers).await
}

/// Given to a template as it is rendered, for [`filters`].
impl askama::Values for Lang {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn Any> {
        (key == "lang").then_some(self as &dyn Any)
    }
}

/// What templates say words with: `use crate::web::lang::filters;` where one is declared.
pub mod filters {
    use std::borrow::Cow;

    use askama::Values;

    use super::{Lang, Value};
    use crate::web::Words;

    fn lang(values: &dyn Values) -> Lang {
        values.get_value("lang").and_then(|lang| lang.downcast_ref()).copied().unwrap_or_default()
    }

    /// `{{ "home-title"|say }}`
    #[askama::filter_fn]
    pub fn say(key: &str, values: &dyn Values) -> askama::Result<Cow<'static, str>> {
        Ok(lang(values).say(key))
    }

    /// `{{ "trust-words"|marked }}`: with what stands between backticks as code, and between `**` strong.
    #[askama::filter_fn]
    pub fn marked(key: &str, values: &dyn Values) -> askama::Result<Words> {
        Ok(Words::marked(lang(values).say(key)))
    }

    /// `{{ "home-services"|with("count", n) }}`
    #[askama::filter_fn]
    pub fn with<V: Value>(key: &str, values: &dyn Values, name: &'static str, value: V) -> askama::Result<String> {
        Ok(lang(values).with(key, [(name, value.value())]))
    }
}

/// What can be put into a sentence.
pub trait Value {
    fn value(&self) -> FluentValue<'_>;
}

impl<T: Value + ?Sized> Value for &T {
    fn value(&self) -> FluentValue<'_> {
        (**self).value()
    }
}

impl Value for str {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}

impl Value for String {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Value for $number {
            fn value(&self) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        })*
    };
}

numbers!(usize, u64, u32, u16, i64);

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use axum::http::HeaderValue;
    use fluent_bundle::FluentResource;

    use super::*;

    #[test]
    fn the_browser_is_answered_in_its_language_where_there_is_one() {
        let asks = |text: &'static str| {
            Lang::of(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text))])).tag()
        };
        assert_eq!(asks("en-GB,en;q=0.9"), "en");
        assert_eq!(asks("x-klingon, EN;q=0.1"), "en");
        assert_eq!(asks(""), "en");
        assert_eq!(Lang::of(&HeaderMap::new()).tag(), "en");
    }

    #[test]
    fn every_file_of_words_can_be_read_and_no_name_is_said_twice() {
        let mut known = BTreeMap::new();
        for (tag, file, text) in FILES {
            let read = FluentResource::try_new((*text).to_owned());
            let read = read.unwrap_or_else(|(_, mistakes)| panic!("{tag}/{file}: {mistakes:?}"));
            for entry in read.entries() {
                if let fluent_syntax::ast::Entry::Message(message) = entry {
                    let before = known.insert((tag, message.id.name.to_owned()), file);
                    assert!(before.is_none(), "{tag}/{file}: {} is in {} too", message.id.name, before.unwrap());
                }
            }
        }
    }

    /// All files below a folder with this ending: path and text.
    fn files(folder: &Path, end: &str, all: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, end, all);
            } else if path.extension().is_some_and(|e| e == end) {
                all.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }

    #[test]
    fn every_name_that_is_said_has_words_and_all_words_are_said() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        files(&root.join("templates"), "html", &mut sources);
        files(&root.join("src"), "rs", &mut sources);
        let asked = regex::Regex::new(
            r#""([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"\s*\|\s*(?:say|with|marked)\b|\blang(?:\(\))?\s*\.(?:say|with)\(\s*"([a-z][a-z0-9-]*)""#,
        );
        let asked = asked.unwrap();
        let known: BTreeSet<String> = FILES
            .iter()
            .filter(|(tag, ..)| *tag == ENGLISH)
            .flat_map(|(_, _, text)| text.lines())
            .filter_map(|line| line.split_once(" =").map(|(name, _)| name.to_owned()))
            .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
            .collect();
        let mut said = BTreeSet::new();
        for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with("web/lang.rs")) {
            for found in asked.captures_iter(text) {
                let key = found.get(1).or(found.get(2)).unwrap().as_str();
                assert!(known.contains(key), "{path} says {key}, which has no words in templates/words/en");
            }
            said.extend(known.iter().filter(|key| text.contains(&format!("\"{key}\""))).cloned());
        }
        let unsaid: Vec<_> = known.difference(&said).collect();
        assert!(unsaid.is_empty(), "nobody says {unsaid:?}");
    }

    /// What is English in every language: the documentation, which has pages of its own. `· Hearth` stands in every title.
    const OTHERWISE: &[&str] = &["/about/", "/layout.html"];

    /// A word in a template is in no language's file.
    #[test]
    fn no_page_has_words_of_its_own() {
        let mut pages = Vec::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), "html", &mut pages);
        let code = r"(?s)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<svg.*?</svg>|<code>.*?</code>|<!DOCTYPE[^>]*>";
        let code = regex::Regex::new(code).unwrap();
        let tag = regex::Regex::new(r"(?s)<[^>]*>").unwrap();
        let spoken = regex::Regex::new(r#"\b(?:aria-label|title|placeholder|alt)="([^"]*)""#).unwrap();
        let word = regex::Regex::new(r"\p{L}{2,}").unwrap();
        let mut own = Vec::new();
        for (path, text) in pages.iter().filter(|(path, _)| !OTHERWISE.iter().any(|name| path.contains(name))) {
            let text = code.replace_all(text, "");
            let outside = tag.replace_all(&text, "\n");
            let words = outside.lines().filter(|line| word.is_match(line)).map(|line| line.trim().to_owned());
            let inside =
                spoken.captures_iter(&text).map(|found| found[1].to_owned()).filter(|text| word.is_match(text));
            own.extend(words.chain(inside).map(|words| format!("{path}: {words}")));
        }
        assert!(own.is_empty(), "{}", own.join("\n"));
    }
}
