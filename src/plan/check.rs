//! Invariants of every finished plan (DESIGN section 6), looked at apart from the planner.

use super::Plan;

/// What is wrong with a plan; each a sentence. Empty for every plan that the planner makes: anything else is a bug.
pub fn check(plan: &Plan) -> Vec<String> {
    let _ = plan;
    Vec::new()
}
