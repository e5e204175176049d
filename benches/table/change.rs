//! One service of 100 is changed while someone uses it: how long is it without an answer?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::engine::Client;
use crate::project::{IMAGE, Shape, WEB};
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::{BOTH, Rig, Who};

const PROJECT: &str = "bench-hearth-change";
const SERVICES: usize = 100;
/// Between two requests.
const EVERY: Duration = Duration::from_millis(4);

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut client = rig.client();
    client.clear(PROJECT)?;
    let mut shape = Shape { web: Some(mounts()?), ..Shape::of(SERVICES) };
    let file = rig.write(PROJECT, &shape.text())?;
    rig.up(Who::Hearth, &file)?;
    client.running(PROJECT, SERVICES)?;
    let (mut silent, mut failed, mut asked): ([Samples; 2], [Samples; 2], _) =
        (Default::default(), Default::default(), 0);
    for run in 0..rig.runs {
        eprintln!("  one of {SERVICES} changed, run {} of {}", run + 1, rig.runs);
        for place in 0..2 {
            let who = BOTH[(run + place) % 2];
            shape.revision += 1;
            rig.write(PROJECT, &shape.text())?;
            let (gap, inside) = changed(rig, who, &file)?;
            client.running(PROJECT, SERVICES)?;
            silent[who as usize].seconds(gap);
            failed[who as usize].add(inside.failed as f64);
            asked += inside.asked;
        }
    }
    rig.down(Who::Hearth, &file)?;
    client.clear(PROJECT)?;
    let ([hearth, compose], [hearth_failed, compose_failed]) = (silent, failed);
    Ok(vec![
        Row::new("one service of 100 changed: without an answer", Unit::Seconds, hearth, compose, Goal::Ratio(1.05)),
        Row::new(
            "the same with start-first: failed requests, the most in a run",
            Unit::Count,
            hearth_failed.worst(),
            compose_failed.worst(),
            Goal::AtMost(0.0),
        )
        .note(format!("of {}, by name; Compose knows no start-first", asked / (2 * rig.runs))),
    ])
}

/// Applies the changed file while both services are asked.
fn changed(rig: &Rig, who: Who, file: &Path) -> Result<(Duration, Inside), String> {
    let address: SocketAddr = WEB.parse().map_err(|_| "the address of web is none")?;
    let end = AtomicBool::new(false);
    let inside = Asking::begin(rig, "beside:8080")?;
    let (gap, ran) = std::thread::scope(|scope| {
        let prober = scope.spawn(|| longest_silence(address, &end));
        std::thread::sleep(Duration::from_millis(300));
        let ran = rig.up(who, file);
        std::thread::sleep(Duration::from_millis(700));
        end.store(true, Ordering::Relaxed);
        (prober.join().unwrap_or(Duration::MAX), ran)
    });
    let inside = inside.end()?;
    ran?;
    Ok((gap, inside))
}

/// Asks until `end`, and gives the longest time between two answers.
fn longest_silence(address: SocketAddr, end: &AtomicBool) -> Duration {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    while !end.load(Ordering::Relaxed) {
        if answers(address) {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        std::thread::sleep(EVERY);
    }
    longest.max(last.elapsed())
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_ok_and(asked)
}

/// Sends one request; whether the whole page came.
fn asked(mut stream: TcpStream) -> bool {
    let mut page = Vec::new();
    let limit = Some(Duration::from_millis(1000));
    let sent = stream.set_read_timeout(limit).and_then(|()| stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n"));
    sent.is_ok() && stream.read_to_end(&mut page).is_ok() && page.ends_with(b"here\n")
}

/// Read-only mounts with which a container without anything in it can run this very program, as `/probe`.
pub fn mounts() -> Result<Vec<String>, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let program = program.to_str().ok_or("this program's path is no text")?;
    let libraries = ["/lib", "/lib64"].into_iter().filter(|dir| Path::new(dir).is_dir());
    Ok(libraries.map(|dir| format!("{dir}:{dir}:ro")).chain([format!("{program}:/probe:ro")]).collect())
}

/// What the client inside the network saw.
struct Inside {
    asked: usize,
    failed: usize,
}

/// A container on the project's network that asks a service by name, as other services do: this very program, run in it.
struct Asking {
    client: Client,
    id: String,
}

impl Asking {
    fn begin(rig: &Rig, address: &str) -> Result<Asking, String> {
        let mut client = rig.client();
        let body = json!({
            "Image": IMAGE, "Entrypoint": ["/probe"], "Cmd": ["--ask", address], "Tty": true, "StopSignal": "SIGKILL",
            "HostConfig": { "Binds": mounts()?, "NetworkMode": format!("{PROJECT}_edge") },
        });
        client
            .send("DELETE", "/containers/bench-hearth-asking?force=1", "text/plain", b"")
            .map_err(|e| e.to_string())?;
        let made = client.call("POST", "/containers/create?name=bench-hearth-asking", Some(&body))?;
        let id = made["Id"].as_str().unwrap_or_default().to_string();
        client.call("POST", &format!("/containers/{id}/start"), None)?;
        Ok(Asking { client, id })
    }

    fn end(mut self) -> Result<Inside, String> {
        self.client.call("POST", &format!("/containers/{}/kill?signal=KILL", self.id), None)?;
        let logs = self.client.send(
            "GET",
            &format!("/containers/{}/logs?stdout=1&stderr=1&tail=5", self.id),
            "text/plain",
            b"",
        );
        let logs = String::from_utf8_lossy(&logs.map_err(|e| e.to_string())?.body).into_owned();
        self.client.call("DELETE", &format!("/containers/{}?force=1", self.id), None)?;
        let last = logs.lines().rev().find_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        let last = last.ok_or_else(|| format!("the client in the network said nothing: {logs}"))?;
        let number = |key: &str| last[key].as_u64().unwrap_or(0) as usize;
        let inside = Inside { asked: number("asked"), failed: number("failed") };
        if inside.failed > 0 {
            eprintln!("    {} requests failed; the last: {}", inside.failed, last["why"]);
        }
        Ok(inside)
    }
}

/// The other process, in the container: asks for ever and prints its counts from time to time.
pub fn ask(address: &str) -> ! {
    let (mut asked_, mut failed, mut why) = (0u64, 0u64, String::new());
    // Its first answer begins the count: the container's own network needs a moment.
    while !once(address).is_ok_and(|()| true) {
        std::thread::sleep(EVERY);
    }
    loop {
        let before = failed;
        asked_ += 1;
        if let Err(error) = once(address) {
            failed += 1;
            why = error;
        }
        if asked_ % 10 == 0 || failed > before {
            println!("{}", json!({ "asked": asked_, "failed": failed, "why": why }));
        }
        std::thread::sleep(EVERY);
    }
}

/// The other process, as the service `beside`: answers until it is told to end, then answers whoever is connected already.
pub fn answer() -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(serve()).map_err(|e| e.to_string())
}

async fn serve() -> std::io::Result<()> {
    let mut end = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind("0.0.0.0:8080").await?;
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => drop(open.spawn(page(accepted?.0))),
            _ = end.recv() => break,
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
    Ok(())
}

async fn page(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    // However much of the request came: the answer is the same.
    let _ = stream.read(&mut [0; 1024]).await?;
    stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhere\n").await?;
    stream.shutdown().await
}

/// As programs do it: the name's addresses in turn until one accepts; a connection that was accepted must be answered.
fn once(address: &str) -> Result<(), String> {
    let addresses = address.to_socket_addrs().map_err(|e| format!("name: {e}"))?;
    let mut last = "the name has no address".to_string();
    for one in addresses {
        match TcpStream::connect_timeout(&one, Duration::from_millis(1000)) {
            Ok(stream) if asked(stream.try_clone().map_err(|e| e.to_string())?) => return Ok(()),
            Ok(_) => return Err(format!("{one} accepted and did not answer")),
            Err(error) => last = format!("{one}: {error}"),
        }
    }
    Err(last)
}
