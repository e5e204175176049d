//! What `hearth.yaml` says of people counts without a new start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::auth::accounts::Auth;
use crate::config;
use crate::stacks::Home;

/// How often is looked whether the file has changed.
const LOOK: Duration = Duration::from_secs(2);

/// Goes on until `stop`. A file that cannot be read changes nothing, and is said once.
pub async fn keep(dir: PathBuf, auth: Arc<Auth>, stop: CancellationToken) {
    let file = dir.join(config::FILE);
    // Looked at once more: it may have changed since the start.
    let mut last = None;
    loop {
        let now = stamp(&file);
        if now != last {
            last = now;
            let dir = dir.clone();
            match tokio::task::spawn_blocking(move || Home::open(dir)).await {
                Ok(Ok(home)) => auth.take_up(home.config.people),
                Ok(Err(_)) => {
                    tracing::warn!(
                        "{} cannot be read (`hearth plan` says why): what it said of people goes on",
                        config::FILE
                    );
                }
                Err(_) => {}
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
