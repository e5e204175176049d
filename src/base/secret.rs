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
    const WORDS: [&str; 14] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "PASS",
        "SECRET",
        "TOKEN",
        "APIKEY",
        "API_KEY",
        "PRIVATE_KEY",
        "ACCESS_KEY",
        "CREDENTIAL",
        "AUTH",
        "ENCRYPTION_KEY",
        "MASTER_KEY",
    ];
    let upper = name.to_uppercase().replace(['-', '.'], "_");
    // `PASS` and `AUTH` only as words of their own: COMPASS and AUTHOR are no secrets.
    WORDS.iter().any(|word| match *word {
        "PASS" | "AUTH" => upper.split('_').any(|part| part == *word),
        word => upper.contains(word),
    }) || upper.ends_with("_KEY")
        || upper == "KEY"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_known_and_secrets_stay_hidden() {
        for name in ["POSTGRES_PASSWORD", "N8N_ENCRYPTION_KEY", "MEILI_MASTER_KEY", "token", "DB_PASS", "api-key"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["TZ", "COMPASS", "AUTHOR", "KEYBOARD", "PUID"] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert_eq!(format!("{:?}", Secret::new("x")), "(hidden)");
    }
}
