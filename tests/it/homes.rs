//! A home is a plain Compose project: with Hearth away, Compose runs the same.

use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::rig::{Done, Scratch, cases};

cases![together:
    every_profile_means_the_same_to_compose,
    to_compose_5_too,
    a_home_takes_turns_with_compose,
    a_plan_lists_what_runs_of_a_profile_that_is_off,
    what_is_no_file_holds_nobody_up_and_is_told,
    networks_of_a_stack_that_is_gone_go_with_its_orphans,
];

/// A home in the scratch folder under the scratch project's name, with a range of its own.
fn home(s: &Scratch, stacks: &str) {
    s.home();
    s.hearth_args(&["init", "--stacks", stacks]).ok();
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    lines.sort();
    lines
}

const PROFILES: [&str; 5] = ["automation", "databases", "example", "files", "media"];

fn every_profile_means_the_same_to_compose(s: &Scratch) -> Done {
    home(s, &PROFILES.join(","));
    for profile in PROFILES {
        s.hearth_args(&["enable", profile]).ok();
        let ours = s.hearth_args(&["--compat", "2", "config", "--hash", "*"]).ok();
        let theirs = s.compose(&format!("--profile {profile} config --hash *")).ok();
        assert_eq!(sorted(&ours.out), sorted(&theirs.out), "{profile}");
        // COMPOSE_PROFILES says the same as the flag.
        assert_eq!(sorted(&s.compose("config --hash *").ok().out), sorted(&theirs.out), "{profile}");
        s.hearth_args(&["disable", profile]).ok();
    }
    Ok(())
}

fn to_compose_5_too(s: &Scratch) -> Done {
    home(s, &PROFILES.join(","));
    let theirs = s.compose5("--profile * config --hash *")?.ok();
    PROFILES.iter().for_each(|profile| drop(s.hearth_args(&["enable", profile]).ok()));
    let ours = s.hearth_args(&["--compat", "5", "config", "--hash", "*"]).ok();
    assert_eq!(sorted(&ours.out), sorted(&theirs.out));
    Ok(())
}

fn a_home_takes_turns_with_compose(s: &Scratch) -> Done {
    s.write(
        "stacks/small.yaml",
        "services:
  app:
    image: hearth-test/busybox:1
    command: ['sleep', '1000']
    profiles: [small]
    stop_grace_period: 1s
    depends_on: { store: { condition: service_started } }
    x-hearth: { update: { window: 5s } }
  store:
    image: hearth-test/busybox:1
    command: ['sleep', '1000']
    profiles: [small]
    stop_grace_period: 1s
    volumes: ['data:/data']
volumes: { data: {} }
",
    );
    home(s, "");
    let ids = || {
        sorted(&s.docker(&format!("ps -q --no-trunc --filter label=com.docker.compose.project={}", s.project)).ok().out)
    };
    s.hearth_args(&["up", "small"]).ok();
    let first = ids();
    assert_eq!(first.len(), 2);
    s.compose("--profile small up -d").ok();
    assert_eq!(ids(), first, "Compose replaced what Hearth made");
    s.hearth_args(&["up"]).ok();
    assert_eq!(ids(), first, "Hearth replaced what Compose had left alone");
    s.hearth_args(&["down"]).ok();
    s.compose("up -d").ok();
    let second = ids();
    assert_eq!(second.len(), 2, "COMPOSE_PROFILES turns the profile on for Compose, or `down` turned it off");
    Ok(())
}

fn a_plan_lists_what_runs_of_a_profile_that_is_off(s: &Scratch) -> Done {
    s.write(
        "stacks/mine.yaml",
        "services:
  app: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, profiles: [mine] }
",
    );
    home(s, "");
    let calm = s.hearth_args(&["plan", "--check"]).ok();
    assert!(calm.both().contains("no profile is on"), "{}", calm.both());
    s.hearth_args(&["up", "mine"]).ok();
    let id = s.container("app").id;
    s.hearth_args(&["disable", "mine"]).ok();
    let plan = s.hearth_args(&["plan"]).ok();
    assert!(
        plan.out.contains("its service `app` is off (profile `mine`): it runs on; `hearth down mine` ends it"),
        "{}",
        plan.out
    );
    assert_eq!(id, s.container("app").id);
    let up = s.hearth_args(&["up"]);
    assert!(up.code == 3 && up.err.contains("home.nothing-on"), "{}", up.both());
    s.hearth_args(&["down"]).ok();
    Ok(())
}

fn what_is_no_file_holds_nobody_up_and_is_told(s: &Scratch) -> Done {
    s.write(
        "stacks/small.yaml",
        "services:\n  app:\n    image: hearth-test/busybox:1\n    command: ['sleep', '1000']\n    stop_signal: SIGKILL\n",
    );
    home(s, "");
    s.hearth_args(&["render"]).ok();
    s.write("inner/keep", "");
    let key_file = s.dir.join("age.key").display().to_string();
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    let lock = format!("state/{}.lock", s.project);
    let import = ["certs", "import", "chain.pem", "key.pem"];
    for (file, commands) in [
        ("hearth.yaml", &[&["plan"][..], &["certs"]][..]),
        ("inner/hearth.yaml", &[&["--home", "inner", "plan"]]),
        (".env", &[&["plan"]]),
        ("stacks/small.yaml", &[&["plan"], &["render"]]),
        ("compose/localhost.yaml", &[&["plan"], &["render"]]),
        ("chain.pem", &[&import]),
        ("age.key", &[&["certs"]]),
        ("state/ca/root.pem", &[&["certs", "trust"]]),
        (&lock, &[&["up", "--yes"]]),
        ("state/serve.lock", &[&["serve", "--listen", "127.0.0.1:0", "--http", "off"]]),
    ] {
        let path = s.dir.join(file);
        let before = std::fs::read(&path).ok();
        if file == "age.key" {
            s.write("hearth.yaml", &format!("{config}certificates: {{key_file: {key_file}}}\n"));
        }
        for kind in ["pipe", "folder", "socket"] {
            let _ = std::fs::remove_file(&path);
            std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
            let _socket = match kind {
                "pipe" => {
                    mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).map(|()| None).expect("a pipe can be made")
                }
                "folder" => std::fs::create_dir(&path).map(|()| None).expect("a folder can be made"),
                _ => Some(std::os::unix::net::UnixListener::bind(&path).expect("a socket can be made")),
            };
            // A folder among the stacks holds parts of them.
            let commands = if (file, kind) == ("stacks/small.yaml", "folder") { &[][..] } else { commands };
            for args in commands {
                let ran = s.noted(s.hearth_args_start(args, &[]).patient(Duration::from_secs(20)));
                assert_ne!(ran.code, 0, "{args:?} with a {kind} as {file}: {}", ran.both());
                let name = file.rsplit('/').next().unwrap_or(file);
                assert!(ran.err.contains(name) && ran.err.contains("error["), "{args:?}, a {kind}: {}", ran.both());
            }
            let _ = std::fs::remove_dir(&path).or_else(|_| std::fs::remove_file(&path));
        }
        match before {
            Some(bytes) => std::fs::write(&path, bytes).expect("it can be written"),
            None => drop(std::fs::remove_file(&path)),
        }
        s.write("hearth.yaml", &config);
    }
    // What happened before is not needed for what happens now.
    let history = s.dir.join("state/hearth.db");
    let _ = std::fs::remove_file(&history);
    mknodat(CWD, &history, FileType::Fifo, Mode::RWXU, 0).expect("a pipe can be made");
    let up = s.noted(s.hearth_args_start(&["up", "--yes"], &[]).patient(Duration::from_secs(60))).ok();
    assert!(up.err.contains("hearth.db") && up.err.contains("not a file"), "{}", up.err);
    // Nobody waits for a pipe in the place of a root that is only shown along.
    mknodat(CWD, s.dir.join("state/ca/root.pem"), FileType::Fifo, Mode::RWXU, 0).expect("a pipe can be made");
    s.hearth_args(&["certs"]).ok();
    Ok(())
}

fn networks_of_a_stack_that_is_gone_go_with_its_orphans(s: &Scratch) -> Done {
    let stack = |name: &str| {
        format!(
            "services:\n  {name}:\n    image: hearth-test/busybox:1\n    command: ['sleep', '1000']\n    stop_signal: SIGKILL\n"
        )
    };
    s.write("stacks/one.yaml", &stack("app"));
    s.write("stacks/two.yaml", &stack("gone"));
    home(s, "");
    s.hearth_args(&["up", "--yes"]).ok();
    let networks = || {
        let filter = format!("label=com.docker.compose.project={}", s.project);
        sorted(&s.docker_args(&["network", "ls", "--format", "{{.Name}}", "--filter", &filter]).ok().out)
    };
    assert_eq!(networks(), [format!("{}_one", s.project), format!("{}_two", s.project)]);
    std::fs::remove_file(s.dir.join("stacks/two.yaml")).expect("it is there");
    s.hearth_args(&["up", "--yes"]).ok();
    assert_eq!(networks().len(), 2, "nobody asked for it");
    let plan = s.hearth_args(&["plan", "--remove-orphans"]).ok();
    assert!(plan.out.contains(&format!("remove {}_two", s.project)), "{}", plan.out);
    s.hearth_args(&["up", "--remove-orphans", "--yes"]).ok();
    assert_eq!(networks(), [format!("{}_one", s.project)]);
    assert!(s.hearth_args(&["plan", "--remove-orphans"]).ok().both().contains("nothing to do"));
    Ok(())
}
