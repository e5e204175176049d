//! What the whole process keeps to, so that no authority's limit is ever reached. Kept for each account: that is what they count.
//!
//! Ours are stricter than the strictest known (Let's Encrypt's, which are in the table of `docs/guide/certificates.md`).

use std::collections::{BTreeMap, VecDeque};

use time::Duration;

use super::Time;

/// Orders begun within ten seconds, and running at once.
const BURST: usize = 10;
const BURST_TIME: Duration = Duration::seconds(10);
const AT_ONCE: usize = 2;
/// Orders within three hours: Let's Encrypt's 300, less a reserve for other users of the account.
const MANY: usize = 280;
const MANY_TIME: Duration = Duration::hours(3);
/// Failed validations of one name within an hour, over all certificates that hold it: five are too many.
pub const FAILURES: usize = 4;
pub const FAILURES_TIME: Duration = Duration::hours(1);
/// Certificates for one set of names within a week.
pub const ISSUED: usize = 5;
pub const ISSUED_TIME: Duration = Duration::days(7);

/// Holds back orders; one for the process.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    accounts: BTreeMap<String, Account>,
}

#[derive(Debug, Clone, Default)]
struct Account {
    begun: VecDeque<Time>,
    running: usize,
    failures: BTreeMap<String, VecDeque<Time>>,
}

/// Why an order must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// All orders of this account wait: until a time, or until one that runs ends.
    Account(Option<Time>),
    /// This set of names waits.
    Names(Time),
}

impl Limiter {
    /// Lets an order for `names` begin at the account of `url`, or says when to ask again.
    pub fn admit(&mut self, url: &str, names: &[String], now: Time) -> Result<(), Held> {
        let account = self.accounts.entry(url.to_owned()).or_default();
        if account.running >= AT_ONCE {
            return Err(Held::Account(None));
        }
        forget(&mut account.begun, now, MANY_TIME);
        for name in names {
            let Some(failures) = account.failures.get_mut(name) else { continue };
            forget(failures, now, FAILURES_TIME);
            // The one that is let in now may be the next failure.
            if let Some(first) = failures.front().filter(|_| failures.len() >= FAILURES) {
                return Err(Held::Names(*first + FAILURES_TIME));
            }
        }
        for (most, time) in [(BURST, BURST_TIME), (MANY, MANY_TIME)] {
            let within = account.begun.iter().filter(|t| **t + time > now);
            if within.clone().count() >= most {
                return Err(Held::Account(within.min().map(|first| *first + time)));
            }
        }
        account.begun.push_back(now);
        account.running += 1;
        Ok(())
    }

    /// An order that was admitted has ended.
    pub fn ended(&mut self, url: &str) {
        if let Some(account) = self.accounts.get_mut(url) {
            account.running = account.running.saturating_sub(1);
        }
    }

    /// A validation of these names failed at the account of `url`; also told of what a former process left.
    pub fn failed(&mut self, url: &str, names: &[String], when: Time) {
        let account = self.accounts.entry(url.to_owned()).or_default();
        for name in names {
            account.failures.entry(name.clone()).or_default().push_back(when);
        }
    }
}

/// Drops what no longer counts, and what a clock that was set back would keep for ever.
fn forget(times: &mut VecDeque<Time>, now: Time, time: Duration) {
    times.retain(|t| *t + time > now && *t <= now + Duration::minutes(1));
}
