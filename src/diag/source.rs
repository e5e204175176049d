//! The texts that diagnostics point into.

use std::path::{Path, PathBuf};

/// Which text of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place in a text: line and column counted from 1 in characters, and how many characters it covers on that line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: FileId,
    pub line: u32,
    pub column: u32,
    pub width: u32,
}

/// One text that was read, under the name a person knows it by.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
    /// Where each line begins: a lint asks for a line per value, and counting from the top each time made loading quadratic.
    starts: Vec<usize>,
}

impl Source {
    fn new(path: PathBuf, text: String) -> Source {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i + 1);
        let starts = std::iter::once(0).chain(after_breaks).collect();
        Source { path, text, starts }
    }

    /// A line by its number from 1, without its line break; empty beyond the end.
    fn line(&self, number: u32) -> &str {
        let start = self.starts.get(number.saturating_sub(1) as usize);
        start.and_then(|start| self.text[*start..].lines().next()).unwrap_or("")
    }
}

/// All texts read during one command, so that any later stage can print lines with a caret.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
    bytes: usize,
}

impl Sources {
    /// How large all texts are together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// Keeps a text and gives its id.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        let source = Source::new(path.into(), text.into());
        self.bytes += source.text.len();
        self.files.push(source);
        FileId(self.files.len() as u32 - 1)
    }
    pub fn get(&self, id: FileId) -> &Source {
        &self.files[id.0 as usize]
    }
    /// The first text that was read under this path.
    pub fn find(&self, path: &Path) -> Option<FileId> {
        self.files.iter().position(|f| f.path == path).map(|i| FileId(i as u32))
    }
    pub fn ids(&self) -> impl Iterator<Item = FileId> {
        (0..self.files.len() as u32).map(FileId)
    }
    pub fn path(&self, id: FileId) -> &Path {
        &self.get(id).path
    }
    /// The line a span stands on, without its line break.
    pub fn line(&self, span: Span) -> &str {
        self.get(span.file).line(span.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_number_whatever_ends_it() {
        let mut sources = Sources::default();
        let file = sources.add("a", "one\r\ntwo\n\nfour");
        let line = |line| sources.line(Span { file, line, column: 1, width: 1 });
        assert_eq!([line(0), line(1), line(2), line(3), line(4), line(5)], ["one", "one", "two", "", "four", ""]);
    }
}
