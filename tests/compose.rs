//! The corpus of `tests/compose/`: one point to a case, judged by what Docker Compose answered when it was recorded.
//!
//! A case is `<area>/<point>.yaml`, or a folder `<area>/<point>/` where several files are needed. How it is run stands in the
//! comment at the top of the file (`case.txt` in a folder), each line optional:
//!
//! ```text
//! # run: -f base.yaml -f over.yaml --profile web [SERVICE...] [< FILE]     (default: the file; in a folder: discovery)
//! # env: NAME=value NAME2=value
//! # cd: sub/folder
//! # unasked: why Compose cannot be asked (recorded as a refusal)
//! ```
//!
//! `recorded/<version>.json` holds what Compose said: the JSON model and each service's hash, or its last words where it
//! refused. Compose 2 stands there whole, Compose 5 only where it answers differently. Cases of `invalid/` and `lint/` have a
//! `.said` beside them: everything Hearth says, for the terminal and as JSON.
//!
//! `RECORD=1 COMPOSE=path COMPOSE5_BIN=path cargo test --test compose` asks both anew and shows what changed; `RECORD=ports/` asks
//! about one area only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hearth::compose::model::Project;
use hearth::compose::{self, Compat, FileError, Files, Loaded, Request, hash, output};
use hearth::diag::{Severity, text};
use serde_json::{Value, json};

/// Where the corpus lies when Compose is asked and, for the loader, always: paths are part of models and hashes.
const ROOT: &str = "/tmp/hearth-corpus";
const HOME: &str = "/home/me";
const GENERATIONS: [(Compat, &str, &str); 2] =
    [(Compat::V2, "2.40.3", "COMPOSE"), (Compat::V5, "5.5.0", "COMPOSE5_BIN")];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose")
}

/// The corpus under [`ROOT`], wherever the checkout lies.
struct Corpus(PathBuf);

impl Corpus {
    fn real(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(ROOT).ok().map(|rest| self.0.join(rest))
    }
}

impl Files for Corpus {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        if path == Path::new("/dev/null") {
            return Ok(Vec::new());
        }
        if path.starts_with("/elsewhere") {
            return Err(FileError::Outside);
        }
        let real = self.real(path).filter(|p| p.exists()).ok_or(FileError::NotFound)?;
        if real.is_dir() {
            return Err(FileError::Other("it is a directory".into()));
        }
        fs::read(real).map_err(|e| FileError::Other(e.to_string()))
    }
    fn is_file(&self, path: &Path) -> bool {
        self.real(path).is_some_and(|p| p.is_file())
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.real(path).is_some_and(|p| p.is_dir())
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.real(path).filter(|p| p.exists()).map(|_| path.to_path_buf())
    }
}

/// One point and how to run it.
#[derive(Debug, Default)]
struct Case {
    /// `ports/range-pairs-up`
    name: String,
    cwd: PathBuf,
    arguments: Vec<String>,
    stdin: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    unasked: Option<String>,
}

impl Case {
    fn read(name: String, file: Option<&Path>, folder: Option<&Path>) -> Case {
        let place = Path::new(ROOT).join(&name);
        let mut case = Case { name, ..Case::default() };
        let head = match (file, folder) {
            (Some(file), _) => {
                case.cwd = place.parent().unwrap().to_path_buf();
                case.arguments = vec!["-f".into(), file.file_name().unwrap().to_string_lossy().into_owned()];
                file.to_path_buf()
            }
            (None, Some(folder)) => {
                case.cwd = place;
                let own = folder.join("case.txt");
                if own.exists() { own } else { folder.join("compose.yaml") }
            }
            (None, None) => unreachable!("a case is a file or a folder"),
        };
        let bytes = fs::read(&head).unwrap_or_default();
        let whole = head.ends_with("case.txt");
        for line in String::from_utf8_lossy(&bytes).lines().take_while(|line| whole || line.starts_with('#')) {
            let line = line.trim_start_matches(['#', ' ']);
            if let Some(rest) = line.strip_prefix("run:") {
                let (arguments, stdin) = rest.split_once('<').unwrap_or((rest, ""));
                case.arguments = arguments.split_whitespace().map(|a| a.trim_matches('\'').to_string()).collect();
                case.stdin = Some(stdin.trim()).filter(|s| !s.is_empty()).map(PathBuf::from);
            } else if let Some(rest) = line.strip_prefix("env:") {
                let pairs = rest.split_whitespace().filter_map(|pair| pair.split_once('='));
                case.environment.extend(pairs.map(|(k, v)| (k.to_string(), v.to_string())));
            } else if let Some(rest) = line.strip_prefix("unasked:") {
                case.unasked = Some(rest.trim().to_string());
            } else if let Some(rest) = line.strip_prefix("cd:") {
                case.cwd = case.cwd.join(rest.trim());
            }
        }
        case
    }

    /// Compose's flags as the loader takes them.
    fn request(&self, compat: Compat, files: &Corpus) -> Request {
        let mut request = Request {
            environment: self.environment.clone(),
            cwd: self.cwd.clone(),
            home_dir: Some(HOME.into()),
            compat,
            ..Request::default()
        };
        request.environment.insert("HOME".into(), HOME.into());
        request.stdin = self.stdin.as_ref().map(|f| String::from_utf8(files.read(&self.cwd.join(f)).unwrap()).unwrap());
        let mut rest = self.arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().unwrap_or_else(|| panic!("{}: {argument} needs a value", self.name)).clone();
            match argument.as_str() {
                "-f" => request.files.push(value().into()),
                "-p" => request.project_name = Some(value()),
                "--project-directory" => request.project_directory = Some(value().into()),
                "--env-file" => request.env_files.push(value().into()),
                "--profile" => request.profiles.push(value()),
                "--all-resources" => request.all_resources = true,
                flag if flag.starts_with('-') => panic!("{}: {flag} is no flag of the corpus", self.name),
                service => request.targets.push(service.to_string()),
            }
        }
        request
    }

    /// The command line for Compose: flags before the command, services behind it.
    fn command(&self, words: &[&str]) -> Vec<String> {
        let mut flags: Vec<String> = Vec::new();
        let mut services: Vec<String> = Vec::new();
        let mut rest = self.arguments.iter().cloned();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--all-resources" => flags.push(argument),
                flag if flag.starts_with('-') => flags.extend([argument, rest.next().unwrap_or_default()]),
                _ => services.push(argument),
            }
        }
        flags.push("config".into());
        flags.extend(words.iter().map(|w| w.to_string()));
        flags.extend(services);
        flags
    }

    fn load(&self, compat: Compat) -> Loaded {
        let files = Corpus(corpus());
        compose::load(&self.request(compat, &files), &files)
    }
}

fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    let entries = |dir: &Path| {
        let mut all: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        all.sort();
        all
    };
    for area in entries(&corpus()).into_iter().filter(|p| p.is_dir() && !p.ends_with("recorded")) {
        for path in entries(&area) {
            let point = if path.is_dir() { path.file_name() } else { path.file_stem() }.unwrap().to_string_lossy();
            let name = format!("{}/{point}", area.file_name().unwrap().to_string_lossy());
            if path.is_dir() {
                found.push(Case::read(name, None, Some(&path)));
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                found.push(Case::read(name, Some(&path), None));
            }
        }
    }
    found
}

/// What a program made of a case, in the form it is recorded.
fn answer(project: &Project) -> Value {
    let hashes: BTreeMap<&String, String> =
        project.services.iter().map(|(name, s)| (name, hash::service(s)[..16].to_string())).collect();
    json!({ "model": output::json(project), "hash": hashes })
}

/// Recorded answers of one generation; those of Compose 5 lie over those of Compose 2.
fn recorded(version: &str) -> BTreeMap<String, Value> {
    let path = corpus().join(format!("recorded/{version}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Cases in which Hearth means to differ: `<case> <2|5|both> <reason>`.
fn differences() -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string(corpus().join("differences.txt")).unwrap_or_default();
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut words = line.splitn(3, char::is_whitespace);
            let mut word = || words.next().unwrap_or_default().trim().to_string();
            (word(), (word(), word()))
        })
        .collect()
}

/// Where the answers part, or `None`.
fn difference(case: &Case, want: &Value, loaded: &Loaded) -> Option<String> {
    let errors: Vec<_> = loaded.diagnostics.0.iter().filter(|d| d.severity == Severity::Error).collect();
    if let Some(words) = want.get("refused") {
        return match &loaded.project {
            Some(_) => Some(format!("Compose refuses: {words}")),
            // What concerns no line of any file says which file or flag in its title.
            None if errors.iter().any(|d| d.place.is_some() || NO_PLACE.contains(&d.code)) => None,
            None => Some(format!("refused without a place: {:?}", errors.iter().map(|d| &d.title).collect::<Vec<_>>())),
        };
    }
    let Some(project) = &loaded.project else {
        let said: Vec<String> =
            errors.iter().map(|d| text::render(d, &loaded.sources, &case.cwd).trim_end().to_string()).collect();
        return Some(format!("refused, Compose loads it: {}", said.join("\n")));
    };
    let got = answer(project);
    first(&want["model"], &got["model"], "").or_else(|| {
        let hashes = want["hash"].as_object()?;
        let wrong: Vec<&String> =
            hashes.iter().filter(|(k, v)| got["hash"].get(*k) != Some(v)).map(|(k, _)| k).collect();
        (!wrong.is_empty()).then(|| format!("hashes of {wrong:?} differ"))
    })
}

/// Errors about flags and whole files.
const NO_PLACE: [&str; 4] =
    ["compose.no-file", "compose.bad-project-name", "compose.file-not-found", "compose.no-such-service"];

/// The first place at which two JSON values differ (`Compose | Hearth`).
fn first(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            keys.into_iter().find_map(|key| match (x.get(key), y.get(key)) {
                (Some(x), Some(y)) => first(x, y, &format!("{path}.{key}")),
                (x, y) => Some(format!("{path}.{key}: {} | {}", shown(x), shown(y))),
            })
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().find_map(|(i, (x, y))| first(x, y, &format!("{path}[{i}]")))
        }
        _ => (a != b).then(|| format!("{path}: {a} | {b}")),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("absent".into(), Value::to_string)
}

#[test]
fn every_case_is_answered_as_compose_answered_it() {
    let cases = cases();
    if let Ok(which) = std::env::var("RECORD") {
        record::all(&cases, if which == "1" { "" } else { &which });
    }
    let known = differences();
    let mut wrong = Vec::new();
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for (compat, version, _) in GENERATIONS {
        all.extend(recorded(version));
        let number = &version[..1];
        for case in &cases {
            let Some(want) = all.get(&case.name) else {
                wrong.push(format!("{}: no answer is recorded: make record", case.name));
                continue;
            };
            let found = difference(case, want, &case.load(compat));
            let meant = known.get(&case.name).filter(|(who, _)| who == number || who == "both");
            match (found, meant) {
                (Some(found), None) => wrong.push(format!("{} (Compose {version}): {found}", case.name)),
                (None, Some(_)) => wrong.push(format!(
                    "{} (Compose {version}): is listed in differences.txt and does not differ",
                    case.name
                )),
                _ => {}
            }
        }
    }
    let names: BTreeSet<&String> = cases.iter().map(|c| &c.name).collect();
    wrong
        .extend(all.keys().filter(|n| !names.contains(n)).map(|n| format!("{n}: recorded, but there is no such case")));
    wrong.extend(
        known
            .keys()
            .filter(|n| !names.contains(n))
            .map(|n| format!("{n}: in differences.txt, but there is no such case")),
    );
    assert!(cases.len() >= 300, "the corpus has only {} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Everything Hearth says about a case, as a person and as a program reads it.
fn said(case: &Case) -> String {
    let mut loaded = case.load(Compat::V5);
    if loaded.diagnostics.0.is_empty() {
        loaded = case.load(Compat::V2);
    }
    let shown: Vec<String> = loaded.diagnostics.0.iter().map(|d| text::render(d, &loaded.sources, &case.cwd)).collect();
    let json: Vec<String> =
        loaded.diagnostics.0.iter().map(|d| text::to_json(d, &loaded.sources).to_string() + "\n").collect();
    format!("{}\n--- as JSON, one to a line\n{}", shown.join("\n"), json.concat())
}

#[test]
fn what_is_said_of_a_mistake_is_what_is_recorded() {
    let mut wrong = Vec::new();
    let mut told = String::new();
    for case in cases().iter().filter(|c| c.name.starts_with("invalid/") || c.name.starts_with("lint/")) {
        let path = corpus().join(format!("{}.said", case.name));
        let now = said(case);
        let before = fs::read_to_string(&path).unwrap_or_default();
        if now != before && std::env::var_os("RECORD").is_some() {
            println!("--- {}\n{before}\n+++ now\n{now}", case.name);
            fs::write(&path, &now).unwrap();
        } else if now != before {
            wrong.push(format!("--- {}\n{before}\n+++ now\n{now}", case.name));
        }
        told.push_str(&now);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Shown by tests/hostile.rs, which makes the file that no repository should hold.
    let elsewhere = ["compose.too-large", "compose.too-many"];
    let shown = |code: &String| told.contains(&format!("[{code}]")) || elsewhere.contains(&code.as_str());
    let silent: Vec<String> = codes().into_iter().filter(|code| !shown(code)).collect();
    assert!(silent.is_empty(), "no case shows {silent:?}");
}

/// Every code that `src/compose` can raise, read off its text.
fn codes() -> BTreeSet<String> {
    fn read(dir: &Path, into: &mut BTreeSet<String>) {
        for path in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                read(&path, into);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for quoted in text.split('"').filter(|q| q.starts_with("compose.") || q.starts_with("lint.")) {
                let name = quoted.split_once('.').unwrap().1;
                let file = name.ends_with("yaml") || name.ends_with("yml");
                if !file && !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
                    into.insert(quoted.to_string());
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/compose"), &mut found);
    found
}

/// Asking Compose anew.
mod record {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// Asks about all cases whose name begins with `which`.
    pub fn all(cases: &[Case], which: &str) {
        let _ = fs::remove_dir_all(ROOT);
        copy(&corpus(), Path::new(ROOT));
        let names: BTreeSet<&String> = cases.iter().map(|c| &c.name).collect();
        let mut two: BTreeMap<String, Value> = BTreeMap::new();
        for (compat, version, variable) in GENERATIONS {
            let mut answers = recorded(version);
            answers.retain(|name, _| names.contains(name));
            match std::env::var_os(variable) {
                None => println!("{variable} names no Compose {version}: its answers stay as they are"),
                Some(program) => answers.extend(
                    cases
                        .iter()
                        .filter(|case| case.name.starts_with(which))
                        .map(|case| (case.name.clone(), ask(Path::new(&program), case, compat))),
                ),
            }
            match compat {
                Compat::V2 => two = answers.clone(),
                Compat::V5 => answers.retain(|name, answer| two.get(name) != Some(answer)),
            }
            write(version, &answers);
        }
        let _ = fs::remove_dir_all(ROOT);
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
            let target = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy(&entry.path(), &target),
                false => drop(fs::copy(entry.path(), target).unwrap()),
            }
        }
    }

    /// One case to a line, so that a change shows as the cases it touches.
    fn write(version: &str, answers: &BTreeMap<String, Value>) {
        let before = recorded(version);
        for (name, answer) in answers.iter().filter(|(name, a)| before.get(*name) != Some(a)) {
            let old = before.get(name).map_or("(new)".into(), |old| first(old, answer, "").unwrap_or_default());
            println!("{name} (Compose {version}) was | is now: {old}");
        }
        let lines: Vec<String> = answers.iter().map(|(name, a)| format!("{}: {a}", json!(name))).collect();
        fs::create_dir_all(corpus().join("recorded")).unwrap();
        fs::write(corpus().join(format!("recorded/{version}.json")), format!("{{\n{}\n}}\n", lines.join(",\n")))
            .unwrap();
    }

    fn ask(program: &Path, case: &Case, compat: Compat) -> Value {
        if let Some(why) = &case.unasked {
            return json!({ "refused": format!("(not asked: {why})") });
        }
        let model = match run(program, case, &["--format", "json"]) {
            Ok(text) => serde_json::from_str::<Value>(&text).unwrap_or_else(|e| panic!("{}: {e}", case.name)),
            Err(words) => return json!({ "refused": words }),
        };
        let text = run(program, case, &["--hash", "*"]).unwrap_or_default();
        let mut hashes: BTreeMap<&str, String> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(name, _)| model["services"].get(name).is_some())
            .map(|(name, hash)| (name, hash[..16].to_string()))
            .collect();
        // Compose 2's own word is wrong for services with env files (it hashes before it reads them): what it labels containers
        // with is the hash of its model. Label files stand in the hash and not in that model: nothing is recorded of them.
        for (name, service) in
            case.load(compat).project.filter(|_| compat == Compat::V2).iter().flat_map(|p| &p.services)
        {
            if !service.label_file.is_empty() {
                hashes.remove(name.as_str());
            } else if let Some(hash) = hashes.get_mut(name.as_str()).filter(|_| !service.env_file.is_empty()) {
                *hash = of_model(&model["services"][name]);
            }
        }
        json!({ "model": model, "hash": hashes })
    }

    /// The hash of a service as it stands in the JSON model, where dollars are doubled.
    fn of_model(service: &Value) -> String {
        let text = service.to_string().replace("$$", "$");
        let mut service: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        ["build", "pull_policy", "scale", "depends_on", "profiles"]
            .iter()
            .for_each(|key| drop(service.shift_remove(*key)));
        if let Some(Value::Object(deploy)) = service.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
        hash::digest(&service)[..16].to_string()
    }

    /// Standard output, or the last line of standard error.
    #[expect(clippy::disallowed_methods, reason = "the oracle is another program")]
    fn run(program: &Path, case: &Case, words: &[&str]) -> Result<String, String> {
        let mut child = Command::new(program)
            .args(case.command(words))
            .current_dir(&case.cwd)
            .env_clear()
            .envs(&case.environment)
            .env("HOME", HOME)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
        let mut stdin = child.stdin.take().unwrap();
        if let Some(file) = &case.stdin {
            stdin.write_all(&fs::read(case.cwd.join(file)).unwrap()).unwrap();
        }
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => {
                let text = String::from_utf8_lossy(&done.stderr).into_owned();
                Err(text.trim_end().lines().last().unwrap_or_default().to_string())
            }
        }
    }
}
