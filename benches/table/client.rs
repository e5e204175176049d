//! A client of HTTPS that takes any certificate: one thread, one connection, no library for HTTP in between.

use std::io::{self, BufReader, Write};
use std::net::SocketAddr;

use crate::home::{Stream, connect};
use crate::http::{Head, body};

/// A connection for requests to one host; each sees the certificate, none is resumed.
pub struct Connection {
    stream: BufReader<Stream>,
    host: String,
}

impl Connection {
    pub fn open(at: SocketAddr, host: &str) -> io::Result<Connection> {
        let stream = connect(at, host).map_err(io::Error::other)?;
        stream.sock.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream), host: host.to_owned() })
    }

    /// One GET; its status and body.
    pub fn get(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bench\r\n\r\n", self.host);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let head = Head::read(&mut self.stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut answer = Vec::new();
        body(&mut self.stream, head.length, &mut answer, false)?;
        Ok((head.status(), answer))
    }

    /// What the other side showed.
    pub fn leaf(&self) -> Vec<u8> {
        let shown = self.stream.get_ref().conn.peer_certificates();
        shown.and_then(|chain| chain.first()).map(|leaf| leaf.to_vec()).unwrap_or_default()
    }
}
