//! `hearth history`: what was done, when, by whom, and what became of each step.

use std::path::Path;

use serde_json::{Value, json};

use super::start;
use crate::args::{Global, History};
use crate::base::clock::{self, Clock, SystemClock};
use crate::cli::table::table;
use crate::cli::{Done, Failure, Out, Tone};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind};
use crate::stacks::sql::{self, Run, RunStep};
use crate::stacks::{Target, history, lock};

pub fn run(global: &Global, args: History, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let target = Target::find(global, out)?;
    start(async {
        let place = target.place(&target.name(out)?);
        let found = history::open_all(place.histories()?, out).await?;
        if let Some(id) = &args.id {
            for db in &found {
                let on = &mut db.reader().await?;
                if let Some(mut run) = sql::run(on, id).await? {
                    let newest = sql::runs(on, &run.project, 1).await?;
                    settle(&mut run, newest.first().map(|r| r.id.as_str()), &place.lock_of(db.location()));
                    let steps = sql::run_steps(on, id).await?;
                    return one(&run, &steps, out);
                }
            }
            return Err(Diagnostic::error(
                "stacks.no-such-run",
                format!("no run `{id}` is known of `{}`", place.project()),
            )
            .kind(Kind::NotFound)
            .hint("see the list: hearth history")
            .into());
        }
        let mut runs = Vec::new();
        for db in &found {
            let on = &mut db.reader().await?;
            let mut these = sql::runs(on, place.project(), args.limit).await?;
            let newest = these.first().map(|run| run.id.clone());
            these.iter_mut().for_each(|run| settle(run, newest.as_deref(), &place.lock_of(db.location())));
            runs.extend(these);
        }
        runs.sort_by(|a, b| b.id.cmp(&a.id));
        runs.truncate(args.limit as usize);
        list(&runs, out);
        Ok(())
    })
}

/// Of the runs that never ended only the newest can be under way, and only while somebody holds the lock: the others were
/// killed.
pub fn settle(run: &mut Run, newest: Option<&str>, lock: &Path) {
    if run.outcome == "running" && (newest != Some(&run.id) || !lock::is_held(lock)) {
        run.outcome = "killed".into();
    }
}

fn list(runs: &[Run], out: &Out) {
    if out.json {
        return out.value(&Value::Array(runs.iter().map(run_json).collect()));
    }
    if runs.is_empty() {
        return out.say("nothing was done here yet");
    }
    let now = SystemClock.now();
    let row = |run: &Run| {
        let when = clock::parse(&run.began).map_or_else(|| run.began.clone(), |t| clock::ago(t, now));
        let who = run.who.split(" (").next().unwrap_or_default().to_string();
        vec![run.id.clone(), when, who, outcome(&run.outcome, out), visible(&run.summary), visible(&run.command)]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    out.text(&table(&["ID", "WHEN", "WHO", "OUTCOME", "PLAN", "COMMAND"], &rows));
}

fn one(run: &Run, steps: &[RunStep], out: &Out) -> Result<(), Failure> {
    if out.json {
        let mut value = run_json(run);
        value["plans"] = serde_json::from_str(&run.plan).unwrap_or(Value::Null);
        value["steps"] = steps
            .iter()
            .map(|s| json!({"round": s.round, "step": s.step, "words": s.words, "outcome": s.outcome, "detail": s.detail}))
            .collect();
        out.value(&value);
        return Ok(());
    }
    out.line(format!("{}  {}", run.id, visible(&run.command)));
    out.line(format!("by       {}", visible(&run.who)));
    out.line(format!("began    {}", run.began));
    out.line(format!("ended    {}", run.ended.as_deref().unwrap_or("not yet, or it was killed")));
    out.line(format!("outcome  {}", outcome(&run.outcome, out)));
    out.line(format!("plan     {}", visible(&run.summary)));
    for step in steps {
        out.line(format!("  {:10} {}", step.outcome, visible(&step.words)));
        step.detail.lines().for_each(|line| out.line(format!("    | {}", visible(line))));
    }
    Ok(())
}

fn run_json(run: &Run) -> Value {
    json!({
        "id": run.id,
        "project": run.project,
        "began": run.began,
        "ended": run.ended,
        "who": run.who,
        "command": run.command,
        "outcome": run.outcome,
        "summary": run.summary,
    })
}

fn outcome(word: &str, out: &Out) -> String {
    let tone = match word {
        "done" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Warn,
    };
    out.paint(tone, word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::lock::Holder;

    #[test]
    fn what_was_killed_is_not_shown_as_running_while_another_command_works() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let settled = |id: &str| {
            let mut run = Run { id: id.into(), outcome: "running".into(), ..Run::default() };
            settle(&mut run, Some("2"), &path);
            run.outcome
        };
        assert_eq!((settled("1"), settled("2")), ("killed".into(), "killed".into()));
        let holder = Holder { pid: 1, user: "joe".into(), command: "hearth up".into(), since: String::new() };
        let _lock = lock::take(std::slice::from_ref(&path), "web", &holder, SystemClock.now()).unwrap();
        assert_eq!((settled("1"), settled("2")), ("killed".into(), "running".into()));
    }
}
