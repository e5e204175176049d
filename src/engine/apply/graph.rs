//! What of a plan's order can be computed before the first step: counts, followers, the longest chain, groups.

use std::collections::{BTreeMap, HashMap};

use crate::plan::{Action, Plan, StepId};

pub(super) struct Graph {
    /// Steps that must be done before, per step.
    pub needs: Vec<usize>,
    /// Steps that wait for this one.
    pub followers: Vec<Vec<usize>>,
    /// How much work hangs on this step, itself included: the heaviest chain goes first.
    pub weight: Vec<u64>,
    /// Members of each group, in plan order.
    pub groups: BTreeMap<u32, Vec<usize>>,
    /// Steps that name one which does not exist or comes later: they can never begin.
    pub broken: Vec<usize>,
}

impl Graph {
    pub fn new(plan: &Plan) -> Graph {
        let index: HashMap<StepId, usize> = plan.steps.iter().enumerate().map(|(i, s)| (s.id, i)).collect();
        let len = plan.steps.len();
        let mut graph = Graph {
            needs: vec![0; len],
            followers: vec![Vec::new(); len],
            weight: plan.steps.iter().map(|s| cost(&s.action)).collect(),
            groups: BTreeMap::new(),
            broken: Vec::new(),
        };
        for (i, step) in plan.steps.iter().enumerate() {
            for before in &step.after {
                match index.get(before) {
                    Some(&j) if j < i => {
                        graph.followers[j].push(i);
                        graph.needs[i] += 1;
                    }
                    _ => graph.broken.push(i),
                }
            }
            if let Some(group) = step.group {
                graph.groups.entry(group).or_default().push(i);
            }
        }
        for i in (0..len).rev() {
            let heaviest = graph.followers[i].iter().map(|&f| graph.weight[f]).max().unwrap_or(0);
            graph.weight[i] += heaviest;
        }
        graph
    }
}

/// Roughly how long an action takes beside others; only their order matters.
fn cost(action: &Action) -> u64 {
    match action {
        Action::PullImage { .. } | Action::BuildImage { .. } => 50,
        Action::Wait { .. } => 20,
        Action::StopContainer { .. } | Action::RestartContainer { .. } => 10,
        Action::StartContainer { .. } | Action::Exec { .. } => 5,
        Action::CreateContainer { .. } | Action::CreateNetwork { .. } | Action::RemoveNetwork { .. } => 2,
        _ => 1,
    }
}
