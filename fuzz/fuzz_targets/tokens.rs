//! Any text as everything that is shown to prove something: access token, way back, sealed value, ticket, cookie's value; and good ones with a change in
//! them. Only what was given out, byte for byte, is taken, and a way back leads to its own host.
#![no_main]

use std::sync::{Arc, LazyLock};

use hearth::auth::jwt::{Bearer, Keys, LIFETIME};
use hearth::auth::seal::Seal;
use hearth::auth::tickets::Tickets;
use hearth::auth::who::{By, Identity, Role};
use hearth::auth::secrets;
use hearth::base::clock::{Clock, SystemClock};
use hearth::base::random::SystemRandom;
use hearth::traefik::forward::back::{self, Back};
use hearth::traefik::forward::{cookie, host};
use libfuzzer_sys::fuzz_target;

const KEY: [u8; 32] = [7; 32];
const NOW: i64 = 1000;

struct Home {
    keys: Keys,
    seal: Seal,
    tickets: Tickets<()>,
    access: String,
    sealed: String,
    back: String,
}

static HOME: LazyLock<Home> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("hearth-fuzz-tokens-{}", std::process::id()));
    let now = SystemClock.now().unix_timestamp();
    let keys = Keys::open(&folder, now * 1000, &SystemRandom).expect("keys can be made");
    let seal = Seal::open(&folder, Arc::new(SystemRandom)).expect("a key can be made");
    let bearer = Bearer { user: 1, name: "ada", family: "f" };
    let access = keys.sign(bearer, LIFETIME, now).expect("it is signed").expose().to_owned();
    let sealed = seal.close(b"secret", "totp").expect("it is sealed");
    let wanted = Back { host: "app.example.org".into(), path: "/a?b=c".into(), state: back::state("cookie") };
    let back = wanted.sign(&KEY, NOW + 100);
    Home { keys, seal, tickets: Tickets::new(Arc::new(SystemClock), Arc::new(SystemRandom)), access, sealed, back }
});

fn ann() -> Identity {
    Identity { user: 1, name: "ann".into(), role: Role::Operator, groups: Vec::new(), by: By::Session("s".into()) }
}

/// `good`, with what `change` says: a place, what is taken out there, and what is put in.
fn changed(good: &str, change: &str) -> String {
    let bytes = change.as_bytes();
    let at = bytes.first().map_or(0, |b| usize::from(*b)) * 7 % (good.len() + 1);
    let out = bytes.get(1).map_or(0, |b| usize::from(*b) % 5).min(good.len() - at);
    let new = change.get(2..).unwrap_or_default();
    format!("{}{new}{}", &good[..at], &good[at + out..])
}

fn leads(back: &Back) {
    assert_eq!(host::normal(&back.host).as_deref(), Some(back.host.as_str()));
    let whole: axum::http::Uri = format!("https://{}{}", back.host, back.path).parse().expect("an address");
    assert_eq!(whole.host(), Some(back.host.as_str()), "{back:?}");
    assert!(!back.path.starts_with("//") && !back.path.contains('\\'), "{back:?}");
}

fuzz_target!(|text: &str| {
    let home = &*HOME;
    let now = SystemClock.now().unix_timestamp();
    for shown in [text.to_owned(), changed(&home.access, text)] {
        if home.keys.verify(&shown, now).is_ok() {
            assert_eq!(shown, home.access);
        }
    }
    for shown in [text.to_owned(), changed(&home.sealed, text)] {
        if home.seal.open_text(&shown, "totp").is_ok() {
            assert_eq!(shown, home.sealed);
        }
        assert!(home.seal.open_text(&shown, "another thing").is_err());
    }
    for shown in [text.to_owned(), changed(&home.back, text)] {
        assert_eq!(Back::read(&shown, &[8; 32], NOW), None);
        if let Some(back) = Back::read(&shown, &KEY, NOW) {
            leads(&back);
            assert_eq!(back.sign(&KEY, NOW + 100), shown);
        }
    }
    // Whatever was asked for, and whatever is signed, what is read leads to its host.
    let made = Back { host: "app.example.org".into(), path: back::path(text), state: back::state(text) };
    leads(&made);
    assert_eq!(Back::read(&made.sign(&KEY, NOW + 1), &KEY, NOW).as_ref(), Some(&made));
    let odd = Back { host: text.lines().next().unwrap_or_default().into(), path: text.into(), state: "s".into() };
    Back::read(&odd.sign(&KEY, NOW + 1), &KEY, NOW).iter().for_each(leads);

    assert!(home.tickets.take(text, &ann(), "exec", "web").is_err());
    let ticket = home.tickets.give(&ann(), "exec", "web", ()).expect("there is room");
    let tried = changed(ticket.expose(), text);
    let taken = home.tickets.take(&tried, &ann(), "exec", "web").is_ok();
    assert_eq!(taken, tried == ticket.expose());
    assert_eq!(home.tickets.take(ticket.expose(), &ann(), "exec", "web").is_ok(), !taken);

    assert!(secrets::same(text, text) && secrets::hash(text).len() == cookie::LENGTH);
    if cookie::is_value(text) {
        assert!(text.len() == cookie::LENGTH && text.is_ascii());
    }
    if let Err(told) = secrets::judge("the key", text) {
        // A piece of the refusal's own words may be tried as a secret too; no word of it is as long as this.
        assert!(text.len() < 24 || text.contains(' ') || !told.title.contains(text), "{told:?}");
    }
});
