//! `kill -9` at any action of a large apply, with or without an engine restart right after it: the next `up` converges.
//!
//! Thirty services, among them PostgreSQL and Redis with data; every round replaces a dozen of them, adds and removes others, a network and a
//! volume. The kill comes when the engine has done a call and before its answer arrives. `make test` takes each kind of call at its first,
//! middle and last; `make test-crash` every single one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Container, Done, PrivateEngine, Proxy, Scratch, Verdict, cases};

cases![
    alone: a_kill_at_each_kind_of_action_is_mended_by_the_next_up;
    named: a_kill_at_every_single_action_is_mended_by_the_next_up;
];

/// The project of a round: what stays, what is replaced, what only odd or even rounds have.
fn stack(round: usize) -> String {
    let box_ =
        "image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, restart: unless-stopped";
    let well = "healthcheck: { test: [CMD, 'true'], interval: 500ms, retries: 3 }";
    let mut text = format!(
        "services:
  db: {{ image: 'hearth-test/postgres:1', restart: unless-stopped, environment: {{ POSTGRES_PASSWORD: x, ROUND: {round} }}, volumes: ['db:/var/lib/postgresql'],
         healthcheck: {{ test: [CMD, pg_isready, -U, postgres], interval: 500ms, timeout: 3s, retries: 30 }} }}
  cache: {{ image: 'hearth-test/redis:1', restart: unless-stopped, environment: {{ ROUND: {round} }}, volumes: ['cache:/data'],
         healthcheck: {{ test: [CMD, redis-cli, ping], interval: 500ms, timeout: 3s, retries: 30 }} }}
"
    );
    for n in 1..=10 {
        text.push_str(&format!(
            "  app{n}: {{ {box_}, {well}, environment: {{ ROUND: {round} }}, volumes: ['app{n}:/data'], depends_on: {{ db: {{ condition: service_healthy }} }} }}\n"
        ));
    }
    (1..=14).for_each(|n| text.push_str(&format!("  steady{n}: {{ {box_}, {well} }}\n")));
    let which = ["even", "odd"][round % 2];
    for n in 1..=4 {
        text.push_str(&format!("  {which}{n}: {{ {box_}, networks: [net{round}, default], volumes: ['shared{round}:/data'], depends_on: [cache] }}\n"));
    }
    text.push_str(&format!("networks: {{ default: , net{round}: }}\nvolumes: {{ db: , cache: , shared{round}: "));
    (1..=10).for_each(|n| text.push_str(&format!(", app{n}: ")));
    text.push_str("}\n");
    text
}

const UP: &str = "up --remove-orphans --yes";

/// How often each kind of action comes in one round that goes well, which is also run here.
fn kinds_of_a_round(s: &Scratch, round: usize) -> BTreeMap<String, usize> {
    s.stack(&stack(round));
    let proxy = Proxy::new(s.beside(&format!("count{round}.sock")), &s.socket(), |_| Verdict::Pass);
    s.noted(s.hearth_starts(UP, &[("DOCKER_HOST", &proxy.host())])).ok();
    let mut kinds = BTreeMap::new();
    proxy.calls().iter().filter(|call| call.acts()).for_each(|call| *kinds.entry(call.kind()).or_insert(0) += 1);
    kinds
}

/// One round whose hearth is killed when the engine has done the `nth` call of a kind. Whether that call came.
fn killed_round(s: &Scratch, round: usize, kind: &str, nth: usize) -> bool {
    s.stack(&stack(round));
    let (seen, kind) = (Mutex::new(0), kind.to_owned());
    let proxy = Proxy::new(s.beside(&format!("kill{round}.sock")), &s.socket(), move |call| {
        if call.kind() != kind {
            return Verdict::Pass;
        }
        let mut seen = seen.lock().expect("no panic while held");
        *seen += 1;
        if *seen == nth { Verdict::SwallowAnswer } else { Verdict::Pass }
    });
    let (tell, told) = std::sync::mpsc::channel::<i32>();
    proxy.at_end(move || {
        if let Some(pid) = told.recv().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let running = s.hearth_starts(UP, &[("DOCKER_HOST", &proxy.host())]);
    let _ = tell.send(running.pid() as i32);
    s.noted(running).code == -1
}

/// No volume is in two running containers, except those that the stack itself shares.
#[track_caller]
fn never_two_on_one_volume(all: &BTreeMap<String, Container>, when: &str) {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in all.values().filter(|c| c.running()) {
        container.volumes.values().for_each(|volume| users.entry(volume).or_default().push(&container.name));
    }
    users.retain(|volume, names| names.len() > 1 && !volume.contains("_shared"));
    assert!(users.is_empty(), "two on one volume {when}: {users:?}");
}

/// The next `up` ends with exactly what round `round` wants, all healthy, and the data there.
#[track_caller]
fn mended(s: &Scratch, round: usize, story: &str) {
    s.hearth(&format!("{UP} --wait")).ok();
    let all = s.containers();
    let which = ["even", "odd"][round % 2];
    let services = ["db".to_owned(), "cache".to_owned()].into_iter().chain((1..=10).map(|n| format!("app{n}")));
    let services = services.chain((1..=14).map(|n| format!("steady{n}"))).chain((1..=4).map(|n| format!("{which}{n}")));
    let wanted: BTreeSet<String> = services.map(|service| format!("{}-{service}-1", s.project)).collect();
    assert_eq!(wanted, all.keys().cloned().collect(), "the containers, {story}");
    let marker = format!("ROUND={round}");
    for container in all.values() {
        assert!(
            container.running() && ["", "healthy"].contains(&container.health.as_str()),
            "{} is {} {}, {story}",
            container.name,
            container.state,
            container.health
        );
        assert_eq!("unless-stopped", container.restart_policy, "{}, {story}", container.name);
        let rounds: Vec<&String> = container.env.iter().filter(|e| e.starts_with("ROUND=")).collect();
        assert!(rounds.iter().all(|r| **r == marker), "{} is of {rounds:?}, {story}", container.name);
    }
    never_two_on_one_volume(&all, story);
    let volumes = s.volumes();
    for kept in ["db", "cache", "app1", "app10", "shared1"] {
        assert!(volumes.contains(&format!("{}_{kept}", s.project)), "the volume {kept}, {story}");
    }
    // Networks that a stack dropped stay, as with Compose; the engine has room for about thirty.
    let current = format!("{}_net{round}", s.project);
    s.networks().into_iter().filter(|name| name.contains("_net") && *name != current).for_each(|name| {
        s.docker_args(&["network", "rm", &name]).ok();
    });
    let db = format!("{}-db-1", s.project);
    let rows = s.docker_args(&["exec", &db, "psql", "-U", "postgres", "-tAc", "select count(*) from kept"]).ok().out;
    assert_eq!("1000", rows.trim(), "rows in PostgreSQL, {story}");
    let cache = format!("{}-cache-1", s.project);
    assert_eq!("here", s.docker_args(&["exec", &cache, "redis-cli", "get", "kept"]).ok().out.trim(), "{story}");
    s.hearth("plan --check").ok();
}

/// A first round, with data put in; then one round to count, then one for each point that `points` picks of a kind's count.
fn crash_everywhere(s: &Scratch, points: impl Fn(usize) -> Vec<usize>) -> Done {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    s.stack(&stack(1));
    s.hearth("up --wait").ok();
    let (db, cache) = (format!("{}-db-1", s.project), format!("{}-cache-1", s.project));
    s.docker_args(&[
        "exec",
        &db,
        "psql",
        "-U",
        "postgres",
        "-c",
        "create table kept as select generate_series(1, 1000)",
    ])
    .ok();
    s.docker_args(&["exec", &cache, "redis-cli", "set", "kept", "here"]).ok();
    s.docker_args(&["exec", &cache, "redis-cli", "save"]).ok();
    let mut round = 2;
    let kinds = kinds_of_a_round(s, round);
    mended(s, round, "after the round that is counted");
    let kills: Vec<(String, usize)> =
        kinds.iter().flat_map(|(kind, count)| points(*count).into_iter().map(|nth| (kind.clone(), nth))).collect();
    println!(
        "    {} actions of {} kinds; killed at {} of them",
        kinds.values().sum::<usize>(),
        kinds.len(),
        kills.len()
    );
    for (n, (kind, nth)) in kills.iter().enumerate() {
        round += 1;
        let restarted = n % 2 == 1;
        let story = format!(
            "killed at {kind} number {nth}{} (round {round})",
            if restarted { " and the engine restarted" } else { "" }
        );
        let killed = killed_round(s, round, kind, *nth);
        never_two_on_one_volume(&s.containers(), &story);
        if restarted {
            engine.stop();
            engine.start();
            never_two_on_one_volume(&s.containers(), &story);
        }
        mended(s, round, &story);
        println!("    {story}: {}", if killed { "mended" } else { "this call did not come in this round" });
    }
    Ok(())
}

fn a_kill_at_each_kind_of_action_is_mended_by_the_next_up(s: &Scratch) -> Done {
    crash_everywhere(s, |count| BTreeSet::from([1, count.div_ceil(2), count]).into_iter().collect())
}

fn a_kill_at_every_single_action_is_mended_by_the_next_up(s: &Scratch) -> Done {
    crash_everywhere(s, |count| (1..=count).collect())
}
