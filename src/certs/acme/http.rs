//! The HTTP client to authorities and DNS services: bounded in time and size, and it remembers what an answer said beside its body.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::ClientConfig;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::base::clock::Clock;
use crate::diag::{Diagnostic, Kind};
use crate::web::outside::{trouble, trust};

/// For one request, its answer included.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of an authority is longer: a chain is some kilobytes.
const MOST: usize = 1 << 20;

/// Whom the machine trusts, and the roots of `file` (a private authority's) beside them.
pub fn roots(file: Option<&Path>) -> Result<Arc<ClientConfig>, Diagnostic> {
    let files: Vec<&Path> = file.into_iter().collect();
    trust::roots(&files).map_err(|(file, why)| match file {
        None => Diagnostic::error("certs.bad-roots", format!("TLS cannot be set up: {why}")),
        Some(file) => Diagnostic::error("certs.bad-roots", format!("the roots in {file} cannot be used ({why})"))
            .kind(Kind::Failed)
            .hint("certificates: {roots: ...} names a file with the root certificates of a private authority, in PEM"),
    })
}

/// What the last answer said beside its body.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub status: Option<u16>,
    pub retry_after: Option<OffsetDateTime>,
    /// What time it is there.
    pub date: Option<OffsetDateTime>,
    /// A page where a person must do something (`Link: ...; rel="terms-of-service"`).
    pub link: Option<String>,
}

/// Connections to authorities; cheap to clone.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    seen: Arc<Mutex<Seen>>,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub fn new(config: &Arc<ClientConfig>, clock: Arc<dyn Clock>) -> Client {
        let connector =
            HttpsConnectorBuilder::new().with_tls_config((**config).clone()).https_only().enable_http1().build();
        Client { pool: Pool::builder(TokioExecutor::new()).build(connector), seen: Arc::default(), clock }
    }

    /// What the last answer said.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Posts JSON; the answer's status. `Err` is a sentence's part in plain words.
    pub async fn post(&self, url: &str, headers: &[(&str, &str)], body: &serde_json::Value) -> Result<u16, String> {
        let mut request = Request::post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(BodyWrapper::from(body.to_string().into_bytes()));
        let request =
            request.map_err(|_| "its URL or one of its credentials has a character that cannot be sent".to_owned())?;
        let (parts, _) = self.ask(request).await.map_err(|e| e.to_string())?;
        Ok(parts.status.as_u16())
    }

    /// Gets something; status, the `Date` of the answer, and the body. `Err` is a sentence.
    pub async fn get(&self, url: &str) -> Result<(u16, Option<OffsetDateTime>, Bytes), String> {
        let request = Request::get(url).body(BodyWrapper::from(Vec::new()));
        let request = request.map_err(|_| "its URL has a character that cannot be sent".to_owned())?;
        let (parts, body) = self.ask(request).await.map_err(|e| e.to_string())?;
        let date = parts.headers.get(hyper::header::DATE).and_then(|value| value.to_str().ok()).and_then(date);
        Ok((parts.status.as_u16(), date, body))
    }

    async fn ask(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Result<(hyper::http::response::Parts, Bytes), Trouble> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
        let host = request.uri().host().unwrap_or_default().to_owned();
        let whole = async {
            let answer = self.pool.request(request).await.map_err(|e| Trouble::connect(&host, &e))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, MOST)
                .collect()
                .await
                .map_err(|_| Trouble(format!("{host} broke its answer off")))?;
            Ok((parts, body.to_bytes()))
        };
        let answered = tokio::time::timeout(PATIENCE, whole).await;
        let (parts, body) = answered.unwrap_or_else(|_| Err(Trouble(format!("{host} did not answer within 30 s"))))?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            status: Some(parts.status.as_u16()),
            retry_after: retry_after(&parts.headers, self.clock.now()),
            date: parts.headers.get(hyper::header::DATE).and_then(|value| value.to_str().ok()).and_then(date),
            link: link(&parts.headers),
        };
        Ok((parts, body))
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let (parts, body) = client.ask(request).await.map_err(|trouble| Error::Other(Box::new(trouble)))?;
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}

/// Why there is no answer, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl Trouble {
    fn connect(host: &str, error: &(dyn std::error::Error + 'static)) -> Trouble {
        Trouble(format!("{host} cannot be reached: {}", trouble::words(error)))
    }
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(now + Duration::from_secs(seconds.into())),
        Err(_) => date(text),
    }
}

/// As HTTP writes dates.
fn date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()
}

fn link(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(hyper::header::LINK).iter().filter_map(|value| value.to_str().ok());
    let terms = all.flat_map(|text| text.split(',')).find(|one| one.contains("terms-of-service"))?;
    let url = terms.split_once('<')?.1.split_once('>')?.0;
    url.starts_with("https://").then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_when_to_come_back_in_two_ways() {
        let now = time::macros::datetime!(2026-11-26 04:00 UTC);
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(of("120"), Some(now + Duration::from_secs(120)));
        assert_eq!(of("Thu, 26 Nov 2026 05:00:00 GMT"), Some(now + Duration::from_secs(3600)));
        assert_eq!(of("soon"), None);
    }
}
