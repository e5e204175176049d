//! The pure core, read from the main crate's files: fuzzing it needs neither an engine nor a database to be built.

#[path = "../src/base/mod.rs"]
pub mod base;
#[path = "../src/compose/mod.rs"]
pub mod compose;
#[path = "../src/diag/mod.rs"]
pub mod diag;
