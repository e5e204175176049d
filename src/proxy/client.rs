//! One request over TLS to one address, with everything seen on the way: the certificate that was really served, whether this machine
//! believes it, and the answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::base::wording::connection;
use crate::traefik::file::GATE_HEADER;
use crate::web::client;

/// How long each part (connecting, TLS, the answer) may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a connection has to be cut by who does not want it.
const MOMENT: Duration = Duration::from_millis(400);
/// Bytes of an answer that are read.
const MOST: usize = 8 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// In words.
    Connect(String),
    Tls(String),
    Answer(String),
}

impl Failed {
    pub fn words(&self) -> &str {
        match self {
            Failed::Connect(why) | Failed::Tls(why) | Failed::Answer(why) => why,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub location: String,
    /// Whether gate answered in the service's place.
    pub by_gate: bool,
    pub body: Bytes,
}

/// What was served, and what came of it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The leaf, DER; `None` where TLS did not get that far.
    pub leaf: Option<Vec<u8>>,
    /// Why this machine would not believe it; `None`: it does.
    pub distrust: Option<String>,
    pub answer: Result<Answer, Failed>,
}

/// Asks `GET path` of `host` at `to`, whatever certificate it shows.
pub async fn look(to: SocketAddr, host: &str, path: &str, accept: &str, roots: Arc<RootCertStore>) -> Seen {
    let verdict = Arc::new(Verdict::new(roots));
    let config = config_with(verdict.clone());
    let answer = match config {
        Ok(config) => get(to, host, host, path, accept, Arc::new(config)).await,
        Err(why) => Err(Failed::Tls(why)),
    };
    let (leaf, distrust) = verdict.said();
    Seen { leaf, distrust, answer }
}

/// Whether `GET path` is answered with 200 there, whatever certificate is shown; else why not.
pub async fn answers(to: SocketAddr, host: &str, path: &str) -> Result<(), String> {
    match look(to, host, path, "application/json", Arc::new(RootCertStore::empty())).await.answer {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!("what listens there answers {}", answer.status)),
        Err(why) => Err(why.words().to_string()),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The beginning of a client's settings.
pub fn builder() -> Option<ConfigBuilder<ClientConfig, WantsVerifier>> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().ok()
}

/// A verifier that lets every server through: for what is only asked how it is.
pub fn anyone(roots: RootCertStore) -> Arc<dyn ServerCertVerifier> {
    Arc::new(Verdict::new(Arc::new(roots)))
}

fn config_with(verdict: Arc<Verdict>) -> Result<ClientConfig, String> {
    let builder = builder().ok_or("TLS cannot be set up")?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verdict).with_no_client_auth())
}

async fn connect(to: SocketAddr) -> Result<TcpStream, Failed> {
    match timeout(PATIENCE, TcpStream::connect(to)).await {
        Err(_) => Err(Failed::Connect("nothing answers".into())),
        Ok(Err(error)) => Err(Failed::Connect(connection(&error))),
        Ok(Ok(stream)) => Ok(stream),
    }
}

async fn answered(asked: impl Future<Output = Result<Answer, String>>) -> Result<Answer, Failed> {
    match timeout(PATIENCE, asked).await {
        Err(_) => Err(Failed::Answer("no answer came in time".into())),
        Ok(Err(why)) => Err(Failed::Answer(why)),
        Ok(Ok(answer)) => Ok(answer),
    }
}

/// One GET over TLS: `server` is the name in TLS, `host` that in HTTP.
pub async fn get(
    to: SocketAddr,
    server: &str,
    host: &str,
    path: &str,
    accept: &str,
    config: Arc<ClientConfig>,
) -> Result<Answer, Failed> {
    let stream = connect(to).await?;
    let name = ServerName::try_from(server.to_string()).map_err(|_| Failed::Tls(format!("`{server}` is no name")))?;
    let tls = match timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await {
        Err(_) => return Err(Failed::Tls("the TLS handshake did not end".into())),
        Ok(Err(error)) => return Err(Failed::Tls(error.to_string())),
        Ok(Ok(tls)) => tls,
    };
    answered(ask(tls, host, path, accept)).await
}

async fn ask<S>(stream: S, host: &str, path: &str, accept: &str) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = client::get(stream, host, path, accept, MOST).await?;
    let text = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_string();
    Ok(Answer {
        status: answer.status().as_u16(),
        content_type: text("content-type"),
        location: text("location"),
        by_gate: answer.headers().contains_key(GATE_HEADER),
        body: answer.into_body(),
    })
}

/// Accepts every certificate and remembers what a careful client would have said.
#[derive(Debug)]
struct Verdict {
    inner: Option<Arc<WebPkiServerVerifier>>,
    said: Mutex<(Option<Vec<u8>>, Option<String>)>,
}

impl Verdict {
    fn new(roots: Arc<RootCertStore>) -> Verdict {
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider()).build().ok();
        Verdict { inner, said: Mutex::new((None, Some("no root certificate is known here".into()))) }
    }

    fn said(&self) -> (Option<Vec<u8>>, Option<String>) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Verdict {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let distrust = match &self.inner {
            Some(inner) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now).err().map(|e| words(&e))
            }
            None => Some("no root certificate is known here".into()),
        };
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = (Some(end_entity.to_vec()), distrust);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// What became of a bare TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knock {
    /// It stays, or somebody spoke.
    Open,
    /// It was taken, and ended at once.
    Cut,
    /// Why there is none.
    Nobody(String),
}

/// Connects, says nothing, and looks for a moment whether that ends it.
pub async fn knock(to: SocketAddr) -> Knock {
    let mut stream = match timeout(PATIENCE, TcpStream::connect(to)).await {
        Err(_) => return Knock::Nobody("nothing answers".into()),
        Ok(Err(error)) => return Knock::Nobody(connection(&error)),
        Ok(Ok(stream)) => stream,
    };
    match timeout(MOMENT, stream.read(&mut [0])).await {
        Err(_) | Ok(Ok(1..)) => Knock::Open,
        Ok(_) => Knock::Cut,
    }
}

fn words(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            C::Expired | C::ExpiredContext { .. } => "it has expired",
            C::NotValidYet | C::NotValidYetContext { .. } => "it is not valid yet",
            C::UnknownIssuer => "nobody whom this machine trusts has signed it",
            C::NotValidForName | C::NotValidForNameContext { .. } => "it is for another name",
            C::Revoked => "it was revoked",
            _ => "it is not well made",
        }
        .into(),
        other => other.to_string(),
    }
}
