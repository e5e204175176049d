//! The tar of a build context, made while it is sent: nothing of it is held in memory.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::ignore::Ignore;

/// What goes into the tar.
#[derive(Debug, Default)]
pub struct Context {
    /// The directory, where there is one.
    pub root: Option<PathBuf>,
    pub ignore: Ignore,
    /// Texts laid over the directory's own: a Dockerfile from elsewhere, and a `.dockerignore` that names it.
    pub extra: BTreeMap<String, Vec<u8>>,
    /// Programs and libraries from elsewhere, by their names in the tar.
    pub programs: BTreeMap<String, PathBuf>,
}

/// Chunks of the tar. A failure to read is the last item, with the path in its words.
pub fn stream(context: Context) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let pipe = Pipe { sender: sender.clone(), buffer: Vec::with_capacity(CHUNK) };
        if let Err(error) = write(&context, pipe) {
            // Nobody listens any more when the engine has ended the build: that is told there.
            sender.blocking_send(Err(error)).ok();
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

const CHUNK: usize = 128 * 1024;

fn write(context: &Context, out: impl Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(out);
    tar.follow_symlinks(false);
    for (name, text) in &context.extra {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, name, text.as_slice())?;
    }
    for (name, path) in &context.programs {
        program(path, name, &mut tar).map_err(|e| told(path, e))?;
    }
    if let Some(root) = &context.root {
        walk(context, root, "", &mut tar)?;
    }
    tar.into_inner()?.flush()
}

/// Everything below `folder` (relative, empty for the root), in order of names.
fn walk<W: Write>(context: &Context, root: &Path, folder: &str, tar: &mut tar::Builder<W>) -> io::Result<()> {
    let path = root.join(folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(|e| told(&path, e))? {
        names.push(entry.map_err(|e| told(&path, e))?.file_name());
    }
    names.sort();
    for name in names {
        let Some(name) = name.to_str() else {
            return Err(told(&path.join(&name), io::Error::other("its name is not UTF-8")));
        };
        let inner = if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
        let ignored = context.ignore.ignores(&inner);
        let path = root.join(&inner);
        let meta = match std::fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            // It went away while we walked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(told(&path, error)),
        };
        if !ignored && !context.extra.contains_key(&inner) {
            append(&path, &inner, &meta, tar).map_err(|e| told(&path, e))?;
        }
        if meta.is_dir() && (!ignored || context.ignore.may_bring_back(&inner)) {
            walk(context, root, &inner, tar)?;
        }
    }
    Ok(())
}

/// A file that everybody may run, links followed.
fn program<W: Write>(path: &Path, name: &str, tar: &mut tar::Builder<W>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(file.metadata()?.len());
    tar.append_data(&mut header, name, &mut file)
}

fn append<W: Write>(path: &Path, inner: &str, meta: &Metadata, tar: &mut tar::Builder<W>) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.mode() & 0o7777);
    // As the docker CLI does: owners of the building machine mean nothing in an image.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
    header.set_size(0);
    let kind = meta.file_type();
    if kind.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        return tar.append_link(&mut header, inner, std::fs::read_link(path)?);
    }
    if kind.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        return tar.append_data(&mut header, format!("{inner}/"), io::empty());
    }
    if kind.is_fifo() {
        header.set_entry_type(tar::EntryType::Fifo);
        return tar.append_data(&mut header, inner, io::empty());
    }
    if !kind.is_file() {
        // A socket cannot be in a tar, and a device does not belong into an image.
        return Ok(());
    }
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(meta.len());
    // A file that grows or shrinks meanwhile must not shift what follows it.
    let exactly = File::open(path)?.chain(io::repeat(0)).take(meta.len());
    tar.append_data(&mut header, inner, exactly)
}

fn told(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Writes into the channel, in chunks.
struct Pipe {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        match chunk.is_empty() {
            true => Ok(()),
            false => self.sender.blocking_send(Ok(chunk.into())).map_err(|_| io::ErrorKind::BrokenPipe.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tar_holds_what_is_not_ignored_with_links_and_modes() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("src/deep")).unwrap();
        std::fs::create_dir(root.join("node_modules")).unwrap();
        std::fs::write(root.join("node_modules/big"), "no").unwrap();
        std::fs::write(root.join("node_modules/kept"), "yes").unwrap();
        std::fs::write(root.join("src/deep/run"), "#!x").unwrap();
        std::os::unix::fs::symlink("../nowhere", root.join("src/link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let context = Context {
            root: Some(root.into()),
            ignore: Ignore::parse("node_modules\n!node_modules/kept").unwrap(),
            extra: BTreeMap::from([(".extra".to_string(), b"FROM scratch".to_vec())]),
            programs: BTreeMap::new(),
        };
        let mut bytes = Vec::new();
        write(&context, &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let link = entry.link_name().unwrap().map(|l| format!(" -> {}", l.display())).unwrap_or_default();
                format!("{}{link}", entry.path().unwrap().display())
            })
            .collect();
        assert_eq!(
            names,
            [".extra", "node_modules/kept", "src/", "src/deep/", "src/deep/run", "src/link -> ../nowhere"]
        );
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_told_by_its_path() {
        let context = Context { root: Some("/none/such".into()), ..Context::default() };
        let error = write(&context, Vec::new()).unwrap_err();
        assert!(error.to_string().contains("/none/such"), "{error}");
    }
}
