//! The planner itself.

use super::{Options, Plan, observed::Observed, wanted::Wanted};

/// What leads from `observed` to `wanted`. Total: what cannot be done becomes a refusal in the plan.
pub fn plan(wanted: &Wanted, observed: &Observed, options: &Options) -> Plan {
    let _ = (observed, options);
    Plan { project: wanted.project.clone(), working_dir: wanted.working_dir.clone(), ..Plan::default() }
}
