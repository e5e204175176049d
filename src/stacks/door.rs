//! The way in to a home in domain mode, as this room needs it: whoever knows routes and certificates is handed in by `command`,
//! since what runs does not depend on how it is reached.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::home::{Home, Read};
use crate::cli::{Failure, Out};
use crate::diag::Diagnostics;
use crate::engine::Engine;
use crate::plan::observed::{EngineFacts, Observed};
use crate::plan::wanted::Wanted;

/// What makes a home's services reachable by name.
#[async_trait(?Send)]
pub trait FrontDoor {
    /// Before anything is started in domain mode: what Traefik reads is there and says what the stacks say. Refuses what could not
    /// work.
    /// `engine`: the one that runs the home, where it was asked.
    fn make_ready(&self, home: &Home, read: &Read, engine: Option<&EngineFacts>, out: &Out) -> Result<(), Failure>;

    /// After an apply: how the routes of these services are, tried from outside, said to the person.
    async fn try_routes(&self, home: &Home, read: &Read, engine: &dyn Engine, changed: &BTreeSet<String>, out: &Out);

    /// What cannot work or will surprise, as what is on the engine tells. Places are those of `read`.
    fn judge(&self, home: &Home, read: &Read, wanted: &Wanted, observed: &Observed) -> Diagnostics;
}
