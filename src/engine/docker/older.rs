//! Requests are written for the newest API; here they are written down for the engine at hand (20.10 speaks 1.41).
//!
//! What an older engine cannot do at all is refused in words; what only makes a difference at the margin is left out
//! with a warning.

use serde_json::{Map, Value, json};

use super::errors;
use crate::diag::{Diagnostic, Kind};
use crate::engine::EngineError;
use crate::plan::wanted::Endpoint;

type Api = (u32, u32);

/// A create call fitted to an engine.
#[derive(Debug, Default, PartialEq)]
pub struct Fitted {
    /// The whole body of `POST /containers/create`.
    pub body: Value,
    /// Networks to connect after the call and before the start, with their endpoints (below API 1.44).
    pub later: Vec<(String, Value)>,
    pub warnings: Vec<String>,
}

/// Joins `config`, `host` and `endpoints` (the primary one first) into one body that an engine of `api` understands.
pub fn create(config: Value, host: Value, endpoints: &[(String, Endpoint)], api: Api) -> Result<Fitted, EngineError> {
    let mut fitted = Fitted { body: config, ..Fitted::default() };
    let mut host = host;
    mounts(&mut host, api)?;
    if api < (1, 43) && host.as_object_mut().and_then(|h| h.remove("Annotations")).is_some() {
        fitted.warnings.push("annotations are left out: they need Docker 24".into());
    }
    if api < (1, 44) && fitted.body["Healthcheck"].as_object_mut().and_then(|h| h.remove("StartInterval")).is_some() {
        fitted.warnings.push("start_interval of the health check is left out: it needs Docker 25".into());
    }
    let mut first = Map::new();
    for (i, (network, endpoint)) in endpoints.iter().enumerate() {
        let value = self::endpoint(endpoint, api, &mut fitted.warnings);
        if i > 0 && api < (1, 44) {
            fitted.later.push((network.clone(), value));
            continue;
        }
        first.insert(network.clone(), value);
    }
    if api < (1, 44)
        && let Some((_, primary)) = endpoints.first().filter(|(_, e)| !e.mac_address.is_empty())
    {
        fitted.body["MacAddress"] = json!(primary.mac_address);
    }
    if !first.is_empty() {
        fitted.body["NetworkingConfig"] = json!({ "EndpointsConfig": first });
    }
    fitted.body["HostConfig"] = host;
    Ok(fitted)
}

/// `EndpointSettings` as an engine of `api` takes them.
pub fn endpoint(endpoint: &Endpoint, api: Api, warnings: &mut Vec<String>) -> Value {
    let mut map = Map::new();
    let mut set = |key: &str, value: Value, empty: bool| {
        if !empty {
            map.insert(key.into(), value);
        }
    };
    let mut options = endpoint.driver_opts.clone();
    if api < (1, 49) && options.remove("com.docker.network.endpoint.ifname").is_some() {
        warnings.push("interface_name is left out: it needs Docker 28.1".into());
    }
    set("Aliases", json!(endpoint.aliases), endpoint.aliases.is_empty());
    set("Links", json!(endpoint.links), endpoint.links.is_empty());
    set("DriverOpts", json!(options), options.is_empty());
    set("IPAddress", json!(endpoint.ipv4_address), endpoint.ipv4_address.is_empty());
    let mut addresses = Map::new();
    for (key, address) in [("IPv4Address", &endpoint.ipv4_address), ("IPv6Address", &endpoint.ipv6_address)] {
        if !address.is_empty() {
            addresses.insert(key.into(), json!(address));
        }
    }
    if !endpoint.link_local_ips.is_empty() {
        addresses.insert("LinkLocalIPs".into(), json!(endpoint.link_local_ips));
    }
    set("IPAMConfig", json!(addresses), addresses.is_empty());
    set("MacAddress", json!(endpoint.mac_address), endpoint.mac_address.is_empty() || api < (1, 44));
    if endpoint.gw_priority != 0 && api < (1, 48) {
        warnings.push("gw_priority is left out: it needs Docker 28".into());
    }
    set("GwPriority", json!(endpoint.gw_priority), endpoint.gw_priority == 0 || api < (1, 48));
    Value::Object(map)
}

/// `POST /networks/create` for an engine of `api`.
pub fn network(mut body: Value, api: Api) -> Result<Value, EngineError> {
    if api < (1, 44) {
        // Without it, these engines make a second network of the same name.
        body["CheckDuplicate"] = json!(true);
    }
    let v4 = body.as_object_mut().filter(|_| api < (1, 47)).and_then(|b| b.remove("EnableIPv4"));
    match v4 {
        Some(Value::Bool(false)) => Err(needs("a network without IPv4 (enable_ipv4: false)", "28")),
        _ => Ok(body),
    }
}

fn mounts(host: &mut Value, api: Api) -> Result<(), EngineError> {
    let Some(list) = host["Mounts"].as_array_mut() else { return Ok(()) };
    let mut binds: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    for mut mount in std::mem::take(list) {
        if mount["Type"] == "image" && api < (1, 48) {
            return Err(needs("a volume of type `image`", "28"));
        }
        if api < (1, 45) && mount["VolumeOptions"]["Subpath"].as_str().is_some_and(|path| !path.is_empty()) {
            return Err(needs("`subpath` of a volume", "26"));
        }
        if let Some(options) = mount.get_mut("BindOptions").and_then(Value::as_object_mut) {
            if api < (1, 44) {
                if options.remove("ReadOnlyForceRecursive") == Some(json!(true)) {
                    return Err(needs("`recursive: readonly` of a bind mount", "25"));
                }
                // Older engines never made submounts read-only: nothing is lost.
                options.remove("ReadOnlyNonRecursive");
            }
            if api < (1, 42) && options.remove("CreateMountpoint") == Some(json!(true)) {
                // Only the short form makes a missing source there.
                if let Some(bind) = as_bind(&mount) {
                    binds.push(bind);
                    continue;
                }
            }
        }
        kept.push(mount);
    }
    host["Mounts"] = json!(kept);
    if let (false, Some(host)) = (binds.is_empty(), host.as_object_mut()) {
        let all = host.entry("Binds").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.extend(binds);
        }
    }
    Ok(())
}

/// The short form of a bind mount, where it can say the same.
fn as_bind(mount: &Value) -> Option<Value> {
    let options = mount["BindOptions"].as_object()?;
    if options.keys().any(|key| key != "Propagation") {
        return None;
    }
    let mode = if mount["ReadOnly"] == json!(true) { "ro" } else { "rw" };
    let propagation = options.get("Propagation").and_then(Value::as_str).map(|p| format!(",{p}")).unwrap_or_default();
    Some(json!(format!("{}:{}:{mode}{propagation}", mount["Source"].as_str()?, mount["Target"].as_str()?)))
}

fn needs(what: &str, engine: &str) -> EngineError {
    let title = format!("{what} needs Docker {engine} or newer");
    errors::own(
        Diagnostic::error("engine.needs-newer", title)
            .kind(Kind::Failed)
            .hint("bring Docker up to date, or do without it in the stack file"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints() -> Vec<(String, Endpoint)> {
        let endpoint = |mac: &str| Endpoint {
            aliases: vec!["web".into()],
            mac_address: mac.into(),
            gw_priority: 1,
            ipv4_address: "10.0.0.2".into(),
            ..Endpoint::default()
        };
        vec![("a".into(), endpoint("02:42:ac:11:00:02")), ("b".into(), endpoint(""))]
    }

    #[test]
    fn one_call_carries_all_networks_from_25_on_and_only_the_first_before() {
        let fitted = create(json!({ "Image": "x" }), json!({ "NetworkMode": "a" }), &endpoints(), (1, 48)).unwrap();
        let networks = &fitted.body["NetworkingConfig"]["EndpointsConfig"];
        assert_eq!(networks["a"]["MacAddress"], "02:42:ac:11:00:02");
        assert_eq!(
            (networks["b"]["Aliases"][0].as_str(), networks["b"]["GwPriority"].as_i64()),
            (Some("web"), Some(1))
        );
        assert!(fitted.later.is_empty() && fitted.warnings.is_empty() && fitted.body.get("MacAddress").is_none());

        let fitted = create(json!({ "Image": "x" }), json!({ "NetworkMode": "a" }), &endpoints(), (1, 41)).unwrap();
        let networks = &fitted.body["NetworkingConfig"]["EndpointsConfig"];
        assert_eq!(fitted.body["MacAddress"], "02:42:ac:11:00:02");
        assert!(networks["a"].get("MacAddress").is_none() && networks.get("b").is_none());
        assert_eq!(
            (fitted.later[0].0.as_str(), &fitted.later[0].1["IPAMConfig"]["IPv4Address"]),
            ("b", &json!("10.0.0.2"))
        );
    }

    #[test]
    fn what_an_older_engine_cannot_do_is_refused_and_trifles_are_left_out() {
        let with = |mount: Value, api| {
            create(json!({ "Healthcheck": { "StartInterval": 1 } }), json!({ "Mounts": [mount] }), &[], api)
        };
        let image = json!({ "Type": "image", "Source": "x", "Target": "/x" });
        assert_eq!(with(image.clone(), (1, 45)).unwrap_err().diagnostic.code, "engine.needs-newer");
        assert!(with(image, (1, 48)).is_ok());
        let bind = json!({ "Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true,
            "BindOptions": { "CreateMountpoint": true, "Propagation": "rshared" } });
        let fitted = with(bind.clone(), (1, 41)).unwrap();
        assert_eq!(fitted.body["HostConfig"], json!({ "Mounts": [], "Binds": ["/a:/b:ro,rshared"] }));
        assert_eq!(fitted.warnings.len(), 1);
        assert_eq!(with(bind.clone(), (1, 44)).unwrap().body["HostConfig"]["Mounts"], json!([bind]));
        assert!(network(json!({ "EnableIPv4": false }), (1, 45)).is_err());
        assert_eq!(network(json!({ "EnableIPv4": true }), (1, 45)).unwrap(), json!({}));
        assert_eq!(network(json!({}), (1, 43)).unwrap(), json!({ "CheckDuplicate": true }));
    }
}
