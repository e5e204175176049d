//! One form for a password, however a keyboard sends it: a Mac may send an umlaut as two characters where Linux sends one, and both look the same.
//!
//! RFC 8265, section 4.2 (OpaqueString): blanks of other kinds are the common one, then Unicode's form NFC; upper and lower case stay two things.

use unicode_normalization::UnicodeNormalization;

use crate::base::secret::Secret;

/// As it is kept and judged.
pub fn of(password: &str) -> String {
    password.chars().map(|c| if c != ' ' && is_blank(c) { ' ' } else { c }).nfc().collect()
}

pub fn kept(password: &Secret) -> Secret {
    Secret::new(of(password.expose()))
}

/// What may have been hashed of it: the form of today first, then those that were sent before there was one. One where all are the same.
pub fn all(password: &Secret) -> Vec<Secret> {
    let said = password.expose();
    let forms = [of(said), said.to_owned(), said.nfc().collect(), said.nfd().collect()];
    let mut all: Vec<Secret> = Vec::with_capacity(1);
    for form in forms.map(Secret::new) {
        if !all.contains(&form) {
            all.push(form);
        }
    }
    all
}

/// Unicode's category Zs: blanks of some width. Line ends and tabs are none.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same_and_ascii_stays_as_it_is() {
        let plain = Secret::new("Four words\ton paper!");
        assert_eq!(all(&plain).len(), 1);
        assert_eq!(kept(&plain), plain);
        assert_eq!(of("o\u{308}\u{a0}\u{3000}"), "\u{f6}  ");
        assert_ne!(of("A"), of("a"));
        // A compatible form is another character: NFC, not NFKC.
        assert_ne!(of("\u{ff21}"), of("A"));
    }
}
