//! Volumes: created where they are missing, never changed, never removed unless named; and which move over to a new container.

use serde_json::Value;

use super::Planner;
use crate::plan::observed::Container;
use crate::plan::request::{CONFIG_HASH, PROJECT};
use crate::plan::wanted::ContainerRequest;
use crate::plan::{Action, Cause};

impl<'a> Planner<'a> {
    pub fn volumes(&mut self) {
        for (key, request) in &self.wanted.volumes {
            let there = self.observed.volumes.get(&request.name);
            let field = Some(format!("volumes.{key}"));
            let Some(volume) = there else {
                if request.external {
                    let title = format!("the volume `{}` is external and does not exist", request.name);
                    let hint =
                        format!("create it (`docker volume create {}`), or remove `external: true`", request.name);
                    self.refuse_with("plan.volume-missing", field, title, &[&hint]);
                    continue;
                }
                let at =
                    self.steps.add("", Action::CreateVolume { request: Box::new(request.clone()) }, Cause::Missing);
                self.volumes_made.insert(&request.name, at);
                continue;
            };
            if request.external {
                continue;
            }
            let project = volume.labels.get(PROJECT).map_or("", String::as_str);
            let hash = volume.labels.get(CONFIG_HASH).map_or("", String::as_str);
            if project.is_empty() {
                let text = "it was not made by Compose or Hearth (no labels); it is used as it is";
                self.note("unlabelled-volume", &request.name, text.into());
            } else if project != self.wanted.project {
                let text = format!("it belongs to the project `{project}`; it is used as it is");
                self.note("unlabelled-volume", &request.name, text);
            } else if !hash.is_empty() && hash != request.hash {
                let text = format!(
                    "its definition changed, and a volume cannot be changed without losing its data: it stays as it is \
                     (to make it anew: save the data, `hearth down --volumes {}`, then `hearth up`)",
                    request.name
                );
                self.note("volume-drift", &request.name, text);
            }
        }
    }
}

/// Mounts of the old container that move over: of the image's volumes and of the model's volumes without a name.
pub(super) fn inherit(request: &mut ContainerRequest, old: &Container, image_volumes: Option<&Value>) {
    let is_image_volume = |target: &str| image_volumes.is_some_and(|v| v.get(target).is_some());
    let binds = request.host_config["Binds"].as_array().cloned().unwrap_or_default();
    let bound = |target: &str| binds.iter().filter_map(Value::as_str).any(|b| b.split(':').nth(1) == Some(target));
    for mount in old.mounts.iter().filter(|m| m.kind == "volume" && !m.name.is_empty()) {
        let target = mount.destination.as_str();
        if bound(target) {
            continue;
        }
        let Value::Object(host) = &mut request.host_config else { return };
        let mounts = host.entry("Mounts").or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(mounts) = mounts else { return };
        match mounts.iter_mut().find(|m| m["Target"] == target) {
            // A volume without a name: it gets the old one's.
            Some(own) if own["Type"] == "volume" && own.get("Source").is_none() => {
                own["Source"] = mount.name.clone().into()
            }
            Some(_) => {}
            None if is_image_volume(target) => {
                let mut one = serde_json::json!({ "Type": "volume", "Source": mount.name, "Target": target });
                if !mount.writable {
                    one["ReadOnly"] = true.into();
                }
                mounts.push(one);
            }
            None => {}
        }
    }
    if let Value::Object(host) = &mut request.host_config
        && host.get("Mounts").and_then(Value::as_array).is_some_and(Vec::is_empty)
    {
        host.shift_remove("Mounts");
    }
}
