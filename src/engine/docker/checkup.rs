//! What an engine says of itself when somebody asks how it is.

use time::OffsetDateTime;

use super::{DockerEngine, convert, host, observe, wire};
use crate::base::clock;
use crate::engine::EngineError;

/// The newest API version that Hearth writes.
pub const NEWEST_API: (u32, u32) = wire::NEWEST;

/// How an engine is.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkup {
    pub version: String,
    /// The newest API version that it speaks, and the oldest that it takes where it says so.
    pub newest_api: (u32, u32),
    pub oldest_api: Option<(u32, u32)>,
    /// Why containers may see one address for everybody who comes from outside, in words; empty: they see who it is.
    pub hides_clients: String,
    pub rootless: bool,
    /// Whether its ports are this machine's.
    pub is_here: bool,
    /// Its clock.
    pub time: Option<OffsetDateTime>,
}

impl DockerEngine {
    /// Asks it how it is, in whatever version it likes: one that it takes no more must not keep anybody from being told so.
    pub async fn checkup(&self) -> Result<Checkup, EngineError> {
        let wire = self.wire.unpinned();
        let asked = async { Ok((wire.get("/version").await?, wire.get("/info").await?)) };
        let (version, info) = asked.await.map_err(|fault| self.tell(fault, "ask the engine about itself"))?;
        let shared = host::shared(&self.place.address, &info).await;
        let api = |key: &str| version[key].as_str().and_then(wire::version);
        Ok(Checkup {
            version: convert::text(&version["Version"]),
            newest_api: api("ApiVersion").unwrap_or(self.api),
            oldest_api: api("MinAPIVersion"),
            hides_clients: observe::hides_clients(&info).into(),
            rootless: observe::is_rootless(&info),
            is_here: shared.ports,
            time: info["SystemTime"].as_str().and_then(clock::parse),
        })
    }
}
