//! Rules of this project that a compiler does not hold, each with its reason. Reads files; runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The law of imports: a module may use itself and what stands in its list. The order is the reading order of `src/lib.rs`.
const LAW: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("diag", &["base"]),
    ("compose", &["base", "diag"]),
    ("traefik", &["base", "diag", "compose"]),
    ("spec", &["base", "diag", "compose", "traefik"]),
    ("config", &["base", "diag", "compose", "traefik", "spec"]),
    ("plan", &["base", "diag", "compose", "spec"]),
    ("engine", &["base", "diag", "compose", "plan"]),
    ("store", &["base", "diag"]),
    ("cli", &["base", "diag", "plan", "engine"]),
    ("args", &["base", "diag", "compose", "config", "cli"]),
    ("web", &["base", "diag"]),
    ("auth", &["base", "diag", "spec", "traefik", "config", "store", "cli", "args", "web"]),
    ("gate", &["base", "diag", "traefik", "engine", "cli", "web", "args"]),
    ("example", &["base", "diag", "cli"]),
    ("stacks", &["base", "diag", "compose", "spec", "config", "plan", "engine", "store", "cli", "args", "web", "auth"]),
    ("notices", &["base", "diag", "store", "web", "stacks", "auth"]),
    ("certs", &["base", "diag", "spec", "config", "store", "cli", "web", "stacks", "args", "auth"]),
    (
        "proxy",
        &[
            "base", "diag", "compose", "traefik", "spec", "config", "plan", "engine", "store", "cli", "web", "stacks",
            "certs", "args", "auth",
        ],
    ),
    (
        "doctor",
        &[
            "base", "diag", "config", "spec", "traefik", "plan", "engine", "cli", "stacks", "certs", "proxy", "args",
            "web", "auth",
        ],
    ),
    ("about", &["base", "diag", "engine", "store", "web", "auth", "stacks", "proxy"]),
    (
        "panel",
        &[
            "base", "diag", "spec", "config", "plan", "engine", "web", "auth", "stacks", "certs", "proxy", "doctor",
            "about", "notices",
        ],
    ),
    ("routes", &["web", "auth", "stacks", "certs", "proxy", "doctor", "about", "panel", "notices"]),
    (
        "serve",
        &[
            "base", "diag", "config", "engine", "store", "cli", "web", "auth", "stacks", "certs", "proxy", "args",
            "about", "panel", "routes", "notices",
        ],
    ),
    (
        "command",
        &[
            "base", "diag", "spec", "store", "cli", "args", "auth", "gate", "example", "stacks", "certs", "proxy",
            "doctor", "serve",
        ],
    ),
];

/// Why a module may not use another, where the reason is worth more than "downwards only". First match counts; `*` is any.
const REASONS: &[(&str, &str, &str)] = &[
    ("base", "*", "base is what everything stands on: it imports nothing of ours"),
    ("compose", "plan", "a Compose file means the same whatever runs"),
    (
        "compose",
        "spec",
        "plain Compose must not depend on what Hearth adds: else parity with Compose could not be judged",
    ),
    ("plan", "engine", "plan is pure: it decides over values, and every case of it can be a text file"),
    ("spec", "plan", "what is wanted does not depend on what is"),
    ("engine", "compose", "the engine obeys plans; only plan/request turns Compose into engine calls"),
    ("engine", "stacks", "a port knows no room"),
    ("store", "*", "the store holds pools and migrations; each room's sql.rs holds its own tables"),
    ("cli", "stacks", "the kit for the terminal knows no room, so that every room can use it"),
    ("web", "*", "the kit for serving knows no room, so that every room can use it"),
    ("stacks", "proxy", "what runs does not depend on how it is reached: `command` hands the front door to `up`"),
    ("gate", "stacks", "gate runs without a home: it is all that is left when Hearth is stopped"),
];

/// Libraries that only some places may name, with the reason.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    (
        "bollard",
        &["src/engine/docker"],
        "Docker's own types end at the port, so that the fake engine is as good as the real one",
    ),
    ("sqlx", &["src/store", "sql.rs", "/sql/"], "SQL stands in one file of each room"),
    (
        "clap",
        &["src/args", "src/command.rs", "src/cli", "/cli/", "/cli.rs"],
        "the command line is a face; rooms take values",
    ),
    ("indicatif", &["src/cli"], "progress is drawn in one place"),
    ("granit_parser", &["src/compose/yaml"], "one module knows the YAML parser, and could change it"),
    ("rand", &["src/stacks", "src/base", "src/serve", "src/certs/cli"], "randomness is an argument"),
    ("rcgen", &["src/certs", "src/web/tests.rs"], "keys and certificates are made in one room"),
    ("instant_acme", &["src/certs/acme"], "one folder speaks to certificate authorities"),
    ("dns_update", &["src/certs/dns"], "one folder speaks to DNS providers"),
    ("hickory_resolver", &["src/certs/dns", "src/proxy"], "names are looked up where it is judged what they mean"),
    (
        "axum",
        &[
            "src/web",
            "src/auth",
            "src/gate",
            "src/serve",
            "src/about",
            "src/panel",
            "src/routes.rs",
            "page.rs",
            "json.rs",
            "/json/",
            "/page/",
        ],
        "HTTP is a face",
    ),
    ("askama", &["src/web", "src/gate", "src/about", "src/panel", "page.rs", "/page/"], "HTML is a face"),
];

/// What the pure core must not touch: it is total and gives the same answer for the same input.
const PURE: &[&str] = &["src/compose", "src/traefik", "src/spec", "src/plan", "src/certs/renewal"];
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "I/O"),
    ("std::net::Tcp", "I/O"),
    ("std::net::Udp", "I/O"),
    ("ToSocketAddrs", "I/O"),
    ("std::process", "child processes"),
    ("std::env::", "the environment"),
    ("std::io::", "I/O"),
    ("SystemTime", "a clock"),
    ("Instant::now", "a clock"),
    ("Clock", "a clock"),
    ("tokio", "async"),
    ("async fn", "async"),
    ("rand::", "randomness"),
];

/// One source file: its path from the root, its text, and its text without comments and unit tests.
struct Source {
    path: String,
    text: String,
    code: String,
}

fn files_below(folder: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let hidden = name.starts_with('.') && name != ".ci" && name != ".gitignore";
            // The starter home at the top is somebody's; `src/stacks/home` is ours.
            let others =
                ["target", "corpus", "artifacts"].contains(&name.as_str()) || path == Path::new(ROOT).join("home");
            if path.is_dir() && !hidden && !others {
                folders.push(path);
            } else if path.is_file() {
                found.push(path.strip_prefix(ROOT).unwrap_or(&path).to_string_lossy().into_owned());
            }
        }
    }
    found.retain(|path| wanted(path));
    found.sort();
    found
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_default()
}

fn sources() -> Vec<Source> {
    let paths = files_below("src", &|p| p.ends_with(".rs"));
    assert!(paths.len() > 20, "the sources are not where this test looks for them");
    let load = |path: String| {
        let text = read(&path);
        let code = without_tests(&without_comments(&text));
        Source { path, text, code }
    };
    paths.into_iter().map(load).collect()
}

/// Blanks out `//` comments; a `//` inside a string (a URL) is left alone by asking for a blank or line start before it.
fn without_comments(text: &str) -> String {
    let line = |l: &str| match l.trim_start().starts_with("//") {
        true => String::new(),
        false => l.split_once(" // ").map_or(l, |(code, _)| code).to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Cuts off the unit tests at a file's foot. A file that is nothing but tests (`tests.rs`) has no code.
fn without_tests(code: &str) -> String {
    code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The module of a file: the first folder or file below `src/`.
fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The modules that the code names as `crate::module`, alone or in a group `crate::{a::x, b}`.
fn modules_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => used.insert(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            used.insert(word(&group[i..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
                true
            }
        };
    }
    used
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[track_caller]
fn nothing_wrong(wrong: Vec<String>, rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}

#[test]
fn imports_point_downwards_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = module_of(&source.path);
        // Unit tests may use what they want to compare with, in a file of their own too.
        if ["lib", "main"].contains(&module) || is_test_file(&source.path) {
            continue;
        }
        let Some((_, allowed)) = LAW.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!(
                "{}: the module {module} is not in the law (tests/tidy.rs), nor perhaps in src/lib.rs",
                source.path
            ));
            continue;
        };
        for used in modules_used(&source.code) {
            if used != module && LAW.iter().any(|(name, _)| *name == used) && !allowed.contains(&used.as_str()) {
                let fits = |(from, to, _): &&(&str, &str, &str)| *from == module && (*to == "*" || *to == used);
                let reason = REASONS.iter().find(fits).map_or("imports point downwards only", |(_, _, why)| why);
                wrong.push(format!("{}: {module} uses {used}: {reason}", source.path));
            }
        }
    }
    nothing_wrong(wrong, "the law of imports is broken");
}

#[test]
fn libraries_stay_in_their_places() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (library, places, reason) in LIBRARIES {
            let named =
                source.code.contains(&format!("{library}::")) || source.code.contains(&format!("use {library}"));
            if named && !places.iter().any(|place| source.path.contains(place)) {
                wrong.push(format!("{}: names {library}: {reason}", source.path));
            }
        }
    }
    nothing_wrong(wrong, "a library is named outside its place");
}

/// The fuzz targets read these modules from their files: what they stand on has to be named there a second time.
#[test]
fn the_fuzz_targets_can_be_built() {
    let (own, fuzz) = (read("Cargo.toml"), read("fuzz/Cargo.toml"));
    let dependencies = |text: &str| -> BTreeSet<String> {
        let tables = text.split("\n[").filter(|table| table.starts_with("dependencies]"));
        let lines = tables.flat_map(|table| table.lines().skip(1).map(str::to_owned).collect::<Vec<_>>());
        // What is optional is there for other targets.
        let named = lines.filter(|line| !line.contains("optional = true"));
        named.filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_"))).collect()
    };
    let (known, there) = (dependencies(&own), dependencies(&fuzz));
    assert!(known.len() > 50 && there.contains("serde"), "{there:?}");
    let mut wrong = Vec::new();
    let lib = read("fuzz/lib.rs");
    for source in sources() {
        if !lib.contains(&format!("../src/{}/mod.rs", module_of(&source.path))) || is_test_file(&source.path) {
            continue;
        }
        for name in known.difference(&there).filter(|name| names(&source.code, &format!("{name}::"))) {
            wrong.push(format!("{} uses {name}, which fuzz/Cargo.toml does not name", source.path));
        }
    }
    nothing_wrong(wrong, "what the fuzz targets read can be built with what they name:");
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| PURE.iter().any(|p| s.path.starts_with(p)) && !is_test_file(&s.path)) {
        for (word, what) in IMPURE.iter().filter(|(word, _)| names(&source.code, word)) {
            wrong.push(format!("{}: `{word}`, that is {what}", source.path));
        }
    }
    nothing_wrong(wrong, "compose, spec and plan give the same answer for the same input, and only that");
}

/// Whether the word stands there as one: `Clock`, not `ClockWrong`.
fn names(code: &str, wanted: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(wanted).any(|(at, _)| {
        let goes_on = |next: Option<char>, edge: Option<char>| edge.is_some_and(letter) && next.is_some_and(letter);
        !goes_on(code[..at].chars().next_back(), wanted.chars().next())
            && !goes_on(code[at + wanted.len()..].chars().next(), wanted.chars().next_back())
    })
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources().into_iter().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path);
    let tests = files_below("tests", &|p| p.ends_with(".rs")).into_iter().filter(|p| !read(p).starts_with("//! "));
    nothing_wrong(silent.chain(tests).collect(), "every Rust file opens with a `//! ` line that says what it is");
}

#[test]
fn hostile_01_no_shell_is_started() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| !is_test_file(&s.path)) {
        for shell in ["sh -c", "\"sh\"", "\"bash\"", "\"/bin/sh\"", "\"/bin/bash\""] {
            if source.code.contains(shell) {
                wrong.push(format!("{}: {shell}", source.path));
            }
        }
        if source.code.contains("Command::new(")
            && !source.path.starts_with("src/engine/")
            && !source.path.starts_with("src/stacks/compat")
            && source.path != "src/stacks/versions/git.rs"
        {
            wrong.push(format!("{}: starts a program", source.path));
        }
    }
    nothing_wrong(wrong, "typed calls and argument lists only: what a shell would read could come from a stack file");
}

#[test]
fn nothing_is_left_for_later_and_no_machine_is_named() {
    // Put together here, so that this file does not find itself.
    let owed =
        [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("], ["dbg", "!("]].map(|w| w.concat());
    let machines =
        [["/wo", "rk/"], ["/ro", "ot/."], ["deb.deb", "ian.org"], ["snapshot.deb", "ian"]].map(|w| w.concat());
    let text = |p: &str| !p.ends_with(".lock") && !p.ends_with("LICENSE") && p != ".git";
    let mut wrong = Vec::new();
    for path in files_below("", &text) {
        let content = read(&path);
        for word in owed.iter().chain(&machines).filter(|word| content.contains(word.as_str())) {
            wrong.push(format!("{path}: {word}"));
        }
    }
    nothing_wrong(
        wrong,
        "work left for later belongs into an issue, and the project names no machine of those who build it",
    );
}

#[test]
fn migrations_are_the_same_steps_for_both_databases() {
    let names = |database: &str| -> Vec<String> {
        let files = files_below(&format!("migrations/{database}"), &|_| true);
        files.iter().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    };
    assert!(names("sqlite").len() > 1, "the migrations are not where this test looks for them");
    assert_eq!(
        names("sqlite"),
        names("postgres"),
        "each migration is written for both, under the same number and name"
    );
    let mut wrong = Vec::new();
    for (path, text) in names("sqlite").iter().map(|name| (name, read(&format!("migrations/postgres/{name}")))) {
        for line in text.lines().map(|line| line.split("--").next().unwrap_or_default().to_uppercase()) {
            let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words().any(|word| {
                ["INTEGER", "INT", "SMALLINT", "SERIAL", "REAL", "TIMESTAMP", "TIMESTAMPTZ", "JSONB"].contains(&word)
            }) {
                wrong.push(format!("migrations/postgres/{path}: {}", line.trim()));
            }
        }
    }
    nothing_wrong(
        wrong,
        "a type that a query cannot read the same way from both: numbers are BIGINT or DOUBLE PRECISION, times BIGINT, JSON is TEXT",
    );
}

#[test]
fn migrations_are_numbered_without_gaps() {
    for folder in files_below("migrations", &|p| p.ends_with(".sql"))
        .iter()
        .filter_map(|p| p.rsplit_once('/'))
        .map(|(f, _)| f.to_owned())
        .collect::<BTreeSet<_>>()
    {
        let names = files_below(&folder, &|p| p.ends_with(".sql"));
        for (n, name) in names.iter().enumerate() {
            let file = name.rsplit('/').next().unwrap_or_default();
            assert!(file.starts_with(&format!("{:04}_", n + 1)), "{name} should be number {:04} of {folder}", n + 1);
        }
    }
}

#[test]
fn every_diagnostic_is_documented() {
    let documented: BTreeSet<String> = read("docs/errors.md")
        .lines()
        .filter_map(|l| l.strip_prefix("## "))
        .map(|h| h.trim().trim_matches('`').to_owned())
        .collect();
    let raised = codes_raised(&documented);
    let missing = raised
        .iter()
        .filter(|(code, _)| !documented.contains(*code))
        .map(|(code, path)| format!("{code} ({path}) is not in docs/errors.md"));
    let stale = documented
        .iter()
        .filter(|code| !raised.contains_key(*code))
        .map(|code| format!("{code} is in docs/errors.md, but nothing raises it"));
    nothing_wrong(missing.chain(stale).collect(), "docs/errors.md explains every code there is, and no other");
    let order: Vec<String> =
        read("docs/errors.md").lines().filter_map(|l| l.strip_prefix("## ")).map(str::to_owned).collect();
    assert!(order.is_sorted(), "docs/errors.md is sorted by code");
}

/// Literals of the form `area.kebab-words` in code: documented ones, and others where the same module raises some diagnostic of that
/// area (elsewhere it is a host, a label, a key of hearth.yaml).
fn codes_raised(documented: &BTreeSet<String>) -> BTreeMap<String, String> {
    // What stands between any two quotes: some of it lies between two literals, and then it has not the shape of a code.
    let literals = |code: &str| -> Vec<String> { code.split('"').map(str::to_owned).collect() };
    let shaped = |text: &str| {
        let kebab =
            |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        text.split_once('.').is_some_and(|(area, rest)| kebab(area) && kebab(rest))
    };
    let not_codes =
        ["arpa", "yaml", "yml", "json", "env", "toml", "sock", "example", "local", "lock", "md", "db", "sql"];
    // A label of Traefik's, a key of hearth.yaml, and acts as the audit calls them.
    let others = ["traefik.enable", "auth.registration", "exec.end", "plan.apply", "plan.discard", "works.end"];
    let all: Vec<Source> = sources().into_iter().filter(|s| !is_test_file(&s.path)).collect();
    // Those that stand in a table or in a refusal of the planner, not in a call here.
    let everywhere = ["lint", "plan"];
    let mut areas = BTreeSet::new();
    for source in &all {
        for raised in
            source.code.split("Diagnostic::error(").skip(1).chain(source.code.split("Diagnostic::warning(").skip(1))
        {
            if let Some(code) = raised.trim_start().strip_prefix('"').and_then(|r| r.split('"').next()) {
                let module = module_of(&source.path).to_owned();
                areas.extend(code.split_once('.').map(|(area, _)| (module, area.to_owned())));
            }
        }
    }
    let mut found = BTreeMap::new();
    for source in &all {
        for text in literals(&source.code).into_iter().filter(|text| shaped(text)) {
            let (area, rest) = text.split_once('.').unwrap_or_default();
            let here =
                everywhere.contains(&area) || areas.contains(&(module_of(&source.path).to_owned(), area.to_owned()));
            let code = documented.contains(&text) || here && !not_codes.contains(&rest);
            if code && !others.contains(&text.as_str()) {
                found.entry(text.clone()).or_insert_with(|| source.path.clone());
            }
        }
    }
    found
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in files_below("", &|p| p.ends_with(".md")) {
        let text = read(&path);
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let target = if file.is_empty() { PathBuf::from(&path) } else { folder.join(file) };
            let heading = |l: &str| l.starts_with('#') && slug(l.trim_start_matches('#')) == anchor;
            if !Path::new(ROOT).join(&target).exists() {
                wrong.push(format!("{path}: {link} is not there"));
            } else if !anchor.is_empty() && !read(&target.to_string_lossy()).lines().any(heading) {
                wrong.push(format!("{path}: {link}: no such heading"));
            }
        }
    }
    nothing_wrong(wrong, "a link in a document leads nowhere");
}

/// As Git hosts make an anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_table_of_promises_names_tests_that_are_there() {
    let text = read("docs/testing.md");
    let section = text.split("\n## ").find(|part| part.starts_with("The front door")).unwrap_or_default();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).collect();
    let numbered = (1..=20).filter(|n| !rows.iter().any(|row| row.starts_with(&format!("| {n} |"))));
    let mut wrong: Vec<String> = numbered.map(|n| format!("behaviour {n} has no row")).collect();
    let mut named = 0;
    for name in rows.iter().flat_map(|row| row.split('`')).filter(|word| word.contains("::")) {
        let Some((file, case)) = name.split_once("::") else { continue };
        let code = read(&format!("tests/it/{file}.rs"));
        let listed = code.split("cases![").nth(1).and_then(|rest| rest.split("];").next()).unwrap_or_default();
        let is_there = listed.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == case);
        if !is_there || !code.contains(&format!("fn {case}(s: &Scratch)")) {
            wrong.push(format!("{name} is named and not there"));
        }
        named += 1;
    }
    assert!(named > 40, "the table is not where this test looks for it");
    nothing_wrong(wrong, "a table of what is shown by which test must not lie");
}

/// Numbers of the hostile tests that concern what is built.
const HOSTILE: [u32; 22] = [1, 2, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 23, 24, 31, 32, 33];

#[test]
fn the_table_of_hostile_tests_names_where_they_are() {
    let mut there: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for path in
        files_below("tests", &|p| p.ends_with(".rs")).into_iter().chain(files_below("src", &|p| p.ends_with(".rs")))
    {
        for name in read(&path).split("fn ").skip(1).map(word).filter(|name| name.starts_with("hostile_")) {
            // A name may have several: `hostile_17_hostile_21_...`.
            let numbers = name.split("hostile_").skip(1).filter_map(|rest| rest.split('_').next()?.parse().ok());
            for number in numbers {
                there.entry(number).or_default().insert(path.clone());
            }
        }
    }
    let text = read("docs/security.md");
    let rows = text.lines().filter_map(|line| {
        let number: u32 = line.strip_prefix("| ")?.split(' ').next()?.parse().ok()?;
        Some((number, line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>()))
    });
    let told: BTreeMap<u32, BTreeSet<String>> = rows.collect();
    let missing =
        HOSTILE.iter().filter(|number| !there.contains_key(number)).map(|n| format!("no test has the number {n}"));
    let mut wrong: Vec<String> = missing.collect();
    for number in there.keys().chain(told.keys()).collect::<BTreeSet<_>>() {
        let none = BTreeSet::new();
        let (is, said) = (there.get(number).unwrap_or(&none), told.get(number).unwrap_or(&none));
        wrong.extend(is.difference(said).map(|path| format!("{number}: {path} is not in the table")));
        wrong.extend(said.difference(is).map(|path| format!("{number}: {path} has no such test")));
    }
    nothing_wrong(wrong, "docs/security.md says which tests hold which number");
}

#[test]
fn test_data_has_an_owner() {
    let rust: String = files_below("tests", &|p| p.ends_with(".rs"))
        .iter()
        .chain(&files_below("src", &|p| p.ends_with(".rs")))
        .map(|p| read(p))
        .collect();
    let scripts: String = files_below("scripts", &|_| true).iter().map(|p| read(p)).chain([read("Makefile")]).collect();
    let folders: BTreeSet<String> = files_below("tests", &|p| !p.ends_with(".rs"))
        .iter()
        .filter_map(|p| p.rsplit_once('/').map(|(folder, _)| folder.to_owned()))
        .filter_map(|folder| folder.split('/').take(2).collect::<Vec<_>>().join("/").into())
        .collect();
    let orphans =
        folders.into_iter().filter(|folder| !rust.contains(folder.as_str()) && !scripts.contains(folder.as_str()));
    nothing_wrong(orphans.collect(), "no test names this folder of test data");
}

#[test]
fn long_files_and_functions_are_worth_a_second_look() {
    let mut notices = String::new();
    for source in sources().iter().filter(|s| !is_test_file(&s.path)) {
        let lines = source.code.lines().count();
        if lines > 400 {
            notices.push_str(&format!("notice: {} has {lines} lines\n", source.path));
        }
        for (name, length) in functions(&source.code).into_iter().filter(|(_, length)| *length > 60) {
            notices.push_str(&format!("notice: {}: fn {name} has {length} lines\n", source.path));
        }
    }
    // Not by `eprint!`, which a passing test keeps to itself.
    let _ = std::io::stderr().write_all(notices.as_bytes());
}

/// Name and length of each function, by the indentation that rustfmt gives.
fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let opens = trimmed.starts_with("fn ")
            || trimmed.contains(" fn ") && trimmed.starts_with("pub")
            || trimmed.starts_with("async fn ");
        if let Some((_, rest)) = trimmed.split_once("fn ").filter(|_| opens) {
            let close = format!("{}}}", &line[..line.len() - trimmed.len()]);
            let length = lines[at..].iter().position(|l| *l == close).map_or(1, |n| n + 1);
            found.push((word(rest), length));
        }
    }
    found
}
