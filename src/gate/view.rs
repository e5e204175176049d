//! The project as gate sees it: one look at the engine for a list and the inspects after it, and the engine's events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::hub::{Debts, Hub};
use super::looks::{KEPT, KEPT_FOR_LISTS, Looks, Shown, Told};
use super::news;
use super::show::{self, Inspected, Listed};
use crate::base::clock::Clock;
use crate::engine::docker::reader::{self, Reader, Unread};

/// Inspects at once.
const AT_ONCE: usize = 8;
/// Images whose label is remembered. It cannot change: an image's id is a hash of it.
const IMAGES: usize = 1024;
/// How long to wait before the engine's events are asked for again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// The same for a line that makes Traefik look again after an answer failed.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// One Compose project of one engine. Everything here is bounded by the number of its containers.
pub struct View {
    pub reader: Reader,
    pub project: String,
    pub hub: Hub,
    pub debts: Debts,
    /// The engine has been asked for its events once, whatever came of it.
    pub begun: CancellationToken,
    clock: Arc<dyn Clock>,
    looks: Mutex<Looks>,
    images: Mutex<HashMap<String, Option<Arc<str>>>>,
}

impl View {
    pub fn new(reader: Reader, project: String, clock: Arc<dyn Clock>) -> View {
        let (hub, debts, begun, looks, images) = Default::default();
        View { reader, project, hub, debts, begun, clock, looks, images }
    }

    pub fn now(&self) -> time::OffsetDateTime {
        self.clock.now()
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every container of the project, each looked at. It is whole or it fails: a container whose inspect fails while the list
    /// works would lose its route without a word. Those that vanish meanwhile are left out.
    pub async fn list(&self) -> Result<Vec<Arc<Shown>>, Unread> {
        let (mark, ticket) = (self.debts.mark(), self.looks().begin());
        let looked: Result<Vec<_>, Unread> = async {
            let ids = self.ids(&[]).await?;
            let looks = ids.into_iter().map(|id| async move { self.look(&id, KEPT_FOR_LISTS).await });
            let all: Vec<Option<Arc<Shown>>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
            Ok(all.into_iter().flatten().collect())
        }
        .await;
        match &looked {
            Ok(all) => {
                self.looks().listed(ticket, all, Instant::now());
                self.debts.pay(mark);
            }
            Err(_) => self.debts.owe(),
        }
        looked
    }

    /// One container by id or name; `None` where the project has no such one.
    pub async fn inspect(&self, named: &str) -> Result<Option<Arc<Shown>>, Unread> {
        let looked = self.look(named, KEPT).await;
        if looked.is_err() {
            self.debts.owe();
        }
        looked
    }

    async fn look(&self, named: &str, at_most: Duration) -> Result<Option<Arc<Shown>>, Unread> {
        let ticket = {
            let looks = self.looks();
            if let Some(shown) = looks.find(named, at_most, Instant::now()) {
                return Ok(Some(shown));
            }
            looks.begin()
        };
        let Some(inspected) = self.inspected(named).await? else { return Ok(None) };
        let json = Bytes::from(inspected.shown(self.label_of_image(&inspected).await?.as_deref()));
        let (running, alive) = (inspected.state.status == "running", inspected.alive());
        let shown = Arc::new(Shown { id: inspected.id, name: inspected.name, running, alive, json });
        self.looks().keep(ticket, &shown, Instant::now());
        Ok(Some(shown))
    }

    /// What the engine says now about one of the project's containers.
    pub async fn inspected(&self, named: &str) -> Result<Option<Inspected>, Unread> {
        self.inspected_of(&self.project, named).await
    }

    /// The same for any project: what of it leaves gate is in words only.
    pub async fn inspected_of(&self, project: &str, named: &str) -> Result<Option<Inspected>, Unread> {
        let answer = match self.reader.get(&format!("/containers/{}/json", reader::segment(named))).await {
            Err(Unread::Gone) => return Ok(None),
            answer => answer?,
        };
        let inspected: Inspected = serde_json::from_slice(&answer).map_err(garbled)?;
        Ok(Some(inspected).filter(|c| c.belongs_to(project)))
    }

    /// Ids of the project's containers, running or not, that have these labels too.
    pub async fn ids(&self, labels: &[String]) -> Result<Vec<String>, Unread> {
        self.ids_of(&self.project, labels).await
    }

    /// The same for any project.
    pub async fn ids_of(&self, project: &str, labels: &[String]) -> Result<Vec<String>, Unread> {
        let labels: Vec<String> =
            [format!("{}={project}", show::PROJECT)].into_iter().chain(labels.iter().cloned()).collect();
        let filters = serde_json::json!({ "label": labels }).to_string();
        let path = format!("/containers/json{}", reader::query(&[("all", "1"), ("filters", &filters)]));
        let listed: Vec<Listed> = serde_json::from_slice(&self.reader.get(&path).await?).map_err(garbled)?;
        Ok(listed.into_iter().map(|c| c.id).collect())
    }

    /// The list of our labels that the container's image itself brings; asked once for an image, and only where it matters.
    async fn label_of_image(&self, container: &Inspected) -> Result<Option<Arc<str>>, Unread> {
        if container.label(show::OURS).is_none_or(|list| list.trim().is_empty()) || container.image.is_empty() {
            return Ok(None);
        }
        let images = || self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = images().get(&container.image) {
            return Ok(known.clone());
        }
        let label = match self.reader.get(&format!("/images/{}/json", reader::segment(&container.image))).await {
            // The image of a running container cannot be removed, so this one has no route to lose or to gain.
            Err(Unread::Gone) => None,
            answer => {
                let image: serde_json::Value = serde_json::from_slice(&answer?).map_err(garbled)?;
                image["Config"]["Labels"][show::OURS].as_str().map(Arc::from)
            }
        };
        let mut images = images();
        if images.len() >= IMAGES {
            images.clear();
        }
        images.insert(container.image.clone(), label.clone());
        Ok(label)
    }

    /// Hears the engine's events for as long as this is polled, and passes on what matters. Listeners keep their streams while the
    /// engine is away, and are told to look again when it is back. Both ways were tried on a real Traefik, with the engine away for 15 s:
    /// kept, a container that started right after was routed in 2.1 to 2.2 s; cut, in 2.5 to 6.6 s, for Traefik then tries again with
    /// growing gaps.
    pub async fn hear(&self) {
        let mut wait = AGAIN.0;
        let mut silent = false;
        loop {
            let ended = self.hear_once(&mut wait, &mut silent).await;
            self.looks().closed();
            self.begun.cancel();
            if !silent {
                let why = ended.err().map_or_else(|| String::from("it ended the stream"), |e| e.to_string());
                warn!("the engine's events are not heard any more, trying again: {why}");
            }
            silent = true;
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    async fn hear_once(&self, wait: &mut Duration, silent: &mut bool) -> Result<(), Unread> {
        // From this moment on, so that nothing is lost between the answer's head and the engine's own subscription.
        let since = self.clock.now().unix_timestamp_nanos();
        let since = format!("{}.{:09}", since / 1_000_000_000, since % 1_000_000_000);
        let query = reader::query(&[("since", &since), ("filters", news::FILTERS)]);
        let mut lines = self.reader.lines(&format!("/events{query}")).await?;
        info!("the engine's events are heard");
        (*wait, *silent) = (AGAIN.0, false);
        self.looks().opened();
        self.begun.cancel();
        self.hub.tell(&news::refresh());
        let mut soon: Option<tokio::time::Instant> = None;
        loop {
            let line = tokio::select! {
                line = lines.next() => line?,
                () = tokio::time::sleep_until(soon.unwrap_or_else(tokio::time::Instant::now)), if soon.is_some() => {
                    soon = None;
                    self.hub.tell(&news::refresh());
                    continue;
                }
            };
            let Some(line) = line else { return Ok(()) };
            let Some(news) = news::read(&line, &self.project) else { continue };
            // Forgotten first, told then: whoever looks because of the line sees the world after it.
            let told = self.looks().heard(&news);
            match told {
                Told::Nothing => {}
                Told::Now(line) => {
                    self.hub.tell(&line);
                    soon = None;
                }
                Told::Within(time) => {
                    let latest = tokio::time::Instant::now() + time;
                    soon = Some(soon.map_or(latest, |at| at.min(latest)));
                }
            }
        }
    }

    /// Makes Traefik look again after an answer that failed, until one succeeds. Polled beside [`View::hear`].
    pub async fn make_good(&self) {
        loop {
            self.debts.wait().await;
            let mut wait = LOOK_AGAIN.0;
            while self.debts.open() {
                tokio::time::sleep(wait).await;
                if self.debts.open() {
                    self.hub.tell(&news::refresh());
                }
                wait = (wait * 2).min(LOOK_AGAIN.1);
            }
        }
    }
}

fn garbled(error: serde_json::Error) -> Unread {
    Unread::Away(format!("it says what no Docker Engine says: {error}"))
}
