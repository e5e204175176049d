//! A real Traefik of a test's own: the program that TRAEFIK_BIN names, else a container of the image `traefik:v3.7` on the host's network.
//! That is the network where the test itself is, so the machine's engine runs it, also for a case on an engine of its own.
//! Where neither is here the case is skipped, and counted so.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::plain::{Answer, get};
use super::{Running, Scratch, Skip, free_port, until};

const IMAGE: &str = "traefik:v3.7";

/// A Traefik that runs until it is dropped. Its entry points `web`, `websecure` and `traefik` (the API, `/ping`) listen on loopback.
pub struct Traefik<'s> {
    scratch: &'s Scratch,
    pub web: u16,
    pub websecure: u16,
    pub api: u16,
    /// The directory that its file provider watches. It is there before Traefik starts, and empty.
    pub dynamic: PathBuf,
    log: PathBuf,
    flags: Vec<String>,
    place: Place,
}

/// How it is run, and what runs.
enum Place {
    Program(PathBuf, Option<Running>),
    Container(String),
}

impl<'s> Traefik<'s> {
    /// Starts one with these static flags besides (`providers.docker.endpoint=...`, without the dashes) and waits until it answers.
    pub fn start(scratch: &'s Scratch, flags: &[String]) -> Result<Traefik<'s>, Skip> {
        let place = match std::env::var_os("TRAEFIK_BIN") {
            Some(program) => Place::Program(program.into(), None),
            None if scratch.machine_docker(&["image", "inspect", "-f", "{{.Id}}", IMAGE]).code == 0 => {
                Place::Container(format!("{}-traefik", scratch.project))
            }
            None => return Err(Skip(format!("no Traefik here (TRAEFIK_BIN names one, or the image {IMAGE})"))),
        };
        let (web, websecure, api) = (free_port(), free_port(), free_port());
        let (dynamic, log) = (scratch.beside("dynamic"), scratch.beside("traefik.log"));
        std::fs::create_dir_all(&dynamic).expect("a folder can be made in a temporary folder");
        let mut all: Vec<String> = vec![
            "global.checknewversion=false".into(),
            "global.sendanonymoususage=false".into(),
            format!("entrypoints.web.address=127.0.0.1:{web}"),
            format!("entrypoints.websecure.address=127.0.0.1:{websecure}"),
            format!("entrypoints.traefik.address=127.0.0.1:{api}"),
            "api.insecure=true".into(),
            "api.dashboard=false".into(),
            "ping=true".into(),
            "log.level=DEBUG".into(),
            format!("log.filepath={}", log.display()),
            format!("providers.file.directory={}", dynamic.display()),
        ];
        all.extend(flags.iter().cloned());
        let flags = all.into_iter().map(|flag| format!("--{flag}")).collect();
        let mut traefik = Traefik { scratch, web, websecure, api, dynamic, log, flags, place };
        traefik.run();
        Ok(traefik)
    }

    /// Starts the same one again, after [`Traefik::stop`]: same ports, same directory.
    pub fn run(&mut self) {
        match &mut self.place {
            Place::Program(program, running) => {
                let env: Vec<(String, String)> = vec![("HOME".into(), self.scratch.beside("").display().to_string())];
                *running = Some(Running::start(program, &self.flags, &self.scratch.dir, &env));
            }
            Place::Container(name) => {
                let folder = self.scratch.beside("");
                let mount = format!("{0}:{0}", folder.display());
                let fixed = ["run", "-d", "--network", "host", "--name", name, "-v", &mount, IMAGE];
                let flags = self.flags.iter().map(String::as_str);
                self.scratch.machine_docker(&fixed.into_iter().chain(flags).collect::<Vec<_>>()).ok();
            }
        }
        let ready =
            until(Duration::from_secs(20), || get(self.api, "localhost", "/ping").is_some_and(|a| a.status == 200));
        assert!(ready, "Traefik did not start\n{}", self.log());
    }

    /// Ends it at once, as a crash would.
    pub fn stop(&mut self) {
        match &mut self.place {
            Place::Program(_, running) => {
                if let Some(running) = running.take() {
                    running.signal(rustix::process::Signal::KILL);
                    running.end();
                }
            }
            Place::Container(name) => {
                self.scratch.machine_docker(&["rm", "-f", name]);
            }
        }
    }

    /// A page of the entry point `web`; `None` where no answer came.
    pub fn get(&self, host: &str, path: &str) -> Option<Answer> {
        get(self.web, host, path)
    }

    /// A page of Traefik's own API, as `/api/http/routers`.
    pub fn api(&self, path: &str) -> Value {
        let answer = get(self.api, "localhost", path).unwrap_or_default();
        serde_json::from_str(&answer.body).unwrap_or(Value::Null)
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until a host answers with this status, for at most `limit`.
    #[track_caller]
    pub fn answers(&self, host: &str, status: u16, limit: Duration) -> Answer {
        let mut last = None;
        let came = until(limit, || {
            last = self.get(host, "/");
            last.as_ref().is_some_and(|answer| answer.status == status)
        });
        assert!(came, "{host} should answer {status}, not {last:?}\n{}", tail(&self.log()));
        last.unwrap_or_default()
    }
}

impl Drop for Traefik<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
