//! A scratch project: a folder, a unique project name, the programs to act on it, and the end of everything it made.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::{Ran, Running, Skip};

pub struct Scratch {
    /// `it-<process>-<number>`: the Compose project, and the prefix of every name that a test makes besides.
    pub project: String,
    pub dir: PathBuf,
    host: Mutex<Option<String>>,
    story: Mutex<Vec<String>>,
    folder: tempfile::TempDir,
}

thread_local! { static PANIC: RefCell<String> = const { RefCell::new(String::new()) } }

/// Keeps a panic's words for the report, instead of printing them among the lines of other tests.
pub fn note_panic(info: &std::panic::PanicHookInfo<'_>) {
    PANIC.with(|p| {
        let first = p.replace(info.to_string());
        // One while another is cleaned up after ends the process, and with it the report.
        if !first.is_empty() {
            eprintln!("{first}\n{info}");
        }
    });
}

pub fn take_panic() -> String {
    PANIC.with(RefCell::take)
}

/// The folder of this project's source.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Asks again and again until it is true, for at most `limit`; whether it came true.
pub fn until(limit: Duration, mut true_at_last: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if true_at_last() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What one of our scripts prints.
pub fn script_with(name: &str, args: &[&str], more: &[(&str, &str)]) -> Result<String, String> {
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> =
        std::env::vars().chain(more.iter().map(|(k, v)| (k.to_string(), v.to_string()))).collect();
    let ran = Running::start(&repository().join("scripts").join(name), &args, repository(), &env).end();
    match ran.code {
        0 => Ok(ran.out.trim().to_owned()),
        _ => Err(format!("scripts/{name}: {}", ran.err.trim())),
    }
}

/// A scanner of TLS, as `scripts/tls` gets it: where it is.
pub fn scanner(name: &str) -> Result<String, Skip> {
    script_with("tls", &[name], &[])
        .map_err(|why| Skip(format!("no {name} here ({})", why.lines().last().unwrap_or_default())))
}

fn script(name: &str, args: &[&str]) -> Result<PathBuf, String> {
    script_with(name, args, &[]).map(PathBuf::from)
}

fn docker_client() -> &'static Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(|| script("engine", &["cli"]))
}

fn compose_binary() -> &'static Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(|| script("compose", &[]))
}

/// Why no live test can run here, where none can.
pub fn missing_engine() -> Option<String> {
    let client = match docker_client() {
        Ok(client) => client,
        Err(reason) => return Some(reason.clone()),
    };
    let env: Vec<(String, String)> = std::env::vars().collect();
    let ran = Running::start(client, &["version".into()], repository(), &env).end();
    let engine = (ran.code != 0).then(|| "no Docker Engine answers (scripts/engine up)".to_owned());
    engine.or_else(|| script("images", &[]).err())
}

impl Scratch {
    pub fn new(case: &str) -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let project = format!("it-{}-{:03}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let folder = tempfile::Builder::new().prefix("hearth-it-").tempdir().expect("a temporary folder can be made");
        let dir = folder.path().join("project");
        std::fs::create_dir(&dir).expect("a folder can be made in a temporary folder");
        Scratch { project, dir, host: Mutex::new(None), story: Mutex::new(vec![format!("case {case}")]), folder }
    }

    /// From here on everything talks to this engine (a value for DOCKER_HOST).
    pub fn use_engine(&self, host: &str) {
        *self.host.lock().expect("no other thread sets the engine") = Some(host.to_owned());
    }

    /// The value for DOCKER_HOST that the programs of this test get, where one is set.
    pub fn engine(&self) -> Option<String> {
        self.host.lock().expect("no other thread sets the engine").clone().or_else(|| std::env::var("DOCKER_HOST").ok())
    }

    /// The engine's unix socket.
    pub fn socket(&self) -> PathBuf {
        let host = self.engine().unwrap_or_default();
        PathBuf::from(host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock"))
    }

    /// A place beside the project's folder, for state, sockets and the like.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Adds lines to a file.
    pub fn append(&self, path: &str, text: &str) {
        let before = std::fs::read_to_string(self.dir.join(path)).expect("the file is there");
        self.write(path, &format!("{before}{text}"));
    }

    /// Writes compose.yaml.
    pub fn stack(&self, text: &str) {
        self.write("compose.yaml", text);
    }

    /// Writes a `hearth.yaml` with the project's name and a range of its own.
    pub fn home(&self) {
        self.write("hearth.yaml", &format!("name: {}\nnetworks: {}\n", self.project, self.range()));
    }

    /// Runs hearth on the project (`-p`, and compose.yaml of the folder). Arguments are split at spaces.
    pub fn hearth(&self, args: &str) -> Ran {
        self.noted(self.hearth_starts(args, &[]))
    }

    /// Starts hearth with more variables, and does not wait for it. The rules are those of the Compose that tests use, unless `args` say others.
    pub fn hearth_starts(&self, args: &str, more: &[(&str, &str)]) -> Running {
        let words: Vec<&str> = args.split_whitespace().collect();
        let compat: &[&str] = if words.contains(&"--compat") { &[] } else { &["--compat", "2"] };
        self.hearth_args_start(&[&["-f", "compose.yaml", "-p", &self.project], compat, words.as_slice()].concat(), more)
    }

    /// Runs hearth with exactly these arguments, in the project's folder.
    pub fn hearth_args(&self, args: &[&str]) -> Ran {
        self.noted(self.hearth_args_start(args, &[]))
    }

    pub fn hearth_args_start(&self, args: &[&str], more: &[(&str, &str)]) -> Running {
        self.start(Path::new(env!("CARGO_BIN_EXE_hearth")), args, more)
    }

    /// Runs Docker Compose 2.40 on the project. Arguments are split at spaces.
    pub fn compose(&self, args: &str) -> Ran {
        let binary = compose_binary().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.compose_of(binary, args)
    }

    /// Runs Docker Compose 2.40 with exactly these arguments and more variables, in the project's folder.
    pub fn compose_args(&self, args: &[&str], more: &[(&str, &str)]) -> Ran {
        let binary = compose_binary().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.noted(self.start(binary, args, more))
    }

    /// Runs Docker Compose 5 on the project, where COMPOSE5_BIN names one.
    pub fn compose5(&self, args: &str) -> Result<Ran, Skip> {
        match std::env::var_os("COMPOSE5_BIN") {
            Some(binary) => Ok(self.compose_of(Path::new(&binary), args)),
            None => Err(Skip("no Docker Compose 5 here (COMPOSE5_BIN names one)".to_owned())),
        }
    }

    fn compose_of(&self, binary: &Path, args: &str) -> Ran {
        let words: Vec<&str> = args.split_whitespace().collect();
        self.noted(self.start(binary, &[&["-p", &self.project], words.as_slice()].concat(), &[]))
    }

    /// Runs the docker client. Arguments are split at spaces.
    pub fn docker(&self, args: &str) -> Ran {
        self.docker_args(&args.split_whitespace().collect::<Vec<_>>())
    }

    pub fn docker_args(&self, args: &[&str]) -> Ran {
        let client = docker_client().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.noted(self.start(client, args, &[]))
    }

    /// Runs the docker client on the machine's engine, whichever one the case itself uses.
    pub fn machine_docker(&self, args: &[&str]) -> Ran {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let client = docker_client().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.noted(self.start(client, args, &[("DOCKER_HOST", &host)]))
    }

    /// Runs the docker client with more variables.
    pub fn docker_as(&self, args: &str, more: &[(&str, &str)]) -> Ran {
        let client = docker_client().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.noted(self.start(client, &args.split_whitespace().collect::<Vec<_>>(), more))
    }

    /// Builds an image from a folder of the project, with the engine's classic builder.
    pub fn docker_built(&self, image: &str, folder: &str) {
        let client = docker_client().as_ref().unwrap_or_else(|reason| panic!("{reason}"));
        self.noted(self.start(client, &["build", "-q", "-t", image, folder], &[("DOCKER_BUILDKIT", "0")])).ok();
    }

    /// Waits for a program's end and keeps what it said for the report of a failure.
    pub fn noted(&self, running: Running) -> Ran {
        let ran = running.end();
        let mut said = format!("$ {}   (exit {}, {:.2} s)\n", ran.line, ran.code, ran.took.as_secs_f32());
        let shown = if ran.line.starts_with("docker inspect") { String::new() } else { ran.both() };
        // How it began and how it ended.
        let lines: Vec<&str> = shown.lines().collect();
        let cut = lines.len().saturating_sub(60);
        let (head, tail) = lines.split_at(lines.len().min(20));
        head.iter().for_each(|line| said.push_str(&format!("  {line}\n")));
        if cut > 0 {
            said.push_str(&format!("  [{cut} lines left out]\n"));
        }
        tail.iter().skip(cut).for_each(|line| said.push_str(&format!("  {line}\n")));
        self.story.lock().expect("no other thread tells the story").push(said);
        ran
    }

    fn start(&self, program: &Path, args: &[&str], more: &[(&str, &str)]) -> Running {
        let home = self.folder.path().display().to_string();
        let mut env = vec![("HOME".to_owned(), home.clone()), ("XDG_STATE_HOME".to_owned(), format!("{home}/state"))];
        env.extend(["PATH", "LANG"].iter().filter_map(|name| Some((name.to_string(), std::env::var(name).ok()?))));
        env.extend(self.engine().map(|host| ("DOCKER_HOST".to_owned(), host)));
        env.extend(more.iter().map(|(k, v)| (k.to_string(), v.to_string())));
        let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
        Running::start(program, &args, &self.dir, &env)
    }

    /// Removes everything that the case made on the engine; gives what was done, for the report of a failure.
    pub fn finish(&self) -> String {
        let story = self.story.lock().expect("no other thread tells the story").join("\n");
        let label = format!("label=com.docker.compose.project={}", self.project);
        let mine = format!("name={}", self.project);
        for filter in [&label, &mine] {
            let ids = self.docker_args(&["ps", "-aq", "--filter", filter]).out;
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                self.docker_args(&[&["rm", "-fv"], ids.as_slice()].concat());
            }
        }
        for (kind, filter) in [("network", &label), ("network", &mine), ("volume", &label), ("volume", &mine)] {
            let names = self.docker_args(&[kind, "ls", "-q", "--filter", filter]).out;
            let names: Vec<&str> = names.split_whitespace().collect();
            if !names.is_empty() {
                self.docker_args(&[&[kind, "rm"], names.as_slice()].concat());
            }
        }
        story
    }
}
