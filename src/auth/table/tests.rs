//! The guard, tried on a small table of its own.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, atomic::Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::guard::{Detail, SignedIn};
use super::stay::Patience;
use super::*;
use crate::auth::own_name::OwnName;
use crate::auth::who::{Anyone, Asking, By, Identity, Operator, Role, User, Viewer};
use crate::calls;
use crate::pages;
use crate::web::Caller;

/// Believes `Authorization: Bearer ROLE` and `Cookie: ROLE`, and keeps what is noted.
#[derive(Default)]
pub struct Credulous {
    pub not_set_up: AtomicBool,
    pub notes: Mutex<Vec<Act>>,
    /// The number of the account that everybody has.
    pub person: Mutex<i64>,
}

#[async_trait::async_trait]
impl Doorkeeper for Credulous {
    fn is_set_up(&self) -> bool {
        !self.not_set_up.load(Ordering::Relaxed)
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }

    async fn still(&self, _: &Identity) -> Option<bool> {
        Some(true)
    }

    async fn ask(&self, headers: &HeaderMap, _: &Caller, cookies: bool) -> Asking {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let (word, by) = match (text("authorization"), text("cookie").filter(|_| cookies)) {
            (Some(bearer), _) => (bearer.trim_start_matches("Bearer "), By::Access("f".into())),
            (None, Some(cookie)) => (cookie, By::Session("s".into())),
            _ => return Asking::Nobody,
        };
        let (word, by) = match word.split_once('+') {
            Some((role, scope)) => (role, By::Token { id: "t".into(), scopes: vec![scope.into()] }),
            None => (word, by),
        };
        match word.parse() {
            Ok(role) => {
                let user = *self.person.lock().unwrap();
                let identity = Identity { user, name: word.into(), role, groups: Vec::new(), only: Vec::new(), by };
                Asking::Somebody(Arc::new(identity))
            }
            Err(()) => {
                let d = crate::diag::Diagnostic::error("auth.nobody", "this token does not hold");
                Asking::Refused(Arc::new(d.kind(crate::diag::Kind::Unauthenticated)))
            }
        }
    }
}

#[async_trait::async_trait]
impl Notebook for Credulous {
    async fn note(&self, act: Act) {
        self.notes.lock().unwrap().push(act);
    }
}

mod things {
    use super::*;

    #[derive(serde::Deserialize, utoipa::ToSchema)]
    #[serde(deny_unknown_fields)]
    pub struct New {
        name: String,
    }

    /// All things
    #[utoipa::path(get, path = "/api/things", responses((status = 200)))]
    pub async fn list(_: Viewer) -> &'static str {
        "[]"
    }

    /// Make one
    #[utoipa::path(post, path = "/api/things", request_body = New, responses((status = 201)))]
    pub async fn add(_: Operator, State(made): State<Arc<AtomicUsize>>, new: crate::web::read::Json<New>) -> Response {
        let n = made.fetch_add(1, Ordering::Relaxed);
        let mut answer = (StatusCode::CREATED, format!("{n} {}", new.0.name)).into_response();
        answer.extensions_mut().insert(Detail(serde_json::json!({"name": new.0.name})));
        answer
    }

    pub async fn page(_: User) -> &'static str {
        "a page"
    }

    /// What goes on
    #[utoipa::path(get, path = "/api/things/events", responses((status = 200)))]
    pub async fn watch(_: Viewer) -> Body {
        Body::from_stream(futures_util::stream::pending::<Result<axum::body::Bytes, std::io::Error>>())
    }

    /// As a provider of accounts sends somebody back.
    pub async fn arrive(_: Anyone) -> Response {
        let mut answer = StatusCode::SEE_OTHER.into_response();
        answer.extensions_mut().insert(SignedIn { user: 8, name: "ben".into() });
        answer
    }
}

struct Tried {
    status: u16,
    headers: HeaderMap,
    body: String,
}

fn router(keeper: &Arc<Credulous>, made: &Arc<AtomicUsize>) -> Router {
    let mut table = Table::default();
    calls! { table:
        GET "/api/things" Viewer => things::list;
        POST "/api/things" Operator => things::add;
    }
    table.streams(stay::HEAVY, |table| {
        calls! { table:
            GET "/api/things/events" Viewer => things::watch;
        }
    });
    pages! { table:
        GET "/things" User => things::page;
        GET "/arrive" Anyone => things::arrive;
    }
    let cors = vec!["https://app.example".to_owned()];
    let guard =
        Arc::new(Guard::new(keeper.clone(), keeper.clone(), OwnName::labelled("aaaaaaaaaaaa").unwrap(), cors, 1));
    table.router(&guard).with_state(made.clone())
}

async fn tried(router: &Router, head: &str, body: &str) -> Tried {
    tried_at(router, "panel.example", head, body).await
}

async fn tried_at(router: &Router, host: &str, head: &str, body: &str) -> Tried {
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().trim().split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.trim().split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    let host = Some(host.to_owned());
    request.extensions_mut().insert(Caller { address: [10, 0, 0, 9].into(), https: true, host });
    let answer = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Tried { status: parts.status.as_u16(), headers: parts.headers, body }
}

const POST: &str = "POST /api/things\nContent-Type: application/json\n";

#[tokio::test]
async fn hostile_10_a_refused_call_does_nothing_and_is_noted() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    for (who, status) in [
        ("", 401),
        ("Authorization: Bearer wrong", 401),
        ("Authorization: Bearer viewer", 403),
        ("Authorization: Bearer member", 403),
        ("Authorization: Bearer admin+read", 403),
        ("Authorization: Bearer operator", 201),
        ("Authorization: Bearer admin+operate", 201),
    ] {
        let before = made.load(Ordering::Relaxed);
        let answer = tried(&router, &format!("{POST}{who}"), r#"{"name": "x"}"#).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.body);
        assert_eq!(made.load(Ordering::Relaxed) > before, status == 201, "{who}");
    }
    let notes = keeper.notes.lock().unwrap();
    assert_eq!(notes.len(), 7);
    assert_eq!(notes.iter().filter(|act| act.outcome == Outcome::Refused).count(), 5);
    let last = notes.last().unwrap();
    assert_eq!((last.action.as_str(), last.object.as_str(), last.status), ("things.add", "/api/things", 201));
    assert_eq!(last.detail, Some(serde_json::json!({"name": "x"})));
    assert_eq!(last.from, std::net::IpAddr::from([10, 0, 0, 9]));
}

#[tokio::test]
async fn hostile_19_nobody_is_signed_in_where_every_port_sees_the_cookie() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let (here, own) = ("localhost:8443", "aaaaaaaaaaaa.panel.localhost:8443");
    let page = "GET /things?a=b\nAccept: text/html\nSec-Fetch-Site: same-origin\nCookie: operator";
    assert_eq!(tried_at(&router, own, page, "").await.body, "a page");
    // No answer has the panel's own name: the page in whose frame it is would learn it.
    let form = "POST /things\nAccept: text/html\nSec-Fetch-Site: same-origin";
    for asked in [page, form, "GET /nothing\nAccept: text/html"] {
        let refused = tried_at(&router, here, asked, "").await;
        assert!(refused.status == 403 && refused.body.contains("auth.shared-name"), "{asked}: {}", refused.body);
        let said = format!("{:?} {}", refused.headers, refused.body);
        assert!(!said.contains("aaaaaaaaaaaa") && !refused.headers.contains_key("location"), "{said}");
    }
    let acts = std::mem::take(&mut *keeper.notes.lock().unwrap());
    let told = acts.iter().map(|act| (act.action.as_str(), act.object.as_str(), act.outcome)).collect::<Vec<_>>();
    let of = |path: &'static str| ("shared-name", path, Outcome::Refused);
    assert_eq!(told, [of("/things"), of("/things"), of("/nothing")], "each is entered");
    assert!(acts.iter().all(|act| !act.request.is_empty() && matches!(act.asking, Asking::Nobody)));
    // A call counts as nobody's, and a token holds.
    let call = "GET /api/things\nSec-Fetch-Site: same-origin\n";
    assert_eq!(tried_at(&router, own, &format!("{call}Cookie: operator"), "").await.status, 200);
    assert_eq!(tried_at(&router, here, &format!("{call}Cookie: operator"), "").await.status, 401);
    assert_eq!(tried_at(&router, here, &format!("{call}Authorization: Bearer operator"), "").await.status, 200);
}

#[tokio::test]
async fn what_only_looks_is_noted_where_it_is_refused() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    assert_eq!(tried(&router, "GET /api/things\nAuthorization: Bearer viewer", "").await.status, 200);
    assert_eq!(tried(&router, "GET /api/things\nAuthorization: Bearer member", "").await.status, 403);
    assert_eq!(keeper.notes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn hostile_21_a_cookie_changes_something_only_from_our_own_page() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    for (from, status) in [
        ("Sec-Fetch-Site: same-origin", 201),
        ("Origin: https://panel.example", 201),
        ("Sec-Fetch-Site: same-site", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Origin: https://other.example", 403),
        ("Origin: null", 403),
        // A browser of today says where a page is from; without a word the cookie counts for nothing.
        ("X-Nothing: 1", 401),
    ] {
        let head = format!("{POST}Cookie: operator\n{from}");
        let answer = tried(&router, &head, r#"{"name": "x"}"#).await;
        assert_eq!(answer.status, status, "{from}: {}", answer.body);
    }
    // A page of ours may not be looked into from others either.
    let get = |site: &str, more: &str| format!("GET /api/things\nCookie: operator\nSec-Fetch-Site: {site}{more}");
    assert_eq!(
        tried(&router, &get("same-site", "\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image"), "").await.status,
        401
    );
    assert_eq!(
        tried(&router, &get("cross-site", "\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: iframe"), "").await.status,
        401
    );
    assert_eq!(tried(&router, &get("same-origin", ""), "").await.status, 200);
    // A token is not sent by a browser on its own.
    let head = format!("{POST}Authorization: Bearer operator\nSec-Fetch-Site: cross-site");
    assert_eq!(tried(&router, &head, r#"{"name": "x"}"#).await.status, 201);
}

#[tokio::test]
async fn hostile_09_nobody_learns_what_there_is_by_trying() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    for head in ["GET /nothing", "GET /api/nothing", "GET /api/things/1"] {
        assert_eq!(tried(&router, head, "").await.status, 401, "{head}");
    }
    let viewer = "\nAuthorization: Bearer viewer";
    let none = tried(&router, &format!("GET /api/nothing{viewer}"), "").await;
    assert!(none.status == 404 && none.body.contains("/docs on this server"), "{}", none.body);
    let answer = tried(&router, "DELETE /api/things", "").await;
    assert_eq!(answer.status, 405);
    assert!(answer.body.contains("web.no-such-method"), "{}", answer.body);
    let answer = tried(&router, "GET /things\nAccept: text/html", "").await;
    assert_eq!((answer.status, &answer.headers["location"]), (303, &"/login?next=%2Fthings".parse().unwrap()));
}

#[tokio::test]
async fn who_knocks_where_nothing_is_stands_in_the_audit() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let noted = || {
        let all = std::mem::take(&mut *keeper.notes.lock().unwrap());
        all.into_iter().map(|act| (act.action, act.object, act.outcome, act.status)).collect::<Vec<_>>()
    };
    let refused = |path: &str, status| ("nothing".to_owned(), path.to_owned(), Outcome::Refused, status);
    for head in ["GET /api/v2/users?token=s3cret", "POST /wp-login.php\nAuthorization: Bearer wrong"] {
        assert_eq!(tried(&router, head, "").await.status, 401, "{head}");
    }
    assert_eq!(noted(), [refused("/api/v2/users", 401), refused("/wp-login.php", 401)]);
    // Who is led to the login is not turned away, and who is somebody may look.
    tried(&router, "GET /nothing\nAccept: text/html", "").await;
    tried(&router, "GET /nothing\nAuthorization: Bearer viewer", "").await;
    tried(&router, "DELETE /api/things", "").await;
    assert_eq!(noted(), []);
    keeper.not_set_up.store(true, Ordering::Relaxed);
    tried(&router, "GET /nothing", "").await;
    tried(&router, "DELETE /api/things", "").await;
    assert_eq!(noted(), [refused("/nothing", 403), refused("/api/things", 403)]);
}

#[tokio::test]
async fn who_is_made_known_by_a_page_that_only_looks_stands_in_the_audit() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    assert_eq!(tried(&router(&keeper, &made), "GET /arrive", "").await.status, 303);
    let notes = keeper.notes.lock().unwrap();
    let act = notes.first().expect("it is noted");
    assert_eq!((act.action.as_str(), act.outcome), ("things.arrive", Outcome::Done));
    assert_eq!(act.signed_in.as_ref().map(|who| who.user), Some(8));
}

#[tokio::test]
async fn hostile_31_one_person_has_so_many_streams_open_and_takes_nobody_elses() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let open = async |who: &str| {
        let request = Request::builder().uri("/api/things/events").header("authorization", format!("Bearer {who}"));
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    // By whatever they show: it is one person.
    let mut all = Vec::new();
    for n in 0..stay::MOST / stay::HEAVY {
        let answer = open(["viewer", "operator", "admin+read"][n as usize % 3]).await;
        assert_eq!(answer.status(), 200, "{n}");
        all.push(answer);
    }
    let refused = open("viewer").await;
    assert_eq!(refused.status(), 429);
    let said = String::from_utf8(refused.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    assert!(said.contains("web.too-many-streams") && said.contains("close some of them"), "{said}");
    let act = keeper.notes.lock().unwrap().pop().expect("a refusal is noted");
    assert_eq!((act.action.as_str(), act.outcome), ("things.watch", Outcome::Refused));
    // Calls are none of them, nor is another person's.
    assert_eq!(tried(&router, "GET /api/things\nAuthorization: Bearer viewer", "").await.status, 200);
    *keeper.person.lock().unwrap() = 8;
    assert_eq!(open("viewer").await.status(), 200);
    *keeper.person.lock().unwrap() = 0;
    // One that is closed makes place, and what was refused takes none.
    for _ in 0..3 {
        drop(all.pop());
        assert_eq!(open("member").await.status(), 403);
        all.push(open("viewer").await);
        assert_eq!((all.last().unwrap().status().as_u16(), open("viewer").await.status().as_u16()), (200, 429));
    }
}

#[tokio::test]
async fn hostile_15_nothing_answers_until_the_home_is_set_up() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    keeper.not_set_up.store(true, Ordering::Relaxed);
    let router = router(&keeper, &made);
    for head in ["GET /api/things", "GET /nothing", "GET /things\nAccept: text/html", POST.trim_end()] {
        let answer = tried(&router, &format!("{head}\nAuthorization: Bearer admin"), r#"{"name": "x"}"#).await;
        assert_eq!(answer.status, 403, "{head}");
        assert!(answer.body.contains("setup-link"), "{}", answer.body);
    }
    assert_eq!(made.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_call_that_is_sent_again_is_done_once() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let head = format!("{POST}Authorization: Bearer operator\nIdempotency-Key: k1");
    let first = tried(&router, &head, r#"{"name": "x"}"#).await;
    let again = tried(&router, &head, r#"{"name": "x"}"#).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(tried(&router, &head, r#"{"name": "y"}"#).await.status, 422, "another body is another call");
    let other = head.replace("operator", "admin+operate").replace("k1", "k 1");
    assert_eq!(tried(&router, &other, r#"{"name": "x"}"#).await.status, 422);
    assert_eq!(made.load(Ordering::Relaxed), 1);
    let notes = std::mem::take(&mut *keeper.notes.lock().unwrap());
    let marked: Vec<_> = notes.iter().map(|act| act.detail.as_ref().unwrap()["replayed"] == true).collect();
    assert_eq!(marked, [false, true, false, false], "the audit says which was done and which only answered again");
    // What was refused for its form did nothing, and is looked at again.
    let head = format!("{POST}Authorization: Bearer operator\nIdempotency-Key: k2");
    assert_eq!(tried(&router, &head, "{").await.status, 422);
    assert_eq!(tried(&router, &head, r#"{"name": "x"}"#).await.status, 201);
}

/// An answer may show a secret once: whoever has stolen a narrow token does not get by its key what the owner was shown.
#[tokio::test]
async fn hostile_11_an_answer_is_repeated_to_who_got_it_and_by_nothing_else_of_theirs() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let ask = |who: &str| format!("{POST}{who}\nIdempotency-Key: k1");
    let session = ask("Cookie: operator\nSec-Fetch-Site: same-origin");
    let all =
        [session.as_str(), &ask("Authorization: Bearer operator"), &ask("Authorization: Bearer operator+operate")];
    for (n, head) in all.into_iter().enumerate() {
        let answer = tried(&router, head, r#"{"name": "x"}"#).await;
        assert_eq!((answer.status, answer.body), (201, format!("{n} x")), "{head}");
    }
    assert_eq!(tried(&router, &session, r#"{"name": "x"}"#).await.body, "0 x");
}

#[tokio::test]
async fn hostile_31_nobody_pushes_out_what_is_kept_for_others() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let head = format!("{POST}Authorization: Bearer operator\nIdempotency-Key: mine");
    let first = tried(&router, &head, r#"{"name": "x"}"#).await;
    for n in 0..2000 {
        tried(&router, &format!("{POST}Idempotency-Key: k{n}"), r#"{"name": "x"}"#).await;
    }
    assert_eq!(tried(&router, &head, r#"{"name": "x"}"#).await.body, first.body);
    // What one user sends pushes out their own: the table does not grow.
    for n in 0..200 {
        tried(&router, &format!("{POST}Authorization: Bearer operator\nIdempotency-Key: k{n}"), r#"{"name": "x"}"#)
            .await;
    }
    assert_ne!(tried(&router, &head, r#"{"name": "x"}"#).await.body, first.body);
}

#[tokio::test]
async fn who_hangs_up_leaves_the_act_done_and_noted() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    for wait in [0, 1, 2, 5] {
        let before = made.load(Ordering::Relaxed);
        // The body comes late enough for the connection to be gone before the handler is done.
        let slow = futures_util::stream::once(async move {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            Ok::<_, std::io::Error>(axum::body::Bytes::from_static(br#"{"name": "x"}"#))
        });
        let request = Request::builder().method("POST").uri("/api/things").header("content-type", "application/json");
        let request = request.header("authorization", "Bearer operator").body(Body::from_stream(slow)).unwrap();
        let asked = tokio::time::timeout(std::time::Duration::from_millis(wait), router.clone().oneshot(request)).await;
        assert!(asked.is_err(), "it has hung up");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let done = made.load(Ordering::Relaxed) - before;
        let noted = keeper.notes.lock().unwrap().drain(..).count();
        assert_eq!(done, noted, "after {wait} ms");
        assert!(wait == 0 || done == 1, "after {wait} ms it was under way");
    }
}

#[tokio::test]
async fn only_the_named_origins_may_read_and_none_by_cookie() {
    let (keeper, made) = (Arc::new(Credulous::default()), Arc::new(AtomicUsize::new(0)));
    let router = router(&keeper, &made);
    let ask = |origin: &str, who: &str| format!("GET /api/things\nOrigin: {origin}\nSec-Fetch-Site: cross-site\n{who}");
    let good = tried(&router, &ask("https://app.example", "Authorization: Bearer viewer"), "").await;
    assert_eq!(
        (good.status, &good.headers["access-control-allow-origin"]),
        (200, &"https://app.example".parse().unwrap())
    );
    assert!(!good.headers.contains_key("access-control-allow-credentials"));
    let other = tried(&router, &ask("https://app.example.evil.example", "Authorization: Bearer viewer"), "").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    assert_eq!(tried(&router, &ask("https://app.example", "Cookie: viewer"), "").await.status, 401);
    let asks = "OPTIONS /api/things\nOrigin: https://app.example\nAccess-Control-Request-Method: POST";
    assert_eq!(tried(&router, asks, "").await.status, 204);
}

/// Says what it is told to of everybody; `None`: nobody can say.
struct Says(Mutex<Option<bool>>, tokio::sync::watch::Sender<u64>);

#[async_trait::async_trait]
impl Doorkeeper for Says {
    fn is_set_up(&self) -> bool {
        true
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.1.subscribe()
    }

    async fn still(&self, _: &Identity) -> Option<bool> {
        *self.0.lock().unwrap()
    }

    async fn ask(&self, _: &HeaderMap, _: &Caller, _: bool) -> Asking {
        Asking::Nobody
    }
}

#[tokio::test]
async fn hostile_18_what_is_open_outlives_a_moment_without_a_database_and_no_more() {
    let says = Arc::new(Says(Mutex::new(Some(true)), tokio::sync::watch::channel(0).0));
    let ms = Duration::from_millis;
    let patience = Patience { now_and_then: ms(20), again: ms(5), unknown: ms(300) };
    let who = Identity {
        user: 7,
        name: "ann".into(),
        role: Role::Viewer,
        groups: Vec::new(),
        only: Vec::new(),
        by: By::Session("s".into()),
    };
    let begin = || tokio::spawn(stay::ended_within(says.clone(), who.clone(), patience));
    let say = |what: Option<bool>| *says.0.lock().unwrap() = what;
    // Away, and back in time: it goes on, and has all the time again.
    let open = begin();
    for _ in 0..3 {
        tokio::time::sleep(ms(60)).await;
        say(None);
        tokio::time::sleep(ms(150)).await;
        say(Some(true));
    }
    assert!(!open.is_finished());
    // Away for long: it ends, also where every change wakes it meanwhile.
    tokio::time::sleep(ms(60)).await;
    say(None);
    let gone = std::time::Instant::now();
    while !open.is_finished() {
        assert!(gone.elapsed() < ms(2000), "it stays open");
        says.1.send_modify(|n| *n += 1);
        tokio::time::sleep(ms(1)).await;
    }
    assert!(gone.elapsed() >= ms(250), "{:?}", gone.elapsed());
    // Known to have ended: at once.
    say(Some(true));
    let open = begin();
    tokio::time::sleep(ms(10)).await;
    say(Some(false));
    says.1.send_modify(|n| *n += 1);
    tokio::time::timeout(ms(200), open).await.unwrap().unwrap();
}
