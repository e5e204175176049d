//! What people see of accounts in a browser before they are signed in, without a script: forms and what becomes of them. What they have afterwards is the panel's.
//!
//! | subject | file |
//! |---|---|
//! | the pages and their words | this one |
//! | forms, and what becomes of them | `forms` |
//! | an app with codes | `factor` |
//! | a way out for a browser with too many cookies | `cookies` |
//! | between password and second factor | `halves` |
//! | addresses of forms, opened without one | `again` |
//! | by what somebody signs in besides a password | `keys` |

pub mod again;
pub mod cookies;
pub mod factor;
pub mod forms;
mod halves;
pub mod keys;

use askama::Template;

use factor::Factor;

use crate::diag::{Diagnostic, log_untold};
use crate::web::lang::filters;
use crate::web::{self, Words};

/// Something went wrong with what was filled in.
#[derive(Debug, Clone)]
pub struct Told {
    pub title: Words,
    pub hints: Vec<Words>,
    /// It is about a password that was to be a new one: there the cursor goes.
    pub at_password: bool,
}

impl From<Diagnostic> for Told {
    fn from(d: Diagnostic) -> Told {
        log_untold(&d);
        let at_password = matches!(d.field.as_deref(), Some("again" | "password" | "new_password"));
        Told { title: Words::sentence(&d.title), hints: web::words::for_people(&d.hints), at_password }
    }
}

/// Whether the cursor goes to the new password.
fn at_password(told: &Option<Told>) -> bool {
    told.as_ref().is_some_and(|told| told.at_password)
}

/// Which home a page is of.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// As its people call it.
    pub name: String,
    /// The panel's host, as whoever asks knows it.
    pub host: Option<String>,
}

/// From the one-time link: the first admin.
#[derive(Debug, Default, Template)]
#[template(path = "auth/setup.html")]
pub struct Setup {
    /// Of the link; goes along in the form.
    pub token: String,
    pub username: String,
    pub email: String,
    pub told: Option<Told>,
}

#[derive(Debug, Default, Template)]
#[template(path = "auth/login.html")]
pub struct Login {
    pub place: Home,
    /// The service that somebody was on the way to.
    pub service: Option<String>,
    /// Where to go on to; a path of the panel, or a signed address.
    pub next: String,
    pub username: String,
    /// Whether people may make accounts by themselves.
    pub register: bool,
    /// What people call the home's provider of accounts.
    pub provider: Option<String>,
    /// Whether passkeys work at this address.
    pub passkeys: bool,
    /// A second factor has to be set up first.
    pub factor: bool,
    pub told: Option<Told>,
}

/// After the password, for who has a second factor.
#[derive(Debug, Default, Template)]
#[template(path = "auth/second.html")]
pub struct Second {
    pub place: Home,
    /// Where the form goes.
    pub action: &'static str,
    pub next: String,
    /// Whether passkeys work at this address.
    pub passkeys: bool,
    pub told: Option<Told>,
}

/// An account of one's own, by invitation or where the home is open.
#[derive(Debug, Default, Template)]
#[template(path = "auth/account.html")]
pub struct Account {
    pub place: Home,
    /// The name of its words.
    pub heading: &'static str,
    pub story: String,
    /// Where the form goes.
    pub action: &'static str,
    pub invite: Option<String>,
    /// Where to go on to, as the login has it.
    pub next: String,
    pub username: String,
    pub email: String,
    pub told: Option<Told>,
}

#[derive(Debug, Default, Template)]
#[template(path = "auth/signed_out.html")]
pub struct SignedOut {
    pub place: Home,
}

/// Every page in the states that it has, by name: for the tests, and for looking at them.
pub fn samples() -> Vec<(&'static str, String)> {
    let hostile = "\"><script>alert(1)</script>";
    let long = "a".repeat(64);
    let told = |title: &str| {
        let d = Diagnostic::error("auth.failed", title.to_owned());
        Some(Told::from(d.hint("look whether Caps Lock is on").hint("an admin of the home gives a new password")))
    };
    let place = || Home { name: "casa".into(), host: Some("panel.home.example".into()) };
    let rendered = |page: askama::Result<String>| page.unwrap_or_default();
    vec![
        ("setup", rendered(Setup { token: "t".into(), ..Setup::default() }.render())),
        (
            "setup-told",
            rendered(
                Setup {
                    token: hostile.into(),
                    username: hostile.into(),
                    told: told("`admin` is what applications call admins"),
                    ..Setup::default()
                }
                .render(),
            ),
        ),
        (
            "login",
            rendered(Login { place: place(), register: true, next: hostile.into(), ..Login::default() }.render()),
        ),
        (
            "login-told",
            rendered(
                Login {
                    place: place(),
                    service: Some("Photos".into()),
                    next: hostile.into(),
                    username: long.clone(),
                    told: told("user name or password is wrong"),
                    ..Login::default()
                }
                .render(),
            ),
        ),
        (
            "second",
            rendered(
                Second { place: place(), passkeys: true, told: told("the code is wrong"), ..Second::default() }
                    .render(),
            ),
        ),
        (
            "account",
            rendered(
                Account {
                    place: place(),
                    heading: "auth-invited",
                    story: "Make an account of this home.".into(),
                    action: "/invitation",
                    invite: Some("i".into()),
                    next: hostile.into(),
                    ..Account::default()
                }
                .render(),
            ),
        ),
        (
            "login-ways",
            rendered(
                Login {
                    place: place(),
                    provider: Some(format!("Our accounts {hostile}")),
                    passkeys: true,
                    next: hostile.into(),
                    ..Login::default()
                }
                .render(),
            ),
        ),
        (
            "login-factor",
            rendered(
                Login { place: place(), factor: true, told: told("you need a second factor"), ..Login::default() }
                    .render(),
            ),
        ),
        ("factor", rendered(Factor { place: place(), username: hostile.into(), ..Factor::default() }.render())),
        (
            "factor-told",
            rendered(
                Factor { place: place(), confirming: true, told: told("the code is wrong"), ..Factor::default() }
                    .render(),
            ),
        ),
        (
            "factor-codes",
            rendered(Factor { place: place(), codes: vec!["abcde-fghij".into(); 10], ..Factor::default() }.render()),
        ),
        (
            "factor-renewed",
            rendered(
                Factor { place: place(), codes: vec!["abcde-fghij".into(); 10], renewed: true, ..Factor::default() }
                    .render(),
            ),
        ),
        ("factor-on", rendered(Factor { place: place(), on: true, ..Factor::default() }.render())),
        ("signed-out", rendered(SignedOut { place: place() }.render())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_renders_and_no_text_becomes_markup() {
        // Where a browser can be shown them.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages/auth");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, page) in samples() {
            std::fs::write(folder.join(format!("{name}.html")), &page).unwrap();
            assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{name}");
            let foreign = page.replace("<script src=\"/static/passkeys.js\" defer></script>", "");
            assert!(!foreign.contains("<script") && !page.contains('`'), "{name}");
        }
    }
}
