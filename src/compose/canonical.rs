//! Short forms written long (Compose specification, "short syntax"), and defaults that Compose adds after merging.
//!
//! Works in place on the tree; what cannot be read stays as it is and is told.

use super::Compat;
use super::short::{ports, volume};
use super::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Writes every short form of a merged file long. Compose does this after each file, before the next is merged.
pub fn canonicalize(tree: &mut Node, compat: Compat, diagnostics: &mut Diagnostics) {
    let Some(root) = tree.as_map_mut() else { return };
    let mut long = Long { compat, diagnostics };
    if let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) {
        for (name, entry) in services.0.iter_mut() {
            if let Value::Map(service) = &mut entry.node.value {
                long.service(name, service);
            }
        }
    }
    for section in ["networks", "volumes", "secrets", "configs"] {
        let Some(resources) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (name, entry) in resources.0.iter_mut() {
            long.external(section, name, &mut entry.node);
        }
    }
    if let Some(Value::Seq(includes)) = root.get_mut("include").map(|n| &mut n.value) {
        for include in includes.iter_mut().filter(|i| i.as_str().is_some()) {
            let path = std::mem::replace(include, Node::map(include.span));
            *include = wrap(path, "path");
        }
    }
}

struct Long<'d> {
    compat: Compat,
    diagnostics: &'d mut Diagnostics,
}

impl Long<'_> {
    fn wrong(&mut self, code: &'static str, span: Span, field: String, title: String, hint: &str) {
        self.diagnostics.push(Diagnostic::error(code, title).at(span).field(field).hint(hint));
    }

    fn service(&mut self, name: &str, service: &mut Map) {
        for key in ["label_file", "dns"] {
            if let Some(node) = service.get_mut(key).filter(|n| n.as_str().is_some()) {
                listed(node);
            }
        }
        if let Some(dns) = service.get_mut("dns")
            && let Value::Seq(items) = &mut dns.value
        {
            items.retain(|i| !i.is_null() && i.as_str() != Some(""));
        }
        if let Some(build) = service.get_mut("build") {
            self.build(name, build);
        }
        if let Some(node) = service.get_mut("depends_on") {
            depends_on(node);
        }
        if let Some(node) = service.get_mut("env_file") {
            env_file(node);
        }
        if let Some(node) = service.get_mut("extends").filter(|n| n.as_str().is_some()) {
            let target = std::mem::replace(node, Node::map(node.span));
            *node = wrap(target, "service");
        }
        if let Some(node) = service.get_mut("gpus").filter(|n| n.as_str().is_some()) {
            let mut request = Node::map(node.span);
            set_text(&mut request, "count", "all");
            node.value = Value::Seq(vec![request]);
        }
        for key in ["networks", "models"] {
            if let Some(node) = service.get_mut(key) {
                names_to_map(node);
            }
        }
        for key in ["secrets", "configs"] {
            if let Some(node) = service.get_mut(key) {
                file_references(node);
            }
        }
        if let Some(node) = service.get_mut("volumes") {
            self.volumes(name, node);
        }
        if let Some(node) = service.get_mut("devices") {
            self.devices(name, node);
        }
        if let Some(node) = service.get_mut("ports") {
            self.ports(name, node);
        }
        self.watches(service);
    }

    fn watches(&mut self, service: &mut Map) {
        let Some(watches) = service.get_mut("develop").and_then(|d| d.get_mut("watch")) else { return };
        let Value::Seq(rules) = &mut watches.value else { return };
        for rule in rules {
            for key in ["ignore", "include"] {
                if let Some(node) = rule.get_mut(key).filter(|n| n.as_str().is_some()) {
                    listed(node);
                }
            }
        }
    }

    fn build(&mut self, service: &str, node: &mut Node) {
        if node.as_str().is_some() {
            let context = std::mem::replace(node, Node::map(node.span));
            *node = wrap(context, "context");
        }
        let Some(build) = node.as_map_mut() else { return };
        for key in ["provenance", "sbom"] {
            if let Some(node) = build.get_mut(key)
                && let Some(text) = node.scalar_text()
            {
                node.value = Value::Str(text);
            }
        }
        if let Some(node) = build.get_mut("secrets") {
            file_references(node);
        }
        for key in ["additional_contexts", "ssh"] {
            if let Some(node) = build.get_mut(key) {
                self.pairs(&format!("services.{service}.build.{key}"), key, node);
            }
        }
    }

    /// `name=value` entries to a map. An ssh entry without a value may only be `default`.
    fn pairs(&mut self, field: &str, key: &str, node: &mut Node) {
        let Value::Seq(items) = &node.value else { return };
        let mut map = Map::default();
        for item in items {
            let Some(text) = item.as_str() else { continue };
            match text.split_once('=') {
                Some((name, value)) => map.set(name, Node::str(item.span, value)),
                None if key == "ssh" && text == "default" => map.set(text, Node::null(item.span)),
                None => {
                    let title = format!("`{text}` needs a value");
                    self.wrong("compose.no-value", item.span, field.into(), title, "write it as name=value");
                }
            }
        }
        node.value = Value::Map(map);
    }

    fn volumes(&mut self, service: &str, node: &mut Node) {
        let Value::Seq(items) = &mut node.value else { return };
        for (i, item) in items.iter_mut().enumerate() {
            let Some(text) = item.as_str() else { continue };
            match volume::parse(text) {
                Ok(short) => item.value = Value::Map(self.mount(item.span, short)),
                Err(why) => {
                    let title = format!("the volume `{text}` cannot be read: {why}");
                    let hint = "write SOURCE:TARGET or SOURCE:TARGET:ro";
                    self.wrong(
                        "compose.bad-volume",
                        item.span,
                        format!("services.{service}.volumes[{i}]"),
                        title,
                        hint,
                    );
                }
            }
        }
    }

    fn mount(&self, span: Span, short: volume::ShortVolume) -> Map {
        let text = |s: &str| Node::str(span, s);
        let flag = || Node::new(span, Value::Bool(true));
        let mut map = Map::default();
        map.set("type", text(if short.bind { "bind" } else { "volume" }));
        if !short.source.is_empty() {
            map.set("source", text(&short.source));
        }
        map.set("target", text(&volume::clean(&short.target)));
        if short.read_only {
            map.set("read_only", flag());
        }
        let mut bind = Map::default();
        if !short.selinux.is_empty() {
            bind.set("selinux", text(&short.selinux));
        }
        if !short.propagation.is_empty() {
            bind.set("propagation", text(&short.propagation));
        }
        if short.bind {
            bind.set("create_host_path", flag());
        }
        if !bind.is_empty() {
            map.set("bind", Node::new(span, Value::Map(bind)));
        }
        if !short.bind && !short.bare || short.nocopy {
            let mut volume = Map::default();
            if short.nocopy {
                volume.set("nocopy", flag());
            }
            map.set("volume", Node::new(span, Value::Map(volume)));
        }
        map
    }

    fn devices(&mut self, service: &str, node: &mut Node) {
        let Value::Seq(items) = &mut node.value else { return };
        for (i, item) in items.iter_mut().enumerate() {
            let Some(text) = item.as_str() else { continue };
            let parts: Vec<&str> = text.split(':').collect();
            let (source, target, permissions) = match parts.as_slice() {
                [source] => (*source, *source, "rwm"),
                [source, target] => (*source, *target, "rwm"),
                [source, target, permissions] => (*source, *target, *permissions),
                _ => {
                    let title = format!("the device `{text}` has too many parts");
                    let hint = "write SOURCE:TARGET:PERMISSIONS, or the long form with source, target and permissions";
                    let field = format!("services.{service}.devices[{i}]");
                    self.wrong("compose.bad-device", item.span, field, title, hint);
                    continue;
                }
            };
            let mut device = Node::map(item.span);
            set_text(&mut device, "source", source);
            set_text(&mut device, "target", if target.is_empty() { source } else { target });
            set_text(&mut device, "permissions", permissions);
            *item = device;
        }
    }

    fn ports(&mut self, service: &str, node: &mut Node) {
        let Value::Seq(items) = &mut node.value else { return };
        let mut long = Vec::with_capacity(items.len());
        for (i, item) in std::mem::take(items).into_iter().enumerate() {
            let text = match &item.value {
                Value::Str(text) => text.clone(),
                Value::Int(_) | Value::Uint(_) | Value::Float(_) => item.scalar_text().unwrap_or_default(),
                _ => {
                    long.push(item);
                    continue;
                }
            };
            match ports::parse(&text) {
                Ok(ports) => long.extend(ports.iter().map(|port| port_map(item.span, port))),
                Err(why) => {
                    let title = format!("the port `{text}` cannot be read: {why}");
                    let hint = "write HOST:CONTAINER, as \"8080:80\", or IP:HOST:CONTAINER, as \"127.0.0.1:8080:80\"";
                    self.wrong("compose.bad-port", item.span, format!("services.{service}.ports[{i}]"), title, hint);
                }
            }
        }
        *items = long;
    }

    /// `external: {name: x}` becomes `external: true` and `name: x`.
    fn external(&mut self, section: &str, name: &str, node: &mut Node) {
        let Some(resource) = node.as_map_mut() else { return };
        let Some(external) = resource.get("external").filter(|e| e.as_map().is_some()) else { return };
        let span = external.span;
        let inner = external.get("name").cloned();
        resource.set("external", Node::new(span, Value::Bool(true)));
        let Some(inner) = inner else { return };
        let field = format!("{section}.{name}");
        match resource.get("name") {
            Some(outer) if *outer != inner => {
                let title = format!("`{field}` has two names");
                self.wrong("compose.two-names", inner.span, field, title, "use only `name`, beside `external: true`");
            }
            Some(_) => {}
            None => resource.set("name", inner),
        }
        let _ = self.compat;
    }
}

fn port_map(span: Span, port: &ports::ShortPort) -> Node {
    let mut node = Node::map(span);
    set_text(&mut node, "mode", "ingress");
    if !port.host_ip.is_empty() {
        set_text(&mut node, "host_ip", &port.host_ip);
    }
    if let Some(map) = node.as_map_mut() {
        map.set("target", Node::new(span, Value::Int(port.target.into())));
    }
    if !port.published.is_empty() {
        set_text(&mut node, "published", &port.published);
    }
    set_text(&mut node, "protocol", &port.protocol);
    node
}

fn set_text(node: &mut Node, key: &str, text: &str) {
    let span = node.span;
    if let Some(map) = node.as_map_mut() {
        map.set(key, Node::str(span, text));
    }
}

/// `x` to `{key: x}`.
fn wrap(node: Node, key: &str) -> Node {
    let mut map = Map::default();
    let span = node.span;
    map.set(key, node);
    Node::new(span, Value::Map(map))
}

/// `x` to `[x]`.
fn listed(node: &mut Node) {
    let only = std::mem::replace(node, Node::null(node.span));
    node.value = Value::Seq(vec![only]);
}

fn depends_on(node: &mut Node) {
    let span = node.span;
    let dependency = |map: &mut Map, at: Span| {
        if !map.contains("condition") {
            map.set("condition", Node::str(at, "service_started"));
        }
        if !map.contains("required") {
            map.set("required", Node::new(at, Value::Bool(true)));
        }
    };
    match &mut node.value {
        Value::Map(map) => {
            for entry in map.0.values_mut() {
                let at = entry.key;
                if let Some(map) = entry.node.as_map_mut() {
                    dependency(map, at);
                }
            }
        }
        Value::Seq(items) => {
            let mut map = Map::default();
            for item in items.iter() {
                let mut entry = Map::default();
                dependency(&mut entry, item.span);
                map.set(item.as_str().unwrap_or_default(), Node::new(item.span, Value::Map(entry)));
            }
            *node = Node::new(span, Value::Map(map));
        }
        _ => {}
    }
}

fn env_file(node: &mut Node) {
    if node.as_str().is_some() {
        listed(node);
    }
    let Value::Seq(items) = &mut node.value else { return };
    for item in items {
        if item.as_str().is_some() {
            let path = std::mem::replace(item, Node::map(item.span));
            *item = wrap(path, "path");
        }
        let span = item.span;
        if let Some(map) = item.as_map_mut()
            && !map.contains("required")
        {
            map.set("required", Node::new(span, Value::Bool(true)));
        }
    }
}

fn names_to_map(node: &mut Node) {
    let Value::Seq(items) = &node.value else { return };
    let mut map = Map::default();
    for item in items {
        if let Some(name) = item.as_str() {
            map.set(name, Node::null(item.span));
        }
    }
    node.value = Value::Map(map);
}

fn file_references(node: &mut Node) {
    let Value::Seq(items) = &mut node.value else { return };
    for item in items.iter_mut().filter(|i| i.as_str().is_some()) {
        let source = std::mem::replace(item, Node::map(item.span));
        *item = wrap(source, "source");
    }
}

/// Defaults that Compose writes once all files are merged.
pub fn set_defaults(tree: &mut Node, compat: Compat) {
    let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) else { return };
    for entry in services.0.values_mut() {
        let service = &mut entry.node;
        if let Some(build) = service.get_mut("build").filter(|b| b.get("context").is_none()) {
            set_text(build, "context", ".");
        }
        for_each(service, &["secrets"], &mut |secret| {
            if secret.get("target").is_none() {
                let source = secret.get("source").and_then(Node::as_str).unwrap_or_default().to_string();
                set_text(secret, "target", &format!("/run/secrets/{source}"));
            }
        });
        for_each(service, &["ports"], &mut |port| {
            for (key, value) in [("protocol", "tcp"), ("mode", "ingress")] {
                if port.get(key).is_none() {
                    set_text(port, key, value);
                }
            }
        });
        for list in [&["deploy", "resources", "reservations", "devices"][..], &["gpus"][..]] {
            for_each(service, list, &mut |device| {
                if device.get("count").is_none() && device.get("device_ids").is_none() {
                    set_text(device, "count", "all");
                }
            });
        }
        if compat == Compat::V5 {
            for_each(service, &["volumes"], &mut |mount| {
                let span = mount.span;
                if let Some(bind) = mount.get_mut("bind").and_then(Node::as_map_mut)
                    && !bind.contains("create_host_path")
                {
                    bind.set("create_host_path", Node::new(span, Value::Bool(true)));
                }
            });
        }
    }
}

/// Calls `f` on each mapping of the list under `keys`.
fn for_each(node: &mut Node, keys: &[&str], f: &mut dyn FnMut(&mut Node)) {
    let mut at = node;
    for key in keys {
        match at.get_mut(key) {
            Some(next) => at = next,
            None => return,
        }
    }
    if let Value::Seq(items) = &mut at.value {
        items.iter_mut().filter(|i| i.as_map().is_some()).for_each(f);
    }
}
