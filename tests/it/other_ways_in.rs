//! Signing in otherwise than by a password, in a real Chromium: by a passkey of its virtual authenticator, and by a real provider of OpenID Connect.

use std::path::PathBuf;

use aws_lc_rs::hmac;
use hearth::base::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::rig::{
    Authenticator, Browser, Done, PASSWORD, Panel, Provider, Scratch, Skip, TestCa, cases, curl, free_port, own_name,
    set_up,
};

cases![
    alone:
    a_passkey_is_made_signs_in_and_once_removed_opens_nothing,
    the_pages_work_without_scripts_and_passkeys_are_for_one_address,
    who_must_have_a_second_factor_sets_up_an_app_in_a_browser_without_scripts,
    somebody_links_an_account_at_a_real_provider_and_signs_in_with_it,
    who_comes_from_the_provider_for_the_first_time_gets_an_account_where_the_home_says_so;
];

/// A home with its server and an admin, `admin`.
fn with_admin<'s>(s: &'s Scratch, config: &str) -> Panel<'s> {
    let panel = Panel::new(s, config, &[]);
    set_up(s, panel.running(), &root(s).display().to_string());
    panel
}

/// A call of the API by the page that the browser is at, with its cookie: status and answer.
fn call(browser: &Browser, method: &str, path: &str, body: &Value) -> (u64, Value) {
    let body = if method == "GET" { "undefined".to_owned() } else { format!("{:?}", body.to_string()) };
    let asked = browser.run(&format!(
        "return fetch('{path}', {{method: '{method}', body: {body}, headers: {{'content-type': 'application/json'}}}}) \
         .then(async a => [a.status, a.status === 204 ? null : await a.json()])"
    ));
    (asked[0].as_u64().unwrap_or_default(), asked[1].clone())
}

fn root(s: &Scratch) -> PathBuf {
    s.dir.join("state/ca/root.pem")
}

/// Signs in at the login page, with a password.
#[track_caller]
fn sign_in(panel: &Panel<'_>, browser: &Browser, name: &str) {
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.fill("#username", name);
    browser.fill("#password", PASSWORD);
    browser.click("button.main");
    browser.until_text("Guide");
}

#[track_caller]
fn sign_out(panel: &Panel<'_>, browser: &Browser) {
    browser.go(&panel.url("/account")).expect("the page comes");
    browser.click("details.menu summary");
    browser.click("form[action=\"/logout\"] button");
    browser.until_text("signed out");
}

fn a_passkey_is_made_signs_in_and_once_removed_opens_nothing(s: &Scratch) -> Done {
    let panel = with_admin(s, "");
    let browser = Browser::start(s, &[&root(s)])?;
    let device = Authenticator::add(&browser);
    sign_in(&panel, &browser, "admin");
    browser.go(&panel.url("/account")).expect("the page comes");
    browser.is_readable("account-empty");
    browser.fill("#key-name", "My <b>phone</b>");
    browser.click("form[data-passkey=make] button");
    browser.until_text("never used");
    assert_eq!(browser.complaints(), [""; 0]);
    browser.is_readable("account-one-key");
    assert_eq!(device.credentials(), 1);
    // The same device holds one key for one account.
    browser.fill("#key-name", "Again");
    browser.click("form[data-passkey=make] button");
    browser.until_text("has a passkey for this account already");
    sign_out(&panel, &browser);

    browser.go(&panel.url("/login?next=/password")).expect("the page comes");
    browser.is_readable("login-passkey");
    browser.click("[data-passkey=login]");
    browser.until_text("Change your password");
    browser.go(&panel.url("/account")).expect("the page comes");
    assert!(browser.text().contains("ago, used "), "{}", browser.text());
    sign_out(&panel, &browser);
    // Nobody is led elsewhere afterwards.
    browser.go(&panel.url("/login?next=https://evil.example/")).expect("the page comes");
    browser.click("[data-passkey=login]");
    browser.until_text("Guide");
    sign_out(&panel, &browser);

    // Whoever does not touch it as themselves is not let in.
    device.verifies(false);
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.click("[data-passkey=login]");
    browser.until_text("No passkey was used");
    device.verifies(true);
    browser.click("[data-passkey=login]");
    browser.until_text("Guide");
    browser.go(&panel.url("/account")).expect("the page comes");
    browser.click(".things button[value=remove]");
    browser.until_text("You have none yet");
    sign_out(&panel, &browser);
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.click("[data-passkey=login]");
    browser.until_text("belongs to nobody of this home, or was removed");
    browser.is_readable("login-passkey-refused");
    Ok(())
}

fn the_pages_work_without_scripts_and_passkeys_are_for_one_address(s: &Scratch) -> Done {
    let panel = with_admin(s, "");
    let browser = Browser::start(s, &[&root(s)])?;
    browser.without_scripts();
    browser.go(&panel.url("/login")).expect("the page comes");
    assert!(!browser.text().contains("passkey"), "{}", browser.text());
    // At another address of the same panel there is no button, and no challenge.
    let host = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
    let host = host.split('.').next().unwrap_or_default();
    let (there, at) = (format!("https://{host}:{}", panel.https), format!("{host}:{}:127.0.0.1", panel.https));
    browser.go(&format!("{there}/login")).expect("the page comes");
    assert!(!browser.text().contains("passkey"), "{}", browser.text());
    for there in [there, format!("https://127.0.0.1:{}", panel.https)] {
        let path = format!("{there}/api/v1/auth/passkeys/login/begin");
        let page = curl(s, &["-k", "-X", "POST", "--resolve", &at, &path]);
        assert!(page.status == 409 && page.body.contains("auth.passkey-place"), "{page:?}");
    }
    let browser = Browser::start(s, &[&root(s)])?;
    browser.go(&panel.url("/login")).expect("the page comes");
    let (status, told) = call(&browser, "POST", "/api/v1/auth/passkeys/begin", &json!({}));
    assert_eq!((status, &told["error"]["code"]), (401, &json!("auth.nobody")));
    sign_in(&panel, &browser, "admin");
    let (status, told) = call(&browser, "POST", "/api/v1/auth/passkeys/begin", &json!({ "password": PASSWORD }));
    assert_eq!((status, &told["options"]["rp"]["id"]), (200, &json!(own_name(s))), "{told}");
    assert_eq!(told["options"]["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(
        call(&browser, "GET", "/api/v1/auth/passkeys", &Value::Null),
        (200, json!({ "items": [], "next": null }))
    );
    let (status, told) = call(&browser, "DELETE", "/api/v1/auth/passkeys/nothing", &Value::Null);
    assert_eq!((status, &told["error"]["code"]), (404, &json!("auth.no-such-passkey")));
    Ok(())
}

/// What an app shows now for a key in base32 (RFC 4648, RFC 6238).
pub fn code_of(key: &str) -> String {
    let (mut raw, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in key.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = if c.is_ascii_digit() { c - b'2' + 26 } else { c.to_ascii_uppercase() - b'A' };
        (bits, held) = (bits << 5 | u32::from(value), held + 5);
        if held >= 8 {
            held -= 8;
            raw.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    let now = u64::try_from(SystemClock.now().unix_timestamp()).expect("it is later than 1970");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &raw);
    let tag = hmac::sign(&key, &(now / 30).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn who_must_have_a_second_factor_sets_up_an_app_in_a_browser_without_scripts(s: &Scratch) -> Done {
    let panel = with_admin(s, "auth: {second_factor: {required: [admin]}}\n");
    let browser = Browser::start(s, &[&root(s)])?;
    browser.without_scripts();
    let password = |words: &str| {
        browser.fill("#username", "admin");
        browser.fill("#password", PASSWORD);
        browser.click("button.main");
        browser.until_text(words);
    };
    browser.go(&panel.url("/login")).expect("the page comes");
    password("need a second factor");
    assert_eq!(browser.status(), 403);
    browser.is_readable("login-factor-missing");
    browser.click("a[href=\"/second-factor\"]");
    browser.until_text("an app on your phone knows");
    browser.is_readable("factor-begin");
    password("Scan this");
    browser.is_readable("factor-scan");
    let key = browser.run("return document.querySelector('code.key').innerText");
    browser.fill("#otp", "000000");
    browser.click("button.main");
    browser.until_text("That is not the code that the app shows");
    browser.is_readable("factor-wrong");
    browser.fill("#otp", &code_of(&key.as_str().expect("a key for typing").replace(' ', "")));
    browser.click("button.main");
    browser.until_text("recovery codes");
    browser.is_readable("factor-codes");
    let paper = browser.run("return [...document.querySelectorAll('.codes code')].map(c => c.innerText)");
    assert_eq!(paper.as_array().map(Vec::len), Some(10), "{paper}");
    browser.click("a.main");
    browser.until_text("Sign in");
    password("One more step");
    browser.fill("#otp", paper[0].as_str().expect("a code"));
    browser.click("button.main");
    browser.until_text("Guide");
    browser.go(&panel.url("/account")).expect("the page comes");
    assert!(browser.text().contains("9 recovery codes are left"), "{}", browser.text());
    browser.is_readable("account-factor");
    let acts = s.hearth_args(&["audit", "--json", "--action", "factor.*"]).ok().out;
    assert!(acts.contains("factor.confirm") && acts.contains("admin"), "{acts}");
    Ok(())
}

/// A home with a provider of its own.
fn with_provider<'s>(s: &'s Scratch, more: &str) -> Result<(Panel<'s>, Provider, Browser), Skip> {
    let ca = TestCa::new(&s.beside("provider"));
    let port = free_port();
    s.write(".env", &format!("HEARTH_OIDC_SECRET={}\n", Provider::SECRET));
    let config = format!(
        "certificates: {{roots: {}}}\nauth: {{oidc: {{issuer: 'https://localhost:{port}', client_id: hearth, name: Our accounts, {more}}}}}\n",
        ca.root.display(),
    );
    let panel = with_admin(s, &config);
    let provider = Provider::start(s, &ca, port, &panel.url("/login/oidc/callback"))?;
    let browser = Browser::start(s, &[&root(s), &ca.root])?;
    Ok((panel, provider, browser))
}

fn at_the_provider(browser: &Browser, name: &str) {
    browser.until_text("Go");
    browser.fill("[name=name]", name);
    browser.fill("[name=password]", "provider password");
    browser.click("button");
}

fn somebody_links_an_account_at_a_real_provider_and_signs_in_with_it(s: &Scratch) -> Done {
    let (panel, _provider, browser) = with_provider(s, "create: false")?;
    browser.go(&panel.url("/login?next=/password")).expect("the page comes");
    browser.is_readable("login-provider");
    // Not linked: the same name is no link.
    browser.click("a[href^=\"/login/oidc\"]");
    at_the_provider(&browser, "ada");
    browser.until_text("is linked with your account at Our accounts");
    assert_eq!(browser.status(), 403);
    browser.is_readable("provider-unknown");

    sign_in(&panel, &browser, "admin");
    // What the refusal before was, and the provider's own pages, are no complaint about ours.
    browser.complaints();
    browser.go(&panel.url("/account")).expect("the page comes");
    browser.click("button[value=link]");
    browser.until_text("Go on to Our accounts");
    browser.is_readable("account-onward");
    browser.click("#onward");
    browser.until_text("is linked with one at Our accounts");
    let ours = panel.url("/");
    let complaints: Vec<String> = browser.complaints().into_iter().filter(|said| said.contains(&ours)).collect();
    assert_eq!(complaints, [""; 0]);
    sign_out(&panel, &browser);
    browser.go(&panel.url("/login?next=/password")).expect("the page comes");
    browser.click("a[href^=\"/login/oidc\"]");
    browser.until_text("Change your password");
    assert!(browser.text().contains("admin"), "{}", browser.text());
    let (status, shown) = call(&browser, "GET", "/api/v1/auth/oidc", &Value::Null);
    assert_eq!((status, &shown["name"], &shown["linked"]), (200, &json!("Our accounts"), &json!(true)));
    assert_eq!(call(&browser, "DELETE", "/api/v1/auth/oidc/link", &Value::Null).0, 204);
    sign_out(&panel, &browser);
    browser.go(&panel.url("/login/oidc")).expect("the page comes");
    browser.until_text("is linked with your account at Our accounts");
    Ok(())
}

fn who_comes_from_the_provider_for_the_first_time_gets_an_account_where_the_home_says_so(s: &Scratch) -> Done {
    let (panel, _provider, browser) = with_provider(s, "create: viewer")?;
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.click("a[href^=\"/login/oidc\"]");
    at_the_provider(&browser, "ben");
    browser.until_text("This machine");
    browser.go(&panel.url("/services")).expect("the page comes");
    browser.until_text("ben");
    browser.go(&panel.url("/account")).expect("the page comes");
    browser.click("button[value=unlink]");
    browser.until_text("This is the only way in that you have");
    browser.is_readable("account-only-way");
    Ok(())
}
