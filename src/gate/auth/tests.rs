//! Gate and the panel's end of the line together, with sessions in memory: who enters, and what holds when one of them is away.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Auth;
use crate::auth::forward::{Forward, channel, double::Double, place, sessions::Sessions};
use crate::base::clock::SystemClock;
use crate::base::random::SystemRandom;
use crate::traefik::forward::back::{Back, state};
use crate::traefik::forward::bypass::{Bypass, Needs};
use crate::traefik::forward::wire::{Door, Doors, Grant, Hash, Of, Refused};

const APP: &str = "app.example.org";
const API: &str = "api.example.org";

struct Home {
    dir: TempDir,
    people: Arc<Double>,
    doors: watch::Sender<Option<Doors>>,
    panel: CancellationToken,
    gate: CancellationToken,
    auth: Arc<Auth>,
    forward: Forward,
}

fn grant(groups: &[&str], admin: bool) -> Grant {
    Grant {
        user: "ada".into(),
        title: "Ada Lovelace".into(),
        email: "ada@example.org".into(),
        groups: groups.iter().map(|g| g.to_string()).collect(),
        admin,
        only: Vec::new(),
        of: Of::Host(String::new()),
        until: i64::MAX,
        idle: 0,
        used: 0,
    }
}

fn doors(dir: &Path) -> Doors {
    let keys = place::keys(dir, &SystemRandom).unwrap();
    let door = |name: &str, host: &str, bypass: &[(&str, Needs)]| Door {
        name: format!("home-{name}"),
        service: name.into(),
        hosts: vec![host.into()],
        bypass: bypass.iter().map(|(path, needs)| Bypass { path: path.to_string(), needs: *needs }).collect(),
    };
    Doors {
        key: keys.address,
        signing: keys.signing,
        panel: "panel.example.org".into(),
        https: 8443,
        lan: vec!["192.168.1.0/24".into(), "fd00::/64".into()],
        routes: vec![door("app", APP, &[]), door("api", API, &[("/v1", Needs::Token), ("/feed", Needs::Nothing)])],
    }
}

impl Home {
    /// A home whose panel and gate run.
    async fn new() -> Home {
        let home = Home::without_panel();
        home.start_panel();
        home.until("the panel is there", |home| home.auth.line.is_open()).await;
        home
    }

    fn without_panel() -> Home {
        let dir = tempfile::tempdir().unwrap();
        let people = Arc::new(Double::default());
        let (doors, seen) = watch::channel(Some(doors(dir.path())));
        let forward = Forward::new(people.clone(), seen, Arc::new(SystemClock), Arc::new(SystemRandom));
        let auth = gate(dir.path());
        let (panel, stop) = (CancellationToken::new(), CancellationToken::new());
        let home = Home { dir, people, doors, panel, gate: stop, auth, forward };
        home.start_gate();
        home
    }

    fn start_gate(&self) {
        let (auth, stop) = (self.auth.clone(), self.gate.clone());
        tokio::spawn(async move { auth.keep(stop).await });
    }

    fn start_panel(&self) {
        let (dir, people, doors) = (self.dir.path().to_owned(), self.people.clone(), self.doors.subscribe());
        let stop = self.panel.clone();
        tokio::spawn(async move { channel::serve(&dir, people.clone(), people, doors, stop).await.unwrap() });
    }

    async fn stop_panel(&mut self) {
        std::mem::take(&mut self.panel).cancel();
        self.until("the panel is away", |home| !home.auth.line.is_open()).await;
    }

    async fn until(&self, what: &str, is: impl Fn(&Home) -> bool) {
        let waited = timeout(Duration::from_secs(3), async {
            while !is(self) {
                sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{what} within three seconds"));
    }

    /// As Traefik asks.
    async fn ask(&self, query: &str, host: &str, uri: &str, more: &[(&str, &str)]) -> Answer {
        let key = place::keys(self.dir.path(), &SystemRandom).unwrap().address.text();
        self.ask_at(&format!("/auth/{key}?{query}"), host, uri, more).await
    }

    async fn ask_at(&self, at: &str, host: &str, uri: &str, more: &[(&str, &str)]) -> Answer {
        let mut headers = HeaderMap::new();
        let own = [
            ("x-forwarded-for", "203.0.113.5"),
            ("x-forwarded-host", host),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-uri", uri),
        ];
        for (name, value) in own {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        for (name, value) in more {
            let (name, value) = (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
            match name.as_str().starts_with("x-forwarded-") {
                true => drop(headers.insert(name, value)),
                false => drop(headers.append(name, value)),
            }
        }
        let uri: Uri = at.parse().unwrap();
        let began = Instant::now();
        let answer = self.auth.answer(&uri, &headers).await;
        let took = began.elapsed();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Answer { status: parts.status, headers, body: String::from_utf8_lossy(&body).into_owned(), took }
    }

    /// Signs somebody in at a host, all the way; gives the cookie there.
    async fn signed_in(&self, parent: &str, who: Grant, host: &str) -> String {
        self.people.sign_in(parent, who);
        let sent = self.ask("p=user", host, "/a?b=c", BROWSER).await;
        assert_eq!(sent.status, StatusCode::FOUND, "{sent:?}");
        let before = sent.get("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
        let back = self.forward.back(sent.get("location").split_once("?next=/go%3Fback%3D").unwrap().1).unwrap();
        assert_eq!(back, Back { host: host.into(), path: "/a?b=c".into(), state: state(&before) });
        let to = self.forward.go_back(back, parent, 1).unwrap();
        let code = to.strip_prefix(&format!("https://{host}:8443/.well-known/hearth/callback?code=")).unwrap();
        assert_eq!(self.forward.trade(code, host, &"B".repeat(43)).await.unwrap(), None, "another browser");
        assert_eq!(self.forward.trade(code, host, &before).await.unwrap(), None, "it is used up by that");
        let back = Back { host: host.into(), path: "/a?b=c".into(), state: state(&before) };
        let to = self.forward.go_back(back, parent, 1).unwrap();
        let (opened, path) =
            self.forward.trade(to.rsplit('=').next().unwrap(), host, &before).await.unwrap().expect("it is good once");
        assert_eq!(path, "/a?b=c");
        format!("__Host-hearth={}", opened.cookie.expose())
    }
}

fn gate(dir: &Path) -> Arc<Auth> {
    let socket = dir.join(place::FOLDER).join(place::SOCKET);
    Arc::new(Auth::new(socket, Arc::new(SystemClock), Arc::new(SystemRandom)))
}

const BROWSER: &[(&str, &str)] = &[("accept", "text/html,*/*;q=0.8")];

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: String,
    took: Duration,
}

impl Answer {
    fn get(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[tokio::test]
async fn only_a_person_who_goes_to_a_page_is_sent_to_the_login() {
    let home = Home::new().await;
    let sent = home.ask("p=user", "APP.example.org.:8443", "/a", BROWSER).await;
    assert_eq!(sent.status, StatusCode::FOUND);
    assert!(sent.get("location").starts_with("https://panel.example.org:8443/login?next=/go%3Fback%3D"), "{sent:?}");
    let cookie = sent.get("set-cookie");
    assert!(
        cookie.starts_with("__Host-hearth-before=") && cookie.contains("; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(cookie.contains("Path=/;") && !cookie.contains("Domain"), "{cookie}");
    let html = ("accept", "text/html");
    for more in [
        &[][..],
        &[("accept", "*/*")],
        &[("accept", "application/json")],
        &[html, ("x-forwarded-method", "POST")],
        &[html, ("x-forwarded-method", "HEAD")],
        &[html, ("sec-fetch-mode", "cors")],
        &[html, ("sec-fetch-mode", "no-cors")],
        &[html, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        &[html, ("x-forwarded-proto", "http")],
        &[html, ("x-forwarded-proto", "wss")],
    ] {
        let refused = home.ask("p=user", APP, "/a", more).await;
        assert_eq!((refused.status, refused.get("location")), (StatusCode::UNAUTHORIZED, ""), "{more:?}");
        assert!(!refused.get("www-authenticate").is_empty() && refused.get("set-cookie").is_empty());
    }
    let navigates = [html, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(home.ask("p=user", APP, "/a", &navigates).await.status, StatusCode::FOUND);
    // A browser's other tabs go on with the cookie that it has.
    let again = home.ask("p=user", APP, "/b", &[html, ("cookie", cookie.split(';').next().unwrap())]).await;
    assert_eq!((again.status, again.get("set-cookie")), (StatusCode::FOUND, ""));
}

#[tokio::test]
async fn hostile_19_nobody_is_sent_back_to_what_is_no_route_of_the_home() {
    let home = Home::new().await;
    for host in [
        "evil.example",
        "panel.example.org",
        "app.example.org.evil.example",
        "evil.app.example.org",
        "app.example.org@evil.example",
        "app.example.org, evil.example",
        "app.example.org:8443:1",
        "[::1]",
        "",
    ] {
        let refused = home.ask("p=user", host, "/a", BROWSER).await;
        assert_eq!((refused.status, refused.get("location")), (StatusCode::UNAUTHORIZED, ""), "{host}");
    }
    for uri in ["//evil.example", "/\\evil.example", "/%2f%2fevil.example", "https://evil.example/", "/%5Cevil.example"]
    {
        let sent = home.ask("p=user", APP, uri, BROWSER).await;
        let back = home.forward.back(sent.get("location").split_once("?next=/go%3Fback%3D").unwrap().1).unwrap();
        assert_eq!((back.host.as_str(), back.path.as_str()), (APP, "/"), "{uri}");
    }
    let own = home.ask("p=user", APP, "/a", BROWSER).await;
    let text = own.get("location").split_once("?next=/go%3Fback%3D").unwrap().1.to_owned();
    // A route that is gone is none.
    home.doors.send_modify(|doors| doors.as_mut().unwrap().routes.retain(|route| route.service != "app"));
    assert_eq!(home.forward.back(&text), None);
    home.until("gate knows", |home| !home.auth.known.rules().unwrap().has(APP)).await;
    assert_eq!(home.ask("p=user", APP, "/a", BROWSER).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_has_signed_in_enters_with_their_name_and_without_our_cookie() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&["family", "staff"], false), APP).await;
    let all = format!("theirs=1; {cookie}; more=2");
    let forged =
        [("remote-user", "root"), ("remote-groups", "admins"), ("remote_user", "root"), ("x-forwarded-user", "root")];
    let more = [&[("cookie", all.as_str()), ("cookie", "third=3")][..], &forged].concat();
    let entered = home.ask("p=user", APP, "/", &more).await;
    assert_eq!(entered.status, StatusCode::OK, "{entered:?}");
    assert_eq!(entered.get("cookie"), "theirs=1; more=2; third=3");
    assert_eq!((entered.get("remote-user"), entered.get("remote-groups")), ("ada", "family,staff"));
    assert_eq!((entered.get("remote-name"), entered.get("remote-email")), ("Ada Lovelace", "ada@example.org"));
    assert!(!format!("{entered:?}").contains("root"));
    let alone = home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await;
    assert!(alone.status == 200 && !alone.headers.contains_key("cookie"), "{alone:?}");
    // A cookie is for the host that it was given to.
    assert_eq!(home.ask("p=user", API, "/", &[("cookie", &cookie)]).await.status, StatusCode::UNAUTHORIZED);
    // Without a session nobody is anybody.
    let forged = home.ask("p=user", APP, "/", &forged).await;
    assert!(forged.status == 401 && !forged.headers.contains_key("remote-user"), "{forged:?}");
}

#[tokio::test]
async fn hostile_19_an_open_route_beside_a_login_never_gets_the_cookie_of_that() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], true), APP).await;
    let all = format!("theirs=1; {cookie}; more=2");
    let token = ("authorization", "Bearer hearth_0123456789");
    let passed = home.ask("p=public", APP, "/open", &[("cookie", &all), token, ("remote-user", "root")]).await;
    assert_eq!(passed.status, StatusCode::OK, "{passed:?}");
    assert_eq!(passed.get("cookie"), "theirs=1; more=2");
    assert!(!passed.headers.contains_key("authorization") && !passed.headers.contains_key("remote-user"), "{passed:?}");
    // Who has none passes too.
    assert_eq!(home.ask("p=public", APP, "/open", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_group_or_admins_alone_enter_and_others_are_told_whom_it_is_for() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&["family"], false), APP).await;
    let status = async |query: &str| home.ask(query, APP, "/", &[("cookie", &cookie), BROWSER[0]]).await;
    assert_eq!(status("p=group:family").await.status, 200);
    let refused = status("p=group:staff").await;
    assert!(
        refused.status == 403 && refused.body.contains("group staff") && refused.body.contains("<html"),
        "{refused:?}"
    );
    assert!(!refused.headers.contains_key("remote-user"));
    assert_eq!(status("p=admin").await.status, 403);
    home.people.alter("p1", |who| who.groups = vec!["staff".into()]);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(
        (status("p=group:family").await.status, status("p=group:staff").await.status),
        (403.try_into().unwrap(), StatusCode::OK)
    );
    home.people.alter("p1", |who| who.admin = true);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(
        (status("p=group:family").await.status, status("p=admin").await.status),
        (StatusCode::OK, StatusCode::OK)
    );
}

#[tokio::test]
async fn hostile_18_a_session_that_ends_anywhere_ends_everywhere_within_a_second() {
    let home = Home::new().await;
    let (app, api) =
        (home.signed_in("p1", grant(&[], false), APP).await, home.signed_in("p1", grant(&[], false), API).await);
    let other = home.signed_in("p2", grant(&[], false), APP).await;
    let enters =
        async |host: &str, cookie: &str| home.ask("p=user", host, "/", &[("cookie", cookie)]).await.status == 200;
    assert!(enters(APP, &app).await && enters(API, &api).await && enters(APP, &other).await);
    // A host's own end is its own only; that of the panel's session is everybody's.
    home.forward.leave(api.split_once('=').unwrap().1).await.unwrap();
    let began = Instant::now();
    while enters(API, &api).await {
        assert!(began.elapsed() < Duration::from_secs(1), "it still enters");
        sleep(Duration::from_millis(5)).await;
    }
    assert!(enters(APP, &app).await);
    home.people.end_parent("p1");
    let began = Instant::now();
    while enters(APP, &app).await || enters(API, &api).await {
        assert!(began.elapsed() < Duration::from_secs(1), "it still enters");
        sleep(Duration::from_millis(5)).await;
    }
    assert!(enters(APP, &other).await, "who did not sign out is still there");
    assert!(home.people.open("p1", APP).await.unwrap().is_none());
}

#[tokio::test]
async fn known_people_do_not_feel_that_the_panel_is_away_and_others_are_refused_after_two_seconds() {
    let mut home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    let held = [("cookie", cookie.as_str())];
    assert_eq!(home.ask("p=user", APP, "/", &held).await.status, 200);
    home.stop_panel().await;
    let entered = home.ask("p=user", APP, "/", &held).await;
    assert!(entered.status == 200 && entered.took < Duration::from_millis(100), "{entered:?}");
    let stranger = format!("__Host-hearth={}", "A".repeat(43));
    let refused = home.ask("p=user", APP, "/", &[("cookie", &stranger), BROWSER[0]]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        refused.body.contains("Signing in is not possible") && !refused.get("retry-after").is_empty(),
        "{refused:?}"
    );
    assert!(
        refused.took > Duration::from_millis(1900) && refused.took < Duration::from_millis(2300),
        "{:?}",
        refused.took
    );
    // Nor is anybody sent to a login that is away; programs need not wait to hear that they are nobody.
    assert_eq!(home.ask("p=user", APP, "/", BROWSER).await.status, 503);
    let program = home.ask("p=user", APP, "/", &[]).await;
    assert!(program.status == 401 && program.took < Duration::from_millis(100), "{program:?}");
    // It comes back while somebody waits.
    let waiting = async { home.ask("p=user", APP, "/", &[("cookie", &stranger)]).await };
    let coming = async {
        sleep(Duration::from_millis(500)).await;
        home.start_panel();
    };
    let (answer, ()) = tokio::join!(waiting, coming);
    assert!(answer.status == 401 && answer.took < Duration::from_millis(1500), "{answer:?}");
    assert_eq!(home.ask("p=user", APP, "/", &held).await.status, 200);
}

#[tokio::test]
async fn what_ended_while_the_panel_was_away_ends_with_its_return() {
    let mut home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    assert_eq!(home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await.status, 200);
    home.stop_panel().await;
    home.people.end_parent("p1");
    home.start_panel();
    home.until("the panel is there", |home| home.auth.line.is_open()).await;
    assert_eq!(home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await.status, 401);
}

#[tokio::test]
async fn a_gate_that_was_never_told_anything_lets_nobody_in() {
    let home = Home::without_panel();
    for query in ["p=user", "p=lan-or-user", "p=user&r=home-api"] {
        let more = [("x-forwarded-for", "192.168.1.7"), ("accept", "text/html")];
        let refused = home.ask(query, API, "/feed", &more).await;
        assert!(refused.status == 503 && refused.took < Duration::from_millis(2300), "{query}: {refused:?}");
    }
}

#[tokio::test]
async fn a_gate_that_begins_without_the_panel_reads_the_doors_beside_its_socket() {
    let home = Home::without_panel();
    let written = |change: &dyn Fn(&mut Doors)| {
        let mut doors = doors(home.dir.path());
        change(&mut doors);
        place::write_doors(home.dir.path(), &doors).unwrap();
    };
    written(&|_| ());
    home.until("gate has read them", |home| home.auth.known.rules().is_some()).await;
    let from_home = [("x-forwarded-for", "192.168.1.7")];
    assert_eq!(home.ask("p=lan-or-user", APP, "/", &from_home).await.status, 200);
    assert_eq!(home.ask("p=user&r=home-api", API, "/feed", &[]).await.status, 200);
    assert_eq!(home.ask("p=user", APP, "/", &from_home).await.status, 401);
    assert_eq!(home.ask("p=lan-or-user", APP, "/", &[]).await.status, 401);
    written(&|doors| doors.lan.clear());
    home.until("gate has read them again", |home| {
        !home.auth.known.rules().unwrap().is_home("192.168.1.7".parse().unwrap())
    })
    .await;
    assert_eq!(home.ask("p=lan-or-user", APP, "/", &from_home).await.status, 401);
}

#[tokio::test]
async fn a_gate_that_begins_anew_knows_everybody_as_soon_as_the_panel_is_there() {
    let mut home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    std::mem::take(&mut home.gate).cancel();
    home.auth = gate(home.dir.path());
    home.start_gate();
    let asked = home.people.asked();
    let entered = home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await;
    assert!(entered.status == 200 && home.people.asked() == asked, "the snapshot has it: {entered:?}");
}

#[tokio::test]
async fn a_panel_that_hangs_opens_nothing_and_ends_nothing() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    assert_eq!(home.ask("p=user", APP, "/", &[("cookie", cookie.as_str())]).await.status, 200);
    home.people.fall_silent();
    let stranger = format!("__Host-hearth={}", "A".repeat(43));
    let (stranger, known) = ([("cookie", stranger.as_str())], [("cookie", cookie.as_str())]);
    let both = tokio::join!(home.ask("p=user", APP, "/", &stranger), home.ask("p=user", APP, "/", &known));
    assert_eq!((both.0.status, both.1.status), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
}

#[tokio::test]
async fn paths_that_need_nothing_or_a_token_are_let_in_by_that() {
    let home = Home::new().await;
    let query = "p=group:family&r=home-api";
    let own = [("authorization", "Basic dTpw")];
    let free = home.ask(query, API, "/feed/x?y", &own).await;
    assert!(
        free.status == 200 && free.get("authorization") == "Basic dTpw" && !free.headers.contains_key("remote-user"),
        "{free:?}"
    );
    let token = home.people.give_token(&grant(&["family"], false), &["api"]);
    let bearer = format!("Bearer {}", token.expose());
    let with = |text: &str| [("authorization".to_owned(), text.to_owned())];
    let ask = async |query: &str, uri: &str, more: &[(String, String)]| {
        let more: Vec<(&str, &str)> = more.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        home.ask(query, API, uri, &more).await
    };
    let entered = ask(query, "/v1/x", &with(&bearer)).await;
    assert_eq!((entered.status.as_u16(), entered.get("remote-user")), (200, "ada"), "{entered:?}");
    assert!(!entered.headers.contains_key("authorization"), "the token goes no further");
    // Nor where it opens nothing.
    assert_eq!(ask(query, "/feed", &with(&bearer)).await.get("authorization"), "");
    for (query, uri, text) in [
        (query, "/v1/x", "Bearer nonsense".to_owned()),
        (query, "/v1/x", "Bearer".to_owned()),
        (query, "/v1/x", format!("Basic {}", token.expose())),
        (query, "/other", bearer.clone()),
        (query, "/v1/../other", bearer.clone()),
        (query, "/v1/%2e%2e/other", bearer.clone()),
        (query, "/v1/..%2fother", bearer.clone()),
        (query, "/v1/..;/other", bearer.clone()),
        (query, "//v1/x", bearer.clone()),
        (query, "/V1/x", bearer.clone()),
        ("p=group:other&r=home-api", "/v1/x", bearer.clone()),
        ("p=user", "/v1/x", bearer.clone()),
        ("p=user&r=home-nothing", "/v1/x", bearer.clone()),
    ] {
        let refused = ask(query, uri, &with(&text)).await;
        assert_eq!(refused.status, 401, "{query} {uri} {text}");
    }
    for uri in ["/feed/../x", "/feed/%2e%2e/x", "/feed;a", "/feed//x", "/FEED", "/feedback"] {
        assert_eq!(ask(query, uri, &[]).await.status, 401, "{uri}");
    }
    // Another service's token, and one that was taken away.
    let other = home.people.give_token(&grant(&["family"], false), &["app"]);
    assert_eq!(ask(query, "/v1/x", &with(&format!("Bearer {}", other.expose()))).await.status, 401);
    // A token is no cookie, and a cookie no token.
    assert_eq!(
        home.ask("p=user", API, "/", &[("cookie", &format!("__Host-hearth={}", &token.expose()[7..]))]).await.status,
        401
    );
    let cookie = home.signed_in("p1", grant(&["family"], false), API).await;
    assert_eq!(ask(query, "/v1/x", &with(&format!("Bearer {}", cookie.split_once('=').unwrap().1))).await.status, 401);
    // With a session an application's own token is its own.
    let session = [("cookie".to_owned(), cookie), ("authorization".to_owned(), "Bearer own".to_owned())];
    let entered = ask(query, "/v1/x", &session).await;
    assert_eq!((entered.status.as_u16(), entered.get("authorization")), (200, "Bearer own"));
    home.people.take_token(&token);
    let began = Instant::now();
    while ask(query, "/v1/x", &with(&bearer)).await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(1), "it still opens");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn who_is_at_home_enters_without_a_login_where_that_is_enough() {
    let home = Home::new().await;
    let from = async |query: &str, address: &str| {
        home.ask(query, APP, "/", &[("x-forwarded-for", address)]).await.status.as_u16()
    };
    for address in ["192.168.1.7", "fd00::7", "::ffff:192.168.1.7"] {
        assert_eq!(from("p=lan-or-user", address).await, 200, "{address}");
        assert_eq!(from("p=user", address).await, 401, "{address}");
    }
    for address in
        ["203.0.113.5", "192.168.2.7", "192.168.1.7, 203.0.113.5", "203.0.113.5, 192.168.1.7", "", "x", "10.213.4.1"]
    {
        assert_eq!(from("p=lan-or-user", address).await, 401, "{address}");
    }
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    let named = home.ask("p=lan-or-user", APP, "/", &[("x-forwarded-for", "192.168.1.7"), ("cookie", &cookie)]).await;
    assert_eq!((named.status.as_u16(), named.get("remote-user")), (200, "ada"));
    assert_eq!(
        home.ask("p=lan-or-user", APP, "/", &[("cookie", &cookie)]).await.status,
        200,
        "from elsewhere, signed in"
    );
}

#[tokio::test]
async fn nobody_but_traefik_is_answered() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], true), APP).await;
    let key = place::keys(home.dir.path(), &SystemRandom).unwrap().address.text();
    for at in [
        "/auth/?p=user",
        "/auth/x?p=user",
        &format!("/auth/{key}x?p=user"),
        &format!("/auth/{}?p=user", key.to_lowercase()),
        &format!("/auth/{key}"),
        &format!("/auth/{key}?p="),
        &format!("/auth/{key}?p=everybody"),
        &format!("/auth/{key}?r=home-api"),
    ] {
        let refused = home.ask_at(at, APP, "/", &[("cookie", &cookie)]).await;
        assert_eq!(refused.status, 503, "{at}");
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_and_the_panel_hears_of_its_use() {
    let home = Home::new().await;
    let now = home.auth.known.now();
    let who = Grant { idle: 700, used: now, ..grant(&[], false) };
    let cookie = home.signed_in("p1", who, APP).await;
    let enters = async || home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await.status == 200;
    // Used again and again it goes on.
    for _ in 0..5 {
        sleep(Duration::from_millis(250)).await;
        assert!(enters().await);
    }
    let used = home.auth.known.used();
    assert_eq!(used.len(), 1);
    assert!(used[0].1 > now + 1000 && used[0].0 == Hash::of(cookie.split_once('=').unwrap().1));
    assert!(home.auth.known.used().is_empty(), "once for each use");
    sleep(Duration::from_millis(900)).await;
    assert!(home.auth.known.get(&used[0].0, home.auth.known.now()).is_none());
}

#[tokio::test]
async fn strangers_in_numbers_keep_nobody_who_is_known_from_their_turn() {
    let mut home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    assert_eq!(home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await.status, 200);
    home.stop_panel().await;
    let stranger = |n: usize| format!("__Host-hearth={}{n:05}", "A".repeat(38));
    let flood = futures_util::future::join_all((0..2000).map(|n| {
        let (home, cookie) = (&home, stranger(n));
        async move { home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await }
    }));
    let known = async {
        sleep(Duration::from_millis(200)).await;
        home.ask("p=user", APP, "/", &[("cookie", &cookie)]).await
    };
    let (all, known) = tokio::join!(flood, known);
    assert!(known.status == 200 && known.took < Duration::from_millis(100), "{known:?}");
    assert!(all.iter().all(|answer| answer.status == 503));
    let waited = all.iter().filter(|answer| answer.took > Duration::from_secs(1)).count();
    assert!(waited <= super::WAITING, "{waited} waited");
}

#[tokio::test]
async fn whom_gate_turns_away_is_told_to_the_panel_also_what_came_while_it_was_away() {
    let mut home = Home::new().await;
    let cookie = home.signed_in("s1", grant(&[], false), APP).await;
    let known = [("cookie", cookie.as_str()), ("accept", "*/*")];
    let told = async |home: &Home, sum: u64| {
        let waited = timeout(Duration::from_secs(20), async {
            while home.people.refused().0.iter().map(|one| one.count).sum::<u64>() < sum {
                sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{:?}", home.people.refused()));
        home.people.refused()
    };
    for _ in 0..30 {
        assert_eq!(home.ask("p=user", APP, "/a?secret=1", &[("accept", "*/*")]).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(home.ask("p=admin", APP, "/a", &known).await.status, StatusCode::FORBIDDEN);
    assert_eq!(home.ask("p=user", "elsewhere.example", "/a", &[]).await.status, StatusCode::UNAUTHORIZED);
    // Who enters, and who is sent to the login, is not turned away.
    assert_eq!(home.ask("p=user", APP, "/a", &known).await.status, StatusCode::OK);
    assert_eq!(home.ask("p=user", APP, "/a", BROWSER).await.status, StatusCode::FOUND);
    let (mut all, lost) = told(&home, 32).await;
    all.sort_by_key(|one| one.count);
    let short = |one: &Refused| (one.service.clone(), one.status, one.user.clone(), one.count);
    let ada = ("app".to_owned(), 403, Some("ada".to_owned()), 1);
    assert_eq!(lost, 0);
    assert!(all.iter().any(|one| short(one) == ada), "{all:?}");
    assert!(
        all.iter().any(|one| short(one) == (String::new(), 401, None, 1)),
        "a host is not the client's word: {all:?}"
    );
    assert!(all.iter().all(|one| one.from == Some([203, 0, 113, 5].into())));
    home.stop_panel().await;
    for _ in 0..7 {
        assert_eq!(home.ask("p=admin", APP, "/a", &known).await.status, StatusCode::FORBIDDEN);
    }
    home.start_panel();
    let (all, lost) = told(&home, 39).await;
    assert_eq!((all.iter().map(|one| one.count).sum::<u64>(), lost), (39, 0));
}

#[tokio::test]
async fn cookies_that_are_too_large_are_said_in_words_with_the_way_out() {
    let home = Home::new().await;
    let cookie = home.signed_in("p1", grant(&[], false), APP).await;
    for (kib, status) in [(40, 200), (50, 431), (64, 431)] {
        let cookies = format!("{cookie}; stuffed={}", "x".repeat(kib << 10));
        let answer = home.ask("p=user", APP, "/", &[("cookie", &cookies), ("accept", "text/html")]).await;
        assert_eq!(answer.status, status, "{kib} KiB");
        if status == 431 {
            assert!(answer.body.contains("stuffed") && answer.body.contains("/cookies"), "{}", answer.body);
            assert!(answer.get("clear-site-data").is_empty(), "a script of the service could ask for it here");
        }
    }
}

#[tokio::test]
async fn hostile_19_an_account_for_some_services_enters_these_alone_and_a_change_counts_within_a_second() {
    let home = Home::new().await;
    let only = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let guest = Grant { only: only(&["api"]), ..grant(&["family"], false) };
    let (app, api) = (home.signed_in("p1", guest.clone(), APP).await, home.signed_in("p2", guest.clone(), API).await);
    let at_app = async |query: &str| home.ask(query, APP, "/", &[("cookie", &app), ("accept", "text/html")]).await;
    let at_api = async |query: &str| home.ask(query, API, "/", &[("cookie", &api)]).await;
    for (query, status) in
        [("p=user", 403), ("p=lan-or-user", 403), ("p=group:family", 200), ("p=group:x", 403), ("p=admin", 403)]
    {
        assert_eq!(at_app(query).await.status, status, "{query}");
    }
    let told = at_app("p=user").await;
    assert!(told.body.contains("signed in as ada, and this account is for api alone"), "{told:?}");
    // The route names its service itself; a question that names none is about no such route, and one that names another about that.
    for (query, status) in [
        ("p=user&r=home-api", 200),
        ("p=group:x&r=home-api", 200),
        ("p=admin&r=home-api", 403),
        ("p=user&r=home-app", 403),
        ("p=user&r=home-gone", 403),
        ("p=user", 403),
    ] {
        assert_eq!(at_api(query).await.status, status, "{query}");
    }
    // Who is in the home's network enters as anybody there does, and is nobody.
    let near = home.ask("p=lan-or-user", APP, "/", &[("cookie", &app), ("x-forwarded-for", "192.168.1.7")]).await;
    assert_eq!((near.status, near.get("remote-user")), (StatusCode::OK, ""));
    let open = home.ask("p=user&r=home-api", API, "/feed", &[("cookie", &api)]).await;
    assert_eq!((open.status, open.get("remote-user")), (StatusCode::OK, "ada"));
    // A token opens nothing that its owner may not enter.
    let by = |token: &crate::base::secret::Secret| format!("Bearer {}", token.expose());
    let (mine, others) = (
        by(&home.people.give_token(&guest, &["api"])),
        by(&home.people.give_token(&Grant { only: only(&["app"]), ..guest.clone() }, &["api", "app"])),
    );
    for (token, status) in [(&mine, 200), (&others, 401)] {
        let answer = home.ask("p=user&r=home-api", API, "/v1/x", &[("authorization", token)]).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    // Services of one host share its pages and cookies: who is for one of them alone does not enter.
    home.doors.send_modify(|doors| {
        let doors = doors.as_mut().unwrap();
        let beside = Door { name: "home-beside".into(), service: "beside".into(), ..doors.routes[0].clone() };
        doors.routes.push(beside);
    });
    home.until("gate knows them", |home| home.auth.known.rules().is_some_and(|rules| rules.doors.routes.len() == 3))
        .await;
    for (names, status) in [(&["app"][..], 403), (&["beside"], 403), (&["app", "beside"], 200), (&["api"], 403)] {
        let names = only(names);
        home.people.alter("p1", |grant| grant.only = names.clone());
        soon(async || at_app("p=user").await.status == status).await;
    }
    // What was a service's name opens nothing once no route has it.
    home.people.alter("p2", |grant| grant.only = only(&["renamed"]));
    soon(async || at_api("p=user&r=home-api").await.status == StatusCode::FORBIDDEN).await;
    home.people.alter("p1", |grant| grant.only = Vec::new());
    soon(async || at_app("p=user").await.status == StatusCode::OK).await;
}

/// Within a second.
async fn soon(is: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is().await {
        assert!(began.elapsed() < Duration::from_secs(1), "within a second");
        sleep(Duration::from_millis(5)).await;
    }
}
