//! What every request passes before and after its handler: who asks and from which page, whether the home is set up, whether they may, and what the
//! audit keeps of it.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::later::Later;
use super::once::{Once, REPLAYED};
use super::stay::{Open, Stay, Stays};
use super::{Entry, Sort};
use crate::auth::accounts::User;
use crate::auth::audit::Outcome;
use crate::auth::audit::said::SAID;
use crate::auth::own_name::OwnName;
use crate::auth::who::{Asking, By, Identity, Who, nobody, not_allowed};
use crate::diag::{Diagnostic, Kind};
use crate::web::lang::{Lang, speaking};
use crate::web::read::Heard;
use crate::web::{Caller, Code, Origin, Refusal, of_address, wants_html};

/// Who knows people.
#[async_trait]
pub trait Doorkeeper: Send + Sync {
    /// Whether there is an admin; before that nothing answers but what is `early`.
    fn is_set_up(&self) -> bool;

    /// Who asks, by the headers of the request. `cookies`: whether the request may be somebody by its cookie; one that another site
    /// has sent may not.
    async fn ask(&self, headers: &HeaderMap, caller: &Caller, cookies: bool) -> Asking;

    /// Wakes with every change that may have ended somebody.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether somebody who was let in would still be: for what stays open. `None`: nobody can say now. Counts as no use.
    async fn still(&self, who: &Identity) -> Option<bool>;

    /// Somebody does something over what they have open. Whoever only watches does nothing.
    fn acts(&self, _who: &Identity) {}
}

/// Who keeps what was done.
#[async_trait]
pub trait Notebook: Send + Sync {
    /// Returns when it is kept. What cannot be kept is said in the log; it takes no answer back.
    async fn note(&self, act: Act);
}

/// Something that was done or refused.
#[derive(Debug, Clone)]
pub struct Act {
    pub asking: Asking,
    /// Who was made known by it.
    pub signed_in: Option<SignedIn>,
    pub from: IpAddr,
    /// [`Entry::name`], `nothing` where no row is, or [`SHARED`] where none was looked for.
    pub action: String,
    /// The address, without what stands behind its `?`.
    pub object: String,
    pub outcome: Outcome,
    pub status: u16,
    pub took: Duration,
    pub request: String,
    /// What the handler adds, without secrets.
    pub detail: Option<serde_json::Value>,
}

/// Of a page that was asked for under a name at which nobody signs in.
pub const SHARED: &str = "shared-name";

/// A handler adds it to its answer's extensions, for the audit: what exactly was done, without secrets. One that only looks is entered by it too.
#[derive(Debug, Clone)]
pub struct Detail(pub serde_json::Value);

/// What a page did by a call of the API is entered under the call's name.
#[derive(Debug, Clone, Copy)]
pub struct As(pub &'static str);

impl As {
    /// An answer that says which call it was. `name`: [`Entry::name`].
    pub fn of(name: &'static str, mut answer: Response) -> Response {
        answer.extensions_mut().insert(As(name));
        answer
    }
}

/// A handler adds it to the answer to somebody whom its call has made known: the act is theirs.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: i64,
    pub name: String,
}

impl SignedIn {
    pub fn of(user: &User) -> Extension<SignedIn> {
        Extension(SignedIn { user: user.id, name: user.name.clone() })
    }
}

/// Each request's own name, for the log and the audit.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// What all rows share.
pub struct Guard {
    keeper: Arc<dyn Doorkeeper>,
    notebook: Arc<dyn Notebook>,
    once: Once,
    own: OwnName,
    stays: Stays,
    /// Other sites whose pages may call the API with a token of their own; exact origins.
    cors: Vec<String>,
    /// Makes ids of two processes differ.
    prefix: u64,
    count: AtomicU64,
}

impl Guard {
    /// `seed`: random, so that ids of requests differ between runs. `cors`: origins such as `https://app.example`.
    pub fn new(
        keeper: Arc<dyn Doorkeeper>,
        notebook: Arc<dyn Notebook>,
        own: OwnName,
        cors: Vec<String>,
        seed: u64,
    ) -> Guard {
        let (once, stays) = (Once::default(), Stays::default());
        Guard { keeper, notebook, once, own, stays, cors, prefix: seed, count: AtomicU64::new(0) }
    }

    /// The answer to who was turned away at `action`, which is no row, once the audit has it. A way to the login is no refusal.
    pub(super) async fn refused(
        self: Arc<Guard>,
        action: &str,
        taken: Taken,
        begun: Instant,
        answer: Response,
    ) -> Response {
        let outcome = outcome(answer.status());
        if outcome == Outcome::Refused {
            let code = answer.extensions().get::<Code>().copied();
            let detail = Some(whole(None, None, code));
            let act = Act { detail, ..taken.act(action.into(), outcome, answer.status(), begun) };
            let _ = at_any_rate(tokio::spawn(async move { self.notebook.note(act).await })).await;
        }
        answer
    }

    /// A place for one more stream of whoever asks.
    fn stay(&self, entry: &Entry, taken: &Taken, begun: Instant) -> Result<Option<Stay>, Diagnostic> {
        let Asking::Somebody(who) = &taken.asking else { return Ok(None) };
        if entry.sort != Sort::Stream {
            return Ok(None);
        }
        let (_place, notebook) = (self.stays.take(who, entry.weight)?, self.notebook.clone());
        let Taken { asking, from, path: object, request } = taken.clone();
        Ok(Some(Stay::new(Open { _place, notebook, asking, from, object, request, begun })))
    }

    fn id(&self) -> RequestId {
        let n = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:08x}{:08x}", self.prefix as u32, n as u32).into())
    }
}

/// One row's place behind the guard.
#[derive(Clone)]
pub(super) struct Post {
    pub guard: Arc<Guard>,
    pub entry: Arc<Entry>,
}

/// Whether the home is set up, for what answers where no row does.
#[derive(Debug, Clone, Copy)]
struct SetUp(bool);

/// Around everything: who asks, and the request's id.
pub(super) async fn frame(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let id = guard.id();
    let unknown = Caller { address: [0, 0, 0, 0].into(), https: false, host: None };
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or(unknown);
    let is_shared = guard.own.is_shared(&caller);
    if is_shared && !answers_anywhere(&request) {
        let begun = Instant::now();
        request.extensions_mut().insert(id);
        let (taken, answer) = (Taken::of(&request), told(shared(), wants_html(request.headers())));
        return guard.refused(SHARED, taken, begun, answer).await;
    }
    let origin = Origin::of(request.method(), request.headers(), &caller);
    let upgrade = request.headers().contains_key(header::UPGRADE);
    let looks = [Method::GET, Method::HEAD].contains(request.method()) && !upgrade;
    // A request that changes something, or opens a socket, has to show that it comes from our own page.
    let cookies = match origin {
        _ if is_shared => false,
        Origin::Own => true,
        Origin::Followed | Origin::Unsaid => looks,
        Origin::Foreign => false,
    };
    let set_up = guard.keeper.is_set_up();
    let asking = match set_up {
        true => guard.keeper.ask(request.headers(), &caller, cookies).await,
        false => Asking::Nobody,
    };
    let cross = guard.cors.iter().find(|allowed| {
        let said = request.headers().get(header::ORIGIN);
        said.is_some_and(|said| said.as_bytes() == allowed.as_bytes()) && request.uri().path().starts_with("/api/")
    });
    let cross = cross.and_then(|origin| HeaderValue::from_str(origin).ok());
    if request.method() == Method::OPTIONS && cross.is_some() {
        return allow(StatusCode::NO_CONTENT.into_response(), cross);
    }
    let extensions = request.extensions_mut();
    extensions.insert(asking);
    extensions.insert(origin);
    extensions.insert(id.clone());
    extensions.insert(SetUp(set_up));
    let mut answer = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        answer.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if is_shared {
        answer.headers_mut().remove(header::SET_COOKIE);
    }
    if guard.cors.is_empty() { answer } else { allow(answer, cross) }
}

/// Where other programs of the machine would see the cookies, what brings a token is answered all the same, and what anybody may read.
fn answers_anywhere(request: &Request) -> bool {
    let looks = [Method::GET, Method::HEAD].contains(request.method());
    let path = request.uri().path();
    path == "/health" || path.starts_with("/api/") || looks && !wants_html(request.headers())
}

/// Without the panel's own address: no page must learn it from what a browser tells of an answer.
fn shared() -> Diagnostic {
    let title = "under this name every program on the machine sees your browser's cookies: nobody signs in here";
    Diagnostic::error("auth.shared-name", title)
        .kind(Kind::Denied)
        .hint("`hearth serve` printed the panel's own address at its start; `hearth serve --url` prints it again")
        .hint("from another device open this machine by its name in the network")
}

/// Says to a browser that a page of `origin` may read the answer. No cookies: such a page brings a token.
fn allow(mut answer: Response, origin: Option<HeaderValue>) -> Response {
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return answer };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match, if-none-match, idempotency-key"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "etag, location, retry-after, x-request-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Before and after one row's handler.
pub(super) async fn row(State(post): State<Post>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let Post { guard, entry } = post;
    let taken = Taken::of(&request);
    let stay = match refusal(&entry, &request, &taken, &guard.cors) {
        Some(refusal) => Err(refusal),
        None => guard.stay(&entry, &taken, begun),
    };
    let html = entry.sort == Sort::Page && wants_html(request.headers());
    // Of what somebody sends who is nobody yet nothing is kept: a password may stand in the wrong field.
    let heard = (entry.changes() && entry.who != Who::Anyone).then(|| Heard::of(&SAID));
    if let Some(heard) = &heard {
        request.extensions_mut().insert(heard.clone());
    }
    let keeping = Keeping { guard: guard.clone(), entry: entry.clone(), taken, begun, heard };
    match stay {
        Err(refusal) if html && refusal.code == "auth.nobody" => keeping.keep(to_login(&request)).await,
        Err(refusal) => keeping.keep(told(refusal, html)).await,
        Ok(Some(stay)) => {
            request.extensions_mut().insert(stay.clone());
            let answer = answered(request, next).await;
            stay.within(keeping.keep(answer).await)
        }
        Ok(None) if !entry.changes() => {
            let answer = answered(request, next).await;
            keeping.keep(answer).await
        }
        // On a task of its own: whoever hangs up meanwhile takes neither the act back nor its entry.
        Ok(None) => match at_any_rate(tokio::spawn(speaking(Lang::spoken(), keeping.run(request, next)))).await {
            Some(answer) => answer,
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    }
}

/// What the handler answers. A call that takes no body has its fields in the address.
async fn answered(request: Request, next: Next) -> Response {
    match [Method::GET, Method::HEAD, Method::DELETE].contains(request.method()) {
        true => of_address(next.run(request)).await,
        false => next.run(request).await,
    }
}

/// In the extensions of an answer: what was sent was only looked at, so that there is nothing to enter. For what is asked again with each word that somebody types.
#[derive(Debug, Clone, Copy)]
pub struct Looked;

/// One request on its way through its row.
struct Keeping {
    guard: Arc<Guard>,
    entry: Arc<Entry>,
    taken: Taken,
    begun: Instant,
    heard: Option<Heard>,
}

impl Keeping {
    /// Runs the handler of a row that changes something, and keeps what came of it; also when it falls over.
    async fn run(self, request: Request, next: Next) -> Response {
        let (guard, once) = (self.guard.clone(), self.entry.method == Method::POST && self.entry.sort == Sort::Call);
        let asking = self.taken.asking.clone();
        let ran = async move {
            match once {
                true => guard.once.run(&asking, request, next).await,
                false => answered(request, next).await,
            }
        };
        let later = Later::new(self.guard.notebook.clone(), self.taken.clone(), self.begun);
        match AssertUnwindSafe(later.clone().around(ran)).catch_unwind().await {
            Ok(answer) => self.entered(answer, later.goes_on()).await,
            Err(what) => {
                self.keep(StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
                std::panic::resume_unwind(what)
            }
        }
    }

    /// Gives the answer back once the audit has what belongs into it.
    async fn keep(self, answer: Response) -> Response {
        self.entered(answer, false).await
    }

    /// The same. `goes_on`: something was begun, also where the answer leads on to it and is no 202.
    async fn entered(self, mut answer: Response, goes_on: bool) -> Response {
        let Keeping { guard, entry, taken, begun, heard } = self;
        let is_replayed = answer.headers().contains_key(REPLAYED);
        let (status, extensions) = (answer.status(), answer.extensions_mut());
        let outcome = match outcome(status) {
            Outcome::Done if goes_on => Outcome::Begun,
            outcome => outcome,
        };
        let detail = extensions.remove::<Detail>().map(|detail| detail.0);
        let signed_in = extensions.remove::<SignedIn>();
        let code = extensions.remove::<Code>();
        let name = extensions.remove::<As>().map_or_else(|| entry.name.clone(), |by| by.0.to_owned());
        let looked = extensions.remove::<Looked>().is_some() && outcome == Outcome::Done;
        // What only looks is kept where it was refused, made somebody known, or says itself what was done.
        if (entry.changes() && !looked) || outcome == Outcome::Refused || signed_in.is_some() || detail.is_some() {
            let mut detail = whole(heard, detail, code);
            if is_replayed {
                // It was done once, and has its entry.
                detail["replayed"] = true.into();
            }
            let detail = Some(detail);
            let act = Act { signed_in, detail, ..taken.act(name, outcome, status, begun) };
            let _ = at_any_rate(tokio::spawn(async move { guard.notebook.note(act).await })).await;
        }
        answer
    }
}

/// What was asked for, what the handler adds, and why it was refused.
fn whole(heard: Option<Heard>, detail: Option<Value>, code: Option<Code>) -> Value {
    let mut all = heard.map(|heard| heard.said()).unwrap_or_default();
    match detail {
        Some(Value::Object(more)) => all.extend(more),
        Some(Value::Null) | None => {}
        Some(more) => drop(all.insert("detail".into(), more)),
    }
    if let Some(Code(code)) = code {
        all.insert("code".into(), code.into());
    }
    Value::Object(all)
}

fn outcome(status: StatusCode) -> Outcome {
    match status.as_u16() {
        202 => Outcome::Begun,
        401 | 403 | 429 => Outcome::Refused,
        400.. => Outcome::Failed,
        _ => Outcome::Done,
    }
}

/// What a task gives back; where it fell over, so does whoever waits for it. `None`: the server is ending.
async fn at_any_rate<T>(task: JoinHandle<T>) -> Option<T> {
    match task.await {
        Ok(value) => Some(value),
        Err(error) => error.try_into_panic().map_or(None, |what| std::panic::resume_unwind(what)),
    }
}

/// A refusal, as a page where a person looks for one.
pub(super) fn told(refusal: Diagnostic, html: bool) -> Response {
    let refusal = Refusal(refusal);
    if html { crate::web::page(&refusal.0, refusal.status()) } else { refusal.into_response() }
}

/// What the audit keeps of a request.
#[derive(Clone)]
pub(super) struct Taken {
    asking: Asking,
    from: IpAddr,
    path: String,
    request: String,
}

impl Taken {
    pub fn of(request: &Request) -> Taken {
        let extensions = request.extensions();
        let caller = extensions.get::<Caller>();
        Taken {
            asking: extensions.get::<Asking>().cloned().unwrap_or(Asking::Nobody),
            from: caller.map_or([0, 0, 0, 0].into(), |caller| caller.address),
            path: request.uri().path().chars().take(300).collect(),
            request: extensions.get::<RequestId>().map(|id| id.0.to_string()).unwrap_or_default(),
        }
    }

    pub(super) fn act(self, action: String, outcome: Outcome, status: StatusCode, begun: Instant) -> Act {
        let Taken { asking, from, path: object, request } = self;
        let (took, status) = (begun.elapsed(), status.as_u16());
        Act { asking, signed_in: None, from, action, object, outcome, status, took, request, detail: None }
    }
}

/// Why a row does not answer, if it does not.
fn refusal(entry: &Entry, request: &Request, taken: &Taken, cors: &[String]) -> Option<Diagnostic> {
    let extensions = request.extensions();
    if !is_set_up(request) && !entry.early {
        return Some(not_set_up());
    }
    let foreign = extensions.get::<Origin>() == Some(&Origin::Foreign);
    let by_cookie = matches!(&taken.asking, Asking::Somebody(identity) if matches!(identity.by, By::Session(_)));
    let bearer = matches!(&taken.asking, Asking::Somebody(_)) && !by_cookie;
    let opens = entry.changes() || request.headers().contains_key(header::UPGRADE);
    if foreign && opens && !bearer && !allowed_origin(request.headers(), cors) {
        return Some(cross_site());
    }
    match &taken.asking {
        _ if entry.who == Who::Anyone => None,
        Asking::Somebody(identity) if entry.who.admits(identity.role) => scope_of(identity, entry),
        Asking::Somebody(identity) => Some(not_allowed(entry.who, identity)),
        Asking::Refused(why) => Some((**why).clone()),
        Asking::Nobody => Some(nobody()),
    }
}

/// An API token may at most what its scopes say. Where it may nothing whatever they say, that comes first: another scope would not help.
fn scope_of(identity: &Identity, entry: &Entry) -> Option<Diagnostic> {
    let By::Token { scopes, .. } = &identity.by else { return None };
    if entry.who == Who::Person {
        return identity.in_person().err();
    }
    let has = |scope: &str| scopes.iter().any(|s| s == scope);
    let enough = match (entry.changes(), entry.who) {
        (_, Who::Admin) => has("admin"),
        (false, _) => has("read") || has("operate") || has("admin"),
        (true, _) => has("operate") || has("admin"),
    };
    (!enough).then(|| {
        let needed = match (entry.changes(), entry.who) {
            (_, Who::Admin) => "admin",
            (false, _) => "read",
            (true, _) => "operate",
        };
        Diagnostic::error(
            "auth.scope",
            format!("this takes a token with the scope `{needed}`, and this one has none of it"),
        )
        .kind(Kind::Denied)
        .hint("make another token, with that scope, and end this one where it is not needed any more")
    })
}

fn allowed_origin(headers: &HeaderMap, cors: &[String]) -> bool {
    let said = headers.get(header::ORIGIN);
    said.is_some_and(|said| cors.iter().any(|allowed| said.as_bytes() == allowed.as_bytes()))
}

/// For all calls until somebody has used the link.
pub(super) fn not_set_up() -> Diagnostic {
    Diagnostic::error("auth.not-set-up", "this home has no admin yet, and answers nobody until it has one")
        .kind(Kind::Denied)
        .hint("open the link that `hearth serve` printed at its start; `hearth users setup-link` prints a new one")
        .hint("a program sends its token: POST /api/v1/setup {\"token\", \"username\", \"password\"}")
}

fn cross_site() -> Diagnostic {
    Diagnostic::error("auth.cross-site", "a page of another site has sent this: nothing was done")
        .kind(Kind::Denied)
        .hint("do it on Hearth's own page; a program sends a token and no cookie")
}

/// A browser that comes to a page signs in first, and comes back to it.
pub(super) fn to_login(request: &Request) -> Response {
    let path = request.uri().path();
    // Only what is looked at is come back to; a query may hold more than belongs into an address.
    let back = match *request.method() {
        Method::GET if path != "/" => {
            format!("?next={}", form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>())
        }
        _ => String::new(),
    };
    let to = HeaderValue::try_from(format!("/login{back}")).unwrap_or(HeaderValue::from_static("/login"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

pub(super) fn is_set_up(request: &Request) -> bool {
    request.extensions().get::<SetUp>().is_some_and(|set_up| set_up.0)
}
