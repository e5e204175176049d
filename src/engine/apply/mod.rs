//! The walker: runs the steps of a plan in parallel as far as their order allows, and decides nothing.
//!
//! When a step fails, what depends on it is skipped and its group ([`Step::group`]) is taken back: the `undo` lists of
//! its begun steps run, last first, unless the group is past its point of no return. Other branches go on.
//! One task drives all calls (no polling, no locks held across a call); a call that panics is a call that failed.

mod call;
mod graph;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio_util::sync::CancellationToken;

use super::{Engine, Known, Progress};
use crate::diag::Diagnostic;
use crate::plan::{Plan, Step, StepId};

/// How a plan is walked.
#[derive(Debug, Clone)]
pub struct Walk {
    /// Calls under way at once; waits are not counted, nor are stops that take their time. 0 counts as 1.
    pub parallel: usize,
    /// Ids known before the walk: the containers that symbolic references mean (`Known::services`).
    pub known: Known,
    /// Cancelled by Ctrl-C: running calls finish, waits, pulls and builds are dropped, half-done groups are taken back
    /// (or finished, where their proof or point of no return is behind them), nothing else begins.
    pub cancel: CancellationToken,
}

/// Told while walking; for progress bars, JSON lines and history. Every step gets exactly one `Finished`.
#[derive(Debug)]
pub enum Event<'a> {
    Started(&'a Step),
    Progress(&'a Step, Progress),
    Finished(&'a Step, &'a StepResult),
    /// A failed group is being taken back: which step's undo runs, and why.
    TakenBack {
        step: &'a Step,
        because: &'a str,
    },
}

#[derive(Debug, Clone)]
pub enum StepResult {
    Done {
        id: Option<String>,
        warnings: Vec<String>,
    },
    /// It failed; `words` are exit code, last health output and log lines where there are some.
    Failed {
        diagnostic: Box<Diagnostic>,
        words: Vec<String>,
    },
    /// Not begun: a step it needs failed, or the walk was cancelled.
    Skipped {
        because: String,
    },
    /// Done, and then taken back; `trouble` says what of that did not succeed.
    TakenBack {
        trouble: Vec<String>,
    },
}

#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every step of the plan.
    pub steps: BTreeMap<StepId, StepResult>,
    pub took: Duration,
    /// Sum of the time spent inside engine calls (waits not counted).
    pub in_calls: Duration,
    /// Wall time during which at least one call or wait was open; `took - busy` is the walker's own.
    pub busy: Duration,
    pub cancelled: bool,
}

/// How a hint of a failed step begins that tells what of it could not be taken back.
pub const NOT_TAKEN_BACK: &str = "taking it back did not succeed";

impl Report {
    /// Every step is done.
    pub fn is_done(&self) -> bool {
        self.steps.values().all(|r| matches!(r, StepResult::Done { .. }))
    }
    /// The steps that failed, with their words, in plan order.
    pub fn failures(&self) -> impl Iterator<Item = (StepId, &Diagnostic, &[String])> {
        self.steps.iter().filter_map(|(id, result)| match result {
            StepResult::Failed { diagnostic, words } => Some((*id, diagnostic.as_ref(), words.as_slice())),
            _ => None,
        })
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Walks `plan` over `engine`. Dropping the future leaves the world as the calls so far made it; the next plan mends it.
pub async fn apply(engine: &dyn Engine, plan: &Plan, walk: Walk, tell: &(dyn Fn(Event<'_>) + Sync)) -> Report {
    let began = Instant::now();
    let meter = call::Meter::default();
    let mut run = run::Run::new(engine, plan, &walk, tell, &meter);
    let mut open = FuturesUnordered::new();
    loop {
        // Before anything begins: it may have been cancelled while nobody waited for it.
        if walk.cancel.is_cancelled() {
            run.cancel();
        }
        run.begin(&mut open);
        if open.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = walk.cancel.cancelled(), if !run.is_cancelled() => run.cancel(),
            ended = open.next() => if let Some(ended) = ended { run.ended(ended) },
            () = until(run.next_room()) => run.make_room(),
        }
    }
    let mut report = run.report();
    report.took = began.elapsed();
    (report.in_calls, report.busy) = meter.totals();
    report
}
