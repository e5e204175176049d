//! All that goes on while a server serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::inner::Inner;
use super::memory;
use super::rooms::Rooms;
use super::{Loops, joined, login, renewal, rules};
use crate::base::clock::{Clock, SystemClock};
use crate::certs::cli::list::in_need;
use crate::diag::Diagnostic;
use crate::engine::docker::inside;
use crate::notices::Watched;
use crate::proxy;
use crate::stacks::Home;

/// Begins the loops. `inner`: the way from Traefik; `certificates`: counts whenever some have changed.
pub fn begin(
    home: &Home,
    rooms: &Rooms,
    env: &BTreeMap<String, String>,
    inner: Inner,
    certificates: watch::Sender<u64>,
) -> Result<Loops, Diagnostic> {
    let mut loops = Loops::default();
    front_door(home, rooms, env, inner, certificates.subscribe(), &mut loops);
    let anew = Arc::new(move || certificates.send_modify(|n| *n += 1));
    renewal::begin(home, &rooms.certificates, &mut loops, rooms.app.audit.clone(), rooms.found.subscribe(), anew)?;
    people(home, rooms, &mut loops);
    let (state, env) = (rooms.app.about.clone(), env.clone());
    loops.spawn("state", move |stop| {
        let (state, env) = (state.clone(), env.clone());
        async move { state.look(&env, stop).await }
    });
    notices(home, rooms, &mut loops);
    let (own, log) = (rooms.own.clone(), rooms.app.audit.clone());
    loops.spawn("own certificate", move |stop| own.clone().keep(log.clone(), stop));
    loops.spawn("memory", memory::keep_small);
    Ok(loops)
}

/// What stands before the services, and the way from there.
fn front_door(
    home: &Home,
    rooms: &Rooms,
    env: &BTreeMap<String, String>,
    inner: Inner,
    changed: watch::Receiver<u64>,
    loops: &mut Loops,
) {
    let (dir, environment, found) = (home.dir.clone(), env.clone(), rooms.found.clone());
    loops.spawn("front door", move |stop| {
        proxy::keep(dir.clone(), environment.clone(), changed.clone(), found.clone(), stop)
    });
    if inside().is_some() {
        let (environment, seen) = (env.clone(), rooms.found.subscribe());
        loops.spawn("own network", move |stop| joined::keep(environment.clone(), seen.clone(), stop));
    }
    let inner = Arc::new(inner);
    loops.spawn("inner door", move |stop| inner.clone().keep(stop));
}

/// What happens while nobody looks.
fn notices(home: &Home, rooms: &Rooms, loops: &mut Loops) {
    let (notices, people, room) = (rooms.app.notices.clone(), rooms.app.auth.clone(), rooms.certificates.clone());
    let watched = Watched {
        works: rooms.app.stacks.works.clone(),
        world: rooms.app.panel.world.clone(),
        home: home.dir.clone(),
        certificates: Arc::new(move || in_need(&room, SystemClock.now())),
    };
    loops.spawn("notices", move |stop| notices.clone().keep(watched.clone(), people.arrivals(), stop));
}

/// Who they are, what holds for them, and what is kept of what they did.
fn people(home: &Home, rooms: &Rooms, loops: &mut Loops) {
    let (dir, people, log) = (home.dir.clone(), rooms.app.auth.clone(), rooms.app.audit.clone());
    let (found, doors) = (rooms.found.subscribe(), rooms.doors.clone());
    loops.spawn("login", move |stop| {
        login::keep(dir.clone(), people.clone(), log.clone(), found.clone(), doors.clone(), stop)
    });
    let (dir, people) = (home.dir.clone(), rooms.app.auth.clone());
    loops.spawn("rules", move |stop| rules::keep(dir.clone(), people.clone(), stop));
    let (people, log) = (rooms.app.auth.clone(), rooms.app.audit.clone());
    loops.spawn("people", move |stop| people.clone().keep(log.clone(), stop));
    let (keep, log) = (home.config.audit, rooms.app.audit.clone());
    loops.spawn("audit", move |stop| {
        let log = log.clone();
        async move { log.keep(&keep, stop).await }
    });
}
