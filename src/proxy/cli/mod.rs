//! The room's face on the terminal.

pub mod routes;
