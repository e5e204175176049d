//! What goes on in the background until the process stops.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// After a loop has died for the first, second, ... time. A loop that lived for a while begins again at the first.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(300)];
const LIVED: Duration = Duration::from_secs(600);

/// A set of loops with one signal to end.
#[derive(Default)]
pub struct Loops {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    running: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Loops {
    /// The signal that a loop ends by.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a loop: `make` gets the signal, and gives a future that ends soon after it. One that ends before, or panics, is reported in the
    /// log and started again after a pause.
    pub fn spawn<M, F>(&mut self, name: &'static str, make: M)
    where
        M: Fn(CancellationToken) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, running) = (self.stop.clone(), self.running.clone());
        self.tasks.spawn(async move {
            running.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
            let mut deaths = 0;
            while !stop.is_cancelled() {
                let begun = tokio::time::Instant::now();
                // A task of its own, so that a panic is that task's. It is ended with this one.
                let mut one = JoinSet::new();
                one.spawn(make(stop.clone()));
                let ended = one.join_next().await;
                if stop.is_cancelled() {
                    break;
                }
                if begun.elapsed() > LIVED {
                    deaths = 0;
                }
                let pause = AGAIN[deaths.min(AGAIN.len() - 1)];
                deaths += 1;
                let why = match ended {
                    Some(Err(panicked)) => panicked.to_string(),
                    _ => "it ended".to_string(),
                };
                error!(name, why, again_in = ?pause, "a background task has died");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => {}
                }
            }
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        });
    }

    /// Gives the signal and waits for `patience`; what then still runs is ended, and named.
    pub async fn end(mut self, patience: Duration) -> Vec<&'static str> {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_ok() {
            return Vec::new();
        }
        let late = self.running.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        self.tasks.shutdown().await;
        late
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;

    /// Waits for something that comes, however busy the machine is: a panic alone may take it a second to write down.
    async fn until(what: impl Fn() -> bool) {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_loop_that_dies_is_started_again() {
        for panics in [true, false] {
            let lives: Arc<Mutex<Vec<Instant>>> = Arc::default();
            let mut loops = Loops::default();
            let begun = lives.clone();
            loops.spawn("short-lived", move |_| {
                begun.lock().unwrap().push(Instant::now());
                async move { assert!(!panics, "on purpose") }
            });
            until(|| lives.lock().unwrap().len() > 1).await;
            let lives = lives.lock().unwrap().clone();
            assert!(lives[1] - lives[0] >= AGAIN[0], "at once, and after a second");
            assert!(loops.end(Duration::from_secs(60)).await.is_empty());
        }
    }

    #[tokio::test]
    async fn who_does_not_end_is_ended_and_named() {
        let mut loops = Loops::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let (one, other) = (begun.clone(), begun.clone());
        loops.spawn("good", move |stop| {
            one.fetch_add(1, Ordering::Relaxed);
            async move { stop.cancelled().await }
        });
        loops.spawn("deaf", move |_| {
            other.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        });
        until(|| begun.load(Ordering::Relaxed) == 2).await;
        assert_eq!(loops.end(Duration::from_millis(200)).await, ["deaf"]);
    }
}
