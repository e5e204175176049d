//! The API answers each call to whom its row says and to nobody else, and as its own description says: judged by schemathesis, which knows nothing of us.

use std::path::Path;

use crate::rig::{Done, PASSWORD, Panel, Ran, Running, Scratch, Skip, cases, repository, script_with};

cases![
    together:
    hostile_09_hostile_11_every_call_is_answered_to_whom_its_row_says;
    alone:
    schemathesis_finds_nothing_as_nobody,
    schemathesis_finds_nothing_as_a_member,
    schemathesis_finds_nothing_as_an_admin;
];

/// A profile that is on and one that is off.
const STACK: &str = "\
services:
  web: { image: any/web:1, profiles: [media], ports: ['127.0.0.1:18080:80'] }
  db: { image: any/db:1, profiles: [databases], volumes: ['data:/data'] }
volumes: { data: {} }
";

/// Of each call, beside what schemathesis tries by itself at the bounds of every value: about 4000 calls. Whoever is signed in reaches more code with
/// each, and gets fewer, so that a run stays within some three minutes.
const EXAMPLES: [&str; 2] = ["6", "3"];

const ROLES: [&str; 4] = ["viewer", "member", "operator", "admin"];

/// DESIGN's roles: a member is no viewer, an operator is both.
fn admits(who: &str, role: &str) -> bool {
    match who {
        "anyone" => true,
        "user" | "person" => !role.is_empty(),
        "viewer" => ["viewer", "operator", "admin"].contains(&role),
        "member" => ["member", "operator", "admin"].contains(&role),
        "operator" => ["operator", "admin"].contains(&role),
        _ => role == "admin",
    }
}

fn hostile_09_hostile_11_every_call_is_answered_to_whom_its_row_says(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "", &[("app", STACK)]);
    let api = panel.api().expect("it is set up").clone();
    let mut tried = 0;
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let who =
                operation["x-hearth-who"].as_str().unwrap_or_else(|| panic!("{method} {path} says not for whom it is"));
            let method = method.to_uppercase();
            // What is open is filled with names of nothing: a number is an id too.
            let path = path.split('/').map(|part| if part.starts_with('{') { "999999" } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            for role in [""].iter().chain(&ROLES) {
                let admitted = admits(who, role);
                // What may be done is done elsewhere; here nothing is changed. What goes on until its client leaves is cut by curl.
                if admitted && (method != "GET" || operation["x-hearth-stream"] == true) {
                    continue;
                }
                let told = panel.call(role, &method, &path, None);
                let refused = [401, 403].contains(&told.status);
                assert_eq!(
                    refused, !admitted,
                    "{method} {path}, which is for {who}, answers {role:?} {}: {}",
                    told.status, told.page.body
                );
                assert_eq!(
                    told.status == 401,
                    !admitted && role.is_empty(),
                    "{method} {path} {role:?}: {}",
                    told.status
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried} is not all");
    for path in ["/api/v1/nothing", "/nothing", "/api/v2/users"] {
        assert_eq!(panel.call("", "GET", path, None).status, 401, "{path}");
        assert_eq!(panel.call("viewer", "GET", path, None).status, 404, "{path}");
    }
    Ok(())
}

fn schemathesis_finds_nothing_as_nobody(s: &Scratch) -> Done {
    judged(s, "")
}

fn schemathesis_finds_nothing_as_a_member(s: &Scratch) -> Done {
    judged(s, "member")
}

fn schemathesis_finds_nothing_as_an_admin(s: &Scratch) -> Done {
    judged(s, "admin")
}

/// All phases, streams left out, a new login where a call has ended the one before.
fn judged(s: &Scratch, who: &str) -> Done {
    let bin = script_with("pytool", &["schemathesis"], &[]).map_err(Skip)?;
    let panel = Panel::with_people(s, "auth: { registration: invite }\n", &[("app", STACK)]);
    let hooks = repository().join("scripts/pytools/hooks.py").display().to_string();
    let (url, description) = (panel.at_localhost(""), panel.at_localhost("/api/v1/openapi.json"));
    let told = repository().join("scripts/pytools/schemathesis.toml").display().to_string();
    let args = [
        "--config-file",
        &told,
        "run",
        &description,
        "--tls-verify",
        "false",
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--max-examples",
        EXAMPLES[usize::from(!who.is_empty())],
        "--generation-database",
        "none",
        "--seed",
        "7",
        "--continue-on-failure",
        "--request-retries",
        "2",
        "--exclude-by",
        "/x-hearth-stream == true",
    ];
    let path = std::env::var("PATH").unwrap_or_default();
    let home = s.dir.display().to_string();
    let env = [
        ("PATH", path.as_str()),
        ("HOME", &home),
        ("SCHEMATHESIS_HOOKS", &hooks),
        ("HEARTH_URL", &url),
        ("HEARTH_USER", who),
        ("HEARTH_ROLE", who),
        ("HEARTH_PROGRAM", env!("CARGO_BIN_EXE_hearth")),
        ("HEARTH_HOME", &home),
        ("HEARTH_PASSWORD", PASSWORD),
        ("PYTHONWARNINGS", "ignore"),
    ];
    let ran = run(s, &Path::new(bin.trim()).join("schemathesis"), &args, &env);
    let end: Vec<&str> = ran.out.lines().rev().take(400).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    assert_eq!(ran.code, 0, "{}\n{}", end.join("\n"), ran.err);
    Ok(())
}

fn run(s: &Scratch, program: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    s.noted(Running::start(program, &args, &s.dir, &env).patient(std::time::Duration::from_secs(900)))
}
