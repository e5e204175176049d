//! Samples of a service.

use super::*;
use crate::panel::{home, service};

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
pub fn all() -> Vec<Sample> {
    vec![
        sample("service", &service_page(Standing::Running, "", Role::Operator)),
        sample("service-failed", &service_page(Standing::Failed, "it ended with 1", Role::Viewer)),
        sample("service-hostile", &service_page(Standing::Unhealthy, HOSTILE, Role::Admin)),
    ]
}
