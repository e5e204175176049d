//! A PostgreSQL server of the tests' own, started once by `scripts/postgres`. It ends with this process, however that ends. Live tests use this
//! file too, so it knows nothing of this crate.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that runs.
pub struct Server {
    pub port: u16,
    /// The folder of its socket.
    pub folder: PathBuf,
    /// The authority of its certificate, where it has one.
    pub authority: Option<PathBuf>,
    /// It ends when this is closed.
    _held: ChildStdin,
}

impl Server {
    /// Starts one; `tls`: with a certificate for `localhost`. What is said where it cannot be had is for the report of a test.
    #[expect(clippy::disallowed_methods, reason = "tests start a real server")]
    pub fn start(tls: bool) -> Result<Server, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres");
        let args: &[&str] = if tls { &["run", "tls"] } else { &["run"] };
        let mut child = Command::new(&script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{} cannot be run: {e}", script.display()))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let mut line = String::new();
        if let Some(output) = output {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let mut words = line.split_whitespace();
        let (ready, port, folder) = (words.next(), words.next().and_then(|port| port.parse().ok()), words.next());
        match (ready, port, folder, input) {
            (Some("READY"), Some(port), Some(folder), Some(held)) => {
                Ok(Server { port, folder: folder.into(), authority: words.next().map(PathBuf::from), _held: held })
            }
            _ => Err("no PostgreSQL could be started (scripts/postgres run says why)".into()),
        }
    }

    /// The server that all tests of this process share.
    pub fn shared() -> Result<&'static Server, String> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        SHARED.get_or_init(|| Server::start(false)).as_ref().map_err(Clone::clone)
    }

    /// The URL of one of its databases, over loopback.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://hearth:hearth@127.0.0.1:{}/{database}", self.port)
    }

    /// The same over its socket.
    pub fn socket_url(&self, database: &str) -> String {
        format!("postgres://hearth:hearth@localhost:{}/{database}?host={}", self.port, self.folder.display())
    }
}

/// A name for a database that no other test has.
pub fn new_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    format!("t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst))
}
