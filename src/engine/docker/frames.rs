//! The two forms in which an engine sends a container's output: framed (two streams in one), or raw (a terminal's).

use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::errors::Fault;
use super::wire::Wire;
use crate::engine::streams::Output;

/// Output as it comes.
pub type Outputs = BoxStream<'static, Result<Output, Fault>>;

/// Takes frames apart: a head of eight bytes (which stream, three of nothing, the length in big-endian), then the bytes.
#[derive(Default)]
pub struct Frames {
    buffer: BytesMut,
    /// The stream of the frame that is being read, and how much of it is still to come.
    open: Option<(bool, usize)>,
}

impl Frames {
    pub fn add(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// What can be told now: a frame is given in pieces, so that none must be held whole.
    pub fn next(&mut self) -> Option<Output> {
        loop {
            match self.open {
                Some((_, 0)) => self.open = None,
                Some((stderr, left)) => {
                    let take = left.min(self.buffer.len());
                    self.open = Some((stderr, left - take));
                    return (take > 0).then(|| Output { stderr, bytes: self.buffer.split_to(take).freeze() });
                }
                None if self.buffer.len() < 8 => return None,
                None => {
                    let stderr = self.buffer[0] == 2;
                    self.buffer.advance(4);
                    self.open = Some((stderr, self.buffer.get_u32() as usize));
                }
            }
        }
    }
}

/// Output from the body of an answer. Silence is no failure as long as the engine answers pings.
pub fn of_body(wire: Wire, body: Incoming, framed: bool) -> Outputs {
    let state = (wire, body, Frames::default());
    stream::unfold(state, move |(wire, mut body, mut frames)| async move {
        loop {
            if let Some(output) = frames.next() {
                return Some((Ok(output), (wire, body, frames)));
            }
            let frame = async { body.frame().await.transpose().map_err(|e| Fault::Lost(e.to_string())) };
            let bytes = match wire.watched(std::time::Duration::MAX, frame).await {
                Ok(Some(frame)) => frame.into_data().unwrap_or_default(),
                Ok(None) => return None,
                Err(fault) => return Some((Err(fault), (wire, body, frames))),
            };
            match framed {
                true => frames.add(&bytes),
                false if bytes.is_empty() => {}
                false => return Some((Ok(Output { stderr: false, bytes }), (wire, body, frames))),
            }
        }
    })
    .boxed()
}

/// Bytes of one line that are kept: what a program writes without ever ending the line must not fill the memory.
const MOST_OF_LINE: usize = 4 << 20;

/// Whole lines of a container's output, its two streams kept apart. Of a very long line only the begin is given.
#[derive(Default)]
pub struct Lines {
    pending: [Vec<u8>; 2],
}

impl Lines {
    /// The lines that `output` completes, without their ends.
    pub fn add(&mut self, output: &Output) -> Vec<(bool, Bytes)> {
        let pending = &mut self.pending[usize::from(output.stderr)];
        let mut lines = Vec::new();
        for piece in output.bytes.split_inclusive(|b| *b == b'\n') {
            let room = MOST_OF_LINE.saturating_sub(pending.len());
            pending.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                lines.push((output.stderr, without_end(std::mem::take(pending))));
            }
        }
        lines
    }

    /// What is left when the output ends in the middle of a line.
    pub fn finish(&mut self) -> Vec<(bool, Bytes)> {
        let pending = std::mem::take(&mut self.pending);
        let left = pending.into_iter().zip([false, true]).filter(|(text, _)| !text.is_empty());
        left.map(|(text, stderr)| (stderr, without_end(text))).collect()
    }
}

fn without_end(mut line: Vec<u8>) -> Bytes {
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let length = text.strip_suffix(b"\r").unwrap_or(text).len();
    line.truncate(length);
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_apart_wherever_they_are_cut() {
        let mut wire = Vec::new();
        for (stream, text) in [(1u8, "out\n"), (2, "err"), (1, ""), (1, "more")] {
            wire.extend_from_slice(&[stream, 0, 0, 0]);
            wire.extend_from_slice(&(text.len() as u32).to_be_bytes());
            wire.extend_from_slice(text.as_bytes());
        }
        for size in 1..wire.len() {
            let (mut frames, mut texts) = (Frames::default(), [Vec::new(), Vec::new()]);
            for piece in wire.chunks(size) {
                frames.add(piece);
                while let Some(output) = frames.next() {
                    texts[usize::from(output.stderr)].extend_from_slice(&output.bytes);
                }
            }
            assert_eq!(texts, [b"out\nmore".to_vec(), b"err".to_vec()], "{size}");
        }
    }

    #[test]
    fn lines_are_whole_and_streams_do_not_mix() {
        let output = |stderr, text: &'static str| Output { stderr, bytes: Bytes::from(text) };
        let mut lines = Lines::default();
        assert_eq!(lines.add(&output(false, "a\r\nb")), [(false, Bytes::from("a"))]);
        assert_eq!(lines.add(&output(true, "x\n")), [(true, Bytes::from("x"))]);
        assert_eq!(lines.add(&output(false, "c\n\n")), [(false, Bytes::from("bc")), (false, Bytes::new())]);
        lines.add(&output(true, "end"));
        assert_eq!(lines.finish(), [(true, Bytes::from("end"))]);
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let mut lines = Lines::default();
        let megabyte = Output { stderr: false, bytes: vec![b'x'; 1 << 20].into() };
        for _ in 0..50 {
            assert_eq!(lines.add(&megabyte), []);
        }
        let ended = lines.add(&Output { stderr: false, bytes: Bytes::from("y\nnext\n") });
        assert_eq!(ended.iter().map(|(_, line)| line.len()).collect::<Vec<_>>(), [MOST_OF_LINE, 4]);
    }
}
