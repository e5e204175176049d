//! The ports that Traefik takes: free, Traefik's already, or held by somebody who can be named.

use std::net::IpAddr;

use super::finding::{About, Finding};
use crate::engine::docker::Listener;
use crate::plan::observed::Foreign;

/// A port that Traefik is to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub ip: IpAddr,
    pub port: u16,
    /// The key of `traefik:` in `hearth.yaml` that moves it; `None`: a TCP route has it.
    pub key: Option<&'static str>,
}

/// What holds ports now.
#[derive(Debug, Default)]
pub struct Holders {
    /// `(address, port)` of this home's Traefik, where it runs.
    pub ours: Vec<(IpAddr, u16)>,
    /// Other running containers of this engine, and those of this home but Traefik.
    pub containers: Vec<Foreign>,
    pub listeners: Vec<Listener>,
}

/// Programs that often come with a machine, and what stops them for good.
const SERVICES: [(&str, &str); 9] = [
    ("nginx", "nginx"),
    ("apache2", "apache2"),
    ("httpd", "httpd"),
    ("caddy", "caddy"),
    ("lighttpd", "lighttpd"),
    ("haproxy", "haproxy"),
    ("traefik", "traefik"),
    ("pihole-FTL", "pihole-FTL"),
    ("dnsmasq", "dnsmasq"),
];

/// One finding for each port.
pub fn judge(wanted: &[Wanted], holders: &Holders) -> Vec<Finding> {
    wanted.iter().map(|one| port(*one, holders)).collect()
}

fn overlap(a: IpAddr, b: IpAddr) -> bool {
    // A socket on `::` takes IPv4 too.
    a == b || a.is_unspecified() || b.is_unspecified()
}

fn port(wanted: Wanted, holders: &Holders) -> Finding {
    let Wanted { ip, port, key } = wanted;
    if holders.ours.iter().any(|(own, p)| *p == port && overlap(*own, ip)) {
        return Finding::ok(About::Ports, "port-ours", format!("port {port} is Traefik's"));
    }
    let publishes = |f: &&Foreign| {
        let parse = |text: &str| text.parse().unwrap_or(IpAddr::from([0, 0, 0, 0]));
        f.running && f.ports.iter().any(|(own, p, by)| *p == port && by == "tcp" && overlap(parse(own), ip))
    };
    if let Some(container) = holders.containers.iter().find(publishes) {
        return by_container(wanted, container);
    }
    let holds = |l: &&Listener| l.port == port && overlap(l.ip, ip);
    let mut held: Vec<&Listener> = holders.listeners.iter().filter(holds).collect();
    // Of those that listen on several addresses one whose name is known tells more.
    held.sort_by_key(|l| l.process.is_none());
    let Some(listener) = held.first() else {
        return Finding::ok(About::Ports, "port-free", format!("port {port} is free"));
    };
    if let Some(id) = &listener.container
        && let Some(container) = holders.containers.iter().find(|f| f.id == *id)
    {
        return by_container(wanted, container);
    }
    match &listener.process {
        Some((pid, name)) => {
            let words = format!("port {port} is held by the program {name} (process {pid})");
            let found = Finding::problem(About::Ports, "port-held", words);
            let known = SERVICES.iter().find(|(program, _)| program == name);
            let found = match known {
                Some((_, unit)) => found.fix(format!("end it for good: sudo systemctl disable --now {unit}")),
                None => found.fix(format!("end it, or see who starts it: systemctl status {pid}")),
            };
            elsewhere(found, key)
        }
        None => {
            let words = format!("port {port} is held by a program that this user may not see");
            elsewhere(
                Finding::problem(About::Ports, "port-held", words)
                    .fix(format!("see which one: sudo ss -ltnp 'sport = :{port}', or run hearth doctor as root")),
                key,
            )
        }
    }
}

fn by_container(wanted: Wanted, container: &Foreign) -> Finding {
    let of = match &container.project {
        Some(project) => format!(" of the project {project}"),
        None => String::new(),
    };
    let words = format!("port {} is held by the container {}{of}", wanted.port, container.name);
    elsewhere(
        Finding::problem(About::Ports, "port-held", words).fix(format!(
            "end it, where Traefik is to take its place: docker update --restart no {0} && docker stop {0}",
            container.name
        )),
        wanted.key,
    )
}

/// The other way out.
fn elsewhere(found: Finding, key: Option<&str>) -> Finding {
    match key {
        Some("http") => found.fix("or let Traefik take another one: traefik: {http: 8080} in hearth.yaml; challenges over HTTP and links without https:// then need port 80 of the router to lead there"),
        Some(key) => found.fix(format!("or let Traefik take another one: traefik: {{{key}: 8443}} in hearth.yaml; its URLs then end in :8443")),
        None => found.fix("or give the TCP route another port"),
    }
}

/// An engine without root's rights takes low ports only where the kernel lets everybody. `first`: the lowest port for everybody.
pub fn low_ports(wanted: &[Wanted], rootless: bool, first: u16) -> Option<Finding> {
    let low: Vec<u16> = wanted.iter().map(|one| one.port).filter(|port| *port < first).collect();
    let lowest = low.iter().min().filter(|_| rootless)?;
    let words =
        format!("the engine runs rootless, and ports below {first} are for root only: Traefik cannot take {lowest}");
    Some(
        Finding::problem(About::Ports, "low-ports", words)
            .fix(format!("allow it: echo net.ipv4.ip_unprivileged_port_start={lowest} | sudo tee /etc/sysctl.d/90-low-ports.conf && sudo sysctl --system"))
            .fix("or let Traefik take higher ones: traefik: {http: 8080, https: 8443} in hearth.yaml"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    const ANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
    const HTTP: Wanted = Wanted { ip: ANY, port: 80, key: Some("http") };

    fn listener(ip: &str, process: Option<(u32, &str)>, container: Option<&str>) -> Listener {
        Listener {
            ip: ip.parse().unwrap(),
            port: 80,
            process: process.map(|(pid, name)| (pid, name.into())),
            container: container.map(Into::into),
        }
    }

    fn container(id: &str, name: &str, ports: &[(&str, u16)]) -> Foreign {
        let ports = ports.iter().map(|(ip, port)| (ip.to_string(), *port, "tcp".to_string())).collect();
        Foreign {
            id: id.into(),
            name: name.into(),
            running: true,
            ports,
            project: Some("old".into()),
            ..Foreign::default()
        }
    }

    fn one(holders: &Holders) -> Finding {
        judge(&[HTTP], holders).remove(0)
    }

    #[test]
    fn whoever_holds_a_port_is_named_with_the_way_out() {
        assert_eq!(one(&Holders::default()).check, "port-free");
        let ours = Holders {
            ours: vec![(ANY, 80)],
            listeners: vec![listener("0.0.0.0", Some((1, "docker-proxy")), None)],
            ..Holders::default()
        };
        assert_eq!((one(&ours).check, one(&ours).grade), ("port-ours", Grade::Ok));
        let known = one(&Holders { listeners: vec![listener("::", Some((7, "nginx")), None)], ..Holders::default() });
        assert_eq!(known.words, "port 80 is held by the program nginx (process 7)");
        assert!(
            known.fix[0].contains("systemctl disable --now nginx") && known.fix[1].contains("hearth.yaml"),
            "{known:?}"
        );
        let npm =
            one(&Holders { containers: vec![container("a", "npm-app-1", &[("0.0.0.0", 80)])], ..Holders::default() });
        assert_eq!(npm.words, "port 80 is held by the container npm-app-1 of the project old");
        let on_host = Holders {
            containers: vec![container("abc", "ha", &[])],
            listeners: vec![listener("0.0.0.0", Some((9, "python3")), Some("abc"))],
            ..Holders::default()
        };
        assert!(one(&on_host).words.contains("the container ha"), "{:?}", one(&on_host));
        let hidden = one(&Holders { listeners: vec![listener("127.0.0.1", None, None)], ..Holders::default() });
        assert!(hidden.words.contains("may not see") && hidden.fix[0].contains("as root"), "{hidden:?}");
    }

    #[test]
    fn another_address_of_the_machine_is_another_port() {
        let at = Wanted { ip: "192.168.1.5".parse().unwrap(), ..HTTP };
        let holders =
            Holders { listeners: vec![listener("127.0.0.1", Some((7, "nginx")), None)], ..Holders::default() };
        assert_eq!(judge(&[at], &holders)[0].check, "port-free");
    }

    #[test]
    fn low_ports_of_a_rootless_engine_are_said_beforehand() {
        assert!(low_ports(&[HTTP], true, 1024).unwrap().fix[0].contains("port_start=80"));
        assert!(low_ports(&[HTTP], true, 80).is_none());
        assert!(low_ports(&[HTTP], false, 1024).is_none());
    }
}
