//! The line to the panel: kept as long as gate runs, made anew whenever it is cut. What is known meanwhile stays known.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::known::{Kept, Known};
use super::refusals::{Batch, Refusals};
use crate::base::files;
use crate::traefik::forward::wire::{self, Hash, Kind, SNAPSHOT, ToGate, ToPanel, VERSION, WRITTEN, Written};

/// Between two tries to reach the panel.
const AGAIN: Duration = Duration::from_millis(200);
/// For the panel's first words.
const GREETING: Duration = Duration::from_secs(10);
/// How often the panel is told of uses.
const USED: Duration = Duration::from_secs(15);
/// How often it is told of whom was turned away.
const REFUSED: Duration = Duration::from_secs(5);
/// Uses in one line.
const TOGETHER: usize = 4096;
/// Lines that wait to be sent.
const QUEUE: usize = 1024;

/// Why nothing is known about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered;

type Pending = Mutex<HashMap<u64, (Hash, oneshot::Sender<Option<Arc<Kept>>>)>>;

/// The line.
pub struct Line {
    panel: PathBuf,
    known: Arc<Known>,
    refusals: Arc<Refusals>,
    open: watch::Sender<Option<mpsc::Sender<Vec<u8>>>>,
    pending: Pending,
    last: AtomicU64,
}

impl Line {
    pub fn new(panel: PathBuf, known: Arc<Known>, refusals: Arc<Refusals>) -> Line {
        Line {
            panel,
            known,
            refusals,
            open: watch::Sender::new(None),
            pending: Mutex::default(),
            last: AtomicU64::new(0),
        }
    }

    /// Whether the panel is there.
    pub fn is_open(&self) -> bool {
        self.open.borrow().is_some()
    }

    /// Whose it is, as the panel says; a line that is cut in between is waited for.
    pub async fn ask(&self, kind: Kind, hash: Hash, until: Instant) -> Result<Option<Arc<Kept>>, Unanswered> {
        let mut open = self.open.subscribe();
        let asking = async {
            loop {
                let line = open.borrow_and_update().clone();
                if let Some(line) = line {
                    let id = self.last.fetch_add(1, Ordering::Relaxed);
                    let (sender, answered) = oneshot::channel();
                    let _pending = Waits { pending: &self.pending, id };
                    self.pending().insert(id, (hash, sender));
                    if line.send(wire::line(&ToPanel::Ask { id, kind, hash })).await.is_ok()
                        && let Ok(found) = answered.await
                    {
                        return Some(found);
                    }
                }
                open.changed().await.ok()?;
            }
        };
        timeout_at(until, asking).await.ok().flatten().ok_or(Unanswered)
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Hash, oneshot::Sender<Option<Arc<Kept>>>)>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the panel; whether it came in time.
    pub async fn wait(&self, until: Instant) -> bool {
        timeout_at(until, self.open.subscribe().wait_for(Option::is_some)).await.is_ok_and(|open| open.is_ok())
    }

    /// Keeps it, until `stop`.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut said = String::new();
        let mut written = None;
        loop {
            self.look_beside(&mut written);
            let ended = tokio::select! {
                ended = self.once(&mut said) => ended,
                () = stop.cancelled() => return,
            };
            self.open.send_replace(None);
            self.pending().clear();
            // Once for each reason: a panel may be away for long.
            let why = ended.err().map_or_else(|| "it ended".into(), |error| error.to_string());
            if why != said {
                warn!(why, panel = %self.panel.display(), "the panel is away: who is known goes on, others cannot sign in");
                said = why;
            }
            tokio::select! {
                () = sleep(AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// While the panel is away: the doors as they lie beside its socket, where they are new. They are a small file on this machine.
    fn look_beside(&self, seen: &mut Option<(u64, SystemTime)>) {
        let path = self.panel.with_file_name(WRITTEN);
        let stamp = std::fs::metadata(&path).ok().and_then(|found| Some((found.len(), found.modified().ok()?)));
        if stamp.is_none() || stamp == *seen {
            return;
        }
        let read = files::read(&path).ok().and_then(|text| serde_json::from_slice::<Written>(&text).ok());
        match read.filter(|written| written.version == VERSION) {
            Some(written) => self.known.set_doors(written.doors),
            None => warn!(path = %path.display(), "the doors that lie there are of another Hearth, or cannot be read"),
        }
        *seen = stamp;
    }

    /// One connection, until it ends.
    async fn once(&self, said: &mut String) -> io::Result<()> {
        let stream = UnixStream::connect(&self.panel).await?;
        let (read, mut write) = stream.into_split();
        let mut lines = FramedRead::new(read, LinesCodec::new_with_max_length(SNAPSHOT));
        let (sender, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
        let writing = async {
            write.write_all(&wire::line(&ToPanel::Hello { version: VERSION })).await?;
            while let Some(line) = queue.recv().await {
                write.write_all(&line).await?;
            }
            Ok(())
        };
        let reading = async {
            let first = timeout(GREETING, lines.next()).await.map_err(|_| no("it does not greet"))?;
            match heard(first)? {
                ToGate::Snapshot { version: VERSION, doors, sessions } => self.known.replace(doors, sessions),
                ToGate::Snapshot { version, .. } => {
                    return Err(no(&format!(
                        "it speaks version {version}, and this gate {VERSION}: hearth up --build"
                    )));
                }
                _ => return Err(no("it does not greet")),
            }
            info!("the panel is there");
            said.clear();
            self.open.send_replace(Some(sender.clone()));
            loop {
                match heard(lines.next().await)? {
                    ToGate::Snapshot { doors, sessions, .. } => self.known.replace(doors, sessions),
                    ToGate::Doors(doors) => self.known.set_doors(doors),
                    ToGate::Set(hash, grant) => drop(self.known.set(hash, grant)),
                    ToGate::End(hash) => self.known.end(&hash),
                    ToGate::Noted { id, entered } => self.refusals.answered(id, entered),
                    ToGate::Answer { id, grant } => {
                        let Some((hash, waits)) = self.pending().remove(&id) else { continue };
                        let kept = grant.map(|grant| self.known.set(hash, grant));
                        if kept.is_none() {
                            self.known.set_nobodys(hash);
                        }
                        let _ = waits.send(kept);
                    }
                }
            }
        };
        let telling = async {
            loop {
                sleep(USED).await;
                if self.is_open() {
                    for some in self.known.used().chunks(TOGETHER) {
                        let _ = sender.send(wire::line(&ToPanel::Used(some.to_vec()))).await;
                    }
                }
            }
        };
        let refusing = async {
            loop {
                sleep(REFUSED).await;
                if let Some(Batch { id, all, lost }) = self.is_open().then(|| self.refusals.next()).flatten() {
                    let _ = sender.send(wire::line(&ToPanel::Refused { id, all, lost })).await;
                }
            }
        };
        let ended = tokio::select! {
            ended = reading => ended,
            ended = writing => ended,
            () = telling => Ok(()),
            () = refusing => Ok(()),
        };
        self.refusals.again();
        ended
    }
}

fn heard(line: Option<Result<String, tokio_util::codec::LinesCodecError>>) -> io::Result<ToGate> {
    match line {
        None => Err(no("it ended")),
        Some(Err(error)) => Err(io::Error::other(error)),
        Some(Ok(line)) => serde_json::from_str(&line).map_err(|_| no("it says what this gate does not understand")),
    }
}

fn no(words: &str) -> io::Error {
    io::Error::other(words)
}

/// Forgets a question when nobody waits for its answer any more.
struct Waits<'p> {
    pending: &'p Pending,
    id: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
