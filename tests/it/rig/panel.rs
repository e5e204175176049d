//! Hearth's server with an engine that is only in memory, set up, with somebody of each role; asked as a program would, and every answer compared with
//! what OpenAPI says of it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Browser, Page, Ran, Running, Scratch, Skip, curl, free_port, until};

/// Where an engine's address would stand: the double of it.
pub const MEMORY: (&str, &str) = ("DOCKER_HOST", "memory:");

/// Good enough for everybody here.
pub const PASSWORD: &str = "unhurried lantern gravel tuba";

/// A home with its server.
pub struct Panel<'s> {
    pub s: &'s Scratch,
    pub https: u16,
    pub http: u16,
    running: Option<Running>,
    /// In the server's environment, besides what is always there.
    env: Vec<(&'static str, &'static str)>,
    /// By role, once somebody of it has signed in.
    tokens: BTreeMap<String, String>,
    api: OnceCell<Value>,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub page: Page,
    pub body: Value,
}

impl Told {
    #[track_caller]
    pub fn is(self, status: u16) -> Told {
        assert_eq!(self.status, status, "{}\n{}", self.page.head, self.page.body);
        self
    }

    /// The code of a refusal.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

impl<'s> Panel<'s> {
    /// A home with these stacks and its server, not set up yet.
    #[track_caller]
    pub fn new(s: &'s Scratch, config: &str, stacks: &[(&str, &str)]) -> Panel<'s> {
        Panel::begun(s, config, stacks, vec![MEMORY])
    }

    #[track_caller]
    fn begun(
        s: &'s Scratch,
        config: &str,
        stacks: &[(&str, &str)],
        env: Vec<(&'static str, &'static str)>,
    ) -> Panel<'s> {
        s.write("hearth.yaml", &format!("name: {}\n{config}", s.project));
        for (name, text) in stacks {
            s.write(&format!("stacks/{name}.yaml"), text);
        }
        let mut panel = Panel {
            s,
            https: free_port(),
            http: free_port(),
            running: None,
            env,
            tokens: BTreeMap::new(),
            api: OnceCell::new(),
        };
        panel.start();
        panel
    }

    #[track_caller]
    pub fn start(&mut self) {
        let (https, http) = (format!("127.0.0.1:{}", self.https), format!("127.0.0.1:{}", self.http));
        let args = ["serve", "--listen", &https, "--http", &http];
        // Longer than any test goes on.
        let running = self.s.hearth_args_start(&args, &self.env).patient(Duration::from_secs(1800));
        let up = until(Duration::from_secs(20), || self.ask("GET", "/health", None, None).status == 200);
        if !up {
            running.signal(Signal::TERM);
            panic!("it does not answer: {}", self.s.noted(running).both());
        }
        self.running = Some(running);
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub fn stop(&mut self) -> Ran {
        let running = self.running.take().expect("it runs");
        running.signal(Signal::TERM);
        self.s.noted(running)
    }

    /// As if the power went: nothing is ended in order.
    pub fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        running.signal(Signal::KILL);
        self.s.noted(running);
    }

    /// Set up by its one-time link, with `admin`, `operator`, `member` and `viewer`, each signed in.
    #[track_caller]
    pub fn with_people(s: &'s Scratch, config: &str, stacks: &[(&str, &str)]) -> Panel<'s> {
        Panel::new(s, config, stacks).peopled()
    }

    /// The same on the Docker Engine that answers here.
    #[track_caller]
    pub fn on_docker(s: &'s Scratch, config: &str, stacks: &[(&str, &str)]) -> Panel<'s> {
        Panel::begun(s, config, stacks, Vec::new()).peopled()
    }

    /// A browser of somebody who trusts the home's CA; nobody has signed in.
    pub fn window(&self) -> Result<Browser, Skip> {
        Browser::start(self.s, &[&self.s.dir.join("state/ca/root.pem")])
    }

    /// Signs somebody in by the page, as people do.
    #[track_caller]
    pub fn enter(&self, browser: &Browser, who: &str, password: &str) {
        browser.go(&self.url("/login")).expect("the page comes");
        browser.fill("#username", who);
        browser.fill("#password", password);
        browser.click("button.main");
        let arrived = "return location.protocol === 'https:' && location.pathname !== '/login' && document.readyState === 'complete'";
        let came = until(Duration::from_secs(20), || browser.run(arrived) == true);
        assert!(came, "{}", browser.text());
    }

    /// Turns these on, as a program does, and waits until all is done.
    #[track_caller]
    pub fn up(&self, names: &[&str]) {
        let begun = self.call("admin", "POST", "/api/v1/up", Some(&json!({ "names": names }))).is(202);
        let path = format!("/api/v1/works/{}", begun.body["work"]["id"].as_str().expect("it has an id"));
        let done = || self.call("admin", "GET", &path, None).text("state") == "done";
        assert!(until(Duration::from_secs(60), done), "{}", self.call("admin", "GET", &path, None).page.body);
    }

    /// The same, not set up yet.
    #[track_caller]
    pub fn new_on_docker(s: &'s Scratch, config: &str, stacks: &[(&str, &str)]) -> Panel<'s> {
        Panel::begun(s, config, stacks, Vec::new())
    }

    #[track_caller]
    fn peopled(mut self) -> Panel<'s> {
        let panel = &mut self;
        let link = setup_link(panel.running.as_ref().expect("it runs"));
        let token = link.split("token=").nth(1).expect("the link has a token");
        let body = json!({"token": token, "username": "admin", "password": PASSWORD});
        panel.ask("POST", "/api/v1/setup", None, Some(&body)).is(201);
        panel.sign_in("admin");
        for role in ["operator", "member", "viewer"] {
            let body = json!({"username": role, "password": PASSWORD, "role": role});
            panel.call("admin", "POST", "/api/v1/users", Some(&body)).is(201);
            panel.sign_in(role);
        }
        self
    }

    /// Signs somebody in; from then on `call` can be theirs.
    #[track_caller]
    pub fn sign_in(&mut self, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD});
        let told = self.ask("POST", "/api/v1/auth/login", None, Some(&body)).is(200);
        let token = told.text("access_token").to_owned();
        assert!(!token.is_empty(), "{}", told.page.body);
        self.tokens.insert(name.to_owned(), token.clone());
        token
    }

    pub fn token(&self, name: &str) -> &str {
        self.tokens.get(name).map(String::as_str).unwrap_or_else(|| panic!("{name} has not signed in"))
    }

    /// One call of somebody who has signed in; nobody's where the name is empty.
    #[track_caller]
    pub fn call(&self, who: &str, method: &str, path: &str, body: Option<&Value>) -> Told {
        let token = (!who.is_empty()).then(|| self.token(who).to_owned());
        self.ask(method, path, token.as_deref(), body)
    }

    /// One call; as every answer that curl brings, it is compared with OpenAPI.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Told {
        self.ask_with(method, path, token, body, &[])
    }

    /// As [`Panel::ask`], with more headers.
    #[track_caller]
    pub fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        headers: &[&str],
    ) -> Told {
        let mut args = vec!["-k".to_owned(), "-X".into(), method.into()];
        if let Some(token) = token {
            args.extend(["-H".into(), format!("Authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            args.extend(["-H".into(), "Content-Type: application/json".into(), "-d".into(), body.to_string()]);
        }
        headers.iter().for_each(|header| args.extend(["-H".into(), header.to_string()]));
        args.push(self.at_localhost(path));
        let page = curl(self.s, &args.iter().map(String::as_str).collect::<Vec<_>>());
        let body = serde_json::from_str(&page.body).unwrap_or(Value::Null);
        Told { status: page.status, page, body }
    }

    /// At the panel's own name, where cookies count.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", own_name(self.s), self.https)
    }

    /// At a name that other programs of the machine answer to as well: for who brings a token.
    pub fn at_localhost(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.https)
    }

    /// What the server says of itself, once it is set up.
    pub fn api(&self) -> Option<&Value> {
        if self.api.get().is_none() {
            let url = self.at_localhost("/api/v1/openapi.json");
            let page = curl(self.s, &["-k", &url]);
            if page.status == 200 {
                let _ = self.api.set(serde_json::from_str(&page.body).expect("OpenAPI is JSON"));
            }
        }
        self.api.get()
    }
}

/// The name that the panel of a home has to itself on this machine.
#[track_caller]
pub fn own_name(s: &Scratch) -> String {
    let label = std::fs::read_to_string(s.dir.join("state/auth/panel-name")).expect("a home that was served has one");
    format!("{}.panel.localhost", label.trim())
}

/// The one-time link that a server has printed.
#[track_caller]
pub fn setup_link(running: &Running) -> String {
    let found = || running.said().lines().map(str::trim).find(|line| line.contains("/setup?token=")).map(str::to_owned);
    assert!(until(Duration::from_secs(10), || found().is_some()), "it prints no link: {}", running.said());
    found().unwrap_or_default()
}

/// Makes the first admin by the form, as a browser does; gives the `Cookie:` line of the session, or nothing where a second factor comes first. `root`: the CA that the server's certificate is of.
#[track_caller]
pub fn set_up(s: &Scratch, running: &Running, root: &str) -> String {
    let link = setup_link(running);
    let (url, token) = link.split_once("?token=").expect("the link has a token");
    let password = format!("password={PASSWORD}");
    let (again, token) = (format!("again={PASSWORD}"), format!("token={token}"));
    let form = ["--data-urlencode", &token, "--data-urlencode", &password, "--data-urlencode", &again];
    let who = ["--data-urlencode", "username=admin", "-H", "Sec-Fetch-Site: same-origin", "--cacert", root];
    let page = curl(s, &[&form[..], &who, &[url]].concat());
    assert_eq!(page.status, 303, "{page:?}");
    let cookie = page.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    let asks_more = page.header("location") == Some("/second-factor");
    assert!(cookie.is_some() != asks_more, "a session, or the way to a second factor: {page:?}");
    cookie.map(|cookie| format!("Cookie: {cookie}")).unwrap_or_default()
}

impl Drop for Panel<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::TERM);
            self.s.noted(running);
        }
    }
}
