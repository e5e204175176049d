//! Who a request is, by what it shows: a bearer token, else a cookie. Where there is a bearer no cookie counts.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use async_trait::async_trait;
use axum::http::{HeaderMap, header};

use super::live::{Known, Use};
use super::users::{self, User};
use super::{Auth, sql};
use crate::auth::jwt;
use crate::auth::secrets::{self, API_PREFIX};
use crate::auth::table::Doorkeeper;
use crate::auth::who::{Asking, By, Identity};
use crate::diag::{Diagnostic, Kind};
use crate::web::{Caller, SESSION};

/// What a request shows of who it is.
#[derive(Debug, PartialEq, Eq)]
enum Shown<'a> {
    Nothing,
    Bearer(&'a str),
    Cookie(&'a str),
    /// An `Authorization` of another kind.
    NoBearer,
    /// Not to be understood, or in more than one way; why.
    Unclear(&'static str),
}

fn no_bearer() -> Diagnostic {
    Diagnostic::error("auth.bad-token", "`Authorization` is not `Bearer TOKEN`, and nothing else is taken there")
        .kind(Kind::Unauthenticated)
        .hint("send `Authorization: Bearer TOKEN`: POST /api/v1/auth/login gives a token for name and password, POST /api/v1/tokens one that stays")
}

/// A session's cookie, and nothing by which a browser says whose page has sent it.
fn is_bare(headers: &HeaderMap) -> bool {
    crate::web::cookies(headers, SESSION).next().is_some()
        && !headers.contains_key(header::ORIGIN)
        && !headers.contains_key("sec-fetch-site")
}

fn uncounted() -> Diagnostic {
    let title = "the session's cookie does not count here: nothing shows that a page of Hearth's own has sent it";
    Diagnostic::error("auth.nobody", title)
        .kind(Kind::Unauthenticated)
        .hint("a program sends `Authorization: Bearer TOKEN` and no cookie; POST /api/v1/auth/login gives one")
        .hint("with a cookie: at the panel's own address, and a change with that address in the header Origin")
}

fn shown(headers: &HeaderMap, cookies: bool) -> Shown<'_> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    if let Some(value) = said.next() {
        if said.next().is_some() {
            return Shown::Unclear("there is more than one `Authorization`");
        }
        let parts = value.to_str().ok().and_then(|text| text.trim().split_once(' '));
        return match parts {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
                match token.trim().contains(|c: char| c.is_whitespace()) {
                    false => Shown::Bearer(token.trim()),
                    true => Shown::Unclear("it holds blanks"),
                }
            }
            _ => Shown::NoBearer,
        };
    }
    if !cookies {
        return Shown::Nothing;
    }
    let mut ours = crate::web::cookies(headers, SESSION);
    match (ours.next(), ours.next()) {
        (None, _) => Shown::Nothing,
        (Some(value), None) => Shown::Cookie(value),
        // A browser has one; two were put there by somebody else.
        (Some(_), Some(_)) => Shown::Unclear("there is more than one session"),
    }
}

#[async_trait]
impl Doorkeeper for Auth {
    fn is_set_up(&self) -> bool {
        Auth::is_set_up(self)
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        Auth::changes(self)
    }

    async fn still(&self, who: &Identity) -> Option<bool> {
        match Auth::still(self, who).await {
            Ok(still) => Some(still),
            Err(told) if is_away(&told) => None,
            Err(_) => Some(false),
        }
    }

    fn acts(&self, who: &Identity) {
        Auth::acts(self, who);
    }

    async fn ask(&self, headers: &HeaderMap, _: &Caller, cookies: bool) -> Asking {
        let known = match shown(headers, cookies) {
            Shown::Nothing if !cookies && is_bare(headers) => Err(uncounted()),
            Shown::Nothing => return Asking::Nobody,
            Shown::NoBearer => Err(no_bearer()),
            Shown::Unclear(why) => Err(jwt::bad(why)),
            Shown::Bearer(token) => self.by_bearer(token).await,
            Shown::Cookie(token) => match self.by_cookie(token).await {
                Ok(Some(identity)) => Ok(identity),
                // A session that has ended is as good as none: whoever has it may sign in again.
                Ok(None) => return Asking::Nobody,
                Err(told) => Err(told),
            },
        };
        match known {
            Ok(identity) => Asking::Somebody(identity),
            Err(told) => Asking::Refused(Arc::new(told)),
        }
    }
}

impl Auth {
    /// Who has an API token or an access token.
    pub async fn by_bearer(&self, token: &str) -> Result<Arc<Identity>, Diagnostic> {
        if token.len() > secrets::LONGEST {
            return Err(jwt::bad("it is longer than any of ours"));
        }
        let (digest, now) = (secrets::digest(token), self.now());
        if let Some(identity) = self.live.get(&digest, now) {
            return Ok(identity);
        }
        let turn = self.live.turn();
        let known = match token.starts_with(API_PREFIX) {
            true => self.by_api_token(token, now).await?,
            false => self.by_access_token(token, now).await?,
        };
        let identity = known.identity.clone();
        self.live.put(digest, known, turn);
        Ok(identity)
    }

    async fn by_api_token(&self, token: &str, now: i64) -> Result<Known, Diagnostic> {
        let mut on = self.db.reader().await?;
        let row = sql::tokens::by_hash(&mut on, &secrets::hash(token)).await?;
        let row = row.ok_or_else(|| jwt::bad("it is no token of this home, or was ended"))?;
        if row.expires.is_some_and(|at| at <= now) {
            return Err(jwt::bad("it has expired"));
        }
        let user = users::one(&mut on, row.person).await?.if_active()?;
        let scopes = row.scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        Ok(Known {
            identity: identity(user, By::Token { id: row.id.clone(), scopes }),
            ends: row.expires.unwrap_or(i64::MAX),
            idle: None,
            used: AtomicI64::new(now),
            written: AtomicI64::new(row.last_used.unwrap_or(0)),
            noted: Some(Use::Token(row.id)),
        })
    }

    async fn by_access_token(&self, token: &str, now: i64) -> Result<Known, Diagnostic> {
        let claims = self.keys.verify(token, now.div_euclid(1000))?;
        let mut on = self.db.reader().await?;
        let row = sql::users::by_id(&mut on, claims.user_id).await?;
        let row = row.ok_or_else(|| jwt::bad("the account that it is for is gone"))?;
        let user = users::whole(&mut on, &row).await?.if_active()?;
        let family = sql::families::one(&mut on, &claims.sid).await?.filter(|family| family.person == user.id);
        let Some(family) = family.filter(|family| self.holds(family.expires, family.last_used, &family.noted())) else {
            return Err(jwt::bad("it was ended"));
        };
        Ok(Known {
            identity: identity(user, By::Access(claims.sid)),
            ends: claims.exp.saturating_mul(1000),
            idle: Some(self.rules().idle_ms()),
            used: AtomicI64::new(now),
            written: AtomicI64::new(family.last_used),
            noted: Some(family.noted()),
        })
    }

    /// Who has a session on the panel. `None`: nobody has that one, or it has ended.
    pub async fn by_cookie(&self, token: &str) -> Result<Option<Arc<Identity>>, Diagnostic> {
        if token.len() > 128 {
            return Ok(None);
        }
        let (digest, now) = (secrets::digest(token), self.now());
        if let Some(identity) = self.live.get(&digest, now) {
            return Ok(Some(identity));
        }
        let turn = self.live.turn();
        let mut on = self.db.reader().await?;
        let Some(row) = sql::sessions::by_hash(&mut on, &secrets::hash(token)).await? else { return Ok(None) };
        // One of a routed host opens that host only.
        if row.parent.is_some() || !self.holds(row.expires, row.last_used, &row.noted()) {
            return Ok(None);
        }
        let user = users::one(&mut on, row.person).await?.if_active()?;
        let known = Known {
            identity: identity(user, By::Session(row.id.clone())),
            ends: row.expires,
            idle: Some(self.rules().idle_ms()),
            used: AtomicI64::new(now),
            written: AtomicI64::new(row.last_used),
            noted: Some(Use::Session(row.id)),
        };
        let found = known.identity.clone();
        self.live.put(digest, known, turn);
        Ok(Some(found))
    }

    /// Somebody does something over what they have open: that is a use of their session, family or token, as a request is.
    pub fn acts(&self, who: &Identity) {
        if let Some(of) = Use::of(&who.by) {
            self.live.used(of, self.now());
        }
    }

    /// Whether somebody who was let in may still be: the same session, family or token, role, groups and services. For what stays open.
    pub async fn still(&self, who: &Identity) -> Result<bool, Diagnostic> {
        let mut on = self.db.reader().await?;
        let Some(row) = sql::users::by_id(&mut on, who.user).await? else { return Ok(false) };
        let user = users::whole(&mut on, &row).await?;
        if !user.active || user.role != who.role || user.groups != who.groups || user.only != who.only {
            return Ok(false);
        }
        let now = self.now();
        Ok(match &who.by {
            By::Session(id) => {
                let row = sql::sessions::by_id(&mut on, id).await?.filter(|row| row.person == who.user);
                row.is_some_and(|row| row.parent.is_none() && self.holds(row.expires, row.last_used, &row.noted()))
            }
            By::Access(id) => {
                let row = sql::families::one(&mut on, id).await?.filter(|row| row.person == who.user);
                row.is_some_and(|row| self.holds(row.expires, row.last_used, &row.noted()))
            }
            By::Token { id, .. } => {
                let all = sql::tokens::of(&mut on, who.user).await?;
                all.iter().any(|token| token.id == *id && token.expires.is_none_or(|at| at > now))
            }
            By::Terminal => true,
        })
    }
}

fn identity(user: User, by: By) -> Arc<Identity> {
    let User { id, name, role, groups, only, .. } = user;
    Arc::new(Identity { user: id, name, role, groups, only, by })
}

/// The kind of a refusal that says nothing about who asks, only that it cannot be known now.
pub fn is_away(told: &Diagnostic) -> bool {
    told.kind == Kind::Unavailable
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_bearer_goes_before_a_cookie_and_what_is_unclear_is_nobody() {
        let cookie = ("cookie", "a=b; __Host-hearth=session; c=d");
        for (pairs, cookies, is) in [
            (vec![], true, Shown::Nothing),
            (vec![cookie], true, Shown::Cookie("session")),
            (vec![cookie], false, Shown::Nothing),
            (vec![cookie, ("authorization", "Bearer t")], true, Shown::Bearer("t")),
            (vec![("authorization", "bearer  t ")], false, Shown::Bearer("t")),
            (vec![("cookie", "x__Host-hearth=no; hearth=no; __host-hearth=no")], true, Shown::Nothing),
        ] {
            assert_eq!(shown(&headers(&pairs), cookies), is, "{pairs:?}");
        }
        for pairs in [
            vec![cookie, ("authorization", "Basic YTpi")],
            vec![cookie, ("authorization", "")],
            vec![cookie, ("authorization", "Bearer")],
            vec![cookie, ("authorization", "Bearer ")],
            vec![("authorization", "Bearer a b")],
            vec![("authorization", "Bearer a"), ("authorization", "Bearer b")],
            vec![("cookie", "__Host-hearth=a; __Host-hearth=b")],
            vec![("cookie", "__Host-hearth=a"), ("cookie", "__Host-hearth=b")],
        ] {
            assert!(matches!(shown(&headers(&pairs), true), Shown::Unclear(_) | Shown::NoBearer), "{pairs:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_fall_over(a in "[ -~]{0,80}", b in "[ -~]{0,80}") {
            let _ = shown(&headers(&[("authorization", &a), ("cookie", &b)]), true);
            let _ = shown(&headers(&[("cookie", &b), ("cookie", &a)]), true);
        }
    }
}
