//! Samples of somebody's own pages.

use super::people::{session, token, user};
use super::*;
use crate::auth::accounts::FactorState;
use crate::auth::page::factor::{Factor, Shown};
use crate::auth::page::keys::{Provider, Ways};
use crate::auth::passkeys::Key;
use crate::base::secret::Secret;
use crate::panel::account::{self, Account, factor, password};
use crate::panel::tiles::{Tile, Tiles};

fn at(path: &str, role: Role) -> Shell {
    Shell { path: path.into(), at: "/account", stream: None, ..shell(role) }
}

fn ways(name: &str) -> Ways {
    let key = |id: &str, name: &str, last_used| Key {
        credential: String::new(),
        id: id.into(),
        person: 2,
        handle: String::new(),
        name: name.into(),
        public: String::new(),
        made: 1_764_000_000_000,
        last_used,
    };
    Ways {
        keys: vec![key("k1", "My phone", Some(1_764_100_000_000)), key("k2", name, None)],
        here: true,
        elsewhere: None,
        provider: Some(Provider { name: "Our accounts".into(), linked: false, onward: None }),
        factor: FactorState { on: true, codes_left: 9, required: false },
        proof: true,
    }
}

fn full(role: Role, name: &str) -> Account {
    let known = account::Known {
        user: user(2, "ada", role),
        ways: ways(name),
        sessions: vec![session(0, "Firefox on Linux"), session(1, name), session(2, "curl")],
        tokens: vec![token(0, "cron"), token(1, name)],
        services: vec!["photos".into(), "films".into()],
    };
    account::of(at("/account", role), known, NOW)
}

fn empty() -> Account {
    let known = account::Known {
        user: user(3, "linus", Role::Member),
        ways: Ways { here: false, elsewhere: Some("https://panel.home.example".into()), ..Ways::default() },
        sessions: vec![session(0, "Firefox on Linux")],
        tokens: Vec::new(),
        services: Vec::new(),
    };
    account::of(at("/account", Role::Member), known, NOW)
}

fn page_of(factor: Factor) -> factor::Page {
    factor::Page { shell: at("/second-factor", Role::Member), factor }
}

fn tiles(role: Role, n: usize) -> Tiles {
    let tile = |n: usize| Tile {
        title: ["Films", "Photos", "Home Assistant", HOSTILE, "A service with quite a long name of its own"][n % 5]
            .into(),
        about: ["Films, series and music", "", "Lights, heating, doors"][n % 3].into(),
        url: format!("https://service{n}.home.example/"),
    };
    let shell = Shell { path: "/".into(), at: "/", stream: None, ..shell(role) };
    Tiles { shell, tiles: (0..n).map(tile).collect(), machine: measured().machine }
}

/// By name.
pub fn all() -> Vec<Sample> {
    let codes = || vec!["abcd-efgh-jkmn-pqrs".to_owned(); 10];
    let words = |told, done| password::Page { shell: at("/password", Role::Member), told, done };
    let done = |stays| Some(password::Done { stays, signed_out: 2, tokens: 4 });
    let shown = || Shown {
        svg: crate::auth::factor::totp::drawn("otpauth://totp/x")
            .map(|svg| svg.expose().to_owned())
            .unwrap_or_default(),
        key: "GEZD GNBV GY3T QOJQ".into(),
    };
    vec![
        sample("account", &full(Role::Admin, "Kitchen tablet")),
        sample(
            "account-token",
            &Account { made: Some(Secret::new("hearth_abc")), ..full(Role::Operator, "Kitchen tablet") },
        ),
        sample(
            "account-refused",
            &Account { told: refused(), at: "add-token".into(), ..full(Role::Viewer, "Kitchen tablet") },
        ),
        sample("account-empty", &empty()),
        sample(
            "account-hostile",
            &Account { display_name: HOSTILE.into(), email: HOSTILE.into(), ..full(Role::Member, HOSTILE) },
        ),
        sample("password", &words(Vec::new(), None)),
        sample("password-told", &words(refused(), None)),
        sample("password-changed", &words(Vec::new(), done(true))),
        sample("password-changed-out", &words(Vec::new(), done(false))),
        sample("factor", &page_of(Factor::default())),
        sample("factor-confirm", &page_of(Factor { confirming: true, shown: Some(shown()), ..Factor::default() })),
        sample("factor-codes", &page_of(Factor { codes: codes(), ..Factor::default() })),
        sample("factor-renewed", &page_of(Factor { codes: codes(), renewed: true, ..Factor::default() })),
        sample("factor-on", &page_of(Factor { on: true, ..Factor::default() })),
        sample("tiles", &tiles(Role::Member, 7)),
        sample("tiles-none", &tiles(Role::Member, 0)),
        sample("tiles-many", &tiles(Role::Operator, 200)),
    ]
}

#[test]
fn whoever_is_signed_out_by_their_new_password_is_not_told_to_be_in() {
    for (stays, told) in [(true, "This browser stays signed in"), (false, "href=\"/login\"")] {
        let done = Some(password::Done { stays, signed_out: 0, tokens: 0 });
        let page = sample("", &password::Page { shell: at("/password", Role::Member), told: Vec::new(), done }).1;
        assert_eq!((page.contains(told), page.contains("stays signed in")), (true, stays), "{page}");
    }
}
