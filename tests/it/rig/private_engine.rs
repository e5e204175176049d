//! An engine of our own, to stop and start: the one of Debian's trixie or the newest, beside whatever else runs.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Skip;
use super::scratch::{script_with, take_panic};

static ONE: Mutex<()> = Mutex::new(());

/// Held by one test at a time, of this run and of any other on this machine. It is left running for the next one; `make test` ends it.
pub struct PrivateEngine {
    _only: MutexGuard<'static, ()>,
    _machine: File,
    suite: &'static str,
    /// What it is told by its environment.
    env: Vec<(&'static str, &'static str)>,
}

impl PrivateEngine {
    /// The engine, running, with the test images; or why there is none.
    pub fn get() -> Result<PrivateEngine, Skip> {
        PrivateEngine::of("trixie", Vec::new())
    }

    /// The newest, which turns away clients that speak less than this version of the API.
    pub fn newest(minimum_api: &'static str) -> Result<PrivateEngine, Skip> {
        PrivateEngine::of("sid", vec![("DOCKER_MIN_API_VERSION", minimum_api)])
    }

    fn of(suite: &'static str, env: Vec<(&'static str, &'static str)>) -> Result<PrivateEngine, Skip> {
        if !rustix::process::getuid().is_root() {
            return Err(Skip("only root can start an engine of its own".to_owned()));
        }
        let only = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = PrivateEngine { _only: only, _machine: machine_wide(), suite, env };
        // One that is left of another run has another environment.
        if !engine.env.is_empty() {
            engine.stop();
        }
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

    /// Does something in the engine's own network namespace, where its published ports are.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let pid = format!("{}/pid", self.host().trim_start_matches("unix://").trim_end_matches("/docker.sock"));
        let pid = std::fs::read_to_string(&pid).expect("an engine that runs has a pid file");
        let inside = File::open(format!("/proc/{}/ns/net", pid.trim())).expect("it has a namespace");
        let thread = || {
            // SAFETY: the descriptor is open; only this thread changes over, and it ends with the work.
            assert_eq!(
                0,
                unsafe { libc::setns(inside.as_raw_fd(), libc::CLONE_NEWNET) },
                "the namespace can be entered"
            );
            catch_unwind(AssertUnwindSafe(work)).map_err(|_| take_panic())
        };
        let done = std::thread::scope(|scope| scope.spawn(thread).join());
        done.expect("panics are caught").unwrap_or_else(|words| panic!("{words}"))
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
        script_with("engine", &[verb, self.suite], &self.env).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Waits until no run of another checkout uses an engine of its own: they all find the same ones, and would take each other's containers away.
fn machine_wide() -> File {
    let path = std::env::temp_dir().join("hearth-it-private-engine.lock");
    let file = File::create(&path).unwrap_or_else(|e| panic!("{} cannot be made: {e}", path.display()));
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).expect("a lock can be waited for");
    file
}

/// One that refuses old clients is of no use to the next test.
impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if !self.env.is_empty() {
            self.stop();
        }
    }
}
