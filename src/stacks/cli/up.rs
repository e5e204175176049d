//! `hearth up` and `hearth plan`: what is wanted, seen through a plan.

use std::collections::BTreeSet;

use super::{deciding, start};
use crate::args::{Global, PlanArgs, Up};
use crate::base::wording;
use crate::cli::{Done, FOUND, Failure, Out};
use crate::diag::{Diagnostic, Kind};
use crate::plan::{Action, Cause, Options, Plan, Step, Verb, json as plan_json, text};
use crate::stacks::run::{Doing, carry_out_plan};
use crate::stacks::saved::Asked;
use crate::stacks::session::Session;
use crate::stacks::target::Change;
use crate::stacks::{Around, FrontDoor, Loading, Target, saved};

pub fn up(global: &Global, args: Up, door: &dyn FrontDoor, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::find(global, out)?;
    let options = Options {
        wait: args.wait || args.wait_timeout.is_some(),
        wait_timeout: args.wait_timeout,
        no_start: args.no_start,
        build: args.build,
        ..deciding::options(&args.deciding)?
    };
    start(async {
        let asked = Asked::up(&args.deciding, &options);
        let (session, options) = open(&target, &asked, options, out).await?;
        let change = change(&target, &asked);
        let look = session.look().await?;
        let around = Around::of(&look.observed, Some(&session.wanted));
        let mut settle = || {
            target.settle(&change, args.answer.yes, out)?;
            target.open_door(door, Some(&around), out)
        };
        target.judge(door, Some((&session.wanted, &look.observed)), out)?;
        let plan = session.plan(&look, &options)?;
        let changed = changed(&plan);
        let doing = Doing { options, yes: args.answer.yes, saved: None, settle: &mut settle };
        carry_out_plan(&session, doing, look, plan).await?;
        target.try_routes(door, session.engine.as_ref(), &changed, out).await
    })
}

/// The services that a plan does something about.
pub fn changed(plan: &Plan) -> BTreeSet<String> {
    plan.steps.iter().map(|step| step.service.clone()).filter(|service| !service.is_empty()).collect()
}

/// Loads what was asked for, and gives the options with the services that the names mean.
pub async fn open<'a>(
    target: &'a Target,
    asked: &Asked,
    options: Options,
    out: &'a Out,
) -> Result<(Session<'a>, Options), Failure> {
    let loading = match (asked.down, asked.services.is_empty()) {
        (true, _) => Loading::whole(),
        (false, false) => Loading::selected(asked.services.clone()),
        (false, true) => target.selected(&asked.names)?,
    };
    let (session, options) = load(target, asked, options, &loading, out).await?;
    if !asked.down && session.project.services.is_empty() {
        return Err(no_services(&session).into());
    }
    Ok((session, options))
}

pub async fn load<'a>(
    target: &'a Target,
    asked: &Asked,
    options: Options,
    loading: &Loading,
    out: &'a Out,
) -> Result<(Session<'a>, Options), Failure> {
    let session = Session::open(target, loading, out, |project| deciding::scale(project, &asked.scale)).await?;
    let only = match asked.down {
        true => target.ending(&session.project, &asked.names)?.unwrap_or_default(),
        false if !asked.services.is_empty() => asked.services.clone(),
        false => target.named(&session.project, &asked.names),
    };
    Ok((session, Options { only, ..options }))
}

/// As Compose, which stops here too: what is meant is surely not "nothing".
fn no_services(session: &Session<'_>) -> Diagnostic {
    let d = Diagnostic::error(
        "stacks.no-services",
        format!("the project `{}` has no service that is on", session.project.name),
    )
    .kind(Kind::NotFound);
    let off: BTreeSet<&String> = session.project.disabled.values().flat_map(|s| &s.profiles).collect();
    match off.into_iter().collect::<Vec<_>>().as_slice() {
        [] => d.hint("to end what runs of it: hearth down --remove-orphans"),
        profiles => d.hint(format!("turn a profile on with --profile: there are {}", wording::list(profiles))),
    }
}

/// What carrying this out records in a home.
pub fn change(target: &Target, asked: &Asked) -> Change {
    match (target.home().is_some() && !asked.names.is_empty(), asked.down) {
        (false, _) => Change::None,
        (true, false) => Change::On(asked.names.clone()),
        (true, true) => Change::Off(asked.names.clone()),
    }
}

/// A pull or build of what is there already, for its policy's sake: whether that changes anything only doing it tells.
fn only_looks_again(step: &Step) -> bool {
    let image = matches!(step.action, Action::PullImage { .. } | Action::BuildImage { .. });
    image && matches!(step.cause, Cause::Requested { .. })
}

/// A plan that was made and perhaps kept.
pub struct Planned {
    pub plan: Plan,
    /// By which id it can be applied.
    pub saved: Option<String>,
    /// No profile is on.
    pub idle: bool,
}

/// Makes the plan that was asked for.
pub async fn planned<'a>(
    target: &'a Target,
    args: &PlanArgs,
    door: &dyn FrontDoor,
    out: &'a Out,
) -> Result<(Session<'a>, Planned), Failure> {
    let mut options = Options { update: args.update, ..deciding::options(&args.deciding)? };
    if args.down {
        options.verb = Verb::Down;
    }
    let asked = Asked { down: args.down, ..Asked::up(&args.deciding, &options) };
    // Where no profile is on there is still something to see: what runs of those that are off.
    let idle = !asked.down && asked.names.is_empty() && asked.services.is_empty() && target.nothing_is_on();
    let (session, options) = match idle {
        true => load(target, &asked, options, &Loading::default(), out).await?,
        false => open(target, &asked, options, out).await?,
    };
    let look = session.look().await?;
    if args.down && target.home().is_none() {
        deciding::known_services(&session, &look.observed.containers, &asked.names)?;
    }
    if !args.down {
        target.judge(door, Some((&session.wanted, &look.observed)), out)?;
    }
    let plan = session.plan(&look, &options)?;
    let saved = match args.save && !plan.is_empty() {
        true => Some(saved::save(&session, &look, &plan, &asked).await?),
        false => None,
    };
    Ok((session, Planned { plan, saved, idle }))
}

pub fn plan(global: &Global, args: PlanArgs, door: &dyn FrontDoor, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let target = Target::find(global, out)?;
    start(async {
        let (session, Planned { plan, saved, idle }) = planned(&target, &args, door, out).await?;
        if out.json {
            let mut value = plan_json::to_json(&plan);
            value["id"] = serde_json::json!(saved);
            out.value(&value);
        } else {
            // What stands in the way is told below, with its places.
            let shown = Plan { refusals: Vec::new(), ..plan.clone() };
            out.text(&text::render(&shown, args.steps));
        }
        session.refuse(&plan)?;
        if idle && !out.json {
            out.say("no profile is on: `hearth plan PROFILE` shows what turning one on does, `hearth profiles` what there is");
        }
        if let Some(id) = saved {
            out.say(format!("kept; apply it with: hearth {}apply {id}", target.given.flags()));
        }
        if args.check && !plan.steps.iter().all(only_looks_again) { Err(Failure::Code(FOUND)) } else { Ok(()) }
    })
}
