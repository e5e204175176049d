//! The rooms of a server, put together: what they share is made once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::own::Own;
use super::{api, keys};
use crate::about;
use crate::auth::accounts::{Auth, Parts};
use crate::auth::audit::Log;
use crate::auth::forward::{Doors, Forward};
use crate::auth::own_name::OwnName;
use crate::auth::page::forms;
use crate::auth::passwords::Passwords;
use crate::base::clock::Clock;
use crate::base::random::{Random, SystemRandom};
use crate::certs::room::Room;
use crate::diag::Diagnostic;
use crate::notices::Notices;
use crate::panel::Panel;
use crate::proxy;
use crate::routes::App;
use crate::stacks::Home;
use crate::store::Db;

/// What handlers work with, and what only the server itself does.
pub struct Rooms {
    pub app: App,
    pub own: Arc<Own>,
    pub certificates: Room,
    pub database: Db,
    /// What the front door finds.
    pub found: watch::Sender<proxy::Found>,
    /// The doors of services that are told to gate.
    pub doors: Arc<watch::Sender<Option<Doors>>>,
}

/// Under which names a server is reached.
pub struct Names {
    pub own: OwnName,
    /// The home's domain, whether or not names count in its mode.
    pub domain: Option<String>,
    /// The domain, where its names count.
    pub named: Option<String>,
    /// Where it was told to listen, and where it does.
    pub listen: Vec<SocketAddr>,
    pub https: Vec<SocketAddr>,
}

impl Rooms {
    /// Nothing here waits for the engine or a database: one that is away keeps nothing from being served.
    pub async fn of(
        home: &Home,
        names: &Names,
        env: &BTreeMap<String, String>,
        clock: &Arc<dyn Clock>,
        docs: about::docs::Docs,
    ) -> Result<Rooms, Diagnostic> {
        let zones: Vec<String> = names.domain.iter().cloned().collect();
        let (state, others) = (home.dir.join("state"), home.config.server.names.clone());
        let own = Own::open(&state, names.own.clone(), zones, others, names.listen.clone(), clock.clone())?;
        let own = Arc::new(own);
        let certificates = Room::open(home)?;
        // Opened with its first use.
        let database = Db::at(home.database(env)?);
        let auth = Arc::new(people(home, database.clone(), clock.clone()).await?);
        let place = keys::place(home, names.named.as_deref(), &names.own, &names.https);
        let desk = keys::desk(home, place, &auth, &database, clock)?;
        let stacks = api::of_stacks(home, env, clock.clone(), auth.clone());
        let (found, _) = watch::channel(proxy::Found::default());
        let (doors, known) = watch::channel(None);
        let (answers, trusted) = (certificates.challenges.clone(), own.clone());
        let ways = Arc::new(proxy::Ways::new(stacks.works.readings()));
        let routed = proxy::routes_of(stacks.works.readings());
        let notices = Notices::new(database.clone(), clock.clone());
        let app = App {
            audit: Log::new(database.clone(), clock.clone()),
            forward: Arc::new(Forward::new(auth.clone(), known, clock.clone(), Arc::new(SystemRandom))),
            pages: Arc::new(forms::Pages::new(
                home.config.name.clone(),
                auth.clone(),
                Arc::new(SystemRandom),
                desk.clone(),
            )),
            oidc: desk.oidc.clone(),
            passkeys: desk.passkeys.clone(),
            desk,
            panel: Panel::new(&home.config.name, stacks.clone(), ways.clone(), notices.clone(), clock.clone()),
            notices,
            ways,
            about: Arc::new(about::state::State::new(home, database.clone())),
            trust: Arc::new(move || trusted.ca()),
            challenge: Arc::new(move |token: &str| answers.answer(token)),
            docs: Arc::new(docs),
            certs: api::of_certs(stacks.clone()),
            stacks,
            routed,
            auth,
        };
        Ok(Rooms { app, own, certificates, database, found, doors: Arc::new(doors) })
    }
}

/// The people of the home, with all that signs them in.
async fn people(home: &Home, db: Db, clock: Arc<dyn Clock>) -> Result<Auth, Diagnostic> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let passwords = Passwords::of_server(db.clone(), random.clone());
    let near = proxy::near(home);
    let rules = home.config.people.clone();
    Auth::open(&home.dir.join("state"), Parts { db, clock, random, rules, near, passwords }).await
}
