//! Asking: once from an address of one's choice, and as often as wrk can.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use hearth::auth::passwords::{Lane, Passwords};
use hearth::base::random::SystemRandom;
use hearth::base::secret::Secret;
use hearth::store::{Db, Location};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Status, and the body where it is JSON.
pub type Answer = (u16, Value);

/// One request over a connection of its own.
pub async fn ask(
    from: Ipv4Addr,
    to: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> io::Result<Answer> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = connect(from, to).await?;
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    Ok((status, serde_json::from_str(body).unwrap_or_default()))
}

/// From one of this machine's addresses.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Requests a second, and how long the slowest of a hundred took at least, in milliseconds.
pub fn wrk(url: &str, token: &str) -> (f64, f64) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/wrk");
    let login = format!("Authorization: Bearer {token}");
    let args = ["-t1", "-c16", "-d5s", "--latency", "-H", &login, url];
    let ran = Command::new(&script).args(args).output().unwrap_or_else(|e| panic!("{}: {e}", script.display()));
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && !said.contains("Non-2xx") && !said.contains("Socket errors"), "{said}");
    let after =
        |word: &str| said.lines().find_map(|line| line.trim().strip_prefix(word)).unwrap_or_default().trim().to_owned();
    let slowest = after("99%");
    let (number, unit) = slowest.split_at(slowest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0));
    let factor = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        _ => 1000.0,
    };
    let rate = after("Requests/sec:").parse().unwrap_or(f64::NAN);
    (rate, number.parse().unwrap_or(f64::NAN) * factor)
}

/// What hashes as the server of this home does.
pub fn argon2(home: &Path) -> Passwords {
    Passwords::of_home(Db::at(Location::file(home.join("state/hearth.db"))), Arc::new(SystemRandom))
}

/// One hash, in milliseconds.
pub fn hash(passwords: &Passwords, runtime: &tokio::runtime::Runtime) -> f64 {
    let began = Instant::now();
    runtime.block_on(passwords.hash(Secret::new("wrong wrong wrong"), Lane::Near)).expect("it can be hashed");
    began.elapsed().as_secs_f64() * 1000.0
}
