//! `docs/errors.md` as it was when this program was built: a heading a code, then paragraphs.

use super::guide::leads;
use super::markdown::markup;
use super::sections::{self, Section};

/// One code.
#[derive(Debug)]
pub struct Explained {
    pub code: String,
    /// Markup.
    pub html: String,
}

/// Codes of one kind.
#[derive(Debug)]
pub struct Part {
    pub section: Section,
    pub all: Vec<Explained>,
}

const TEXT: &str = include_str!("../../../docs/errors.md");

/// What stands before the first code, as markup, and all codes.
pub fn all() -> (String, Vec<Explained>) {
    let html = |text: &str| markup(text, |link| leads(link, "guide/")).html;
    let mut sections = TEXT.split("\n## ");
    let intro = sections.next().unwrap_or_default();
    let intro = html(intro.split_once("\n\n").map_or("", |(_, after)| after));
    let explained = |section: &str| {
        let (code, text) = section.split_once('\n').unwrap_or((section, ""));
        Explained { code: code.trim().to_owned(), html: html(text) }
    };
    (intro, sections.map(explained).collect())
}

/// The codes by what they are about.
pub fn parts(all: Vec<Explained>) -> Vec<Part> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for one in all {
        let Some((at, section)) = sections::of_code(&one.code) else { continue };
        match parts.iter_mut().find(|(place, _)| *place == at) {
            Some((_, part)) => part.all.push(one),
            None => parts.push((at, Part { section, all: vec![one] })),
        }
    }
    parts.sort_by_key(|(at, _)| *at);
    parts.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_its_words() {
        let (intro, all) = super::all();
        assert!(!intro.is_empty() && all.len() > 100);
        assert!(all.iter().all(|one| !one.code.contains(' ') && one.html.starts_with("<p>")));
        let count = all.len();
        assert_eq!(super::parts(all).iter().map(|part| part.all.len()).sum::<usize>(), count);
    }
}
