//! What goes on until its client leaves: how much of it one person may have open, when it ends without them, and what the audit is told of its end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::guard::{Act, Doorkeeper, Notebook};
use crate::auth::audit::Outcome;
use crate::auth::who::{Asking, Identity};
use crate::diag::{Diagnostic, Kind};

/// What all that one person has open may weigh. A stream weighs 1 where all share what it says, [`HEAVY`] where each has a line to the engine of its own.
pub const MOST: u32 = 1024;
/// Of these one person has 32.
pub const HEAVY: u32 = 32;

/// How long what is open is left alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Between two questions without a change: what ends by its time has no other sign.
    pub now_and_then: Duration,
    /// The same while nobody can say; and for one question.
    pub again: Duration,
    /// From the last time that it was known: a database may be away for a moment, and that must not cut everybody.
    pub unknown: Duration,
}

const PATIENCE: Patience =
    Patience { now_and_then: Duration::from_secs(60), again: Duration::from_secs(5), unknown: Duration::from_secs(90) };

/// Comes true when somebody who was let in would not be any more: what stays open ends then, within a second. Where nobody can say, it ends after
/// a minute and a half: it is never open for good.
pub async fn ended(keeper: Arc<dyn Doorkeeper>, who: Identity) {
    ended_within(keeper, who, PATIENCE).await;
}

pub(super) async fn ended_within(keeper: Arc<dyn Doorkeeper>, who: Identity, patience: Patience) {
    let mut changes = keeper.changes();
    let mut known = Instant::now();
    loop {
        let next = match tokio::time::timeout(patience.again, keeper.still(&who)).await.ok().flatten() {
            Some(false) => return,
            Some(true) => {
                known = Instant::now();
                patience.now_and_then
            }
            None if known.elapsed() >= patience.unknown => return,
            None => patience.again,
        };
        let gone = tokio::select! {
            woke = changes.changed() => woke.is_err(),
            () = tokio::time::sleep(next) => false,
        };
        if gone {
            // Nobody says any more what changes.
            return;
        }
    }
}

/// What everybody has open, by the number of the account.
#[derive(Clone, Default)]
pub(super) struct Stays(Arc<Mutex<HashMap<i64, u32>>>);

impl Stays {
    /// A place for one more stream of somebody; given back when it is dropped.
    pub fn take(&self, who: &Identity, weight: u32) -> Result<Place, Diagnostic> {
        let mut open = self.open();
        let theirs = open.get(&who.user).copied().unwrap_or(0);
        if theirs + weight > MOST {
            return Err(too_many());
        }
        open.insert(who.user, theirs + weight);
        Ok(Place { stays: self.clone(), user: who.user, weight })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<i64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Place {
    stays: Stays,
    user: i64,
    weight: u32,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.stays.open();
        match open.get_mut(&self.user) {
            Some(theirs) if *theirs > self.weight => *theirs -= self.weight,
            _ => drop(open.remove(&self.user)),
        }
    }
}

fn too_many() -> Diagnostic {
    let title = "as many live streams are open as one person may have";
    Diagnostic::error("web.too-many-streams", title).kind(Kind::TooMany).hint(
        "close some of them: logs, figures and terminals of containers that stand open in another window or program",
    )
}

/// One stream while it goes on. The guard puts it into the request; it lives in the body of the answer, and a handler whose answer is a socket holds it.
#[derive(Clone)]
pub struct Stay(Arc<Open>);

pub(super) struct Open {
    pub _place: Place,
    pub notebook: Arc<dyn Notebook>,
    pub asking: Asking,
    pub from: IpAddr,
    pub object: String,
    pub request: String,
    pub begun: Instant,
}

impl Stay {
    pub(super) fn new(open: Open) -> Stay {
        Stay(Arc::new(open))
    }

    /// The answer, which has it for as long as it goes on.
    pub(super) fn within(self, answer: Response) -> Response {
        // A refusal is over at once, and a socket goes on without its answer.
        if answer.status() != axum::http::StatusCode::OK {
            return answer;
        }
        answer.map(|body| {
            let pieces = body.into_data_stream();
            Body::from_stream(pieces.inspect(move |_| {
                let _lives = &self;
            }))
        })
    }

    /// Tells the audit that it has ended, as `action`: what came of it, without secrets.
    pub async fn ended(self, action: &str, outcome: Outcome, detail: serde_json::Value) {
        let Open { notebook, asking, from, object, request, begun, _place: _ } = &*self.0;
        let act = Act {
            asking: asking.clone(),
            signed_in: None,
            from: *from,
            action: action.into(),
            object: object.clone(),
            outcome,
            status: 0,
            took: begun.elapsed(),
            request: request.clone(),
            detail: Some(detail),
        };
        notebook.note(act).await;
    }
}
