//! How it went, in words: what failed and why, what runs again as before, what was not done, and the closing line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use super::session::Session;
use crate::base::{units, wording};
use crate::cli::progress::words;
use crate::cli::{Failure, Out, Tone};
use crate::diag::text::visible;
use crate::diag::{Kind, Sources};
use crate::engine::apply::{Report, StepResult};
use crate::plan::{Action, Plan, Step, text};

/// The closing line where a plan had no steps.
pub fn nothing_to_do(out: &Out, plan: &Plan) {
    if out.json {
        return out.line(json!({"event": "result", "outcome": "done", "summary": text::summary(plan)}).to_string());
    }
    out.say(text::summary(plan));
}

/// Tells how the walks went and gives the exit code: 0, 1, 6 where the engine went away, 130 where it was interrupted.
pub fn tell(session: &Session<'_>, rounds: &[(Plan, Report)], took: Duration) -> Result<(), Failure> {
    let out = session.out;
    let mut code = 0;
    let mut counts = Counts::default();
    for (plan, report) in rounds {
        let step = |id| plan.steps.iter().find(|s| s.id == id);
        for (id, diagnostic, words) in report.failures() {
            let mut diagnostic = diagnostic.clone();
            if let Some(step) = step(id).filter(|s| !s.service.is_empty() && diagnostic.field.is_none()) {
                diagnostic.field = Some(format!("services.{}", step.service));
            }
            out.diagnostic(&diagnostic, &Sources::default());
            if !out.json {
                words.iter().for_each(|line| out.say(format!("  | {}", visible(line))));
            }
            code = code.max(if diagnostic.kind == Kind::Unavailable { Kind::Unavailable.exit_code() } else { 1 });
        }
        if !out.json {
            taken_back(out, plan, report);
            not_done(out, plan, report);
        }
        if report.cancelled {
            code = Kind::Interrupted.exit_code();
        }
        counts.add(plan, report);
    }
    let outcome = match code {
        0 => "done",
        130 => "interrupted",
        _ => "failed",
    };
    if out.json {
        let sum = |of: fn(&Report) -> Duration| rounds.iter().map(|(_, report)| of(report)).sum::<Duration>();
        let seconds = |time: Duration| (time.as_secs_f64() * 1000.0).round() / 1000.0;
        // The last two tell whose time it was: the calls' own, one by one, and the time with any of them open.
        let value = json!({
            "event": "result",
            "outcome": outcome,
            "summary": counts.words(),
            "seconds": seconds(took),
            "seconds_of_calls": seconds(sum(|report| report.in_calls)),
            "seconds_waited": seconds(sum(|report| report.busy)),
        });
        out.line(value.to_string());
    } else {
        let tone = if code == 0 { Tone::Good } else { Tone::Bad };
        let after = if code == 0 { "in" } else { "after" };
        out.say(format!("{} {after} {}: {}", out.paint(tone, outcome), units::duration(took), counts.words()));
    }
    if code == 0 { Ok(()) } else { Err(Failure::Code(code)) }
}

/// Which services run again as they did before.
fn taken_back(out: &Out, plan: &Plan, report: &Report) {
    let result = |step: &Step| report.steps.get(&step.id);
    let back = plan.steps.iter().filter(|s| matches!(result(s), Some(StepResult::TakenBack { .. })));
    let names = run_again(plan, report);
    if !names.is_empty() {
        let verb = if names.len() == 1 { "runs" } else { "run" };
        out.say(format!("the old {} {verb} again as before", wording::list(&names)));
    }
    for step in back {
        if let Some(StepResult::TakenBack { trouble }) = result(step) {
            for words in trouble {
                let head = out.paint(Tone::Warn, "warning:");
                out.say(format!("{head} could not take back `{}`: {}", words::did(&step.action), visible(words)));
            }
        }
    }
}

/// Services whose containers were stopped and, with all that was done to them, taken back without trouble.
fn run_again<'p>(plan: &'p Plan, report: &Report) -> Vec<&'p str> {
    let back = |step: &Step| match report.steps.get(&step.id) {
        Some(StepResult::TakenBack { trouble }) => Some(trouble.is_empty()),
        _ => None,
    };
    let ill: BTreeSet<&str> =
        plan.steps.iter().filter(|s| back(s) == Some(false)).map(|s| s.service.as_str()).collect();
    let stopped = plan.steps.iter().filter(|s| matches!(s.action, Action::StopContainer { .. }) && back(s).is_some());
    let names: BTreeSet<&str> = stopped.map(|s| s.service.as_str()).filter(|name| !ill.contains(name)).collect();
    names.into_iter().collect()
}

/// What was not begun, by reason.
fn not_done(out: &Out, plan: &Plan, report: &Report) {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // A service that was taken back has been told of already.
    let is_back = |step: &&Step| matches!(report.steps.get(&step.id), Some(StepResult::TakenBack { .. }));
    let back: BTreeSet<&str> = plan.steps.iter().filter(is_back).map(|s| s.service.as_str()).collect();
    for step in plan.steps.iter().filter(|s| s.service.is_empty() || !back.contains(s.service.as_str())) {
        if let Some(StepResult::Skipped { because }) = report.steps.get(&step.id) {
            let what = if step.service.is_empty() { words::to_do(&step.action) } else { step.service.clone() };
            let list = reasons.entry(because).or_default();
            if !list.contains(&what) {
                list.push(what);
            }
        }
    }
    for (because, what) in reasons {
        let shown = match what.len() {
            0..=12 => wording::list(&what),
            n => format!("{} and {} more", what[..10].join(", "), n - 10),
        };
        out.say(format!("not done: {shown} ({})", visible(because)));
    }
}

/// What was done, counted by what a person cares about: rank, noun (none for containers) and verb.
#[derive(Default)]
struct Counts(BTreeMap<(u8, &'static str, &'static str), usize>);

impl Counts {
    fn add(&mut self, plan: &Plan, report: &Report) {
        for step in &plan.steps {
            let Some(StepResult::Done { warnings, .. }) = report.steps.get(&step.id) else { continue };
            // Of a replacement only the new container counts; a tolerated pull that failed pulled nothing.
            let replaces = matches!(step.action, Action::CreateContainer { .. });
            let network = matches!(step.action, Action::CreateNetwork { .. } | Action::RemoveNetwork { .. });
            if step.group.is_some() && !replaces && !network
                || !warnings.is_empty() && matches!(step.action, Action::PullImage { .. })
            {
                continue;
            }
            let what = match &step.action {
                Action::PullImage { .. } => (0, "image", "pulled"),
                Action::BuildImage { .. } => (1, "image", "built"),
                Action::CreateContainer { replaces: None, .. } if step.group.is_none() => (2, "", "created"),
                Action::CreateContainer { .. } => (3, "", "replaced"),
                Action::StartContainer { .. } | Action::UnpauseContainer { .. } => (4, "", "started"),
                Action::RestartContainer { .. } => (5, "", "restarted"),
                Action::StopContainer { .. } => (6, "", "stopped"),
                Action::RemoveContainer { .. } => (7, "", "removed"),
                Action::UpdateContainer { .. } => (8, "", "adjusted"),
                Action::CreateNetwork { .. } => (9, "network", "created"),
                Action::RemoveNetwork { .. } => (10, "network", "removed"),
                Action::CreateVolume { .. } => (11, "volume", "created"),
                Action::RemoveVolume { .. } => (12, "volume", "removed"),
                _ => continue,
            };
            *self.0.entry(what).or_default() += 1;
        }
    }

    fn part(n: usize, noun: &str, did: &str) -> String {
        if noun.is_empty() { format!("{n} {did}") } else { format!("{} {did}", wording::count(n, noun)) }
    }

    fn words(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|((_, noun, did), n)| Self::part(*n, noun, did)).collect();
        if parts.is_empty() { "nothing was changed".into() } else { parts.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Cause, Risk, StepId, Target};

    #[test]
    fn a_service_runs_again_only_where_nothing_went_wrong_in_taking_back() {
        let mut plan = Plan::default();
        let mut report = Report::default();
        for (id, service, trouble) in [(1, "db", vec![]), (2, "web", vec!["start container web-1: no".to_string()])] {
            let container = Target::Existing { id: service.into(), name: format!("{service}-1") };
            let action = Action::StopContainer { container, timeout: None };
            let (cause, risk, service) = (Cause::Replacement, Risk::ShortStop, service.to_string());
            let step =
                Step { id: StepId(id), action, cause, risk, after: vec![], service, group: Some(id), undo: vec![] };
            plan.steps.push(step);
            report.steps.insert(StepId(id), StepResult::TakenBack { trouble });
        }
        assert_eq!(run_again(&plan, &report), ["db"]);
    }
}
