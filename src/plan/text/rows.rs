//! What a plan's steps come to, container by container.

use std::collections::BTreeMap;

use super::{cause, clean, fields_words};
use crate::plan::{Action, Cause, Plan, Risk, Step, StepId, Target};

/// What happens to a container as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Create,
    Replace,
    Restart,
    Start,
    Unpause,
    Update,
    Connect,
    Rename,
    Stop,
    Remove,
}

impl Verb {
    pub const ALL: [Verb; 10] = [
        Verb::Create,
        Verb::Replace,
        Verb::Restart,
        Verb::Start,
        Verb::Unpause,
        Verb::Update,
        Verb::Connect,
        Verb::Rename,
        Verb::Stop,
        Verb::Remove,
    ];
    pub fn words(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Replace => "replace",
            Verb::Restart => "restart",
            Verb::Start => "start",
            Verb::Unpause => "unpause",
            Verb::Update => "update in place",
            Verb::Connect => "connect",
            Verb::Rename => "rename",
            Verb::Stop => "stop",
            Verb::Remove => "remove",
        }
    }
    pub fn sign(self) -> char {
        match self {
            Verb::Create => '+',
            Verb::Replace | Verb::Update | Verb::Connect | Verb::Rename => '~',
            Verb::Restart | Verb::Start | Verb::Unpause => '>',
            Verb::Stop | Verb::Remove => '-',
        }
    }
}

/// One container and what happens to it.
pub struct Row<'p> {
    /// The step that the row is about first.
    pub step: StepId,
    pub service: &'p str,
    pub verb: Verb,
    pub name: String,
    pub why: Vec<String>,
    /// `Some(true)`: it does not answer for a moment. `Some(false)`: it answers all the time though it is replaced.
    pub stops: Option<bool>,
}

/// What the steps come to, per container.
pub fn rows(plan: &Plan) -> Vec<Row<'_>> {
    let mut ended: BTreeMap<&str, (bool, bool, bool)> = BTreeMap::new();
    let mut stopping: BTreeMap<u32, bool> = BTreeMap::new();
    for step in &plan.steps {
        if let Some(Target::Existing { id, .. }) = step.action.target() {
            let of = ended.entry(id).or_default();
            of.0 |= matches!(step.action, Action::RemoveContainer { .. });
            of.1 |= matches!(step.action, Action::StopContainer { .. });
            of.2 |= matches!(step.action, Action::StartContainer { .. });
        }
        if let Some(group) = step.group.filter(|_| matches!(step.action, Action::StopContainer { .. })) {
            *stopping.entry(group).or_default() |= step.risk == Risk::ShortStop;
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for step in &plan.steps {
        let of = |target: &Target| match target {
            Target::Existing { id, .. } => ended.get(id.as_str()).copied().unwrap_or_default(),
            Target::Made { .. } => (false, false, false),
        };
        let verb = match &step.action {
            Action::CreateContainer { replaces: None, .. } => Verb::Create,
            Action::CreateContainer { .. } => Verb::Replace,
            Action::StartContainer { container: container @ Target::Existing { .. } } => match of(container) {
                (_, true, _) => Verb::Restart,
                // A group without a creation finishes what an earlier command began.
                _ if step.group.is_some() => Verb::Replace,
                _ => Verb::Start,
            },
            Action::UnpauseContainer { .. } => Verb::Unpause,
            Action::RestartContainer { .. } => Verb::Restart,
            Action::UpdateContainer { .. } if step.group.is_none() => Verb::Update,
            Action::RenameContainer { .. } if step.group.is_none() => Verb::Rename,
            // One that is replaced has a row already.
            Action::ConnectNetwork { container, .. } if !of(container).0 => Verb::Connect,
            Action::RemoveContainer { .. } if step.group.is_none() => Verb::Remove,
            Action::StopContainer { container, .. } if step.group.is_none() && !of(container).0 && !of(container).2 => {
                Verb::Stop
            }
            _ => continue,
        };
        let name = match &step.action {
            Action::CreateContainer { request, .. } => final_name(&request.name),
            Action::RenameContainer { to, .. } => to.clone(),
            other => other.target().map_or(String::new(), |t| t.name().to_string()),
        };
        let stops = match (verb, step.group) {
            (Verb::Replace, Some(group)) => stopping.get(&group).copied(),
            (Verb::Restart, _) => Some(true),
            _ => None,
        };
        rows.push(Row { step: step.id, service: &step.service, verb, name, why: why(step, &plan.project), stops });
    }
    rows
}

/// Networks that are not the project's own: whoever reads the plan knows what they lead to.
fn joined(action: &Action, project: &str) -> Vec<String> {
    let Action::CreateContainer { request, .. } = action else { return Vec::new() };
    let own = format!("{project}_");
    let names = request.endpoints.iter().map(|(name, _)| name).filter(|name| !name.starts_with(&own));
    names.map(|name| format!("joins the network {}", clean(name))).collect()
}

/// Without the `<12 hex>_` that a replacing container has in front for a while.
fn final_name(name: &str) -> String {
    match name.split_once('_') {
        Some((hex, rest)) if hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => rest.into(),
        _ => name.into(),
    }
}

fn why(step: &Step, project: &str) -> Vec<String> {
    match &step.cause {
        Cause::Missing => joined(&step.action, project),
        Cause::Requested { what } if matches!(what.as_str(), "down" | "stop" | "start" | "restart") => Vec::new(),
        Cause::Changed { fields } => fields_words(fields),
        other => Some(cause(other)).filter(|why| !why.is_empty()).into_iter().collect(),
    }
}
