//! The rig: runs cases, several at once, each with a scratch project that is cleaned up whatever happens.
//!
//! It is a harness of its own (`harness = false`) so that a test which needs something that is not here is *counted* as skipped, with its
//! reason, instead of passing; and so that the commands of a failed test are shown. A case that no list names is dead code, which clippy refuses.

mod authenticator;
mod browser;
mod command;
pub mod described;
mod disk;
mod docker;
mod door;
pub mod echo;
mod elsewhere;
mod faults;
mod front;
mod gate;
mod leftovers;
mod panel;
mod pebble;
mod plain;
mod ports;
mod private_engine;
mod provider;
mod proxy;
mod range;
mod relay;
mod scratch;
pub mod tls;
mod traefik;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub use authenticator::Authenticator;
pub use browser::{Browser, blind_to_networks, chromium};
pub use command::{Ran, Running};
pub use disk::Disk;
pub use docker::Container;
pub use door::{
    DOMAIN, Door, HEARTH, Page, Serve, curl, image as image_of_hearth, own_certificate, page, quiet_curl,
    traefik_is_here,
};
pub use echo::Echo;
pub use elsewhere::{Elsewhere, curl_in_container};
pub use faults::{SetClock, Unannounced};
pub use front::{Asked, Front, Reply, TestCa};
pub use gate::{Gate, Heard};
pub use panel::{PASSWORD, Panel, own_name, set_up, setup_link};
pub use pebble::{Knot, Like, Pebble};
pub use plain::{Answer, ask, get};
pub use ports::free_port;
pub use private_engine::PrivateEngine;
pub use provider::Provider;
pub use proxy::{Proxy, Verdict};
pub use relay::Relay;
pub use scratch::{Scratch, repository, scanner, script_with, until};
pub use traefik::Traefik;
pub use watch::Watch;

/// Why a case could not be judged here. It is counted and shown; it is never a pass.
pub struct Skip(pub String);

pub type Done = Result<(), Skip>;

#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// Beside others.
    Together,
    /// With nothing else running: it measures time, or restarts an engine.
    Alone,
    /// Only where its name is given: it takes many minutes.
    Named,
}

pub struct Case {
    pub name: &'static str,
    pub run: fn(&Scratch) -> Done,
    pub mode: Mode,
}

/// `cases![together: one, two; alone: three]` makes the list `CASES` of a file.
macro_rules! cases {
    (@mode together) => { crate::rig::Mode::Together };
    (@mode alone) => { crate::rig::Mode::Alone };
    (@mode named) => { crate::rig::Mode::Named };
    ($($mode:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
        pub const CASES: &[crate::rig::Case] = &[$($(
            crate::rig::Case { name: stringify!($name), run: $name, mode: crate::rig::cases!(@mode $mode) },
        )+)+];
    };
}
pub(crate) use cases;

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the cases that the command line names (parts of names; none means all but the `Named` ones) as libtest would, and reports as it does.
pub fn main(files: &[(&str, &[Case])]) -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(echo::WORD) {
        Echo::be();
    }
    let filters: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let all =
        files.iter().flat_map(|(file, cases)| cases.iter().map(move |case| (format!("{file}::{}", case.name), case)));
    let wanted: Vec<(String, &Case)> = all
        .filter(|(name, case)| match filters.is_empty() {
            true => case.mode != Mode::Named,
            false => {
                filters.iter().any(|f| name.contains(f.as_str()))
                    && (case.mode != Mode::Named || filters.iter().any(|f| name.ends_with(f.as_str())))
            }
        })
        .collect();
    if std::env::args().any(|a| a == "--list") {
        wanted.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} live tests", wanted.len());
    std::panic::set_hook(Box::new(scratch::note_panic));
    let missing = scratch::missing_engine();
    if missing.is_none() {
        leftovers::sweep();
    }
    let tally = Mutex::new(Tally::default());
    let began = Instant::now();
    let (alone, together): (Vec<_>, Vec<_>) = wanted.iter().partition(|(_, case)| case.mode != Mode::Together);
    run_all(&together, threads(), &missing, &tally);
    run_all(&alone, 1, &missing, &tally);
    let Tally { passed, failed, skipped } = *tally.lock().expect("no case holds the tally");
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let took = began.elapsed().as_secs_f32();
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; 0 filtered out; finished in {took:.2}s\n"
    );
    ExitCode::from(u8::from(failed > 0))
}

fn threads() -> usize {
    std::env::var("HEARTH_TEST_THREADS").ok().and_then(|n| n.parse().ok()).unwrap_or(4)
}

fn run_all(cases: &[&(String, &Case)], threads: usize, missing: &Option<String>, tally: &Mutex<Tally>) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(cases.len()) {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run_one(name, case, missing, tally);
                }
            });
        }
    });
}

fn run_one(name: &str, case: &Case, missing: &Option<String>, tally: &Mutex<Tally>) {
    let began = Instant::now();
    let result = match missing {
        Some(reason) => Ok(Err(Skip(reason.clone()))),
        None => {
            let scratch = Scratch::new(name);
            let result = catch_unwind(AssertUnwindSafe(|| (case.run)(&scratch)));
            let story = scratch.finish();
            result.map_err(|_| format!("{}\n{story}", scratch::take_panic()))
        }
    };
    let took = began.elapsed().as_secs_f32();
    let mut tally = tally.lock().expect("no case holds the tally");
    match result {
        Ok(Ok(())) => {
            tally.passed += 1;
            println!("test {name} ... ok ({took:.1} s)");
        }
        Ok(Err(Skip(reason))) if std::env::var_os("CI").is_some() && missing.is_some() => {
            tally.failed += 1;
            println!("test {name} ... FAILED\n    {reason}");
        }
        Ok(Err(Skip(reason))) => {
            tally.skipped += 1;
            println!("test {name} ... ignored, {reason}");
        }
        Err(story) => {
            tally.failed += 1;
            println!("test {name} ... FAILED\n---- {name}, after {took:.1} s ----\n{story}----");
        }
    }
}
