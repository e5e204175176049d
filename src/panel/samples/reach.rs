//! Samples of ways in.

use super::*;
use crate::certs::cli::list::Certificate;
use crate::panel::reach;
use crate::proxy::json::{Route, Served};

pub fn route(service: &str, access: Option<&str>, working: Option<bool>, state: &str) -> Route {
    Route {
        service: service.into(),
        url: format!("https://{service}.home.example/"),
        access: access.map(str::to_owned),
        state: state.into(),
        working,
        advice: (working == Some(false)).then(|| "look at its log: it says why it does not answer".to_owned()),
        certificate: (working == Some(true)).then(|| Served {
            issuer: "Hearth casa CA".into(),
            expires: "2027-01-10T00:00:00Z".into(),
            fingerprint: "ab".repeat(32),
            distrusted_because: None,
        }),
    }
}

fn certificate(names: &str, valid: bool, error: Option<&str>) -> Certificate {
    Certificate {
        id: Some("1".into()),
        names: vec![names.into()],
        issuer: Some("Hearth casa CA".into()),
        source: None,
        public: false,
        not_before: None,
        not_after: Some("2026-11-28T13:00:00Z".into()),
        valid,
        served: None,
        next: Some("the next is ordered on 2026-12-20".into()),
        why: None,
        last_error: error.map(str::to_owned),
    }
}

/// By name.
pub fn all() -> Vec<Sample> {
    let of = |routes, certificates: &[Certificate]| {
        let shown = certificates.iter().map(|one| reach::certificate(one, NOW, Default::default())).collect();
        reach::of(shell(Role::Viewer), routes, shown, NOW)
    };
    let routes = vec![
        route("jellyfin", Some("user"), Some(true), "works"),
        route("paperless", Some("group:family"), Some(true), "works"),
        route("home-assistant", Some("lan"), Some(false), "answers 502: nobody listens at port 8123"),
        route("grafana", Some("admin"), Some(false), "off"),
    ];
    let mut local = route("hello", None, None, "on");
    local.url = "http://127.0.0.1:7080".into();
    let certificates = [
        certificate("*.home.example", true, None),
        certificate("panel.home.example", false, Some("the authority did not answer")),
    ];
    let many = (0..300).map(|n| route(&format!("service-{n:03}"), Some("user"), Some(true), "works")).collect();
    let mut hostile = route(HOSTILE, Some(HOSTILE), Some(false), HOSTILE);
    hostile.url = format!("javascript:{HOSTILE}");
    vec![
        sample("routes", &of(routes, &certificates)),
        sample("routes-empty", &of(Vec::new(), &[])),
        sample("routes-localhost", &of(vec![local], &[])),
        sample("routes-many", &of(many, &[])),
        sample("routes-hostile", &of(vec![hostile], &[certificate(HOSTILE, true, Some(HOSTILE))])),
    ]
}
