//! The second factor of an account: set up in two steps, asked for at each login, and taken away with the password or by an admin.

use std::net::IpAddr;

use super::users::{self, User};
use super::{Auth, sql, words};
use crate::auth::brakes::{Attempt, What};
use crate::auth::factor::recovery;
use crate::auth::factor::totp::{self, Provisioning};
use crate::auth::who::Identity;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::web::household;

/// A second factor that is being set up: shown once.
pub type Enrolment = Provisioning;

/// How a user's second factor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactorState {
    pub on: bool,
    /// Codes on paper that are left.
    pub codes_left: i64,
    /// The home asks one of this role.
    pub required: bool,
}

/// Milliseconds in which a second factor that was begun has to be confirmed.
const BEGUN: i64 = 30 * 60 * 1000;

impl Auth {
    pub async fn factor(&self, id: i64) -> Result<FactorState, Diagnostic> {
        let mut on = self.db.reader().await?;
        let user = users::one(&mut on, id).await?;
        let codes_left = sql::factors::codes_left(&mut on, id).await?;
        Ok(FactorState { on: user.second_factor, codes_left, required: self.requires_factor(&user) })
    }

    /// Whether this user gets in with a second factor only.
    pub(super) fn requires_factor(&self, user: &User) -> bool {
        self.rules().second_factor.iter().any(|role| role == user.role.word())
    }

    /// Begins to set up an app: it counts when it has shown a right code ([`Auth::confirm_factor`]).
    pub async fn begin_factor(&self, user: User) -> Result<Enrolment, Diagnostic> {
        let id = user.id;
        let secret = totp::secret(&*self.random);
        let shown = totp::provisioning(&secret, &user.name)?;
        let (sealed, now) = (self.seal.close(&secret, &sealed_as(id))?, self.now());
        self.db
            .write(async move |tx| {
                users::unchanged(tx, &user).await?;
                match sql::factors::begin(tx, id, &sealed, now).await? {
                    true => Ok(()),
                    false => Err(factor_on()),
                }
            })
            .await?;
        Ok(shown)
    }

    /// What an app is set up with that has not shown a right code yet; `None`: nothing is begun, or it is ended. For who has just given the password.
    pub(in crate::auth) async fn begun_factor(&self, name: &str) -> Result<Option<Enrolment>, Diagnostic> {
        let mut on = self.db.reader().await?;
        let name = words::given_name(name).unwrap_or_default();
        let Some(user) = sql::users::by_name(&mut on, &name).await? else { return Ok(None) };
        let Some(sealed) = sql::factors::begun(&mut on, user.id, self.now().saturating_sub(BEGUN)).await? else {
            return Ok(None);
        };
        let secret = self.seal.open_text(&sealed, &sealed_as(user.id))?;
        totp::provisioning(&secret, &user.name).map(Some)
    }

    /// Ends the setting up with the app's code: gives the codes on paper, shown once. Whoever is signed in elsewhere stays so.
    pub async fn confirm_factor(&self, user: User, code: &str, from: IpAddr) -> Result<Vec<Secret>, Diagnostic> {
        let id = user.id;
        if user.second_factor {
            return Err(factor_on());
        }
        let pass = self.brake_code(&user, from).await?;
        let Judged { step, sealed } = self.step_of(id, code).await?.ok_or_else(wrong_first_code)?;
        let codes = recovery::codes(&*self.random);
        let hashes: Vec<String> = codes.iter().filter_map(|code| recovery::kept(code.expose())).collect();
        let then = self.now().saturating_sub(BEGUN);
        self.end(async move |tx| {
            users::unchanged(tx, &user).await?;
            // Not another secret that was begun with meanwhile, nor one of long ago.
            if !sql::factors::take_step(tx, id, step).await? || !sql::factors::confirm(tx, id, &sealed, then).await? {
                return Err(wrong_first_code());
            }
            sql::factors::set_codes(tx, id, &hashes).await
        })
        .await?;
        self.brakes.good(pass);
        Ok(codes)
    }

    /// Sets up a second factor before the first login, for who gets in with one only: by name and password. Whoever has a passkey has one, and comes in
    /// by it first (`asking`): else a password alone would make the second factor beside it.
    pub async fn begin_factor_as(
        &self,
        name: &str,
        password: &Secret,
        from: IpAddr,
        asking: Option<&Identity>,
    ) -> Result<(User, Enrolment), Diagnostic> {
        let user = self.by_password(name, password, from).await?;
        let (passkeys, _) = sql::users::other_ways(&mut self.db.reader().await?, user.id).await?;
        let in_person = asking.is_some_and(|who| who.user == user.id && who.in_person().is_ok());
        if passkeys > 0 && !in_person {
            return Err(Diagnostic::error(
                "auth.second-factor-by-passkey",
                "this account has a passkey, which is its second factor",
            )
            .kind(Kind::Denied)
            .hint("sign in with the passkey, and set up the app in that browser")
            .hint("without it: an admin of the home takes it away")
            .hint("at the terminal: `hearth users passkeys NAME --remove ID`"));
        }
        let set = self.begin_factor(user.clone()).await?;
        Ok((user, set))
    }

    /// The second step of [`Auth::begin_factor_as`].
    pub async fn confirm_factor_as(
        &self,
        name: &str,
        password: &Secret,
        code: &str,
        from: IpAddr,
    ) -> Result<(User, Vec<Secret>), Diagnostic> {
        let user = self.by_password(name, password, from).await?;
        let codes = self.confirm_factor(user.clone(), code, from).await?;
        Ok((user, codes))
    }

    /// New codes on paper, with a code of the app or one on paper; the old ones end.
    pub async fn new_codes(&self, id: i64, code: &str, from: IpAddr) -> Result<Vec<Secret>, Diagnostic> {
        let user = self.user(id).await?;
        self.by_code(&user, Some(code), from).await?;
        let codes = recovery::codes(&*self.random);
        let hashes: Vec<String> = codes.iter().filter_map(|code| recovery::kept(code.expose())).collect();
        self.db.write(async move |tx| sql::factors::set_codes(tx, id, &hashes).await).await?;
        Ok(codes)
    }

    /// Takes one's own second factor away, with a code of it. Refused where the home asks for one.
    pub async fn remove_own_factor(&self, id: i64, code: &str, from: IpAddr) -> Result<(), Diagnostic> {
        let user = self.user(id).await?;
        if self.requires_factor(&user) {
            return Err(Diagnostic::error(
                "auth.second-factor-kept",
                format!("{}s of this home need a second factor", user.role),
            )
            .kind(Kind::Denied)
            .hint("for a new phone: an admin takes the old factor away, and you set up the new one"));
        }
        self.by_code(&user, Some(code), from).await?;
        self.remove_factor(id).await
    }

    /// Takes a user's second factor away, as an admin. Their sessions stay.
    pub async fn remove_factor(&self, id: i64) -> Result<(), Diagnostic> {
        self.user(id).await?;
        let removed = self.end(async move |tx| sql::factors::remove(tx, id).await);
        match removed.await? {
            true => Ok(()),
            false => Err(no_factor()),
        }
    }

    /// Takes a code of the second factor, or one on paper. Each is good once.
    pub(super) async fn by_code(&self, user: &User, code: Option<&str>, from: IpAddr) -> Result<(), Diagnostic> {
        let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
            return Err(Diagnostic::error(
                "auth.second-factor-required",
                "this account has a second factor: a code is needed too",
            )
            .kind(Kind::Unauthenticated)
            .field("otp")
            .hint("send the code of the app, or one of the recovery codes, as `otp`"));
        };
        if !user.second_factor {
            return Err(no_factor());
        }
        let (id, now) = (user.id, self.now());
        let pass = self.brake_code(user, from).await?;
        let taken = match recovery::kept(code) {
            Some(hash) => self.db.write(async move |tx| sql::factors::take_code(tx, id, &hash, now).await).await?,
            None => match self.step_of(id, code).await? {
                Some(Judged { step, .. }) => {
                    self.db.write(async move |tx| sql::factors::take_step(tx, id, step).await).await?
                }
                None => false,
            },
        };
        match taken {
            true => self.brakes.good(pass),
            false => return Err(wrong_code()),
        }
        Ok(())
    }

    /// The step of a right code that is later than the last one taken.
    async fn step_of(&self, id: i64, code: &str) -> Result<Option<Judged>, Diagnostic> {
        let Some(row) = sql::factors::of(&mut self.db.reader().await?, id).await? else { return Ok(None) };
        let secret = self.seal.open_text(&row.secret, &sealed_as(id))?;
        let step = totp::check(&secret, code, self.now().div_euclid(1000), row.last_step)?;
        Ok(step.map(|step| Judged { step, sealed: row.secret }))
    }

    async fn brake_code(&self, user: &User, from: IpAddr) -> Result<crate::auth::brakes::Pass, Diagnostic> {
        let house = household(from).to_string();
        let known = sql::users::knows_place(&mut self.db.reader().await?, user.id, &house).await?;
        let place = self.place(known, from);
        self.brake(Attempt { what: What::Code, from, account: Some(&user.name), place })
    }
}

/// A code that was right.
struct Judged {
    step: i64,
    /// The secret that it is of, as it lies in the database.
    sealed: String,
}

fn factor_on() -> Diagnostic {
    Diagnostic::error("auth.second-factor-on", "you have a second factor already")
        .kind(Kind::Conflict)
        .hint("turn it off first, with a code of it: at /account in a browser")
}

/// What a secret is sealed as: moved to another account it opens nothing.
fn sealed_as(id: i64) -> String {
    format!("second factor of user {id}")
}

fn no_factor() -> Diagnostic {
    Diagnostic::error("auth.no-second-factor", "this account has no second factor")
        .kind(Kind::NotFound)
        .hint("one is set up at /second-factor in a browser")
        .hint("a program: POST /api/v1/auth/second-factor/begin")
}

fn wrong_code() -> Diagnostic {
    Diagnostic::error("auth.wrong-code", "the code is wrong, or was used before")
        .kind(Kind::Unauthenticated)
        .field("otp")
        .hint("wait for the next code of the app; is the clock of the phone right?")
        .hint("without the app: one of the recovery codes; without those an admin can take the second factor away")
}

/// As [`wrong_code`] for who has no codes on paper yet.
fn wrong_first_code() -> Diagnostic {
    Diagnostic::error("auth.wrong-code", "that is not the code that the app shows now")
        .kind(Kind::Unauthenticated)
        .field("otp")
        .hint("wait for the next one; is the clock of the phone right?")
        .hint("where the app has several entries of Hearth, only the newest counts: delete the others")
}
