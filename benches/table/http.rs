//! As much of HTTP/1.1 as two programs need that speak over a Unix socket: heads, and bodies of each length.

use std::io::{self, BufRead, Read, Write};

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Fixed(u64),
    Chunked,
    UntilClose,
}

/// A request's or response's head.
pub struct Head {
    /// As it came, with the empty line.
    pub bytes: Vec<u8>,
    /// Its first line.
    pub first: String,
    pub length: Length,
}

impl Head {
    /// Reads one; `None` where the other side has closed.
    pub fn read(from: &mut impl BufRead) -> io::Result<Option<Head>> {
        let mut bytes = Vec::new();
        let (mut length, mut first) = (None, None);
        loop {
            let start = bytes.len();
            if from.read_until(b'\n', &mut bytes)? == 0 {
                let whole = bytes.is_empty();
                return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            let line = String::from_utf8_lossy(&bytes[start..]).trim_end().to_string();
            if line.is_empty() {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(n) = lower.strip_prefix("content-length:") {
                length = n.trim().parse().ok().map(Length::Fixed);
            } else if lower.starts_with("transfer-encoding:") && lower.contains("chunked") {
                length = Some(Length::Chunked);
            }
            first.get_or_insert(line);
        }
        let first = first.unwrap_or_default();
        let otherwise = if first.starts_with("HTTP/") { Length::UntilClose } else { Length::Fixed(0) };
        let mut length = length.unwrap_or(otherwise);
        if matches!(status(&first), Some(100..200 | 204 | 304)) && status(&first) != Some(101) {
            length = Length::Fixed(0);
        }
        Ok(Some(Head { bytes, first, length }))
    }

    /// A response's status.
    pub fn status(&self) -> u16 {
        status(&self.first).unwrap_or(0)
    }
}

fn status(first: &str) -> Option<u16> {
    first.strip_prefix("HTTP/")?.split(' ').nth(1)?.parse().ok()
}

/// Hands a body on as it comes. `raw` keeps the frames of a chunked one, else only its content goes to `to`.
pub fn body(from: &mut impl BufRead, length: Length, to: &mut impl Write, raw: bool) -> io::Result<()> {
    match length {
        Length::Fixed(n) => io::copy(&mut from.take(n), to).map(drop),
        Length::UntilClose => loop {
            let ready = from.fill_buf()?;
            if ready.is_empty() {
                return Ok(());
            }
            to.write_all(ready)?;
            to.flush()?;
            let n = ready.len();
            from.consume(n);
        },
        Length::Chunked => loop {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line)?;
            let text = String::from_utf8_lossy(&line);
            let size = u64::from_str_radix(text.trim().split(';').next().unwrap_or_default(), 16)
                .map_err(|_| io::Error::other("a chunk has no length"))?;
            let mut chunk = if raw { line } else { Vec::new() };
            from.take(size).read_to_end(&mut chunk)?;
            let mut end = Vec::new();
            from.read_until(b'\n', &mut end)?;
            if raw {
                chunk.extend(end);
            }
            to.write_all(&chunk)?;
            to.flush()?;
            if size == 0 {
                return Ok(());
            }
        },
    }
}
