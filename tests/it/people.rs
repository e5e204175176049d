//! People come in by a link that is good once, sign in and out by forms without a script, and nothing answers before there is an admin.

use serde_json::{Value, json};

use std::time::Duration;

use crate::rig::{Done, PASSWORD, Page, Panel, Running, Scratch, cases, curl, set_up, setup_link, until};

cases![
    together:
    hostile_15_nothing_answers_before_the_link_is_used_and_the_link_is_good_once,
    somebody_signs_in_and_out_by_forms,
    whoever_makes_an_account_goes_on_to_where_they_wanted,
    all_by_which_somebody_gets_in_is_shown_and_taken_away_at_the_terminal,
    who_was_answered_as_made_is_there_after_the_power_went,
    what_hearth_yaml_says_of_people_counts_without_a_new_start;
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
    for path in ["/", "/login", "/password", "/api/v1/info", "/api/v1/nothing", "/nothing"] {
        let page = browser(&panel, path, &[]);
        assert!(page.status == 403 && page.body.contains("setup-link"), "{path}: {page:?}");
    }
    let page = browser(&panel, "/", &[]).body;
    assert!(page.contains("This home has no admin yet") && page.contains("<code>hearth serve</code>"), "{page}");
    for path in ["/setup", "/setup?token=AAAA"] {
        let page = browser(&panel, path, &[]);
        let says = page.body.contains("This link does not hold") && page.body.contains("setup-link");
        assert!(page.status == 403 && says && !page.body.contains("<form"), "{path}: {page:?}");
    }
    for path in [
        "/health",
        "/trust",
        "/trust/hearth-ca.crt",
        "/docs",
        "/api/v1/openapi.json",
        "/docs/errors",
        "/docs/guide",
        "/docs/guide/people",
    ] {
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
    let path = link.split_once("/setup").map(|(_, rest)| format!("/setup{rest}")).expect("it is a path of the panel");
    assert!(browser(&panel, &path, &[]).body.contains("name=\"username\""), "looking does not use it up");
    set_up(s, running, &root(s));
    let token = link.split("token=").nth(1).expect("a token");
    let again = post(
        &panel,
        "/setup",
        &[("token", token), ("username", "eve"), ("password", PASSWORD), ("again", PASSWORD)],
        &[],
    );
    assert_eq!(again.status, 409, "{again:?}");
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

fn whoever_makes_an_account_goes_on_to_where_they_wanted(s: &Scratch) -> Done {
    let panel = Panel::new(s, "auth: { registration: open }\n", &[]);
    set_up(s, panel.running(), &root(s));
    let login = browser(&panel, "/login?next=/password%3Fa%3Db", &[]);
    assert!(login.body.contains("href=\"/register?next=%2Fpassword%3Fa%3Db\""), "{}", login.body);
    let page = browser(&panel, "/register?next=%2Fpassword%3Fa%3Db", &[]);
    assert!(page.body.contains("name=\"next\" value=\"/password?a=b\""), "{}", page.body);
    assert!(page.body.contains("href=\"/login?next=%2Fpassword%3Fa%3Db\""), "and the way back: {}", page.body);
    let account = |name: &str, again: &str, next: &str| {
        let fields = [("username", name), ("password", PASSWORD), ("again", again), ("next", next)];
        post(&panel, "/register", &fields, &[])
    };
    let wrong = account("ann", "another one", "/password");
    assert!(wrong.status == 422 && wrong.body.contains("name=\"next\" value=\"/password\""), "{wrong:?}");
    for (name, next, to) in
        [("ann", "/password?a=b", "/password?a=b"), ("ben", "//evil.example", "/"), ("cleo", "", "/")]
    {
        let made = account(name, PASSWORD, next);
        assert_eq!((made.status, made.header("location")), (303, Some(to)), "{made:?}");
    }
    Ok(())
}

/// What only a device or a provider makes, for the account 3.
fn ways_in_of_devices(s: &Scratch) {
    let made = || -> Result<(), Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            use sqlx::{Connection, Executor};
            let path = format!("sqlite://{}", s.dir.join("state/hearth.db").display());
            let mut db = sqlx::SqliteConnection::connect(&path).await?;
            db.execute(
                "INSERT INTO passkeys (credential, id, person, handle, name, public, made) VALUES ('c', 'key3', 3, 'h', 'phone', '{}', 1);
                 INSERT INTO provider_links (issuer, subject, person, made) VALUES ('https://id.example', 's', 3, 1);
                 INSERT INTO second_factors (person, secret, confirmed, made) VALUES (3, 'sealed-marker', 1, 1)",
            )
            .await?;
            Ok(db.close().await?)
        })
    };
    made().expect("the database can be written");
}

fn all_by_which_somebody_gets_in_is_shown_and_taken_away_at_the_terminal(s: &Scratch) -> Done {
    let mut panel = Panel::with_people(s, "auth: { registration: invite }\n", &[]);
    ways_in_of_devices(s);
    let users = |args: &[&str]| s.hearth_args(&[&["users"], args].concat());
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&users(&[&["--json"], args].concat()).ok().out).expect("it is JSON")
    };
    let shown = users(&["show", "member"]).ok();
    for words in ["member is member", "password: yes", "second factor: on", "phone", "https://id.example", "session of"]
    {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    let all = json(&["show", "member"]);
    assert_eq!((&all["second_factor"]["on"], &all["passkeys"][0]["id"]), (&json!(true), &json!("key3")), "{all}");
    assert_eq!(all["links"][0]["issuer"], "https://id.example", "{all}");
    assert!(!format!("{all}{}", shown.out).contains("marker"), "{all}");

    let login = json!({"username": "member", "password": PASSWORD});
    assert_eq!(panel.ask("POST", "/api/v1/auth/login", None, Some(&login)).status, 401, "a code is asked for");
    for verb in [
        &["second-factor", "member", "off"][..],
        &["passkeys", "member", "--remove", "key3"],
        &["provider", "member", "unlink"],
    ] {
        users(verb).ok().says("member");
        users(verb).exits(3);
    }
    let all = json(&["show", "member"]);
    assert_eq!((&all["second_factor"]["on"], &all["passkeys"], &all["links"]), (&json!(false), &json!([]), &json!([])));

    let first = panel.token("member").to_owned();
    let second = panel.sign_in("member");
    let here = |token: &str| panel.ask("GET", "/api/v1/auth/me", Some(token), None).status;
    assert_eq!((here(&first), here(&second)), (200, 200));
    let sessions = json(&["sessions", "member"]);
    let one = sessions["sessions"].as_array().and_then(|all| all.first()).expect("two sessions")["id"].clone();
    users(&["sessions", "member", "--end-one", one.as_str().expect("an id")]).ok().says("1 session");
    // Another process learns of it within a second.
    let left = || {
        let mut left = [here(&first), here(&second)];
        left.sort();
        left
    };
    assert!(until(Duration::from_secs(2), || left() == [200, 401]), "{:?}: that one and no other", left());
    users(&["sessions", "member", "--end-one", one.as_str().expect("an id")]).exits(3);
    users(&["sessions", "member", "--end"]).ok();
    assert!(until(Duration::from_secs(2), || left() == [401, 401]), "{:?}", left());
    assert_eq!(json(&["sessions", "member"])["sessions"], json!([]));

    let made = json(&["invite", "--role", "viewer", "--note", "for Zoe"]);
    let token = made["link"].as_str().and_then(|link| link.split("token=").nth(1)).expect("a link").to_owned();
    let id = made["invitation"]["id"].as_str().expect("an id").to_owned();
    users(&["invitations"]).ok().says("for Zoe");
    users(&["invitations", "--end", &id]).ok().says(&id);
    users(&["invitations", "--end", &id]).exits(3);
    assert_eq!(json(&["invitations"])["invitations"], json!([]));
    let page = browser(&panel, &format!("/invitation?token={token}"), &[]);
    let says = page.body.contains("This link does not hold") && page.body.contains("href=\"/login\"");
    assert!(page.status == 403 && says && !page.body.contains("<form"), "{page:?}");
    let zoe = json!({"username": "zoe", "password": PASSWORD, "invite": token});
    assert_eq!(
        panel.ask("POST", "/api/v1/auth/register", None, Some(&zoe)).status,
        403,
        "its link opens nothing any more"
    );
    Ok(())
}

fn who_was_answered_as_made_is_there_after_the_power_went(s: &Scratch) -> Done {
    let mut panel = Panel::with_people(s, "", &[]);
    let token = panel.token("admin").to_owned();
    let made = json!({"username": "late", "password": PASSWORD, "role": "viewer"});
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

fn what_hearth_yaml_says_of_people_counts_without_a_new_start(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "auth: { registration: closed }\n", &[]);
    let invites = || panel.call("admin", "POST", "/api/v1/invitations", Some(&json!({ "role": "member" })));
    let signs_in = || {
        let body = json!({ "username": "viewer", "password": PASSWORD });
        panel.ask("POST", "/api/v1/auth/login", None, Some(&body)).status
    };
    assert_eq!((invites().status, signs_in()), (403, 200), "closed, and nobody needs a second factor");
    // By an editor, and by the API.
    s.write("hearth.yaml", &format!("name: {}\nauth: {{registration: invite}}\n", s.project));
    assert!(until(Duration::from_secs(10), || invites().status == 201), "{:?}", invites());
    let value = json!({ "value": { "registration": "closed", "second_factor": { "required": ["viewer"] } } });
    let now = panel.call("admin", "GET", "/api/v1/settings/auth", None).is(200);
    let over = format!("If-Match: {}", now.page.header("etag").expect("it has a version"));
    let token = Some(panel.token("admin"));
    panel.ask_with("PUT", "/api/v1/settings/auth", token, Some(&value), &[&over]).is(200);
    assert!(until(Duration::from_secs(10), || (invites().status, signs_in()) == (403, 403)), "{:?}", invites());
    // A file that is no YAML changes nothing.
    s.write("hearth.yaml", "name: [");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!((invites().status, signs_in()), (403, 403));
    Ok(())
}
