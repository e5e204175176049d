//! Words of a diagnostic on a page.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;

use crate::base::wording;

/// A sentence; what stands between two backticks in it is shown as code, and nothing of it is ever markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// With a capital letter, as a sentence of a page begins.
    pub fn sentence(text: &str) -> Words {
        Words(wording::sentence(text))
    }
}

/// What of a diagnostic's hints is for who reads a page, as sentences. What a program does, and what somebody does at the machine's own terminal in their
/// place, is told to programs and at the terminal.
pub fn for_people(hints: &[String]) -> Vec<Words> {
    let others = ["a program", "at the terminal"];
    let theirs = hints.iter().filter(|hint| !others.iter().any(|other| hint.starts_with(other)));
    theirs.map(|hint| Words::sentence(hint)).collect()
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words(text.to_owned())
    }
}

impl HtmlSafe for Words {}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_str();
        while let Some((before, code, after)) = next_code(rest) {
            escaped(f, before)?;
            f.write_str("<code>")?;
            escaped(f, code)?;
            f.write_str("</code>")?;
            rest = after;
        }
        escaped(f, rest)
    }
}

/// The first code of a text, with what stands before and after it. A backtick alone is a backtick.
fn next_code(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`').filter(|(code, _)| !code.is_empty())?;
    Some((before, code, after))
}

fn escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for c in text.chars() {
        match c {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' => f.write_str("&quot;")?,
            '\'' => f.write_str("&#39;")?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_in_backticks_is_code_and_nothing_is_markup() {
        for (text, shown) in [
            ("`admin` is taken: try `admin2`", "<code>admin</code> is taken: try <code>admin2</code>"),
            ("a `<b>` & \"c\" 'd'", "a <code>&lt;b&gt;</code> &amp; &quot;c&quot; &#39;d&#39;"),
            ("one ` alone, and `` two", "one <code> alone, and </code>` two"),
            ("one ` alone", "one ` alone"),
            ("", ""),
        ] {
            assert_eq!(Words::from(text).to_string(), shown, "{text}");
        }
        assert_eq!(Words::sentence("no `x`").to_string(), "No <code>x</code>");
    }

    #[test]
    fn a_page_does_not_tell_people_what_programs_do() {
        let hints = ["ask an admin", "a program sends a token", "at the terminal: `hearth users`"].map(str::to_owned);
        assert_eq!(for_people(&hints), [Words::from("Ask an admin")]);
    }

    proptest! {
        #[test]
        fn no_word_becomes_markup_on_a_page(text in "[`<>&\"'a-z/ ]{0,40}") {
            let shown = Words::from(text.as_str()).to_string();
            let plain = shown.replace("<code>", "").replace("</code>", "");
            prop_assert!(!plain.contains(['<', '>', '"', '\'']), "{}", shown);
            prop_assert_eq!(shown.matches("<code>").count(), shown.matches("</code>").count());
        }
    }
}
