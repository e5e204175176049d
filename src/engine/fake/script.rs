//! What goes wrong, and when.

use tokio_util::sync::CancellationToken;

use super::error;
use crate::engine::EngineError;
use crate::plan::Action;

/// One thing that goes wrong. Calls are counted from 1, waits included.
pub enum Fault {
    /// The n-th call fails; nothing was done.
    FailCall(usize),
    /// The n-th call is done, but its answer is an error (a timeout, a lost connection).
    FailAnswer(usize),
    /// Every call that matches fails.
    FailEvery(Box<dyn Fn(&Action) -> bool + Send>),
    /// The Engine is gone from the n-th call on.
    GoneFrom(usize),
    /// The caller dies in the n-th call: before it has an effect, or after it and before the answer. 0 is the first.
    Crash { call: usize, effect: bool },
    /// Somebody presses Ctrl-C when the n-th call begins.
    Cancel { call: usize, token: CancellationToken },
}

pub(super) enum Fate {
    Go,
    Fail { error: EngineError, effect: bool },
    Crash { effect: bool },
}

pub(super) struct Script {
    faults: Vec<Fault>,
    pub log: Vec<String>,
    dead: bool,
    state: u64,
}

impl Script {
    pub fn new(seed: u64) -> Script {
        Script { faults: Vec::new(), log: Vec::new(), dead: false, state: seed.wrapping_mul(2).wrapping_add(1) }
    }

    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub fn clear(&mut self) {
        self.faults.clear();
        self.log.clear();
        self.dead = false;
    }

    /// The caller is dead: no call of it has an effect or an answer.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    pub fn next(&mut self, action: &Action) -> Fate {
        if self.dead {
            return Fate::Crash { effect: false };
        }
        self.log.push(super::perform::describe(action));
        let n = self.log.len();
        for fault in &self.faults {
            match fault {
                Fault::Cancel { call, token } if *call == n => token.cancel(),
                Fault::FailCall(at) if *at == n => return failed(false),
                Fault::FailAnswer(at) if *at == n => return failed(true),
                Fault::FailEvery(matches) if matches(action) => return failed(false),
                Fault::GoneFrom(at) if *at <= n => return Fate::Fail { error: error::unreachable(), effect: false },
                Fault::Crash { call, effect } if *call <= n => {
                    self.dead = true;
                    return Fate::Crash { effect: *effect };
                }
                _ => {}
            }
        }
        Fate::Go
    }

    /// How often a call lets others go first: 0 to 3, from the seed (xorshift).
    pub fn turns(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % 4) as u32
    }
}

fn failed(effect: bool) -> Fate {
    Fate::Fail { error: error::refused(500, "scripted failure"), effect }
}
