//! Whose rules decide model and hash: the Compose that is installed here, asked once for each version of its program.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::compose::Compat;

/// The generation of the installed Compose, `None` where none is found. `environment` gives HOME, PATH and the cache's place.
pub(super) fn installed(environment: &BTreeMap<String, String>) -> Option<Compat> {
    let program = find(environment)?;
    let meta = std::fs::metadata(&program).ok()?;
    let key = format!("{} {} {}.{}", program.display(), meta.size(), meta.mtime(), meta.mtime_nsec());
    let cache = cache_file(environment);
    if let Some(known) = cache.as_ref().and_then(|file| std::fs::read_to_string(file).ok())
        && let Some((of, version)) = known.trim_end().rsplit_once(' ')
        && of == key
    {
        return generation(version);
    }
    let version = ask(&program)?;
    if let Some(file) = cache {
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = std::fs::write(file, format!("{key} {version}\n"));
    }
    generation(&version)
}

fn generation(version: &str) -> Option<Compat> {
    let major: u32 = version.trim_start_matches('v').split('.').next()?.parse().ok()?;
    match major {
        2 => Some(Compat::V2),
        5.. => Some(Compat::V5),
        _ => None,
    }
}

/// Where the docker CLI looks for its plugins, then the path.
fn find(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let config = environment
        .get("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".docker")));
    let plugins = config.map(|dir| dir.join("cli-plugins")).into_iter().chain(
        [
            "/usr/local/lib/docker/cli-plugins",
            "/usr/local/libexec/docker/cli-plugins",
            "/usr/lib/docker/cli-plugins",
            "/usr/libexec/docker/cli-plugins",
        ]
        .map(PathBuf::from),
    );
    let path = environment.get("PATH").map(String::as_str).unwrap_or_default();
    let folders = plugins.chain(std::env::split_paths(path).collect::<Vec<_>>());
    folders.map(|dir| dir.join("docker-compose")).find(|program| program.is_file())
}

fn cache_file(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let base = environment
        .get("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".cache")))?;
    base.is_absolute().then(|| base.join("hearth/compose-version"))
}

// The one program that loading may start: it is asked its version and nothing else.
#[allow(clippy::disallowed_methods)]
fn ask(program: &Path) -> Option<String> {
    let output = std::process::Command::new(program)
        .args(["version", "--short"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.trim();
    (output.status.success() && !version.is_empty() && version.len() < 64 && !version.contains(char::is_whitespace))
        .then(|| version.to_string())
}
