//! Whether what was written has arrived: every name is asked for its certificate until Traefik serves the new one. Where it does not
//! (a mount that reports no changes), Traefik is told to read its folder again; where that does not help either, somebody is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio::time::{Instant, sleep};

use super::client;
use super::state::Served;
use crate::diag::{Diagnostic, Kind};

/// How long Traefik has each time; its own throttle is two seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(250);

/// A name, and the certificate that it should get: SHA-256 of the leaf, lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub host: String,
    pub fingerprint: String,
}

/// Looks until all are served; `reload` is called once in the middle. Gives what should be said where some never are.
pub async fn confirm<F>(front: SocketAddr, expected: &[Expected], reload: impl FnOnce() -> F) -> Result<(), Diagnostic>
where
    F: Future<Output = ()>,
{
    let mut missing = wait(front, expected).await;
    if missing.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        names = missing.len(),
        "Traefik does not serve the new certificates; it is told to read its files again"
    );
    reload().await;
    missing = wait(front, &missing).await;
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(undelivered(first, missing.len())),
    }
}

async fn wait(front: SocketAddr, expected: &[Expected]) -> Vec<Expected> {
    let roots = Arc::new(RootCertStore::empty());
    let began = Instant::now();
    let mut missing = expected.to_vec();
    loop {
        let mut still = Vec::new();
        for one in missing {
            // Any answer will do, and so does none: the certificate comes before it.
            let seen = client::look(front, &one.host, "/.well-known/hearth-probe", "*/*", roots.clone()).await;
            if Served::of(&seen).is_none_or(|served| served.fingerprint != one.fingerprint) {
                still.push(one);
            }
        }
        missing = still;
        if missing.is_empty() || began.elapsed() > PATIENCE {
            return missing;
        }
        sleep(STEP).await;
    }
}

fn undelivered(first: &Expected, count: usize) -> Diagnostic {
    let title = match count {
        1 => format!("Traefik does not serve the new certificate of {}", first.host),
        n => format!("Traefik does not serve the new certificates of {} and {} more names", first.host, n - 1),
    };
    Diagnostic::error("proxy.undelivered", title)
        .kind(Kind::Failed)
        .hint("hearth logs traefik says why; hearth restart traefik makes it read everything anew")
}
