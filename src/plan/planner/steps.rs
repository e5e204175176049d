//! Steps while they are drafted: in any order, tied by edges, numbered at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::plan::{Action, Cause, Risk, ServiceName, Step, StepId, Target};

/// A drafted step. While drafting, a [`Target::Made`] holds this number.
pub(super) type At = usize;

pub(super) struct Draft {
    pub action: Action,
    pub cause: Cause,
    pub risk: Risk,
    pub after: Vec<At>,
    pub service: ServiceName,
    pub group: Option<u32>,
    pub undo: Vec<Action>,
}

#[derive(Default)]
pub(super) struct Steps {
    pub drafts: Vec<Draft>,
}

impl Steps {
    pub fn add(&mut self, service: &str, action: Action, cause: Cause) -> At {
        self.drafts.push(Draft {
            action,
            cause,
            risk: Risk::None,
            after: Vec::new(),
            service: service.into(),
            group: None,
            undo: Vec::new(),
        });
        self.drafts.len() - 1
    }

    /// `later` comes after `earlier`.
    pub fn tie(&mut self, later: At, earlier: At) {
        if later != earlier {
            self.drafts[later].after.push(earlier);
        }
    }

    pub fn tie_all(&mut self, later: At, earlier: &[At]) {
        earlier.iter().for_each(|at| self.tie(later, *at));
    }

    /// Whether `later` is tied to come after `earlier`, directly or by way of others.
    pub fn comes_after(&self, later: At, earlier: At) -> bool {
        let mut seen = vec![false; self.drafts.len()];
        let mut open = vec![later];
        while let Some(at) = open.pop() {
            for before in &self.drafts[at].after {
                if *before == earlier {
                    return true;
                }
                if !std::mem::replace(&mut seen[*before], true) {
                    open.push(*before);
                }
            }
        }
        false
    }

    /// The stop that a removal was drafted with (its first tie), or the removal itself where nothing is to be stopped.
    pub fn stop_before(&self, removal: At) -> At {
        self.drafts[removal].after.first().copied().unwrap_or(removal)
    }

    pub fn risk(&mut self, at: At, risk: Risk) {
        self.drafts[at].risk = risk;
    }

    pub fn undo(&mut self, at: At, group: u32, undo: Vec<Action>) {
        self.drafts[at].group = Some(group);
        self.drafts[at].undo = undo;
    }

    /// Puts the drafts into an order in which they could be done one by one (as drafted where nothing else is asked),
    /// numbers them, and says no tie twice. `Err`: the ties go round in a circle.
    pub fn finish(self) -> Result<Vec<Step>, ()> {
        let len = self.drafts.len();
        let mut needs = vec![0usize; len];
        let mut followers: Vec<Vec<At>> = vec![Vec::new(); len];
        for (at, draft) in self.drafts.iter().enumerate() {
            needs[at] = draft.after.len();
            draft.after.iter().for_each(|before| followers[*before].push(at));
        }
        let mut ready: BinaryHeap<Reverse<At>> = (0..len).filter(|at| needs[*at] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(len);
        let mut number = vec![StepId(0); len];
        while let Some(Reverse(at)) = ready.pop() {
            order.push(at);
            number[at] = StepId(order.len() as u32);
            for follower in &followers[at] {
                needs[*follower] -= 1;
                if needs[*follower] == 0 {
                    ready.push(Reverse(*follower));
                }
            }
        }
        if order.len() != len {
            return Err(());
        }
        let mut drafts: Vec<Option<Draft>> = self.drafts.into_iter().map(Some).collect();
        let mut steps: Vec<Step> = Vec::with_capacity(len);
        for at in order {
            let Some(draft) = drafts[at].take() else { continue };
            steps.push(number_step(draft, number[at], &number));
        }
        thin(&mut steps);
        Ok(steps)
    }
}

fn number_step(draft: Draft, id: StepId, number: &[StepId]) -> Step {
    let mut step = Step {
        id,
        action: draft.action,
        cause: draft.cause,
        risk: draft.risk,
        after: draft.after.iter().map(|at| number[*at]).collect(),
        service: draft.service,
        group: draft.group,
        undo: draft.undo,
    };
    step.after.sort();
    step.after.dedup();
    renumber(&mut step.action, number);
    step.undo.iter_mut().for_each(|action| renumber(action, number));
    step
}

/// Leaves out a tie to a step that another tied step comes after already (looked at two steps deep).
fn thin(steps: &mut [Step]) {
    let index = |id: StepId| id.0 as usize - 1;
    for i in 0..steps.len() {
        if steps[i].after.len() < 2 {
            continue;
        }
        let mut implied: Vec<StepId> = Vec::new();
        for near in &steps[i].after {
            for far in &steps[index(*near)].after {
                implied.push(*far);
                implied.extend(&steps[index(*far)].after);
            }
        }
        implied.sort();
        steps[i].after.retain(|id| implied.binary_search(id).is_err());
    }
}

fn renumber(action: &mut Action, number: &[StepId]) {
    match action {
        Action::ConnectNetwork { container, .. }
        | Action::DisconnectNetwork { container, .. }
        | Action::UpdateContainer { container, .. }
        | Action::RenameContainer { container, .. }
        | Action::UploadFiles { container, .. }
        | Action::StartContainer { container }
        | Action::UnpauseContainer { container }
        | Action::RestartContainer { container, .. }
        | Action::StopContainer { container, .. }
        | Action::RemoveContainer { container, .. }
        | Action::Exec { container, .. }
        | Action::Wait { container, .. } => {
            if let Target::Made { step, .. } = container {
                *step = number[step.0 as usize];
            }
        }
        _ => {}
    }
}
