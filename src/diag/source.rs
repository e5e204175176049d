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
}

/// All texts read during one command, so that any later stage can print lines with a caret.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Keeps a text and gives its id.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        self.files.push(Source { path: path.into(), text: text.into() });
        FileId(self.files.len() as u32 - 1)
    }
    pub fn get(&self, id: FileId) -> &Source {
        &self.files[id.0 as usize]
    }
    pub fn path(&self, id: FileId) -> &Path {
        &self.get(id).path
    }
    /// The line a span stands on, without its line break.
    pub fn line(&self, span: Span) -> &str {
        self.get(span.file).text.lines().nth(span.line.saturating_sub(1) as usize).unwrap_or("")
    }
}
