//! Passwords: which are taken (`rules`), what one guess costs (`cost`), how many are tried at once (`places`), and in which of its ways of being written
//! a password counts (`form`).

mod cost;
mod form;
mod places;
mod rules;

pub use cost::{Cost, FLOOR};
pub use places::{Lane, Turn};
pub use rules::{About, EXAMPLE, LONGEST, SHORTEST, judge};

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use argon2::{Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier};

use self::places::Places;
use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// What comes of trying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// It was hashed with less than this machine would take today: hash it again.
        outdated: bool,
    },
}

/// Makes and checks hashes of passwords: Argon2id, as PHC strings, each with the cost it was made with.
pub struct Passwords {
    tuned: Arc<OnceLock<Tuned>>,
    places: Places,
    random: Arc<dyn Random>,
}

#[derive(Debug, Clone)]
struct Tuned {
    cost: Cost,
    /// What is checked where there is no account, or none with a password: as much work, and never right.
    nobody: String,
}

impl Passwords {
    /// With the cost that fits this machine. Measuring it takes some tenths of a second, on a thread beside: whoever signs in before waits for it.
    pub fn tuned(random: Arc<dyn Random>) -> Passwords {
        let passwords = Passwords { tuned: Arc::default(), places: Places::default(), random };
        let (tuned, random) = (passwords.tuned.clone(), passwords.random.clone());
        // Where no thread can be had, the first who signs in measures.
        let _ = std::thread::Builder::new().name("passwords".into()).spawn(move || measured(&tuned, &*random).cost);
        passwords
    }

    pub fn new(cost: Cost, random: Arc<dyn Random>) -> Result<Passwords, Diagnostic> {
        let nobody = nobody(cost, &*random)?;
        Ok(Passwords { tuned: Arc::new(Tuned { cost, nobody }.into()), places: Places::default(), random })
    }

    async fn ready(&self) -> Tuned {
        if let Some(tuned) = self.tuned.get() {
            return tuned.clone();
        }
        let (tuned, random) = (self.tuned.clone(), self.random.clone());
        let waited = tokio::task::spawn_blocking(move || measured(&tuned, &*random).clone()).await;
        waited.unwrap_or_else(|_| Tuned { cost: FLOOR, nobody: String::new() })
    }

    /// The PHC string to keep of a password, which [`judge`] has taken.
    pub async fn hash(&self, password: Secret, turn: impl Into<Turn>) -> Result<String, Diagnostic> {
        let (cost, salt) = (self.ready().await.cost, bytes::<16>(&*self.random));
        let password = form::kept(&password);
        self.places.run(turn.into(), cost.mib(), move || hash(cost, password.expose(), &salt)).await?
    }

    /// Tries a password against what is kept of the right one; `None` takes as long, and is always wrong. How long it takes says how the password was
    /// written, and nothing of what is kept.
    pub async fn verify(
        &self,
        password: Secret,
        kept: Option<&str>,
        turn: impl Into<Turn>,
    ) -> Result<Verdict, Diagnostic> {
        let known = kept.is_some();
        let tuned = self.ready().await;
        let kept = kept.unwrap_or(&tuned.nobody);
        let made = cost_of(kept).ok_or_else(damaged)?;
        let (outdated, kept) = (made.is_weaker_than(tuned.cost), kept.to_owned());
        let forms = form::all(&password);
        let right = move || forms.iter().position(|form| is_right(form.expose(), &kept));
        // In another form than the first it was kept before there was one form: kept anew it needs one try.
        Ok(match self.places.run(turn.into(), made.mib(), right).await? {
            Some(at) if known => Verdict::Right { outdated: outdated || at > 0 },
            _ => Verdict::Wrong,
        })
    }
}

/// Measures once, whoever comes first.
fn measured<'t>(tuned: &'t OnceLock<Tuned>, random: &dyn Random) -> &'t Tuned {
    tuned.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(2));
        let memory_kib = places::memory_kib(cores);
        let begun = Instant::now();
        let probed = hash(Cost { memory_kib, passes: 2 }, "how long does it take", &bytes::<16>(random));
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        // It fails where there is no memory for it; the least that may be is then tried.
        let cost = if probed.is_ok() { Cost::tuned(memory_kib, ms) } else { FLOOR };
        Tuned { cost, nobody: nobody(cost, random).unwrap_or_default() }
    })
}

fn nobody(cost: Cost, random: &dyn Random) -> Result<String, Diagnostic> {
    let secret: [u8; 32] = bytes(random);
    let words: String = secret.iter().map(|b| format!("{b:02x}")).collect();
    hash(cost, &words, &bytes::<16>(random))
}

fn hash(cost: Cost, password: &str, salt: &[u8]) -> Result<String, Diagnostic> {
    let made = cost.argon2().hash_password_with_salt(password.as_bytes(), salt);
    made.map(|hash| hash.to_string()).map_err(|_| damaged())
}

fn is_right(password: &str, kept: &str) -> bool {
    // The hash's own cost counts, not that of this value.
    PasswordHash::new(kept).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn cost_of(kept: &str) -> Option<Cost> {
    let hash = PasswordHash::new(kept).ok()?;
    Some(Cost::of(&Params::try_from(&hash).ok()?))
}

fn damaged() -> Diagnostic {
    Diagnostic::error("auth.damaged-hash", "what is kept of this password cannot be used")
        .kind(Kind::Failed)
        .hint("give the account a new one: hearth users password NAME")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    const QUICK: Cost = Cost { memory_kib: 64, passes: 1 };

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_an_old_cost_is_told() {
        let weak = Passwords::new(QUICK, Arc::new(SystemRandom)).unwrap();
        let kept = weak.hash(secret("correct horse battery"), Lane::Near).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let right = |passwords: &Passwords, text: &str| {
            let (kept, text) = (kept.clone(), secret(text));
            let places = passwords.places.clone();
            async move { places.run(Lane::Near.into(), 1, move || is_right(text.expose(), &kept)).await.unwrap() }
        };
        assert!(right(&weak, "correct horse battery").await);
        assert!(!right(&weak, "correct horse batterz").await);
        let strong = Passwords::new(FLOOR, Arc::new(SystemRandom)).unwrap();
        let verdict = strong.verify(secret("correct horse battery"), Some(&kept), Lane::Near).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: true });
        let again = strong.hash(secret("correct horse battery"), Lane::Near).await.unwrap();
        let verdict = strong.verify(secret("correct horse battery"), Some(&again), Lane::Near).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: false });
    }

    #[tokio::test]
    async fn a_password_is_the_same_on_every_keyboard() {
        let passwords = Passwords::new(FLOOR, Arc::new(SystemRandom)).unwrap();
        // As Linux sends an umlaut, as a Mac may, and with the blank that a Mac types with the option key.
        let [linux, mac, blank] =
            ["vier W\u{f6}rter auf Papier", "vier Wo\u{308}rter auf Papier", "vier\u{a0}W\u{f6}rter auf Papier"];
        let again = Verdict::Right { outdated: false };
        for kept in [linux, mac, blank] {
            let kept = passwords.hash(secret(kept), Lane::Near).await.unwrap();
            for typed in [linux, mac, blank] {
                assert_eq!(passwords.verify(secret(typed), Some(&kept), Lane::Near).await.unwrap(), again);
            }
            for other in ["vier Worter auf Papier", "VIER W\u{d6}RTER AUF PAPIER", "vier Wo\u{300}rter auf Papier"] {
                assert_eq!(passwords.verify(secret(other), Some(&kept), Lane::Near).await.unwrap(), Verdict::Wrong);
            }
        }
        // Hashes of before, whichever form was sent then: right, and to be made anew.
        for before in [linux, mac, blank] {
            let kept = hash(FLOOR, before, &[7; 16]).unwrap();
            for typed in [linux, mac] {
                let verdict = passwords.verify(secret(typed), Some(&kept), Lane::Near).await.unwrap();
                let known = before == linux || before == mac || typed == before;
                assert_eq!(verdict != Verdict::Wrong, known, "{before:?} {typed:?}");
                assert!(before == linux || verdict != again);
            }
        }
    }

    #[tokio::test]
    async fn hostile_20_an_unknown_user_costs_what_a_known_one_does_and_is_never_right() {
        let passwords = Passwords::new(QUICK, Arc::new(SystemRandom)).unwrap();
        assert_eq!(cost_of(&passwords.tuned.get().unwrap().nobody), Some(QUICK));
        for text in ["", "anything at all", "how long does it take"] {
            let verdict = passwords.verify(secret(text), None, Lane::Outside).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn what_is_no_hash_is_told_and_nothing_falls_over() {
        let passwords = Passwords::new(QUICK, Arc::new(SystemRandom)).unwrap();
        for kept in ["", "plain text", "$argon2id$v=19$m=99,t=1", "$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA"] {
            let told = passwords.verify(secret("anything at all"), Some(kept), Lane::Outside).await;
            assert!(!matches!(told, Ok(Verdict::Right { .. })), "{kept}");
        }
    }
}
