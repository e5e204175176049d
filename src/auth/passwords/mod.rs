//! Passwords: which are taken (`rules`), what one guess costs (`cost`), how many are tried at once (`places`), and in which of its ways of being written
//! a password counts (`form`).

mod cost;
mod form;
mod places;
mod rules;

pub use cost::{Cost, FLOOR};
pub use places::{Lane, Turn};
pub use rules::{About, EXAMPLE, LONGEST, SHORTEST, judge};

use std::sync::Arc;
use std::time::Duration;

use argon2::{Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::OnceCell;
use tracing::warn;

use self::cost::Probe;
use self::places::Places;
use super::sql;
use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};
use crate::store::{Conn, Db};

/// What comes of trying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// It was hashed with less than this machine would take today: hash it again.
        outdated: bool,
    },
}

/// What the home keeps the cost under.
const KEPT: &str = "passwords.cost";

/// Makes and checks hashes of passwords: Argon2id, as PHC strings, each with the cost it was made with.
#[derive(Clone)]
pub struct Passwords {
    settled: Arc<OnceCell<Settled>>,
    /// Where the cost is found that is not settled yet.
    home: Option<Home>,
    places: Places,
    random: Arc<dyn Random>,
}

/// The cost that a home keeps.
#[derive(Clone)]
struct Home {
    db: Db,
    /// The machine is measured at each start, not only where nobody has before.
    measures: bool,
}

#[derive(Debug, Clone)]
struct Settled {
    cost: Cost,
    /// What is checked where there is no account, or none with a password: as much work, and never right.
    nobody: String,
}

impl Passwords {
    /// For a server: with the cost that fits this machine and is not below what the home has found before. Measuring takes some tenths of a second, beside: who
    /// signs in before waits for it.
    pub fn of_server(db: Db, random: Arc<dyn Random>) -> Passwords {
        let passwords = Passwords::of(Home { db, measures: true }, random);
        let beside = passwords.clone();
        // Where the database is away whoever signs in is told, and it is tried again.
        tokio::spawn(async move { beside.settled().await.map(drop) });
        passwords
    }

    /// For a command: with the cost that the home keeps. The machine is measured where it keeps none, once a password is to be hashed.
    pub fn of_home(db: Db, random: Arc<dyn Random>) -> Passwords {
        Passwords::of(Home { db, measures: false }, random)
    }

    fn of(home: Home, random: Arc<dyn Random>) -> Passwords {
        Passwords { settled: Arc::default(), home: Some(home), places: Places::default(), random }
    }

    pub fn new(cost: Cost, random: Arc<dyn Random>) -> Result<Passwords, Diagnostic> {
        let settled = Settled { cost, nobody: nobody(cost, &*random)? };
        let settled = Arc::new(OnceCell::new_with(Some(settled)));
        Ok(Passwords { settled, home: None, places: Places::default(), random })
    }

    async fn settled(&self) -> Result<Settled, Diagnostic> {
        let settled = self.settled.get_or_try_init(async || {
            let cost = match &self.home {
                Some(home) => home.cost(&self.random).await?,
                None => FLOOR,
            };
            let random = self.random.clone();
            let nobody = beside(move || nobody(cost, &*random)).await??;
            Ok(Settled { cost, nobody })
        });
        settled.await.cloned()
    }

    /// The PHC string to keep of a password, which [`judge`] has taken.
    pub async fn hash(&self, password: Secret, turn: impl Into<Turn>) -> Result<String, Diagnostic> {
        let (cost, salt) = (self.settled().await?.cost, bytes::<16>(&*self.random));
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
        let settled = self.settled().await?;
        let kept = kept.unwrap_or(&settled.nobody);
        let made = cost_of(kept).ok_or_else(damaged)?;
        let (outdated, kept) = (made.is_weaker_than(settled.cost), kept.to_owned());
        let forms = form::all(&password);
        let right = move || forms.iter().position(|form| is_right(form.expose(), &kept));
        // In another form than the first it was kept before there was one form: kept anew it needs one try.
        Ok(match self.places.run(turn.into(), made.mib(), right).await? {
            Some(at) if known => Verdict::Right { outdated: outdated || at > 0 },
            _ => Verdict::Wrong,
        })
    }
}

impl Home {
    /// The cost from now on; kept, where it is another one than before.
    async fn cost(&self, random: &Arc<dyn Random>) -> Result<Cost, Diagnostic> {
        let read = async |on: &mut Conn| Ok(sql::get(on, KEPT).await?.as_deref().and_then(Cost::read));
        let kept = read(&mut self.db.reader().await?).await?;
        if let Some(kept) = kept.filter(|_| !self.measures) {
            return Ok(kept);
        }
        let random = random.clone();
        let probe = beside(move || measured(&*random)).await?;
        let cost = probe.beside(kept);
        if Some(cost) == kept {
            return Ok(cost);
        }
        // Another process may have found one meanwhile.
        let (cost, kept) = self
            .db
            .write(async move |tx| {
                let kept = read(tx).await?;
                let cost = probe.beside(kept);
                sql::put(tx, KEPT, &cost.text()).await?;
                Ok((cost, kept))
            })
            .await?;
        if let Some(kept) = kept.filter(|kept| cost.is_weaker_than(*kept)) {
            let (takes, from, to) = (probe.takes(kept), kept.text(), cost.text());
            warn!(from, to, "this machine needs {takes} ms for one password at the cost found before: it is lowered");
        }
        Ok(cost)
    }
}

/// What one hash takes, by the time that this thread has of a core: a machine that is busy is no slower for it.
fn measured(random: &dyn Random) -> Probe {
    let cores = std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(2));
    let memory_kib = places::memory_kib(cores);
    let once = || {
        let begun = clock_gettime(ClockId::ThreadCPUTime);
        hash(Cost { memory_kib, ..FLOOR }, "how long does it take", &bytes::<16>(random)).ok()?;
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime) - begun).ok()
    };
    // The first one is also the first to use its memory.
    match once().and_then(|first| Some(first.min(once()?))) {
        Some(time) => Probe { memory_kib, ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) },
        // It fails where there is no memory for it; the least that may be is then tried.
        None => Probe { memory_kib: FLOOR.memory_kib, ms: u64::MAX },
    }
}

/// On a thread where it may take its time.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Diagnostic> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let d = Diagnostic::error("auth.failed", "no password could be hashed").kind(Kind::Bug);
        d.hint("try again")
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
    use crate::store::tests::both;

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
        assert_eq!(cost_of(&passwords.settled().await.unwrap().nobody), Some(QUICK));
        for text in ["", "anything at all", "how long does it take"] {
            let verdict = passwords.verify(secret(text), None, Lane::Outside).await.unwrap();
            assert_eq!(verdict, Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn a_busy_start_makes_no_password_cheaper_and_the_terminal_takes_what_the_server_found() {
        both(async |db| {
            let random: Arc<dyn Random> = Arc::new(SystemRandom);
            let kept = async || sql::get(&mut db.reader().await.unwrap(), KEPT).await.unwrap();
            // The first of all measures, and keeps what it finds.
            let command = Passwords::of_home(db.clone(), random.clone());
            assert_eq!(kept().await, None, "nothing is measured before there is a password");
            let found = command.settled().await.unwrap();
            assert_eq!(kept().await, Some(found.cost.text()));
            assert_eq!(cost_of(&found.nobody), Some(found.cost));
            // From then on the terminal takes what there is, whatever the machine would do.
            let most = Cost { memory_kib: 64 << 10, passes: 12 };
            for cost in [FLOOR, most] {
                db.write(async move |tx| sql::put(tx, KEPT, &cost.text()).await).await.unwrap();
                let command = Passwords::of_home(db.clone(), random.clone());
                assert_eq!(command.settled().await.unwrap().cost, cost);
            }
            // A server has at least what was found, where the machine is not too slow for it, and mends what is no cost.
            for before in ["m=19456,t=2", "m=1,t=1", "nothing"] {
                let text = before.to_owned();
                db.write(async move |tx| sql::put(tx, KEPT, &text).await).await.unwrap();
                let server = Passwords::of_server(db.clone(), random.clone());
                let cost = server.settled().await.unwrap().cost;
                assert!(!cost.is_weaker_than(FLOOR), "{before}: {cost:?}");
                assert_eq!(kept().await, Some(cost.text()));
            }
            let down = Passwords::of_server(db.clone(), random.clone());
            db.close().await;
            let told = down.verify(secret("anything at all"), None, Lane::Near).await;
            assert!(told.is_ok_and(|verdict| verdict == Verdict::Wrong) || down.settled.get().is_none());
        })
        .await;
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
