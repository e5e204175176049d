//! A socket between hearth and the engine: it sees every call, and can kill, hang or cut at any of them.
//!
//! So a crash is a real `kill -9` at a moment that is chosen exactly (the engine has done the call, its answer never arrives), with nothing
//! built into the program for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// One call as the engine's API knows it: `POST`, `/containers/create`; ids and versions taken out of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub method: String,
    pub path: String,
}

impl Call {
    fn from(head: &str) -> Option<Call> {
        let mut words = head.lines().next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let path = target.split('?').next()?;
        let parts = path.split('/').filter(|p| !p.is_empty()).skip_while(|p| p.starts_with('v') && p.contains('.'));
        let mut named = String::new();
        let verbs = [
            "create",
            "start",
            "stop",
            "kill",
            "rename",
            "update",
            "wait",
            "json",
            "pause",
            "unpause",
            "connect",
            "disconnect",
            "logs",
            "exec",
            "prune",
        ];
        for (n, part) in parts.enumerate() {
            named.push('/');
            named.push_str(if n == 0 || verbs.contains(&part) { part } else { "*" });
        }
        Some(Call { method, path: named })
    }

    /// Whether it changes something.
    pub fn acts(&self) -> bool {
        self.method != "GET" && self.method != "HEAD" && !self.path.ends_with("/wait")
    }

    /// As `POST /containers/*/start`.
    pub fn kind(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What to do with a call, decided as it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// Let the engine do it; its answer is kept, and whatever `at_end` does is done instead.
    SwallowAnswer,
    /// Never pass it on, never answer: an engine that hangs.
    Hang,
    /// Never pass it on, answer 500: an engine that fails at this.
    Refuse,
}

type Judge = Box<dyn Fn(&Call) -> Verdict + Send + Sync>;

struct Inner {
    upstream: PathBuf,
    judge: Judge,
    /// Done when an answer was swallowed: the kill.
    at_end: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    calls: Mutex<Vec<Call>>,
    closed: AtomicBool,
}

/// Listens until dropped.
pub struct Proxy {
    inner: Arc<Inner>,
    socket: PathBuf,
}

impl Proxy {
    /// A proxy before `upstream`, listening at `socket`.
    pub fn new(socket: PathBuf, upstream: &Path, judge: impl Fn(&Call) -> Verdict + Send + Sync + 'static) -> Proxy {
        let listener = UnixListener::bind(&socket).expect("a socket can be made in a temporary folder");
        let inner = Arc::new(Inner {
            upstream: upstream.to_owned(),
            judge: Box::new(judge),
            at_end: Mutex::new(None),
            calls: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let shared = inner.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.closed.load(Ordering::SeqCst) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || serve(client, &shared));
            }
        });
        Proxy { inner, socket }
    }

    /// The value for DOCKER_HOST.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    pub fn at_end(&self, act: impl FnOnce() + Send + 'static) {
        *self.inner.at_end.lock().expect("no panic while held") = Some(Box::new(act));
    }

    /// Every call so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.calls.lock().expect("no panic while held").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(&self.socket);
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// One connection of the client: its requests one after another, each answer passed back as it comes.
fn serve(client: UnixStream, inner: &Arc<Inner>) {
    let Ok(mut upstream) = UnixStream::connect(&inner.upstream) else { return };
    let swallow = Arc::new(AtomicBool::new(false));
    let (Ok(back), Ok(answers)) = (client.try_clone(), upstream.try_clone()) else { return };
    let Ok(mut refusals) = client.try_clone() else { return };
    let (ending, stop) = (inner.clone(), swallow.clone());
    std::thread::spawn(move || pass_back(answers, back, &stop, &ending));
    let mut from = BufReader::new(client);
    while let Some(head) = read_head(&mut from) {
        let Some(call) = Call::from(&head) else { return };
        let verdict = (inner.judge)(&call);
        inner.calls.lock().expect("no panic while held").push(call);
        match verdict {
            Verdict::Pass => {}
            Verdict::SwallowAnswer => swallow.store(true, Ordering::SeqCst),
            Verdict::Hang => {
                std::thread::sleep(std::time::Duration::from_secs(600));
                return;
            }
            Verdict::Refuse => {
                let told = r#"{"message":"the engine of this test refuses it"}"#;
                let head = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length";
                if write!(refusals, "{head}: {}\r\n\r\n{told}", told.len()).is_err() {
                    return;
                }
                continue;
            }
        }
        if upstream.write_all(head.as_bytes()).is_err() || pass_body(&mut from, &mut upstream, &head).is_none() {
            return;
        }
    }
    let _ = upstream.shutdown(std::net::Shutdown::Write);
}

fn pass_back(mut answers: UnixStream, mut client: UnixStream, swallow: &AtomicBool, inner: &Inner) {
    let mut buffer = [0u8; 64 * 1024];
    while let Ok(n @ 1..) = answers.read(&mut buffer) {
        if swallow.load(Ordering::SeqCst) {
            if let Some(act) = inner.at_end.lock().expect("no panic while held").take() {
                act();
            }
            return;
        }
        if client.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
}

/// A request's head with its blank line; `None` at the end of the connection.
fn read_head(from: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if from.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head[before..].trim().is_empty() {
            return Some(head);
        }
    }
}

/// Passes a request's body on: by its length, in chunks, or (an upgraded connection) until its end.
fn pass_body(from: &mut impl BufRead, to: &mut UnixStream, head: &str) -> Option<()> {
    let header = |name: &str| {
        head.lines()
            .filter_map(|l| l.split_once(':'))
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    };
    if header("upgrade").is_some() {
        std::io::copy(from, to).ok()?;
        return None;
    }
    if header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            from.read_line(&mut line).ok()?;
            to.write_all(line.as_bytes()).ok()?;
            let size = u64::from_str_radix(line.trim(), 16).ok()?;
            std::io::copy(&mut from.by_ref().take(size + 2), to).ok()?;
            if size == 0 {
                return Some(());
            }
        }
    }
    let length = header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    std::io::copy(&mut from.by_ref().take(length), to).ok()?;
    Some(())
}
