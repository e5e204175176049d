//! A plan as JSON. No secret's value is in it.

use serde_json::{Value, json};

use super::Plan;

pub fn to_json(plan: &Plan) -> Value {
    json!({ "project": plan.project, "steps": plan.steps.len() })
}
