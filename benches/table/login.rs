//! What a login costs each request: gate is asked as Traefik asks it, 2,000 times a second, on one core, by somebody who is signed in.
//!
//! The panel's end of the line is in this process, with people in memory; after the session was looked up once nobody asks it.

use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearth::auth::forward::channel;
use hearth::auth::forward::double::Double;
use hearth::auth::forward::place;
use hearth::auth::forward::sessions::Sessions;
use hearth::base::random::SystemRandom;
use hearth::traefik::forward::wire::{Door, Doors, Grant, Of};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::http::Head;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

/// Requests a second, over so many connections, for so long.
const RATE: u32 = 2000;
const CONNECTIONS: u32 = 4;
const LASTS: Duration = Duration::from_secs(5);
const HOST: &str = "app.example.org";

pub fn rows(_: &Rig) -> Result<Vec<Row>, String> {
    let dir = std::env::temp_dir().join(format!("bench-hearth-login-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    let measured = measure(&dir).map_err(|e| format!("the login: {e}"));
    let _ = std::fs::remove_dir_all(&dir);
    let all = measured?;
    let (mut median, mut slow) = (Samples::default(), Samples::default());
    for mut took in all {
        took.sort_by(f64::total_cmp);
        median.add(took[took.len() / 2]);
        slow.add(took[took.len() * 99 / 100]);
    }
    let note = "2,000 questions a second over 4 open connections, gate on one core; with the client's own time";
    Ok(vec![
        Row::new("gate says who may enter, median", Unit::Milliseconds, median, Samples::default(), Goal::AtMost(1.0))
            .note(note),
        Row::new("the same, slowest of a hundred", Unit::Milliseconds, slow, Samples::default(), Goal::AtMost(10.0))
            .note(note),
    ])
}

/// What each question took, in milliseconds, by connection.
fn measure(dir: &Path) -> io::Result<Vec<Vec<f64>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let keys = place::keys(dir, &SystemRandom).map_err(|d| io::Error::other(d.title))?;
    let asks = format!("/auth/{}?p=group:family", keys.address.text());
    let doors = Doors {
        key: keys.address,
        signing: keys.signing,
        panel: "panel.example.org".into(),
        https: 443,
        lan: Vec::new(),
        routes: vec![Door {
            name: "home-app".into(),
            service: "app".into(),
            hosts: vec![HOST.into()],
            bypass: Vec::new(),
        }],
    };
    let people = Arc::new(Double::default());
    let (_doors, seen) = watch::channel(Some(doors));
    let (home, sessions, stop) = (dir.to_owned(), people.clone(), CancellationToken::new());
    let until = stop.clone();
    runtime.spawn(async move { channel::serve(&home, sessions.clone(), sessions, seen, until).await });
    let who = Grant {
        user: "ada".into(),
        title: "Ada".into(),
        email: "ada@example.org".into(),
        groups: vec!["family".into()],
        admin: false,
        only: Vec::new(),
        of: Of::Host(String::new()),
        until: i64::MAX,
        idle: 3_600_000,
        used: 4_000_000_000_000,
    };
    people.sign_in("p", who);
    let opened = runtime.block_on(people.open("p", HOST)).ok().flatten().ok_or(io::Error::other("no session"))?;
    let request = format!(
        "GET {asks} HTTP/1.1\r\nHost: gate\r\nAccept: */*\r\nCookie: theme=dark; __Host-hearth={}; lang=en\r\nX-Forwarded-For: 203.0.113.5\r\nX-Forwarded-Host: {HOST}\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: /static/app.js\r\n\r\n",
        opened.cookie.expose()
    );
    let (gate, port) = start(&dir.join(place::FOLDER).join(place::SOCKET))?;
    let gate = Stopped(gate);
    // Known, and warm.
    let began = Instant::now();
    while ask(&mut connect(port)?, &request)? != 200 {
        if began.elapsed() > Duration::from_secs(5) {
            return Err(io::Error::other("nobody gets in"));
        }
    }
    let request: Arc<str> = request.into();
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let request = request.clone();
            std::thread::spawn(move || paced(port, &request))
        })
        .collect();
    let all =
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a client died"))));
    let all = all.collect();
    stop.cancel();
    drop(gate);
    all
}

/// Questions at even distances; each counts from when it was due, so that a slow one makes those behind it late.
fn paced(port: u16, request: &str) -> io::Result<Vec<f64>> {
    let mut stream = connect(port)?;
    let gap = Duration::from_secs(1) * CONNECTIONS / RATE;
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < LASTS {
        let due = began + gap * all.len() as u32;
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        // How late the clock wakes somebody is not gate's; being behind is.
        let sent = if wait.is_zero() { due } else { Instant::now() };
        match ask(&mut stream, request)? {
            200 => all.push(sent.elapsed().as_secs_f64() * 1000.0),
            status => return Err(io::Error::other(format!("gate answered {status}"))),
        }
    }
    Ok(all)
}

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(port: u16) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> io::Result<u16> {
    stream.get_mut().write_all(request.as_bytes())?;
    let head = Head::read(stream)?.ok_or_else(|| io::Error::other("the connection was closed"))?;
    Ok(head.status())
}

/// A gate on one core, with an engine that is not there.
fn start(panel: &Path) -> io::Result<(Child, u16)> {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
    let (docker, pages) = (free()?, free()?);
    let address = |port: u16| format!("127.0.0.1:{port}");
    let child = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_hearth"), "gate", "--project", "bench", "--socket", "/nonexistent.sock"])
        .args(["--docker", &address(docker), "--pages", &address(pages), "--panel"])
        .arg(panel)
        .stderr(Stdio::null())
        .spawn()?;
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", pages)).is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            return Err(io::Error::other("gate does not listen"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok((child, pages))
}
