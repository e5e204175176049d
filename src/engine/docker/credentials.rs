//! Logins for registries, as the docker CLI keeps them: `auths`, `credsStore` and `credHelpers` of `config.json`.
//!
//! A helper is a program of its own (`docker-credential-<name> get`): it is given the registry on its standard input and
//! answers with JSON. No login is in an argument, a message or a log.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::connect::Place;
use super::contexts::Settings;
use crate::base::secret::Secret;

/// Docker Hub's key in `config.json`.
const HUB: &str = "https://index.docker.io/v1/";

/// A helper may ask the person's keyring, which may ask the person.
const HELPER_LIMIT: Duration = Duration::from_secs(30);

/// What to send along with a pull.
#[derive(Debug, Default)]
pub struct Login {
    /// Value of `X-Registry-Auth`; `None`: anonymous.
    pub header: Option<Secret>,
    /// A helper that should have known and failed, for the hint beside a refusal.
    pub trouble: Option<String>,
}

/// The registry of an image reference: its first part where that looks like a host, else Docker Hub.
pub fn registry_of(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => match first {
            "docker.io" | "index.docker.io" => HUB,
            host => host,
        },
        _ => HUB,
    }
}

/// The login for one image.
pub async fn login(place: &Place, reference: &str) -> Login {
    let registry = registry_of(reference);
    match auth(place, registry).await {
        Ok(auth) => Login { header: auth.map(|auth| encoded(&auth)), trouble: None },
        Err(trouble) => Login { header: None, trouble: Some(trouble) },
    }
}

/// Value of `X-Registry-Config` for a build: the logins of every registry that the Dockerfile takes an image from.
pub async fn build_logins(place: &Place, references: &[String]) -> Option<Secret> {
    let mut all = serde_json::Map::new();
    for registry in references.iter().map(|r| registry_of(r)) {
        if let Ok(Some(auth)) = auth(place, registry).await {
            all.insert(registry.to_string(), auth);
        }
    }
    (!all.is_empty()).then(|| encoded(&Value::Object(all)))
}

fn encoded(auth: &Value) -> Secret {
    Secret::new(URL_SAFE.encode(auth.to_string()))
}

/// `AuthConfig` for one registry: a helper of its own, the store, or what is written in the file.
async fn auth(place: &Place, registry: &str) -> Result<Option<Value>, String> {
    let settings = &place.settings;
    let helper = settings.cred_helpers.get(host(registry)).or_else(|| settings.cred_helpers.get(registry));
    let helper = helper.map(String::as_str).or(Some(settings.creds_store.as_str())).filter(|name| !name.is_empty());
    match helper {
        Some(name) => ask(name, &place.path, registry).await,
        None => Ok(written(settings, registry)),
    }
}

/// `https://r.example/v2/` and `r.example` are one registry.
fn host(registry: &str) -> &str {
    let bare = registry.strip_prefix("https://").or(registry.strip_prefix("http://")).unwrap_or(registry);
    bare.split('/').next().unwrap_or(bare)
}

fn written(settings: &Settings, registry: &str) -> Option<Value> {
    let exact = settings.auths.get(registry);
    let entry = exact.or_else(|| settings.auths.iter().find(|(key, _)| host(key) == host(registry)).map(|(_, v)| v))?;
    let text = |key: &str| entry[key].as_str().filter(|v| !v.is_empty()).map(str::to_string);
    if let Some(token) = text("identitytoken") {
        return Some(json!({ "identitytoken": token, "serveraddress": registry }));
    }
    let decoded =
        text("auth").and_then(|auth| STANDARD.decode(auth.trim()).ok()).and_then(|b| String::from_utf8(b).ok());
    let pair = decoded.as_deref().and_then(|d| d.trim_end_matches('\0').split_once(':'));
    let (user, password) = match pair {
        Some((user, password)) => (user.to_string(), password.to_string()),
        None => (text("username")?, text("password")?),
    };
    Some(json!({ "username": user, "password": password, "serveraddress": registry }))
}

/// Runs `docker-credential-<name> get`. `None`: it knows no login for that registry.
async fn ask(name: &str, path: &str, registry: &str) -> Result<Option<Value>, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.chars().all(plain) {
        return Err("the name of a credential helper in config.json is not a plain word".into());
    }
    let program = format!("docker-credential-{name}");
    let failed = |why: String| format!("the credential helper {program} {why}");
    let found = std::env::split_paths(path).map(|dir| dir.join(&program)).find(|file| file.is_file());
    let Some(found) = found else { return Err(failed("is not in PATH".into())) };
    let mut child = Command::new(found)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| failed(format!("cannot be run: {e}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input shows in its answer.
        stdin.write_all(registry.as_bytes()).await.ok();
    }
    let output = timeout(HELPER_LIMIT, child.wait_with_output()).await;
    let output = output.map_err(|_| failed("does not answer".into()))?.map_err(|e| failed(format!("failed: {e}")))?;
    if !output.status.success() {
        // Its words go to standard output; those for "I have none" are the protocol's.
        let words = String::from_utf8_lossy(&output.stdout);
        let none = words.contains("credentials not found") || words.contains("no credentials server URL");
        return if none { Ok(None) } else { Err(failed(format!("ended with {}", output.status))) };
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| failed("gave no JSON".into()))?;
    let (user, secret) =
        (answer["Username"].as_str().unwrap_or_default(), answer["Secret"].as_str().unwrap_or_default());
    Ok(match user {
        "" if secret.is_empty() => None,
        "<token>" => Some(json!({ "identitytoken": secret, "serveraddress": registry })),
        _ => Some(json!({ "username": user, "password": secret, "serveraddress": registry })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_the_first_part_where_that_is_a_host() {
        for (reference, registry) in [
            ("nginx:1", HUB),
            ("library/nginx", HUB),
            ("docker.io/library/nginx", HUB),
            ("r.example/a/b:1", "r.example"),
            ("localhost/a", "localhost"),
            ("localhost:5000/a@sha256:0", "localhost:5000"),
        ] {
            assert_eq!(registry_of(reference), registry, "{reference}");
        }
    }

    #[test]
    fn logins_are_read_in_every_form_and_never_shown() {
        let settings: Settings = serde_json::from_value(json!({ "auths": {
            "https://index.docker.io/v1/": { "auth": STANDARD.encode("me:p:w") },
            "https://r.example/v2/": { "identitytoken": "t0ken" },
            "q.example": { "username": "you", "password": "pw" },
            "empty.example": {},
        } }))
        .unwrap();
        let written = |registry: &str| written(&settings, registry);
        assert_eq!(written(HUB).unwrap()["password"], "p:w");
        assert_eq!(written("r.example").unwrap()["identitytoken"], "t0ken");
        assert_eq!(written("q.example").unwrap()["username"], "you");
        assert_eq!((written("empty.example"), written("none.example")), (None, None));
        let login = login_with(settings.clone(), "", "nginx");
        assert!(login.header.is_some() && !format!("{login:?}").contains("p:w"));
    }

    fn login_with(settings: Settings, path: &str, reference: &str) -> Login {
        let place = Place { settings, path: path.into(), ..super::super::connect::find(&Default::default()).unwrap() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(login(&place, reference))
    }

    #[test]
    fn a_helper_is_asked_on_its_input_and_only_one_in_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let helper = |name: &str, script: &str| {
            use std::os::unix::fs::PermissionsExt;
            let file = dir.path().join(format!("docker-credential-{name}"));
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        helper(
            "good",
            r#"read r; test "$1" = get && echo "{\"ServerURL\":\"$r\",\"Username\":\"u\",\"Secret\":\"for $r\"}""#,
        );
        helper("token", r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'"#);
        helper("none", "cat >/dev/null; echo credentials not found in native keychain; exit 1");
        helper("bad", "cat >/dev/null; echo s3cret; exit 1");
        let with = |name: &str| {
            let settings = serde_json::from_value(json!({ "credHelpers": { "r.example": name } })).unwrap();
            let login = login_with(settings, path, "r.example/a");
            let decoded = login.header.map(|h| String::from_utf8(URL_SAFE.decode(h.expose()).unwrap()).unwrap());
            (decoded, login.trouble)
        };
        assert!(with("good").0.unwrap().contains("\"password\":\"for r.example\""));
        assert!(with("token").0.unwrap().contains("identitytoken"));
        assert_eq!(with("none"), (None, None));
        assert!(
            with("bad")
                .1
                .is_some_and(|words| words.contains("docker-credential-bad ended") && !words.contains("s3cret"))
        );
        assert!(with("absent").1.is_some_and(|words| words.contains("is not in PATH")));
        assert!(with("../bad").1.is_some_and(|words| words.contains("plain word")));
    }
}
