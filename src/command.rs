//! From a parsed command line to the room that does it, and back to an exit code.

use clap::{CommandFactory, Parser};

use crate::args::*;
use crate::cli::{Failure, Out};
use crate::diag::Sources;
use crate::stacks::cli as stacks;

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
    let done = crate::cli::owner::take_on().map_err(Failure::from).and_then(|()| dispatch(cli, &out));
    match done {
        Ok(()) => 0,
        Err(Failure::Code(code)) => code,
        Err(Failure::Told(diagnostics)) => {
            let sources = Sources::default();
            diagnostics.0.iter().for_each(|d| out.diagnostic(d, &sources));
            diagnostics.exit_code()
        }
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
        Command::Doctor(args) => crate::doctor::cli::run(&global, args, out),
        Command::History(args) => stacks::history::run(&global, args, out),
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

impl From<Example> for crate::example::Which {
    fn from(which: Example) -> Self {
        match which {
            Example::Web => Self::Web,
            Example::Counter => Self::Counter,
            Example::Check { url } => Self::Check(url),
        }
    }
}
