//! People are looked after in a browser: an admin invites somebody, who joins in another one, is put into a group, and is out within a second of being made inactive.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, cases, until};

cases![alone: somebody_is_invited_joins_is_put_into_a_group_and_is_out_at_once, ones_own_account_is_looked_after_without_scripts, hostile_22_names_of_people_and_their_devices_are_text,];

#[track_caller]
fn at(panel: &Panel, browser: &Browser, path: &str) {
    browser.go(&panel.url(path)).expect("the page comes");
}

fn somebody_is_invited_joins_is_put_into_a_group_and_is_out_at_once(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "auth: { registration: invite }\n", &[]);
    let admin = panel.window()?;
    let grace = panel.window()?;
    panel.enter(&admin, "admin", PASSWORD);
    admin.until_text("About");
    at(&panel, &admin, "/invitations");
    admin.fill("#note", "For Grace");
    admin.click("form[action='/invitations'] button.main");
    admin.until_text("shown now and never again");
    let link = admin.run("return document.getElementById('made').textContent");
    let link = link.as_str().expect("a link").to_owned();
    assert!(link.starts_with(&panel.url("/invitation?token=")), "{link}");
    assert!(!admin.address().contains("token"), "it stands in no address: {}", admin.address());
    admin.is_readable("invitation-made");
    at(&panel, &admin, "/invitations");
    assert!(!admin.source().contains(link.split("token=").nth(1).expect("a token")), "it is shown once");
    assert!(admin.text().contains("For Grace"), "{}", admin.text());

    grace.go(&link).expect("the page comes");
    grace.fill("#username", "grace");
    grace.fill("#password", "four words that fit");
    grace.fill("#again", "four words that fit");
    grace.click("button.main");
    grace.until_text("My services");

    at(&panel, &admin, "/groups");
    admin.fill("#name", "family");
    admin.click("form[action='/groups'] button.main");
    admin.until_text("Who is in it");
    admin.fill("#username", "grace");
    admin.click("form.line button");
    admin.until_text("Take out");
    admin.is_readable("group");
    at(&panel, &admin, "/people?q=grac");
    admin.is_readable("people-found");
    admin.click("ul.rows a.name");
    admin.until_text("How they sign in");
    assert_eq!(admin.run("return document.querySelector('[name=\"group.family\"]').checked"), true);
    admin.is_readable("person");
    admin.click("[name=is_active]");
    admin.click("form.in button.main");
    let began = Instant::now();
    let is_out = || {
        grace.run("return fetch('/api/v1/auth/me', {headers: {accept: 'application/json'}}).then((a) => a.status)")
            == 401
    };
    assert!(until(Duration::from_secs(5), is_out) && began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    admin.until_text("Not active");

    // The last admin is told before anybody tries.
    at(&panel, &admin, "/people/1");
    admin.until_text("is the last active admin");
    assert_eq!(admin.run("return document.querySelector('#role')"), Value::Null);
    // Removing asks for the name.
    let id = panel.call("admin", "GET", "/api/v1/users?search=grace", None).is(200).body["items"][0]["id"].clone();
    at(&panel, &admin, &format!("/people/{id}"));
    admin.fill("#name", "grac");
    admin.click(".away button");
    admin.until_text("Nothing was removed");
    admin.fill("#name", "grace");
    admin.click(".away button");
    admin.until_text("Add somebody");
    assert_eq!(panel.call("admin", "GET", &format!("/api/v1/users/{id}"), None).status, 404);
    // In the audit it stands under the names of the calls.
    let acts = panel.call("admin", "GET", "/api/v1/audit?action=users.*&limit=50", None).is(200).body.to_string();
    assert!(acts.contains("users.change") && acts.contains("users.remove"), "{acts}");
    let log = s.hearth_args(&["audit", "--json"]).ok().out;
    assert!(!log.contains(link.split("token=").nth(1).expect("a token")), "no secret is in the audit");
    Ok(())
}

fn ones_own_account_is_looked_after_without_scripts(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "", &[]);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "operator", PASSWORD);
    browser.until_text("About");
    at(&panel, &browser, "/account");
    browser.fill("#display_name", "Ada L.");
    browser.click("form.in button.main");
    assert_eq!(panel.call("operator", "GET", "/api/v1/auth/me", None).text("display_name"), "Ada L.");
    browser.fill("#token-name", "cron");
    browser.click("[name='scope.operate']");
    browser.click("form:has(#token-name) button");
    browser.until_text("shown now and never again");
    let page = browser.source();
    let token = page.split("id=\"made\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a token").to_owned();
    assert_eq!(panel.ask("GET", "/api/v1/auth/me", Some(&token), None).is(200).text("username"), "operator");
    at(&panel, &browser, "/account");
    assert!(!browser.source().contains(&token) && browser.text().contains("cron"), "it is shown once");
    browser.is_readable("account");
    browser.click("button[aria-label='End: cron']");
    assert_eq!(panel.ask("GET", "/api/v1/auth/me", Some(&token), None).status, 401);
    // Where somebody is signed in: this one is marked, the program's login is another.
    assert!(browser.text().contains("This one"), "{}", browser.text());
    browser.click("button[value='end-sessions']");
    assert_eq!(panel.call("operator", "GET", "/api/v1/auth/me", None).status, 401, "the other is ended");
    at(&panel, &browser, "/password");
    browser.fill("#old", PASSWORD);
    browser.fill("#password", "four other words now");
    browser.fill("#again", "four other words now");
    browser.click("main button.main");
    browser.until_text("This browser stays signed in");
    at(&panel, &browser, "/audit");
    browser.until_text("changed their password");
    browser.is_readable("audit-own");
    for path in ["/people", "/settings", "/groups"] {
        at(&panel, &browser, path);
        assert_eq!(browser.status(), 403, "{path}");
    }
    Ok(())
}

const HOSTILE: &str = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>";

fn hostile_22_names_of_people_and_their_devices_are_text(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "auth: { registration: invite }\n", &[]);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    browser.until_text("About");
    let body = json!({"username": "eve", "display_name": HOSTILE, "role": "operator", "password": PASSWORD});
    let id = panel.call("admin", "POST", "/api/v1/users", Some(&body)).is(201).body["id"].clone();
    panel.call("admin", "POST", "/api/v1/groups", Some(&json!({"name": "odd", "about": HOSTILE}))).is(201);
    panel.call("admin", "POST", "/api/v1/invitations", Some(&json!({"role": "viewer", "note": HOSTILE}))).is(201);
    let agent = format!("User-Agent: {HOSTILE}");
    let login = json!({"username": "eve", "password": PASSWORD});
    let eve = panel.ask_with("POST", "/api/v1/auth/login", None, Some(&login), &[&agent]).is(200);
    let token = json!({"name": HOSTILE, "scopes": ["read"]});
    panel.ask("POST", "/api/v1/tokens", eve.body["access_token"].as_str(), Some(&token)).is(201);
    let quoted = "/audit?search=%3Cscript%3Ewindow.hacked=3%3C/script%3E";
    for path in [
        "/people",
        &format!("/people/{id}"),
        "/groups",
        "/groups/odd",
        "/invitations",
        "/audit",
        quoted,
        "/people?q=%3Cimg%20src=x%20onerror=window.hacked=4%3E",
    ] {
        at(&panel, &browser, path);
        assert_eq!(browser.run("return window.hacked"), Value::Null, "{path}");
        assert_eq!(browser.run("return document.querySelector('main img, main script')"), Value::Null, "{path}");
    }
    at(&panel, &browser, &format!("/people/{id}"));
    assert!(browser.text().contains("<script>window.hacked = 1</script>"), "{}", browser.text());
    assert_eq!(browser.complaints(), [""; 0]);
    Ok(())
}
