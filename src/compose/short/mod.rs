//! Short forms that are little languages of their own: ports, volumes, command lines, durations, sizes.

pub mod command;
pub mod ports;
pub mod size;
pub mod volume;
