//! API tokens: for programs of the home's own people, each with a name, an end, and what it may at most.

use serde::Serialize;

use super::hosts::ROUTE;
use super::{Auth, sql, words};
use crate::auth::secrets;
use crate::auth::who::{By, Role, Who, nobody};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// What a token may at most: look, also act, also what only admins may. Never more than its owner.
pub const SCOPES: [&str; 3] = ["read", "operate", "admin"];
/// Scopes that one token may have.
pub const MOST_SCOPES: usize = 50;
/// A scope as the API describes it: one of [`SCOPES`], or [`ROUTE`] and a name that [`is_service`].
pub const SCOPE: &str = "^(?:read|operate|admin|route:[A-Za-z0-9._-]{1,128})$";
const LONGEST_DAYS: u32 = 3650;
const MOST: i64 = 100;
const DAY_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    /// Milliseconds since 1970.
    pub made: i64,
    pub expires: Option<i64>,
    pub last_used: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: String,
    /// Of [`SCOPES`], and `route:SERVICE` for the paths of a service that take a token.
    pub scopes: Vec<String>,
    /// `None`: it does not end by itself.
    pub days: Option<u32>,
}

impl Auth {
    pub async fn tokens(&self, person: i64) -> Result<Vec<Token>, Diagnostic> {
        let rows = sql::tokens::of(&mut self.db.reader().await?, person).await?;
        let now = self.now();
        Ok(rows.into_iter().filter(|row| row.expires.is_none_or(|at| at > now)).map(Token::of).collect())
    }

    /// Makes one for somebody who asks by `by`; the secret is shown now and never again.
    pub async fn add_token(&self, person: i64, by: &By, new: NewToken) -> Result<(Token, Secret), Diagnostic> {
        let told = |field: &'static str, title: String| Diagnostic::error("auth.bad-token-request", title).field(field);
        let name = words::label(&new.name, "name", 100)?;
        let route = |scope: &str| scope.strip_prefix(ROUTE).is_some_and(is_service);
        if let Some(unknown) = new.scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str()) && !route(scope)) {
            return Err(told("scopes", format!("`{unknown}` is no scope"))
                .hint(format!("there are {}, and {ROUTE}NAME for the service NAME", SCOPES.join(", "))));
        }
        if new.scopes.is_empty() {
            return Err(told("scopes", "a token without a scope may nothing".into())
                .hint(format!("give it one of {}, or {ROUTE}NAME for the service NAME", SCOPES.join(", "))));
        }
        if new.scopes.len() > MOST_SCOPES {
            return Err(told("scopes", format!("a token has at most {MOST_SCOPES} scopes")).hint("make two of them"));
        }
        if new.days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
            return Err(told("days", format!("a token holds for 1 to {LONGEST_DAYS} days"))
                .hint("leave it out for one that does not end by itself"));
        }
        let mut scopes: Vec<&str> = SCOPES.into_iter().filter(|scope| new.scopes.iter().any(|s| s == scope)).collect();
        let mut routes: Vec<&str> = new.scopes.iter().map(String::as_str).filter(|scope| route(scope)).collect();
        routes.sort_unstable();
        routes.dedup();
        scopes.extend(routes);
        let now = self.now();
        let secret = secrets::api_token(&*self.random);
        let row = sql::tokens::Row {
            id: secrets::id(&*self.random),
            person,
            name,
            scopes: scopes.join(" "),
            made: now,
            expires: new.days.map(|days| now.saturating_add(i64::from(days) * DAY_MS)),
            last_used: None,
        };
        let (for_admins, operates) = (scopes.contains(&"admin"), scopes.contains(&"operate"));
        let (made, hash, by) = (row.clone(), secrets::hash(secret.expose()), by.clone());
        self.db
            .write(async move |tx| {
                if sql::tokens::count(tx, person).await? >= MOST {
                    return Err(Diagnostic::error("auth.too-many-tokens", format!("there are {MOST} tokens already"))
                        .kind(Kind::Conflict)
                        .hint("end those that are not used any more"));
                }
                let owner = super::users::one(tx, person).await?;
                if for_admins && owner.role != Role::Admin {
                    let title =
                        format!("the scope `admin` is for tokens of admins, and {} is a {}", owner.name, owner.role);
                    let d = Diagnostic::error("auth.bad-token-request", title).kind(Kind::Denied).field("scopes");
                    return Err(d.hint("a token may never more than its owner: leave it out, or make it for an admin"));
                }
                if operates && !Who::Operator.admits(owner.role) {
                    let title = format!(
                        "the scope `operate` is for tokens of operators and admins, and {} is a {}",
                        owner.name, owner.role
                    );
                    let d = Diagnostic::error("auth.bad-token-request", title).kind(Kind::Denied).field("scopes");
                    return Err(d.hint("a token may never more than its owner: `read` is what it could be used for"));
                }
                if !sql::holds(tx, person, &by).await? {
                    return Err(nobody());
                }
                sql::tokens::add(tx, &row, &hash).await
            })
            .await?;
        Ok((Token::of(made), secret))
    }

    /// Ends one of a user's own.
    pub async fn end_token(&self, person: i64, id: &str) -> Result<(), Diagnostic> {
        let id = id.to_owned();
        match self.end(async move |tx| sql::tokens::end(tx, person, &id).await).await? {
            true => Ok(()),
            false => Err(Diagnostic::error("auth.no-such-token", "there is no token of that id")
                .kind(Kind::NotFound)
                .hint("it may have ended already")),
        }
    }
}

/// Whether a service, or a route of `hearth.yaml`, can be called so.
pub(super) fn is_service(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl Token {
    fn of(row: sql::tokens::Row) -> Token {
        let scopes = row.scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        Token { id: row.id, name: row.name, scopes, made: row.made, expires: row.expires, last_used: row.last_used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_the_api_says_it_is() {
        let says = regex::Regex::new(SCOPE).unwrap();
        let long = format!("{ROUTE}{}", "a".repeat(128));
        let longer = format!("{long}a");
        for scope in SCOPES.into_iter().chain([
            "route:photos",
            "route:a.b_c-D",
            "route:",
            "route:a b",
            "write",
            "",
            "read\n",
            &long,
            &longer,
        ]) {
            let taken = SCOPES.contains(&scope) || scope.strip_prefix(ROUTE).is_some_and(is_service);
            assert_eq!(says.is_match(scope), taken, "{scope:?}");
        }
    }
}
