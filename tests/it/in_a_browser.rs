//! What people see while something is not there yet: Hearth's own pages in a real Chromium.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use sha2::{Digest, Sha256};

use crate::rig::{
    Browser, DOMAIN, Done, Door, Echo, Front, Relay, Reply, Running, Scratch, TestCa, cases, curl, free_port, own_name,
    until,
};

cases![
    together:
    a_browser_keeps_the_applications_cookies_from_the_waiting_page,
    closed_stopped_and_unknown_each_say_so,
    the_trust_page_shows_the_real_fingerprint_and_gives_the_root_also_without_scripts,
    chromium_believes_the_home_only_with_its_root_and_for_its_own_names_only;
    alone:
    who_waits_sees_why_and_then_the_application_without_reloading,
];

fn stack(services: &[(&str, &str, &str)]) -> String {
    let one = |(name, route, more): &(&str, &str, &str)| {
        format!(
            "  {name}:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    profiles: [web]\n{more}    \
             x-hearth: {{route: {{{route}}}}}\n    command: [sh, -c, 'mkdir /tmp/w; echo \"<title>It</title>the application itself\" \
             >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']\n"
        )
    };
    format!("services:\n{}", services.iter().map(one).collect::<String>())
}

fn root(s: &Scratch) -> PathBuf {
    s.dir.join("state/ca/root.pem")
}

fn who_waits_sees_why_and_then_the_application_without_reloading(s: &Scratch) -> Done {
    let check = "    healthcheck: {test: [CMD, test, -e, /tmp/well], interval: 1s, start_period: 90s, retries: 2}\n";
    let door = Door::new(s, &stack(&[("photos", "host: photos, port: 80, access: public", check)]))?;
    door.hearth("up web").ok();
    let (browser, scriptless) = (Browser::start(s, &[&root(s)])?, Browser::start(s, &[&root(s)])?);
    scriptless.without_scripts();
    let container = format!("{}-photos-1", s.project);
    // Networks that others make on this machine cut Chromium's connections: then nothing is shown, and it is tried anew.
    for _ in 0..5 {
        if a_whole_wait(s, &door, &browser, &scriptless) {
            return Ok(());
        }
        s.docker_args(&["exec", &container, "rm", "-f", "/tmp/well"]).ok();
        s.docker_args(&["restart", "-t", "0", &container]).ok();
        door.until("photos", 503);
    }
    panic!("Chromium's connections were cut five times")
}

/// From the waiting page to the application; `false`: a browser was cut off meanwhile.
#[track_caller]
fn a_whole_wait(s: &Scratch, door: &Door<'_>, browser: &Browser, scriptless: &Browser) -> bool {
    let both = [browser, scriptless];
    let is_cut = || both.iter().any(|browser| browser.run("return location.protocol") == "chrome-error:");
    // Many applications keep their place behind a `#`.
    let url = format!("https://photos.{DOMAIN}:{}/?album=7#/third", door.https);
    let plain = format!("https://photos.{DOMAIN}:{}/", door.https);
    browser.go(&url).expect("the page comes");
    assert_eq!(browser.status(), 503);
    let seen = browser.text();
    assert!(seen.contains("photos is starting") && seen.contains("is not ready yet"), "{seen}");
    browser.is_readable("starting");
    assert_eq!(browser.complaints(), [""; 0]);
    scriptless.go(&plain).expect("the page comes");
    // They look again meanwhile, and still say so.
    let began = || both.map(|browser| browser.run("return performance.timeOrigin"));
    let first = began();
    let looked = |(now, first): (&serde_json::Value, &serde_json::Value)| now.is_number() && now != first;
    let again = until(Duration::from_secs(20), || began().iter().zip(&first).all(looked) || is_cut());
    assert!(again, "{first:?} {:?}", began());
    let says = |words: &str| both.iter().all(|browser| browser.text().contains(words));
    assert!(until(Duration::from_secs(5), || says("photos is starting") || is_cut()), "{}", browser.text());
    s.docker_args(&["exec", &format!("{}-photos-1", s.project), "touch", "/tmp/well"]).ok();
    let came = until(Duration::from_secs(20), || says("the application itself") || is_cut());
    if is_cut() {
        return false;
    }
    assert!(came, "{}\n{}\n{}", browser.text(), scriptless.text(), door.routes());
    for (browser, url) in [(browser, url), (scriptless, plain)] {
        assert_eq!((browser.status(), browser.run("return location.href")), (200, url.into()));
    }
    true
}

fn a_browser_keeps_the_applications_cookies_from_the_waiting_page(s: &Scratch) -> Done {
    let route = "    profiles: [web]\n    x-hearth: {route: {host: photos, port: 80, access: public}}\n";
    let door = Door::new(s, &format!("services:\n  photos:\n{}{route}", Echo::service()))?;
    door.hearth("up web").ok();
    door.until("photos", 200);
    let relay = Relay::before_gate(&door);
    let browser = Browser::start(s, &[&root(s)])?;
    let url = format!("https://photos.{DOMAIN}:{}/", door.https);
    let sees_its_own = || browser.text().contains("cookie: own=s3cret; of-all=s3cret");
    browser.go(&url).expect("the application comes");
    browser.run(&format!("document.cookie = 'own=s3cret'; document.cookie = 'of-all=s3cret; domain={DOMAIN}'"));
    browser.go(&url).expect("the application comes");
    assert!(sees_its_own(), "{}", browser.text());
    s.docker(&format!("stop -t 1 {}-photos-1", s.project)).ok();
    door.until("photos", 503);
    for host in ["photos", "nobody"] {
        browser.go(&format!("https://{host}.{DOMAIN}:{}/", door.https)).expect("the page comes");
        assert!(browser.run("return document.cookie").as_str().is_some_and(|all| all.contains("of-all=s3cret")));
    }
    browser.go(&url).expect("the page comes");
    assert!(browser.text().contains("photos is stopped"), "{}", browser.text());
    let heads = relay.heads();
    let browsers: Vec<&String> = heads.iter().filter(|head| head.contains("headlesschrome")).collect();
    assert!(browsers.iter().any(|head| head.contains("x-hearth-route: photos")) && browsers.len() > 2, "{heads:#?}");
    assert!(!heads.iter().any(|head| head.contains("cookie") || head.contains("s3cret")), "{heads:#?}");
    s.docker(&format!("start {}-photos-1", s.project)).ok();
    let back = until(Duration::from_secs(20), || browser.go(&url).is_ok() && sees_its_own());
    assert!(back, "{}", browser.text());
    Ok(())
}

fn closed_stopped_and_unknown_each_say_so(s: &Scratch) -> Done {
    let routes = [("notes", "host: notes, port: 80", ""), ("films", "host: films, port: 80, access: public", "")];
    let door = Door::new(s, &stack(&routes))?;
    door.hearth("up web").ok();
    door.until("films", 200);
    s.docker(&format!("stop -t 1 {}-films-1", s.project)).ok();
    door.until("films", 503);
    let browser = Browser::start(s, &[&root(s)])?;
    for (host, status, words) in [
        ("notes", 503, ["Signing in is not possible", "hearth serve"]),
        ("films", 503, ["films is stopped", "hearth start films"]),
        ("nobody", 404, ["No service has this name", "hearth routes"]),
    ] {
        browser.go(&format!("https://{host}.{DOMAIN}:{}/", door.https)).expect("the page comes");
        assert_eq!(browser.status(), status, "{host}");
        let seen = browser.text();
        assert!(words.iter().all(|words| seen.contains(words)), "{host}: {seen}");
        browser.is_readable(host);
        assert_eq!(browser.complaints(), [""; 0], "{host}");
    }
    Ok(())
}

/// A home without a domain and its server; the ports of HTTPS and HTTP.
fn serve(s: &Scratch) -> (Running, u16, u16) {
    s.write("hearth.yaml", &format!("name: {}\n", s.project));
    s.write("stacks/web.yaml", "services: {}\n");
    let (https, http) = (free_port(), free_port());
    let (on, plain) = (format!("127.0.0.1:{https}"), format!("127.0.0.1:{http}"));
    let running = s.hearth_args_start(&["serve", "--listen", &on, "--http", &plain], &[]);
    let page = || curl(s, &[&format!("http://127.0.0.1:{http}/trust")]).status == 200;
    assert!(until(Duration::from_secs(10), page), "hearth serve does not answer");
    (running, https, http)
}

fn stop(s: &Scratch, running: Running) {
    running.signal(rustix::process::Signal::TERM);
    s.noted(running).exits(0);
}

/// The certificate in a PEM file.
fn der(pem: &[u8]) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem).expect("it is PEM").1.contents
}

fn the_trust_page_shows_the_real_fingerprint_and_gives_the_root_also_without_scripts(s: &Scratch) -> Done {
    let (running, _, http) = serve(s);
    let root = der(&std::fs::read(root(s)).expect("the root is there"));
    let fingerprint: String = Sha256::digest(&root).iter().map(|b| format!("{b:02X}")).collect();
    let browser = Browser::start(s, &[])?;
    let url = format!("http://127.0.0.1:{http}/trust");
    browser.go(&url).expect("the page comes over plain HTTP");
    assert_eq!(browser.status(), 200);
    browser.is_readable("trust");
    assert_eq!(browser.complaints(), [""; 0]);
    // All that follows as for somebody whose browser runs no scripts.
    browser.without_scripts();
    browser.go(&url).expect("the page comes");
    let shown = browser.run("return document.querySelector('.print').innerText");
    let shown: String = shown.as_str().unwrap_or_default().split_whitespace().collect();
    assert_eq!(shown, fingerprint);
    let devices = browser.run("return document.querySelectorAll('details').length").as_u64().unwrap_or_default();
    assert!(devices > 5, "{devices} kinds of devices");
    for device in 1..=devices {
        let nth = format!("details:nth-of-type({device})");
        let visible = || browser.run(&format!("return document.querySelector('{nth} li').checkVisibility()"));
        assert_eq!(visible(), false);
        browser.click(&format!("{nth} > summary"));
        assert_eq!(visible(), true);
    }
    browser.is_readable("trust-open");
    for (name, kind) in [
        ("hearth-ca.crt", "application/x-x509-ca-cert"),
        ("hearth-ca.der", "application/x-x509-ca-cert"),
        ("hearth-ca.mobileconfig", "application/x-apple-aspen-config"),
    ] {
        browser.click_for_file(&format!("a[href$='{name}']"));
        let file = browser.downloads.join(name);
        assert!(until(Duration::from_secs(10), || file.exists()), "{name} does not arrive: {:?}", browser.complaints());
        let bytes = std::fs::read(&file).expect("it arrived");
        let page = curl(s, &[&format!("http://127.0.0.1:{http}/trust/{name}")]);
        assert_eq!((page.status, page.header("content-type")), (200, Some(kind)), "{name}");
        assert!(certificate(name, &bytes) == root, "{name} holds another certificate");
        x509_parser::parse_x509_certificate(&certificate(name, &bytes)).expect("it is a certificate");
    }
    assert_eq!(browser.complaints(), [""; 0]);
    stop(s, running);
    Ok(())
}

/// The certificate in one of the downloads.
fn certificate(name: &str, bytes: &[u8]) -> Vec<u8> {
    match Path::new(name).extension().and_then(|end| end.to_str()) {
        Some("der") => bytes.to_vec(),
        Some("crt") => der(bytes),
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let data = text.split_once("<data>").and_then(|(_, rest)| rest.split_once("</data>"));
            let data: String = data.map(|(data, _)| data.split_whitespace().collect()).unwrap_or_default();
            base64::prelude::BASE64_STANDARD.decode(data).expect("a profile holds its certificate in base64")
        }
    }
}

fn chromium_believes_the_home_only_with_its_root_and_for_its_own_names_only(s: &Scratch) -> Done {
    let (running, https, http) = serve(s);
    let server = format!("https://{}:{https}/", own_name(s));
    let stranger = Browser::start(s, &[])?;
    assert_eq!(stranger.go(&server), Err("net::ERR_CERT_AUTHORITY_INVALID".into()));
    // The way of the trust page: get the root there, and install it.
    let file = curl(s, &[&format!("http://127.0.0.1:{http}/trust/hearth-ca.crt")]).body;
    let got = s.beside("hearth-ca.crt");
    std::fs::write(&got, file).expect("a file can be written");
    // Somebody who stole what the home signs with, for a name of the home and one that is none.
    let stolen = std::fs::read_to_string(s.dir.join("state/ca/intermediate.pem")).expect("it is there");
    let thief = TestCa::with(&s.beside("thief"), &stolen);
    let pose = |name: &str| Front::start(&thief, &[name], 0, |_| Reply::Own(200, "{}".into())).port;
    let (own, bank) = (pose("nas.home.arpa"), pose("bank.example.com"));
    let friend = Browser::start(s, &[&got])?;
    assert_eq!(friend.go(&server), Ok(()));
    assert!(friend.text().contains("This home has no admin yet"), "{}", friend.text());
    assert_eq!(friend.go(&format!("{server}trust")), Ok(()));
    friend.is_readable("index");
    assert_eq!(friend.go(&format!("https://nas.home.arpa:{own}/")), Ok(()));
    let refused = friend.go(&format!("https://bank.example.com:{bank}/"));
    assert_eq!(refused, Err("net::ERR_CERT_INVALID".into()));
    stop(s, running);
    Ok(())
}
