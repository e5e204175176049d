//! A plan as JSON: complete and stable. No secret's value is in it: environments, requests and file contents are left out,
//! and what a cause quotes was hidden when the cause was made.

use serde_json::{Map, Value, json};

use super::{Action, Plan, Step, StepId, Target, text};

/// ```json
/// { "project", "working_dir", "summary", "risk", "empty",
///   "rows": [{ "service", "verb", "name", "why": [...], "stops", "step" }],
///   "steps": [{ "id", "action", "target", "words", "cause", "risk", "after", "group", "service", "undo" }],
///   "unchanged": { service: containers }, "notes": [...], "refusals": [...], "premises": {...} }
/// ```
pub fn to_json(plan: &Plan) -> Value {
    json!({
        "project": plan.project,
        "working_dir": plan.working_dir,
        "summary": text::summary(plan),
        "risk": plan.risk(),
        "empty": plan.is_empty(),
        "rows": text::rows(plan).iter().map(row).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "unchanged": plan.unchanged,
        "notes": plan.notes,
        "refusals": plan.refusals,
        "premises": plan.premises,
    })
}

/// What happens to one container as a whole. `stops`: true, it does not answer for a moment; false, it answers all the time though it is replaced.
fn row(row: &text::Row) -> Value {
    json!({
        "service": row.service, "verb": row.verb.words(), "name": row.name, "why": row.why, "stops": row.stops, "step": row.step,
    })
}

fn step(step: &Step) -> Value {
    let mut value = json!({
        "id": step.id,
        "action": step.action.kind(),
        "words": text::action(&step.action),
        "cause": step.cause,
        "why": text::cause(&step.cause),
        "risk": step.risk,
        "after": step.after,
        "undo": step.undo.iter().map(text::action).collect::<Vec<_>>(),
    });
    let Value::Object(map) = &mut value else { return value };
    if !step.service.is_empty() {
        map.insert("service".into(), json!(step.service));
    }
    if let Some(group) = step.group {
        map.insert("group".into(), json!(group));
    }
    if let Some(target) = step.action.target() {
        map.insert("target".into(), target_of(target));
    }
    details(&step.action, map);
    value
}

fn target_of(target: &Target) -> Value {
    match target {
        Target::Existing { id, name } => json!({ "name": name, "id": id }),
        Target::Made { step: StepId(step), name } => json!({ "name": name, "made_by": step }),
    }
}

/// What an action is about beyond its container; never an environment or a content.
fn details(action: &Action, map: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| {
        map.insert(key.into(), value);
    };
    match action {
        Action::PullImage { reference, platform, optional } => {
            put("image", json!(reference));
            put("platform", json!(platform));
            put("optional", json!(optional));
        }
        Action::BuildImage { request } => put("image", json!(request.image)),
        Action::RemoveImage { reference } => put("image", json!(reference)),
        Action::CreateNetwork { request } => put("network", json!(request.name)),
        Action::RemoveNetwork { name, .. } => put("network", json!(name)),
        Action::ConnectNetwork { network, endpoint, .. } => {
            put("network", json!(network));
            put("aliases", json!(endpoint.aliases));
        }
        Action::DisconnectNetwork { network, .. } => put("network", json!(network)),
        Action::CreateVolume { request } => put("volume", json!(request.name)),
        Action::RemoveVolume { name } => put("volume", json!(name)),
        Action::CreateContainer { request, replaces } => {
            put("target", json!({ "name": request.name }));
            put("image", request.config["Image"].clone());
            put("number", json!(request.number));
            put("replaces", json!(replaces));
            put("mounts", mounts(&request.host_config));
        }
        Action::UpdateContainer { update, .. } => put("update", update.body.clone()),
        Action::RenameContainer { to, .. } => put("to", json!(to)),
        Action::UploadFiles { files, .. } => {
            put("files", files.iter().map(|f| json!({ "target": f.target, "from": f.origin })).collect());
        }
        Action::RestartContainer { timeout, .. } | Action::StopContainer { timeout, .. } => {
            put("timeout", json!(timeout))
        }
        Action::RemoveContainer { volumes, .. } => put("volumes", json!(volumes)),
        Action::Wait { until, optional, .. } => {
            put("wait", json!(until));
            put("optional", json!(optional));
        }
        Action::StartContainer { .. } | Action::UnpauseContainer { .. } | Action::Exec { .. } => {}
    }
}

/// `volume data -> /data`, with what moved over from a replaced container.
fn mounts(host: &Value) -> Value {
    let binds = host["Binds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let binds = binds.filter_map(|b| b.split_once(':')).map(|(source, rest)| {
        let kind = if source.starts_with('/') { "bind" } else { "volume" };
        format!("{kind} {source} -> {}", rest.split(':').next().unwrap_or_default())
    });
    let mounts = host["Mounts"].as_array().into_iter().flatten().map(|m| {
        let of = |key: &str| m[key].as_str().unwrap_or_default();
        let source = if of("Source").is_empty() { "(new)" } else { of("Source") };
        format!("{} {source} -> {}", of("Type"), of("Target"))
    });
    binds.chain(mounts).collect()
}
