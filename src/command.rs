//! From a parsed command line to the room that does it, and back to an exit code.

use std::time::{Duration, Instant};

use clap::{CommandFactory, Parser};

use crate::args::*;
use crate::auth::cli::audit::{self, Typed};
use crate::cli::{Failure, Out};
use crate::diag::{Diagnostic, Kind, Severity, Sources};
use crate::stacks::Home;
use crate::stacks::cli as stacks;
use crate::stacks::who::quoted;

/// Runs one command line and gives the exit code of DESIGN section 7.
pub fn main(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let cwd = match working_directory() {
        Ok(cwd) => cwd,
        Err(_) => {
            eprintln!("error: the current directory is gone; go to one that exists");
            return 2;
        }
    };
    let out = Out::new(cli.global.color, std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()), cwd);
    let (global, act, begun) = (cli.global.clone(), act(&cli.command), Instant::now());
    let line = line(&cli.command, &out);
    let done = nothing_but_gate(&cli.command)
        .and_then(|()| crate::cli::owner::take_on())
        .map_err(Failure::from)
        .and_then(|()| dispatch(cli, &out));
    let code = match done {
        Ok(()) => 0,
        Err(Failure::Code(code)) => code,
        Err(Failure::Told(diagnostics)) => {
            let sources = Sources::default();
            diagnostics.0.iter().for_each(|d| out.diagnostic(d, &sources));
            diagnostics.exit_code()
        }
    };
    if let Some((command, _)) = act.filter(|(_, always)| *always || out.has_acted()) {
        enter(&global, command, line, code, begun.elapsed(), &out);
    }
    code
}

/// In gate's container, which has the engine's socket, this program is gate and nothing else.
fn nothing_but_gate(command: &Command) -> Result<(), Diagnostic> {
    let variable = crate::spec::front::GATE_PROJECT;
    match command {
        Command::Gate(_) => Ok(()),
        _ if std::env::var_os(variable).is_none() => Ok(()),
        _ => Err(Diagnostic::error(
            "gate.only",
            format!("{variable} is set: here `hearth` is gate and does nothing else"),
        )
        .kind(Kind::Denied)
        .hint("run it outside of gate's container")),
    }
}

/// The name of a command that changes something, for the audit log of the home; and whether it always does, or only where it says so
/// ([`Out::acting`]): one that found nothing to do opens no database.
fn act(command: &Command) -> Option<(&'static str, bool)> {
    Some(match command {
        Command::Mode(args) if args.mode.is_some() && !args.dry_run => ("mode", true),
        Command::Enable(_) => ("enable", true),
        Command::Disable(_) => ("disable", true),
        Command::Exec(_) => ("exec", true),
        Command::Adopt(args) if args.project.is_some() => ("adopt", true),
        Command::Certs(args) => match args.verb {
            Some(CertsVerb::Renew { .. }) => ("certs renew", true),
            Some(CertsVerb::Import { .. }) => ("certs import", true),
            Some(CertsVerb::Delete { .. }) => ("certs delete", true),
            Some(CertsVerb::NewCa(_)) => ("certs new-ca", true),
            Some(CertsVerb::Trust(_)) | None => return None,
        },
        Command::Db(args) => match args.verb.as_ref()? {
            DatabaseVerb::Copy { .. } => ("db copy", true),
            DatabaseVerb::Take => ("db take", true),
        },
        Command::Plan(args) if args.save => ("plan", true),
        Command::Render(args) if !args.check => ("render", false),
        Command::Apply(_) => ("apply", false),
        Command::Prune(args) if !args.dry_run => ("prune", false),
        Command::Up(_) => ("up", false),
        Command::Down(_) => ("down", false),
        Command::Start(_) => ("start", false),
        Command::Stop(_) => ("stop", false),
        Command::Restart(_) => ("restart", false),
        Command::Pull(_) => ("pull", false),
        Command::Update(_) => ("update", false),
        Command::Users(args) => (act_on_people(args.verb.as_ref()?)?, true),
        Command::Tokens(args) => match args.verb {
            TokensVerb::List { .. } => return None,
            TokensVerb::Add { .. } => ("tokens add", true),
            TokensVerb::End { .. } => ("tokens end", true),
        },
        _ => return None,
    })
}

fn act_on_people(verb: &UsersVerb) -> Option<&'static str> {
    Some(match verb {
        UsersVerb::SetupLink => "users setup-link",
        UsersVerb::Add { .. } => "users add",
        UsersVerb::Set { .. } => "users set",
        UsersVerb::Password { .. } => "users password",
        UsersVerb::SecondFactor { .. } => "users second-factor",
        UsersVerb::Passkeys { .. } => "users passkeys",
        UsersVerb::Provider { .. } => "users provider",
        UsersVerb::Sessions { end: true, .. } | UsersVerb::Sessions { one: Some(_), .. } => "users sessions --end",
        UsersVerb::Invitations { end: Some(_) } => "users invitations --end",
        UsersVerb::Delete { .. } => "users delete",
        UsersVerb::Invite { .. } => "users invite",
        UsersVerb::Groups { verb: Some(GroupsVerb::Add { .. }) } => "users groups add",
        UsersVerb::Groups { verb: Some(GroupsVerb::Remove { .. }) } => "users groups remove",
        UsersVerb::Show { .. }
        | UsersVerb::Sessions { .. }
        | UsersVerb::Invitations { end: None }
        | UsersVerb::Groups { verb: None } => return None,
    })
}

/// A command as the audit log has it: as it was typed, without what may be a secret.
fn line(command: &Command, out: &Out) -> String {
    match command {
        // What a program inside is told may hold passwords.
        Command::Exec(args) => {
            let program = args.command.first().map(String::as_str).unwrap_or_default();
            let user = args.user.as_ref().map(|user| format!(" --user {}", quoted(user))).unwrap_or_default();
            let index = if args.index == 1 { String::new() } else { format!(" --index {}", args.index) };
            format!("hearth exec{user}{index} {} {}", quoted(&args.service), quoted(program))
        }
        // Into a copy goes all that is secret in a home: where to is told, but for what a URL may hold before its host and behind its path.
        Command::Db(args) => match &args.verb {
            Some(DatabaseVerb::Copy { to, from }) => {
                let from = from.as_ref().map(|from| format!(" --from {}", quoted(&from.to_string_lossy())));
                let place = to.rsplit('@').next().unwrap_or_default();
                let place = if to.contains("://") { place.split('?').next().unwrap_or_default() } else { place };
                format!("hearth db copy{} --to {}", from.unwrap_or_default(), quoted(place))
            }
            Some(DatabaseVerb::Take) => "hearth db take".to_owned(),
            None => "hearth db".to_owned(),
        },
        _ => crate::stacks::who::command(out),
    }
}

/// Enters what was done into the audit log, where there is a home. It was done all the same where that cannot be.
fn enter(global: &Global, command: &'static str, line: String, code: u8, took: Duration, out: &Out) {
    if !global.files.is_empty() || global.project_directory.is_some() {
        return;
    }
    // A home that cannot be read was told already.
    let Ok(Some(home)) = crate::stacks::Home::find(global.home.as_deref(), &out.cwd) else { return };
    let typed = Typed { who: crate::stacks::who::who(out), command, line, code, took };
    let entered = home.database(&out.environment()).and_then(|location| audit::enter(typed, location));
    if let Err(mut told) = entered {
        told.severity = Severity::Warning;
        out.diagnostic(&told, &Sources::default());
    }
}

/// The directory by the name that the shell knows it by, as Compose's Go does: behind a symbolic link both then write the same
/// paths, and paths are part of hashes and labels.
fn working_directory() -> std::io::Result<std::path::PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let real = std::env::current_dir()?;
    let named = std::env::var_os("PWD").map(std::path::PathBuf::from).filter(|named| named.is_absolute());
    let same = |named: &std::path::PathBuf| {
        let (a, b) = (std::fs::metadata(named).ok()?, std::fs::metadata(&real).ok()?);
        Some((a.dev(), a.ino()) == (b.dev(), b.ino()))
    };
    Ok(named.filter(|named| same(named) == Some(true)).unwrap_or(real))
}

/// Where the database of the home is that a command is about.
fn database(global: &Global, out: &Out) -> Result<crate::store::Location, Failure> {
    let home = crate::stacks::Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    Ok(home.database(&out.environment())?)
}

fn dispatch(cli: Cli, out: &Out) -> crate::cli::Done {
    let global = cli.global;
    let door = crate::proxy::Door;
    match cli.command {
        Command::Init(args) => stacks::home::init(args, out),
        Command::Render(args) => stacks::home::render(&global, args, out),
        Command::Mode(args) => stacks::mode::run(&global, args, &door, out),
        Command::Profiles(args) => stacks::profiles::profiles(&global, args, out),
        Command::Enable(args) => stacks::profiles::toggle(&global, args, true, &door, out),
        Command::Disable(args) => stacks::profiles::toggle(&global, args, false, &door, out),
        Command::Config(args) => stacks::config::run(&global, args, out),
        Command::Plan(args) => stacks::up::plan(&global, args, &door, out),
        Command::Apply(args) => stacks::apply::run(&global, args, &door, out),
        Command::Up(args) => stacks::up::up(&global, args, &door, out),
        Command::Down(args) => stacks::down::run(&global, args, out),
        Command::Start(args) => stacks::lifecycle::start_(&global, args, out),
        Command::Stop(args) => stacks::lifecycle::stop(&global, args, out),
        Command::Restart(args) => stacks::lifecycle::restart(&global, args, out),
        Command::Pull(args) => stacks::lifecycle::pull(&global, args, out),
        Command::Update(args) => stacks::lifecycle::update(&global, args, out),
        Command::Ps(args) => stacks::ps::run(&global, args, out),
        Command::Logs(args) => stacks::logs::run(&global, args, out),
        Command::Exec(args) => stacks::exec::run(&global, args, out),
        Command::Adopt(args) => stacks::adopt::run(&global, args, out),
        Command::Prune(args) => stacks::prune::run(&global, args, out),
        Command::Ls(args) => stacks::ls::run(&global, args, out),
        Command::Routes(args) => crate::proxy::cli::routes::run(&global, args, out),
        Command::Certs(args) => {
            let changes = args.verb.is_some();
            crate::certs::cli::run(&global, args, &door, out)?;
            if changes {
                crate::proxy::cli::refresh(&global, out);
            }
            Ok(())
        }
        Command::Users(args) => crate::auth::cli::users::run(place_of(&global, out)?, args, out),
        Command::Tokens(args) => crate::auth::cli::tokens::run(place_of(&global, out)?, args, out),
        Command::Doctor(args) => crate::doctor::cli::run(&global, args, out),
        Command::History(args) => stacks::history::run(&global, args, out),
        Command::Db(args) => crate::auth::cli::db::run(args, database(&global, out)?, out),
        Command::Audit(args) => audit::run(*args, database(&global, out)?, out),
        Command::Gate(args) => crate::gate::cli::run(args),
        Command::Serve(args) => crate::serve::cli::run(&global, args, out),
        Command::Image(args) => stacks::image::run(args, out),
        Command::Machine => crate::proxy::machine::print(out),
        Command::Example(args) => crate::example::run(args.which.into(), &|name| std::env::var(name).ok()),
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut Cli::command(), "hearth", &mut std::io::stdout());
            Ok(())
        }
        Command::Man => {
            let mut pages = Vec::new();
            let mut cli = Cli::command();
            cli.build();
            // Writing to memory does not fail.
            let _ = clap_mangen::Man::new(cli.clone()).render(&mut pages);
            for command in cli.get_subcommands().filter(|c| !c.is_hide_set()) {
                let name: &'static str = Box::leak(format!("hearth-{}", command.get_name()).into_boxed_str());
                let _ = clap_mangen::Man::new(command.clone().name(name)).render(&mut pages);
            }
            out.bytes(&pages);
            Ok(())
        }
    }
}

/// Where the people of the home are, for a room that knows no home.
fn place_of(global: &Global, out: &Out) -> Result<crate::auth::cli::Place, crate::cli::Failure> {
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let panel = panel_of(&home)?;
    let location = home.database(&out.environment())?;
    let state = home.dir.join("state");
    let unheard = home.config.has_names() && !crate::serve::is_running(&state);
    let routes = crate::proxy::routed(&home);
    Ok(crate::auth::cli::Place { state, location, rules: home.config.people, panel, unheard, routes })
}

/// Where a browser finds the panel, without a slash at its end.
fn panel_of(home: &Home) -> Result<String, crate::diag::Diagnostic> {
    let listen = crate::serve::Settings::of(home, Vec::new(), None).listen;
    let zone = home.zone()?;
    let urls = crate::serve::urls(home, zone.as_deref(), &listen)?;
    // By the domain everybody gets there, where there is one.
    let shown = if zone.is_some() { urls.last() } else { urls.first() };
    Ok(shown.cloned().unwrap_or_default())
}

impl From<Example> for crate::example::Which {
    fn from(which: Example) -> Self {
        match which {
            Example::Web => Self::Web,
            Example::Counter => Self::Counter,
            Example::Check { url } => Self::Check(url),
        }
    }
}
