//! Plans as text: each file of `tests/plan` is a command line, a stack, an observed world and the plan that follows.
//!
//! The parts are divided by lines of `----------`; `tests/plan/world.rs` says what a world can hold. With `UPDATE=1` the
//! expected texts are written anew. Every plan is also checked (`plan::check`), planned again from shuffled input, and
//! searched for secrets.

#[path = "plan/world.rs"]
mod world;

use std::path::{Path, PathBuf};

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
