//! Up, nothing to do, and down again: Hearth and Compose take turns on the same project, and the bare client beside them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hearth::plan::Verb;

use crate::bare;
use crate::engine::settled;
use crate::process;
use crate::project::Shape;
use crate::relay::{Noted, Relay};
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::{self, BOTH, Rig, Who};

/// How many calls at once the bare client sends; its best counts.
const AT_ONCE: [usize; 2] = [8, 32];
/// Most memory for `up` with 100 services.
const MEMORY: f64 = 40.0;

/// What was measured for one project.
#[derive(Default)]
struct Seen {
    up: [Samples; 2],
    down: [Samples; 2],
    nothing: [Samples; 2],
    memory: [Samples; 2],
    bare_up: [Samples; 2],
    bare_down: [Samples; 2],
    /// Percent of a run's time with no engine call open: seen at the socket, and by the walker's own account.
    outside: [Samples; 2],
}

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let relay = Relay::start(rig.path("relay.sock"), &rig.socket)?;
    let mut rows = Vec::new();
    for services in [30, 100] {
        let seen = plain(rig, &relay, services)?;
        rows.extend(rows_of(services, seen));
    }
    rows.extend(with_health(rig)?);
    Ok(rows)
}

fn rows_of(services: usize, seen: Seen) -> Vec<Row> {
    let best = |samples: [Samples; 2]| {
        let [few, many] = samples;
        if few.median() <= many.median() { (AT_ONCE[0], few) } else { (AT_ONCE[1], many) }
    };
    let ((up_at, bare_up), (down_at, bare_down)) = (best(seen.bare_up), best(seen.bare_down));
    let ([up, compose_up], [down, compose_down], [nothing, compose_nothing]) = (seen.up, seen.down, seen.nothing);
    let ([memory, compose_memory], [at_socket, own]) = (seen.memory, seen.outside);
    let mut rows = vec![
        Row::new(
            format!("nothing to do, {services} services"),
            Unit::Seconds,
            nothing,
            compose_nothing,
            Goal::Ratio(0.35),
        ),
        Row::new(format!("cold up, {services} services"), Unit::Seconds, up.clone(), compose_up, Goal::Ratio(1.0)),
        Row::new(format!("cold up, {services}, beside the bare client"), Unit::Seconds, up, bare_up, Goal::None)
            .note(format!("{up_at} calls at once")),
        Row::new(
            format!("cold up, {services}: time with no engine call open"),
            Unit::Percent,
            at_socket,
            Samples::default(),
            Goal::AtMost(5.0),
        )
        .note(format!("seen at the socket; by its own account {:.1} %", own.median())),
        Row::new(format!("down, {services} services"), Unit::Seconds, down.clone(), compose_down, Goal::Ratio(0.85)),
        Row::new(format!("down, {services}, beside the bare client"), Unit::Seconds, down, bare_down, Goal::None)
            .note(format!("{down_at} calls at once")),
    ];
    if services == 100 {
        let own = process::own_peak() as f64 / 1e6;
        rows.push(
            Row::new("memory of up, 100 services", Unit::Megabytes, memory, compose_memory, Goal::AtMost(MEMORY))
                .note(format!("not below {own:.0} MB can be seen")),
        );
    }
    rows
}

fn plain(rig: &Rig, relay: &Relay, services: usize) -> Result<Seen, String> {
    let name = format!("bench-hearth-{services}");
    let file = rig.write(&name, &Shape::of(services).text())?;
    let mut client = rig.client();
    client.clear(&name)?;
    let mut seen = Seen::default();
    for run in 0..rig.runs {
        eprintln!("  {services} services, run {} of {}", run + 1, rig.runs);
        // Who begins changes from run to run.
        for place in 0..2 {
            let who = BOTH[(run + place) % 2];
            turn(rig, who, (&name, &file), services, &mut seen)?;
        }
        for (at_once, (up, down)) in AT_ONCE.iter().zip(seen.bare_up.iter_mut().zip(&mut seen.bare_down)) {
            up.seconds(bare(rig, &file, Verb::Up, *at_once)?);
            client.running(&name, services)?;
            down.seconds(bare(rig, &file, Verb::Down, *at_once)?);
            settled(&mut client, &name)?;
            client.clear_volumes(&name)?;
        }
    }
    for run in 0..rig.runs.min(3) {
        let noted = outside(rig, relay, &file, &mut seen.outside)?;
        if run == 0 {
            explain(&noted);
        }
        client.running(&name, services)?;
        rig.down(Who::Hearth, &file)?;
        settled(&mut client, &name)?;
        client.clear_volumes(&name)?;
    }
    client.clear(&name)?;
    Ok(seen)
}

/// One turn: up, twice nothing to do by each, down.
fn turn(rig: &Rig, who: Who, (name, file): (&str, &Path), services: usize, seen: &mut Seen) -> Result<(), String> {
    let mut client = rig.client();
    let up = rig.up(who, file)?;
    let ids = client.running(name, services)?;
    seen.up[who as usize].seconds(up.wall);
    seen.memory[who as usize].add(up.memory as f64 / 1e6);
    std::thread::sleep(Duration::from_millis(500));
    for idle in [who, other(who), other(who), who] {
        seen.nothing[idle as usize].seconds(rig.up(idle, file)?.wall);
    }
    if client.running(name, services)? != ids {
        return Err(format!("a container of {name} was replaced where there was nothing to do"));
    }
    seen.down[who as usize].seconds(rig.down(who, file)?.wall);
    settled(&mut client, name)?;
    client.clear_volumes(name)
}

fn other(who: Who) -> Who {
    if who == Who::Hearth { Who::Compose } else { Who::Hearth }
}

fn bare(rig: &Rig, file: &Path, verb: Verb, at_once: usize) -> Result<Duration, String> {
    let (plan, image) = rig::plan(rig, file, verb)?;
    bare::send(&plan, at_once, &rig.socket, &image)
}

/// A cold up through the relay: percentages of the whole process's time in which no call was open.
fn outside(rig: &Rig, relay: &Relay, file: &Path, samples: &mut [Samples; 2]) -> Result<Noted, String> {
    relay.take();
    let (mut command, log) = (rig.command(Who::Hearth, file, &relay.socket, &["up", "--json"]), rig.path("log"));
    let wall = process::succeed(&mut command, &log)?.wall.as_secs_f64();
    let noted = relay.take();
    let percent = |busy: f64| 100.0 * (1.0 - busy / wall);
    samples[0].add(percent(noted.busy.as_secs_f64()));
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    let last = said.lines().rev().find_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let own = last.and_then(|line| line["seconds_waited"].as_f64()).ok_or("the result names no seconds_waited")?;
    samples[1].add(percent(own));
    Ok(noted)
}

/// Runs any command through a relay and shows its calls: to see what a row's time is made of.
pub fn calls(engine: &Path, program: &str, words: &[&str]) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let relay = Relay::start(dir.path().join("relay.sock"), engine)?;
    let mut command = Command::new(program);
    command.args(words).env("DOCKER_HOST", format!("unix://{}", relay.socket.display()));
    let wall = process::succeed(&mut command, &dir.path().join("log"))?.wall;
    let noted = relay.take();
    eprintln!(
        "  {:.1} ms, {:.1} ms of it with a call open",
        wall.as_secs_f64() * 1000.0,
        noted.busy.as_secs_f64() * 1000.0
    );
    explain(&noted);
    Ok(())
}

fn explain(noted: &Noted) {
    eprintln!("  its calls, at most {} at once:", noted.most);
    for (kind, tally) in &noted.kinds {
        let each = tally.time.as_secs_f64() * 1000.0 / tally.calls as f64;
        eprintln!("    {:5} x {kind}, {each:.1} ms each", tally.calls);
    }
}

/// Up where services wait for healthy databases: the engine's probes set the pace for both.
fn with_health(rig: &Rig) -> Result<Vec<Row>, String> {
    let services = 30;
    let name = format!("bench-hearth-{services}-health");
    let file = rig.write(&name, &Shape { health: true, ..Shape::of(services) }.text())?;
    let mut client = rig.client();
    client.clear(&name)?;
    let mut samples: [Samples; 2] = Default::default();
    for run in 0..rig.runs {
        for place in 0..2 {
            let who = BOTH[(run + place) % 2];
            samples[who as usize].seconds(rig.up(who, &file)?.wall);
            client.running(&name, services)?;
            rig.down(who, &file)?;
            settled(&mut client, &name)?;
            client.clear_volumes(&name)?;
        }
    }
    client.clear(&name)?;
    let [hearth, compose] = samples;
    let what = format!("cold up, {services} services that wait for health");
    Ok(vec![Row::new(what, Unit::Seconds, hearth, compose, Goal::Ratio(1.0))])
}
