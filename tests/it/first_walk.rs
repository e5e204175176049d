//! What a newcomer does: curl alone, as the page at /docs says, from the printed link to a container that runs; and the mistakes on the way, each of
//! which is answered with what to do.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::{Done, PASSWORD, Page, Ran, Running, Scratch, cases, curl, described, free_port, setup_link, until};

cases![together: curl_alone_following_docs_gets_from_the_setup_link_to_a_started_profile,];

const STACK: &str = "services:
  web:
    image: hearth-test/busybox:1
    command: [sh, -c, 'echo up; exec sleep 1000']
    stop_signal: SIGKILL
    profiles: [media]
";

/// A person with the page before them.
struct Newcomer<'s> {
    s: &'s Scratch,
    /// The blocks of the page that are left to do.
    blocks: std::vec::IntoIter<String>,
    /// What they have exported, in order: a shell remembers it.
    exports: Vec<String>,
    /// What they fill in for words in capitals.
    words: Vec<(&'static str, String)>,
    https: u16,
}

impl Newcomer<'_> {
    /// Does the next block, which holds `part`, as it stands there.
    #[track_caller]
    fn does(&mut self, part: &str) -> Ran {
        let block = self.blocks.next().expect("the page goes on");
        assert!(block.contains(part), "the page has another order: {block}");
        self.types(&block)
    }

    #[track_caller]
    fn types(&mut self, block: &str) -> Ran {
        let mut text = block.replace("localhost:8443", &format!("localhost:{}", self.https));
        // The longest first: PASSWORD is no part of another.
        self.words.iter().for_each(|(word, value)| text = text.replace(word, value));
        let lines = [self.exports.join("\n"), text.clone()].join("\n");
        self.exports.extend(text.lines().filter(|line| line.starts_with("export ")).map(str::to_owned));
        let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
        let args = ["-e".to_owned(), "-c".to_owned(), lines];
        let ran = self.s.noted(Running::start(Path::new("/bin/sh"), &args, &self.s.dir, &env)).ok();
        if let Ok(body) = serde_json::from_str::<Value>(&ran.out) {
            described::typed(&text, &body);
        }
        ran
    }

    /// Does the next block, and reads its last answer.
    #[track_caller]
    fn asks(&mut self, part: &str) -> Value {
        let ran = self.does(part);
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {}", ran.both()))
    }

    #[track_caller]
    fn takes(&mut self, word: &'static str, answer: &Value) {
        let value = answer.as_str().unwrap_or_else(|| panic!("no {word} in the answer")).to_owned();
        self.words.retain(|(known, _)| *known != word);
        self.words.push((word, value));
    }

    /// Something that a newcomer gets wrong: refused with this status, and a hint that names what to do.
    #[track_caller]
    fn errs(&self, status: u16, names: &str, args: &[&str], path: &str) {
        let url = format!("https://localhost:{}{path}", self.https);
        let told = curl(self.s, &[&["--cacert", "hearth-ca.crt"], args, &[&url]].concat());
        told.is_helpful(status, names);
    }
}

trait Helpful {
    fn is_helpful(&self, status: u16, names: &str);
}

impl Helpful for Page {
    #[track_caller]
    fn is_helpful(&self, status: u16, names: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"));
        let hints = body["error"]["hints"].as_array().cloned().unwrap_or_default();
        let said = hints.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
        assert!(said.contains(names), "no hint says {names:?}: {}", self.body);
        assert!(
            !body["detail"].is_null() && body["error"]["docs"].as_str().is_some_and(|d| d.starts_with("/docs/errors#")),
            "{}",
            self.body
        );
    }
}

fn curl_alone_following_docs_gets_from_the_setup_link_to_a_started_profile(s: &Scratch) -> Done {
    s.home();
    s.write("stacks/one.yaml", STACK);
    let (https, http) = (free_port(), free_port());
    let (at, plain) = (format!("127.0.0.1:{https}"), format!("127.0.0.1:{http}"));
    let running = s.hearth_args_start(&["serve", "--listen", &at, "--http", &plain], &[]);
    let url = format!("https://localhost:{https}");
    assert!(until(Duration::from_secs(20), || curl(s, &["-k", &format!("{url}/health")]).status == 200), "it answers");
    let walked = walk(s, &running, &url, https);
    running.signal(Signal::TERM);
    s.noted(running);
    walked
}

fn walk(s: &Scratch, running: &Running, url: &str, https: u16) -> Done {
    let link = setup_link(running);
    let token = link.split_once("token=").expect("the link has a token").1.to_owned();
    // The page is there before anything else is.
    let docs = curl(s, &["-k", &format!("{url}/docs")]);
    assert_eq!(docs.status, 200, "{docs:?}");
    let words = vec![("SETUP_TOKEN", token.clone()), ("USER_NAME", "ada".into()), ("PASSWORD", PASSWORD.into())];
    let mut new = Newcomer { s, blocks: blocks(&docs.body).into_iter(), exports: Vec::new(), words, https };

    assert!(new.does("/trust/hearth-ca.crt").out.contains("\"healthy\""));
    let body = |value: Value| value.to_string();
    new.errs(403, "POST /api/v1/setup", &[], "/api/v1/profiles");
    let wrong = body(json!({"token": "AAAA", "username": "ada", "password": PASSWORD}));
    new.errs(403, "setup-link", &["--json", &wrong], "/api/v1/setup");
    let weak = body(json!({"token": token, "username": "ada", "password": "password123"}));
    new.errs(422, "sentence", &["--json", &weak], "/api/v1/setup");
    let set_up = new.asks("/api/v1/setup");
    assert_eq!(set_up["user"]["role"], "admin", "{set_up}");

    new.errs(401, "/api/v1/auth/login", &[], "/api/v1/profiles");
    let login = body(json!({"username": "ada", "password": PASSWORD}));
    new.errs(
        415,
        "Content-Type: application/json",
        &["-H", "Content-Type: text/plain", "-d", &login],
        "/api/v1/auth/login",
    );
    new.errs(405, "POST", &[], "/api/v1/auth/login");
    new.errs(422, "/docs", &["--json", "{}"], "/api/v1/auth/login");
    new.errs(422, "/docs", &["--json", "ada"], "/api/v1/auth/login");
    new.errs(
        401,
        "password",
        &["--json", &body(json!({"username": "ada", "password": "not that one"}))],
        "/api/v1/auth/login",
    );
    let login = new.asks("/api/v1/auth/login");
    new.takes("ACCESS_TOKEN", &login["access_token"]);
    new.errs(401, "/api/v1/auth/login", &["-H", "Authorization: Bearer nonsense"], "/api/v1/auth/me");
    assert_eq!(new.asks("/api/v1/auth/me")["username"], "ada");
    let made = new.asks("/api/v1/tokens");
    new.takes("API_TOKEN", &made["token"]);
    let mine = format!("Authorization: Bearer {}", login["access_token"].as_str().unwrap_or_default());
    let lesser = format!("Authorization: Bearer {}", made["token"].as_str().unwrap_or_default());
    new.does("export TOKEN=API_TOKEN");
    new.errs(403, "scope", &["-H", &lesser], "/api/v1/users");

    let profiles = new.asks("/api/v1/profiles");
    new.errs(404, "GET /api/v1/profiles", &["-H", &lesser, "--json", "{}"], "/api/v1/profiles/nothing/enable");
    new.takes("PROFILE", &profiles["items"][0]["name"]);
    assert_eq!(new.asks("/enable")["profile"]["name"], "media");
    let plan = new.asks("/api/v1/plans");
    new.takes("PLAN_ID", &plan["id"]);
    assert_eq!(new.asks("/api/v1/plans/PLAN_ID")["id"], plan["id"]);
    assert!(s.containers().is_empty(), "nothing has started yet");
    new.errs(404, "POST /api/v1/plans", &["-H", &lesser, "--json", "{}"], "/api/v1/plans/nothing/apply");
    let begun = new.asks("/apply");
    new.takes("WORK_ID", &begun["work"]["id"]);
    let events = new.does("/events").out;
    assert!(events.contains("event: end") && events.contains("\"outcome\":\"done\""), "{events}");
    let services = new.asks("/api/v1/services");
    assert_eq!((&services["items"][0]["name"], &services["items"][0]["state"]), (&json!("web"), &json!("running")));
    assert!(new.blocks.next().is_none(), "the page has more to do");
    assert!(s.container("web").running(), "and it runs on the engine");

    // The world has moved since: the plan made a container that is there now.
    let again = curl(
        s,
        &[
            "--cacert",
            "hearth-ca.crt",
            "-H",
            &lesser,
            "--json",
            "{\"yes\": true}",
            &format!("{url}/api/v1/plans/{}/apply", plan["id"].as_str().unwrap_or_default()),
        ],
    );
    let again: Value = serde_json::from_str(&again.body).expect("JSON");
    let work = format!("{url}/api/v1/works/{}", again["work"]["id"].as_str().unwrap_or_default());
    let mut told = Value::Null;
    until(Duration::from_secs(20), || {
        told = serde_json::from_str(&curl(s, &["--cacert", "hearth-ca.crt", "-H", &lesser, &work]).body)
            .unwrap_or_default();
        told["state"] != "running"
    });
    let hints = told["error"]["hints"].to_string();
    assert!(told["state"] == "failed" && hints.contains("plan"), "{told}");

    // What is edited by several.
    let settings = body(json!({"text": "name: other\n"}));
    let put = ["-X", "PUT", "--json", &settings, "-H", &mine];
    new.errs(428, "If-Match", &put, "/api/v1/settings");
    new.errs(412, "read it again", &[&put[..], &["-H", "If-Match: \"other\""]].concat(), "/api/v1/settings");
    Ok(())
}

/// The commands of the walk, as the page shows them.
fn blocks(page: &str) -> Vec<String> {
    let section = page.split_once("<section id=\"first-steps\">").expect("the page begins with first steps").1;
    let section = section.split_once("</section>").expect("they end").0;
    let plain =
        |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    section
        .split("<pre><code>")
        .skip(1)
        .map(|rest| plain(rest.split("</code></pre>").next().unwrap_or_default()))
        .collect()
}
