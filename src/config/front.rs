//! `traefik`, `lan` and `routes` of `hearth.yaml`: how the home is reached in domain mode.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Reader;
use crate::compose::short::size;
use crate::compose::tree::{Map, Node, Value};
use crate::spec::keys;
use crate::traefik::statics::{self, Settings};

/// In nanoseconds.
const HOUR: i64 = 3_600_000_000_000;
const TRAEFIK: [&str; 5] = ["bind", "http", "https", "upload_timeout", "minimum"];

impl Reader<'_> {
    pub(super) fn traefik(&mut self, map: &Map) -> Settings {
        let mut settings = Settings::default();
        let Some(node) = map.get("traefik").filter(|n| !n.is_null()) else { return settings };
        let Some(map) = node.as_map() else {
            let title = format!("`traefik` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "traefik", "write https: 443 below it, for example");
            return settings;
        };
        self.known(map, &TRAEFIK, "traefik.");
        let bind = self.one_or_more(map, "bind", "traefik.bind");
        if !bind.is_empty() {
            settings.bind = bind.iter().filter_map(|node| self.address(node)).collect();
        }
        for (key, port) in [("http", &mut settings.http), ("https", &mut settings.https)] {
            if let Some(node) = map.get(key) {
                match node.value {
                    Value::Int(n) if (1..=65535).contains(&n) => *port = n as u16,
                    _ => {
                        let title = format!("`traefik.{key}` is no port");
                        self.tell(
                            "config.wrong-value",
                            title,
                            node.span,
                            &format!("traefik.{key}"),
                            "a port is a number from 1 to 65535",
                        );
                    }
                }
            }
        }
        if settings.http == settings.https
            && let Some(node) = map.get("https").or(map.get("http"))
        {
            let title = "`traefik.http` and `traefik.https` are one port".to_string();
            self.tell("config.wrong-value", title, node.span, "traefik.https", "give them two ports");
        }
        if let Some(node) = map.get("upload_timeout") {
            match node.as_str().and_then(|text| size::duration(text).ok()).filter(|d| d.0 >= 0) {
                // The default, written down, is told to Traefik in the same words: other words would replace its container.
                Some(duration) if duration.0 == HOUR => {}
                Some(duration) => settings.upload_timeout = format!("{}s", duration.0 / 1_000_000_000),
                None => {
                    let title = "`traefik.upload_timeout` is no duration".to_string();
                    let hint = "write a number with its unit, as 30m; 0s means no limit";
                    self.tell("config.wrong-value", title, node.span, "traefik.upload_timeout", hint);
                }
            }
        }
        if let Some(node) = map.get("minimum") {
            match node.as_str().and_then(statics::version) {
                Some(version) => settings.minimum = version,
                None => {
                    let title = "`traefik.minimum` is no version".to_string();
                    self.tell("config.wrong-value", title, node.span, "traefik.minimum", "write it as \"3.7.10\"");
                }
            }
        }
        settings
    }

    fn address(&mut self, node: &Node) -> Option<IpAddr> {
        let address = node.as_str().and_then(|text| text.parse().ok());
        if address.is_none() {
            let shown = node.scalar_text().unwrap_or_else(|| node.kind().into());
            let title = format!("`{shown}` is no IP address");
            self.tell(
                "config.wrong-value",
                title,
                node.span,
                "traefik.bind",
                "write one of this machine's, as 0.0.0.0",
            );
        }
        address
    }

    /// The ranges in which somebody is at home; `None`: those of the machine's own networks.
    pub(super) fn lan(&mut self, map: &Map) -> Option<Vec<IpNet>> {
        map.get("lan").filter(|n| !n.is_null())?;
        let mut ranges = Vec::new();
        for node in self.one_or_more(map, "lan", "lan") {
            let text = node.scalar_text().unwrap_or_default();
            let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            match range {
                Some(range) => ranges.push(range.trunc()),
                None => {
                    let title = format!("`{text}` is no range of addresses");
                    self.tell("config.wrong-value", title, node.span, "lan", "write it as 192.168.1.0/24");
                }
            }
        }
        Some(ranges)
    }

    pub(super) fn routes(&mut self, map: &Map) -> Vec<(String, keys::Route)> {
        let Some(node) = map.get("routes").filter(|n| !n.is_null()) else { return Vec::new() };
        let Some(routes) = node.as_map() else {
            let title = format!("`routes` must be a mapping, not {}", node.kind());
            self.tell(
                "config.wrong-type",
                title,
                node.span,
                "routes",
                "write nas: {host: nas, url: http://192.168.1.20}",
            );
            return Vec::new();
        };
        let one = |(name, node): (&String, &Node)| {
            let route = keys::outside(&format!("routes.{name}"), node, self.diagnostics)?;
            Some((name.clone(), route))
        };
        routes.iter().filter_map(one).collect()
    }

    /// One value, or a list of them.
    pub(super) fn one_or_more(&mut self, map: &Map, key: &str, field: &str) -> Vec<Node> {
        let Some(node) = map.get(key).filter(|n| !n.is_null()) else { return Vec::new() };
        match &node.value {
            Value::Seq(items) => items.clone(),
            Value::Map(_) => {
                let title = format!("`{field}` must be text or a list of texts, not {}", node.kind());
                self.tell("config.wrong-type", title, node.span, field, format!("write {key}: [...]"));
                Vec::new()
            }
            _ => vec![node.clone()],
        }
    }
}
