//! The log of a service as it grows: of the container that there is, and of the one that comes after it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::Place;
use super::lines::Line;
use crate::auth::who::Viewer;
use crate::engine::EngineError;
use crate::panel::Panel;
use crate::stacks::json::logs;
use crate::stacks::seen::Seen;
use crate::web::events::{self, Held, Message};
use crate::web::read::{Path, Query};

/// So long lines are gathered before they are sent: nobody reads faster.
const GATHER: Duration = Duration::from_millis(100);
/// Of what comes meanwhile so many lines are sent, the last ones.
const MOST: usize = 2_000;
/// A log that cannot be read is asked for again after so long.
const AGAIN: Duration = Duration::from_secs(3);

#[derive(Debug, Default, Deserialize)]
pub struct From_ {
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    container: Option<String>,
    /// The container that the page has lines of.
    #[serde(default)]
    id: String,
    /// When the last of them came.
    #[serde(default)]
    since: Option<String>,
}

type Lines = Pin<Box<dyn Stream<Item = Result<logs::Line, EngineError>> + Send>>;

struct Following {
    who: Viewer,
    panel: Panel,
    place: Place,
    seen: watch::Receiver<Option<Arc<Seen>>>,
    /// The container whose lines they are.
    id: String,
    since: Option<String>,
    lines: Option<Lines>,
}

/// What comes next.
enum Next {
    Line(Result<logs::Line, EngineError>),
    Ended,
    /// Something of the home is other than before.
    Changed,
    Gone,
}

/// Server-sent events: `lines`, and `turn` where another container has taken the place of the one before.
pub async fn follow(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(from): Query<From_>,
    held: Held,
) -> Response {
    let end = panel.api.end_of(&who);
    let place = Place::of(name, from.project, from.container);
    let seen = panel.world.watch();
    // The first look is the world's own.
    panel.world.now().await;
    let following =
        Following { who, panel, place, seen, id: from.id, since: from.since.filter(|at| !at.is_empty()), lines: None };
    events::answer_page(stream::unfold(following, next), held, end)
}

async fn next(mut at: Following) -> Option<(Message, Following)> {
    loop {
        if let Some(turn) = at.look() {
            return Some((turn, at));
        }
        if at.lines.is_none() {
            at.open().await;
        }
        let first = match &mut at.lines {
            Some(lines) => tokio::select! {
                line = lines.next() => line.map_or(Next::Ended, Next::Line),
                changed = at.seen.changed() => changed.map_or(Next::Gone, |()| Next::Changed),
            },
            // It does not run, or cannot be read: until something happens.
            None => tokio::select! {
                changed = at.seen.changed() => changed.map_or(Next::Gone, |()| Next::Changed),
                () = sleep(AGAIN), if at.runs() => Next::Changed,
            },
        };
        match first {
            Next::Line(Ok(line)) => {
                if let Some(message) = at.gather(line).await {
                    return Some((message, at));
                }
            }
            Next::Line(Err(_)) | Next::Ended => {
                at.lines = None;
                // The engine says that it has ended a moment later.
                sleep(GATHER * 2).await;
            }
            Next::Changed => {}
            Next::Gone => return None,
        }
    }
}

impl Following {
    /// Looks which container it is now; the message where it is another one.
    fn look(&mut self) -> Option<Message> {
        let seen = self.seen.borrow_and_update().clone()?;
        let one = self.place.find(&seen).and_then(|service| self.place.chosen(service))?;
        if one.id == self.id {
            return None;
        }
        let replaced = !self.id.is_empty();
        self.id.clone_from(&one.id);
        self.lines = None;
        self.since = None;
        let data = json!({"container": one.name, "id": one.id}).to_string();
        replaced.then(|| Message { id: None, name: "turn".into(), data: data.into() })
    }

    fn runs(&self) -> bool {
        let seen = self.seen.borrow();
        let one = seen.as_ref().and_then(|seen| self.place.find(seen)).and_then(|service| self.place.chosen(service));
        one.is_some_and(|one| one.id == self.id && ["running", "paused", "restarting"].contains(&one.state))
    }

    /// Begins to read where it runs; of one that has ended only what the page has not seen yet, and once.
    async fn open(&mut self) {
        if self.id.is_empty() || !self.runs() && self.since.is_some() {
            return;
        }
        let which = logs::Which { project: self.place.project.clone(), tail: Some(5_000), since: self.since.clone() };
        let project = self.place.project.as_deref();
        let lines = logs::lines(&self.who, &self.panel.api, &self.id, project, Some(&which)).await;
        self.lines = lines.ok().map(|lines| Box::pin(lines) as Lines);
        if !self.runs() {
            self.since.get_or_insert_with(|| crate::base::clock::rfc3339(self.panel.clock.now()));
        }
    }

    /// This line and those that come right after it, as one message; `None`: the page has all of them.
    async fn gather(&mut self, first: logs::Line) -> Option<Message> {
        let mut waiting: VecDeque<Line> = VecDeque::new();
        let mut skipped = 0_usize;
        let until = Instant::now() + GATHER;
        let mut line = Some(first);
        loop {
            if let Some(line) = line.take()
                && self.is_new(&line)
            {
                waiting.push_back(Line::of(line));
                if waiting.len() > MOST {
                    waiting.pop_front();
                    skipped += 1;
                }
            }
            let lines = self.lines.as_mut()?;
            tokio::select! {
                biased;
                () = sleep_until(until) => break,
                next = lines.next() => match next {
                    Some(Ok(next)) => line = Some(next),
                    Some(Err(_)) | None => {
                        self.lines = None;
                        break;
                    }
                },
            }
        }
        let lines: Vec<Line> = waiting.into();
        if lines.is_empty() {
            return None;
        }
        let data = json!({"skipped": skipped, "lines": lines}).to_string();
        Some(Message { id: None, name: "lines".into(), data: data.into() })
    }

    /// Whether it came after the last one; it is the last one then.
    fn is_new(&mut self, line: &logs::Line) -> bool {
        let Some(at) = &line.at else { return true };
        // Both as the engine writes them: moments of one length in one zone.
        if self.since.as_ref().is_some_and(|since| since.len() == at.len() && at <= since) {
            return false;
        }
        self.since = Some(at.clone());
        true
    }
}
