//! `server` of `hearth.yaml`: where Hearth's own server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Reader;
use crate::compose::tree::{Map, Value};

const SERVER: [&str; 3] = ["listen", "http", "names"];

/// What a home says about Hearth's own server; what it leaves out is decided where it is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// For HTTPS.
    pub listen: Option<Vec<SocketAddr>>,
    /// For plain HTTP; `Some(None)`: nowhere.
    pub http: Option<Option<SocketAddr>>,
    /// More names and addresses for its certificate.
    pub names: Vec<String>,
}

/// `8443` (on this machine only), `192.168.1.5:8443`, `[::]:8443`.
pub fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)))
}

/// What [`address`] takes.
pub const ADDRESS: &str = "write an address with its port, as 0.0.0.0:8443, or a port alone for this machine only";

impl Reader<'_> {
    pub(super) fn server(&mut self, map: &Map) -> Server {
        let mut server = Server::default();
        let Some(node) = map.get("server").filter(|n| !n.is_null()) else { return server };
        let Some(map) = node.as_map() else {
            let title = format!("`server` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "server", "write listen: 8443 below it, for example");
            return server;
        };
        self.known(map, &SERVER, "server.");
        let listen = self.one_or_more(map, "listen", "server.listen");
        let listen: Vec<SocketAddr> = listen.iter().filter_map(|n| self.listener(n, "server.listen")).collect();
        server.listen = (!listen.is_empty()).then_some(listen);
        if let Some(node) = map.get("http").filter(|n| !n.is_null()) {
            server.http = match node.value {
                Value::Bool(false) => Some(None),
                _ => self.listener(node, "server.http").map(Some),
            };
        }
        let names = self.one_or_more(map, "names", "server.names");
        server.names = names.iter().filter_map(|n| n.scalar_text()).collect();
        server
    }

    fn listener(&mut self, node: &crate::compose::tree::Node, field: &str) -> Option<SocketAddr> {
        let text = node.scalar_text().unwrap_or_default();
        let found = address(&text);
        if found.is_none() {
            let title = format!("`{text}` is no address to listen on");
            self.tell("config.wrong-value", title, node.span, field, ADDRESS);
        }
        found
    }
}
