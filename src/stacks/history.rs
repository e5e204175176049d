//! History: what was done, when, by whom. A history that cannot be kept is a warning, never an end.

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::task::JoinHandle;

use super::sql::{self, Run, RunStep};
use crate::base::clock::rfc3339;
use crate::cli::Out;
use crate::cli::progress::words;
use crate::diag::{Diagnostic, Kind, Severity, Sources};
use crate::engine::apply::{Report, StepResult};
use crate::plan::{Plan, json as plan_json, text as plan_text};
use crate::store::{Db, Location};

/// A run under way: written when it begins and again when it ends, so that one that was killed is seen too.
pub struct Record {
    db: Db,
    run: Run,
    plans: Vec<Value>,
    steps: Vec<RunStep>,
    /// The database opens while the engine works already.
    opening: Option<JoinHandle<Result<(), Diagnostic>>>,
    opened: Option<Result<(), Diagnostic>>,
}

impl Record {
    /// Begins to write. `command` is without secrets.
    pub fn begin(location: Location, plan: &Plan, who: String, command: String, now: OffsetDateTime) -> Record {
        let run = Run {
            id: new_id(now),
            project: plan.project.clone(),
            began: rfc3339(now),
            ended: None,
            who,
            command,
            outcome: "running".into(),
            summary: plan_text::summary(plan),
            plan: json!([plan_json::to_json(plan)]).to_string(),
        };
        let db = Db::at(location);
        let (writing, first) = (db.clone(), run.clone());
        let opening =
            tokio::spawn(async move { writing.write(async move |tx| sql::begin_run(tx, &first).await).await });
        Record { db, run, plans: Vec::new(), steps: Vec::new(), opening: Some(opening), opened: None }
    }

    /// Adds a walked plan: images first, then the rest.
    pub fn round(&mut self, plan: &Plan, report: &Report) {
        self.plans.push(plan_json::to_json(plan));
        let round = self.plans.len() as i64;
        for step in &plan.steps {
            let Some(result) = report.steps.get(&step.id) else { continue };
            let (outcome, detail) = told(result);
            self.steps.push(RunStep {
                round,
                step: i64::from(step.id.0),
                words: words::to_do(&step.action),
                outcome: outcome.into(),
                detail,
            });
        }
    }

    /// The run's id, where history can be kept.
    pub async fn id(&mut self) -> Option<&str> {
        self.open().await;
        matches!(self.opened, Some(Ok(()))).then_some(self.run.id.as_str())
    }

    async fn open(&mut self) {
        if let Some(task) = self.opening.take() {
            let broken = |why: String| Err(Diagnostic::error("store.failed", why).kind(Kind::Bug));
            self.opened = Some(task.await.unwrap_or_else(|e| broken(format!("history could not be begun ({e})"))));
        }
    }

    /// Closes the run with `done`, `failed` or `interrupted`.
    pub async fn end(mut self, outcome: &str, now: OffsetDateTime, out: &Out) {
        self.open().await;
        self.run.ended = Some(rfc3339(now));
        self.run.outcome = outcome.into();
        self.run.plan = Value::Array(self.plans).to_string();
        let kept = match self.opened {
            Some(Ok(())) => {
                let (run, steps) = (self.run, self.steps);
                self.db.write(async move |tx| sql::end_run(tx, &run, &steps).await).await
            }
            Some(Err(told)) => Err(told),
            None => Ok(()),
        };
        self.db.close().await;
        if let Err(told) = kept {
            warn(told, out);
        }
    }
}

/// Says that history is not kept; the work itself goes on.
pub fn warn(mut told: Diagnostic, out: &Out) {
    told.severity = Severity::Warning;
    out.diagnostic(&told, &Sources::default());
}

fn told(result: &StepResult) -> (&'static str, String) {
    match result {
        StepResult::Done { warnings, .. } => ("done", warnings.join("\n")),
        StepResult::Failed { diagnostic, words } => {
            let lines = std::iter::once(diagnostic.title.as_str()).chain(words.iter().map(String::as_str));
            ("failed", lines.collect::<Vec<_>>().join("\n"))
        }
        StepResult::Skipped { because } => ("skipped", because.clone()),
        StepResult::TakenBack { trouble } => ("taken back", trouble.join("\n")),
    }
}

/// An id that sorts by time and is short enough to type: milliseconds and 15 random bits in base 32.
pub fn new_id(now: OffsetDateTime) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    // 2026-01-01T00:00:00Z; eight digits last until 2060.
    let ms = (now.unix_timestamp_nanos() / 1_000_000 - 1_767_225_600_000).max(0) as u64;
    let number = (ms << 15) | u64::from(rand::random::<u16>() >> 1);
    (0..11).rev().map(|i| char::from(DIGITS[(number >> (i * 5) & 31) as usize])).collect()
}

/// Every history of a project that can be read, told about where one cannot.
pub async fn open_all(locations: Vec<Location>, out: &Out) -> Result<Vec<Db>, Diagnostic> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for location in locations {
        match Db::look(location).await {
            Ok(db) => found.extend(db),
            Err(told) => failed.push(told),
        }
    }
    // Of a history that cannot be read nobody may say that it is empty.
    match (found.is_empty(), failed.pop()) {
        (true, Some(told)) => return Err(told),
        (_, last) => failed.into_iter().chain(last).for_each(|told| warn(told, out)),
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_short() {
        let at = |s: i64| OffsetDateTime::from_unix_timestamp(1_790_000_000 + s).unwrap();
        let ids: Vec<String> = (0..50).map(|s| new_id(at(s))).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(ids, sorted);
        assert_eq!(ids[0].len(), 11);
    }
}
