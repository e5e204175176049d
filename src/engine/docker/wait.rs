//! Waiting: until a container is healthy, has ended with 0, or has proven itself.
//!
//! By looking, quickly at first (50 ms) and then every 500 ms: the engine's events can be missed, a look cannot.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::errors::{self, Fault};
use super::frames::Lines;
use super::wire::segment;
use super::{DockerEngine, convert, streams};
use crate::base::secret::is_secret_name;
use crate::base::units;
use crate::diag::{Code, Diagnostic, Kind};
use crate::engine::streams::LogOptions;
use crate::engine::{EngineError, Outcome, Progress, Tell};
use crate::plan::Until;
use crate::plan::observed::{Health, State};

const FIRST: Duration = Duration::from_millis(50);
const LATER: Duration = Duration::from_millis(500);

/// Bytes of one of a container's last lines.
const MOST_OF_WORDS: usize = 4096;

/// What a wait looks at.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    state: State,
    health: Option<Health>,
    exit_code: i64,
    oom_killed: bool,
    error: String,
    restarts: i64,
    /// Output and exit code of the last probe.
    probe: Option<(String, i64)>,
    /// Seconds that its health check may take in all, as the engine has it; 0 without one.
    window: u64,
}

/// What one look says about the wait.
#[derive(Debug, PartialEq)]
enum Verdict {
    Done,
    Wait,
    Fail(Code, String),
}

pub async fn wait(
    engine: &DockerEngine,
    id: &str,
    name: &str,
    until: &Until,
    progress: Tell<'_>,
) -> Result<Outcome, EngineError> {
    let what = format!("wait for the container `{name}`");
    let path = format!("/containers/{}/json", segment(id));
    let began = Instant::now();
    let (mut pause, mut told, mut first) = (FIRST, String::new(), None::<i64>);
    loop {
        let Some(value) = engine.wire.find(&path).await.map_err(|f| engine.tell(f, &what))? else {
            return Err(failure("engine.gone", format!("the container `{name}` was removed while it was waited for")));
        };
        let seen = seen(&value);
        if let Some((output, _)) = &seen.probe
            && *output != told
        {
            told.clone_from(output);
            progress(Progress::Probe(told.clone()));
        }
        let restarts_before = *first.get_or_insert(seen.restarts);
        match verdict(name, &seen, until, began.elapsed(), restarts_before) {
            Verdict::Done => return Ok(Outcome { id: Some(id.to_string()), warnings: Vec::new() }),
            Verdict::Fail(code, title) => return Err(failure(code, title)),
            Verdict::Wait => {}
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LATER);
    }
}

fn seen(value: &Value) -> Seen {
    let state = &value["State"];
    let last = convert::list(&state["Health"]["Log"]).last();
    Seen {
        state: convert::state(state["Status"].as_str().unwrap_or_default()),
        health: convert::health(state["Health"]["Status"].as_str().unwrap_or_default()),
        exit_code: state["ExitCode"].as_i64().unwrap_or(0),
        oom_killed: state["OOMKilled"].as_bool().unwrap_or(false),
        error: convert::text(&state["Error"]),
        restarts: value["RestartCount"].as_i64().unwrap_or(0),
        probe: last.map(|l| (conceal(output(l), value), l["ExitCode"].as_i64().unwrap_or(0))),
        window: window(&value["Config"]["Healthcheck"]),
    }
}

/// `start_period + retries x (interval + timeout)` with the engine's defaults for what is not set.
fn window(check: &Value) -> u64 {
    let test = convert::list(&check["Test"]);
    if test.is_empty() || test[0] == "NONE" {
        return 0;
    }
    let seconds = |key: &str, otherwise: f64| check[key].as_f64().filter(|n| *n > 0.0).map_or(otherwise, |n| n / 1e9);
    let retries = check["Retries"].as_f64().filter(|n| *n > 0.0).unwrap_or(3.0);
    let all = seconds("StartPeriod", 0.0) + retries * (seconds("Interval", 30.0) + seconds("Timeout", 30.0));
    (all.ceil() as u64).clamp(3, 3600)
}

fn output(probe: &Value) -> String {
    let text = probe["Output"].as_str().unwrap_or_default().trim();
    errors::clean(&text.lines().last().unwrap_or_default().chars().take(300).collect::<String>())
}

/// The same of what its health checks have written.
pub fn conceal_probes(inspected: &mut Value) {
    let mut log = inspected["State"]["Health"]["Log"].take();
    for probe in log.as_array_mut().into_iter().flatten() {
        if let Some(said) = probe["Output"].as_str() {
            probe["Output"] = conceal(said.to_owned(), inspected).into();
        }
    }
    if !log.is_null() {
        inspected["State"]["Health"]["Log"] = log;
    }
}

/// What a container says, without the values of its own variables whose names say that they are secrets.
fn conceal(mut words: String, inspected: &Value) -> String {
    for variable in convert::list(&inspected["Config"]["Env"]).iter().filter_map(Value::as_str) {
        // Shorter texts are no secrets worth the name, and would hide half of everything.
        if let Some((name, value)) = variable.split_once('=')
            && value.len() >= 4
            && is_secret_name(name)
            && words.contains(value)
        {
            words = words.replace(value, "(hidden)");
        }
    }
    words
}

fn verdict(name: &str, seen: &Seen, until: &Until, waited: Duration, restarts_before: i64) -> Verdict {
    let words = units::duration(waited);
    if seen.oom_killed && !matches!(seen.state, State::Running) {
        return Verdict::Fail(
            "engine.exited",
            format!("the container `{name}` was ended: it needed more memory than its limit"),
        );
    }
    let over = matches!(seen.state, State::Exited | State::Dead | State::Removing);
    match until {
        Until::Completed if over && seen.exit_code == 0 => Verdict::Done,
        Until::Completed if over => ended(name, seen),
        Until::Completed => Verdict::Wait,
        Until::Left { ms } if over || waited >= Duration::from_millis(*ms) => Verdict::Done,
        Until::Left { .. } => Verdict::Wait,
        Until::Proven { may_exit: true, .. } if over && seen.exit_code == 0 => Verdict::Done,
        _ if over => ended(name, seen),
        Until::Healthy { seconds } => match seen.health {
            Some(Health::Healthy) => Verdict::Done,
            Some(Health::Unhealthy) => unhealthy(name),
            None if seen.window == 0 && seen.state == State::Running => Verdict::Fail(
                "engine.no-healthcheck",
                format!("the container `{name}` has no health check to wait for"),
            ),
            _ if seconds.is_some_and(|s| waited >= Duration::from_secs(s)) => Verdict::Fail(
                "engine.not-healthy",
                format!("the container `{name}` did not become healthy within {words}"),
            ),
            _ => Verdict::Wait,
        },
        Until::Proven { seconds, stay, health, .. } => {
            if seen.state == State::Restarting || seen.restarts > restarts_before {
                return Verdict::Fail(
                    "engine.exited",
                    format!("the container `{name}` ended with exit code {} and was started again", seen.exit_code),
                );
            }
            if !*health && seen.window == 0 {
                let stayed = waited >= Duration::from_millis(*stay);
                return if stayed && seen.state == State::Running { Verdict::Done } else { Verdict::Wait };
            }
            let window = if *seconds > 0 { *seconds } else { seen.window };
            match seen.health {
                Some(Health::Healthy) => Verdict::Done,
                Some(Health::Unhealthy) => unhealthy(name),
                _ if waited >= Duration::from_secs(window) => Verdict::Fail(
                    "engine.not-healthy",
                    format!("the container `{name}` did not become healthy within {words}"),
                ),
                _ => Verdict::Wait,
            }
        }
    }
}

fn ended(name: &str, seen: &Seen) -> Verdict {
    let why = if seen.error.is_empty() { String::new() } else { format!(": {}", errors::clean(&seen.error)) };
    Verdict::Fail("engine.exited", format!("the container `{name}` ended with exit code {}{why}", seen.exit_code))
}

fn unhealthy(name: &str) -> Verdict {
    Verdict::Fail("engine.unhealthy", format!("the container `{name}` is unhealthy"))
}

/// What the container and its health check said goes beside it: its last words. Where more of it is found depends on
/// whether the container stays, which is not known here.
fn failure(code: Code, title: String) -> EngineError {
    errors::own(Diagnostic::error(code, title).kind(Kind::Failed))
}

/// Until another client's removal of a container is over.
pub async fn until_gone(engine: &DockerEngine, path: &str) -> Result<Outcome, Fault> {
    let began = Instant::now();
    while engine.wire.find(&format!("{path}/json")).await?.is_some() {
        if began.elapsed() > super::wire::CHANGE {
            return Err(Fault::Slow(super::wire::CHANGE));
        }
        sleep(FIRST * 2).await;
    }
    Ok(Outcome::default())
}

/// The last lines of the log, newest last, and after them the last health output.
pub async fn last_words(engine: &DockerEngine, id: &str, lines: u32) -> Result<Vec<String>, Fault> {
    let options = LogOptions { tail: Some(lines.into()), ..LogOptions::default() };
    let wanted = lines as usize;
    let mut words = VecDeque::new();
    // The engine sends no more than was asked for; whatever else answers there is not listened to for ever.
    let until = Instant::now() + super::wire::LOOK;
    match streams::logs(engine, id, &options).await {
        Ok(mut outputs) => {
            let mut whole = Lines::default();
            let mut keep = |(_, text): (bool, bytes::Bytes)| {
                words.push_back(errors::clean(&String::from_utf8_lossy(&text[..text.len().min(MOST_OF_WORDS)])));
                words.drain(..words.len().saturating_sub(wanted));
            };
            while let Ok(Some(output)) = timeout_at(until, outputs.next()).await {
                whole.add(&output?).into_iter().for_each(&mut keep);
            }
            whole.finish().into_iter().for_each(&mut keep);
        }
        // A log driver that keeps nothing, or a container that is gone, has no last words.
        Err(Fault::Refused { .. }) => {}
        Err(fault) => return Err(fault),
    }
    let mut words = Vec::from(words);
    if let Some(value) = engine.wire.find(&format!("/containers/{}/json", segment(id))).await? {
        words = words.into_iter().map(|line| conceal(line, &value)).collect();
        if let Some((output, exit)) = seen(&value).probe {
            words.push(format!("health check (exit code {exit}): {output}"));
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen_as(state: State, health: Option<Health>) -> Seen {
        let window = if health.is_some() { 30 } else { 0 };
        Seen { state, health, window, ..Seen::default() }
    }

    fn code(seen: &Seen, until: &Until, ms: u64) -> &'static str {
        match verdict("w", seen, until, Duration::from_millis(ms), 0) {
            Verdict::Done => "done",
            Verdict::Wait => "wait",
            Verdict::Fail(code, _) => code,
        }
    }

    #[test]
    fn a_containers_own_secrets_are_not_in_its_last_words() {
        let value = serde_json::json!({
            "Config": { "Env": ["DB_PASSWORD=hunter2", "TZ=Europe/Berlin", "EMPTY_TOKEN=", "X"] },
            "State": { "Health": { "Log": [{ "ExitCode": 1, "Output": "login hunter2 failed in Europe/Berlin" }] } },
        });
        assert_eq!(conceal("my hunter2, hunter2".into(), &value), "my (hidden), (hidden)");
        assert_eq!(seen(&value).probe, Some(("login (hidden) failed in Europe/Berlin".into(), 1)));
    }

    #[test]
    fn healthy_waits_for_health_and_fails_at_once_when_it_cannot_come() {
        let until = Until::Healthy { seconds: Some(5) };
        for (seen, ms, expected) in [
            (seen_as(State::Running, Some(Health::Healthy)), 0, "done"),
            (seen_as(State::Running, Some(Health::Starting)), 0, "wait"),
            (seen_as(State::Created, None), 0, "wait"),
            (seen_as(State::Running, Some(Health::Starting)), 5000, "engine.not-healthy"),
            (seen_as(State::Running, Some(Health::Unhealthy)), 0, "engine.unhealthy"),
            (seen_as(State::Running, None), 0, "engine.no-healthcheck"),
            (seen_as(State::Exited, Some(Health::Unhealthy)), 0, "engine.exited"),
            (seen_as(State::Restarting, Some(Health::Starting)), 0, "wait"),
        ] {
            assert_eq!(code(&seen, &until, ms), expected, "{seen:?}");
        }
    }

    #[test]
    fn a_replacement_proves_itself_by_health_or_by_staying_up() {
        let stay = Until::Proven { seconds: 0, stay: 3000, health: false, may_exit: false };
        assert_eq!(code(&seen_as(State::Running, None), &stay, 100), "wait");
        assert_eq!(code(&seen_as(State::Running, None), &stay, 3000), "done");
        assert_eq!(code(&seen_as(State::Exited, None), &stay, 100), "engine.exited");
        let job = Until::Proven { seconds: 0, stay: 3000, health: false, may_exit: true };
        assert_eq!(code(&seen_as(State::Exited, None), &job, 100), "done");
        assert_eq!(code(&Seen { exit_code: 1, ..seen_as(State::Exited, None) }, &job, 100), "engine.exited");
        assert_eq!(code(&seen_as(State::Restarting, None), &stay, 100), "engine.exited");
        assert_eq!(code(&Seen { restarts: 1, ..seen_as(State::Running, None) }, &stay, 3000), "engine.exited");
        // The image brings a health check that the file does not know of.
        assert_eq!(code(&seen_as(State::Running, Some(Health::Starting)), &stay, 4000), "wait");
        assert_eq!(code(&seen_as(State::Running, Some(Health::Starting)), &stay, 31_000), "engine.not-healthy");
        let window = Until::Proven { seconds: 2, stay: 3000, health: true, may_exit: false };
        assert_eq!(code(&seen_as(State::Running, Some(Health::Healthy)), &window, 0), "done");
        assert_eq!(code(&seen_as(State::Running, Some(Health::Starting)), &window, 2000), "engine.not-healthy");
    }

    #[test]
    fn a_one_shot_is_done_with_exit_code_0_only() {
        assert_eq!(code(&seen_as(State::Exited, None), &Until::Completed, 0), "done");
        assert_eq!(code(&Seen { exit_code: 3, ..seen_as(State::Exited, None) }, &Until::Completed, 0), "engine.exited");
        assert_eq!(
            code(&Seen { oom_killed: true, ..seen_as(State::Exited, None) }, &Until::Completed, 0),
            "engine.exited"
        );
        assert_eq!(code(&seen_as(State::Running, None), &Until::Completed, 999_999), "wait");
    }

    #[test]
    fn the_window_is_the_engines_own() {
        assert_eq!(
            window(
                &json!({ "Test": ["CMD", "x"], "Interval": 1_000_000_000u64, "Timeout": 2_000_000_000u64, "Retries": 2 })
            ),
            6
        );
        assert_eq!(window(&json!({ "Test": ["CMD", "x"] })), 180);
        assert_eq!((window(&json!({ "Test": ["NONE"] })), window(&Value::Null)), (0, 0));
    }
}
