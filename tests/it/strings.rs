//! Every string that a container, a label, a log line, a file's name or a person can bring, on every page that links lead to, in a real Chromium: it is read as
//! text, nothing of it acts, and the pages' policy has nothing to report.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use hearth::auth::table::Sort;
use hearth::auth::who::Who;
use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, cases, until};

cases![
    alone:
    hostile_22_every_string_of_a_home_is_text_on_every_page,
    hostile_14_hostile_21_whoever_is_no_admin_defines_nothing_by_any_page,
];

/// Where a string comes from. Each says its own name when it acts, and is looked for by it.
const SOURCES: [&str; 23] = [
    "about",
    "bind",
    "broken",
    "command",
    "display",
    "environment",
    "exec",
    "file",
    "found",
    "found-service",
    "group",
    "health",
    "log",
    "message",
    "network-alias",
    "note",
    "path",
    "planned",
    "query",
    "secret-file",
    "stack-text",
    "title",
    "token",
];

/// A string that acts where it is taken for markup: in text, in an attribute of each kind of quotes, in a script, in a comment, in a text field.
fn evil(source: &str) -> String {
    format!(
        "'\"--></title></textarea></script><script>hacked('{source}')</script><img src=x onerror=\"hacked('{source}')\">{{{{7*7}}}}"
    )
}

/// The same in no more than a hundred characters.
fn short(source: &str) -> String {
    format!("'\"--></title><script>hacked('{source}')</script><img src=x onerror=\"hacked('{source}')\">")
}

/// The same of what a file's name, or the name of a variable, can hold.
fn name(source: &str) -> String {
    format!("'\"--><img onerror=\"hacked('{source}')\" src=x>")
}

fn variable(source: &str) -> String {
    format!("\"><script>hacked('{source}')<script>")
}

fn stack(s: &Scratch, label: &str) -> String {
    let text = |text: String| json!(text.replace('$', "$$")).to_string();
    format!(
        "x-hearth: {{ title: {title}, about: {about} }}\n# {comment}\nservices:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    stop_grace_period: 0s\n    container_name: {project}-web\n    \
         labels: {{ {label_name}: {label} }}\n    environment: {{ {environment}: '1' }}\n    \
         command: {command}\n    healthcheck: {{ test: [CMD, echo, {health}], interval: 1s }}\n    \
         volumes: [{{ type: bind, source: {bind}, target: /data, bind: {{ create_host_path: true }} }}]\n    networks: {{ default: {{ aliases: [{alias}] }} }}\n    secrets: [key]\n  \
         failed: {{ image: 'hearth-test/busybox:1', profiles: [failed], container_name: {project}-failed, command: [{exec}] }}\n\
         secrets: {{ key: {{ file: {secret} }} }}\n",
        project = s.project,
        title = text(evil("title")),
        about = text(evil("about")),
        comment = evil("stack-text"),
        label_name = text(evil("label")),
        label = text(evil(label)),
        environment = text(variable("environment")),
        command = json!(["sh", "-c", "echo \"$$0\"; while true; do sleep 1; done", evil("command") + &evil("log"),]),
        health = text(evil("health")),
        bind = text(format!("./data/{}", name("bind"))),
        alias = text(evil("network-alias")),
        exec = text(format!("/{}", name("exec"))),
        secret = text(format!("./secrets/{}", name("secret-file"))),
    )
}

/// A page that was looked at: what can be read of it, and where it leads.
struct Seen {
    text: String,
    links: Vec<String>,
}

/// Goes to a page and asserts that nothing on it has acted.
#[track_caller]
fn look(panel: &Panel, browser: &Browser, path: &str) -> Seen {
    browser.go(&panel.url(path)).expect("the page comes");
    // What is asked for once the page is there.
    std::thread::sleep(Duration::from_millis(250));
    let found = browser.run(LOOK);
    assert_eq!(found["hacked"], json!([]), "{path}");
    assert_eq!(found["reports"], json!([]), "{path}: what its policy forbids");
    assert_eq!(found["made"], json!([]), "{path}: elements that no page of ours has");
    browser.is_quiet();
    let links = found["links"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    Seen { text: found["text"].as_str().unwrap_or_default().to_owned(), links }
}

const WATCH: &str = "window.acted = []; window.hacked = (source) => window.acted.push(source); window.reports = []; \
    document.addEventListener('securitypolicyviolation', (event) => window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));";

const LOOK: &str = "
const fields = [...document.querySelectorAll('input, textarea')].map((one) => one.value);
const links = [...document.querySelectorAll('a[href]')].filter((one) => one.origin === location.origin && !one.hasAttribute('download')).map((one) => one.pathname + one.search);
const made = [...document.querySelectorAll('img, script:not([src]), iframe, object, embed, base, [onerror], [onload], [style*=url]')].map((one) => one.outerHTML);
return { hacked: window.acted, reports: window.reports, made, links, text: [document.title, document.documentElement.textContent, ...fields].join('\\n') };";

/// What is not looked at by itself: what ends the session, what is saved as a file, and what is written in the program.
fn is_page(path: &str) -> bool {
    let not = ["/logout", "/static/", "/api/", "/docs", "/trust/", "/login", "/signed-out", "/welcome"];
    path != "/audit/export" && !path.contains("/log/file") && !not.iter().any(|one| path.starts_with(one))
}

/// Of pages whose address begins with the same word so many are as good as all.
const OF_A_KIND: usize = 12;

fn hostile_22_every_string_of_a_home_is_text_on_every_page(s: &Scratch) -> Done {
    let config = format!("networks: {}\nauth: {{ registration: invite }}\n", s.range());
    std::fs::create_dir_all(s.dir.join("secrets")).expect("a folder can be made");
    std::fs::write(s.dir.join("secrets").join(name("secret-file")), "x").expect("a file can be written");
    let panel = Panel::on_docker(s, &config, &[("app", &stack(s, "label"))]);
    panel.up(&["web"]);
    let put = |text: String, message: String| {
        let save = json!({ "text": text, "message": message });
        panel.ask_with("PUT", "/api/v1/stacks/app", Some(panel.token("admin")), Some(&save), &["If-Match: *"]).is(200);
    };
    // Its program cannot be found, which the engine says with its name.
    let begun = panel.call("admin", "POST", "/api/v1/up", Some(&json!({ "names": ["failed"] }))).is(202);
    let work = begun.body["work"]["id"].as_str().expect("it has an id").to_owned();
    let ended = || panel.call("admin", "GET", &format!("/api/v1/works/{work}"), None).text("state") != "running";
    assert!(until(Duration::from_secs(60), ended));
    put(stack(s, "planned"), evil("message"));
    let plan = panel.call("admin", "POST", "/api/v1/plans", Some(&json!({})));
    let plan = plan.body["id"].as_str().unwrap_or_else(|| panic!("a plan has an id: {}", plan.page.body)).to_owned();
    // A project of somebody else, which nobody has looked after yet.
    let found = evil("found");
    let label = |key: &str, value: &str| format!("com.docker.compose.{key}={value}");
    let labels = [
        label("project", &found),
        label("service", &evil("found-service")),
        label("project.config_files", &evil("found-file")),
        label("project.working_dir", &format!("/{}", evil("found-dir"))),
    ];
    let named = format!("{}-theirs", s.project);
    let mut args = vec!["run", "-d", "--name", &named, "--network", "none"];
    labels.iter().for_each(|label| args.extend(["--label", label]));
    args.extend(["hearth-test/busybox:1", "sh", "-c", "while true; do sleep 1; done"]);
    s.docker_args(&args).ok();
    s.write(&format!("stacks/{}.yaml", name("file")), "services: {}\n");
    s.write("stacks/broken.yaml", &format!("{}: 1\n", json!(evil("broken"))));
    people(&panel);

    let browser = panel.window()?;
    browser.in_each_page(WATCH);
    panel.enter(&browser, "admin", PASSWORD);
    let part = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let first = [
        "/".to_owned(),
        "/services/web".into(),
        "/services/failed".into(),
        "/stacks/app".into(),
        "/stacks/broken".into(),
        "/stacks/app/history".into(),
        format!("/plans/{plan}"),
        format!("/works/{work}"),
        format!("/found/{}", part(&found)),
        format!("/search?q={}", part(&evil("query"))),
        format!("/services/{}", part(&evil("path"))),
        format!("/services/web?project={}&container={}", part(&evil("query")), part(&evil("query"))),
        format!("/stacks/{}", part(&evil("path"))),
        format!("/stacks/app?saved={}", part(&evil("query"))),
        format!("/profiles/{}", part(&evil("path"))),
        format!("/settings/{}", part(&evil("path"))),
        format!("/people?q={}", part(&evil("query"))),
        format!("/audit?search={}", part(&evil("query"))),
        format!("/variables?done={}", part(&evil("query"))),
        format!("/groups/{}", part(&evil("path"))),
        format!("/history/{}", part(&evil("path"))),
        format!("/{}", part(&evil("path"))),
    ];
    // What the engine says of its health comes with the next look.
    let health = || panel.call("admin", "GET", "/services/web", None).page.body.contains("hacked(&#39;health&#39;)");
    until(Duration::from_secs(15), health);
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let mut looked: BTreeSet<String> = first.iter().cloned().collect();
    let mut left: VecDeque<String> = first.into();
    while let Some(path) = left.pop_front() {
        let page = look(&panel, &browser, &path);
        seen.extend(SOURCES.into_iter().filter(|source| page.text.contains(&format!("hacked('{source}')"))));
        for link in page.links.into_iter().filter(|link| is_page(link)) {
            let kind = link.split(['/', '?']).nth(1).unwrap_or_default().to_owned();
            let count = kinds.entry(kind).or_default();
            if *count < OF_A_KIND && looked.insert(link.clone()) {
                *count += 1;
                left.push_back(link);
            }
        }
    }
    assert!(looked.len() > 80, "only {looked:?}");
    let missing: Vec<_> = SOURCES.into_iter().filter(|source| !seen.contains(source)).collect();
    assert!(missing.is_empty(), "on no page: {missing:?}\n{looked:#?}");

    // Before anybody has signed in.
    browser.forgets_cookies();
    for path in ["/login?next=", "/register?code=", "/invitation?token=", "/go?to=", "/signed-out?", "/logout?"] {
        look(&panel, &browser, &format!("{path}{}", part(&evil("query"))));
    }
    s.docker_args(&["rm", "-f", &named]).ok();
    Ok(())
}

/// Somebody whose every word is hostile.
fn people(panel: &Panel) {
    let body = json!({"username": "eve", "display_name": short("display"), "role": "operator", "password": PASSWORD});
    panel.call("admin", "POST", "/api/v1/users", Some(&body)).is(201);
    panel.call("admin", "POST", "/api/v1/groups", Some(&json!({"name": "odd", "about": short("group")}))).is(201);
    panel.call("admin", "POST", "/api/v1/invitations", Some(&json!({"role": "viewer", "note": short("note")}))).is(201);
    let login = json!({"username": "admin", "password": PASSWORD});
    // Of this a page shows what a program can be called, and no other signs.
    let agent = format!("User-Agent: {}", evil("agent"));
    panel.ask_with("POST", "/api/v1/auth/login", None, Some(&login), &[&agent]).is(200);
    let token = json!({"name": short("token"), "scopes": ["read"]});
    panel.call("admin", "POST", "/api/v1/tokens", Some(&token)).is(201);
}

/// What lets a container take the machine, or a person take the home.
const POWER: &str =
    "services: { web: { image: 'hearth-test/busybox:1', privileged: true, pid: host, volumes: ['/:/host'] } }";

fn hostile_14_hostile_21_whoever_is_no_admin_defines_nothing_by_any_page(s: &Scratch) -> Done {
    let config = format!("networks: {}\n", s.range());
    let text = "services: { web: { image: 'hearth-test/busybox:1', profiles: [web], command: ['true'] } }\n";
    let panel = Panel::on_docker(s, &config, &[("app", text)]);
    let table = hearth::routes::table();
    let mut of_admins: Vec<_> = table.entries().filter(|row| row.sort == Sort::Page && row.who == Who::Admin).collect();
    of_admins.sort_by_key(|row| row.changes());
    assert!(of_admins.iter().filter(|row| row.changes()).count() > 20, "the pages of admins");
    let files = || {
        let read = |path: &str| std::fs::read_to_string(s.dir.join(path)).unwrap_or_default();
        ["hearth.yaml", ".env", "stacks/app.yaml", "compose.yaml"].map(read)
    };
    let before = files();
    let browser = panel.window()?;
    for who in ["operator", "member", "viewer"] {
        panel.enter(&browser, who, PASSWORD);
        browser.go(&panel.url("/about")).expect("the page comes");
        for row in &of_admins {
            let path = row.path.replace("{name}", "app").replace("{id}", "1").replace("{key}", "mode");
            let body =
                format!("text={}&name=app2&action=save&value=domain", POWER.replace(' ', "+").replace('&', "%26"));
            let script = format!(
                "return (await fetch({path:?}, {{ method: '{}', redirect: 'manual', headers: {{ Accept: 'text/html' }}{} }})).status",
                row.method,
                if row.changes() { format!(", body: new URLSearchParams({body:?})") } else { String::new() },
            );
            assert_eq!(browser.run(&script), 403, "{} {path} as {who}", row.method);
        }
        // And nothing leads there.
        for page in ["/", "/services/web", "/stacks", "/profiles/web"] {
            browser.go(&panel.url(page)).expect("a page comes");
            let forms =
                browser.run("return [...document.querySelectorAll('form, [formaction]')].map((one) => new URL(one.formAction ?? one.action).pathname)");
            let forms: Vec<String> = serde_json::from_value(forms).expect("addresses");
            let led = forms
                .iter()
                .find(|form| of_admins.iter().any(|row| row.changes() && row.path.replace("{name}", "web") == **form));
            assert_eq!(led, None, "{page} as {who}");
        }
        browser.forgets_cookies();
    }
    assert_eq!(files(), before);
    // It is the role that they are refused for: the same from an admin's page is not.
    panel.enter(&browser, "admin", PASSWORD);
    browser.go(&panel.url("/about")).expect("the page comes");
    for asks in
        ["'/stacks/app'", "'/groups', { method: 'POST', redirect: 'manual', body: new URLSearchParams('name=odd') }"]
    {
        assert_ne!(browser.run(&format!("return (await fetch({asks})).status")), 403, "{asks}");
    }
    assert!(panel.call("admin", "GET", "/api/v1/groups", None).page.body.contains("\"odd\""), "the form does it");
    Ok(())
}
