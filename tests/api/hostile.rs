//! What hostile texts, files and engines come to when they arrive over the API.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearth::engine::fake::{Double, Fault};
use serde_json::json;

use crate::rig::{Server, Socket};

/// What a shell would take for more than text, and what a program would take for a flag.
const AWKWARD: [&str; 14] = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "| touch pwned",
    "&& touch pwned",
    "x\ntouch pwned",
    "'; touch pwned; '",
    "\"; touch pwned; \"",
    "${IFS}touch${IFS}pwned",
    "\\",
    "-rf",
    "--privileged",
    "-v/:/host",
    "<(touch pwned)",
];

fn coded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}

/// No file of that name was made where a shell of ours would have been.
fn untouched(s: &Server) {
    let here = std::env::current_dir().unwrap();
    for dir in [s.dir.as_path(), &s.dir.join("stacks"), &s.dir.join("state"), &here] {
        assert!(!dir.join("pwned").exists(), "{}", dir.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_01_what_a_program_is_run_with_arrives_as_it_was_sent() {
    let s = Server::begin().await;
    s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    for text in AWKWARD {
        let asked = json!({"command": ["printf", "%s", text, ""]});
        let given = s.post("operator", "/api/v1/containers/apihome-web-1/exec", asked).await.is(200).body;
        let mut socket = Socket::open(&s, "operator", given["path"].as_str().unwrap(), &[]).await.unwrap();
        let said = socket.next().await.1;
        assert_eq!(String::from_utf8_lossy(&said[1..]).trim_end(), format!("in memory: printf %s {text}").trim_end());
    }
    untouched(&s);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_01_values_in_a_stack_reach_the_engine_as_text() {
    let s = Server::begin().await;
    let quoted = |text: &str| json!(text.replace('$', "$$")).to_string();
    let list = AWKWARD.map(quoted).join(", ");
    let labels: Vec<String> = AWKWARD.iter().enumerate().map(|(n, t)| format!("l{n}: {}", quoted(t))).collect();
    let text = format!(
        "services:\n  page:\n    image: any/page:1\n    profiles: [pages]\n    command: [{list}]\n    entrypoint: [/run, {list}]\n    \
         environment: {{ {} }}\n    labels: {{ {} }}\n    hostname: page\n",
        labels.join(", "),
        labels.join(", ")
    );
    s.call("admin", "PUT", "/api/v1/stacks/pages", Some(json!({"text": text})), &[("if-none-match", "*")])
        .await
        .is(201);
    s.done("operator", "/api/v1/up", json!({"names": ["pages"]})).await;
    let seen = s.get("viewer", "/api/v1/containers?project=apihome").await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let world = s.world();
    let config = &world.by_name("apihome-page-1").unwrap().config;
    assert_eq!(config["Cmd"], json!(AWKWARD));
    assert_eq!(config["Entrypoint"], json!([&["/run"], &AWKWARD[..]].concat()));
    for (n, text) in AWKWARD.iter().enumerate() {
        assert_eq!(config["Labels"][format!("l{n}")], json!(text));
        let line = format!("l{n}={text}");
        assert!(config["Env"].as_array().unwrap().contains(&json!(line)), "{line}");
    }
    drop(world);
    untouched(&s);
}

/// Names that would lead elsewhere, mean something to a shell, or be taken for another one's.
const NO_NAMES: [&str; 18] = [
    "..",
    ".",
    "../secret",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "a\0b",
    "a b",
    "a\nb",
    "-a",
    "--all",
    "a;id",
    "$(id)",
    "`id`",
    "a%2fb",
    "\u{430}dmin",
    "a\u{202e}b",
    "<b>a</b>",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_02_what_can_be_no_name_is_refused_wherever_one_is_given() {
    let s = Server::begin().await;
    let before = s.read("hearth.yaml");
    for name in NO_NAMES {
        let quoted = json!(name).to_string();
        // Compose knows names of these, which lead nowhere: no file is named after what a stack names.
        let composes = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        // In a stack: of a service, a profile, a network, a volume; a route's host.
        for text in [
            format!("services:\n  {quoted}: {{ image: 'a:1' }}\n"),
            format!("services:\n  a: {{ image: 'a:1', profiles: [{quoted}] }}\n"),
            format!("services:\n  a: {{ image: 'a:1', networks: [{quoted}] }}\nnetworks: {{ {quoted}: {{}} }}\n"),
            format!(
                "services:\n  a: {{ image: 'a:1', volumes: [{{ type: volume, source: {quoted}, target: /x }}] }}\nvolumes: {{ {quoted}: {{}} }}\n"
            ),
            format!("services:\n  a: {{ image: 'a:1', x-hearth: {{ route: {{ host: {quoted}, port: 80 }} }} }}\n"),
        ] {
            let told =
                s.call("admin", "PUT", "/api/v1/stacks/probe", Some(json!({"text": text})), &[("if-none-match", "*")]);
            let told = told.await;
            if told.status == 201 {
                // What only the whole of a project shows is found before anything is done.
                let work = s.work("admin", "/api/v1/up", json!({})).await;
                // A host may be a name of other letters, which browsers ask for in another spelling.
                let host = text.contains("host: ") && name.chars().all(char::is_alphanumeric);
                assert!(composes || host || work["state"] == "failed", "{text}: {work}");
                s.done("admin", "/api/v1/down", json!({"yes": true})).await;
                std::fs::remove_file(s.dir.join("stacks/probe.yaml")).unwrap();
            } else {
                assert_eq!(told.status, 422, "{text}: {}", told.body);
            }
            assert!(!s.dir.join("stacks/probe.yaml").exists(), "{text}");
        }
        // Of people.
        for (path, body) in [
            ("/api/v1/users", json!({"username": name, "password": "unhurried lantern gravel", "role": "viewer"})),
            ("/api/v1/groups", json!({"name": name})),
        ] {
            let told = s.post("admin", path, body).await;
            assert_eq!(told.status, 422, "{path} {name:?}: {}", told.body);
        }
        // In an address.
        for (method, path, body) in [
            ("POST", format!("/api/v1/profiles/{}/enable", coded(name)), Some(json!({}))),
            ("POST", format!("/api/v1/profiles/{}/disable", coded(name)), Some(json!({}))),
            ("GET", format!("/api/v1/services/{}", coded(name)), None),
            ("GET", format!("/api/v1/containers/{}", coded(name)), None),
            ("GET", format!("/api/v1/containers/{}/logs", coded(name)), None),
            ("POST", format!("/api/v1/containers/{}/exec", coded(name)), Some(json!({"command": ["id"]}))),
            ("GET", format!("/api/v1/groups/{}", coded(name)), None),
            ("DELETE", format!("/api/v1/groups/{}", coded(name)), None),
            ("POST", format!("/api/v1/projects/{}/adopt", coded(name)), Some(json!({}))),
            ("GET", format!("/api/v1/plans/{}", coded(name)), None),
            ("GET", format!("/api/v1/works/{}", coded(name)), None),
        ] {
            let told = s.call("admin", method, &path, body, &[]).await;
            assert!(
                [404, 405, 409, 422].contains(&told.status),
                "{method} {path} ({name:?}): {} {}",
                told.status,
                told.body
            );
        }
        // In a body.
        for path in ["up", "down", "start", "stop", "restart", "pull", "update"] {
            let told = s.post("admin", &format!("/api/v1/{path}"), json!({"names": [name]})).await;
            let work = told.body["work"]["id"].as_str().map(|id| format!("/api/v1/works/{id}"));
            let Some(work) = work else {
                assert!([404, 422].contains(&told.status), "{path} {name:?}: {} {}", told.status, told.body);
                continue;
            };
            s.events("admin", &format!("{work}/events"), &[], |name, _| name == "end").await;
            assert_eq!(s.get("admin", &work).await.body["state"], "failed", "{path} {name:?}");
        }
    }
    assert_eq!(s.read("hearth.yaml"), before);
    assert!(s.world().containers.is_empty());
    untouched(&s);
}

/// What somebody else has, beside the home: whoever opens it is seen.
struct Outside {
    path: String,
    opened: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Outside {
    const SECRET: &str = "geheim-outside-77";

    fn beside(s: &Server) -> Outside {
        let path = s.dir.parent().unwrap().join(format!("outside-{}.yaml", std::process::id()));
        let (mode, kind) = (rustix::fs::Mode::RWXU, rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        let (opened, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (seen, end, at) = (opened.clone(), stop.clone(), path.clone());
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                // Without somebody who reads it, it cannot be opened for writing.
                let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
                if let Ok(pipe) = rustix::fs::open(&at, flags, rustix::fs::Mode::empty()) {
                    seen.store(true, Ordering::Relaxed);
                    let _ = io::Write::write_all(&mut std::fs::File::from(pipe), Outside::SECRET.as_bytes());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Outside { path: path.display().to_string(), opened, stop }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = std::fs::remove_file(&self.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_05_a_stack_that_names_files_outside_the_home_is_refused_before_they_are_read() {
    let s = Server::begin().await;
    let outside = Outside::beside(&s);
    std::os::unix::fs::symlink(&outside.path, s.dir.join("link.env")).unwrap();
    std::os::unix::fs::symlink(s.dir.parent().unwrap(), s.dir.join("folder")).unwrap();
    let name = outside.path.rsplit('/').next().unwrap();
    let ways = [
        outside.path.clone(),
        format!("../{name}"),
        format!("./stacks/../../{name}"),
        "link.env".into(),
        format!("folder/{name}"),
    ];
    for way in ways {
        for (what, text) in [
            ("include", format!("include: ['{way}']\nservices: {{ probe: {{ image: 'a:1', profiles: [probe] }} }}\n")),
            (
                "include's env_file",
                format!(
                    "include: [{{ path: stacks/media.yaml, env_file: '{way}' }}]\nservices: {{ probe: {{ image: 'a:1', profiles: [probe] }} }}\n"
                ),
            ),
            (
                "extends",
                format!("services: {{ probe: {{ profiles: [probe], extends: {{ file: '{way}', service: a }} }} }}\n"),
            ),
            (
                "env_file",
                format!("services: {{ probe: {{ image: 'a:1', profiles: [probe], env_file: ['{way}'] }} }}\n"),
            ),
            (
                "optional env_file",
                format!(
                    "services: {{ probe: {{ image: 'a:1', profiles: [probe], env_file: [{{ path: '{way}', required: false }}] }} }}\n"
                ),
            ),
            (
                "label_file",
                format!("services: {{ probe: {{ image: 'a:1', profiles: [probe], label_file: '{way}' }} }}\n"),
            ),
            (
                "configs.file",
                format!(
                    "services: {{ probe: {{ image: 'a:1', profiles: [probe], configs: [c] }} }}\nconfigs: {{ c: {{ file: '{way}' }} }}\n"
                ),
            ),
            (
                "secrets.file",
                format!(
                    "services: {{ probe: {{ image: 'a:1', profiles: [probe], secrets: [c] }} }}\nsecrets: {{ c: {{ file: '{way}' }} }}\n"
                ),
            ),
            (
                "build.context",
                format!("services: {{ probe: {{ profiles: [probe], build: {{ context: '{way}' }} }} }}\n"),
            ),
            (
                "develop.watch",
                format!(
                    "services: {{ probe: {{ image: 'a:1', profiles: [probe], develop: {{ watch: [{{ path: '{way}', action: rebuild }}] }} }} }}\n"
                ),
            ),
            (
                "build.dockerfile",
                format!(
                    "services: {{ probe: {{ profiles: [probe], build: {{ context: ., dockerfile: '{way}' }} }} }}\n"
                ),
            ),
        ] {
            let mut answers = vec![s.post("admin", "/api/v1/stacks/probe/validate", json!({"text": text})).await.body];
            let new = [("if-none-match", "*")];
            let saved = s.call("admin", "PUT", "/api/v1/stacks/probe", Some(json!({"text": text})), &new).await;
            let tag = saved.header("etag").to_string();
            answers.push(saved.body);
            // What is only found with the files it names is found before anything is done.
            if saved.status < 300 {
                let work = s.work("admin", "/api/v1/up", json!({"names": ["probe"]})).await;
                assert_eq!(work["state"], "failed", "{what} of {way}: {work}");
                let plan = s.post("admin", "/api/v1/plans", json!({"names": ["probe"]})).await;
                assert!(plan.status >= 400 || plan.status == 202, "{what} of {way}: {}", plan.body);
                answers.extend([work, plan.body, s.get("admin", "/api/v1/works").await.body]);
                answers.push(s.get("admin", "/api/v1/services").await.body);
                s.call("admin", "DELETE", "/api/v1/stacks/probe", None, &[("if-match", &tag)]).await.is(204);
            } else {
                assert_eq!(saved.status, 422, "{what} of {way}: {}", answers[1]);
            }
            assert!(!outside.opened.load(Ordering::Relaxed), "{what} of {way}: it was opened");
            let told = json!(answers).to_string();
            assert!(!told.contains(Outside::SECRET), "{what} of {way}: {told}");
        }
    }
    assert!(s.world().containers.is_empty());
    // The trap itself works.
    assert!(std::fs::read_to_string(&outside.path).is_ok_and(|text| text.starts_with(Outside::SECRET)));
    assert!(outside.opened.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_24_what_the_server_was_started_with_reaches_no_container() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("stacks")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("hearth.yaml", "name: apihome\nmode: localhost\n");
    write(".env", "OWN=of-the-home\n");
    write("more.env", "FROM_FILE=${MANAGER_TOKEN}\nBARE\nMANAGER_TOKEN\n");
    // One of the process itself too: cargo starts every test with it.
    write(
        "stacks/curious.yaml",
        "services:\n  curious:\n    image: any/curious:1\n    profiles: [curious]\n    env_file: [more.env]\n    labels: { l: 'x${MANAGER_TOKEN}x' }\n    \
         command: [say, 'x${MANAGER_TOKEN-unset}x', 'x${CARGO_MANIFEST_DIR-unset}x']\n    environment:\n      MANAGER_TOKEN:\n      PATH:\n      \
         HEARTH_OIDC_SECRET:\n      A: '${MANAGER_TOKEN}'\n      B: '${MANAGER_TOKEN:-default}'\n      C: '${CARGO_MANIFEST_DIR}${HOME}'\n      D: '${OWN}'\n    \
         secrets: [taken]\n    configs: [taken]\nsecrets: { taken: { environment: MANAGER_TOKEN } }\nconfigs: { taken: { content: 'x${MANAGER_TOKEN}x' } }\n",
    );
    let secret = "geheim-manager-24";
    let environment = BTreeMap::from([
        ("XDG_STATE_HOME".to_string(), dir.path().join("user-state").display().to_string()),
        ("DOCKER_HOST".to_string(), hearth::engine::fake::ADDRESS.to_string()),
        ("MANAGER_TOKEN".to_string(), secret.to_string()),
        ("HEARTH_OIDC_SECRET".to_string(), secret.to_string()),
        ("HOME".to_string(), secret.to_string()),
        ("PATH".to_string(), secret.to_string()),
    ]);
    let s = Server::of(dir.path().to_path_buf(), environment, Some(Double::default())).await;
    let mut told = vec![s.get("admin", "/api/v1/stacks/curious").await.is(200).body];
    // A secret that is taken from the environment has none to take: that is said, and nothing is done.
    let work = s.work("operator", "/api/v1/up", json!({"names": ["curious"]})).await;
    if work["state"] != "done" {
        let text = s.read("stacks/curious.yaml").replace("    secrets: [taken]\n", "");
        write("stacks/curious.yaml", text.split("secrets: {").next().unwrap());
        write(
            "stacks/curious.yaml",
            &(s.read("stacks/curious.yaml") + "configs: { taken: { content: 'x${MANAGER_TOKEN}x' } }\n"),
        );
        s.done("operator", "/api/v1/up", json!({"names": ["curious"]})).await;
    }
    told.push(work);
    for path in ["/api/v1/services/curious", "/api/v1/containers", "/api/v1/history", "/api/v1/works"] {
        told.push(s.get("admin", path).await.is(200).body);
    }
    let told = json!(told).to_string();
    let world = s.world();
    let container = world.by_name("apihome-curious-1").unwrap();
    let whole = format!("{} {} {:?} {:?}", container.config, container.host_config, container.labels, container.files);
    for leaked in [secret, env!("CARGO_MANIFEST_DIR")] {
        assert!(!whole.contains(leaked), "{whole}");
        assert!(!told.contains(leaked), "{told}");
    }
    assert_eq!(container.config["Cmd"], json!(["say", "xunsetx", "xunsetx"]));
    let env = container.config["Env"].as_array().unwrap();
    for line in ["A=", "B=default", "C=", "D=of-the-home", "FROM_FILE="] {
        assert!(env.contains(&json!(line)), "{line}: {env:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_33_an_engine_that_goes_in_the_middle_is_said_and_the_next_work_goes_on_from_there() {
    let s = Server::begin().await;
    // At each of its calls in turn, until one work needs no more of them.
    for nth in 1..40 {
        s.engine().recover();
        s.done("operator", "/api/v1/down", json!({"names": ["media"], "remove_orphans": true})).await;
        s.engine().recover();
        s.engine().fault(Fault::GoneFrom(nth));
        let work = s.work("operator", "/api/v1/up", json!({"names": ["media"]})).await;
        s.engine().recover();
        if work["state"] == "done" {
            assert!(nth > 4, "{nth} calls are too few: {work}");
            return;
        }
        assert_eq!((&work["state"], &work["error"]["title"].is_string()), (&json!("failed"), &true), "{nth}: {work}");
        assert!(!work["error"]["hints"].as_array().unwrap().is_empty(), "{nth}: {work}");
        s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
        let world = s.world();
        assert!(world.violations.is_empty() && world.lost.is_empty(), "{nth}: {:?} {:?}", world.violations, world.lost);
        assert!(world.containers.len() == 2 && world.containers.values().all(|c| c.is_running()), "{nth}");
    }
    panic!("it is never done");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_21_cookies_are_cleared_by_a_press_on_our_own_page_and_by_nothing_else() {
    let s = Server::begin().await;
    let stuffed = format!("stuffed={}", "x".repeat(40 << 10));
    let ask = async |method: &str, path: &str, more: &[(&str, &str)]| {
        let more = [&[("cookie", stuffed.as_str()), ("accept", "text/html")][..], more].concat();
        let answer = s.open("", method, path, None, &more).await;
        (answer.status().as_u16(), answer.headers().get("clear-site-data").cloned())
    };
    // Whoever cannot get anywhere any more gets there.
    assert_eq!(ask("GET", "/", &[]).await, (431, None));
    assert_eq!(ask("POST", "/logout", &[("origin", "http://panel.test")]).await, (431, None));
    assert_eq!(ask("GET", "/cookies", &[]).await, (200, None));
    for foreign in [
        &[][..],
        &[("origin", "http://app.test")],
        &[("origin", "null")],
        &[("origin", "http://panel.test:8096")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://panel.test")],
    ] {
        assert_eq!(ask("POST", "/cookies", foreign).await, (403, None), "{foreign:?}");
        assert_eq!(ask("GET", "/cookies", foreign).await.1, None, "{foreign:?}");
    }
    for own in [("origin", "http://panel.test"), ("sec-fetch-site", "same-origin")] {
        assert_eq!(ask("POST", "/cookies", &[own]).await, (200, Some("\"cookies\"".parse().unwrap())), "{own:?}");
    }
}
