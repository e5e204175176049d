//! Two homes on one machine: nothing that one of them has signed, given out or let somebody in by is worth anything at the other.

use hearth::auth::forward::place;
use hearth::base::random::SystemRandom;
use hearth::traefik::forward::back::Back;
use serde_json::json;

use crate::rig::{Disk, Done, PASSWORD, Page, Panel, Scratch, cases, curl};

cases![
    together:
    hostile_16_what_one_home_gives_out_is_worth_nothing_at_another,
    hostile_33_a_full_disk_is_said_and_what_was_not_kept_was_not_done;
];

/// People may come by invitation.
const OPEN: &str = "auth: { registration: invite }\n";

/// The session that the login page gives the admin, as a line of a request.
fn signed_in(panel: &Panel<'_>) -> String {
    let (name, password) = ("username=admin", format!("password={PASSWORD}"));
    let form = ["--data-urlencode", name, "--data-urlencode", &password, "-H", "Sec-Fetch-Site: same-origin"];
    let page = curl(panel.s, &[&["-k"], &form[..], &[&panel.url("/login")]].concat());
    let cookie = page.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a session");
    format!("Cookie: {cookie}")
}

fn with_cookie(panel: &Panel<'_>, cookie: &str) -> Page {
    curl(panel.s, &["-k", "-H", cookie, "-H", "Sec-Fetch-Site: same-origin", &panel.url("/api/v1/auth/me")])
}

fn hostile_16_what_one_home_gives_out_is_worth_nothing_at_another(s: &Scratch) -> Done {
    let second = Scratch::new("the second home");
    {
        let (one, other) = (Panel::with_people(s, OPEN, &[]), Panel::with_people(&second, OPEN, &[]));
        let token = json!({ "name": "backup", "scopes": ["admin"] });
        let api = one.call("admin", "POST", "/api/v1/tokens", Some(&token)).is(201);
        let login = json!({ "username": "admin", "password": PASSWORD });
        let pair = one.ask("POST", "/api/v1/auth/login", None, Some(&login)).is(200);
        let bearers = [one.token("admin"), api.text("token"), pair.text("access_token"), pair.text("refresh_token")];
        for bearer in bearers {
            assert!(bearer.len() > 20, "{bearer:?}: {} {}", api.page.body, pair.page.body);
            for (method, path) in [("GET", "/api/v1/auth/me"), ("GET", "/api/v1/users"), ("POST", "/api/v1/up")] {
                let body = json!({});
                other.ask(method, path, Some(bearer), (method == "POST").then_some(&body)).is(401);
            }
        }
        // At home they are good, so it is the other home that refuses them.
        one.ask("GET", "/api/v1/users", Some(api.text("token")), None).is(200);
        let refresh = json!({ "refresh_token": pair.text("refresh_token") });
        other.ask("POST", "/api/v1/auth/refresh", None, Some(&refresh)).is(401);
        one.ask("POST", "/api/v1/auth/refresh", None, Some(&refresh)).is(200);
        let invitation = one.call("admin", "POST", "/api/v1/invitations", Some(&json!({ "role": "viewer" }))).is(201);
        let text = invitation.page.body.clone();
        let invite = text
            .split("token=")
            .nth(1)
            .and_then(|rest| rest.split(['"', '&']).next())
            .unwrap_or_else(|| panic!("{text}"));
        let body = json!({ "username": "eve", "password": PASSWORD, "invite": invite });
        let refused = other.ask("POST", "/api/v1/auth/register", None, Some(&body));
        assert!([401, 403, 404, 409, 422].contains(&refused.status), "{}", refused.page.body);
        let users = other.call("admin", "GET", "/api/v1/users", None).is(200).body;
        assert!(users["items"].as_array().is_some_and(|all| all.len() == 4), "{users}");
        one.ask("POST", "/api/v1/auth/register", None, Some(&body)).is(201);
        let cookie = signed_in(&one);
        assert_eq!((with_cookie(&one, &cookie).status, with_cookie(&other, &cookie).status), (200, 401));
        // What leads back to a service after the login.
        let back = Back { host: "app.example.org".into(), path: "/a".into(), state: "s".into() };
        let key = |s: &Scratch| place::keys(&s.dir, &SystemRandom).expect("a home has keys").signing.0;
        let signed = back.sign(&key(s), 1000);
        assert_eq!(Back::read(&signed, &key(s), 999), Some(back));
        assert_eq!(Back::read(&signed, &key(&second), 999), None);
        // Nor does either of them keep a key that the other has.
        let secrets = |s: &Scratch| -> Vec<String> {
            let files = ["state/gate/secret", "state/ca/intermediate.pem", "state/ca/root.pem"];
            files.iter().map(|file| std::fs::read_to_string(s.dir.join(file)).unwrap_or_default()).collect()
        };
        for (a, b) in secrets(s).iter().zip(&secrets(&second)) {
            assert!(!a.is_empty() && a != b);
        }
    }
    second.finish();
    Ok(())
}

fn hostile_33_a_full_disk_is_said_and_what_was_not_kept_was_not_done(s: &Scratch) -> Done {
    let disk = Disk::at(s, "state")?;
    let panel = Panel::with_people(s, "", &[]);
    let users = || -> usize {
        let all = panel.call("admin", "GET", "/api/v1/users?limit=200", None).is(200).body;
        all["items"].as_array().expect("a list").len()
    };
    let new = |n: usize| json!({ "username": format!("new{n}"), "password": PASSWORD, "role": "viewer" });
    disk.fill();
    // The database may have some room of its own left.
    let refused =
        (0..40).map(|n| panel.call("admin", "POST", "/api/v1/users", Some(&new(n)))).find(|told| told.status != 201);
    let refused = refused.expect("a full disk takes nothing");
    assert!([500, 503, 507].contains(&refused.status), "{}", refused.page.body);
    assert!(!refused.code().is_empty() && refused.code() != "web.bug", "{}", refused.page.body);
    assert!(!refused.body["error"]["hints"].as_array().is_none_or(Vec::is_empty), "{}", refused.page.body);
    let kept = users();
    assert!(kept >= 4, "those that were made before are there");
    let told = panel.call("admin", "POST", "/api/v1/users", Some(&new(90)));
    assert_eq!(users(), kept + usize::from(told.status == 201), "what was refused is not there");
    disk.free();
    panel.call("admin", "POST", "/api/v1/users", Some(&new(91))).is(201);
    s.hearth_args(&["audit", "verify"]).ok();
    Ok(())
}
