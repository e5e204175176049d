//! Who may enter: Traefik asks about each request for a service with a login, and is answered from memory.
//!
//! | subject | file |
//! |---|---|
//! | what the panel has told | `known` |
//! | the line to the panel | `line` |
//! | a request, as Traefik tells of it | `asked` |
//! | the decision | `decide` |
//! | its answer | `answer` |
//! | whom it has turned away, for the audit | `refusals` |
//!
//! Never open: what cannot be decided is held for the panel for a moment, and then refused.

mod answer;
mod asked;
mod decide;
mod known;
mod line;
mod refusals;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Response, Uri};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::gate::listen::HEAD_TAKEN;
use crate::traefik::forward::AUTH;
use crate::web::head;
use crate::web::lang::{self, Lang};
use known::Known;
use line::Line;
use refusals::Refusals;

/// How long a request waits for the panel in all.
const HELD: Duration = Duration::from_secs(2);
/// Requests that wait at once; more are refused at once, so that those that need nobody are not kept from their turn.
const WAITING: usize = 256;

/// The part of gate that decides.
pub struct Auth {
    known: Arc<Known>,
    refusals: Arc<Refusals>,
    line: Line,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    waiting: Semaphore,
}

impl Auth {
    /// `panel`: the socket at which the panel listens.
    pub fn new(panel: PathBuf, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Auth {
        let known = Arc::new(Known::new(clock.clone()));
        let refusals = Arc::new(Refusals::default());
        let line = Line::new(panel, known.clone(), refusals.clone());
        Auth { line, known, refusals, clock, random, waiting: Semaphore::new(WAITING) }
    }

    /// Whether this path is Traefik's question.
    pub fn has_key(&self, path: &str) -> bool {
        let key = path.strip_prefix(AUTH).unwrap_or_default();
        self.known.rules().is_some_and(|rules| rules.is_key(key))
    }

    /// Keeps the line to the panel, until `stop`.
    pub async fn keep(&self, stop: CancellationToken) {
        self.line.keep(stop).await;
    }

    /// What Traefik is answered; `uri` is what it was told to ask, the rest of the request is in `headers`.
    pub async fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        lang::speaking(Lang::of(headers), self.answered(uri, headers)).await
    }

    async fn answered(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        if head::size(headers) > HEAD_TAKEN {
            return answer::too_large(headers, self.known.rules().as_deref());
        }
        let until = Instant::now() + HELD;
        match self.decide(uri, headers, until).await {
            Ok(decision) => decision,
            Err(unknown) => answer::away(headers, unknown),
        }
    }
}
