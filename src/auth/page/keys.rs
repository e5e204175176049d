//! By what somebody signs in besides a password: their passkeys, an app with codes, and the link with the home's provider of accounts. The page that shows it is the panel's.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::auth::accounts::{Auth, FactorState};
use crate::auth::oidc::Oidc;
use crate::auth::passkeys::{Key, Passkeys};
use crate::auth::who::{Anyone, User};
use crate::base::clock::Clock;
use crate::diag::Diagnostic;
use crate::web::Caller;

/// What somebody has.
#[derive(Debug, Default)]
pub struct Ways {
    pub keys: Vec<Key>,
    /// Whether passkeys can be made at the address that somebody is at; else where, if that may be told.
    pub here: bool,
    pub elsewhere: Option<String>,
    pub provider: Option<Provider>,
    pub factor: FactorState,
    /// They have to give their password before something is added.
    pub proof: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Provider {
    pub name: String,
    pub linked: bool,
    /// Where they go on to, once they have asked to be linked.
    pub onward: Option<String>,
}

/// What such pages work with.
pub struct Desk {
    pub auth: Arc<Auth>,
    pub clock: Arc<dyn Clock>,
    pub passkeys: Arc<Passkeys>,
    pub oidc: Arc<Oidc>,
}

impl Desk {
    pub async fn ways(&self, who: &User, caller: &Caller) -> Result<Ways, Diagnostic> {
        let provider = match self.oidc.name() {
            Some(name) => {
                let linked = self.oidc.linked(who.user).await?.is_some();
                Some(Provider { name: name.to_owned(), linked, onward: None })
            }
            None => None,
        };
        Ok(Ways {
            keys: self.passkeys.keys(who.user).await?,
            here: self.passkeys.is_here(caller),
            elsewhere: self.passkeys.place.told(),
            provider,
            factor: self.auth.factor(who.user).await?,
            proof: self.auth.prove(who, None, caller.address).await.is_err(),
        })
    }
}

/// The script that passkeys take. It is the same for everybody.
pub async fn script(_: Anyone) -> Response {
    let headers: [(header::HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, include_str!("../../../static/passkeys.js")).into_response()
}
