//! How it went, in words: what failed and why, what runs again as before, what was not done, and the closing line.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;

use crate::base::{units, wording};
use crate::cli::progress::words;
use crate::cli::{Failure, Out, Tone};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind, Sources};
use crate::engine::apply::{NOT_TAKEN_BACK, Report, StepResult};
use crate::plan::{Action, Plan, Step, text};

/// The closing line where a plan had no steps.
pub fn nothing_to_do(out: &Out, plan: &Plan) {
    if out.json {
        return out.event(&json!({"event": "result", "outcome": "done", "summary": text::summary(plan)}));
    }
    out.say(text::summary(plan));
}

/// Tells how the walks went and gives the exit code: 0, 1, 6 where the engine went away, 130 where it was interrupted.
///
/// `run` is the run's id where history keeps it.
pub fn tell(out: &Out, rounds: &[(Plan, Report)], took: Duration, run: Option<&str>) -> Result<(), Failure> {
    let mut code = 0;
    for (plan, report) in rounds {
        let step = |id| plan.steps.iter().find(|s| s.id == id);
        for (id, diagnostic, words) in report.failures() {
            let mut diagnostic = diagnostic.clone();
            diagnostic.hints.extend(step(id).and_then(|step| where_more_is(plan, report, step, &diagnostic, run)));
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
    }
    let summary = ending(rounds, code == 0);
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
            "summary": summary,
            "seconds": seconds(took),
            "seconds_of_calls": seconds(sum(|report| report.in_calls)),
            "seconds_waited": seconds(sum(|report| report.busy)),
        });
        out.event(&value);
    } else {
        let tone = if code == 0 { Tone::Good } else { Tone::Bad };
        let after = if code == 0 { "in" } else { "after" };
        out.say(format!("{} {after} {}: {}", out.paint(tone, outcome), units::duration(took), summary));
    }
    if code == 0 { Ok(()) } else { Err(Failure::Code(code)) }
}

/// Where more is found of what a container said that was waited for in vain.
fn where_more_is(plan: &Plan, report: &Report, step: &Step, failed: &Diagnostic, run: Option<&str>) -> Option<String> {
    let said = matches!(failed.code, "engine.exited" | "engine.unhealthy" | "engine.not-healthy");
    if !said || !matches!(step.action, Action::Wait { .. }) {
        return None;
    }
    let is_back = |s: &Step| matches!(report.steps.get(&s.id), Some(StepResult::TakenBack { .. }));
    match step.group.is_some_and(|group| plan.steps.iter().any(|s| s.group == Some(group) && is_back(s))) {
        true => run.map(|id| format!("it is gone; its last lines are kept: hearth history {id}")),
        false => Some(format!("see what it says: hearth logs {}", step.service)),
    }
}

/// Names of services as they stand in a sentence: one may be called `ok`.
fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    wording::list(&names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>())
}

/// What the world is like after it, against how it was before.
fn ending(rounds: &[(Plan, Report)], good: bool) -> String {
    const GO_ON: &str = "run the same command again, it goes on from here";
    let mut counts = Counts::default();
    let (mut ill, mut back, mut did, mut unsure) = (false, false, false, false);
    let mut stopped = BTreeSet::new();
    for (plan, report) in rounds {
        counts.add(plan, report);
        stopped.extend(run_again(plan, report));
        for step in &plan.steps {
            match report.steps.get(&step.id) {
                Some(StepResult::Done { warnings, .. }) => {
                    let only_looked = matches!(step.action, Action::Wait { .. });
                    did |= !only_looked && (warnings.is_empty() || !matches!(step.action, Action::PullImage { .. }));
                }
                Some(StepResult::TakenBack { trouble }) => (back, ill) = (true, ill || !trouble.is_empty()),
                Some(StepResult::Failed { diagnostic, .. }) => {
                    ill |= diagnostic.hints.iter().any(|hint| hint.starts_with(NOT_TAKEN_BACK));
                    unsure |= matches!(step.action, Action::StopContainer { .. } | Action::RestartContainer { .. });
                }
                _ => {}
            }
        }
    }
    let counted = counts.words();
    let names = quoted(&stopped.iter().collect::<Vec<_>>());
    let (is, was) = if stopped.len() == 1 { ("is", "was") } else { ("are", "were") };
    let as_before = back && !ill;
    match counted.is_empty() {
        true if ill => format!("left half done: {GO_ON}"),
        false if ill => format!("{counted}; the rest is left half done: {GO_ON}"),
        false if stopped.is_empty() => counted,
        false => format!("{counted}; {names} {is} as before, and {was} stopped in between"),
        true if did && good => "all steps were done".into(),
        true if did => format!("some steps were done: {GO_ON}"),
        true if as_before && stopped.is_empty() => "all is as it was before".into(),
        true if as_before => format!("all is as it was before; {names} {was} stopped in between"),
        true if unsure => "nothing else was changed".into(),
        true => "nothing was changed".into(),
    }
}

/// Which services run again as they did before.
fn taken_back(out: &Out, plan: &Plan, report: &Report) {
    let result = |step: &Step| report.steps.get(&step.id);
    let back = plan.steps.iter().filter(|s| matches!(result(s), Some(StepResult::TakenBack { .. })));
    let names = run_again(plan, report);
    if !names.is_empty() {
        let verb = if names.len() == 1 { "runs" } else { "run" };
        out.say(format!("the old {} {verb} again as before", quoted(&names)));
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
            let what = if step.service.is_empty() { words::to_do(&step.action) } else { quoted(&[&step.service]) };
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
                Action::RemoveImage { .. } => (13, "image", "removed"),
                _ => continue,
            };
            *self.0.entry(what).or_default() += 1;
        }
    }

    fn part(n: usize, noun: &str, did: &str) -> String {
        if noun.is_empty() { format!("{n} {did}") } else { format!("{} {did}", wording::count(n, noun)) }
    }

    /// Empty where nothing was done that counts.
    fn words(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|((_, noun, did), n)| Self::part(*n, noun, did)).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Cause, Risk, StepId, Target, Until};

    fn container(service: &str) -> Target {
        Target::Existing { id: service.into(), name: format!("{service}-1") }
    }

    fn stop(service: &str) -> Action {
        Action::StopContainer { container: container(service), timeout: None }
    }

    fn wait(service: &str) -> Action {
        Action::Wait { container: container(service), until: Until::Healthy { seconds: None }, optional: false }
    }

    fn taken_back(trouble: &[&str]) -> StepResult {
        StepResult::TakenBack { trouble: trouble.iter().map(ToString::to_string).collect() }
    }

    fn done() -> StepResult {
        StepResult::Done { id: None, warnings: vec![] }
    }

    fn failed(code: crate::diag::Code, hint: &str) -> StepResult {
        let diagnostic = Box::new(Diagnostic::error(code, "no").hint(hint));
        StepResult::Failed { diagnostic, words: vec![] }
    }

    /// A walk of these steps, each with its service, its group and what became of it.
    fn walked(steps: Vec<(&str, u32, Action, StepResult)>) -> (Plan, Report) {
        let (mut plan, mut report) = (Plan::default(), Report::default());
        for (i, (service, group, action, result)) in (1..).zip(steps) {
            let (cause, risk, service) = (Cause::Replacement, Risk::ShortStop, service.to_string());
            let group = Some(group).filter(|g| *g > 0);
            plan.steps.push(Step { id: StepId(i), action, cause, risk, after: vec![], service, group, undo: vec![] });
            report.steps.insert(StepId(i), result);
        }
        (plan, report)
    }

    #[test]
    fn a_service_runs_again_only_where_nothing_went_wrong_in_taking_back() {
        let no = taken_back(&["start container web-1: no"]);
        let (plan, report) = walked(vec![("db", 1, stop("db"), taken_back(&[])), ("web", 2, stop("web"), no)]);
        assert_eq!(run_again(&plan, &report), ["db"]);
    }

    #[test]
    fn the_closing_line_says_what_is_true() {
        let said = |steps| ending(&[walked(steps)], false);
        let back = || ("ok", 1, stop("ok"), taken_back(&[]));
        let skipped = || StepResult::Skipped { because: "it was interrupted".into() };
        assert_eq!(said(vec![("ok", 1, stop("ok"), skipped())]), "nothing was changed");
        assert_eq!(said(vec![("ok", 0, wait("ok"), done())]), "nothing was changed");
        assert_eq!(said(vec![("ok", 0, stop("ok"), failed("a.b", ""))]), "nothing else was changed");
        assert_eq!(said(vec![back()]), "all is as it was before; `ok` was stopped in between");
        let web = ("web", 2, stop("web"), taken_back(&[]));
        assert_eq!(said(vec![back(), web]), "all is as it was before; `ok` and `web` were stopped in between");
        assert_eq!(said(vec![("ok", 1, wait("ok"), taken_back(&[]))]), "all is as it was before");
        let other = ("db", 0, stop("db"), done());
        assert_eq!(said(vec![back(), other]), "1 stopped; `ok` is as before, and was stopped in between");
        let go_on = "left half done: run the same command again, it goes on from here";
        assert_eq!(said(vec![("ok", 1, stop("ok"), taken_back(&["no"]))]), go_on);
        let hint = format!("{NOT_TAKEN_BACK}: start container ok-1");
        assert_eq!(said(vec![back(), ("ok", 1, wait("ok"), failed("a.b", &hint))]), go_on);
        let rename = || Action::RenameContainer { container: container("ok"), to: "ok-2".into() };
        let some = "some steps were done: run the same command again, it goes on from here";
        assert_eq!(said(vec![("ok", 0, rename(), done())]), some);
        assert_eq!(ending(&[walked(vec![("ok", 0, rename(), done())])], true), "all steps were done");
    }

    #[test]
    fn what_a_container_said_is_looked_for_where_it_is_kept() {
        let hint = |group, run: Option<&str>| {
            let ill = failed("engine.unhealthy", "");
            let steps = vec![("web", 1, stop("web"), taken_back(&[])), ("web", group, wait("web"), ill)];
            let (plan, report) = walked(steps);
            let (_, failed, _) = report.failures().next().expect("one failed");
            where_more_is(&plan, &report, &plan.steps[1], failed, run)
        };
        let gone = "it is gone; its last lines are kept: hearth history 01ab";
        assert_eq!(hint(1, Some("01ab")).as_deref(), Some(gone));
        assert_eq!(hint(1, None), None);
        assert_eq!(hint(0, Some("01ab")).as_deref(), Some("see what it says: hearth logs web"));
    }
}
