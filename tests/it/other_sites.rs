//! A page of somebody else, in a real Chromium in which an admin is signed in: it tries everything by which a page can read or change something on
//! another origin. The same attempts from a page of our own show that they would have been seen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::other_sites_rows::{LEFT_OUT, Prepares, STACK, config, pages};
use crate::rig::{
    Authenticator, Browser, Done, Front, PASSWORD, Panel, Reply, Scratch, TestCa, cases, curl, setup_link, until,
};

cases![alone:
    hostile_17_hostile_21_a_page_of_another_origin_reads_nothing_and_changes_nothing,
    what_a_page_of_another_origin_tries_succeeds_from_a_page_of_our_own,
];

const TRIES: &str = include_str!("other_sites.js");

/// What belongs to whoever looks, and to when.
const VOLATILE: [&str; 8] =
    ["last_used", "last_login", "last_seen", "expires", "idle_until", "now", "took_ms", "is_current"];

struct Tried<'s> {
    panel: Panel<'s>,
    browser: Browser,
    /// Rows that change something, as the script takes them.
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
    /// A home in which the admin has signed in, in the browser too, and everything that changes something is ready to succeed.
    fn new(s: &'s Scratch, trusted: &TestCa) -> Result<Tried<'s>, crate::rig::Skip> {
        Prepares::before(s);
        let mut panel = Panel::with_people(s, &config(&s.dir), &[("app", STACK)]);
        add(&mut panel, "keeper", "admin");
        let browser = Browser::start(s, &[&root(s), &trusted.root])?;
        let _device = Authenticator::add(&browser);
        sign_in(&panel, &browser);
        let (mut reads, mut streams) = (Vec::new(), Vec::new());
        let prepares = Prepares::new(&panel, &browser);
        let (mut calls, looks) = calls(&panel);
        // Both are about one second factor, and nothing that is prepared after it may take it away.
        calls.sort_by_key(|(_, path)| path.ends_with("second-factor/codes") || path.ends_with("second-factor/off"));
        // What is left out is tried too, with nothing by which it would succeed.
        let bare =
            |method: &str, path: &str| json!([method, filled(path, "1", "1"), {}, {}, !path.starts_with("/api/")]);
        let row = |(method, path): &(String, String)| match prepares.row(method, path) {
            Some(row) => row.json(),
            None => bare(method, path),
        };
        let rows: Vec<Value> = calls.iter().map(row).collect();
        assert!(rows.len() > 70, "{} is not all", rows.len());
        let first = |path: &str| panel.call("admin", "GET", path, None).is(200).body["items"][0]["id"].clone();
        let (container, work) = (first("/api/v1/containers?service=web"), first("/api/v1/works"));
        let (container, work) = (container.as_str().expect("one runs").to_owned(), work.as_str().expect("one was"));
        for (path, stream) in looks {
            let filled = filled(&path, &container, work);
            if stream { &mut streams } else { &mut reads }.push(filled);
        }
        Ok(Tried { panel, browser, rows, reads, streams, container })
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

/// What there is that changes something (method and path), and what only looks (path, and whether it is a stream).
fn calls(panel: &Panel) -> (Vec<(String, String)>, Vec<(String, bool)>) {
    let (mut changes, mut looks) = (Vec::new(), Vec::new());
    let api = panel.api().expect("it is set up");
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            match method.as_str() {
                "get" => looks.push((path.clone(), operation["x-hearth-stream"] == true)),
                _ => changes.push((method.to_uppercase(), path.clone())),
            }
        }
    }
    changes.extend(pages().into_iter().map(|page| ("POST".to_owned(), page.to_owned())));
    for (call, why) in LEFT_OUT {
        assert!(changes.iter().any(|(method, path)| format!("{method} {path}") == call), "{call} is no call: {why}");
    }
    (changes, looks)
}

/// Somebody more, who signs in as a program.
fn add(panel: &mut Panel, name: &str, role: &str) {
    let new = json!({ "username": name, "password": PASSWORD, "role": role });
    panel.call("admin", "POST", "/api/v1/users", Some(&new)).is(201);
    panel.sign_in(name);
}

fn sign_in(panel: &Panel, browser: &Browser) {
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.fill("#username", "admin");
    browser.fill("#password", PASSWORD);
    browser.click("button.main");
    browser.until_text("Guide");
}

/// Without what is another at every look.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(name, _)| !VOLATILE.contains(&name.as_str()))
            .map(|(k, v)| (k, steady(v)))
            .collect(),
        // Sessions stand in the order in which they were used.
        Value::Array(all) => {
            let mut all: Vec<Value> = all.into_iter().map(steady).collect();
            all.sort_by_key(Value::to_string);
            Value::Array(all)
        }
        other => other,
    }
}

fn hostile_17_hostile_21_a_page_of_another_origin_reads_nothing_and_changes_nothing(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("strangers"));
    let strangers = strangers_server(&ca, &["evil.example", "evil.panel.localhost"]);
    let t = Tried::new(s, &ca)?;
    let (base, browser) = (t.panel.url(""), &t.browser);
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
    // The session was good all the time, and all of this can be seen: from a page of our own it is.
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
    let led = |script: &str| {
        browser.go(at).expect("the stranger's page comes");
        browser.run(script);
        until(Duration::from_secs(20), there)
    };
    for row in &t.rows {
        let path = row[1].as_str().unwrap_or_default();
        let away = format!("location.href = '{base}{path}?_method={}'", row[0].as_str().unwrap_or_default());
        assert!(led(&away), "{at}: {path}");
    }
    for (path, kind) in [("/logout", "application/x-www-form-urlencoded"), ("/api/v1/users", "text/plain")] {
        let body = json!({ "username": "mallory", "password": PASSWORD, "role": "admin" });
        let sent = format!(
            "const f = Object.assign(document.createElement('form'), {{action: '{base}{path}', method: 'POST', enctype: '{kind}'}}); \
             f.append(Object.assign(document.createElement('input'), {{name: '{}', value: '\"}}'}})); document.body.append(f); f.submit()",
            body.to_string().trim_end_matches('}').to_owned() + ",\"x\":\""
        );
        assert!(led(&sent), "{at}: {path}");
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

/// The same calls with the same bodies and headers as those of the stranger's page, in a home that they may change.
fn what_a_page_of_another_origin_tries_succeeds_from_a_page_of_our_own(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("strangers"));
    let strangers = strangers_server(&ca, &["evil.example"]);
    Prepares::before(s);
    let mut panel = Panel::new(s, &config(&s.dir), &[("app", STACK)]);
    let browser = Browser::start(s, &[&root(s), &ca.root])?;
    let _device = Authenticator::add(&browser);
    let base = panel.url("");
    let one = |row: &Value| browser.run(&format!("{TRIES}\nreturn one('{base}', {row})"));

    // The first admin: not by a stranger's page, even with the link's token.
    let link = setup_link(panel.running());
    let token = link.split("token=").nth(1).expect("the link has a token").to_owned();
    let row =
        json!(["POST", "/api/v1/setup", { "token": token, "username": "admin", "password": PASSWORD }, {}, false]);
    let again = json!({ "token": token, "username": "admin", "password": PASSWORD, "again": PASSWORD });
    let rows = json!([row, ["POST", "/setup", again, {}, true]]);
    browser.go(&format!("https://evil.example:{}", strangers.port)).expect("the stranger's page comes");
    for tried in ["changes", "forms"] {
        let found = browser.run(&format!("{TRIES}\nreturn {tried}('{base}', {rows})"));
        let found = found.as_object().unwrap_or_else(|| panic!("{tried}: {found}"));
        assert!(!found.is_empty() && found.values().all(|came| !came.as_str().unwrap_or_default().starts_with("read")));
    }
    assert_eq!(panel.ask("GET", "/api/v1/info", None, None).is(403).code(), "auth.not-set-up");
    browser.go(&panel.url(&format!("/setup?token={token}"))).expect("the page comes");
    assert_eq!(one(&row), "read 201");
    panel.sign_in("admin");
    for (name, role) in [("operator", "operator"), ("member", "member"), ("keeper", "admin")] {
        add(&mut panel, name, role);
    }

    let is_admin =
        || browser.run("return fetch('/api/v1/auth/me').then(a => a.json()).then(me => me.username)") == "admin";
    sign_in(&panel, &browser);
    let prepares = Prepares::new(&panel, &browser);
    let mut failed = Vec::new();
    for (method, path) in calls(&panel).0 {
        if !is_admin() {
            browser.forgets_cookies();
            sign_in(&panel, &browser);
        }
        let Some(row) = prepares.row(&method, &path) else { continue };
        browser.go(&format!("{base}/account")).expect("the page comes");
        let came = one(&row.json());
        if !came.as_str().is_some_and(|came| came.starts_with("read 2")) {
            failed.push(format!("{method} {path}: {came}"));
        }
        if path.ends_with("/password") {
            prepares.same_password();
        }
        prepares.mends();
    }
    assert!(failed.is_empty(), "{failed:#?}");
    Ok(())
}
