//! Certificates by ACME: the keeper of the room of certificates, told by the front door which hosts there are, and begun anew when
//! the home says other things about certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::Loops;
use crate::auth::audit::Log;
use crate::base::clock::{Clock, rfc3339};
use crate::certs::keeper::{self, Change};
use crate::certs::renewal::Want;
use crate::certs::room::Room;
use crate::config;
use crate::config::certificates::Issuer;
use crate::diag::{Diagnostic, log};
use crate::proxy::Found;
use crate::stacks::Home;

/// How often is looked whether the home says other things.
const LOOK: Duration = Duration::from_secs(2);

/// The action of an entry that tells of a new certificate.
pub const RENEWED: &str = "certs.renewed";

/// What the keeper of a home's certificates works with.
#[derive(Clone)]
struct Keeping {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
    /// Where it is entered that certificates are new.
    log: Log,
    found: watch::Receiver<Found>,
    /// Called when other certificates than before are stored.
    changed: Arc<dyn Fn() + Send + Sync>,
}

/// Starts it; it rests where the home asks no public authority. `changed` is called when other certificates than before are stored.
pub fn begin(
    home: &Home,
    room: &Room,
    loops: &mut Loops,
    log: Log,
    found: watch::Receiver<Found>,
    changed: Arc<dyn Fn() + Send + Sync>,
) -> Result<(), Diagnostic> {
    let keeping = Keeping { dir: home.dir.clone(), clock: log.clock(), log, found, changed };
    // What cannot work is refused at the start.
    if room.settings.issuer == Issuer::Acme {
        room.parts(keeping.clock.clone(), Arc::new(rand::random::<f64>))?;
    }
    let room = room.clone();
    loops.spawn("certificates", move |stop| {
        let (keeping, mut room) = (keeping.clone(), room.clone());
        async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = keeping.keep(&room) => {}
                    other = keeping.other(&room) => {
                        tracing::info!("what stands under certificates: has changed, and counts from now on");
                        room = other;
                    }
                }
            }
        }
    });
    Ok(())
}

impl Keeping {
    /// Keeps certificates as this room says, until it is dropped. An order under way is then gone on with by the next one.
    async fn keep(&self, room: &Room) {
        if room.settings.issuer != Issuer::Acme {
            return std::future::pending().await;
        }
        let parts = match room.parts(self.clock.clone(), Arc::new(rand::random::<f64>)) {
            Ok(parts) => parts,
            Err(why) => {
                log(&why);
                return std::future::pending().await;
            }
        };
        let (want, wanted) = watch::channel(Vec::new());
        // Requests of people come with the panel; `hearth certs renew` does it by itself.
        let (_ask, asked) = mpsc::channel(1);
        let tell = |change: Change| match change {
            Change::Certificates => (self.changed)(),
            Change::Issued(new) => {
                let (log, until) = (self.log.clone(), rfc3339(new.not_after));
                let detail = json!({ "until": until, "authority": new.directory });
                tokio::spawn(async move { log.add_own(RENEWED, &new.names.join(" "), detail).await });
            }
            Change::Failed(d) => tracing::warn!(code = d.code, hints = d.hints.join("; "), "{}", d.title),
            Change::Told(d) => log(&d),
        };
        let never = std::future::pending();
        tokio::join!(self.want(room, want), keeper::keep(parts, wanted, asked, never, tell));
    }

    /// Says what is wanted for the hosts that there are, again and again.
    async fn want(&self, room: &Room, want: watch::Sender<Vec<Want>>) {
        let mut found = self.found.clone();
        loop {
            let Found { domain, hosts, .. } = found.borrow_and_update().clone();
            let wants = room.wants(&room.sets(&domain, &hosts));
            want.send_if_modified(|old| {
                let new = *old != wants;
                *old = wants;
                new
            });
            if found.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Waits until the home says other things about certificates; what cannot be read counts as not said yet.
    async fn other(&self, room: &Room) -> Room {
        let mut stamp = stamp(&self.dir);
        loop {
            sleep(LOOK).await;
            let now = self::stamp(&self.dir);
            if now == stamp {
                continue;
            }
            stamp = now;
            let Ok(home) = Home::open(self.dir.clone()) else { continue };
            match room.again(&home) {
                Ok(other) if other.is_as(room) => {}
                Ok(other) => return other,
                Err(why) => log(&why),
            }
        }
    }
}

/// Size and time of the files that say it.
fn stamp(dir: &Path) -> [Option<(u64, SystemTime)>; 2] {
    [config::FILE, ".env"].map(|file| {
        let found = std::fs::metadata(dir.join(file)).ok()?;
        Some((found.len(), found.modified().ok()?))
    })
}
