//! `hearth logs`: what the containers wrote, interleaved by time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::time::Duration;

use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use time::OffsetDateTime;
use unicode_width::UnicodeWidthStr;

use super::{deciding, ps, start};
use crate::args::{Global, Logs};
use crate::base::clock::{self, Clock, SystemClock};
use crate::cli::{Done, Failure, Out};
use crate::compose::short::size;
use crate::diag::Diagnostic;
use crate::diag::text::visible;
use crate::engine::streams::{LogLine, LogOptions};
use crate::engine::{EngineError, Host};
use crate::plan::observed::{Container, State};
use crate::stacks::session::Session;
use crate::stacks::{Loading, Target};

type Line = Result<LogLine, EngineError>;

pub fn run(global: &Global, args: Logs, out: &Out) -> Done {
    let target = Target::find(global, out)?;
    let options = LogOptions {
        follow: false,
        tail: tail(&args.tail)?,
        since: args.since.as_deref().map(|when| since(when, SystemClock.now())).transpose()?,
        until: None,
        timestamps: true,
    };
    start(async {
        let session = Session::open_quietly(&target, &Loading::whole(), out).await?;
        let engine = out.engine().await?;
        let mut containers = of_services(&session, &args.services).await?;
        let mut printer = Printer::new(&args, out, &session.wanted.project);
        printer.know(&containers);
        let mut seen = backlog(engine.as_ref(), &containers, &options, &mut printer).await?;
        if !args.follow {
            return Ok(());
        }
        // Containers that come later, or again, are taken in: a look a second costs the engine nothing to speak of.
        let mut live: SelectAll<BoxStream<'static, (String, Option<Line>)>> = SelectAll::new();
        let mut attached: BTreeSet<String> = BTreeSet::new();
        loop {
            for container in containers.iter().filter(|c| runs(c)) {
                if attached.insert(container.id.clone()) {
                    live.push(follow(engine.as_ref(), container, seen.get(&container.id)).await?);
                }
            }
            if attached.is_empty() {
                return Ok(());
            }
            let pause = tokio::time::sleep(Duration::from_secs(1));
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    Some((id, line)) = live.next() => match line {
                        None => {
                            attached.remove(&id);
                        }
                        Some(line) => {
                            let line = line?;
                            if line.at > seen.get(&id).cloned().flatten() {
                                printer.print(&id, &line);
                                printer.flush();
                                seen.insert(id, line.at);
                            }
                        }
                    },
                }
            }
            containers = of_services(&session, &args.services).await?;
            printer.know(&containers);
        }
    })
}

fn runs(c: &Container) -> bool {
    matches!(c.state, State::Running | State::Paused | State::Restarting)
}

async fn of_services(session: &Session<'_>, services: &[String]) -> Result<Vec<Container>, Failure> {
    let containers = session.containers().await?;
    deciding::known_services(session, &containers, services)?;
    let named = |c: &Container| services.is_empty() || services.iter().any(|name| name == ps::service(c));
    Ok(containers.into_iter().filter(named).collect())
}

/// Everything written so far, in order of time. Gives the time of each container's last line.
async fn backlog(
    engine: &dyn Host,
    containers: &[Container],
    options: &LogOptions,
    printer: &mut Printer<'_>,
) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut logs = Vec::new();
    for container in containers {
        logs.push((container.id.clone(), engine.logs(&container.id, options).await?));
    }
    let mut seen = BTreeMap::new();
    // The next line of each, by time: the earliest is printed, and its log gives its next.
    let mut heads: BTreeSet<(Option<String>, usize)> = BTreeSet::new();
    let mut lines: Vec<Option<LogLine>> = Vec::new();
    for (i, (_, log)) in logs.iter_mut().enumerate() {
        let line = log.next().await.transpose()?;
        heads.extend(line.as_ref().map(|line| (line.at.clone(), i)));
        lines.push(line);
    }
    while let Some((_, i)) = heads.pop_first() {
        let next = logs[i].1.next().await.transpose()?;
        if let Some(line) = std::mem::replace(&mut lines[i], next) {
            printer.print(&logs[i].0, &line);
            seen.insert(logs[i].0.clone(), line.at);
        }
        heads.extend(lines[i].as_ref().map(|line| (line.at.clone(), i)));
    }
    printer.flush();
    Ok(seen)
}

/// The lines of one container after `last`; the end of its log is told as `None`.
async fn follow(
    engine: &dyn Host,
    container: &Container,
    last: Option<&Option<String>>,
) -> Result<BoxStream<'static, (String, Option<Line>)>, Failure> {
    let after = last.cloned().flatten().and_then(|at| clock::parse(&at));
    let options = LogOptions { follow: true, since: after.map(unix), timestamps: true, ..LogOptions::default() };
    let lines = engine.logs(&container.id, &options).await?;
    let (id, end) = (container.id.clone(), container.id.clone());
    let lines = lines.map(move |line| (id.clone(), Some(line)));
    Ok(lines.chain(futures_util::stream::once(async move { (end, None) })).boxed())
}

fn unix(at: OffsetDateTime) -> String {
    format!("{}.{:09}", at.unix_timestamp(), at.nanosecond())
}

pub fn tail(text: &str) -> Result<Option<u64>, Diagnostic> {
    if text == "all" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        Diagnostic::error("cli.bad-value", format!("`{text}` is no number of lines")).hint("-n takes a number, or all")
    })
}

/// A moment as RFC 3339, as Unix seconds, or as long ago as `10m` or `1h30m`.
pub fn since(text: &str, now: OffsetDateTime) -> Result<String, Diagnostic> {
    if let Some(at) = clock::moment(text) {
        // Nothing was written before there were containers, and to the Engine some of those years are no time.
        return Ok(unix(at.max(OffsetDateTime::UNIX_EPOCH)));
    }
    if text.parse::<f64>().is_ok() {
        return Ok(text.to_string());
    }
    size::duration(text).map(|ago| unix(now - ago.as_std())).map_err(|_| {
        Diagnostic::error("cli.bad-value", format!("`{text}` is no time"))
            .hint("--since takes 10m, 1h30m, or a moment as 2026-11-24T12:00:00Z")
    })
}

/// Prints lines behind their container's name, each service in its colour.
struct Printer<'o> {
    out: &'o Out,
    /// Escape sequences other than colours are for data, not for a terminal.
    terminal: bool,
    prefix: bool,
    timestamps: bool,
    project: String,
    /// Name and colour of each container.
    names: BTreeMap<String, (String, u8)>,
    services: Vec<String>,
    width: usize,
    buffer: Vec<u8>,
}

const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 96];

impl<'o> Printer<'o> {
    fn new(args: &Logs, out: &'o Out, project: &str) -> Printer<'o> {
        Printer {
            out,
            terminal: std::io::stdout().is_terminal(),
            prefix: !args.no_log_prefix,
            timestamps: args.timestamps,
            project: format!("{project}-"),
            names: BTreeMap::new(),
            services: Vec::new(),
            width: 0,
            buffer: Vec::new(),
        }
    }

    fn know(&mut self, containers: &[Container]) {
        for container in containers {
            let service = ps::service(container).to_string();
            let place = self.services.iter().position(|s| *s == service).unwrap_or_else(|| {
                self.services.push(service);
                self.services.len() - 1
            });
            let name = visible(container.name.strip_prefix(&self.project).unwrap_or(&container.name));
            self.width = self.width.max(name.width());
            self.names.insert(container.id.clone(), (name, COLOURS[place % COLOURS.len()]));
        }
    }

    fn print(&mut self, id: &str, line: &LogLine) {
        if let Some((name, colour)) = self.names.get(id).filter(|_| self.prefix) {
            let pad = " ".repeat(self.width.saturating_sub(name.width()));
            let prefix = match self.out.color {
                true => format!("\x1b[{colour}m{name}{pad}  |\x1b[0m "),
                false => format!("{name}{pad}  | "),
            };
            self.buffer.extend(prefix.as_bytes());
        }
        if let Some(at) = line.at.as_ref().filter(|_| self.timestamps) {
            self.buffer.extend(at.as_bytes());
            self.buffer.push(b' ');
        }
        match self.terminal {
            true => self.buffer.extend(harmless(&String::from_utf8_lossy(&line.text), self.out.color).as_bytes()),
            false => self.buffer.extend(&line.text),
        }
        self.buffer.push(b'\n');
        if self.buffer.len() > 64 * 1024 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.out.bytes(&self.buffer);
        self.buffer.clear();
    }
}

/// A line for a terminal: colours stay where colour is wanted, everything else that would move the cursor is shown.
fn harmless(line: &str, colour: bool) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line.trim_end_matches('\r');
    let mut coloured = false;
    while let Some(at) = rest.find("\x1b[") {
        shown.push_str(&visible(&rest[..at]));
        let code = &rest[at + 2..];
        let end = code.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(code.len());
        if code[end..].starts_with('m') {
            if colour {
                shown.push_str(&rest[at..at + 2 + end + 1]);
                coloured = true;
            }
            rest = &code[end + 1..];
        } else {
            shown.push_str("\\u{1b}[");
            rest = code;
        }
    }
    shown.push_str(&visible(rest));
    if coloured {
        shown.push_str("\x1b[0m");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cannot_move_the_cursor() {
        assert_eq!(harmless("a\x1b[31mred\x1b[0m\x1b[2Jb", true), "a\x1b[31mred\x1b[0m\\u{1b}[2Jb\x1b[0m");
        assert_eq!(harmless("a\x1b[31mred\x1b]0;title\x07", false), "ared\\u{1b}]0;title\\u{7}");
    }

    #[test]
    fn times_and_numbers_are_read_or_told() {
        let now = clock::parse("2026-11-24T12:00:00Z").unwrap();
        assert_eq!(since("1h30m", now).unwrap(), unix(clock::parse("2026-11-24T10:30:00Z").unwrap()));
        assert_eq!(since("2026-11-24T12:00:00.5Z", now).unwrap(), "1795521600.500000000");
        for early in
            ["0000-01-01T00:00:00Z", "0001-12-31t23:59:59.9z", "0000-01-01T00:00:00+23:59", "1969-12-31T23:59:59Z"]
        {
            assert_eq!(since(early, now).unwrap(), "0.000000000", "{early}");
        }
        assert!(since("9999-12-31T23:59:59-23:59", now).is_ok());
        assert!(since("yesterday", now).is_err());
        assert_eq!(tail("all").unwrap(), None);
        assert_eq!(tail("5").unwrap(), Some(5));
        assert!(tail("-1").is_err());
    }
}
