//! What gate costs: a look of Traefik's at 30 containers, through it and without it; and a flood of events, from an engine that is made up.
//!
//! Traefik makes one list call and then one inspect for each container, one after the other, over one connection. The same is done here on
//! the engine's own socket and through gate, in turns: the same calls on both sides. gate has all inspects done when it answers the list, so its
//! list call alone is no measure of anything that Traefik waits for.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Head, body};
use crate::project::Shape;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::{Rig, Who};

const PROJECT: &str = "bench-hearth-gate";
const CONTAINERS: usize = 30;
/// Millions of bytes of events; fewer for a build that is not optimised.
const FLOOD: usize = if cfg!(debug_assertions) { 100 } else { 1000 };
/// What gate must take in, in millions of bytes a second.
const RATE: f64 = 50.0;

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut rows = looks(rig)?;
    rows.extend(flood(rig).map_err(|e| format!("the flood of events: {e}"))?);
    Ok(rows)
}

/// A gate that runs until it is dropped.
struct Gate {
    child: Child,
    docker: u16,
}

impl Gate {
    fn start(socket: &Path) -> io::Result<Gate> {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map(|a| a.port());
        let (docker, pages) = (free()?, free()?);
        let address = |port: u16| format!("127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_hearth"))
            .args(["gate", "--project", PROJECT, "--docker", &address(docker), "--pages", &address(pages), "--socket"])
            .arg(socket)
            .stderr(std::process::Stdio::null())
            .spawn()?;
        let gate = Gate { child, docker };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", docker)).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::other("gate does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(gate)
    }

    fn stream(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.docker))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Millions of bytes that are its own.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1000.0
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection to whoever speaks as an engine does.
struct Client<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Client<S> {
    fn get(&mut self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get_mut().write_all(format!("GET /v1.45{path} HTTP/1.1\r\nHost: engine\r\n\r\n").as_bytes())?;
        let head = Head::read(&mut self.0)?.ok_or_else(|| io::Error::other("the connection was closed"))?;
        let mut answer = Vec::new();
        body(&mut self.0, head.length, &mut answer, false)?;
        match head.status() {
            200 => Ok(answer),
            status => Err(io::Error::other(format!("{path}: {status} {}", String::from_utf8_lossy(&answer)))),
        }
    }

    /// A list and an inspect of each container: how long the list took, and how long all of it.
    fn look(&mut self, list: &str) -> io::Result<(Duration, Duration, usize)> {
        let began = Instant::now();
        let listed: Value = serde_json::from_slice(&self.get(list)?).map_err(io::Error::other)?;
        let first = began.elapsed();
        let ids: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|c| c["Id"].as_str()).collect();
        for id in &ids {
            self.get(&format!("/containers/{id}/json"))?;
        }
        Ok((first, began.elapsed(), ids.len()))
    }
}

fn looks(rig: &Rig) -> Result<Vec<Row>, String> {
    let file = rig.write(PROJECT, &Shape::of(CONTAINERS).text())?;
    rig.up(Who::Hearth, &file)?;
    rig.client().running(PROJECT, CONTAINERS)?;
    let measured = measure(rig).map_err(|e| e.to_string());
    rig.down(Who::Hearth, &file)?;
    let [whole, direct, more] = measured?;
    Ok(vec![
        Row::new(
            "Traefik's look at 30 containers, gate and the engine alone",
            Unit::Milliseconds,
            whole,
            direct,
            Goal::None,
        ),
        Row::new("the same: what gate adds", Unit::Milliseconds, more, Samples::default(), Goal::AtMost(1.0)).note(format!(
            "the same {} calls on each side, one after the other over one open connection, as Traefik makes them, in turns; gate remembers nothing of the look before",
            CONTAINERS + 1
        )),
    ])
}

fn measure(rig: &Rig) -> io::Result<[Samples; 3]> {
    let gate = Gate::start(&rig.socket)?;
    let filters =
        crate::engine::encoded(&json!({"label": [format!("com.docker.compose.project={PROJECT}")]}).to_string());
    let own_list = format!("/containers/json?all=1&filters={filters}");
    let mut own = Client(BufReader::new(UnixStream::connect(&rig.socket)?));
    let mut through = Client(BufReader::new(gate.stream()?));
    let mut samples: [Samples; 3] = Default::default();
    for run in 0..=rig.runs.max(5) * 4 {
        // A look serves for two seconds: each of these is made anew.
        std::thread::sleep(Duration::from_millis(2100));
        let (_, direct, all) = own.look(&own_list)?;
        let (_, whole, shown) = through.look("/containers/json?all=1")?;
        if (all, shown) != (CONTAINERS, CONTAINERS) {
            return Err(io::Error::other(format!("the engine lists {all} containers, gate {shown}")));
        }
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        // The first opens connections.
        if run > 0 {
            let values = [ms(whole), ms(direct), ms(whole) - ms(direct)];
            samples.iter_mut().zip(values).for_each(|(samples, value)| samples.add(value));
        }
    }
    Ok(samples)
}

fn flood(rig: &Rig) -> io::Result<Vec<Row>> {
    let socket = rig.path("flood.sock");
    let go = Arc::new(AtomicBool::new(false));
    let engine = MadeUp::start(socket.clone(), go.clone())?;
    let gate = Gate::start(&socket)?;
    // One that reads, one that never does, and one that lists all the time.
    let mut listeners = [gate.stream()?, gate.stream()?];
    for listener in &mut listeners {
        listener.write_all(b"GET /events HTTP/1.1\r\nHost: gate\r\n\r\n")?;
    }
    let [mut reads, _never] = listeners;
    let heard = std::thread::spawn(move || io::copy(&mut reads, &mut io::sink()));
    let mut lister = Client(BufReader::new(gate.stream()?));
    lister.look("/containers/json?all=1")?;
    go.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let (mut lists, mut early) = (0, f64::NAN);
    while engine.sent.load(Ordering::SeqCst) < FLOOD {
        lister.look("/containers/json?all=1")?;
        lists += 1;
        if early.is_nan() && engine.sent.load(Ordering::SeqCst) > FLOOD / 10 {
            early = gate.memory();
        }
        if began.elapsed() > Duration::from_secs(120) {
            return Err(io::Error::other("gate does not take it in"));
        }
    }
    let took = began.elapsed().as_secs_f64();
    let late = gate.memory();
    drop(gate);
    let _ = heard.join();
    let one = |value: f64| Samples(vec![value]);
    Ok(vec![
        Row::new(
            format!("gate: {FLOOD} MB of events"),
            Unit::Seconds,
            one(took),
            Samples::default(),
            Goal::AtMost(FLOOD as f64 / RATE),
        )
        .note(format!(
            "{:.0} MB/s, with {lists} looks meanwhile, a listener that reads and one that does not",
            FLOOD as f64 / took
        )),
        Row::new(
            "the same: memory grown from a tenth of it to its end",
            Unit::Megabytes,
            one(late - early),
            Samples::default(),
            Goal::AtMost(2.0),
        )
        .note(format!("{late:.1} MB at the end")),
    ])
}

/// An engine that has some containers and, once told to, sends events as fast as they are taken.
struct MadeUp {
    /// Millions of bytes of events so far.
    sent: Arc<AtomicUsize>,
}

impl MadeUp {
    fn start(socket: PathBuf, go: Arc<AtomicBool>) -> io::Result<MadeUp> {
        let listener = UnixListener::bind(socket)?;
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (go, sent) = (go.clone(), counted.clone());
                // A connection that is closed ends its thread.
                std::thread::spawn(move || answer(client, &go, &sent));
            }
        });
        Ok(MadeUp { sent })
    }
}

fn answer(client: UnixStream, go: &AtomicBool, sent: &AtomicUsize) -> io::Result<()> {
    let mut to = client.try_clone()?;
    let mut from = BufReader::new(client);
    while let Some(head) = Head::read(&mut from)? {
        let path = head.first.split(' ').nth(1).unwrap_or_default();
        let told = match path.split('?').next().unwrap_or_default() {
            "/_ping" => json!("OK"),
            path if path.ends_with("/events") => return pour(&mut to, go, sent),
            path if path.ends_with("/containers/json") => {
                json!((0..CONTAINERS).map(|n| json!({"Id": id(n)})).collect::<Vec<_>>())
            }
            path => inspect(path),
        };
        let told = told.to_string();
        write!(
            to,
            "HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nOstype: linux\r\nContent-Length: {}\r\n\r\n{told}",
            told.len()
        )?;
    }
    Ok(())
}

fn id(n: usize) -> String {
    format!("{n:064x}")
}

fn labels() -> Value {
    let mut labels = json!({"com.docker.compose.project": PROJECT, "com.docker.compose.service": "web"});
    for n in 0..12 {
        labels[format!("org.example.label-{n}")] = json!("a value as images bring it, of some length");
    }
    labels
}

fn inspect(path: &str) -> Value {
    let id = path.trim_end_matches("/json").rsplit('/').next().unwrap_or_default();
    json!({"Id": id, "Name": "/web", "State": {"Status": "running"}, "HostConfig": {"NetworkMode": "x"}, "Config": {"Labels": labels()},
        "NetworkSettings": {"Ports": {"80/tcp": null}, "Networks": {"x": {"IPAddress": "10.0.0.2"}}}})
}

/// Starts, ends and networks of all containers, the half of them somebody else's.
fn pour(to: &mut UnixStream, go: &AtomicBool, sent: &AtomicUsize) -> io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let mut block = Vec::new();
    for n in 0..CONTAINERS {
        for action in ["die", "start"] {
            for project in [PROJECT, "somebody-elses"] {
                let mut attributes = labels();
                attributes["com.docker.compose.project"] = json!(project);
                let actor = json!({"ID": id(n), "Attributes": attributes});
                writeln!(
                    block,
                    "{}",
                    json!({"status": action, "Type": "container", "Action": action, "Actor": actor, "scope": "local"})
                )?;
            }
        }
        let actor = json!({"ID": "net", "Attributes": {"container": id(n), "name": "x", "type": "bridge"}});
        writeln!(block, "{}", json!({"Type": "network", "Action": "connect", "Actor": actor, "scope": "local"}))?;
    }
    let (mut bytes, size) = (0, block.len());
    let chunk = [format!("{size:x}\r\n").as_bytes(), &block, b"\r\n"].concat();
    loop {
        while !go.load(Ordering::SeqCst) || sent.load(Ordering::SeqCst) >= FLOOD {
            std::thread::sleep(Duration::from_millis(5));
        }
        to.write_all(&chunk)?;
        bytes += size;
        sent.store(bytes / 1_000_000, Ordering::SeqCst);
    }
}
