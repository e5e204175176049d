//! Accepting, serving and ending connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;
use tracing::{debug, warn};

use super::activity::{Activity, Watched};
use super::dress::{Manner, Peer, dress};
use super::handshakes::{Handshake, Handshakes};
use super::limits::{Limits, Place, Places};
use super::tls::Tls;

/// For a connection that was told to end.
const LAST: Duration = Duration::from_secs(2);
/// Bytes that an HTTP/2 stream, and the whole connection, may have under way to us.
const WINDOW: u32 = 256 << 10;

/// One way in.
pub struct Door {
    /// `None`: plain HTTP.
    pub tls: Option<Arc<Tls>>,
    pub limits: Limits,
    pub manner: Manner,
    pub router: Router,
}

/// Serves doors until it is stopped. Clones share it.
#[derive(Clone)]
pub struct Server {
    tasks: TaskTracker,
    /// Accept no more, end what is idle.
    stop: CancellationToken,
    /// End everything.
    cut: CancellationToken,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that had not ended by themselves in time.
    pub cut: usize,
}

impl Default for Server {
    fn default() -> Server {
        Server { tasks: TaskTracker::new(), stop: CancellationToken::new(), cut: CancellationToken::new() }
    }
}

impl Server {
    /// Begins to serve `door` on `listener`.
    pub fn open(&self, listener: TcpListener, door: Door) {
        let manner = Manner { tls: door.tls.is_some(), ..door.manner };
        let router = dress(door.router, manner, &door.limits);
        let inner = Arc::new(Inner {
            tls: door.tls,
            limits: door.limits,
            places: Places::default(),
            handshakes: Handshakes::default(),
            router,
            stop: self.stop.clone(),
            cut: self.cut.clone(),
        });
        self.tasks.spawn(accept(listener, inner, self.tasks.clone()));
    }

    /// Accepts no more, lets requests under way end for `patience`, then cuts what is left.
    pub async fn stop(self, patience: Duration) -> Drained {
        self.stop.cancel();
        self.tasks.close();
        if timeout(patience, self.tasks.wait()).await.is_ok() {
            return Drained { cut: 0 };
        }
        let cut = self.tasks.len();
        self.cut.cancel();
        self.tasks.wait().await;
        Drained { cut }
    }
}

struct Inner {
    tls: Option<Arc<Tls>>,
    limits: Limits,
    places: Places,
    handshakes: Handshakes,
    router: Router,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Inner {
    fn place(&self, peer: SocketAddr) -> Option<Place> {
        let place = self.limits.connection(&self.places, peer.ip());
        if place.is_none() {
            debug!(client = %peer.ip(), "too many connections: one is closed");
        }
        place
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = inner.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                match &inner.tls {
                    Some(tls) => {
                        let shaking = inner.handshakes.begin(peer.ip(), &inner.limits);
                        tasks.spawn(connection(
                            secure(stream, peer, tls.clone(), shaking, inner.clone()),
                            inner.clone(),
                        ));
                    }
                    None => {
                        if let Some(place) = inner.place(peer) {
                            tasks.spawn(connection(plain(stream, peer, place, inner.clone()), inner.clone()));
                        }
                    }
                }
            }
            Err(error) => {
                // Out of files, mostly: others end, then it goes on.
                warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(serving: impl Future<Output = ()>, inner: Arc<Inner>) {
    tokio::select! {
        () = serving => {}
        () = inner.cut.cancelled() => {}
    }
}

async fn plain(stream: TcpStream, peer: SocketAddr, _place: Place, inner: Arc<Inner>) {
    let activity = Activity::new();
    serve(Watched::new(stream, activity.clone()), false, peer, activity, &inner).await;
}

/// A connection takes a place only once its handshake has ended: before, it is one of many that wait.
async fn secure(stream: TcpStream, peer: SocketAddr, tls: Arc<Tls>, shaking: Handshake, inner: Arc<Inner>) {
    let activity = Activity::new();
    let handshake = shake(stream, peer, &tls, activity.clone());
    let shaken = tokio::select! {
        shaken = timeout(inner.limits.handshake, handshake) => shaken,
        () = shaking.given_up() => {
            debug!(client = %peer.ip(), "too many TLS handshakes: one is given up");
            return;
        }
        () = inner.stop.cancelled() => return,
    };
    drop(shaking);
    match shaken {
        Ok(Some(stream)) => {
            let Some(_place) = inner.place(peer) else { return };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            serve(stream, http2, peer, activity, &inner).await;
        }
        Ok(None) => {}
        Err(_) => debug!(client = %peer.ip(), "a TLS handshake did not end in time"),
    }
}

async fn shake(
    stream: TcpStream,
    peer: SocketAddr,
    tls: &Tls,
    activity: Activity,
) -> Option<TlsStream<Watched<TcpStream>>> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    // 22 begins a TLS handshake; a letter begins the request of somebody who wrote http:// for https://.
    if first[0] != 22 {
        if first[0].is_ascii_uppercase() {
            say_https(stream).await;
        }
        return None;
    }
    match TlsAcceptor::from(tls.config()).accept(Watched::new(stream, activity)).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            debug!(client = %peer.ip(), "no TLS handshake: {error}");
            None
        }
    }
}

async fn say_https(mut stream: TcpStream) {
    let words = "This address speaks HTTPS: write https:// before it.\n";
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{words}",
        words.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        // What the client still sends is taken, for a while: closing over it would throw our answer away.
        let mut bin = [0; 1024];
        for _ in 0..64 {
            let mut read = std::pin::pin!(tokio::io::AsyncReadExt::read(&mut stream, &mut bin));
            match timeout(Duration::from_secs(1), read.as_mut()).await {
                Ok(Ok(n)) if n > 0 => {}
                _ => return,
            }
        }
    }
}

async fn serve<S>(stream: S, http2: bool, peer: SocketAddr, activity: Activity, inner: &Inner)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (router, seen) = (inner.router.clone(), activity.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let (working, seen) = (seen.work(), seen.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer.ip().to_canonical()));
            // An answer that goes on says so itself.
            request.extensions_mut().insert(seen);
            let answer: Result<Response<Body>, Infallible> = router.call(request).await;
            drop(working);
            answer
        }
    });
    let (io, limits) = (TokioIo::new(stream), &inner.limits);
    if http2 {
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.head_most).unwrap_or(u32::MAX))
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW * 4)
            .max_send_buf_size(WINDOW as usize)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(15));
        let connection = builder.serve_connection(io, service);
        drive(connection, |c| c.graceful_shutdown(), activity, peer, inner).await;
    } else {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_headers(limits.head_lines)
            .max_header_size(limits.head_most)
            .max_buf_size(limits.head_most.max(8 << 10) + (8 << 10));
        // What becomes a WebSocket is its handler's.
        let connection = builder.serve_connection(io, service).with_upgrades();
        drive(connection, |c| c.graceful_shutdown(), activity, peer, inner).await;
    }
}

/// Runs a connection until it ends, is idle, or is to stop.
async fn drive<C>(connection: C, end_it: fn(Pin<&mut C>), activity: Activity, peer: SocketAddr, inner: &Inner)
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    let mut end = None;
    loop {
        let idle = activity.idle_at(inner.limits.idle);
        if idle.is_none() && end.is_none() {
            end_it(connection.as_mut());
            end = Some(Instant::now() + LAST);
        }
        let look = end.or(idle).unwrap_or_else(|| Instant::now() + LAST);
        tokio::select! {
            done = connection.as_mut() => {
                if let Err(error) = done {
                    debug!(client = %peer.ip(), "a connection ended: {error}");
                }
                return;
            }
            () = inner.stop.cancelled(), if !stopping => {
                stopping = true;
                end_it(connection.as_mut());
            }
            () = sleep_until(look) => {
                if end.is_some_and(|end| end <= Instant::now()) {
                    return;
                }
            }
        }
    }
}
