//! Projects as a home server has them, of any size: groups of ten services that belong together.
//!
//! Each group has a network and a database and a cache with a volume each; seven workers and an app depend on them, and the app is also on the
//! network `edge`. A service is about 450 bytes of YAML.

use std::fmt::Write;

/// What a project is made for.
pub struct Shape {
    pub services: usize,
    /// Databases have a health check, and what depends on one waits for it.
    pub health: bool,
    /// Replaces two workers by services that answer HTTP: `web` at [`WEB`], and `beside` with `order: start-first`, which runs
    /// the program in these read-only mounts, one that ends as a good server does.
    pub web: Option<Vec<String>>,
    /// A value in the environment of `web` and `beside`: another one means another container.
    pub revision: u32,
}

/// The address of `web`, which the host reaches without a published port.
pub const WEB: &str = "10.213.255.10:8080";
/// The image of every service.
pub const IMAGE: &str = "bench-hearth/busybox:1";

impl Shape {
    pub fn of(services: usize) -> Shape {
        Shape { services, health: false, web: None, revision: 0 }
    }

    /// The Compose file.
    pub fn text(&self) -> String {
        let mut text = String::from("services:\n");
        let plain = if self.web.is_some() { self.services - 2 } else { self.services };
        (0..plain).for_each(|i| self.service(i, &mut text));
        if let Some(mounts) = &self.web {
            let _ = write!(
                text,
                "  web:\n    image: {IMAGE}\n    command: [httpd, -f, -p, \"8080\", -h, /www]\n    restart: unless-stopped\n    \
                 stop_signal: SIGKILL\n    environment: {{ REVISION: \"{0}\" }}\n    networks: {{ edge: {{ ipv4_address: 10.213.255.10 }} }}\n  \
                 beside:\n    image: {IMAGE}\n    entrypoint: [/probe, --answer]\n    restart: unless-stopped\n    volumes: {mounts:?}\n    \
                 environment: {{ REVISION: \"{0}\" }}\n    networks: [edge]\n    deploy: {{ update_config: {{ order: start-first }} }}\n",
                self.revision
            );
        }
        let groups = self.services.div_ceil(10);
        // The engine gives addresses from the upper half, so that nobody else gets that of `web` while it is replaced.
        text.push_str(
            "networks:\n  edge: { ipam: { config: [{ subnet: 10.213.255.0/24, ip_range: 10.213.255.128/25 }] } }\n",
        );
        for group in 0..groups {
            let _ = writeln!(text, "  net{group:02}: {{ ipam: {{ config: [{{ subnet: 10.213.{group}.0/24 }}] }} }}");
        }
        text.push_str("volumes:\n");
        for group in 0..groups {
            let _ = writeln!(text, "  db{group:02}-data: {{}}\n  cache{group:02}-data: {{}}");
        }
        text
    }

    fn service(&self, index: usize, text: &mut String) {
        let (group, place) = (index / 10, index % 10);
        let name = match place {
            0 => format!("db{group:02}"),
            1 => format!("cache{group:02}"),
            2 => format!("app{group:02}"),
            _ => format!("work{index:04}"),
        };
        let _ = write!(
            text,
            "  {name}:\n    image: {IMAGE}\n    command: [sleep, \"1000000\"]\n    restart: unless-stopped\n    stop_signal: SIGKILL\n    \
             environment:\n      TZ: Europe/Berlin\n      PUID: \"1000\"\n      PGID: \"1000\"\n      LOG_LEVEL: info\n      \
             DATABASE_URL: postgres://db{group:02}:5432/{name}\n    labels:\n      org.example.group: \"{group}\"\n      \
             org.example.about: \"{name} of group {group}\"\n    networks: [{edge}net{group:02}]\n",
            edge = if place == 2 { "edge, " } else { "" },
        );
        let ready = if self.health { "service_healthy" } else { "service_started" };
        match place {
            0 | 1 => {
                let _ = writeln!(text, "    volumes: [\"{name}-data:/data\"]");
                if place == 0 && self.health {
                    text.push_str(
                        "    healthcheck: { test: [CMD, /bin/busybox, \"true\"], interval: 30s, start_period: 30s, start_interval: 1s }\n",
                    );
                }
            }
            _ => {
                let _ = writeln!(
                    text,
                    "    depends_on:\n      db{group:02}: {{ condition: {ready} }}\n      cache{group:02}: {{ condition: service_started }}",
                );
            }
        }
    }
}

/// A project for reading only: `services` of them, of more kinds than a live one has.
pub fn listed(services: usize) -> String {
    let mut text = Shape::of(services).text();
    for index in (3..services).step_by(10) {
        let from = format!("  work{index:04}:\n");
        let to = format!("{from}    ports: [\"127.0.0.1:{}:8080\"]\n    mem_limit: 512m\n", 20_000 + index);
        text = text.replacen(&from, &to, 1);
    }
    text
}
