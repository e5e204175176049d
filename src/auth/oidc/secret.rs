//! The client's secret, and for whom it was given: it is sent to nobody else (hostile test 7). Whoever may change `hearth.yaml` could otherwise have
//! it sent to a provider of their own.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::words::stale_secret;
use crate::auth::secrets;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::config::oidc::{Oidc as Settings, SECRET};
use crate::diag::Diagnostic;
use crate::store::folder::Folder;

const FILE: &str = "oidc-client";

/// Takes up the secret for the client that the settings name. `None`: there is none, the client is a public one (PKCE alone).
///
/// In `folder` is kept for which client the last secret was given, and a salted digest of it. Another client with the same secret is refused; with
/// another secret it was given anew.
pub fn taken_up(
    folder: &Path,
    settings: &Settings,
    given: Option<Secret>,
    random: &dyn Random,
) -> Result<Option<Secret>, Diagnostic> {
    let Some(secret) = given.filter(|secret| !secret.expose().is_empty()) else { return Ok(None) };
    secrets::judge(SECRET, secret.expose())?;
    let folder = Folder::open(folder)?;
    let _lock = folder.lock()?;
    let client = secrets::hash(&format!("{}\n{}", settings.issuer, settings.client_id));
    let kept = folder.read(FILE)?.unwrap_or_default();
    let mut words = kept.split_whitespace();
    let (of, salt, digest) = (words.next(), words.next(), words.next());
    let same = salt.zip(digest).is_some_and(|(salt, digest)| secrets::same(&salted(salt, &secret), digest));
    match of {
        Some(of) if of == client && same => return Ok(Some(secret)),
        Some(of) if of != client && same => return Err(stale_secret()),
        _ => {}
    }
    let salt = secrets::id(random);
    folder.write(FILE, &format!("{client} {salt} {}\n", salted(&salt, &secret)))?;
    Ok(Some(secret))
}

fn salted(salt: &str, secret: &Secret) -> String {
    let mut digest = Sha256::new();
    digest.update(salt);
    digest.update([0]);
    digest.update(secret.expose());
    digest.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    fn settings(issuer: &str, client: &str) -> Settings {
        Settings {
            issuer: issuer.into(),
            client_id: client.into(),
            name: "x".into(),
            scopes: Vec::new(),
            groups_claim: None,
            create: None,
            hosts: Vec::new(),
        }
    }

    #[test]
    fn hostile_07_another_issuer_or_client_does_not_get_the_old_secret() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (secrets::token(&SystemRandom), secrets::token(&SystemRandom));
        let up = |issuer: &str, client: &str, secret: &Secret| {
            taken_up(dir.path(), &settings(issuer, client), Some(secret.clone()), &SystemRandom)
        };
        assert!(up("https://id.example", "hearth", &old).unwrap().is_some());
        assert!(up("https://id.example", "hearth", &old).unwrap().is_some(), "again and again");
        for (issuer, client) in
            [("https://evil.example", "hearth"), ("https://id.example/", "hearth"), ("https://id.example", "other")]
        {
            let told = up(issuer, client, &old).unwrap_err();
            assert_eq!(told.code, "auth.oidc-secret");
            assert!(!format!("{told:?}").contains(old.expose()));
        }
        assert!(up("https://id.example", "hearth", &old).is_ok(), "and back to what it was given for");
        assert!(up("https://other.example", "hearth", &new).is_ok(), "given anew");
        assert_eq!(up("https://id.example", "hearth", &new).unwrap_err().code, "auth.oidc-secret");
        let kept = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!kept.contains(old.expose()) && !kept.contains(new.expose()));
        assert_eq!(taken_up(dir.path(), &settings("https://x", "y"), None, &SystemRandom).unwrap(), None);
    }

    #[test]
    fn hostile_15_a_secret_from_an_example_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for weak in ["changeme", "brief", "changeme-changeme-changeme-changeme-changeme"] {
            let given = Some(Secret::new(weak));
            let told = taken_up(dir.path(), &settings("https://x", "y"), given, &SystemRandom).unwrap_err();
            assert_eq!(told.code, "auth.weak-secret");
        }
    }
}
