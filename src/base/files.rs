//! Files that somebody else could have put something else in the place of: a pipe would keep whoever opens it waiting, a device might
//! never end. Everything that reads a whole file by its path does it here.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Bytes that a file may have which is read whole.
const MOST: u64 = 64 << 20;

/// Opens with these options, without waiting for anybody, what must be a regular file.
pub fn open_with(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = options.clone().custom_flags(flags).open(path).map_err(|error| {
        // What a socket, or a pipe without a reader, answers to being opened.
        match rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::NXIO) {
            true => io::Error::other("it is a pipe or socket, not a file"),
            false => error,
        }
    })?;
    regular(file)
}

/// The file, where it is a regular one.
pub fn regular(file: File) -> io::Result<File> {
    match what(file.metadata()?.file_type()) {
        None => Ok(file),
        Some(what) => Err(io::Error::other(format!("it is {what}, not a file"))),
    }
}

/// What it is, where it is no regular file.
pub fn what(kind: FileType) -> Option<&'static str> {
    Some(match kind {
        _ if kind.is_file() => return None,
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    })
}

/// Whether a shell made the path for one command, as for `<(...)`: what it leads to is meant to be waited for.
pub fn is_of_shell(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin")
}

/// All bytes of a file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = if is_of_shell(path) { File::open(path)? } else { open_with(OpenOptions::new().read(true), path)? };
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MOST {
        true => Err(io::Error::other(format!("it is larger than {} MiB", MOST >> 20))),
        false => Ok(bytes),
    }
}

/// All of a file of text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_read_and_nothing_else_holds_anybody_up() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("pipe", at("link")).unwrap();
        assert_eq!(read_text(&at("file")).unwrap(), "text");
        for name in ["folder", "pipe", "socket", "link"] {
            let why = read(&at(name)).unwrap_err().to_string();
            assert!(why.contains("not a file"), "{name}: {why}");
            for options in [OpenOptions::new().append(true), OpenOptions::new().read(true).write(true)] {
                assert!(open_with(options, &at(name)).is_err(), "{name}");
            }
        }
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("it is a device"));
        assert_eq!(read(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
