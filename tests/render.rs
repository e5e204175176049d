//! The shipped catalogue, from `hearth init` to config hashes: `compose/` is what `render` writes, and means to our loader what it
//! meant to Compose when that was asked (tests/render/hashes-*.txt).
//!
//! `RECORD=1 cargo test --test render` writes `compose/` and, where COMPOSE and COMPOSE5_BIN name programs, asks those anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hearth::args::{CompatArg, Global};
use hearth::compose::{Compat, hash};
use hearth::spec::{Cidr, Mode, ROOT};
use hearth::stacks::home::{Home, Read, init};
use hearth::stacks::{Given, Loading, catalogue};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

/// A home with all shipped stacks, and the same values in it every time.
fn starter() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap().join("hearth");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("hearth.yaml"), "name: hearth\nnetworks: 10.213.0.0/16\n").unwrap();
    // What is kept of the last rendering decides subnets, so the home begins with it.
    std::fs::create_dir(root.join("compose")).unwrap();
    for mode in [Mode::Localhost, Mode::Domain] {
        let last = std::fs::read_to_string(Path::new(REPOSITORY).join(mode.file())).unwrap_or_default();
        std::fs::write(root.join(mode.file()), last).unwrap();
    }
    let mut n = 0;
    let mut random = |below: usize| {
        n += 7;
        n % below
    };
    let mut facts = init::Facts {
        timezone: "Etc/UTC".into(),
        uid: 1000,
        gid: 1000,
        routes: Vec::<Cidr>::new(),
        random: &mut random,
    };
    let (home, _) = init::make(&root, &catalogue::ALL, &mut facts).unwrap_or_else(|r| panic!("{:?}", r.diagnostics));
    (dir, home)
}

fn read(home: &Home) -> Read {
    home.read().unwrap_or_else(|refused| panic!("{:?}", refused.diagnostics))
}

fn given(home: &Home, compat: CompatArg) -> Given {
    Given {
        global: Global { compat: Some(compat), ..Global::default() },
        cwd: home.dir.clone(),
        environment: BTreeMap::from([("HOME".to_string(), "/nonexistent".to_string())]),
    }
}

fn recording() -> bool {
    std::env::var_os("RECORD").is_some()
}

/// `compose/compose.yaml` is the root file, which would be a Compose project of this checkout if it lay at the top.
fn kept(path: &Path) -> PathBuf {
    let name = if path == Path::new(ROOT) { Path::new("compose/compose.yaml") } else { path };
    Path::new(REPOSITORY).join(name)
}

#[test]
fn the_folder_compose_is_what_render_writes() {
    let (_dir, home) = starter();
    let rendered = read(&home).rendered;
    for (path, text) in &rendered.files {
        if recording() {
            std::fs::create_dir_all(kept(path).parent().unwrap()).unwrap();
            std::fs::write(kept(path), text).unwrap();
        }
        let there = std::fs::read_to_string(kept(path)).unwrap_or_default();
        assert!(
            there == *text,
            "{} is not what the stacks say: RECORD=1 cargo test --test render",
            kept(path).display()
        );
    }
}

#[test]
fn what_init_writes_is_rendered_and_loads_without_a_word() {
    let (_dir, home) = starter();
    let read = read(&home);
    assert!(home.differing(&read).is_empty());
    let loading = Loading { all_profiles: true, ..Loading::default() };
    let loaded = home.load(&read, &given(&home, CompatArg::Five), &loading, None);
    let told: Vec<String> = loaded.diagnostics.0.iter().map(|d| format!("{}: {}", d.code, d.title)).collect();
    assert_eq!(told, Vec::<String>::new());
    let project = loaded.project.unwrap();
    assert_eq!(project.services.len(), 21);
    for (name, service) in &project.services {
        assert!(service.healthcheck.is_some() || name == "nextcloud-cron", "{name} has no health check");
        assert!(service.mem_limit.0 > 0, "{name} has no memory limit");
        assert_eq!(service.profiles.len(), 1, "{name}");
    }
}

#[test]
fn no_two_services_want_one_port() {
    let (_dir, home) = starter();
    let loading = Loading { all_profiles: true, ..Loading::default() };
    let read = read(&home);
    let project = home.load(&read, &given(&home, CompatArg::Five), &loading, None).project.unwrap();
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    for (name, service) in &project.services {
        for port in &service.ports {
            let other = seen.insert((port.published.clone(), port.protocol.clone()), name.clone());
            assert_eq!(other, None, "{name} and {other:?} want port {}", port.published);
        }
    }
}

/// Hashes without those that depend on where the home lies.
fn hashes(home: &Home, compat: CompatArg) -> String {
    let loading = Loading { all_profiles: true, ..Loading::default() };
    let project = home.load(&read(home), &given(home, compat), &loading, None).project.unwrap();
    let here = home.dir.to_string_lossy().into_owned();
    let movable = |s: &hearth::compose::model::Service| !s.volumes.iter().any(|v| v.source.starts_with(&here));
    let services = project.services.iter().filter(|(_, service)| movable(service));
    services.map(|(name, service)| format!("{name} {}\n", hash::service(service))).collect()
}

/// What a Compose program says of the same home.
fn asked(home: &Home, program: &Path, wanted: &str) -> String {
    #[allow(clippy::disallowed_methods)]
    let output = std::process::Command::new(program)
        .args(["--profile", "*", "config", "--hash", "*"])
        .current_dir(&home.dir)
        .env_clear()
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(|l| format!("{l}\n")).collect();
    lines.retain(|line| wanted.lines().any(|w| w.split(' ').next() == line.split(' ').next()));
    lines.sort();
    lines.concat()
}

#[test]
fn hashes_are_those_that_compose_gives() {
    let (_dir, home) = starter();
    all_hashes(&home, "hashes");
}

#[test]
fn and_so_they_are_in_domain_mode() {
    let (_dir, mut home) = starter();
    let env = home.dir.join(".env");
    std::fs::write(&env, std::fs::read_to_string(&env).unwrap() + "DOMAIN=example.org\n").unwrap();
    home.edit_config(|text| hearth::config::set_mode(text, Mode::Domain)).unwrap();
    home.write_rendered(&read(&home)).unwrap();
    all_hashes(&home, "domain");
}

fn all_hashes(home: &Home, name: &str) {
    for (compat, generation, variable) in
        [(CompatArg::Two, Compat::V2, "COMPOSE"), (CompatArg::Five, Compat::V5, "COMPOSE5_BIN")]
    {
        let ours = hashes(home, compat);
        let file = Path::new(REPOSITORY).join(format!("tests/render/{name}-{generation:?}.txt").to_lowercase());
        match std::env::var_os(variable) {
            Some(program) => {
                let theirs = asked(home, Path::new(&program), &ours);
                assert_eq!(ours, theirs, "{variable}");
                if recording() {
                    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                    std::fs::write(&file, theirs).unwrap();
                }
            }
            None => eprintln!("skipped: {variable} names no Compose to ask; its recorded answer is compared"),
        }
        let recorded = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(ours, recorded, "{} is out of date", file.display());
    }
}
