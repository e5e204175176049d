//! When it is looked anew: on what the engine says, and on a change of the home's files; nothing of it while nobody looks at pages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::{Kept, Seen, whole};
use crate::diag::{Diagnostic, Kind};
use crate::engine;
use crate::stacks::live::{Live, RESYNC, Watch};
use crate::stacks::works::Works;

/// So long after the first event is waited for more of them: a profile that is turned on says many things at once.
const GATHER: Duration = Duration::from_millis(150);
/// How often the home's files are compared with what was read, while somebody looks.
const FILES: Duration = Duration::from_secs(2);
/// After the last page the engine is listened to so long.
const LINGER: Duration = Duration::from_secs(60);
/// So long a page waits for a look; then it shows what was before, and says so.
const PATIENCE: Duration = Duration::from_secs(3);

/// Clones share what they have seen.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    live: Live,
    works: Works,
    /// Held by who looks.
    kept: tokio::sync::Mutex<Kept>,
    seen: watch::Sender<Option<Arc<Seen>>>,
    /// When a page was asked for last, and whether there is a task that listens.
    asked: Mutex<(Option<Instant>, bool)>,
}

impl World {
    pub fn new(works: Works, live: Live) -> World {
        let (seen, _) = watch::channel(None);
        World(Arc::new(Inner { live, works, kept: Default::default(), seen, asked: Mutex::default() }))
    }

    /// What there is. It is asked for now only where nobody has listened until now.
    pub async fn now(&self) -> Arc<Seen> {
        self.listen();
        let mut seen = self.0.seen.subscribe();
        let there = timeout(PATIENCE, async {
            let there = seen.wait_for(Option::is_some).await;
            there.ok().and_then(|there| there.clone())
        });
        there.await.ok().flatten().unwrap_or_else(|| Arc::new(Seen { away: Some(slow()), ..Seen::default() }))
    }

    /// Wakes with every look that found something else, and holds the listening.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Seen>>> {
        self.listen();
        self.0.seen.subscribe()
    }

    fn listen(&self) {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.0 = Some(Instant::now());
        if !std::mem::replace(&mut asked.1, true) {
            tokio::spawn(listen(self.0.clone()));
        }
    }
}

impl Inner {
    async fn look(&self) {
        let mut kept = self.kept.lock().await;
        let setting = self.works.setting();
        let before = self.seen.borrow().clone();
        let engine = engine::connect(&setting.environment, setting.double.as_ref()).await;
        let mut seen = whole(&self.works, engine, &mut kept, before.as_deref()).await;
        seen.number = before.as_ref().map_or(1, |before| before.number + 1);
        if before.is_none_or(|before| !seen.is_as(&before)) {
            self.seen.send_replace(Some(Arc::new(seen)));
        }
    }

    /// Whether nobody looks any more; whoever comes now begins another task.
    fn is_alone(&self) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = self.seen.receiver_count() == 0 && asked.0.is_none_or(|at| at.elapsed() > LINGER);
        if alone {
            asked.1 = false;
            // What happens from now on is not heard.
            self.seen.send_replace(None);
        }
        alone
    }
}

/// Until nobody looks at pages, or the server stops.
async fn listen(inner: Arc<Inner>) {
    let stop = inner.works.stopping();
    let mut said = inner.live.watch();
    let mut tick = interval(FILES);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut files = None;
    loop {
        let anew = tokio::select! {
            told = said.next() => match told {
                Some(told) => heard(&inner, &mut said, told).await,
                None => return,
            },
            _ = tick.tick() => {
                if inner.is_alone() {
                    return;
                }
                let readings = inner.works.readings();
                let now = tokio::task::spawn_blocking(move || readings.number()).await.ok();
                std::mem::replace(&mut files, now) != now
            }
            () = stop.cancelled() => return,
        };
        if anew {
            inner.look().await;
        }
    }
}

/// Takes in what was said, and what is said right after it. Whether something of it changes what is seen.
async fn heard(inner: &Inner, said: &mut Watch, first: crate::stacks::live::Told) -> bool {
    let mut kept = inner.kept.lock().await;
    let mut take = |told: crate::stacks::live::Told| match told.name {
        "container" => {
            let value: Value = serde_json::from_str(&told.data).unwrap_or_default();
            kept.forget(value["id"].as_str().unwrap_or_default());
            true
        }
        RESYNC => {
            *kept = Kept::default();
            true
        }
        name => name == "engine",
    };
    let mut anew = take(first);
    let until = sleep(GATHER);
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            () = &mut until => return anew,
            told = said.next() => match told {
                Some(told) => anew |= take(told),
                None => return anew,
            },
        }
    }
}

fn slow() -> Diagnostic {
    let title = format!("what runs is not known yet: the engine has not answered within {} s", PATIENCE.as_secs());
    let d = Diagnostic::error("engine.slow", title).kind(Kind::Unavailable);
    d.hint("look whether Docker is busy or hangs: docker ps")
}
