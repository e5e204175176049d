//! Samples of what is not under Hearth.

use super::*;
use crate::panel::found;
use crate::stacks::json::adoption::{Preview, Project};
use crate::stacks::json::loose::Loose;
use crate::stacks::json::plans::{Note, Plan, Risk, Step};

fn project(name: &str, whose: &'static str, state: &str, services: &[&str]) -> Project {
    Project {
        name: name.into(),
        whose,
        state: state.into(),
        services: services.iter().map(|one| (*one).to_owned()).collect(),
        directory: format!("/srv/{name}"),
        files: vec![format!("/srv/{name}/compose.yaml")],
        missing_files: Vec::new(),
    }
}

fn projects() -> Vec<Project> {
    vec![
        project("casa", "this home", "4 running", &["web"]),
        project("games", "left alone", "1 exited", &["minecraft"]),
        project("immich", "made by compose", "3 running, 1 exited", &["server", "ml", "redis", "database", "proxy"]),
        project("paperless", "adopted", "2 running", &["webserver", "broker"]),
        project("shop", "made by compose", "1 running", &["web"]),
    ]
}

fn loose() -> Vec<Loose> {
    let one = |name: &str, state| Loose {
        id: "3f2a".repeat(16),
        name: name.into(),
        image: "portainer/portainer-ce:2.21".into(),
        state,
        created_at: "2026-10-20T12:00:00Z".into(),
    };
    vec![one("portainer", "running"), one("try", "exited")]
}

fn list(role: Role, projects: Vec<Project>, loose: Vec<Loose>) -> found::List {
    found::of(shell(role), projects, loose, NOW)
}

pub fn plan(steps: Vec<Step>, notes: Vec<Note>) -> Plan {
    let empty = steps.is_empty();
    Plan { project: "shop".into(), summary: String::new(), risk: Risk::None, empty, steps, notes, refusals: Vec::new() }
}

fn step(words: &str, why: &str) -> Step {
    Step {
        id: 1,
        action: "create_container",
        words: words.into(),
        why: why.into(),
        risk: Risk::None,
        service: "web".into(),
        after: Vec::new(),
        group: None,
    }
}

fn preview(project: Project, plan: Option<Plan>, words: &str) -> found::Page {
    found::of_preview(shell(Role::Admin), Preview { project, plan, words: words.into() })
}

/// By name.
pub fn all() -> Vec<Sample> {
    let shop = || project("shop", "made by compose", "1 running", &["web"]);
    let mut gone = project("stacks", "made by compose", "2 running", &["a", "b"]);
    gone.files = vec!["/data/compose/5/docker-compose.yml".into()];
    gone.missing_files = gone.files.clone();
    let hostile = project(HOSTILE, "made by hearth", HOSTILE, &[HOSTILE]);
    let many = (0..200).map(|n| project(&format!("project-{n:03}"), "made by compose", "1 running", &["web"]));
    let changes = plan(
        vec![
            step("create shop-worker-1", "it is not there"),
            step("stop shop-web-1", "environment TZ: UTC to Europe/Berlin"),
        ],
        vec![Note { about: "orphan".into(), subject: "shop-old-1".into(), text: "is of no service any more".into() }],
    );
    vec![
        sample("found", &list(Role::Admin, projects(), loose())),
        sample("found-viewer", &list(Role::Viewer, projects(), loose())),
        sample("found-empty", &list(Role::Admin, Vec::new(), Vec::new())),
        sample("found-many", &list(Role::Admin, many.collect(), Vec::new())),
        sample("found-hostile", &list(Role::Admin, vec![hostile], Vec::new())),
        sample("found-one", &preview(shop(), Some(plan(Vec::new(), Vec::new())), "")),
        sample("found-one-changes", &preview(shop(), Some(changes), "")),
        sample(
            "found-one-unknown",
            &preview(gone, None, "its containers name /data/compose/5/docker-compose.yml, which is not here"),
        ),
        sample("found-one-hostile", &preview(project(HOSTILE, "made by hearth", HOSTILE, &[HOSTILE]), None, HOSTILE)),
        sample("found-one-adopted", &preview(project("paperless", "adopted", "2 running", &["webserver"]), None, "")),
        sample("found-one-viewer", &found::of_project(shell(Role::Viewer), shop())),
    ]
}
