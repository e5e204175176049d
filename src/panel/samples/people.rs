//! Samples of people, groups and invitations.

use std::collections::BTreeSet;

use super::*;
use crate::auth::accounts::{KeyOf, LinkOf};
use crate::auth::json::User;
use crate::auth::json::groups::Group;
use crate::auth::json::invitations::Invitation;
use crate::auth::json::second_factor::SecondFactor;
use crate::auth::json::sessions::Session;
use crate::auth::json::tokens::Token;
use crate::auth::routed::Routed;
use crate::base::secret::Secret;
use crate::panel::form::Fields;
use crate::panel::people::{self, groups, invitations, person};
use crate::web::list::Page;

pub fn user(id: i64, name: &str, role: Role) -> User {
    User {
        id,
        username: name.into(),
        email: (id % 2 == 0).then(|| format!("{id}@home.example")),
        email_vouched: true,
        display_name: if id == 2 { "Ada Lovelace".into() } else { name.into() },
        role,
        is_active: id % 5 != 4,
        is_superuser: role == Role::Admin,
        groups: if id % 3 == 0 { vec!["family".into(), "kids".into()] } else { Vec::new() },
        only: if id == 3 { vec!["photos".into()] } else { Vec::new() },
        second_factor: id % 2 == 0,
        created_at: "2026-10-01T08:00:00Z".into(),
        last_login: (id % 4 != 3).then(|| "2026-11-27T09:15:00Z".into()),
        version: 3,
    }
}

pub fn session(n: i64, device: &str) -> Session {
    Session {
        id: format!("s{n}"),
        sort: if n == 2 { "program" } else { "browser" },
        device: device.into(),
        address: "192.168.1.20".into(),
        began: "2026-11-20T08:00:00Z".into(),
        last_used: "2026-11-27T11:40:00Z".into(),
        expires: "2026-12-27T11:40:00Z".into(),
        current: n == 0,
    }
}

pub fn token(n: i64, name: &str) -> Token {
    Token {
        id: format!("t{n}"),
        name: name.into(),
        scopes: vec!["read".into(), "route:photos".into()],
        created_at: "2026-11-20T08:00:00Z".into(),
        expires: (n == 0).then(|| "2027-02-20T08:00:00Z".into()),
        last_used: (n == 0).then(|| "2026-11-27T11:00:00Z".into()),
    }
}

fn at(path: &str) -> Shell {
    Shell { path: path.into(), at: "/people", stream: None, ..shell(Role::Admin) }
}

fn list(all: Vec<User>, asked: people::Asked) -> people::List {
    let found = Page { items: all, next: Some("eyJ".into()) };
    people::of(at("/people"), asked, vec!["family".into(), "kids".into()], found, NOW)
}

fn many() -> Vec<User> {
    (0..200).map(|n| user(n, &format!("person-{n:03}"), Role::ALL[(n % 4) as usize])).collect()
}

fn one(name: &str, device: &str) -> person::Person {
    one_of(user(2, name, Role::Operator), device)
}

fn one_of(who: User, device: &str) -> person::Person {
    let known = person::Known {
        user: who,
        factor: SecondFactor { on: true, codes_left: 9, required: false },
        keys: vec![KeyOf { id: "k1".into(), name: device.into(), made: 1_764_000_000_000, last_used: None }],
        links: vec![LinkOf {
            issuer: "https://accounts.home.example".into(),
            made: 1_764_000_000_000,
            last_used: Some(1_764_100_000_000),
        }],
        sessions: vec![session(1, device), session(2, "curl")],
        tokens: vec![token(0, device), token(1, "cron")],
        others: vec![user(1, "grace", Role::Admin), user(3, "linus", Role::Member)],
        groups: vec!["family".into(), "kids".into()],
        services: vec!["films".into(), "photos".into()],
    };
    person::of(at("/people/2"), known, false, false, NOW)
}

fn group(name: &str, about: &str, members: &[&str]) -> Group {
    let members = members.iter().map(|name| (*name).to_owned()).collect();
    Group { name: name.into(), about: about.into(), members, created_at: "2026-10-01T08:00:00Z".into() }
}

fn routes() -> Vec<Routed> {
    ["photos", "films"]
        .map(|service| Routed { service: service.into(), group: Some("family".into()), login: true })
        .to_vec()
}

fn invitations(note: &str) -> invitations::List {
    let held = Invitation {
        id: "i1".into(),
        role: "member".into(),
        only: vec!["photos".into()],
        note: note.into(),
        created_at: "2026-11-27T10:00:00Z".into(),
        created_by: "ada".into(),
        expires: "2026-12-04T10:00:00Z".into(),
        uses_left: 2,
    };
    invitations::of(at("/invitations"), vec![held], None, NOW)
}

/// By name.
pub fn all() -> Vec<Sample> {
    let some = || {
        vec![
            user(1, "grace", Role::Admin),
            user(2, "ada", Role::Operator),
            user(3, "linus", Role::Member),
            user(4, "old.account", Role::Viewer),
        ]
    };
    let shown = || {
        (
            Secret::new("https://panel.home.example/invitation?token=abc"),
            crate::auth::factor::totp::drawn("https://panel.home.example/invitation?token=abc"),
        )
    };
    let of_group = |about: &str| {
        groups::of_one(
            at("/groups/family"),
            &group("family", about, &["ada", "linus"]),
            "\"e\"",
            &[(2, "ada".into()), (4, "grace".into())],
            &routes(),
            &BTreeSet::from(["photos"]),
        )
    };
    vec![
        sample("people", &list(some(), people::Asked::default())),
        sample("people-none", &list(Vec::new(), people::Asked { q: HOSTILE.into(), ..Default::default() })),
        sample("people-many", &list(many(), people::Asked::default())),
        sample("person-new", &people::of_new(at("/people/new"), &Fields::default(), vec!["family".into()], refused())),
        sample("person", &one("ada", "Firefox on Linux")),
        sample(
            "person-alone",
            &one_of(
                User { only: vec!["gone".into(), "photos".into()], ..user(3, "linus", Role::Member) },
                "Firefox on Linux",
            ),
        ),
        sample(
            "person-last-admin",
            &person::Person {
                last_admin: true,
                own: true,
                made: Some(Secret::new("abcd-efgh-jkmn-pqrs")),
                ..one("ada", "Firefox on Linux")
            },
        ),
        sample(
            "person-refused",
            &person::Person { told: refused(), at: "remove".into(), ..one("ada", "Firefox on Linux") },
        ),
        sample(
            "person-hostile",
            &person::Person { display_name: HOSTILE.into(), email: HOSTILE.into(), ..one(HOSTILE, HOSTILE) },
        ),
        sample(
            "groups",
            &groups::of_list(
                at("/groups"),
                &[group("family", "All of us", &["ada"]), group("kids", "", &[])],
                &routes(),
                None,
            ),
        ),
        sample(
            "groups-none",
            &groups::List { told: refused(), name: HOSTILE.into(), ..groups::of_list(at("/groups"), &[], &[], None) },
        ),
        sample("group", &of_group("All of us")),
        sample("group-hostile", &groups::Page { told: refused(), at: "remove".into(), ..of_group(HOSTILE) }),
        sample("invitations", &invitations::List { made: Some(shown()), ..invitations("For Grace") }),
        sample(
            "invitations-hostile",
            &invitations::List { told: refused(), note: HOSTILE.into(), ..invitations(HOSTILE) },
        ),
    ]
}
