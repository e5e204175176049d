//! `hearth apply ID`: a saved plan, unless the world has moved since.

use super::prune::Pruning;
use super::{start, up};
use crate::args::{Apply, Global};
use crate::base::wording;
use crate::cli::{Done, Failure, Out};
use crate::diag::{Diagnostic, Kind};
use crate::stacks::run::{Doing, carry_out_plan};
use crate::stacks::saved::{self, Asked};
use crate::stacks::sql::{self, SavedPlan};
use crate::stacks::{Around, FrontDoor, Place, Target, history};

pub fn run(global: &Global, args: Apply, door: &dyn FrontDoor, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::find(global, out)?;
    start(async {
        let place = target.place(&target.name(out)?);
        let kept = find(&place, &args.id, out).await?;
        let asked: Asked = serde_json::from_str(&kept.asked).map_err(|_| unreadable(&args.id))?;
        if let Some(prune) = &asked.prune {
            return Pruning::open(global, out)?.apply(&kept, prune, args.answer.yes).await;
        }
        let (session, options) = up::open(&target, &asked, asked.options(), out).await?;
        let look = session.look().await?;
        if !asked.down {
            target.judge(door, Some((&session.wanted, &look.observed)), out)?;
        }
        let plan = session.plan(&look, &options)?;
        saved::compare(&kept, &plan)?;
        let around = Around::of(&look.observed, Some(&session.wanted));
        let change = up::change(&target, &asked);
        let mut settle = || {
            target.settle(&change, args.answer.yes, out)?;
            target.open_door(door, Some(&around), out)
        };
        let changed = up::changed(&plan);
        let doing = Doing { options, yes: args.answer.yes, saved: Some(&kept), settle: &mut settle };
        carry_out_plan(&session, doing, look, plan).await?;
        target.try_routes(door, session.engine.as_ref(), &changed, out).await
    })
}

async fn find(place: &Place, id: &str, out: &Out) -> Result<SavedPlan, Failure> {
    let mut known = Vec::new();
    for db in history::open_all(place.histories()?, out).await? {
        let on = &mut db.reader().await?;
        if let Some(found) = sql::saved_plan(on, place.project(), id).await? {
            return Ok(found);
        }
        known.extend(sql::saved_plan_ids(on, place.project()).await?);
    }
    let d = Diagnostic::error(
        "stacks.no-such-plan",
        format!("no plan `{id}` is kept for the project `{}`", place.project()),
    )
    .kind(Kind::NotFound);
    Err(match wording::nearest(id, known.iter().map(String::as_str)).or(known.first().map(String::as_str)) {
        Some(near) => d.hint(format!("the nearest that is kept is `{near}`")),
        None => d.hint("keep one with: hearth plan --save"),
    }
    .into())
}

fn unreadable(id: &str) -> Diagnostic {
    Diagnostic::error("stacks.no-such-plan", format!("the plan `{id}` was kept by another version of Hearth"))
        .kind(Kind::NotFound)
        .hint("make it anew: hearth plan --save")
}
