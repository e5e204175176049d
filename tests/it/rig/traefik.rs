//! A real Traefik of a test's own: the program that TRAEFIK_BIN names, else a container of the image `traefik:v3.7` on the host's network.
//! That is the network where the test itself is, so the machine's engine runs it, also for a case on an engine of its own.
//! Where neither is here the case is skipped, and counted so.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{Running, Scratch, Skip, free_port, until};

const IMAGE: &str = "traefik:v3.7";

/// A Traefik that runs until it is dropped. Its entry points `web`, `websecure` and `traefik` (the API, `/ping`) listen on loopback.
pub struct Traefik<'s> {
    scratch: &'s Scratch,
    pub web: u16,
    pub websecure: u16,
    pub api: u16,
    /// The directory that its file provider watches. It is there before Traefik starts, and empty.
    pub dynamic: PathBuf,
    log: PathBuf,
    flags: Vec<String>,
    place: Place,
}

/// How it is run, and what runs.
enum Place {
    Program(PathBuf, Option<Running>),
    Container(String),
}

/// An answer over plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// As sent, one a line.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let named = self.head.lines().filter_map(|line| line.split_once(':'));
        named
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
            .unwrap_or_default()
    }
}

impl<'s> Traefik<'s> {
    /// Starts one with these static flags besides (`providers.docker.endpoint=...`, without the dashes) and waits until it answers.
    pub fn start(scratch: &'s Scratch, flags: &[String]) -> Result<Traefik<'s>, Skip> {
        let place = match std::env::var_os("TRAEFIK_BIN") {
            Some(program) => Place::Program(program.into(), None),
            None if scratch.machine_docker(&["image", "inspect", "-f", "{{.Id}}", IMAGE]).code == 0 => {
                Place::Container(format!("{}-traefik", scratch.project))
            }
            None => return Err(Skip(format!("no Traefik here (TRAEFIK_BIN names one, or the image {IMAGE})"))),
        };
        let (web, websecure, api) = (free_port(), free_port(), free_port());
        let (dynamic, log) = (scratch.beside("dynamic"), scratch.beside("traefik.log"));
        std::fs::create_dir_all(&dynamic).expect("a folder can be made in a temporary folder");
        let mut all: Vec<String> = vec![
            "global.checknewversion=false".into(),
            "global.sendanonymoususage=false".into(),
            format!("entrypoints.web.address=127.0.0.1:{web}"),
            format!("entrypoints.websecure.address=127.0.0.1:{websecure}"),
            format!("entrypoints.traefik.address=127.0.0.1:{api}"),
            "api.insecure=true".into(),
            "api.dashboard=false".into(),
            "ping=true".into(),
            "log.level=DEBUG".into(),
            format!("log.filepath={}", log.display()),
            format!("providers.file.directory={}", dynamic.display()),
        ];
        all.extend(flags.iter().cloned());
        let flags = all.into_iter().map(|flag| format!("--{flag}")).collect();
        let mut traefik = Traefik { scratch, web, websecure, api, dynamic, log, flags, place };
        traefik.run();
        Ok(traefik)
    }

    /// Starts the same one again, after [`Traefik::stop`]: same ports, same directory.
    pub fn run(&mut self) {
        match &mut self.place {
            Place::Program(program, running) => {
                let env: Vec<(String, String)> = vec![("HOME".into(), self.scratch.beside("").display().to_string())];
                *running = Some(Running::start(program, &self.flags, &self.scratch.dir, &env));
            }
            Place::Container(name) => {
                let folder = self.scratch.beside("");
                let mount = format!("{0}:{0}", folder.display());
                let fixed = ["run", "-d", "--network", "host", "--name", name, "-v", &mount, IMAGE];
                let flags = self.flags.iter().map(String::as_str);
                self.scratch.machine_docker(&fixed.into_iter().chain(flags).collect::<Vec<_>>()).ok();
            }
        }
        let ready =
            until(Duration::from_secs(20), || get(self.api, "localhost", "/ping").is_some_and(|a| a.status == 200));
        assert!(ready, "Traefik did not start\n{}", self.log());
    }

    /// Ends it at once, as a crash would.
    pub fn stop(&mut self) {
        match &mut self.place {
            Place::Program(_, running) => {
                if let Some(running) = running.take() {
                    running.signal(rustix::process::Signal::KILL);
                    running.end();
                }
            }
            Place::Container(name) => {
                self.scratch.machine_docker(&["rm", "-f", name]);
            }
        }
    }

    /// A page of the entry point `web`; `None` where no answer came.
    pub fn get(&self, host: &str, path: &str) -> Option<Answer> {
        get(self.web, host, path)
    }

    /// A page of Traefik's own API, as `/api/http/routers`.
    pub fn api(&self, path: &str) -> Value {
        let answer = get(self.api, "localhost", path).unwrap_or_default();
        serde_json::from_str(&answer.body).unwrap_or(Value::Null)
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until a host answers with this status, for at most `limit`.
    #[track_caller]
    pub fn answers(&self, host: &str, status: u16, limit: Duration) -> Answer {
        let mut last = None;
        let came = until(limit, || {
            last = self.get(host, "/");
            last.as_ref().is_some_and(|answer| answer.status == status)
        });
        assert!(came, "{host} should answer {status}, not {last:?}\n{}", tail(&self.log()));
        last.unwrap_or_default()
    }
}

impl Drop for Traefik<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// One GET over plain HTTP to a port of loopback, within 5 s.
pub fn get(port: u16, host: &str, path: &str) -> Option<Answer> {
    ask(port, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// Sends a request as it stands and reads the answer to its end; the request has to ask for `Connection: close`.
pub fn ask(port: u16, request: &str) -> Option<Answer> {
    ask_for(port, request, Duration::from_secs(5))
}

/// The same, for an answer that may take this long.
pub fn ask_for(port: u16, request: &str, limit: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    // Chromium's driver keeps the connection whatever it is asked.
    while !is_whole(&bytes) {
        match stream.read(&mut piece).ok()? {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { joined(body) } else { body.to_owned() };
    Some(Answer { status, head: head.to_owned(), body })
}

/// Whether an answer that says its length has come to its end.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| bytes.len() >= end + 4 + length)
}

/// A body in chunks as one text.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|c| !c.is_empty()) else { break };
        whole.push_str(chunk);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
