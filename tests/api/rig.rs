//! A home, its server on a port of this machine, and a client for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::HeaderMap;
use hearth::about;
use hearth::auth::accounts::{Auth, Parts};
use hearth::auth::audit::Log;
use hearth::auth::forward::Forward;
use hearth::auth::oidc;
use hearth::auth::own_name::OwnName;
use hearth::auth::page::forms::Pages;
use hearth::auth::page::keys::Desk;
use hearth::auth::passkeys;
use hearth::auth::passwords::{FLOOR, Passwords};
use hearth::auth::place::Place;
use hearth::auth::table::{Act, Doorkeeper, Guard, Notebook};
use hearth::auth::who::{Asking, By, Identity};
use hearth::base::clock::SystemClock;
use hearth::base::random::{Random, SystemRandom};
use hearth::certs;
use hearth::config::people::{People, Registration};
use hearth::engine::Host;
use hearth::engine::fake::{Double, Fake, World};
use hearth::notices::Notices;
use hearth::panel::Panel;
use hearth::proxy;
use hearth::routes::{self, App};
use hearth::stacks::Home;
use hearth::stacks::json::Api;
use hearth::stacks::works::{Setting, Works};
use hearth::store::Db;
use hearth::web::outside::{Outside, Reach, trust};
use hearth::web::{self, Caller, Door, Limits, Manner};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// Two stacks of which nothing is on.
const MEDIA: &str = "\
x-hearth: { title: Media, about: Films }
services:
  web:
    image: any/web:1
    profiles: [media]
    environment: { DB_PASSWORD: geheim-42, TZ: UTC }
    depends_on: [db]
  db: { image: any/db:1, profiles: [media], volumes: ['data:/data'] }
volumes: { data: {} }
";
const TOOLS: &str = "services:\n  tool: { image: any/tool:1, profiles: [tools] }\n";

/// Believes `Authorization: Bearer ROLE`, and `ROLE.SCOPE` of a token, until told not to, and keeps what is noted.
#[derive(Default)]
pub struct Keeper {
    ended: AtomicBool,
    changed: watch::Sender<u64>,
    pub notes: Mutex<Vec<Act>>,
    /// Uses of what is open.
    pub uses: AtomicUsize,
}

impl Keeper {
    /// Nobody is anybody from now on.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.changed.send_modify(|n| *n += 1);
    }
}

#[async_trait::async_trait]
impl Doorkeeper for Keeper {
    fn is_set_up(&self) -> bool {
        true
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn acts(&self, who: &Identity) {
        assert_eq!(who.name, "ann");
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    async fn still(&self, _: &Identity) -> Option<bool> {
        Some(!self.ended.load(Ordering::Relaxed))
    }

    async fn ask(&self, headers: &HeaderMap, _: &Caller, _: bool) -> Asking {
        let word = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let word = word.trim_start_matches("Bearer ");
        let (role, scope) = word.split_once('.').map_or((word, None), |(role, scope)| (role, Some(scope)));
        let Ok(role) = role.parse() else { return Asking::Nobody };
        if self.ended.load(Ordering::Relaxed) {
            return Asking::Nobody;
        }
        let by = match scope {
            Some(scope) => By::Token { id: "t1".into(), scopes: vec![scope.into()] },
            None => By::Access("family".into()),
        };
        Asking::Somebody(Arc::new(Identity {
            user: role as i64,
            name: "ann".into(),
            role,
            groups: Vec::new(),
            only: Vec::new(),
            by,
        }))
    }
}

#[async_trait::async_trait]
impl Notebook for Keeper {
    async fn note(&self, act: Act) {
        self.notes.lock().unwrap().push(act);
    }
}

pub struct Server {
    /// The home.
    pub dir: PathBuf,
    pub keeper: Arc<Keeper>,
    pub api: Api,
    /// The people of the home; who asks is said by [`Keeper`].
    pub auth: Arc<Auth>,
    /// `None`: a real engine.
    double: Option<Double>,
    pub address: SocketAddr,
    _server: web::Server,
    _folder: Option<tempfile::TempDir>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The refusal's code.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// `field` of every item of a page.
    pub fn items(&self, field: &str) -> Vec<String> {
        let items = self.body["items"].as_array().into_iter().flatten();
        items.map(|one| one[field].as_str().unwrap_or_default().to_string()).collect()
    }
}

/// What a browser gets.
pub struct Page {
    pub status: u16,
    /// The first cookie that it sets.
    pub cookie: String,
    pub body: String,
}

/// What an app shows now that was set up with this key.
pub fn app_code(key: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(key.replace(' ', "")).unwrap();
    totp_rs::Builder::new()
        .with_secret(secret.as_bytes().to_vec())
        .with_account_name("ann")
        .build()
        .unwrap()
        .generate_current()
        .to_string()
}

impl Server {
    pub async fn begin() -> Server {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stacks")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("hearth.yaml", "name: apihome # mine\nmode: localhost\nprofiles: []\n");
        write("stacks/media.yaml", MEDIA);
        write("stacks/tools.yaml", TOOLS);
        write(".env", "");
        let state = dir.path().join("user-state").display().to_string();
        let environment = BTreeMap::from([
            ("XDG_STATE_HOME".to_string(), state),
            ("DOCKER_HOST".to_string(), hearth::engine::fake::ADDRESS.to_string()),
        ]);
        let server = Server::of(dir.path().to_path_buf(), environment, Some(Double::default())).await;
        Server { _folder: Some(dir), ..server }
    }

    /// A server of the home in `dir`, an absolute path; without a double on the engine that `environment` means.
    pub async fn of(dir: PathBuf, environment: BTreeMap<String, String>, double: Option<Double>) -> Server {
        let keeper = Arc::new(Keeper::default());
        let setting = Setting {
            home: dir.clone(),
            environment: Arc::new(environment),
            double: double.clone().map(|double| Arc::new(double) as Arc<dyn Host>),
            clock: Arc::new(SystemClock),
        };
        let api = Api::new(Works::new(setting), Arc::new(proxy::Door), keeper.clone());
        let (server, address, auth) = serve(&dir, api.clone(), keeper.clone()).await;
        Server { dir, keeper, api, auth, double, address, _server: server, _folder: None }
    }

    /// Another server of the same home and engine, which knows nothing of this one's works.
    pub async fn begun_anew(&self) -> Server {
        let environment = BTreeMap::from([("DOCKER_HOST".to_string(), hearth::engine::fake::ADDRESS.to_string())]);
        Server::of(self.dir.clone(), environment, self.double.clone()).await
    }

    /// The world of the engine in memory.
    pub fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.double.as_ref().expect("the engine is in memory").fake().world()
    }

    /// The engine in memory, to have something go wrong on it.
    pub fn engine(&self) -> &Fake {
        self.double.as_ref().expect("the engine is in memory").fake()
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.call(who, "GET", path, None, &[]).await
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.call(who, "POST", path, Some(body), &[]).await
    }

    pub async fn call(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        more: &[(&str, &str)],
    ) -> Answer {
        let answer = self.open(who, method, path, body, more).await;
        let (parts, body) = answer.into_parts();
        let bytes =
            timeout(Duration::from_secs(20), body.collect()).await.expect("the answer ends").unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Status and body, as they are.
    pub async fn text(&self, who: &str, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        read(self.open(who, method, path, body, &[]).await).await
    }

    /// As a browser sends a form.
    pub async fn form(&self, who: &str, path: &str, form: &str) -> (u16, String) {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        read(self.send(who, "POST", path, form.to_owned(), &[kind]).await).await
    }

    /// The same with a cookie (`name=value`), for an answer that sets one.
    pub async fn browser(&self, who: &str, path: &str, form: &str, cookie: &str) -> Page {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let more = [kind, ("cookie", cookie), ("accept", "text/html")];
        let answer = self.send(who, "POST", path, form.to_owned(), &more).await;
        let set = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok());
        let cookie = set.unwrap_or_default().to_owned();
        let (status, body) = read(answer).await;
        Page { status, cookie, body }
    }

    /// An answer whose body has not been read.
    pub async fn open(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        more: &[(&str, &str)],
    ) -> Response<Incoming> {
        let kind = body.is_some().then_some(("content-type", "application/json"));
        let more: Vec<(&str, &str)> = more.iter().copied().chain(kind).collect();
        self.send(who, method, path, body.map(|body| body.to_string()).unwrap_or_default(), &more).await
    }

    async fn send(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: String,
        more: &[(&str, &str)],
    ) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        let method: Method = method.parse().unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", "panel.test");
        if !who.is_empty() {
            request = request.header("authorization", format!("Bearer {who}"));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        timeout(Duration::from_secs(20), send.send_request(request)).await.expect("an answer comes").unwrap()
    }

    /// Events of a stream until `enough` says so of one, or it ends: id, name, data.
    pub async fn events(
        &self,
        who: &str,
        path: &str,
        more: &[(&str, &str)],
        enough: impl Fn(&str, &Value) -> bool,
    ) -> Vec<(Option<u64>, String, Value)> {
        let answer = self.open(who, "GET", path, None, more).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let mut body = answer.into_body();
        let (mut text, mut all) = (String::new(), Vec::new());
        loop {
            while let Some((one, rest)) = text.split_once("\n\n") {
                let field = |name: &str| one.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let name = field("event:").unwrap_or_default().to_string();
                let data: Option<Value> = field("data:").map(|data| serde_json::from_str(data).unwrap());
                let id = field("id:").and_then(|id| id.parse().ok());
                text = rest.to_string();
                // A word that keeps the connection has no data.
                let Some(data) = data else { continue };
                let last = enough(&name, &data);
                all.push((id, name, data));
                if last {
                    return all;
                }
            }
            let frame = timeout(Duration::from_secs(20), body.frame()).await.expect("an event comes");
            let Some(frame) = frame else { return all };
            text.push_str(&String::from_utf8_lossy(&frame.unwrap().into_data().unwrap_or_default()));
        }
    }

    /// Begins a work and waits for its end.
    pub async fn work(&self, who: &str, path: &str, body: Value) -> Value {
        let answer = self.post(who, path, body).await.is(202);
        let place = answer.header("location").to_string();
        assert_eq!(place, format!("/api/v1/works/{}", answer.body["work"]["id"].as_str().unwrap()));
        self.events(who, &format!("{place}/events"), &[], |name, _| name == "end").await;
        self.get(who, &place).await.is(200).body
    }

    /// As [`Server::work`], where it has to be done well.
    pub async fn done(&self, who: &str, path: &str, body: Value) -> Value {
        let work = self.work(who, path, body).await;
        assert_eq!(work["state"], "done", "{work}");
        work
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name)).unwrap()
    }
}

async fn read(answer: Response<Incoming>) -> (u16, String) {
    let status = answer.status().as_u16();
    let bytes = timeout(Duration::from_secs(20), answer.into_body().collect()).await.expect("the answer ends");
    (status, String::from_utf8_lossy(&bytes.unwrap().to_bytes()).into_owned())
}

async fn serve(dir: &Path, stacks: Api, keeper: Arc<Keeper>) -> (web::Server, SocketAddr, Arc<Auth>) {
    let home = Home::open(dir.to_path_buf()).unwrap_or_else(|_| panic!("the home can be read"));
    let database = Db::at(home.database(&BTreeMap::new()).unwrap());
    let ca = Arc::new(hearth::certs::local::LocalCa::open(&dir.join("ca"), &[], &SystemClock).unwrap());
    let certs = certs::json::Api {
        stacks: stacks.clone(),
        front: Arc::new(proxy::Door),
        changed: Arc::new(proxy::cli::refresh),
    };
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let parts = Parts {
        db: database.clone(),
        clock: Arc::new(SystemClock),
        random: random.clone(),
        rules: People { registration: Registration::Invite, ..home.config.people.clone() },
        near: Vec::new(),
        passwords: Passwords::new(FLOOR, random.clone()).unwrap(),
    };
    let auth = Arc::new(Auth::open(&dir.join("state"), parts).await.unwrap());
    // Nobody looks after a front door here: no host has a login.
    let doors = tokio::sync::watch::channel(None).1;
    let desk = desk(dir, &auth, &database, &random);
    let ways = Arc::new(proxy::Ways::new(stacks.works.readings()));
    let app = App {
        panel: Panel::new(
            &home.config.name,
            stacks.clone(),
            ways.clone(),
            Notices::new(database.clone(), Arc::new(SystemClock)),
            Arc::new(SystemClock),
        ),
        notices: Notices::new(database.clone(), Arc::new(SystemClock)),
        forward: Arc::new(Forward::new(auth.clone(), doors, Arc::new(SystemClock), random.clone())),
        routed: proxy::routes_of(stacks.works.readings()),
        auth: auth.clone(),
        audit: Log::new(database.clone(), Arc::new(SystemClock)),
        oidc: desk.oidc.clone(),
        passkeys: desk.passkeys.clone(),
        pages: Arc::new(Pages::new(home.config.name.clone(), auth.clone(), random, desk.clone())),
        desk,
        ways,
        about: Arc::new(about::state::State::new(&home, database)),
        trust: Arc::new(move || ca.clone()),
        challenge: Arc::new(|_: &str| None),
        docs: Arc::new(about::docs::Docs::new(&json!(routes::table().openapi(about::json::VERSION)))),
        stacks,
        certs,
    };
    let guard = Arc::new(Guard::new(keeper.clone(), keeper, OwnName::labelled("aaaaaaaaaaaa").unwrap(), Vec::new(), 1));
    let listener = web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = web::Server::default();
    let router = routes::table().router(&guard).with_state(app);
    server.open(listener, Door { tls: None, limits: Limits::default(), manner: Manner::default(), router });
    (server, address, auth)
}

/// The other ways in, without a provider.
fn desk(dir: &Path, auth: &Arc<Auth>, db: &Db, random: &Arc<dyn Random>) -> Arc<Desk> {
    let (auth, db, random, clock) = (auth.clone(), db.clone(), random.clone(), Arc::new(SystemClock));
    let place = Place::of_machine(&OwnName::labelled("aaaaaaaaaaaa").unwrap(), 443);
    let parts = passkeys::Parts {
        auth: auth.clone(),
        db: db.clone(),
        clock: clock.clone(),
        random: random.clone(),
        place: place.clone(),
    };
    let passkeys = Arc::new(passkeys::Passkeys::open(parts).unwrap());
    let oidc = Arc::new(oidc::Oidc::open(oidc::Parts {
        auth: auth.clone(),
        db,
        clock: clock.clone(),
        random,
        place,
        settings: None,
        secret: None,
        outside: Outside::new(trust::roots(&[]).unwrap(), Reach::default()),
        folder: &dir.join("state/auth"),
    }));
    Arc::new(Desk { auth, clock, passkeys, oidc })
}

/// A client of a WebSocket (RFC 6455), as little of one as it takes.
pub struct Socket(TokioIo<hyper::upgrade::Upgraded>);

const OPEN: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
];

impl Socket {
    /// The socket, or the status of the refusal.
    pub async fn open(s: &Server, who: &str, path: &str, more: &[(&str, &str)]) -> Result<Socket, u16> {
        let headers: Vec<(&str, &str)> = OPEN.iter().chain(more).copied().collect();
        let answer = s.open(who, "GET", path, None, &headers).await;
        match answer.status().as_u16() {
            101 => Ok(Socket(TokioIo::new(hyper::upgrade::on(answer).await.unwrap()))),
            other => Err(other),
        }
    }

    /// Sends a frame: 1 is text, 2 binary.
    pub async fn send(&mut self, kind: u8, bytes: &[u8]) {
        send_frame(&mut self.0, kind, bytes).await.unwrap();
    }

    /// The next frame that is no ping: its kind and bytes.
    pub async fn next(&mut self) -> (u8, Vec<u8>) {
        self.next_within(Duration::from_secs(10)).await
    }

    pub async fn next_within(&mut self, most: Duration) -> (u8, Vec<u8>) {
        timeout(most, next_frame(&mut self.0)).await.expect("a frame comes")
    }

    /// Sends all of it and the end of it, reading meanwhile; gives what came of the program's output until it ended, and what was said last.
    pub async fn through(self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut from, mut to) = tokio::io::split(self.0);
        let sending = async {
            for part in bytes.chunks(60_000) {
                send_frame(&mut to, 2, part).await.unwrap();
            }
            send_frame(&mut to, 1, br#"{"end": true}"#).await.unwrap();
        };
        let reading = async {
            let mut all = Vec::new();
            loop {
                match timeout(Duration::from_secs(10), next_frame(&mut from)).await.expect("it goes on") {
                    (2, bytes) => all.extend_from_slice(&bytes[1..]),
                    (1, said) => return (all, said),
                    (kind, bytes) => panic!("{kind}: {}", String::from_utf8_lossy(&bytes)),
                }
            }
        };
        tokio::join!(sending, reading).1
    }

    /// The code that it is closed with.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let (8, bytes) = self.next().await {
                return u16::from_be_bytes([bytes[0], bytes[1]]);
            }
        }
    }
}

async fn send_frame(on: &mut (impl AsyncWrite + Unpin), kind: u8, bytes: &[u8]) -> std::io::Result<()> {
    let mut frame = vec![0x80 | kind];
    match u16::try_from(bytes.len()).unwrap() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(bytes);
    on.write_all(&frame).await?;
    on.flush().await
}

async fn next_frame(on: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    loop {
        let mut head = [0; 2];
        on.read_exact(&mut head).await.unwrap();
        let length = match head[1] & 0x7f {
            126 => on.read_u16().await.unwrap() as usize,
            n => n as usize,
        };
        let mut bytes = vec![0; length];
        on.read_exact(&mut bytes).await.unwrap();
        if head[0] & 0xf != 9 {
            return (head[0] & 0xf, bytes);
        }
    }
}
