//! The way in, as the room of stacks needs it: made ready before anything starts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::time::sleep;

use super::adopted::Absent;
use super::content::{self, Values};
use super::deliver::{self, Expected};
use super::entrance::{self, Entrance};
use super::look::know;
use super::place::{Owner, Place};
use super::state::Grade;
use super::{certificates, cli, filled, judge, machine, names, tunnels};
use crate::auth::forward::place::{self, Keys};
use crate::base::random::SystemRandom;
use crate::base::wording;
use crate::cli::{Failure, Out};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::engine::docker::DockerEngine;
use crate::engine::{Engine, Scope};
use crate::plan::observed::{Container, Observed};
use crate::plan::wanted::{VERSION_LABEL, Wanted};
use crate::spec::front;
use crate::stacks::home::{Home, Read};
use crate::stacks::{Around, FrontDoor};
use crate::traefik::file::{self, Content};
use crate::traefik::forward::wire::{self, Doors};
use crate::traefik::{Door as Guard, Entry, Route, Target, statics};

/// How long new routes have to settle: Traefik waits two seconds between changes, and services take a moment to listen.
const SETTLE: Duration = Duration::from_secs(12);

/// What [`judge`] has told already, at the route that it is about.
const SAID_BY_THE_PLAN: [&str; 5] =
    ["certs.outside-ca", "lint.lan-tunnel", "lint.domain-local", "proxy.no-container", "proxy.other-network"];

/// Hearth's own front door.
pub struct Door;

#[async_trait(?Send)]
impl FrontDoor for Door {
    fn make_ready(&self, home: &Home, read: &Read, around: Option<&Around>, out: &Out) -> Result<(), Failure> {
        let mut told = Diagnostics::default();
        let published = publish(home, read, around, Absent::Names, &mut told)?;
        let new = |d: &&Diagnostic| !SAID_BY_THE_PLAN.contains(&d.code);
        told.0.iter().filter(new).for_each(|d| out.diagnostic(d, &read.sources));
        if told.0.iter().any(|d| d.severity == Severity::Error) {
            return Err(Failure::Code(told.exit_code().max(1)));
        }
        if published.written && !out.json {
            out.say("wrote what Traefik reads (state/traefik)");
        }
        Ok(())
    }

    async fn try_routes(
        &self,
        home: &Home,
        read: &Read,
        engine: &dyn Engine,
        changed: &BTreeSet<String>,
        out: &Out,
    ) -> Result<(), Failure> {
        let place = Place::at(&home.dir);
        let containers = engine.observe(&Scope::of(&home.config.name)).await.map(|o| o.containers).unwrap_or_default();
        if let Some(text) = place.read() {
            let environment = out.environment();
            let reload = |id: String| async move {
                if let Ok(engine) = DockerEngine::connect(&environment).await {
                    let _ = engine.reload(&id).await;
                }
            };
            if let Err(why) = deliver::read(home, &containers, &text, reload).await {
                out.diagnostic(&why, &read.sources);
            }
        }
        // Where Traefik is new, so is every way in.
        let all = changed.contains(front::TRAEFIK);
        let wanted = |route: &Route| all || changed.contains(&route.service);
        let any = read.rendered.routes.all().any(wanted);
        let ask = must_be_asked(&containers);
        if !any && !ask {
            return Ok(());
        }
        let began = Instant::now();
        let (rows, told) = loop {
            let mut told = Diagnostics::default();
            let known = know(home, read, Some(engine), &mut told).await?;
            let rows = known.look(&|route| wanted(route) && known.is_on(route)).await;
            let settled = rows.iter().all(|row| row.state.grade == Grade::Good || row.state.is_lasting());
            let enough = settled && (known.routers.is_some() || !ask || !any);
            if enough || began.elapsed() > SETTLE {
                break (rows, told);
            }
            sleep(Duration::from_millis(400)).await;
        };
        if !rows.is_empty() {
            cli::routes::after(&rows, out);
        }
        refuse_old(told, read, out)
    }

    fn ports(&self, home: &Home, read: &Read) -> Result<Vec<(String, String, bool)>, Diagnostic> {
        cli::routes::ports(home, read)
    }

    fn judge(&self, home: &Home, read: &Read, seen: Option<(&Wanted, &Observed)>) -> Diagnostics {
        judge::judge(home, read, seen)
    }
}

/// Whether only Traefik itself can tell its version: neither the tag of its image nor what the maker wrote into it does.
fn must_be_asked(containers: &[Container]) -> bool {
    let label = |c: &Container| c.labels.get(VERSION_LABEL).and_then(|text| statics::version(text));
    containers
        .iter()
        .filter(|c| c.is_of(front::TRAEFIK))
        .any(|c| statics::version(&c.image).or_else(|| label(c)).is_none())
}

/// Says that Traefik is older than it may be, where only now it could be known. It was started already, and goes on.
fn refuse_old(told: Diagnostics, read: &Read, out: &Out) -> Result<(), Failure> {
    let Some(old) = told.0.into_iter().find(|d| d.code == judge::TOO_OLD) else { return Ok(()) };
    let old = old.hint(
        "its image does not say its version, so that it serves already; until it is replaced: hearth stop traefik",
    );
    out.diagnostic(&old, &read.sources);
    Err(Failure::Code(old.kind.exit_code()))
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Published {
    /// Whether the file changed.
    pub written: bool,
    /// What each host will be given.
    pub expected: Vec<Expected>,
    /// Whether all of it is from a public CA.
    pub public: bool,
    pub domain: String,
    /// All hosts, Hearth's own among them.
    pub hosts: Vec<String>,
    /// Where Traefik finds Hearth.
    pub entrance: Option<Entrance>,
    /// What gate has to know of it.
    pub doors: Option<Doors>,
    /// Whether a route leads to nobody now.
    pub nobody: bool,
}

/// The routes with a login, as gate has to know them.
fn doors(home: &Home, domain: &str, keys: Keys, lan: Vec<String>, routes: &[Route]) -> Doors {
    let one = |route: &Route| match (&route.entry, route.door()) {
        (Entry::Web { hosts, .. }, Guard::Login) => Some(wire::Door {
            name: route.name.clone(),
            service: route.service.clone(),
            hosts: hosts.clone(),
            bypass: route.bypass.clone(),
        }),
        _ => None,
    };
    Doors {
        key: keys.address,
        signing: keys.signing,
        panel: format!("{}.{domain}", names::PANEL),
        https: home.config.traefik.https,
        lan,
        routes: routes.iter().filter_map(one).collect(),
    }
}

/// Writes what Traefik reads for this home as it is now; `around` is what the engine says, where it was asked. Mistakes are in
/// `told`; then nothing was written.
pub fn publish(
    home: &Home,
    read: &Read,
    around: Option<&Around>,
    absent: Absent,
    told: &mut Diagnostics,
) -> Result<Published, Diagnostic> {
    let values = Values::of(home)?;
    let containers = around.map(|around| around.containers.as_slice());
    let (domain, routes) = filled::routes(home, read, &values, containers, absent, told);
    if told.has_errors() {
        return Ok(Published::default());
    }
    let place = Place::make(&home.dir, owner(&values))?;
    stray(&place, told);
    let sets = names::sets(&domain, &routes);
    let mut notes = Vec::new();
    let mut hosts: Vec<String> = names::hosts(&routes).into_iter().map(str::to_string).collect();
    hosts.push(format!("{}.{domain}", names::PANEL));
    let entrance = entrance::of(home, read, around);
    let certificates = certificates::of(home, &domain, &hosts, &sets, entrance.as_ref(), &mut notes)?;
    notes.into_iter().for_each(|d| told.push(d));
    let tunnels = tunnels::seen(around, || machine::programs(&machine::state(home)));
    if routes.iter().any(|route| route.asks_lan()) {
        told.0.extend(machine::unknown(home));
    }
    judge::tunnelled(home, read, &tunnels, told);
    let lan = content::lan(home, read, around, &tunnels);
    let keys = place::keys(&home.dir, &SystemRandom)?;
    let login = Some(keys.address.clone());
    let doors = doors(home, &domain, keys, lan.clone(), &routes);
    // Before Traefik asks: of a gate that does not know the door yet nobody gets in.
    place::write_doors(&home.dir, &doors)?;
    let text = file::render_marked(&Content {
        routes: &routes,
        https_port: home.config.traefik.https,
        lan: &lan,
        certificates: &certificates.pairs,
        default: certificates.default.as_ref(),
        inner: certificates.inner.as_ref(),
        login: login.as_ref(),
        hsts: certificates.public,
    });
    Ok(Published {
        written: place.write(&text)?,
        expected: certificates.expected,
        public: certificates.public,
        doors: Some(doors),
        domain,
        hosts,
        entrance,
        nobody: routes.iter().any(|route| matches!(route.target, Target::Nobody(_))),
    })
}

/// The folder is Hearth's alone: Traefik takes all files in it or none.
fn stray(place: &Place, told: &mut Diagnostics) {
    let names = place.strays();
    if names.is_empty() {
        return;
    }
    let title =
        format!("beside what Traefik reads of Hearth lies {}, which Hearth did not write", wording::list(&names));
    told.push(
        Diagnostic::warning("proxy.stray-file", title)
            .hint("with a mistake in it no change of any route or certificate reaches Traefik: move it out of state/traefik/dynamic"),
    );
}

/// Traefik's user, as the rendered file says it.
pub(super) fn owner(values: &Values) -> Owner {
    let number = |name: &str| values.get(name).and_then(|text| text.parse().ok()).unwrap_or(1000);
    Owner { uid: number("PUID"), gid: number("PGID") }
}
