//! Command lines, for whoever may not all: arguments may be secrets, and no rule knows all of those by their looks.

use serde_json::{Map, Value};

use crate::auth::who::Identity;
use crate::plan::{Cause, FieldChange, text};

/// In place of arguments.
const REST: &str = "…";
const HIDDEN: &str = "(hidden)";

/// The command of a container: the program's name, and that there is more. With an entrypoint all of it is arguments. For whoever may all only what
/// looks like a secret is hidden.
pub fn command(words: Vec<String>, is_all_arguments: bool, who: &Identity) -> Vec<String> {
    if who.may_all() {
        return words.into_iter().map(|word| crate::diag::hidden(&word)).collect();
    }
    let (shown, has_more) = if is_all_arguments { (0, !words.is_empty()) } else { (1, words.len() > 1) };
    words.into_iter().take(shown).chain(has_more.then(|| REST.to_string())).collect()
}

/// Whether a field of a container is words of a command line.
fn is_command(field: &str) -> bool {
    field == "command" || field == "entrypoint" || field.starts_with("healthcheck")
}

/// A cause without command lines.
pub fn cause(cause: &Cause, who: &Identity) -> Cause {
    match cause {
        Cause::Changed { fields } if !who.may_all() => {
            let mut fields = fields.clone();
            for change in fields.iter_mut().filter(|change| is_command(&change.field)) {
                for side in [&mut change.from, &mut change.to].into_iter().flatten() {
                    *side = HIDDEN.into();
                }
            }
            Cause::Changed { fields }
        }
        other => other.clone(),
    }
}

/// Plans as the command line prints them, wherever they stand in `value`, without command lines.
pub fn plans(value: &mut Value, who: &Identity) {
    if who.may_all() {
        return;
    }
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| plans(one, who)),
        Value::Object(map) => {
            let fields = map.get("cause").and_then(|cause| cause.get("fields")).cloned();
            if let Some(fields) = fields {
                // What cannot be read is not shown.
                let fields = serde_json::from_value::<Vec<FieldChange>>(fields).unwrap_or_default();
                let bare = cause(&Cause::Changed { fields }, who);
                map.insert("why".into(), text::cause(&bare).into());
                map.insert("cause".into(), serde_json::to_value(&bare).unwrap_or_default());
            }
            // Files of stacks are an admin's.
            map.remove(crate::stacks::changes::KEY);
            map.values_mut().for_each(|one| plans(one, who));
            rows(map);
        }
        _ => {}
    }
}

/// What a row of a plan says of a change is what its step says, which has no command line any more.
fn rows(plan: &mut Map<String, Value>) {
    let steps = plan.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(rows) = plan.get_mut("rows").and_then(Value::as_array_mut) else { return };
    for row in rows {
        let of = steps.iter().find(|step| step["id"] == row["step"] && step["cause"]["fields"].is_array());
        if let Some(step) = of {
            row["why"] = Value::Array(vec![step["why"].clone()]);
        }
    }
}

/// The same in a text of JSON: an event of a work.
pub fn event(data: std::sync::Arc<str>, who: &Identity) -> std::sync::Arc<str> {
    if who.may_all() || !data.contains("\"fields\"") {
        return data;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(&data) else { return "{}".into() };
    plans(&mut value, who);
    value.to_string().into()
}
