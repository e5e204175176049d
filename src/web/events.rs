//! Server-sent events (HTML, 9.2): one answer that goes on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};

use super::activity::{Activity, Working};

/// A word to the client when there is nothing to say: proxies end what is silent for long.
const ALIVE: Duration = Duration::from_secs(25);

/// One event.
#[derive(Debug, Clone)]
pub struct Message {
    /// What the client gives back as `Last-Event-ID` when it comes again.
    pub id: Option<u64>,
    /// One word.
    pub name: String,
    /// JSON on one line.
    pub data: Arc<str>,
}

/// Keeps a connection from counting as idle for as long as it lives.
pub struct Held {
    _working: Option<Working>,
}

impl<S: Send + Sync> FromRequestParts<S> for Held {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Held { _working: parts.extensions.get::<Activity>().map(Activity::work) })
    }
}

/// How soon a page asks again whose stream was broken.
const AGAIN: Duration = Duration::from_secs(1);

/// The answer: events until there are no more, or `end` comes true.
pub fn answer(
    messages: impl Stream<Item = Message> + Send + 'static,
    held: Held,
    end: impl Future<Output = ()> + Send + 'static,
) -> Response {
    answer_after(futures_util::stream::empty(), messages, held, end)
}

/// The same for a page, which asks again soon where its stream was broken.
pub fn answer_page(
    messages: impl Stream<Item = Message> + Send + 'static,
    held: Held,
    end: impl Future<Output = ()> + Send + 'static,
) -> Response {
    let first = async { Event::default().retry(AGAIN) };
    answer_after(futures_util::stream::once(first), messages, held, end)
}

fn answer_after(
    first: impl Stream<Item = Event> + Send + 'static,
    messages: impl Stream<Item = Message> + Send + 'static,
    held: Held,
    end: impl Future<Output = ()> + Send + 'static,
) -> Response {
    let event = move |message: Message| {
        // It lives as long as the stream does.
        let _ = &held;
        let event = Event::default().event(message.name).data(&*message.data);
        match message.id {
            Some(id) => event.id(id.to_string()),
            None => event,
        }
    };
    let events = first.chain(messages.take_until(end).map(event)).map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}
