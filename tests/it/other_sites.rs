//! A page of somebody else, in a real Chromium in which an admin is signed in: it tries everything by which a page can read or change something on
//! another origin. The same attempts from a page of our own show that they would have been seen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{Browser, Done, Front, PASSWORD, Panel, Reply, Scratch, TestCa, cases, curl, until};

cases![alone: hostile_17_hostile_21_a_page_of_another_origin_reads_nothing_and_changes_nothing,];

const TRIES: &str = include_str!("other_sites.js");

/// A profile that is brought up, so that there is something to enter and to watch.
const STACK: &str = "services:\n  web: { image: any/web:1, profiles: [media], ports: ['127.0.0.1:18080:80'] }\n";

/// What belongs to whoever looks, and to when.
const VOLATILE: [&str; 8] =
    ["last_used", "last_login", "last_seen", "expires", "idle_until", "now", "took_ms", "is_current"];

struct Tried<'s> {
    panel: Panel<'s>,
    browser: Browser,
    /// Rows that change something: method, path, body.
    rows: Vec<Value>,
    reads: Vec<String>,
    streams: Vec<String>,
    container: String,
}

/// A page that answers everybody, with what every page may read and load.
fn strangers_server(ca: &TestCa, names: &[&str]) -> Front {
    Front::start(ca, names, 0, |asked| match asked.path.split('?').next().unwrap_or_default() {
        "/picture" => Reply::Open("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>".into()),
        "/script" => Reply::Open("text/javascript", String::new()),
        "/style" => Reply::Open("text/css", String::new()),
        _ => Reply::Open("text/html", "<!doctype html><title>Win a prize</title><p>Win a prize".into()),
    })
}

impl<'s> Tried<'s> {
    fn new(s: &'s Scratch, trusted: &TestCa) -> Result<Tried<'s>, crate::rig::Skip> {
        let panel = Panel::with_people(s, "", &[("app", STACK)]);
        let browser = Browser::start(s, &[&root(s), &trusted.root])?;
        let begun = panel.call("admin", "POST", "/api/v1/up", Some(&json!({ "names": ["media"] }))).is(202);
        let work =
            begun.page.header("location").and_then(|at| at.rsplit('/').next()).expect("a place to watch").to_owned();
        let done = || panel.call("admin", "GET", &format!("/api/v1/works/{work}"), None).body["state"] == "done";
        assert!(until(Duration::from_secs(20), done), "{:?}", begun.body);
        let containers = panel.call("admin", "GET", "/api/v1/containers", None).is(200).body;
        let container = containers["items"][0]["id"].as_str().expect("one runs").to_owned();
        let (mut rows, mut reads, mut streams) = (Vec::new(), Vec::new(), Vec::new());
        let api = panel.api().expect("it is set up").clone();
        for (path, item) in api["paths"].as_object().expect("paths") {
            let filled = filled(path, &container, &work);
            for (method, operation) in item.as_object().expect("methods") {
                match method.as_str() {
                    "get" if operation["x-hearth-stream"] == true => streams.push(filled.clone()),
                    "get" => reads.push(filled.clone()),
                    _ => rows.push(json!([method.to_uppercase(), filled, body(path)])),
                }
            }
        }
        for (path, body) in [
            ("/login", json!({ "username": "member", "password": PASSWORD })),
            ("/logout", json!({})),
            ("/password", json!({ "old": PASSWORD, "password": "mallory was here", "again": "mallory was here" })),
            ("/account/provider", json!({ "act": "unlink" })),
            ("/account/passkeys/x", json!({ "act": "remove" })),
            ("/register", json!({ "username": "mallory", "password": PASSWORD, "again": PASSWORD })),
        ] {
            rows.push(json!(["POST", path, body]));
        }
        assert!(rows.len() > 50, "{} is not all", rows.len());
        Ok(Tried { panel, browser, rows, reads, streams, container })
    }

    fn sign_in(&self) {
        self.browser.go(&self.panel.url("/login")).expect("the page comes");
        self.browser.fill("#username", "admin");
        self.browser.fill("#password", PASSWORD);
        self.browser.click("button.main");
        self.browser.until_text("My services");
    }

    /// What `of` (of the script) comes to in the page where the browser is.
    #[track_caller]
    fn tries(&self, of: &str) -> BTreeMap<String, String> {
        let found = self.browser.run(&format!("{TRIES}\nreturn {of}"));
        let found = serde_json::from_value(found.clone()).unwrap_or_else(|_| panic!("{of}: {found}"));
        let found: BTreeMap<String, String> = found;
        assert!(!found.is_empty());
        found
    }

    /// All that somebody could have changed, as an admin sees it.
    fn state(&self) -> BTreeMap<String, Value> {
        let paths = self.reads.iter().filter(|path| path.starts_with("/api/v1/"));
        // What these say changes by itself, and the audit with every attempt: what was done of it is counted below.
        let changes = ["/api/v1/doctor", "/api/v1/info"];
        let paths = paths.filter(|path| !changes.contains(&path.as_str()) && !path.starts_with("/api/v1/audit"));
        let seen = |path: &String| (path.clone(), steady(self.panel.call("admin", "GET", path, None).body));
        let mut state: BTreeMap<String, Value> = paths.map(seen).collect();
        let done = self.panel.s.hearth_args(&["audit", "--json", "-n", "1000", "--outcome", "done"]).ok().out;
        let done: Vec<Value> = serde_json::from_str(&done).expect("it is JSON");
        let own = |act: &&Value| act["action"].as_str().is_some_and(|name| !name.starts_with("hearth "));
        state.insert("audit".into(), done.iter().filter(own).count().into());
        state
    }
}

fn root(s: &Scratch) -> PathBuf {
    s.dir.join("state/ca/root.pem")
}

/// A path with names of what is there.
fn filled(path: &str, container: &str, work: &str) -> String {
    let kind = path.split('/').nth(3).unwrap_or_default();
    let name = match kind {
        "containers" => container,
        "works" => work,
        "profiles" => "media",
        "services" => "web",
        "stacks" => "app",
        // The second account: who did it should still be there to be asked.
        "users" => "2",
        _ => "1",
    };
    let parts = path.split('/').map(|part| if part.starts_with('{') { name } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Such as would do something.
fn body(path: &str) -> Value {
    match path {
        "/api/v1/users" => json!({ "username": "mallory", "password": PASSWORD, "role": "admin" }),
        "/api/v1/users/{id}" => json!({ "role": "admin" }),
        "/api/v1/users/{id}/password" => json!({ "password": "mallory was here" }),
        "/api/v1/tokens" => json!({ "name": "mallory", "scopes": ["admin"] }),
        "/api/v1/groups" => json!({ "name": "mallory" }),
        "/api/v1/invitations" => json!({ "role": "admin" }),
        "/api/v1/auth/password" => json!({ "old": PASSWORD, "new": "mallory was here" }),
        "/api/v1/auth/me" => json!({ "display_name": "mallory" }),
        "/api/v1/stacks/{name}" => json!({ "text": "services: {}\n" }),
        "/api/v1/settings" => json!({ "text": "" }),
        "/api/v1/containers/{id}/exec" => json!({ "command": ["id"] }),
        "/api/v1/down" | "/api/v1/stop" | "/api/v1/restart" => json!({ "names": ["media"] }),
        _ => json!({}),
    }
}

/// Without what is another at every look.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(name, _)| !VOLATILE.contains(&name.as_str()))
            .map(|(k, v)| (k, steady(v)))
            .collect(),
        Value::Array(all) => all.into_iter().map(steady).collect(),
        other => other,
    }
}

fn hostile_17_hostile_21_a_page_of_another_origin_reads_nothing_and_changes_nothing(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("strangers"));
    let strangers = strangers_server(&ca, &["evil.example", "evil.panel.localhost"]);
    let t = Tried::new(s, &ca)?;
    let (base, browser) = (t.panel.url(""), &t.browser);
    t.sign_in();
    let sockets = json!([ticket(&t), format!("/api/v1/containers/{}/logs/stream", t.container)]);
    let before = t.state();
    // Of another site, where the session's cookie does not even go along; and of another origin of the same site, where it does.
    for at in
        [format!("https://evil.example:{}", strangers.port), format!("https://evil.panel.localhost:{}", strangers.port)]
    {
        nothing_is_read(&t, &at, &base, &sockets);
        nothing_is_changed(&t, &at, &base);
        let after = t.state();
        for (path, now) in &after {
            assert_eq!(Some(now), before.get(path), "{at} has changed {path}");
        }
    }
    // The session was good all the time, and all of this can be seen: from a page of our own the same is done.
    browser.go(&format!("{base}/account")).expect("the page comes");
    assert_eq!(browser.status(), 200);
    our_own_page_can(&t, &base);
    Ok(())
}

/// The path of a socket with a ticket of the admin's that nobody has used.
fn ticket(t: &Tried<'_>) -> String {
    let asked = format!(
        "return fetch('/api/v1/containers/{}/exec', {{method: 'POST', body: '{{\"command\": [\"id\"]}}', headers: {{'content-type': \
         'application/json'}}}}).then(a => a.json())",
        t.container
    );
    let given = t.browser.run(&asked);
    given["path"].as_str().unwrap_or_else(|| panic!("{given}")).to_owned()
}

fn nothing_is_read(t: &Tried<'_>, at: &str, base: &str, sockets: &Value) {
    let browser = &t.browser;
    browser.go(at).expect("the stranger's page comes");
    // That such tags are seen to load.
    for (tag, attribute, path, more) in [
        ("img", "src", "picture", "{}"),
        ("script", "src", "script", "{}"),
        ("link", "href", "style", "{rel: 'stylesheet'}"),
    ] {
        let own = browser.run(&format!("{TRIES}\nreturn tag('{tag}', '{attribute}', '/{path}', {more})"));
        assert_eq!(own, "loaded", "{at}: {tag}");
    }
    assert_eq!(browser.run(&format!("{TRIES}\nreturn frame('iframe', 'src', '/')")), "read", "{at}");
    browser.go(at).expect("the stranger's page comes");
    let pages =
        ["/", "/account", "/login", "/docs", "/static/passkeys.js", "/trust/hearth-ca.crt", "/nothing", "/go?back=x"];
    let paths: Vec<String> = pages.iter().map(|page| page.to_string()).chain(t.reads.clone()).collect();
    for some in paths.chunks(10) {
        browser.go(at).expect("the stranger's page comes");
        let found = t.tries(&format!("reads('{base}', {}, [], [])", json!(some)));
        for (what, came) in &found {
            assert!(["refused", "nothing"].contains(&came.as_str()), "{at}: {what}: {came}");
        }
        // In no frame is anything of ours.
        let inside = browser.in_frames("return [location.href, document.body ? document.body.innerText : '']");
        assert!(!inside.is_empty(), "there are frames");
        for frame in inside {
            let ours = frame[0].as_str().is_some_and(|url| url.starts_with(base));
            assert!(!ours, "{at}: a page of ours is in a frame: {frame}");
        }
    }
    browser.go(at).expect("the stranger's page comes");
    let found = t.tries(&format!("reads('{base}', [], {}, {sockets})", json!(t.streams)));
    assert!(found.len() > 4 && found.values().all(|came| came == "refused"), "{at}: {found:#?}");
    for page in ["/", "/account", "/api/v1/auth/me"] {
        browser.go(at).expect("the stranger's page comes");
        let came = browser.run(&format!("{TRIES}\nreturn opened('{base}{page}')"));
        assert!(came == "cut off" || came == "refused", "{at}: a window with {page}: {came}");
    }
}

fn nothing_is_changed(t: &Tried<'_>, at: &str, base: &str) {
    let browser = &t.browser;
    for some in t.rows.chunks(20) {
        browser.go(at).expect("the stranger's page comes");
        let found = t.tries(&format!("changes('{base}', {})", json!(some)));
        for (what, came) in &found {
            assert!(!came.starts_with("read"), "{at}: {what}: {came}");
        }
        browser.go(at).expect("the stranger's page comes");
        let sent = t.tries(&format!("forms('{base}', {})", json!(some)));
        assert!(sent.values().any(|came| came == "sent"), "{at}: {sent:#?}");
    }
    // In place of the stranger's page: then a `SameSite=Lax` cookie goes along with what is looked at.
    let there =
        || browser.run("return location.origin") == *base && browser.run("return document.readyState") == "complete";
    for row in &t.rows {
        let path = row[1].as_str().unwrap_or_default();
        browser.go(at).expect("the stranger's page comes");
        browser.run(&format!("location.href = '{base}{path}?_method={}'", row[0].as_str().unwrap_or_default()));
        assert!(until(Duration::from_secs(20), there), "{at}: {path}");
    }
    for (path, kind) in [("/logout", "application/x-www-form-urlencoded"), ("/api/v1/users", "text/plain")] {
        browser.go(at).expect("the stranger's page comes");
        let body = json!({ "username": "mallory", "password": PASSWORD, "role": "admin" });
        browser.run(&format!(
            "const f = Object.assign(document.createElement('form'), {{action: '{base}{path}', method: 'POST', enctype: '{kind}'}}); \
             f.append(Object.assign(document.createElement('input'), {{name: '{}', value: '\"}}'}})); document.body.append(f); f.submit()",
            body.to_string().trim_end_matches('}').to_owned() + ",\"x\":\""
        ));
        assert!(until(Duration::from_secs(20), there), "{at}: {path}");
        assert!(browser.text().contains("nothing was done"), "{at}: {path}: {}", browser.text());
    }
}

fn our_own_page_can(t: &Tried<'_>, base: &str) {
    let browser = &t.browser;
    let sockets = json!([ticket(t)]);
    let paths = json!(["/account", "/api/v1/auth/me", "/api/v1/users"]);
    // A program is entered over a socket only.
    let streams: Vec<&String> = t.streams.iter().filter(|path| !path.ends_with("/exec")).collect();
    let found = t.tries(&format!("reads('{base}', {paths}, {}, {sockets})", json!(streams)));
    for (what, came) in &found {
        let wanted = match what.split(' ').next().unwrap_or_default() {
            "fetch" | "xhr" => "read 200",
            "socket" | "stream" => "opened",
            _ => continue,
        };
        assert_eq!(came, wanted, "{what}");
    }
    assert_eq!(browser.run(&format!("{TRIES}\nreturn tag('script', 'src', '/static/passkeys.js')")), "loaded");
    assert_eq!(browser.run(&format!("{TRIES}\nreturn opened('{base}/account')")), "read");
    let row = json!([["POST", "/api/v1/users", { "username": "own", "password": PASSWORD, "role": "viewer" }]]);
    let found = t.tries(&format!("changes('{base}', {row})"));
    assert!(found.values().any(|came| came == "read 201"), "{found:#?}");
    let users = t.panel.call("admin", "GET", "/api/v1/users", None).is(200).body;
    assert!(users["items"].as_array().expect("users").iter().any(|user| user["username"] == "own"), "{users}");
    // Our pages have no frames, so this form is sent in place of the page.
    browser.run(
        "const f = Object.assign(document.createElement('form'), {action: '/logout', method: 'POST'}); document.body.append(f); f.submit()",
    );
    browser.until_text("signed out");
    browser.go(&format!("{base}/account")).expect("the page comes");
    browser.until_text("Sign in");
    for path in ["/", "/login", "/api/v1/auth/me", "/nothing", "/static/passkeys.js"] {
        let page = curl(t.panel.s, &["-k", &format!("{base}{path}")]);
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path}");
        }
        assert!(
            page.header("content-security-policy").is_some_and(|csp| csp.contains("frame-ancestors 'none'")),
            "{path}"
        );
        assert_eq!(page.header("access-control-allow-origin"), None, "{path}");
    }
}
