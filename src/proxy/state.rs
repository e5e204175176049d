//! How a route is, in words: what was seen of it from outside, of its containers, and in Traefik, made into one sentence and a way out.

use time::OffsetDateTime;

use super::client::{Failed, Knock, Seen};
use super::traefik::{Router, sentence};
use crate::base::wording;
use crate::engine::docker;
use crate::plan::observed::{Container, Health, State as Run};
use crate::traefik::Door;

/// How well it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As asked for.
    Good,
    /// Not now, and nobody has to do anything.
    Waiting,
    /// Somebody has to do something.
    Bad,
}

/// One sentence, and what to do where it is not fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub grade: Grade,
    pub words: String,
    pub advice: Option<String>,
}

impl State {
    /// Whether waiting a moment longer would change nothing: the service is off, or its health check takes its time.
    pub fn is_lasting(&self) -> bool {
        self.grade == Grade::Waiting
    }

    fn good(words: impl Into<String>) -> State {
        State { grade: Grade::Good, words: words.into(), advice: None }
    }
    fn waiting(words: impl Into<String>) -> State {
        State { grade: Grade::Waiting, words: words.into(), advice: None }
    }
    fn bad(words: impl Into<String>, advice: impl Into<String>) -> State {
        State { grade: Grade::Bad, words: words.into(), advice: Some(advice.into()) }
    }
}

/// A port of its own that works as it should: nobody enters.
const CLOSED: &str = "closed: its access asks for a login, and a port that passes what comes has none";

/// What is known of one route.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub door: Door,
    /// Behind a login: this machine may be let in without one, as home.
    pub at_home: bool,
    /// Containers of its service; `None`: the engine was not asked, or it leads elsewhere.
    pub containers: Option<&'a [&'a Container]>,
    /// The profiles of its service, where none of them is on.
    pub off: Option<&'a [String]>,
    /// Its router in Traefik; the outer `None`: Traefik was not asked.
    pub router: Option<Option<&'a Router>>,
    pub port: &'a str,
    /// The addresses it leads to, where that is no service of the home.
    pub outside: Option<&'a [String]>,
    /// The `project/service` of another project that it leads to, where none of its containers can answer.
    pub nobody: Option<&'a str>,
    /// Whether gate runs; `None`: the engine was not asked.
    pub gate: Option<bool>,
    /// What was seen from outside; `None`: it was not tried.
    pub seen: Option<&'a Seen>,
}

/// The containers' part: why nothing can answer yet, where that is so.
fn of_containers(facts: &Facts) -> Option<State> {
    if let Some((project, service)) = facts.nobody.and_then(|of| of.split_once('/')) {
        let words = format!("away: no container of `{service}` of the project `{project}` is ready");
        return Some(State::bad(words, format!("docker compose -p {project} ps, or start {service}")));
    }
    let containers = facts.containers?;
    if containers.is_empty() {
        return Some(match facts.off {
            None => State::bad("not started", "hearth up"),
            Some(profiles) => State::waiting(format!("off (profile {})", profiles.join(", "))),
        });
    }
    if containers.iter().any(|c| c.state == Run::Running && matches!(c.health, None | Some(Health::Healthy))) {
        return None;
    }
    let starting = containers.iter().any(|c| c.state == Run::Running && c.health == Some(Health::Starting));
    if starting {
        return Some(State::waiting("starting: its health check has not passed yet"));
    }
    let first = containers[0];
    Some(match first.state {
        Run::Running => State::bad(
            "unhealthy: its health check fails",
            "hearth logs of it; it is reachable again once the check passes",
        ),
        Run::Restarting => State::bad("ends again and again", "hearth logs of it"),
        Run::Paused => State::bad("paused", "docker unpause, or hearth restart"),
        _ => State::bad(format!("stopped (exit code {})", first.exit_code), "hearth start, or hearth up"),
    })
}

/// Its profile is off, and nothing of it is there.
fn is_off(facts: &Facts) -> bool {
    facts.off.is_some() && facts.containers.is_some_and(<[_]>::is_empty)
}

/// `off (profile media)`, and whether somebody could enter once it is on.
fn off(facts: &Facts, away: Option<State>) -> State {
    let state = away.unwrap_or_else(|| State::waiting("off"));
    match facts.door {
        Door::Login => State::waiting(format!("{}; it asks for a login once it is on", state.words)),
        _ => state,
    }
}

/// What Traefik itself does not want to serve.
fn disabled(facts: &Facts) -> Option<State> {
    let router = facts.router.flatten().filter(|router| router.status == "disabled")?;
    let words = router.errors.first().map_or("Traefik has disabled this route".into(), |e| sentence(e));
    Some(State::bad(words, "hearth plan shows what Traefik should know; hearth up puts it right"))
}

/// Traefik is there, and nobody behind it.
fn silent(facts: &Facts) -> State {
    match facts.outside {
        Some(addresses) => State::bad(
            format!("Traefik finds nobody at {}", wording::list(addresses)),
            "check that it runs, that the address in its route is right, and that containers may reach it",
        ),
        None => State::bad(
            format!("Traefik reaches the container, but nothing answers on port {}", facts.port),
            "the port in its route may be wrong, or the service listens on 127.0.0.1 only",
        ),
    }
}

/// The judgement of a route that passes what comes; `knock`: a connection that was tried, as can be with TCP.
pub fn judge_raw(facts: &Facts, knock: Option<&Knock>) -> State {
    let away = of_containers(facts);
    if let Some(state) = disabled(facts) {
        return state;
    }
    match (knock, facts.door) {
        (None, Door::Closed) => State::good(CLOSED),
        (None, _) => away.unwrap_or_else(|| match facts.router {
            Some(Some(_)) => State::good("passed on (UDP does not tell whether anybody answers)"),
            Some(None) => unknown(),
            None => State::waiting("not tried"),
        }),
        (Some(Knock::Nobody(why)), _) => {
            State::bad(format!("Traefik does not listen there: {why}"), "hearth up starts it with this port")
        }
        (Some(Knock::Cut), Door::Closed) => State::good(CLOSED),
        (Some(Knock::Open), Door::Closed) => State::bad(
            "takes connections, but should be closed",
            "hearth up puts it right; until then stop the service",
        ),
        (Some(Knock::Cut), _) if facts.router == Some(None) => away.unwrap_or_else(unknown),
        (Some(Knock::Cut), _) => away.unwrap_or_else(|| silent(facts)),
        // Without a router Traefik takes the connection, and then does nothing with it.
        (Some(Knock::Open), _) => away.filter(|_| facts.nobody.is_some()).unwrap_or_else(|| State::good("working")),
    }
}

fn unknown() -> State {
    State::bad("Traefik does not know this route", "hearth up; where that changes nothing: hearth logs traefik")
}

/// Gate answers that nothing has this address: no router took the request.
fn unmatched(facts: &Facts) -> State {
    match facts.router {
        Some(None) => unknown(),
        Some(Some(_)) => State::bad(
            "Traefik has this route, but no request fits its rule",
            "see that its `host` and `path` are written as browsers ask for them; then hearth up",
        ),
        None => State::bad(
            "no route answers under this address",
            "hearth up; where that changes nothing: hearth logs traefik",
        ),
    }
}

fn without_gate() -> State {
    State::bad("nobody can enter: gate, which knows who may, does not run", "hearth up starts it")
}

/// A route with a login, asked without one; none: whoever asked was let in as home.
fn login(facts: &Facts, status: u16, by_gate: bool, away: &Option<State>) -> Option<State> {
    let asks = || State::good("asks for a login");
    Some(match (status, by_gate) {
        (401, true) => away.clone().unwrap_or_else(asks),
        (500, false) if facts.gate == Some(false) => without_gate(),
        (500, false) if !facts.at_home => {
            State::bad("nobody can enter: Traefik does not reach gate, which knows who may", "hearth logs gate")
        }
        _ if facts.at_home => return None,
        (503, true) => State::bad(
            "nobody can sign in: Hearth itself does not answer gate",
            "see that hearth serve runs; hearth logs gate says more",
        ),
        _ => State::bad(
            format!("answers {status}, but should ask for a login"),
            "hearth up puts it right; until then stop the service",
        ),
    })
}

/// The whole judgement.
pub fn judge(facts: &Facts) -> State {
    let away = of_containers(facts);
    if let Some(state) = disabled(facts) {
        return state;
    }
    let Some(seen) = facts.seen else {
        return away.unwrap_or_else(|| State::waiting("not tried"));
    };
    let answer = match &seen.answer {
        Err(Failed::Connect(why)) => {
            // Nobody expects what is off to answer.
            if is_off(facts) {
                return off(facts, away);
            }
            return State::bad(
                format!("Traefik does not answer: {why}"),
                "hearth ps shows whether traefik runs; hearth up starts it",
            );
        }
        Err(Failed::Tls(why)) => {
            return State::bad(format!("no TLS connection: {why}"), "hearth certs shows what is wrong");
        }
        Err(Failed::Answer(_)) if facts.door == Door::Login && facts.gate == Some(false) => return without_gate(),
        Err(Failed::Answer(why)) => {
            return away.unwrap_or_else(|| State::bad(format!("no answer: {why}"), "hearth logs of the service"));
        }
        Ok(answer) => answer,
    };
    if let Some(why) = seen.distrust.as_deref().filter(|why| !why.starts_with("nobody")) {
        return State::bad(
            format!("the certificate that is served is no good: {why}"),
            "hearth certs shows when it is renewed",
        );
    }
    if facts.door == Door::Login
        && answer.status != 404
        && !(answer.by_gate && is_off(facts))
        && let Some(state) = login(facts, answer.status, answer.by_gate, &away)
    {
        return state;
    }
    match (facts.door, answer.status) {
        (_, 404) if answer.by_gate => away.unwrap_or_else(|| unmatched(facts)),
        (Door::Open, 403) if answer.by_gate => State::bad(
            "refused at the door, though everybody may enter",
            "another route takes what is asked for, or Traefik has an older one: hearth up; where that changes nothing: hearth plan",
        ),
        // The door is there without the service.
        (Door::Lan, 403) | (Door::Login, 401) if answer.by_gate && is_off(facts) => off(facts, away),
        (Door::Lan, 403) if answer.by_gate => {
            let who = if docker::inside().is_some() { "Hearth's container" } else { "this machine" };
            State::good(format!("refuses {who}, as access: lan asks of whom it cannot place at home"))
        }
        (_, 502 | 503) if away.is_some() => away.unwrap_or_else(|| State::waiting("away")),
        (_, 503) if answer.by_gate => State::bad(
            "its container runs, and Traefik has not found it yet",
            "wait a moment; where it stays so: hearth logs gate, hearth logs traefik",
        ),
        (_, 502) => silent(facts),
        (_, 504) => State::bad(
            "no answer came in time",
            "hearth logs of the service; where it needs longer, `timeout:` in its route gives it more",
        ),
        (_, 404) if facts.router == Some(None) => away.unwrap_or_else(unknown),
        (Door::Lan, 403) => State::good("reachable; the service itself answers 403"),
        (_, status) if status >= 500 => State::good(format!("reachable; the service itself answers {status}")),
        _ => State::good("working"),
    }
}

/// What a served certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    pub issuer: String,
    pub not_after: OffsetDateTime,
    /// Why this machine does not believe it.
    pub distrust: Option<String>,
    /// SHA-256 of the leaf, lower-case hexadecimal.
    pub fingerprint: String,
}

impl Served {
    pub fn of(seen: &Seen) -> Option<Served> {
        use sha2::{Digest, Sha256};
        let leaf = seen.leaf.as_deref()?;
        let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
        let issuer = certificate.issuer();
        let first = |mut names: Vec<&str>| names.pop().map(str::to_string);
        let common = first(issuer.iter_common_name().filter_map(|n| n.as_str().ok()).collect());
        let organization = first(issuer.iter_organization().filter_map(|n| n.as_str().ok()).collect());
        let fingerprint = Sha256::digest(leaf).iter().map(|b| format!("{b:02x}")).collect();
        Some(Served {
            issuer: organization.or(common).unwrap_or_else(|| issuer.to_string()),
            not_after: certificate.validity().not_after.to_datetime(),
            distrust: seen.distrust.clone(),
            fingerprint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Answer;
    use super::*;

    fn seen(status: u16, by_gate: bool) -> Seen {
        let (content_type, location) = (String::new(), String::new());
        let answer = Answer { status, content_type, location, by_gate, body: Default::default() };
        Seen { leaf: None, distrust: None, answer: Ok(answer) }
    }

    fn container(state: Run, health: Option<Health>) -> Container {
        Container { state, health, exit_code: 3, ..Container::default() }
    }

    fn of(door: Door, container: Option<Container>, status: u16) -> State {
        answered(door, container, seen(status, false))
    }

    fn answered(door: Door, container: Option<Container>, seen: Seen) -> State {
        let containers: Vec<&Container> = container.iter().collect();
        let router = Router { status: "enabled".into(), errors: Vec::new(), service: String::new() };
        judge(&Facts {
            door,
            at_home: false,
            containers: Some(&containers),
            off: None,
            router: Some(Some(&router)),
            port: "80",
            outside: None,
            nobody: None,
            gate: Some(true),
            seen: Some(&seen),
        })
    }

    #[test]
    fn a_refusal_that_was_asked_for_counts_as_working() {
        let up = || Some(container(Run::Running, None));
        let asks = answered(Door::Login, up(), seen(401, true));
        assert_eq!((asks.grade, asks.words.as_str()), (Grade::Good, "asks for a login"));
        assert!(answered(Door::Lan, up(), seen(403, true)).words.starts_with("refuses this machine"));
        assert_eq!(of(Door::Login, up(), 200).grade, Grade::Bad, "what should ask and is open is the worst of all");
        assert_eq!(of(Door::Open, up(), 401).grade, Grade::Good);
    }

    #[test]
    fn a_services_own_403_is_not_taken_for_a_refusal_at_the_door() {
        let up = || Some(container(Run::Running, None));
        let own = of(Door::Lan, up(), 403);
        assert_eq!((own.grade, own.words.as_str()), (Grade::Good, "reachable; the service itself answers 403"));
        for status in [401, 403, 404, 502] {
            let leaked = of(Door::Login, up(), status);
            assert!(status == 404 || leaked.grade == Grade::Bad && leaked.advice.is_some(), "{status}: {leaked:?}");
        }
    }

    #[test]
    fn a_login_that_cannot_be_had_is_told_with_who_is_missing() {
        let up = || Some(container(Run::Running, None));
        assert!(answered(Door::Login, up(), seen(503, true)).words.contains("Hearth itself does not answer"));
        assert!(answered(Door::Login, up(), seen(500, false)).words.contains("does not reach gate"));
        let stopped = answered(Door::Login, Some(container(Run::Exited, None)), seen(401, true));
        assert_eq!(stopped.words, "stopped (exit code 3)", "whoever looks after the home is told");
    }

    #[test]
    fn what_gate_answers_in_place_of_a_route_is_not_taken_for_working() {
        let up = || Some(container(Run::Running, None));
        for door in [Door::Open, Door::Lan, Door::Login] {
            let state = answered(door, up(), seen(404, true));
            assert!(state.grade == Grade::Bad && state.advice.is_some(), "{state:?}");
            assert!(state.words.contains("no request fits its rule"), "{state:?}");
        }
        assert_eq!(of(Door::Open, up(), 404).words, "working", "the service's own");
        let away = answered(Door::Open, Some(container(Run::Exited, None)), seen(404, true));
        assert_eq!(away.words, "stopped (exit code 3)");
        assert_eq!(answered(Door::Open, up(), seen(403, true)).grade, Grade::Bad);
    }

    #[test]
    fn whoever_is_away_is_called_by_its_reason() {
        assert_eq!(of(Door::Open, Some(container(Run::Running, Some(Health::Starting))), 503).grade, Grade::Waiting);
        assert!(
            of(Door::Open, Some(container(Run::Running, Some(Health::Unhealthy))), 503).words.starts_with("unhealthy")
        );
        assert_eq!(of(Door::Open, Some(container(Run::Exited, None)), 503).words, "stopped (exit code 3)");
        assert_eq!(of(Door::Open, None, 503).words, "not started");
        let profiles = ["media".to_string()];
        let off = Facts {
            door: Door::Open,
            at_home: false,
            containers: Some(&[]),
            off: Some(&profiles),
            router: None,
            port: "80",
            outside: None,
            nobody: None,
            gate: None,
            seen: None,
        };
        assert_eq!(judge(&off).words, "off (profile media)");
        // Also where its door answers, which is there without it.
        let answer = seen(403, true);
        let of = |door: Door| judge(&Facts { door, seen: Some(&answer), gate: Some(true), ..off }).words;
        assert_eq!(of(Door::Lan), "off (profile media)");
        let answer = seen(401, true);
        let login = judge(&Facts { door: Door::Login, seen: Some(&answer), gate: Some(true), ..off });
        assert_eq!(login.words, "off (profile media); it asks for a login once it is on");
    }

    #[test]
    fn a_port_that_passes_what_comes_is_judged_by_a_knock() {
        let containers = [&container(Run::Running, None)];
        let router = Router { status: "enabled".into(), errors: Vec::new(), service: String::new() };
        let of = |door: Door, knock: Option<Knock>| {
            let facts = Facts {
                door,
                at_home: false,
                containers: Some(&containers),
                off: None,
                router: Some(Some(&router)),
                port: "7",
                outside: None,
                nobody: None,
                gate: None,
                seen: None,
            };
            judge_raw(&facts, knock.as_ref())
        };
        assert_eq!(of(Door::Open, Some(Knock::Open)).words, "working");
        assert!(of(Door::Lan, Some(Knock::Cut)).words.contains("port 7"));
        assert_eq!(of(Door::Closed, Some(Knock::Cut)).grade, Grade::Good);
        assert_eq!(of(Door::Closed, Some(Knock::Open)).grade, Grade::Bad);
        assert!(of(Door::Open, Some(Knock::Nobody("x".into()))).words.contains("does not listen"));
        assert_eq!(of(Door::Open, None).grade, Grade::Good, "UDP: Traefik knows it, and that is all that can be known");
    }

    #[test]
    fn a_container_of_another_project_that_is_away_is_called_so() {
        for status in [502, 503] {
            let seen = seen(status, status == 503);
            let facts = Facts {
                door: Door::Open,
                at_home: false,
                containers: None,
                off: None,
                router: Some(None),
                port: "",
                outside: None,
                nobody: Some("photos/server"),
                gate: Some(true),
                seen: Some(&seen),
            };
            let state = judge(&facts);
            assert!(state.words.contains("no container of `server` of the project `photos` is ready"), "{state:?}");
            assert!(state.advice.is_some_and(|advice| advice.starts_with("docker compose -p photos ps")));
        }
    }

    #[test]
    fn a_wrong_port_is_told_from_a_failing_service() {
        let up = || Some(container(Run::Running, None));
        assert!(of(Door::Open, up(), 502).words.contains("port 80"));
        assert_eq!(of(Door::Open, up(), 503).words, "reachable; the service itself answers 503");
        // In the moment before Traefik knows the container, gate still answers in its place.
        let waiting = answered(Door::Open, up(), seen(503, true));
        assert!(!waiting.is_lasting() && waiting.words.contains("Traefik has not found it yet"), "{waiting:?}");
    }
}
