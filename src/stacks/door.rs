//! The way in to a home in domain mode, as this room needs it: whoever knows routes and certificates is handed in by `command`,
//! since what runs does not depend on how it is reached.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::home::{Home, Read};
use crate::cli::{Failure, Out};
use crate::diag::{Diagnostic, Diagnostics};
use crate::engine::Engine;
use crate::plan::observed::{EngineFacts, Foreign, Observed};
use crate::plan::wanted::{Wanted, WantedService};

/// What one look says of the engine, whatever project it is about.
#[derive(Debug, Clone, Default)]
pub struct Around {
    pub engine: EngineFacts,
    /// Every container: routes may lead to those of other projects.
    pub containers: Vec<Foreign>,
    /// Services that are about to be started, with their images.
    pub coming: Vec<(String, String)>,
    /// Subnets of the engine's own networks, whosever they are, in CIDR form.
    pub subnets: Vec<String>,
}

impl Around {
    /// `wanted`: what is about to be started, where somebody starts something.
    pub fn of(observed: &Observed, wanted: Option<&Wanted>) -> Around {
        let image = |project: &str, name: &str, s: &WantedService| s.service.image_or_default(project, name);
        let all = wanted.into_iter().flat_map(|w| w.services.iter().map(|(name, s)| (w.project.as_str(), name, s)));
        Around {
            engine: observed.engine.clone(),
            containers: observed.everyone(),
            coming: all.map(|(project, name, s)| (name.clone(), image(project, name, s))).collect(),
            subnets: observed.made_up.clone(),
        }
    }
}

/// What makes a home's services reachable by name.
#[async_trait(?Send)]
pub trait FrontDoor {
    /// Before anything is started in domain mode: what Traefik reads is there and says what the stacks say. Refuses what could not
    /// work.
    /// `around`: what the engine that runs the home says, where it was asked.
    fn make_ready(&self, home: &Home, read: &Read, around: Option<&Around>, out: &Out) -> Result<(), Failure>;

    /// After an apply: how the routes of these services are, tried from outside, said to the person. An error is what only that
    /// could tell, and was said too: that what runs should not be the way in.
    async fn try_routes(
        &self,
        home: &Home,
        read: &Read,
        engine: &dyn Engine,
        changed: &BTreeSet<String>,
        out: &Out,
    ) -> Result<(), Failure>;

    /// Where services answer in localhost mode: service, address, whether it is on.
    fn ports(&self, home: &Home, read: &Read) -> Result<Vec<(String, String, bool)>, Diagnostic>;

    /// What cannot work or will surprise: all that [`FrontDoor::make_ready`] would refuse, and with `seen` what is on the engine
    /// tells. Writes nothing. Places are those of `read`.
    fn judge(&self, home: &Home, read: &Read, seen: Option<(&Wanted, &Observed)>) -> Diagnostics;
}
