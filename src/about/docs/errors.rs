//! `docs/errors.md` as it was when this program was built: a heading a code, then paragraphs.

/// One code.
#[derive(Debug)]
pub struct Explained {
    pub code: String,
    /// Each in parts; every second part is code.
    pub paragraphs: Vec<Vec<(bool, String)>>,
}

const TEXT: &str = include_str!("../../../docs/errors.md");

/// What stands before the first code, and all codes.
pub fn all() -> (Vec<String>, Vec<Explained>) {
    let mut sections = TEXT.split("\n## ");
    let intro = sections.next().unwrap_or_default();
    let intro = intro.split("\n\n").skip(1).map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let explained = |section: &str| {
        let (code, text) = section.split_once('\n').unwrap_or((section, ""));
        let paragraphs = text.split("\n\n").map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
        let parts = |p: String| p.split('`').enumerate().map(|(i, part)| (i % 2 == 1, part.to_owned())).collect();
        Explained {
            code: code.trim().to_owned(),
            paragraphs: paragraphs.filter(|p| !p.is_empty()).map(parts).collect(),
        }
    };
    (intro, sections.map(explained).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_code_has_its_words() {
        let (intro, all) = super::all();
        assert!(!intro.is_empty() && all.len() > 100);
        assert!(all.iter().all(|one| !one.code.contains(' ') && !one.paragraphs.is_empty()));
    }
}
