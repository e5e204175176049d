//! Every page in the states that it has: for tests, and for looking at them.

use std::collections::BTreeMap;

use askama::Template;
use time::macros::datetime;

use super::home::{self, Home};
use super::machine::Figure;
use super::shell::Shell;
use crate::auth::who::Role;
use crate::diag::Diagnostic;
use crate::proxy::Mine;
use crate::stacks::cli::profiles::{Counts, Profile};
use crate::stacks::seen::Seen;
use crate::stacks::seen::container::Container;
use crate::stacks::seen::service::{Service, Standing};

/// What could become markup, if something forgot to write it as text.
pub const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'{{7*7}}";

const NOW: time::OffsetDateTime = datetime!(2026-11-27 12:00 UTC);

pub fn shell(role: Role) -> Shell {
    Shell {
        home: "casa".into(),
        name: "ada".into(),
        role,
        theme: None,
        at: "/",
        path: "/".into(),
        double: false,
        stream: Some("/live?number=1".into()),
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
    Seen { number: 1, name: "casa".into(), profiles, services, adopted, ..Seen::default() }
}

fn machine() -> Vec<Figure> {
    let one = |word, figure: &str, share| Figure { word, figure: figure.into(), share: Some(share) };
    vec![
        one("Load", "0.4 of 4", 0.1),
        one("Memory", "10.2 GiB of 15.5 GiB", 0.66),
        one("Disk", "3.4 TiB of 3.6 TiB", 0.94),
    ]
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

fn latest(mark: &str, command: &str) -> home::Latest {
    home::Latest {
        mark: super::words::Mark::work(mark),
        command: command.into(),
        path: "/works/20261127-1".into(),
        began: super::words::Moment::of(datetime!(2026-11-27 11:48 UTC), NOW),
    }
}

pub fn home(more: usize) -> Home {
    let mut home = home::of(shell(Role::Admin), &seen(more), &ways(), &[], machine(), NOW);
    home.works =
        vec![latest("running", "up media"), latest("failed", "update sonarr"), latest("done", "up automation")];
    home
}

fn hostile() -> Home {
    let mut seen = seen(0);
    for one in &mut seen.services {
        one.why = Some(HOSTILE.into());
        one.name += HOSTILE;
    }
    seen.profiles.iter_mut().for_each(|one| one.name += HOSTILE);
    let mut shell = shell(Role::Operator);
    shell.home = HOSTILE.into();
    shell.name = HOSTILE.into();
    shell.path = HOSTILE.into();
    let mut home = home::of(shell, &seen, &ways(), &[], machine(), NOW);
    home.works = vec![latest("running", HOSTILE)];
    home
}

/// By name.
pub fn all() -> Vec<(String, String)> {
    let render = |page: &dyn Fn() -> askama::Result<String>| page().unwrap_or_default();
    let with = |seen: Seen, role| home::of(shell(role), &seen, &ways(), &[], machine(), NOW);
    let well = || {
        let mut seen = seen(0);
        seen.services.retain(|one| matches!(one.state, Standing::Running | Standing::Off));
        seen
    };
    let away = Diagnostic::error("engine.unreachable", "Docker does not answer at /var/run/docker.sock");
    vec![
        ("home".into(), render(&|| home(0).render())),
        ("home-well".into(), render(&|| with(well(), Role::Operator).render())),
        ("home-viewer".into(), render(&|| with(seen(0), Role::Viewer).render())),
        (
            "home-empty".into(),
            render(&|| with(Seen { number: 1, name: "casa".into(), ..Seen::default() }, Role::Admin).render()),
        ),
        ("home-away".into(), render(&|| with(Seen { away: Some(away.clone()), ..seen(0) }, Role::Admin).render())),
        ("home-hostile".into(), render(&|| hostile().render())),
        ("home-many".into(), render(&|| home(1000).render())),
    ]
}

#[test]
fn every_page_renders_and_no_text_becomes_markup() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages/panel");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page) in all() {
        std::fs::write(folder.join(format!("{name}.html")), &page).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "{name}");
        assert!(!page.contains("<script>") && !page.contains("<img src=x") && !page.contains('`'), "{name}");
    }
}
