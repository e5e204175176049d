//! A server of the tests' own that says what reached it. It runs in this process, where it is "the machine", or in a container: this
//! very program, laid into the image of the hearth that is tested.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// Makes this program the server, for a container.
pub const WORD: &str = "--echo";
const SLOW: &str = "ECHO_IS_SLOW_TO_STOP";
/// It was told to stop.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// Its answer is text: `from NAME`, the version of HTTP, the request line, then the headers. A path with `wait-MS` in it waits, `status-N`
/// answers that status, `health` answers 200 until `ill` was asked for, and what asks for an upgrade gets back all it sends.
pub struct Echo {
    /// HTTP/1.1 and HTTP/2 in clear.
    pub http: u16,
    /// The same over TLS, with a certificate that nobody signed.
    pub https: u16,
    /// TCP and UDP: all comes back.
    pub raw: u16,
}

impl Echo {
    /// On free ports of every address of this machine, as long as the test's process runs.
    pub fn here() -> Echo {
        let any = IpAddr::from([0, 0, 0, 0]);
        let tcp = || TcpListener::bind((any, 0)).expect("some port is free");
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let (http, https) = (tcp(), tcp());
        let (raw, udp) = loop {
            let raw = tcp();
            if let Ok(udp) = UdpSocket::bind((any, port(&raw))) {
                break (raw, udp);
            }
        };
        let echo = Echo { http: port(&http), https: port(&https), raw: port(&raw) };
        std::thread::spawn(move || serve("the machine".into(), http, https, raw, udp));
        echo
    }

    /// The lines of a Compose service that is one: HTTP on 80, TLS on 443, TCP and UDP on 7.
    pub fn service() -> String {
        let program = std::env::current_exe().expect("this program knows where it lies");
        format!(
            "    image: {}\n    entrypoint: [/it, {WORD}]\n    command: []\n    volumes: ['{}:/it:ro']\n    stop_signal: SIGKILL\n",
            super::HEARTH,
            program.display()
        )
    }

    /// The same, but with [`SLOW`] it ends as a bad server does: told to stop it refuses new connections at once, says so (599) on those it
    /// has, and ends two seconds later.
    pub fn slow_to_stop() -> String {
        let own = Echo::service().replace("SIGKILL", "SIGTERM");
        format!("{own}    environment: {{ {SLOW}: '1' }}\n    stop_grace_period: 10s\n")
    }

    /// Serves on the usual ports, until the process is killed.
    pub fn be() -> ! {
        let name = std::env::var("HOSTNAME").unwrap_or_default();
        let any = IpAddr::from([0, 0, 0, 0]);
        let tcp = |port: u16| TcpListener::bind((any, port)).expect("a container's ports are free");
        let udp = UdpSocket::bind((any, 7)).expect("a container's ports are free");
        serve(name, tcp(80), tcp(443), tcp(7), udp)
    }
}

fn serve(name: String, http: TcpListener, https: TcpListener, raw: TcpListener, udp: UdpSocket) -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(async move {
        let tls = certificate();
        let taken = |listener: TcpListener| {
            listener.set_nonblocking(true).expect("a listener can be set so");
            tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over")
        };
        udp.set_nonblocking(true).expect("a socket can be set so");
        let udp = tokio::net::UdpSocket::from_std(udp).expect("a socket can be taken over");
        let name: Arc<str> = name.into();
        let (http, https, raw) = (taken(http), taken(https), taken(raw));
        let serving = async {
            tokio::join!(
                accept(http, |stream| {
                    let name = name.clone();
                    async move { talk(stream, name).await }
                }),
                accept(https, |stream| {
                    let (tls, name) = (tls.clone(), name.clone());
                    async move {
                        if let Ok(stream) = tls.accept(stream).await {
                            talk(stream, name).await;
                        }
                    }
                }),
                accept(raw, |mut stream| async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                }),
                async {
                    let mut buffer = [0; 2048];
                    while let Ok((size, who)) = udp.recv_from(&mut buffer).await {
                        let _ = udp.send_to(&buffer[..size], who).await;
                    }
                }
            )
        };
        tokio::select! {
            _ = serving => {}
            () = told_to_stop() => STOPPING.store(true, Ordering::Relaxed),
        }
        // The listeners are gone; who is connected is still heard.
        tokio::time::sleep(Duration::from_secs(2)).await;
    });
    std::process::exit(0)
}

async fn told_to_stop() {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match signal {
        Ok(mut signal) if std::env::var_os(SLOW).is_some() => drop(signal.recv().await),
        _ => std::future::pending().await,
    }
}

async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: tokio::net::TcpListener,
    with: impl Fn(tokio::net::TcpStream) -> F,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(with(stream))),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn certificate() -> TlsAcceptor {
    let own = rcgen::generate_simple_self_signed(["echo.invalid".to_owned()]).expect("a certificate can be made");
    let key = own.signing_key.serialize_der().try_into().expect("a key can be read again");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS can be set up").with_no_client_auth();
    let mut config = config.with_single_cert(vec![own.cert.der().clone()], key).expect("the pair is good");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn talk<S>(stream: S, name: Arc<str>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, name.clone()));
    let builder = auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

async fn answer(mut request: Request<Incoming>, name: Arc<str>) -> Result<Response<Full<Bytes>>, Infallible> {
    static ILL: AtomicBool = AtomicBool::new(false);
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let mut text = format!("from {name}\n{:?}\n{} {path}\n", request.version(), request.method());
    for (key, value) in request.headers() {
        text.push_str(&format!("{key}: {}\n", value.to_str().unwrap_or("?")));
    }
    let path = request.uri().path().to_owned();
    let number = |word: &str| path.split('/').find_map(|part| part.strip_prefix(word)?.parse::<u64>().ok());
    if request.headers().contains_key(header::UPGRADE) {
        // The head is all that somebody sees of what it was asked with.
        let said = |name: &str| {
            request.headers().get_all(name).iter().filter_map(|v| v.to_str().ok()).collect::<Vec<_>>().join(", ")
        };
        let heard = format!("{} {}", said("cookie"), said("remote-user"));
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let mut stream = TokioIo::new(upgraded);
            let mut buffer = [0; 2048];
            while let Ok(size @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..size]).await.is_err() {
                    return;
                }
            }
        });
        let head = Response::builder()
            .status(101)
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("X-Heard", heard);
        return Ok(head.body(Full::default()).expect("a good response"));
    }
    let body = request.body_mut().collect().await.map(|b| b.to_bytes().len()).unwrap_or_default();
    text.push_str(&format!("body of {body}\n"));
    if let Some(ms) = number("wait-") {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let status = match path.as_str() {
        _ if STOPPING.load(Ordering::Relaxed) => 599,
        "/ill" => {
            ILL.store(true, Ordering::Relaxed);
            200
        }
        "/health" if ILL.load(Ordering::Relaxed) => 500,
        _ => number("status-").unwrap_or(200) as u16,
    };
    let head = Response::builder().status(status).header("Content-Type", "text/plain").header("X-Made-By", "echo");
    Ok(head.body(Full::new(Bytes::from(text))).expect("a good response"))
}

/// Sends a line over TCP and gives what came back within two seconds; empty where the connection was refused or cut.
pub fn tcp(at: SocketAddr, line: &str) -> String {
    use std::io::{Read, Write};
    let wait = Duration::from_secs(2);
    let Ok(mut stream) = std::net::TcpStream::connect_timeout(&at, wait) else { return String::new() };
    let _ = stream.set_read_timeout(Some(wait));
    let mut back = vec![0; line.len()];
    let came = stream.write_all(line.as_bytes()).and_then(|()| stream.read_exact(&mut back));
    came.map(|()| String::from_utf8_lossy(&back).into_owned()).unwrap_or_default()
}

/// The same over UDP.
pub fn udp(at: SocketAddr, line: &str) -> String {
    let Ok(socket) = UdpSocket::bind("0.0.0.0:0") else { return String::new() };
    let _ = socket.set_read_timeout(Some(Duration::from_millis(500)));
    let mut back = vec![0; 2048];
    let came = socket.send_to(line.as_bytes(), at).and_then(|_| socket.recv_from(&mut back));
    came.map(|(size, _)| String::from_utf8_lossy(&back[..size]).into_owned()).unwrap_or_default()
}
