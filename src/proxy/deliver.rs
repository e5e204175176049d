//! Whether what was written has arrived: Traefik is asked which text it has read, and every name for its certificate, until both are the
//! new ones. Where they are not (a mount that reports no changes), Traefik is told to read its folder again; where that does not help
//! either, somebody is told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio::time::{Instant, sleep};

use super::look;
use super::traefik::Api;
use crate::diag::{Diagnostic, Kind};
use crate::plan::observed::{Container, State};
use crate::spec::front;
use crate::stacks::home::Home;
use crate::traefik::file;

/// How long Traefik has each time; its own throttle is two seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(250);

/// How long Traefik has to see a change by itself: its throttle, and a little. All of it together is less than [`PATIENCE`].
const UNTOLD: Duration = Duration::from_secs(4);

/// The running Traefik of a home.
pub fn running(containers: &[Container]) -> Option<&Container> {
    containers.iter().find(|c| c.is_of(front::TRAEFIK)).filter(|c| c.state == State::Running)
}

/// Sees to it that a running Traefik has read `text`, the file as it is now. `reload` gets its container, and tells it to read again.
pub async fn read<F>(
    home: &Home,
    containers: &[Container],
    text: &str,
    reload: impl FnOnce(String) -> F,
) -> Result<(), Diagnostic>
where
    F: Future<Output = ()>,
{
    // One that does not run reads it when it starts.
    let (Some(traefik), Some(revision)) = (running(containers), file::revision(text)) else { return Ok(()) };
    let Some(api) = look::api(home, containers) else { return Ok(()) };
    if has(&api, revision, UNTOLD).await {
        return Ok(());
    }
    tracing::info!("Traefik did not see its file change; it is told to read it again");
    reload(traefik.id.clone()).await;
    if has(&api, revision, PATIENCE).await {
        return Ok(());
    }
    let title = "Traefik has not read the file that Hearth wrote for it, and goes on with the one before";
    Err(Diagnostic::error("proxy.unread", title)
        .kind(Kind::Failed)
        .hint("hearth logs traefik says why; hearth restart traefik makes it read everything anew"))
}

async fn has(api: &Api, revision: &str, patience: Duration) -> bool {
    let began = Instant::now();
    loop {
        if api.has_middleware(revision).await {
            return true;
        }
        if began.elapsed() > patience {
            return false;
        }
        sleep(STEP).await;
    }
}

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
            let shown = look::leaf(front, &one.host, roots.clone()).await;
            if shown.map(|leaf| leaf.fingerprint).as_ref() != Ok(&one.fingerprint) {
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
