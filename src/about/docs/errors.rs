//! `docs/errors.md` as it was when this program was built: a heading a code, then paragraphs.

use super::guide::leads;
use super::markdown::markup;

/// One code.
#[derive(Debug)]
pub struct Explained {
    pub code: String,
    /// Markup.
    pub html: String,
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

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_its_words() {
        let (intro, all) = super::all();
        assert!(!intro.is_empty() && all.len() > 100);
        assert!(all.iter().all(|one| !one.code.contains(' ') && one.html.starts_with("<p>")));
    }
}
