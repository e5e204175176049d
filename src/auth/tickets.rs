//! Tickets for WebSockets: proof that the very person who asked a moment ago, by a call that no other site can make, opens this one socket.
//!
//! A ticket is bound to who asked, to what for, and to the object; it holds for 30 s and once. It stands in an address, where logs may see it: by then it has
//! been used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::secrets::{digest, token};
use super::who::Identity;
use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// How long a ticket can be used.
pub const HOLDS: Duration = Duration::seconds(30);
/// Tickets that wait to be used: of one person, and of all.
const EACH: usize = 16;
const MOST: usize = 1024;

/// Tickets that were given out and not used yet. `T`: what was asked for.
pub struct Tickets<T> {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// By SHA-256 of the ticket.
    given: Mutex<HashMap<[u8; 32], Given<T>>>,
}

struct Given<T> {
    who: Identity,
    purpose: &'static str,
    object: String,
    until: OffsetDateTime,
    asked: T,
}

impl<T> Tickets<T> {
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Tickets<T> {
        Tickets { clock, random, given: Mutex::default() }
    }

    /// A ticket for `who` to do `asked` with `object`.
    pub fn give(&self, who: &Identity, purpose: &'static str, object: &str, asked: T) -> Result<Secret, Diagnostic> {
        let now = self.clock.now();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, one| one.until > now);
        let own = given.values().filter(|one| one.who.user == who.user).count();
        if own >= EACH || given.len() >= MOST {
            let d = Diagnostic::error("auth.too-many-tickets", "too many tickets wait to be used");
            return Err(d.kind(Kind::TooMany).hint("use them, or wait: each is gone after 30 seconds"));
        }
        let ticket = token(&*self.random);
        let one = Given { who: who.clone(), purpose, object: object.to_string(), until: now + HOLDS, asked };
        given.insert(digest(ticket.expose()), one);
        Ok(ticket)
    }

    /// Takes a ticket; whoever it is for, it is gone then. `who` is who opens the socket.
    pub fn take(&self, ticket: &str, who: &Identity, purpose: &str, object: &str) -> Result<T, Diagnostic> {
        let found = self.given.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest(ticket));
        let fits = |one: &Given<T>| {
            one.until > self.clock.now()
                && one.purpose == purpose
                && one.object == object
                && (one.who.user, &one.who.by, one.who.role) == (who.user, &who.by, who.role)
        };
        found.filter(fits).map(|one| one.asked).ok_or_else(|| {
            Diagnostic::error(
                "auth.no-ticket",
                "this ticket does not hold: it is not yours, not for this, was used already, or is too old",
            )
            .kind(Kind::Denied)
            .hint("ask for a new one: each holds for 30 seconds, once, and until the server starts anew")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::who::{By, Role};
    use crate::base::random::SystemRandom;

    struct At(Mutex<OffsetDateTime>);

    impl Clock for At {
        fn now(&self) -> OffsetDateTime {
            *self.0.lock().unwrap()
        }
    }

    fn ann() -> Identity {
        Identity {
            user: 1,
            name: "ann".into(),
            role: Role::Operator,
            groups: Vec::new(),
            only: Vec::new(),
            by: By::Session("s1".into()),
        }
    }

    #[test]
    fn hostile_17_a_ticket_is_for_one_person_one_thing_one_time_and_half_a_minute() {
        let clock = Arc::new(At(Mutex::new(OffsetDateTime::UNIX_EPOCH)));
        let tickets = Tickets::new(clock.clone(), Arc::new(SystemRandom));
        let give = || tickets.give(&ann(), "exec", "web", 7).unwrap();
        let take = |ticket: &Secret, who: &Identity, purpose: &str, object: &str| {
            tickets.take(ticket.expose(), who, purpose, object).ok()
        };
        let ticket = give();
        assert_eq!(take(&ticket, &ann(), "exec", "web"), Some(7));
        assert_eq!(take(&ticket, &ann(), "exec", "web"), None, "it was used");
        let other = Identity { user: 2, ..ann() };
        let elsewhere = Identity { by: By::Session("s2".into()), ..ann() };
        let changed = Identity { role: Role::Admin, ..ann() };
        for (who, purpose, object) in [
            (&other, "exec", "web"),
            (&elsewhere, "exec", "web"),
            (&changed, "exec", "web"),
            (&ann(), "logs", "web"),
            (&ann(), "exec", "db"),
        ] {
            let ticket = give();
            assert_eq!(take(&ticket, who, purpose, object), None);
            assert_eq!(take(&ticket, &ann(), "exec", "web"), None, "whoever has tried it has ended it");
        }
        let ticket = give();
        *clock.0.lock().unwrap() += HOLDS;
        assert_eq!(take(&ticket, &ann(), "exec", "web"), None, "it is too late");
        assert_eq!(take(&Secret::new("made up".to_string()), &ann(), "exec", "web"), None);
    }

    #[test]
    fn tickets_that_nobody_uses_are_bounded_and_end_by_themselves() {
        let clock = Arc::new(At(Mutex::new(OffsetDateTime::UNIX_EPOCH)));
        let tickets = Tickets::new(clock.clone(), Arc::new(SystemRandom));
        (0..EACH).for_each(|_| drop(tickets.give(&ann(), "exec", "web", ()).unwrap()));
        assert_eq!(tickets.give(&ann(), "exec", "web", ()).unwrap_err().kind, Kind::TooMany);
        *clock.0.lock().unwrap() += HOLDS;
        tickets.give(&ann(), "exec", "web", ()).unwrap();
    }
}
