//! Carrying a plan out: ask, lock, images first, then the rest, then history. The order in which nothing gets lost.

use std::time::{Duration, Instant};

use serde_json::json;

use super::history::Record;
use super::session::{Look, Session};
use super::sql::SavedPlan;
use super::{history, interrupt, lock, report, saved, who};
use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::cli::progress::Progress;
use crate::cli::{Failure, Out, ask};
use crate::diag::{Diagnostic, Kind};
use crate::engine::apply::{Report, Walk, apply};
use crate::plan::{Action, Options, Plan, Risk, Verb, json as plan_json, text};

/// What a command wants done with its plan.
pub struct Doing<'a> {
    pub options: Options,
    /// `--yes`.
    pub yes: bool,
    /// The saved plan that is carried out: another one than that is refused.
    pub saved: Option<&'a SavedPlan>,
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
    if !plan.steps.is_empty() || !plan.refusals.is_empty() {
        session.out.acting();
    }
    session.refuse(&plan)?;
    confirm(session.out, &plan, doing.yes)?;
    if plan.steps.is_empty() {
        (doing.settle)()?;
        report::nothing_to_do(session.out, &plan);
        return Ok(());
    }
    let held = take_lock(session, &look)?;
    if held.as_ref().is_some_and(|lock| lock.world_may_have_moved) {
        look = session.look().await?;
        let again = session.plan(&look, &doing.options)?;
        doing.saved.map_or(Ok(()), |kept| saved::compare(kept, &again))?;
        if text::render(&again, true) != text::render(&plan, true) {
            session.out.say("another command changed this project in the meantime; the plan now:");
            show(session, &again);
            session.refuse(&again)?;
            confirm(session.out, &again, doing.yes)?;
        }
        plan = again;
    }
    (doing.settle)()?;
    if plan.steps.is_empty() {
        report::nothing_to_do(session.out, &plan);
        return Ok(());
    }
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
                confirm(session.out, &rest, doing.yes)?;
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
    // Only a failure names the run: nothing else waits for the database.
    let failed = rounds.iter().any(|(_, report)| report.failures().next().is_some());
    let id = match record {
        Some(record) if failed => record.id().await,
        _ => None,
    };
    let mut told = report::tell(session.out, &rounds, took, id);
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

/// The plan on standard output: as text, or as the first JSON line. Of one that is refused only what stands in the way is
/// told, at its places.
fn show(session: &Session<'_>, plan: &Plan) {
    if session.out.json {
        let mut value = plan_json::to_json(plan);
        value["event"] = json!("plan");
        session.out.event(&value);
    } else if plan.refusals.is_empty() && (!plan.steps.is_empty() || !plan.notes.is_empty()) {
        session.out.text(&text::render(plan, false));
    }
}

/// Only what loses data asks.
pub(super) fn confirm(out: &Out, plan: &Plan, yes: bool) -> Result<(), Failure> {
    if plan.risk() < Risk::Data {
        return Ok(());
    }
    let lost: Vec<String> = plan.steps.iter().filter(|s| s.risk == Risk::Data).map(|s| lost(&s.action)).collect();
    let question = format!("{} will be removed for good. Go on?", capital(&crate::base::wording::list(&lost)));
    Ok(ask::confirm(&question, yes, out)?)
}

fn lost(action: &Action) -> String {
    match action {
        Action::RemoveVolume { name } => format!("the volume {name} and its data"),
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
        user: who::user(session.out),
        command: who::command(session.out),
        since: rfc3339(SystemClock.now()),
    };
    lock::take(&paths, &session.wanted.project, &holder, look.at).map(Some)
}

fn begin_record(session: &Session<'_>, look: &Look, plan: &Plan) -> Option<Record> {
    let location = match session.place.history(&look.observed.engine.id)? {
        Ok(location) => location,
        Err(told) => {
            history::warn(told, session.out);
            return None;
        }
    };
    let (who, command) = (who::who(session.out), who::command(session.out));
    Some(Record::begin(location, plan, who, command, SystemClock.now()))
}

/// Engine calls at once. Measured on 2 cores: 30 containers start fastest with 32 calls at once (50 containers: 8.8 s with 8, 8.5 with
/// 16, 8.3 with 32 and no less with 50), and end fastest with 8.
const AT_ONCE: usize = 32;
const AT_ONCE_ENDING: usize = 8;

async fn walk(session: &Session<'_>, look: &Look, plan: &Plan, cancel: &tokio_util::sync::CancellationToken) -> Report {
    let progress = Progress::new(session.out, plan);
    let starts = plan.steps.iter().any(|s| matches!(s.action, Action::StartContainer { .. }));
    let parallel = if starts { AT_ONCE } else { AT_ONCE_ENDING };
    let walk = Walk { parallel, known: session.known(&look.observed, plan), cancel: cancel.clone() };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;

    use super::*;
    use crate::args::Global;
    use crate::cli::{Behalf, ColorArg, Ear, Out};
    use crate::compose::model::Project;
    use crate::diag::Sources;
    use crate::engine::{Engine, EngineError, Known, Outcome, Progress as Said, Scope};
    use crate::plan::observed::{Container, Observed};
    use crate::plan::{Cause, Step, StepId};
    use crate::stacks::Target;
    use crate::stacks::sql;
    use crate::store::{Db, Location};

    /// Does everything and remembers it; a volume named `broken` cannot be removed.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    #[async_trait]
    impl Engine for Notes {
        async fn observe(&self, _: &Scope) -> Result<Observed, EngineError> {
            Ok(Observed::default())
        }
        async fn perform(&self, action: &Action, _: &Known, _: &(dyn Fn(Said) + Sync)) -> Result<Outcome, EngineError> {
            self.0.lock().unwrap().push(crate::cli::progress::words::did(action));
            if matches!(action, Action::RemoveVolume { name } if name == "broken") {
                let diagnostic = Diagnostic::error("engine.test", "the volume is in use").kind(Kind::Conflict);
                return Err(EngineError { diagnostic: Box::new(diagnostic), detail: String::new(), status: Some(409) });
            }
            Ok(Outcome::default())
        }
        async fn inspect(&self, _: &str) -> Result<Option<Container>, EngineError> {
            Ok(None)
        }
        async fn last_words(&self, _: &str, _: u32) -> Result<Vec<String>, EngineError> {
            Ok(Vec::new())
        }
    }

    fn removal(name: &str, risk: Risk) -> Plan {
        let step = Step {
            id: StepId(1),
            action: Action::RemoveVolume { name: name.into() },
            cause: Cause::Requested { what: "down --volumes".into() },
            risk,
            after: Vec::new(),
            service: String::new(),
            group: None,
            undo: Vec::new(),
        };
        Plan { project: "p".into(), steps: vec![step], ..Plan::default() }
    }

    /// Carries `plan` out in a state folder of its own; gives the exit code, what the engine did and whether it was settled.
    async fn tried(state: &Path, plan: Plan, yes: bool) -> (u8, Vec<String>, bool) {
        tried_of(state, plan, yes, None).await
    }

    /// As [`tried`], where the plan was saved before.
    async fn tried_of(state: &Path, plan: Plan, yes: bool, saved: Option<&SavedPlan>) -> (u8, Vec<String>, bool) {
        tried_as(Out::new(ColorArg::Never, true, state.to_path_buf()), state, plan, yes, saved).await
    }

    async fn tried_as(
        out: Out,
        state: &Path,
        plan: Plan,
        yes: bool,
        saved: Option<&SavedPlan>,
    ) -> (u8, Vec<String>, bool) {
        let mut target = Target::find(&Global { files: vec!["x".into()], ..Global::default() }, &out)
            .unwrap_or_else(|_| panic!("plain files are always found"));
        target.given.environment = BTreeMap::from([("XDG_STATE_HOME".into(), state.display().to_string())]);
        let engine = Notes::default();
        let project = Project { name: "p".into(), ..Project::default() };
        let session =
            Session::on(&target, project, Default::default(), &out, Arc::new(engine.clone()), BTreeMap::new());
        let look = session.look().await.unwrap_or_else(|_| panic!("the double can be looked at"));
        let mut settled = false;
        let mut settle = || {
            settled = true;
            Ok(())
        };
        let doing = Doing { options: Options::default(), yes, saved, settle: &mut settle };
        let code = match carry_out_plan(&session, doing, look, plan).await {
            Ok(()) => 0,
            Err(Failure::Code(code)) => code,
            Err(Failure::Told(told)) => told.exit_code(),
        };
        let did = engine.0.lock().unwrap().clone();
        (code, did, settled)
    }

    #[tokio::test]
    async fn nothing_to_do_opens_no_database_and_takes_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        let (code, did, settled) = tried(dir.path(), Plan { project: "p".into(), ..Plan::default() }, false).await;
        assert_eq!((code, did.len(), settled), (0, 0, true));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_loses_data_is_refused_where_nobody_can_be_asked() {
        let dir = tempfile::tempdir().unwrap();
        let (code, did, settled) = tried(dir.path(), removal("data", Risk::Data), false).await;
        assert_eq!((code, did.len(), settled), (4, 0, false));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let (code, did, _) = tried(dir.path(), removal("data", Risk::Data), true).await;
        assert_eq!((code, did), (0, vec!["removed volume data".to_string()]));
    }

    #[tokio::test]
    async fn a_run_is_kept_with_its_outcome_and_a_broken_history_stops_nothing() {
        for (name, code, outcome) in [("data", 0, "done"), ("broken", 1, "failed")] {
            let dir = tempfile::tempdir().unwrap();
            assert_eq!(tried(dir.path(), removal(name, Risk::None), false).await.0, code);
            let file = dir.path().join("hearth/engine/p/history.db");
            let db = Db::look(Location::file(file)).await.unwrap().unwrap();
            let on = &mut db.reader().await.unwrap();
            let run = sql::runs(on, "p", 9).await.unwrap().remove(0);
            let step = sql::run_steps(on, &run.id).await.unwrap().remove(0);
            assert_eq!((run.outcome.as_str(), step.outcome.as_str()), (outcome, outcome));
            assert_eq!(step.detail.starts_with("the volume is in use"), code == 1);
        }
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("hearth/engine/p/history.db")).unwrap();
        assert_eq!(tried(dir.path(), removal("data", Risk::None), false).await.0, 0);
    }

    /// What somebody elsewhere was told.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Ear for Told {
        fn event(&self, value: &serde_json::Value) {
            self.0.lock().unwrap().push(value["event"].as_str().unwrap_or_default().to_string());
        }
        fn value(&self, _: &serde_json::Value) {}
        fn words(&self, words: &str) {
            self.0.lock().unwrap().push(format!("words: {words}"));
        }
        fn diagnostic(&self, diagnostic: &Diagnostic, _: &Sources) {
            self.0.lock().unwrap().push(diagnostic.code.to_string());
        }
    }

    fn elsewhere(state: &Path, told: &Arc<Told>) -> Out {
        let behalf = Behalf {
            who: "ann (session)".into(),
            command: "hearth down --volumes data".into(),
            environment: Arc::default(),
            double: None,
            ear: told.clone(),
            cancel: Default::default(),
        };
        Out::on_behalf(behalf, state.to_path_buf())
    }

    #[tokio::test]
    async fn who_asks_from_elsewhere_is_told_everything_and_stands_in_history() {
        let dir = tempfile::tempdir().unwrap();
        let told = Arc::new(Told::default());
        let out = elsewhere(dir.path(), &told);
        let (code, did, _) = tried_as(out.clone(), dir.path(), removal("data", Risk::Data), true, None).await;
        assert_eq!((code, did), (0, vec!["removed volume data".to_string()]));
        assert_eq!(*told.0.lock().unwrap(), ["plan", "started", "finished", "result"]);
        let history = Location::file(dir.path().join("hearth/engine/p/history.db"));
        let on = &mut Db::look(history).await.unwrap().unwrap().reader().await.unwrap();
        let run = sql::runs(on, "p", 9).await.unwrap().remove(0);
        assert_eq!((run.who.as_str(), run.command.as_str()), ("ann (session)", "hearth down --volumes data"));
        // Nobody can be asked a question there.
        assert_eq!(tried_as(out.clone(), dir.path(), removal("data", Risk::Data), false, None).await.0, 4);
        // What is cancelled begins nothing.
        out.behalf.as_ref().unwrap().cancel.cancel();
        let dir = tempfile::tempdir().unwrap();
        let (code, did, _) = tried_as(out, dir.path(), removal("data", Risk::Data), true, None).await;
        assert_eq!((code, did.len()), (130, 0));
    }

    #[tokio::test]
    async fn hostile_32_a_second_writer_from_elsewhere_is_refused_and_told_who_is_at_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("hearth/engine/p");
        let terminal = lock::Holder { pid: 7, user: "joe".into(), command: "hearth up".into(), since: String::new() };
        let held = lock::take(&[state.join("lock")], "p", &terminal, SystemClock.now()).unwrap();
        let told = Arc::new(Told::default());
        let out = elsewhere(dir.path(), &told);
        let (code, did, settled) = tried_as(out.clone(), dir.path(), removal("data", Risk::None), false, None).await;
        assert_eq!((code, did.len(), settled), (5, 0, false));
        drop(held);
        assert_eq!(tried_as(out, dir.path(), removal("data", Risk::None), false, None).await.0, 0);
    }

    #[tokio::test]
    async fn a_saved_plan_is_refused_where_the_world_moved_before_the_lock_was_held() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("hearth/engine/p");
        std::fs::create_dir_all(&state).unwrap();
        // The last holder died at work: so the world is looked at again, and asks for another plan by now.
        std::fs::write(state.join("lock"), "{}").unwrap();
        let plan = removal("data", Risk::None);
        let saved =
            SavedPlan { plan: plan_json::to_json(&plan).to_string(), premises: "{}".into(), ..Default::default() };
        let (code, did, settled) = tried_of(dir.path(), plan, true, Some(&saved)).await;
        assert_eq!((code, did.len(), settled), (5, 0, false));
    }

    #[tokio::test]
    async fn two_writers_of_one_project_are_one_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hearth/engine/p/lock");
        let holder = lock::Holder {
            pid: 1,
            user: "joe".into(),
            command: "hearth up".into(),
            since: "2026-11-24T12:00:00Z".into(),
        };
        let _held = lock::take(&[path], "p", &holder, SystemClock.now()).unwrap();
        let (code, did, settled) = tried(dir.path(), removal("data", Risk::None), false).await;
        assert_eq!((code, did.len(), settled), (5, 0, false));
    }
}
