//! The way in to a home in domain mode, as this room needs it: whoever knows routes and certificates is handed in by `command`,
//! since what runs does not depend on how it is reached.

use super::home::{Home, Read};
use crate::cli::{Failure, Out};
use crate::diag::Diagnostics;
use crate::plan::observed::Observed;
use crate::plan::wanted::Wanted;

/// What makes a home's services reachable by name.
pub trait FrontDoor {
    /// Before anything is started in domain mode: what Traefik reads is there and says what the stacks say. Refuses what could not
    /// work.
    fn make_ready(&self, home: &Home, read: &Read, out: &Out) -> Result<(), Failure>;

    /// What cannot work or will surprise, as what is on the engine tells. Places are those of `read`.
    fn judge(&self, home: &Home, read: &Read, wanted: &Wanted, observed: &Observed) -> Diagnostics;
}
