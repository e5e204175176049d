//! What the table of routes hands in becomes an entry.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Author, Log, Note};
use crate::auth::table::{Act, Notebook};
use crate::auth::who::{Asking, By};

#[async_trait]
impl Notebook for Log {
    async fn note(&self, act: Act) {
        let (action, request) = (act.action.clone(), act.request.clone());
        if let Err(told) = self.add(note(act, self.clock.now())).await {
            tracing::error!(action, request, why = %told, "an act could not be entered into the audit log");
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
    let who = match &act.asking {
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
