//! Somebody opens a service of the home, has to sign in, and comes to where they wanted: in a real Chromium, through a real Traefik, with Hearth's own server.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{
    Authenticator, Browser, DOMAIN, Done, Door, Echo, PASSWORD, Provider, Scratch, Serve, TestCa, cases, free_port,
    until,
};

cases![
    alone:
    hostile_19_a_browser_comes_to_where_it_wanted_and_nowhere_else,
    the_way_to_a_service_is_kept_by_passkeys_and_by_the_provider;
];

fn stack() -> String {
    let one = |(name, access): &(&str, &str)| {
        format!(
            "  {name}:\n{}    profiles: [web]\n    x-hearth: {{route: {{host: {name}, port: 80, access: {access}}}}}\n",
            Echo::service()
        )
    };
    let all = [("photos", "user"), ("notes", "user"), ("open", "public")];
    format!("services:\n{}", all.iter().map(one).collect::<String>())
}

/// A home whose panel runs and has an admin, `ada`.
pub struct Home<'s> {
    pub door: Door<'s>,
    _serve: Serve<'s>,
}

impl<'s> Home<'s> {
    pub fn of(door: Door<'s>) -> Home<'s> {
        door.hearth("up web").ok();
        let serve = door.serve();
        assert!(until(Duration::from_secs(20), || door.get("panel", "/health").status == 200), "{}", door.routes());
        let token = format!("token={}", serve.setup_token());
        let (password, again) = (format!("password={PASSWORD}"), format!("again={PASSWORD}"));
        let form = ["--data-urlencode", &token, "--data-urlencode", &password, "--data-urlencode", &again];
        let more = ["--data-urlencode", "username=ada", "-H", "Sec-Fetch-Site: same-origin"];
        let page = door.ask("panel", "/setup", &[&form[..], &more].concat());
        assert_eq!(page.status, 303, "{page:?}");
        let login = || door.ask("photos", "/", &["-H", "Accept: text/html"]).status == 302;
        assert!(until(Duration::from_secs(20), login), "{}", door.routes());
        Home { door, _serve: serve }
    }

    pub fn root(&self) -> PathBuf {
        self.door.s.dir.join("state/ca/root.pem")
    }

    fn origin(&self, host: &str) -> String {
        format!("https://{host}.{DOMAIN}:{}", self.door.https)
    }

    pub fn url(&self, host: &str, path: &str) -> String {
        format!("{}{path}", self.origin(host))
    }
}

fn at(browser: &Browser) -> String {
    browser.run("return location.href").as_str().unwrap_or_default().to_owned()
}

/// Waits until the browser has gone on to this address; the service's answer has what it was asked with.
#[track_caller]
pub fn until_at(browser: &Browser, url: &str) {
    let there = || at(browser) == url && browser.run("return document.readyState") == "complete";
    assert!(until(Duration::from_secs(20), there), "{} in place of {url}:\n{}", at(browser), browser.text());
}

fn fill_in(browser: &Browser, password: &str) {
    browser.fill("#username", "ada");
    browser.fill("#password", password);
    browser.click("button.main");
}

fn cookie(browser: &Browser, name: &str) -> Option<Value> {
    browser.cookies().into_iter().find(|cookie| cookie["name"] == name)
}

fn hostile_19_a_browser_comes_to_where_it_wanted_and_nowhere_else(s: &Scratch) -> Done {
    let home = Home::of(Door::new(s, &stack())?);
    let browser = Browser::start(s, &[&home.root()])?;
    let wanted = home.url("photos", "/deep/page?x=1&y=%2F@");
    browser.go(&wanted).expect("the login comes");
    let names = format!("Sign in to go on to photos.{DOMAIN}");
    browser.until_text(&names);
    browser.is_readable("login-on-the-way");
    assert_eq!(browser.complaints(), [""; 0]);
    fill_in(&browser, "not the password");
    browser.until_text("is wrong");
    assert!(browser.text().contains(&names), "{}", browser.text());
    browser.is_readable("login-on-the-way-told");
    fill_in(&browser, PASSWORD);
    until_at(&browser, &home.url("photos", "/deep/page?x=1&y=%2F%40"));
    assert!(browser.text().contains("remote-user: ada"), "{}", browser.text());

    // The cookie is one of this host alone, which no script and no application sees.
    let of_host = cookie(&browser, "__Host-hearth").expect("a session here");
    for (what, value) in [
        ("domain", json!(format!("photos.{DOMAIN}"))),
        ("path", json!("/")),
        ("secure", json!(true)),
        ("httpOnly", json!(true)),
        ("sameSite", json!("Lax")),
    ] {
        assert_eq!(of_host[what], value, "{what}: {of_host}");
    }
    assert_eq!(browser.cookies().len(), 1, "{:?}", browser.cookies());
    assert_eq!(browser.run("return document.cookie"), "");
    browser.run("document.cookie = 'mine=1; path=/'");
    browser.go(&home.url("photos", "/")).expect("the service comes");
    assert!(browser.text().contains("cookie: mine=1\n"), "{}", browser.text());
    let secret = of_host["value"].as_str().expect("it has a value").to_owned();
    assert!(!browser.text().contains(&secret) && !browser.text().contains("__Host-hearth"), "{}", browser.text());
    // Nor can an application put one there, for itself or for its neighbours.
    for more in [format!("domain={DOMAIN}; path=/; secure"), "path=/; secure".into(), "path=/deep; secure".into()] {
        browser.run(&format!("document.cookie = '__Host-hearth={}; {more}'", "A".repeat(43)));
    }
    assert_eq!(cookie(&browser, "__Host-hearth").expect("a session here")["value"], json!(secret));
    browser.go(&home.url("photos", "/deep/page")).expect("the service comes");
    assert!(browser.text().contains("remote-user: ada"), "{}", browser.text());
    // The panel has another, and a public service none, though somebody is signed in.
    browser.go(&home.url("panel", "/account")).expect("the page comes");
    assert_eq!(browser.status(), 200);
    let panels = cookie(&browser, "__Host-hearth").expect("a session at the panel");
    assert_ne!(panels["value"], json!(secret));
    assert_eq!(panels["domain"], json!(format!("panel.{DOMAIN}")));
    browser.go(&home.url("open", "/")).expect("the service comes");
    assert!(!browser.text().contains("cookie:") && !browser.text().contains("remote-user"), "{}", browser.text());
    assert_eq!(browser.cookies(), [json!(null); 0]);
    nowhere_else(&home, &browser);
    out_everywhere(&home, &browser);
    Ok(())
}

/// Whatever somebody writes into the address by which they are sent to the login, it leads to the panel or to the service's own host.
fn nowhere_else(home: &Home<'_>, browser: &Browser) {
    let forged = "MTAwMDAwMDAwMDAKeApldmlsLmV4YW1wbGUKLw.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let others = [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\u{1}//evil.example",
        "https:evil.example",
        "HTTPS:/evil.example",
        "/.//evil.example",
        "/..//evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "@evil.example",
        ".evil.example",
        "javascript:document.title='evil'",
        "data:text/html,evil",
        "/go?back=https://evil.example",
        "/go?back=//evil.example",
        &format!("/go?back={forged}"),
        &format!("/go?back={forged}&back={forged}"),
        "/login?next=//evil.example",
        "/login/oidc?next=//evil.example",
        "/signed-out?next=//evil.example",
    ];
    let panel = home.origin("panel");
    for next in others {
        for by in ["/login", "/login/oidc"] {
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            browser.go(&format!("{panel}{by}?next={next}")).expect("an answer comes");
            // Time for a page that goes on by itself.
            std::thread::sleep(Duration::from_millis(150));
            assert_eq!(browser.run("return location.origin"), *panel, "{by} {next}: {}", at(browser));
            assert_ne!(browser.run("return document.title"), "evil");
        }
    }
    // On the service's side: what is asked for there is where it leads back to, on that host.
    let photos = home.origin("photos");
    for path in [
        "//evil.example",
        "///evil.example/x",
        "/\\evil.example",
        "/%5Cevil.example",
        "/%2F%2Fevil.example",
        "/%2f/evil.example",
        "/%09/evil.example",
        "/@evil.example",
        "/.evil.example",
        "/;@evil.example",
        "/x?back=//evil.example&next=//evil.example&rd=//evil.example",
        "/?https://evil.example",
    ] {
        browser.go(&format!("{photos}/")).expect("the service comes");
        browser.forgets_cookies();
        browser.go(&format!("{photos}{path}")).expect("an answer comes");
        let back = || browser.run("return location.origin") == *photos && browser.text().contains("remote-user: ada");
        assert!(until(Duration::from_secs(20), back), "{path}: {}\n{}", at(browser), browser.text());
    }
    // What leads to the service is worth nothing in the address of another one.
    browser.go(&format!("{photos}/")).expect("the service comes");
    browser.forgets_cookies();
    let code = "/.well-known/hearth/callback?code=";
    browser.go(&format!("{}{code}{}", home.origin("notes"), "A".repeat(43))).expect("an answer comes");
    assert_eq!(browser.status(), 403, "{}", browser.text());
    browser.is_readable("code-refused");
}

/// Signed out at one service: nothing opens any more.
fn out_everywhere(home: &Home<'_>, browser: &Browser) {
    browser.go(&home.url("notes", "/")).expect("the service comes");
    browser.until_text("remote-user: ada");
    browser.go(&home.url("notes", "/.well-known/hearth/logout")).expect("the page comes");
    browser.is_readable("logout-at-a-service");
    browser.click("button");
    browser.until_text("You are signed out");
    for host in ["photos", "notes"] {
        let out = || {
            browser.go(&home.url(host, "/")).is_ok()
                && browser.text().contains(&format!("Sign in to go on to {host}.{DOMAIN}"))
        };
        assert!(until(Duration::from_secs(5), out), "{host}: {}", browser.text());
    }
}

fn the_way_to_a_service_is_kept_by_passkeys_and_by_the_provider(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("provider"));
    let port = free_port();
    let more = format!(
        "certificates: {{roots: {}}}\nauth: {{oidc: {{issuer: 'https://localhost:{port}', client_id: hearth, name: Our accounts, create: false}}}}\n",
        ca.root.display(),
    );
    let door = Door::with(s, &stack(), &more)?;
    s.append(".env", &format!("HEARTH_OIDC_SECRET={}\n", Provider::SECRET));
    let home = Home::of(door);
    let _provider = Provider::start(s, &ca, port, &home.url("panel", "/login/oidc/callback"))?;
    let browser = Browser::start(s, &[&home.root(), &ca.root])?;
    let _device = Authenticator::add(&browser);
    let sign_out = || {
        browser.go(&home.url("panel", "/account")).expect("the page comes");
        browser.click("details.menu summary");
        browser.click("form[action=\"/logout\"] button");
        browser.until_text("signed out");
    };
    browser.go(&home.url("panel", "/login")).expect("the page comes");
    assert!(!browser.text().contains("go on to"), "{}", browser.text());
    fill_in(&browser, PASSWORD);
    browser.until_text("Guide");
    browser.go(&home.url("panel", "/account")).expect("the page comes");
    browser.fill("#key-name", "This computer");
    browser.click("form[data-passkey=make] button");
    browser.until_text("never used");
    browser.click("button[value=link]");
    browser.until_text("Go on to Our accounts");
    browser.click("#onward");
    browser.until_text("Go");
    browser.fill("[name=name]", "ada");
    browser.fill("[name=password]", "provider password");
    browser.click("button");
    browser.until_text("is linked with one at Our accounts");
    sign_out();

    for (host, by) in [("photos", "[data-passkey=login]"), ("notes", "a[href^=\"/login/oidc\"]")] {
        let wanted = home.url(host, "/albums/7?from=link");
        browser.go(&wanted).expect("the login comes");
        browser.until_text(&format!("Sign in to go on to {host}.{DOMAIN}"));
        browser.is_readable(&format!("login-on-the-way-{host}"));
        browser.click(by);
        until_at(&browser, &wanted);
        assert!(browser.text().contains("remote-user: ada"), "{}", browser.text());
        sign_out();
    }
    // A way that nobody of ours signed leads to the panel.
    let evil: String = form_urlencoded::byte_serialize(b"/go?back=https://evil.example").collect();
    for by in ["[data-passkey=login]", "a[href^=\"/login/oidc\"]"] {
        browser.go(&home.url("panel", &format!("/login?next={evil}"))).expect("the page comes");
        assert!(!browser.text().contains("go on to"), "{}", browser.text());
        browser.click(by);
        browser.until_text("took too long");
        assert_eq!(browser.run("return location.origin"), home.origin("panel"));
        sign_out();
    }
    Ok(())
}
