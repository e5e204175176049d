//! The audit: every act that changes something or is refused. Who, from where, what, on what, with which outcome, how long. No secrets.
//!
//! | subject | file |
//! |---|---|
//! | an entry, and what makes one | `entry` |
//! | the hash that chains entries | `chain` |
//! | nobody's acts, in bounds | `crowd` |
//! | adding, looking through, taking out | `log` |
//! | which entries | `filter` |
//! | whether all of them are as they were written | `verify` |
//! | how long they are kept | `keep` |
//! | JSON lines and CSV | `export` |
//! | what the table of routes hands in | `notebook` |
//! | which fields of calls are kept | `said` |
//!
//! An entry is added in the one writer of the store: once it was answered it is on the disk, and no two processes can add the same one. An act and its
//! entry may share a transaction: [`append`].

mod chain;
pub mod crowd;
pub mod entry;
pub mod export;
pub mod filter;
pub mod keep;
pub mod log;
mod notebook;
pub mod said;
mod sql;
#[cfg(test)]
mod tests;
pub mod verify;

pub use entry::{Author, Entry, Note, Outcome};
pub use filter::{Filter, Text};
pub use keep::Keep;
pub use log::{Log, append};
pub use verify::{Broken, Sound, verify};
