//! Codes that carry a login from the panel's host to an application's: each for one host and one browser, once, for a minute.
//!
//! They are in memory: a panel that is started in between has somebody sign in once more, which after a moment is one click.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::auth::secrets;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::traefik::forward::back::Back;

/// Seconds that a code can be used.
pub const LASTS: i64 = 60;
/// Codes of one person at once: one more, and the eldest is none any more. And of all; more are for nobody.
const EACH: usize = 20;
const MOST: usize = 10_000;

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub back: Back,
    /// The panel's session, by its public id.
    pub parent: String,
    person: i64,
    until: i64,
}

/// All codes that are out.
#[derive(Default)]
pub struct Codes(Mutex<HashMap<[u8; 32], Code>>);

impl Codes {
    /// A new one for somebody; none where too many are out. `now`: seconds since 1970.
    pub fn make(&self, back: Back, parent: String, person: i64, random: &dyn Random, now: i64) -> Option<Secret> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = all.iter().filter(|(_, code)| code.person == person);
        let (count, eldest) =
            theirs.fold((0, None), |(count, eldest): (usize, Option<(i64, [u8; 32])>), (key, code)| {
                let this = (code.until, *key);
                (count + 1, Some(eldest.map_or(this, |eldest| eldest.min(this))))
            });
        if let Some((_, key)) = eldest.filter(|_| count >= EACH) {
            all.remove(&key);
        }
        if all.len() >= MOST {
            all.retain(|_, code| now < code.until);
        }
        if all.len() >= MOST {
            return None;
        }
        let text = secrets::token(random);
        all.insert(secrets::digest(text.expose()), Code { back, parent, person, until: now + LASTS });
        Some(text)
    }

    /// What it stands for, if it was never used and has not ended. Whoever shows it on another host, or in another browser, has used it up.
    pub fn take(&self, text: &str, host: &str, state: &str, now: i64) -> Option<Code> {
        let code = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&secrets::digest(text))?;
        let good = now < code.until && code.back.host == host && secrets::same(&code.back.state, state);
        good.then_some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    fn back() -> Back {
        Back { host: "app.example.org".into(), path: "/a".into(), state: "s".into() }
    }

    #[test]
    fn a_code_is_for_one_host_one_browser_one_minute_and_once() {
        let codes = Codes::default();
        let make = || codes.make(back(), "p".into(), 1, &SystemRandom, 100).unwrap();
        let take =
            |code: &Secret, host: &str, state: &str, now: i64| codes.take(code.expose(), host, state, now).is_some();
        let code = make();
        assert!(take(&code, "app.example.org", "s", 159) && !take(&code, "app.example.org", "s", 159));
        for (host, state, now) in [
            ("other.example.org", "s", 100),
            ("app.example.org", "t", 100),
            ("app.example.org", "", 100),
            ("app.example.org", "s", 160),
        ] {
            let code = make();
            assert!(!take(&code, host, state, now), "{host} {state} {now}");
            assert!(!take(&code, "app.example.org", "s", 100), "it is used up");
        }
        assert!(codes.take("x", "app.example.org", "s", 100).is_none());
    }

    #[test]
    fn codes_do_not_grow_without_end() {
        let codes = Codes::default();
        let make = |person, now| codes.make(back(), "p".into(), person, &SystemRandom, now);
        let first = make(0, 99).unwrap();
        for _ in 0..MOST {
            assert!(make(0, 100).is_some(), "whoever wants many takes them from nobody else");
        }
        assert!(
            codes.0.lock().unwrap().len() == EACH && codes.take(first.expose(), "app.example.org", "s", 100).is_none()
        );
        let others = (1..).take_while(|person| make(*person, 100).is_some()).count();
        assert_eq!(others, MOST - EACH);
        assert!(make(1, 160).is_some());
    }
}
