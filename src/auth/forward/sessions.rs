//! What a login needs of accounts: whose a session or token is, and a session on one more host.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::traefik::forward::wire::{Grant, Hash, Kind};

/// Sessions on routed hosts, each a part of one of the panel's: it ends with that.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// All that hold now.
    async fn all(&self) -> Result<Vec<(Hash, Grant)>, Diagnostic>;

    /// Whose a session of a routed host, or an API token with scopes `route:NAME`, is; `None`: nobody's, as far as can be known.
    async fn whose(&self, kind: Kind, hash: Hash) -> Result<Option<Grant>, Diagnostic>;

    /// Is told after each change that could make, change or end any of them, however many came together. What it is is looked up anew.
    fn changes(&self) -> watch::Receiver<u64>;

    /// When some were last used, in milliseconds since 1970.
    async fn used(&self, all: Vec<(Hash, i64)>);

    /// A new session on `host` for whoever has the panel's session with this public id; `None` where that does not hold.
    async fn open(&self, parent: &str, host: &str) -> Result<Option<Opened>, Diagnostic>;

    /// Ends this one session of a host; the panel's and its other parts stay.
    async fn leave(&self, hash: Hash) -> Result<(), Diagnostic>;

    /// Ends the panel's session of which this one of a host is a part, and with it all its parts. `None`: it was nobody's.
    async fn sign_out(&self, hash: Hash) -> Result<Option<Person>, Diagnostic>;
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: i64,
    pub name: String,
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The cookie's value: 43 characters of base64url.
    pub cookie: Secret,
    /// Seconds until it ends whatever happens.
    pub lasts: i64,
}
