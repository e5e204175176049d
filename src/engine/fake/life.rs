//! Starting, stopping, ending by itself, restart policies, health, the clock, and an engine restart.

use serde_json::Value;

use super::create::array;
use super::error::refused;
use super::world::*;
use crate::engine::EngineError;
use crate::plan::Until;
use crate::plan::observed::State;

/// Where a wait stands.
pub(super) enum Awaited {
    True,
    Never(EngineError),
    /// Look again when something happened, at the latest at `limit` (virtual ms).
    NotYet {
        limit: Option<u64>,
    },
}

impl World {
    pub(super) fn start(&mut self, id: &str) -> Result<(), EngineError> {
        let container = self.existing(id)?.clone();
        match container.state {
            State::Running | State::Restarting => return Ok(()),
            State::Paused => return Err(refused(409, "cannot start a paused container, try unpause instead")),
            State::Dead | State::Removing => {
                return Err(refused(409, "container is marked for removal and cannot be started"));
            }
            State::Created | State::Exited => {}
        }
        let behaviour = self.behaviour(&container);
        let prepared = match behaviour.start_error.clone() {
            Some(why) => Err(refused(500, why)),
            None => self.prepare(&container),
        };
        let now = self.now;
        let (endpoints, ports) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                if let Some(c) = self.containers.get_mut(id) {
                    c.error = error.detail.clone();
                    if c.state == State::Created {
                        c.exit_code = 128;
                    }
                }
                return Err(error);
            }
        };
        let Some(c) = self.containers.get_mut(id) else { return Ok(()) };
        c.endpoints = endpoints;
        c.ports = ports;
        c.state = State::Running;
        c.error.clear();
        (c.exit_code, c.oom_killed) = (0, false);
        c.started = Some(now);
        c.manually_stopped = false;
        c.words.extend(behaviour.says.iter().cloned());
        c.exits_at = behaviour.exits.map(|(after, code)| (now + after, code));
        c.restarts_at = None;
        c.health = has_check(&c.config).then_some(Health::Starting);
        c.probed_at = c.health.map(|_| match behaviour.probe {
            Probe::HealthyAfter(ms) => (now + ms, Health::Healthy),
            Probe::Never => (now + patience(&c.config), Health::Unhealthy),
        });
        self.fill_volumes(id);
        self.look_for_doubles(id);
        Ok(())
    }

    /// Everything that can keep a container from starting, and what it gets: addresses and host ports.
    #[allow(clippy::type_complexity)]
    fn prepare(
        &self,
        c: &FakeContainer,
    ) -> Result<(std::collections::BTreeMap<String, FakeEndpoint>, Vec<(String, u16, String)>), EngineError> {
        for (field, what) in [("NetworkMode", "network"), ("IpcMode", "IPC"), ("PidMode", "PID")] {
            let Some(other) = c.shares(field) else { continue };
            match self.containers.get(other) {
                None => return Err(refused(404, format!("No such container: {other}"))),
                Some(o) if !o.is_running() => {
                    return Err(refused(409, format!("cannot join {what} of a non running container: {other}")));
                }
                Some(_) => {}
            }
        }
        let mut endpoints = c.endpoints.clone();
        for (name, endpoint) in &mut endpoints {
            let wanted = if endpoint.network_id.is_empty() { name.clone() } else { endpoint.network_id.clone() };
            endpoint.network_id = match self.network(&wanted) {
                Some(network) => network.id.clone(),
                None if matches!(name.as_str(), "host" | "none" | "bridge") => name.clone(),
                None => return Err(refused(404, format!("network {wanted} not found"))),
            };
            endpoint.ip_address = self.address(&c.id, endpoint)?;
        }
        Ok((endpoints, self.host_ports(c)?))
    }

    /// The fixed address, refused where another running container has it, or the next free one.
    pub(super) fn address(&self, own: &str, endpoint: &FakeEndpoint) -> Result<String, EngineError> {
        let Some(network) = self.networks.get(&endpoint.network_id) else { return Ok(String::new()) };
        let others = self.containers.values().filter(|o| o.id != own && o.is_running());
        let taken: std::collections::BTreeSet<&str> = others
            .flat_map(|o| o.endpoints.values().filter(|e| e.network_id == network.id).map(|e| e.ip_address.as_str()))
            .collect();
        if !endpoint.fixed_ipv4.is_empty() {
            return match taken.contains(endpoint.fixed_ipv4.as_str()) {
                true => Err(refused(403, "Address already in use")),
                false => Ok(endpoint.fixed_ipv4.clone()),
            };
        }
        let subnet = network.subnets.first().map_or("172.31.0.0/16", String::as_str);
        let mut octets = subnet.split(['.', '/']);
        let prefix: Vec<&str> = octets.by_ref().take(3).collect();
        let free = (2..255).map(|n| format!("{}.{n}", prefix.join("."))).find(|ip| !taken.contains(ip.as_str()));
        free.ok_or_else(|| {
            refused(500, format!("no available IPv4 addresses on this network's address pools: {}", network.name))
        })
    }

    fn host_ports(&self, c: &FakeContainer) -> Result<Vec<(String, u16, String)>, EngineError> {
        let mut got: Vec<(String, u16, String)> = Vec::new();
        for (port, bindings) in c.host_config["PortBindings"].as_object().into_iter().flatten() {
            let protocol = port.split('/').nth(1).unwrap_or("tcp");
            for binding in array(bindings) {
                let text = |key: &str| binding[key].as_str().unwrap_or_default().to_string();
                let (address, host) = (text("HostIp"), text("HostPort"));
                let (from, to) = host.split_once('-').unwrap_or((&host, &host));
                let range = match (from.parse::<u16>().unwrap_or(0), to.parse::<u16>().unwrap_or(0)) {
                    (0, _) => 32768..=60999,
                    (from, to) => from..=to,
                };
                let is_free = |p: &u16| {
                    !self.is_port_taken(&c.id, &address, *p, protocol) && !overlaps(&got, &address, *p, protocol)
                };
                let Some(free) = range.clone().find(is_free) else {
                    let shown = if address.is_empty() { "0.0.0.0" } else { &address };
                    return Err(refused(
                        500,
                        format!(
                            "driver failed programming external connectivity on endpoint {}: Bind for {shown}:{} failed: port is already allocated",
                            c.name,
                            range.start()
                        ),
                    ));
                };
                got.push((address, free, protocol.to_string()));
            }
        }
        Ok(got)
    }

    fn is_port_taken(&self, own: &str, address: &str, port: u16, protocol: &str) -> bool {
        let others = self.containers.values().filter(|o| o.id != own && o.is_running());
        others.map(|o| &o.ports).chain([&self.host.taken_ports]).any(|ports| overlaps(ports, address, port, protocol))
    }

    /// Leaves this container's mark in every volume that it can write.
    fn fill_volumes(&mut self, id: &str) {
        let Some(c) = self.containers.get(id) else { return };
        let mark = c.mark().unwrap_or_else(|| c.name.clone());
        let names: Vec<String> =
            c.mounts.iter().filter(|m| m.kind == "volume" && m.writable).map(|m| m.name.clone()).collect();
        for name in names {
            if let Some(volume) = self.volumes.get_mut(&name) {
                volume.data.insert(mark.clone());
            }
        }
    }

    /// Two running containers of one service number that can both write one volume: never.
    fn look_for_doubles(&mut self, id: &str) {
        let Some(c) = self.containers.get(id) else { return };
        let Some(mark) = c.mark() else { return };
        let writable = |c: &FakeContainer| -> std::collections::BTreeSet<String> {
            c.mounts.iter().filter(|m| m.kind == "volume" && m.writable).map(|m| m.name.clone()).collect()
        };
        let own = writable(c);
        for other in
            self.containers.values().filter(|o| o.id != id && o.is_running() && o.mark().as_ref() == Some(&mark))
        {
            if let Some(volume) = writable(other).intersection(&own).next() {
                let both = format!("{} and {}", c.name, other.name);
                self.violations.push(format!("{both} run as {mark} on the volume {volume} at {} ms", self.now));
            }
        }
    }

    /// `timeout` in seconds, as the caller or the container says.
    pub(super) fn stop(&mut self, id: &str, timeout: Option<i64>) -> Result<(), EngineError> {
        let container = self.existing(id)?.clone();
        if !container.is_running() && container.state != State::Restarting {
            return Ok(());
        }
        let behaviour = self.behaviour(&container);
        let own = container.config["StopTimeout"].as_i64().unwrap_or(10);
        let grace = timeout.unwrap_or(own).max(0) as u64 * 1000;
        let code = match (behaviour.stubborn, behaviour.graceful) {
            (true, _) => {
                self.advance(self.now + grace);
                137
            }
            (false, true) => 0,
            (false, false) => 143,
        };
        // It may have ended by itself during its grace.
        if self.containers.get(id).is_some_and(|c| c.is_running() || c.state == State::Restarting) {
            self.end(id, code);
        }
        if let Some(c) = self.containers.get_mut(id) {
            c.manually_stopped = true;
        }
        Ok(())
    }

    /// As `docker stop` by a person.
    pub fn stop_by_hand(&mut self, id: &str) {
        let _ = self.stop(id, None);
    }

    pub(super) fn kill(&mut self, id: &str) {
        self.end(id, 137);
        if let Some(c) = self.containers.get_mut(id) {
            c.manually_stopped = true;
        }
    }

    /// The process is gone; no restart policy is looked at.
    fn end(&mut self, id: &str, code: i64) {
        let now = self.now;
        let Some(c) = self.containers.get_mut(id) else { return };
        c.finished = Some(now);
        c.state = State::Exited;
        c.exit_code = code;
        c.ports.clear();
        (c.exits_at, c.probed_at, c.restarts_at) = (None, None, None);
        if c.health.is_some() {
            c.health = Some(Health::Unhealthy);
        }
        for endpoint in c.endpoints.values_mut() {
            endpoint.ip_address.clear();
        }
    }

    /// It ends by itself: its restart policy decides what comes next.
    fn ends_by_itself(&mut self, id: &str, code: i64) {
        let Some(c) = self.containers.get(id) else { return };
        let oom = self.behaviour(c).oom;
        let again = wants_restart(c, code);
        let wait = 100 << c.restarts.min(9);
        self.end(id, code);
        let now = self.now;
        let Some(c) = self.containers.get_mut(id) else { return };
        c.oom_killed = oom;
        if again {
            c.state = State::Restarting;
            c.restarts += 1;
            c.restarts_at = Some(now + wait);
        }
    }

    /// Moves the clock, with everything that happens until then.
    pub fn advance(&mut self, to: u64) {
        while let Some(at) = self.next_event().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            self.happen();
        }
        self.now = self.now.max(to);
    }

    /// Moves the clock to the next thing that happens, or to `limit` if that is earlier. `false`: nothing more happens.
    pub(super) fn advance_to_next(&mut self, limit: Option<u64>) -> bool {
        let next = match (self.next_event(), limit) {
            (Some(a), Some(b)) => a.min(b),
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => return false,
        };
        self.advance(next);
        true
    }

    fn next_event(&self) -> Option<u64> {
        let of = |c: &FakeContainer| {
            let times = [c.exits_at.map(|e| e.0), c.probed_at.map(|p| p.0), c.restarts_at];
            times.into_iter().flatten().min().filter(|_| c.state != State::Paused)
        };
        self.containers.values().filter_map(of).min()
    }

    fn happen(&mut self) {
        let now = self.now;
        let ids: Vec<String> =
            self.containers.iter().filter(|(_, c)| c.state != State::Paused).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(c) = self.containers.get_mut(&id) else { continue };
            if let Some((_, health)) = c.probed_at.filter(|(at, _)| *at <= now) {
                c.health = Some(health);
                c.probed_at = None;
                if health == Health::Unhealthy {
                    c.words.push("probe failed".into());
                }
            }
            if let Some((_, code)) = c.exits_at.filter(|(at, _)| *at <= now) {
                self.ends_by_itself(&id, code);
            } else if c.restarts_at.is_some_and(|at| at <= now) {
                c.restarts_at = None;
                c.state = State::Exited;
                let _ = self.start(&id);
            }
        }
    }

    /// The engine stops and starts again: running containers end, then those come back whose policy says so.
    pub fn restart_engine(&mut self) {
        let ids: Vec<String> = self.containers.keys().cloned().collect();
        for id in &ids {
            let Some(c) = self.containers.get(id) else { continue };
            if !c.is_running() && c.state != State::Restarting {
                continue;
            }
            let code = if self.behaviour(c).graceful { 0 } else { 143 };
            self.end(id, code);
        }
        for id in &ids {
            let Some(c) = self.containers.get(id) else { continue };
            let back = c.started.is_some() && wants_restart(c, c.exit_code) && c.state == State::Exited;
            if back {
                let _ = self.start(id);
            }
        }
    }

    pub(super) fn existing(&self, id: &str) -> Result<&FakeContainer, EngineError> {
        self.containers.get(id).ok_or_else(|| refused(404, format!("No such container: {id}")))
    }

    /// Where a wait for this container stands.
    pub(super) fn awaited(&self, id: &str, until: &Until, began: u64) -> Awaited {
        let Some(c) = self.containers.get(id) else {
            return Awaited::Never(refused(404, format!("No such container: {id}")));
        };
        let over = |limit: u64| self.now >= limit;
        let ended = !c.is_running() && c.state != State::Restarting;
        let never = |what: String| Awaited::Never(refused(500, what));
        match until {
            Until::Completed => match (ended, c.exit_code) {
                (true, 0) => Awaited::True,
                (true, code) => never(format!("container {} didn't complete successfully: exit {code}", c.name)),
                (false, _) => Awaited::NotYet { limit: None },
            },
            Until::Healthy { seconds } => {
                let limit = seconds.map(|s| began + s * 1000);
                match c.health {
                    _ if ended => never(format!("container {} exited ({})", c.name, c.exit_code)),
                    None if c.state == State::Running => {
                        never(format!("container {} has no healthcheck configured", c.name))
                    }
                    Some(Health::Healthy) => Awaited::True,
                    Some(Health::Unhealthy) => never(format!("container {} is unhealthy", c.name)),
                    _ if limit.is_some_and(over) => never(format!("container {} was not healthy in time", c.name)),
                    _ => Awaited::NotYet { limit },
                }
            }
            Until::Left { ms } => match ended || over(began + ms) {
                true => Awaited::True,
                false => Awaited::NotYet { limit: Some(began + ms) },
            },
            Until::Proven { seconds, stay, health, may_exit } => {
                // The container's own health check counts where the file has none (the image may bring one).
                let health = *health || has_check(&c.config);
                let window = if *seconds > 0 { seconds * 1000 } else { patience(&c.config) };
                let limit = began + if health { window } else { *stay };
                match c.health {
                    _ if ended && c.exit_code == 0 && *may_exit => Awaited::True,
                    _ if ended => never(format!("container {} exited ({})", c.name, c.exit_code)),
                    _ if c.restarts > 0 => never(format!("container {} does not stay up", c.name)),
                    Some(Health::Healthy) if health => Awaited::True,
                    Some(Health::Unhealthy) if health => never(format!("container {} is unhealthy", c.name)),
                    _ if !over(limit) => Awaited::NotYet { limit: Some(limit) },
                    _ if health => never(format!("container {} was not healthy in time", c.name)),
                    _ => Awaited::True,
                }
            }
        }
    }
}

fn wants_restart(c: &FakeContainer, code: i64) -> bool {
    match c.restart_policy() {
        ("always", _) => true,
        ("unless-stopped", _) => !c.manually_stopped,
        ("on-failure", most) => code != 0 && (most == 0 || c.restarts < most),
        _ => false,
    }
}

fn overlaps(ports: &[(String, u16, String)], address: &str, port: u16, protocol: &str) -> bool {
    let every = |a: &str| matches!(a, "" | "0.0.0.0" | "::");
    ports.iter().any(|(a, p, proto)| *p == port && proto == protocol && (every(a) || every(address) || a == address))
}

fn has_check(config: &Value) -> bool {
    array(&config["Healthcheck"]["Test"]).first().is_some_and(|t| t != "NONE" && t != "")
}

/// Ms until all retries have failed.
fn patience(config: &Value) -> u64 {
    let check = &config["Healthcheck"];
    let ms = |key: &str, otherwise: u64| match check[key].as_u64().unwrap_or(0) {
        0 => otherwise,
        nanoseconds => nanoseconds / 1_000_000,
    };
    let retries = check["Retries"].as_u64().filter(|n| *n > 0).unwrap_or(3);
    ms("StartPeriod", 0) + retries * ms("Interval", 30_000)
}
