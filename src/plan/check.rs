//! Invariants of every finished plan (DESIGN section 6), looked at apart from the planner: what is wrong with a plan can
//! be seen from the plan alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::{Action, Cause, Plan, Step, StepId, Target};
use crate::base::secret::is_secret_name;

/// What is wrong with a plan; each a sentence. Empty for every plan that the planner makes: anything else is a bug.
pub fn check(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    order(plan, &mut wrong);
    if wrong.is_empty() {
        let checker = Checker::new(plan);
        checker.targets(&mut wrong);
        checker.replacements(&mut wrong);
        checker.starts(&mut wrong);
        checker.groups(&mut wrong);
    }
    volumes(plan, &mut wrong);
    causes(plan, &mut wrong);
    wrong
}

/// Numbers count up, and a step comes only after earlier ones: so there is no circle.
fn order(plan: &Plan, wrong: &mut Vec<String>) {
    for (i, step) in plan.steps.iter().enumerate() {
        if step.id.0 as usize != i + 1 {
            wrong.push(format!("step {} stands at place {}", step.id, i + 1));
        }
        for before in step.after.iter().filter(|b| **b >= step.id || b.0 == 0) {
            wrong.push(format!("step {} comes after step {before}, which is not an earlier one", step.id));
        }
    }
}

/// A volume goes only where the command names volumes.
fn volumes(plan: &Plan, wrong: &mut Vec<String>) {
    for step in &plan.steps {
        let named = matches!(&step.cause, Cause::Requested { what } if what == "--volumes");
        match &step.action {
            Action::RemoveVolume { name } if !named => {
                wrong.push(format!("step {} removes the volume {name}, which nobody named", step.id));
            }
            Action::RemoveContainer { container, volumes: true, .. } => {
                wrong.push(format!("step {} removes volumes of {} that nobody named", step.id, container.name()));
            }
            _ => {}
        }
        for undo in &step.undo {
            if matches!(undo, Action::RemoveVolume { .. } | Action::RemoveContainer { volumes: true, .. }) {
                wrong.push(format!("taking back step {} removes volumes", step.id));
            }
        }
    }
}

/// Each cause says something, and no secret.
fn causes(plan: &Plan, wrong: &mut Vec<String>) {
    for step in &plan.steps {
        let silent = match &step.cause {
            Cause::Changed { fields } => fields.is_empty() || fields.iter().any(|f| f.field.is_empty()),
            Cause::ImageMoved { from, to } => from == to,
            Cause::NotAttached { network: what }
            | Cause::NotMounted { volume: what }
            | Cause::DependencyReplaced { service: what }
            | Cause::NotRunning { state: what }
            | Cause::Needed { by: what }
            | Cause::LeftBehind { what }
            | Cause::Requested { what } => what.is_empty(),
            _ => false,
        };
        if silent {
            wrong.push(format!("step {} does not say why", step.id));
        }
        let Cause::Changed { fields } = &step.cause else { continue };
        for field in fields {
            let name = field.field.strip_prefix("environment ").or(field.field.strip_prefix("label "));
            let shown = [&field.from, &field.to].into_iter().flatten().any(|v| v != "(hidden)");
            if name.is_some_and(is_secret_name) && shown {
                wrong.push(format!("step {} shows the secret of {}", step.id, field.field));
            }
        }
    }
}

struct Checker<'p> {
    plan: &'p Plan,
    /// Containers that the plan found, by id: whether they are alive.
    alive: HashMap<&'p str, bool>,
}

impl<'p> Checker<'p> {
    fn new(plan: &'p Plan) -> Checker<'p> {
        let mut alive = HashMap::new();
        for (name, fact) in plan.premises.iter().filter(|(name, _)| name.starts_with("container ")) {
            let (id, state) = fact.split_once(' ').unwrap_or((fact, name));
            alive.insert(id, matches!(state, "running" | "paused"));
        }
        Checker { plan, alive }
    }

    fn step(&self, id: StepId) -> &'p Step {
        &self.plan.steps[id.0 as usize - 1]
    }

    fn is_alive(&self, id: &str) -> bool {
        id.get(..12).and_then(|short| self.alive.get(short)).copied().unwrap_or(true)
    }

    /// `later` comes after `earlier`, directly or by way of others.
    fn comes_after(&self, later: StepId, earlier: StepId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![later];
        while let Some(id) = open.pop() {
            // Steps before the earlier one lead nowhere.
            for before in self.step(id).after.iter().filter(|b| **b >= earlier) {
                if *before == earlier {
                    return true;
                }
                if seen.insert(*before) {
                    open.push(*before);
                }
            }
        }
        false
    }

    /// What is done to a container that this plan makes comes after its making.
    fn targets(&self, wrong: &mut Vec<String>) {
        for step in &self.plan.steps {
            let all = std::iter::once(&step.action).chain(&step.undo);
            for (i, target) in all.enumerate().filter_map(|(i, a)| Some((i, a.target()?))) {
                let Target::Made { step: made, name } = target else { continue };
                let creates = made.0 >= 1
                    && self
                        .plan
                        .steps
                        .get(made.0 as usize - 1)
                        .is_some_and(|s| matches!(s.action, Action::CreateContainer { .. }));
                let in_order = creates && (*made == step.id || i > 0 || self.comes_after(step.id, *made));
                if !in_order {
                    wrong.push(format!("step {} is about {name}, which step {made} does not make before it", step.id));
                }
            }
        }
    }

    /// A replaced container goes only after the proof of the one that replaces it.
    fn replacements(&self, wrong: &mut Vec<String>) {
        let removals: HashMap<&str, &Step> = self
            .plan
            .steps
            .iter()
            .filter_map(|s| match &s.action {
                Action::RemoveContainer { container: Target::Existing { id, .. }, .. } => Some((id.as_str(), s)),
                _ => None,
            })
            .collect();
        let mut proofs: HashMap<StepId, Vec<StepId>> = HashMap::new();
        for step in &self.plan.steps {
            if let Action::Wait { container: Target::Made { step: made, .. }, optional: false, .. } = &step.action {
                proofs.entry(*made).or_default().push(step.id);
            }
        }
        for step in &self.plan.steps {
            let Action::CreateContainer { replaces: Some(old), request } = &step.action else { continue };
            let Some(removal) = removals.get(old.as_str()) else {
                wrong.push(format!("the container that {} replaces is never removed", request.name));
                continue;
            };
            let proven =
                proofs.get(&step.id).is_some_and(|p| p.iter().any(|proof| self.comes_after(removal.id, *proof)));
            if !proven {
                wrong.push(format!("step {} removes a container before {} is proven", removal.id, request.name));
            }
        }
    }

    /// Old and new never run together where they write to one volume or publish one port.
    fn starts(&self, wrong: &mut Vec<String>) {
        let mut stops: HashMap<&str, StepId> = HashMap::new();
        let mut starts: HashMap<StepId, StepId> = HashMap::new();
        for step in &self.plan.steps {
            match &step.action {
                Action::StopContainer { container: Target::Existing { id, .. }, .. } => {
                    stops.insert(id, step.id);
                }
                Action::StartContainer { container: Target::Made { step: made, .. } } => {
                    starts.insert(*made, step.id);
                }
                _ => {}
            }
        }
        for step in &self.plan.steps {
            let Action::CreateContainer { replaces: Some(old), request } = &step.action else { continue };
            if !self.is_alive(old) || !is_exclusive(&request.host_config) {
                continue;
            }
            let in_turn = match (starts.get(&step.id), stops.get(old.as_str())) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(start), Some(stop)) => self.comes_after(*start, *stop),
            };
            if !in_turn {
                wrong.push(format!("{} starts while the container it replaces still runs", request.name));
            }
        }
    }

    /// Whatever a group does to a container is undone by the group.
    fn groups(&self, wrong: &mut Vec<String>) {
        let mut groups: BTreeMap<u32, Vec<&Step>> = BTreeMap::new();
        for step in &self.plan.steps {
            if let Some(group) = step.group {
                groups.entry(group).or_default().push(step);
            }
        }
        for (group, steps) in &groups {
            let first_removal = steps.iter().find(|s| matches!(s.action, Action::RemoveContainer { .. })).map(|s| s.id);
            for step in steps {
                if let Some(missing) = self.missing_undo(step) {
                    wrong.push(format!("step {} of group {group} cannot be taken back: {missing}", step.id));
                }
                let proof = matches!(step.action, Action::Wait { .. });
                if let Some(removal) = first_removal.filter(|_| proof)
                    && !self.comes_after(removal, step.id)
                {
                    wrong.push(format!("group {group} removes a container before its proof in step {}", step.id));
                }
            }
        }
    }

    fn missing_undo(&self, step: &Step) -> Option<&'static str> {
        let has = |is: fn(&Action) -> bool| step.undo.iter().any(is);
        match &step.action {
            Action::CreateContainer { .. } => {
                (!has(|a| matches!(a, Action::RemoveContainer { .. }))).then_some("nothing removes what it made")
            }
            Action::RenameContainer { .. } => {
                (!has(|a| matches!(a, Action::RenameContainer { .. }))).then_some("nothing gives the name back")
            }
            Action::UpdateContainer { .. } => {
                (!has(|a| matches!(a, Action::UpdateContainer { .. }))).then_some("nothing gives the policy back")
            }
            Action::StopContainer { container: Target::Existing { id, .. }, .. } if self.is_alive(id) => {
                (!has(|a| matches!(a, Action::StartContainer { .. })) && !self.is_after_proof(step))
                    .then_some("nothing starts the container again")
            }
            Action::StartContainer { .. } => {
                (!has(|a| matches!(a, Action::StopContainer { .. }))).then_some("nothing stops what it started")
            }
            Action::DisconnectNetwork { .. } => {
                (!has(|a| matches!(a, Action::ConnectNetwork { .. }))).then_some("nothing connects the container again")
            }
            Action::RemoveNetwork { .. } => {
                (!has(|a| matches!(a, Action::CreateNetwork { .. }))).then_some("nothing makes the network again")
            }
            Action::CreateNetwork { .. } => (!has(|a| matches!(a, Action::RemoveNetwork { .. })))
                .then_some("nothing makes room for the old network"),
            _ => None,
        }
    }

    /// Side by side: the old one stops when the new one is proven.
    fn is_after_proof(&self, step: &Step) -> bool {
        let proofs =
            self.plan.steps.iter().filter(|s| s.group == step.group && matches!(s.action, Action::Wait { .. }));
        proofs.map(|p| p.id).any(|proof| self.comes_after(step.id, proof))
    }
}

/// It writes to a volume or directory with a name, or holds a host port: only one may at a time.
fn is_exclusive(host: &Value) -> bool {
    let read_only = |bind: &str| bind.split(':').nth(2).is_some_and(|o| o.split(',').any(|o| o == "ro"));
    let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mounts = host["Mounts"].as_array().into_iter().flatten();
    let named = |m: &&Value| matches!(m["Type"].as_str(), Some("volume" | "bind")) && m["Source"].is_string();
    let ports =
        host["PortBindings"].as_object().into_iter().flatten().flat_map(|(_, b)| b.as_array().into_iter().flatten());
    binds.into_iter().any(|b| !read_only(b))
        || mounts.filter(named).any(|m| m["ReadOnly"] != true)
        || ports.into_iter().any(|b| b["HostPort"].as_str().is_some_and(|p| !p.is_empty()))
}

#[cfg(test)]
mod tests;
