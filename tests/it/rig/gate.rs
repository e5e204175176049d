//! A gate that a test starts: the hearth binary on ports of loopback, before whichever engine the test names.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::plain::{Answer, get};
use super::{Ran, Running, Scratch, free_port, until};

/// It runs until it is dropped.
pub struct Gate<'s> {
    scratch: &'s Scratch,
    pub docker: u16,
    pub pages: u16,
    running: Option<Running>,
}

impl<'s> Gate<'s> {
    /// Before the engine at this socket, for the project of the test; waits until both listeners answer.
    pub fn start(scratch: &'s Scratch, socket: &Path) -> Gate<'s> {
        Gate::start_on(scratch, socket, (free_port(), free_port()))
    }

    /// The same on these ports, for Docker and for pages.
    pub fn start_on(scratch: &'s Scratch, socket: &Path, (docker, pages): (u16, u16)) -> Gate<'s> {
        let mut gate = Gate { scratch, docker, pages, running: None };
        let [docker, pages] = gate.addresses();
        let socket = socket.display().to_string();
        let args = ["gate", "--project", &scratch.project, "--socket", &socket, "--docker", &docker, "--pages", &pages];
        gate.running = Some(scratch.hearth_args_start(&args, &[]));
        let ready = until(Duration::from_secs(10), || {
            get(gate.docker, "gate", "/nothing").is_some() && get(gate.pages, "gate", "/unknown").is_some()
        });
        assert!(ready, "gate did not start");
        gate
    }

    fn addresses(&self) -> [String; 2] {
        [self.docker, self.pages].map(|port| format!("127.0.0.1:{port}"))
    }

    pub fn ask(&self, path: &str) -> Answer {
        get(self.docker, "gate", path).unwrap_or_default()
    }

    /// The JSON of an answer that must be 200.
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer = self.ask(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{path}: {e}: {}", answer.body))
    }

    /// Ids of its list.
    #[track_caller]
    pub fn list(&self) -> Vec<String> {
        let listed = self.json("/v1.45/containers/json?all=1");
        listed.as_array().into_iter().flatten().filter_map(|c| Some(c["Id"].as_str()?.to_owned())).collect()
    }

    /// `hearth gate --check` of this one.
    pub fn check(&self) -> Ran {
        let [docker, pages] = self.addresses();
        self.scratch.hearth_args(&["gate", "--check", "--docker", &docker, "--pages", &pages])
    }

    /// Kilobytes of memory that are its own now.
    pub fn memory(&self) -> u64 {
        let pid = self.running.as_ref().map_or(0, Running::pid);
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
    }

    /// Ends it in order; gives how that went and what it logged.
    pub fn end(mut self) -> Ran {
        let running = self.running.take().expect("it runs until it is ended");
        running.signal(rustix::process::Signal::TERM);
        self.scratch.noted(running)
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(rustix::process::Signal::KILL);
            self.scratch.noted(running);
        }
    }
}

/// A listener to events, as Traefik is one: what has come so far.
pub struct Heard {
    lines: Arc<Mutex<Vec<String>>>,
    stream: TcpStream,
}

impl Heard {
    /// Subscribes; `path` may have a version and filters.
    pub fn open(port: u16, path: &str) -> Heard {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("gate listens");
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: gate\r\n\r\n").as_bytes())
            .expect("gate takes a request");
        let (lines, from) = (Arc::new(Mutex::new(Vec::new())), stream.try_clone().expect("a socket can be shared"));
        let kept = lines.clone();
        std::thread::spawn(move || {
            // Lines of JSON; the head and the sizes of chunks are none.
            for line in BufReader::new(from).lines().map_while(Result::ok).filter(|line| line.starts_with('{')) {
                kept.lock().expect("no panic while held").push(line);
            }
        });
        Heard { lines, stream }
    }

    /// Actions so far, in order.
    pub fn actions(&self) -> Vec<String> {
        let lines = self.lines.lock().expect("no panic while held");
        let action = |line: &String| Some(serde_json::from_str::<Value>(line).ok()?["Action"].as_str()?.to_owned());
        lines.iter().filter_map(action).collect()
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no panic while held").clone()
    }

    /// Waits for this many lines with an action, for at most 5 s.
    #[track_caller]
    pub fn waits_for(&self, action: &str, times: usize) {
        let count = || self.actions().iter().filter(|a| *a == action).count();
        assert!(until(Duration::from_secs(5), || count() >= times), "no {times} x {action:?} in {:?}", self.lines());
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
