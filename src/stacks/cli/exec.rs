//! `hearth exec`: a program in a running container, with the terminal or without.

use std::io::{IsTerminal, Read, Write};

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{SignalKind, signal};

use super::ps;
use super::{deciding, start};
use crate::args::{Exec, Global};
use crate::cli::terminal::{self, Raw};
use crate::cli::{Done, Failure, Out};
use crate::diag::{Diagnostic, Kind};
use crate::engine::Host;
use crate::engine::streams::{ExecRequest, ExecSession, Output};
use crate::plan::observed::{Container, Observed, State};
use crate::plan::request;
use crate::stacks::session::Session;
use crate::stacks::{Loading, Target};

pub fn run(global: &Global, args: Exec, out: &Out) -> Done {
    let target = Target::find(global, out)?;
    start(async {
        let session = Session::open_quietly(&target, &Loading::whole(), out).await?;
        let look = session.look().await?;
        deciding::known_services(&session, &look.observed.containers, std::slice::from_ref(&args.service))?;
        let container = find(&look.observed, &args.service, args.index)?;
        let engine = out.engine().await?;
        let tty = !args.no_tty && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let size = terminal::size().map_or((24, 80), |(columns, rows)| (rows, columns));
        let request = ExecRequest {
            command: args.command,
            user: args.user.unwrap_or_default(),
            working_dir: args.workdir.unwrap_or_default(),
            environment: environment(&args.env, |name| target.given.environment.get(name).cloned()),
            privileged: false,
            tty: tty.then_some(size),
            stdin: true,
        };
        let running = engine.exec(&container.id, &request).await?;
        let id = running.id.clone();
        let interrupted = converse(engine.as_ref(), running, tty).await?;
        if interrupted {
            return Err(Failure::Code(Kind::Interrupted.exit_code()));
        }
        match engine.exit_code(&id).await? {
            0 => Ok(()),
            code => Err(Failure::Code(u8::try_from(code).unwrap_or(1).max(1))),
        }
    })
}

/// The running container of a service with this number.
fn find<'o>(observed: &'o Observed, service: &str, index: u32) -> Result<&'o Container, Diagnostic> {
    let number = |c: &Container| c.labels.get(request::NUMBER).and_then(|n| n.parse::<u32>().ok());
    let mut of_service = observed.containers.iter().filter(|c| ps::service(c) == service);
    let Some(found) = of_service.clone().find(|c| number(c) == Some(index)).or_else(|| {
        // Numbers may begin anywhere after replicas were removed: the first is whatever is lowest.
        of_service.clone().filter(|_| index == 1).min_by_key(|c| number(c).unwrap_or(u32::MAX))
    }) else {
        let d = Diagnostic::error("stacks.not-running", format!("the service `{service}` has no container {index}"));
        let hint = match of_service.next() {
            Some(_) => "see which there are: hearth ps -a",
            None => "start it with: hearth up",
        };
        return Err(d.kind(Kind::NotFound).hint(hint));
    };
    if found.state != State::Running {
        let title = format!("{} does not run: it is {}", found.name, ps::state(found).1);
        return Err(Diagnostic::error("stacks.not-running", title)
            .kind(Kind::Conflict)
            .hint("start it with: hearth up"));
    }
    Ok(found)
}

/// `NAME=value` as given; a bare `NAME` takes its value from this process.
fn environment(given: &[String], of_process: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let one = |text: &String| match text.contains('=') {
        true => Some(text.clone()),
        false => of_process(text).map(|value| format!("{text}={value}")),
    };
    given.iter().filter_map(one).collect()
}

/// Copies both ways until the program ends. `true` when a signal ended it.
async fn converse(engine: &dyn Host, running: ExecSession, tty: bool) -> Result<bool, Failure> {
    let told = |e: std::io::Error| {
        Failure::from(
            Diagnostic::error("cli.no-terminal", format!("the terminal cannot be used ({e})")).kind(Kind::Failed),
        )
    };
    let raw = if tty { Raw::enter().map_err(told)? } else { None };
    let mut resized = signal(SignalKind::window_change()).map_err(told)?;
    let mut ended = signal(SignalKind::terminate()).map_err(told)?;
    let ExecSession { id, mut output, mut input } = running;
    let mut typed = keyboard();
    let mut open = true;
    loop {
        tokio::select! {
            piece = output.next() => match piece {
                Some(piece) => print(&piece?),
                None => break,
            },
            read = typed.recv(), if open => match read {
                Some(bytes) => open = input.write_all(&bytes).await.is_ok() && input.flush().await.is_ok(),
                None => {
                    open = false;
                    // What is closed already needs no closing.
                    let _ = input.shutdown().await;
                }
            },
            _ = resized.recv(), if tty => {
                if let Some((columns, rows)) = terminal::size() {
                    engine.resize(&id, rows, columns).await?;
                }
            }
            _ = ended.recv() => {
                drop(raw);
                return Ok(true);
            }
        }
    }
    drop(raw);
    Ok(false)
}

/// What comes on standard input, read on a thread of its own: such a read cannot be taken back, and must not hold the
/// end of the program.
fn keyboard() -> tokio::sync::mpsc::Receiver<Vec<u8>> {
    let (send, receive) = tokio::sync::mpsc::channel(4);
    std::thread::spawn(move || {
        let mut bytes = [0u8; 8192];
        let mut stdin = std::io::stdin().lock();
        while let Ok(n) = stdin.read(&mut bytes) {
            if n == 0 || send.blocking_send(bytes[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    receive
}

fn print(piece: &Output) {
    // A reader that is gone does not stop the program.
    if piece.stderr {
        let _ = std::io::stderr().write_all(&piece.bytes);
    } else {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(&piece.bytes).and_then(|()| stdout.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(number: &str, state: State) -> Container {
        let labels = [(request::SERVICE, "web"), (request::NUMBER, number)];
        let labels = labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Container { id: number.into(), name: format!("p-web-{number}"), labels, state, ..Container::default() }
    }

    #[test]
    fn the_container_is_found_by_number_and_must_run() {
        let observed = |containers| Observed { containers, ..Observed::default() };
        let two = observed(vec![container("2", State::Running), container("3", State::Exited)]);
        assert_eq!(find(&two, "web", 1).unwrap().id, "2");
        assert_eq!(find(&two, "web", 2).unwrap().id, "2");
        assert_eq!(find(&two, "web", 3).unwrap_err().kind, Kind::Conflict);
        assert_eq!(find(&two, "web", 4).unwrap_err().kind, Kind::NotFound);
        assert_eq!(find(&observed(Vec::new()), "web", 1).unwrap_err().kind, Kind::NotFound);
    }

    #[test]
    fn a_bare_name_takes_its_value_from_here() {
        let of = |name: &str| (name == "TZ").then(|| "UTC".to_string());
        assert_eq!(environment(&["A=1".into(), "TZ".into(), "NONE".into()], of), ["A=1", "TZ=UTC"]);
    }
}
