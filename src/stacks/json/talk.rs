//! What goes to and fro between a socket and the program behind it. Three go on beside each other, so that none waits for what only another can do:
//! hearing the client, feeding the program's input, telling the client. What was heard waits in a short queue for the program to take it, and where
//! that is full the client waits too, while the program's output goes on.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::exec::Size;
use crate::diag::{Diagnostic, Sources, text};
use crate::engine::Host;
use crate::engine::streams::{ExecSession, Output};

/// For a client that takes nothing, a program that takes nothing, and a client that is silent: pings are answered by every one.
const PATIENCE: Duration = Duration::from_secs(30);
const PING: Duration = Duration::from_secs(20);
/// Between two times that what is typed is told as a use of the session: it is written down as seldom.
const USED: Duration = Duration::from_secs(20);
/// Frames of a client that wait for the program; with what one may weigh, a megabyte.
const WAITING: usize = 16;
/// Ctrl-C for what runs, and Ctrl-D for the shell.
const LEAVE: &[u8] = b"\x03\x04";
/// Bytes of one frame of ours.
const PIECE: usize = 16 << 10;

/// Close codes: RFC 6455, 7.4; 4001 is what clients of HomeServer know for "not allowed".
const GOING_AWAY: u16 = 1001;
const WRONG: u16 = 1007;
const NORMAL: u16 = 1000;
pub const BROKEN: u16 = 1011;
const NOT_ALLOWED: u16 = 4001;

/// How a socket was closed, and what the program gave back where it has ended.
pub struct End {
    pub code: u16,
    pub why: &'static str,
    pub exit_code: Option<i64>,
    /// Said before it is closed.
    last: Option<Value>,
}

impl From<(u16, &'static str)> for End {
    fn from((code, why): (u16, &'static str)) -> End {
        End { code, why, exit_code: None, last: None }
    }
}

/// What a client says in a text frame.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Said {
    Resize(Size),
    End(bool),
}

/// What is to be done to the program's input.
enum Order {
    Write(Bytes),
    End,
}

type Sink<'a> = SplitSink<&'a mut WebSocket, Message>;
type Stream<'a> = SplitStream<&'a mut WebSocket>;

/// Copies both ways until one of them ends it, somebody's rights do (`ends`) or the server; and closes the socket. What runs in a terminal (`tty`) ends with it. `used` is told now and then that
/// somebody types.
pub async fn converse(
    mut socket: WebSocket,
    engine: Arc<dyn Host>,
    session: ExecSession,
    tty: bool,
    stop: CancellationToken,
    ends: impl Future<Output = ()>,
    used: impl Fn(),
) -> End {
    let id = session.id.clone();
    let end = tokio::select! {
        () = stop.cancelled() => (GOING_AWAY, "the server stops").into(),
        () = ends => (NOT_ALLOWED, "not allowed any more").into(),
        ended = talk(&mut socket, &*engine, session, tty, used) => ended,
    };
    let frame = CloseFrame { code: end.code, reason: end.why.into() };
    let last = end.last.as_ref().map(|said| Message::Text(said.to_string().into()));
    for message in last.into_iter().chain([Message::Close(Some(frame))]) {
        let _ = timeout(PATIENCE, socket.send(message)).await;
    }
    if tty && end.exit_code.is_none() {
        // Whoever began it is gone, and may be one who may not any more.
        let _ = timeout(PATIENCE, engine.hang_up(&id)).await;
    }
    end
}

async fn talk(socket: &mut WebSocket, engine: &dyn Host, session: ExecSession, tty: bool, used: impl Fn()) -> End {
    let ExecSession { id, output, input } = session;
    let (sink, stream) = socket.split();
    let (orders, waiting) = mpsc::channel(WAITING);
    let heard = Mutex::new(Instant::now());
    let mut feeding = pin!(feed(input, waiting, PATIENCE));
    let left = tokio::select! {
        end = &mut feeding => return end,
        end = tell(sink, engine, &id, output, &heard) => return end,
        end = hear(stream, engine, &id, &orders, &heard, used) => end,
    };
    if tty {
        // As somebody would end it: where the engine is on another machine there is no other way.
        let _ = orders.try_send(Order::Write(Bytes::from_static(LEAVE)));
    }
    drop(orders);
    // What was sent before the client left is the program's still, as far as it takes it.
    let _ = timeout(PATIENCE, feeding).await;
    left
}

/// What the client says, until it leaves.
async fn hear(
    mut stream: Stream<'_>,
    engine: &dyn Host,
    id: &str,
    orders: &mpsc::Sender<Order>,
    heard: &Mutex<Instant>,
    used: impl Fn(),
) -> End {
    let mut told: Option<Instant> = None;
    loop {
        let frame = stream.next().await;
        let now = Instant::now();
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = now;
        if matches!(&frame, Some(Ok(Message::Binary(_) | Message::Text(_))))
            && told.is_none_or(|told| now - told >= USED)
        {
            told = Some(now);
            used();
        }
        let order = match frame {
            Some(Ok(Message::Binary(bytes))) => Order::Write(bytes),
            Some(Ok(Message::Text(words))) => match serde_json::from_str::<Said>(&words) {
                Ok(Said::Resize(size)) => {
                    let _ = engine.resize(id, size.rows, size.columns).await;
                    continue;
                }
                Ok(Said::End(true)) => Order::End,
                Ok(Said::End(false)) => continue,
                Err(_) => return (WRONG, "a text frame is resize or end").into(),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return (NORMAL, "closed").into(),
        };
        // Waits where the program takes it slowly: so does the client then.
        if orders.send(order).await.is_err() {
            return (NORMAL, "closed").into();
        }
    }
}

/// Writes what waits, until nothing comes any more or the program has taken nothing for so long.
async fn feed(mut input: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<Order>, patience: Duration) -> End {
    while let Some(order) = waiting.recv().await {
        let done = match order {
            Order::Write(bytes) => write(&mut input, &bytes, patience).await,
            Order::End => timeout(patience, input.shutdown()).await.map(|done| done.is_ok()),
        };
        match done {
            Ok(true) => {}
            // A program that has closed its input needs none: what still comes is nobody's.
            Ok(false) => while waiting.recv().await.is_some() {},
            Err(_) => {
                let d = Diagnostic::error("exec.stuck", "the program has taken nothing of its input for 30 s");
                let d = d.hint("what was sent since is lost: open it again, and send more only while it reads");
                let last = Some(json!({"error": text::to_json(&d, &Sources::default())}));
                return End { last, ..(BROKEN, "the program takes no input").into() };
            }
        }
    }
    (NORMAL, "closed").into()
}

/// Whether all of it was written; an error where the program has taken nothing for too long.
async fn write(input: &mut (impl AsyncWrite + Unpin), mut rest: &[u8], patience: Duration) -> Result<bool, Elapsed> {
    while !rest.is_empty() {
        match timeout(patience, input.write(rest)).await? {
            Ok(0) | Err(_) => return Ok(false),
            Ok(taken) => rest = &rest[taken..],
        }
    }
    timeout(patience, input.flush()).await.map(|done| done.is_ok())
}

/// Tells the client what the program says, to its end, and looks whether the client is there.
async fn tell(
    mut sink: Sink<'_>,
    engine: &dyn Host,
    id: &str,
    mut output: impl futures_util::Stream<Item = Result<Output, crate::engine::EngineError>> + Unpin,
    heard: &Mutex<Instant>,
) -> End {
    let mut ping = interval(PING);
    loop {
        tokio::select! {
            _ = ping.tick() => {
                let silent = heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > PING + PATIENCE;
                if silent || !send(&mut sink, Message::Ping(Bytes::new())).await {
                    return (GOING_AWAY, "the client is silent").into();
                }
            }
            piece = output.next() => match piece {
                Some(Ok(piece)) => if !forward(&mut sink, &piece).await {
                    return (GOING_AWAY, "the client takes nothing").into();
                },
                Some(Err(error)) => {
                    let last = Some(json!({"error": text::to_json(&error.diagnostic, &Sources::default())}));
                    return End { last, ..(BROKEN, "the engine has ended it").into() };
                }
                None => {
                    let exit_code = engine.exit_code(id).await.ok();
                    let last = Some(json!({"exit_code": exit_code}));
                    return End { exit_code, last, ..(NORMAL, "the program has ended").into() };
                }
            },
        }
    }
}

async fn forward(sink: &mut Sink<'_>, piece: &Output) -> bool {
    for part in piece.bytes.chunks(PIECE) {
        let mut frame = BytesMut::with_capacity(part.len() + 1);
        frame.put_u8(if piece.stderr { 2 } else { 1 });
        frame.put_slice(part);
        if !send(sink, Message::Binary(frame.freeze())).await {
            return false;
        }
    }
    true
}

async fn send(sink: &mut Sink<'_>, message: Message) -> bool {
    matches!(timeout(PATIENCE, sink.send(message)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn input_that_is_taken_slowly_is_written_and_what_is_not_taken_ends_it_in_words() {
        const PATIENCE: Duration = Duration::from_millis(400);
        let (ours, mut theirs) = tokio::io::duplex(16);
        let (orders, waiting) = mpsc::channel(WAITING);
        let feeding = tokio::spawn(feed(ours, waiting, PATIENCE));
        orders.send(Order::Write(Bytes::from(vec![b'x'; 64]))).await.ok().unwrap();
        let mut buffer = [0; 16];
        for _ in 0..4 {
            // Slower than all of it may take, faster than a piece may.
            tokio::time::sleep(PATIENCE / 2).await;
            theirs.read_exact(&mut buffer).await.unwrap();
        }
        orders.send(Order::Write(Bytes::from(vec![b'y'; 17]))).await.ok().unwrap();
        let begun = Instant::now();
        let end = feeding.await.unwrap();
        assert_eq!((end.code, end.why), (BROKEN, "the program takes no input"));
        assert!(begun.elapsed() >= PATIENCE);
        assert_eq!(end.last.unwrap()["error"]["code"], "exec.stuck");
        // One that has closed its input needs none, and goes on.
        let (ours, theirs) = tokio::io::duplex(16);
        drop(theirs);
        let (orders, waiting) = mpsc::channel(WAITING);
        let feeding = tokio::spawn(feed(ours, waiting, PATIENCE));
        for _ in 0..100 {
            orders.send(Order::Write(Bytes::from_static(b"nobody's"))).await.ok().unwrap();
        }
        assert!(!feeding.is_finished());
        drop(orders);
        assert_eq!(feeding.await.unwrap().code, NORMAL);
    }
}
