//! Every call of the panel that changes something, each with a body and headers with which it succeeds: what a stranger's page sends must fail by whose
//! page it is, and by nothing else.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use hearth::auth::table::Sort;
use serde_json::{Value, json};

use crate::other_ways_in::code_of;
use crate::rig::{Browser, PASSWORD, Panel, until};

/// A profile that is brought up, so that there is something to enter and to watch, and one that is not.
pub const STACK: &str = "services:\n  web: { image: any/web:1, profiles: [media], ports: ['127.0.0.1:18080:80'] }\n  tool: { image: any/tool:1, profiles: [tools], x-hearth: { route: { host: tool, port: 80 } } }\n";
const OTHER: &str = "services:\n  page: { image: any/page:1 }\n";
pub const NEW_PASSWORD: &str = "mallory was here and stayed";

/// What cannot be made to succeed here, and why.
pub const LEFT_OUT: [(&str, &str); 12] = [
    ("POST /api/v1/setup", "there is an admin already: tried before there is one"),
    ("POST /api/v1/auth/passkeys", "a device signs for our own page only: `other_ways_in.rs`"),
    ("POST /api/v1/auth/passkeys/login", "a device signs for our own page only: `other_ways_in.rs`"),
    ("POST /api/v1/auth/oidc/link", "the home has no provider: `other_ways_in.rs`"),
    ("DELETE /api/v1/auth/oidc/link", "the home has no provider: `other_ways_in.rs`"),
    ("DELETE /api/v1/users/{id}/oidc", "the home has no provider: `other_ways_in.rs`"),
    ("POST /account/provider", "the home has no provider: `other_ways_in.rs`"),
    ("POST /login/oidc/second", "the home has no provider: `other_ways_in.rs`"),
    ("POST /api/v1/certificates/new-ca", "the browser of this test trusts the root that it takes away"),
    ("POST /welcome/authority", "the browser of this test trusts the root that it takes away"),
    ("POST /login/second", "it takes the cookie of half a login, which no other site's form sends along"),
    ("POST /second-factor/confirm", "it takes the cookie of half a login, which no other site's form sends along"),
];

/// The panel's pages that change something; OpenAPI has the calls.
pub fn pages() -> Vec<&'static str> {
    let table = hearth::routes::table();
    let pages = table.entries().filter(|entry| entry.sort == Sort::Page && entry.changes());
    // Those are on the hosts of services too, and no page of the panel.
    let own = pages.filter(|entry| !entry.path.starts_with("/.well-known/"));
    own.map(|entry| entry.path).filter(|path| *path != "/setup").collect()
}

/// One way to change something.
#[derive(Debug, Clone)]
pub struct Row {
    pub method: String,
    pub path: String,
    pub body: Value,
    pub headers: Value,
    /// A form of a page, and no JSON.
    pub form: bool,
}

impl Row {
    /// As the scripts take it.
    pub fn json(&self) -> Value {
        json!([self.method, self.path, self.body, self.headers, self.form])
    }
}

/// Makes what a call needs to succeed. `keeper` is an admin besides the one in the browser: what ends that one's sessions ends none of theirs.
pub struct Prepares<'t, 's> {
    pub panel: &'t Panel<'s>,
    pub browser: &'t Browser,
    made: Cell<u32>,
    /// Recovery codes of the admin that were not given out.
    codes: RefCell<Vec<Value>>,
}

/// Lines of `hearth.yaml` for such a home; one of them is taken away once there is something to adopt.
pub fn config(dir: &std::path::Path) -> String {
    format!(
        "auth: {{registration: open}}\naudit: {{days: 300}}\nadopted: {{other: {{directory: {}, files: [c.yaml]}}}}\n",
        dir.join("other").display()
    )
}

impl<'t, 's> Prepares<'t, 's> {
    /// For a home of [`config`] in which `admin` has signed in, in the browser too.
    pub fn new(panel: &'t Panel<'s>, browser: &'t Browser) -> Prepares<'t, 's> {
        let p = Prepares { panel, browser, made: Cell::default(), codes: RefCell::default() };
        p.settled("/api/v1/up", json!({ "names": ["media"] }));
        p.settled("/api/v1/up", json!({ "project": "other" }));
        let s = panel.s;
        let text = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
        let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("adopted:")).collect();
        s.write("hearth.yaml", &format!("{}\n", kept.join("\n")));
        p
    }

    /// What is needed before the server begins.
    pub fn before(s: &crate::rig::Scratch) {
        s.write("other/c.yaml", OTHER);
    }

    #[track_caller]
    fn keeper(&self, method: &str, path: &str, body: Value) -> Value {
        let told = self.panel.call("keeper", method, path, (!body.is_null()).then_some(&body));
        assert!((200..300).contains(&told.status), "{method} {path}: {}", told.page.body);
        told.body
    }

    /// Begins a work, and waits until it and all others have ended.
    #[track_caller]
    fn settled(&self, path: &str, body: Value) {
        let work = self.keeper("POST", path, body)["work"]["id"].as_str().expect("a work").to_owned();
        self.rests();
        let ended = self.keeper("GET", &format!("/api/v1/works/{work}"), Value::Null);
        assert_eq!(ended["state"], "done", "{path}: {ended}");
    }

    #[track_caller]
    pub fn rests(&self) {
        let at_work = || self.keeper("GET", "/api/v1/works?state=running", Value::Null)["items"] != json!([]);
        assert!(until(Duration::from_secs(30), || !at_work()), "a work does not end");
    }

    /// The other project, neither adopted nor left alone.
    fn undecided(&self) -> Vec<String> {
        for decided in ["adopt", "left-alone"] {
            self.panel.call("keeper", "DELETE", &format!("/api/v1/projects/other/{decided}"), None);
        }
        vec!["other".to_owned()]
    }

    fn number(&self) -> u32 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    /// Somebody new, to be done something to: number and name.
    fn victim(&self) -> (i64, String) {
        let name = format!("victim{}", self.number());
        let new = json!({ "username": name, "password": PASSWORD, "role": "viewer" });
        (self.keeper("POST", "/api/v1/users", new)["id"].as_i64().expect("a number"), name)
    }

    /// What a program of somebody is answered at its login.
    #[track_caller]
    fn login(&self, name: &str) -> Value {
        let body = json!({ "username": name, "password": PASSWORD });
        self.panel.ask("POST", "/api/v1/auth/login", None, Some(&body)).is(200).body
    }

    /// A call of somebody, who logs in for it.
    #[track_caller]
    fn as_(&self, name: &str, method: &str, path: &str, body: Value) -> Value {
        let login = self.login(name);
        let told = self.panel.ask(method, path, login["access_token"].as_str(), (!body.is_null()).then_some(&body));
        assert!((200..300).contains(&told.status), "{method} {path}: {}", told.page.body);
        told.body
    }

    /// What a second factor that is being set up for somebody is confirmed with.
    fn begun_factor(&self, name: &str) -> Value {
        let who = json!({ "username": name, "password": PASSWORD });
        // Whoever has a passkey does it signed in.
        let login = if name == "admin" { self.login(name) } else { Value::Null };
        let begin = "/api/v1/auth/second-factor/begin";
        let begun = self.panel.ask("POST", begin, login["access_token"].as_str(), Some(&who)).is(200).body;
        let otp = code_of(begun["key"].as_str().expect("a key"));
        json!({ "username": name, "password": PASSWORD, "otp": otp })
    }

    /// Gives somebody a second factor; the recovery codes.
    fn factor(&self, name: &str) -> Vec<Value> {
        let confirm = self.begun_factor(name);
        let told = self.panel.ask("POST", "/api/v1/auth/second-factor/confirm", None, Some(&confirm)).is(200).body;
        told["recovery_codes"].as_array().expect("codes").clone()
    }

    /// A passkey of the admin's; it is made in the browser where there is none.
    fn passkey(&self) -> String {
        let first = || {
            let all = self.keeper("GET", "/api/v1/users/1/passkeys", Value::Null);
            all["items"][0]["id"].as_str().map(str::to_owned)
        };
        if first().is_none() {
            self.browser.go(&self.panel.url("/account")).expect("the page comes");
            self.browser.fill("#key-name", "key");
            self.browser.click("form[data-passkey=make] button");
            self.browser.until_text("never used");
        }
        first().expect("a passkey was made")
    }

    fn tag(&self, path: &str) -> Value {
        let seen = self.panel.call("keeper", "GET", path, None).is(200);
        json!({ "if-match": seen.page.header("etag").expect("it has a version") })
    }

    /// The row of a call, ready to succeed; `None` where it is left out.
    #[track_caller]
    pub fn row(&self, method: &str, template: &str) -> Option<Row> {
        let named = format!("{method} {template}");
        if LEFT_OUT.iter().any(|(call, _)| *call == named) {
            return None;
        }
        let form = !template.starts_with("/api/");
        let (fill, body, headers) = match template.strip_prefix("/api/v1/") {
            Some(path) => self.call(method, path),
            None => self.page(template),
        };
        let mut fill = fill.into_iter();
        let parts = template.split('/').map(|part| match part.starts_with('{') {
            true => fill.next().unwrap_or_else(|| panic!("{named}: what is {part}?")),
            false => part.to_owned(),
        });
        Some(Row { method: method.into(), path: parts.collect::<Vec<_>>().join("/"), body, headers, form })
    }

    /// What stands in the path, the body and the headers of a page's form.
    fn page(&self, path: &str) -> (Vec<String>, Value, Value) {
        let n = self.number();
        let account = |more: Value| {
            let mut account = json!({ "username": format!("mallory{n}"), "password": PASSWORD, "again": PASSWORD });
            account["token"] = more;
            account
        };
        let (fill, body) = match path {
            "/api/auth/login" | "/login" => (vec![], json!({ "username": "member", "password": PASSWORD })),
            "/second-factor" => (vec![], json!({ "username": self.victim().1, "password": PASSWORD })),
            "/register" => (vec![], account(json!(""))),
            "/invitation" => {
                let made = self.keeper("POST", "/api/v1/invitations", json!({ "role": "member" }));
                (vec![], account(made["token"].clone()))
            }
            "/password" => (vec![], json!({ "old": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD })),
            "/account/passkeys/{id}" => (vec![self.passkey()], json!({ "act": "remove" })),
            "/account/second-factor/codes" | "/account/second-factor/off" => {
                (vec![], json!({ "otp": self.recovery() }))
            }
            "/settings/{key}" => {
                let tag = self.tag("/api/v1/settings/auth.registration")["if-match"].clone();
                let form = json!({ "act": "save", "value": "open", "tag": tag });
                (vec!["auth.registration".to_owned()], form)
            }
            "/people" => (vec![], json!({ "username": format!("mallory{n}"), "role": "admin" })),
            "/people/{id}" => (vec![self.victim().0.to_string()], json!({ "act": "password" })),
            "/groups" => (vec![], json!({ "name": format!("mallory{n}") })),
            "/groups/{name}" => {
                let name = format!("group{n}");
                self.keeper("POST", "/api/v1/groups", json!({ "name": name }));
                (vec![name.clone()], json!({ "act": "remove", "name": name }))
            }
            "/invitations" => (vec![], json!({ "role": "admin", "days": 7, "uses": 1 })),
            "/invitations/{id}" => {
                let made = self.keeper("POST", "/api/v1/invitations", json!({ "role": "member" }));
                (vec![made["id"].as_str().expect("an id").to_owned()], json!({ "act": "end" }))
            }
            "/account" => (vec![], json!({ "act": "names", "display_name": "mallory", "email": "" })),
            "/theme" => (vec![], json!({ "theme": "dark", "back": "/" })),
            "/profiles/{name}/plan" | "/profiles/{name}/on" | "/profiles/{name}/off" => {
                (vec!["tools".to_owned()], json!({}))
            }
            "/storage/plan" => (vec![], json!({ "kind": "/images", "item[]": "any/none:1" })),
            "/storage/plans/{id}/apply" => (self.call("POST", "plans/{id}/apply").0, json!({})),
            "/found/{name}/adopt" | "/found/{name}/leave" => (self.undecided(), json!({})),
            "/found/{name}/undo" => (self.call("DELETE", "projects/{name}/left-alone").0, json!({})),
            "/services/{name}/route" => (
                vec![self.stack().0],
                json!({ "host": format!("mallory{n}"), "port": "1", "access": "public", "etag": "*" }),
            ),
            "/services/{name}/invite" => (vec!["tool".to_owned()], json!({ "days": 7 })),
            path if path.starts_with("/services/{name}/") => (vec!["web".to_owned()], json!({})),
            // As the calls that they stand for.
            "/plans/{id}/discard" => (self.call("DELETE", "plans/{id}").0, json!({})),
            "/stacks" => {
                let name = format!("extra{}", self.number());
                let text = format!("services:\n  {name}: {{ image: any/x:1, profiles: [{name}] }}\n");
                (vec![], json!({ "act": "save", "name": name, "text": text, "etag": "" }))
            }
            "/stacks/{name}" => {
                let (name, path) = self.stack();
                let there = self.keeper("GET", &path, Value::Null);
                let text = format!("{}# mallory\n", there["text"].as_str().unwrap_or_default());
                (vec![name], json!({ "act": "save", "text": text, "etag": "*" }))
            }
            "/stacks/{name}/delete" => {
                let name = self.stack().0;
                (vec![name.clone()], json!({ "name": name, "etag": "*" }))
            }
            "/stacks/{name}/history/{id}" => (vec![self.stack().0, "1".into()], json!({ "etag": "*" })),
            "/variables" => (vec![], json!({ "name": format!("EXTRA_{n}"), "text": "mallory" })),
            "/variables/{name}" => (vec![format!("EXTRA_{n}")], json!({ "act": "set", "text": "mallory" })),
            "/variables/secrets/{name}" => (vec![self.stack().0], json!({ "text": "mallory" })),
            "/plans/{id}/apply" => (self.call("POST", "plans/{id}/apply").0, json!({})),
            "/works/{id}/cancel" => (self.call("POST", "works/{id}/cancel").0, json!({})),
            _ => (vec![], json!({})),
        };
        (fill, body, json!({}))
    }

    /// A stack of its own with a secret of the same name, saved once, and where it is.
    fn stack(&self) -> (String, String) {
        let name = format!("extra{}", self.number());
        let text = format!(
            "services:\n  {name}: {{ image: any/x:1, profiles: [{name}], secrets: [{name}] }}\nsecrets: {{ {name}: {{ file: ./secrets/{name} }} }}\n"
        );
        let path = format!("/api/v1/stacks/{name}");
        self.keeper("PUT", &path, json!({ "text": text }));
        (name, path)
    }

    /// The same of a call below `/api/v1/`.
    fn call(&self, method: &str, path: &str) -> (Vec<String>, Value, Value) {
        let name = || format!("mallory{}", self.number());
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let admin = PASSWORD;
        let none = json!({});
        match (method, path) {
            ("POST", "auth/login") => (vec![], json!({ "username": "member", "password": PASSWORD }), none),
            ("POST", "auth/refresh") => {
                (vec![], json!({ "refresh_token": self.login("member")["refresh_token"] }), none)
            }
            ("POST", "auth/register") => (vec![], json!({ "username": name(), "password": PASSWORD }), none),
            ("PATCH", "auth/me") => (vec![], json!({ "display_name": "mallory" }), none),
            ("POST", "auth/password") => (vec![], json!({ "old_password": admin, "new_password": NEW_PASSWORD }), none),
            ("POST", "auth/second-factor/begin") => {
                (vec![], json!({ "username": self.victim().1, "password": PASSWORD }), none)
            }
            ("POST", "auth/second-factor/confirm") => (vec![], self.begun_factor(&self.victim().1), none),
            ("POST", "auth/second-factor/codes" | "auth/second-factor/off") => {
                (vec![], json!({ "otp": self.recovery() }), none)
            }
            ("POST", "auth/passkeys/begin") => (vec![], json!({ "password": PASSWORD }), none),
            ("PATCH", "auth/passkeys/{id}") => (vec![self.passkey()], json!({ "name": "mallory" }), none),
            ("DELETE", "auth/passkeys/{id}") => (vec![self.passkey()], none.clone(), none),
            ("DELETE", "users/{id}/passkeys/{key}") => (vec!["1".into(), self.passkey()], none.clone(), none),
            ("DELETE", "sessions/{id}") => {
                let login = self.own_login();
                let all = self.panel.ask("GET", "/api/v1/sessions", login["access_token"].as_str(), None).is(200).body;
                let one = all["items"].as_array().expect("sessions").iter().find(|one| one["current"] == true);
                (vec![text(&one.expect("it is one")["id"])], none.clone(), none)
            }
            ("POST", "tokens") => (vec![], json!({ "name": "mallory", "scopes": ["admin"] }), none),
            ("DELETE", "tokens/{id}") => {
                let login = self.own_login();
                let new = json!({ "name": "mine", "scopes": ["read"] });
                let made = self.panel.ask("POST", "/api/v1/tokens", login["access_token"].as_str(), Some(&new)).is(201);
                (vec![text(&made.body["id"])], none.clone(), none)
            }
            ("POST", "users") => (vec![], json!({ "username": name(), "password": PASSWORD, "role": "admin" }), none),
            ("PATCH", "users/{id}") => (vec![self.victim().0.to_string()], json!({ "role": "admin" }), none),
            ("PUT", "users/{id}/password") => {
                (vec![self.victim().0.to_string()], json!({ "password": NEW_PASSWORD }), none)
            }
            ("DELETE", "users/{id}/second-factor") => {
                let (id, name) = self.victim();
                self.factor(&name);
                (vec![id.to_string()], none.clone(), none)
            }
            ("DELETE", "users/{id}/sessions/{session}") => {
                let (id, name) = self.victim();
                self.login(&name);
                let all = self.keeper("GET", &format!("/api/v1/users/{id}/sessions"), Value::Null);
                (vec![id.to_string(), text(&all["items"][0]["id"])], none.clone(), none)
            }
            ("DELETE", "users/{id}/tokens/{token}") => {
                let (id, name) = self.victim();
                let made = self.as_(&name, "POST", "/api/v1/tokens", json!({ "name": "mine", "scopes": ["read"] }));
                (vec![id.to_string(), text(&made["id"])], none.clone(), none)
            }
            ("DELETE", "users/{id}" | "users/{id}/sessions") => (vec![self.victim().0.to_string()], none.clone(), none),
            ("POST", "groups") => (vec![], json!({ "name": name() }), none),
            ("PATCH" | "DELETE", "groups/{name}") => {
                let name = name();
                self.keeper("POST", "/api/v1/groups", json!({ "name": name }));
                let tag = self.tag(&format!("/api/v1/groups/{name}"));
                (vec![name], json!({ "members": ["member"] }), tag)
            }
            ("POST", "invitations") => (vec![], json!({ "role": "admin" }), none),
            ("DELETE", "invitations/{id}") => {
                let made = self.keeper("POST", "/api/v1/invitations", json!({ "role": "viewer" }));
                (vec![text(&made["id"])], none.clone(), none)
            }
            ("POST", "profiles/{name}/enable") => (vec!["tools".into()], none.clone(), none),
            ("POST", "profiles/{name}/disable") => (vec!["media".into()], none.clone(), none),
            ("POST", "containers/{id}/exec") => {
                let all = self.keeper("GET", "/api/v1/containers?service=web", Value::Null);
                (vec![text(&all["items"][0]["id"])], json!({ "command": ["id"] }), none)
            }
            ("POST", "up" | "down") => (vec![], json!({ "names": ["media"], "yes": true }), none),
            ("POST", "start" | "stop" | "restart" | "pull" | "update") => {
                (vec![], json!({ "services": ["web"] }), none)
            }
            ("POST", "prune") => (vec![], none.clone(), none),
            ("POST", "notifications/read") => (vec![], json!({}), none),
            ("POST", "mode") => (vec![], json!({ "mode": "localhost", "yes": true }), none),
            ("POST", "plans/{id}/apply") => {
                let made = self.keeper("POST", "/api/v1/plans", json!({ "force_recreate": true }));
                (vec![text(&made["id"])], json!({ "yes": true }), none)
            }
            ("POST", "works/{id}/cancel") => {
                let all = self.keeper("GET", "/api/v1/works", Value::Null);
                (vec![text(&all["items"][0]["id"])], none.clone(), none)
            }
            ("PUT", "projects/{name}/left-alone") => (self.undecided(), none.clone(), none),
            ("DELETE", "projects/{name}/left-alone") => {
                let name = self.undecided();
                self.keeper("PUT", "/api/v1/projects/other/left-alone", Value::Null);
                (name, none.clone(), none)
            }
            ("DELETE", "projects/{name}/adopt") => {
                self.settled("/api/v1/projects/other/adopt", json!({}));
                (vec!["other".into()], none.clone(), none)
            }
            ("POST", "projects/{name}/adopt") => (vec!["other".into()], none.clone(), none),
            ("DELETE", "plans/{id}") => {
                let made = self.keeper("POST", "/api/v1/plans", json!({ "force_recreate": true }));
                (vec![text(&made["id"])], none.clone(), none)
            }
            ("POST", "stacks/{name}/history/{id}/restore") => {
                let (name, path) = self.stack();
                (vec![name, "1".into()], none.clone(), self.tag(&path))
            }
            ("PUT" | "DELETE", "variables/{name}") => {
                let name = format!("EXTRA_{}", self.number());
                self.keeper("PUT", &format!("/api/v1/variables/{name}"), json!({ "text": "before" }));
                (vec![name], json!({ "text": "mallory" }), none)
            }
            ("PUT" | "DELETE", "services/{name}/route") => (
                vec![self.stack().0],
                json!({ "host": format!("mallory{}", self.number()), "port": 1, "access": "public" }),
                json!({ "if-match": "*" }),
            ),
            ("PUT", "secrets/{name}") => (vec![self.stack().0], json!({ "text": "mallory" }), none),
            ("POST", "stacks/{name}/validate" | "stacks/{name}/plan") => {
                (vec!["app".into()], json!({ "text": STACK }), none)
            }
            ("PUT" | "DELETE", "stacks/{name}") => {
                let name = format!("extra{}", self.number());
                let stack = format!("services:\n  {name}: {{ image: any/x:1, profiles: [{name}] }}\n");
                let path = format!("/api/v1/stacks/{name}");
                self.keeper("PUT", &path, json!({ "text": stack }));
                (vec![name], json!({ "text": format!("{stack}# mallory\n") }), self.tag(&path))
            }
            ("PUT", "settings") => {
                let text = text(&self.keeper("GET", "/api/v1/settings", Value::Null)["text"]);
                (vec![], json!({ "text": format!("{text}# mallory\n") }), self.tag("/api/v1/settings"))
            }
            ("PUT" | "DELETE", "settings/{key}") => {
                (vec!["audit".into()], json!({ "value": { "days": 1 } }), self.tag("/api/v1/settings/audit"))
            }
            (
                "POST" | "DELETE",
                "auth/logout" | "auth/passkeys/login/begin" | "sessions" | "plans" | "certificates/renew",
            ) => (vec![], none.clone(), none),
            _ => panic!("{method} {path} is a call that this test does not know: say how it succeeds"),
        }
    }

    /// A login of the admin in the browser, who may have a second factor by now.
    #[track_caller]
    fn own_login(&self) -> Value {
        self.without_factor();
        self.login("admin")
    }

    fn without_factor(&self) {
        self.codes.borrow_mut().clear();
        self.panel.call("keeper", "DELETE", "/api/v1/users/1/second-factor", None);
    }

    /// A recovery code of the admin, who has a second factor from then on.
    fn recovery(&self) -> Value {
        if self.codes.borrow().is_empty() {
            self.without_factor();
            *self.codes.borrow_mut() = self.factor("admin");
        }
        self.codes.borrow_mut().pop().expect("there are ten")
    }

    /// After a call from our own page: the admin can sign in as before, and what ran runs again.
    pub fn mends(&self) {
        self.rests();
        self.without_factor();
        let running = self.keeper("GET", "/api/v1/containers?service=web", Value::Null);
        if running["items"][0]["state"] != "running" {
            self.settled("/api/v1/up", json!({ "names": ["media"] }));
        }
    }

    /// Gives the admin the password back that they had.
    pub fn same_password(&self) {
        self.keeper("PUT", "/api/v1/users/1/password", json!({ "password": PASSWORD }));
    }
}
