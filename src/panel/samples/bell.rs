//! Samples of what happened while nobody looked.

use super::*;
use crate::notices::json::Notification;
use crate::panel::bell;
use crate::web::list::Page;

fn one(id: i64, kind: &str, subject: &str, words: &str, times: i64) -> Notification {
    Notification {
        id,
        kind: kind.into(),
        subject: subject.into(),
        words: words.into(),
        path: "/services/photos".into(),
        first: "2026-11-27T08:00:00Z".into(),
        last: "2026-11-27T11:40:00Z".into(),
        times,
        read: id % 2 == 0,
    }
}

fn page(role: Role, all: Vec<Notification>) -> bell::Page {
    let shell = Shell { path: "/notifications".into(), at: "/notifications", stream: None, ..shell(role) };
    bell::of(shell, Page { items: all, next: None }, NOW)
}

/// By name.
pub fn all() -> Vec<Sample> {
    let some = || {
        vec![
            one(1, "service-failed", "photos", "it was killed: it took more memory than it may have", 12),
            one(2, "work-failed", "hearth up media", "", 1),
            one(3, "certificate-ends", "photos.home.example", "it ends at 2026-12-01T00:00:00Z", 1),
            one(4, "disk-full", "/home/ada/casa", "97 % of it are in use", 1),
            one(5, "signed-in-elsewhere", "203.0.113.9", "", 2),
        ]
    };
    let many = || (0..200).map(|n| one(n, "service-unhealthy", &format!("service-{n}"), "its health check fails", 3));
    vec![
        sample("notices", &page(Role::Operator, some())),
        sample("notices-none", &page(Role::Member, Vec::new())),
        sample("notices-many", &page(Role::Admin, many().collect())),
        sample("notices-hostile", &page(Role::Admin, vec![one(1, HOSTILE, HOSTILE, HOSTILE, 1)])),
    ]
}
