//! What of this room the terminal shows. Each takes the home's database: `command` finds the home.

pub mod audit;
pub mod db;
