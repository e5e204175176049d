//! Plain HTTP to a port of loopback, one request a connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer over plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// As sent, one a line.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let named = self.head.lines().filter_map(|line| line.split_once(':'));
        named
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .next()
            .unwrap_or_default()
    }
}

/// One GET over plain HTTP to a port of loopback, within 5 s.
pub fn get(port: u16, host: &str, path: &str) -> Option<Answer> {
    ask(port, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// Sends a request as it stands and reads the answer to its end; the request has to ask for `Connection: close`.
pub fn ask(port: u16, request: &str) -> Option<Answer> {
    ask_for(port, request, Duration::from_secs(5))
}

/// The same, for an answer that may take this long.
pub fn ask_for(port: u16, request: &str, limit: Duration) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    // Chromium's driver keeps the connection whatever it is asked.
    while !is_whole(&bytes) {
        match stream.read(&mut piece).ok()? {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { joined(body) } else { body.to_owned() };
    Some(Answer { status, head: head.to_owned(), body })
}

/// Whether an answer that says its length has come to its end.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| bytes.len() >= end + 4 + length)
}

/// A body in chunks as one text.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some(chunk) = rest.get(..size).filter(|c| !c.is_empty()) else { break };
        whole.push_str(chunk);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
