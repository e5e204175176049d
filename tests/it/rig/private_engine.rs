//! An engine of our own, to stop and start: the one of Debian's trixie, beside whatever else runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Skip;
use super::scratch::script_with;

static ONE: Mutex<()> = Mutex::new(());

/// Held by one test at a time. It is left running for the next one; `make test` ends it.
pub struct PrivateEngine {
    _only: MutexGuard<'static, ()>,
}

impl PrivateEngine {
    const SUITE: &'static str = "trixie";

    /// The engine, running, with the test images; or why there is none.
    pub fn get() -> Result<PrivateEngine, Skip> {
        if !rustix::process::getuid().is_root() {
            return Err(Skip("only root can start an engine of its own".to_owned()));
        }
        let engine = PrivateEngine { _only: ONE.lock().unwrap_or_else(PoisonError::into_inner) };
        engine.start();
        script_with("images", &[], &[("DOCKER_HOST", &engine.host())]).map_err(Skip)?;
        Ok(engine)
    }

    /// The value for DOCKER_HOST.
    pub fn host(&self) -> String {
        self.script("env")
    }

    pub fn start(&self) {
        self.script("up");
    }

    pub fn stop(&self) {
        self.script("down");
    }

    fn script(&self, verb: &str) -> String {
        script_with("engine", &[verb, Self::SUITE], &[]).unwrap_or_else(|e| panic!("{e}"))
    }
}
