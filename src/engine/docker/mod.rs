//! A real Docker Engine (20.10 or newer) behind [`Engine`]; one file a subject.
//!
//! | subject | file |
//! |---|---|
//! | where the engine is, and the docker CLI's settings | `connect`, `contexts`, `credentials` |
//! | the connection, bounded in time | `wire`, `tls` |
//! | failures in words | `errors`, `refusals` |
//! | one look at the world | `observe`, `convert`, `host` |
//! | actions of a plan | `perform`, `containers`, `older`, `upload`, `wait`, `hooks` |
//! | images | `pull`, `build`, `context`, `ignore` |
//! | logs, figures, events and exec | `streams`, `frames`, `stats`, `happenings` |
//! | images, volumes and networks of everybody | `stored` |
//! | memory in use | `used` |
//! | reading without plans (gate) | `reader` |
//! | how it is (doctor) | `checkup` |
//! | the container that Hearth itself runs in | `itself` |
//!
//! bollard carries programs in containers; everything else is JSON as it is (`wire` says why).

mod build;
mod checkup;
mod connect;
mod containers;
mod context;
mod contexts;
mod convert;
mod credentials;
mod errors;
mod frames;
mod happenings;
mod hooks;
mod host;
mod ignore;
mod itself;
mod observe;
mod older;
pub mod own;
mod perform;
mod pull;
pub mod reader;
mod refusals;
mod stats;
mod stored;
mod streams;
mod tls;
mod upload;
mod used;
mod wait;
mod wire;

pub use checkup::{Checkup, NEWEST_API};
pub use host::{Listener, listeners, programs};
pub use itself::{container_of_process, inside};
pub use used::memory;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::stored::Stored;
use super::{Engine, EngineError, Host, Known, Outcome, Scope, Tell};
use crate::plan::Action;
pub use crate::plan::observed::Container;
use crate::plan::observed::{EngineFacts, Observed};
use connect::Place;
use errors::Fault;
use wire::Wire;

/// `HTTP_PROXY` and its kin from the docker CLI's settings, which belong into every container of the engine that `env`
/// (the process environment) means. No connection is made.
pub fn proxies(env: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, EngineError> {
    let place = connect::find(env)?;
    Ok(place.settings.proxies_for(&place.host))
}

/// A connection to one engine. Clones share it.
#[derive(Clone)]
pub struct DockerEngine {
    place: Arc<Place>,
    wire: Wire,
    /// bollard over the same connections, for what streams.
    bollard: bollard::Docker,
    /// The pinned API version.
    api: (u32, u32),
    info: Arc<OnceCell<(EngineFacts, host::Shared)>>,
}

impl DockerEngine {
    /// Finds the engine as the docker CLI does and asks it once, within 10 s. `env` is the process environment: nothing
    /// else of it is read here.
    pub async fn connect(env: &BTreeMap<String, String>) -> Result<DockerEngine, EngineError> {
        let place = Arc::new(connect::find(env)?);
        let tell = |fault| errors::greeting(fault, &place);
        let wire = Wire::new(&place.address).map_err(tell)?;
        let greeting = wire.greet().await.map_err(tell)?;
        if greeting.api < wire::OLDEST {
            return Err(errors::too_old(&greeting.server, greeting.api));
        }
        let api = greeting.api.min(wire::NEWEST).min(place.api.unwrap_or(wire::NEWEST));
        let wire = wire.pinned(api);
        let transport = wire.clone();
        let send = move |request| {
            let wire = transport.clone();
            async move { wire.send(request).await.map_err(Fault::into_bollard) }
        };
        // Time is watched by our own transport: bollard's limit must never cut a build's upload short.
        let bollard = bollard::Docker::connect_with_custom_transport(
            send,
            Some("http://engine"),
            u64::from(u32::MAX),
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|e| tell(Fault::from_bollard(e)))?;
        Ok(DockerEngine { place, wire, bollard, api, info: Arc::default() })
    }

    /// The engine's address, in the docker CLI's form.
    pub fn host(&self) -> &str {
        &self.place.host
    }

    /// The same engine for who only reads.
    pub fn reader(&self) -> reader::Reader {
        reader::Reader::over(self.wire.clone(), self.api)
    }

    /// Whether it answers now.
    pub async fn answers(&self) -> bool {
        self.wire.greet().await.is_ok()
    }

    /// Version, id, platform: asked once.
    pub async fn about(&self) -> Result<EngineFacts, EngineError> {
        self.facts().await.map_err(|f| self.tell(f, "ask the engine about itself"))
    }

    /// Sends SIGHUP to a container's first process, which many servers take as "read your files again".
    pub async fn reload(&self, id: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}/kill?signal=SIGHUP", wire::segment(id));
        let sent = self.wire.call(hyper::Method::POST, &path, None, wire::LOOK).await;
        sent.map(drop).map_err(|f| self.tell(f, "tell the container to read its files again"))
    }

    fn tell(&self, fault: Fault, what: &str) -> EngineError {
        errors::tell(fault, what, &self.place)
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        observe::observe(self, scope).await.map_err(|f| self.tell(f, "look at what runs"))
    }

    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        perform::perform(self, action, known, progress).await
    }

    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        self.container(id).await.map_err(|f| self.tell(f, &format!("look at the container {id}")))
    }

    async fn digests(&self, image: &str) -> Result<Vec<String>, EngineError> {
        let found = self.find_image(image).await.map_err(|f| self.tell(f, &format!("look at the image {image}")))?;
        Ok(found.as_ref().map(convert::digests).unwrap_or_default())
    }

    async fn last_words(&self, id: &str, lines: u32) -> Result<Vec<String>, EngineError> {
        wait::last_words(self, id, lines).await.map_err(|f| self.tell(f, "read the container's last words"))
    }
}

#[async_trait]
impl Host for DockerEngine {
    async fn compose_containers(&self) -> Result<Vec<Container>, EngineError> {
        let filters = serde_json::json!({"label": [crate::plan::request::PROJECT]}).to_string();
        let path = format!("/containers/json{}", wire::query(&[("all", "1"), ("filters", &filters)]));
        let listed = self.wire.get(&path).await.map_err(|f| self.tell(f, "list all projects"))?;
        Ok(convert::list(&listed).iter().map(convert::listed).collect())
    }

    async fn containers(&self) -> Result<Vec<Container>, EngineError> {
        stored::containers(self).await.map_err(|f| self.tell(f, "list all containers"))
    }

    async fn stored(&self) -> Result<Stored, EngineError> {
        stored::stored(self).await.map_err(|f| self.tell(f, "look at images, volumes and networks"))
    }

    fn is_double(&self) -> bool {
        false
    }
}
