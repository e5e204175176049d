//! Inline configs and secrets: one tar, written into the container before each start.

use bytes::Bytes;
use hyper::Method;

use super::DockerEngine;
use super::errors::Fault;
use super::wire::{CHANGE, query};
use crate::base::clock::{Clock, SystemClock};
use crate::engine::{EngineError, Outcome};
use crate::plan::wanted::InlineFile;

/// Writes `files` into the container, running or not. Directories on the way are made by the engine where they are
/// missing, and keep owner and mode where they are there: so none is in the tar.
pub async fn upload(engine: &DockerEngine, id: &str, name: &str, files: &[InlineFile]) -> Result<Outcome, EngineError> {
    let origins: Vec<&str> = files.iter().map(|f| f.origin.as_str()).collect();
    let what = format!("write {} into the container `{name}`", crate::base::wording::list(&origins));
    let mtime = u64::try_from(SystemClock.now().unix_timestamp()).unwrap_or(0);
    let body = tar_of(files, mtime).map_err(|e| engine.tell(Fault::other(e), &what))?;
    let path = format!("/containers/{id}/archive{}", query(&[("path", "/")]));
    let sent = engine.wire.call_with(Method::PUT, &path, "application/x-tar", Bytes::from(body), CHANGE).await;
    sent.map(|_| Outcome::default()).map_err(|f| engine.tell(f, &what))
}

fn tar_of(files: &[InlineFile], mtime: u64) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        let content = file.content.expose().as_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(file.mode);
        header.set_uid(file.uid);
        header.set_gid(file.gid);
        header.set_mtime(mtime);
        tar.append_data(&mut header, file.target.trim_start_matches('/'), content)?;
    }
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::base::secret::Secret;

    #[test]
    fn owner_mode_and_long_names_are_kept() {
        let long = format!("/etc/{}/file", "x".repeat(150));
        let file = |target: &str| InlineFile {
            target: target.into(),
            uid: 1000,
            gid: 70_000,
            mode: 0o440,
            origin: "config c".into(),
            content: Secret::new("text"),
        };
        let bytes = tar_of(&[file("/run/secrets/token"), file(&long)], 7).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let read: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                let header = entry.header();
                let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap());
                (entry.path().unwrap().to_string_lossy().into_owned(), owner, text)
            })
            .collect();
        let expected = |name: &str| (name.to_string(), (1000, 70_000, 0o440), "text".to_string());
        assert_eq!(read, [expected("run/secrets/token"), expected(long.trim_start_matches('/'))]);
    }
}
