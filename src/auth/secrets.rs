//! Tokens that nobody can guess, what is kept of them, and keys that too many know.
//!
//! Whoever reads the database finds SHA-256 of each token: with 256 bits of randomness in one, nothing slower is needed.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// What an API token begins with, so that scanners for leaked secrets, and people, know one.
pub const API_PREFIX: &str = "hearth_";

/// No token of ours is longer: what is longer is not looked at. An access token is the longest.
pub const LONGEST: usize = 2048;

/// 32 random bytes as base64url, 43 characters.
pub fn token(random: &dyn Random) -> Secret {
    Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>(random)))
}

/// As [`token`], with [`API_PREFIX`] before it.
pub fn api_token(random: &dyn Random) -> Secret {
    Secret::new(format!("{API_PREFIX}{}", token(random).expose()))
}

/// An id that may be shown: 9 random bytes as base64url, 12 characters. It opens nothing.
pub fn id(random: &dyn Random) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes::<9>(random))
}

/// What is kept of a token: SHA-256, as base64url.
pub fn hash(token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(token))
}

/// SHA-256 of a token, as a key of tables in memory.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether two texts are the same; how long it takes says nothing about where they differ.
pub fn same(a: &str, b: &str) -> bool {
    // The lengths of tokens are no secret; their digests have one length.
    digest(a).ct_eq(&digest(b)).into()
}

/// Refuses a key that too many may know: short, a placeholder, or without variety. `what` names it; its value is not shown.
pub fn judge(what: &str, value: &str) -> Result<(), Diagnostic> {
    const LEAST: usize = 32;
    let told = |title: String| {
        Err(Diagnostic::error("auth.weak-secret", title)
            .kind(Kind::Invalid)
            .hint("put a random value there: openssl rand -hex 32 makes one"))
    };
    let plain: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    if let Some(word) = KNOWN.iter().find(|word| plain.contains(*word)) {
        return told(format!("{what} is a value from an example (it holds `{word}`), which everyone can guess"));
    }
    if value.chars().count() < LEAST {
        return told(format!("{what} is shorter than {LEAST} characters"));
    }
    let variety: std::collections::BTreeSet<char> = value.chars().collect();
    if variety.len() < 8 {
        return told(format!("{what} repeats itself"));
    }
    Ok(())
}

/// What stands in examples where a secret should stand, letters and digits only.
const KNOWN: [&str; 14] = [
    "changeme",
    "changeit",
    "changethis",
    "replaceme",
    "arandomsecret",
    "arandomjwtsecret",
    "yoursecret",
    "supersecret",
    "mysecret",
    "secretkey",
    "password",
    "default",
    "example",
    "placeholder",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn tokens_are_long_known_by_their_prefix_and_kept_as_their_hash() {
        let one = api_token(&SystemRandom);
        assert_eq!(one.expose().len(), 7 + 43);
        assert!(one.expose().starts_with(API_PREFIX));
        assert_eq!(token(&SystemRandom).expose().len(), 43);
        assert_eq!(id(&SystemRandom).len(), 12);
        assert_eq!(hash("a"), hash("a"));
        assert!(!hash(one.expose()).contains(&one.expose()[7..]));
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "abcd"));
        assert_eq!(format!("{one:?}"), "(hidden)");
    }

    #[test]
    fn hostile_15_known_short_and_placeholder_secrets_are_refused_and_not_shown() {
        for value in [
            "",
            "brief",
            "a_random_jwt_secret",
            "a_random_secret_a_random_secret_a_random_secret",
            "changeme-changeme-changeme-changeme-changeme",
            "YOUR-SECRET-goes-here-and-it-is-long-enough-too",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababababababab",
        ] {
            let told = judge("the key", value).unwrap_err();
            assert_eq!(told.code, "auth.weak-secret", "{value}");
            assert!(value.is_empty() || !told.title.contains(value), "{}", told.title);
        }
        for _ in 0..200 {
            judge("the key", token(&SystemRandom).expose()).unwrap();
        }
    }
}
