//! The room's tables: runs, their steps, saved plans. All queries of the room stand here.

use sqlx::FromRow;

use crate::store::Pool;

/// Why a query failed, for those who only pass the words on.
pub type Failed = sqlx::Error;

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

pub async fn begin_run(pool: &Pool, run: &Run) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO runs (id, project, began, who, command, outcome, summary, plan)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&run.id)
    .bind(&run.project)
    .bind(&run.began)
    .bind(&run.who)
    .bind(&run.command)
    .bind(&run.outcome)
    .bind(&run.summary)
    .bind(&run.plan)
    .execute(pool)
    .await
    .map(drop)
}

/// Closes a run with its outcome and what became of each step, all or nothing.
pub async fn end_run(pool: &Pool, run: &Run, steps: &[RunStep]) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE runs SET ended = $2, outcome = $3, summary = $4, plan = $5 WHERE id = $1")
        .bind(&run.id)
        .bind(&run.ended)
        .bind(&run.outcome)
        .bind(&run.summary)
        .bind(&run.plan)
        .execute(&mut *tx)
        .await?;
    for step in steps {
        sqlx::query("INSERT INTO run_steps (run, round, step, words, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(&run.id)
            .bind(step.round)
            .bind(step.step)
            .bind(&step.words)
            .bind(&step.outcome)
            .bind(&step.detail)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}

/// The latest runs of a project, newest first.
pub async fn runs(pool: &Pool, project: &str, limit: u32) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as("SELECT * FROM runs WHERE project = $1 ORDER BY began DESC, id DESC LIMIT $2")
        .bind(project)
        .bind(limit)
        .fetch_all(pool)
        .await
}

pub async fn run(pool: &Pool, id: &str) -> sqlx::Result<Option<Run>> {
    sqlx::query_as("SELECT * FROM runs WHERE id = $1").bind(id).fetch_optional(pool).await
}

pub async fn run_steps(pool: &Pool, id: &str) -> sqlx::Result<Vec<RunStep>> {
    sqlx::query_as("SELECT round, step, words, outcome, detail FROM run_steps WHERE run = $1 ORDER BY round, step")
        .bind(id)
        .fetch_all(pool)
        .await
}

pub async fn save_plan(pool: &Pool, plan: &SavedPlan) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO saved_plans (id, project, made, who, asked, plan, premises) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&plan.id)
    .bind(&plan.project)
    .bind(&plan.made)
    .bind(&plan.who)
    .bind(&plan.asked)
    .bind(&plan.plan)
    .bind(&plan.premises)
    .execute(pool)
    .await
    .map(drop)
}

pub async fn saved_plan(pool: &Pool, project: &str, id: &str) -> sqlx::Result<Option<SavedPlan>> {
    sqlx::query_as("SELECT * FROM saved_plans WHERE id = $1 AND project = $2")
        .bind(id)
        .bind(project)
        .fetch_optional(pool)
        .await
}

/// Ids of the saved plans of a project, newest first.
pub async fn saved_plan_ids(pool: &Pool, project: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT id FROM saved_plans WHERE project = $1 ORDER BY made DESC")
        .bind(project)
        .fetch_all(pool)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_is_read_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let pool = crate::store::open(&dir.path().join("history.db")).await.unwrap();
        let mut first = Run {
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
        begin_run(&pool, &first).await.unwrap();
        first.ended = Some("2026-11-24T12:00:04Z".into());
        first.outcome = "done".into();
        let step =
            RunStep { round: 1, step: 3, words: "start web".into(), outcome: "done".into(), detail: String::new() };
        end_run(&pool, &first, std::slice::from_ref(&step)).await.unwrap();
        assert_eq!(runs(&pool, "p", 5).await.unwrap(), [first.clone()]);
        assert_eq!(runs(&pool, "other", 5).await.unwrap(), []);
        assert_eq!(run(&pool, "1").await.unwrap(), Some(first));
        assert_eq!(run_steps(&pool, "1").await.unwrap(), [step]);
        let saved = SavedPlan { id: "s".into(), project: "p".into(), ..SavedPlan::default() };
        save_plan(&pool, &saved).await.unwrap();
        assert_eq!(saved_plan(&pool, "p", "s").await.unwrap(), Some(saved));
        assert_eq!(saved_plan(&pool, "q", "s").await.unwrap(), None);
        assert_eq!(saved_plan_ids(&pool, "p").await.unwrap(), ["s"]);
    }
}
