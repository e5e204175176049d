//! Saved plans: kept with what they rest on, applied by id only while that still holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::session::{Look, Session};
use super::sql::{self, SavedPlan};
use super::storage::Prune;
use super::{changes, history, who};
use crate::args::Deciding;
use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::base::wording;
use crate::cli::Failure;
use crate::diag::{Diagnostic, Kind};
use crate::plan::{Options, Plan, Recreate, Verb, json as plan_json};
use crate::store::Db;

/// What was asked when the plan was made, enough to ask it again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub down: bool,
    pub names: Vec<String>,
    pub scale: Vec<String>,
    pub force_recreate: bool,
    pub no_recreate: bool,
    pub renew_anonymous_volumes: bool,
    pub remove_orphans: bool,
    pub no_deps: bool,
    pub rerun: bool,
    pub pull: Option<String>,
    pub timeout: Option<i64>,
    /// What is to be removed by name, and nothing else of all this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<Prune>,
    /// Only these, and what they need.
    #[serde(default)]
    pub services: Vec<String>,
    /// Pull again, and replace what moved.
    #[serde(default)]
    pub update: bool,
}

impl Asked {
    pub fn up(deciding: &Deciding, options: &Options) -> Asked {
        Asked {
            down: false,
            names: deciding.names.clone(),
            scale: deciding.scale.clone(),
            force_recreate: options.recreate == Recreate::Force,
            no_recreate: options.recreate == Recreate::Never,
            renew_anonymous_volumes: options.renew_anonymous_volumes,
            remove_orphans: options.remove_orphans,
            no_deps: options.no_deps,
            rerun: options.rerun,
            pull: options.pull.clone(),
            timeout: options.timeout,
            prune: None,
            services: deciding.services.clone(),
            update: options.update,
        }
    }

    pub fn options(&self) -> Options {
        Options {
            verb: if self.down { Verb::Down } else { Verb::Up },
            recreate: match (self.force_recreate, self.no_recreate) {
                (true, _) => Recreate::Force,
                (_, true) => Recreate::Never,
                _ => Recreate::Diverged,
            },
            renew_anonymous_volumes: self.renew_anonymous_volumes,
            remove_orphans: self.remove_orphans,
            no_deps: self.no_deps,
            rerun: self.rerun,
            pull: self.pull.clone(),
            timeout: self.timeout,
            only: self.names.clone(),
            update: self.update,
            ..Options::default()
        }
    }
}

/// Keeps a plan and gives its id.
pub async fn save(session: &Session<'_>, look: &Look, plan: &Plan, asked: &Asked) -> Result<String, Failure> {
    let Some(location) = session.place.history(&look.observed.engine.id) else {
        return Err(Diagnostic::error("stacks.no-state", "there is no folder to keep a plan in")
            .kind(Kind::Failed)
            .hint("set HOME or XDG_STATE_HOME")
            .into());
    };
    let now = SystemClock.now();
    let mut whole = plan_json::to_json(plan);
    whole[changes::KEY] = changes::of(session.target, plan);
    let saved = SavedPlan {
        id: history::new_id(now),
        project: plan.project.clone(),
        made: rfc3339(now),
        who: who::who(session.out),
        asked: serde_json::to_string(asked).unwrap_or_default(),
        plan: whole.to_string(),
        premises: serde_json::to_string(&plan.premises).unwrap_or_default(),
    };
    let (db, id) = (Db::at(location?), saved.id.clone());
    let kept = db.write(async move |tx| sql::save_plan(tx, &saved).await).await;
    db.close().await;
    kept?;
    Ok(id)
}

/// Refuses when the plan of now is not the plan that was kept, naming what moved.
pub fn compare(saved: &SavedPlan, now: &Plan) -> Result<(), Diagnostic> {
    let then: BTreeMap<String, String> = serde_json::from_str(&saved.premises).unwrap_or_default();
    let keys: BTreeSet<&String> = then.keys().chain(now.premises.keys()).collect();
    let differs = |key: &&String| then.get(*key) != now.premises.get(*key);
    let moved: Vec<String> =
        keys.into_iter().filter(differs).map(|key| moved(key, then.get(key), now.premises.get(key))).collect();
    let plan_now = plan_json::to_json(now).to_string();
    if moved.is_empty() && changes::without(&saved.plan) == plan_now {
        return Ok(());
    }
    let mut d =
        Diagnostic::error("stacks.moved", format!("the plan {} was made for a world that has moved since", saved.id))
            .kind(Kind::Conflict);
    d.hints = match moved.len() {
        0 => vec!["the stack files, the variables or Hearth itself changed since".into()],
        1..=8 => moved,
        n => moved.into_iter().take(7).chain([format!("and {}", wording::count(n - 7, "more change"))]).collect(),
    };
    Err(d.hint("nothing was done; look at the plan of now: hearth plan"))
}

fn moved(what: &str, then: Option<&String>, now: Option<&String>) -> String {
    if let (Some(service), Some(_), Some(_)) = (what.strip_prefix("service "), then, now) {
        return format!("what the files and variables say of the service `{service}` changed");
    }
    match (then, now) {
        (Some(then), Some(now)) => format!("{what} was {then}, is now {now}"),
        (Some(then), None) => format!("{what} was {then}, is gone now"),
        (None, Some(now)) => format!("{what} was not there, is now {now}"),
        (None, None) => what.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_world_is_named() {
        let mut plan = Plan { project: "p".into(), ..Plan::default() };
        plan.premises.insert("container p-web-1".into(), "3f2a running".into());
        let saved = SavedPlan {
            id: "x".into(),
            plan: plan_json::to_json(&plan).to_string(),
            premises: serde_json::to_string(&plan.premises).unwrap(),
            ..SavedPlan::default()
        };
        compare(&saved, &plan).unwrap();
        plan.premises.insert("container p-web-1".into(), "9b1c exited".into());
        let told = compare(&saved, &plan).unwrap_err();
        assert_eq!(told.kind, Kind::Conflict);
        assert_eq!(told.hints[0], "container p-web-1 was 3f2a running, is now 9b1c exited");
    }

    #[test]
    fn what_was_asked_is_asked_again() {
        let deciding = Deciding { names: vec!["web".into()], timeout: Some(3), ..Deciding::default() };
        let options = Options { timeout: Some(3), recreate: Recreate::Never, ..Options::default() };
        let asked = Asked::up(&deciding, &options);
        let text = serde_json::to_string(&asked).unwrap();
        let again: Asked = serde_json::from_str(&text).unwrap();
        assert_eq!(again, asked);
        assert_eq!((again.options().recreate, again.options().timeout), (Recreate::Never, Some(3)));
    }
}
