//! What a hostile file can do: get an answer in bounded time and memory, with a diagnostic, and never a panic.
//!
//! The built program is run, so that memory and time are those of a whole process (`wait4`).

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Processor time of a whole run. Unoptimised code is allowed more.
const SECONDS: f64 = if cfg!(debug_assertions) { 12.0 } else { 2.0 };
const MEBIBYTES: i64 = 300;

struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
    seconds: f64,
    mebibytes: i64,
}

/// Runs `hearth config` in a folder.
fn config(folder: &Path, arguments: &[&str]) -> Answer {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["config", "--format", "json"]).collect();
    hearth(folder, &arguments)
}

/// Runs `hearth` in a folder.
#[expect(clippy::disallowed_methods, reason = "the program under test")]
fn hearth(folder: &Path, arguments: &[&str]) -> Answer {
    let (out, err) = (folder.join(".stdout"), folder.join(".stderr"));
    let child = Command::new(env!("CARGO_BIN_EXE_hearth"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&out).unwrap())
        .stderr(fs::File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let (status, seconds, mebibytes) = wait(child);
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let code = status.code().unwrap_or_else(|| panic!("ended by signal {:?}: {}", status.signal(), read(&err)));
    Answer { code, stdout: read(&out), stderr: read(&err), seconds, mebibytes }
}

/// Waits for the end, a minute at most; gives processor time and the largest resident size.
fn wait(mut child: Child) -> (ExitStatus, f64, i64) {
    let started = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: both pointers are to values of the right type that outlive the call; all-zero is a valid rusage.
        let (pid, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            (libc::wait4(child.id() as libc::pid_t, &mut status, libc::WNOHANG, &mut usage), usage)
        };
        if pid != 0 {
            let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
            return (
                ExitStatus::from_raw(status),
                seconds(usage.ru_utime) + seconds(usage.ru_stime),
                usage.ru_maxrss / 1024,
            );
        }
        if started.elapsed() > Duration::from_secs(60) {
            let _ = child.kill();
            panic!("no answer in a minute");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The bounds that every answer keeps.
fn bounded(what: &str, answer: &Answer) {
    assert!(!answer.stderr.contains("panicked"), "{what}: {}", answer.stderr);
    assert!(answer.seconds <= SECONDS, "{what}: {:.1} s of processor time", answer.seconds);
    assert!(answer.mebibytes <= MEBIBYTES, "{what}: {} MiB", answer.mebibytes);
    println!("{what}: exit {}, {:.2} s, {} MiB", answer.code, answer.seconds, answer.mebibytes);
}

fn refused(what: &str, files: &[(&str, Vec<u8>)], code: &str) {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let answer = config(dir.path(), &[]);
    bounded(what, &answer);
    let shown: String = answer.stderr.chars().take(600).collect();
    assert_eq!(answer.code, 2, "{what}: {shown}");
    assert!(answer.stderr.contains(&format!("error[{code}]")), "{what}: wanted {code}, got {shown}");
    // Most say where; what a whole file is too large for has no line.
    assert!(answer.stderr.contains("-->"), "{what}: no place: {shown}");
}

fn loads(what: &str, files: &[(&str, Vec<u8>)]) -> serde_json::Value {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let answer = config(dir.path(), &[]);
    bounded(what, &answer);
    assert_eq!(answer.code, 0, "{what}: {}", answer.stderr.chars().take(600).collect::<String>());
    serde_json::from_str(&answer.stdout).unwrap()
}

fn compose(text: impl Into<Vec<u8>>) -> Vec<(&'static str, Vec<u8>)> {
    vec![("compose.yaml", text.into())]
}

fn service(lines: &str) -> Vec<(&'static str, Vec<u8>)> {
    compose(format!("name: h\nservices:\n  web:\n    image: a:1\n{lines}"))
}

#[test]
fn large_projects_load() {
    let many: String =
        (0..1000).map(|i| format!("  s{i}: {{image: 'a:1', ports: ['127.0.0.1:{}:80']}}\n", 10000 + i)).collect();
    assert_eq!(
        loads("1,000 services", &compose(format!("name: h\nservices:\n{many}")))["services"].as_object().unwrap().len(),
        1000
    );
    let labels: String = (0..10_000).map(|i| format!("      l.{i}: v{i}\n")).collect();
    let labelled = loads("10,000 labels", &service(&format!("    labels:\n{labels}")));
    assert_eq!(labelled["services"]["web"]["labels"].as_object().unwrap().len(), 10_000);
    let list: String = (0..10_000).map(|i| format!("      - l.{i}=v{i}\n")).collect();
    loads("10,000 labels in a list", &service(&format!("    labels:\n{list}")));
    let ports: String = (0..5_000).map(|i| format!("      - '{}:80'\n", 10000 + i)).collect();
    loads("5,000 ports", &service(&format!("    ports:\n{ports}")));
    loads("10,000 ports of a range", &service("    ports: ['10000-19999:20000-29999']\n"));
    let chain: String =
        (0..1000).map(|i| format!("  s{i}: {{image: 'a:1', depends_on: [s{}]}}\n", (i + 1).min(999))).collect();
    let chain = chain.replace(
        "depends_on: [s999]}\n  s999: {image: 'a:1', depends_on: [s999]}",
        "depends_on: [s999]}\n  s999: {image: 'a:1'}",
    );
    loads("a chain of 1,000 dependencies", &compose(format!("name: h\nservices:\n{chain}")));
    let extends: String = (1..150).map(|i| format!("  s{i}: {{extends: s{}}}\n", i - 1)).collect();
    loads("a chain of 150 extends", &compose(format!("name: h\nservices:\n  s0: {{image: 'a:1'}}\n{extends}")));
    loads("5 MB of text", &service(&format!("    labels:\n      a: {}\n", "x".repeat(5 << 20))));
    let notes: String = (0..100_000).map(|i| format!("  - note number {i} and what it says, fifty bytes\n")).collect();
    loads("5 MB of list", &compose(format!("name: h\nservices:\n  web: {{image: 'a:1'}}\nx-notes:\n{notes}")));
    let shared: String = (0..500).map(|i| format!("  s{i}: {{image: 'a:1', env_file: big.env}}\n")).collect();
    let env: String = (0..20).map(|i| format!("V{i}={i}\n")).collect();
    loads(
        "500 services with one env file",
        &[("compose.yaml", format!("name: h\nservices:\n{shared}").into()), ("big.env", env.into())],
    );
}

#[test]
fn hostile_01_values_are_taken_as_text_and_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let awkward = [
        "; touch pwned",
        "$(touch pwned)",
        "`touch pwned`",
        "| touch pwned",
        "&& touch pwned",
        "'\"",
        "--privileged",
        "-v/:/host",
        "\u{1b}[2J",
        "a\u{202e}b",
        "../../etc/passwd",
    ];
    let list: Vec<String> =
        awkward.iter().map(|v| serde_json::to_string(&format!("X={}", v.replace('$', "$$"))).unwrap()).collect();
    let text = format!("name: h\nservices:\n  --rm:\n    image: a:1\n    labels: [{}]\n", list.last().unwrap());
    fs::write(
        dir.path().join("compose.yaml"),
        format!(
            "{text}    environment: [{}]\n",
            list.iter().enumerate().map(|(i, v)| v.replace("X=", &format!("X{i}="))).collect::<Vec<_>>().join(", ")
        ),
    )
    .unwrap();
    let answer = config(dir.path(), &[]);
    bounded("awkward values", &answer);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let model: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    for (i, value) in awkward.iter().enumerate() {
        let got = model["services"]["--rm"]["environment"][format!("X{i}")].as_str().unwrap();
        assert_eq!(got, value.replace('$', "$$"));
    }
    assert!(!dir.path().join("pwned").exists());
    for name in ["; touch pwned", "$(touch pwned)", "a b", "a/b", "é", "\u{202e}"] {
        let name = serde_json::to_string(name).unwrap();
        refused(
            "awkward service name",
            &compose(format!("services:\n  {name}: {{image: 'a:1'}}\n")),
            "compose.bad-name",
        );
    }
}

#[test]
fn what_is_said_cannot_move_the_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let text = "services:\n  web:\n    image: a:1\n    \"im\\u202eage\\e[2J\": x\n    \"raw\u{202e}\u{200f}\": y\n    user: [\"\u{2066}\"]\n";
    fs::write(dir.path().join("compose.yaml"), text).unwrap();
    let answer = config(dir.path(), &[]);
    bounded("control characters", &answer);
    assert_eq!(answer.code, 2);
    let hostile = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!answer.stderr.contains(hostile), "{:?}", answer.stderr);
}

#[test]
fn hostile_31_bombs_do_not_go_off() {
    let mut aliases = String::from("x0: &x0 [l,l,l,l,l,l,l,l,l,l]\n");
    let mut merges = String::from("x-0: &m0 {a0: 1, b0: 1, c0: 1}\n");
    for i in 1..12 {
        aliases.push_str(&format!("x{i}: &x{i} [{}]\n", vec![format!("*x{}", i - 1); 10].join(",")));
        let doubled: String = (0..10).map(|n| format!("k{n}: *m{}, ", i - 1)).collect();
        merges.push_str(&format!("x-{i}: &m{i} {{<<: *m{}, {doubled}}}\n", i - 1));
    }
    refused("a billion laughs", &compose(aliases), "compose.alias-bomb");
    refused("a billion merges", &compose(merges), "compose.alias-bomb");
    let heavy = format!("x: &x {}\ny: [{}]\n", "t".repeat(1 << 20), vec!["*x"; 10_000].join(","));
    refused("10,000 aliases of a megabyte", &compose(heavy), "compose.alias-bomb");
    let variables: String = (1..12).map(|i| format!("V{i}={}\n", format!("$V{}", i - 1).repeat(10))).collect();
    refused(
        "a billion variables",
        &[
            ("compose.yaml", b"services: {web: {image: a}}".to_vec()),
            (".env", format!("V0=lollollol\n{variables}").into()),
        ],
        "compose.bad-env-file",
    );
    let long = format!("LONG={}\n", "x".repeat(1 << 20));
    let uses: String = (0..1000).map(|i| format!("      l{i}: $LONG\n")).collect();
    let files = [
        ("compose.yaml", format!("services:\n  web:\n    image: a:1\n    labels:\n{uses}").into_bytes()),
        (".env", long.into_bytes()),
    ];
    refused("1,000 uses of a megabyte", &files, "compose.too-large");
    let base = (0..2000).map(|i| format!("l{i}: v, ")).collect::<String>();
    let heirs: String = (0..1000).map(|i| format!("  s{i}: {{extends: base}}\n")).collect();
    refused(
        "1,000 heirs of 2,000 labels",
        &compose(format!("services:\n  base: {{image: a, labels: {{{base}}}}}\n{heirs}")),
        "compose.too-large",
    );
    let large = format!("# {}\nservices: {{web: {{image: a}}}}\n", "x".repeat(9 << 20));
    refused("9 MB", &compose(large), "compose.too-large");
    let includes = "  - big.yaml\n".repeat(200);
    let big = format!("# {}\nservices: {{db: {{image: a}}}}\n", "x".repeat(7 << 20));
    refused(
        "7 MB included 200 times",
        &[
            ("compose.yaml", format!("include:\n{includes}services: {{web: {{image: a}}}}\n").into()),
            ("big.yaml", big.into()),
        ],
        "compose.too-large",
    );
}

#[test]
fn hostile_31_deep_nesting_is_refused() {
    let long: String = (0..400).map(|i| format!("  s{i}: {{image: a, extends: s{}}}\n", i + 1)).collect();
    let text = format!("services:\n{long}  s400: {{image: a}}\n");
    refused("a chain of 400 extends", &compose(text), "compose.too-deep");
    for (what, text) in [
        ("brackets", format!("x: {}", "[".repeat(100_000))),
        ("closed brackets", format!("x: {}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ("braces", format!("x: {}", "{a: ".repeat(100_000))),
        ("dashes", "- ".repeat(100_000)),
        ("questions", "? ".repeat(100_000)),
        ("indentation", (0..2000).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("megabytes of brackets", "[".repeat(5 << 20)),
        ("megabytes of quotes", format!("a: {}", "\"".repeat(5 << 20))),
        ("megabytes of anchors", "&a ".repeat(1 << 20)),
        ("megabytes of exclamation marks", "!".repeat(5 << 20)),
        ("megabytes of colons", ": ".repeat(2 << 20)),
        ("a long key", format!("{}: 1", "k".repeat(5 << 20))),
        ("a long tag", format!("a: !{} b", "t".repeat(5 << 20))),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("compose.yaml"), text).unwrap();
        let answer = config(dir.path(), &[]);
        bounded(what, &answer);
        assert_eq!(answer.code, 2, "{what}");
        assert!(
            answer.stderr.contains("error[compose."),
            "{what}: {}",
            answer.stderr.chars().take(300).collect::<String>()
        );
        assert!(answer.stderr.len() < 100_000, "{what}: {} bytes are said", answer.stderr.len());
    }
    let nested = format!("{}x{}", "${A:-".repeat(50_000), "}".repeat(50_000));
    refused("variables in variables", &service(&format!("    hostname: '{nested}'\n")), "compose.too-large");
}

#[test]
fn circles_end() {
    let web = "services: {web: {image: a}}\n";
    refused("an include of itself", &compose(format!("include: [compose.yaml]\n{web}")), "compose.include-cycle");
    let files = [
        ("compose.yaml", format!("include: [a.yaml]\n{web}").into_bytes()),
        ("a.yaml", b"include: [b.yaml]\n".to_vec()),
        ("b.yaml", b"include: [a.yaml]\n".to_vec()),
    ];
    refused("includes in a circle", &files, "compose.include-cycle");
    let circle: String = (0..100).map(|i| format!("  s{i}: {{image: a, extends: s{}}}\n", (i + 1) % 100)).collect();
    refused("extends in a circle", &compose(format!("services:\n{circle}")), "compose.extends-cycle");
    let needs: String =
        (0..500).map(|i| format!("  s{i}: {{image: 'a:1', depends_on: [s{}]}}\n", (i + 1) % 500)).collect();
    refused("dependencies in a circle", &compose(format!("services:\n{needs}")), "compose.dependency-cycle");
    let many: String = (0..30).map(|i| format!("  - d{i}.yaml\n")).collect();
    let names: Vec<String> = (0..30).map(|i| format!("d{i}.yaml")).collect();
    let mut files = vec![("compose.yaml", format!("include:\n{many}{web}").into_bytes())];
    // Each of thirty files includes all that follow it: half a billion ways lead to the last.
    for (i, name) in names.iter().enumerate() {
        let rest: String = names[i + 1..].iter().map(|n| format!("  - {n}\n")).collect();
        let text =
            if rest.is_empty() { "services: {db: {image: 'a:1'}}\n".to_string() } else { format!("include:\n{rest}") };
        files.push((name.as_str(), text.into_bytes()));
    }
    refused("many ways to one file", &files, "compose.too-large");
}

#[test]
fn broken_bytes_and_numbers_are_refused() {
    refused("not UTF-8", &compose(b"services:\n  web: {image: \"\xff\xfe\"}\n".to_vec()), "compose.not-utf8");
    refused("UTF-16", &compose(b"\xff\xfes\0e\0r\0v\0".to_vec()), "compose.not-utf8");
    refused(
        "a program",
        &compose(fs::read(env!("CARGO_BIN_EXE_hearth")).unwrap()[..100_000].to_vec()),
        "compose.not-utf8",
    );
    refused("NUL", &compose(b"services:\n  web: {image: a\0b}\n".to_vec()), "compose.yaml-syntax");
    let dir = tempfile::tempdir().unwrap();
    for value in [
        "99999999999999999999999999999",
        "-99999999999999999999999999999",
        "1e308",
        "0x7fffffffffffffffffff",
        "-0",
        "0o777777777777777777777777",
        ".inf",
        ".nan",
    ] {
        for key in
            ["mem_limit", "cpus", "scale", "pids_limit", "cpu_shares", "stop_grace_period", "shm_size", "oom_score_adj"]
        {
            fs::write(
                dir.path().join("compose.yaml"),
                format!("name: h\nservices:\n  web:\n    image: a:1\n    {key}: {value}\n"),
            )
            .unwrap();
            let answer = config(dir.path(), &[]);
            assert!(
                !answer.stderr.contains("panicked") && [0, 2].contains(&answer.code),
                "{key}: {value}: {}",
                answer.stderr
            );
        }
    }
    for port in [
        "0",
        "65535",
        "65536",
        "99999999999999999999",
        "-1",
        "1-65535",
        "65535-1",
        "1-1-1",
        ":",
        "::",
        "[::",
        "[]:1:1",
        "1:1/",
        "1/tcp/udp",
    ] {
        fs::write(
            dir.path().join("compose.yaml"),
            format!("name: h\nservices:\n  web:\n    image: a:1\n    ports: ['{port}']\n"),
        )
        .unwrap();
        let answer = config(dir.path(), &[]);
        bounded(port, &answer);
        assert!([0, 2].contains(&answer.code), "{port}: {}", answer.stderr);
    }
}

#[test]
fn odd_files_do_not_hang() {
    refused("/dev/zero as env file", &service("    env_file: /dev/zero\n"), "compose.bad-env-file");
    refused("/dev/zero as label file", &service("    label_file: /dev/zero\n"), "compose.bad-env-file");
    refused("/dev/zero included", &compose("include: [/dev/zero]\nservices: {web: {image: a}}\n"), "compose.too-large");
    refused("a folder as env file", &service("    env_file: .\n"), "compose.file-unreadable");
    refused("memory of the process", &service("    env_file: /proc/self/mem\n"), "compose.file-unreadable");
    let dir = tempfile::tempdir().unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    // A writer that says nothing keeps the pipe open.
    let writer = fs::OpenOptions::new().read(true).write(true).open(dir.path().join("pipe")).unwrap();
    fs::write(dir.path().join("compose.yaml"), "services:\n  web: {image: 'a:1', env_file: pipe}\n").unwrap();
    let answer = config(dir.path(), &[]);
    bounded("a pipe as env file", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    let answer = config(dir.path(), &["-f", "pipe"]);
    bounded("a pipe as Compose file", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    drop(writer);
    std::os::unix::fs::symlink(".", dir.path().join("again")).unwrap();
    fs::write(dir.path().join("compose.yaml"), "include: [again/compose.yaml]\nservices: {web: {image: a}}\n").unwrap();
    let answer = config(dir.path(), &[]);
    bounded("a folder that links to itself", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
    let answer = config(dir.path(), &["-f", "loop"]);
    bounded("a link to itself", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
}

/// A home with one stack, `web`, and whatever else is given.
fn home(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("stacks")).unwrap();
    let own = [
        ("hearth.yaml", b"name: h\nprofiles: []\n".to_vec()),
        ("stacks/web.yaml", b"services: {web: {image: 'a:1', profiles: [p]}}\n".to_vec()),
    ];
    for (name, bytes) in own.iter().chain(files) {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn home_refused(what: &str, files: &[(&str, Vec<u8>)], code: &str) {
    let home = home(files);
    for command in ["profiles", "config", "render"] {
        let answer = hearth(home.path(), &[command]);
        bounded(&format!("{what}: {command}"), &answer);
        let shown: String = answer.stderr.chars().take(600).collect();
        assert_eq!(answer.code, 2, "{what}: {command}: {shown}");
        assert!(answer.stderr.contains(&format!("error[{code}]")), "{what}: wanted {code}, got {shown}");
    }
}

#[test]
fn stacks_of_a_home_have_the_limits_of_any_file() {
    let names: Vec<String> = (0..30).map(|i| format!("d{i}.yaml")).collect();
    let list = |from: usize| names[from..].iter().map(|n| format!("  - {n}\n")).collect::<String>();
    let mut files = vec![("stacks/web.yaml", format!("include:\n{}", list(0)).into_bytes())];
    for (i, name) in names.iter().enumerate() {
        let rest = list(i + 1);
        let text =
            if rest.is_empty() { "services: {db: {image: 'a:1'}}\n".into() } else { format!("include:\n{rest}") };
        files.push((name.as_str(), text.into_bytes()));
    }
    home_refused("many ways to one file", &files, "compose.too-large");
    let long: String = (0..20_000).map(|i| format!("  s{i}: {{image: a, extends: s{}}}\n", i + 1)).collect();
    let text = format!("services:\n{long}  s20000: {{image: a}}\n");
    home_refused("a chain of 20,000 extends", &[("stacks/web.yaml", text.into())], "compose.too-deep");
    let base = (0..2000).map(|i| format!("l{i}: v, ")).collect::<String>();
    let heirs: String = (0..1000).map(|i| format!("  s{i}: {{extends: base}}\n")).collect();
    let text = format!("services:\n  base: {{image: a, labels: {{{base}}}}}\n{heirs}");
    home_refused("1,000 heirs of 2,000 labels", &[("stacks/web.yaml", text.into())], "compose.too-large");
    let big = format!("# {}\nservices: {{db: {{image: a}}}}\n", "x".repeat(7 << 20));
    let includes = "  - big.yaml\n".repeat(200);
    let files = [("stacks/web.yaml", format!("include:\n{includes}").into_bytes()), ("big.yaml", big.into_bytes())];
    home_refused("7 MB included 200 times", &files, "compose.too-large");
    let nested = format!("{}x{}", "${A:-".repeat(50_000), "}".repeat(50_000));
    let text = format!("services: {{web: {{image: a, hostname: '{nested}'}}}}\n");
    let deep = home(&[("stacks/web.yaml", text.into())]);
    let answer = config(deep.path(), &[]);
    bounded("variables in variables of a stack", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    let linked =
        home(&[("stacks/web.yaml", b"include: [again/stacks/web.yaml]\nservices: {web: {image: a}}\n".to_vec())]);
    std::os::unix::fs::symlink("..", linked.path().join("stacks/again")).unwrap();
    let answer = hearth(linked.path(), &["render"]);
    bounded("a folder of stacks that links to itself", &answer);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
}

#[test]
fn many_variables_are_read_in_time() {
    let variables: String = (0..200_000).map(|i| format!("A{i}=1\n")).collect();
    let many = home(&[(".env", variables.clone().into())]);
    let answer = config(many.path(), &[]);
    bounded("200,000 variables of a home", &answer);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let files =
        [("compose.yaml", b"name: h\nservices: {web: {image: 'a:1'}}\n".to_vec()), (".env", variables.into_bytes())];
    loads("200,000 variables", &files);
}

/// What cannot be read whole must not be written either: `.env` holds the only copy of every password.
#[test]
fn an_env_file_that_cannot_be_read_is_never_written() {
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("env");
    fs::write(&outside, "DB_PASSWORD=precious\n").unwrap();
    let linked = home(&[]);
    std::os::unix::fs::symlink(&outside, linked.path().join(".env")).unwrap();
    let answer = hearth(linked.path(), &["enable", "p"]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(answer.stderr.contains("error[compose.file-outside]"), "{}", answer.stderr);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "DB_PASSWORD=precious\n");
    let latin = b"DB_PASSWORD=pr\xe9cious\n".to_vec();
    let large = format!("DB_PASSWORD=precious\n# {}\n", "x".repeat(9 << 20)).into_bytes();
    for (what, text, code) in [("Latin-1", latin, "compose.not-utf8"), ("9 MB", large, "compose.too-large")] {
        let home = home(&[(".env", text.clone())]);
        let answer = hearth(home.path(), &["enable", "p"]);
        bounded(what, &answer);
        assert_eq!(answer.code, 2, "{what}: {}", answer.stderr);
        assert!(answer.stderr.contains(&format!("error[{code}]")), "{what}: {}", answer.stderr);
        assert!(!answer.stderr.contains("cious"), "{what}: {}", answer.stderr);
        assert_eq!(fs::read(home.path().join(".env")).unwrap(), text, "{what}");
        assert!(!fs::read_to_string(home.path().join("hearth.yaml")).unwrap().contains("[p]"), "{what}");
    }
}

#[test]
fn nothing_is_rendered_over_what_is_not_ours() {
    let header = "# Written by `hearth render` from stacks/: edit those, not this file.\n";
    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().join("localhost.yaml");
    fs::write(&other, header).unwrap();
    let refused = |home: &tempfile::TempDir, what: &str| {
        let answer = hearth(home.path(), &["render"]);
        bounded(what, &answer);
        assert_eq!(answer.code, 5, "{what}: {}", answer.stderr);
        assert!(answer.stderr.contains("error[home.foreign-file]"), "{what}: {}", answer.stderr);
        assert_eq!(fs::read_to_string(&other).unwrap(), header, "{what}");
    };
    let file = home(&[]);
    std::os::unix::fs::symlink(&other, file.path().join("compose.yaml")).unwrap();
    refused(&file, "a link to a file elsewhere");
    let folder = home(&[]);
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("compose")).unwrap();
    refused(&folder, "a link to a folder elsewhere");
    let pipe = home(&[]);
    let (path, kind) = (pipe.path().join("compose.yaml"), rustix::fs::FileType::Fifo);
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RWXU, 0).unwrap();
    refused(&pipe, "a pipe");
    let latin = home(&[("compose.yaml", b"# caf\xe9\n".to_vec())]);
    refused(&latin, "a file that is no UTF-8");
    assert_eq!(fs::read(latin.path().join("compose.yaml")).unwrap(), b"# caf\xe9\n");
}

#[test]
fn hostile_23_values_of_secret_variables_are_in_no_message() {
    let uses = "    ports: ['${DB_PASSWORD}:80']\n    cpus: ${DB_PASSWORD}\n    mem_limit: ${DB_PASSWORD}\n    \
        stop_grace_period: ${DB_PASSWORD}\n    restart: ${DB_PASSWORD}\n    user: ${X:?set ${DB_PASSWORD}}\n    \
        network_mode: service:${DB_PASSWORD}\n";
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in service(uses) {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    fs::write(dir.path().join(".env"), "DB_PASSWORD=hunter2\n").unwrap();
    let answer = config(dir.path(), &[]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
    assert!(answer.stderr.contains("not `(hidden)`"), "{}", answer.stderr);
}

/// A key that was pasted without quotes: its lines are values, whatever signs are in them.
#[test]
fn hostile_23_lines_of_a_pasted_key_are_not_shown() {
    let env = "KEY=-----BEGIN PRIVATE KEY-----\nMIIEvQ+hunter2/abc==\n-----END PRIVATE KEY-----\n";
    let files = [("compose.yaml", b"services: {web: {image: 'a:1'}}\n".to_vec()), (".env", env.into())];
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    let answer = config(dir.path(), &[]);
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
}

/// Any text, and text that looks like YAML, through everything that reads text.
mod any_text {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use hearth::compose::short::{command, ports, size, volume};
    use hearth::compose::template::{self, Scope};
    use hearth::compose::{self, Compat, FileError, Files, Request, dotenv, hash, output, yaml};
    use hearth::diag::{Diagnostics, Sources, text};
    use proptest::prelude::*;

    struct One(Vec<u8>);
    impl Files for One {
        fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
            if path == Path::new("/p/compose.yaml") || path == Path::new("/p/a.env") {
                Ok(self.0.clone())
            } else {
                Err(FileError::NotFound)
            }
        }
        fn is_file(&self, path: &Path) -> bool {
            self.read(path).is_ok()
        }
        fn is_dir(&self, path: &Path) -> bool {
            path == Path::new("/p")
        }
        fn canonical(&self, path: &Path) -> Option<PathBuf> {
            Some(path.to_path_buf())
        }
    }

    fn load(bytes: &[u8]) {
        for compat in [Compat::V2, Compat::V5] {
            let request = Request { cwd: "/p".into(), profiles: vec!["*".into()], compat, ..Request::default() };
            let loaded = compose::load(&request, &One(bytes.to_vec()));
            for d in &loaded.diagnostics.0 {
                text::render(d, &loaded.sources, Path::new("/p"));
                text::to_json(d, &loaded.sources);
            }
            if let Some(project) = loaded.project {
                output::yaml(&project);
                project.services.values().for_each(|s| drop(hash::service(s)));
            }
        }
    }

    /// Keys and values of Compose, right and wrong ones, put together at random.
    fn yamlish() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "image",
            "build",
            "ports",
            "volumes",
            "environment",
            "env_file",
            "networks",
            "depends_on",
            "deploy",
            "extends",
            "command",
            "healthcheck",
            "secrets",
            "configs",
            "labels",
            "ulimits",
            "mem_limit",
            "cpus",
            "<<",
            "x-a",
            "develop",
            "gpus",
            "extra_hosts",
            "services",
            "include",
            "name",
            "provider",
            "models",
            "logging",
            "devices",
            "blkio_config",
            "profiles",
            "scale",
            "tmpfs",
        ]);
        let value = prop_oneof![
            Just("a".to_string()),
            Just("~".into()),
            Just("1".into()),
            Just("1.5".into()),
            Just("true".into()),
            Just("[a, 1, {b: c}]".into()),
            Just("{a: 1, b: [c], target: 80}".into()),
            Just("'80:80'".into()),
            Just("[\"./a:/b:ro\", data:/x]".into()),
            Just("${A:-b}".into()),
            Just("!reset null".into()),
            Just("!override [a]".into()),
            Just("*x".into()),
            Just("&x {a: b}".into()),
            Just("2020-01-01".into()),
            Just("a.env".into()),
            Just("web".into()),
            Just("{service: web, file: compose.yaml}".into()),
            "[ -~]{0,12}",
            "\\PC{0,6}",
        ];
        let line =
            (0usize..4, key, value).prop_map(|(depth, key, value)| format!("{}{key}: {value}\n", "  ".repeat(depth)));
        prop::collection::vec(line, 0..12)
            .prop_map(|lines| format!("services:\n  web:\n    image: a:1\n{}", lines.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            load(&bytes);
        }

        #[test]
        fn yaml_is_answered(text in yamlish()) {
            load(text.as_bytes());
        }

        #[test]
        fn short_forms_are_answered(text in "\\PC{0,24}|[0-9:/.\\[\\]-]{0,16}|[a-z$(){}'\"`|&;<>\\\\ ]{0,24}") {
            let _ = ports::parse(&text);
            let _ = volume::parse(&text);
            let _ = (command::split(&text, Compat::V2), command::cut_by(&text));
            let _ = (size::bytes(&text), size::duration(&text));
            let mut sources = Sources::default();
            let file = sources.add("f", text.clone());
            yaml::parse(file, &sources, &mut Diagnostics::default());
        }

        #[test]
        fn variables_are_answered(text in "[$\\{\\}A-C:?+=\\-a \n\"'#\\\\]{0,40}|\\PC{0,24}") {
            let lookup = |name: &str| (name == "A").then(|| "v".to_string());
            for compat in [Compat::V2, Compat::V5] {
                let _ = template::substitute(&text, &mut Scope { lookup: &lookup, compat, unset: &mut |_| {} });
                let _ = dotenv::parse(&text, &mut BTreeMap::new(), &lookup, compat);
            }
            let _ = template::variables(&text);
            let _ = dotenv::parse_raw(&text, &mut BTreeMap::new(), &lookup);
        }
    }
}

/// As another user than root, whom no permission stops.
#[test]
#[expect(clippy::disallowed_methods, reason = "the program under test")]
fn what_may_not_be_read_is_not_called_missing() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let service = "services: {a: {image: x, profiles: [p], environment: {V: '${V:?v}', W: '${W:?w}'}}}\n";
    let home = home(&[("stacks/a.yaml", service.into()), (".env", "V=1\nW=2\n".into())]);
    let path = home.path();
    fs::create_dir(path.join("state")).unwrap();
    fs::write(path.join("state/history.db"), "").unwrap();
    let program = path.join("hearth");
    fs::copy(env!("CARGO_BIN_EXE_hearth"), &program).unwrap();
    for (name, mode) in [(".", 0o755), ("stacks", 0o755), ("hearth", 0o755), (".env", 0o000), ("state", 0o000)] {
        fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.args(words).current_dir(path).env_clear().env("HOME", "/nonexistent");
        if rustix::process::getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["config", "--quiet"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("error[compose.file-unreadable]") && !said.contains("missing-variable"), "{said}");
    // Where the database is may stand in `.env`.
    let (_, said) = run(&["history"]);
    assert!(said.contains("error[compose.file-unreadable]") && !said.contains("nothing was done"), "{said}");
    fs::set_permissions(path.join(".env"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_, said) = run(&["history"]);
    assert!(said.contains("error[store.unusable]") && !said.contains("nothing was done"), "{said}");
    fs::set_permissions(path.join("state"), fs::Permissions::from_mode(0o755)).unwrap();
}
