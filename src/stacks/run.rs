//! Carrying a plan out: ask, lock, images first, then the rest, then history. The order in which nothing gets lost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::history::Record;
use super::session::{Look, Session};
use super::{interrupt, lock, report, who};
use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::cli::progress::Progress;
use crate::cli::{Failure, ask};
use crate::diag::{Diagnostic, Kind};
use crate::engine::apply::{Report, Walk, apply};
use crate::plan::{Action, Options, Plan, Risk, Verb, json as plan_json, text};

/// What a command wants done with its plan.
pub struct Doing<'a> {
    pub options: Options,
    /// `--yes`.
    pub yes: bool,
    /// Called once when it is sure that the plan will be carried out (also an empty one), before anything is changed:
    /// writes rendered files, turns profiles on.
    pub settle: &'a mut dyn FnMut() -> Result<(), Failure>,
}

/// Plans and does it. `Ok` when everything that was planned is done.
pub async fn carry_out(session: &Session<'_>, doing: Doing<'_>) -> Result<(), Failure> {
    let look = session.look().await?;
    let plan = session.plan(&look, &doing.options)?;
    carry_out_plan(session, doing, look, plan).await
}

/// As [`carry_out`], with the first look and its plan at hand.
pub async fn carry_out_plan(
    session: &Session<'_>,
    mut doing: Doing<'_>,
    mut look: Look,
    mut plan: Plan,
) -> Result<(), Failure> {
    show(session, &plan);
    session.refuse(&plan)?;
    confirm(&plan, doing.yes)?;
    if plan.steps.is_empty() {
        (doing.settle)()?;
        report::nothing_to_do(session.out, &plan);
        return Ok(());
    }
    let held = take_lock(session, &look)?;
    if held.as_ref().is_some_and(|lock| lock.world_may_have_moved) {
        look = session.look().await?;
        let again = session.plan(&look, &doing.options)?;
        if text::render(&again, true) != text::render(&plan, true) {
            session.out.say("another command changed this project in the meantime; the plan now:");
            show(session, &again);
            session.refuse(&again)?;
            confirm(&again, doing.yes)?;
        }
        plan = again;
    }
    (doing.settle)()?;
    let began = Instant::now();
    let cancel = interrupt::listen(session.out);
    let mut record = begin_record(session, &look, &plan);
    let mut rounds: Vec<(Plan, Report)> = Vec::new();
    let images = images_of(&plan);
    let walked = async {
        if let Some(images) = images {
            let report = walk(session, &look, &images, &cancel).await;
            let good = report.is_done() && !report.cancelled;
            rounds.push((images, report));
            if !good || doing.options.verb == Verb::Pull {
                return Ok(());
            }
            doing.options.pulled = true;
            look = session.look().await?;
            let rest = session.plan(&look, &doing.options)?;
            if text::render(&rest, false) != text::render(&without_images(&plan), false) {
                show(session, &rest);
            }
            session.refuse(&rest)?;
            if rest.risk() > plan.risk() {
                confirm(&rest, doing.yes)?;
            }
            plan = rest;
        }
        if !plan.steps.is_empty() {
            let report = walk(session, &look, &plan, &cancel).await;
            rounds.push((plan, report));
        }
        Ok(())
    };
    let walked: Result<(), Failure> = walked.await;
    end(session, walked, rounds, began.elapsed(), &mut record).await
}

/// Tells how it went, writes it down, and makes an exit code of it.
async fn end(
    session: &Session<'_>,
    walked: Result<(), Failure>,
    rounds: Vec<(Plan, Report)>,
    took: Duration,
    record: &mut Option<Record>,
) -> Result<(), Failure> {
    let mut told = report::tell(session, &rounds, took);
    if walked.is_err() {
        told = walked;
    }
    if let Some(mut record) = record.take() {
        rounds.iter().for_each(|(plan, report)| record.round(plan, report));
        let outcome = match &told {
            Ok(()) => "done",
            Err(Failure::Code(code)) if *code == Kind::Interrupted.exit_code() => "interrupted",
            Err(_) => "failed",
        };
        record.end(outcome, SystemClock.now(), session.out).await;
    }
    told
}

/// The plan on standard output: as text, or as the first JSON line.
fn show(session: &Session<'_>, plan: &Plan) {
    if session.out.json {
        let mut value = plan_json::to_json(plan);
        value["event"] = json!("plan");
        session.out.line(value.to_string());
    } else if !plan.steps.is_empty() || !plan.notes.is_empty() {
        session.out.text(&text::render(plan, false));
    }
}

/// Only what loses data asks.
fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    if plan.risk() < Risk::Data {
        return Ok(());
    }
    let lost: Vec<String> = plan.steps.iter().filter(|s| s.risk == Risk::Data).map(|s| lost(&s.action)).collect();
    let question = format!("{} will be removed for good. Go on?", capital(&crate::base::wording::list(&lost)));
    Ok(ask::confirm(&question, yes)?)
}

fn lost(action: &Action) -> String {
    match action {
        Action::RemoveVolume { name } => format!("the volume {name} and its data"),
        Action::RemoveContainer { container, .. } => format!("{} with its anonymous volumes", container.name()),
        other => crate::cli::progress::words::to_do(other),
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// `None` where there is no place for a lock file: said, and gone on without.
fn take_lock(session: &Session<'_>, look: &Look) -> Result<Option<lock::Lock>, Diagnostic> {
    let paths = session.place.locks(&look.observed.engine.id);
    if paths.is_empty() {
        session.out.say("warning: there is no folder for a lock file (HOME and XDG_STATE_HOME are unset): do not run two commands at once");
        return Ok(None);
    }
    let holder = lock::Holder {
        pid: std::process::id(),
        user: who::user(&session.given.environment, rustix::process::getuid().as_raw()),
        command: who::command_line(std::env::args_os()),
        since: rfc3339(SystemClock.now()),
    };
    lock::take(&paths, &session.wanted.project, &holder, look.at).map(Some)
}

fn begin_record(session: &Session<'_>, look: &Look, plan: &Plan) -> Option<Record> {
    let file = session.place.history(&look.observed.engine.id)?;
    let who = who::who(&session.given.environment);
    Some(Record::begin(file, plan, who, who::command_line(std::env::args_os()), SystemClock.now()))
}

async fn walk(session: &Session<'_>, look: &Look, plan: &Plan, cancel: &tokio_util::sync::CancellationToken) -> Report {
    let progress = Progress::new(session.out, plan);
    // Measured: the engine starts containers best 8 at once, and stops them best with more.
    let starts = plan.steps.iter().any(|s| matches!(s.action, Action::CreateContainer { .. }));
    let parallel = if starts { 8 } else { 32 };
    let walk = Walk { parallel, known: session.known(&look.observed), cancel: cancel.clone() };
    let report = apply(session.engine.as_ref(), plan, walk, &|event| progress.tell(&event)).await;
    progress.close();
    report
}

fn is_image(action: &Action) -> bool {
    matches!(action, Action::PullImage { .. } | Action::BuildImage { .. })
}

/// The image steps of a plan as a plan of their own; `None` where there are none.
fn images_of(plan: &Plan) -> Option<Plan> {
    only(plan, is_image)
}

fn without_images(plan: &Plan) -> Plan {
    only(plan, |action| !is_image(action)).unwrap_or_default()
}

fn only(plan: &Plan, keep: impl Fn(&Action) -> bool) -> Option<Plan> {
    let mut part = plan.clone();
    part.steps.retain(|step| keep(&step.action));
    let kept: std::collections::BTreeSet<_> = part.steps.iter().map(|s| s.id).collect();
    part.steps.iter_mut().for_each(|step| step.after.retain(|id| kept.contains(id)));
    (!part.steps.is_empty()).then_some(part)
}
