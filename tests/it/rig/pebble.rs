//! A real ACME authority of a test's own: Let's Encrypt's pebble, with a DNS server that says what the test wants, all on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use hearth::certs::challenges::Challenges;
use hearth::certs::store::Store;

use super::command::Program;
use super::front::TestCa;
use super::scratch::script_with;
use super::{Scratch, Skip, free_port, until};

/// Where the programs are; `Err`: they cannot be had.
pub fn tools() -> Result<&'static Path, Skip> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| script_with("pebble", &[], &[]).map(PathBuf::from));
    found.as_deref().map_err(|why| Skip(format!("no pebble here ({})", why.lines().last().unwrap_or_default())))
}

/// How a pebble is to be.
#[derive(Default)]
pub struct Like {
    /// In its environment: `PEBBLE_...`.
    pub env: Vec<(&'static str, &'static str)>,
    /// Key id and key, where it wants an account that was made elsewhere.
    pub eab: Option<(&'static str, &'static str)>,
    /// Its own DNS server instead of one that says 127.0.0.1 for every name.
    pub dns: Option<String>,
    /// Names that it refuses.
    pub blocked: Vec<&'static str>,
    /// Its certificates live for 51 minutes: Hearth renews them 50 minutes before their end, whatever is suggested.
    pub brief: bool,
    /// Where it asks for tokens; a port that nobody has, else.
    pub http: Option<u16>,
}

pub struct Pebble {
    program: Program,
    _dns: Option<Program>,
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
    dir: PathBuf,
    pub port: u16,
    management: u16,
    root: PathBuf,
    /// Where it asks for tokens.
    pub http: u16,
}

impl Pebble {
    pub fn start(s: &Scratch, ca: &TestCa, like: Like) -> Result<Pebble, Skip> {
        let tools = tools()?;
        let (port, management, dns) = (free_port(), free_port(), free_port());
        let http = like.http.unwrap_or_else(free_port);
        let dir = s.beside(&format!("pebble-{port}"));
        std::fs::create_dir_all(&dir).expect("a folder can be made in a temporary folder");
        let (chain, key) = ca.issue(&format!("pebble-{port}"), &["127.0.0.1", "localhost"]);
        let mut config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": chain, "privateKey": key, "httpPort": http, "tlsPort": free_port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": like.eab.is_some(),
            "domainBlocklist": like.blocked, "retryAfter": {"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
            "profiles": {
                "default": {"description": "of 64 days", "validityPeriod": 64 * 86400},
                "shortlived": {"description": "of 160 hours", "validityPeriod": 160 * 3600},
            },
        }});
        if like.brief {
            config["pebble"]["profiles"] =
                serde_json::json!({"brief": {"description": "of 51 minutes", "validityPeriod": 51 * 60}});
        }
        if let Some((kid, key)) = like.eab {
            config["pebble"]["externalAccountMACKeys"] = serde_json::json!({ kid: key });
        }
        std::fs::write(dir.join("config.json"), config.to_string()).expect("a file can be written");
        let (own, server) = match like.dns {
            Some(server) => (None, server),
            None => {
                let args = [
                    "-dnsserver",
                    &format!("127.0.0.1:{dns}"),
                    "-management",
                    &format!("127.0.0.1:{}", free_port()),
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                    "-doh",
                    "",
                    "-defaultIPv6",
                    "",
                    "-defaultIPv4",
                    "127.0.0.1",
                ]
                .map(str::to_owned);
                let program = Program::start(&tools.join("usr/bin/pebble-challtestsrv"), &args, &dir, &[]);
                (Some(program), format!("127.0.0.1:{dns}"))
            }
        };
        let args: Vec<String> = ["-config", "config.json", "-dnsserver", &server].map(str::to_owned).to_vec();
        let mut env = vec![("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")];
        env.retain(|(name, _)| like.env.iter().all(|(other, _)| other != name));
        env.extend(like.env);
        let program = Program::start(&tools.join("usr/bin/pebble"), &args, &dir, &env);
        let pebble = Pebble { program, _dns: own, args, env, dir, port, management, root: ca.root.clone(), http };
        pebble.ready();
        Ok(pebble)
    }

    fn ready(&self) {
        let port = self.port;
        assert!(
            until(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok()),
            "pebble does not answer"
        );
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// From now on it wants the certificate in this file to be renewed at once.
    pub fn suggests_now(&self, s: &Scratch, chain: &Path) {
        let soon = "{\"suggestedWindow\":{\"start\":\"2026-01-01T00:00:00Z\",\"end\":\"2026-01-02T00:00:00Z\"}}";
        let pem = std::fs::read_to_string(chain).expect("the certificate is there");
        let leaf = pem.split_inclusive("-----END CERTIFICATE-----").next().unwrap_or_default();
        let body = serde_json::json!({"certificate": leaf, "ariResponse": soon}).to_string();
        let url = format!("https://127.0.0.1:{}/set-renewal-info/", self.management);
        let page = super::curl(s, &["--cacert", &self.root.display().to_string(), "-d", &body, &url]);
        assert_eq!(page.status, 200, "{page:?}");
    }

    pub fn stop(&mut self) -> String {
        self.program.end()
    }

    /// It begins anew, and has forgotten everything.
    pub fn restart(&mut self) {
        self.stop();
        let program = tools().map(|tools| tools.join("usr/bin/pebble"));
        if let Ok(program) = program {
            self.program = Program::start(&program, &self.args, &self.dir, &self.env);
        }
        self.ready();
    }

    /// Answers HTTP-01 on the port that this pebble asks at, from what the home's orders have written down.
    pub fn answers_for(&self, home: &Path) -> Asked {
        answer(self.http, home)
    }
}

/// The tokens that were asked for.
pub type Asked = Arc<Mutex<Vec<(String, bool)>>>;

fn answer(port: u16, home: &Path) -> Asked {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let asked: Asked = Arc::default();
    let store = Arc::new(Store::open(&home.join("state"), None).expect("the store opens"));
    let (seen, challenges) = (asked.clone(), Challenges::open(&store));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0u8; 4096];
            let n = stream.read(&mut bytes).unwrap_or(0);
            let head = String::from_utf8_lossy(&bytes[..n]).into_owned();
            let token =
                head.split_whitespace().nth(1).and_then(|path| path.strip_prefix("/.well-known/acme-challenge/"));
            let answer = token.and_then(|token| challenges.answer(token));
            seen.lock().expect("nobody panics with it").push((token.unwrap_or_default().to_owned(), answer.is_some()));
            let (status, body) = answer.map_or(("404 Not Found", String::new()), |body| ("200 OK", body));
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    asked
}

/// A real name server, Knot, that is authoritative for a zone and takes updates by RFC 2136, on an address of loopback of its own.
pub struct Knot {
    _program: Program,
    pub address: String,
}

impl Knot {
    /// The TSIG key `hearth`, hmac-sha256.
    pub const SECRET: &'static str = "c2VzYW1lLW9mLXRoZS10ZXN0LXRoYXQtaXMtbG9uZw==";

    /// For `home.test`.
    pub fn start(s: &Scratch) -> Result<Knot, Skip> {
        Knot::of(s, "home.test")
    }

    pub fn of(s: &Scratch, domain: &str) -> Result<Knot, Skip> {
        let tools = tools()?;
        let [high, low] = free_port().to_be_bytes();
        let address = format!("127.53.{high}.{low}");
        if TcpListener::bind((address.as_str(), 53)).is_err() {
            return Err(Skip("port 53 of loopback cannot be taken by this user".to_owned()));
        }
        let dir = s.beside("knot");
        std::fs::create_dir_all(&dir).expect("a folder can be made in a temporary folder");
        let zone = format!(
            "$ORIGIN {domain}.\n$TTL 60\n@ SOA ns admin 1 60 60 600 1\n@ NS ns\nns A {address}\n\
             _acme-challenge.moved CNAME proof.elsewhere\n@ TXT \"not ours\"\n_acme-challenge TXT \"somebody's\"\n"
        );
        std::fs::write(dir.join(format!("{domain}.zone")), zone).expect("a file can be written");
        let config = format!(
            "server:\n  listen: {address}@53\n  rundir: {dir}\ndatabase:\n  storage: {dir}\nlog:\n  - target: stderr\n    any: warning\n\
             key:\n  - id: hearth\n    algorithm: hmac-sha256\n    secret: {secret}\n\
             acl:\n  - id: up\n    key: hearth\n    action: update\n\
             zone:\n  - domain: {domain}\n    storage: {dir}\n    acl: up\n",
            dir = dir.display(),
            secret = Knot::SECRET
        );
        std::fs::write(dir.join("knot.conf"), config).expect("a file can be written");
        let libraries = format!("{0}/usr/lib/x86_64-linux-gnu:{0}/lib/x86_64-linux-gnu", tools.display());
        let args = ["-c".to_owned(), "knot.conf".to_owned()];
        let program = Program::start(&tools.join("usr/sbin/knotd"), &args, &dir, &[("LD_LIBRARY_PATH", &libraries)]);
        let mut knot = Knot { _program: program, address };
        let up = until(Duration::from_secs(20), || TcpStream::connect((knot.address.as_str(), 53)).is_ok());
        if !up {
            panic!("knot does not answer: {}", knot._program.end());
        }
        Ok(knot)
    }
}
