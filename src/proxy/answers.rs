//! Whether somebody answers at a port of this machine.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A web server answers by the first byte that it says, another one by taking the connection. `url`: as [`super::cli::routes::ports`] gives it. `None`: it cannot
/// be tried, since it has no connections, or Hearth itself is in a container, whose ports are not the machine's.
pub async fn is_answered(url: &str) -> Option<bool> {
    let (web, rest) = url.strip_prefix("http://").map_or((false, url), |rest| (true, rest));
    let (place, kind) = rest.split_once('/').unwrap_or((rest, "tcp"));
    if !web && kind != "tcp" {
        return None;
    }
    let asked = async {
        let mut stream = TcpStream::connect(place).await.ok()?;
        if !web {
            return Some(true);
        }
        let request = format!("GET / HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        // Whatever it says: it may want TLS, or HTTP/2 at once.
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.ok()?;
        Some(true)
    };
    match timeout(PATIENCE, asked).await {
        Ok(Some(true)) => Some(true),
        _ => (!is_in_a_container()).then_some(false),
    }
}

/// As Docker and Podman mark theirs.
fn is_in_a_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_answers_where_somebody_does_and_only_what_has_connections_is_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            }
        });
        assert_eq!(is_answered(&format!("http://{place}")).await, Some(true));
        assert_eq!(is_answered(&format!("{place}/tcp")).await, Some(true));
        assert_eq!(is_answered(&format!("{place}/udp")).await, None);
        if !is_in_a_container() {
            assert_eq!(is_answered("http://127.0.0.1:1").await, Some(false));
        }
    }
}
