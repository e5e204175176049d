//! Keeps what Traefik reads true while Hearth runs: at start, when certificates changed, when the home's files changed, when containers of
//! other projects to which routes lead came or went, and every hour (networks of the machine come and go, leaves of the local CA grow old).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::adopted::Absent;
use super::deliver;
use super::door::{self, Published};
use super::entrance::{self, Entrance};
use super::look;
use super::machine;
use super::place::{self, Place};
use super::wake::{self, Interest};
use crate::base::clock::{Clock, SystemClock};
use crate::config;
use crate::diag::{Diagnostics, log};
use crate::engine::docker::{self, DockerEngine};
use crate::engine::{Engine, Scope};
use crate::spec::Mode;
use crate::stacks::Around;
use crate::stacks::home::{Home, Read, STACKS};
use crate::traefik::file;
use crate::traefik::forward::wire::Doors;

/// How often the home's files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often all is done anew without a cause, and after something went wrong.
const ANYWAY: Duration = Duration::from_secs(3600);
const AGAIN: Duration = Duration::from_secs(30);
/// The same where containers that the home does not make have a say: a route leads to some of another project, or `access: lan` must
/// know of a tunnel.
const BORROWED: Duration = Duration::from_secs(60);
/// A container that starts or ends is several events.
const TOGETHER: Duration = Duration::from_millis(100);

/// What the keeper found, for others of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Where Traefik expects Hearth.
    pub entrance: Option<Entrance>,
    /// Whether every certificate that Traefik shows is from a public CA.
    pub public: bool,
    pub domain: String,
    /// All hosts that are reached through Traefik, Hearth's own among them.
    pub hosts: Vec<String>,
    /// What gate has to know; none as long as nothing was written for Traefik.
    pub doors: Option<Doors>,
}

/// Runs until `stop`. `changed` says that certificates changed; `environment` is where the engine is found; `found` is told
/// what of it others have to know.
pub async fn keep(
    dir: PathBuf,
    environment: BTreeMap<String, String>,
    changed: watch::Receiver<u64>,
    found: watch::Sender<Found>,
    stop: CancellationToken,
) {
    let (interest, wanted) = watch::channel(Interest::default());
    let wake = Notify::new();
    let mut keeper = Keeper::new(dir, environment.clone(), found);
    keeper.interest = Some(interest);
    tokio::select! {
        () = keeper.go_on(changed, &wake) => {}
        () = wake::listen(&environment, wanted, &wake) => {}
        () = stop.cancelled() => {}
    }
    keeper.leave();
}

impl Keeper {
    async fn go_on(&mut self, mut changed: watch::Receiver<u64>, wake: &Notify) {
        let mut stamp = None;
        let mut due = Instant::now();
        let mut clock = Steady::begin();
        loop {
            let now = stamp_of(&self.dir);
            let news = changed.has_changed().unwrap_or(false) | clock.was_set();
            if now != stamp || news || Instant::now() >= due {
                changed.mark_unchanged();
                stamp = now;
                let well = self.publish().await;
                let next = if self.borrows { ANYWAY.min(BORROWED) } else { ANYWAY };
                due = Instant::now() + if well { next } else { AGAIN };
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = wake.notified() => {
                    sleep(TOGETHER).await;
                    due = Instant::now();
                }
                gone = changed.changed() => {
                    // Nobody renews certificates here: then only files change.
                    if gone.is_err() {
                        sleep(LOOK).await;
                    } else {
                        changed.mark_changed();
                    }
                }
            }
        }
    }
}

/// Sees that the machine's clock was set: what is valid now may be another thing than before.
struct Steady {
    wall: OffsetDateTime,
    since: Instant,
}

impl Steady {
    fn begin() -> Steady {
        Steady { wall: SystemClock.now(), since: Instant::now() }
    }

    fn was_set(&mut self) -> bool {
        let now = Steady::begin();
        let off = (now.wall - self.wall) - time::Duration::try_from(now.since - self.since).unwrap_or_default();
        *self = now;
        off.abs() > time::Duration::MINUTE
    }
}

struct Keeper {
    dir: PathBuf,
    environment: BTreeMap<String, String>,
    found: watch::Sender<Found>,
    /// Of the engine, once it was asked.
    around: Option<Around>,
    /// Whether containers that the home does not make have a say in it.
    borrows: bool,
    /// What was said last, so that it is not said every time.
    said: Vec<String>,
    /// Where somebody waits for it, what is said is kept for them and not logged.
    kept: Option<Diagnostics>,
    /// When it was last seen what of the machine a container does not show.
    learned: Option<Instant>,
    /// The mark of the last text that Traefik has read, and serves the certificates of.
    arrived: Option<String>,
    /// Where it is told what to hear of; then what is written is written anew in time.
    interest: Option<watch::Sender<Interest>>,
    /// Whether a route leads to nobody now.
    nobody: bool,
}

impl Keeper {
    fn new(dir: PathBuf, environment: BTreeMap<String, String>, found: watch::Sender<Found>) -> Keeper {
        let (around, said, kept, learned, arrived, interest) = Default::default();
        let (borrows, nobody) = (false, false);
        Keeper { dir, environment, found, around, borrows, said, kept, learned, arrived, interest, nobody }
    }

    /// Nobody writes it anew from here on: names take the place of waiting pages, so that Traefik finds who comes later.
    fn leave(&self) {
        if !self.nobody {
            return;
        }
        let Ok(home) = Home::open(self.dir.clone()) else { return };
        let Ok(read) = home.read() else { return };
        let written = door::publish(&home, &read, self.around.as_ref(), Absent::Names, &mut Diagnostics::default());
        if let Err(why) = written {
            log(&why);
        }
    }

    /// Writes what Traefik reads and sees it arrive. `false`: it should be tried again soon.
    async fn publish(&mut self) -> bool {
        let home = match Home::open(self.dir.clone()) {
            Ok(home) if home.config.mode == Mode::Domain => home,
            Ok(home) => {
                self.learn(&home).await;
                // Nobody is reached through Traefik here.
                self.found.send_if_modified(|old| std::mem::take(old) != Found::default());
                return true;
            }
            Err(refused) => return self.say(&refused.diagnostics),
        };
        let read = match home.read() {
            Ok(read) => read,
            // Somebody is in the middle of editing; Traefik goes on with what it has.
            Err(refused) => return self.say(&refused.diagnostics),
        };
        let engine = match DockerEngine::connect(&self.environment).await {
            Ok(engine) => engine,
            Err(error) => return self.say(&Diagnostics::from(*error.diagnostic)),
        };
        self.learn(&home).await;
        let scope = Scope { project: home.config.name.clone(), ..Scope::default() };
        if let Ok(observed) = engine.observe(&scope).await {
            self.around = Some(Around::of(&observed, None));
        }
        let lan = read.rendered.routes.all().any(|route| route.asks_lan());
        let interest = interest_of(&read);
        self.borrows = lan || !interest.projects.is_empty();
        let absent = match &self.interest {
            Some(told) => {
                told.send_if_modified(|old| std::mem::replace(old, interest.clone()) != interest);
                Absent::Page
            }
            None => Absent::Names,
        };
        let mut told = Diagnostics::default();
        let published = match door::publish(&home, &read, self.around.as_ref(), absent, &mut told) {
            Ok(published) => published,
            Err(why) => return self.say(&Diagnostics::from(why)),
        };
        if told.has_errors() {
            return self.say(&told);
        }
        // Of a command nobody waits for the server.
        if self.kept.is_none() {
            entrance::trouble(&home, self.around.as_ref()).into_iter().for_each(|d| told.push(d));
        }
        self.say(&told);
        self.nobody = published.nobody;
        let found = Found {
            entrance: published.entrance.clone(),
            public: published.public,
            domain: published.domain.clone(),
            hosts: published.hosts.clone(),
            doors: published.doors.clone(),
        };
        self.found.send_if_modified(|old| std::mem::replace(old, found.clone()) != found);
        self.confirm(&home, &engine, published).await
    }

    /// Within a container: sees to it that what of the machine it does not show is known.
    async fn learn(&mut self, home: &Home) {
        let due = self.kept.is_none() && self.learned.is_none_or(|at| at.elapsed() > machine::FRESH);
        if docker::inside().is_none() || !due {
            return;
        }
        let learned = async { machine::learn(home, &DockerEngine::connect(&self.environment).await?).await };
        match learned.await {
            Ok(()) => self.learned = Some(Instant::now()),
            Err(why) => tracing::warn!(%why, "the machine's network is not seen from this container"),
        }
    }

    async fn confirm(&mut self, home: &Home, engine: &DockerEngine, published: Published) -> bool {
        let place = Place::at(&home.dir);
        let Some(text) = place.read() else { return true };
        let revision = file::revision(&text).map(str::to_owned);
        // A command may have written it, and nobody have looked whether it arrived.
        if self.arrived.is_some() && self.arrived == revision {
            return true;
        }
        if published.written {
            tracing::info!("wrote what Traefik reads");
        }
        let observed = match engine.observe(&Scope::of(&home.config.name)).await {
            Ok(observed) => observed,
            Err(error) => return self.say(&Diagnostics::from(*error.diagnostic)),
        };
        let Some(traefik) = deliver::running(&observed.containers) else { return true };
        let again = |id: String| async move {
            if let Err(error) = engine.reload(&id).await {
                tracing::warn!(why = %error, "Traefik could not be told to read its files again");
            }
        };
        if let Err(why) = deliver::read(home, &observed.containers, &text, again).await {
            return self.say(&Diagnostics::from(why));
        }
        let reload = || again(traefik.id.clone());
        match deliver::confirm(look::front_address(home), &published.expected, reload).await {
            Ok(()) => {
                self.arrived = revision;
                true
            }
            Err(why) => self.say(&Diagnostics::from(why)),
        }
    }

    /// Logs what is new of it. Gives whether all is well.
    fn say(&mut self, told: &Diagnostics) -> bool {
        if let Some(kept) = &mut self.kept {
            kept.extend(told.clone());
            return !told.has_errors();
        }
        let titles: Vec<String> = told.0.iter().map(|d| d.title.clone()).collect();
        if titles != self.said {
            told.0.iter().for_each(log);
            self.said = titles;
        }
        !told.has_errors()
    }
}

/// Writes what Traefik reads once, for a command that changed certificates while nothing keeps it. A running Traefik is waited for.
/// Gives what a person should know.
pub async fn once(home: &Home, environment: &BTreeMap<String, String>) -> Diagnostics {
    let (found, _) = watch::channel(Found::default());
    let environment = environment.clone();
    let mut keeper = Keeper::new(home.dir.clone(), environment, found);
    keeper.kept = Some(Diagnostics::default());
    keeper.publish().await;
    keeper.kept.unwrap_or_default()
}

/// The other projects to which routes lead, and the networks on which they are reached.
fn interest_of(read: &Read) -> Interest {
    let outside = read.rendered.routes.outside.iter();
    let into = outside.filter_map(|outside| Some((outside.into.as_ref()?.0.clone(), outside.network.clone())));
    let (projects, networks): (BTreeSet<String>, BTreeSet<Option<String>>) = into.unzip();
    Interest { projects, networks: networks.into_iter().flatten().collect() }
}

/// Size and time of every file that a person edits, and of what other commands do to certificates and to what Traefik reads.
fn stamp_of(dir: &Path) -> Option<Vec<(PathBuf, u64, Option<SystemTime>)>> {
    let mut files = vec![dir.join(config::FILE), dir.join(".env"), place::file(dir)];
    let stacks = std::fs::read_dir(dir.join(STACKS)).ok()?;
    files.extend(stacks.filter_map(|entry| Some(entry.ok()?.path())));
    // A folder's time changes with what is moved into it.
    for folder in ["state/certs", "state/ca"] {
        let entries = std::fs::read_dir(dir.join(folder)).into_iter().flatten();
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort();
    let one = |path: PathBuf| {
        let found = std::fs::metadata(&path).ok()?;
        Some((path, found.len(), found.modified().ok()))
    };
    Some(files.into_iter().filter_map(one).collect())
}
