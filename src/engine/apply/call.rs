//! One step's call, and the taking back of a group: panics caught, time measured, last words collected.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::diag::{Diagnostic, Kind};
use crate::engine::{Engine, EngineError, Known, Outcome, Progress, Tell};
use crate::plan::{Action, Step};

/// Lines of a container's log that a failure carries.
const LAST_LINES: u32 = 20;

/// How a job of the walker ended.
pub(super) enum Ended {
    Step {
        index: usize,
        result: Called,
    },
    /// A group was taken back; per step what did not succeed.
    Back {
        group: u32,
        trouble: Vec<(usize, Vec<String>)>,
    },
}

pub(super) enum Called {
    Done(Outcome),
    Failed {
        error: Box<EngineError>,
        words: Vec<String>,
    },
    /// The walk was cancelled while it waited, pulled or built.
    Dropped,
}

/// Time in calls (waits not counted), and time in which anything was open.
#[derive(Default)]
pub(super) struct Meter(Mutex<Times>);

#[derive(Default)]
struct Times {
    open: u32,
    since: Option<Instant>,
    busy: Duration,
    in_calls: Duration,
}

/// The actions that take one step back, each with what was known when that step was done.
type Undo<'a> = Vec<(&'a Action, Known)>;

impl Meter {
    pub fn totals(&self) -> (Duration, Duration) {
        let times = self.lock();
        (times.in_calls, times.busy)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn enter(&self, call: bool) -> Open<'_> {
        let mut times = self.lock();
        if times.open == 0 {
            times.since = Some(Instant::now());
        }
        times.open += 1;
        Open { meter: self, began: call.then(Instant::now) }
    }
}

/// Closes its interval when dropped, so that a dropped wait counts too.
struct Open<'m> {
    meter: &'m Meter,
    began: Option<Instant>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut times = self.meter.lock();
        if let Some(began) = self.began {
            times.in_calls += began.elapsed();
        }
        times.open -= 1;
        if times.open == 0 {
            let span = times.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            times.busy += span;
        }
    }
}

/// What a call needs beside its action.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub engine: &'a dyn Engine,
    pub tell: &'a (dyn Fn(Event<'_>) + Sync),
    pub meter: &'a Meter,
    pub cancel: &'a CancellationToken,
}

impl Caller<'_> {
    /// Tells; a listener that panics does not take the walk with it.
    pub fn say(&self, event: Event<'_>) {
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| (self.tell)(event)));
    }

    pub async fn step(self, index: usize, step: &Step, known: Known, container: Option<String>) -> Ended {
        let progress = |p: Progress| self.say(Event::Progress(step, p));
        let call = self.perform(&step.action, &known, &progress);
        let result = match is_long(&step.action) {
            // Nothing is half-done when one of these is dropped.
            true => tokio::select! {
                biased;
                result = call => result,
                () = self.cancel.cancelled() => return Ended::Step { index, result: Called::Dropped },
            },
            false => call.await,
        };
        let result = match result {
            Ok(outcome) => Called::Done(outcome),
            Err(error) => Called::Failed { words: self.words(&step.action, container).await, error: Box::new(error) },
        };
        Ended::Step { index, result }
    }

    /// Runs the undo lists in the order given. Where the Engine itself is gone, the rest is not tried.
    pub async fn take_back(self, group: u32, lists: Vec<(usize, &Step, Undo<'_>)>, because: String) -> Ended {
        let mut trouble: Vec<(usize, Vec<String>)> = Vec::new();
        let mut gone = false;
        for (index, step, actions) in lists {
            self.say(Event::TakenBack { step, because: &because });
            let mut failed = Vec::new();
            for (action, known) in actions {
                if gone {
                    failed.push(format!("not tried: {}", super::run::describe(action)));
                    continue;
                }
                if let Err(error) = self.perform(action, &known, &|_| {}).await {
                    failed.push(format!("{}: {}", super::run::describe(action), error.diagnostic.title));
                    gone = error.diagnostic.kind == Kind::Unavailable;
                }
            }
            trouble.push((index, failed));
        }
        Ended::Back { group, trouble }
    }

    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        let _open = self.meter.enter(!matches!(action, Action::Wait { .. }));
        caught(self.engine.perform(action, known, progress)).await.unwrap_or_else(|| Err(bug(action)))
    }

    /// Why a container did not start or did not become what was waited for, in its own words.
    async fn words(&self, action: &Action, container: Option<String>) -> Vec<String> {
        let (Action::Wait { .. } | Action::StartContainer { .. } | Action::RestartContainer { .. }, Some(id)) =
            (action, container)
        else {
            return Vec::new();
        };
        let _open = self.meter.enter(true);
        let mut words = Vec::new();
        if let Some(Ok(Some(container))) = caught(self.engine.inspect(&id)).await {
            use crate::plan::observed::State;
            if container.oom_killed {
                words.push("it was killed because it ran out of memory".into());
            }
            if matches!(container.state, State::Exited | State::Dead | State::Restarting) {
                words.push(format!("exit code {}", container.exit_code));
            }
            if !container.error.is_empty() {
                words.push(container.error);
            }
        }
        if let Some(Ok(lines)) = caught(self.engine.last_words(&id, LAST_LINES)).await {
            words.extend(lines);
        }
        words
    }
}

/// May take minutes, and leaves nothing half-done when it is dropped.
fn is_long(action: &Action) -> bool {
    matches!(action, Action::Wait { .. } | Action::PullImage { .. } | Action::BuildImage { .. })
}

/// `None`: it panicked.
async fn caught<T>(call: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(call).catch_unwind().await.ok()
}

fn bug(action: &Action) -> EngineError {
    let title = format!("Hearth failed in itself: {}", super::run::describe(action));
    let diagnostic = Diagnostic::error("apply.bug", title)
        .kind(Kind::Bug)
        .hint("run the same command again: it goes on from where this one ended")
        .hint("please report this with the lines above");
    EngineError { diagnostic: Box::new(diagnostic), detail: String::new(), status: None }
}
