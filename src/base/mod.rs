//! Small things that everything else may use and that use nothing of ours.

pub mod aside;
pub mod clock;
pub mod files;
pub mod net;
pub mod random;
pub mod secret;
pub mod units;
pub mod wording;
