//! Every page in the states that it has: for tests, and for looking at them.

mod account;
mod audit;
mod bell;
mod found;
mod health;
mod home;
mod others;
mod people;
mod plan;
mod profile;
mod reach;
mod service;
mod stack;
mod storage;
mod welcome;
mod work;

use std::collections::BTreeMap;

use askama::Template;
use serde_json::json;
use time::macros::datetime;

use super::home::Measured;
use super::machine::Figure;
use super::refusal::Told;
use super::shell::Shell;
use super::used::Bytes;
use super::words::Mark;
use crate::auth::who::Role;
use crate::diag::Diagnostic;
use crate::proxy::Mine;
use crate::stacks::cli::profiles::{Counts, Profile};
use crate::stacks::seen::Seen;
use crate::stacks::seen::container::Container;
use crate::stacks::seen::service::{Service, Standing};

pub use home::home;

/// What could become markup, if something forgot to write it as text.
pub const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}";

const NOW: time::OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

pub fn shell(role: Role) -> Shell {
    Shell {
        home: "casa".into(),
        name: "ada".into(),
        role,
        lang: Default::default(),
        theme: None,
        at: "/",
        path: "/".into(),
        double: false,
        stream: Some("/live?number=1".into()),
        unread: 3,
    }
}

fn container(service: &str, started: Option<&str>) -> Container {
    Container {
        id: "3f2a".repeat(16),
        name: format!("casa-{service}-1"),
        service: service.into(),
        number: Some(1),
        state: "running",
        health: None,
        exit_code: None,
        image: "image:1".into(),
        image_id: "sha256:1".into(),
        ports: Vec::new(),
        created_at: "2026-11-20T12:00:00Z".into(),
        started_at: started.map(str::to_owned),
    }
}

fn service(name: &str, profile: &str, state: Standing, why: &str) -> Service {
    let started = matches!(state, Standing::Running | Standing::Starting | Standing::Unhealthy);
    let there = !matches!(state, Standing::Off | Standing::Missing);
    Service {
        name: name.into(),
        stack: Some("media".into()),
        profiles: vec![profile.to_owned()].into_iter().filter(|p| !p.is_empty()).collect(),
        on: state != Standing::Off,
        state,
        why: Some(why.to_owned()).filter(|why| !why.is_empty()),
        containers: there.then(|| container(name, started.then_some("2026-11-24T08:30:00Z"))).into_iter().collect(),
    }
}

fn profile(name: &str, on: bool, services: &[&str]) -> Profile {
    Profile {
        name: name.into(),
        on,
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        needs: Default::default(),
        memory: 3 << 30,
        unlimited: true,
        counts: Some(Counts::default()),
    }
}

/// A home with that many services besides the usual ones.
pub fn seen(more: usize) -> Seen {
    let mut services = vec![
        service("jellyfin", "media", Standing::Running, ""),
        service("sonarr", "media", Standing::Starting, "its health check has not passed yet"),
        service("prowlarr", "media", Standing::Failed, "it was killed: it took more memory than it may have"),
        service("home-assistant", "automation", Standing::Running, ""),
        service("mosquitto", "automation", Standing::Unhealthy, "its health check fails: its log may say why"),
        service("zigbee2mqtt", "automation", Standing::Restarting, "it ends again and again; last, it ended with 1"),
        service("node-red", "automation", Standing::Paused, "somebody has paused it"),
        service("backup", "automation", Standing::Stopped, "it has ended, or was stopped"),
        service("postgres", "databases", Standing::Missing, "it is on, and has no container: hearth up makes one"),
        service("grafana", "monitoring", Standing::Off, "no profile of it is on"),
    ];
    services.extend((0..more).map(|n| service(&format!("service-{n:04}"), "many", Standing::Running, "")));
    let mut profiles = vec![
        profile("media", true, &["jellyfin", "sonarr", "prowlarr"]),
        profile("automation", true, &["home-assistant", "mosquitto", "zigbee2mqtt", "node-red", "backup"]),
        profile("databases", true, &["postgres"]),
        profile("monitoring", false, &["grafana"]),
    ];
    profiles[3].needs.insert("databases".into());
    if more > 0 {
        profiles.push(profile("many", true, &[]));
    }
    let adopted = BTreeMap::from([("paperless".to_owned(), vec![service("webserver", "", Standing::Running, "")])]);
    let others = vec!["immich".to_owned(), "shop".to_owned()];
    Seen { number: 1, name: "casa".into(), profiles, services, adopted, others, ..Seen::default() }
}

fn measured() -> Measured {
    let one = |key, figure: &str, share| Figure { key, figure: figure.into(), share: Some(share) };
    let machine = vec![
        one("home-load", "0.4 of 4", 0.1),
        one("home-memory", "10.2 GiB of 15.5 GiB", 0.66),
        one("home-disk", "3.4 TiB of 3.6 TiB", 0.94),
    ];
    Measured { machine, used: used().into() }
}

/// Each of the containers of the samples has the same id.
fn used() -> Bytes {
    Bytes::from([("3f2a".repeat(16), 410 << 20)])
}

fn ways() -> Vec<Mine> {
    let way = |service: &str| Mine {
        service: service.into(),
        about: "Media".into(),
        url: format!("https://{service}.home.example/"),
        access: "user".parse().expect("it is one"),
    };
    vec![way("jellyfin"), way("home-assistant")]
}

fn refused() -> Vec<Told> {
    vec![Told::of(&json!({
        "code": "compose.unknown-key", "title": "`restrat` is not a key of a service",
        "place": {"file": "stacks/media.yaml", "line": 13, "column": 5}, "hints": ["did you mean `restart`?"],
    }))]
}

/// A page by its name.
pub type Sample = (&'static str, String);

fn sample(name: &'static str, page: &impl Template) -> Sample {
    (name, page.render().unwrap_or_default())
}

/// All of them: one file per page.
pub fn all() -> Vec<Sample> {
    [
        home::all(),
        plan::all(),
        work::all(),
        service::all(),
        others::all(),
        people::all(),
        account::all(),
        audit::all(),
        bell::all(),
        found::all(),
        health::all(),
        profile::all(),
        reach::all(),
        stack::all(),
        storage::all(),
        welcome::all(),
    ]
    .concat()
}

#[test]
fn every_page_renders_and_no_text_becomes_markup() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages/panel");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page) in all() {
        std::fs::write(folder.join(format!("{name}.html")), &page).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{name}");
        assert!(!page.contains("<script>") && !page.contains("<img src=x") && !page.contains('`'), "{name}");
    }
}
