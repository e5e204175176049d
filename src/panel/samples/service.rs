//! Samples of a service.

use serde_json::json;

use super::*;
use crate::panel::service::terminal;
use crate::panel::service::{self, Place};
use crate::panel::{bulk, home};
use crate::stacks::json::containers::*;
use crate::stacks::json::disks::Disk;
use crate::stacks::json::logs;

fn inspected(one: &Service, hostile: &str) -> Option<Inspected> {
    let container = one.containers.first()?.clone();
    let probe = Probe {
        at: "2026-11-27T11:59:30Z".into(),
        exit_code: 7,
        output: format!("curl: (7) Failed to connect to localhost port 8096{hostile}"),
    };
    let disk = Disk { at: "/srv".into(), total: 4 << 40, free: 120 << 30 };
    let mount = |kind: &str, source: &str, target: &str, writable, disk| Mount {
        kind: kind.into(),
        source: source.to_owned() + hostile,
        target: target.into(),
        writable,
        disk,
    };
    Some(Inspected {
        environment: vec!["TZ".into(), "JELLYFIN_PublishedServerUrl".into(), hostile.into()],
        command: vec!["/jellyfin/jellyfin".into(), "…".into()],
        networks: vec!["casa_media".into()],
        addresses: vec![Address {
            network: "casa_media".into(),
            ip: "10.89.3.4".into(),
            names: vec!["jellyfin".to_owned() + hostile],
        }],
        mounts: vec![
            mount("volume", "casa_jellyfin-config", "/config", true, None),
            mount("bind", "/srv/films", "/data/movies", false, Some(disk)),
        ],
        restart_policy: "unless-stopped".into(),
        restart_count: if one.state == Standing::Restarting { 12 } else { 0 },
        oom_killed: one.state == Standing::Failed,
        error: hostile.into(),
        finished_at: (one.state == Standing::Failed).then(|| "2026-11-27T11:48:00Z".into()),
        health_check: Some(HealthCheck { failing: i64::from(one.state == Standing::Unhealthy) * 3, last: Some(probe) }),
        limits: Limits { memory: Some(2 << 30), cpus: Some(1.5), pids: None },
        depends_on: vec![Dependency { service: "postgres".into(), condition: "service_healthy".into() }],
        exposes: vec![8096, 8920],
        image_digests: vec!["jellyfin/jellyfin@sha256:9c8d1b6e2a".to_owned() + hostile],
        test_double: false,
        container,
    })
}

fn line(stream: &'static str, text: &str) -> logs::Line {
    logs::Line { at: Some("2026-11-27T11:59:58.123456789Z".into()), stream, text: text.into() }
}

fn log(more: usize) -> service::Log {
    let some = [
        line("stdout", "\u{1b}[32m[INF]\u{1b}[0m Startup complete 0:00:04.1"),
        line("stderr", "[ERR] ffmpeg exited with code 234"),
        line("stdout", "[WRN] \u{1b}[38;2;255;200;0mslow\u{1b}[0m disk\u{1b}]0;title\u{7}"),
        line("stdout", HOSTILE),
    ];
    let many = (0..more).map(|n| line("stdout", &format!("line {n} of many, \u{1b}[1;34mblue\u{1b}[0m and plain")));
    service::Log {
        container: "casa-jellyfin-1".into(),
        lines: some.into_iter().chain(many).map(service::Line::of).collect(),
        stream: "/services/jellyfin/log/lines?id=3f2a".into(),
        page: "/services/jellyfin/log".into(),
        last: "2026-11-27T11:59:58.123456789Z".into(),
        cut: true,
    }
}

fn service_page(state: Standing, why: &str, role: Role, hostile: &str) -> service::Page {
    let mut one = service("jellyfin", "media", state, why);
    one.containers.iter_mut().for_each(|c| {
        c.image = "jellyfin/jellyfin:10.10".to_owned() + hostile;
        c.exit_code = (state == Standing::Failed).then_some(137);
        c.state = if state == Standing::Failed { "exited" } else { "running" };
    });
    let row = home::row_of(None, &one, &ways(), NOW);
    let place = Place::of("jellyfin".to_owned() + hostile, None, None);
    let inspected = inspected(&one, hostile);
    let mut page = service::of_service(shell(role), place, row, &one, &seen(0), inspected.as_ref(), NOW);
    page.log = inspected.is_some().then(|| log(0));
    page
}

/// With the form of its way in, in a home of some groups. `shown`: what the call says of its route.
fn with_form(shown: serde_json::Value, hostile: &str) -> service::Page {
    let mut page = service_page(Standing::Running, "", Role::Admin, hostile);
    let groups = vec!["family".to_owned(), "kids".to_owned() + hostile];
    let mut form = service::form_of(page.shell.lang, &page.place, &shown, &[8096, 8920], groups);
    form.etag = "\"3f2a\"".to_owned() + hostile;
    form.domain = Some("home.arpa".to_owned() + hostile);
    page.form = Some(form);
    page
}

fn first_route() -> service::Page {
    let mut page = with_form(json!({"stack": "media", "route": null, "by_hand": null, "ports": []}), "");
    if let Some(form) = &mut page.form {
        (form.localhost, form.domain) = (true, None);
    }
    page.done = page.shell.lang.say("service-route-saved").into_owned();
    page
}

fn refused_route(hostile: &str) -> service::Page {
    let route =
        json!({"host": hostile.to_owned() + "media", "port": "8096", "access": "group:kids".to_owned() + hostile});
    let mut page = with_form(json!({"stack": "media", "route": route, "by_hand": null, "ports": [80]}), hostile);
    if let Some(form) = &mut page.form {
        form.open = true;
        form.host.told = refused();
        form.port.told = refused();
        form.access.told = refused();
        form.told = refused();
    }
    page
}

fn route_by_hand() -> service::Page {
    let why = "the route of `jellyfin` can only be changed in its stack's text: it has a list of routes";
    let mut page = with_form(json!({"stack": "media", "route": null, "by_hand": why, "ports": []}), "");
    page.form.iter_mut().for_each(|form| form.open = true);
    page
}

/// Of several containers, with the second shown.
/// As it was before the engine stopped answering.
fn away() -> service::Page {
    let told = Some(format!("No engine answers. What is shown is from before. {HOSTILE}"));
    service::Page {
        away: told,
        made: Vec::new(),
        figures: None,
        log: None,
        ..service_page(Standing::Running, "", Role::Operator, "")
    }
}

fn several() -> service::Page {
    let mut one = service("jellyfin", "media", Standing::Running, "");
    let second =
        crate::stacks::seen::container::Container { name: "casa-jellyfin-2".into(), ..one.containers[0].clone() };
    one.containers.push(second);
    let row = home::row_of(None, &one, &ways(), NOW);
    let place = Place::of("jellyfin".into(), None, Some("casa-jellyfin-2".into()));
    service::of_service(shell(Role::Operator), place, row, &one, &seen(0), None, NOW)
}

fn log_page(q: &str, log: service::Log) -> service::LogPage {
    let all = several().all;
    let place = Place::of("jellyfin".into(), Some("casa".into()), None);
    let asked = service::LogAsked { q: q.into(), times: Some("on".into()), ..Default::default() };
    service::log_of(shell(Role::Viewer), place, all, log, asked, 500)
}

fn terminal(role: Role, runs: bool) -> terminal::Page {
    let place = Place::of("jellyfin".into(), None, None);
    let chosen = Some(("casa-jellyfin-2".to_owned(), "3f2a".to_owned(), runs));
    terminal::of(shell(role), place, several().all, chosen, "bm9uY2U=".into())
}

fn terminal_hostile() -> terminal::Page {
    let place = Place::of(HOSTILE.into(), Some(HOSTILE.into()), Some(HOSTILE.into()));
    terminal::of(
        shell(Role::Admin),
        place,
        several().all,
        Some((HOSTILE.into(), HOSTILE.into(), true)),
        "bm9uY2U=".into(),
    )
}

fn stops(names: &[&str]) -> bulk::Page {
    let picked = bulk::Picked(names.iter().map(|name| (*name).to_owned()).collect());
    bulk::of(shell(Role::Operator), &seen(0), &picked).expect("they are there")
}

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("service", &service_page(Standing::Running, "", Role::Operator, "")),
        sample(
            "service-failed",
            &service_page(Standing::Failed, "it was killed: it took more memory than it may have", Role::Viewer, ""),
        ),
        sample(
            "service-unhealthy",
            &service_page(Standing::Unhealthy, "its health check fails: its log may say why", Role::Operator, ""),
        ),
        sample(
            "service-starting",
            &service_page(Standing::Starting, "its health check has not passed yet", Role::Operator, ""),
        ),
        sample(
            "service-missing",
            &service_page(Standing::Missing, "it is on, and has no container: hearth up makes one", Role::Operator, ""),
        ),
        sample("service-away", &away()),
        sample("service-several", &several()),
        sample("service-hostile", &service_page(Standing::Unhealthy, HOSTILE, Role::Admin, HOSTILE)),
        sample("service-route-first", &first_route()),
        sample("service-route-refused", &refused_route("")),
        sample("service-route-by-hand", &route_by_hand()),
        sample("service-route-hostile", &refused_route(HOSTILE)),
        sample("terminal", &terminal(Role::Admin, true)),
        sample("terminal-operator", &terminal(Role::Operator, true)),
        sample("terminal-stopped", &terminal(Role::Operator, false)),
        sample("terminal-hostile", &terminal_hostile()),
        sample("bulk-stop", &stops(&["jellyfin", "postgres", "paperless/webserver"])),
        sample("log", &log_page("", log(40))),
        sample("log-empty", &log_page("", service::Log::default())),
        sample("log-searched", &log_page("many", log(20))),
        sample(
            "log-hostile",
            &log_page(HOSTILE, service::Log { container: HOSTILE.into(), stream: HOSTILE.into(), ..log(0) }),
        ),
        sample("log-many", &log_page("", log(1000))),
    ]
}
