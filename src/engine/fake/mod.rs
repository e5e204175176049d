//! A Docker Engine in memory: containers, networks, volumes, images and time, faithful enough that what holds here
//! holds there (its rules were read off a real engine 26.1), with scripted failures.
//!
//! Time is virtual: a wait moves the clock to the next thing that happens, nothing sleeps. Answers come back in an order
//! that a seed decides, so that one test sees many interleavings. A broken promise that no caller could see
//! ([`World::violations`]) is written down at once, in every call.

mod create;
mod double;
mod error;
mod happenings;
mod life;
mod network;
mod normal;
mod observe;
mod perform;
mod script;
mod streams;
#[cfg(test)]
mod tests;
mod world;

pub use double::{ADDRESS, Double};
pub use script::Fault;
pub use world::{Behaviour, FakeContainer, FakeEndpoint, FakeImage, FakeNetwork, FakeVolume, Health, Probe, World};

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Engine, EngineError, Known, Outcome, Progress, Scope, Tell};
use crate::plan::Action;
use crate::plan::observed::{Container, Observed};
use script::{Fate, Script};

/// The engine: a world behind a lock, and the script of what goes wrong.
pub struct Fake {
    world: Mutex<World>,
    script: Mutex<Script>,
    crashed: Mutex<CancellationToken>,
}

impl Fake {
    /// An empty engine; `seed` decides in which order answers of concurrent calls come back.
    pub fn new(seed: u64) -> Fake {
        Fake { world: Mutex::new(World::default()), script: Mutex::new(Script::new(seed)), crashed: Mutex::default() }
    }

    /// The world, to read it or to change it by hand. Not to be held across a call.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds something that goes wrong from now on; calls are counted from here.
    pub fn fault(&self, fault: Fault) {
        self.script().add(fault);
    }

    /// Nothing goes wrong any more: counts begin anew, and a crashed caller's successor gets answers.
    pub fn recover(&self) {
        self.script().clear();
        *self.crashed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = CancellationToken::new();
    }

    /// How many actions were asked for since the last [`Fake::recover`], and what they were.
    pub fn calls(&self) -> Vec<String> {
        self.script().log.clone()
    }

    /// Comes true when the scripted crash has happened: the caller is dead, its walk is to be dropped.
    pub async fn crashed(&self) {
        let token = self.crashed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        token.cancelled().await;
    }

    async fn crash<T>(&self) -> T {
        self.crashed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).cancel();
        pending().await
    }

    /// Lets others go first a few times.
    async fn dawdle(&self) {
        let turns = self.script().turns();
        Turns(turns).await;
    }
}

#[async_trait]
impl Engine for Fake {
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        if self.script().is_dead() {
            return self.crash().await;
        }
        Ok(observe::observe(&self.world(), scope))
    }

    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        self.dawdle().await;
        let fate = self.script().next(action);
        let done = match fate {
            Fate::Crash { effect } => {
                if effect && !matches!(action, Action::Wait { .. }) {
                    let _ = self.world().perform(action, known);
                }
                return self.crash().await;
            }
            Fate::Fail { error, effect } => {
                if effect && !matches!(action, Action::Wait { .. }) {
                    let _ = self.world().perform(action, known);
                }
                Err(error)
            }
            Fate::Go => match action {
                Action::Wait { container, until, .. } => self.wait(container, until, known, progress).await,
                _ => self.world().perform(action, known),
            },
        };
        self.dawdle().await;
        if self.script().is_dead() {
            return self.crash().await;
        }
        done
    }

    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        if self.script().is_dead() {
            return self.crash().await;
        }
        Ok(self.world().containers.get(id).map(|c| observe::container(c, true)))
    }

    async fn last_words(&self, id: &str, lines: u32) -> Result<Vec<String>, EngineError> {
        let world = self.world();
        let words = world.containers.get(id).map(|c| c.words.clone()).unwrap_or_default();
        Ok(words.into_iter().rev().take(lines as usize).rev().collect())
    }
}

impl Fake {
    async fn wait(
        &self,
        container: &crate::plan::Target,
        until: &crate::plan::Until,
        known: &Known,
        progress: Tell<'_>,
    ) -> Result<Outcome, EngineError> {
        let id = perform::resolve(container, known)?;
        let began = self.world().now;
        loop {
            // Calls take less time than waits: let what is ready happen first.
            Turns(8).await;
            if self.script().is_dead() {
                return self.crash().await;
            }
            let mut world = self.world();
            match world.awaited(&id, until, began) {
                life::Awaited::True => return Ok(Outcome::default()),
                life::Awaited::Never(error) => return Err(error),
                life::Awaited::NotYet { limit } => {
                    progress(Progress::Probe(format!("at {} ms", world.now)));
                    if !world.advance_to_next(limit) {
                        return Err(error::refused(408, format!("nothing more happens to container {id}")));
                    }
                }
            }
        }
    }
}

/// Is ready after so many polls.
struct Turns(u32);

impl Future for Turns {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
