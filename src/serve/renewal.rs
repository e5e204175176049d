//! Certificates by ACME: the keeper of the room of certificates, told by the front door which hosts there are.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::Loops;
use crate::base::clock::Clock;
use crate::certs::keeper::{self, Change};
use crate::certs::room::Room;
use crate::config::certificates::Issuer;
use crate::diag::{Diagnostic, log};
use crate::proxy::Found;

/// Starts it, where the home asks a public authority at all. `changed` is called when other certificates than before are stored.
pub fn begin(
    room: &Room,
    loops: &mut Loops,
    clock: Arc<dyn Clock>,
    found: watch::Receiver<Found>,
    changed: Arc<dyn Fn() + Send + Sync>,
) -> Result<(), Diagnostic> {
    if room.settings.issuer != Issuer::Acme {
        return Ok(());
    }
    let parts = room.parts(clock, Arc::new(rand::random::<f64>))?;
    let (want, wanted) = watch::channel(Vec::new());
    let want = Arc::new(want);
    let asking = room.clone();
    loops.spawn("wanted certificates", move |stop| {
        let (asking, want, mut found) = (asking.clone(), want.clone(), found.clone());
        async move {
            loop {
                let Found { domain, hosts, .. } = found.borrow_and_update().clone();
                if !hosts.is_empty() {
                    let wants = asking.wants(&asking.sets(&domain, &hosts));
                    want.send_if_modified(|old| {
                        let new = *old != wants;
                        *old = wants;
                        new
                    });
                }
                tokio::select! {
                    changed = found.changed() => if changed.is_err() { return stop.cancelled().await },
                    () = stop.cancelled() => return,
                }
            }
        }
    });
    loops.spawn("certificates", move |stop| {
        let (parts, wanted, changed) = (parts.clone(), wanted.clone(), changed.clone());
        async move {
            // Requests of people come with the panel; `hearth certs renew` does it by itself.
            let (_ask, asked) = mpsc::channel(1);
            let tell = |change: Change| match change {
                Change::Certificates => changed(),
                Change::Told(d) => log(&d),
            };
            keeper::keep(parts, wanted, asked, stop.cancelled(), tell).await;
        }
    });
    Ok(())
}
