//! The panel's end of the line to gate: a socket, at which each gate that comes is told everything, and then what changes.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::place;
use super::refusals::Refusals;
use super::sessions::Sessions;
use crate::diag::{Diagnostic, Kind as Fault};
use crate::traefik::forward::wire::{self, Doors, Grant, Hash, Kind, LINE, ToGate, ToPanel, VERSION};

/// Gates at once: there is one, and for a moment two while it is replaced.
const GATES: usize = 8;
/// For a gate's first words, and for one line to reach it.
const GREETING: Duration = Duration::from_secs(10);
const SENDING: Duration = Duration::from_secs(10);
/// For one look-up: a gate gives up after two seconds.
const LOOK: Duration = Duration::from_secs(2);
/// After a look at all sessions that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// Answers of one gate that are looked at again with each change; past that the eldest are told to have ended, and are asked for anew.
const ANSWERED: usize = 10_000;

/// Listens at a home's socket until `stop`. `doors`: what of the home gate has to know, as soon as it is known.
pub async fn serve(
    home: &Path,
    sessions: Arc<dyn Sessions>,
    refusals: Arc<dyn Refusals>,
    doors: watch::Receiver<Option<Doors>>,
    stop: CancellationToken,
) -> Result<(), Diagnostic> {
    let listener = listen(home).map_err(|error| {
        let title = format!("gate cannot reach Hearth, as nothing can listen in {}: {error}", place::FOLDER);
        Diagnostic::error("auth.gate-socket", title)
            .kind(Fault::Failed)
            .hint("give the folder `state` of the home to the user who runs Hearth, with all that is in it")
    })?;
    let places = Arc::new(Semaphore::new(GATES));
    let gates = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!("gate could not be heard: {error}");
                sleep(AGAIN).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        if !is_gate(&stream) {
            warn!("somebody who is not gate came to its socket, and was sent away");
            continue;
        }
        let (sessions, refusals, doors, stop) = (sessions.clone(), refusals.clone(), doors.clone(), stop.clone());
        gates.spawn(async move {
            tokio::select! {
                ended = Gate::talk(stream, sessions, refusals, doors) => if let Err(why) = ended {
                    debug!(%why, "gate went away");
                },
                () = stop.cancelled() => {}
            }
            drop(place);
        });
    }
    gates.close();
    gates.wait().await;
    Ok(())
}

fn listen(home: &Path) -> io::Result<UnixListener> {
    let folder = place::folder(home)?;
    // A path of a socket has 108 bytes at most, and a home may lie deep.
    let held = fs::File::open(&folder.dir)?;
    let path = Path::new("/proc/self/fd").join(held.as_raw_fd().to_string()).join(place::SOCKET);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // Gate is root without its powers, so for a socket of somebody else's it is a stranger like any other; see `is_gate`.
    let mode = folder.mode(0o600, 0o666);
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

/// Whether the other end runs as root, as gate does, or as this very user.
fn is_gate(stream: &UnixStream) -> bool {
    let me = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == me)
}

/// One gate.
struct Gate {
    sessions: Arc<dyn Sessions>,
    refusals: Arc<dyn Refusals>,
    /// What became of refusals that it told.
    noted: mpsc::Sender<(u64, bool)>,
    write: OwnedWriteHalf,
    /// What it was told, but for when it was last used.
    told: HashMap<Hash, Grant>,
    /// What it asked for by itself and was told, which is not among all sessions; and its order.
    answered: HashMap<Hash, (u64, Kind, Grant)>,
    count: u64,
}

impl Gate {
    async fn talk(
        stream: UnixStream,
        sessions: Arc<dyn Sessions>,
        refusals: Arc<dyn Refusals>,
        mut doors: watch::Receiver<Option<Doors>>,
    ) -> io::Result<()> {
        let (read, write) = stream.into_split();
        let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(LINE));
        let first = timeout(GREETING, lines.next()).await.map_err(|_| no("it does not greet"))?;
        match heard(first)? {
            ToPanel::Hello { version } if version != VERSION => {
                warn!(theirs = version, ours = VERSION, "gate is of another Hearth: hearth up --build");
            }
            ToPanel::Hello { .. } => {}
            _ => return Err(no("it does not greet")),
        }
        let mut changes = sessions.changes();
        let now = doors.wait_for(Option::is_some).await.map_err(|_| no("Hearth ends"))?.clone();
        let (told, answered) = (HashMap::new(), HashMap::new());
        let (noted, mut entered) = mpsc::channel(1);
        let mut gate = Gate { sessions, refusals, noted, write, told, answered, count: 0 };
        changes.mark_unchanged();
        let all = gate.sessions.all().await.map_err(|d| no(&d.title))?;
        gate.told = all.iter().map(|(hash, grant)| (*hash, still(grant))).collect();
        if let Some(doors) = now {
            gate.say(&ToGate::Snapshot { version: VERSION, doors, sessions: all }).await?;
        }
        let mut behind = false;
        loop {
            tokio::select! {
                line = lines.next() => gate.hear(heard(line)?).await?,
                changed = doors.changed() => {
                    changed.map_err(|_| no("Hearth ends"))?;
                    let now = doors.borrow_and_update().clone();
                    if let Some(doors) = now {
                        gate.say(&ToGate::Doors(doors)).await?;
                    }
                }
                changed = changes.changed() => {
                    changed.map_err(|_| no("Hearth ends"))?;
                    behind = !gate.tell_changes().await?;
                }
                Some((id, entered)) = entered.recv() => gate.say(&ToGate::Noted { id, entered }).await?,
                () = sleep(AGAIN), if behind => behind = !gate.tell_changes().await?,
            }
        }
    }

    async fn hear(&mut self, said: ToPanel) -> io::Result<()> {
        match said {
            ToPanel::Hello { .. } => Ok(()),
            ToPanel::Used(all) => {
                self.sessions.used(all).await;
                Ok(())
            }
            ToPanel::Refused { id, all, lost } => {
                let (refusals, noted) = (self.refusals.clone(), self.noted.clone());
                // Beside: whoever asks does not wait for a disk. Gate tells the next when it has heard what became of these.
                tokio::spawn(async move {
                    let done = refusals.refused(all, lost).await;
                    if let Err(why) = &done {
                        warn!(%why, "whom gate has turned away could not be entered into the audit log; it tells it again");
                    }
                    let _ = noted.send((id, done.is_ok())).await;
                });
                Ok(())
            }
            ToPanel::Ask { id, kind, hash } => {
                // Without an answer gate lets nobody in, which is right as long as nothing is known.
                let Ok(Ok(grant)) = timeout(LOOK, self.sessions.whose(kind, hash)).await else { return Ok(()) };
                if let Some(grant) = &grant {
                    self.remember(hash, kind, grant).await?;
                }
                self.say(&ToGate::Answer { id, grant }).await
            }
        }
    }

    async fn remember(&mut self, hash: Hash, kind: Kind, grant: &Grant) -> io::Result<()> {
        if self.answered.len() >= ANSWERED
            && let Some(eldest) = self.answered.iter().min_by_key(|(_, (count, ..))| *count).map(|(hash, _)| *hash)
        {
            self.answered.remove(&eldest);
            self.say(&ToGate::End(eldest)).await?;
        }
        self.count += 1;
        self.answered.insert(hash, (self.count, kind, still(grant)));
        Ok(())
    }

    /// Says what is another thing than it was. Gives whether all could be looked up.
    async fn tell_changes(&mut self) -> io::Result<bool> {
        let Ok(all) = self.sessions.all().await else { return Ok(false) };
        let mut now: HashMap<Hash, Grant> = all.into_iter().collect();
        let mut known = true;
        // What ends is told first: it matters most.
        let gone: Vec<Hash> = self.told.keys().filter(|hash| !now.contains_key(hash)).copied().collect();
        for hash in gone {
            self.told.remove(&hash);
            self.answered.remove(&hash);
            self.say(&ToGate::End(hash)).await?;
        }
        let asked: Vec<(Hash, Kind)> = self.answered.iter().map(|(hash, (_, kind, _))| (*hash, *kind)).collect();
        for (hash, kind) in asked {
            if now.contains_key(&hash) {
                // From now on it is among all.
                self.answered.remove(&hash);
                continue;
            }
            match timeout(LOOK, self.sessions.whose(kind, hash)).await {
                Ok(Ok(Some(grant))) => drop(now.insert(hash, grant)),
                Ok(Ok(None)) => {
                    self.answered.remove(&hash);
                    self.say(&ToGate::End(hash)).await?;
                }
                _ => known = false,
            }
        }
        for (hash, grant) in now {
            let new = still(&grant);
            let old = match self.answered.get_mut(&hash) {
                Some((_, _, old)) => Some(std::mem::replace(old, new.clone())),
                None => self.told.insert(hash, new.clone()),
            };
            if old != Some(new) {
                self.say(&ToGate::Set(hash, grant)).await?;
            }
        }
        Ok(known)
    }

    async fn say(&mut self, said: &ToGate) -> io::Result<()> {
        timeout(SENDING, self.write.write_all(&wire::line(said))).await.map_err(|_| no("it does not listen"))?
    }
}

/// A grant but for when it was last used, which gate itself knows best.
fn still(grant: &Grant) -> Grant {
    Grant { used: 0, ..grant.clone() }
}

fn heard(line: Option<Result<String, tokio_util::codec::LinesCodecError>>) -> io::Result<ToPanel> {
    match line {
        None => Err(no("it ended")),
        Some(Err(error)) => Err(io::Error::other(error)),
        Some(Ok(line)) => serde_json::from_str(&line).map_err(|_| no("it says what this Hearth does not understand")),
    }
}

fn no(words: &str) -> io::Error {
    io::Error::other(words)
}
