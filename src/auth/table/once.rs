//! `Idempotency-Key`: a call that creates, sent again because its answer got lost, creates nothing more and is answered as before
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! Kept in memory, for a day: an answer may show a secret once, which must not lie on a disk for this.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::auth::who::{Asking, Identity};
use crate::diag::{Diagnostic, Kind};
use crate::web::{Refusal, unread};

const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Answers at most, and of one user; bytes of one.
const MOST: usize = 1000;
const EACH: usize = 100;
const LARGEST: usize = 64 << 10;
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

#[derive(Default)]
pub(super) struct Once {
    kept: Mutex<HashMap<[u8; 32], Kept>>,
}

struct Kept {
    user: i64,
    at: Instant,
    sent: [u8; 32],
    /// `None`: it is being answered.
    answer: Option<(StatusCode, HeaderMap, Bytes)>,
}

/// Takes the place back when its request ends without an answer.
struct Place<'a> {
    once: &'a Once,
    key: [u8; 32],
    done: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.once.kept().remove(&self.key);
        }
    }
}

impl Once {
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the request, or as the same one was answered before. For nobody nothing is kept: what they may do at all has a name, and is refused
    /// the second time.
    pub async fn run(&self, asking: &Asking, request: Request, next: Next) -> Response {
        let Some(said) = request.headers().get(HEADER).cloned() else { return next.run(request).await };
        let Asking::Somebody(who) = asking else { return next.run(request).await };
        let fits = (1..=255).contains(&said.len()) && said.as_bytes().iter().all(u8::is_ascii_graphic);
        if !fits {
            let d = Diagnostic::error("web.bad-key", "the Idempotency-Key is 1 to 255 visible characters")
                .field("Idempotency-Key")
                .hint("send a random one, as a UUID, with each new thing");
            return Refusal(d).within("header");
        }
        let (parts, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return unread(&error),
        };
        let key = key_of(who, &parts, said.as_bytes());
        let sent: [u8; 32] = Sha256::digest(&body).into();
        let place = match self.take(who.user, key, sent) {
            Ok(place) => place,
            Err(answer) => return *answer,
        };
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        keep(place, who.user, sent, answer).await
    }

    fn take(&self, user: i64, key: [u8; 32], sent: [u8; 32]) -> Result<Place<'_>, Box<Response>> {
        let mut kept = self.kept();
        kept.retain(|_, kept| kept.at.elapsed() < KEPT);
        match kept.get(&key) {
            Some(kept) if kept.sent != sent => {
                let d = Diagnostic::error("web.key-taken", "this Idempotency-Key was used with another body");
                Err(Box::new(
                    Refusal(d.field("Idempotency-Key").hint("send a new key with each new thing")).within("header"),
                ))
            }
            Some(Kept { answer: None, .. }) => {
                let d = Diagnostic::error("web.key-busy", "the same call is being answered").kind(Kind::Conflict);
                Err(Box::new(Refusal(d.hint("wait for its answer, then ask again")).into_response()))
            }
            Some(Kept { answer: Some((status, headers, body)), .. }) => {
                let mut answer = (*status, headers.clone(), body.clone()).into_response();
                answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                Err(Box::new(answer))
            }
            None => {
                // Who sends many pushes out their own.
                let own = kept.values().filter(|k| k.user == user).count() >= EACH;
                if own || kept.len() >= MOST {
                    let old = kept.iter().filter(|(_, k)| k.answer.is_some() && (!own || k.user == user));
                    let oldest = old.min_by_key(|(_, k)| k.at).map(|(key, _)| *key);
                    oldest.and_then(|key| kept.remove(&key));
                }
                kept.insert(key, Kept { user, at: Instant::now(), sent, answer: None });
                Ok(Place { once: self, key, done: false })
            }
        }
    }
}

/// Keeps the answer to what was done; what was refused, or failed, did nothing and may be tried again.
async fn keep(mut place: Place<'_>, user: i64, sent: [u8; 32], answer: Response) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    let status = answer.status();
    let (parts, body) = answer.into_parts();
    let Ok(body) = body.collect().await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let body = body.to_bytes();
    if body.len() <= LARGEST {
        let names = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
        let headers = names.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(name)?.clone())));
        let kept = Kept { user, at: Instant::now(), sent, answer: Some((status, headers.collect(), body.clone())) };
        place.once.kept().insert(place.key, kept);
        place.done = true;
    }
    Response::from_parts(parts, Body::from(body))
}

/// Whose call it is, which, and their key for it: nobody gets another's answer, and a token none that a session or another token got, which may
/// show what this one must not see.
fn key_of(who: &Identity, parts: &Parts, said: &[u8]) -> [u8; 32] {
    let who = format!("{} {:?}", who.user, who.by);
    let mut digest = Sha256::new();
    for part in [who.as_bytes(), parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), said] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
