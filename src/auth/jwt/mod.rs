//! Access tokens of programs: JWT, signed with EdDSA (RFC 7519, 8037), short-lived, and checked against everything that they say.
//!
//! Keys are in `keys`; here is what a token says and which are taken.

mod keys;
#[cfg(test)]
mod tests;

pub use keys::{GRACE_MS, Keys, ROTATION_MS};

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use super::secrets::LONGEST;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// Who makes our tokens, and for whom: a token for one of Hearth's services is none for its API.
pub const ISSUER: &str = "hearth";
pub const AUDIENCE: &str = "hearth-api";

/// Seconds that an access token lasts; and where unchanged HomeServer clients are let in (`api: {homeserver_clients: true}`).
pub const LIFETIME: i64 = 15 * 60;
pub const LONG_LIFETIME: i64 = 12 * 60 * 60;

/// Seconds by which the clock may have been set back or forth since the token was made.
const LEEWAY: i64 = 10;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's name.
    pub sub: String,
    pub user_id: i64,
    /// The family of refresh tokens that it came from: what ends that ends this.
    pub sid: String,
    /// Seconds since 1970.
    pub iat: i64,
    pub exp: i64,
    pub iss: String,
    pub aud: String,
}

/// For whom a token is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Bearer<'a> {
    pub user: i64,
    pub name: &'a str,
    pub family: &'a str,
}

impl Keys {
    /// A token that lasts `lifetime` seconds from `now` (seconds since 1970).
    pub fn sign(&self, bearer: Bearer<'_>, lifetime: i64, now: i64) -> Result<Secret, Diagnostic> {
        let claims = Claims {
            sub: bearer.name.to_owned(),
            user_id: bearer.user,
            sid: bearer.family.to_owned(),
            iat: now,
            exp: now.saturating_add(lifetime),
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
        };
        self.sign_claims(&claims)
    }

    fn sign_claims(&self, claims: &Claims) -> Result<Secret, Diagnostic> {
        let key = self.newest()?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let made = jsonwebtoken::encode(&header, claims, &key.signs);
        made.map(Secret::new).map_err(|_| {
            Diagnostic::error("auth.failed", "an access token could not be signed").kind(Kind::Bug).hint("try again")
        })
    }

    /// What a token says, where it is one of ours and holds at `now` (seconds since 1970).
    pub fn verify(&self, token: &str, now: i64) -> Result<Claims, Diagnostic> {
        if token.len() > LONGEST {
            return Err(bad("it is longer than any of ours"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("it is no token of Hearth"))?;
        if header.alg != Algorithm::EdDSA {
            return Err(bad("it is signed in another way than ours"));
        }
        let kid = header.kid.as_deref().ok_or_else(|| bad("it names no key"))?;
        let key = self.named(kid, now)?.ok_or_else(|| bad("its key is not, or no longer, one of this home"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // By the clock that we are given, below.
        validation.validate_exp = false;
        let read = jsonwebtoken::decode::<Claims>(token, &key.verifies, &validation);
        let claims = read.map_err(|_| bad("it is not whole, or not for this API"))?.claims;
        if claims.iat > now.saturating_add(LEEWAY) {
            return Err(bad("it is from the future").hint("was the clock of this machine set back?"));
        }
        if now >= claims.exp.saturating_add(LEEWAY) {
            return Err(Diagnostic::error("auth.expired", "the access token has expired")
                .kind(Kind::Unauthenticated)
                .hint("get the next one: POST /api/v1/auth/refresh with the refresh token, or log in again"));
        }
        if claims.exp.saturating_sub(claims.iat) > LONG_LIFETIME {
            return Err(bad("it would last longer than any of ours"));
        }
        Ok(claims)
    }
}

/// A token that does not hold.
pub fn bad(why: &str) -> Diagnostic {
    Diagnostic::error("auth.bad-token", format!("the token does not hold: {why}"))
        .kind(Kind::Unauthenticated)
        .hint("log in again: POST /api/v1/auth/login")
}
