//! The room of certificates: the local CA, ACME, renewal, challenges, storage.

pub mod cli;
mod folder;
pub mod local;
pub mod page;
mod profile;
pub mod renewal;
pub mod store;
