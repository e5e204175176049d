//! What is rendered of a home, on its disk: what differs, and written where it is Hearth's to write.

use std::path::{Path, PathBuf};

use super::{Home, Read};
use crate::compose::{FileError, Files};
use crate::diag::{Diagnostic, Kind};
use crate::spec;
use crate::stacks::Disk;

impl Home {
    /// The rendered files that differ from the disk, relative to the home, and whether each is there at all.
    pub fn differing(&self, read: &Read) -> Vec<(PathBuf, bool)> {
        let all = read.rendered.files.iter().map(|(path, text)| (path, text, self.on_disk(path)));
        all.filter(|(_, text, old)| old.as_deref() != Ok(text.as_bytes()))
            .map(|(path, _, old)| (path.clone(), old != Err(FileError::NotFound)))
            .collect()
    }

    /// A file of the home, in bounded time and size, and nothing that a link shows from elsewhere.
    fn on_disk(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        Disk::beneath(&self.dir).and_then(|disk| disk.read(&self.dir.join(path)))
    }

    /// Writes what differs, each file atomically, the root last. Gives what was written.
    pub fn write_rendered(&self, read: &Read) -> Result<Vec<PathBuf>, Diagnostic> {
        self.refuse_foreign_files(read)?;
        let mut differing: Vec<PathBuf> = self.differing(read).into_iter().map(|(path, _)| path).collect();
        differing.sort_by_key(|path| path == Path::new(spec::ROOT));
        let folder = self.folder()?;
        for path in &differing {
            folder.write(path, &read.rendered.files[path], 0o644)?;
        }
        Ok(differing)
    }

    /// Refuses to render where that would overwrite what is not Hearth's.
    pub fn refuse_foreign_files(&self, read: &Read) -> Result<(), Diagnostic> {
        self.differing(read).iter().try_for_each(|(path, _)| self.refuse_foreign(path))
    }

    /// A file under a rendered name that Hearth did not write is somebody's work, and what a link shows from elsewhere is not
    /// the home's.
    fn refuse_foreign(&self, path: &Path) -> Result<(), Diagnostic> {
        let whole = self.dir.join(path);
        let why = match self.on_disk(path) {
            Err(FileError::NotFound) => return Ok(()),
            Ok(bytes) if bytes.trim_ascii().is_empty() || bytes.starts_with(spec::HEADER.as_bytes()) => return Ok(()),
            Ok(_) => "was not written by Hearth".to_string(),
            Err(FileError::Outside) => "leads out of the home by a link".to_string(),
            Err(FileError::Other(why)) => format!("cannot be read ({why})"),
        };
        let title = format!("{} {why}, so it is not overwritten", whole.display());
        let d = Diagnostic::error("home.foreign-file", title).kind(Kind::Conflict);
        Err(d.hint("move it to stacks/ under a name of its own, or delete it, and run this again"))
    }
}
