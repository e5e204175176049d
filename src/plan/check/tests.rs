//! Plans that break one invariant each.

use serde_json::json;

use super::*;
use crate::plan::wanted::ContainerRequest;
use crate::plan::{FieldChange, Risk, Until};

fn step(id: u32, action: Action, after: &[u32]) -> Step {
    Step {
        id: StepId(id),
        action,
        cause: Cause::Replacement,
        risk: Risk::None,
        after: after.iter().map(|id| StepId(*id)).collect(),
        service: "web".into(),
        group: None,
        undo: Vec::new(),
    }
}

fn old() -> Target {
    Target::Existing { id: "0123456789abcdef".into(), name: "web-1".into() }
}

fn new() -> Target {
    Target::Made { step: StepId(1), name: "web-1".into() }
}

fn create() -> Action {
    let host_config = json!({ "Binds": ["data:/data:rw"] });
    let request = ContainerRequest { name: "web-1".into(), host_config, ..Default::default() };
    Action::CreateContainer { request: Box::new(request), replaces: Some("0123456789abcdef".into()) }
}

fn wait() -> Action {
    let until = Until::Proven { seconds: 3, stay: 3000, health: false, may_exit: false };
    Action::Wait { container: new(), until, optional: false }
}

fn remove(container: Target) -> Action {
    Action::RemoveContainer { container, volumes: false, force: true }
}

fn stop(container: Target) -> Action {
    Action::StopContainer { container, timeout: None }
}

fn start(container: Target) -> Action {
    Action::StartContainer { container }
}

fn complaints(steps: Vec<Step>) -> String {
    let mut plan = Plan { steps, ..Plan::default() };
    plan.premises.insert("container web-1".into(), "0123456789ab running".into());
    check(&plan).join("\n")
}

/// A replacement as it should be: `(create, stop, start, wait, remove)`.
fn replacement() -> Vec<Step> {
    let mut steps = vec![
        step(1, create(), &[]),
        step(2, stop(old()), &[1]),
        step(3, start(new()), &[2]),
        step(4, wait(), &[3]),
        step(5, remove(old()), &[4]),
    ];
    steps.iter_mut().for_each(|s| s.group = Some(1));
    steps[0].undo = vec![remove(new())];
    steps[1].undo = vec![start(old())];
    steps[2].undo = vec![stop(new())];
    steps
}

#[test]
fn a_right_plan_has_nothing_wrong() {
    assert_eq!(complaints(replacement()), "");
}

#[test]
fn a_circle_and_a_wrong_number_are_seen() {
    let mut steps = replacement();
    steps[1].after = vec![StepId(3)];
    assert!(complaints(steps).contains("step 2 comes after step 3"));
    let mut steps = replacement();
    steps[1].id = StepId(7);
    assert!(complaints(steps).contains("step 7 stands at place 2"));
}

#[test]
fn a_removal_before_the_proof_is_seen() {
    let mut steps = replacement();
    steps[4].after = vec![StepId(3)];
    let said = complaints(steps);
    assert!(said.contains("step 5 removes a container before web-1 is proven"), "{said}");
    assert!(said.contains("group 1 removes a container before its proof"), "{said}");
}

#[test]
fn two_on_one_volume_are_seen() {
    let mut steps = replacement();
    steps[2].after = vec![StepId(1)];
    assert!(complaints(steps).contains("web-1 starts while the container it replaces still runs"));
}

#[test]
fn a_step_that_cannot_be_taken_back_is_seen() {
    for (i, said) in [(0, "nothing removes"), (1, "nothing starts"), (2, "nothing stops")] {
        let mut steps = replacement();
        steps[i].undo.clear();
        let found = complaints(steps);
        assert!(found.contains(said), "{found}");
    }
}

#[test]
fn a_volume_that_nobody_named_is_seen() {
    let mut lost = step(1, Action::RemoveVolume { name: "data".into() }, &[]);
    assert!(complaints(vec![lost.clone()]).contains("removes the volume data"));
    lost.cause = Cause::Requested { what: "--volumes".into() };
    assert_eq!(complaints(vec![lost]), "");
    let with_volumes = Action::RemoveContainer { container: old(), volumes: true, force: true };
    assert!(complaints(vec![step(1, with_volumes, &[])]).contains("removes volumes of web-1"));
}

#[test]
fn a_secret_and_a_silent_cause_are_seen() {
    let mut shown = step(1, stop(old()), &[]);
    let field = |to: &str| FieldChange { field: "environment DB_PASSWORD".into(), from: None, to: Some(to.into()) };
    shown.cause = Cause::Changed { fields: vec![field("hunter2")] };
    assert!(complaints(vec![shown.clone()]).contains("shows the secret"));
    shown.cause = Cause::Changed { fields: vec![field("(hidden)")] };
    assert_eq!(complaints(vec![shown.clone()]), "");
    shown.cause = Cause::Changed { fields: Vec::new() };
    assert!(complaints(vec![shown]).contains("does not say why"));
}

#[test]
fn a_network_made_anew_can_be_taken_back() {
    let mut steps = vec![
        step(1, Action::DisconnectNetwork { network: "n".into(), container: old() }, &[]),
        step(2, Action::RemoveNetwork { id: "1".into(), name: "n".into() }, &[1]),
        step(3, Action::CreateNetwork { request: Box::default() }, &[2]),
    ];
    assert_eq!(complaints(steps.clone()), "");
    steps.iter_mut().for_each(|s| s.group = Some(1));
    let said = complaints(steps);
    for words in ["connects the container again", "makes the network again", "makes room for the old network"] {
        assert!(said.contains(words), "{said}");
    }
}
