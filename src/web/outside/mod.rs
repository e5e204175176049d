//! Requests of ours to servers that a home names in its settings: an authority, a provider of accounts.
//!
//! | subject | file |
//! |---|---|
//! | one request, bounded in time and size, no redirect followed | this one |
//! | where it may go: the address that was judged is the one that is connected to | `reach` |
//! | an address as a person or a document writes it | `target` |
//! | whom the machine trusts | `trust` |
//! | why there is no answer, in words | `trouble` |

mod reach;
mod target;
pub mod trouble;
pub mod trust;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use reach::Reach;
pub use target::Target;

use super::client;
use trouble::Trouble;

/// For a connection, from looking up its name to the end of the handshake.
const CONNECT: Duration = Duration::from_secs(5);
/// For one request, its answer included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked.
pub struct Ask<'a> {
    pub method: Method,
    pub target: &'a Target,
    pub headers: &'a [(&'static str, &'a str)],
    pub body: Bytes,
}

/// An answer that came whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// A way to the outside; cheap to clone. Each request has a connection of its own: there are few, and none can be led astray by an earlier one.
#[derive(Clone)]
pub struct Outside {
    tls: Arc<ClientConfig>,
    reach: Reach,
}

impl Outside {
    pub fn new(tls: Arc<ClientConfig>, reach: Reach) -> Outside {
        Outside { tls, reach }
    }

    /// Asks once. Redirects are answers like others: nobody follows them. A body of more than `most` bytes is no answer.
    pub async fn ask(&self, ask: Ask<'_>, most: usize) -> Result<Answer, Trouble> {
        let host = ask.target.host().to_owned();
        let whole = timeout(PATIENCE, self.whole(ask, most)).await;
        whole.unwrap_or_else(|_| Err(Trouble::new(&host, "it did not answer within 10 s")))
    }

    async fn whole(&self, ask: Ask<'_>, most: usize) -> Result<Answer, Trouble> {
        let Ask { method, target, headers, body } = ask;
        let host = target.host();
        let mut request = Request::builder()
            .method(method)
            .uri(target.path())
            .header("host", target.authority())
            .header("user-agent", concat!("hearth/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body));
        let request = request.map_err(|_| Trouble::new(host, "the request has a character that cannot be sent"))?;
        let connected = timeout(CONNECT, self.connected(target)).await;
        let stream = connected.unwrap_or_else(|_| Err(Trouble::new(host, "it did not answer within 5 s")))?;
        let answer = match target.is_https() {
            false => client::exchange(stream, request, most).await,
            true => {
                let name = ServerName::try_from(host.to_owned())
                    .map_err(|_| Trouble::new(host, "it is no name that a certificate can be for"))?;
                let connecting = TlsConnector::from(self.tls.clone()).connect(name, stream);
                let shaken = timeout(CONNECT, connecting).await;
                let shaken = shaken.map_err(|_| Trouble::new(host, "it did not answer within 5 s"))?;
                client::exchange(shaken.map_err(|error| Trouble::of(host, &error))?, request, most).await
            }
        };
        let answer = answer.map_err(|why| Trouble::new(host, &why))?;
        Ok(Answer { status: answer.status().as_u16(), body: answer.into_body() })
    }

    /// A connection to the first address of the name that may be reached and answers: what was judged is what is connected to, so a name that
    /// leads elsewhere a moment later leads nowhere.
    async fn connected(&self, target: &Target) -> Result<TcpStream, Trouble> {
        let host = target.host();
        self.reach.may_name(target).map_err(|why| Trouble::new(host, why))?;
        let found = tokio::net::lookup_host((host, target.port())).await.map_err(|error| Trouble::of(host, &error))?;
        let mut last = Trouble::new(host, "its name leads to no address");
        for address in found {
            if let Err(why) = self.reach.may_connect(target, address.ip()) {
                last = Trouble::new(host, why);
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Trouble::of(host, &error),
            }
        }
        Err(last)
    }
}
