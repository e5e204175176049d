//! The style sheet that all pages share, to be put whole into a page, and how a Content-Security-Policy names what stands in one.

use std::sync::OnceLock;

use base64::Engine;
use sha2::{Digest, Sha256};

/// `static/style.css`. A page writes it between `<style>` and `</style>` as it is, without a blank more: its hash is what
/// the browser compares.
pub const STYLE: &str = include_str!("../../static/style.css");

/// `STYLE` as a source of `style-src`: `'sha256-...'`. So no page needs `'unsafe-inline'`.
pub fn style_source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| source(STYLE))
}

/// The text of an element, style or script, as a source: `'sha256-...'`.
pub fn source(text: &str) -> String {
    format!("'sha256-{}'", base64::prelude::BASE64_STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_can_stand_in_any_page() {
        assert!(!STYLE.contains("</"), "it would end the element that it stands in");
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"), "a page needs nothing but itself");
        let source = style_source();
        assert!(source.starts_with("'sha256-") && source.ends_with("='") && source.len() == 53, "{source}");
    }
}
