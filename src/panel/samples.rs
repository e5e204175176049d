//! Every page in the states that it has: for tests, and for looking at them.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::json;
use time::macros::datetime;

use super::home::{self, Home};
use super::machine::Figure;
use super::plan::{self, Plan};
use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::Mark;
use super::{search, service, work};
use crate::auth::who::Role;
use crate::diag::Diagnostic;
use crate::proxy::Mine;
use crate::stacks::cli::profiles::{Counts, Profile};
use crate::stacks::json::plans::Kept;
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

fn plan(role: Role) -> Plan {
    let row = |service: &str, verb: &str, why: &[&str], stops: Option<bool>| json!({"service": service, "verb": verb, "name": format!("casa-{service}-1"), "why": why, "stops": stops, "step": 1});
    let kept = Kept {
        id: "0tkdck4zdkw".into(),
        made: "2026-11-27T11:58:00Z".into(),
        who: "ada (session)".into(),
        summary: "1 to create, 2 to replace, 1 to stop, 4 as they are".into(),
        risk: "short_stop".into(),
        plan: json!({
            "steps": [{"action": "pull_image", "image": "jellyfin/jellyfin:10.10"}, {"action": "create_volume", "volume": "casa_media"}],
            "rows": [
                row("jellyfin", "replace", &["image moved jellyfin/jellyfin:10.9 to 10.10", "environment TZ: UTC to Europe/Berlin"], Some(true)),
                row("sonarr", "create", &[], None),
                row("prowlarr", "stop", &["asked for (down)"], None),
                row("bazarr", "start", &["does not run (exited)"], None),
            ],
            "unchanged": {"radarr": 1, "lidarr": 3},
            "notes": [{"about": "profile", "subject": "monitoring", "text": "is off and stays off"}],
            "refusals": [],
        }),
    };
    plan::of_kept(shell(role), &kept, NOW)
}

fn refused() -> Vec<Told> {
    vec![Told::of(&json!({
        "code": "compose.unknown-key", "title": "`restrat` is not a key of a service",
        "place": {"file": "stacks/media.yaml", "line": 13, "column": 5}, "hints": ["did you mean `restart`?"],
    }))]
}

fn work(end: &str) -> work::Page {
    let step = |n: usize, state: &str, words: &str, more: &str, took: &str| work::Step {
        id: format!("step-1-{n}"),
        mark: Mark::work(state),
        words: words.into(),
        more: more.into(),
        took: took.into(),
    };
    let failed = end == "failed";
    work::Page {
        shell: shell(Role::Operator),
        head: work::Head {
            mark: Mark::work(end),
            heading: "Up media".into(),
            words: if failed {
                "Failed: 1 as before".into()
            } else {
                "Under way. It goes on when this page is closed.".into()
            },
            who: "ada (session)".into(),
            began: super::words::Moment::of(datetime!(2026-11-27 11:58 UTC), NOW),
            done: 2,
            of: 4,
            cancel: (!failed).then(|| "/works/0tk/cancel".into()),
        },
        steps: vec![
            step(1, "done", "Pull jellyfin/jellyfin:10.10", "212 MiB of 212 MiB", "41.2 s"),
            step(2, "done", "Create casa-jellyfin-1", "", "410 ms"),
            step(
                3,
                end,
                "Wait until casa-jellyfin-1 is healthy, at most 90 s",
                "curl: (7) Failed to connect to localhost port 8096",
                "",
            ),
            step(4, "interrupted", "Remove the old casa-jellyfin-1", "", ""),
        ],
        told: if failed { refused() } else { Vec::new() },
        command: "hearth up media".into(),
    }
}

fn service_page(state: Standing, why: &str, role: Role) -> service::Page {
    let one = service("jellyfin", "media", state, why);
    let row = home::row_of(None, &one, &ways(), NOW);
    let mut page = service::of_service(shell(role), row, &one, None, NOW);
    page.facts = vec![
        ("Image", vec!["jellyfin/jellyfin:10.10".into()]),
        ("Ports", vec!["127.0.0.1:7096 to 8096 (tcp)".into()]),
        ("Mounts", vec!["casa_jellyfin-config at /config (volume)".into(), "/srv/films at /data/movies (bind)".into()]),
    ];
    let line = |is_error, text: &str| service::Line { at: String::new(), is_error, text: text.into() };
    page.log = Some(service::Log {
        container: "casa-jellyfin-1".into(),
        lines: vec![
            line(false, "[INF] Startup complete 0:00:04.1"),
            line(true, "[ERR] ffmpeg exited with code 234"),
            line(false, HOSTILE),
        ],
        stream: "/api/v1/containers/3f2a/logs/stream?".into(),
        last: "2026-11-27T11:59:58.123456789Z".into(),
        cut: true,
    });
    page
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
        ("plan".into(), render(&|| plan(Role::Operator).render())),
        ("plan-viewer".into(), render(&|| plan(Role::Viewer).render())),
        (
            "plan-refused".into(),
            render(&|| Plan { refusals: refused(), rows: Vec::new(), ..plan(Role::Admin) }.render()),
        ),
        ("work".into(), render(&|| work("running").render())),
        ("work-failed".into(), render(&|| work("failed").render())),
        ("works".into(), render(&|| work::List { shell: shell(Role::Viewer), all: Vec::new() }.render())),
        ("service".into(), render(&|| service_page(Standing::Running, "", Role::Operator).render())),
        ("service-failed".into(), render(&|| service_page(Standing::Failed, "it ended with 1", Role::Viewer).render())),
        ("service-hostile".into(), render(&|| service_page(Standing::Unhealthy, HOSTILE, Role::Admin).render())),
        ("refusal".into(), render(&|| refusal::Page { shell: shell(Role::Operator), all: refused() }.render())),
        ("search".into(), render(&|| search::of(shell(Role::Operator), "auto", &seen(0)).render())),
        ("search-none".into(), render(&|| search::of(shell(Role::Operator), HOSTILE, &seen(0)).render())),
    ]
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
