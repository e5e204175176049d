//! Each limit, tried by a client that goes against it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::base::secret::Secret;

/// A self-signed certificate, PEM, and its key.
#[derive(Clone)]
struct Made {
    chain: String,
    key: Secret,
}

impl Made {
    fn new() -> Made {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Made { chain: made.cert.pem(), key: Secret::new(made.signing_key.serialize_pem()) }
    }
    fn pair(&self) -> Pair<'_> {
        Pair { chain: &self.chain, key: &self.key }
    }
    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.chain.as_bytes()).unwrap()
    }
}

struct Rig {
    server: Server,
    address: std::net::SocketAddr,
    made: Made,
    certificates: Arc<Certificates>,
}

fn router() -> Router {
    let told = |request: Request| async move {
        let caller = request.extensions().get::<Caller>().unwrap();
        let claims =
            request.headers().keys().any(|k| k.as_str().contains("forwarded") || k.as_str().contains("remote"));
        format!("{} {} {:?} {claims}", caller.address, caller.https, caller.host)
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "slow"
    };
    let panics = || async {
        if Instant::now().elapsed() < Duration::from_secs(9) {
            panic!("with words");
        }
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/who", get(told))
        .route("/slow", get(slow))
        .route("/panic", get(panics))
        .route("/big", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/take", post(|body: bytes::Bytes| async move { body.len().to_string() }))
        .fallback(no_such_page)
}

enum How<'c> {
    Plain,
    Tls,
    For(&'c Made),
}

impl Rig {
    async fn start(limits: Limits, how: How<'_>) -> Rig {
        let made = Made::new();
        let certificates = Certificates::new(&[made.pair()]).unwrap();
        let tls = match how {
            How::Plain => None,
            How::Tls => Some(Tls::new(certificates.clone()).unwrap()),
            How::For(client) => Some(Tls::for_clients_of(certificates.clone(), &client.chain).unwrap()),
        };
        let manner = Manner {
            behind_proxy: matches!(how, How::For(_)),
            hsts: Arc::new(AtomicU64::new(600)),
            out_of_turn: &["/who"],
            ..Manner::default()
        };
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::default();
        server.open(listener, Door { tls: tls.map(Arc::new), limits, manner, router: router() });
        Rig { server, address, made, certificates }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn tls(&self, protocol: &[u8]) -> TlsStream<TcpStream> {
        self.try_tls(&self.made, protocol, None, rustls::ALL_VERSIONS).await.unwrap()
    }

    async fn try_tls(
        &self,
        expected: &Made,
        protocol: &[u8],
        me: Option<&Made>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(expected.der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let mut config = match me {
            None => builder.with_no_client_auth(),
            Some(me) => {
                let key = PrivateKeyDer::from_pem_slice(me.key.expose().as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![me.der()], key).unwrap()
            }
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }

    /// One request on a connection of its own; the whole answer.
    async fn ask(&self, request: &str) -> String {
        ask(self.tls(b"http/1.1").await, request).await
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

/// What comes until the other side closes; within ten seconds.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("the connection is not cut");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

async fn ask_http2(stream: TlsStream<TcpStream>, path: &str, header: &str) -> Result<(u16, String), hyper::Error> {
    use http_body_util::BodyExt;
    let io = TokioIo::new(stream);
    let (mut send, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
    tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://localhost{path}")).header("x-long", header);
    let answer = send.send_request(request.body(axum::body::Body::empty()).unwrap()).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[tokio::test]
async fn both_versions_of_http_and_tls_are_spoken() {
    let rig = Rig::start(Limits::default(), How::Tls).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let stream = rig.try_tls(&rig.made, b"http/1.1", None, &[version]).await.unwrap();
        let answer = ask(stream, &get_("/")).await;
        assert!(status(&answer) == 200 && answer.ends_with("hello"), "{answer}");
        let stream = rig.try_tls(&rig.made, b"h2", None, &[version]).await.unwrap();
        assert_eq!(ask_http2(stream, "/", "").await.unwrap(), (200, "hello".to_owned()));
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_and_a_refusal_its_words() {
    let rig = Rig::start(Limits::default(), How::Tls).await;
    for path in ["/", "/none", "/panic"] {
        let answer = rig.ask(&get_(path)).await;
        for header in [
            "content-security-policy: default-src 'none'; style-src 'self' 'sha256-",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "permissions-policy: camera=()",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "strict-transport-security: max-age=600",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{path}: {header}: {answer}");
        }
        assert!(!answer.contains("unsafe") && !answer.contains("server:"), "{answer}");
    }
    let none = rig.ask(&get_("/none")).await;
    assert!(
        status(&none) == 404 && none.contains(r#""code":"web.not-found""#) && none.contains(r#""detail":"#),
        "{none}"
    );
    let panicked = rig.ask(&get_("/panic")).await;
    assert!(status(&panicked) == 500 && panicked.contains("web.bug") && !panicked.contains("with words"), "{panicked}");
    assert_eq!(status(&rig.ask(&get_("/")).await), 200);
    let plain = Rig::start(Limits::default(), How::Plain).await;
    assert!(!ask(plain.tcp().await, &get_("/")).await.contains("strict-transport"), "HSTS means nothing without TLS");
}

#[tokio::test]
async fn a_certificate_is_swapped_under_a_connection_that_goes_on() {
    let rig = Rig::start(Limits::default(), How::Tls).await;
    let mut old = rig.tls(b"http/1.1").await;
    let new = Made::new();
    rig.certificates.set(&[new.pair()]).unwrap();
    old.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 15];
    old.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200 OK");
    let fresh = rig.try_tls(&new, b"http/1.1", None, rustls::ALL_VERSIONS).await.unwrap();
    assert_eq!(status(&ask(fresh, &get_("/")).await), 200);
    assert!(rig.try_tls(&rig.made, b"http/1.1", None, rustls::ALL_VERSIONS).await.is_err());
}

#[tokio::test]
async fn a_head_that_drips_is_cut() {
    let limits = Limits { head: Duration::from_millis(400), ..Limits::default() };
    let rig = Rig::start(limits, How::Tls).await;
    let mut stream = rig.tls(b"http/1.1").await;
    let begun = Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let (mut from, mut to) = tokio::io::split(stream);
    let drip = tokio::spawn(async move {
        while to.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await
        }
    });
    rest(&mut from).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drip.abort();
    // Nor may a connection be held without any request.
    let mut silent = rig.tls(b"http/1.1").await;
    let begun = Instant::now();
    rest(&mut silent).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_of_http2_without_requests_is_closed() {
    let rig = Rig::start(Limits { idle: Duration::from_millis(400), ..Limits::default() }, How::Tls).await;
    let mut stream = rig.tls(b"h2").await;
    // The preface, empty settings, then a head that never ends.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x82")
        .await
        .unwrap();
    let begun = Instant::now();
    rest(&mut stream).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_head_too_large_is_refused() {
    let limits = Limits { head_bytes: 8 << 10, head_most: 16 << 10, head_lines: 20, ..Limits::default() };
    let rig = Rig::start(limits, How::Tls).await;
    let long = |kib: usize, more: &str| {
        let cookie = "a".repeat(kib << 10);
        format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}Cookie: one=1; stuffed={cookie}\r\n\r\n"
        )
    };
    let told = rig.ask(&long(10, "")).await;
    assert_eq!(status(&told), 431);
    assert!(told.contains("web.head-too-large") && told.contains("stuffed, one"), "{told}");
    let page = rig.ask(&long(10, "Accept: text/html\r\n")).await;
    assert!(status(&page) == 431 && page.contains("Too many cookies") && page.contains("href=\"/cookies\""), "{page}");
    assert_eq!(status(&rig.ask(&long(10, "").replace("GET /", "GET /cookies")).await), 404, "there it is taken");
    assert_eq!(status(&rig.ask(&long(20, "")).await), 431, "without words");
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(30));
    assert_eq!(status(&rig.ask(&many).await), 431);
    for kib in [10, 20] {
        let (status, _) = ask_http2(rig.tls(b"h2").await, "/", &"a".repeat(kib << 10)).await.unwrap();
        assert_eq!(status, 431);
    }
    let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(200 << 10));
    let mut stream = rig.tls(b"http/1.1").await;
    let _ = stream.write_all(endless.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || [414, 431].contains(&self::status(&answer)), "{answer}");
}

#[tokio::test]
async fn idle_connections_are_bounded_and_leave_room_for_others() {
    let limits =
        Limits { connections: 64, connections_each: 50, head: Duration::from_millis(700), ..Limits::default() };
    let rig = Rig::start(limits, How::Plain).await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(rig.tcp().await);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(closed(&mut open).await, 150);
    drop(open);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if ask(rig.tcp().await, &get_("/")).await.contains("hello") {
            return;
        }
    }
    panic!("the places were not given back");
}

async fn closed(open: &mut [TcpStream]) -> usize {
    let mut closed = 0;
    for stream in open {
        let ended = timeout(Duration::from_millis(1), stream.read_u8()).await;
        closed += usize::from(ended.is_ok());
    }
    closed
}

#[tokio::test]
async fn whoever_does_not_end_his_handshake_keeps_nobody_out() {
    let limits = Limits { connections: 4, connections_each: 4, handshakes_each: 50, ..Limits::default() };
    let rig = Rig::start(limits, How::Tls).await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(rig.tcp().await);
        // Some say a little.
        if open.len() % 2 == 0 {
            open.last_mut().unwrap().write_all(&[22, 3, 1]).await.unwrap();
        }
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(closed(&mut open).await, 150);
    // From the same address too: the oldest give way.
    for _ in 0..20 {
        assert!(rig.ask(&get_("/")).await.contains("hello"));
    }
    drop(open);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if rig.try_tls(&rig.made, b"http/1.1", None, rustls::ALL_VERSIONS).await.is_ok() {
            return;
        }
    }
    panic!("the places were not given back");
}

#[tokio::test]
async fn what_is_no_tls_gets_an_end() {
    let rig = Rig::start(Limits { handshake: Duration::from_millis(400), ..Limits::default() }, How::Tls).await;
    let answer = ask(rig.tcp().await, &get_("/")).await;
    assert!(status(&answer) == 400 && answer.contains("https://"), "{answer}");
    assert_eq!(ask(rig.tcp().await, "\0\u{1}garbage").await, "");
    let mut record = vec![22, 3, 1, 0, 200];
    record.extend([0xee; 200]);
    let mut stream = rig.tcp().await;
    stream.write_all(&record).await.unwrap();
    rest(&mut stream).await;
    // Silence, and a handshake that never ends.
    for begin in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = rig.tcp().await;
        stream.write_all(begin).await.unwrap();
        let begun = Instant::now();
        rest(&mut stream).await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    assert_eq!(status(&rig.ask(&get_("/")).await), 200);
}

#[tokio::test]
async fn what_is_out_of_turn_is_answered_however_many_requests_there_are() {
    let rig = Rig::start(Limits { requests: 2, ..Limits::default() }, How::Tls).await;
    let slow = futures_util::future::join_all((0..2).map(|_| async { rig.ask(&get_("/slow")).await }));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        (status(&rig.ask(&get_("/who")).await), status(&rig.ask(&get_("/")).await))
    };
    let (slow, meanwhile) = tokio::join!(slow, meanwhile);
    assert!(slow.iter().all(|answer| status(answer) == 200));
    assert_eq!(meanwhile, (200, 503));
}

#[tokio::test]
async fn a_body_too_large_or_too_slow_is_refused_and_a_reset_harms_nobody() {
    let limits = Limits { body: 1000, request: Duration::from_millis(400), connections_each: 30, ..Limits::default() };
    let rig = Rig::start(limits, How::Tls).await;
    let post = |length: usize, body: &str| {
        format!("POST /take HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    assert!(rig.ask(&post(1000, &"a".repeat(1000))).await.ends_with("1000"));
    let told = rig.ask(&post(1001, "")).await;
    assert!(status(&told) == 413 && told.contains("web.too-large"), "{told}");
    let chunks = format!("400\r\n{}\r\n0\r\n\r\n", "a".repeat(1024));
    let chunked = format!(
        "POST /take HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}"
    );
    assert_eq!(status(&rig.ask(&chunked).await), 413);
    assert_eq!(status(&rig.ask(&post(1000, "ab")).await), 408);
    let told = rig.ask(&get_("/slow")).await;
    assert!(status(&told) == 408 && told.contains(r#""code":"web.too-long""#), "{told}");
    for _ in 0..100 {
        let mut stream = rig.tls(b"http/1.1").await;
        stream.write_all(post(1000, "half").as_bytes()).await.unwrap();
        // What is dropped with a linger of zero is reset.
        stream.get_ref().0.set_zero_linger().unwrap();
        drop(stream);
    }
    assert_eq!(status(&rig.ask(&get_("/")).await), 200);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_cut() {
    let rig = Rig::start(Limits { idle: Duration::from_millis(400), ..Limits::default() }, How::Tls).await;
    for protocol in ["http/1.1", "h2"] {
        let mut stream = rig.tls(protocol.as_bytes()).await;
        if protocol == "h2" {
            tokio::spawn(async move {
                let (mut send, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
                let ended = tokio::spawn(connection);
                let request = hyper::Request::get("https://localhost/big").body(axum::body::Body::empty()).unwrap();
                // It is held, not read.
                let _answer = send.send_request(request).await.unwrap();
                timeout(Duration::from_secs(8), ended).await.expect("the connection is not cut").unwrap().ok();
            })
            .await
            .unwrap();
        } else {
            stream.write_all(get_("/big").as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(4)).await;
            assert!(rest(&mut stream).await.len() < 64 << 20);
        }
    }
}

#[tokio::test]
async fn more_requests_at_once_than_there_are_places_are_told_to_come_again() {
    let rig = Rig::start(Limits { requests: 2, ..Limits::default() }, How::Tls).await;
    let answers = futures_util::future::join_all((0..6).map(|_| async { rig.ask(&get_("/slow")).await })).await;
    let busy: Vec<&String> = answers.iter().filter(|a| status(a) == 503).collect();
    assert_eq!(busy.len(), 4);
    assert!(busy[0].contains("retry-after: 2") && busy[0].contains("web.busy"), "{}", busy[0]);
    assert_eq!(status(&rig.ask(&get_("/")).await), 200);
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_cuts_the_rest() {
    let rig = Rig::start(Limits::default(), How::Tls).await;
    let (mut working, mut slow, silent) =
        (rig.tls(b"http/1.1").await, rig.tls(b"http/1.1").await, rig.tls(b"h2").await);
    working.write_all(get_("/slow").as_bytes()).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let (address, stopped) = (rig.address, tokio::spawn(rig.server.stop(Duration::from_secs(1))));
    let answer = rest(&mut working).await;
    assert!(answer.ends_with("slow"), "{answer}");
    // The half of a head, and the one that speaks HTTP/2 and says nothing.
    assert_eq!(stopped.await.unwrap(), Drained { cut: 2 });
    assert!((Duration::from_millis(900)..Duration::from_secs(2)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert!(TcpStream::connect(address).await.is_err());
    drop(silent);
}

#[tokio::test]
async fn only_the_proxy_that_shows_its_certificate_is_believed() {
    let asks = "GET /who HTTP/1.1\r\nHost: panel\r\nConnection: close\r\nX-Forwarded-For: 9.9.9.9, 203.0.113.5\r\nX_Forwarded_For: 8.8.8.8\r\n\
                X-Forwarded-Proto: https\r\nX-Forwarded-Host: panel.example.org\r\nRemote-User: admin\r\nRemote_User: admin\r\nForwarded: for=1.1.1.1\r\n\r\n";
    let open = Rig::start(Limits::default(), How::Tls).await;
    let answer = open.ask(asks).await;
    assert!(answer.ends_with(r#"127.0.0.1 true Some("panel") false"#), "{answer}");
    let plain = Rig::start(Limits::default(), How::Plain).await;
    let answer = ask(plain.tcp().await, asks).await;
    assert!(answer.ends_with(r#"127.0.0.1 false Some("panel") false"#), "{answer}");

    // A certificate of a client must be a client's: webpki takes a self-signed one as its own root.
    let (client, stranger) = (Made::new(), Made::new());
    let proxy = Rig::start(Limits::of_proxy(), How::For(&client)).await;
    let stream = proxy.try_tls(&proxy.made, b"http/1.1", Some(&client), rustls::ALL_VERSIONS).await.unwrap();
    let answer = ask(stream, asks).await;
    assert!(answer.ends_with(r#"203.0.113.5 true Some("panel.example.org") false"#), "{answer}");
    for me in [None, Some(&stranger)] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            // With TLS 1.3 the client learns of it when it reads.
            if let Ok(mut stream) = proxy.try_tls(&proxy.made, b"http/1.1", me, &[version]).await {
                let _ = stream.write_all(asks.as_bytes()).await;
                assert_eq!(rest(&mut stream).await, "");
            }
        }
    }
}

#[tokio::test]
async fn hsts_comes_and_goes_with_the_certificate() {
    let hsts = Arc::new(AtomicU64::new(0));
    let manner = Manner { tls: true, hsts: hsts.clone(), ..Manner::default() };
    let mut app = dress(router(), manner, &Limits::default());
    for age in [0, 300, 0] {
        hsts.store(age, Ordering::Relaxed);
        let request = hyper::Request::get("/").body(axum::body::Body::empty()).unwrap();
        let answer = tower_service::Service::call(&mut app, request).await.unwrap();
        let header = answer.headers().get("strict-transport-security").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header, (age > 0).then(|| format!("max-age={age}")));
    }
}
