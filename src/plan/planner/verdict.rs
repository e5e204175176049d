//! Is this container as wanted? Our fingerprint decides for what Hearth made, Compose's hash for what Compose made, and
//! where neither fits, what the Engine says of it (semantics 3.4 and 3.6).

use std::collections::BTreeMap;

use serde_json::Value;

use super::slots::is_leftover_name;
use super::{Planner, label};
use crate::plan::diff;
use crate::plan::observed::{Attachment, Container};
use crate::plan::request::container::numbered;
use crate::plan::request::{self, CONFIG_HASH, FILES, FINGERPRINT, IMAGE, NUMBER, ONEOFF, files_label};
use crate::plan::wanted::{ContainerRequest, Endpoint, RefField, Update, WantedService};
use crate::plan::{Cause, FieldChange, Recreate};

pub(super) enum Verdict {
    Current,
    /// It is to be replaced, and why.
    Stale(Cause),
}

/// What the labels say.
enum Labels {
    AsWanted,
    /// They name another definition; what differs is for the details to say.
    Differ,
    /// They lack what Compose needs, so Compose would not accept it either.
    Broken(FieldChange),
}

impl<'a> Planner<'a> {
    pub fn verdict(&mut self, service: &'a WantedService, name: &str, container: &'a Container) -> Verdict {
        if let Some(flag) = self.is_forced(&service.name) {
            return Verdict::Stale(Cause::Requested { what: flag.into() });
        }
        let judged = self.judge(service, name, container);
        match judged {
            Some(cause) if self.options.recreate == Recreate::Never => {
                let text = format!(
                    "it is not as wanted any more ({}), and --no-recreate keeps it",
                    crate::plan::text::cause(&cause)
                );
                self.note("drift", &container.name, text);
                Verdict::Current
            }
            Some(cause) => Verdict::Stale(cause),
            None => Verdict::Current,
        }
    }

    fn judge(&mut self, service: &'a WantedService, name: &str, container: &'a Container) -> Option<Cause> {
        if let Some(replaced) = self.lost_parent(service, container) {
            return Some(Cause::DependencyReplaced { service: replaced });
        }
        let moved = self.image_moved(service, container);
        let cause = match self.labels(service, container) {
            Labels::AsWanted => None,
            Labels::Broken(field) => Some(Cause::Changed { fields: vec![field] }),
            Labels::Differ => self.differs(service, name, container),
        };
        let cause = match (cause, moved) {
            (Some(Cause::Changed { mut fields }), Some((from, to))) => {
                if !fields.iter().any(|f| f.field == "image") {
                    fields.insert(0, FieldChange { field: "image".into(), from: Some(from), to: Some(to) });
                }
                Some(Cause::Changed { fields })
            }
            (None, Some((from, to))) => Some(Cause::ImageMoved { from, to }),
            (cause, _) => cause,
        };
        cause
            .or_else(|| self.lost_volume(service, container))
            .or_else(|| self.lost_network(service, container))
            .or_else(|| self.drift_for_good(service, container))
    }

    fn labels(&self, service: &WantedService, container: &Container) -> Labels {
        if let Some(fingerprint) = container.labels.get(FINGERPRINT) {
            return match *fingerprint == service.fingerprint {
                true => Labels::AsWanted,
                false => Labels::Differ,
            };
        }
        let broken = |label: &str, to: &str| {
            Labels::Broken(FieldChange { field: format!("label {label}"), from: None, to: Some(to.into()) })
        };
        let hash = label(container, CONFIG_HASH);
        let hashes = request::hashes(&service.request, &self.known).unwrap_or_default();
        if hash.is_empty() {
            return broken(CONFIG_HASH, hashes.first().map_or("", |h| &h[..12]));
        }
        if label(container, ONEOFF) != "False" {
            return broken(ONEOFF, "False");
        }
        if label(container, IMAGE).is_empty()
            && let Some(image) = self.image_of(service)
        {
            return broken(IMAGE, &short(&image.label_id));
        }
        match hashes.iter().any(|h| h == hash) {
            true => Labels::AsWanted,
            false => Labels::Differ,
        }
    }

    /// The labels name another definition: what differs in fact? Nothing: it stays, and Compose will not agree.
    fn differs(&mut self, service: &'a WantedService, name: &str, container: &'a Container) -> Option<Cause> {
        let mut fields = content_changes(service, container);
        match &container.detail {
            Some(detail) => {
                let request = self.concrete(service, name, container);
                fields.extend(diff::diff(&request, container, detail, self.image_of(service), &service.files));
                if !same_name(&container.name, name) {
                    let (from, to) = (Some(container.name.clone()), Some(name.to_owned()));
                    fields.push(FieldChange { field: "container_name".into(), from, to });
                }
                // What an uploaded file's owner and mode were is written nowhere.
                if fields.is_empty() && service.files.is_empty() {
                    let text = "its labels name another definition, yet nothing about it differs: it stays, and the next \
                                `docker compose up` will recreate it";
                    self.note("hash-drift", &container.name, text.into());
                    return None;
                }
            }
            None if fields.is_empty() => {}
            None => return Some(Cause::Changed { fields }),
        }
        if fields.is_empty() {
            fields.push(FieldChange { field: "definition".into(), from: None, to: None });
        }
        Some(Cause::Changed { fields })
    }

    /// The request for this very container, references filled in as far as they are known.
    fn concrete(&self, service: &WantedService, name: &str, container: &Container) -> ContainerRequest {
        let number = label(container, NUMBER).parse().unwrap_or(1);
        let mut request = numbered(service, &self.wanted.project, number);
        request.name = name.into();
        if let Ok((config, host)) = request::finalize(&request, &self.known, "") {
            request.config = config;
            request.host_config = host;
        }
        request
    }

    /// The service whose namespace or volumes it uses and that has, or will have, another container.
    fn lost_parent(&self, service: &WantedService, container: &Container) -> Option<String> {
        let detail = container.detail.as_ref().map(|d| &d.host_config);
        let mut unsure = false;
        for reference in &service.request.refs {
            let on = &reference.service;
            // A service that is not decided (not in scope, or off) is taken as it is.
            if !self.decided.contains_key(on.as_str()) {
                continue;
            }
            let Some(id) = self.known.get(on) else { return Some(on.clone()) };
            let actual = match (reference.field, detail) {
                (RefField::Network, _) if !container.network_mode.is_empty() => Some(container.network_mode.as_str()),
                (RefField::Network, Some(host)) => host["NetworkMode"].as_str(),
                (RefField::Ipc, Some(host)) => host["IpcMode"].as_str(),
                (RefField::Pid, Some(host)) => host["PidMode"].as_str(),
                (RefField::VolumesFrom(_), Some(host)) => {
                    let from = host["VolumesFrom"].as_array().into_iter().flatten().filter_map(Value::as_str);
                    let mut ids = from.map(|f| f.split(':').next().unwrap_or_default());
                    match ids.any(|from| from == id) {
                        true => continue,
                        false => return Some(on.clone()),
                    }
                }
                (_, None) => {
                    unsure = true;
                    continue;
                }
            };
            if actual.and_then(|mode| mode.strip_prefix("container:")) != Some(id) {
                return Some(on.clone());
            }
        }
        // Without details: the hash that was made with the ids of then tells.
        let hash = label(container, CONFIG_HASH);
        if unsure && container.labels.get(FINGERPRINT) == Some(&service.fingerprint) && !hash.is_empty() {
            let hashes = request::hashes(&service.request, &self.known)?;
            return (!hashes.iter().any(|h| h == hash)).then(|| service.request.refs[0].service.clone());
        }
        None
    }

    /// `(from, to)` where the tag means another image than the container's.
    fn image_moved(&self, service: &WantedService, container: &Container) -> Option<(String, String)> {
        let Some(image) = self.image_of(service) else {
            // Absent and built by this very plan: another image in any case.
            let built = service.build.is_some() && (service.service.image.is_empty() || self.options.pulled);
            return built.then(|| (short(&container.image_id), "a new build".into()));
        };
        let label = label(container, IMAGE);
        let by_label = !label.is_empty() && (label == image.label_id || label == image.id);
        let by_id = container.image_id.is_empty() || container.image_id == image.id;
        let same = if label.is_empty() { by_id } else { by_label || !container.image_id.is_empty() && by_id };
        let from = if container.image_id.is_empty() { label } else { &container.image_id };
        (!same).then(|| (short(from), short(&image.id)))
    }

    fn lost_volume(&self, service: &WantedService, container: &Container) -> Option<Cause> {
        let wanted = named_volumes(service, self);
        let lost =
            wanted.into_iter().find(|name| !container.mounts.iter().any(|m| m.kind == "volume" && m.name == *name))?;
        Some(Cause::NotMounted { volume: lost.into() })
    }

    /// Its primary network is another one now: that cannot be changed on a container. Others can be connected.
    fn lost_network(&self, service: &WantedService, container: &Container) -> Option<Cause> {
        let (primary, _) = service.request.endpoints.first()?;
        let same = container.network_mode.is_empty() || container.network_mode == *primary;
        (!same && !container.networks.contains_key(primary)).then(|| Cause::NotAttached { network: primary.clone() })
    }

    /// A drift that no update takes back (a limit that should not be there).
    fn drift_for_good(&self, service: &WantedService, container: &Container) -> Option<Cause> {
        let drift = measure(service, container)?;
        (!drift.fixed.is_empty()).then_some(Cause::Changed { fields: drift.fixed })
    }

    /// Limits or restart policy changed by hand, and the update that takes it back.
    pub fn drift(&self, service: &WantedService, container: &Container) -> Option<(Update, Vec<FieldChange>)> {
        let drift = measure(service, container)?;
        Some((drift.update?, drift.fields))
    }

    /// Networks that it should be on and is not, or is on without its aliases.
    pub fn attach(&self, service: &WantedService, container: &Container) -> Vec<(String, Cause)> {
        let mut list = Vec::new();
        for (network, endpoint) in &service.request.endpoints {
            let cause = Cause::NotAttached { network: network.clone() };
            let Some(attached) = container.networks.get(network) else {
                list.push((network.clone(), cause));
                continue;
            };
            let there = self.observed.networks.get(network);
            let gone = there.is_none_or(|n| !attached.network_id.is_empty() && n.id != attached.network_id);
            if gone {
                list.push((network.clone(), cause));
            } else if let Some(lost) = lost_aliases(endpoint, attached, container) {
                list.push((network.clone(), Cause::Changed { fields: vec![lost] }));
            }
        }
        list
    }

    /// A created container that can be started as it is: no network is missing.
    pub fn is_complete(&self, service: &WantedService, container: &Container) -> bool {
        self.attach(service, container).is_empty()
    }
}

/// Whether a container's name is the wanted one, also while it is set aside, or as Compose 1 wrote it (`project_web_1`).
fn same_name(name: &str, wanted: &str) -> bool {
    is_leftover_name(name, wanted) || name.replace('_', "-") == wanted.replace('_', "-")
}

fn measure(service: &WantedService, container: &Container) -> Option<diff::Drift> {
    Some(diff::drift(&service.request.host_config, &container.detail.as_ref()?.host_config))
}

/// Named volumes of a service's model, by the Engine's name.
pub(super) fn named_volumes<'p>(service: &'p WantedService, planner: &Planner<'p>) -> Vec<&'p str> {
    let mounts = service.service.volumes.iter().filter(|v| v.kind == "volume" && !v.source.is_empty());
    mounts.filter_map(|v| planner.wanted.volumes.get(&v.source)).map(|v| v.name.as_str()).collect()
}

/// Names that others know it by and that the network no longer knows (Compose reconnects without them).
fn lost_aliases(endpoint: &Endpoint, attached: &Attachment, container: &Container) -> Option<FieldChange> {
    // Only an inspected container tells its aliases; and the container's own name is always known.
    container.detail.as_ref()?;
    let lost: Vec<&str> =
        endpoint.aliases.iter().filter(|alias| !attached.aliases.contains(alias)).map(String::as_str).collect();
    (!lost.is_empty()).then(|| FieldChange { field: "network aliases".into(), from: None, to: Some(lost.join(", ")) })
}

/// Inline files whose content is another one (label `hearth.files`).
fn content_changes(service: &WantedService, container: &Container) -> Vec<FieldChange> {
    let Some(before) = container.labels.get(FILES) else { return Vec::new() };
    if *before == files_label(&service.files) {
        return Vec::new();
    }
    let before: BTreeMap<&str, &str> = before.split(',').filter_map(|f| f.rsplit_once('=')).collect();
    let mut changes = Vec::new();
    for file in &service.files {
        let one = files_label(std::slice::from_ref(file));
        let now = one.rsplit_once('=').map(|(_, digest)| digest);
        if before.get(file.target.as_str()).copied() != now {
            changes.push(FieldChange { field: format!("content of {}", file.origin), from: None, to: None });
        }
    }
    changes
}

/// `sha256:1a2b3c4d5e6f...` as `sha256:1a2b3c4d5e6f`.
pub(super) fn short(id: &str) -> String {
    match id.split_once(':') {
        Some((kind, hex)) => format!("{kind}:{}", hex.get(..12).unwrap_or(hex)),
        None => id.get(..12).unwrap_or(id).to_string(),
    }
}
