//! As much HTTP/1.1 as the example needs: one request to a connection, small, soon, or not at all.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::diag::text::visible;

/// Bytes of a request's head, and of an answer that is fetched.
const MAX_HEAD: usize = 8 << 10;
const MAX_ANSWER: u64 = 64 << 10;
/// For a whole request and its answer.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_CONNECTIONS: usize = 64;

pub struct Answer {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
}

impl Answer {
    pub fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Answers one request: its method and its path without the query.
pub trait Handler: Send + Sync + 'static {
    fn answer(&self, method: &str, path: &str) -> impl Future<Output = Answer> + Send;
}

/// Serves for ever. `Err` where the address cannot be listened on.
pub async fn serve(address: String, handler: impl Handler) -> Result<(), String> {
    let listener = TcpListener::bind(&address).await.map_err(|e| format!("{address} cannot be listened on: {e}"))?;
    eprintln!("listens on {address}");
    serve_on(listener, Arc::new(handler)).await
}

async fn serve_on<H: Handler>(listener: TcpListener, handler: Arc<H>) -> Result<(), String> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files for a moment: others will close.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let handler = handler.clone();
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, connection(stream, &*handler)).await;
            drop(place);
        });
    }
}

async fn connection<H: Handler>(mut stream: TcpStream, handler: &H) -> std::io::Result<()> {
    let Some(head) = read_head(&mut stream).await? else {
        return write(&mut stream, Answer::text(431, "the request is too large\n"), false).await;
    };
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0")) = (method, target, version) else {
        return write(&mut stream, Answer::text(400, "this is no HTTP request\n"), false).await;
    };
    let path = target.split('?').next().unwrap_or(target);
    let (method, head_only) = if method == "HEAD" { ("GET", true) } else { (method, false) };
    let answer = handler.answer(method, path).await;
    if let Some(line) = logged(method, path, answer.status) {
        eprintln!("{line}");
    }
    write(&mut stream, answer, head_only).await
}

/// The line that the log has of a request; none of a health check, which comes every few seconds.
fn logged(method: &str, path: &str, status: u16) -> Option<String> {
    let seen = |text: &str| visible(&text.replace('\n', " ").chars().take(200).collect::<String>());
    (path != "/health").then(|| format!("{} {} {status}", seen(method), seen(path)))
}

/// Up to the blank line; `None` where it does not come within the limit.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 1024];
    loop {
        let n = stream.read(&mut buffer).await?;
        bytes.extend_from_slice(&buffer[..n]);
        if bytes.windows(4).any(|w| w == b"\r\n\r\n") || n == 0 {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        if bytes.len() > MAX_HEAD {
            return Ok(None);
        }
    }
}

async fn write(stream: &mut TcpStream, answer: Answer, head_only: bool) -> std::io::Result<()> {
    let reason = match answer.status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n",
        answer.status,
        answer.kind,
        answer.body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if !head_only {
        stream.write_all(answer.body.as_bytes()).await?;
    }
    stream.shutdown().await
}

/// What was fetched: status and body.
pub struct Fetched {
    pub status: u16,
    pub body: String,
}

/// One request to an `http://` URL, within `patience`. `Err` says why in a few words.
pub async fn fetch(method: &str, url: &str, patience: Duration) -> Result<Fetched, String> {
    let (host, path) = parts(url).ok_or("it is no http:// address")?;
    let address = if host.contains(':') { host.to_string() } else { format!("{host}:80") };
    let exchange = async {
        let mut stream = TcpStream::connect(&address).await?;
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = timeout(patience, exchange).await.map_err(|_| "no answer in time")?.map_err(|e| e.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer is cut off")?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or("the answer is no HTTP")?;
    Ok(Fetched { status, body: body.to_string() })
}

fn parts(url: &str) -> Option<(&str, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) =
        rest.split_once('/').map_or((rest, String::from("/")), |(host, path)| (host, format!("/{path}")));
    let clean = |s: &str| !s.is_empty() && !s.contains(|c: char| c.is_whitespace() || c.is_control());
    (clean(host) && clean(&path)).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_of_the_log_and_a_health_check_is_none() {
        assert_eq!(logged("GET", "/", 200).as_deref(), Some("GET / 200"));
        assert_eq!(logged("GET", "/health", 200), None);
        let long = logged("GET", &format!("/\u{1b}[2J\n{}", "a".repeat(5000)), 404).unwrap();
        assert!(long.len() < 300 && !long.chars().any(char::is_control), "{long}");
    }

    struct Echo;
    impl Handler for Echo {
        async fn answer(&self, method: &str, path: &str) -> Answer {
            Answer::text(200, format!("{method} {path}"))
        }
    }

    async fn start() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(serve_on(listener, Arc::new(Echo)));
        address
    }

    #[tokio::test]
    async fn a_request_is_answered_and_fetched() {
        let address = start().await;
        let answer = fetch("GET", &format!("http://{address}/a?b=c"), PATIENCE).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "GET /a"));
        assert!(fetch("GET", "https://x/", PATIENCE).await.is_err());
        assert!(fetch("GET", "http://x y/\r\nEvil: 1", PATIENCE).await.is_err());
    }

    #[tokio::test]
    async fn what_is_no_request_or_too_large_is_refused() {
        let address = start().await;
        for (sent, status) in
            [("nonsense\r\n\r\n".to_string(), "400"), (format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(9000)), "431")]
        {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        }
    }
}
