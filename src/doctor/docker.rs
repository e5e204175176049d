//! The engine: whether it answers, in which versions of its API, and what it keeps from Traefik.

use super::finding::{About, Finding};
use crate::diag::Diagnostic;
use crate::engine::docker::{Checkup, NEWEST_API};

/// An engine that cannot be asked, in the words that every command has for it.
pub fn away(told: &Diagnostic) -> Finding {
    let finding = Finding::problem(About::Docker, "engine", told.title.clone());
    Finding { exit: Some(told.kind.exit_code()), fix: told.hints.clone(), ..finding }
}

/// An engine that answers. `forced`: `DOCKER_API_VERSION` of the environment; `lan`: some route that is on is for the home network.
pub fn judge(engine: &Checkup, host: &str, forced: Option<(u32, u32)>, lan: bool) -> Vec<Finding> {
    let shown = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    let oldest = engine.oldest_api.unwrap_or((1, 24));
    let mut all = vec![Finding::ok(
        About::Docker,
        "engine",
        format!(
            "Docker Engine {} answers at {host}, with the versions {} to {} of its API",
            engine.version,
            shown(oldest),
            shown(engine.newest_api)
        ),
    )];
    if NEWEST_API < oldest {
        all.push(
            Finding::problem(
                About::Docker,
                "engine-too-new",
                format!(
                    "this engine takes no API older than {}, and this Hearth knows none newer than {}",
                    shown(oldest),
                    shown(NEWEST_API)
                ),
            )
            .fix("bring Hearth up to date; until then start dockerd with DOCKER_MIN_API_VERSION=1.51"),
        );
    }
    if let Some(forced) = forced.filter(|forced| *forced < oldest) {
        all.push(
            Finding::problem(
                About::Docker,
                "api-forced",
                format!(
                    "DOCKER_API_VERSION={} is set here, and the engine takes nothing older than {}",
                    shown(forced),
                    shown(oldest)
                ),
            )
            .fix("unset DOCKER_API_VERSION"),
        );
    }
    if !engine.hides_clients.is_empty() {
        let words = format!(
            "`access: lan` cannot be promised on this engine: {}, so everybody seems to come from one address",
            engine.hides_clients
        );
        all.push(match lan {
            true => Finding::warning(About::Docker, "lan-hidden", words)
                .fix("run the engine as root on Linux itself, or give such routes another access"),
            false => Finding::note(About::Docker, "lan-hidden", words),
        });
    }
    all
}

/// Traefik's own client against the engine: from 3.6.1 on it agrees on a version, before it insists on one that newer engines refuse.
/// Hearth's Traefik asks gate, which takes any version; this is for those who look at another one.
pub fn traefik_insists(traefik: (u32, u32, u32), oldest: (u32, u32)) -> Option<Finding> {
    if traefik >= (3, 6, 1) || oldest <= (1, 24) {
        return None;
    }
    let (a, b, c) = traefik;
    let words = format!(
        "Traefik {a}.{b}.{c} asks Docker by API 1.24, and this engine takes nothing older than {}.{}: only through gate does it see containers",
        oldest.0, oldest.1
    );
    Some(
        Finding::warning(About::Traefik, "api-raised", words)
            .fix("set TRAEFIK_IMAGE to 3.6.1 or newer in .env, then: hearth up"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn engine(oldest: (u32, u32), hides: &str) -> Checkup {
        Checkup {
            version: "29.0.1".into(),
            newest_api: (1, 52),
            oldest_api: Some(oldest),
            hides_clients: hides.into(),
            rootless: false,
            is_here: true,
            time: None,
        }
    }

    #[test]
    fn a_raised_minimum_is_judged_against_what_asks() {
        let of = |oldest, forced| -> Vec<(&str, Grade)> {
            judge(&engine(oldest, ""), "unix:///x", forced, false).into_iter().map(|f| (f.check, f.grade)).collect()
        };
        assert_eq!(of((1, 44), None), [("engine", Grade::Ok)]);
        assert_eq!(of((1, 44), Some((1, 40)))[1], ("api-forced", Grade::Problem));
        assert_eq!(of((1, 44), Some((1, 44))).len(), 1);
        assert_eq!(of((1, 60), None)[1], ("engine-too-new", Grade::Problem));
        assert!(traefik_insists((3, 6, 0), (1, 44)).is_some());
        assert!(traefik_insists((3, 6, 0), (1, 24)).is_none());
        assert!(traefik_insists((3, 7, 10), (1, 44)).is_none());
    }

    #[test]
    fn an_engine_that_hides_who_asks_is_said() {
        let of = |lan| judge(&engine((1, 24), "it runs rootless"), "unix:///x", None, lan).remove(1);
        assert!(of(true).words.contains("it runs rootless") && of(true).grade == Grade::Warning);
        assert_eq!(of(false).grade, Grade::Note, "no route asks for it");
    }
}
