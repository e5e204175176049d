//! What happens in the home, told to whoever watches: one subscription at the engine for all of them, and none while nobody does.
//!
//! What was before is told to nobody: whoever begins to watch, or has missed something, is told to look at what is shown anew ([`RESYNC`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::home::Home;
use super::works::Works;
use crate::base::clock::rfc3339;
use crate::engine::streams::Happening;
use crate::engine::{self, EngineError};

/// The event that says: look anew at what is shown.
pub const RESYNC: &str = "resync";

/// Events that a slow watcher may lie behind; then it is told to look anew.
const BEHIND: usize = 256;
/// How long to wait before an engine that is away is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often it is looked whether anybody still watches.
const ANYBODY: Duration = Duration::from_secs(5);
/// The projects of the home are read again with an event, but not more often.
const PROJECTS: Duration = Duration::from_secs(2);

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `container`, `work`, `engine` or [`RESYNC`].
    pub name: &'static str,
    /// JSON.
    pub data: Arc<str>,
}

impl Told {
    fn new(name: &'static str, mut value: Value) -> Told {
        value["event"] = json!(name);
        Told { name, data: value.to_string().into() }
    }
}

/// Whether the engine is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Heard {
    Unknown,
    Reachable,
    Unreachable,
}

/// Clones share the one subscription.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    works: Works,
    say: broadcast::Sender<Told>,
    /// Whether there is a task that listens. Held while somebody comes, and while the task looks whether to go.
    listens: Mutex<bool>,
    engine: AtomicU8,
    anybody: Duration,
}

impl Live {
    pub fn new(works: Works) -> Live {
        Live::looking(works, ANYBODY)
    }

    /// `anybody`: how often it is looked whether anybody still watches.
    fn looking(works: Works, anybody: Duration) -> Live {
        let (say, _) = broadcast::channel(BEHIND);
        let engine = AtomicU8::new(Heard::Unknown as u8);
        Live(Arc::new(Inner { works, say, listens: Mutex::new(false), engine, anybody }))
    }

    /// Begins to watch.
    pub fn watch(&self) -> Watch {
        let mut listens = self.0.listens.lock().unwrap_or_else(PoisonError::into_inner);
        let said = self.0.say.subscribe();
        if !*listens {
            *listens = true;
            tokio::spawn(listen(self.0.clone()));
        }
        Watch { first: true, said, inner: self.0.clone() }
    }
}

/// Somebody who watches.
pub struct Watch {
    first: bool,
    said: broadcast::Receiver<Told>,
    inner: Arc<Inner>,
}

impl Watch {
    /// The next event; `None`: there will be no more.
    pub async fn next(&mut self) -> Option<Told> {
        if std::mem::take(&mut self.first) {
            return Some(self.inner.resync());
        }
        match self.said.recv().await {
            Ok(told) => Some(told),
            Err(RecvError::Lagged(_)) => Some(self.inner.resync()),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Inner {
    fn tell(&self, told: Told) {
        // Nobody may be there just now.
        let _ = self.say.send(told);
    }

    /// In the words of `GET /health`.
    fn engine_word(&self) -> &'static str {
        match self.engine.load(Ordering::Relaxed) {
            n if n == Heard::Reachable as u8 => "reachable",
            n if n == Heard::Unreachable as u8 => "unreachable",
            _ => "unknown",
        }
    }

    fn resync(&self) -> Told {
        Told::new(RESYNC, json!({"engine": self.engine_word()}))
    }

    /// Whether that is news.
    fn heard(&self, now: Heard) -> bool {
        self.engine.swap(now as u8, Ordering::Relaxed) != now as u8
    }

    /// Whether the task may go: nobody watches, and who comes now begins another.
    fn is_alone(&self) -> bool {
        let mut listens = self.listens.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = self.say.receiver_count() == 0;
        if alone {
            *listens = false;
            self.engine.store(Heard::Unknown as u8, Ordering::Relaxed);
        }
        alone
    }
}

type Happenings = BoxStream<'static, Result<Happening, EngineError>>;

/// Until nobody watches, or the server stops.
async fn listen(inner: Arc<Inner>) {
    let stop = inner.works.stopping();
    let mut ours = Ours::default();
    let mut works = Shown::of(&inner.works);
    let mut moves = inner.works.moves();
    let mut anybody = interval(inner.anybody);
    anybody.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut happenings = connect(&inner).await;
    loop {
        let next = async {
            match &mut happenings {
                Some(happenings) => happenings.next().await.and_then(Result::ok),
                None => {
                    sleep(AGAIN).await;
                    None
                }
            }
        };
        tokio::select! {
            happening = next => match happening {
                Some(happening) if ours.has(&inner, &happening.project).await => inner.tell(of(&happening)),
                Some(_) => {}
                None => happenings = connect(&inner).await,
            },
            _ = moves.changed() => works.tell(&inner),
            _ = anybody.tick() => if inner.is_alone() {
                return;
            },
            () = stop.cancelled() => return,
        }
    }
}

/// The engine's events, where it gives them. Whether it does is told when that changes.
async fn connect(inner: &Inner) -> Option<Happenings> {
    let setting = inner.works.setting();
    let happenings = match engine::connect(&setting.environment, setting.double.as_ref()).await {
        Ok(engine) => engine.happenings().await.ok(),
        Err(_) => None,
    };
    let now = if happenings.is_some() { Heard::Reachable } else { Heard::Unreachable };
    if inner.heard(now) {
        inner.tell(Told::new("engine", json!({"state": inner.engine_word()})));
    }
    if happenings.is_some() {
        // Nobody heard what was before.
        inner.tell(inner.resync());
    }
    happenings
}

fn of(happening: &Happening) -> Told {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(happening.at)).ok();
    let Happening { what, container, name, project, service, exit_code, .. } = happening;
    Told::new(
        "container",
        json!({"at": at.map(rfc3339), "what": what.word(), "id": container, "name": name, "project": project, "service": service, "exit_code": exit_code}),
    )
}

/// The projects that this home looks after: of others nothing is told.
#[derive(Default)]
struct Ours {
    read: Option<Instant>,
    names: BTreeSet<String>,
}

impl Ours {
    async fn has(&mut self, inner: &Inner, project: &str) -> bool {
        if self.read.is_none_or(|read| read.elapsed() >= PROJECTS) {
            let dir = inner.works.setting().home.clone();
            // One that cannot be read now looks after what it did.
            if let Ok(Ok(home)) = tokio::task::spawn_blocking(move || Home::open(dir)).await {
                self.names = home.config.adopted.into_keys().chain([home.config.name]).collect();
            }
            self.read = Some(Instant::now());
        }
        self.names.contains(project)
    }
}

/// How each work was told last.
struct Shown(BTreeMap<String, &'static str>);

impl Shown {
    fn of(works: &Works) -> Shown {
        Shown(works.list().iter().map(|work| (work.id.clone(), work.state())).collect())
    }

    fn tell(&mut self, inner: &Inner) {
        let all = inner.works.list();
        for work in all.iter().rev() {
            let state = work.state();
            if self.0.get(&work.id) != Some(&state) {
                let (id, verb, who) = (&work.id, work.asked.verb, &work.asked.who);
                inner.tell(Told::new("work", json!({"id": id, "verb": verb, "who": who, "state": state})));
            }
        }
        *self = Shown::of(&inner.works);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;
    use crate::engine::fake;
    use crate::engine::{Engine, Host, Known};
    use crate::plan::request::{PROJECT, SERVICE};
    use crate::plan::wanted::ContainerRequest;
    use crate::plan::{Action, Target};
    use crate::stacks::works::{Asked, Setting};

    struct Scene {
        _dir: tempfile::TempDir,
        double: Arc<fake::Double>,
        works: Works,
        live: Live,
    }

    fn scene() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("hearth.yaml"), "name: home\n").unwrap();
        std::fs::create_dir(dir.path().join("stacks")).unwrap();
        let double = Arc::new(fake::Double::default());
        let works = Works::new(Setting {
            home: dir.path().into(),
            environment: Arc::default(),
            double: Some(double.clone() as Arc<dyn Host>),
            clock: Arc::new(SystemClock),
        });
        Scene { _dir: dir, double, live: Live::new(works.clone()), works }
    }

    async fn run(double: &fake::Double, project: &str) {
        let known = Known::default();
        let pull = Action::PullImage { reference: "any/image:1".into(), platform: None, optional: false };
        double.perform(&pull, &known, &|_| {}).await.unwrap();
        let request = ContainerRequest {
            name: format!("{project}-web-1"),
            service: "web".into(),
            number: 1,
            config: json!({"Image": "any/image:1", "Labels": {PROJECT: project, SERVICE: "web"}}),
            host_config: json!({}),
            ..ContainerRequest::default()
        };
        let name = request.name.clone();
        let create = Action::CreateContainer { request: Box::new(request), replaces: None };
        let id = double.perform(&create, &known, &|_| {}).await.unwrap().id.unwrap();
        let start = Action::StartContainer { container: Target::Existing { id, name } };
        double.perform(&start, &known, &|_| {}).await.unwrap();
    }

    /// The next event that is none of the beginning's.
    async fn next(watch: &mut Watch) -> Value {
        loop {
            let told = tokio::time::timeout(Duration::from_secs(20), watch.next()).await.unwrap().unwrap();
            if !["engine", RESYNC].contains(&told.name) {
                return serde_json::from_str(&told.data).unwrap();
            }
        }
    }

    async fn connected(scene: &Scene) -> Watch {
        let mut watch = scene.live.watch();
        let mut word = String::new();
        while word != "reachable" {
            let told = watch.next().await.unwrap();
            let value: Value = serde_json::from_str(&told.data).unwrap();
            word = value["engine"].as_str().unwrap_or_default().to_string();
        }
        watch
    }

    #[tokio::test]
    async fn everybody_hears_what_happens_to_containers_of_the_home_and_of_no_other() {
        let scene = scene();
        let (mut one, mut other) = (connected(&scene).await, scene.live.watch());
        run(&scene.double, "stranger").await;
        run(&scene.double, "home").await;
        for watch in [&mut one, &mut other] {
            let told = next(watch).await;
            assert_eq!(
                (&told["what"], &told["project"], &told["service"]),
                (&json!("created"), &json!("home"), &json!("web"))
            );
            assert_eq!(next(watch).await["what"], "started");
        }
    }

    #[tokio::test]
    async fn works_are_told_when_they_begin_and_end() {
        let scene = scene();
        let mut watch = connected(&scene).await;
        let asked = Asked { verb: "up", who: "ann (session)".into(), ..Asked::default() };
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let run = move |_: &crate::cli::Out| {
            let _ = wait.recv();
            Ok(())
        };
        let work = scene.works.begin(asked, run).unwrap();
        let told = next(&mut watch).await;
        assert_eq!((&told["id"], &told["verb"], &told["state"]), (&json!(work.id), &json!("up"), &json!("running")));
        go.send(()).unwrap();
        assert_eq!(next(&mut watch).await["state"], "done");
    }

    #[tokio::test]
    async fn while_nobody_watches_nothing_is_listened_to() {
        let scene = scene();
        let soon = Duration::from_millis(20);
        let scene = Scene { live: Live::looking(scene.works.clone(), soon), ..scene };
        let listens = || *scene.live.0.listens.lock().unwrap();
        assert!(!listens());
        let watch = connected(&scene).await;
        assert!(listens());
        sleep(soon * 5).await;
        assert!(listens());
        drop(watch);
        sleep(soon * 5).await;
        assert!(!listens());
        connected(&scene).await;
    }

    #[tokio::test]
    async fn who_lies_behind_is_told_to_look_anew() {
        let scene = scene();
        let mut watch = connected(&scene).await;
        (0..BEHIND * 2).for_each(|n| scene.live.0.tell(Told::new("work", json!({"id": n}))));
        assert_eq!(watch.next().await.unwrap().name, RESYNC);
        assert_eq!(watch.next().await.unwrap().name, "work");
    }
}
