//! The room's tables. All queries about people stand here, one file a subject.

pub mod factors;
pub mod families;
pub mod groups;
pub mod hosts;
pub mod invitations;
pub mod sessions;
pub mod tokens;
pub mod users;
pub mod ways;

use crate::auth::who::By;
use crate::diag::Diagnostic;
use crate::store::{Tx, execute};

/// Whether that by which somebody asked holds still: looked at in the job that gives them something more, so that nothing is given to whom another
/// password has ended meanwhile.
pub async fn holds(tx: &mut Tx, person: i64, by: &By) -> Result<bool, Diagnostic> {
    Ok(match by {
        By::Session(id) => sessions::by_id(tx, id).await?.is_some_and(|row| row.person == person),
        By::Access(id) => families::one(tx, id).await?.is_some_and(|row| row.person == person),
        By::Token { id, .. } => tokens::of(tx, person).await?.iter().any(|row| row.id == *id),
        By::Terminal => true,
    })
}

/// Ends all by which somebody is known: sessions (those on routed hosts with them), families of refresh tokens, API tokens; and the invitations that
/// they have made.
pub async fn end_all(tx: &mut Tx, person: i64) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM sessions WHERE person = $1", person)?;
    execute!(tx, "DELETE FROM families WHERE person = $1", person)?;
    execute!(tx, "DELETE FROM tokens WHERE person = $1", person)?;
    execute!(tx, "DELETE FROM invitations WHERE maker = $1", person)?;
    tx.changed();
    Ok(())
}

/// Ends the sessions and programs' logins of all who have a role and no second factor of any sort: none of an app, no passkey, no account at the
/// provider. Gives how many went.
pub async fn end_without_factor(tx: &mut Tx, role: &str) -> Result<u64, Diagnostic> {
    let mut gone = 0;
    for table in ["sessions", "families"] {
        let sql = format!(
            "DELETE FROM {table} WHERE person IN (SELECT id FROM users u WHERE role = $1
               AND NOT EXISTS (SELECT 1 FROM second_factors f WHERE f.person = u.id AND f.confirmed)
               AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.person = u.id)
               AND NOT EXISTS (SELECT 1 FROM provider_links l WHERE l.person = u.id))"
        );
        gone += execute!(tx, sqlx::AssertSqlSafe(sql.clone()), role)?;
    }
    if gone > 0 {
        tx.changed();
    }
    Ok(gone)
}

/// Forgets what has expired at `now`; `idle`: sessions that were not used since. Gives how many rows went.
pub async fn sweep(tx: &mut Tx, now: i64, idle: i64) -> Result<u64, Diagnostic> {
    let places = now.saturating_sub(90 * 24 * 3600 * 1000);
    let mut gone = execute!(tx, "DELETE FROM sessions WHERE expires <= $1 OR last_used <= $2", now, idle)?;
    gone += execute!(tx, "DELETE FROM families WHERE expires <= $1 OR last_used <= $2", now, idle)?;
    gone += execute!(tx, "DELETE FROM tokens WHERE expires <= $1", now)?;
    gone += execute!(tx, "DELETE FROM invitations WHERE expires <= $1 OR uses_left <= 0", now)?;
    gone += execute!(tx, "DELETE FROM places WHERE last <= $1", places)?;
    Ok(gone)
}
