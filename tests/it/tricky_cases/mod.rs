//! The tricky cases of Compose: states in which `docker compose up` surprises people. Each has a number by which the documents know it, and ends
//! as with Compose, or better where Compose leaves something broken; then `docker compose` must still find nothing to do.

pub mod dependencies;
pub mod hashes;
pub mod made_by_hand;
pub mod networks;
pub mod volumes;

use crate::rig::Scratch;

/// A service that runs until it is killed, as the inside of a flow mapping.
pub const RUNS: &str = "image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL";

impl Scratch {
    /// `docker compose up -d` after this finds everything right: it makes, replaces and restarts nothing.
    #[track_caller]
    pub fn compose_agrees(&self) {
        let before = self.lives();
        self.compose("--profile * up -d").ok();
        assert_eq!(before, self.lives(), "docker compose touched what hearth left");
    }

    /// `hearth up`, and a second one has nothing to do.
    #[track_caller]
    pub fn hearth_settles(&self) {
        self.hearth("up").ok();
        self.hearth("plan --check").ok();
    }
}
