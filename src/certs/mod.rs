//! The room of certificates: the local CA, ACME, renewal, challenges, storage.
//!
//! ```text
//! let room = Room::open(&home)?            store, challenges, settings of one home
//! room.store.list()?                       what can be served; store::choose and store::serving say which serves what
//! room.challenges.answer(token)            for whoever holds port 80
//! keeper::keep(room.parts(..)?, ..)        the loop that orders and renews, until it is told to stop
//! ```

pub mod acme;
pub mod challenges;
pub mod cli;
pub mod dns;
pub mod json;
pub mod keeper;
pub mod local;
pub mod page;
pub mod preflight;
mod profile;
pub mod renewal;
pub mod room;
pub mod shown;
pub mod store;
pub mod tell;
