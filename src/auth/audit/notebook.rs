//! What the table of routes hands in becomes an entry.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Author, Log, Note};
use crate::auth::table::{Act, Notebook};
use crate::auth::who::{Asking, By};

#[async_trait]
impl Notebook for Log {
    async fn note(&self, act: Act) {
        let (action, request, from) = (act.action.clone(), act.request.clone(), act.from);
        let refused = act.status >= 400;
        let note = note(act, self.clock.now());
        // What was done by somebody is never only counted, nor what the owner of the machine does.
        let counts = match note.who {
            Author::Nobody => true,
            Author::User { .. } | Author::Token { .. } => refused,
            Author::Terminal(_) | Author::System => false,
        };
        let note = if counts { self.at_once(from, 1, note) } else { Some(note) };
        let Some(note) = note else { return };
        if let Err(told) = self.add(note).await {
            tracing::error!(action, request, why = %told.whole(), "an act could not be entered into the audit log");
        }
    }
}

fn note(act: Act, at: time::OffsetDateTime) -> Note {
    let mut detail = match act.detail {
        Some(Value::Object(map)) => map,
        Some(other) => serde_json::Map::from_iter([("detail".to_owned(), other)]),
        None => serde_json::Map::new(),
    };
    if act.status >= 400 {
        detail.insert("status".into(), json!(act.status));
    }
    let who = match (&act.signed_in, &act.asking) {
        (Some(new), _) => Author::User { id: new.user, name: new.name.clone() },
        (None, asking) => of(asking, &mut detail),
    };
    Note {
        at,
        who,
        source: act.from.to_string(),
        action: act.action,
        object: act.object,
        outcome: act.outcome,
        took: act.took,
        request: act.request,
        detail: Value::Object(detail),
    }
}

fn of(asking: &Asking, detail: &mut serde_json::Map<String, Value>) -> Author {
    match asking {
        Asking::Nobody => Author::Nobody,
        Asking::Refused(why) => {
            detail.insert("shown".into(), json!(why.code));
            Author::Nobody
        }
        Asking::Somebody(who) => match &who.by {
            By::Session(_) | By::Access(_) => Author::User { id: who.user, name: who.name.clone() },
            By::Token { id, .. } => Author::Token { id: who.user, name: who.name.clone(), token: id.clone() },
            By::Terminal => Author::Terminal(who.name.clone()),
        },
    }
}
