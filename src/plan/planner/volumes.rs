//! Volumes: created where they are missing, never changed, never removed unless named.

use super::Planner;
use crate::plan::request::{CONFIG_HASH, PROJECT};
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
