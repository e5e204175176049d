//! What a request through Traefik costs with Hearth's configuration, beside a minimal one that is written by hand: the same image, the same
//! service behind it, on the same network, in turns.
//!
//! At a fixed rate each request has a time at which it is due, and its latency counts from then: one that waits for a slow one before it is slow
//! too. All connections are open beforehand and stay.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};

use crate::change::mounts;
use crate::client::Connection;
use crate::home::{self, DOMAIN, Door, Scratch, Skip};
use crate::http::Head;
use crate::project::IMAGE;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

/// Requests a second.
const RATE: u32 = 500;
const CONNECTIONS: u32 = 16;
const SLICE: Duration = Duration::from_secs(4);
const PEAK: Duration = Duration::from_secs(3);
/// Other routes of the home.
const OTHERS: usize = 30;

const NAMES: [&str; 5] = [
    "through Traefik at 500 requests/s, half of them, and with a minimal configuration",
    "the same: what Hearth's configuration adds to half of them",
    "through Traefik at 500 requests/s, 99 of 100, and with a minimal configuration",
    "the same: what Hearth's configuration adds to 99 of 100",
    "requests a second through Traefik at most, with access log, beside the minimal one without",
];

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    rig.client().image()?;
    home::measured("through", &NAMES, |s| {
        let pair = Both::new(s)?;
        let mut peaks: [Samples; 2] = Default::default();
        // Every request of each side.
        let mut pools: [Vec<f64>; 2] = Default::default();
        let rounds = rig.runs.max(5) * 2;
        // The first is thrown away.
        for round in 0..=rounds {
            eprintln!("  a fixed rate, round {round} of {rounds}");
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let took = steady(pair.at[which], &pair.host);
                if round > 0 {
                    pools[which].extend(took);
                }
            }
        }
        pools.iter_mut().for_each(|pool| pool.sort_by(f64::total_cmp));
        let share = |which: usize, percent: usize| pools[which][pools[which].len() * percent / 100];
        let one = |value: f64| Samples(vec![value]);
        let added = |percent: usize| one(share(0, percent) - share(1, percent));
        let pooled = format!("of {} requests on each side, all rounds together", pools[0].len());
        for round in 0..=rig.runs.max(5) {
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let rate = peak(pair.at[which], &pair.host);
                if round > 0 {
                    peaks[which].add(rate);
                }
            }
        }
        let [peak, other] = peaks;
        let none = Samples::default();
        Ok(vec![
            Row::new(NAMES[0], Unit::Milliseconds, one(share(0, 50)), one(share(1, 50)), Goal::None)
                .note(format!("{CONNECTIONS} connections, {OTHERS} other routes; from when each was due; {pooled}")),
            Row::new(NAMES[1], Unit::Milliseconds, added(50), none.clone(), Goal::AtMost(0.3)),
            Row::new(NAMES[2], Unit::Milliseconds, one(share(0, 99)), one(share(1, 99)), Goal::None)
                .note(pooled.clone()),
            Row::new(NAMES[3], Unit::Milliseconds, added(99), none, Goal::AtMost(2.0)),
            Row::new(NAMES[4], Unit::PerSecond, peak, other, Goal::AtLeast(0.5))
                .note("client, Traefik and service share the cores"),
        ])
    })
}

/// A home's Traefik, and the minimal one.
struct Both<'s> {
    _door: Door<'s>,
    at: [SocketAddr; 2],
    host: String,
}

impl<'s> Both<'s> {
    fn new(s: &'s Scratch) -> Result<Both<'s>, Skip> {
        let mounts = mounts().unwrap_or_default();
        let stack = format!(
            "services:\n  app:\n    image: {IMAGE}\n    entrypoint: [/probe, --serve]\n    stop_signal: SIGKILL\n    profiles: [web]\n    \
             volumes: {mounts:?}\n    x-hearth: {{route: {{host: app, port: 8080, access: lan}}}}\n"
        );
        let others: String = (0..OTHERS)
            .map(|n| format!("  other{n}: {{ host: other{n}, url: 'http://app:8080', access: lan }}\n"))
            .collect();
        let door = Door::with(s, &stack, &format!("routes:\n{others}"))?;
        door.hearth("up web").ok();
        door.until("app", 200);
        // Straight to the containers: between the machine's ports and them is a program of the engine's.
        let networks = s.docker_args(&[
            "inspect",
            "-f",
            "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
            &format!("{}-app-1", s.project),
        ]);
        let network = networks.ok().out.split_whitespace().next().unwrap_or_default().to_owned();
        let minimal = minimal(s, &network);
        let address = |container: &str| {
            let format = format!("{{{{(index .NetworkSettings.Networks \"{network}\").IPAddress}}}}");
            let ip = s.docker_args(&["inspect", "-f", &format, container]).ok().out;
            format!("{}:443", ip.trim()).parse::<SocketAddr>().expect("the engine gives addresses")
        };
        let at = [address(&format!("{}-traefik-1", s.project)), address(&minimal)];
        let host = format!("app.{DOMAIN}");
        for at in at {
            let answers =
                || Connection::open(at, &host).and_then(|mut c| c.get("/")).is_ok_and(|(status, _)| status == 200);
            assert!(home::until(Duration::from_secs(20), answers), "no answer at {at}");
        }
        Ok(Both { _door: door, at, host })
    }
}

/// As the first page of a handbook has it: an entry point, a certificate, a router, a service. Gives the container's name.
fn minimal(s: &Scratch, network: &str) -> String {
    let folder = s.beside("minimal");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let key = KeyPair::generate().expect("a key can be made");
    let made = CertificateParams::new(vec![format!("*.{DOMAIN}")]).and_then(|params| params.self_signed(&key));
    let put = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a file can be written");
    put("cert.pem", made.expect("a certificate can be made").pem());
    put("key.pem", key.serialize_pem());
    put(
        "dynamic.yml",
        format!(
            "http:\n  routers:\n    app: {{ entryPoints: [websecure], rule: 'Host(`app.{DOMAIN}`)', service: app, tls: {{}} }}\n  \
             services:\n    app: {{ loadBalancer: {{ servers: [{{ url: 'http://app:8080' }}] }} }}\n\
             tls: {{ certificates: [{{ certFile: /minimal/cert.pem, keyFile: /minimal/key.pem }}] }}\n"
        ),
    );
    let name = format!("{}-minimal", s.project);
    let mount = format!("{}:/minimal:ro", folder.display());
    s.docker_args(&[
        "run",
        "-d",
        "--name",
        &name,
        "--network",
        network,
        "-v",
        &mount,
        "traefik:v3.7",
        "--entrypoints.websecure.address=:443",
        "--providers.file.filename=/minimal/dynamic.yml",
    ])
    .ok();
    name
}

fn open(at: SocketAddr, host: &str) -> Connection {
    let mut connection = Connection::open(at, host).expect("it has answered before");
    connection.get("/").expect("it has answered before");
    connection
}

/// Asks at the fixed rate; milliseconds of every request.
fn steady(at: SocketAddr, host: &str) -> Vec<f64> {
    let mut connections: Vec<Connection> = (0..CONNECTIONS).map(|_| open(at, host)).collect();
    let begin = Instant::now() + Duration::from_millis(50);
    let all = RATE * SLICE.as_secs() as u32;
    let took: Vec<Duration> = std::thread::scope(|scope| {
        let asking: Vec<_> = connections
            .iter_mut()
            .zip(0..)
            .map(|(connection, first)| {
                scope.spawn(move || {
                    let mine = (first..all).step_by(CONNECTIONS as usize);
                    mine.map(|n| {
                        let due = begin + Duration::from_secs(1) * n / RATE;
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        let (status, _) = connection.get("/").expect("every request is answered");
                        assert_eq!(status, 200, "every request is answered well");
                        due.elapsed()
                    })
                    .collect::<Vec<Duration>>()
                })
            })
            .collect();
        asking.into_iter().flat_map(|one| one.join().expect("every request is answered")).collect()
    });
    took.iter().map(|took| took.as_secs_f64() * 1000.0).collect()
}

/// Asks as fast as it is answered; requests a second.
fn peak(at: SocketAddr, host: &str) -> f64 {
    let mut connections: Vec<Connection> = (0..CONNECTIONS * 2).map(|_| open(at, host)).collect();
    let (count, began) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for connection in &mut connections {
            scope.spawn(|| {
                while began.elapsed() < PEAK {
                    connection.get("/").expect("every request is answered");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

/// The other process, in the container: answers every request with a kilobyte, and keeps connections.
pub fn serve() -> Result<bool, String> {
    let listener = TcpListener::bind("0.0.0.0:8080").map_err(|e| e.to_string())?;
    for stream in listener.incoming().map_while(Result::ok) {
        std::thread::spawn(move || answer(stream));
    }
    Ok(true)
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let page =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n{}", "x".repeat(1024));
    let mut from = BufReader::new(stream);
    while Head::read(&mut from)?.is_some() {
        from.get_mut().write_all(page.as_bytes())?;
    }
    Ok(())
}
