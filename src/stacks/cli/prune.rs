//! `hearth prune`: images, networks and volumes that nothing uses, removed after a plan that names each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::start;
use crate::args::{Global, Prune as Args};
use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::base::wording;
use crate::cli::progress::Progress;
use crate::cli::{Done, Failure, Out};
use crate::diag::{Diagnostic, Kind, Sources};
use crate::engine::Host;
use crate::engine::apply::{Walk, apply};
use crate::plan::{Plan, json as plan_json, text};
use crate::stacks::history::{self, Record};
use crate::stacks::saved::Asked;
use crate::stacks::session::Session;
use crate::stacks::sql::{self, SavedPlan};
use crate::stacks::storage::{self, Held, Named, Prune};
use crate::stacks::{Home, Loading, Target, interrupt, report, run as carry, who};
use crate::store::Db;

/// Images at once: the engine does one after the other anyway.
const AT_ONCE: usize = 4;

pub fn run(global: &Global, args: Args, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let asked = Prune {
        unused_images: args.images.as_ref().is_some_and(Vec::is_empty),
        unused_volumes: args.volumes.as_ref().is_some_and(Vec::is_empty),
        unused_networks: args.networks.as_ref().is_some_and(Vec::is_empty),
        images: args.images.unwrap_or_default(),
        volumes: args.volumes.unwrap_or_default(),
        networks: args.networks.unwrap_or_default(),
    };
    let pruning = Pruning::open(global, out)?;
    start(async {
        let plan = pruning.plan(&asked.or_usual()).await?;
        if args.dry_run {
            pruning.show(&plan);
            return refuse(&plan, out);
        }
        pruning.carry_out(&plan, args.answer.yes).await
    })
}

/// A home on whose engine is cleared up.
pub struct Pruning<'o> {
    target: Target,
    home: Home,
    out: &'o Out,
}

impl<'o> Pruning<'o> {
    pub fn open(global: &Global, out: &'o Out) -> Result<Pruning<'o>, Failure> {
        let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
        let target = Target::find(global, out)?;
        Ok(Pruning { target, home, out })
    }

    async fn engine(&self) -> Result<Arc<dyn Host>, Failure> {
        Ok(self.out.engine().await?)
    }

    /// What the stacks of the home name. Of stacks that cannot be read it is not known what they need: then nothing is removed.
    async fn named(&self) -> Result<Named, Failure> {
        named(&self.target, self.out).await
    }

    /// What would go, what stays and why.
    pub async fn plan(&self, asked: &Prune) -> Result<Plan, Failure> {
        let held = storage::held(&self.engine().await?.stored().await?, &self.named().await?);
        let dir = self.home.dir.display().to_string();
        Ok(storage::plan(&held, &self.home.config.name, &dir, asked))
    }

    /// Keeps it, so that it can be applied by its id: it names what goes, and nothing that comes meanwhile is in it.
    pub async fn keep(&self, plan: &Plan) -> Result<String, Failure> {
        let now = SystemClock.now();
        let asked = Asked { prune: Some(storage::exactly(plan)), ..Asked::default() };
        let saved = SavedPlan {
            id: history::new_id(now),
            project: plan.project.clone(),
            made: rfc3339(now),
            who: who::who(self.out),
            asked: serde_json::to_string(&asked).unwrap_or_default(),
            plan: plan_json::to_json(plan).to_string(),
            premises: serde_json::to_string(&plan.premises).unwrap_or_default(),
        };
        let (db, id) = (Db::at(self.home.database(&self.out.environment())?), saved.id.clone());
        let kept = db.write(async move |tx| sql::save_plan(tx, &saved).await).await;
        db.close().await;
        kept?;
        Ok(id)
    }

    /// One that was kept, unless something of it is used now, is gone or is another one.
    pub async fn apply(&self, kept: &SavedPlan, asked: &Prune, yes: bool) -> Done {
        let plan = self.plan(asked).await?;
        let then: BTreeMap<String, String> = serde_json::from_str(&kept.premises).unwrap_or_default();
        let moved = storage::moved(&then, &plan);
        if !moved.is_empty() {
            let title = format!("the plan {} was made for a world that has moved since", kept.id);
            let mut told = Diagnostic::error("stacks.moved", title).kind(Kind::Conflict);
            let more = moved.len().saturating_sub(8);
            told.hints = moved.into_iter().take(8).collect();
            told.hints.extend((more > 0).then(|| format!("and {}", wording::count(more, "more change"))));
            return Err(told.hint("nothing was done; look at the plan of now: hearth prune --dry-run").into());
        }
        self.carry_out(&plan, yes).await
    }

    fn show(&self, plan: &Plan) {
        if self.out.json {
            let mut value = plan_json::to_json(plan);
            value["event"] = serde_json::json!("plan");
            self.out.event(&value);
        } else if plan.refusals.is_empty() {
            self.out.text(&text::render(plan, false));
        }
    }

    async fn carry_out(&self, plan: &Plan, yes: bool) -> Done {
        self.show(plan);
        refuse(plan, self.out)?;
        carry::confirm(self.out, plan, yes)?;
        if plan.steps.is_empty() {
            report::nothing_to_do(self.out, plan);
            return Ok(());
        }
        self.out.acting();
        let engine = self.engine().await?;
        let (began, cancel) = (Instant::now(), interrupt::listen(self.out));
        let record = match self.home.database(&self.out.environment()) {
            Ok(location) => {
                Some(Record::begin(location, plan, who::who(self.out), who::command(self.out), SystemClock.now()))
            }
            Err(told) => {
                history::warn(told, self.out);
                None
            }
        };
        let progress = Progress::new(self.out, plan);
        let walk = Walk { parallel: AT_ONCE, known: Default::default(), cancel };
        let walked = apply(&*engine, plan, walk, &|event| progress.tell(&event)).await;
        progress.close();
        let rounds = [(plan.clone(), walked)];
        let told = report::tell(self.out, &rounds, began.elapsed(), None);
        if let Some(mut record) = record {
            record.round(&rounds[0].0, &rounds[0].1);
            let outcome = match &told {
                Ok(()) => "done",
                Err(Failure::Code(code)) if *code == Kind::Interrupted.exit_code() => "interrupted",
                Err(_) => "failed",
            };
            record.end(outcome, SystemClock.now(), self.out).await;
        }
        told
    }
}

/// What the stacks of the home name, profiles that are off among them.
async fn named(target: &Target, out: &Out) -> Result<Named, Failure> {
    let loading = Loading { all_resources: true, all_profiles: true, ..Loading::default() };
    let session = Session::open_quietly(target, &loading, out).await?;
    let scope = session.scope();
    Ok(Named {
        project: scope.project,
        images: scope.images.into_iter().collect(),
        volumes: scope.volumes.into_iter().collect(),
        networks: scope.networks.into_iter().collect(),
    })
}

/// What there is, for who only looks: of stacks that cannot be read nothing is known to be named.
pub async fn look(global: &Global, out: &Out) -> Result<Held, Failure> {
    let stored = out.engine().await?.stored().await?;
    let target = Target::find(global, out)?;
    let named = named(&target, &out.clone().json(true)).await.unwrap_or_default();
    Ok(storage::held(&stored, &named))
}

fn refuse(plan: &Plan, out: &Out) -> Done {
    if plan.refusals.is_empty() {
        return Ok(());
    }
    let mut kind = Kind::Conflict;
    for refusal in &plan.refusals {
        let code = match refusal.code.as_str() {
            "storage.in-use" => "storage.in-use",
            "storage.kept" => "storage.kept",
            _ => {
                kind = Kind::NotFound;
                "storage.not-there"
            }
        };
        let mut told = Diagnostic::error(code, refusal.title.clone()).kind(kind);
        told.hints = refusal.hints.clone();
        out.diagnostic(&told, &Sources::default());
    }
    Err(Failure::Code(kind.exit_code()))
}
