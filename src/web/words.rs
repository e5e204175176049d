//! Words on a page that are more than letters: of a diagnostic, or from a language's file.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;

use crate::base::clock::Unit;
use crate::base::wording;

/// A sentence; what stands between two backticks in it is shown as code, and nothing of it is ever markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    /// What stands between `**` is strong: in our own words only, others have such in patterns.
    strong: bool,
}

impl Words {
    /// With a capital letter, as a sentence of a page begins.
    pub fn sentence(text: &str) -> Words {
        Words { text: wording::sentence(text), strong: false }
    }

    /// From a language's file, where `**` is around what is strong.
    pub fn marked(text: impl Into<String>) -> Words {
        Words { text: text.into(), strong: true }
    }

    /// The first part of a text that is shown as something: what stands before it, the element, the part, and what stands after it.
    fn next<'a>(&self, text: &'a str) -> Option<(&'a str, &'static str, &'a str, &'a str)> {
        let code = between(text, "`").map(|(before, inside, after)| (before, "code", inside, after));
        let strong = between(text, "**").filter(|_| self.strong);
        let strong = strong.map(|(before, inside, after)| (before, "strong", inside, after));
        code.into_iter().chain(strong).min_by_key(|(before, ..)| before.len())
    }
}

/// What of a diagnostic's hints is for who reads a page, as sentences. What a program does, and what somebody does at the machine's own terminal in their
/// place, is told to programs and at the terminal.
pub fn for_people(hints: &[String]) -> Vec<Words> {
    let others = ["a program", "at the terminal"];
    let theirs = hints.iter().filter(|hint| !others.iter().any(|other| hint.starts_with(other)));
    theirs.map(|hint| Words::sentence(hint)).collect()
}

/// The name of the words for so many of a unit ago, which are given as `count`.
pub fn ago(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "panel-seconds-ago",
        Unit::Minute => "panel-minutes-ago",
        Unit::Hour => "panel-hours-ago",
        Unit::Day => "panel-days-ago",
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Words {
        Words { text: text.to_owned(), strong: false }
    }
}

impl HtmlSafe for Words {}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.text.as_str();
        while let Some((before, element, inside, after)) = self.next(rest) {
            escaped(f, before)?;
            write!(f, "<{element}>")?;
            escaped(f, inside)?;
            write!(f, "</{element}>")?;
            rest = after;
        }
        escaped(f, rest)
    }
}

/// What stands first between two of these marks, with what stands before and after it. A mark alone is text.
fn between<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = text.split_once(mark)?;
    let (inside, after) = rest.split_once(mark).filter(|(inside, _)| !inside.is_empty())?;
    Some((before, inside, after))
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
    fn what_is_strong_is_so_in_our_own_words_only() {
        let text = "tap **Install**, then `a**b` & **CA**; ** alone";
        let marked = "tap <strong>Install</strong>, then <code>a**b</code> &amp; <strong>CA</strong>; ** alone";
        assert_eq!(Words::marked(text).to_string(), marked);
        assert_eq!(Words::from("no `src/**`: **/x and **/y").to_string(), "no <code>src/**</code>: **/x and **/y");
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
