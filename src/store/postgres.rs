//! PostgreSQL: options of its connections. TLS is as `sslmode` of the URL says.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgConnection, PgPool};

use super::hang::Hang;
use super::location::Location;
use super::words;
use crate::diag::Diagnostic;

/// How long a server may take to let somebody in.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections for reading at most.
const READERS: u32 = 8;

/// Connections for reading, made when they are needed.
pub fn readers(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .idle_timeout(Duration::from_secs(60))
        .after_connect(|conn, _| {
            Box::pin(async move { conn.execute("SET default_transaction_read_only = on").await.map(drop) })
        })
        .connect_lazy_with(options.clone().disable_statement_logging())
}

/// The one connection for writing. Nobody may keep it waiting for ever, and it keeps nobody waiting where this process hangs.
pub async fn writer(location: &Location, options: &PgConnectOptions, hang: &Hang) -> Result<PgConnection, Diagnostic> {
    let options = options.clone().disable_statement_logging();
    let connecting = async {
        let mut conn = options.connect().await?;
        // By statements, not as options of the start: a pool of connections in between refuses those.
        conn.execute("SET lock_timeout = '7s'; SET idle_in_transaction_session_timeout = '30s'").await?;
        // A server may be set to answer before it has written.
        conn.execute("SET synchronous_commit = on").await?;
        Ok::<_, sqlx::Error>(conn)
    };
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connected) => connected.map_err(|error| words::told(location, &error)),
        Err(_) => {
            hang.note();
            Err(words::hangs(location))
        }
    }
}
