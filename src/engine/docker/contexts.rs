//! The docker CLI's own files: `config.json` and `contexts/`. Read only, never written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::errors::{self, Fault};
use crate::base::files;
use crate::engine::EngineError;

/// What Hearth reads of `config.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    #[serde(rename = "currentContext")]
    pub current_context: String,
    /// Registry to `{"auth": base64(user:password)}` or an identity token.
    pub auths: BTreeMap<String, Value>,
    #[serde(rename = "credsStore")]
    pub creds_store: String,
    #[serde(rename = "credHelpers")]
    pub cred_helpers: BTreeMap<String, String>,
    /// By engine address or `default`: `httpProxy`, `httpsProxy`, `noProxy`, `ftpProxy`, `allProxy`.
    pub proxies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    /// Reads `config.json` in `dir`; no file is no settings.
    pub fn read(dir: &Path) -> Result<Settings, EngineError> {
        let path = dir.join("config.json");
        let bytes = match files::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(errors::config(&path, &error.to_string())),
        };
        // The text of a parse error could quote a login, so only its place is told.
        serde_json::from_slice(&bytes).map_err(|e| {
            errors::config(
                &path,
                &format!("it is no JSON that docker writes (line {}, column {})", e.line(), e.column()),
            )
        })
    }

    /// `HTTP_PROXY` and its kin, in both cases, as the docker CLI gives them to containers and builds of this engine.
    pub fn proxies_for(&self, engine: &str) -> BTreeMap<String, String> {
        let Some(proxies) = self.proxies.get(engine).or_else(|| self.proxies.get("default")) else {
            return BTreeMap::new();
        };
        const NAMES: [(&str, &str); 5] = [
            ("httpProxy", "HTTP_PROXY"),
            ("httpsProxy", "HTTPS_PROXY"),
            ("noProxy", "NO_PROXY"),
            ("ftpProxy", "FTP_PROXY"),
            ("allProxy", "ALL_PROXY"),
        ];
        let set = NAMES.iter().filter_map(|(key, name)| Some((name, proxies.get(*key).filter(|v| !v.is_empty())?)));
        set.flat_map(|(name, value)| [(name.to_string(), value.clone()), (name.to_lowercase(), value.clone())])
            .collect()
    }
}

/// One context: where its engine is, and the TLS files kept for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextEntry {
    pub host: String,
    pub skip_tls_verify: bool,
    pub ca: Option<PathBuf>,
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl ContextEntry {
    pub fn has_tls(&self) -> bool {
        self.ca.is_some() || self.cert.is_some() || self.skip_tls_verify
    }
}

/// Reads the context `name` below the docker configuration directory `dir`.
pub fn read(dir: &Path, name: &str) -> Result<ContextEntry, EngineError> {
    let id = id_of(name);
    let path = dir.join("contexts/meta").join(&id).join("meta.json");
    let bytes = files::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => errors::no_context(name, &known(dir)),
        _ => errors::config(&path, &error.to_string()),
    })?;
    let meta: Value = serde_json::from_slice(&bytes).map_err(|e| errors::config(&path, &e.to_string()))?;
    let endpoint = &meta["Endpoints"]["docker"];
    let host = endpoint["Host"].as_str().unwrap_or_default().to_string();
    if host.is_empty() {
        return Err(errors::config(&path, "it names no docker endpoint"));
    }
    let tls = dir.join("contexts/tls").join(&id).join("docker");
    let file = |name: &str| Some(tls.join(name)).filter(|path| path.is_file());
    Ok(ContextEntry {
        host,
        skip_tls_verify: endpoint["SkipTLSVerify"].as_bool().unwrap_or(false),
        ca: file("ca.pem"),
        cert: file("cert.pem"),
        key: file("key.pem"),
    })
}

/// Names of the contexts that are there, for the hint beside a wrong one.
fn known(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join("contexts/meta")).into_iter().flatten().flatten();
    let name = |bytes: Vec<u8>| Some(serde_json::from_slice::<Value>(&bytes).ok()?["Name"].as_str()?.to_string());
    let mut names: Vec<String> =
        entries.filter_map(|e| files::read(&e.path().join("meta.json")).ok().and_then(name)).collect();
    names.sort();
    names
}

/// The directory name of a context: the SHA-256 of its name in hex.
fn id_of(name: &str) -> String {
    Sha256::digest(name.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads PEM material for TLS; the path is told when it cannot be read.
pub fn pem(path: &Path) -> Result<Vec<u8>, Fault> {
    files::read(path).map_err(|e| Fault::Tls(format!("{} cannot be read: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_found_by_the_digest_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let id = id_of("nas");
        let meta = dir.path().join("contexts/meta").join(&id);
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"nas","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://nas:2376","SkipTLSVerify":false}}}"#,
        )
        .unwrap();
        let tls = dir.path().join("contexts/tls").join(&id).join("docker");
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("ca.pem"), "").unwrap();
        let found = read(dir.path(), "nas").unwrap();
        assert_eq!(found.host, "tcp://nas:2376");
        assert_eq!(found.ca, Some(tls.join("ca.pem")));
        assert!(found.has_tls() && found.key.is_none());
        let error = read(dir.path(), "nos").unwrap_err();
        assert_eq!(error.diagnostic.code, "engine.no-context");
        assert!(error.diagnostic.hints.iter().any(|h| h.contains("nas")), "{:?}", error.diagnostic.hints);
    }

    #[test]
    fn settings_are_read_and_a_broken_file_shows_no_login() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap().current_context, "");
        std::fs::write(
            dir.path().join("config.json"),
            r#"{"currentContext":"nas","proxies":{"default":{"httpProxy":"http://p:3128"}},"psFormat":"x"}"#,
        )
        .unwrap();
        let settings = Settings::read(dir.path()).unwrap();
        assert_eq!(settings.current_context, "nas");
        assert_eq!(settings.proxies_for("unix:///x").get("http_proxy").map(String::as_str), Some("http://p:3128"));
        std::fs::write(dir.path().join("config.json"), r#"{"auths":{"r":{"auth":"c2VjcmV0"}}, "credsStore": 7}"#)
            .unwrap();
        let error = Settings::read(dir.path()).unwrap_err();
        assert!(!format!("{error:?}").contains("c2VjcmV0"));
    }
}
