//! The walker: runs the steps of a plan in parallel as far as their order allows, and decides nothing.
//!
//! When a step fails, what depends on it is skipped and the `undo` of the done steps of its group runs, last first.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Engine, Known, Progress};
use crate::diag::Diagnostic;
use crate::plan::{Plan, Step, StepId};

/// How a plan is walked.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Calls under way at once (waits not counted).
    pub parallel: usize,
    /// Ids known before the walk: the containers that symbolic references mean (`Known::services`).
    pub known: Known,
    /// Cancelled by Ctrl-C: running steps finish or are taken back, nothing new begins.
    pub cancel: CancellationToken,
}

/// Told while walking; for progress bars, JSON lines and history.
#[derive(Debug)]
pub enum Event<'a> {
    Started(&'a Step),
    Progress(&'a Step, Progress),
    Finished(&'a Step, &'a StepResult),
    /// A failed group is being taken back: which step's undo runs, and why.
    TakenBack { step: &'a Step, because: &'a str },
}

#[derive(Debug, Clone)]
pub enum StepResult {
    Done { id: Option<String>, warnings: Vec<String> },
    /// It failed; `words` are last log lines and health output where there are some.
    Failed { diagnostic: Box<Diagnostic>, words: Vec<String> },
    /// Not begun: a step it needs failed, or the walk was cancelled.
    Skipped { because: String },
    /// Done, and then taken back.
    TakenBack,
}

#[derive(Debug, Clone, Default)]
pub struct Report {
    pub steps: BTreeMap<StepId, StepResult>,
    pub took: Duration,
    /// Sum of the time spent inside engine calls, and the wall time during which at least one call or wait was open.
    pub in_calls: Duration,
    pub busy: Duration,
    pub cancelled: bool,
}

/// Walks `plan` over `engine`.
pub async fn apply(engine: &dyn Engine, plan: &Plan, walk: Walk, tell: &(dyn Fn(Event<'_>) + Sync)) -> Report {
    let _ = (engine, plan, walk, tell);
    Report::default()
}
