//! The container that Hearth itself runs in is nothing that it can stop or replace from within: it would not live to finish.

use crate::diag::{Diagnostic, Kind};
use crate::engine::docker;
use crate::plan::{Action, Plan, Target};

/// Refuses a plan that ends Hearth's own container, in whatever project that is.
pub fn spare(plan: &Plan) -> Result<(), Diagnostic> {
    docker::inside().map_or(Ok(()), |own| spares(plan, own))
}

fn spares(plan: &Plan, own: &str) -> Result<(), Diagnostic> {
    let ends = plan.steps.iter().find_map(|step| match &step.action {
        Action::StopContainer { container, .. }
        | Action::RestartContainer { container, .. }
        | Action::RemoveContainer { container, .. } => match container {
            Target::Existing { id, name } if id == own => Some(name),
            _ => None,
        },
        _ => None,
    });
    ends.map_or(Ok(()), |name| {
        let title = format!("this would end the container {name}, in which this very `hearth` runs: nothing was done");
        Err(Diagnostic::error("stacks.own-container", title)
            .kind(Kind::Conflict)
            .hint("do it from outside: docker compose -f compose/hearth.yaml ..., or hearth on the machine itself"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Cause, Risk, Step, StepId};

    #[test]
    fn only_what_ends_the_own_container_is_refused() {
        let container = || Target::Existing { id: "me".into(), name: "hearth".into() };
        let plan = |action| Plan {
            steps: vec![Step {
                id: StepId(1),
                action,
                cause: Cause::Orphan,
                risk: Risk::None,
                after: Vec::new(),
                service: String::new(),
                group: None,
                undo: Vec::new(),
            }],
            ..Plan::default()
        };
        let remove = plan(Action::RemoveContainer { container: container(), volumes: false, force: false });
        assert_eq!(spares(&remove, "me").unwrap_err().code, "stacks.own-container");
        assert!(spares(&remove, "other").is_ok());
        let off = plan(Action::DisconnectNetwork { network: "n".into(), container: container() });
        assert!(spares(&off, "me").is_ok(), "it joins again by itself");
    }
}
