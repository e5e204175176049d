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
        engine.sweep();
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

    /// Ends what a run that was killed left here: its containers come back with the engine and hold their ports.
    #[expect(clippy::disallowed_methods, reason = "tests run the docker client as a person does")]
    fn sweep(&self) {
        let docker = script_with("engine", &["cli"], &[]).unwrap_or_else(|e| panic!("{e}"));
        let run = |args: &[&str]| {
            let output = std::process::Command::new(docker.trim()).env("DOCKER_HOST", self.host()).args(args).output();
            String::from_utf8_lossy(&output.expect("the docker client runs").stdout).into_owned()
        };
        let own = format!("it-{}-", std::process::id());
        for (list, remove) in [
            (["ps", "-a", "--format", "{{.Names}}"].as_slice(), ["rm", "-f"].as_slice()),
            (["network", "ls", "--format", "{{.Name}}"].as_slice(), ["network", "rm"].as_slice()),
        ] {
            for name in run(list).lines().filter(|n| n.contains("it-") && !n.contains(&own)) {
                run(&[remove, &[name]].concat());
            }
        }
    }

    fn script(&self, verb: &str) -> String {
        script_with("engine", &[verb, Self::SUITE], &[]).unwrap_or_else(|e| panic!("{e}"))
    }
}
