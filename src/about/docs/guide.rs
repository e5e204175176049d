//! The guide as it was when this program was built, at `/docs/guide`.

use super::markdown::{Markup, markup};

macro_rules! pages {
    ($($name:literal)*) => {
        /// Each page by its name, in the order in which somebody may want to read them.
        const PAGES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../docs/guide/", $name, ".md")))),*];
    };
}

pages! {
    "first-hour" "getting-started" "homes" "stacks" "profiles" "plan-and-apply" "adopting" "prune" "leaving-hearth" "serve" "panel" "people" "login" "audit" "api" "routes" "gate" "traefik-labels"
    "certificates" "local-ca" "tls" "hearth-yaml" "container" "database" "doctor" "compare" "troubleshooting"
}

/// The page of that name.
pub fn page(name: &str) -> Option<Markup> {
    let (_, text) = PAGES.iter().find(|(known, _)| *known == name)?;
    Some(markup(text, |link| leads(link, "")))
}

/// Name and title of each.
pub fn list() -> Vec<(&'static str, String)> {
    let title = |text: &str| text.lines().next().unwrap_or_default().trim_start_matches('#').trim().replace('`', "");
    PAGES.iter().map(|(name, text)| (*name, title(text))).collect()
}

/// Where a link of a document leads on the panel. `folder`: where pages of the guide are, as the document says it.
pub(super) fn leads(link: &str, folder: &str) -> Option<String> {
    if link.starts_with('#') || link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, format!("#{anchor}")),
        None => (link, String::new()),
    };
    if file.ends_with("errors.md") {
        return Some(format!("/docs/errors{anchor}"));
    }
    let name = file.strip_prefix(folder)?.strip_suffix(".md")?;
    PAGES.iter().any(|(known, _)| *known == name).then(|| format!("/docs/guide/{name}{anchor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_of_the_guide_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files = files.filter(|file| file != "pictures");
        let mut files: Vec<String> = files.map(|file| file.trim_end_matches(".md").to_owned()).collect();
        let mut served: Vec<String> = list().iter().map(|(name, _)| (*name).to_owned()).collect();
        files.sort();
        served.sort();
        assert_eq!(files, served);
        assert!(list().iter().all(|(_, title)| !title.is_empty() && !title.contains(['#', '`'])));
    }

    #[test]
    fn links_between_documents_lead_to_their_pages() {
        for (link, folder, to) in [
            ("audit.md#whether-it-is-whole", "", Some("/docs/guide/audit#whether-it-is-whole")),
            ("guide/audit.md", "guide/", Some("/docs/guide/audit")),
            ("../errors.md#web.busy", "", Some("/docs/errors#web.busy")),
            ("#here", "", Some("#here")),
            ("https://example.org/", "", Some("https://example.org/")),
            ("../testing.md", "", None),
            ("http://example.org/", "", None),
            ("javascript:x", "", None),
        ] {
            assert_eq!(leads(link, folder).as_deref(), to, "{link}");
        }
    }
}
