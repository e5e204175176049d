//! Programs, logs and figures of containers: what streams.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hearth::auth::audit::Outcome;
use hearth::auth::who::Asking;
use hearth::engine::fake::FakeContainer;
use hearth::plan::observed::Mount;
use serde_json::{Value, json};

use crate::rig::{Server, Socket};

async fn running() -> Server {
    let s = Server::begin().await;
    s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    s
}

const WEB: &str = "/api/v1/containers/apihome-web-1";

async fn ticket(s: &Server, who: &str, body: Value) -> String {
    s.post(who, &format!("{WEB}/exec"), body).await.is(200).body["path"].as_str().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_talked_to_over_a_socket() {
    let s = running().await;
    let path =
        ticket(&s, "operator", json!({"command": ["sh", "-c", "$HOME; x"], "tty": {"rows": 24, "columns": 80}})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    assert_eq!(socket.next().await, (2, b"\x01in memory: sh -c $HOME; x\r\n".to_vec()));
    socket.send(1, br#"{"resize": {"rows": 30, "columns": 100}}"#).await;
    socket.send(2, b"hello").await;
    assert_eq!(socket.next().await, (2, b"\x01hello".to_vec()));
    socket.send(1, br#"{"end": true}"#).await;
    assert_eq!(socket.next().await, (1, br#"{"exit_code":0}"#.to_vec()));
    assert_eq!(socket.closed().await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_a_program_comes_back_whole_while_both_ways_are_full() {
    let s = running().await;
    let path = ticket(&s, "operator", json!({"command": ["cat"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    let sent: Vec<u8> = (0..8_u32 << 20).map(|n| (n % 251) as u8).collect();
    let (came, said) = socket.through(&sent).await;
    assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
    assert_eq!(said, br#"{"exit_code":0}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_no_input_is_told_in_words_and_nothing_is_left_out_in_silence() {
    let s = running().await;
    let path = ticket(&s, "operator", json!({"command": ["sleep", "1000"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    socket.send(2, &[b'x'; 40_000]).await;
    let begun = Instant::now();
    // Nothing comes for as long as it might still take it.
    let (kind, said) = socket.next_within(Duration::from_secs(45)).await;
    assert!((Duration::from_secs(25)..Duration::from_secs(45)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!((kind, &said["error"]["code"]), (1, &json!("exec.stuck")));
    assert_eq!(socket.closed().await, 1011);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_who_opened_a_shell_where_and_when_it_ended() {
    let s = running().await;
    let began = Instant::now();
    let path = ticket(&s, "operator", json!({"command": ["sh", "-c", "geheim"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    let act = |action: &str| {
        let notes = s.keeper.notes.lock().unwrap();
        let found = notes.iter().rev().find(|act| act.action == action)?.clone();
        assert!(!format!("{:?} {}", found.detail, found.object).contains("geheim"), "arguments may be secrets");
        let Asking::Somebody(who) = &found.asking else { panic!("{action} is nobody's") };
        assert_eq!((who.name.as_str(), found.from), ("ann", "127.0.0.1".parse().unwrap()));
        let id = path.split('/').nth(4).unwrap();
        let object = if action == "exec.ask" { format!("{WEB}/exec") } else { format!("/api/v1/containers/{id}/exec") };
        assert_eq!(found.object, object);
        Some(found)
    };
    let of = json!({"container": "apihome-web-1", "program": "sh", "user": null});
    assert_eq!(act("exec.ask").unwrap().detail, Some(of.clone()));
    // It stands there while the shell is open.
    let opened = act("exec.open").unwrap();
    assert_eq!((opened.outcome, opened.detail), (Outcome::Done, Some(of)));
    assert!(act("exec.end").is_none());
    tokio::time::sleep(Duration::from_millis(50)).await;
    socket.send(1, br#"{"end": true}"#).await;
    assert_eq!(socket.closed().await, 1000);
    let ended = || act("exec.end");
    while ended().is_none() {
        assert!(began.elapsed() < Duration::from_secs(10), "its end is not entered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ended = ended().unwrap();
    let of = json!({"container": "apihome-web-1", "program": "sh", "user": null, "end": "the program has ended", "exit_code": 0});
    assert_eq!((ended.outcome, ended.detail, &ended.request), (Outcome::Done, Some(of), &opened.request));
    assert!(ended.took >= Duration::from_millis(50));
    // Also one that is cut: by the end of somebody's rights, or a client that goes away.
    for how in ["closed", "not allowed any more"] {
        s.keeper.notes.lock().unwrap().clear();
        let path = ticket(&s, "operator", json!({"command": ["sh"]})).await;
        let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
        socket.next().await;
        if how == "not allowed any more" {
            s.keeper.end();
        }
        drop(socket);
        let found = || {
            let notes = s.keeper.notes.lock().unwrap();
            notes.iter().find(|act| act.action == "exec.end").map(|act| act.detail.clone().unwrap()["end"].clone())
        };
        let began = Instant::now();
        while found().is_none() {
            assert!(began.elapsed() < Duration::from_secs(10), "{how} is not entered");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let said = found().unwrap();
        assert!(said == how || said == "closed", "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_31_one_person_has_32_lines_to_the_engine_and_takes_nobody_elses() {
    let s = running().await;
    let log = &format!("{WEB}/logs/stream");
    let mut held = Vec::new();
    for n in 0..31 {
        let path = [log.as_str(), &format!("{WEB}/stats")][n % 2].to_owned();
        let answer = s.open("operator", "GET", &path, None, &[]).await;
        assert_eq!(answer.status(), 200, "{n}");
        held.push(answer);
    }
    // A socket is one too, for as long as it is open.
    let body = || json!({"command": ["sh"]});
    let path = ticket(&s, "operator", body()).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    let refused = s.get("operator", log).await.is(429);
    assert_eq!(refused.code(), "web.too-many-streams");
    assert!(refused.body["error"]["hints"][0].as_str().unwrap().contains("close some of them"), "{}", refused.body);
    let path = ticket(&s, "operator", body()).await;
    assert_eq!(Socket::open(&s, "operator", &path, &[]).await.err(), Some(429));
    assert_eq!(s.get("operator", "/api/v1/events").await.is(429).code(), "web.too-many-streams");
    // Whoever else it is has their own.
    assert_eq!(s.open("viewer", "GET", log, None, &[]).await.status(), 200);
    assert_eq!(s.open("operator", "GET", "/api/v1/containers", None, &[]).await.status(), 200);
    socket.send(1, br#"{"end": true}"#).await;
    assert_eq!(socket.closed().await, 1000);
    let began = Instant::now();
    while s.open("operator", "GET", log, None, &[]).await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "its place is not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Changes the container of `web`.
fn web_of(s: &Server, change: impl FnOnce(&mut FakeContainer)) {
    change(s.world().containers.values_mut().find(|c| c.name == "apihome-web-1").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_11_a_container_with_power_over_the_machine_is_for_admins() {
    let s = running().await;
    let before = ticket(&s, "operator", json!({"command": ["sh"]})).await;
    web_of(&s, |web| web.host_config["Privileged"] = json!(true));
    assert_eq!(Socket::open(&s, "operator", &before, &[]).await.err(), Some(403), "looked at anew at the opening");
    let ask = |who: &'static str, body: Value| {
        let s = &s;
        async move { s.post(who, &format!("{WEB}/exec"), body).await }
    };
    for who in ["operator", "operator.operate", "admin.operate", "operator.admin"] {
        assert_eq!(ask(who, json!({"command": ["/hearth"]})).await.is(403).code(), "exec.power", "{who}");
    }
    let note = s.keeper.notes.lock().unwrap().last().unwrap().clone();
    assert_eq!((note.action.as_str(), note.status), ("exec.ask", 403));
    let detail = json!({"container": "apihome-web-1", "program": "/hearth", "user": null, "code": "exec.power"});
    assert_eq!(note.detail, Some(detail));
    for who in ["admin", "admin.admin"] {
        let path = ticket(&s, who, json!({"command": ["sh"]})).await;
        assert!(Socket::open(&s, who, &path, &[]).await.is_ok(), "{who}");
    }
    web_of(&s, |web| web.host_config["Privileged"] = json!(false));
    ask("operator", json!({"command": ["sh"]})).await.is(200);
    let socket = Mount {
        kind: "bind".into(),
        source: "/var/run/docker.sock".into(),
        destination: "/var/run/docker.sock".into(),
        ..Default::default()
    };
    web_of(&s, |web| web.mounts.push(socket));
    assert_eq!(ask("operator", json!({"command": ["sh"]})).await.is(403).code(), "exec.power");
    web_of(&s, |web| drop(web.mounts.pop()));
    // Nor as anybody else than whoever the image says.
    assert_eq!(ask("operator", json!({"command": ["sh"], "user": "root"})).await.is(403).code(), "exec.user");
    ask("admin", json!({"command": ["sh"], "user": "root"})).await.is(200);
    web_of(&s, |web| web.config["User"] = json!("1000"));
    ask("operator", json!({"command": ["sh"], "user": "1000"})).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_11_nobody_enters_hearths_own_containers() {
    let s = running().await;
    let before = ticket(&s, "admin", json!({"command": ["sh"]})).await;
    web_of(&s, |web| web.config["Env"] = json!(["HEARTH_GATE_PROJECT=apihome"]));
    assert_eq!(Socket::open(&s, "admin", &before, &[]).await.err(), Some(403));
    for who in ["operator", "admin", "admin.admin"] {
        let refused = s.post(who, &format!("{WEB}/exec"), json!({"command": ["/hearth"]})).await.is(403);
        assert_eq!(refused.code(), "exec.own", "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_17_a_socket_takes_a_ticket_of_its_own_and_a_page_of_ours() {
    let s = running().await;
    let body = || json!({"command": ["true"]});
    let path = ticket(&s, "operator", body()).await;
    let bare = path.split('?').next().unwrap();
    assert_eq!(Socket::open(&s, "operator", bare, &[]).await.err(), Some(422), "no ticket");
    assert_eq!(Socket::open(&s, "operator", &format!("{bare}?ticket=guessed"), &[]).await.err(), Some(403));
    assert_eq!(Socket::open(&s, "", &path, &[]).await.err(), Some(401), "a ticket alone is nobody");
    let path = ticket(&s, "operator", body()).await;
    assert_eq!(Socket::open(&s, "admin", &path, &[]).await.err(), Some(403), "somebody else's");
    assert_eq!(Socket::open(&s, "operator", &path, &[]).await.err(), Some(403), "it was tried");
    let path = ticket(&s, "operator", body()).await;
    assert_eq!(Socket::open(&s, "viewer", &path, &[]).await.err(), Some(403));
    let path = ticket(&s, "operator", body()).await;
    assert!(Socket::open(&s, "operator", &path, &[]).await.is_ok());
    assert_eq!(Socket::open(&s, "operator", &path, &[]).await.err(), Some(403), "it was used");
    assert_eq!(s.get("operator", &format!("{bare}?ticket=x")).await.is(422).code(), "web.no-socket");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_18_a_socket_ends_within_a_second_of_the_rights_of_who_opened_it() {
    let s = running().await;
    let path = ticket(&s, "operator", json!({"command": ["sh"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    let ended = Instant::now();
    let log = format!("{WEB}/logs/stream");
    let stats = format!("{WEB}/stats");
    let streams = [log.as_str(), &stats].map(|path| s.events("viewer", path, &[], |_, _| false));
    let ((), closed, _) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            s.keeper.end();
        },
        socket.closed(),
        futures_util::future::join_all(streams),
    );
    assert_eq!(closed, 4001);
    assert!(ended.elapsed() < Duration::from_millis(1300), "{:?}", ended.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_is_typed_into_is_a_use_of_the_session_and_one_that_is_watched_is_none() {
    let s = running().await;
    let log = format!("{WEB}/logs/stream");
    s.events("viewer", &log, &[], |name, _| name == "line").await;
    let path = ticket(&s, "operator", json!({"command": ["sh"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    socket.send(9, b"").await;
    assert_eq!(socket.next().await.0, 10);
    assert_eq!(s.keeper.uses.load(Ordering::Relaxed), 0, "opening is a request, and a ping is nobody's doing");
    for _ in 0..3 {
        socket.send(2, b"x").await;
        assert_eq!(socket.next().await, (2, b"\x01x".to_vec()));
    }
    assert_eq!(s.keeper.uses.load(Ordering::Relaxed), 1, "told now and then, not with every letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_the_server() {
    let s = running().await;
    let path = ticket(&s, "operator", json!({"command": ["sh"]})).await;
    let mut socket = Socket::open(&s, "operator", &path, &[]).await.unwrap();
    socket.next().await;
    assert_eq!(s.api.works.stop(Duration::from_secs(1)).await, 0);
    assert_eq!(socket.closed().await, 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_12_what_cannot_be_seen_cannot_be_entered_read_or_stopped() {
    let s = running().await;
    let other = {
        let mut world = s.world();
        let mut one = world.containers.values().next().unwrap().clone();
        one.id = "f".repeat(64);
        one.name = "other-web-1".into();
        one.labels.insert("com.docker.compose.project".into(), "other".into());
        world.containers.insert(one.id.clone(), one.clone());
        one
    };
    assert!(!s.get("admin", "/api/v1/containers").await.items("id").contains(&other.id));
    for wanted in [other.id.as_str(), &other.id[..12], "other-web-1"] {
        let path = format!("/api/v1/containers/{wanted}");
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("GET", format!("{path}/logs"), None),
            ("GET", format!("{path}/logs/stream"), None),
            ("GET", format!("{path}/stats"), None),
            ("POST", format!("{path}/exec"), Some(json!({"command": ["sh"]}))),
        ] {
            assert_eq!(s.call("admin", method, &path, body, &[]).await.is(404).code(), "stacks.no-container", "{path}");
        }
    }
    // Nor by naming its project, which this home has not adopted.
    for (path, body) in [
        ("stop", json!({"project": "other"})),
        ("down", json!({"project": "other"})),
        ("up", json!({"project": "other"})),
        ("plans", json!({"project": "other"})),
    ] {
        assert_eq!(s.post("admin", &format!("/api/v1/{path}"), body).await.is(404).code(), "home.no-project", "{path}");
    }
    assert_eq!(s.get("admin", "/api/v1/containers?project=other").await.is(404).code(), "home.no-project");
    assert!(s.world().containers[&other.id].is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_13_nothing_of_dockers_own_api_is_there() {
    let s = running().await;
    for path in [
        "/containers/json",
        "/v1.45/containers/json",
        "/api/v1/docker/containers/json",
        "/api/v1/../../containers/json",
        "/info",
        "/_ping",
    ] {
        for role in ["admin", "operator"] {
            assert_eq!(s.get(role, path).await.status, 404, "{path}");
        }
        assert_eq!(s.get("", path).await.status, 401, "{path}");
    }
    // Nor can what a program gets be made more than it is.
    for more in ["privileged", "Privileged", "env", "volumes"] {
        let mut body = json!({"command": ["sh"]});
        body[more] = json!(true);
        s.post("admin", &format!("{WEB}/exec"), body).await.is(422);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_figures_come_as_they_come() {
    let s = running().await;
    let lines = s.get("viewer", &format!("{WEB}/logs?tail=5")).await.is(200).body;
    assert_eq!(lines["lines"][0]["text"], "web runs in memory only");
    assert_eq!(s.get("viewer", &format!("{WEB}/logs?since=yesterday")).await.is(422).code(), "cli.bad-value");
    let followed = s.events("viewer", &format!("{WEB}/logs/stream"), &[], |name, _| name == "line").await;
    assert_eq!(followed[0].2["text"], "web runs in memory only");
    let figures = s.events("viewer", &format!("{WEB}/stats"), &[], |name, _| name == "stats").await;
    assert_eq!(figures[0].2["processes"], 1);
}
