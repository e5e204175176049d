//! A container as every face shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::plan::observed::{self, State as Run};
use crate::plan::request;

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub service: String,
    /// Of the containers of its service.
    #[schema(required)]
    pub number: Option<u32>,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
    pub state: &'static str,
    /// `starting`, `healthy` or `unhealthy`; null without a health check.
    #[schema(required)]
    pub health: Option<&'static str>,
    /// How it ended; null while it runs, and where it never did.
    #[schema(required)]
    pub exit_code: Option<i64>,
    pub image: String,
    pub image_id: String,
    pub ports: Vec<Port>,
    pub created_at: String,
    /// Null where it never started.
    #[schema(required)]
    pub started_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Port {
    /// On the machine; empty for all addresses.
    pub ip: String,
    pub port: u16,
    pub protocol: String,
    /// Inside the container.
    #[schema(required)]
    pub target: Option<u16>,
}

impl Container {
    pub fn of(c: &observed::Container) -> Container {
        let port = |(ip, port, protocol): &(String, u16, String)| Port {
            ip: ip.clone(),
            port: *port,
            protocol: protocol.clone(),
            target: c.port_targets.get(&(*port, protocol.clone())).copied(),
        };
        Container {
            id: c.id.clone(),
            name: c.name.clone(),
            service: c.labels.get(request::SERVICE).cloned().unwrap_or_default(),
            number: c.labels.get(request::NUMBER).and_then(|n| n.parse().ok()),
            state: crate::stacks::projects::state(c.state),
            health: c.health.map(|health| match health {
                observed::Health::Starting => "starting",
                observed::Health::Healthy => "healthy",
                observed::Health::Unhealthy => "unhealthy",
            }),
            exit_code: (!matches!(c.state, Run::Created | Run::Running | Run::Paused)).then_some(c.exit_code),
            image: c.image.clone(),
            image_id: c.image_id.clone(),
            ports: c.ports.iter().map(port).collect(),
            created_at: c.created_at.clone(),
            started_at: (!c.started_at.is_empty()).then(|| c.started_at.clone()),
        }
    }
}
