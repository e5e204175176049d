//! People come in by a link that is good once, sign in and out by forms without a script, and nothing answers before there is an admin.

use crate::rig::{Done, PASSWORD, Page, Panel, Running, Scratch, cases, curl, set_up, setup_link};

cases![
    together:
    hostile_15_nothing_answers_before_the_link_is_used_and_the_link_is_good_once,
    somebody_signs_in_and_out_by_forms,
    who_was_answered_as_made_is_there_after_the_power_went;
];

const HTML: [&str; 4] = ["-H", "Accept: text/html", "-H", "Sec-Fetch-Site: same-origin"];

fn browser(panel: &Panel, path: &str, more: &[&str]) -> Page {
    curl(panel.s, &[&["-k"], &HTML[..], more, &[&panel.url(path)]].concat())
}

fn root(s: &Scratch) -> String {
    s.dir.join("state/ca/root.pem").display().to_string()
}

fn form(fields: &[(&str, &str)]) -> Vec<String> {
    fields.iter().flat_map(|(name, value)| ["--data-urlencode".to_owned(), format!("{name}={value}")]).collect()
}

fn post(panel: &Panel, path: &str, fields: &[(&str, &str)], more: &[&str]) -> Page {
    let form = form(fields);
    let form: Vec<&str> = form.iter().map(String::as_str).collect();
    browser(panel, path, &[&form[..], more].concat())
}

fn hostile_15_nothing_answers_before_the_link_is_used_and_the_link_is_good_once(s: &Scratch) -> Done {
    let panel = Panel::new(s, "", &[]);
    let running: &Running = panel.running();
    for path in ["/", "/login", "/password", "/api/v1/info", "/api/v1/openapi.json", "/api/v1/nothing", "/nothing"] {
        let page = browser(&panel, path, &[]);
        assert!(page.status == 403 && page.body.contains("setup-link"), "{path}: {page:?}");
    }
    for path in ["/health", "/trust", "/trust/hearth-ca.crt", "/docs", "/docs/errors"] {
        assert_eq!(browser(&panel, path, &[]).status, 200, "{path}");
    }
    let wrong = post(
        &panel,
        "/setup",
        &[("token", "AAAA"), ("username", "eve"), ("password", PASSWORD), ("again", PASSWORD)],
        &[],
    );
    assert!(wrong.status == 403 && wrong.body.contains("setup-link"), "{wrong:?}");
    let link = setup_link(running);
    set_up(s, running, &root(s));
    let token = link.split("token=").nth(1).expect("a token");
    let again = post(
        &panel,
        "/setup",
        &[("token", token), ("username", "eve"), ("password", PASSWORD), ("again", PASSWORD)],
        &[],
    );
    assert_eq!(again.status, 403, "{again:?}");
    Ok(())
}

fn somebody_signs_in_and_out_by_forms(s: &Scratch) -> Done {
    let panel = Panel::new(s, "", &[]);
    set_up(s, panel.running(), &root(s));
    let page = browser(&panel, "/password", &[]);
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=%2Fpassword")));
    let wrong =
        post(&panel, "/login", &[("username", "admin"), ("password", "never that one"), ("next", "/password")], &[]);
    assert!(
        wrong.status == 401 && wrong.body.contains("value=\"admin\"") && !wrong.body.contains("never that one"),
        "{wrong:?}"
    );
    let elsewhere =
        post(&panel, "/login", &[("username", "admin"), ("password", PASSWORD), ("next", "//evil.example")], &[]);
    assert_eq!((elsewhere.status, elsewhere.header("location")), (303, Some("/")), "nobody is sent elsewhere");
    let page = post(&panel, "/login", &[("username", "admin"), ("password", PASSWORD), ("next", "/password")], &[]);
    assert_eq!((page.status, page.header("location")), (303, Some("/password")));
    let cookie = page.header("set-cookie").expect("a session").to_owned();
    for word in ["__Host-hearth=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let session = format!("Cookie: {}", cookie.split(';').next().unwrap_or_default());
    let session = ["-H", session.as_str()];
    assert!(browser(&panel, "/", &session).body.contains("My services"));
    let changed = post(&panel, "/password", &[("old", PASSWORD), ("password", "short"), ("again", "short")], &session);
    assert_eq!(changed.status, 422, "{changed:?}");
    let page = post(&panel, "/logout", &[], &[&session[..], &["-X", "POST"]].concat());
    assert_eq!((page.status, page.header("location")), (303, Some("/signed-out")));
    assert_eq!(browser(&panel, "/password", &session).status, 303, "the session is gone, not only the cookie");
    Ok(())
}

fn who_was_answered_as_made_is_there_after_the_power_went(s: &Scratch) -> Done {
    let mut panel = Panel::with_people(s, "", &[]);
    let token = panel.token("admin").to_owned();
    let made = serde_json::json!({"username": "late", "password": PASSWORD, "role": "viewer"});
    panel.call("admin", "POST", "/api/v1/users", Some(&made)).is(201);
    panel.kill();
    panel.start();
    panel.sign_in("late");
    assert_eq!(panel.ask("GET", "/api/v1/auth/me", Some(&token), None).is(200).text("username"), "admin");
    panel.call("late", "POST", "/api/v1/auth/logout", None).is(204);
    panel.kill();
    panel.start();
    assert_eq!(panel.call("late", "GET", "/api/v1/auth/me", None).status, 401, "what was ended stays so");
    panel.stop().exits(0);
    Ok(())
}
