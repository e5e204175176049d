//! A server that hangs: it takes connections, or has taken them, and answers nothing. Nobody waits for it longer than for one statement, and who comes
//! soon after somebody has waited in vain is told at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// How long a server may take for one statement; longer than it waits for a lock itself.
pub const ANSWER: Duration = Duration::from_secs(8);

/// The same where whole tables are gone through.
pub const LONG: Duration = Duration::from_secs(600);

/// From when it was waited for in vain until it is asked again.
const REST: Duration = Duration::from_secs(2);

/// When a server was last waited for in vain; all connections to it share that.
#[derive(Clone, Default)]
pub struct Hang(Arc<Mutex<Option<Instant>>>);

impl Hang {
    pub fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether there is no use in asking it now.
    pub fn is_fresh(&self) -> bool {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.is_some_and(|when| when.elapsed() < REST)
    }
}

/// What a statement gives, or an error where it takes longer than `patience`.
pub async fn within<T>(
    patience: Duration,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(patience, statement).await.unwrap_or_else(|_| {
        let words = format!("no answer within {} s", patience.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, words)))
    })
}

/// Whether an error says that the server was waited for in vain.
pub fn is_hang(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::TimedOut)
}
