//! Hearth's own container on the network of a home's Traefik. That network is made by whatever starts Traefik, after Hearth and without it, so
//! no Compose file of Hearth's own can name it: Hearth joins it when somebody else is on it, and leaves when it would be the last one there, and
//! when it stops. So nobody finds the network in use who wants to remove it, and a container that is stopped depends on no network that may be
//! gone when it is started again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::engine::EngineError;
use crate::engine::docker::{Container, DockerEngine};
use crate::proxy::{Entrance, Found};

const LOOK: Duration = Duration::from_secs(1);
/// How long it stays alone: Traefik may only be starting anew.
const ALONE: Duration = Duration::from_secs(5);
/// For leaving at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// The container, and where it is.
struct Joined {
    engine: DockerEngine,
    itself: Container,
    /// The network that it is on for Traefik.
    on: Option<String>,
    /// For how many looks nobody else was there.
    alone: u32,
}

/// Joins and leaves until `stop`. `env`: where the engine is found; `found`: where Traefik expects Hearth.
pub async fn keep(env: BTreeMap<String, String>, found: watch::Receiver<Found>, stop: CancellationToken) {
    let mut joined: Option<Joined> = None;
    let mut told = String::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => break,
        }
        let entrance = found.borrow().entrance.clone();
        if entrance.is_none() && joined.is_none() {
            continue;
        }
        if joined.is_none() {
            joined = Joined::begin(&env).await;
        }
        let Some(here) = joined.as_mut() else { continue };
        // An engine that is away says so elsewhere.
        let said = here.look(entrance.as_ref()).await.err().map(|why| why.to_string()).unwrap_or_default();
        if !said.is_empty() && said != told {
            tracing::warn!(why = said, "Hearth's container does not get to Traefik's network");
        }
        told = said;
    }
    if let Some(mut joined) = joined {
        let _ = timeout(PATIENCE, joined.leave()).await;
    }
}

impl Joined {
    async fn begin(env: &BTreeMap<String, String>) -> Option<Joined> {
        let engine = DockerEngine::connect(env).await.ok()?;
        let itself = engine.itself().await.ok()??;
        Some(Joined { engine, itself, on: None, alone: 0 })
    }

    async fn look(&mut self, entrance: Option<&Entrance>) -> Result<(), EngineError> {
        let wanted = entrance.and_then(|entrance| Some((entrance.network.clone()?, entrance.listen.ip())));
        if self.on.is_some() && self.on != wanted.as_ref().map(|(network, _)| network.clone()) {
            self.leave().await?;
        }
        let Some((network, IpAddr::V4(address))) = wanted else { return Ok(()) };
        let Some(there) = self.engine.neighbours(&network).await? else {
            self.on = None;
            return Ok(());
        };
        let here = there.contains(&self.itself.id);
        let others = there.len() > usize::from(here);
        self.alone = if here && !others { self.alone + 1 } else { 0 };
        if here {
            self.on = Some(network);
            if LOOK * self.alone > ALONE {
                self.leave().await?;
            }
        } else if others {
            self.engine.join(&self.itself, &network, address).await?;
            tracing::info!(network, %address, "Hearth's container is on Traefik's network");
            self.on = Some(network);
        }
        Ok(())
    }

    async fn leave(&mut self) -> Result<(), EngineError> {
        self.alone = 0;
        match self.on.take() {
            Some(network) => self.engine.leave(&self.itself, &network).await,
            None => Ok(()),
        }
    }
}
