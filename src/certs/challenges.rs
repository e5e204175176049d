//! Answers to HTTP-01: tokens in memory, each also written beside its order, so that a restarted process still answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::store::{Record, Store};

/// The tokens that are answered now; cheap to clone.
#[derive(Clone, Default)]
pub struct Challenges {
    tokens: Arc<RwLock<BTreeMap<String, String>>>,
    /// Where other processes of this home write down what they set.
    store: Option<Arc<Store>>,
    looked: Arc<Mutex<Option<Instant>>>,
}

/// Unknown tokens are looked for on the disk, but strangers must not keep it busy; nor may one who asks for nonsense all the time
/// keep an authority from its answer.
const LOOK: Duration = Duration::from_millis(50);

/// The token that Hearth itself asks for, to see whether its own challenge route leads here.
pub const PROBE: &str = "hearth-probe";

impl Challenges {
    /// With what a former process left, and what another one sets (`hearth certs renew` beside `hearth serve`).
    pub fn open(store: &Arc<Store>) -> Challenges {
        let challenges = Challenges { store: Some(store.clone()), ..Challenges::default() };
        challenges.find("");
        challenges
    }

    /// Looks through all orders under way: what was written down stays at hand, and the answer to `wanted` is given.
    fn find(&self, wanted: &str) -> Option<String> {
        let store = self.store.as_ref()?;
        let mut found = None;
        for id in store.ids().unwrap_or_default() {
            let pending = store.pending(&id).ok().flatten();
            for record in pending.into_iter().flat_map(|(pending, _)| pending.records) {
                if let Record::Token { token, answer } = record {
                    found = found.or_else(|| (token == wanted).then(|| answer.clone()));
                    self.put(&token, &answer);
                }
            }
        }
        found
    }

    /// What answers `/.well-known/acme-challenge/<token>`: exactly this text with status 200, or 404 where there is none.
    pub fn answer(&self, token: &str) -> Option<String> {
        let plain = !token.is_empty()
            && token.len() <= 256
            && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plain {
            return None;
        }
        if token == PROBE {
            return Some(PROBE.to_owned());
        }
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        known.or_else(|| {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.is_some_and(|at| at.elapsed() < LOOK) {
                return None;
            }
            *looked = Some(Instant::now());
            self.find(token)
        })
    }

    pub(super) fn put(&self, token: &str, answer: &str) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), answer.to_owned());
    }

    pub(super) fn remove(&self, token: &str) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_tokens_of_the_right_shape_are_answered() {
        let challenges = Challenges::default();
        challenges.put("aB3-_x", "aB3-_x.thumb");
        assert_eq!(challenges.answer("aB3-_x").as_deref(), Some("aB3-_x.thumb"));
        assert_eq!(challenges.answer(PROBE).as_deref(), Some(PROBE));
        for unknown in ["", "x", "../aB3-_x", "aB3-_x/", "aB3-_x.", "ä", &"a".repeat(300)] {
            assert_eq!(challenges.answer(unknown), None, "{unknown}");
        }
        challenges.remove("aB3-_x");
        assert_eq!(challenges.answer("aB3-_x"), None);
    }
}
