//! How signing in by a provider is refused, each with a way out.

use crate::config::oidc::SECRET;
use crate::diag::{Diagnostic, Kind};

/// It does not answer now.
pub fn away(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("auth.oidc-away", format!("{name} does not answer: {why}"))
        .kind(Kind::Unavailable)
        .hint("try again in a moment, or sign in with the password that you have here")
}

/// It answers, and what it says cannot be gone by.
pub fn misled(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("auth.oidc-provider", format!("{name} cannot be used to sign in: {why}")).kind(Kind::Failed)
}

/// No provider is set.
pub fn off() -> Diagnostic {
    Diagnostic::error("auth.oidc-off", "this home has no provider of accounts")
        .kind(Kind::NotFound)
        .hint("an admin sets one in hearth.yaml: auth: {oidc: {issuer: ..., client_id: ...}}")
}

/// The secret was given for another client.
pub fn stale_secret() -> Diagnostic {
    let title = format!("{SECRET} was given for another provider or client: it is not sent to this one");
    Diagnostic::error("auth.oidc-secret", title)
        .kind(Kind::Denied)
        .hint("`auth.oidc` in hearth.yaml names another `issuer` or `client_id` than before")
        .hint(format!("make a new secret for this client at the provider, put it into .env as {SECRET}, and start `hearth serve` again"))
}

/// Nothing that was begun here is ended by this.
pub fn begin_again() -> Diagnostic {
    Diagnostic::error(
        "auth.oidc-begin-again",
        "this sign-in was not begun in this browser, is over, or took longer than 10 minutes",
    )
    .kind(Kind::Denied)
    .hint("begin again at /login")
}

/// The provider did not let them in.
pub fn declined(name: &str, said: &str) -> Diagnostic {
    let said: String = said.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(64).collect();
    let what = if said.is_empty() { "without a word".to_owned() } else { format!("with `{said}`") };
    Diagnostic::error("auth.oidc-declined", format!("{name} did not sign you in, and answered {what}"))
        .kind(Kind::Denied)
        .hint("begin again at /login; if it stays so, look into the provider's log")
}

/// The client's secret, or its address, is not what the provider knows.
pub fn client_refused(name: &str, said: &str) -> Diagnostic {
    declined(name, said).hint(format!(
        "is the client's secret right ({SECRET} in .env), and does the provider know the address to come back to?"
    ))
}

/// What it said about somebody does not hold.
pub fn bad_token(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error("auth.oidc-token", format!("what {name} said about you does not hold: {why}"))
        .kind(Kind::Denied)
        .hint("begin again at /login; if it stays so, the provider is not set up for this home")
}

/// In a home without a domain: the provider sends back to the panel's own address on the machine itself.
pub fn elsewhere() -> Diagnostic {
    let title = "in a home without a domain a provider signs people in at the panel's own address on its machine only";
    Diagnostic::error("auth.oidc-place", title)
        .kind(Kind::Conflict)
        .hint("sign in with your password; or open the address that `hearth serve --url` prints")
}

/// Nobody here is linked with that account.
pub fn unknown(name: &str) -> Diagnostic {
    Diagnostic::error("auth.oidc-unknown", format!("nobody of this home is linked with your account at {name}"))
        .kind(Kind::Denied)
        .hint(format!("sign in with your password, and link it at /account: \"Link with {name}\""))
        .hint("no account here yet? An admin of the home makes one")
}

/// It is somebody else's.
pub fn linked() -> Diagnostic {
    Diagnostic::error("auth.oidc-linked", "that account there is linked with somebody of this home already")
        .kind(Kind::Conflict)
        .hint("it can be linked with one person only: unlink it there first")
}

/// Without it they could not sign in any more.
pub fn only_way() -> Diagnostic {
    Diagnostic::error("auth.only-way", "this is the only way in that you have")
        .kind(Kind::Conflict)
        .hint("make a passkey first, or ask an admin for a password")
}
