//! Plans as text: each file of `tests/plan` is a command line, a stack, an observed world and the plan that follows.
//!
//! The parts are divided by lines of `----------`; `tests/plan/world.rs` says what a world can hold. With `UPDATE=1` the
//! expected texts are written anew. Every plan is also checked (`plan::check`), planned again from shuffled input, and
//! searched for secrets.

#[path = "plan/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hearth::plan::{self, Plan, check, json, text};
use world::Case;

const RULE: &str = "----------";
/// Texts that stand for secrets in cases: none may appear in a plan.
const SECRET: &str = "s3cr3t";

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "case"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_plans_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for path in cases.iter().filter(|p| p.to_string_lossy().contains(&only)) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let written = std::fs::read_to_string(path).unwrap();
        let parts: Vec<&str> = written.split(&format!("\n{RULE}\n")).collect();
        assert!(parts.len() >= 3, "{name}: command and stack, world, plan, divided by {RULE}");
        let case = Case::read(&name, parts[0], parts[1]);
        let plan = case.plan();
        let got = case.show(&plan);
        let mut complaints = complaints(&case, &plan);
        if update {
            std::fs::write(path, format!("{}\n{RULE}\n{}\n{RULE}\n{got}", parts[0], parts[1])).unwrap();
        } else if parts[2] != got {
            complaints.push(format!("planned\n{got}\nexpected\n{}", parts[2]));
        }
        wrong.extend(complaints.into_iter().map(|c| format!("{name}: {c}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What must hold for every plan, whatever it says.
fn complaints(case: &Case, plan: &Plan) -> Vec<String> {
    let mut list = check::check(plan);
    for turned in case.turned() {
        let again = plan::plan(&turned.0, &turned.1, &case.options);
        if json::to_json(&again) != json::to_json(plan) {
            list.push("another order of input gives another plan".into());
        }
    }
    let words = format!("{}{}{}", text::render(plan, true), text::render(plan, false), json::to_json(plan));
    if words.contains(SECRET) {
        list.push("a secret is in the plan".into());
    }
    list
}

/// Ten times the services take about ten times as long, and a thousand are planned at once.
#[test]
fn planning_grows_with_the_number_of_services() {
    let stack = |n: usize| {
        let mut text = String::from("services:\n");
        for i in 0..n {
            let after = if i % 10 == 0 { String::new() } else { format!(", depends_on: [s{}]", i - 1) };
            text.push_str(&format!(
                "  s{i}: {{image: x{}, environment: {{TZ: UTC, N: \"{i}\"}}, ports: [\"{}:80\"], volumes: [\"d{i}:/d\"]{after}}}\n",
                i % 7,
                10_000 + i
            ));
        }
        text.push_str("volumes:\n");
        (0..n).for_each(|i| text.push_str(&format!("  d{i}: {{}}\n")));
        text
    };
    // Cold, nothing to do, everything changed.
    let time = |n: usize, world: &str, command: &str| {
        let world = match world {
            "changed" => {
                format!("made-by: hearth\nof: |\n  {}", stack(n).replace("TZ: UTC", "TZ: CET").replace('\n', "\n  "))
            }
            other => other.to_string(),
        };
        let case = Case::read("many", &format!("{command}\n{}", stack(n)), &world);
        // The same number of services all in all, so that a coarse clock does not matter.
        let rounds = 1000 / n;
        let began = cpu_time();
        let plans: Vec<Plan> = (0..rounds).map(|_| case.plan()).collect();
        let took = cpu_time() - began;
        assert!(check::check(&plans[0]).is_empty());
        took
    };
    for (world, command) in [("{}", "up"), ("made-by: hearth", "up"), ("changed", "up"), ("made-by: hearth", "down")] {
        let (few, many) = (time(50, world, command), time(500, world, command));
        eprintln!("{command} on {world}: 20 times 50 services {few:?}, twice 500 services {many:?}");
        assert!(many < few * 3 + Duration::from_millis(20), "{command} on {world}: {few:?} to {many:?}");
    }
}

/// What this thread has computed so far; other work on the machine does not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}
