//! What a stack's file said before, by whom and why: commits of the home's git repository, or where there is none copies in `state/versions/`.

mod git;
mod kept;

use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::home::{Home, STACKS};
use crate::diag::Diagnostic;

/// Characters of a message that are kept.
const LONGEST: usize = 2000;

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub id: String,
    /// RFC 3339.
    pub at: String,
    /// Empty where nobody knows: it stood there before the first that was saved here.
    pub who: String,
    pub message: String,
}

/// Who saves, as a commit names them.
#[derive(Debug, Clone)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// One save: `before` is what stood there, `now` what stands there, `None` where there is no file.
#[derive(Debug)]
pub struct Change<'t> {
    pub before: Option<&'t str>,
    pub now: Option<&'t str>,
    pub author: &'t Author,
    pub message: &'t str,
    pub at: OffsetDateTime,
}

/// Where versions of a home's stacks are.
pub enum Book {
    Git(git::Repository),
    Kept(kept::Folder),
}

impl Book {
    pub async fn of(home: &Home) -> Book {
        match git::Repository::of(&home.dir).await {
            Some(repository) => Book::Git(repository),
            None => Book::Kept(kept::Folder::of(home)),
        }
    }

    /// Versions are commits.
    pub fn is_git(&self) -> bool {
        matches!(self, Book::Git(_))
    }

    /// Keeps what a stack has become, and gives the version's id; `None` where it is the one that was kept last. An error is why it was not kept.
    pub async fn record(&self, path: &Path, change: Change<'_>) -> Result<Option<String>, Diagnostic> {
        match self {
            Book::Git(repository) => repository.commit(path, &change).await,
            Book::Kept(folder) => folder.keep(path, &change),
        }
    }

    /// Versions of a stack, newest first, at most that many.
    pub async fn list(&self, name: &str, most: usize) -> Result<Vec<Version>, Diagnostic> {
        match self {
            Book::Git(repository) => repository.log(&paths(name), most).await,
            Book::Kept(folder) => folder.list(name, most),
        }
    }

    /// The text of a version; `Some(None)` where it took the file away, `None` where there is no such version.
    pub async fn text(&self, name: &str, id: &str) -> Result<Option<Option<String>>, Diagnostic> {
        match self {
            Book::Git(repository) => repository.text(&paths(name), id).await,
            Book::Kept(folder) => folder.text(name, id),
        }
    }
}

/// Where a stack's file may be, below the home.
fn paths(name: &str) -> [String; 2] {
    ["yaml", "yml"].map(|ending| format!("{STACKS}/{name}.{ending}"))
}

/// A message as it is kept: lines of text, without what acts on a terminal. `without`: where nothing is left.
pub fn message(text: &str, without: &str) -> String {
    let plain: String = text.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || !unfit(*c)).take(LONGEST).collect();
    let plain = plain.trim();
    if plain.is_empty() { without.to_owned() } else { plain.to_owned() }
}

fn unfit(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_22_a_message_is_lines_of_text() {
        assert_eq!(message(" one\r\n\ntwo\u{1b}[31m\u{0}\u{202e} ", ""), "one\n\ntwo[31m");
        assert_eq!(message("\n \u{7}", "media: changed"), "media: changed");
        assert_eq!(message(&"é".repeat(5000), "").chars().count(), LONGEST);
    }
}
