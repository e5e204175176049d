//! Samples of stacks: their list, one as text, what it said before, and variables.

use super::*;
use crate::panel::diff::diff;
use crate::panel::stack::history::{self, History};
use crate::panel::stack::{self, Conflict, Draft, List, Page, lines, mistakes};
use crate::panel::variables;
use crate::stacks::json::stacks::Stack;
use crate::stacks::json::variables::{SecretFile, Variable, Variables};
use crate::stacks::json::versions::{Version, Whole};

const TEXT: &str = "# Films and series.\nservices:\n  jellyfin:\n    image: jellyfin/jellyfin:10.9\n    restrat: always\n    volumes:\n      - config:/config\nvolumes:\n  config: {}\n";

fn list(role: Role, many: usize) -> List {
    let one = |name: &str, about: &str, errors: usize| Stack {
        name: name.into(),
        title: name.to_uppercase(),
        about: about.into(),
        services: vec![format!("{name}-web"), "db".into()],
        profiles: vec![name.to_owned()],
        changed: Some("2026-11-24T08:30:00Z".into()),
        errors,
    };
    let mut all = vec![one("media", "Films, series and music, and what fetches them", 0), one("files", HOSTILE, 2)];
    all.extend((0..many).map(|n| one(&format!("stack-{n:04}"), "", 0)));
    stack::of_all(shell(role), all, NOW)
}

fn page_of(text: &str) -> Page {
    Page { in_git: true, ..Page::new(shell(Role::Admin), "media", text.into(), "\"0123\"".into()) }
}

fn wrong(text: &str) -> Page {
    let told = [
        json!({"code": "compose.unknown-key", "severity": "error", "title": "`restrat` is not a key of a service", "hints": ["did you mean `restart`?"],
               "place": {"file": "/home/stacks/media.yaml", "line": 5, "column": 5}}),
        json!({"code": "lint.latest", "severity": "warning", "title": HOSTILE, "hints": [HOSTILE], "place": {"file": "/home/stacks/other.yaml", "line": 1, "column": 1}}),
    ];
    let mut page = page_of(text);
    page.mistakes = mistakes(&told, std::path::Path::new("/home"), "stacks/media");
    page.lines = lines(&page.text, &page.mistakes);
    page
}

fn drafted() -> Page {
    let row = json!({"service": "jellyfin", "verb": "replace", "name": "casa-jellyfin-1", "why": ["image 10.9 to 10.10"], "stops": true, "step": 1});
    let changes = json!([{"service": "jellyfin", "before": TEXT, "after": TEXT.replace("10.9", "10.10")}]);
    let plan = json!({"steps": [], "rows": [row], "unchanged": {"radarr": 3}, "notes": [], "refusals": [], "changes": changes});
    let draft = json!({"summary": "1 to replace", "risk": "short_stop", "plan": plan});
    let mut page = page_of(TEXT);
    page.draft = Some(Draft::of(page.shell.lang, &draft));
    page
}

fn conflict() -> Page {
    let mut page = page_of(&TEXT.replace("10.9", "10.10"));
    page.conflict = Some(Conflict { diff: diff(TEXT, &page.text), is_gone: false });
    page.typed = HOSTILE.into();
    page
}

fn fresh() -> Page {
    let mut page = Page::new(shell(Role::Admin), "", "services: {}\n".into(), String::new());
    page.shipped = vec!["media", "files"];
    page
}

fn version(n: usize, message: &str) -> Version {
    let who = if n == 1 { "" } else { "ada" };
    Version { id: format!("{n:040x}"), at: "2026-11-26T12:00:00Z".into(), who: who.into(), message: message.into() }
}

fn versions(many: usize) -> History {
    let mut items = vec![version(3, "A newer Jellyfin\n\nBecause of subtitles"), version(2, HOSTILE), version(1, "")];
    items.extend((4..4 + many).map(|n| version(n, "again")));
    let all = crate::web::list::Page { items, next: (many > 0).then(|| "abc".into()) };
    history::of_all(shell(Role::Admin), "media", &all, many == 0, NOW)
}

fn one_version(text: &str) -> history::One {
    let whole = Whole { version: version(2, HOSTILE), text: Some(text.into()) };
    history::of_one(shell(Role::Admin), "media", &whole, TEXT, "\"0123\"".into(), NOW)
}

fn all_variables(many: usize) -> variables::Page {
    let one = |name: &str, set: bool, required: bool, weak: Option<&str>| Variable {
        name: name.into(),
        set,
        required,
        why: if required { HOSTILE.into() } else { String::new() },
        has_default: !required,
        secret: true,
        weak: weak.map(str::to_owned),
        stacks: vec!["media".into()],
        services: vec!["jellyfin".into(), "sonarr".into()],
    };
    let mut all = vec![one("DB_PASSWORD", false, true, None), one("TZ", true, false, None)];
    all.push(one("API_TOKEN", true, true, Some("is a placeholder, which everyone can guess")));
    all.push(Variable { services: Vec::new(), has_default: false, ..one("OLD", true, false, None) });
    all.extend((0..many).map(|n| one(&format!("V{n}"), true, false, None)));
    let file = |name: &str, own: bool| SecretFile {
        name: name.into(),
        file: format!("./secrets/{name}"),
        set: own,
        own,
        stack: "media".into(),
        services: vec!["db".into()],
    };
    let secrets = vec![file("key", true), file("elsewhere", false)];
    variables::of(shell(Role::Admin), &Variables { variables: all, secrets })
}

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("stacks", &list(Role::Admin, 0)),
        sample("stacks-viewer", &list(Role::Viewer, 0)),
        sample("stacks-many", &list(Role::Admin, 1000)),
        sample("stacks-empty", &List { rows: Vec::new(), ..list(Role::Admin, 0) }),
        sample("stack", &page_of(TEXT)),
        sample("stack-wrong", &wrong(TEXT)),
        sample("stack-hostile", &wrong(&format!("a: 1\n{HOSTILE}\n</textarea>{HOSTILE}\nb\nc\n"))),
        sample("stack-drafted", &drafted()),
        sample("stack-conflict", &conflict()),
        sample("stack-new", &fresh()),
        sample("stack-history", &versions(0)),
        sample("stack-history-many", &versions(200)),
        sample("stack-version", &one_version(&TEXT.replace("10.9", HOSTILE))),
        sample("stack-version-same", &one_version(TEXT)),
        sample("variables", &all_variables(0)),
        sample("variables-many", &all_variables(500)),
    ]
}
