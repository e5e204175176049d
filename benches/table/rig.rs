//! What all subjects share: the two programs, the engine, a place for files.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use hearth::compose::{self, Compat, Request};
use hearth::engine::docker::DockerEngine;
use hearth::engine::{Engine, EngineError, Scope};
use hearth::plan::wanted::Wanted;
use hearth::plan::{self, Options, Plan, Verb, request};
use hearth::stacks::Disk;

use crate::engine::Client;
use crate::process::{self, Run};
use crate::project::IMAGE;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Hearth,
    Compose,
}

pub const BOTH: [Who; 2] = [Who::Hearth, Who::Compose];

pub struct Rig {
    /// How often each thing is measured.
    pub runs: usize,
    pub socket: PathBuf,
    /// Gone with everything in it when the bench ends.
    pub dir: tempfile::TempDir,
    pub compose: PathBuf,
    /// Projects that were written, to be cleared away.
    projects: RefCell<BTreeSet<String>>,
}

/// Whatever happened, nothing is left on the engine. What fails here is found and cleared by the next run.
impl Drop for Rig {
    fn drop(&mut self) {
        let mut client = self.client();
        for project in self.projects.borrow().iter() {
            let _ = client.clear(project);
        }
        let _ = client.call("DELETE", &format!("/images/{}", IMAGE), None);
    }
}

impl Rig {
    pub fn new(runs: usize, socket: PathBuf) -> Result<Rig, String> {
        let dir = tempfile::Builder::new().prefix("hearth-bench-").tempdir().map_err(|e| e.to_string())?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/compose");
        let output = Command::new(&script).output().map_err(|e| format!("{}: {e}", script.display()))?;
        let compose = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        if !compose.is_file() {
            return Err(format!("no Compose: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Rig { runs, socket, dir, compose, projects: RefCell::default() })
    }

    pub fn client(&self) -> Client {
        Client::new(&self.socket)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a project's file. Its directory is its name: both programs find the same project in it.
    pub fn write(&self, project: &str, text: &str) -> Result<PathBuf, String> {
        self.projects.borrow_mut().insert(project.to_string());
        let dir = self.path(project);
        let file = dir.join("compose.yaml");
        let written = std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&file, text));
        written.map(|()| file).map_err(|e| format!("{}: {e}", dir.display()))
    }

    /// A command on the project in `file`, over `socket`. Nothing of this person's settings takes part; Compose is where Hearth
    /// finds it too, as on a machine that has both.
    pub fn command(&self, who: Who, file: &Path, socket: &Path, words: &[&str]) -> Command {
        let program = match who {
            Who::Hearth => Path::new(env!("CARGO_BIN_EXE_hearth")),
            Who::Compose => &self.compose,
        };
        let folder = self.compose.parent().unwrap_or(Path::new("/")).display();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", format!("{folder}:/usr/bin:/bin"))
            .env("HOME", self.dir.path())
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .arg("-f")
            .arg(file)
            .args(words);
        command
    }

    /// Runs a command that must succeed.
    pub fn run(&self, who: Who, file: &Path, words: &[&str]) -> Result<Run, String> {
        process::succeed(&mut self.command(who, file, &self.socket, words), &self.path("log"))
    }

    /// Hearth `up` is `up -d`: the words for each.
    pub fn up(&self, who: Who, file: &Path) -> Result<Run, String> {
        self.run(who, file, up(who))
    }

    pub fn down(&self, who: Who, file: &Path) -> Result<Run, String> {
        self.run(who, file, &["down"])
    }
}

pub fn up(who: Who) -> &'static [&'static str] {
    match who {
        Who::Hearth => &["up"],
        Who::Compose => &["up", "-d"],
    }
}

/// What `file` asks for, as Hearth's own library reads it.
fn wanted(file: &Path) -> Result<Wanted, String> {
    let dir = file.parent().unwrap_or(Path::new("/"));
    let request =
        Request { files: vec![file.to_path_buf()], cwd: dir.to_path_buf(), compat: Compat::V2, ..Request::default() };
    let disk = Disk::whole();
    let loaded = compose::load(&request, &disk);
    let project = loaded.project.ok_or_else(|| format!("{}: {:?}", file.display(), loaded.diagnostics))?;
    let context = request::Context { compat: Compat::V2, files: &disk, proxies: Default::default() };
    Ok(request::wanted(&project, &context))
}

/// What Hearth itself plans for `file` now, and what Compose would write as the `image` label of its services.
pub fn plan(rig: &Rig, file: &Path, verb: Verb) -> Result<(Plan, String), String> {
    let wanted = wanted(file)?;
    let scope = Scope {
        project: wanted.project.clone(),
        images: vec![IMAGE.into()],
        networks: wanted.networks.values().map(|n| n.name.clone()).collect(),
        volumes: wanted.volumes.values().map(|v| v.name.clone()).collect(),
        compat: Compat::V2,
        inspect: true,
        ..Scope::default()
    };
    let environment = [("DOCKER_HOST".to_string(), format!("unix://{}", rig.socket.display()))].into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let observed = runtime.block_on(async { DockerEngine::connect(&environment).await?.observe(&scope).await });
    let observed = observed.map_err(|e: EngineError| e.to_string())?;
    let plan = plan::plan(&wanted, &observed, &Options { verb, ..Options::default() });
    if !plan.refusals.is_empty() {
        return Err(format!("the bare client's plan is refused: {:?}", plan.refusals));
    }
    let image = observed.images.get(IMAGE).map(|image| image.label_id.clone());
    Ok((plan, image.unwrap_or_default()))
}
