//! Who listens to events, and what they are owed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

use super::news;

/// Listeners at once; one more, and the eldest is let go, so that dead ones never lock out a living one.
const LISTENERS: usize = 16;
/// Lines that wait for one listener. One that does not fit is not needed: those that wait before it make the listener look again, later than now.
const WAITING: usize = 32;

/// Passes lines to every listener, without ever waiting for one.
#[derive(Default)]
pub struct Hub {
    listeners: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    lines: VecDeque<mpsc::Sender<Bytes>>,
    closed: bool,
}

impl Hub {
    /// A new listener. Its first line makes it look again: what happened between its last look and now it cannot know.
    pub fn join(&self) -> mpsc::Receiver<Bytes> {
        let (sender, lines) = mpsc::channel(WAITING);
        let mut all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.lines.retain(|listener| !listener.is_closed());
        while all.lines.len() >= LISTENERS {
            all.lines.pop_front();
        }
        if !all.closed {
            // The queue is empty, so it fits.
            let _ = sender.try_send(news::refresh());
            all.lines.push_back(sender);
        }
        lines
    }

    pub fn tell(&self, line: &Bytes) {
        let mut all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.lines
            .retain(|listener| !matches!(listener.try_send(line.clone()), Err(mpsc::error::TrySendError::Closed(_))));
    }

    /// Ends every listener's stream, and gives no other.
    pub fn close(&self) {
        let mut all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.closed = true;
        all.lines.clear();
    }
}

/// Answers that failed. Traefik looks again only when it is told to, so each owes it a line later, until a whole list succeeds.
#[derive(Default)]
pub struct Debts {
    made: AtomicU64,
    paid: AtomicU64,
    news: Notify,
}

impl Debts {
    /// To be taken before a list, for [`Debts::pay`] after it.
    pub fn mark(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    pub fn owe(&self) {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.news.notify_one();
    }

    /// A list succeeded: what failed before it began is made good.
    pub fn pay(&self, mark: u64) {
        self.paid.fetch_max(mark, Ordering::SeqCst);
    }

    pub fn open(&self) -> bool {
        self.paid.load(Ordering::SeqCst) < self.mark()
    }

    /// Waits until there is one.
    pub async fn wait(&self) {
        while !self.open() {
            self.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_gets_a_refresh_first_and_then_every_line() {
        let hub = Hub::default();
        let (mut a, mut b) = (hub.join(), hub.join());
        hub.tell(&news::line("start", "c"));
        for lines in [&mut a, &mut b] {
            assert_eq!(lines.try_recv().unwrap(), news::refresh());
            assert_eq!(lines.try_recv().unwrap(), news::line("start", "c"));
            assert!(lines.try_recv().is_err());
        }
        hub.close();
        assert_eq!(a.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        assert_eq!(hub.join().try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }

    #[test]
    fn a_listener_that_does_not_read_holds_up_nobody_and_grows_nothing() {
        let hub = Hub::default();
        let (mut slow, mut quick) = (hub.join(), hub.join());
        for n in 0..10_000 {
            hub.tell(&news::line("start", &n.to_string()));
            while quick.try_recv().is_ok() {}
        }
        let mut waiting = 0;
        while slow.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!(waiting, WAITING);
        // It reads again: the next line arrives.
        hub.tell(&news::line("die", "x"));
        assert_eq!(slow.try_recv().unwrap(), news::line("die", "x"));
    }

    #[test]
    fn the_eldest_listener_makes_room() {
        let hub = Hub::default();
        let mut all: Vec<_> = (0..=LISTENERS).map(|_| hub.join()).collect();
        assert!(all[0].try_recv().is_ok());
        assert_eq!(all[0].try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        drop(all.split_off(1));
        hub.join();
        assert!(hub.listeners.lock().unwrap().lines.len() <= 1, "those that are gone are forgotten");
    }

    #[test]
    fn only_a_list_that_began_after_a_failure_makes_it_good() {
        let debts = Debts::default();
        assert!(!debts.open());
        let before = debts.mark();
        debts.owe();
        debts.pay(before);
        assert!(debts.open());
        debts.pay(debts.mark());
        assert!(!debts.open());
    }
}
