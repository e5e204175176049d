//! An engine for those who only read it and have no plans: GET calls that are bounded in size and time, and its events.
//!
//! `gate` stands on it. Answers are bytes: what they mean, and how little of them is wanted, is the reader's own affair.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;

use super::connect::Address;
use super::errors::Fault;
use super::wire::{self, Wire};
use crate::base::units;

/// Limit of one call, also on an engine that answers pings.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes of one answer: a list of a thousand containers has two million.
const MOST: usize = 16 << 20;
/// Bytes of one event: it carries all labels of its container.
const MOST_OF_LINE: usize = 1 << 20;

/// Why something could not be read. The words are for a log: they may hold the engine's own.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unread {
    #[error("the engine knows no such thing")]
    Gone,
    #[error("the engine refuses ({status}): {words}")]
    Refused { status: u16, words: String },
    #[error("the engine does not answer: {0}")]
    Away(String),
}

/// What an engine says of itself when it is pinged.
#[derive(Debug, Clone, PartialEq)]
pub struct Pong {
    /// As `1.45`.
    pub api: String,
    /// As `linux`.
    pub os: String,
}

/// One engine, over connections that clones share.
#[derive(Clone)]
pub struct Reader {
    wire: Wire,
    /// The API version that requests name; unknown until the engine was greeted, and again after it was away: it may have
    /// become another one meanwhile.
    api: Arc<Mutex<Option<(u32, u32)>>>,
}

impl Reader {
    /// The engine that listens at this socket. No connection is made yet.
    pub fn unix(socket: &Path) -> Result<Reader, Unread> {
        let wire = Wire::new(&Address::Unix(socket.to_path_buf())).map_err(unread)?;
        Ok(Reader { wire, api: Arc::default() })
    }

    /// The engine at the other end, which has been greeted.
    pub(super) fn over(wire: Wire, api: (u32, u32)) -> Reader {
        Reader { wire, api: Arc::new(Mutex::new(Some(api))) }
    }

    /// Whether it is there, within some seconds.
    pub async fn ping(&self) -> Result<Pong, Unread> {
        let greeting = self.wire.greet().await.map_err(|fault| self.lost(fault))?;
        self.know(greeting.api);
        Ok(Pong { api: format!("{}.{}", greeting.api.0, greeting.api.1), os: greeting.os })
    }

    /// The answer to a GET; `path` has no version, its parts are encoded (see [`segment`] and [`query`]).
    pub async fn get(&self, path: &str) -> Result<Bytes, Unread> {
        self.within(async {
            let answer = self.ask(path).await?;
            wire::whole_body(answer, MOST).await
        })
        .await
    }

    /// The answer to a GET that goes on, line by line.
    pub async fn lines(&self, path: &str) -> Result<Lines, Unread> {
        let body = self.within(self.ask(path)).await?;
        Ok(Lines { body, pending: BytesMut::new(), searched: 0 })
    }

    async fn ask(&self, path: &str) -> Result<Incoming, Fault> {
        let wire = self.pinned().await?;
        let request = Request::get(format!("http://engine{path}")).body(wire::empty()).map_err(Fault::other)?;
        Ok(wire.answered(request).await?.into_body())
    }

    /// Bounds a call, also on an engine that answers pings, and puts its failure in words.
    async fn within<T>(&self, call: impl Future<Output = Result<T, Fault>>) -> Result<T, Unread> {
        let done = tokio::time::timeout(LIMIT, call).await;
        done.unwrap_or(Err(Fault::Slow(LIMIT))).map_err(|fault| self.lost(fault))
    }

    async fn pinned(&self) -> Result<Wire, Fault> {
        let known = *self.api.lock().unwrap_or_else(PoisonError::into_inner);
        let api = match known {
            Some(api) => api,
            None => {
                let greeting = self.wire.greet().await?;
                self.know(greeting.api);
                greeting.api
            }
        };
        Ok(self.wire.pinned(api.min(wire::NEWEST)))
    }

    fn know(&self, api: (u32, u32)) {
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Some(api);
    }

    /// Puts a failure in words. Whatever broke a connection may have changed the engine behind it.
    fn lost(&self, fault: Fault) -> Unread {
        let unread = unread(fault);
        if unread != Unread::Gone {
            *self.api.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        unread
    }
}

fn unread(fault: Fault) -> Unread {
    match fault {
        Fault::Refused { status: 404, .. } => Unread::Gone,
        Fault::Refused { status, message } => Unread::Refused { status, words: message.chars().take(300).collect() },
        other => Unread::Away(other.to_string()),
    }
}

/// Lines as they come, for as long as the engine sends them.
pub struct Lines {
    body: Incoming,
    pending: BytesMut,
    /// How much of `pending` has no end of a line.
    searched: usize,
}

impl Lines {
    /// The next line that is not empty, without its end; `None` when the engine has ended the stream.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Unread> {
        loop {
            if let Some(end) = self.pending[self.searched..].iter().position(|b| *b == b'\n') {
                let line = self.pending.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                let text = line.trim_ascii();
                if !text.is_empty() {
                    return Ok(Some(line.slice_ref(text)));
                }
                continue;
            }
            self.searched = self.pending.len();
            if self.searched > MOST_OF_LINE {
                return Err(Unread::Away(format!("a line is longer than {}", units::bytes(MOST_OF_LINE as u64))));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(Unread::Away(error.to_string())),
                Some(Ok(frame)) => self.pending.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            }
        }
    }
}

/// A name or id as part of a path.
pub fn segment(text: &str) -> String {
    wire::segment(text)
}

/// `?name=value&...`, encoded.
pub fn query(pairs: &[(&str, &str)]) -> String {
    wire::query(pairs)
}
