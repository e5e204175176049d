//! One login in front of every routed service, through a real Traefik and the gate of the home; its panel's end of the line is here, with
//! people in memory.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hearth::auth::forward::channel;
use hearth::auth::forward::double::Double;
use hearth::auth::forward::sessions::Sessions;
use hearth::base::files;
use hearth::traefik::forward::wire::{Doors, Grant, Of, Written};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::forged_headers::forged;
use crate::rig::{DOMAIN, Done, Door, Echo, Page, Scratch, cases, tls, until};

cases![together:
    hostile_19_one_login_opens_every_service_and_no_application_sees_it,
    hostile_19_paths_that_need_no_session_are_those_and_no_others,
    somebody_signs_in_once_and_out_once_for_the_whole_home,
    hostile_18_a_logout_is_felt_within_a_second_and_a_panel_that_is_away_is_not,
];

pub const BROWSER: [&str; 2] = ["-H", "Accept: text/html"];

pub fn stack(routes: &[(&str, &str)]) -> String {
    let one = |(name, route): &(&str, &str)| {
        format!(
            "  {name}:\n{}    profiles: [web]\n    x-hearth: {{route: {{host: {name}, port: 80, {route}}}}}\n",
            Echo::service()
        )
    };
    format!("services:\n{}", routes.iter().map(one).collect::<String>())
}

/// People, and the panel's end of the line to gate where it runs.
struct Panel<'s> {
    s: &'s Scratch,
    people: Arc<Double>,
    runtime: Runtime,
    stop: CancellationToken,
}

impl<'s> Panel<'s> {
    fn new(s: &'s Scratch) -> Panel<'s> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let (people, stop) = (Arc::new(Double::default()), CancellationToken::new());
        let mut panel = Panel { s, people, runtime: runtime.expect("a runtime can be made"), stop };
        panel.start();
        panel
    }

    /// With the doors as `hearth up` has written them for gate.
    fn start(&mut self) {
        let text = files::read(&self.s.dir.join("state/gate/doors.json")).expect("hearth up wrote the doors");
        let written: Written = serde_json::from_slice(&text).expect("it is JSON");
        let (doors, seen) = watch::channel(Some(written.doors));
        self.stop = CancellationToken::new();
        let (dir, people, stop) = (self.s.dir.clone(), self.people.clone(), self.stop.clone());
        self.runtime.spawn(async move {
            let _doors: watch::Sender<Option<Doors>> = doors;
            channel::serve(&dir, people.clone(), people, seen, stop).await.expect("it can listen");
        });
    }

    fn stop(&self) {
        self.stop.cancel();
    }

    /// `Cookie: ...` of somebody who has a session on this host.
    fn cookie(&self, parent: &str, host: &str) -> String {
        let opened = self.runtime.block_on(self.people.open(parent, &format!("{host}.{DOMAIN}")));
        let opened = opened.expect("it is in memory").expect("they are signed in");
        format!("Cookie: __Host-hearth={}", opened.cookie.expose())
    }
}

fn who(user: &str, groups: &[&str], admin: bool) -> Grant {
    Grant {
        user: user.into(),
        title: format!("{user} of the home"),
        email: format!("{user}@example.org"),
        groups: groups.iter().map(|g| g.to_string()).collect(),
        admin,
        only: Vec::new(),
        of: Of::Host(String::new()),
        until: i64::MAX,
        idle: 0,
        used: 0,
    }
}

/// A request for a WebSocket with these lines; the answer's head.
fn websocket(door: &Door, host: &str, lines: &[&str]) -> String {
    let host = format!("{host}.{DOMAIN}");
    let mut stream = tls::connect(door.at(), &host).expect("Traefik speaks TLS");
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request can be sent");
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// What a service was asked with, by name.
fn heard<'p>(page: &'p Page, name: &str) -> Vec<&'p str> {
    let all = page.body.lines().filter_map(|line| line.split_once(": "));
    all.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
}

fn hostile_19_one_login_opens_every_service_and_no_application_sees_it(s: &Scratch) -> Done {
    let routes = [
        ("user", "access: user"),
        ("family", "access: 'group:family'"),
        ("boss", "access: admin"),
        ("open", "access: public"),
    ];
    let door = Door::new(s, &stack(&routes))?;
    door.hearth("up web").ok();
    let panel = Panel::new(s);
    door.until("open", 200);
    door.until("user", 401);
    let login = format!("https://panel.{DOMAIN}:{}/login?next=/go%3Fback%3D", door.https);
    let sent = || door.ask("user", "/a?b=c", &BROWSER);
    assert!(until(Duration::from_secs(5), || sent().status == 302), "{:?}", sent());
    for host in ["user", "family", "boss"] {
        let page = door.ask(host, "/a?b=c", &BROWSER);
        assert_eq!(page.status, 302, "{page:?}");
        assert!(page.header("location").is_some_and(|to| to.starts_with(&login)), "{page:?}");
        assert!(
            page.header("set-cookie").is_some_and(|c| c.starts_with("__Host-hearth-before=") && c.contains("; Secure"))
        );
        for (more, status) in [
            (&["-H", "Accept: application/json"][..], 401),
            (&["-X", "POST", "-H", "Accept: text/html"], 401),
            (&["-H", "Accept: text/html", "-H", "Sec-Fetch-Mode: cors"], 401),
        ] {
            assert_eq!(door.ask(host, "/a", more).status, status, "{more:?}");
        }
    }
    // Whatever somebody writes into the request, they come back to a route of the home.
    for more in [
        ["-H", "X-Forwarded-Host: evil.example"],
        ["-H", "Forwarded: host=evil.example"],
        ["-H", "X-Forwarded-Uri: //evil.example"],
        ["-H", "X_Forwarded_Host: evil.example"],
    ] {
        let page = door.ask("user", "/", &[&BROWSER[..], &more].concat());
        assert!(page.status == 302 && page.header("location").is_some_and(|to| to.starts_with(&login)), "{page:?}");
    }
    let odd = door.ask("user", "/", &[&BROWSER[..], &["-H", &format!("Host: USER.{DOMAIN}.:{}", door.https)]].concat());
    assert_eq!(odd.status, 302, "{odd:?}");

    panel.people.sign_in("p1", who("ada", &["family", "staff"], false));
    let cookie = panel.cookie("p1", "user");
    let secret = cookie.split_once("__Host-hearth=").expect("it has a value").1.to_owned();
    let lies = forged();
    let lies: Vec<&str> = lies.iter().flat_map(|header| ["-H", header.as_str()]).collect();
    let mixed = format!("Cookie: a=1; __Host-hearth={secret}; b=2");
    let spaced = format!("Cookie: a=1;\t __Host-hearth = {secret} ;b=2");
    let like = format!("Cookie: __Host-hearth2=x{secret}; __host-HEARTH={secret}; b=2");
    for version in ["--http1.1", "--http2"] {
        for (lines, left) in [
            (vec!["-H", cookie.as_str()], vec![]),
            (vec!["-H", mixed.as_str()], vec!["a=1; b=2"]),
            (vec!["-H", spaced.as_str()], vec!["a=1; b=2"]),
            (vec!["-H", "Cookie: a=1", "-H", cookie.as_str(), "-H", "Cookie: b=2"], vec!["a=1; b=2"]),
            (vec!["-H", cookie.as_str(), "-H", like.as_str()], vec!["b=2"]),
        ] {
            let how = [&[version][..], &lines, &lies].concat();
            let page = door.ask("user", "/", &how);
            assert_eq!(page.status, 200, "{version} {lines:?}: {page:?}");
            assert_eq!(heard(&page, "cookie"), left, "{version} {lines:?}");
            assert!(!page.body.contains(&secret) && !page.body.to_lowercase().contains("__host-hearth"), "{page:?}");
            assert!(!page.body.contains("forged"), "{version}: it came through: {page:?}");
            assert_eq!(heard(&page, "remote-user"), ["ada"]);
            assert_eq!(heard(&page, "remote-groups"), ["family,staff"]);
            assert_eq!(heard(&page, "remote-email"), ["ada@example.org"]);
            assert_eq!(heard(&page, "remote-name"), ["ada of the home"]);
        }
        // A token of ours stops at gate, also where no path takes one; what is the application's own passes.
        for (said, left) in
            [("Bearer hearth_x", vec![]), ("Basic eDpoZWFydGhfeA==", vec![]), ("Basic YTpi", vec!["Basic YTpi"])]
        {
            let said = format!("Authorization: {said}");
            let page = door.ask("user", "/", &[version, "-H", &cookie, "-H", &said]);
            assert_eq!((page.status, heard(&page, "authorization")), (200, left), "{version} {said}: {page:?}");
        }
        // Without a session nothing that is forged is anybody.
        assert_eq!(door.ask("user", "/", &[&[version][..], &lies].concat()).status, 401);
        let page = door.ask("open", "/", &[&[version][..], &lies].concat());
        assert!(
            page.status == 200 && !page.body.contains("forged") && heard(&page, "remote-user").is_empty(),
            "{page:?}"
        );
    }
    // A socket.
    let opened =
        websocket(&door, "user", &["Cookie: a=1", &cookie, "Remote-User: root", "Origin: https://evil.example"]);
    assert!(opened.starts_with("HTTP/1.1 101 ") && opened.to_lowercase().contains("x-heard: a=1 ada\r\n"), "{opened}");
    let refused = websocket(&door, "user", &["Cookie: a=1", "Remote-User: ada"]);
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    // A session is for its host, and access for whom it names.
    assert_eq!(door.ask("family", "/", &["-H", &cookie]).status, 401);
    assert_eq!(door.ask("family", "/", &["-H", &panel.cookie("p1", "family")]).status, 200);
    let page = door.ask("boss", "/", &["-H", &panel.cookie("p1", "boss"), "-H", "Accept: text/html"]);
    assert!(page.status == 403 && page.body.contains("for admins"), "{page:?}");
    assert_eq!(page.header("x-hearth-gate"), Some("1"));
    for way in ["/", "/logout"] {
        let link = format!("href=\"https://panel.{DOMAIN}:{}{way}\"", door.https);
        assert!(page.body.contains(&link), "{link}: {page:?}");
    }
    // What the panel answers on the application's host never reaches the application.
    let page = door.ask("user", "/.well-known/hearth/callback?code=x", &["-H", &cookie]);
    assert!(page.status != 200 && !page.body.contains("from "), "{page:?}");
    door.hearth("routes").ok().says("asks for a login");
    Ok(())
}

fn hostile_19_paths_that_need_no_session_are_those_and_no_others(s: &Scratch) -> Done {
    let bypass = "access: 'group:family', bypass: [{path: /v1/, needs: token}, {path: /feed, needs: nothing}]";
    let door = Door::new(s, &stack(&[("api", bypass), ("other", "access: user, bypass: {path: /v1, needs: token}")]))?;
    door.hearth("up web").ok();
    let panel = Panel::new(s);
    door.until("api", 401);
    let token = panel.people.give_token(&who("ada", &["family"], false), &["api"]);
    let bearer = format!("Authorization: Bearer {}", token.expose());
    let ask = |host: &str, path: &str, more: &[&str]| {
        let target = ["--path-as-is", "--request-target", path];
        door.ask(host, "/", &[&target[..], more].concat())
    };
    assert!(until(Duration::from_secs(10), || ask("api", "/v1/x", &["-H", &bearer]).status == 200));
    for version in ["--http1.1", "--http2"] {
        let page = ask("api", "/v1/x?y", &[version, "-H", &bearer, "-H", "Remote-User: root"]);
        assert_eq!((page.status, heard(&page, "remote-user")), (200, vec!["ada"]), "{page:?}");
        assert!(
            !page.body.contains(token.expose()) && heard(&page, "authorization").is_empty(),
            "the token stays here: {page:?}"
        );
        let page = ask("api", "/feed/a", &[version, "-H", "Authorization: Basic YTpi", "-H", "Remote-User: root"]);
        assert_eq!((page.status, heard(&page, "authorization")), (200, vec!["Basic YTpi"]), "{page:?}");
        assert!(heard(&page, "remote-user").is_empty(), "{page:?}");
    }
    for path in [
        "/v1x",
        "/V1/x",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/.%2E/admin",
        "/v1/..%2fadmin",
        "/v1/..%5cadmin",
        "/v1/..;/admin",
        "/v1;x/y",
        "/v1/%252e%252e/admin",
        "//v1/../x",
        "/v1/%00",
        "/admin",
        "/feedback",
        "/FEED",
        "/feed/..",
        "/feed/%2e%2e/x",
        "/feed/..%2fx",
        "/feed;x",
    ] {
        for more in [&["-H", bearer.as_str()][..], &[]] {
            let page = ask("api", path, more);
            assert!([400, 401].contains(&page.status), "{path} {more:?}: {page:?}");
            assert!(!page.body.contains("from "), "{path}: the service answered: {page:?}");
        }
    }
    assert_eq!(ask("other", "/v1/x", &["-H", &bearer]).status, 401, "it is for one service");
    for wrong in ["Authorization: Bearer x", "Authorization: Bearer", "Authorization: Basic YTpi"] {
        assert_eq!(ask("api", "/v1/x", &["-H", wrong]).status, 401, "{wrong}");
    }
    let stranger = panel.people.give_token(&who("eve", &[], false), &["api"]);
    let stranger = format!("Authorization: Bearer {}", stranger.expose());
    assert_eq!(ask("api", "/v1/x", &["-H", &stranger]).status, 401, "its owner may not enter");
    panel.people.take_token(&token);
    let gone = || ask("api", "/v1/x", &["-H", &bearer]).status == 401;
    assert!(until(Duration::from_secs(1), gone), "it was taken away a second ago");
    Ok(())
}

fn hostile_18_a_logout_is_felt_within_a_second_and_a_panel_that_is_away_is_not(s: &Scratch) -> Done {
    let door = Door::new(s, &stack(&[("a", "access: user"), ("b", "access: user")]))?;
    door.hearth("up web").ok();
    let mut panel = Panel::new(s);
    door.until("a", 401);
    panel.people.sign_in("p1", who("ada", &[], false));
    panel.people.sign_in("p2", who("bob", &[], false));
    let (a, b, other) = (panel.cookie("p1", "a"), panel.cookie("p1", "b"), panel.cookie("p2", "a"));
    let status = |host: &str, cookie: &str| door.ask(host, "/", &["-H", cookie]).status;
    assert!(until(Duration::from_secs(10), || status("a", &a) == 200), "{}", status("a", &a));
    assert_eq!((status("b", &b), status("a", &other)), (200, 200));
    // As one of them leaves one host, and signs out.
    let hash = hearth::traefik::forward::wire::Hash::of(b.split_once("__Host-hearth=").expect("it has a value").1);
    panel.runtime.block_on(panel.people.leave(hash)).expect("it is in memory");
    assert!(until(Duration::from_secs(1), || status("b", &b) == 401) && status("a", &a) == 200);
    panel.people.end_parent("p1");
    assert!(until(Duration::from_secs(1), || status("a", &a) == 401 && status("b", &b) == 401), "they still enter");
    assert_eq!(status("a", &other), 200);

    let log = || s.docker(&format!("logs {}-gate-1", s.project)).both();
    panel.stop();
    assert!(until(Duration::from_secs(5), || log().contains("the panel is away")), "{}", log());
    for _ in 0..5 {
        assert_eq!(status("a", &other), 200, "who is known does not feel it");
    }
    let stranger = format!("Cookie: __Host-hearth={}", "A".repeat(43));
    let began = Instant::now();
    let page = door.ask("a", "/", &["-H", &stranger, "-H", "Accept: text/html"]);
    assert!(page.status == 503 && page.body.contains("Signing in is not possible"), "{page:?}");
    let held = began.elapsed();
    assert!(held > Duration::from_millis(1900) && held < Duration::from_secs(4), "{held:?}");
    // What ended meanwhile ends with its return.
    panel.people.end_parent("p2");
    panel.start();
    assert!(until(Duration::from_secs(2), || status("a", &other) == 401), "it is back, and that session is not");

    // Gate begins anew: it is told of all.
    panel.people.sign_in("p3", who("eve", &[], false));
    let eve = panel.cookie("p3", "a");
    assert_eq!(status("a", &eve), 200);
    s.docker(&format!("restart -t 1 {}-gate-1", s.project)).ok();
    assert!(until(Duration::from_secs(10), || status("a", &eve) == 200), "{}", log());
    // And without a panel it knows nobody.
    panel.stop();
    s.docker(&format!("restart -t 1 {}-gate-1", s.project)).ok();
    assert!(until(Duration::from_secs(10), || status("a", &eve) == 503), "{}", log());
    assert_eq!(door.get("a", "/").status, 401);
    Ok(())
}

/// Goes to a service as somebody who is signed in at the panel: the cookie that they then have there, as `Cookie: ...`.
#[track_caller]
pub fn enters(door: &Door, panel: &str, host: &str) -> String {
    let sent = door.ask(host, "/", &BROWSER);
    let to = sent.header("location").and_then(|to| to.split_once("/login?next=")).expect("to the login").1;
    let next = to.replace("%3F", "?").replace("%3D", "=");
    let page = door.ask("panel", &next, &["-H", panel, "-H", "Accept: text/html"]);
    let url = page.body.split("0; url=").nth(1).and_then(|rest| rest.split('"').next());
    let url = url.unwrap_or_else(|| panic!("it does not lead on: {page:?}"));
    let (_, path) = url.split_once(&format!(":{}", door.https)).expect("to the service");
    set(&door.ask(host, path, &["-H", &set(&sent, "__Host-hearth-before")]), "__Host-hearth")
}

/// The value that a page's answer sets for a cookie, as `Cookie: ...`.
#[track_caller]
pub fn set(page: &Page, name: &str) -> String {
    let all = page
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
    let value =
        all.filter_map(|(_, value)| value.split(';').next()).find(|value| value.starts_with(&format!("{name}=")));
    format!("Cookie: {}", value.unwrap_or_else(|| panic!("no {name} in {page:?}")))
}

/// With Hearth's own server and accounts: from the redirect to the service and out again.
fn somebody_signs_in_once_and_out_once_for_the_whole_home(s: &Scratch) -> Done {
    const PASSWORD: &str = "unhurried lantern gravel tuba";
    let door = Door::new(s, &stack(&[("a", "access: user"), ("b", "access: admin")]))?;
    door.hearth("up web").ok();
    let serve = door.serve();
    assert!(until(Duration::from_secs(20), || door.get("panel", "/health").status == 200), "{}", door.routes());
    let link = serve.setup_token();
    let origin = format!("Origin: https://panel.{DOMAIN}:{}", door.https);
    let post = |path: &str, fields: &[(&str, &str)], cookie: &str| {
        let mut args = vec!["-H", origin.as_str(), "-H", "Accept: text/html", "-H", cookie];
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.iter().for_each(|field| args.extend(["--data-urlencode", field.as_str()]));
        door.ask("panel", path, &args)
    };
    let made = [("token", link.as_str()), ("username", "ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let page = post("/setup", &made, "X-None: x");
    assert_eq!(page.status, 303, "{page:?}");
    // To a service: the way leads over the login.
    let sent = door.ask("a", "/deep/page?x=1", &BROWSER);
    assert_eq!(sent.status, 302, "{sent:?}");
    let before = set(&sent, "__Host-hearth-before");
    let to = sent.header("location").unwrap_or_default().to_owned();
    let (_, next) = to.split_once("/login?next=").expect("it leads to the login");
    let next = next.replace("%3F", "?").replace("%3D", "=");
    let page = door.ask("panel", &format!("/login?next={}", next.replace('?', "%3F").replace('=', "%3D")), &BROWSER);
    assert!(page.status == 200 && page.body.contains("password"), "{page:?}");
    let page = post("/login", &[("username", "ada"), ("password", PASSWORD), ("next", &next)], "X-None: x");
    assert_eq!((page.status, page.header("location")), (303, Some(next.as_str())), "{page:?}");
    let panel = set(&page, "__Host-hearth");
    let go = |next: &str| {
        let page = door.ask("panel", next, &["-H", &panel, "-H", "Accept: text/html"]);
        assert_eq!(page.status, 200, "{page:?}");
        let url =
            page.body.split("0; url=").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
        url.split_once(&format!(":{}", door.https))
            .map(|(_, path)| path.to_owned())
            .unwrap_or_else(|| panic!("{page:?}"))
    };
    // In another browser the code is worth nothing, and is used up.
    let stolen = go(&next);
    assert_eq!(door.ask("a", &stolen, &BROWSER).status, 403);
    assert_eq!(door.ask("a", &stolen, &["-H", &before]).status, 403);
    let page = door.ask("a", &go(&next), &["-H", &before]);
    assert_eq!((page.status, page.header("location")), (302, Some("/deep/page?x=1")), "{page:?}");
    let cookie = set(&page, "__Host-hearth");
    assert_ne!(cookie, panel);
    let page = door.ask("a", "/deep/page?x=1", &["-H", &cookie]);
    assert_eq!((page.status, heard(&page, "remote-user")), (200, vec!["ada"]), "{page:?}");
    // The next service asks nothing of somebody who is signed in.
    let sent = door.ask("b", "/", &BROWSER);
    let next = sent.header("location").and_then(|to| to.split_once("/login?next=")).expect("to the login").1.to_owned();
    let login = door.ask("panel", &format!("/login?next={next}"), &["-H", &panel, "-H", "Accept: text/html"]);
    assert_eq!(login.status, 303, "{login:?}");
    let page =
        door.ask("b", &go(login.header("location").unwrap_or_default()), &["-H", &set(&sent, "__Host-hearth-before")]);
    let other = set(&page, "__Host-hearth");
    assert_eq!(door.ask("b", "/", &["-H", &other]).status, 200);
    // A server that is killed is not felt, and one that comes again knows all.
    serve.kill();
    assert_eq!(door.ask("a", "/", &["-H", &cookie]).status, 200);
    let _serve = door.serve();
    assert!(until(Duration::from_secs(20), || door.get("panel", "/health").status == 200));
    assert_eq!(door.ask("b", "/", &["-H", &other]).status, 200);
    // A service's host leads to the panel's way out; by itself it ends its own session only, and not by a page of another site, nor by a look.
    let leave = |more: &[&str]| {
        door.ask("b", "/.well-known/hearth/logout", &[&["-H", other.as_str()][..], more].concat()).status
    };
    let there = format!("https://panel.{DOMAIN}:{}/logout", door.https);
    let led = door.ask("b", "/.well-known/hearth/logout", &[&["-H", other.as_str()][..], &BROWSER].concat());
    assert_eq!((led.status, led.header("location")), (303, Some(there.as_str())), "{led:?}");
    assert_eq!(leave(&["-X", "POST", "-H", "Origin: https://evil.example"]), 403);
    assert_eq!(door.ask("b", "/", &["-H", &other]).status, 200);
    let own = format!("Origin: https://b.{DOMAIN}:{}", door.https);
    assert_eq!(leave(&["-X", "POST", "-H", &own]), 204);
    assert!(until(Duration::from_secs(1), || door.ask("b", "/", &["-H", &other]).status == 401), "they still enter");
    assert_eq!(door.ask("a", "/", &["-H", &cookie]).status, 200, "a script of a service ends nothing elsewhere");
    // Out at the panel is out everywhere.
    let page = door.ask("panel", "/logout", &["-H", &panel, "-H", "Accept: text/html"]);
    assert!(page.status == 200 && page.body.contains("Sign out everywhere"), "{page:?}");
    for (host, status) in [("b", 403), ("panel", 303)] {
        let origin = format!("Origin: https://{host}.{DOMAIN}:{}", door.https);
        let page =
            door.ask("panel", "/logout", &["-X", "POST", "-H", &panel, "-H", &origin, "-H", "Accept: text/html"]);
        assert_eq!(page.status, status, "{host}: {page:?}");
    }
    let out =
        || door.ask("a", "/", &["-H", &cookie]).status == 401 && door.ask("b", "/", &["-H", &other]).status == 401;
    assert!(until(Duration::from_secs(1), out), "they still enter");
    let page = door.ask("panel", "/go?back=x", &["-H", &panel, "-H", "Accept: text/html"]);
    assert_eq!(page.status, 303, "the panel knows them no more: {page:?}");
    // So is out at a service, where a person presses it; what a script of the service can send is out at that service.
    let page = post("/login", &[("username", "ada"), ("password", PASSWORD), ("next", "/")], "X-None: x");
    let panel = set(&page, "__Host-hearth");
    let enter = |host: &str| {
        let cookie = enters(&door, &panel, host);
        assert_eq!(door.ask(host, "/", &["-H", &cookie]).status, 200, "{host}");
        cookie
    };
    let (a, panel_open) =
        (enter("a"), || door.ask("panel", "/account", &["-H", &panel, "-H", "Accept: text/html"]).status);
    assert_eq!(panel_open(), 200);
    let sent =
        ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-User: ?1"];
    for (at, other) in [(3, None), (2, Some("Sec-Fetch-Dest: iframe")), (1, Some("Sec-Fetch-Mode: cors"))] {
        let b = enter("b");
        let lines = sent.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).chain(other);
        let lines: Vec<&str> = lines.flat_map(|line| ["-H", line]).collect();
        let page = door.ask("b", "/.well-known/hearth/logout", &[&["-X", "POST", "-H", &b][..], &lines].concat());
        assert_eq!(page.status, 204, "{page:?}");
        assert!(until(Duration::from_secs(1), || door.ask("b", "/", &["-H", &b]).status == 401), "they still enter");
        assert_eq!((door.ask("a", "/", &["-H", &a]).status, panel_open()), (200, 200), "{lines:?}");
    }
    let b = enter("b");
    let lines: Vec<&str> = sent.iter().flat_map(|line| ["-H", *line]).collect();
    let page = door.ask("b", "/.well-known/hearth/logout", &[&["-X", "POST", "-H", &b][..], &lines].concat());
    assert!(page.status == 200 && page.body.contains("has ended"), "{page:?}");
    let out = || door.ask("a", "/", &["-H", &a]).status == 401 && door.ask("b", "/", &["-H", &b]).status == 401;
    assert!(until(Duration::from_secs(1), out), "they still enter");
    assert_eq!(panel_open(), 303, "the panel knows them no more");
    let acts = door.hearth("audit --action page.logout --who ada --json").ok().out;
    assert!(acts.contains("\"everywhere\": true") || acts.contains("\"everywhere\":true"), "{acts}");
    Ok(())
}
