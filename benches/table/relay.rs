//! Stands between a program and the engine and notes when a call is open. So the share of a run that is not the engine's is seen from
//! outside, without a word from the program itself. A stream of events is no call: nothing is asked of the engine while it is open.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::http::{Head, Length, body};

/// Calls of one kind.
#[derive(Default, Clone, Copy)]
pub struct Tally {
    pub calls: usize,
    pub time: Duration,
}

#[derive(Default)]
struct Watch {
    open: usize,
    since: Option<Instant>,
    busy: Duration,
    most: usize,
    kinds: BTreeMap<String, Tally>,
    /// Streams of events that are open.
    listening: usize,
}

/// A socket before the engine's. It lives as long as the program; what it noted is taken run by run.
pub struct Relay {
    pub socket: PathBuf,
    watch: Arc<Mutex<Watch>>,
}

/// What was noted since the last [`Relay::take`].
pub struct Noted {
    /// Time during which at least one call was open.
    pub busy: Duration,
    /// The most calls open at once.
    pub most: usize,
    /// By method and path, names and ids replaced by `*`.
    pub kinds: BTreeMap<String, Tally>,
}

impl Relay {
    /// Listens on `socket` and hands on to `engine`.
    pub fn start(socket: PathBuf, engine: &Path) -> Result<Relay, String> {
        let listener = UnixListener::bind(&socket).map_err(|e| format!("{}: {e}", socket.display()))?;
        let watch = Arc::new(Mutex::new(Watch::default()));
        let (engine, notes) = (engine.to_path_buf(), Arc::clone(&watch));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (engine, notes) = (engine.clone(), Arc::clone(&notes));
                // A connection that breaks ends its thread; the program that it belongs to says what went wrong.
                std::thread::spawn(move || hand_on(client, &engine, &notes));
            }
        });
        Ok(Relay { socket, watch })
    }

    /// How many streams of events are open.
    pub fn listening(&self) -> usize {
        self.watch.lock().unwrap_or_else(|e| e.into_inner()).listening
    }

    pub fn take(&self) -> Noted {
        let mut watch = self.watch.lock().unwrap_or_else(|e| e.into_inner());
        let listening = watch.listening;
        let old = std::mem::replace(&mut *watch, Watch { listening, ..Watch::default() });
        Noted { busy: old.busy, most: old.most, kinds: old.kinds }
    }
}

fn hand_on(client: UnixStream, engine: &Path, watch: &Mutex<Watch>) -> io::Result<()> {
    let upstream = UnixStream::connect(engine)?;
    let (mut to_engine, mut to_client) = (upstream.try_clone()?, client.try_clone()?);
    let (mut requests, mut answers) = (BufReader::new(client), BufReader::new(upstream));
    while let Some(head) = Head::read(&mut requests)? {
        let listens = kind(&head.first).ends_with("/events");
        let mut call = Some(open(watch)).filter(|_| !listens);
        let _listening = listens.then(|| Listening::begin(watch));
        let mut message = head.bytes;
        body(&mut requests, head.length, &mut message, true)?;
        to_engine.write_all(&message)?;
        let Some(answer) = Head::read(&mut answers)? else { break };
        let switched = answer.status() == 101;
        let mut first = answer.bytes;
        match answer.length {
            // Head and body in one write, as the engine sent them.
            Length::Fixed(_) => {
                body(&mut answers, answer.length, &mut first, true)?;
                to_client.write_all(&first)?;
            }
            _ => {
                to_client.write_all(&first)?;
                if switched {
                    let mut both = (requests.get_ref().try_clone()?, to_engine.try_clone()?);
                    std::thread::spawn(move || io::copy(&mut both.0, &mut both.1));
                }
                body(&mut answers, answer.length, &mut to_client, true)?;
            }
        }
        if let Some(call) = &mut call {
            call.kind = Some(kind(&head.first));
        }
        drop(call);
        if answer.length == Length::UntilClose {
            break;
        }
    }
    Ok(())
}

/// A stream of events that is open until this is dropped.
struct Listening<'w>(&'w Mutex<Watch>);

impl Listening<'_> {
    fn begin(watch: &Mutex<Watch>) -> Listening<'_> {
        watch.lock().unwrap_or_else(|e| e.into_inner()).listening += 1;
        Listening(watch)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).listening -= 1;
    }
}

/// A call that is open until this is dropped: also where the program hangs up first, as on a ping that it needs no more.
struct Call<'w> {
    watch: &'w Mutex<Watch>,
    begun: Instant,
    /// What it was, once it has its whole answer.
    kind: Option<String>,
}

fn open(watch: &Mutex<Watch>) -> Call<'_> {
    let begun = Instant::now();
    let mut state = watch.lock().unwrap_or_else(|e| e.into_inner());
    state.open += 1;
    state.most = state.most.max(state.open);
    state.since.get_or_insert(begun);
    Call { watch, begun, kind: None }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut watch = self.watch.lock().unwrap_or_else(|e| e.into_inner());
        watch.open = watch.open.saturating_sub(1);
        if watch.open == 0
            && let Some(since) = watch.since.take()
        {
            watch.busy += since.elapsed();
        }
        if let Some(kind) = self.kind.take() {
            let tally = watch.kinds.entry(kind).or_default();
            tally.calls += 1;
            tally.time += self.begun.elapsed();
        }
    }
}

/// `POST /v1.45/containers/3f2a/start` is `POST /containers/*/start`.
fn kind(first: &str) -> String {
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').filter(|p| !p.is_empty()).collect();
    let known = [
        "containers",
        "networks",
        "volumes",
        "images",
        "json",
        "create",
        "start",
        "stop",
        "kill",
        "wait",
        "rename",
        "update",
        "connect",
        "disconnect",
        "events",
        "version",
        "info",
        "_ping",
        "archive",
        "logs",
        "exec",
    ];
    let shown = parts.iter().filter(|p| !p.starts_with("v1.")).map(|p| if known.contains(p) { *p } else { "*" });
    shown.fold(format!("{method} "), |out, part| format!("{out}/{part}"))
}
