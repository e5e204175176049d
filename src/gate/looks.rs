//! What gate remembers of its looks, for a very short time, so that a list and the inspects that follow it cost the engine one look.
//!
//! A look never outlives an event: what an event touches is forgotten at once, and a look that began before the event is not kept, whenever
//! it ends. Without the engine's events nothing is kept at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::news::{self, News, What};

/// How long an inspect is answered from a look.
pub const KEPT: Duration = Duration::from_secs(2);
/// How old a look may be for the next list: the inspects after it must find it still.
pub const KEPT_FOR_LISTS: Duration = Duration::from_secs(1);
/// A container's networks are attached shortly before its own start is told, and detached some milliseconds before its end (13 measured,
/// more on a busy machine).
const JOINED: Duration = Duration::from_millis(250);
const LEFT: Duration = Duration::from_secs(1);
/// How many containers' last events are remembered; more than that happening during one look voids the whole look.
const TOUCHED: usize = 1024;

/// One container as Traefik is shown it.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub id: String,
    /// As the engine writes it, with a leading `/`.
    pub name: String,
    pub running: bool,
    pub alive: bool,
    pub json: Bytes,
}

/// What Traefik has to be told of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Nothing,
    /// This line, at once.
    Now(Bytes),
    /// To look again within this time: a line that comes meanwhile says the same. Each look of Traefik's makes its next change wait for
    /// two seconds, so that one too many delays the next start.
    Within(Duration),
}

/// When a look began, in events.
#[derive(Debug, Clone, Copy)]
pub struct Ticket(u64);

#[derive(Default)]
pub struct Looks {
    /// The engine's events are being heard.
    live: bool,
    /// Counts events.
    now: u64,
    /// Looks that began before this are void.
    floor: u64,
    /// When a container last had an event, and whether it went with it.
    touched: HashMap<String, (u64, bool)>,
    /// The project's containers, and whether each is alive.
    members: HashMap<String, bool>,
    /// `members` are all there are: they were listed since events are heard.
    complete: bool,
    kept: HashMap<String, (Instant, Arc<Shown>)>,
}

impl Looks {
    pub fn begin(&self) -> Ticket {
        Ticket(self.now)
    }

    /// Events are heard from now on.
    pub fn opened(&mut self) {
        self.void();
        self.live = true;
    }

    /// Events are not heard any more.
    pub fn closed(&mut self) {
        self.void();
        self.live = false;
    }

    fn void(&mut self) {
        self.now += 1;
        self.floor = self.now;
        self.complete = false;
        self.touched.clear();
        self.kept.clear();
    }

    /// Keeps a look that began with `ticket`, unless something has happened to the container since.
    pub fn keep(&mut self, ticket: Ticket, shown: &Arc<Shown>, now: Instant) {
        if self.live && !self.happened_since(ticket, &shown.id) {
            self.kept.insert(shown.id.clone(), (now, shown.clone()));
        }
    }

    /// A look at this container, by id or name, that is not older than `at_most`.
    pub fn find(&self, named: &str, at_most: Duration, now: Instant) -> Option<Arc<Shown>> {
        let fresh = |(at, shown): &(Instant, Arc<Shown>)| (now.duration_since(*at) < at_most).then(|| shown.clone());
        match self.kept.get(named) {
            Some(kept) => fresh(kept),
            None => self.kept.values().filter(|(_, s)| s.name.strip_prefix('/') == Some(named)).find_map(fresh),
        }
    }

    /// The whole project as a list that began with `ticket` showed it.
    pub fn listed(&mut self, ticket: Ticket, all: &[Arc<Shown>], now: Instant) {
        let mut members: HashMap<String, bool> = HashMap::with_capacity(all.len());
        for shown in all {
            // An event knows better than a look that began before it: also that the container is gone.
            let later = self.happened_since(ticket, &shown.id);
            let gone = self.touched.get(&shown.id).is_some_and(|(_, gone)| *gone);
            match self.members.get(&shown.id).filter(|_| later) {
                Some(alive) => members.insert(shown.id.clone(), *alive),
                None if later && gone => None,
                None => members.insert(shown.id.clone(), shown.alive),
            };
        }
        for (id, alive) in &self.members {
            if self.happened_since(ticket, id) {
                members.insert(id.clone(), *alive);
            }
        }
        self.members = members;
        self.complete = self.live && self.floor <= ticket.0;
        self.kept.retain(|_, (at, _)| now.duration_since(*at) < KEPT);
    }

    fn happened_since(&self, ticket: Ticket, id: &str) -> bool {
        self.floor > ticket.0 || self.touched.get(id).is_some_and(|(at, _)| *at > ticket.0)
    }

    /// Takes in an event; gives what Traefik has to be told of it.
    pub fn heard(&mut self, news: &News) -> Told {
        let id = news.id.as_str();
        let alive = self.members.get(id).copied();
        self.now += 1;
        if self.touched.len() >= TOUCHED && !self.touched.contains_key(id) {
            self.touched.clear();
            self.floor = self.now;
        }
        self.touched.insert(id.to_owned(), (self.now, news.what == What::Removed));
        self.kept.remove(id);
        match news.what {
            What::Made => {
                self.members.insert(id.to_owned(), false);
                Told::Nothing
            }
            What::Started => {
                self.members.insert(id.to_owned(), true);
                Told::Now(news::line("start", id))
            }
            What::Ended => {
                self.members.insert(id.to_owned(), false);
                Told::Now(news::line("die", id))
            }
            What::Health(action) => Told::Now(news::line(action, id)),
            // Nothing that Traefik reads depends on the name or the networks of a container that does not run.
            What::Changed if alive == Some(false) => Told::Nothing,
            What::Changed => Told::Now(news::refresh()),
            // Whose container it is, a network does not say: once all of the project's are known, another one is none of them.
            What::Joined if alive.unwrap_or(!self.complete) => Told::Within(JOINED),
            What::Left if alive.unwrap_or(!self.complete) => Told::Within(LEFT),
            What::Joined | What::Left => Told::Nothing,
            What::Removed => self.members.remove(id).map_or(Told::Nothing, |_| Told::Within(JOINED)),
        }
    }

    #[cfg(test)]
    fn size(&self) -> (usize, usize, usize) {
        (self.touched.len(), self.members.len(), self.kept.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(id: &str, alive: bool) -> Arc<Shown> {
        let (id, name) = (id.to_owned(), format!("/home-{id}"));
        Arc::new(Shown { id, name, running: alive, alive, json: Bytes::new() })
    }

    fn news(id: &str, what: What) -> News {
        News { id: id.into(), what }
    }

    fn open() -> (Looks, Instant) {
        let mut looks = Looks::default();
        looks.opened();
        (looks, Instant::now())
    }

    #[test]
    fn a_look_serves_for_two_seconds_and_lists_for_one() {
        let (mut looks, now) = open();
        looks.keep(looks.begin(), &shown("a", true), now);
        let later = now + Duration::from_millis(1500);
        assert!(looks.find("a", KEPT, later).is_some() && looks.find("home-a", KEPT, later).is_some());
        assert!(looks.find("a", KEPT_FOR_LISTS, later).is_none());
        assert!(looks.find("a", KEPT, now + KEPT).is_none() && looks.find("b", KEPT, now).is_none());
    }

    #[test]
    fn a_look_never_outlives_an_event() {
        for what in [What::Started, What::Ended, What::Changed, What::Removed, What::Health("health_status: healthy")] {
            let (mut looks, now) = open();
            looks.listed(looks.begin(), &[shown("a", true)], now);
            let ticket = looks.begin();
            looks.keep(ticket, &shown("a", true), now);
            looks.heard(&news("a", what));
            assert!(looks.find("a", KEPT, now).is_none(), "{what:?}");
            // One that began before the event and ends after it.
            looks.keep(ticket, &shown("a", true), now);
            looks.keep(ticket, &shown("b", true), now);
            assert!(looks.find("a", KEPT, now).is_none(), "{what:?}");
            assert!(looks.find("b", KEPT, now).is_some(), "another container's look stays");
            looks.keep(looks.begin(), &shown("a", true), now);
            assert!(looks.find("a", KEPT, now).is_some());
        }
    }

    #[test]
    fn without_events_nothing_is_kept() {
        let (mut looks, now) = open();
        let ticket = looks.begin();
        looks.keep(ticket, &shown("a", true), now);
        looks.closed();
        assert!(looks.find("a", KEPT, now).is_none());
        looks.keep(looks.begin(), &shown("a", true), now);
        assert!(looks.find("a", KEPT, now).is_none());
        looks.opened();
        looks.keep(ticket, &shown("a", true), now);
        assert!(looks.find("a", KEPT, now).is_none(), "a look from before the outage");
    }

    #[test]
    fn networks_and_names_of_what_is_alive_force_a_look() {
        let (mut looks, now) = open();
        assert_eq!(looks.heard(&news("unlisted", What::Joined)), Told::Within(JOINED), "it may be one of the project");
        looks.listed(looks.begin(), &[shown("a", true), shown("off", false)], now);
        assert_eq!(looks.heard(&news("other", What::Joined)), Told::Nothing, "no container of this project");
        assert_eq!(looks.heard(&news("a", What::Joined)), Told::Within(JOINED));
        assert_eq!(looks.heard(&news("a", What::Changed)), Told::Now(news::refresh()));
        assert_eq!(looks.heard(&news("off", What::Joined)), Told::Nothing);
        // A start: networks first, then the start itself.
        assert_eq!(looks.heard(&news("new", What::Made)), Told::Nothing);
        assert_eq!(looks.heard(&news("new", What::Joined)), Told::Nothing);
        assert_eq!(looks.heard(&news("new", What::Started)), Told::Now(news::line("start", "new")));
        assert_eq!(looks.heard(&news("new", What::Joined)), Told::Within(JOINED));
        // An end: its networks go before it, on other engines after it.
        assert_eq!(looks.heard(&news("a", What::Left)), Told::Within(LEFT));
        assert_eq!(looks.heard(&news("a", What::Ended)), Told::Now(news::line("die", "a")));
        assert_eq!(looks.heard(&news("a", What::Left)), Told::Nothing);
        assert_eq!(looks.heard(&news("a", What::Removed)), Told::Within(JOINED));
        assert_eq!(looks.heard(&news("a", What::Removed)), Told::Nothing);
    }

    #[test]
    fn a_list_does_not_undo_what_an_event_told_meanwhile() {
        let (mut looks, now) = open();
        let ticket = looks.begin();
        looks.heard(&news("new", What::Started));
        looks.heard(&news("ended", What::Ended));
        looks.heard(&news("gone", What::Made));
        looks.heard(&news("gone", What::Removed));
        looks.heard(&news("joined", What::Joined));
        let all = ["ended", "gone", "calm", "joined"].map(|id| shown(id, true));
        looks.listed(ticket, &all, now);
        assert_eq!(looks.heard(&news("joined", What::Joined)), Told::Within(JOINED));
        assert_eq!(looks.heard(&news("new", What::Joined)), Told::Within(JOINED));
        assert_eq!(looks.heard(&news("ended", What::Joined)), Told::Nothing);
        assert_eq!(looks.heard(&news("gone", What::Joined)), Told::Nothing);
        assert_eq!(looks.heard(&news("calm", What::Joined)), Told::Within(JOINED));
        looks.listed(looks.begin(), &[shown("calm", true)], now);
        assert_eq!(looks.heard(&news("new", What::Joined)), Told::Nothing, "it is listed no more");
    }

    #[test]
    fn nothing_grows_with_the_number_of_events() {
        let (mut looks, now) = open();
        let before = looks.begin();
        for n in 0..10_000 {
            let id = format!("c{n}");
            looks.heard(&news(&id, What::Made));
            looks.keep(looks.begin(), &shown(&id, false), now);
            looks.heard(&news(&id, What::Removed));
        }
        let (touched, members, kept) = looks.size();
        assert!(touched <= TOUCHED && members == 0 && kept == 0, "{touched} {members} {kept}");
        looks.keep(before, &shown("c1", true), now);
        assert!(looks.find("c1", KEPT, now).is_none(), "a look that began before what is no longer remembered");
    }
}
