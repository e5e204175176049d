//! `make bench`: how fast Hearth is, beside Docker Compose on the same engine in the same run, with a goal for each row.
//!
//! A benchmark target of cargo's without its harness: what is measured are whole processes and an engine's state, in turns,
//! which no statistics of small functions fits; and as such a target it is built in release with the binary it runs.
//! One file a subject: [`config`], [`load`], [`turns`], [`change`], [`gate`], [`login`], [`render`],
//! [`serving`], [`front`], [`through`], [`audit`], [`people`], [`panel`]. Ends with 1 where a goal is missed.
//! `cargo bench --bench table -- --calls PROGRAM WORD...` shows the engine calls of one command.

// A clock and child processes are what this program is about.
#![allow(clippy::disallowed_methods)]

mod audit;
mod bare;
mod change;
mod client;
mod config;
mod engine;
mod front;
mod gate;
mod home;
mod http;
mod load;
mod login;
mod panel;
mod people;
mod process;
mod project;
mod relay;
mod render;
mod report;
mod rig;
mod serving;
mod through;
mod turns;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use report::Row;
use rig::Rig;

const USAGE: &str = "usage: make bench [ROWS=config,load,turns,change,gate,login,render,serving,front,through,audit,people,panel] [RUNS=5]";

type Subject = fn(&Rig) -> Result<Vec<Row>, String>;
const SUBJECTS: [(&str, Subject); 13] = [
    ("config", config::rows),
    ("load", load::rows),
    ("turns", turns::rows),
    ("change", change::rows),
    ("gate", gate::rows),
    ("login", login::rows),
    ("render", render::rows),
    ("serving", serving::rows),
    ("front", front::rows),
    ("through", through::rows),
    ("audit", audit::rows),
    ("people", people::rows),
    ("panel", panel::rows),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let by_cargo_bench = words.iter().any(|word| word == "--bench");
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--bench").collect();
    let done = match words[..] {
        ["--load", file, runs] => load::child(Path::new(file), runs.parse().unwrap_or(5)).map(|()| true),
        ["--ask", address] => change::ask(address),
        ["--serve"] => through::serve(),
        ["--flood"] => people::child(),
        ["--answer"] => change::answer().map(|()| true),
        ["--calls", program, ref words @ ..] => {
            turns::calls(&socket().unwrap_or_default(), program, words).map(|()| true)
        }
        // `cargo test --all-targets` runs this too: only `cargo bench` measures.
        _ if !by_cargo_bench => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => bench(&words),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Measures what `words` name; whether every goal was met.
fn bench(words: &[&str]) -> Result<bool, String> {
    let (mut rows, mut runs) = (SUBJECTS.map(|(name, _)| name).to_vec(), 5);
    for word in words {
        match word.split_once('=') {
            Some(("rows", "")) | Some(("runs", "")) => {}
            Some(("rows", list)) => rows = list.split(',').collect(),
            Some(("runs", n)) => runs = n.parse().ok().filter(|n| *n > 0).ok_or(USAGE)?,
            _ => return Err(format!("{word}: {USAGE}")),
        }
    }
    if let Some(unknown) = rows.iter().find(|row| !SUBJECTS.iter().any(|(name, _)| name == *row)) {
        return Err(format!("no rows are called {unknown}; {USAGE}"));
    }
    let rig = Rig::new(runs, socket()?)?;
    let mut client = rig.client();
    let version = client.get("/version").map_err(|e| format!("no Docker Engine answers: {e}"))?;
    client.image()?;
    let compose = Command::new(&rig.compose).args(["version", "--short"]).output().map_err(|e| e.to_string())?;
    let before = report::load();
    let (mut table, mut broken) = (Vec::new(), Vec::new());
    for (name, subject) in SUBJECTS.iter().filter(|(name, _)| rows.contains(name)) {
        eprintln!("{name}");
        match subject(&rig) {
            Ok(rows) => table.extend(rows),
            // What the others measured is told all the same.
            Err(why) => broken.push(format!("{name}: {why}")),
        }
    }
    println!("{}\n", report::machine(&version, String::from_utf8_lossy(&compose.stdout).trim(), runs));
    print!("{}", report::table(&table));
    println!("\nLoad of the machine before and after: {before:.1}, {:.1}.", report::load());
    let missed = table.iter().filter(|row| !row.met()).count();
    println!(
        "{}",
        if missed == 0 { "Every goal that was measured is met.".into() } else { format!("{missed} goals are missed.") }
    );
    let skipped = table.iter().filter(|row| row.skipped).count();
    if skipped > 0 {
        println!("{skipped} rows were skipped; each says why.");
    }
    if broken.is_empty() { Ok(missed == 0) } else { Err(broken.join("\n")) }
}

/// The engine of this machine: `DOCKER_HOST` where it names a socket, else the usual one. An engine elsewhere would measure the network.
fn socket() -> Result<PathBuf, String> {
    match std::env::var("DOCKER_HOST") {
        Err(_) => Ok("/var/run/docker.sock".into()),
        Ok(host) if host.is_empty() => Ok("/var/run/docker.sock".into()),
        Ok(host) => host.strip_prefix("unix://").map(PathBuf::from).ok_or_else(|| {
            format!("DOCKER_HOST is {host}: only an engine on a socket of this machine can be measured")
        }),
    }
}
