//! Whom a connection of ours trusts: the machine's own roots, and those of private authorities beside them.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// TLS for whoever shows a certificate of the machine's roots, or of those in `files` (PEM). The error is a file and what is the matter with it;
/// or `None` and why TLS cannot be set up at all.
pub fn roots(files: &[&Path]) -> Result<Arc<ClientConfig>, (Option<String>, String)> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for path in files {
        let told = |why: String| (Some(path.display().to_string()), why);
        let own: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|e| told(e.to_string()))?.collect();
        let own = own.map_err(|e| told(e.to_string()))?;
        if store.add_parsable_certificates(own).0 == 0 {
            return Err(told("it holds no certificate".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| (None, e.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(store).with_no_client_auth()))
}
