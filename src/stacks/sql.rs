//! The room's tables: runs, their steps, saved plans. All queries of the room stand here.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_optional};

/// One command that changed something, as `history` lists it.
#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct Run {
    pub id: String,
    pub project: String,
    pub began: String,
    pub ended: Option<String>,
    pub who: String,
    pub command: String,
    pub outcome: String,
    pub summary: String,
    /// JSON of the plans, one a round.
    pub plan: String,
}

#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct RunStep {
    pub round: i64,
    pub step: i64,
    pub words: String,
    /// `done`, `failed`, `skipped`, `taken back`.
    pub outcome: String,
    pub detail: String,
}

#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct SavedPlan {
    pub id: String,
    pub project: String,
    pub made: String,
    pub who: String,
    /// JSON of `saved::Asked`.
    pub asked: String,
    pub plan: String,
    pub premises: String,
}

pub async fn begin_run(tx: &mut Tx, run: &Run) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO runs (id, project, began, who, command, outcome, summary, plan)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    execute!(tx, sql, &run.id, &run.project, &run.began, &run.who, &run.command, &run.outcome, &run.summary, &run.plan)
        .map(drop)
}

/// Closes a run with its outcome and what became of each step.
pub async fn end_run(tx: &mut Tx, run: &Run, steps: &[RunStep]) -> Result<(), Diagnostic> {
    let sql = "UPDATE runs SET ended = $2, outcome = $3, summary = $4, plan = $5 WHERE id = $1";
    execute!(tx, sql, &run.id, &run.ended, &run.outcome, &run.summary, &run.plan)?;
    for step in steps {
        let sql = "INSERT INTO run_steps (run, round, step, words, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6)";
        execute!(tx, sql, &run.id, step.round, step.step, &step.words, &step.outcome, &step.detail)?;
    }
    Ok(())
}

/// The latest runs of a project, newest first.
pub async fn runs(on: &mut Conn, project: &str, limit: u32) -> Result<Vec<Run>, Diagnostic> {
    let sql = "SELECT * FROM runs WHERE project = $1 ORDER BY began DESC, id DESC LIMIT $2";
    fetch_all!(on, sql, project, i64::from(limit))
}

/// Those before a run, newest first; ids sort by time.
pub async fn runs_before(on: &mut Conn, project: &str, before: &str, limit: u32) -> Result<Vec<Run>, Diagnostic> {
    let sql = "SELECT * FROM runs WHERE project = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    fetch_all!(on, sql, project, before, i64::from(limit))
}

pub async fn run(on: &mut Conn, id: &str) -> Result<Option<Run>, Diagnostic> {
    fetch_optional!(on, "SELECT * FROM runs WHERE id = $1", id)
}

pub async fn run_steps(on: &mut Conn, id: &str) -> Result<Vec<RunStep>, Diagnostic> {
    let sql = "SELECT round, step, words, outcome, detail FROM run_steps WHERE run = $1 ORDER BY round, step";
    fetch_all!(on, sql, id)
}

pub async fn save_plan(tx: &mut Tx, plan: &SavedPlan) -> Result<(), Diagnostic> {
    let sql =
        "INSERT INTO saved_plans (id, project, made, who, asked, plan, premises) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    execute!(tx, sql, &plan.id, &plan.project, &plan.made, &plan.who, &plan.asked, &plan.plan, &plan.premises).map(drop)
}

pub async fn saved_plan(on: &mut Conn, project: &str, id: &str) -> Result<Option<SavedPlan>, Diagnostic> {
    fetch_optional!(on, "SELECT * FROM saved_plans WHERE id = $1 AND project = $2", id, project)
}

pub async fn forget_plan(on: &mut Conn, project: &str, id: &str) -> Result<(), Diagnostic> {
    execute!(on, "DELETE FROM saved_plans WHERE id = $1 AND project = $2", id, project)?;
    Ok(())
}

/// Ids of the saved plans of a project, newest first.
pub async fn saved_plan_ids(on: &mut Conn, project: &str) -> Result<Vec<String>, Diagnostic> {
    let ids: Vec<(String,)> =
        fetch_all!(on, "SELECT id FROM saved_plans WHERE project = $1 ORDER BY made DESC", project)?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::both;

    #[tokio::test]
    async fn a_run_is_read_back_as_it_was_written() {
        both(async |db| {
            let begun = Run {
                id: "1".into(),
                project: "p".into(),
                began: "2026-11-24T12:00:00Z".into(),
                who: "joe".into(),
                command: "hearth up".into(),
                outcome: "running".into(),
                summary: "1 to create".into(),
                plan: "[]".into(),
                ended: None,
            };
            let (first, ended) = (begun.clone(), Some("2026-11-24T12:00:04Z".into()));
            let run_ = Run { ended, outcome: "done".into(), ..begun };
            let step =
                RunStep { round: 1, step: 3, words: "start web".into(), outcome: "done".into(), detail: String::new() };
            let saved = SavedPlan { id: "s".into(), project: "p".into(), ..SavedPlan::default() };
            let (last, one, plan) = (run_.clone(), step.clone(), saved.clone());
            db.write(async move |tx| {
                begin_run(tx, &first).await?;
                end_run(tx, &last, &[one]).await?;
                save_plan(tx, &plan).await
            })
            .await
            .unwrap();
            let on = &mut db.reader().await.unwrap();
            assert_eq!(runs(on, "p", 5).await.unwrap(), std::slice::from_ref(&run_));
            assert_eq!(runs(on, "other", 5).await.unwrap(), []);
            assert_eq!(run(on, "1").await.unwrap(), Some(run_));
            assert_eq!(run_steps(on, "1").await.unwrap(), [step]);
            assert_eq!(saved_plan(on, "p", "s").await.unwrap(), Some(saved));
            assert_eq!(saved_plan(on, "q", "s").await.unwrap(), None);
            assert_eq!(saved_plan_ids(on, "p").await.unwrap(), ["s"]);
        })
        .await;
    }
}
