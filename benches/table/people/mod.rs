//! People at `hearth serve`, over plain HTTP on this machine and with an engine in memory, so that nothing else is measured: who asks who they are, what
//! a login costs and whether it tells names, a flood of logins, and a thousand who watch while nothing happens.

mod asks;
mod flood;
mod watch;

pub use flood::child;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use asks::{Answer, ask};
use serde_json::{Value, json};

use crate::home::{self, Running, Scratch, free_port};
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const ME: &str = "GET auth/me in a second, as wrk -t1 -c16 asks";
const SLOWEST: &str = "the same, slowest of a hundred";
const LOGIN: &str = "a login, beside Argon2 alone";
const ALIKE: &str = "logins with unknown and known names differ, in multiples of the noise";
pub const PASSWORD: &str = "unhurried lantern gravel tuba";
/// Names of each kind that are tried.
const NAMES: u8 = 40;

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut rows = home::measured("people", &[ME, SLOWEST, LOGIN, ALIKE], |s| {
        let panel = Panel::start(s, &[]);
        let mut rows = who_am_i(rig, &panel);
        rows.extend(logins(s, &panel));
        panel.end(s);
        Ok(rows)
    })?;
    rows.extend(flood::rows()?);
    rows.extend(watch::rows()?);
    Ok(rows)
}

/// A server that is set up, with an admin who has signed in.
pub struct Panel {
    pub running: Running,
    pub http: SocketAddr,
    pub https: SocketAddr,
    /// Under which its pages are asked for.
    pub host: String,
    /// Of the admin.
    pub token: String,
    pub runtime: tokio::runtime::Runtime,
}

impl Panel {
    /// A home of its own, on an engine in memory. `more`: arguments of `serve`.
    pub fn start(s: &Scratch, more: &[&str]) -> Panel {
        s.write("hearth.yaml", &format!("name: {}\nlan: 127.0.0.0/8\n", s.project));
        s.write("stacks/.keep", "");
        Panel::on(s, "memory:", more)
    }

    /// The home that there is, on an engine; an empty one is this machine's.
    pub fn on(s: &Scratch, engine: &str, more: &[&str]) -> Panel {
        let (http, https) = (local(free_port()), local(free_port()));
        let (said, plain) = (https.to_string(), http.to_string());
        let engine: Vec<_> = (!engine.is_empty()).then_some(("DOCKER_HOST", engine)).into_iter().collect();
        let args = [&["serve", "--listen", &said, "--http", &plain], more].concat();
        let running = s.hearth_args_start(&args, &engine);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let (host, token) = (String::new(), String::new());
        let mut panel = Panel { running, http, https, host, token, runtime };
        assert!(
            home::until(Duration::from_secs(20), || panel.ask("GET", "/health", None).0 == 200),
            "it does not answer"
        );
        let link = s.hearth_args(&["users", "setup-link"]).ok().out;
        let token =
            link.split("token=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link is printed");
        let host = link.split("https://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        panel.host = format!("{}:{}", host.expect("the link has a host"), https.port());
        let first = json!({"token": token, "username": "admin", "password": PASSWORD});
        let made = panel.ask("POST", "/api/v1/setup", Some(first));
        assert_eq!(made.0, 201, "the first admin is made: {}", made.1);
        let (status, told) = panel.login([127, 0, 0, 1], "admin", PASSWORD);
        assert_eq!(status, 200, "the admin signs in: {told}");
        panel.token = told["access_token"].as_str().expect("a token").into();
        panel
    }

    /// As the admin, from this machine.
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let token = Some(self.token.as_str()).filter(|token| !token.is_empty());
        self.runtime
            .block_on(ask(Ipv4Addr::LOCALHOST, self.http, method, path, token, body))
            .unwrap_or((0, Value::Null))
    }

    /// From an address of this machine: each is a household.
    fn login(&self, from: [u8; 4], name: &str, password: &str) -> Answer {
        let body = json!({"username": name, "password": password});
        let asked = ask(from.into(), self.http, "POST", "/api/v1/auth/login", None, Some(body));
        self.runtime.block_on(asked).unwrap_or((0, Value::Null))
    }

    pub fn end(self, s: &Scratch) {
        self.running.signal(rustix::process::Signal::TERM);
        s.noted(self.running);
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn who_am_i(rig: &Rig, panel: &Panel) -> Vec<Row> {
    let (mut rate, mut slowest) = (Samples::default(), Samples::default());
    for _ in 0..rig.runs {
        let (each, p99) = asks::wrk(&format!("http://{}/api/v1/auth/me", panel.http), &panel.token);
        rate.add(each);
        slowest.add(p99);
    }
    vec![
        Row::new(ME, Unit::PerSecond, rate, Samples::default(), Goal::NoLess(15_000.0))
            .note("an access token, over 16 connections that stay open; every answer is 200; wrk takes a share of the same cores"),
        Row::new(SLOWEST, Unit::Milliseconds, slowest, Samples::default(), Goal::AtMost(10.0)),
    ]
}

/// Right ones beside the hash alone, then wrong ones for names that are there and for names that are not, each from a household of its own.
fn logins(s: &Scratch, panel: &Panel) -> Vec<Row> {
    let timed = |from: [u8; 4], name: &str, password: &str, status: u16| {
        let began = std::time::Instant::now();
        let (said, told) = panel.login(from, name, password);
        assert_eq!(said, status, "{name}: {told}");
        began.elapsed().as_secs_f64() * 1000.0
    };
    let (mut right, mut alone) = (Samples::default(), Samples::default());
    // Its database is opened, and dropped, within.
    let _within = panel.runtime.enter();
    let hash = asks::argon2(&s.dir);
    // It has yet to read what the server has found.
    asks::hash(&hash, &panel.runtime);
    for n in 0..20 {
        right.add(timed([127, 1, 0, n + 1], "admin", PASSWORD, 200));
        alone.add(asks::hash(&hash, &panel.runtime));
    }
    for n in 0..NAMES {
        let new = json!({"username": format!("known{n}"), "password": PASSWORD, "role": "member"});
        assert_eq!(panel.ask("POST", "/api/v1/users", Some(new)).0, 201);
    }
    let (mut known, mut unknown, mut again) = (Samples::default(), Samples::default(), Samples::default());
    for n in 0..NAMES {
        // In turns, so that whatever else the machine does meets all of them; two kinds of unknown ones are the noise.
        unknown.add(timed([127, 2, 0, n + 1], &format!("unknown{n}"), "wrong wrong wrong", 401));
        known.add(timed([127, 2, 1, n + 1], &format!("known{n}"), "wrong wrong wrong", 401));
        again.add(timed([127, 2, 2, n + 1], &format!("nobody{n}"), "wrong wrong wrong", 401));
    }
    let noise = spread(&known).hypot(spread(&unknown));
    let difference = (known.median() - unknown.median()).abs();
    let between = (again.median() - unknown.median()).abs();
    let note = format!(
        "medians: known {:.1} ms, unknown {:.1} and {:.1}; the noise is {noise:.1} ms, two kinds of unknown ones differ by {between:.1}",
        known.median(),
        unknown.median(),
        again.median()
    );
    vec![
        Row::new(LOGIN, Unit::Milliseconds, right, alone, Goal::Ratio(1.25))
            .note("the other is one hash with what this machine was tuned to; the rest is the session, on the disk when it is answered"),
        Row::new(ALIKE, Unit::Times, Samples(vec![difference / noise]), Samples::default(), Goal::AtMost(1.0)).note(note),
    ]
}

/// How far single values lie from their median, at the middle.
fn spread(samples: &Samples) -> f64 {
    let median = samples.median();
    Samples(samples.0.iter().map(|value| (value - median).abs()).collect()).median()
}
