//! An authority that counts as Let's Encrypt does, and notes whoever goes too far.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use time::Duration;

use super::super::{Ask, Certificate, Fault, FaultKind, Time, Window};
use super::world::Random;

pub struct Trouble {
    pub from: Time,
    pub to: Time,
    pub what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Nothing answers, or nonsense.
    Outage,
    /// A limit that others have used up.
    Limited,
    /// The port is closed, or the zone is broken.
    Unreachable,
    /// It has forgotten all accounts at the beginning.
    LostAccounts,
}

pub struct Ca {
    pub directory: String,
    pub staging: String,
    pub lifetime: Duration,
    pub ari: bool,
    pub late_windows: bool,
    pub troubles: Vec<Trouble>,
    pub violations: Vec<String>,
    /// By the account's URL and the name.
    pub failures: BTreeMap<(String, String), VecDeque<Time>>,
    pub most_failures: usize,
    accounts: BTreeMap<String, Time>,
    registered: Vec<Time>,
    orders: BTreeMap<String, Vec<Time>>,
    pub running: BTreeMap<String, usize>,
    issued: BTreeMap<Vec<String>, Vec<Time>>,
    replaced: Vec<String>,
    /// Nothing: it gives no suggestion about this one for now.
    windows: BTreeMap<String, Option<Window>>,
    ends: BTreeMap<String, Time>,
    /// Whose last order met a nonce that was refused.
    refused: BTreeSet<Vec<String>>,
    pub ways: BTreeSet<u64>,
    serial: u64,
}

impl Ca {
    pub fn new(name: &str, lifetime: Duration) -> Ca {
        Ca {
            directory: format!("https://{name}.example/directory"),
            staging: format!("https://staging.{name}.example/directory"),
            lifetime,
            ari: true,
            late_windows: false,
            troubles: Vec::new(),
            violations: Vec::new(),
            failures: BTreeMap::new(),
            most_failures: 0,
            accounts: BTreeMap::new(),
            registered: Vec::new(),
            orders: BTreeMap::new(),
            running: BTreeMap::new(),
            issued: BTreeMap::new(),
            replaced: Vec::new(),
            windows: BTreeMap::new(),
            ends: BTreeMap::new(),
            refused: BTreeSet::new(),
            ways: BTreeSet::new(),
            serial: 0,
        }
    }

    fn at(&self, what: What, now: Time) -> Option<&Trouble> {
        self.troubles.iter().find(|t| t.what == what && t.from <= now && now < t.to)
    }

    pub fn is_down(&self, now: Time) -> bool {
        self.at(What::Outage, now).is_some()
    }

    /// An order is made; `resumed`: it is gone on with.
    pub fn begins(&mut self, ask: &Ask, resumed: bool, now: Time) {
        let running = self.running.entry(ask.url.clone()).or_default();
        *running += 1;
        if *running > 2 {
            self.violations.push(format!("{now}: {running} orders at once"));
        }
        if resumed || self.is_down(now) {
            return;
        }
        let orders = self.orders.entry(ask.url.clone()).or_default();
        orders.retain(|t| *t + Duration::hours(3) > now);
        orders.push(now);
        let burst = orders.iter().filter(|t| **t + Duration::seconds(10) > now).count();
        if burst > 10 || orders.len() > 300 {
            self.violations.push(format!("{now}: {burst} orders in 10 s, {} in 3 h", orders.len()));
        }
    }

    /// How the order ends.
    pub fn ends(&mut self, ask: &Ask, now: Time, random: &mut Random) -> Result<(Certificate, bool), Fault> {
        *self.running.entry(ask.url.clone()).or_insert(1) -= 1;
        let fault = |kind, problem: &str, retry_after| Fault {
            kind,
            problem: problem.to_owned(),
            detail: String::new(),
            when: now,
            directory: ask.directory.clone(),
            rehearsal: ask.rehearsal,
            retry_after,
            link: None,
        };
        if self.is_down(now) {
            return Err(fault(FaultKind::Passing, "network", None));
        }
        // Never twice in a row for the same names: how long recovery may take is said for once.
        if !ask.rehearsal && !self.refused.remove(&ask.want.names) && random.share() < 0.02 {
            self.refused.insert(ask.want.names.clone());
            return Err(fault(FaultKind::Passing, "badNonce", None));
        }
        self.account(ask, now).map_err(|()| fault(FaultKind::NoAccount, "accountDoesNotExist", None))?;
        if let Some(limited) = self.at(What::Limited, now).filter(|_| !ask.rehearsal) {
            let until = limited.to;
            return Err(fault(FaultKind::Busy, "rateLimited", Some(until)));
        }
        if self.at(What::Unreachable, now).is_some() {
            if !ask.rehearsal {
                self.count_failures(&ask.url, &ask.want.names, now);
            }
            return Err(fault(FaultKind::Validation, "connection", None));
        }
        let exempt = ask.replaces.as_ref().is_some_and(|id| self.ari && !self.replaced.contains(id));
        if !ask.rehearsal {
            self.count_issued(ask, exempt, now);
        }
        Ok((self.certificate(ask, now, random), exempt))
    }

    fn account(&mut self, ask: &Ask, now: Time) -> Result<(), ()> {
        let lost = self.troubles.iter().filter(|t| t.what == What::LostAccounts && t.from <= now).map(|t| t.from).max();
        let known = self.accounts.get(&ask.url).copied();
        if known.is_none() || ask.new_account {
            self.registered.retain(|t| *t + Duration::hours(3) > now);
            self.registered.push(now);
            if self.registered.len() > 10 {
                self.violations.push(format!("{now}: {} accounts in 3 h", self.registered.len()));
            }
            self.accounts.insert(ask.url.clone(), now);
            return Ok(());
        }
        if known < lost { Err(()) } else { Ok(()) }
    }

    fn count_failures(&mut self, account: &str, names: &[String], now: Time) {
        for name in names {
            let failures = self.failures.entry((account.to_owned(), name.clone())).or_default();
            failures.retain(|t| *t + Duration::hours(1) > now);
            failures.push_back(now);
            self.most_failures = self.most_failures.max(failures.len());
        }
    }

    fn count_issued(&mut self, ask: &Ask, exempt: bool, now: Time) {
        let issued = self.issued.entry(ask.want.names.clone()).or_default();
        issued.retain(|t| *t + Duration::days(7) > now);
        if !exempt {
            issued.push(now);
        }
        if issued.len() > 5 {
            self.violations.push(format!("{now}: {} certificates for {:?} in 7 d", issued.len(), ask.want.names));
        }
    }

    fn certificate(&mut self, ask: &Ask, now: Time, random: &mut Random) -> Certificate {
        if !ask.rehearsal {
            self.replaced.extend(ask.replaces.clone());
        }
        self.serial += 1;
        let id = format!("aki.{}", self.serial);
        let (not_before, not_after) = (now - Duration::hours(1), now - Duration::hours(1) + self.lifetime);
        let left = if self.lifetime <= Duration::days(10) { self.lifetime / 2 } else { self.lifetime / 3 };
        let begin = match self.late_windows {
            true => not_after + Duration::days(1),
            false => not_after - left - self.lifetime * (random.share() / 30.0),
        };
        self.ends.insert(id.clone(), not_after);
        self.windows.insert(id.clone(), Some(Window { start: begin, end: begin + self.lifetime / 30 }));
        Certificate {
            id: Some(id),
            directory: ask.directory.clone(),
            names: ask.want.names.clone(),
            not_before,
            not_after,
        }
    }

    pub fn window(&self, id: &str) -> Option<Window> {
        self.windows.get(id).copied().flatten()
    }

    /// Moves every window, each in another way, and remembers which ways there were. Never so late that the longest bearable trouble would
    /// not fit in behind it: whoever follows such a suggestion has a gap.
    pub fn move_windows(&mut self, random: &mut Random, now: Time, room: Duration) {
        for (id, window) in &mut self.windows {
            let by = self.lifetime * (random.share() / 20.0);
            let way = random.next() % 5;
            self.ways.insert(way);
            let not_after = self.ends[id];
            let wide = self.lifetime / 30;
            let plain = |start: Time| Some(Window { start, end: start + wide });
            let here = window.map_or(now, |w| w.start.min(w.end));
            *window = match way {
                0 => plain(here - by),
                1 => plain((here + by).min(not_after - room - self.lifetime / 24 - wide)),
                // Behind us: it is to be renewed at once.
                2 => plain(now - by - wide),
                // Not there any more, for a while.
                3 => None,
                // Ends before it begins.
                _ => Some(Window { start: here + wide, end: here }),
            };
        }
    }

    pub fn revoke(&mut self, id: &str, now: Time) {
        let window = Window { start: now - Duration::days(2), end: now - Duration::days(1) };
        self.windows.insert(id.to_owned(), Some(window));
    }
}
