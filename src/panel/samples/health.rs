//! Samples of what the home stands on.

use super::*;
use crate::doctor::json::Finding;
use crate::panel::health;

pub fn finding(about: &str, grade: &str, words: &str, fix: &[&str]) -> Finding {
    Finding {
        about: about.into(),
        check: "sample",
        grade: grade.into(),
        words: words.into(),
        fix: fix.iter().map(|one| (*one).to_owned()).collect(),
    }
}

pub fn findings() -> Vec<Finding> {
    vec![
        finding("docker", "ok", "Docker 28.3 answers, and is new enough", &[]),
        finding(
            "docker",
            "warning",
            "containers see one address for everybody who comes from outside",
            &["turn `userland-proxy` off in /etc/docker/daemon.json"],
        ),
        finding(
            "ports",
            "problem",
            "port 443 is held by `nginx` (1234)",
            &["stop it: systemctl stop nginx", "or take another port: `traefik: {https: 8443}` in hearth.yaml"],
        ),
        finding("clock", "ok", "the clock is right", &[]),
        finding("names", "note", "home.arpa is a name for homes: no public certificate is given for it", &[]),
    ]
}

/// By name.
pub fn all() -> Vec<Sample> {
    let of = |worst: &str, all: Vec<Finding>| health::of(shell(Role::Viewer), worst, all);
    let many = (0..100).map(|n| finding("ports", "warning", &format!("port {n} is held"), &["stop it"])).collect();
    vec![
        sample("health", &of("problem", findings())),
        sample("health-well", &of("ok", vec![finding("docker", "ok", "Docker answers", &[])])),
        sample("health-many", &of("warning", many)),
        sample("health-hostile", &of("problem", vec![finding(HOSTILE, "problem", HOSTILE, &[HOSTILE])])),
    ]
}
