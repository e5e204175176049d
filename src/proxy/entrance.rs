//! Where Traefik finds Hearth's own server: on the machine's address in the network of the core stack, or by name where Hearth runs as a
//! container. Whoever writes Traefik's file, within a container or outside, comes to the same.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::diag::Diagnostic;
use crate::engine::docker;
use crate::plan::observed::Foreign;
use crate::spec::front;
use crate::stacks::Around;
use crate::stacks::home::{Home, Read};
use crate::traefik::statics;

/// The port on which Hearth answers Traefik and nobody else.
const PORT: u16 = 8444;

/// Where that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// What Traefik is told.
    pub url: String,
    pub listen: SocketAddr,
    /// The network that Hearth's own container has to be on for it, by its real name.
    pub network: Option<String>,
}

/// `around`: what the engine says, where it was asked.
pub fn of(home: &Home, read: &Read, around: Option<&Around>) -> Option<Entrance> {
    let boxed = around.is_some_and(|around| around.containers.iter().any(|c| serves(c, &home.dir)));
    match boxed {
        true => {
            let listen = SocketAddr::new(IpAddr::V4(read.rendered.hearth?), PORT);
            let network = Some(format!("{}_{}", home.config.name, front::CORE));
            Some(Entrance { url: format!("https://{}:{PORT}", statics::HEARTH), listen, network })
        }
        false => {
            let listen = SocketAddr::new(IpAddr::V4(*read.rendered.gateways.get(front::CORE)?), PORT);
            Some(Entrance { url: format!("https://{listen}"), listen, network: None })
        }
    }
}

/// Whether a container runs this home's server, with a network of its own: on the machine's network it is as if it ran outside.
fn serves(container: &Foreign, home: &Path) -> bool {
    let same = |said: &String| {
        let said = Path::new(said);
        said == home || said.canonicalize().is_ok_and(|said| home.canonicalize().is_ok_and(|home| said == home))
    };
    container.running && container.serves.as_ref().is_some_and(same) && !container.networks.iter().any(|n| n == "host")
}

/// What keeps Traefik from reaching a server that runs in a container.
pub fn trouble(home: &Home, around: Option<&Around>) -> Option<Diagnostic> {
    let id = docker::inside()?;
    let known = around?.containers.iter().any(|c| c.id == id && c.serves.is_some());
    (!known).then(|| {
        let title = "Hearth runs in a container that the engine does not show as Hearth's: Traefik cannot reach it";
        Diagnostic::warning("proxy.unknown-container", title).hint(format!(
            "run it by compose/hearth.yaml, or give its container the label hearth.server={}",
            home.dir.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_running_container_with_the_label_of_this_home_is_its_server() {
        let home = Path::new("/srv/home");
        let container = Foreign {
            running: true,
            serves: Some("/srv/home".into()),
            networks: vec!["hearth-server_default".into()],
            ..Foreign::default()
        };
        assert!(serves(&container, home));
        assert!(!serves(&Foreign { running: false, ..container.clone() }, home));
        assert!(!serves(&Foreign { serves: Some("/srv/other".into()), ..container.clone() }, home));
        assert!(!serves(&Foreign { serves: None, ..container.clone() }, home));
        assert!(!serves(&Foreign { networks: vec!["host".into()], ..container }, home));
    }
}
