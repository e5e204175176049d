//! A home's stacks, read once for everybody and kept for as long as no file that was read for them has changed: a page of a large home is not made by reading
//! the home anew.
//!
//! Nothing is taken for unchanged on a guess. What reading asked the disk for is written down with what it answered, and asked again before what was made of
//! it is given out. A file changed so shortly before it was read that its times might not tell the next change is read again.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Home, Read, Refused};
use crate::compose::tree::Node;
use crate::compose::{FileError, Files};
use crate::stacks::Disk;

/// Within so long two changes of a file may bear the same time: the kernel's clock for files moves in steps of up to 10 ms.
const STEP: Duration = Duration::from_millis(50);

/// A home and its stacks as they stand.
pub struct Known {
    pub home: Home,
    pub read: Read,
    /// Of a stack's text, by its name, where somebody has asked for it.
    trees: Mutex<BTreeMap<String, Option<Arc<Node>>>>,
}

impl Known {
    /// The text of a stack.
    pub fn text(&self, stack: &str) -> Option<&str> {
        let stack = self.read.spec.stacks.iter().find(|one| one.name == stack)?;
        Some(&self.read.sources.get(self.read.sources.find(&stack.path)?).text)
    }

    /// What `parse` makes of the text of a stack; once.
    pub fn tree(&self, stack: &str, parse: impl FnOnce(&str) -> Option<Node>) -> Option<Arc<Node>> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trees.get(stack) {
            return known.clone();
        }
        let tree = self.text(stack).and_then(parse).map(Arc::new);
        trees.insert(stack.to_owned(), tree.clone());
        tree
    }
}

/// The home of a folder, with what was read of it last.
pub struct Readings {
    dir: PathBuf,
    last: Mutex<Option<Last>>,
}

/// What came of reading last.
struct Last {
    /// Counts what differs.
    number: u64,
    trail: Trail,
    /// `None`: it was refused.
    known: Option<Arc<Known>>,
}

impl Readings {
    /// `dir`: absolute.
    pub fn new(dir: PathBuf) -> Readings {
        Readings { dir, last: Mutex::default() }
    }

    /// The home as it is now. Reads files where one has changed, so it belongs on a thread where that may take its time. What is refused is not kept.
    pub fn now(&self) -> Result<Arc<Known>, Refused> {
        // Held while reading: whoever comes meanwhile needs the same.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref().filter(|last| last.trail.holds()).and_then(|last| last.known.clone()) {
            Some(known) => Ok(known),
            None => self.read(&mut last),
        }
    }

    /// Another number for each time that reading finds, or refuses, something else. Reads files where one has changed.
    pub fn number(&self) -> u64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| !last.trail.holds()) {
            // What is refused is told to whoever asks for the home.
            let _ = self.read(&mut last);
        }
        last.as_ref().map_or(0, |last| last.number)
    }

    fn read(&self, last: &mut Option<Last>) -> Result<Arc<Known>, Refused> {
        // Two of them at once would be twice the memory.
        let before = last.take().map(|last| (last.number, last.known.is_none() && last.trail.holds()));
        let (trail, read) = read(&self.dir);
        let read = read.map(Arc::new);
        let number = match before {
            // The same mistake as before.
            Some((number, true)) if read.is_err() => number,
            Some((number, _)) => number + 1,
            None => 1,
        };
        *last = Some(Last { number, trail, known: read.as_ref().ok().cloned() });
        read
    }

    /// As [`Readings::now`], on a thread of its own.
    pub async fn later(self: Arc<Self>) -> Result<Arc<Known>, Refused> {
        let read = tokio::task::spawn_blocking(move || self.now()).await;
        read.unwrap_or_else(|_| Err(crate::stacks::works::panicked().into()))
    }
}

fn read(dir: &Path) -> (Trail, Result<Known, Refused>) {
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with the times that the kernel writes to files: its clock is meant"
    )]
    let since = SystemTime::now();
    let there = (dir.to_path_buf(), Asked::Link, Print::of(dir, Asked::Link));
    let disk = match Disk::beneath(dir) {
        Ok(disk) => disk,
        Err(e) => return (Trail { since, steps: vec![there] }, Err(super::unreadable(dir, &e))),
    };
    let files = Followed { disk: &disk, steps: Mutex::new(vec![there]) };
    let read = of(dir, &files);
    let steps = files.steps.into_inner().unwrap_or_else(PoisonError::into_inner);
    (Trail { since, steps }, read)
}

fn of(dir: &Path, files: &Followed<'_>) -> Result<Known, Refused> {
    let home = Home::open_from(dir.to_path_buf(), files)?;
    // Which stacks there are.
    files.note(&dir.join(super::STACKS), Asked::Whole);
    let read = home.read_from(files, None)?;
    Ok(Known { home, read, trees: Mutex::default() })
}

/// What was asked of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Whole,
    Kind,
    Link,
}

/// What a path answers, as far as somebody asked.
#[derive(Debug, PartialEq, Eq)]
enum Print {
    Nothing,
    /// Device, inode, length, when its content changed and when anything of it did.
    Whole(u64, u64, u64, (i64, i64), (i64, i64)),
    Kind(std::fs::FileType),
    Link(PathBuf),
}

impl Print {
    fn of(path: &Path, asked: Asked) -> Print {
        let found = match asked {
            Asked::Whole => std::fs::metadata(path).map(|m| {
                Print::Whole(m.dev(), m.ino(), m.len(), (m.mtime(), m.mtime_nsec()), (m.ctime(), m.ctime_nsec()))
            }),
            Asked::Kind => std::fs::metadata(path).map(|m| Print::Kind(m.file_type())),
            Asked::Link => std::fs::canonicalize(path).map(Print::Link),
        };
        found.unwrap_or(Print::Nothing)
    }

    /// Whether the next change would show.
    fn is_settled(&self, since: SystemTime) -> bool {
        let Print::Whole(.., changed) = self else { return true };
        let at =
            SystemTime::UNIX_EPOCH + Duration::new(changed.0.max(0) as u64, changed.1.clamp(0, 999_999_999) as u32);
        since.duration_since(at).is_ok_and(|before| before > STEP)
    }
}

struct Trail {
    since: SystemTime,
    /// In their order; a path that was asked for twice stands here twice, since it may have changed in between.
    steps: Vec<(PathBuf, Asked, Print)>,
}

impl Trail {
    fn holds(&self) -> bool {
        let is_same = |(path, asked, print): &(PathBuf, Asked, Print)| {
            print.is_settled(self.since) && Print::of(path, *asked) == *print
        };
        self.steps.iter().all(is_same)
    }
}

/// The disk, and what was asked of it: noted before it answers, so that a change meanwhile is found later.
struct Followed<'d> {
    disk: &'d Disk,
    steps: Mutex<Vec<(PathBuf, Asked, Print)>>,
}

impl Followed<'_> {
    fn note(&self, path: &Path, asked: Asked) {
        let print = Print::of(path, asked);
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_path_buf(), asked, print));
    }
}

impl Files for Followed<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        self.note(path, Asked::Whole);
        self.disk.read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.note(path, Asked::Kind);
        self.disk.is_file(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.note(path, Asked::Kind);
        self.disk.is_dir(path)
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.note(path, Asked::Link);
        self.disk.canonical(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch {
        dir: tempfile::TempDir,
        readings: Readings,
    }

    impl Scratch {
        fn new() -> Scratch {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(dir.path().join("stacks/parts")).unwrap();
            let readings = Readings::new(dir.path().to_path_buf());
            let scratch = Scratch { dir, readings };
            scratch.write("hearth.yaml", "name: casa\n");
            scratch.write("stacks/web.yaml", "services:\n  web: {image: a}\n");
            scratch
        }

        fn write(&self, path: &str, text: &str) {
            std::fs::write(self.dir.path().join(path), text).unwrap();
        }

        fn settle(&self) {
            std::thread::sleep(STEP + Duration::from_millis(30));
        }

        fn image(&self, service: &str) -> Option<String> {
            let known = self.readings.now().unwrap_or_else(|refused| panic!("{:?}", refused.diagnostics));
            known.read.spec.services.get(service)?.node.get("image")?.scalar_text()
        }
    }

    #[test]
    fn what_was_read_is_given_out_again_until_a_file_of_it_changes() {
        let s = Scratch::new();
        s.settle();
        let first = s.readings.now().unwrap();
        assert!(Arc::ptr_eq(&first, &s.readings.now().unwrap()), "nothing has changed");
        s.write("stacks/web.yaml", "services:\n  web: {image: b}\n");
        assert_eq!(s.image("web").as_deref(), Some("b"), "as long as before, and read at once");
        s.write("stacks/other.yaml", "services:\n  other: {image: c}\n");
        assert_eq!(s.image("other").as_deref(), Some("c"), "a new one is found");
        std::fs::remove_file(s.dir.path().join("stacks/other.yaml")).unwrap();
        assert_eq!(s.image("other"), None);
        s.write("hearth.yaml", "name: casa\nprofiles: [media]\n");
        assert_eq!(s.readings.now().unwrap().home.config.profiles, ["media"]);
    }

    #[test]
    fn a_change_right_after_a_change_is_seen() {
        let s = Scratch::new();
        for n in 0..50 {
            let image = format!("image-{n:02}");
            s.write("stacks/web.yaml", &format!("services:\n  web: {{image: {image}}}\n"));
            assert_eq!(s.image("web"), Some(image));
        }
    }

    #[test]
    fn a_change_of_a_file_that_a_stack_includes_is_seen() {
        let s = Scratch::new();
        s.write("stacks/web.yaml", "include: [stacks/parts/db.yaml]\nservices:\n  web: {image: a}\n");
        s.write("stacks/parts/db.yaml", "services:\n  db: {image: a}\n");
        s.settle();
        let first = s.readings.now().unwrap();
        assert!(Arc::ptr_eq(&first, &s.readings.now().unwrap()));
        s.write("stacks/parts/db.yaml", "services:\n  db: {image: b}\n");
        assert_eq!(s.image("db").as_deref(), Some("b"));
    }

    #[test]
    fn the_number_tells_each_change_and_nothing_else() {
        let s = Scratch::new();
        s.write("stacks/web.yaml", "include: [stacks/parts/db.yaml]\nservices:\n  web: {image: a}\n");
        s.write("stacks/parts/db.yaml", "services:\n  db: {image: a}\n");
        let mut before = 0;
        let mut is_another = |why: &str| {
            s.settle();
            let now = s.readings.number();
            assert_ne!(now, before, "{why}");
            before = now;
            let _ = s.readings.now();
            assert_eq!((s.readings.number(), s.readings.number()), (now, now), "{why}: nothing has changed since");
        };
        is_another("first");
        s.write("stacks/parts/db.yaml", "services:\n  db: {image: b}\n");
        is_another("an included file");
        s.write("stacks/web.yaml", "services: [\n");
        is_another("a mistake");
        s.write("stacks/web.yaml", "services: {\n");
        is_another("another mistake");
        s.write("hearth.yaml", "name: [\n");
        is_another("a mistake in hearth.yaml");
        s.write("hearth.yaml", "name: casa\n");
        s.write("stacks/web.yaml", "services:\n  web: {image: a}\n");
        is_another("mended");
        let away = s.dir.path().with_extension("away");
        std::fs::rename(s.dir.path(), &away).unwrap();
        is_another("the folder is away");
        std::fs::rename(&away, s.dir.path()).unwrap();
        is_another("and back");
    }

    #[test]
    fn a_file_that_was_missing_is_read_when_it_is_there() {
        let s = Scratch::new();
        s.write("stacks/web.yaml", "services:\n  web: {image: a, env_file: [{path: web.env, required: false}]}\n");
        s.settle();
        s.readings.now().unwrap();
        // Changes nothing that is read of the home otherwise.
        s.write("stacks/parts/none.env", "A=1\n");
        let first = s.readings.now().unwrap();
        assert!(Arc::ptr_eq(&first, &s.readings.now().unwrap()));
        s.write("stacks/web.yaml", "services: [\n");
        assert!(s.readings.now().is_err() && s.readings.now().is_err(), "a mistake is told each time");
        s.write("stacks/web.yaml", "services:\n  web: {image: c}\n");
        assert_eq!(s.image("web").as_deref(), Some("c"));
    }

    #[test]
    fn a_tree_is_made_once_of_the_text_that_was_read() {
        let s = Scratch::new();
        s.settle();
        let known = s.readings.now().unwrap();
        let mut made = 0;
        for _ in 0..2 {
            let tree = known.tree("web", |text| {
                made += 1;
                assert!(text.contains("image: a"));
                Some(Node::map(crate::diag::Span { file: crate::diag::FileId(0), line: 1, column: 1, width: 1 }))
            });
            assert!(tree.is_some());
        }
        assert_eq!((made, known.text("nope"), known.tree("nope", |_| None).is_none()), (1, None, true));
    }
}
