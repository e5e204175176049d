//! TLS as a client sees it that believes nobody: which certificate is shown for which name, and a stream to speak over.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a server showed of its leaf.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    pub issuer: String,
    pub subject: String,
    pub names: Vec<String>,
}

/// Connects and shakes hands; `name` is the name in TLS, none where it is empty. `Err` in rustls's words.
pub fn connect(at: SocketAddr, name: &str) -> Result<Stream, String> {
    let mut config = config();
    config.enable_sni = !name.is_empty();
    let server = ServerName::try_from(if name.is_empty() { "nobody.invalid" } else { name }.to_owned());
    let server = server.map_err(|e| e.to_string())?;
    let connection = ClientConnection::new(Arc::new(config), server).map_err(|e| e.to_string())?;
    let tcp = TcpStream::connect_timeout(&at, Duration::from_secs(2)).map_err(|e| e.to_string())?;
    tcp.set_read_timeout(Some(Duration::from_secs(5))).map_err(|e| e.to_string())?;
    let mut stream = StreamOwned::new(connection, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|e| e.to_string())?;
    }
    Ok(stream)
}

/// The leaf that is shown for a name.
pub fn leaf(at: SocketAddr, name: &str) -> Result<Leaf, String> {
    let stream = connect(at, name)?;
    let shown = stream.conn.peer_certificates().and_then(|all| all.first()).ok_or("no certificate")?;
    let (_, read) = x509_parser::parse_x509_certificate(shown).map_err(|e| e.to_string())?;
    let names = read.subject_alternative_name().ok().flatten().map(|san| &san.value.general_names);
    let text = |name: &x509_parser::extensions::GeneralName| match name {
        x509_parser::extensions::GeneralName::DNSName(name) => Some(name.to_string()),
        _ => None,
    };
    Ok(Leaf {
        issuer: read.issuer().to_string(),
        subject: read.subject().to_string(),
        names: names.into_iter().flatten().filter_map(text).collect(),
    })
}

fn config() -> ClientConfig {
    static PROVIDER: OnceLock<Arc<rustls::crypto::CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())).clone();
    let verifier = Arc::new(Anyone(provider.signature_verification_algorithms));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("TLS can be set up").dangerous().with_custom_certificate_verifier(verifier);
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Each look is a whole handshake.
    config.resumption = rustls::client::Resumption::disabled();
    config
}

#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
