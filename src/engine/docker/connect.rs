//! Where the engine is, as the docker CLI finds it: `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of
//! `config.json`, else the default socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::contexts::{self, Settings};
use super::errors;
use crate::engine::EngineError;

pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// How an engine is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Address {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
    Tls { host: String, port: u16, files: TlsFiles },
}

/// PEM files for a TLS connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TlsFiles {
    /// Certificate authorities to trust; `None` means those of the system.
    pub ca: Option<PathBuf>,
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// `false` accepts any server certificate, as `docker --tls` does.
    pub verify: bool,
}

/// The engine that this environment means.
#[derive(Debug, Clone)]
pub struct Place {
    pub address: Address,
    /// In the docker CLI's form: `unix:///var/run/docker.sock`, `tcp://nas:2376`.
    pub host: String,
    /// What decided it: `DOCKER_HOST`, `the docker context nas`, `docker's default`.
    pub because: String,
    /// `XDG_RUNTIME_DIR/docker.sock` where such a socket exists and is not the address itself: a rootless engine.
    pub rootless: Option<PathBuf>,
    pub settings: Settings,
    /// `PATH`, to find credential helpers in.
    pub path: String,
    /// `DOCKER_API_VERSION`.
    pub api: Option<(u32, u32)>,
}

/// Finds the engine. `env` is the process environment; nothing else is asked but the docker CLI's files.
pub fn find(env: &BTreeMap<String, String>) -> Result<Place, EngineError> {
    let set = |name: &str| env.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let dir = config_dir(env);
    let settings = dir.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
    let rootless = set("XDG_RUNTIME_DIR").map(|dir| Path::new(dir).join("docker.sock")).filter(|path| path.exists());
    let other_than = |address: &Address| rootless.clone().filter(|path| *address != Address::Unix(path.clone()));
    let api = set("DOCKER_API_VERSION").and_then(super::wire::version);
    let place = |address: Address, host: &str, because: String| Place {
        rootless: other_than(&address),
        address,
        host: host.to_string(),
        because,
        settings: settings.clone(),
        path: set("PATH").unwrap_or_default().to_string(),
        api,
    };
    if let Some(host) = set("DOCKER_HOST") {
        let tls = tls_of_environment(env, dir.as_deref());
        return Ok(place(parse(host, tls, "DOCKER_HOST")?, host, "DOCKER_HOST".into()));
    }
    let named = match set("DOCKER_CONTEXT") {
        Some(name) => Some((name.to_string(), "DOCKER_CONTEXT")),
        None => {
            Some((settings.current_context.clone(), "the current docker context")).filter(|(name, _)| !name.is_empty())
        }
    };
    if let (Some((name, source)), Some(dir)) = (named.filter(|(name, _)| name != "default"), &dir) {
        let context = contexts::read(dir, &name)?;
        let tls = context.has_tls().then(|| TlsFiles {
            ca: context.ca.clone(),
            cert: context.cert.clone(),
            key: context.key.clone(),
            verify: !context.skip_tls_verify,
        });
        let because = format!("{source} ({name})");
        return Ok(place(parse(&context.host, tls, &because)?, &context.host, because));
    }
    let host = format!("unix://{DEFAULT_SOCKET}");
    Ok(place(Address::Unix(DEFAULT_SOCKET.into()), &host, "docker's default".into()))
}

/// `DOCKER_CONFIG`, else `.docker` in the home directory.
pub fn config_dir(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let set = |name: &str| env.get(name).filter(|v| !v.is_empty());
    set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| set("HOME").map(|home| Path::new(home).join(".docker")))
}

fn tls_of_environment(env: &BTreeMap<String, String>, dir: Option<&Path>) -> Option<TlsFiles> {
    let set = |name: &str| env.get(name).filter(|v| !v.is_empty());
    let verify = set("DOCKER_TLS_VERIFY").is_some();
    if !verify && set("DOCKER_TLS").is_none() {
        return None;
    }
    let dir = set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| dir.map(Path::to_path_buf)).unwrap_or_default();
    let there = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
    // With verification the authority's file is required, as for the docker CLI: a missing one is told when read.
    let ca = if verify { Some(dir.join("ca.pem")) } else { there("ca.pem") };
    Some(TlsFiles { ca, cert: there("cert.pem"), key: there("key.pem"), verify })
}

fn parse(host: &str, tls: Option<TlsFiles>, because: &str) -> Result<Address, EngineError> {
    if let Some(path) = host.strip_prefix("unix://") {
        let path = if path.is_empty() { DEFAULT_SOCKET } else { path };
        return Ok(Address::Unix(path.into()));
    }
    if host.starts_with("ssh://") {
        return Err(errors::ssh(host, because));
    }
    let rest = match host.split_once("://") {
        None => host,
        Some(("tcp" | "http", rest)) => rest,
        Some(("https", rest)) => {
            let tls = tls.unwrap_or(TlsFiles { verify: true, ..TlsFiles::default() });
            return parse(&format!("tcp://{rest}"), Some(tls), because);
        }
        Some(_) => return Err(errors::bad_address(host, because)),
    };
    let (host_name, port) = host_and_port(rest).ok_or_else(|| errors::bad_address(host, because))?;
    Ok(match tls {
        Some(files) => Address::Tls { host: host_name, port: port.unwrap_or(2376), files },
        None => Address::Tcp { host: host_name, port: port.unwrap_or(2375) },
    })
}

/// `host`, `host:port`, `[v6]:port`; an empty host is this machine. A path is not allowed: no engine listens below one.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.contains(['/', '@', '?', '#', ' ']) {
        return None;
    }
    let (host, port) = match text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((v6, rest)) => (v6, rest.strip_prefix(':').or(rest.is_empty().then_some(""))?),
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let host = if host.is_empty() { "localhost" } else { host };
    let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
    Some((host.to_string(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn addresses_are_read_as_the_docker_cli_reads_them() {
        let tcp = |host: &str, port| Address::Tcp { host: host.into(), port };
        for (text, expected) in [
            ("unix:///run/x.sock", Address::Unix("/run/x.sock".into())),
            ("unix://", Address::Unix(DEFAULT_SOCKET.into())),
            ("tcp://nas", tcp("nas", 2375)),
            ("tcp://nas:99", tcp("nas", 99)),
            ("tcp://[::1]:99", tcp("::1", 99)),
            ("nas:99", tcp("nas", 99)),
            ("tcp://:99", tcp("localhost", 99)),
        ] {
            assert_eq!(parse(text, None, "DOCKER_HOST").unwrap(), expected, "{text}");
        }
        for (text, code) in [
            ("ssh://me@nas", "engine.ssh"),
            ("npipe:////./pipe/docker", "engine.bad-address"),
            ("tcp://nas:port", "engine.bad-address"),
            ("tcp://me@nas:2375", "engine.bad-address"),
        ] {
            assert_eq!(parse(text, None, "DOCKER_HOST").unwrap_err().diagnostic.code, code, "{text}");
        }
    }

    #[test]
    fn docker_host_wins_over_contexts_and_the_default_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let found =
            find(&env(&[("DOCKER_CONFIG", path), ("DOCKER_HOST", "tcp://a:1"), ("DOCKER_CONTEXT", "none")])).unwrap();
        assert_eq!(
            (found.address, found.because.as_str()),
            (Address::Tcp { host: "a".into(), port: 1 }, "DOCKER_HOST")
        );
        let found = find(&env(&[("DOCKER_CONFIG", path), ("DOCKER_CONTEXT", "default")])).unwrap();
        assert_eq!(found.address, Address::Unix(DEFAULT_SOCKET.into()));
        let error = find(&env(&[("DOCKER_CONFIG", path), ("DOCKER_CONTEXT", "none")])).unwrap_err();
        assert_eq!(error.diagnostic.code, "engine.no-context");
        std::fs::write(dir.path().join("config.json"), r#"{"currentContext":"gone"}"#).unwrap();
        assert_eq!(find(&env(&[("DOCKER_CONFIG", path)])).unwrap_err().diagnostic.code, "engine.no-context");
    }

    #[test]
    fn tls_comes_from_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        std::fs::write(dir.path().join("cert.pem"), "").unwrap();
        let found =
            find(&env(&[("DOCKER_CERT_PATH", path), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_HOST", "tcp://a")])).unwrap();
        let Address::Tls { port, files, .. } = found.address else { panic!("{:?}", found.address) };
        assert_eq!(port, 2376);
        assert!(files.verify && files.cert.is_some() && files.key.is_none());
    }
}
