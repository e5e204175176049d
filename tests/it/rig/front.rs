//! A server of HTTPS that a test owns: it answers by itself, or passes on what it hears, one request after the other if need be.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// A CA of the test's own, for servers on loopback.
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    pub root: PathBuf,
    folder: PathBuf,
    /// PEM of what stands between the root and each leaf.
    above: String,
}

impl TestCa {
    /// Its files lie in `folder`.
    pub fn new(folder: &Path) -> TestCa {
        std::fs::create_dir_all(folder).expect("a folder can be made in a temporary folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "of a test");
        let key = KeyPair::generate().expect("a key can be made");
        let root = folder.join("root.pem");
        std::fs::write(&root, params.self_signed(&key).expect("a CA can be made").pem())
            .expect("a file can be written");
        TestCa { issuer: Issuer::new(params, key), root, folder: folder.to_owned(), above: String::new() }
    }

    /// What somebody can issue who has an intermediate certificate with its key, both in this PEM.
    pub fn with(folder: &Path, intermediate: &str) -> TestCa {
        std::fs::create_dir_all(folder).expect("a folder can be made in a temporary folder");
        let above = intermediate.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap_or_default().to_owned();
        let key = KeyPair::from_pem(&intermediate[above.len()..]).expect("the key follows its certificate");
        let issuer = Issuer::from_ca_cert_pem(&above, key).expect("it is a CA");
        let root = folder.join("intermediate.pem");
        std::fs::write(&root, &above).expect("a file can be written");
        TestCa { issuer, root, folder: folder.to_owned(), above }
    }

    /// A certificate and a key for these names, as files.
    pub fn issue(&self, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|n| n.to_string()).collect();
        let params = CertificateParams::new(names).expect("the names are good");
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.issuer).expect("a leaf can be made");
        let (chain, own) = (self.folder.join(format!("{file}.pem")), self.folder.join(format!("{file}.key")));
        std::fs::write(&chain, certificate.pem() + &self.above).expect("a file can be written");
        std::fs::write(&own, key.serialize_pem()).expect("a file can be written");
        (chain, own)
    }

    fn client(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_file(&self.root).expect("the root is there");
        roots.add(root).expect("the root is a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        config.expect("TLS can be set up").with_root_certificates(roots).with_no_client_auth()
    }
}

/// One request that was heard.
#[derive(Debug, Clone)]
pub struct Asked {
    /// From 1.
    pub nth: usize,
    pub method: String,
    /// With its query.
    pub path: String,
    pub body: String,
}

/// What is done with it.
pub enum Reply {
    /// Status and body.
    Own(u16, String),
    /// A media type and a body that every page may read.
    Open(&'static str, String),
    /// To the server behind; the closure is called once its answer is here, before it is handed on.
    Pass(Box<dyn FnOnce() + Send>),
}

type Judge = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server that runs as long as the test's process.
pub struct Front {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Front {
    /// Serves on loopback with a certificate for `names`; `behind` is the port of a server of HTTPS on loopback.
    pub fn start(
        ca: &TestCa,
        names: &[&str],
        behind: u16,
        judge: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Front {
        let file = format!("front-{}-{behind}", names.join("+"));
        let (chain, key) = ca.issue(&file, names);
        let chain = CertificateDer::pem_file_iter(chain).expect("the certificate is there");
        let chain = chain.collect::<Result<_, _>>().expect("it is a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("the key is there");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("TLS can be set up").with_no_client_auth().with_single_cert(chain, key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("the pair is good")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let work = Work { judge: Arc::new(judge), asked: asked.clone(), behind, client: ca.client() };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime can be made").block_on(serve(listener, acceptor, work));
        });
        Front { port, asked }
    }

    /// What was heard so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

#[derive(Clone)]
struct Work {
    judge: Arc<Judge>,
    asked: Arc<Mutex<Vec<Asked>>>,
    behind: u16,
    client: ClientConfig,
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, work: Work) {
    listener.set_nonblocking(true).expect("a listener can be set so");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can be taken over");
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, work) = (acceptor.clone(), work.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(request, work.clone()));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    work: Work,
) -> Result<Response<Full<Bytes>>, hyper_util::client::legacy::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let path = parts.uri.path_and_query().map(|p| p.to_string()).unwrap_or_default();
    let (method, text) = (parts.method.to_string(), String::from_utf8_lossy(&body).into_owned());
    let mut asked = Asked { nth: 0, method, path, body: text };
    {
        let mut all = work.asked.lock().expect("nobody panics with it");
        asked.nth = all.len() + 1;
        all.push(asked.clone());
    }
    let judge = work.judge.clone();
    let reply = tokio::task::spawn_blocking(move || judge(&asked)).await.expect("a test's judge does not panic");
    match reply {
        Reply::Own(status, body) => {
            let response = Response::builder().status(status).header("content-type", "application/json");
            Ok(response.body(Full::new(Bytes::from(body))).expect("a good response"))
        }
        Reply::Open(kind, body) => {
            let response = Response::builder().header("content-type", kind).header("access-control-allow-origin", "*");
            Ok(response.body(Full::new(Bytes::from(body))).expect("a good response"))
        }
        Reply::Pass(then) => {
            let connector = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(work.client)
                .https_only()
                .enable_http1()
                .build();
            let client = Client::builder(TokioExecutor::new()).build(connector);
            let uri =
                format!("https://127.0.0.1:{}{}", work.behind, parts.uri.path_and_query().map_or("/", |p| p.as_str()));
            let mut onward = Request::builder().method(parts.method).uri(uri);
            *onward.headers_mut().expect("a good request") = parts.headers;
            let answered = client.request(onward.body(Full::new(body)).expect("a good request")).await?;
            let (parts, body) = answered.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
            let _ = tokio::task::spawn_blocking(then).await;
            Ok(Response::from_parts(parts, Full::new(body)))
        }
    }
}
