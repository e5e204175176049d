//! What of the machine decides who is at home: its addresses, and which tunnels run on it.
//!
//! Within a container neither is to be seen. There the server has Hearth's own image look at the machine's network and processes for a moment, at its
//! start and every hour, and keeps what came back in the home, where commands find it too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use super::lan::Interface;
use super::tunnels;
use crate::base::files;
use crate::cli::{Done, Out};
use crate::diag::Diagnostic;
use crate::engine::EngineError;
use crate::engine::docker::{self, DockerEngine};
use crate::stacks::home::{Home, write};

/// The subcommand that the image is run with.
pub const COMMAND: &str = "machine";
/// Where it is kept.
const STATE: &str = "state";
const FILE: &str = "machine";
/// How old it may be.
pub const FRESH: Duration = Duration::from_secs(3600);

/// What is known of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Machine {
    interfaces: Vec<Interface>,
    /// Programs that are tunnels.
    programs: BTreeSet<String>,
}

impl Machine {
    /// As lines: `address NAME ADDRESS/PREFIX`, `program NAME`.
    fn text(&self) -> String {
        let addresses = self.interfaces.iter().map(|i| format!("address {} {}\n", i.name, i.net));
        addresses.chain(self.programs.iter().map(|name| format!("program {name}\n"))).collect()
    }

    /// Lines that are none of these are left out.
    fn parse(text: &str) -> Machine {
        let mut machine = Machine::default();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["address", name, net] => {
                    let net = net.parse().ok();
                    machine.interfaces.extend(net.map(|net| Interface { name: name.into(), net }));
                }
                ["program", name] => drop(machine.programs.insert(name.into())),
                _ => {}
            }
        }
        machine
    }

    /// As this process sees it.
    fn here() -> Machine {
        Machine { interfaces: own_interfaces(), programs: own_programs() }
    }
}

/// Where a home keeps its state.
pub fn state(home: &Home) -> PathBuf {
    home.dir.join(STATE)
}

/// The machine's addresses, each with its network: as this process sees them, or within a container as the server has last learned them. `state`:
/// the folder of a home's state.
pub fn interfaces(state: &Path) -> Vec<Interface> {
    learned(state).map_or_else(own_interfaces, |machine| machine.interfaces)
}

/// The tunnels among the machine's programs, as [`interfaces`]. Outside of a container all processes are looked at for it.
pub fn programs(state: &Path) -> BTreeSet<String> {
    learned(state).map_or_else(own_programs, |machine| machine.programs)
}

/// Within a container: what is kept.
fn learned(state: &Path) -> Option<Machine> {
    docker::inside()?;
    Some(Machine::parse(&files::read_text(&state.join(FILE)).unwrap_or_default()))
}

fn own_interfaces() -> Vec<Interface> {
    let one = |found: if_addrs::Interface| {
        let prefix = match &found.addr {
            if_addrs::IfAddr::V4(v4) => v4.prefixlen,
            if_addrs::IfAddr::V6(v6) => v6.prefixlen,
        };
        Some(Interface { net: IpNet::new(found.ip(), prefix).ok()?, name: found.name })
    };
    if_addrs::get_if_addrs().unwrap_or_default().into_iter().filter_map(one).collect()
}

fn own_programs() -> BTreeSet<String> {
    docker::programs().into_iter().filter(|name| tunnels::is_program(name)).collect()
}

/// `hearth machine`: says it.
pub fn print(out: &Out) -> Done {
    out.text(&Machine::here().text());
    Ok(())
}

/// Within a container: looks at the machine, and keeps it.
pub async fn learn(home: &Home, engine: &DockerEngine) -> Result<(), EngineError> {
    let Some(itself) = engine.itself().await? else { return Ok(()) };
    let lines = engine.on_the_machine(&itself, COMMAND).await?;
    let text = Machine::parse(&lines.join("\n")).text();
    let state = state(home);
    if files::read_text(&state.join(FILE)).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let written = write::Beneath::open(&state).and_then(|state| state.write(FILE.as_ref(), &text, 0o600));
    written.map_err(|why| EngineError { diagnostic: Box::new(why), detail: String::new(), status: None })
}

/// Within a container that has not learned it: nobody at home can be told from others.
pub fn unknown(home: &Home) -> Option<Diagnostic> {
    let missing = docker::inside().is_some() && home.config.lan.is_none() && interfaces(&state(home)).is_empty();
    missing.then(|| {
        let title = "Hearth runs in a container and does not know yet in which network the machine is: `access: lan` lets in nobody but the machine";
        Diagnostic::warning("proxy.unknown-machine", title)
            .hint("`hearth serve` in the container looks at its start, and says in its log why it could not")
            .hint("or name the home's network in hearth.yaml: lan: [192.168.1.0/24]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_back_and_nothing_else() {
        let interface = |name: &str, net: &str| Interface { name: name.into(), net: net.parse().unwrap() };
        let machine = Machine {
            interfaces: vec![interface("eth0", "192.168.1.5/24"), interface("eth0", "fd00::5/64")],
            programs: ["cloudflared".to_string()].into(),
        };
        assert_eq!(Machine::parse(&machine.text()), machine);
        assert_eq!(Machine::parse("error: no\naddress eth0 nonsense\nprogram a b\n"), Machine::default());
        assert!(own_interfaces().iter().any(|i| i.net.addr().is_loopback()));
    }
}
