//! The ways in to a home's Traefik, as this process goes them to see how they are.

use std::net::{SocketAddr, ToSocketAddrs};

use super::Home;
use crate::engine::docker;
use crate::spec::front;

/// One port of Traefik's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// As the machine publishes it.
    published: SocketAddr,
    /// Traefik's container, and its port there.
    inside: (String, u16),
}

impl Home {
    /// HTTPS.
    pub fn https(&self) -> Way {
        self.way(self.config.traefik.https, 443)
    }

    /// Plain HTTP.
    pub fn http(&self) -> Way {
        self.way(self.config.traefik.http, 80)
    }

    /// A port of a route, which is the same on both sides.
    pub fn raw(&self, port: u16) -> Way {
        self.way(port, port)
    }

    fn way(&self, published: u16, inside: u16) -> Way {
        let container = format!("{}-{}-1", self.config.name, front::TRAEFIK);
        Way { published: self.config.traefik.own_address(published), inside: (container, inside) }
    }
}

impl Way {
    /// Where it is now. From within a container the machine's own ports are out of reach (Docker lets no bridge through to another): there it is
    /// Traefik's container itself, which the network that both are on knows by name.
    pub fn address(&self) -> SocketAddr {
        let found =
            docker::inside().and_then(|_| (self.inside.0.as_str(), self.inside.1).to_socket_addrs().ok()?.next());
        found.unwrap_or(self.published)
    }
}
