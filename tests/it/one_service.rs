//! One service for one person: an admin invites somebody on the service's page, they join by the link, enter that service through a real Traefik, and nothing else.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::on_the_way::{Home, until_at};
use crate::rig::{Browser, DOMAIN, Done, Door, PASSWORD, Scratch, cases, until};

cases![alone: who_is_invited_to_one_service_alone_enters_that_and_nothing_else,];

const ROUTES: [(&str, &str); 4] = [
    ("photos", "access: user, bypass: {path: /api, needs: token}"),
    ("notes", "access: user"),
    ("kids", "access: 'group:kids'"),
    ("open", "access: public"),
];

/// A call of the API by a page of the panel; its status and what it says.
fn call(browser: &Browser, method: &str, path: &str, body: &Value) -> (u64, Value) {
    let body = if body.is_null() { "undefined".to_owned() } else { format!("'{body}'") };
    let said = browser.run(&format!(
        "return fetch('{path}', {{method: '{method}', headers: {{accept: 'application/json', 'content-type': 'application/json', 'if-match': '*'}}, body: {body}}})
         .then(async (a) => [a.status, await a.text()])"
    ));
    let text = said[1].as_str().unwrap_or_default();
    (said[0].as_u64().unwrap_or_default(), serde_json::from_str(text).unwrap_or(Value::Null))
}

fn invited(home: &Home<'_>, admin: &Browser) -> String {
    admin.go(&home.url("panel", "/services/photos")).expect("the login comes");
    admin.fill("#username", "ada");
    admin.fill("#password", PASSWORD);
    admin.click("button.main");
    admin.until_text("Invite somebody to this alone");
    admin.fill("#invite-note", "For Ben");
    admin.click("#service-invite button.main");
    admin.until_text("shown now and never again");
    admin.is_readable("service-invited");
    assert_eq!(admin.complaints(), [""; 0]);
    let link = admin.run("return document.getElementById('made').textContent");
    let link = link.as_str().expect("a link").to_owned();
    admin.go(&home.url("panel", "/services/photos")).expect("the page comes");
    assert!(!admin.source().contains(link.split("token=").nth(1).expect("a token")), "it is shown once");
    admin.go(&home.url("panel", "/services/open")).expect("the page comes");
    assert!(!admin.source().contains("service-invite"), "nobody is asked there");
    link
}

fn who_is_invited_to_one_service_alone_enters_that_and_nothing_else(s: &Scratch) -> Done {
    let home = Home::of(Door::new(s, &crate::forward_auth::stack(&ROUTES))?);
    let (admin, ben) = (Browser::start(s, &[&home.root()])?, Browser::start(s, &[&home.root()])?);
    let link = invited(&home, &admin);
    ben.go(&link).expect("the page comes");
    assert!(ben.text().contains("you use photos"), "{}", ben.text());
    ben.fill("#username", "ben");
    ben.fill("#password", "four words that fit");
    ben.fill("#again", "four words that fit");
    ben.click("button.main");
    // One tile, and nothing of the machine.
    ben.until_text("My services");
    let tiles = || ben.run("return [...document.querySelectorAll('main a')].map((a) => a.href)").to_string();
    assert!(tiles().contains(&home.url("photos", "/")), "{}", tiles());
    for other in ["notes", "kids", "open"] {
        assert!(!tiles().contains(&format!("{other}.{DOMAIN}")), "{other}: {}", tiles());
    }
    ben.is_readable("tiles-of-one-service");
    ben.go(&home.url("photos", "/")).expect("the service comes");
    until_at(&ben, &home.url("photos", "/"));
    assert!(ben.text().contains("remote-user: ben"), "{}", ben.text());
    // Elsewhere they are told why not, in words.
    let refused = |host: &str| {
        ben.go(&home.url(host, "/")).expect("an answer comes");
        ben.until_text("this account is for photos alone");
        assert_eq!(ben.status(), 403, "{host}");
    };
    refused("notes");
    ben.is_readable("not-for-this-account");
    refused("kids");
    for (path, status) in [
        ("/", 200),
        ("/services", 200),
        ("/account", 200),
        ("/services/photos", 403),
        ("/routes", 403),
        ("/people", 403),
        ("/stacks", 403),
        ("/works", 403),
        ("/images", 403),
        ("/doctor", 403),
        ("/settings", 403),
        ("/search?q=notes", 403),
    ] {
        ben.go(&home.url("panel", path)).expect("an answer comes");
        assert_eq!(ben.status(), status, "{path}: {}", ben.text());
    }
    for path in ["services", "routes", "containers", "users", "history"] {
        assert_eq!(call(&ben, "GET", &format!("/api/v1/{path}"), &Value::Null).0, 403, "{path}");
    }
    by_token(&home, &ben);
    changes_count_at_once(&home, &admin, &ben);
    Ok(())
}

/// A token of theirs opens the paths of their service that take one, and of no other.
fn by_token(home: &Home<'_>, ben: &Browser) {
    let token = serde_json::json!({"name": "phone", "scopes": ["read", "route:photos", "route:notes"]});
    let (status, made) = call(ben, "POST", "/api/v1/tokens", &token);
    assert_eq!(status, 201, "{made}");
    let bearer = format!("Authorization: Bearer {}", made["token"].as_str().expect("a token"));
    let page = home.door.ask("photos", "/api/x", &["-H", &bearer]);
    assert!(page.status == 200 && page.body.contains("remote-user: ben"), "{page:?}");
    assert_eq!(home.door.ask("notes", "/api/x", &["-H", &bearer]).status, 401);
}

/// An admin ticks another service, and then opens everything: each counts within a second, and nobody signs in again.
fn changes_count_at_once(home: &Home<'_>, admin: &Browser, ben: &Browser) {
    let within_a_second = |what: &str, is: &dyn Fn() -> bool| {
        let began = Instant::now();
        assert!(until(Duration::from_secs(5), is), "{what}: {}", ben.text());
        assert!(began.elapsed() < Duration::from_secs(2), "{what}: after {:?}", began.elapsed());
    };
    let has = |host: &str, words: &str| ben.go(&home.url(host, "/")).is_ok() && ben.text().contains(words);
    admin.go(&home.url("panel", "/people?q=ben")).expect("the page comes");
    assert!(admin.text().contains("only photos"), "{}", admin.text());
    admin.click("ul.rows a.name");
    admin.until_text("How they sign in");
    admin.is_readable("person-of-one-service");
    admin.click("[name='only.photos']");
    admin.click("[name='only.notes']");
    admin.click("form.in button.main");
    admin.until_text("only notes");
    within_a_second("notes", &|| has("notes", "remote-user: ben"));
    within_a_second("photos", &|| has("photos", "this account is for notes alone"));
    // None ticked is no answer: it would open everything.
    admin.click("[name='only.notes']");
    admin.click("form.in button.main");
    admin.until_text("No service is ticked");
    admin.go(&home.url("panel", "/people?q=ben")).expect("the page comes");
    admin.click("ul.rows a.name");
    admin.until_text("How they sign in");
    admin.click("[name=reach][value=all]");
    admin.click("form.in button.main");
    let opened = || !admin.text().contains("only notes");
    assert!(until(Duration::from_secs(5), opened), "{}", admin.text());
    within_a_second("photos again", &|| has("photos", "remote-user: ben"));
    assert!(has("kids", "for the group kids"), "{}", ben.text());
}
