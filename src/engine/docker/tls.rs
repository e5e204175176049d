//! TLS to an engine over TCP, with the docker CLI's PEM files.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::connect::TlsFiles;
use super::contexts::pem;
use super::errors::Fault;

/// Reads the files and builds the client's side of TLS.
pub fn connector(files: &TlsFiles) -> Result<TlsConnector, Fault> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(told)?;
    let builder = match files.verify {
        true => builder.with_root_certificates(roots(files)?),
        false => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider))),
    };
    let config = match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates(&pem(cert)?, cert)?;
            let key_bytes = pem(key)?;
            let key = PrivateKeyDer::from_pem_slice(&key_bytes)
                .map_err(|e| Fault::Tls(format!("{} holds no private key: {e}", key.display())))?;
            builder.with_client_auth_cert(chain, key).map_err(told)?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

pub fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.to_string()).map_err(|e| format!("{host}: {e}"))
}

fn roots(files: &TlsFiles) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let list = match &files.ca {
        Some(path) => certificates(&pem(path)?, path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    for certificate in list {
        roots.add(certificate).map_err(told)?;
    }
    Ok(roots)
}

fn certificates(bytes: &[u8], path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let list: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| Fault::Tls(format!("{} holds no certificate: {e}", path.display())))?;
    match list.is_empty() {
        true => Err(Fault::Tls(format!("{} holds no certificate", path.display()))),
        false => Ok(list),
    }
}

fn told(error: Error) -> Fault {
    Fault::Tls(error.to_string())
}

/// `DOCKER_TLS` without `DOCKER_TLS_VERIFY`, and contexts with `SkipTLSVerify`: encrypted, to whoever answers.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
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
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
