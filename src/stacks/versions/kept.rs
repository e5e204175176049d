//! Versions of stacks in a home that is no git repository: `state/versions/<stack>/<number>.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Change, Version};
use crate::base::clock::rfc3339;
use crate::base::files;
use crate::diag::Diagnostic;
use crate::stacks::home::Home;
use crate::stacks::home::write::Beneath;

const FOLDER: &str = "state/versions";
/// Of one stack. The oldest goes first.
const MOST: usize = 200;

#[derive(Serialize, Deserialize)]
struct Entry {
    at: String,
    who: String,
    message: String,
    /// None: the file was taken away.
    text: Option<String>,
}

pub struct Folder {
    home: PathBuf,
}

impl Folder {
    pub fn of(home: &Home) -> Folder {
        Folder { home: home.dir.clone() }
    }

    pub fn keep(&self, path: &Path, change: &Change<'_>) -> Result<Option<String>, Diagnostic> {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let mut numbers = self.numbers(name);
        let last = numbers.last().and_then(|number| self.entry(name, *number)).and_then(|entry| entry.text);
        let entry = |who: &str, message: &str, at: OffsetDateTime, text: Option<&str>| Entry {
            at: rfc3339(at),
            who: who.to_owned(),
            message: message.to_owned(),
            text: text.map(str::to_owned),
        };
        let mut new = Vec::new();
        // What stood there without having been saved here would else be lost.
        if change.before.is_some() && change.before != last.as_deref() {
            let changed = std::fs::metadata(self.home.join(path)).and_then(|there| there.modified());
            new.push(entry("", "", changed.map_or(change.at, OffsetDateTime::from).min(change.at), change.before));
        }
        if change.now == change.before {
            return Ok(None);
        }
        new.push(entry(&change.author.name, change.message, change.at, change.now));
        let home = Beneath::open(&self.home)?;
        for entry in new {
            let number = numbers.last().map_or(1, |last| last + 1);
            let text = serde_json::to_string(&entry).unwrap_or_default();
            home.create(&self.file(name, number), &text, 0o600)?;
            numbers.push(number);
        }
        for number in numbers.iter().rev().skip(MOST) {
            home.remove(&self.file(name, *number))?;
        }
        Ok(numbers.last().map(u64::to_string))
    }

    pub fn list(&self, name: &str, most: usize) -> Result<Vec<Version>, Diagnostic> {
        let one = |number: u64| {
            let Entry { at, who, message, .. } = self.entry(name, number)?;
            Some(Version { id: number.to_string(), at, who, message })
        };
        Ok(self.numbers(name).into_iter().rev().take(most).filter_map(one).collect())
    }

    pub fn text(&self, name: &str, id: &str) -> Result<Option<Option<String>>, Diagnostic> {
        let number = id.parse().ok().filter(|number: &u64| number.to_string() == id);
        Ok(number.and_then(|number| self.entry(name, number)).map(|entry| entry.text))
    }

    fn file(&self, name: &str, number: u64) -> PathBuf {
        Path::new(FOLDER).join(name).join(format!("{number:06}.json"))
    }

    fn entry(&self, name: &str, number: u64) -> Option<Entry> {
        serde_json::from_str(&files::read_text(&self.home.join(self.file(name, number))).ok()?).ok()
    }

    /// In order.
    fn numbers(&self, name: &str) -> Vec<u64> {
        let there = std::fs::read_dir(self.home.join(FOLDER).join(name)).into_iter().flatten().flatten();
        let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = there.filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::super::Author;
    use super::*;

    #[test]
    fn what_stood_there_before_the_first_save_is_kept_too() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder { home: dir.path().to_path_buf() };
        let author = Author { name: "ada".into(), email: String::new() };
        let path = Path::new("stacks/media.yml");
        let at = OffsetDateTime::UNIX_EPOCH;
        let save =
            |before, now| folder.keep(path, &Change { before, now, author: &author, message: "why", at }).unwrap();
        assert_eq!(save(Some("a"), Some("b")).as_deref(), Some("2"));
        assert_eq!(save(Some("b"), Some("b")), None);
        assert_eq!(save(Some("b"), Some("c")).as_deref(), Some("3"));
        // By hand in between.
        assert_eq!(save(Some("d"), None).as_deref(), Some("5"));
        let all = folder.list("media", 10).unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.who.as_str())).collect();
        assert_eq!(told, [("5", "ada"), ("4", ""), ("3", "ada"), ("2", "ada"), ("1", "")]);
        let text = |id| folder.text("media", id).unwrap();
        assert_eq!(text("1"), Some(Some("a".into())));
        assert_eq!(text("4"), Some(Some("d".into())));
        assert_eq!(text("5"), Some(None));
        for id in ["6", "0", "01", "../1", ""] {
            assert_eq!(text(id), None, "{id}");
        }
        for n in 0..MOST + 20 {
            let text = n.to_string();
            let change = Change { before: None, now: Some(&text), author: &author, message: "", at };
            folder.keep(path, &change).unwrap();
        }
        assert_eq!(folder.list("media", 1000).unwrap().len(), MOST);
    }
}
