//! Long verbs that were asked for from elsewhere: each runs on a thread of its own, is told as events that can be watched from any of them on, and
//! goes on when whoever began it is gone.
//!
//! All of this is in memory, and bounded: what is final stands in history, and a work that the process does not survive is one that was killed
//! there.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::history::new_id;
use super::home::known::Readings;
use crate::args::Global;
use crate::auth::table::{Later, Outcome};
use crate::base::clock::{Clock, rfc3339};
use crate::cli::{Behalf, Done, Ear, Failure, Out};
use crate::diag::{Diagnostic, Kind, Severity, Sources, text};
use crate::engine::Host;

/// Works that are remembered after their end.
const KEPT: usize = 50;
/// Works at once: each has a thread.
const AT_ONCE: usize = 8;
/// Events of one work that can still be read, and the bytes of all of them.
const EVENTS: usize = 2000;
const BYTES: usize = 512 << 10;
/// How long its end waits for the audit.
const NOTED: Duration = Duration::from_secs(15);
/// How the audit calls the end of a work.
const ENDED: &str = "works.end";

/// In what verbs run that are asked for from elsewhere: the home, and how its engine is found.
#[derive(Clone)]
pub struct Setting {
    pub home: PathBuf,
    /// The process environment, which is nobody's but the server's: in a home only `.env` gives variables.
    pub environment: Arc<BTreeMap<String, String>>,
    /// The engine in memory, in its place.
    pub double: Option<Arc<dyn Host>>,
    pub clock: Arc<dyn Clock>,
}

impl Setting {
    /// The flags before the command, as the command line would have them in this home.
    pub fn global(&self) -> Global {
        Global { home: Some(self.home.clone()), ..Global::default() }
    }

    /// For one command of somebody.
    pub fn out(&self, asked: &Asked, ear: Arc<dyn Ear>, cancel: CancellationToken) -> Out {
        let behalf = Behalf {
            who: asked.who.clone(),
            command: asked.command.clone(),
            environment: self.environment.clone(),
            double: self.double.clone(),
            ear,
            cancel,
        };
        Out::on_behalf(behalf, self.home.clone())
    }
}

/// What somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The id of the account.
    pub user: i64,
    /// For people: `ann (session)`.
    pub who: String,
    /// `up`, `down`, ...
    pub verb: &'static str,
    /// What would have to be typed for the same.
    pub command: String,
    /// Whom the audit names at its end.
    pub later: Option<Later>,
}

/// One event of a work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// From 1, without gaps as they happen; old ones are forgotten.
    pub number: u64,
    /// `plan`, `started`, `finished`, `diagnostic`, `words`, `end`, ...
    pub name: String,
    /// JSON.
    pub data: Arc<str>,
}

/// How a work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub at: OffsetDateTime,
    /// `done`, `failed` or `interrupted`.
    pub outcome: &'static str,
    /// The exit code that the command would have had.
    pub code: u8,
    /// The first error, as JSON.
    pub error: Option<Value>,
}

/// One long verb.
pub struct Work {
    pub id: String,
    pub asked: Asked,
    pub began: OffsetDateTime,
    cancel: CancellationToken,
    said: Mutex<Said>,
    /// The number of the last event.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Said {
    events: VecDeque<Event>,
    bytes: usize,
    error: Option<Value>,
    end: Option<End>,
}

impl Work {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` while it runs.
    pub fn end(&self) -> Option<End> {
        self.said().end.clone()
    }

    /// `running`, or how it ended.
    pub fn state(&self) -> &'static str {
        self.said().end.as_ref().map_or("running", |end| end.outcome)
    }

    /// Number of the last event so far.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// The events after this number that are still known, and whether there will be no more.
    pub fn after(&self, number: u64) -> (Vec<Event>, bool) {
        let said = self.said();
        (said.events.iter().filter(|e| e.number > number).cloned().collect(), said.end.is_some())
    }

    /// Wakes with every event.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// As the first Ctrl-C: what has begun is finished or taken back, nothing new begins. `false`: it has ended already.
    pub fn cancel(&self) -> bool {
        let runs = self.end().is_none();
        self.cancel.cancel();
        runs
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn say(&self, name: &str, value: &Value) {
        self.say_with(self.said(), name, value);
    }

    fn say_with(&self, mut said: MutexGuard<'_, Said>, name: &str, value: &Value) {
        let data: Arc<str> = value.to_string().into();
        let number = said.events.back().map_or(self.last(), |e| e.number) + 1;
        said.bytes += data.len();
        said.events.push_back(Event { number, name: name.to_string(), data });
        while said.events.len() > 1 && (said.events.len() > EVENTS || said.bytes > BYTES) {
            if let Some(old) = said.events.pop_front() {
                said.bytes -= old.data.len();
            }
        }
        drop(said);
        self.last.send_replace(number);
    }

    /// How it ended, before anybody is told.
    fn ending(&self, done: Done, now: OffsetDateTime) -> End {
        let code = match done {
            Ok(()) => 0,
            Err(Failure::Code(code)) => code,
            Err(Failure::Told(told)) => {
                told.0.iter().for_each(|d| self.diagnostic(d, &Sources::default()));
                told.exit_code().max(1)
            }
        };
        let outcome = match code {
            0 => "done",
            code if code == Kind::Interrupted.exit_code() => "interrupted",
            _ => "failed",
        };
        let error = self.said().error.clone().filter(|_| code != 0);
        End { at: now, outcome, code, error }
    }

    /// Enters its end into the audit. Whoever sees that it has ended finds that there.
    async fn note(&self, end: &End) {
        let Some(later) = &self.asked.later else { return };
        let mut detail = json!({"command": self.asked.command, "exit_code": end.code});
        if let Some(error) = &end.error {
            detail["code"] = error["code"].clone();
        }
        if end.outcome == "interrupted" {
            detail["interrupted"] = json!(true);
        }
        let outcome = if end.code == 0 { Outcome::Done } else { Outcome::Failed };
        later.ended(ENDED, format!("/api/v1/works/{}", self.id), outcome, detail).await;
    }

    fn finish(&self, end: End) {
        let value = json!({"event": "end", "outcome": end.outcome, "exit_code": end.code, "at": rfc3339(end.at)});
        let mut said = self.said();
        said.end = Some(end);
        // Under one lock: whoever sees that it has ended finds all of its events there.
        self.say_with(said, "end", &value);
    }
}

impl Ear for Work {
    fn event(&self, value: &Value) {
        self.say(value["event"].as_str().unwrap_or("event"), value);
    }

    fn value(&self, value: &Value) {
        self.say("document", &json!({"event": "document", "document": value}));
    }

    fn words(&self, words: &str) {
        let words = words.trim_end();
        if !words.is_empty() {
            self.say("words", &json!({"event": "words", "words": words}));
        }
    }

    fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        let mut value = text::to_json(diagnostic, sources);
        if diagnostic.severity == Severity::Error {
            self.said().error.get_or_insert_with(|| value.clone());
        }
        value["event"] = json!("diagnostic");
        self.say("diagnostic", &value);
    }
}

/// All works of a server. Clones share them.
#[derive(Clone)]
pub struct Works(Arc<Inner>);

struct Inner {
    setting: Setting,
    readings: Arc<Readings>,
    all: Mutex<VecDeque<Arc<Work>>>,
    running: watch::Sender<usize>,
    stop: CancellationToken,
}

impl Works {
    pub fn new(setting: Setting) -> Works {
        let (running, _) = watch::channel(0);
        let readings = Arc::new(Readings::new(setting.home.clone()));
        Works(Arc::new(Inner { setting, readings, all: Mutex::default(), running, stop: CancellationToken::new() }))
    }

    pub fn setting(&self) -> &Setting {
        &self.0.setting
    }

    /// The home's stacks, read once for all who look at them.
    pub fn readings(&self) -> Arc<Readings> {
        self.0.readings.clone()
    }

    /// Newest first.
    pub fn list(&self) -> Vec<Arc<Work>> {
        self.all().iter().rev().cloned().collect()
    }

    pub fn get(&self, id: &str) -> Option<Arc<Work>> {
        self.all().iter().find(|work| work.id == id).cloned()
    }

    /// Comes true when the server stops: whoever watches is let go.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stop.clone()
    }

    /// Wakes whenever one begins or has ended.
    pub fn moves(&self) -> watch::Receiver<usize> {
        self.0.running.subscribe()
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Work>>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a work; `run` does it, on a thread of its own.
    pub fn begin(
        &self,
        asked: Asked,
        run: impl FnOnce(&Out) -> Done + Send + 'static,
    ) -> Result<Arc<Work>, Diagnostic> {
        let mut all = self.all();
        if self.0.stop.is_cancelled() {
            let d = Diagnostic::error("works.stopping", "this server is stopping: nothing new is begun");
            return Err(d.kind(Kind::Unavailable).hint("send it again when it is back"));
        }
        let running = all.iter().filter(|work| work.end().is_none()).count();
        if running >= AT_ONCE {
            let d = Diagnostic::error("works.too-many", format!("{running} works are under way: no more at once"));
            return Err(d.kind(Kind::TooMany).hint("wait for one of them to end, or cancel one"));
        }
        let began = self.0.setting.clock.now();
        let work = Arc::new(Work {
            id: new_id(began),
            asked,
            began,
            cancel: CancellationToken::new(),
            said: Mutex::default(),
            last: watch::channel(0).0,
        });
        let out = self.0.setting.out(&work.asked, work.clone(), work.cancel.clone());
        let (one, inner, runtime) = (work.clone(), self.0.clone(), Handle::try_current().ok());
        self.0.running.send_modify(|n| *n += 1);
        let spawned = std::thread::Builder::new().name("work".into()).spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| run(&out))).unwrap_or_else(|_| Err(panicked().into()));
            let end = one.ending(done, inner.setting.clock.now());
            if let Some(runtime) = runtime {
                let noted = || runtime.block_on(async { tokio::time::timeout(NOTED, one.note(&end)).await });
                if !matches!(catch_unwind(AssertUnwindSafe(noted)), Ok(Ok(()))) {
                    tracing::error!(work = one.id, "the end of a work could not be entered into the audit log");
                }
            }
            one.finish(end);
            inner.running.send_modify(|n| *n -= 1);
        });
        if let Err(error) = spawned {
            self.0.running.send_modify(|n| *n -= 1);
            let d = Diagnostic::error("works.no-thread", format!("the system gives no thread ({error})"));
            return Err(d.kind(Kind::Failed).hint("the system is out of threads or memory: look at its limits"));
        }
        all.push_back(work.clone());
        while all.len() > KEPT {
            let Some(oldest) = all.iter().position(|work| work.end().is_some()) else { break };
            all.remove(oldest);
        }
        Ok(work)
    }

    /// Interrupts all that run, in order, and waits for them. Gives how many did not end in time.
    pub async fn stop(&self, patience: Duration) -> usize {
        self.0.stop.cancel();
        self.all().iter().for_each(|work| work.cancel.cancel());
        let mut running = self.0.running.subscribe();
        let _ = tokio::time::timeout(patience, running.wait_for(|n| *n == 0)).await;
        *self.0.running.borrow()
    }
}

pub(super) fn panicked() -> Diagnostic {
    Diagnostic::error("works.bug", "this was ended by a mistake in Hearth")
        .kind(Kind::Bug)
        .hint("look at what runs, then ask for the same again: it goes on from here")
        .hint("please report it, with what the server's log says")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;

    fn works() -> Works {
        Works::new(Setting {
            home: "/nowhere".into(),
            environment: Arc::default(),
            double: None,
            clock: Arc::new(SystemClock),
        })
    }

    fn asked(command: &str) -> Asked {
        Asked { user: 1, who: "ann (session)".into(), verb: "up", command: command.into(), later: None }
    }

    async fn ended(work: &Work) -> End {
        let mut watch = work.watch();
        while work.end().is_none() {
            watch.changed().await.unwrap();
        }
        work.end().unwrap()
    }

    #[tokio::test]
    async fn a_work_is_watched_from_any_event_on() {
        let works = works();
        let work = works
            .begin(asked("hearth up"), |out| {
                out.event(&json!({"event": "plan"}));
                out.say("words\n");
                out.diagnostic(&Diagnostic::warning("a.b", "a warning"), &Sources::default());
                Err(Diagnostic::error("c.d", "no").kind(Kind::Conflict).into())
            })
            .unwrap();
        let end = ended(&work).await;
        assert_eq!((end.outcome, end.code, end.error.unwrap()["code"].clone()), ("failed", 5, json!("c.d")));
        let names = |from| work.after(from).0.into_iter().map(|e| (e.number, e.name)).collect::<Vec<_>>();
        let all = ["plan", "words", "diagnostic", "diagnostic", "end"];
        assert_eq!(names(0), (1..).zip(all.map(String::from)).collect::<Vec<_>>());
        assert_eq!(names(4), [(5, "end".to_string())]);
        assert!(names(5).is_empty() && work.after(5).1);
    }

    #[tokio::test]
    async fn old_events_are_forgotten_before_memory_is() {
        let works = works();
        let work = works
            .begin(asked("hearth pull"), |out| {
                (0..10_000).for_each(|n| out.event(&json!({"event": "layer", "current": n})));
                (0..100).for_each(|_| out.say("x".repeat(100_000)));
                Ok(())
            })
            .unwrap();
        assert_eq!(ended(&work).await.outcome, "done");
        let (events, _) = work.after(0);
        assert!(events.iter().map(|e| e.data.len()).sum::<usize>() <= BYTES);
        assert_eq!((events.last().unwrap().name.as_str(), events.last().unwrap().number), ("end", 10_101));
    }

    #[tokio::test]
    async fn at_the_end_of_the_server_works_are_interrupted_in_order() {
        let works = works();
        let waits = |out: &Out| {
            let cancel = out.behalf.as_ref().unwrap().cancel.clone();
            while !cancel.is_cancelled() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(Failure::Code(130))
        };
        let work = works.begin(asked("hearth up"), waits).unwrap();
        let busy: Vec<_> = (1..AT_ONCE).map(|_| works.begin(asked("hearth up"), waits).unwrap()).collect();
        assert_eq!(works.begin(asked("hearth up"), waits).err().unwrap().code, "works.too-many");
        assert!(busy[0].cancel());
        assert_eq!(ended(&busy[0]).await.outcome, "interrupted");
        assert!(!busy[0].cancel());
        assert_eq!(works.stop(Duration::from_secs(5)).await, 0);
        assert_eq!(ended(&work).await.outcome, "interrupted");
        assert_eq!(works.begin(asked("hearth up"), |_| Ok(())).err().unwrap().kind, Kind::Unavailable);
    }

    #[tokio::test]
    async fn a_mistake_of_ours_ends_the_work_and_not_the_server() {
        let works = works();
        let work = works.begin(asked("hearth up"), |_| panic!("on purpose")).unwrap();
        let end = ended(&work).await;
        assert_eq!((end.outcome, end.error.unwrap()["code"].clone()), ("failed", json!("works.bug")));
        for _ in 0..KEPT + 5 {
            let work = works.begin(asked("hearth up"), |_| Ok(())).unwrap();
            ended(&work).await;
        }
        assert_eq!(works.list().len(), KEPT);
        assert!(works.get(&work.id).is_none());
    }
}
