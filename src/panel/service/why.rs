//! Why a service is as it is: what its health check said, how it ended, what it waits for.

use time::OffsetDateTime;

use super::Place;
use super::made::{Fact, Said};
use crate::base::units;
use crate::base::wording;
use crate::panel::ansi::plain;
use crate::panel::home::Row;
use crate::panel::words::{Mark, Moment};
use crate::stacks::json::containers::{Dependency, HealthCheck, Inspected};
use crate::stacks::seen::Seen;
use crate::stacks::seen::service::{Service, Standing};
use crate::web::Lang;

/// Lines of a health check's output that are shown.
const LINES: usize = 20;

/// All that is known of it; empty where it is as it should be.
#[derive(Debug, Clone, Default)]
pub struct Why {
    pub sentence: String,
    /// It has failed.
    pub bad: bool,
    pub facts: Vec<Fact>,
    /// What the health check wrote the last time.
    pub output: String,
    pub waits: Vec<Wait>,
}

/// A service that this one waits for.
#[derive(Debug, Clone)]
pub struct Wait {
    pub name: String,
    pub path: String,
    pub mark: Mark,
    pub words: String,
}

impl Why {
    pub fn is_empty(&self) -> bool {
        self.sentence.is_empty() && self.facts.is_empty() && self.output.is_empty() && self.waits.is_empty()
    }
}

/// `inspected`: the container that is shown.
pub fn of(
    lang: Lang,
    row: &Row,
    service: &Service,
    seen: &Seen,
    place: &Place,
    inspected: Option<&Inspected>,
    now: OffsetDateTime,
) -> Why {
    let bad = matches!(service.state, Standing::Failed | Standing::Restarting);
    let mut why = Why { sentence: wording::sentence(&row.why), bad, ..Why::default() };
    let Some(one) = inspected else { return why };
    let health = one.health_check.as_ref().filter(|check| check.failing > 0 && one.container.state == "running");
    if let Some(check) = health {
        why.facts.push(failing(lang, check, now));
        why.output = check.last.as_ref().map(|last| output(&last.output)).unwrap_or_default();
    }
    let ended = one.container.exit_code.filter(|_| one.finished_at.is_some());
    if let Some(code) = ended {
        why.facts.push(how_it_ended(lang, one, code, now));
    }
    if one.oom_killed {
        let words = match one.limits.memory {
            Some(limit) => lang.with("service-memory-limit", [("limit", units::bytes(limit).into())]),
            None => lang.say("service-memory-all").into_owned(),
        };
        why.facts.push(Fact::of(lang.say("service-memory"), words));
    }
    if !one.error.is_empty() {
        why.facts.push(Fact::of(lang.say("service-engine-says"), plain(&one.error)));
    }
    if one.restart_count > 0 {
        let policy = one.restart_policy.as_str();
        let words = lang.with("service-restarted", [("count", one.restart_count.into()), ("policy", policy.into())]);
        why.facts.push(Fact::of(lang.say("service-restarts"), words));
    }
    if !matches!(service.state, Standing::Running | Standing::Unhealthy | Standing::Paused) {
        why.waits = one.depends_on.iter().filter_map(|on| wait(lang, on, seen, place)).collect();
    }
    why
}

fn failing(lang: Lang, check: &HealthCheck, now: OffsetDateTime) -> Fact {
    let mut fact =
        Fact::of(lang.say("service-health"), lang.with("service-health-failed", [("count", check.failing.into())]));
    if let Some(last) = &check.last {
        let words = lang.with(
            "service-health-last",
            [("code", last.exit_code.into()), ("meaning", exit(lang, last.exit_code).into())],
        );
        fact.values.push(Said { text: words, when: Moment::read(&last.at, now) });
    }
    fact
}

fn how_it_ended(lang: Lang, one: &Inspected, code: i64, now: OffsetDateTime) -> Fact {
    let meaning = match (one.oom_killed, code) {
        (true, 137) => lang.say("service-exit-memory").into_owned(),
        _ => exit(lang, code),
    };
    let words = lang.with("service-ended-with", [("code", code.into()), ("meaning", meaning.into())]);
    let when = one.finished_at.as_deref().and_then(|at| Moment::read(at, now));
    Fact { word: lang.say("service-ended").into_owned(), values: vec![Said { text: words, when }] }
}

/// What an exit code means: of the engine and of shells (POSIX, 2.8.2), and of signals behind 128.
fn exit(lang: Lang, code: i64) -> String {
    let key = match code {
        0 => "service-exit-0",
        1 => "service-exit-1",
        2 => "service-exit-2",
        125 => "service-exit-125",
        126 => "service-exit-126",
        127 => "service-exit-127",
        129 => "service-exit-129",
        130 => "service-exit-130",
        132 => "service-exit-132",
        134 => "service-exit-134",
        135 => "service-exit-135",
        136 => "service-exit-136",
        137 => "service-exit-137",
        139 => "service-exit-139",
        141 => "service-exit-141",
        143 => "service-exit-143",
        code if (128..=192).contains(&code) => {
            return lang.with("service-exit-signal", [("signal", (code - 128).into())]);
        }
        _ => "service-exit-other",
    };
    lang.say(key).into_owned()
}

/// What a program wrote, as text of some lines: its last ones.
pub fn output(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    let skipped = lines.len().saturating_sub(LINES);
    lines.into_iter().skip(skipped).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `None`: it is there already, or is no service that can be seen.
fn wait(lang: Lang, on: &Dependency, seen: &Seen, place: &Place) -> Option<Wait> {
    let at = Place::of(on.service.clone(), place.project.clone(), None);
    let service = at.find(seen)?;
    let (is_met, words) = match on.condition.as_str() {
        "service_healthy" => (service.state == Standing::Running, "service-waits-healthy"),
        "service_completed_successfully" => {
            let done = service.containers.iter().any(|c| c.exit_code == Some(0));
            (matches!(service.state, Standing::Stopped | Standing::Done) && done, "service-waits-completed")
        }
        _ => {
            let runs = matches!(service.state, Standing::Running | Standing::Starting | Standing::Unhealthy);
            (runs, "service-waits-started")
        }
    };
    (!is_met).then(|| Wait {
        path: at.to(""),
        mark: Mark::service(service),
        words: lang.say(words).into_owned(),
        name: at.name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_say_what_they_mean() {
        let lang = Lang::default();
        assert!(exit(lang, 139).contains("SIGSEGV") && exit(lang, 143).contains("SIGTERM"));
        assert!(exit(lang, 127).contains("not there"));
        assert!(exit(lang, 159).contains("31"), "{}", exit(lang, 159));
        assert_ne!(exit(lang, 42), exit(lang, 1));
        assert_eq!(output("a\u{1b}[31mb\r\n\u{0}c\n"), "ab\nc");
        assert_eq!(output(&"x\n".repeat(100)).lines().count(), LINES);
    }
}
