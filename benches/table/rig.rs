//! What all subjects share: the two programs, the engine, a place for files.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use hearth::compose::{self, Compat, Request};
use hearth::plan::observed::{Container, Network, Observed, State, Volume};
use hearth::plan::wanted::Wanted;
use hearth::plan::{self, request};
use hearth::stacks::Disk;
use serde_json::Value;

use crate::engine::Client;
use crate::process::{self, Run};

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
        let _ = client.call("DELETE", &format!("/images/{}", crate::project::IMAGE), None);
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
pub fn wanted(file: &Path) -> Result<Wanted, String> {
    let dir = file.parent().unwrap_or(Path::new("/"));
    let request =
        Request { files: vec![file.to_path_buf()], cwd: dir.to_path_buf(), compat: Compat::V2, ..Request::default() };
    let disk = Disk::whole();
    let loaded = compose::load(&request, &disk);
    let project = loaded.project.ok_or_else(|| format!("{}: {:?}", file.display(), loaded.diagnostics))?;
    let context = request::Context { compat: Compat::V2, files: &disk, proxies: Default::default() };
    Ok(request::wanted(&project, &context))
}

/// A world where only the image is there.
pub fn bare_world(client: &mut Client) -> Result<Observed, String> {
    let image = client.get(&format!("/images/{}/json", crate::project::IMAGE))?;
    let id = image["Id"].as_str().unwrap_or_default().to_string();
    let image =
        plan::observed::Image { label_id: id.clone(), id, config: image["Config"].clone(), ..Default::default() };
    let mut world = Observed::default();
    world.engine.api = "1.45".into();
    world.engine.api_level = (1, 45);
    world.images.insert(crate::project::IMAGE.into(), image);
    Ok(world)
}

/// As much of what runs as a plan for `down` needs.
pub fn world_of(client: &mut Client, project: &str) -> Result<Observed, String> {
    let mut world = bare_world(client)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let labels = |value: &Value| serde_json::from_value(value["Labels"].clone()).unwrap_or_default();
    for c in client.containers(project)? {
        world.containers.push(Container {
            id: text(&c["Id"]),
            name: text(&c["Names"][0]).trim_start_matches('/').to_string(),
            image: text(&c["Image"]),
            image_id: text(&c["ImageID"]),
            labels: labels(&c),
            state: State::Running,
            ..Container::default()
        });
    }
    world.containers.sort_by(|a, b| a.name.cmp(&b.name));
    for n in client.get("/networks")?.as_array().into_iter().flatten() {
        let labels: std::collections::BTreeMap<String, String> = labels(n);
        if labels.get(request::PROJECT).is_some_and(|p| p == project) {
            let network = Network {
                id: text(&n["Id"]),
                name: text(&n["Name"]),
                driver: text(&n["Driver"]),
                labels,
                ..Network::default()
            };
            world.networks.insert(network.name.clone(), network);
        }
    }
    for v in client.get("/volumes")?["Volumes"].as_array().into_iter().flatten() {
        let labels: std::collections::BTreeMap<String, String> = labels(v);
        if labels.get(request::PROJECT).is_some_and(|p| p == project) {
            let volume = Volume { name: text(&v["Name"]), driver: text(&v["Driver"]), labels };
            world.volumes.insert(volume.name.clone(), volume);
        }
    }
    Ok(world)
}
