//! Creating containers: ids filled in, the replaced one's anonymous volumes moved over, networks connected.

use hyper::Method;
use serde_json::{Value, json};

use super::errors::{self, Fault};
use super::wire::{CHANGE, query, segment};
use super::{DockerEngine, convert, older};
use crate::diag::{Diagnostic, Kind};
use crate::engine::{EngineError, Known, Outcome};
use crate::plan::request::{self, REPLACE};
use crate::plan::wanted::ContainerRequest;

/// One create call. Below API 1.44 the networks other than the first are connected right after it, for the call cannot
/// name them; if one of these fails, the container is removed again.
pub async fn create(
    engine: &DockerEngine,
    request: &ContainerRequest,
    replaces: Option<&str>,
    known: &Known,
) -> Result<Outcome, EngineError> {
    let what = format!("create the container `{}`", request.name);
    let tell = |fault: Fault| engine.tell(fault, &what);
    let image = request.config["Image"].as_str().unwrap_or_default();
    // With containerd's store an image's id is not what every Compose writes: ask for this one.
    let containerd = engine.facts().await.map_err(tell)?.containerd_images;
    let label = match known.images.get(image).filter(|_| !containerd) {
        Some(label) => label.clone(),
        None => engine.image(image, request.compat).await.map_err(tell)?.map(|i| i.label_id).unwrap_or_default(),
    };
    let (mut config, mut host) =
        request::finalize(request, &known.services, &label).map_err(|service| reference_gone(&what, &service))?;
    if let Some(old) = replaces {
        if config["Labels"].get(REPLACE).is_none() {
            config["Labels"][REPLACE] = json!(replaced_name(request));
        }
        if !request.renew {
            inherit(engine, old, image, &mut host).await.map_err(tell)?;
        }
    }
    let fitted = older::create(config, host, &request.endpoints, engine.api)?;
    let platform = request.platform.as_deref().map(|p| ("platform", p));
    let pairs: Vec<(&str, &str)> = [("name", request.name.as_str())].into_iter().chain(platform).collect();
    let path = format!("/containers/create{}", query(&pairs));
    let reply = engine.wire.call(Method::POST, &path, Some(&fitted.body), CHANGE).await.map_err(tell)?;
    let reply = reply.json().map_err(tell)?;
    let id = convert::text(&reply["Id"]);
    for (network, endpoint) in fitted.later {
        let body = json!({ "Container": id, "EndpointConfig": endpoint });
        let path = format!("/networks/{}/connect", segment(&network));
        if let Err(fault) = engine.wire.call(Method::POST, &path, Some(&body), CHANGE).await {
            let path = format!("/containers/{id}?force=1");
            let removed = engine.wire.call(Method::DELETE, &path, None, CHANGE).await;
            let left = removed.err().map(|e| format!("the half-made container `{}` is left behind: {e}", request.name));
            let mut error =
                engine.tell(fault, &format!("attach the container `{}` to the network `{network}`", request.name));
            error.diagnostic.hints.extend(left);
            return Err(error);
        }
    }
    let said = convert::list(&reply["Warnings"]).iter().map(convert::text);
    Ok(Outcome { id: Some(id), warnings: fitted.warnings.into_iter().chain(said).collect() })
}

/// Label `replace`, as Compose writes it: the fixed name, or `service-number`.
fn replaced_name(request: &ContainerRequest) -> String {
    match request.name.ends_with(&format!("-{}-{}", request.service, request.number)) {
        true => format!("{}-{}", request.service, request.number),
        false => request.name.clone(),
    }
}

fn reference_gone(what: &str, service: &str) -> EngineError {
    let title = format!("could not {what}: it shares something with the service `{service}`, which has no container");
    errors::own(
        Diagnostic::error("engine.no-container", title)
            .kind(Kind::Failed)
            .hint("run the command again: it looks at the world anew"),
    )
}

/// Compose's rule: what the old container has at an anonymous volume of the model, or at a VOLUME of the image that
/// the model does not mount over, moves to the new one.
async fn inherit(engine: &DockerEngine, old: &str, image: &str, host: &mut Value) -> Result<(), Fault> {
    let path = format!("/containers/{}/json", segment(old));
    let Some(old) = engine.wire.find(&path).await? else { return Ok(()) };
    let mounts = convert::list(&old["Mounts"]);
    if mounts.iter().all(|m| m["Type"] == "tmpfs") {
        return Ok(());
    }
    let image = engine.find_image(image).await?.unwrap_or_default();
    carry_over(mounts, &image["Config"]["Volumes"], host);
    Ok(())
}

fn carry_over(old: &[Value], image_volumes: &Value, host: &mut Value) {
    for mount in old.iter().filter(|m| m["Type"] != "tmpfs") {
        let target = convert::text(&mount["Destination"]);
        let source = if mount["Type"] == "volume" { &mount["Name"] } else { &mount["Source"] };
        let binds = convert::list(&host["Binds"]).iter().filter_map(Value::as_str);
        let bound = binds.filter_map(|b| b.split(':').nth(1)).any(|t| t == target);
        let tmpfs = host["Tmpfs"].get(&target).is_some();
        let own = host["Mounts"].as_array_mut().and_then(|list| list.iter_mut().find(|m| m["Target"] == target));
        match own {
            Some(own) if own["Type"] == "volume" && own["Source"].as_str().unwrap_or_default().is_empty() => {
                own["Source"] = source.clone();
            }
            None if !bound && !tmpfs && image_volumes.get(&target).is_some() => {
                let read_only = !mount["RW"].as_bool().unwrap_or(true);
                let moved = json!({ "Type": mount["Type"], "Source": source, "Target": target, "ReadOnly": read_only });
                match host["Mounts"].as_array_mut() {
                    Some(list) => list.push(moved),
                    None => host["Mounts"] = json!([moved]),
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_volumes_move_over_and_named_ones_are_the_models() {
        let volume = |name: &str, at: &str| json!({ "Type": "volume", "Name": name, "Source": "/x", "Destination": at, "RW": true });
        let old = [
            volume("anon1", "/data"),
            volume("anon2", "/model"),
            volume("named", "/named"),
            volume("gone", "/nowhere"),
            json!({ "Type": "tmpfs", "Destination": "/tmp" }),
        ];
        let image = json!({ "/data": {}, "/named": {}, "/tmp": {} });
        let mut host = json!({ "Binds": ["p_named:/named:rw"], "Mounts": [{ "Type": "volume", "Target": "/model" }] });
        carry_over(&old, &image, &mut host);
        assert_eq!(
            host["Mounts"],
            json!([
                { "Type": "volume", "Target": "/model", "Source": "anon2" },
                { "Type": "volume", "Source": "anon1", "Target": "/data", "ReadOnly": false },
            ])
        );
    }

    #[test]
    fn the_replace_label_is_composes() {
        let request =
            |name: &str| ContainerRequest { name: name.into(), service: "web".into(), number: 2, ..Default::default() };
        assert_eq!(replaced_name(&request("p-web-2")), "web-2");
        assert_eq!(replaced_name(&request("fixed")), "fixed");
    }
}
