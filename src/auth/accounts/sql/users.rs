//! Users, the setup link, and from where they have signed in.

use sqlx::FromRow;

use crate::diag::Diagnostic;
use crate::store::{Conn, Tx, execute, fetch_all, fetch_one, fetch_optional};

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    /// Somebody else than they themselves says that the address is theirs.
    pub email_vouched: bool,
    pub display_name: String,
    pub role: String,
    /// Services that the account is for alone, a blank between two; empty: for whatever its role opens.
    pub confined: String,
    pub active: bool,
    pub password: Option<String>,
    pub version: i64,
    pub created: i64,
    pub last_login: Option<i64>,
    /// A confirmed second factor.
    pub factor: bool,
}

/// What a new user begins with.
#[derive(Debug, Clone)]
pub struct New {
    pub name: String,
    pub email: Option<String>,
    pub email_vouched: bool,
    pub display_name: String,
    pub role: &'static str,
    pub confined: String,
    pub password: Option<String>,
    pub created: i64,
}

/// A user's own fields, all of them; see [`change`].
#[derive(Debug, Clone)]
pub struct Fields {
    pub email: Option<String>,
    pub email_vouched: bool,
    pub display_name: String,
    pub role: String,
    pub confined: String,
    pub active: bool,
}

const SELECT: &str =
    "SELECT id, name, email, email_vouched, display_name, role, confined, active, password, version, created, last_login,
    EXISTS (SELECT 1 FROM second_factors f WHERE f.person = users.id AND f.confirmed) AS factor FROM users";

/// `None`: the name or the e-mail address is taken.
pub async fn add(tx: &mut Tx, new: &New) -> Result<Option<i64>, Diagnostic> {
    let sql = "INSERT INTO users (name, email, email_vouched, display_name, role, active, password, version, created, confined)
               VALUES ($1, $2, $3, $4, $5, TRUE, $6, 1, $7, $8) ON CONFLICT DO NOTHING RETURNING id";
    let (email, vouched, shown, only) = (&new.email, new.email_vouched, &new.display_name, &new.confined);
    let row: Option<(i64,)> =
        fetch_optional!(tx, sql, &new.name, email, vouched, shown, new.role, &new.password, new.created, only)?;
    Ok(row.map(|(id,)| id))
}

pub async fn by_id(on: &mut Conn, id: i64) -> Result<Option<Row>, Diagnostic> {
    fetch_optional!(on, sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1")), id)
}

pub async fn by_name(on: &mut Conn, name: &str) -> Result<Option<Row>, Diagnostic> {
    fetch_optional!(on, sqlx::AssertSqlSafe(format!("{SELECT} WHERE name = $1")), name)
}

/// Those with an id above `after`, in order.
pub async fn all(on: &mut Conn, after: i64, limit: i64) -> Result<Vec<Row>, Diagnostic> {
    fetch_all!(on, sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2")), after, limit)
}

pub async fn count(on: &mut Conn) -> Result<i64, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM users")?;
    Ok(count)
}

/// How many active admins there are.
pub async fn admins(on: &mut Conn) -> Result<i64, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM users WHERE role = 'admin' AND active")?;
    Ok(count)
}

pub async fn change(tx: &mut Tx, id: i64, fields: &Fields) -> Result<(), Diagnostic> {
    let sql = "UPDATE users SET email = $2, email_vouched = $3, display_name = $4, role = $5, active = $6, confined = $7, version = version + 1
               WHERE id = $1";
    let (email, vouched, only) = (&fields.email, fields.email_vouched, &fields.confined);
    execute!(tx, sql, id, email, vouched, &fields.display_name, &fields.role, fields.active, only).map(drop)
}

/// Whether somebody else has this address.
pub async fn email_taken(on: &mut Conn, email: &str, but: i64) -> Result<bool, Diagnostic> {
    let sql = "SELECT COUNT(*) FROM users WHERE email = $1 AND id <> $2";
    let (count,): (i64,) = fetch_one!(on, sql, email, but)?;
    Ok(count > 0)
}

/// Who has an address that nobody vouches for.
pub async fn unvouched(on: &mut Conn) -> Result<Vec<String>, Diagnostic> {
    let sql = "SELECT name FROM users WHERE email IS NOT NULL AND NOT email_vouched ORDER BY name";
    let all: Vec<(String,)> = fetch_all!(on, sql)?;
    Ok(all.into_iter().map(|(name,)| name).collect())
}

pub async fn set_password(tx: &mut Tx, id: i64, password: &str) -> Result<(), Diagnostic> {
    let sql = "UPDATE users SET password = $2, version = version + 1 WHERE id = $1";
    execute!(tx, sql, id, password).map(drop)
}

/// The same password, hashed at today's cost; unless it was changed meanwhile.
pub async fn set_hash(tx: &mut Tx, id: i64, old: &str, new: &str) -> Result<(), Diagnostic> {
    execute!(tx, "UPDATE users SET password = $3 WHERE id = $1 AND password = $2", id, old, new).map(drop)
}

/// Gives whether they come from where they never came from, and have come from elsewhere.
pub async fn signed_in(tx: &mut Tx, id: i64, household: &str, now: i64) -> Result<bool, Diagnostic> {
    execute!(tx, "UPDATE users SET last_login = $2 WHERE id = $1", id, now)?;
    let (elsewhere,): (i64,) = fetch_one!(tx, "SELECT COUNT(*) FROM places WHERE person = $1", id)?;
    let is_new = elsewhere > 0 && !knows_place(tx, id, household).await?;
    let sql = "INSERT INTO places (person, household, last) VALUES ($1, $2, $3)
               ON CONFLICT (person, household) DO UPDATE SET last = excluded.last";
    execute!(tx, sql, id, household, now)?;
    Ok(is_new)
}

pub async fn knows_place(on: &mut Conn, id: i64, household: &str) -> Result<bool, Diagnostic> {
    let sql = "SELECT COUNT(*) FROM places WHERE person = $1 AND household = $2";
    let (count,): (i64,) = fetch_one!(on, sql, id, household)?;
    Ok(count > 0)
}

/// Removes a user with all that is theirs here, and keeps who inherits the rest.
pub async fn remove(tx: &mut Tx, id: i64, name: &str, heir: Option<i64>, now: i64) -> Result<(), Diagnostic> {
    // Whoever had inherited from them now leaves it to their heir.
    execute!(tx, "UPDATE departed SET heir = $2 WHERE heir = $1", id, heir)?;
    execute!(tx, "INSERT INTO departed (id, name, heir, at) VALUES ($1, $2, $3, $4)", id, name, heir, now)?;
    execute!(tx, "DELETE FROM users WHERE id = $1", id).map(drop)
}

/// Whether a user, a group or somebody who was removed has a name that reads so ([`reads`](crate::auth::accounts::words::reads)).
pub async fn reads_as(on: &mut Conn, look: &str) -> Result<bool, Diagnostic> {
    let sql = "SELECT COUNT(*) FROM (SELECT name FROM users UNION ALL SELECT name FROM teams
                                     UNION ALL SELECT name FROM departed) AS every
               WHERE REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(name,
                   '.', ''), '_', ''), '-', ''), '0', 'o'), '1', 'l'), 'i', 'l'), '5', 's'), '8', 'b'), 'rn', 'm') = $1";
    let (count,): (i64,) = fetch_one!(on, sql, look)?;
    Ok(count > 0)
}

/// Takes away every other way in than the password: second factor, passkeys, links with providers.
pub async fn end_ways(tx: &mut Tx, id: i64) -> Result<(), Diagnostic> {
    execute!(tx, "DELETE FROM second_factors WHERE person = $1", id)?;
    execute!(tx, "DELETE FROM recovery_codes WHERE person = $1", id)?;
    execute!(tx, "DELETE FROM passkeys WHERE person = $1", id)?;
    execute!(tx, "DELETE FROM provider_links WHERE person = $1", id).map(drop)
}

/// Who inherits from a removed user: `Some(None)` is the admins.
pub async fn heir(on: &mut Conn, id: i64) -> Result<Option<Option<i64>>, Diagnostic> {
    let row: Option<(Option<i64>,)> = fetch_optional!(on, "SELECT heir FROM departed WHERE id = $1", id)?;
    Ok(row.map(|(heir,)| heir))
}

/// The setup link's token from now on; the one before it ends.
pub async fn set_setup(tx: &mut Tx, hash: &str, expires: i64) -> Result<(), Diagnostic> {
    let sql = "INSERT INTO setup (id, hash, expires) VALUES (1, $1, $2)
               ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, expires = excluded.expires";
    execute!(tx, sql, hash, expires).map(drop)
}

/// Whether this is the setup token.
pub async fn is_setup(on: &mut Conn, hash: &str, now: i64) -> Result<bool, Diagnostic> {
    let (count,): (i64,) = fetch_one!(on, "SELECT COUNT(*) FROM setup WHERE hash = $1 AND expires > $2", hash, now)?;
    Ok(count == 1)
}

/// Takes the setup token, once: whether it was the right one.
pub async fn take_setup(tx: &mut Tx, hash: &str, now: i64) -> Result<bool, Diagnostic> {
    Ok(execute!(tx, "DELETE FROM setup WHERE hash = $1 AND expires > $2", hash, now)? == 1)
}

/// How many passkeys somebody has, and how many accounts at providers they are linked with.
pub async fn other_ways(on: &mut Conn, id: i64) -> Result<(i64, i64), Diagnostic> {
    let sql = "SELECT (SELECT COUNT(*) FROM passkeys WHERE person = $1), (SELECT COUNT(*) FROM provider_links WHERE person = $1)";
    fetch_one!(on, sql, id)
}
