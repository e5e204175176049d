//! What goes on behind its answer: whoever began it is who the audit names at its end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::guard::{Act, Notebook, Taken};
use crate::auth::audit::Outcome;

tokio::task_local! {
    static NOW: Later;
}

/// One act that was begun. The guard says around each handler whose it is.
#[derive(Clone)]
pub struct Later(Arc<Inner>);

struct Inner {
    notebook: Arc<dyn Notebook>,
    taken: Taken,
    begun: Instant,
    /// Something goes on under its name.
    goes_on: AtomicBool,
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Later")
    }
}

impl Later {
    pub(super) fn new(notebook: Arc<dyn Notebook>, taken: Taken, begun: Instant) -> Later {
        Later(Arc::new(Inner { notebook, taken, begun, goes_on: AtomicBool::new(false) }))
    }

    /// Answers a request by which something may be begun.
    pub(super) async fn around<T>(self, answer: impl Future<Output = T>) -> T {
        NOW.scope(self, answer).await
    }

    /// That of the call which is being answered, for what it begins; `None` where none is.
    pub fn of_this_call() -> Option<Later> {
        NOW.try_with(|later| {
            later.0.goes_on.store(true, Ordering::Relaxed);
            later.clone()
        })
        .ok()
    }

    /// Whether something was begun, whatever the answer says: a page leads on to it.
    pub(super) fn goes_on(&self) -> bool {
        self.0.goes_on.load(Ordering::Relaxed)
    }

    /// Tells the audit that it has ended, as `action` on `object`: what came of it, without secrets.
    pub async fn ended(&self, action: &str, object: String, outcome: Outcome, detail: serde_json::Value) {
        let Inner { notebook, taken, begun, .. } = &*self.0;
        let act = taken.clone().act(action.into(), outcome, axum::http::StatusCode::OK, *begun);
        notebook.note(Act { object, detail: Some(detail), ..act }).await;
    }
}
