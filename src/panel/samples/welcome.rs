//! Samples of the setup.

use super::*;
use crate::doctor::json::Findings;
use crate::panel::welcome::{self, Answer, Key, Step, Wanted};
use crate::panel::{found, reach};
use crate::stacks::json::adoption::{Preview, Project};

fn walk() -> Shell {
    Shell { stream: None, ..shell(Role::Admin) }
}

fn frame(step: Step) -> welcome::Frame {
    welcome::frame(step, true, Default::default())
}

fn machine(worst: &str) -> welcome::Machine {
    let mut findings = super::health::findings();
    if worst == "ok" {
        findings.retain(|one| one.grade == "ok");
    }
    welcome::of_machine(walk(), frame(Step::Machine), Findings { worst: worst.into(), findings })
}

fn ways() -> welcome::Ways {
    welcome::empty_ways(walk(), frame(Step::Way))
}

fn project(name: &str, missing: bool) -> (found::Row, found::Would) {
    let files = vec![format!("/srv/{name}/compose.yaml")];
    let project = Project {
        name: name.into(),
        whose: "made by compose",
        state: "3 running".into(),
        services: vec!["web".into(), "db".into()],
        directory: format!("/srv/{name}"),
        missing_files: if missing { files.clone() } else { Vec::new() },
        files,
    };
    let row = found::row(&project, Default::default());
    let plan = (!missing).then(|| super::found::plan(Vec::new(), Vec::new()));
    let words = "its containers name /data/compose/5/docker-compose.yml, which is not here".into();
    (row, found::would(&Preview { project, plan, words }, Default::default()))
}

fn profiles(chosen: &[&str], wanted: Vec<Wanted>, told: Vec<Told>) -> welcome::Profiles {
    let all = seen(0).profiles;
    let line = |one: &Profile| welcome::line(one, chosen.contains(&one.name.as_str()), Default::default());
    welcome::Profiles {
        shell: walk(),
        frame: frame(Step::Profiles),
        lines: all.iter().map(line).collect(),
        wanted,
        told,
    }
}

fn wanted(name: &str, secret: bool) -> Wanted {
    Wanted {
        name: name.into(),
        why: "The database's own password".into(),
        secret,
        services: "postgres and sonarr".into(),
    }
}

fn plan(role: Role, refused: bool) -> welcome::Plan {
    let mut plan = super::plan::plan(role);
    if refused {
        plan.refusals = super::refused();
        plan.rows.clear();
    }
    welcome::Plan { shell: walk(), frame: frame(Step::Plan), plan }
}

fn work(going: Option<&str>) -> welcome::Work {
    let page = going.map(super::work::work);
    welcome::Work {
        shell: walk(),
        frame: frame(Step::Work),
        runs: going == Some("running"),
        failed: going == Some("failed"),
        going: page,
    }
}

fn answer(service: &str, answers: bool) -> Answer {
    let mut route =
        super::reach::route(service, Some("user"), Some(answers), "answers 502: nobody listens at port 8123");
    route.certificate = None;
    Answer { way: reach::way(route, NOW, Default::default()), answers }
}

fn done(ways: Vec<Answer>) -> welcome::Done {
    welcome::Done {
        shell: walk(),
        frame: frame(Step::Done),
        ways,
        local: true,
        here: true,
        command: "docker compose --profile media up -d".into(),
    }
}

/// By name.
pub fn all() -> Vec<Sample> {
    let mut wrong = ways().with("my home".into(), "dns", "cloudflare".into());
    wrong.domain_mode = true;
    wrong.domain_wrong = Some("welcome-domain-wrong");
    wrong.keys = vec![Key { name: "token", missing: true, asked: true }];
    wrong.told = refused();
    let mut outside = ways().with("home.example.org".into(), "local", String::new());
    (outside.domain_mode, outside.outside) = (true, true);
    let hostile = ways().with(HOSTILE.into(), "dns", HOSTILE.into());
    // A variable's name is made of letters; what stands beside it is anybody's.
    let hostile_wanted = Wanted { why: HOSTILE.into(), services: HOSTILE.into(), ..wanted("DB_PASSWORD", true) };
    let found = |all| welcome::Found { shell: walk(), frame: frame(Step::Found), all, decided: 2 };
    vec![
        sample("welcome-machine", &machine("problem")),
        sample("welcome-machine-well", &machine("ok")),
        sample("welcome-way", &ways()),
        sample("welcome-way-wrong", &wrong),
        sample("welcome-way-outside", &outside),
        sample("welcome-way-hostile", &hostile),
        sample("welcome-found", &found(vec![project("shop", false), project("old", true)])),
        sample("welcome-found-none", &found(Vec::new())),
        sample("welcome-profiles", &profiles(&["media"], Vec::new(), Vec::new())),
        sample(
            "welcome-profiles-wanted",
            &profiles(&["databases"], vec![wanted("DB_PASSWORD", true), wanted("DB_NAME", false)], refused()),
        ),
        sample("welcome-profiles-hostile", &profiles(&[], vec![hostile_wanted], Vec::new())),
        sample("welcome-plan", &plan(Role::Admin, false)),
        sample("welcome-plan-refused", &plan(Role::Admin, true)),
        sample("welcome-work", &work(Some("running"))),
        sample("welcome-work-failed", &work(Some("failed"))),
        sample("welcome-work-restarted", &work(None)),
        sample("welcome-done", &done(vec![answer("example", true), answer("home-assistant", false)])),
        sample("welcome-done-empty", &done(Vec::new())),
    ]
}
