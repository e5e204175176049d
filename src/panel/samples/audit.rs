//! Samples of the audit, settings and what Hearth is.

use super::*;
use crate::auth::audit::entry::Shown;
use crate::auth::json::audit::Looked;
use crate::panel::about::{self, Leaving};
use crate::panel::audit::{self, Asked};
use crate::panel::settings::{self, Would};
use crate::stacks::json::settings::KnownSetting;
use crate::web::list::Page;

fn entry(seq: i64, who: &str, action: &str, outcome: &str, detail: serde_json::Value) -> Shown {
    Shown {
        seq,
        time: "2026-11-27T11:40:00.000Z".into(),
        kind: if who.is_empty() { "nobody" } else { "user" }.into(),
        who: who.into(),
        user: (!who.is_empty()).then_some(1),
        from: "192.168.1.20".into(),
        action: action.into(),
        object: "/api/v1/users".into(),
        outcome: outcome.into(),
        ms: 12,
        request: "5f3a-1".into(),
        detail,
        hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
    }
}

fn at(path: &str, role: Role) -> Shell {
    let at = if path.starts_with("/audit") {
        "/audit"
    } else if path.starts_with("/settings") {
        "/settings"
    } else {
        "/about"
    };
    Shell { path: path.into(), at, stream: None, ..shell(role) }
}

fn audit(role: Role, all: Vec<Shown>, asked: Asked) -> audit::Page {
    audit::of(at("/audit", role), asked, Page { items: all, next: Some("MTIz".into()) }, NOW)
}

fn some(text: &str) -> Vec<Shown> {
    vec![
        entry(9, "ada", "users.add", "done", json!({"username": text, "role": "member"})),
        entry(8, "ada", "verbs.up", "begun", json!({"names": ["media"]})),
        entry(7, "", "forms.sign_in", "refused", json!({"account": "ada", "code": "auth.wrong-password"})),
        entry(6, text, "odd.thing", "failed", json!({"code": text})),
    ]
}

fn setting(key: &str, value: Option<&str>, source: &str, options: &[&str]) -> KnownSetting {
    KnownSetting {
        key: key.into(),
        about: "Who may make an account of their own: nobody, whoever has an invitation, or everybody.".into(),
        value: value.map(str::to_owned),
        default: Some("closed".into()),
        source: source.into(),
        counts: if key == "mode" { "own" } else { "at_once" }.into(),
        command: (key == "mode").then(|| "hearth mode".into()),
        options: options.iter().map(|one| (*one).to_owned()).collect(),
        changes: key != "mode",
        secret: false,
    }
}

fn all_settings(value: &str) -> Vec<KnownSetting> {
    vec![
        setting("mode", Some("domain"), "hearth.yaml", &["localhost", "domain"]),
        setting("auth.registration", Some(value), "hearth.yaml", &["closed", "invite", "open"]),
        setting("auth.sessions.idle", Some("7d"), "default", &[]),
        setting("HEARTH_OIDC_SECRET", Some("(hidden)"), ".env", &[]),
        setting("DOCKER_HOST", None, "default", &[]),
    ]
}

fn one(value: &str, options: &[&str]) -> settings::Page {
    let one = setting("auth.registration", Some(value), "hearth.yaml", options);
    settings::of_one(at("/settings/auth.registration", Role::Admin), one, "\"e\"".into())
}

fn leaving(dir: &str) -> Leaving {
    Leaving {
        commands: format!("cd {dir}\ndocker compose --profile media up -d"),
        files: vec![(format!("{dir}/compose.yaml"), "about-file-compose"), (format!("{dir}/.env"), "about-file-env")],
    }
}

/// By name.
pub fn all() -> Vec<Sample> {
    let looked = |broken: Option<&str>| Looked {
        sound: broken.is_none(),
        broken: broken.map(str::to_owned),
        first: broken.is_none().then_some(1),
        last: broken.is_none().then_some(1204),
        hash: broken.is_none().then(|| "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        noted: None,
    };
    let many = || (0..200).map(|n| entry(n, "ada", "verbs.restart", "done", json!({"services": ["photos"]}))).collect();
    let on = || {
        vec![
            ("about-engine", "29.0.1".to_owned()),
            ("about-compose", "5".into()),
            ("about-database", "/home/ada/casa/state/hearth.db".into()),
        ]
    };
    vec![
        sample("audit", &audit(Role::Admin, some("grace"), Asked::default())),
        sample("audit-own", &audit(Role::Member, some("grace"), Asked::default())),
        sample("audit-none", &audit(Role::Admin, Vec::new(), Asked { search: HOSTILE.into(), ..Asked::default() })),
        sample("audit-told", &audit::Page { told: refused(), ..audit(Role::Viewer, Vec::new(), Asked::default()) }),
        sample("audit-hostile", &audit(Role::Admin, some(HOSTILE), Asked { who: HOSTILE.into(), ..Asked::default() })),
        sample("audit-many", &audit(Role::Admin, many(), Asked::default())),
        sample("audit-sound", &audit::of_look(at("/audit/verify", Role::Admin), looked(None))),
        sample(
            "audit-broken",
            &audit::of_look(at("/audit/verify", Role::Admin), looked(Some("entry 12 is not what was written"))),
        ),
        sample("settings", &settings::of(at("/settings", Role::Admin), all_settings("invite"))),
        sample("settings-hostile", &settings::of(at("/settings", Role::Admin), all_settings(HOSTILE))),
        sample("setting", &one("invite", &["closed", "invite", "open"])),
        sample("setting-value", &settings::Page { told: refused(), typed: HOSTILE.into(), ..one(HOSTILE, &[]) }),
        sample("setting-check", &settings::Page { would: Some(Would::Be("open".into())), ..one("invite", &[]) }),
        sample("setting-reset", &settings::Page { would: Some(Would::BeDefault), ..one("invite", &[]) }),
        sample("about", &about::of(at("/about", Role::Admin), on(), Some(leaving("/home/ada/casa")))),
        sample("about-member", &about::of(at("/about", Role::Member), on(), None)),
        sample(
            "about-hostile",
            &about::of(at("/about", Role::Viewer), vec![("about-engine", HOSTILE.into())], Some(leaving(HOSTILE))),
        ),
    ]
}
