//! Progress of an apply: bars on a terminal, plain lines elsewhere, JSON lines with `--json`.

mod bars;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::bars::Bars;
use super::{Out, Tone};
use crate::base::units;
use crate::diag::Sources;
use crate::diag::text::{to_json, visible};
use crate::engine::Progress as Said;
use crate::engine::apply::{Event, StepResult};
use crate::plan::{Action, Cause, Plan, Step, StepId};

/// Shows the events of one walk.
pub struct Progress {
    out: Out,
    began: Mutex<BTreeMap<StepId, Instant>>,
    /// Groups that are being taken back: said once each.
    back: Mutex<BTreeSet<Option<u32>>>,
    bars: Option<Bars>,
}

impl Progress {
    /// For a walk over `plan`. Bars need a terminal on standard error.
    pub fn new(out: &Out, plan: &Plan) -> Progress {
        let bars = (out.terminal && !out.json).then(|| Bars::new(plan.steps.len() as u64));
        Progress { out: out.clone(), began: Mutex::default(), back: Mutex::default(), bars }
    }

    /// Shows one event; called from many tasks.
    pub fn tell(&self, event: &Event<'_>) {
        if self.out.json {
            return self.out.event(&self.json(event));
        }
        match event {
            Event::Started(step) => {
                self.lock().insert(step.id, Instant::now());
                if let Some(bars) = &self.bars {
                    bars.start(step);
                }
            }
            Event::Progress(step, said) => {
                if let Some(bars) = &self.bars {
                    bars.said(step, said);
                }
            }
            Event::Finished(step, result) => self.finished(step, result),
            Event::TakenBack { step, because } => {
                let mut told = self.back.lock().unwrap_or_else(PoisonError::into_inner);
                if told.insert(step.group) || step.group.is_none() {
                    self.line(&self.taken_back(step, because));
                }
            }
        }
    }

    /// A service may be called `ok`: never only its name.
    fn taken_back(&self, step: &Step, because: &str) -> String {
        let head = self.out.paint(Tone::Warn, "taking back");
        let what = match step.service.as_str() {
            "" => format!("what was done: {}", words::did(&step.action)),
            service => format!("the service `{}`", visible(service)),
        };
        format!("  {head} {what} ({})", visible(because))
    }

    /// Ends the bars, so that what comes after stands below everything.
    pub fn close(&self) {
        if let Some(bars) = &self.bars {
            bars.close();
        }
    }

    fn finished(&self, step: &Step, result: &StepResult) {
        let took = self.took(step.id);
        if let Some(bars) = &self.bars {
            bars.finish(step);
        }
        match result {
            // Names and restart policies that move during a replacement are of no interest unless they fail.
            StepResult::Done { warnings, .. } if warnings.is_empty() && is_bookkeeping(step) => {}
            StepResult::Done { warnings, .. } => {
                let time = took.filter(|t| *t >= Duration::from_secs(1)).map(|t| format!(" ({})", units::duration(t)));
                let time = self.out.paint(Tone::Dim, &time.unwrap_or_default());
                // A pull that failed where it may: its warning says so, and that is all there is to say.
                if warnings.is_empty() || !matches!(step.action, Action::PullImage { optional: true, .. }) {
                    self.line(&format!("  {}{time}", words::did(&step.action)));
                }
                for warning in warnings {
                    self.line(&format!("  {} {}", self.out.paint(Tone::Warn, "warning:"), visible(warning)));
                }
            }
            // The diagnostic follows when the walk is over, in one piece with its cause.
            StepResult::Failed { .. } => {
                self.line(&format!("  {} {}", self.out.paint(Tone::Bad, "failed:"), words::to_do(&step.action)));
            }
            StepResult::Skipped { .. } | StepResult::TakenBack { .. } => {}
        }
    }

    fn line(&self, words: &str) {
        match &self.bars {
            Some(bars) => bars.line(words),
            None => self.out.say(words),
        }
    }

    fn took(&self, id: StepId) -> Option<Duration> {
        self.lock().get(&id).map(Instant::elapsed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<StepId, Instant>> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn json(&self, event: &Event<'_>) -> Value {
        match event {
            Event::Started(step) => {
                self.lock().insert(step.id, Instant::now());
                json!({
                    "event": "started",
                    "step": step.id.0,
                    "service": step.service,
                    "action": step.action.kind(),
                    "words": words::to_do(&step.action),
                })
            }
            Event::Progress(step, Said::Layer { id, status, current, total }) => {
                json!({"event": "layer", "step": step.id.0, "layer": id, "status": status, "current": current, "total": total})
            }
            Event::Progress(step, Said::Line(line)) => json!({"event": "line", "step": step.id.0, "line": line}),
            Event::Progress(step, Said::Probe(probe)) => json!({"event": "probe", "step": step.id.0, "probe": probe}),
            Event::Finished(step, result) => {
                let mut value = result_json(result);
                value["event"] = json!("finished");
                value["step"] = json!(step.id.0);
                value["seconds"] = json!(self.took(step.id).map(|t| (t.as_secs_f64() * 1000.0).round() / 1000.0));
                value
            }
            Event::TakenBack { step, because } => {
                json!({"event": "taken_back", "step": step.id.0, "words": words::did(&step.action), "because": because})
            }
        }
    }
}

/// What became of a step, as JSON: `outcome` and what belongs to it.
pub fn result_json(result: &StepResult) -> Value {
    match result {
        StepResult::Done { id, warnings } => json!({"outcome": "done", "id": id, "warnings": warnings}),
        StepResult::Failed { diagnostic, words } => {
            json!({"outcome": "failed", "diagnostic": to_json(diagnostic, &Sources::default()), "words": words})
        }
        StepResult::Skipped { because } => json!({"outcome": "skipped", "because": because}),
        StepResult::TakenBack { trouble } => json!({"outcome": "taken back", "trouble": trouble}),
    }
}

fn is_bookkeeping(step: &Step) -> bool {
    let small = matches!(step.action, Action::RenameContainer { .. } | Action::UpdateContainer { .. });
    small && matches!(step.cause, Cause::Replacement)
}

/// Whether the step only looks on.
pub(super) fn waits(action: &Action) -> bool {
    matches!(action, Action::Wait { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ColorArg;
    use crate::plan::Risk;

    #[test]
    fn a_service_called_ok_is_not_taken_for_success() {
        let progress = Progress::new(&Out::new(ColorArg::Never, true, "/".into()), &Plan::default());
        let mut step = Step {
            id: StepId(1),
            action: Action::RemoveVolume { name: "data".into() },
            cause: Cause::Replacement,
            risk: Risk::None,
            after: Vec::new(),
            service: "ok".into(),
            group: Some(1),
            undo: Vec::new(),
        };
        let why = "the command was interrupted";
        assert_eq!(progress.taken_back(&step, why), format!("  taking back the service `ok` ({why})"));
        step.service.clear();
        assert_eq!(
            progress.taken_back(&step, why),
            format!("  taking back what was done: removed volume data ({why})")
        );
    }
}
