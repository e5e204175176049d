//! Volumes, binds, secrets and configs of one service, as `Binds` or `Mounts`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::compose::model::{FileObject, FileReference, Mount, Project, Service};
use crate::plan::wanted::InlineFile;

/// `Binds` and `Mounts`, each in a stable order (by target).
pub(super) fn mounts(
    project: &Project,
    name: &str,
    s: &Service,
    compat: Compat,
    refusals: &mut Vec<Refusal>,
) -> (Vec<String>, Vec<Value>) {
    let mut binds: BTreeMap<String, String> = BTreeMap::new();
    let mut list: BTreeMap<String, Value> = BTreeMap::new();
    for mount in &s.volumes {
        let source = source_of(project, mount);
        let plain_bind = mount.kind == "bind"
            && mount
                .bind
                .as_ref()
                .is_none_or(|b| b.creates(compat) && b.propagation.is_empty() && b.recursive.is_empty());
        let plain_volume = mount.kind == "volume"
            && !mount.source.is_empty()
            && project.volumes.contains_key(&mount.source)
            && mount.volume.as_ref().is_none_or(|v| v.labels.is_empty() && v.subpath.is_empty() && !v.nocopy);
        if plain_bind || plain_volume {
            binds.insert(mount.target.clone(), bind_text(&source, mount));
        } else {
            list.insert(mount.target.clone(), mount_value(&source, mount, compat));
        }
    }
    for (what, reference, object) in referenced(project, s) {
        if let Some(refusal) = refuse_object(name, what, &reference.source, object) {
            refusals.push(refusal);
            continue;
        }
        if is_inline(object) {
            continue;
        }
        let target = target_of(what, reference);
        if binds.contains_key(&target) || list.contains_key(&target) {
            continue;
        }
        // A missing secret must not become a directory; a config's file is bound as a plain bind mount is.
        let value = match what {
            "secret" => {
                json!({ "Type": "bind", "Source": object.file, "Target": target, "ReadOnly": true, "BindOptions": {} })
            }
            _ => json!({ "Type": "bind", "Source": object.file, "Target": target, "ReadOnly": true }),
        };
        list.insert(target, value);
    }
    (binds.into_values().collect(), list.into_values().collect())
}

fn source_of(project: &Project, mount: &Mount) -> String {
    match mount.kind.as_str() {
        "volume" => project.volumes.get(&mount.source).map_or(mount.source.clone(), |v| v.name.clone()),
        _ => mount.source.clone(),
    }
}

fn bind_text(source: &str, mount: &Mount) -> String {
    let mut options = vec![if mount.read_only { "ro" } else { "rw" }.to_string()];
    if let Some(bind) = &mount.bind {
        options.extend([&bind.selinux, &bind.propagation].into_iter().filter(|o| !o.is_empty()).cloned());
    }
    if mount.volume.as_ref().is_some_and(|v| v.nocopy) {
        options.push("nocopy".into());
    }
    format!("{source}:{}:{}", mount.target, options.join(","))
}

fn mount_value(source: &str, mount: &Mount, compat: Compat) -> Value {
    let mut map = Map::new();
    map.insert("Type".into(), json!(mount.kind));
    set(&mut map, "Source", json!(source));
    map.insert("Target".into(), json!(mount.target));
    set(&mut map, "ReadOnly", json!(mount.read_only));
    set(&mut map, "Consistency", json!(mount.consistency));
    match mount.kind.as_str() {
        "bind" => {
            if let Some(bind) = &mount.bind {
                let mut options = Map::new();
                set(&mut options, "Propagation", json!(bind.propagation));
                set(&mut options, "CreateMountpoint", json!(bind.creates(compat)));
                set(&mut options, "NonRecursive", json!(bind.recursive == "disabled"));
                set(&mut options, "ReadOnlyNonRecursive", json!(bind.recursive == "writable"));
                set(&mut options, "ReadOnlyForceRecursive", json!(bind.recursive == "readonly"));
                map.insert("BindOptions".into(), Value::Object(options));
            }
        }
        "volume" => {
            if let Some(volume) = &mount.volume {
                let mut options = Map::new();
                set(&mut options, "NoCopy", json!(volume.nocopy));
                set(&mut options, "Subpath", json!(volume.subpath));
                set(&mut options, "Labels", json!(volume.labels));
                map.insert("VolumeOptions".into(), Value::Object(options));
            }
        }
        "tmpfs" => {
            if let Some(tmpfs) = &mount.tmpfs {
                let mut options = Map::new();
                set(&mut options, "SizeBytes", json!(tmpfs.size.0));
                set(&mut options, "Mode", json!(tmpfs.mode));
                map.insert("TmpfsOptions".into(), Value::Object(options));
            }
        }
        "image" => {
            let subpath = mount.image.as_ref().map_or("", |i| i.subpath.as_str());
            map.insert("ImageOptions".into(), json!({ "Subpath": subpath }));
        }
        _ => {}
    }
    Value::Object(map)
}

fn referenced<'p>(project: &'p Project, s: &'p Service) -> Vec<(&'static str, &'p FileReference, &'p FileObject)> {
    let secrets = s.secrets.iter().filter_map(|r| Some(("secret", r, project.secrets.get(&r.source)?)));
    let configs = s.configs.iter().filter_map(|r| Some(("config", r, project.configs.get(&r.source)?)));
    secrets.chain(configs).collect()
}

fn is_inline(object: &FileObject) -> bool {
    !object.environment.is_empty() || !object.content.is_empty()
}

fn target_of(what: &str, reference: &FileReference) -> String {
    let folder = if what == "secret" { "/run/secrets/" } else { "/" };
    match reference.target.as_str() {
        "" => format!("{folder}{}", reference.source),
        absolute if absolute.starts_with('/') => absolute.to_string(),
        relative => format!("{folder}{relative}"),
    }
}

fn refuse_object(service: &str, what: &str, key: &str, object: &FileObject) -> Option<Refusal> {
    let why = if object.external {
        "it is external, which only a swarm has"
    } else if !object.driver.is_empty() {
        "`driver` is only for a swarm"
    } else if !object.template_driver.is_empty() {
        "`template_driver` is only for a swarm"
    } else {
        return None;
    };
    Some(Refusal {
        code: "plan.unsupported".into(),
        field: Some(format!("services.{service}.{what}s")),
        title: format!("the {what} `{key}` cannot be given to `{service}`: {why}"),
        hints: vec!["use `file:` or `environment:`".into()],
    })
}

/// Secrets and configs whose text is known here: written into the container before each start.
pub(super) fn inline_files(project: &Project, name: &str, s: &Service, refusals: &mut Vec<Refusal>) -> Vec<InlineFile> {
    let mut files = Vec::new();
    for (what, reference, object) in referenced(project, s) {
        if !is_inline(object) || refuse_object(name, what, &reference.source, object).is_some() {
            continue;
        }
        let content = match what {
            "secret" => project.secret_values.get(&reference.source).cloned(),
            _ if object.content.is_empty() => None,
            _ => Some(crate::base::secret::Secret::new(object.content.clone())),
        };
        let key = format!("services.{name}.{what}s");
        let Some(content) = content else {
            refusals.push(Refusal {
                code: "plan.missing-variable".into(),
                field: Some(key),
                title: format!(
                    "the {what} `{}` takes its text from the variable {}, which is not set",
                    reference.source, object.environment
                ),
                hints: vec![format!("set {} in .env", object.environment)],
            });
            continue;
        };
        if content.expose().is_empty() {
            continue;
        }
        if s.read_only {
            refusals.push(Refusal {
                code: "plan.read-only-upload".into(),
                field: Some(key),
                title: format!(
                    "the {what} `{}` cannot be written into `{name}`, whose file system is read-only",
                    reference.source
                ),
                hints: vec!["use `file:` instead, or remove `read_only: true`".into()],
            });
            continue;
        }
        files.push(InlineFile {
            target: target_of(what, reference),
            uid: reference.uid.parse().unwrap_or(0),
            gid: reference.gid.parse().unwrap_or(0),
            mode: reference.mode.map_or(0o444, |m| m.0 as u32),
            origin: format!("{what} {}", reference.source),
            content,
        });
    }
    files
}
