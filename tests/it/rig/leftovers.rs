//! What earlier runs left: one that was killed has cleaned nothing up, and its containers start again with the engine.

use std::collections::BTreeSet;
use std::path::Path;

use super::Scratch;

/// Removes from the machine's engine what test runs made that are no more. Of an engine elsewhere nobody here knows which runs go on.
pub fn sweep() {
    if std::env::var("DOCKER_HOST").is_ok_and(|host| !host.starts_with("unix://")) {
        return;
    }
    let s = Scratch::new("what earlier runs left");
    let names = [
        s.machine_docker(&["ps", "-a", "--filter", "name=it-", "--format", "{{.Names}}"]).out,
        s.machine_docker(&["network", "ls", "--filter", "name=it-", "--format", "{{.Name}}"]).out,
        s.machine_docker(&["volume", "ls", "--filter", "name=it-", "--format", "{{.Name}}"]).out,
    ];
    let runs: BTreeSet<&str> = names.iter().flat_map(|all| all.lines()).filter_map(run_of).collect();
    for run in runs.into_iter().filter(|run| !goes_on(run)) {
        println!("removes what the run {run} left");
        remove(&s, &format!("name=it-{run}-"));
    }
    // What looked at the machine for a test's home is called nothing; the home's next server would remove it.
    let looks = ["ps", "-a", "--filter", "label=hearth.look", "--format", "{{.ID}} {{.Label \"hearth.look\"}}"];
    for (id, home) in s.machine_docker(&looks).out.lines().filter_map(|line| line.split_once(' ')) {
        if home.contains("/hearth-it-") && !Path::new(home).exists() {
            s.machine_docker(&["rm", "-f", id]);
        }
    }
}

/// The process that made something of this name: `it-<process>-<number>`, perhaps below another name.
fn run_of(name: &str) -> Option<&str> {
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let mut rest = name.split("it-").nth(1)?.split(['-', '_']);
    let (run, number) = (rest.next()?, rest.next()?);
    (digits(run) && digits(number)).then_some(run)
}

/// Whether a process of this number is a test run (the number may be another program's by now).
fn goes_on(run: &str) -> bool {
    let program = std::fs::read_link(Path::new("/proc").join(run).join("exe")).unwrap_or_default();
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("it-"))
}

/// Removes containers, networks and volumes that a filter of `docker ls` names.
fn remove(s: &Scratch, filter: &str) {
    let all = |list: &[&str]| s.machine_docker(&[list, &["--filter", filter]].concat()).out;
    let and_remove = |command: &[&str], found: &str| {
        let found: Vec<&str> = found.split_whitespace().collect();
        if !found.is_empty() {
            s.machine_docker(&[command, found.as_slice()].concat());
        }
    };
    and_remove(&["rm", "-fv"], &all(&["ps", "-aq"]));
    and_remove(&["network", "rm"], &all(&["network", "ls", "-q"]));
    and_remove(&["volume", "rm"], &all(&["volume", "ls", "-q"]));
}
