//! Traefik: its version, whether it runs, and what it thinks of its routes.

use std::collections::BTreeMap;

use super::finding::{About, Finding};
use super::names::shown;
use crate::plan::observed::{Container, Health, State};
use crate::proxy::{Router, sentence, too_old};
use crate::traefik::statics;

type Version = (u32, u32, u32);

/// What is known of it.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// As `.env` or Hearth names it.
    pub image: String,
    /// By the image; asked of Traefik where the image does not tell.
    pub version: Option<Version>,
    pub container: Option<&'a Container>,
    /// Whether some service with a route is on.
    pub wanted: bool,
    /// The oldest that this home takes.
    pub minimum: Version,
    /// What it says of its routers; `Err`: why it says nothing. `None`: it was not asked.
    pub routers: Option<Result<BTreeMap<String, Router>, String>>,
    /// Routers that it should know because a container of theirs is up: their name with provider, and the service.
    pub expected: Vec<(String, String)>,
    /// Whether the file that Hearth writes for it is there.
    pub file: bool,
}

pub fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    all.extend(version(facts));
    match facts.container {
        None if facts.wanted => all.push(
            Finding::problem(
                About::Traefik,
                "traefik-missing",
                "Traefik is not there, and services that are on have routes",
            )
            .fix("hearth up"),
        ),
        None => all.push(Finding::note(
            About::Traefik,
            "traefik-missing",
            "Traefik is not there, and nothing that is on needs it",
        )),
        Some(container) => all.extend(running(container)),
    }
    if !facts.file && facts.container.is_some() {
        all.push(
            Finding::problem(
                About::Traefik,
                "traefik-file",
                "the file that Traefik reads is not there (state/traefik/dynamic/hearth.yml)",
            )
            .fix("hearth up"),
        );
    }
    match &facts.routers {
        None => {}
        Some(Err(why)) => all.push(
            Finding::warning(
                About::Traefik,
                "traefik-silent",
                format!("Traefik does not say how its routes are: {why}"),
            )
            .fix("see what it says: hearth logs traefik"),
        ),
        Some(Ok(routers)) => opinion(routers, &facts.expected, &mut all),
    }
    all
}

fn version(facts: &Facts<'_>) -> Option<Finding> {
    let words = |(a, b, c): Version| format!("{a}.{b}.{c}");
    let Some(found) = facts.version else {
        facts.container?;
        let said = format!(
            "which Traefik {} is cannot be told: neither its tag nor the image says so, and it does not answer",
            facts.image
        );
        return Some(
            Finding::note(About::Traefik, "traefik-version", said)
                .fix(format!("set TRAEFIK_IMAGE={} in .env", statics::IMAGE)),
        );
    };
    if found < facts.minimum {
        let told = too_old(found, facts.minimum);
        let finding = Finding::problem(About::Traefik, "traefik-too-old", told.title);
        return Some(Finding { fix: told.hints, ..finding });
    }
    if found < statics::MINIMUM {
        let said = format!(
            "this is Traefik {}: hearth.yaml allows it, though below {} it has published holes by which a request gets past a login",
            words(found),
            words(statics::MINIMUM)
        );
        return Some(Finding::warning(About::Traefik, "traefik-old", said).fix(format!(
            "set TRAEFIK_IMAGE={} in .env, take `minimum` out of traefik: in hearth.yaml, then: hearth up",
            statics::IMAGE
        )));
    }
    Some(Finding::ok(
        About::Traefik,
        "traefik-version",
        format!("Traefik {} is new enough ({} is needed)", words(found), words(facts.minimum)),
    ))
}

fn running(container: &Container) -> Option<Finding> {
    let problem = |words: String| {
        Finding::problem(About::Traefik, "traefik-down", words)
            .fix("see why: hearth logs traefik")
            .fix("then: hearth up")
    };
    Some(match (container.state, container.health) {
        (State::Running, Some(Health::Unhealthy)) => {
            problem("Traefik runs, and does not answer its own health check".into())
        }
        (State::Running, Some(Health::Starting)) => {
            Finding::note(About::Traefik, "traefik-starting", "Traefik is starting")
        }
        (State::Running, _) => Finding::ok(About::Traefik, "traefik-runs", "Traefik runs"),
        (State::Restarting, _) => problem("Traefik ends again and again".into()),
        (State::Paused, _) => Finding::problem(About::Traefik, "traefik-down", "Traefik is paused")
            .fix(format!("docker unpause {}", container.name)),
        _ if !container.error.is_empty() => problem(format!("Traefik could not be started: {}", container.error)),
        _ => problem(format!("Traefik is stopped (exit code {})", container.exit_code)),
    })
}

/// What Traefik itself thinks of its routers.
fn opinion(routers: &BTreeMap<String, Router>, expected: &[(String, String)], all: &mut Vec<Finding>) {
    let before = all.len();
    if !routers.keys().any(|name| name.ends_with("@file")) {
        all.push(
            Finding::problem(
                About::Traefik,
                "traefik-no-file",
                "Traefik has read nothing of the file that Hearth writes for it",
            )
            .fix("see what it says of it: hearth logs traefik")
            .fix("then: hearth restart traefik"),
        );
    }
    let missing: Vec<String> =
        expected.iter().filter(|(name, _)| !routers.contains_key(name)).map(|(_, service)| service.clone()).collect();
    if !missing.is_empty() {
        all.push(
            Finding::problem(
                About::Traefik,
                "traefik-no-container",
                format!("Traefik does not see the containers of {}, which run", shown(&missing)),
            )
            .fix("it sees Docker through gate: hearth restart gate")
            .fix("see what gate says: hearth logs gate")
            .fix("where they were started in another mode: hearth up"),
        );
    }
    for (name, router) in routers.iter().filter(|(name, _)| !name.ends_with("@internal")) {
        let why = || router.errors.first().map_or("it does not say why".to_string(), |error| sentence(error));
        match router.status.as_str() {
            "disabled" => all.push(
                Finding::problem(
                    About::Traefik,
                    "route-disabled",
                    format!("Traefik has switched off the route {name}: {}", why()),
                )
                .fix("hearth up writes anew what it should know"),
            ),
            "warning" => all.push(Finding::warning(
                About::Traefik,
                "route-warning",
                format!("Traefik is not content with the route {name}: {}", why()),
            )),
            _ => {}
        }
    }
    if all.len() == before {
        let of = |provider: &str| routers.keys().filter(|name| name.ends_with(provider)).count();
        let words = format!(
            "it takes {} of containers and {} of its file",
            crate::base::wording::count(of("@docker"), "route"),
            of("@file")
        );
        all.push(Finding::ok(About::Traefik, "traefik-routes", words));
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    fn router(status: &str, error: &str) -> Router {
        let errors = Some(error.to_string()).filter(|e| !e.is_empty()).into_iter().collect();
        Router { status: status.into(), errors, service: String::new() }
    }

    fn checks(facts: &Facts<'_>) -> Vec<(&'static str, Grade)> {
        judge(facts).into_iter().map(|f| (f.check, f.grade)).collect()
    }

    fn up() -> Container {
        Container { state: State::Running, name: "h-traefik-1".into(), ..Container::default() }
    }

    #[test]
    fn versions_are_judged_by_the_homes_own_floor() {
        let container = up();
        let of = |version: Option<Version>, minimum| {
            let facts =
                Facts { version, minimum, container: Some(&container), wanted: true, file: true, ..Facts::default() };
            judge(&facts).remove(0)
        };
        let old = of(Some((3, 7, 9)), statics::MINIMUM);
        assert!(
            old.grade == Grade::Problem && old.words.contains("CVE") && old.fix[0].contains("TRAEFIK_IMAGE"),
            "{old:?}"
        );
        assert_eq!(of(Some((3, 7, 9)), (3, 7, 9)).grade, Grade::Warning);
        assert_eq!(of(Some((3, 7, 13)), statics::MINIMUM).grade, Grade::Ok);
        assert_eq!(of(None, statics::MINIMUM).grade, Grade::Note);
    }

    #[test]
    fn whoever_does_not_run_is_told_with_the_next_step() {
        let version = Some((3, 7, 13));
        let facts = |container, wanted| Facts {
            version,
            container,
            wanted,
            file: true,
            minimum: statics::MINIMUM,
            ..Facts::default()
        };
        assert_eq!(checks(&facts(None, true))[1], ("traefik-missing", Grade::Problem));
        assert_eq!(checks(&facts(None, false))[1], ("traefik-missing", Grade::Note));
        let stopped = Container { state: State::Exited, exit_code: 1, ..up() };
        let said = judge(&facts(Some(&stopped), true)).remove(1);
        assert_eq!((said.grade, said.words.as_str()), (Grade::Problem, "Traefik is stopped (exit code 1)"));
    }

    #[test]
    fn traefiks_own_opinion_is_put_into_sentences() {
        let container = up();
        let of = |routers: &[(&str, Router)], expected: &[(&str, &str)]| {
            let routers = routers.iter().map(|(name, router)| (name.to_string(), router.clone())).collect();
            let facts = Facts {
                version: Some((3, 7, 13)),
                minimum: statics::MINIMUM,
                container: Some(&container),
                wanted: true,
                file: true,
                routers: Some(Ok(routers)),
                expected: expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect(),
                ..Facts::default()
            };
            judge(&facts).into_iter().skip(2).collect::<Vec<_>>()
        };
        let fine =
            of(&[("a@docker", router("enabled", "")), ("challenge@file", router("enabled", ""))], &[("a@docker", "a")]);
        assert_eq!(fine[0].words, "it takes 1 route of containers and 1 of its file");
        let off = of(
            &[
                ("a@docker", router("disabled", "middleware \"lan@file\" does not exist")),
                ("c@file", router("enabled", "")),
            ],
            &[],
        );
        assert!(off[0].words.contains("Traefik does not have the middleware lan@file"), "{off:?}");
        let blind = of(&[("c@file", router("enabled", ""))], &[("a@docker", "a")]);
        assert_eq!(blind[0].words, "Traefik does not see the containers of a, which run");
        assert_eq!(of(&[], &[])[0].check, "traefik-no-file");
    }
}
