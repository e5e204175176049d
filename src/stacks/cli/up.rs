//! `hearth up` and `hearth plan`: what is wanted, seen through a plan.

use super::{deciding, start};
use crate::cli::{Done, FOUND, Failure, Out};
use crate::command::{Global, PlanArgs, Up};
use crate::plan::{Options, Verb, json as plan_json, text};
use crate::stacks::run::{Doing, carry_out};
use crate::stacks::saved::Asked;
use crate::stacks::session::Session;
use crate::stacks::{Given, Loading, saved};

pub fn up(global: &Global, args: Up, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let given = Given::new(global, &out.cwd);
    let options = Options {
        wait: args.wait || args.wait_timeout.is_some(),
        wait_timeout: args.wait_timeout,
        no_start: args.no_start,
        build: args.build,
        ..deciding::options(&args.deciding)?
    };
    start(async {
        let session = open(&given, &Asked::up(&args.deciding, &options), out).await?;
        let mut settle = || Ok(());
        carry_out(&session, Doing { options, yes: args.answer.yes, settle: &mut settle }).await
    })
}

/// Loads what these flags act on.
pub async fn open<'a>(given: &'a Given<'a>, asked: &Asked, out: &'a Out) -> Result<Session<'a>, Failure> {
    let loading = if asked.down { Loading::whole() } else { Loading::selected(asked.names.clone()) };
    Session::open(given, &loading, out, |project| deciding::scale(project, &asked.scale)).await
}

pub fn plan(global: &Global, args: PlanArgs, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let given = Given::new(global, &out.cwd);
    let mut options = deciding::options(&args.deciding)?;
    if args.down {
        options.verb = Verb::Down;
    }
    let asked = Asked { down: args.down, ..Asked::up(&args.deciding, &options) };
    start(async {
        let session = open(&given, &asked, out).await?;
        let look = session.look().await?;
        if args.down {
            deciding::known_services(&session, &look.observed, &asked.names)?;
        }
        let plan = session.plan(&look, &options)?;
        let saved = match args.save && !plan.is_empty() {
            true => Some(saved::save(&session, &look, &plan, &asked).await?),
            false => None,
        };
        if out.json {
            let mut value = plan_json::to_json(&plan);
            value["id"] = serde_json::json!(saved);
            out.value(&value);
        } else {
            out.text(&text::render(&plan, args.steps));
        }
        session.refuse(&plan)?;
        if let Some(id) = saved {
            out.say(format!("kept; apply it with: hearth {}apply {id}", given.flags()));
        }
        if args.check && !plan.steps.is_empty() { Err(Failure::Code(FOUND)) } else { Ok(()) }
    })
}
