//! `hearth mode`: how services are reached, and the switch to the other way, seen through a plan first.

use super::up::{self, load};
use super::{deciding, start};
use crate::args::{Deciding, Global, Mode as Args};
use crate::base::wording;
use crate::cli::{Done, Failure, Out, ask};
use crate::config;
use crate::diag::{Diagnostic, Kind, Sources};
use crate::engine::Scope;
use crate::plan::{Options, text};
use crate::spec::{Mode, routes};
use crate::stacks::home::{Home, env};
use crate::stacks::run::{Doing, carry_out_plan};
use crate::stacks::saved::Asked;
use crate::stacks::target::Change;
use crate::stacks::{Around, FrontDoor, Loading, Target};

pub fn run(global: &Global, args: Args, door: &dyn FrontDoor, out: &Out) -> Done {
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let present = home.config.mode;
    let mode = match args.mode.as_deref() {
        None => {
            out.line(present.name());
            return Ok(());
        }
        Some("localhost") => Mode::Localhost,
        Some("domain") => Mode::Domain,
        Some(other) => {
            let d = Diagnostic::error("home.no-mode", format!("`{other}` is no mode"));
            return Err(match wording::nearest(other, ["localhost", "domain"]) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint("the modes are: localhost, domain"),
            }
            .into());
        }
    };
    if mode == present && !is_half_done(global, out)? {
        out.say(format!("the mode is {} already", mode.name()));
        return Ok(());
    }
    if mode == Mode::Domain {
        needs_domain(&home)?;
    }
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::in_mode(global, mode, out)?;
    switch(&target, mode, &args, door, out)?;
    Ok(())
}

/// Whether a switch to the mode of the home was cut off: then something of the other one still runs. An engine that is away cannot
/// tell, and is no reason to say less than that the mode is this one.
fn is_half_done(global: &Global, out: &Out) -> Result<bool, Failure> {
    let target = Target::find(global, out)?;
    let (Some(outgoing), Some(home)) = (target.outgoing(), target.home()) else { return Ok(false) };
    let scope = Scope { project: home.config.name.clone(), ..Scope::default() };
    let mut found = false;
    start(async {
        let Ok(engine) = out.engine().await else { return Ok(()) };
        let Ok(observed) = engine.observe(&scope).await else { return Ok(()) };
        found = observed.containers.iter().any(|container| outgoing.is(container));
        Ok(())
    })?;
    Ok(found)
}

fn switch(target: &Target, mode: Mode, args: &Args, door: &dyn FrontDoor, out: &Out) -> Done {
    if target.nothing_is_on() {
        target.judge(door, None, out)?;
        out.say("no profile is on, so nothing has to be started or stopped");
        return if args.dry_run { Ok(()) } else { record(target, mode, args, (door, None), out) };
    }
    // What only the other mode needs (Traefik holds ports 80 and 443) is no service of this one.
    let options = Options { remove_orphans: true, ..deciding::options(&Deciding::default())? };
    start(async {
        let asked = Asked::up(&Deciding { remove_orphans: true, ..Deciding::default() }, &options);
        let (session, options) = match args.dry_run {
            true => load(target, &asked, options, &Loading::default(), out).await?,
            false => up::open(target, &asked, options, out).await?,
        };
        let look = session.look().await?;
        target.judge(door, Some((&session.wanted, &look.observed)), out)?;
        let plan = session.plan(&look, &options)?;
        if args.dry_run {
            out.text(&text::render(&plan, false));
            say_plain(mode, out);
            return session.refuse(&plan);
        }
        let around = Around::of(&look.observed, Some(&session.wanted));
        let mut is_recorded = false;
        let mut settle = || {
            record(target, mode, args, (door, Some(&around)), out)?;
            is_recorded = true;
            Ok(())
        };
        let changed = up::changed(&plan);
        let doing = Doing { options, yes: args.answer.yes, saved: None, settle: &mut settle };
        let done = carry_out_plan(&session, doing, look, plan).await;
        if done.is_err() && is_recorded {
            out.diagnostic(&half_way(mode), &Sources::default());
        }
        done?;
        target.try_routes(door, session.engine.as_ref(), &changed, out).await?;
        target.say_ports(door, out)
    })
}

/// The last question, and then the line in `hearth.yaml` and all rendered files.
fn record(
    target: &Target,
    mode: Mode,
    args: &Args,
    (door, around): (&dyn FrontDoor, Option<&Around>),
    out: &Out,
) -> Result<(), Failure> {
    say_plain(mode, out);
    ask::confirm(&format!("Switch this home to {} mode?", mode.name()), args.answer.yes, out)?;
    let Some(home) = target.home() else { return Ok(()) };
    let mut there = Home::open(home.dir.clone()).map_err(|refused| refused.tell(out))?;
    there.edit_config(|text| config::set_mode(text, mode))?;
    target.settle(&Change::None, args.answer.yes, out)?;
    target.open_door(door, around, out)
}

/// What was recorded counts, whatever came of carrying it out.
fn half_way(mode: Mode) -> Diagnostic {
    let (other, on) = match mode {
        Mode::Domain => (Mode::Localhost, "hearth up"),
        // What is left of the other mode is ended by the switch alone.
        Mode::Localhost => (Mode::Domain, "hearth mode localhost"),
    };
    let title = format!("this home is in {} mode now, and not everything of the switch was done", mode.name());
    Diagnostic::warning("home.mode-half-way", title)
        .hint(format!("mend what failed, and go on: {on}"))
        .hint(format!("or go back: hearth mode {}", other.name()))
}

fn say_plain(mode: Mode, out: &Out) {
    if !out.json {
        // The first time, what Traefik reads and the image of gate are Hearth's to make.
        let when = if mode == Mode::Domain { " (once it was done here)" } else { "" };
        out.say(format!(
            "without Hearth{when}: set compose/{}.yaml in compose.yaml, then docker compose up -d --remove-orphans",
            mode.name()
        ));
    }
}

/// Names can only be made where there is a domain.
fn needs_domain(home: &Home) -> Result<(), Diagnostic> {
    let text = home.env_text()?;
    let set = env::statements(&text).iter().any(|s| s.name == routes::DOMAIN && !s.value.is_empty());
    if set {
        return Ok(());
    }
    let d = Diagnostic::error("home.no-domain", "domain mode needs the name under which this home is reached");
    Err(d.kind(Kind::Invalid).hint("set it in .env: DOMAIN=example.org, a name of yours").hint(
        "without a name of your own: DOMAIN=home.arpa, and `hearth routes --dns hosts` prints what other devices need",
    ))
}
