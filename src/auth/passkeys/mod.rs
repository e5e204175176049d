//! Passkeys: signing in with a key that a device holds, and opens by finger, face or PIN (Web Authentication Level 3). It shows two things at once, having
//! the device and being its owner, so it counts as both factors; and it answers only to the address it was made for, so no other page can ask for it.
//!
//! | subject | file |
//! |---|---|
//! | made, listed, renamed, removed; signing in | this one |
//! | refusals in words | `words` |
//! | table | `sql` |
//! | calls of the API; what a browser does for them is `static/passkeys.js` | `json` |
//!
//! Every key is kept by its authenticator under the person it is for ("discoverable"), so that nobody types a name. Challenges are kept here, for the browser
//! that asked, and are good once. Counters, signatures, origin and the name that a key is for are checked by `webauthn-rs`.

pub mod json;
mod sql;
#[cfg(test)]
mod tests;
mod words;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    Uuid,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::accounts::words::label;
use super::accounts::{self, Auth, Login, NewSession, User};
use super::pending::Pending;
use super::place::Place;
use super::secrets;
use super::who::{Identity, nobody};
use crate::base::clock::Clock;
use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;
use crate::store::Db;
use crate::web::Caller;

pub use sql::Row as Key;

/// Keys of one person at most.
const MOST: i64 = 20;

/// What a browser is told it has time for.
const PATIENCE: Duration = Duration::from_secs(300);

/// What [`Passkeys`] stands on.
pub struct Parts {
    pub auth: Arc<Auth>,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub place: Place,
}

/// The passkeys of a home.
pub struct Passkeys {
    auth: Arc<Auth>,
    db: Db,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub place: Place,
    kit: Webauthn,
    making: Pending<Making>,
    entering: Pending<DiscoverableAuthentication>,
}

struct Making {
    person: i64,
    handle: Uuid,
    state: PasskeyRegistration,
}

/// Something that a browser has to answer.
#[derive(Debug)]
pub struct Asked {
    /// Comes back with the answer.
    pub ticket: Secret,
    /// The same browser's; comes back as its cookie.
    pub cookie: Secret,
    /// For `navigator.credentials`; bytes are base64url.
    pub options: Value,
}

impl Passkeys {
    pub fn open(parts: Parts) -> Result<Passkeys, Diagnostic> {
        let Parts { auth, db, clock, random, place } = parts;
        let origin = Url::parse(&place.origin()).map_err(|_| words::no_place(&place.origin()))?;
        let built = WebauthnBuilder::new(&place.zone, &origin)
            .and_then(|builder| builder.rp_name("Hearth").timeout(PATIENCE).build());
        let kit = built.map_err(|_| words::no_place(&place.origin()))?;
        Ok(Passkeys { auth, db, clock, random, place, kit, making: Pending::default(), entering: Pending::default() })
    }

    fn now(&self) -> i64 {
        i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
    }

    /// Whether passkeys work at the address that somebody is at.
    pub fn is_here(&self, caller: &Caller) -> bool {
        self.place.is_here(caller)
    }

    fn here(&self, caller: &Caller) -> Result<(), Diagnostic> {
        if self.is_here(caller) { Ok(()) } else { Err(words::elsewhere(self.place.told().as_deref())) }
    }

    /// Begins to make a key for somebody who is signed in. A key is a way in for good: they have to show that it is still them.
    pub async fn begin(&self, who: &Identity, password: Option<&Secret>, caller: &Caller) -> Result<Asked, Diagnostic> {
        self.here(caller)?;
        self.auth.prove(who, password, caller.address).await?;
        let user = self.auth.user(who.user).await?;
        let keys = self.keys(who.user).await?;
        if keys.len() as i64 >= MOST {
            return Err(words::too_many(MOST));
        }
        let known = keys.first().and_then(|key| Uuid::parse_str(&key.handle).ok());
        let handle = known.unwrap_or_else(|| Uuid::from_bytes(bytes(&*self.random)));
        let held = keys.iter().filter_map(|key| BASE64_URL_SAFE_NO_PAD.decode(&key.credential).ok());
        let begun = self.kit.start_passkey_registration(handle, &user.name, &user.display_name, Some(held.collect()));
        let (options, state) = begun.map_err(|error| words::not_made(&error))?;
        let mut options = plain(&options)?;
        // It must be found without a name; the library leaves that to the authenticator.
        options["authenticatorSelection"]["residentKey"] = json!("required");
        options["authenticatorSelection"]["requireResidentKey"] = json!(true);
        let making = Making { person: who.user, handle, state };
        Ok(self.asked(&self.making, making, options, caller.address))
    }

    fn asked<T>(&self, pending: &Pending<T>, what: T, options: Value, from: IpAddr) -> Asked {
        let (ticket, cookie) = (secrets::token(&*self.random), secrets::token(&*self.random));
        pending.put(ticket.expose(), cookie.expose(), from, what, self.now());
        Asked { ticket, cookie, options }
    }

    /// Keeps the key that a browser has made, under a name.
    pub async fn make(
        &self,
        who: &Identity,
        ticket: &str,
        cookie: Option<&str>,
        name: &str,
        made: Value,
    ) -> Result<Key, Diagnostic> {
        let name = label(name, "name", 100)?;
        let making = cookie.and_then(|cookie| self.making.take(ticket, cookie, self.now()));
        let Making { person, handle, state } =
            making.filter(|making| making.person == who.user).ok_or_else(words::begin_again)?;
        let made: RegisterPublicKeyCredential = serde_json::from_value(made).map_err(|_| words::unread())?;
        if is_framed(&made.response.client_data_json) {
            return Err(words::made_framed());
        }
        let key = self.kit.finish_passkey_registration(&made, &state).map_err(|error| words::not_made(&error))?;
        let row = Key {
            credential: BASE64_URL_SAFE_NO_PAD.encode(key.cred_id()),
            id: secrets::id(&*self.random),
            person,
            handle: handle.to_string(),
            name,
            public: serde_json::to_string(&key).map_err(|_| words::unread())?,
            made: self.now(),
            last_used: None,
        };
        let (kept, by) = (row.clone(), who.by.clone());
        self.db
            .write(async move |tx| {
                if !accounts::holds(tx, person, &by).await? {
                    return Err(nobody());
                }
                if sql::count(tx, person).await? >= MOST {
                    return Err(words::too_many(MOST));
                }
                accounts::forget_begun(tx, person).await?;
                match sql::add(tx, &row).await? {
                    true => Ok(()),
                    false => Err(words::known()),
                }
            })
            .await?;
        Ok(kept)
    }

    /// Somebody's keys, the oldest first.
    pub async fn keys(&self, person: i64) -> Result<Vec<Key>, Diagnostic> {
        sql::of(&mut self.db.reader().await?, person).await
    }

    pub async fn rename(&self, person: i64, id: &str, name: &str) -> Result<Key, Diagnostic> {
        let (name, id) = (label(name, "name", 100)?, id.to_owned());
        self.db
            .write(async move |tx| {
                sql::rename(tx, person, &id, &name).await?;
                let all = sql::of(tx, person).await?;
                all.into_iter().find(|key| key.id == id).ok_or_else(words::no_such)
            })
            .await
    }

    /// Removes one's own key. Refused where it is the only way in, or the only second factor of who needs one.
    pub async fn remove(&self, person: i64, id: &str) -> Result<(), Diagnostic> {
        let (id, auth) = (id.to_owned(), self.auth.clone());
        self.db
            .write(async move |tx| {
                if !sql::remove(tx, person, &id).await? {
                    return Err(words::no_such());
                }
                let ways = accounts::ways(tx, person).await?;
                let user = accounts::active(tx, person).await?;
                if ways.passkeys == 0 && ways.links == 0 && matches!(auth.step_after(&user), accounts::Step::Missing(_))
                {
                    return Err(words::kept());
                }
                match ways.password || ways.passkeys > 0 || ways.links > 0 {
                    true => Ok(()),
                    false => Err(words::only_way()),
                }
            })
            .await
    }

    /// Begins to sign somebody in, whoever it is.
    pub fn begin_login(&self, caller: &Caller) -> Result<Asked, Diagnostic> {
        self.here(caller)?;
        let (options, state) =
            self.kit.start_discoverable_authentication().map_err(|error| words::not_taken(&error))?;
        Ok(self.asked(&self.entering, state, plain(&options)?, caller.address))
    }

    /// Signs in whoever has the key with which a browser has answered.
    pub async fn login(
        &self,
        ticket: &str,
        cookie: Option<&str>,
        shown: Value,
        login: &Login,
    ) -> Result<(User, NewSession), Diagnostic> {
        let state = cookie.and_then(|cookie| self.entering.take(ticket, cookie, self.now()));
        let state = state.ok_or_else(words::begin_again)?;
        let shown: PublicKeyCredential = serde_json::from_value(shown).map_err(|_| words::unread())?;
        // The library looks at it where a key is made only.
        if is_framed(&shown.response.client_data_json) {
            return Err(words::shown_framed());
        }
        let found = self.kit.identify_discoverable_authentication(&shown).map_err(|_| words::unknown())?;
        let (handle, credential) = (found.0.to_string(), BASE64_URL_SAFE_NO_PAD.encode(found.1));
        let (kit, now) = (self.kit.clone(), self.now());
        // Looked up, judged and counted in one job: of two that show the same counter one is too late.
        let person = self.db.write(async move |tx| {
            let row = sql::by_credential(tx, &credential).await?.filter(|row| row.handle == handle);
            let row = row.ok_or_else(words::unknown)?;
            let mut key: Passkey = serde_json::from_str(&row.public).map_err(|_| words::unknown())?;
            let judged = kit.finish_discoverable_authentication_v2(&shown, state, &key);
            let judged = judged.map_err(|error| words::not_taken(&error))?;
            if !judged.user_verified() {
                return Err(words::unverified());
            }
            key.update_credential(&judged);
            let public = serde_json::to_string(&key).map_err(|_| words::unread())?;
            sql::used(tx, &credential, &public, now).await?;
            accounts::active(tx, row.person).await
        });
        self.auth.admit(person.await?, login).await
    }
}

/// Whether a browser says that the page that asked stood inside one of another site (Web Authentication Level 3, 5.8.1): ours never does.
fn is_framed(client_data: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(client_data).unwrap_or_default();
    let none = |key: &str| matches!(said.get(key), None | Some(Value::Null | Value::Bool(false)));
    !none("crossOrigin") || !none("topOrigin")
}

/// What stands in `publicKey`, as the browser gets it.
fn plain(options: &impl serde::Serialize) -> Result<Value, Diagnostic> {
    let mut whole = serde_json::to_value(options).map_err(|_| words::unread())?;
    Ok(whole["publicKey"].take())
}
