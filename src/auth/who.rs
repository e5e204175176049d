//! Who is asking, and the proof that it was checked.
//!
//! A handler takes a [`Viewer`], [`Member`], [`Operator`], [`Admin`], [`User`], [`Person`] or [`Anyone`] as its first argument. Only this room can make one, so a handler
//! that nobody checked for does not compile (DESIGN decision 10), and its body does not run where the check fails.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::base::wording;
use crate::diag::{Diagnostic, Kind};
use crate::web::Refusal;

/// What somebody may do in the home.
///
/// Not a ladder: a viewer sees every service and no file, a member their own files and services and not the machinery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Role {
    /// Reads all services, no files.
    Viewer,
    /// Own and shared files, the services opened to them, the machine's figures.
    Member,
    /// Viewer and member, and start, stop, update, exec.
    Operator,
    /// All, and users, settings, stacks' definitions.
    Admin,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Member, Role::Operator, Role::Admin];

    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Member => "member",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Role, ()> {
        Role::ALL.into_iter().find(|role| role.word() == text).ok_or(())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl<'de> serde::Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        text.parse().map_err(|()| {
            let all: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
            serde::de::Error::custom(format!("`{text}` is no role; there are {}", all.join(", ")))
        })
    }
}

/// By what somebody has shown who they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum By {
    /// A cookie of a browser; the session's public id.
    Session(String),
    /// An access token of a program that has logged in; the id of its family.
    Access(String),
    /// An API token; its public id, and what it may at most.
    Token { id: String, scopes: Vec<String> },
    /// The command line of the home's owner.
    Terminal,
}

/// Somebody who has shown who they are, as they were at the last look: it ends with the change of any of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: i64,
    pub name: String,
    pub role: Role,
    pub groups: Vec<String>,
    /// Services that the account is for alone; none: for whatever its role opens.
    pub only: Vec<String>,
    pub by: By,
}

impl Identity {
    /// Refuses an API token: what it can do it can do for ever, so it must not give itself more, or lock its owner out.
    pub fn in_person(&self) -> Result<(), Diagnostic> {
        match self.by {
            By::Token { .. } => {
                let title = "an API token may not change how its owner or an admin signs in, nor who is an admin";
                Err(Diagnostic::error("auth.not-by-token", title)
                    .kind(Kind::Denied)
                    .hint("log in with name and password: POST /api/v1/auth/login"))
            }
            By::Session(_) | By::Access(_) | By::Terminal => Ok(()),
        }
    }

    /// Whether they may all that the home's owner may: an admin, and not by a token that was given less.
    pub fn may_all(&self) -> bool {
        self.role == Role::Admin
            && match &self.by {
                By::Token { scopes, .. } => scopes.iter().any(|scope| scope == "admin"),
                By::Session(_) | By::Access(_) | By::Terminal => true,
            }
    }
}

/// What a route asks of who calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    Anyone,
    /// Anybody signed in.
    User,
    /// Anybody signed in, but by no API token.
    Person,
    Viewer,
    Member,
    Operator,
    Admin,
}

impl Who {
    pub fn word(self) -> &'static str {
        match self {
            Who::Anyone => "anyone",
            Who::User => "user",
            Who::Person => "person",
            Who::Viewer => "viewer",
            Who::Member => "member",
            Who::Operator => "operator",
            Who::Admin => "admin",
        }
    }

    /// Whether a role is enough.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Who::Anyone | Who::User | Who::Person => true,
            Who::Viewer => role != Role::Member,
            Who::Member => role != Role::Viewer,
            Who::Operator => matches!(role, Role::Operator | Role::Admin),
            Who::Admin => role == Role::Admin,
        }
    }
}

/// What a request is known by; the layer around all routes puts it into each request.
#[derive(Debug, Clone)]
pub enum Asking {
    /// Showed nothing.
    Nobody,
    Somebody(Arc<Identity>),
    /// Showed something that does not hold; why, in words that help whoever is honest.
    Refused(Arc<Diagnostic>),
}

/// A permission as a type.
pub trait Permission: Sized + Send + 'static {
    const WHO: Who;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident),+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Arc<Identity>);

        impl Permission for $name {
            const WHO: Who = Who::$name;
        }

        impl std::ops::Deref for $name {
            type Target = Identity;

            fn deref(&self) -> &Identity {
                &self.0
            }
        }

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
                checked(parts, Who::$name).map($name)
            }
        }
    )+ };
}

permissions!(
    /// Somebody who is signed in, whatever they may.
    User,
    /// Somebody who is signed in, and not by an API token: for what a token may never do, whatever its scopes.
    Person,
    /// May see every service.
    Viewer,
    /// May have files and services of their own.
    Member,
    /// May start, stop, update and look inside.
    Operator,
    /// May all.
    Admin
);

/// Who may all may do this too: a page of an admin that goes on where operators do.
impl From<Admin> for Operator {
    fn from(Admin(who): Admin) -> Operator {
        Operator(who)
    }
}

/// Whoever it is; who they are where they have shown it.
#[derive(Debug, Clone)]
pub struct Anyone(pub Option<Arc<Identity>>);

impl Permission for Anyone {
    const WHO: Who = Who::Anyone;
}

impl<S: Send + Sync> FromRequestParts<S> for Anyone {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Anyone(match parts.extensions.get::<Asking>() {
            Some(Asking::Somebody(identity)) => Some(identity.clone()),
            _ => None,
        }))
    }
}

/// The identity behind a request, where it is enough.
fn checked(parts: &Parts, who: Who) -> Result<Arc<Identity>, Refusal> {
    match parts.extensions.get::<Asking>() {
        Some(Asking::Somebody(identity)) if who.admits(identity.role) => {
            if who == Who::Person {
                identity.in_person()?;
            }
            // What a member has beside services: not for one who is here for some of them alone.
            if who == Who::Member && !identity.only.is_empty() {
                return Err(Refusal(for_these_alone(identity)));
            }
            Ok(identity.clone())
        }
        Some(Asking::Somebody(identity)) => Err(Refusal(not_allowed(who, identity))),
        Some(Asking::Refused(why)) => Err(Refusal((**why).clone())),
        Some(Asking::Nobody) | None => Err(Refusal(nobody())),
    }
}

/// Nobody has said who they are.
pub fn nobody() -> Diagnostic {
    Diagnostic::error("auth.nobody", "this is for people of the home: sign in first")
        .kind(Kind::Unauthenticated)
        .hint("in a browser: open /login")
        .hint("a program sends `Authorization: Bearer TOKEN`, and POST /api/v1/auth/login gives one")
}

pub(super) fn not_allowed(who: Who, identity: &Identity) -> Diagnostic {
    let title = format!("this is for {} and you are {}", role_words(who), article(identity.role.word()));
    Diagnostic::error("auth.not-allowed", title)
        .kind(Kind::Denied)
        .hint("ask an admin of the home for the role that it takes")
}

fn for_these_alone(identity: &Identity) -> Diagnostic {
    let title = format!("this is for members, and your account is for {} alone", wording::list(&identity.only));
    Diagnostic::error("auth.not-allowed", title).kind(Kind::Denied).hint("ask an admin of the home to open more to you")
}

fn role_words(who: Who) -> &'static str {
    match who {
        Who::Anyone | Who::User | Who::Person => "people of the home",
        Who::Viewer => "viewers, operators and admins",
        Who::Member => "members, operators and admins",
        Who::Operator => "operators and admins",
        Who::Admin => "admins",
    }
}

/// `an admin`, `a member`.
pub(super) fn article(word: &str) -> String {
    format!("{} {word}", if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_admit_what_the_home_says_of_them() {
        let admits = |role: Role| -> Vec<&str> {
            [Who::Anyone, Who::User, Who::Person, Who::Viewer, Who::Member, Who::Operator, Who::Admin]
                .into_iter()
                .filter(|who| who.admits(role))
                .map(Who::word)
                .collect()
        };
        assert_eq!(admits(Role::Viewer), ["anyone", "user", "person", "viewer"]);
        assert_eq!(admits(Role::Member), ["anyone", "user", "person", "member"]);
        assert_eq!(admits(Role::Operator), ["anyone", "user", "person", "viewer", "member", "operator"]);
        assert_eq!(admits(Role::Admin), ["anyone", "user", "person", "viewer", "member", "operator", "admin"]);
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
        }
    }
}
