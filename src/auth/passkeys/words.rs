//! How passkeys are refused, each with a way out.

use webauthn_rs::prelude::WebauthnError;

use crate::diag::{Diagnostic, Kind};

/// Names of machines only.
pub fn no_place(origin: &str) -> Diagnostic {
    Diagnostic::error("auth.passkey-place", format!("no passkeys can be made for {origin}"))
        .kind(Kind::Failed)
        .hint("DOMAIN in .env is the home's domain, as home.example.org")
}

/// At another address than the one that they are for. `origin`: which that is, where it may be told.
pub fn elsewhere(origin: Option<&str>) -> Diagnostic {
    let (place, hint) = match origin {
        Some(origin) => (format!("at {origin}"), format!("go to {origin} and do it there")),
        None => (
            "at the panel's own address on its machine".into(),
            "sign in with your password; or open the address that `hearth serve --url` prints".into(),
        ),
    };
    Diagnostic::error("auth.passkey-place", format!("passkeys of this home work {place} only"))
        .kind(Kind::Conflict)
        .hint(hint)
}

pub fn begin_again() -> Diagnostic {
    Diagnostic::error(
        "auth.passkey-begin-again",
        "this was not begun in this browser, is over, or took longer than 10 minutes",
    )
    .kind(Kind::Unauthenticated)
    .hint("begin again")
}

/// Not what a browser sends.
pub fn unread() -> Diagnostic {
    Diagnostic::error("auth.passkey-unread", "this is no answer of a browser about a passkey")
        .field("credential")
        .hint("send what `navigator.credentials` gave, with its bytes as base64url")
}

pub fn unknown() -> Diagnostic {
    Diagnostic::error("auth.passkey-unknown", "this passkey belongs to nobody of this home, or was removed")
        .kind(Kind::Unauthenticated)
        .hint("sign in with your password, and make a passkey at /account")
        .hint("a removed key can be removed on your device too")
}

pub fn unverified() -> Diagnostic {
    not("it was used without your finger, face or PIN")
}

/// By a page inside another site's.
const FRAMED: &str = "a page of another site had asked for it";

pub fn shown_framed() -> Diagnostic {
    not(FRAMED)
}

pub fn made_framed() -> Diagnostic {
    was_not_made(FRAMED)
}

/// A key that was made does not hold.
pub fn not_made(error: &WebauthnError) -> Diagnostic {
    was_not_made(why(error))
}

fn was_not_made(why: &str) -> Diagnostic {
    Diagnostic::error("auth.passkey-not-made", format!("the passkey was not made: {why}"))
        .kind(Kind::Denied)
        .hint("begin again; with another device, if it stays so")
}

/// A key that was shown does not hold.
pub fn not_taken(error: &WebauthnError) -> Diagnostic {
    not(why(error))
}

fn not(why: &str) -> Diagnostic {
    Diagnostic::error("auth.passkey-not-taken", format!("the passkey does not open this: {why}"))
        .kind(Kind::Unauthenticated)
        .hint("begin again, or sign in with your password")
}

fn why(error: &WebauthnError) -> &'static str {
    match error {
        WebauthnError::InvalidRPOrigin => "it was used at another address",
        WebauthnError::InvalidRPIDHash => "it is for another home",
        WebauthnError::MismatchedChallenge | WebauthnError::ChallengeNotFound => "it answers another question",
        WebauthnError::UserNotVerified => "it was used without your finger, face or PIN",
        WebauthnError::UserNotPresent => "nobody has touched it",
        WebauthnError::CredentialPossibleCompromise => "it has counted backwards, so there may be a copy of it",
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => "its signature is wrong",
        _ => "what the browser sent does not fit together",
    }
}

pub fn known() -> Diagnostic {
    Diagnostic::error("auth.passkey-known", "this passkey is known already")
        .kind(Kind::Conflict)
        .hint("make another one, or sign in with it")
}

pub fn too_many(most: i64) -> Diagnostic {
    Diagnostic::error("auth.passkey-many", format!("nobody has more than {most} passkeys"))
        .kind(Kind::Conflict)
        .hint("remove one that you do not use any more")
}

pub fn no_such() -> Diagnostic {
    Diagnostic::error("auth.no-such-passkey", "you have no passkey of that id")
        .kind(Kind::NotFound)
        .hint("look at the list: GET /api/v1/auth/passkeys")
}

/// The home asks a second factor of them, and this is theirs.
pub fn kept() -> Diagnostic {
    Diagnostic::error("auth.second-factor-kept", "this passkey is your second factor, and people of your role need one")
        .kind(Kind::Denied)
        .hint("make another passkey first, or set up an app that shows codes")
        .hint("without the device: an admin takes it away, and you set up another factor")
}

/// Without it they could not sign in any more.
pub fn only_way() -> Diagnostic {
    Diagnostic::error("auth.only-way", "this is the only way in that you have")
        .kind(Kind::Conflict)
        .hint("make another passkey first, or ask an admin for a password")
}
