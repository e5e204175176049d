//! How soon a changed certificate and a changed route reach new clients: from the command to the first new handshake, through a real
//! Traefik. Traefik waits for two seconds after a change before it takes the next, so each is measured after a quiet while and 100 ms
//! after another change.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::Connection;
use crate::home::{self, DOMAIN, Door, Running, Scratch, Skip, free_port};
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

/// How often each is measured.
const TIMES: usize = 10;
/// Seconds; Traefik's own part of it is 2.
const GOAL: f64 = 2.5;
/// Traefik has taken in all that was.
const QUIET: Duration = Duration::from_millis(2600);
const BETWEEN: Duration = Duration::from_millis(100);

const NAMES: [&str; 6] = [
    "changed certificate, from the command to new clients",
    "the same, 100 ms after another change",
    "changed route to a NAS, from the command to new clients",
    "the same, 100 ms after another change of the file",
    "changed route to a container, from its start to new clients",
    "the same, 100 ms after another container's restart",
];

pub fn rows(_: &Rig) -> Result<Vec<Row>, String> {
    home::measured("front", &NAMES, |s| {
        let mut front = Front::new(s)?;
        let mut rows = Vec::new();
        for (kind, busy) in [
            (Kind::Certificate, false),
            (Kind::Certificate, true),
            (Kind::File, false),
            (Kind::File, true),
            (Kind::Label, false),
            (Kind::Label, true),
        ] {
            let name = NAMES[rows.len()];
            eprintln!("  {name}");
            let (mut samples, mut other) = (Samples::default(), Samples::default());
            for _ in 0..TIMES {
                let (took, beside) = front.once(kind, busy);
                samples.seconds(took);
                other.seconds(beside);
            }
            let beside = match kind {
                Kind::Label => format!("from the command {:.2} s", other.median()),
                _ => format!("from the rename of the file {:.2} s", other.median()),
            };
            let row = Row::new(name, Unit::Seconds, samples, Samples::default(), Goal::Each(GOAL));
            rows.push(row.note(format!("{TIMES} times; {beside}")));
        }
        front.end();
        Ok(rows)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Certificate,
    File,
    Label,
}

struct Front<'s> {
    s: &'s Scratch,
    door: Door<'s>,
    /// As at home: with it, two processes write what Traefik reads.
    serve: Running,
    hearth_yaml: String,
    /// Makes every change another.
    count: usize,
}

/// Services that end at once.
fn stack(app: &str) -> String {
    let service = |name: &str, host: &str| {
        format!(
            "  {name}:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    profiles: [web]\n    \
             command: [sh, -c, 'mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www']\n    \
             x-hearth: {{route: {{host: {host}, port: 80, access: public}}}}\n"
        )
    };
    format!("services:\n{}{}", service("app", app), service("beside", "beside"))
}

/// What is not in Docker, as far as Traefik is told.
fn routes(host: &str) -> String {
    format!("routes:\n  nas: {{ host: {host}, url: 'http://beside:80', access: public }}\n")
}

impl<'s> Front<'s> {
    fn new(s: &'s Scratch) -> Result<Front<'s>, Skip> {
        let door = Door::new(s, &stack("app"))?;
        let hearth_yaml = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is written");
        s.write("hearth.yaml", &format!("{hearth_yaml}{}", routes("nas")));
        door.hearth("up web").ok();
        let serve = s
            .hearth_args_start(&["serve", "--listen", &format!("127.0.0.1:{}", free_port()), "--http", "off"], &[])
            .patient(Duration::from_secs(3600));
        door.until("panel", 200);
        door.until("app", 200);
        door.until("beside", 200);
        let hearth_yaml = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is written");
        Ok(Front { s, door, serve, hearth_yaml, count: 0 })
    }

    fn at(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.door.https))
    }

    /// A new connection: the certificate, and what a host answers.
    fn seen(&self, host: &str) -> (Vec<u8>, u16) {
        let asked = Connection::open(self.at(), &format!("{host}.{DOMAIN}")).and_then(|mut connection| {
            let (status, _) = connection.get("/")?;
            Ok((connection.leaf(), status))
        });
        asked.unwrap_or_default()
    }

    /// One change: the time that counts, and the other one.
    fn once(&mut self, kind: Kind, busy: bool) -> (Duration, Duration) {
        std::thread::sleep(QUIET);
        let other = busy.then(|| self.another(kind));
        self.count += 1;
        let file = self.s.dir.join("state/traefik/dynamic/hearth.yml");
        let before = inode(&file);
        let host = format!("new{}", self.count);
        let made = match kind {
            Kind::Certificate => Some(self.certificate()),
            Kind::File => {
                let text = self.hearth_yaml.replace("host: nas", &format!("host: {host}"));
                // Under another name first, as editors do: the server looks at this file too.
                std::fs::write(self.s.dir.join("hearth.new"), text).expect("a file can be written");
                None
            }
            Kind::Label => {
                self.s.write("stacks/web.yaml", &stack(&host));
                None
            }
        };
        let began = Instant::now();
        let command = match &made {
            Some((chain, key, _)) => self.s.hearth_args_start(&["certs", "import", chain, key], &[]),
            None => {
                if kind == Kind::File {
                    let (from, to) = (self.s.dir.join("hearth.new"), self.s.dir.join("hearth.yaml"));
                    std::fs::rename(from, to).expect("a file can be renamed");
                }
                self.s.hearth_args_start(&["--compat", "2", "up"], &[])
            }
        };
        let renamed = std::thread::spawn(move || changed(&file, before));
        let done = |(leaf, status): (Vec<u8>, u16)| match &made {
            Some((_, _, expected)) => leaf == *expected,
            None => status == 200,
        };
        while !done(self.seen(&host)) {
            assert!(began.elapsed() < Duration::from_secs(30), "{host} is not there\n{}", self.door.routes());
            std::thread::sleep(Duration::from_millis(5));
        }
        let (came, clock) = (Instant::now(), SystemTime::now());
        self.s.noted(command).ok();
        let renamed = renamed.join().expect("it only looks");
        if let Some(other) = other {
            self.s.noted(other);
        }
        let from_command = came - began;
        match kind {
            Kind::Label => {
                let started = self.started();
                (clock.duration_since(started).unwrap_or_default(), from_command)
            }
            _ => (from_command, came.saturating_duration_since(renamed)),
        }
    }

    /// Another change, made so that the next comes 100 ms after Traefik was told of it; its command goes on meanwhile.
    fn another(&mut self, kind: Kind) -> Running {
        if kind == Kind::Label {
            self.s.docker(&format!("restart -t 0 {}-beside-1", self.s.project)).ok();
            std::thread::sleep(BETWEEN);
            return self.s.hearth_args_start(&["--version"], &[]);
        }
        self.count += 1;
        let (chain, key, _) = self.certificate();
        let file = self.s.dir.join("state/traefik/dynamic/hearth.yml");
        let before = inode(&file);
        let command = self.s.hearth_args_start(&["certs", "import", &chain, &key], &[]);
        changed(&file, before);
        std::thread::sleep(BETWEEN);
        command
    }

    /// When the container of `app` was started, as the engine says.
    fn started(&self) -> SystemTime {
        let ran = self.s.docker(&format!("inspect -f {{{{.State.StartedAt}}}} {}-app-1", self.s.project)).ok();
        OffsetDateTime::parse(ran.out.trim(), &Rfc3339).expect("the engine writes RFC 3339").into()
    }

    /// A certificate as a person would bring one: two files, and what clients will see.
    fn certificate(&self) -> (String, String, Vec<u8>) {
        let params = CertificateParams::new(vec![format!("*.{DOMAIN}")]).expect("a good name");
        let key = KeyPair::generate().expect("a key can be made");
        let made = params.self_signed(&key).expect("a certificate can be made");
        let path = |end: &str| self.s.beside(&format!("brought-{}.{end}", self.count)).display().to_string();
        let (chain, own) = (path("pem"), path("key"));
        std::fs::write(&chain, made.pem()).expect("a file can be written");
        std::fs::write(&own, key.serialize_pem()).expect("a file can be written");
        (chain, own, made.der().to_vec())
    }

    fn end(self) {
        self.serve.signal(rustix::process::Signal::TERM);
        self.s.noted(self.serve);
    }
}

/// When another file is in its place.
fn changed(file: &Path, before: u64) -> Instant {
    let began = Instant::now();
    while inode(file) == before && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    Instant::now()
}

fn inode(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.ino())
}
