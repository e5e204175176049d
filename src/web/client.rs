//! One request of ours over a connection that is open already, HTTP/1.1: how Hearth asks its own front door what others see there, and servers
//! outside ([`super::outside`]).

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// `GET path` of `host` (a name or an address, without a port); of the body, what fits into `most` bytes. The error says in words why
/// there is no answer.
pub async fn get<S>(stream: S, host: &str, path: &str, accept: &str, most: usize) -> Result<Response<Bytes>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let driver = tokio::spawn(connection);
    // An address with colons stands in brackets (RFC 3986, 3.2.2).
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let request = Request::get(path)
        .header("host", host)
        .header("user-agent", concat!("hearth/", env!("CARGO_PKG_VERSION"), " (probe)"))
        .header("accept", accept)
        .body(Empty::<Bytes>::new())
        .map_err(|e| e.to_string())?;
    let (head, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
    // An endless answer is as good as a short one here.
    let body = Limited::new(body, most).collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    driver.abort();
    Ok(Response::from_parts(head, body))
}

/// Sends `request` and gives the whole answer. `Err` in words: there is none, or its body is longer than `most` bytes.
pub async fn exchange<S>(stream: S, request: Request<Full<Bytes>>, most: usize) -> Result<Response<Bytes>, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    // It ends with this function, however that ends.
    let _driver = Driver(tokio::spawn(connection));
    let (head, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
    let body = Limited::new(body, most).collect().await;
    let body = body.map_err(|_| format!("its answer broke off, or is longer than {} KiB", most >> 10))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

struct Driver<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
