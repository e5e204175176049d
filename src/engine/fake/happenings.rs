//! What happens to containers in memory: what one look shows to be otherwise than the look before.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};

use super::Double;
use super::world::{FakeContainer, Health};
use crate::engine::EngineError;
use crate::engine::streams::{Happening, What};
use crate::plan::observed::State;
use crate::plan::request::{PROJECT, SERVICE};

/// From now on, with a look each `again`.
pub fn follow(double: &Double, again: Duration) -> BoxStream<'static, Result<Happening, EngineError>> {
    let state = (double.clone(), seen(double), VecDeque::new());
    stream::unfold(state, move |(double, mut before, mut ready)| async move {
        loop {
            if let Some(happening) = ready.pop_front() {
                return Some((Ok(happening), (double, before, ready)));
            }
            tokio::time::sleep(again).await;
            let now = seen(&double);
            ready.extend(changes(&before, &now));
            before = now;
        }
    })
    .boxed()
}

/// How a container is at a look.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    happening: Happening,
    state: State,
    health: Option<Health>,
    exit_code: i64,
}

fn changes(before: &BTreeMap<String, Seen>, now: &BTreeMap<String, Seen>) -> Vec<Happening> {
    let mut all = Vec::new();
    let mut tell = |seen: &Seen, what: What| {
        let exit_code = (what == What::Exited).then_some(seen.exit_code);
        all.push(Happening { what, exit_code, ..seen.happening.clone() });
    };
    for seen in before.iter().filter(|(id, _)| !now.contains_key(*id)).map(|(_, seen)| seen) {
        tell(seen, What::Removed);
    }
    for (id, seen) in now {
        let old = before.get(id);
        if old.is_none() {
            tell(seen, What::Created);
        }
        if old.map(|old| &old.state) != Some(&seen.state) {
            match seen.state {
                State::Running => tell(seen, What::Started),
                State::Exited | State::Dead => tell(seen, What::Exited),
                State::Paused => tell(seen, What::Paused),
                _ => {}
            }
        }
        if old.map(|old| old.health) != Some(seen.health) {
            match seen.health {
                Some(Health::Healthy) => tell(seen, What::Healthy),
                Some(Health::Unhealthy) => tell(seen, What::Unhealthy),
                Some(Health::Starting) => tell(seen, What::Starting),
                None => {}
            }
        }
    }
    all
}

fn seen(double: &Double) -> BTreeMap<String, Seen> {
    let world = double.fake.world();
    let of_projects = world.containers.values().filter(|c| c.labels.contains_key(PROJECT));
    let seen = |c: &FakeContainer| {
        let label = |key: &str| c.labels.get(key).cloned().unwrap_or_default();
        let happening = Happening {
            at: i64::try_from(world.now).unwrap_or(i64::MAX).saturating_mul(1_000_000),
            container: c.id.clone(),
            name: c.name.clone(),
            project: label(PROJECT),
            service: label(SERVICE),
            ..Happening::default()
        };
        Seen { happening, state: c.state, health: c.health, exit_code: c.exit_code }
    };
    of_projects.map(|c| (c.id.clone(), seen(c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: State, health: Option<Health>) -> BTreeMap<String, Seen> {
        let happening = Happening { container: "c".into(), ..Happening::default() };
        BTreeMap::from([("c".to_string(), Seen { happening, state, health, exit_code: 3 })])
    }

    #[test]
    fn each_change_between_two_looks_is_told() {
        let whats = |before: &BTreeMap<String, Seen>, now: &BTreeMap<String, Seen>| -> Vec<_> {
            changes(before, now).into_iter().map(|one| (one.what, one.exit_code)).collect()
        };
        let (none, starting) = (BTreeMap::new(), container(State::Running, Some(Health::Starting)));
        let (healthy, ended) = (container(State::Running, Some(Health::Healthy)), container(State::Exited, None));
        assert_eq!(whats(&none, &starting), [(What::Created, None), (What::Started, None), (What::Starting, None)]);
        assert_eq!(whats(&starting, &healthy), [(What::Healthy, None)]);
        assert_eq!(whats(&healthy, &ended), [(What::Exited, Some(3))]);
        assert_eq!(whats(&ended, &none), [(What::Removed, None)]);
        assert_eq!(whats(&healthy, &healthy), []);
    }
}
