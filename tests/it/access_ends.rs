//! What ends somebody's access ends it at every service within a second: with Hearth's own server and accounts, the home's gate and Traefik, all of them
//! real; by the API, and by a command in another process.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::forward_auth::{BROWSER, enters, set, stack};
use crate::rig::{DOMAIN, Done, Door, PASSWORD, Page, Ran, Running, Scratch, Serve, Skip, cases, until};

cases![alone:
    hostile_18_hostile_19_what_is_changed_by_the_api_is_felt_at_services_within_a_second,
    hostile_18_hostile_19_what_is_changed_at_the_terminal_is_felt_at_services_within_a_second,
    what_is_changed_while_hearth_is_stopped_counts_at_services_from_its_return_and_the_command_says_so,
];

const OTHER: &str = "a quite other lantern tuba";

/// What a command says where no `hearth serve` would pass it on.
const AWAY: &str = "no `hearth serve` runs for this home here";

/// A home with services for everybody, for a group and for admins; `ada` is its admin.
struct House<'s> {
    door: Door<'s>,
    /// Her line.
    ada: String,
    /// The number of `eve`, who is in the group.
    eve: i64,
}

impl<'s> House<'s> {
    fn new(s: &'s Scratch) -> Result<(House<'s>, Serve<'s>), Skip> {
        let routes = [("all", "access: user"), ("family", "access: 'group:family'"), ("boss", "access: admin")];
        let door = Door::new(s, &stack(&routes))?;
        door.hearth("up web").ok();
        let serve = door.serve();
        assert!(until(Duration::from_secs(20), || door.get("panel", "/health").status == 200), "{}", door.routes());
        let mut house = House { door, ada: "X-None: x".into(), eve: 0 };
        let made = json!({ "token": serve.setup_token(), "username": "ada", "password": PASSWORD });
        house.call("POST", "/api/v1/setup", &made, 201);
        let login = house.call("POST", "/api/v1/auth/login", &json!({ "username": "ada", "password": PASSWORD }), 200);
        house.ada = format!("Authorization: Bearer {}", login["access_token"].as_str().expect("a token"));
        house.call("POST", "/api/v1/groups", &json!({ "name": "family" }), 201);
        house.makes_eve();
        Ok((house, serve))
    }

    fn makes_eve(&mut self) {
        let eve = json!({ "username": "eve", "password": PASSWORD, "role": "member", "groups": ["family"] });
        self.eve = self.call("POST", "/api/v1/users", &eve, 201)["id"].as_i64().expect("a number");
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        self.call_over(method, path, body, status, "X-None: x")
    }

    #[track_caller]
    fn call_over(&self, method: &str, path: &str, body: &Value, status: u16, line: &str) -> Value {
        let body = body.to_string();
        let page = self.door.ask("panel", path, &["-X", method, "--json", &body, "-H", &self.ada, "-H", line]);
        assert_eq!(page.status, status, "{method} {path}: {page:?}");
        serde_json::from_str(&page.body).unwrap_or_default()
    }

    /// A change of what is asked for with `If-Match`.
    #[track_caller]
    fn change(&self, path: &str, body: &Value) {
        let seen = self.door.ask("panel", path, &["-H", &self.ada]);
        let tag = seen.header("etag").unwrap_or_else(|| panic!("{seen:?}")).to_owned();
        self.call_over("PATCH", path, body, 200, &format!("If-Match: {tag}"));
    }

    /// Signs somebody in at the panel, as a browser does; their cookie there.
    #[track_caller]
    fn signs_in(&self, name: &str, password: &str) -> String {
        let origin = format!("Origin: https://panel.{DOMAIN}:{}", self.door.https);
        let (name, password) = (format!("username={name}"), format!("password={password}"));
        let form = ["--data-urlencode", &name, "--data-urlencode", &password, "-d", "next=/", "-H", &origin];
        let page = self.door.ask("panel", "/login", &[&form[..], &BROWSER].concat());
        assert_eq!(page.status, 303, "{page:?}");
        set(&page, "__Host-hearth")
    }

    fn asks(&self, host: &str, cookie: &str) -> Page {
        self.door.ask(host, "/", &["-H", cookie])
    }

    /// `eve` comes in anew, does so at the services of `wanted`, and then something is done: within a second of its end each answers her with its status.
    #[track_caller]
    fn feels(&self, what: &str, password: &str, wanted: &[(&str, u16)], done: impl FnOnce()) {
        let panel = self.signs_in("eve", password);
        let cookies: Vec<String> = wanted.iter().map(|(host, _)| enters(&self.door, &panel, host)).collect();
        let there = || wanted.iter().zip(&cookies);
        for ((host, _), cookie) in there() {
            assert_eq!(self.asks(host, cookie).status, 200, "{what}: {host}");
        }
        done();
        let began = Instant::now();
        for ((host, status), cookie) in there() {
            let felt = loop {
                let asked = began.elapsed();
                let page = self.asks(host, cookie);
                if page.status == *status {
                    break asked;
                }
                assert!(asked < Duration::from_secs(1), "{what}: {host} still answers {}", page.status);
            };
            println!("{what}: {host} answers {status} after {} ms", felt.as_millis());
            // A person is led to the login, or told why not.
            let page = self.door.ask(host, "/", &[&["-H", cookie.as_str()][..], &BROWSER].concat());
            match status {
                401 => assert_eq!(page.status, 302, "{what}: {host}: {page:?}"),
                403 => assert!(page.status == 403 && page.body.contains("group"), "{what}: {host}: {page:?}"),
                _ => assert_eq!(page.status, 200, "{what}: {host}: {page:?}"),
            }
            assert!(*status == 200 || !page.body.starts_with("from "), "{what}: {host} answered: {page:?}");
        }
    }

    /// A command at a terminal, with a line on its standard input.
    #[track_caller]
    fn types(&self, args: &str, line: &str) -> Ran {
        let s = self.door.s;
        let typed = format!("printf '%s\\n' '{line}' | exec '{}' {args}", env!("CARGO_BIN_EXE_hearth"));
        let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
        let ran = Running::start(Path::new("/bin/sh"), &["-c".to_owned(), typed], &s.dir, &env);
        s.noted(ran).ok()
    }
}

fn hostile_18_hostile_19_what_is_changed_by_the_api_is_felt_at_services_within_a_second(s: &Scratch) -> Done {
    let (house, _serve) = House::new(s)?;
    let user = format!("/api/v1/users/{}", house.eve);
    let both = [("all", 401), ("family", 401)];
    house.feels("another password", PASSWORD, &both, || {
        house.call("PUT", &format!("{user}/password"), &json!({ "password": OTHER }), 204);
    });
    house.feels("another role", OTHER, &both, || house.change(&user, &json!({ "role": "viewer" })));
    house.feels("made inactive", OTHER, &both, || house.change(&user, &json!({ "is_active": false })));
    house.change(&user, &json!({ "is_active": true }));
    let out = [("family", 403), ("all", 200)];
    house.feels("out of the group", OTHER, &out, || {
        house.change("/api/v1/groups/family", &json!({ "members": [] }));
    });
    house.change(&user, &json!({ "groups": ["family"] }));
    house.feels("of no groups", OTHER, &out, || house.change(&user, &json!({ "groups": [] })));
    house.change(&user, &json!({ "groups": ["family"] }));
    house.feels("its sessions ended", OTHER, &both, || {
        house.call("DELETE", &format!("{user}/sessions"), &json!({}), 204);
    });
    house.change(&user, &json!({ "role": "admin" }));
    house.feels("no admin any more", OTHER, &[("boss", 401)], || house.change(&user, &json!({ "role": "member" })));
    house.feels("removed", OTHER, &both, || {
        house.call("DELETE", &user, &json!({}), 204);
    });
    Ok(())
}

fn hostile_18_hostile_19_what_is_changed_at_the_terminal_is_felt_at_services_within_a_second(s: &Scratch) -> Done {
    let (house, _serve) = House::new(s)?;
    let (both, out) = ([("all", 401), ("family", 401)], [("family", 403), ("all", 200)]);
    for (args, password, wanted) in [
        ("users password eve --stdin", PASSWORD, both),
        ("users set eve --role viewer", OTHER, both),
        ("users sessions eve --end", OTHER, both),
        ("users set eve --groups ''", OTHER, out),
    ] {
        house.feels(args, password, &wanted, || {
            let ran = house.types(args, OTHER);
            assert!(!ran.both().contains(AWAY), "{}", ran.both());
        });
    }
    house.types("users set eve --groups family", "");
    house.feels("users set eve --active false", OTHER, &both, || drop(house.types("users set eve --active false", "")));
    house.types("users set eve --active true", "");
    house.feels("users groups remove family --yes", OTHER, &out, || {
        drop(house.types("users groups remove family --yes", ""))
    });
    house.feels("users delete eve", OTHER, &[("all", 401)], || drop(house.types("users delete eve --yes", "")));
    Ok(())
}

fn what_is_changed_while_hearth_is_stopped_counts_at_services_from_its_return_and_the_command_says_so(
    s: &Scratch,
) -> Done {
    let (house, serve) = House::new(s)?;
    let cookie = enters(&house.door, &house.signs_in("eve", PASSWORD), "all");
    assert_eq!(house.asks("all", &cookie).status, 200);
    serve.end();
    let ran = house.types("users set eve --active false", "");
    assert!(ran.err.contains(AWAY) && ran.err.contains("services"), "{}", ran.both());
    // Who only looks, or lets somebody in, is not told of it.
    for args in ["users", "users show eve", "users groups add guests"] {
        let ran = house.types(args, "");
        assert!(!ran.both().contains(AWAY), "{args}: {}", ran.both());
    }
    assert_eq!(house.asks("all", &cookie).status, 200, "gate knows nothing of it yet");
    let _serve = house.door.serve();
    assert!(until(Duration::from_secs(20), || house.door.get("panel", "/health").status == 200));
    assert!(until(Duration::from_secs(1), || house.asks("all", &cookie).status == 401), "it is back, and eve is in");
    Ok(())
}
