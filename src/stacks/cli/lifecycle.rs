//! `start`, `stop`, `restart`, `pull` and `update`: verbs on what is there.

use super::{deciding, start};
use crate::args::{Global, Some_, Timed, Update};
use crate::cli::{Done, Out};
use crate::plan::{Options, Plan, Verb, json as plan_json, text};
use crate::stacks::run::{Doing, carry_out};
use crate::stacks::session::Session;
use crate::stacks::{Loading, Target};

pub fn start_(global: &Global, args: Some_, out: &Out) -> Done {
    verb(global, Verb::Start, args.services, None, &out.clone().json(args.json.json).acts())
}

pub fn stop(global: &Global, args: Timed, out: &Out) -> Done {
    verb(global, Verb::Stop, args.services, args.timeout, &out.clone().json(args.json.json).acts())
}

pub fn restart(global: &Global, args: Timed, out: &Out) -> Done {
    verb(global, Verb::Restart, args.services, args.timeout, &out.clone().json(args.json.json).acts())
}

/// A verb on containers that exist. Named services are found whatever their profile; without names `start` and `restart`
/// keep to what is on, `stop` ends everything.
fn verb(global: &Global, verb: Verb, services: Vec<String>, timeout: Option<i64>, out: &Out) -> Done {
    let target = Target::find(global, out)?;
    deciding::timeout(timeout)?;
    let loading = match services.is_empty() && verb != Verb::Stop {
        true => Loading { labels_do: true, ..Loading::default() },
        false => Loading::whole(),
    };
    start(async {
        let mut session = Session::open_quietly(&target, &loading, out).await?;
        let look = session.look().await?;
        session.know_by_labels(&look.observed.containers);
        deciding::known_services(&session, &look.observed.containers, &services)?;
        let options = Options { verb, only: services, timeout, ..Options::default() };
        let plan = session.plan(&look, &options)?;
        let mut settle = || Ok(());
        crate::stacks::run::carry_out_plan(
            &session,
            Doing { options, yes: false, saved: None, settle: &mut settle },
            look,
            plan,
        )
        .await
    })
}

pub fn pull(global: &Global, args: Some_, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::find(global, out)?;
    let loading = Loading::selected(args.services.clone());
    start(async {
        let session = Session::open(&target, &loading, out, |_| Ok(())).await?;
        let options = Options { verb: Verb::Pull, only: args.services, ..Options::default() };
        let mut settle = || Ok(());
        carry_out(&session, Doing { options, yes: false, saved: None, settle: &mut settle }).await
    })
}

/// Pulls again and replaces what moved; each old image stays until its successor has proven itself.
pub fn update(global: &Global, args: Update, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::find(global, out)?;
    let loading = Loading::selected(args.services.clone());
    start(async {
        let session = Session::open(&target, &loading, out, |_| Ok(())).await?;
        let options = Options { update: true, only: args.services, ..Options::default() };
        if args.dry_run {
            let look = session.look().await?;
            let plan = session.plan(&look, &options)?;
            if out.json {
                out.value(&plan_json::to_json(&plan));
            } else {
                out.text(&text::render(&Plan { refusals: Vec::new(), ..plan.clone() }, false));
                out.say("only a pull tells whether a tag has moved; nothing was pulled");
            }
            return session.refuse(&plan);
        }
        let mut settle = || Ok(());
        carry_out(&session, Doing { options, yes: args.answer.yes, saved: None, settle: &mut settle }).await
    })
}
