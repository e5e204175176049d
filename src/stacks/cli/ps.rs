//! `hearth ps`: the containers of the project.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{deciding, start};
use crate::args::{Global, Ps};
use crate::base::clock::{self, Clock, SystemClock};
use crate::cli::table::table;
use crate::cli::{Done, Out, Tone};
use crate::diag::text::visible;
use crate::plan::observed::{Container, Health, State};
use crate::plan::request;
use crate::stacks::session::Session;
use crate::stacks::{Loading, Target};

pub fn run(global: &Global, args: Ps, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let target = Target::find(global, out)?;
    start(async {
        let session = Session::open_quietly(&target, &Loading::whole(), out).await?;
        let look = session.look().await?;
        deciding::known_services(&session, &look.observed.containers, &args.services)?;
        let named = |c: &&Container| args.services.is_empty() || args.services.iter().any(|name| name == service(c));
        let shown = |c: &&Container| args.all || (runs(c) && !one_off(c));
        let containers: Vec<&Container> = look.observed.containers.iter().filter(named).filter(shown).collect();
        if args.quiet {
            containers.iter().for_each(|c| out.line(&c.id));
            return Ok(());
        }
        if out.json {
            out.value(&Value::Array(containers.iter().map(|c| as_json(c)).collect()));
            return Ok(());
        }
        let now = SystemClock.now();
        let rows: Vec<Vec<String>> = containers.iter().map(|c| row(c, now, out)).collect();
        out.text(&table(&["NAME", "SERVICE", "STATE", "PORTS", "IMAGE", "SINCE"], &rows));
        Ok(())
    })
}

fn row(c: &Container, now: OffsetDateTime, out: &Out) -> Vec<String> {
    let since = clock::parse(&c.started_at).or_else(|| clock::parse(&c.created_at));
    let since = since.map_or(String::new(), |t| clock::ago(t, now));
    let (tone, state) = state(c);
    vec![visible(&c.name), visible(service(c)), out.paint(tone, &state), ports(c), visible(&c.image), since]
}

/// The state in words, health included: `running (healthy)`, `exited (1)`.
pub fn state(c: &Container) -> (Tone, String) {
    match (c.state, c.health) {
        (State::Running, Some(Health::Healthy)) => (Tone::Good, "running (healthy)".into()),
        (State::Running, Some(Health::Unhealthy)) => (Tone::Bad, "running (unhealthy)".into()),
        (State::Running, Some(Health::Starting)) => (Tone::Warn, "running (starting)".into()),
        (State::Running, None) => (Tone::Good, "running".into()),
        (State::Paused, _) => (Tone::Warn, "paused".into()),
        (State::Restarting, _) => (Tone::Bad, format!("restarting ({})", c.exit_code)),
        (State::Exited, _) if c.exit_code == 0 => (Tone::Dim, "exited (0)".into()),
        (State::Exited, _) => (Tone::Bad, format!("exited ({})", c.exit_code)),
        (State::Created, _) => (Tone::Warn, "created".into()),
        (State::Removing, _) => (Tone::Dim, "removing".into()),
        (State::Dead, _) => (Tone::Bad, "dead".into()),
    }
}

/// Published ports as the docker CLI writes them: `0.0.0.0:8080->80/tcp`, `127.0.0.1:53->53/udp`. One that is open on all
/// addresses of both families stands once.
fn ports(c: &Container) -> String {
    let mut shown: Vec<String> = Vec::new();
    let both = |port: u16, protocol: &str| {
        let v4 = |ip: &str| matches!(ip, "" | "0.0.0.0");
        c.ports.iter().any(|(ip, p, kind)| v4(ip) && *p == port && kind == protocol)
    };
    for (ip, port, protocol) in &c.ports {
        let address = match ip.as_str() {
            "::" if both(*port, protocol) => continue,
            "" => "0.0.0.0:".to_string(),
            v6 if v6.contains(':') => format!("[{v6}]:"),
            v4 => format!("{v4}:"),
        };
        let target = target(c, *port, protocol).map_or(String::new(), |target| format!("->{target}"));
        let words = format!("{address}{port}{target}/{protocol}");
        if !shown.contains(&words) {
            shown.push(words);
        }
    }
    shown.join(", ")
}

fn target(c: &Container, port: u16, protocol: &str) -> Option<u16> {
    c.port_targets.get(&(port, protocol.to_string())).copied()
}

fn as_json(c: &Container) -> Value {
    let one = |(ip, port, protocol): &(String, u16, String)| json!({ "ip": ip, "port": port, "target": target(c, *port, protocol), "protocol": protocol });
    let ports: Vec<Value> = c.ports.iter().map(one).collect();
    json!({
        "id": c.id,
        "name": c.name,
        "service": service(c),
        "number": c.labels.get(request::NUMBER).and_then(|n| n.parse::<u32>().ok()),
        "one_off": one_off(c),
        "state": c.state,
        "health": c.health,
        "exit_code": c.exit_code,
        "image": c.image,
        "image_id": c.image_id,
        "ports": ports,
        "created_at": c.created_at,
        "started_at": (!c.started_at.is_empty()).then_some(&c.started_at),
    })
}

fn runs(c: &Container) -> bool {
    matches!(c.state, State::Running | State::Paused | State::Restarting)
}

pub fn service(c: &Container) -> &str {
    c.labels.get(request::SERVICE).map_or("", String::as_str)
}

fn one_off(c: &Container) -> bool {
    c.labels.get(request::ONEOFF).is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_ports_read_well() {
        let mut c = Container {
            state: State::Running,
            health: Some(Health::Healthy),
            ports: vec![
                ("0.0.0.0".into(), 8080, "tcp".into()),
                ("::".into(), 8080, "tcp".into()),
                ("127.0.0.1".into(), 53, "udp".into()),
            ],
            port_targets: [((8080, "tcp".to_string()), 80)].into(),
            ..Container::default()
        };
        assert_eq!(state(&c).1, "running (healthy)");
        assert_eq!(ports(&c), "0.0.0.0:8080->80/tcp, 127.0.0.1:53/udp");
        c.ports.remove(0);
        assert_eq!(ports(&c), "[::]:8080->80/tcp, 127.0.0.1:53/udp");
        c.state = State::Exited;
        c.exit_code = 137;
        assert_eq!(state(&c).1, "exited (137)");
    }
}
