//! In a home without a domain services answer on other ports of the machine, and browsers send cookies to all ports of a host: the session is at a name
//! that no service is asked under.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, cases, curl, own_name};

cases![alone: hostile_19_a_service_on_another_port_of_the_machine_never_sees_the_session,];

/// Frames the panel in every way, and keeps what the browser tells of it.
const FRAMES: &str = "<!doctype html><meta http-equiv='Content-Security-Policy' content=\"frame-src https://localhost:PORT; object-src https://localhost:PORT; \
    form-action https://localhost:PORT\"><body><script>window.seen = []; \
    document.addEventListener('securitypolicyviolation', e => seen.push(e.blockedURI + ' ' + e.documentURI)); \
    for (const [tag, at] of [['iframe', 'src'], ['object', 'data'], ['embed', 'src']]) for (const path of ['/', '/login/oidc', '/account']) { \
    const one = document.createElement(tag); one[at] = 'https://localhost:PORT' + path; \
    one.onload = () => seen.push('loaded ' + tag); one.onerror = () => seen.push('loaded, and refused ' + tag); document.body.append(one) }</script>";

/// A service of the home without TLS, as `localhost: PORT` publishes one; keeps the head of each request.
fn service() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let port = listener.local_addr().expect("it has an address").port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = heads.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let kept = kept.clone();
            // A browser opens connections that it may need later.
            std::thread::spawn(move || answer(stream, &kept));
        }
    });
    (port, heads)
}

fn answer(mut stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut bytes = [0; 16 << 10];
    let read = stream.read(&mut bytes).unwrap_or_default();
    kept.lock().expect("it is there").push(String::from_utf8_lossy(&bytes[..read]).into_owned());
    let asked = String::from_utf8_lossy(&bytes[..read]).into_owned();
    let frames = asked.strip_prefix("GET /frames?").and_then(|rest| rest.split(' ').next());
    let page = match frames {
        Some(port) => FRAMES.replace("PORT", port),
        None => "<!doctype html><title>A service</title><p>A service".to_owned(),
    };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nSet-Cookie: of-the-service=1";
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
}

fn hostile_19_a_service_on_another_port_of_the_machine_never_sees_the_session(s: &Scratch) -> Done {
    let panel = Panel::with_people(s, "", &[]);
    let browser = Browser::start(s, &[&s.dir.join("state/ca/root.pem")])?;
    let (port, heads) = service();
    // Whoever writes the machine's name is told where to go, and not where that is: what a page of a service has in a frame it learns the way of.
    browser.go(&panel.at_localhost("/login")).expect("the page comes");
    assert_eq!(browser.status(), 403);
    assert!(browser.text().contains("hearth serve --url"), "{}", browser.text());
    browser.is_readable("shared-name");
    let urls = s.hearth_args(&["serve", "--url", "--listen", &panel.https.to_string()]).ok().out;
    assert_eq!(urls.trim(), panel.url(""));
    browser.go(&panel.url("/login")).expect("the page comes");
    browser.fill("#username", "admin");
    browser.fill("#password", PASSWORD);
    browser.click("button.main");
    browser.until_text("Guide");
    for host in ["localhost", "127.0.0.1", "panel.localhost", "other.panel.localhost", "app.localhost"] {
        // Twice: also with what the service has set meanwhile.
        for _ in 0..2 {
            browser.go(&format!("http://{host}:{port}/")).expect("the service answers");
            assert_eq!(browser.text(), "A service", "{host}");
        }
    }
    let seen = std::mem::take(&mut *heads.lock().expect("it is there"));
    assert!(
        seen.len() >= 10 && seen.iter().any(|head| head.contains("of-the-service=1")),
        "cookies go along at all: {seen:?}"
    );
    assert!(!seen.iter().any(|head| head.contains("__Host-hearth")), "{seen:?}");
    // It is the name that keeps it: under the panel's own the browser would send it to any port.
    browser.go(&format!("http://{}:{port}/", own_name(s))).expect("the service answers");
    let seen = std::mem::take(&mut *heads.lock().expect("it is there"));
    assert!(seen.iter().any(|head| head.contains("__Host-hearth")), "{seen:?}");
    browser.go(&panel.url("/account")).expect("the page comes");
    assert_eq!(browser.status(), 200, "and it was good all the time");
    // So the name stands in nothing that a service, or a page of one, could ask for.
    let label = own_name(s).split('.').next().expect("it has labels").to_owned();
    for path in
        ["/", "/login", "/login/oidc", "/account", "/health", "/api/v1/info", "/docs", "/trust", "/setup", "/nothing"]
    {
        for host in ["nas.local", "localhost", "127.0.0.1", "panel.localhost"] {
            for accept in ["text/html", "application/json"] {
                let (host, accept) = (format!("Host: {host}:{}", panel.https), format!("Accept: {accept}"));
                let page = curl(s, &["-k", "-H", &host, "-H", &accept, &panel.at_localhost(path)]);
                assert!(page.status != 0 && !format!("{page:?}").contains(&label), "{path}: {page:?}");
            }
        }
    }
    let begun = panel.ask("POST", "/api/v1/auth/passkeys/login/begin", None, None).is(409);
    assert!(!begun.page.body.contains(&label), "{}", begun.page.body);
    learns_nothing_by_frames(&browser, &panel, port);
    Ok(())
}

/// A page's own Content-Security-Policy reports where what it frames was sent on to.
fn learns_nothing_by_frames(browser: &Browser, panel: &Panel<'_>, port: u16) {
    browser.go(&format!("http://localhost:{port}/frames?{}", panel.https)).expect("the service answers");
    let seen = || browser.run("return window.seen || []");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let seen = seen();
    assert!(seen.to_string().contains("loaded"), "the frames were asked for: {seen}");
    assert!(!seen.to_string().contains("panel.localhost"), "{seen}");
}
