//! A text that must not be shown: no `Display`, and `Debug` says only that it is there.

use std::fmt;

/// Holds a secret. Ask for it with [`Secret::expose`] at the one place that needs it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Whether a variable's or label's name says that its value is a secret.
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "TOKEN",
        "APIKEY",
        "API_KEY",
        "PRIVATE_KEY",
        "ACCESS_KEY",
        "CREDENTIAL",
        "ENCRYPTION_KEY",
        "MASTER_KEY",
    ];
    /// Only as words of their own: COMPASS and AUTHOR are no secrets.
    const WHOLE: [&str; 6] = ["PASS", "AUTH", "PW", "PSK", "JWT", "CREDS"];
    let upper = name.to_uppercase().replace(['-', '.'], "_");
    WORDS.iter().any(|word| upper.contains(word))
        || upper.split('_').any(|part| WHOLE.contains(&part))
        || upper.ends_with("_KEY")
        || upper == "KEY"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_known_and_secrets_stay_hidden() {
        for name in [
            "POSTGRES_PASSWORD",
            "N8N_ENCRYPTION_KEY",
            "MEILI_MASTER_KEY",
            "token",
            "DB_PASS",
            "PW",
            "WIFI_PSK",
            "api-key",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["TZ", "COMPASS", "AUTHOR", "KEYBOARD", "PUID"] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert_eq!(format!("{:?}", Secret::new("x")), "(hidden)");
    }
}
