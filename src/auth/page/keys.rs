//! How somebody signs in: their passkeys, and the link with the home's provider of accounts.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::Told;
use super::forms::{page, to};
use crate::auth::accounts::{Auth, FactorState};
use crate::auth::oidc::{self, Oidc};
use crate::auth::passkeys::{Key, Passkeys};
use crate::auth::who::{Anyone, User};
use crate::base::clock::{self, Clock};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::web::read::{Form, Path};
use crate::web::{Caller, Refusal};

/// The page of somebody who is signed in.
#[derive(Debug, Default, Template)]
#[template(path = "auth/keys.html")]
pub struct Keys {
    pub name: String,
    pub role: &'static str,
    pub keys: Vec<Shown>,
    /// Whether passkeys can be made at the address that somebody is at; else where, if that may be told.
    pub here: bool,
    pub elsewhere: Option<String>,
    pub provider: Option<Provider>,
    pub factor: FactorState,
    /// They have to give their password before something is added.
    pub proof: bool,
    pub told: Option<Told>,
}

/// One passkey in words.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub id: String,
    pub name: String,
    pub made: String,
    pub used: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Provider {
    pub name: String,
    pub linked: bool,
    /// Where they go on to, once they have asked to be linked.
    pub onward: Option<String>,
}

/// What the page works with.
pub struct Desk {
    pub auth: Arc<Auth>,
    pub clock: Arc<dyn Clock>,
    pub passkeys: Arc<Passkeys>,
    pub oidc: Arc<Oidc>,
}

impl Desk {
    async fn keys(&self, who: &User, caller: &Caller, told: Option<Told>) -> Result<Keys, Diagnostic> {
        let now = self.clock.now();
        let keys = self.passkeys.keys(who.user).await?;
        let provider = match self.oidc.name() {
            Some(name) => {
                let linked = self.oidc.linked(who.user).await?.is_some();
                Some(Provider { name: name.to_owned(), linked, onward: None })
            }
            None => None,
        };
        let here = self.passkeys.is_here(caller);
        Ok(Keys {
            name: who.name.clone(),
            role: who.role.word(),
            keys: keys.into_iter().map(|key| shown(key, now)).collect(),
            here,
            elsewhere: self.passkeys.place.told(),
            provider,
            factor: self.auth.factor(who.user).await?,
            proof: self.auth.prove(who, None, caller.address).await.is_err(),
            told,
        })
    }

    /// The page, with what was wrong where something was.
    async fn shown(&self, who: &User, caller: &Caller, done: Result<(), Diagnostic>) -> Response {
        match done {
            Ok(()) => to("/account"),
            Err(told) => self.refused(who, caller, told).await,
        }
    }

    /// The page with what was wrong.
    pub(super) async fn refused(&self, who: &User, caller: &Caller, refused: Diagnostic) -> Response {
        match self.keys(who, caller, Some(Told::from(refused.clone()))).await {
            Ok(keys) => page(Refusal(refused).status(), keys),
            // Without the page around it the refusal is said all the same.
            Err(_) => Refusal(refused).into_response(),
        }
    }
}

fn shown(key: Key, now: OffsetDateTime) -> Shown {
    let ago = |ms: i64| {
        let then = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(now);
        clock::ago(then, now)
    };
    Shown { id: key.id, name: key.name, made: ago(key.made), used: key.last_used.map(ago) }
}

pub async fn show(who: User, State(desk): State<Arc<Desk>>, Extension(caller): Extension<Caller>) -> Response {
    match desk.keys(&who, &caller, None).await {
        Ok(keys) => page(StatusCode::OK, keys),
        Err(told) => Refusal(told).into_response(),
    }
}

#[derive(Deserialize)]
pub struct KeyForm {
    act: String,
    #[serde(default)]
    name: String,
}

/// Renames or removes a passkey.
pub async fn change_key(
    who: User,
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Form(form): Form<KeyForm>,
) -> Response {
    let done = match form.act.as_str() {
        _ if who.in_person().is_err() => who.in_person(),
        "remove" => desk.passkeys.remove(who.user, &id).await,
        _ => desk.passkeys.rename(who.user, &id, &form.name).await.map(drop),
    };
    desk.shown(&who, &caller, done).await
}

#[derive(Deserialize)]
pub struct LinkForm {
    act: String,
    password: Option<String>,
}

/// Links with the provider, or unlinks. A form must not lead to another site (`form-action`), so the way there is a link on the page that answers.
pub async fn change_link(
    who: User,
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Form(form): Form<LinkForm>,
) -> Response {
    if let Err(told) = who.in_person() {
        return Refusal(told).into_response();
    }
    if form.act == "unlink" {
        return desk.shown(&who, &caller, desk.oidc.unlink(who.user).await).await;
    }
    if !desk.oidc.place.is_here(&caller) {
        return match desk.oidc.place.told() {
            Some(origin) => to(&format!("{origin}/account")),
            None => desk.shown(&who, &caller, Err(oidc::words::elsewhere())).await,
        };
    }
    let password = form.password.filter(|text| !text.is_empty()).map(Secret::new);
    let leaving = match desk.oidc.begin_link(&who, password.as_ref(), caller.address).await {
        Ok(leaving) => leaving,
        Err(told) => return desk.shown(&who, &caller, Err(told)).await,
    };
    match desk.keys(&who, &caller, None).await {
        Ok(mut keys) => {
            if let Some(provider) = &mut keys.provider {
                provider.onward = Some(leaving.to);
            }
            let mut answer = page(StatusCode::OK, keys);
            oidc::page::keep_begun(&mut answer, &leaving.cookie);
            answer
        }
        Err(told) => Refusal(told).into_response(),
    }
}

/// The script that passkeys take. It is the same for everybody.
pub async fn script(_: Anyone) -> Response {
    let headers: [(header::HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, include_str!("../../../static/passkeys.js")).into_response()
}

/// For the tests, and for looking at it.
pub(super) fn sample(hostile: &str) -> Keys {
    let key = |id: &str, name: &str, used: Option<&str>| Shown {
        id: id.into(),
        name: name.into(),
        made: "3 days ago".into(),
        used: used.map(str::to_owned),
    };
    Keys {
        name: "ada".into(),
        role: "member",
        keys: vec![key("k1", "My phone", Some("2 hours ago")), key("k2", hostile, None)],
        here: true,
        elsewhere: None,
        factor: FactorState { on: true, codes_left: 9, required: true },
        provider: Some(Provider { name: "Our accounts".into(), linked: false, onward: None }),
        proof: true,
        told: None,
    }
}
