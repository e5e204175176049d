//! What Traefik is told of 1,000 routes, in process: labels for their containers, and the file.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use hearth::traefik::file::{self, Content};
use hearth::traefik::{Access, Entry, Route, Target, labels};

use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const ROUTES: usize = 1000;

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let routes: Vec<Route> = (0..ROUTES).map(route).collect();
    let mut samples = Samples::default();
    let mut size = 0;
    for run in 0..rig.runs.max(5) * 10 + 2 {
        let began = Instant::now();
        let told: usize = routes.iter().map(|route| black_box(labels::of(&[route], "home_web", false)).len()).sum();
        let lan = ["192.168.0.0/16".to_string()];
        let text = file::render_marked(&Content { routes: &routes, https_port: 443, lan: &lan, ..Content::default() });
        let took = began.elapsed();
        size = black_box(text).len();
        if told < ROUTES * 5 {
            return Err(format!("{told} labels for {ROUTES} routes"));
        }
        // The first two warm it up.
        if run >= 2 {
            samples.add(took.as_secs_f64() * 1000.0);
        }
    }
    let row = Row::new(
        "labels and file for 1,000 routes",
        Unit::Milliseconds,
        samples,
        Samples::default(),
        Goal::AtMost(20.0),
    );
    Ok(vec![row.note(format!("a file of {} kB", size / 1000))])
}

/// Each of its own: some with a path, some with headers, some over HTTPS, a few outside Docker.
fn route(n: usize) -> Route {
    let target = match n % 10 {
        9 => Target::Addresses(vec![format!("http://192.168.1.{}:5000", n % 250)]),
        n => Target::Container { port: "8080".into(), scheme: if n == 8 { "https" } else { "http" }.into() },
    };
    let headers = BTreeMap::from([("X-Frame-Options".to_string(), "DENY".to_string())]);
    Route {
        name: format!("home-service-{n:04}"),
        profile: None,
        service: format!("service-{n:04}"),
        entry: Entry::Web {
            hosts: vec![format!("service-{n:04}.example.org")],
            path: (n.is_multiple_of(5)).then(|| format!("/path-{n}")),
            strip: n.is_multiple_of(15),
        },
        access: if n.is_multiple_of(2) { Access::Lan } else { Access::Public },
        bypass: Vec::new(),
        target,
        timeout: (n.is_multiple_of(7)).then(|| "5m".to_string()),
        request_headers: BTreeMap::new(),
        response_headers: if n.is_multiple_of(4) { headers } else { BTreeMap::new() },
        shares_paths: false,
        beside_login: false,
        sticky: n.is_multiple_of(11),
        health: None,
        rate: None,
        span: None,
    }
}
