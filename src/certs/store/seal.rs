//! Keys as they lie on the disk: plain, or sealed with an age key that lies elsewhere.

use std::path::Path;
use std::str::FromStr;

use age::x25519::Identity;

use crate::base::files;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// Seals what is written and opens what is read.
pub struct Seal {
    identity: Option<Identity>,
}

const ARMOUR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

impl Seal {
    /// Nothing is sealed.
    pub fn none() -> Seal {
        Seal { identity: None }
    }

    /// Reads the key of `key_file`, as `age-keygen` writes it.
    pub fn of(key_file: &Path) -> Result<Seal, Diagnostic> {
        let told = |why: String| {
            let title = format!("the key file {} cannot be used ({why})", key_file.display());
            Diagnostic::error("certs.bad-key-file", title)
                .kind(Kind::Failed)
                .hint("it is a file that age-keygen writes, with one line that begins with AGE-SECRET-KEY-1, for its owner only")
        };
        let text = files::read_text(key_file).map_err(|e| told(e.to_string()))?;
        let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"));
        let line = line.ok_or_else(|| told("it holds no key".to_owned()))?;
        let identity = Identity::from_str(line).map_err(|_| told("its key is damaged".to_owned()))?;
        Ok(Seal { identity: Some(identity) })
    }

    /// Whether what is written is sealed.
    pub fn is_on(&self) -> bool {
        self.identity.is_some()
    }

    /// What goes to the disk.
    pub fn close(&self, secret: &Secret) -> Result<String, Diagnostic> {
        let Some(identity) = &self.identity else { return Ok(secret.expose().to_owned()) };
        age::encrypt_and_armor(&identity.to_public(), secret.expose().as_bytes())
            .map_err(|_| told("a key cannot be sealed with the key file".to_owned()))
    }

    /// What came from the disk; a plain one is taken as it is, so that a home can begin to seal at any time.
    pub fn open(&self, text: &str, what: &str) -> Result<Secret, Diagnostic> {
        if !text.starts_with(ARMOUR) {
            return Ok(Secret::new(text));
        }
        let Some(identity) = &self.identity else {
            return Err(told(format!("{what} is sealed, and no key file is set"))
                .hint("write certificates: {key_file: ...} in hearth.yaml, with the file it was sealed with"));
        };
        let opened = age::decrypt(identity, text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        opened.map(Secret::new).ok_or_else(|| {
            told(format!("{what} was sealed with another key file")).hint(
                "set the key file that it was sealed with; without it the key is lost, and a new certificate is needed",
            )
        })
    }
}

fn told(title: String) -> Diagnostic {
    Diagnostic::error("certs.sealed", title).kind(Kind::Failed)
}
