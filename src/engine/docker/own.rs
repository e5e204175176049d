//! The image of Hearth itself: the program that runs, the libraries that it was started with, and nothing else. So no registry is asked
//! for what gate is made of, and gate is the same Hearth as the one that wrote its configuration.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::{self, Recipe};
use super::context::Context;
use crate::engine::EngineError;

/// This program, also where its file was replaced since it was started. By number, since it is read by another process too.
fn program() -> PathBuf {
    PathBuf::from(format!("/proc/{}/exe", std::process::id()))
}

/// `hearth` is found there by `docker exec` too.
const DOCKERFILE: &str = "FROM scratch\nCOPY root/ /\nENV PATH=/\nENTRYPOINT [\"/hearth\"]\n";

/// Where systems keep the roots that they trust, as one file; in the image it has the first of these names, which libraries look for.
const ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

pub(super) fn recipe() -> Result<Recipe, String> {
    let programs = files()?.into_iter().map(|(name, path)| (format!("root/{name}"), path)).collect();
    let extra = BTreeMap::from([("Dockerfile".to_string(), DOCKERFILE.as_bytes().to_vec())]);
    let context = Context { extra, programs, ..Context::default() };
    Ok(Recipe { text: DOCKERFILE.into(), name: "Dockerfile".into(), context })
}

/// Why this program cannot be an image on an engine of this system and architecture (as `docker info` says them), if so.
pub fn obstacle(os: &str, arch: &str) -> Option<String> {
    if os != "linux" || std::env::consts::OS != "linux" {
        return Some(format!("the engine runs {os}, this is a program for {}", std::env::consts::OS));
    }
    // 32-bit ARM has several names.
    let ours = std::env::consts::ARCH;
    if !arch.starts_with(ours) {
        return Some(format!("the engine runs on {arch}, this is a program for {ours}"));
    }
    files().err()
}

pub fn refusal(why: &str) -> EngineError {
    let title = format!("the image of Hearth that gate needs cannot be made of this program: {why}");
    build::refuse(
        "engine.own-image",
        title,
        "name an image of Hearth in .env, which has the program at /hearth: HEARTH_IMAGE=",
    )
}

/// What goes into the image: names without a leading slash, and where they are here.
#[expect(
    clippy::disallowed_methods,
    reason = "the loader that runs this very program, by its absolute path, with fixed arguments"
)]
fn files() -> Result<BTreeMap<String, PathBuf>, String> {
    let program = program();
    let mut files = BTreeMap::from([("hearth".to_string(), program.clone())]);
    // Without them no public authority could be asked from within. A machine may have none.
    if let Some(roots) = ROOTS.iter().map(PathBuf::from).find(|path| path.is_file()) {
        files.insert(ROOTS[0].trim_start_matches('/').to_string(), roots);
    }
    let unread = |error| format!("{} cannot be read: {error}", program.display());
    let Some(loader) = loader(&program).map_err(unread)? else {
        return Ok(files);
    };
    // What `ldd` does: the loader itself tells what it would load. An absolute path of its own, no search.
    let ran = Command::new(&loader).arg("--list").arg(&program).env_clear().output();
    let ran = ran.map_err(|error| format!("{} does not start: {error}", loader.display()))?;
    if !ran.status.success() {
        return Err(format!("{} does not tell which libraries it needs", loader.display()));
    }
    for path in libraries(&String::from_utf8_lossy(&ran.stdout)).into_iter().chain([loader]) {
        files.insert(path.to_string_lossy().trim_start_matches('/').to_string(), path);
    }
    Ok(files)
}

/// Paths in `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)`, line by line.
fn libraries(listed: &str) -> Vec<PathBuf> {
    listed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

/// The loader that a program asks for (`PT_INTERP` of its ELF header); `None` where it is one static file.
fn loader(program: &Path) -> std::io::Result<Option<PathBuf>> {
    let file = File::open(program)?;
    let mut head = [0u8; 64];
    file.read_exact_at(&mut head, 0)?;
    let odd = || std::io::Error::other("it is no 64-bit little-endian ELF file");
    if head[..6] != *b"\x7fELF\x02\x01" {
        return Err(odd());
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    let (table, size, count) = (number(&head[32..40]), number(&head[54..56]), number(&head[56..58]));
    for index in 0..count {
        let mut entry = [0u8; 56];
        file.read_exact_at(&mut entry, table + index * size)?;
        if number(&entry[..4]) == PT_INTERP {
            let (at, len) = (number(&entry[8..16]), number(&entry[32..40]));
            let mut path = vec![0; usize::try_from(len.min(4096)).map_err(|_| odd())?];
            file.read_exact_at(&mut path, at)?;
            let path = String::from_utf8_lossy(&path).trim_end_matches('\0').to_string();
            return Ok(Some(path.into()));
        }
    }
    Ok(None)
}

/// Type of a program header: the path of the loader (System V ABI, chapter 5).
const PT_INTERP: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_has_the_program_and_all_that_it_was_started_with() {
        let files = files().unwrap();
        assert!(files.contains_key("hearth"));
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).filter(|path| path.contains(".so"));
        let inside: Vec<PathBuf> = files.values().filter_map(|path| path.canonicalize().ok()).collect();
        for library in mapped {
            assert!(inside.contains(&Path::new(library).canonicalize().unwrap()), "{library} is not among {inside:?}");
        }
    }

    #[test]
    fn another_machine_is_an_obstacle_in_words() {
        let words = obstacle("linux", "s390x").unwrap();
        assert!(words.starts_with("the engine runs on s390x, this is a program for "), "{words}");
        assert_eq!(obstacle("linux", std::env::consts::ARCH), None);
    }

    #[test]
    fn a_script_is_no_program() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n".repeat(20)).unwrap();
        assert!(loader(file.path()).unwrap_err().to_string().contains("ELF"));
    }
}
