//! A value whose name or place marks it as secret is in no plan, log, error, history or argument.

use std::time::Duration;

use crate::rig::{Done, Scratch, cases, until};

cases![together: no_command_prints_a_secret];

fn no_command_prints_a_secret(s: &Scratch) -> Done {
    let values = ["sesame-one", "sesame-two", "sesame-three", "sesame-four", "sesame-five"];
    let stack = |old: bool, command: &str| {
        let [a, b, c, ..] = if old { values } else { ["sesame-four", "sesame-five", "sesame-one", "", ""] };
        format!(
            "services:
  w:
    image: hearth-test/busybox:1
    command: {command}
    stop_signal: SIGKILL
    environment: {{ DB_PASSWORD: {a}, API_TOKEN: \"${{TOKEN}}\", URL: 'postgres://me:{b}@db/app' }}
    secrets: [key]
    labels: {{ auth.secret: {c} }}
secrets: {{ key: {{ environment: KEY }} }}
"
        )
    };
    s.write(".env", "TOKEN=sesame-two\nKEY=sesame-three\n");
    s.stack(&stack(true, "[sleep, infinity]"));
    let mut said = Vec::new();
    said.push(s.hearth("plan --steps"));
    said.push(s.hearth("up").ok());
    s.stack(&stack(false, "[sleep, infinity]"));
    s.write(".env", "TOKEN=sesame-four\nKEY=sesame-five\n");
    for command in ["plan", "plan --steps", "plan --json", "plan --save"] {
        said.push(s.hearth(command).says("DB_PASSWORD"));
    }
    let slow = s.hearth_starts("up", &[]);
    until(Duration::from_secs(10), || s.containers().len() > 1);
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", slow.pid())).unwrap_or_default();
    said.push(s.noted(slow).ok());
    s.stack(&stack(true, "[no-such-program]"));
    said.push(s.hearth("up").exits(1));
    s.stack(&stack(true, "[sleep, infinity]").replace("image:", "imagee:"));
    said.push(s.hearth("up").exits(2));
    said.extend(["history", "history --json", "ps", "ps --json", "ls --json"].map(|command| s.hearth(command)));
    for ran in &said {
        for value in &values {
            assert!(!ran.both().contains(value), "`{}` prints {value}\n{}", ran.line, ran.both());
        }
    }
    assert!(values.iter().all(|v| !arguments.contains(v)));
    for file in files_below(&s.beside("state")) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        for value in &values {
            assert!(!bytes.windows(value.len()).any(|w| w == value.as_bytes()), "{} holds {value}", file.display());
        }
    }
    Ok(())
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files_below(&path)),
            path => found.push(path),
        }
    }
    found
}
