//! Whom gate has turned away from services becomes entries of the audit.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use time::OffsetDateTime;

use crate::auth::accounts::Auth;
use crate::auth::audit::crowd::shown;
use crate::auth::audit::entry::words;
use crate::auth::audit::{Author, Log, Note, Outcome};
use crate::diag::{Diagnostic, Kind};
use crate::traefik::forward::wire::Refused;

/// The action of such an entry.
pub const ACTION: &str = "services.enter";
/// And of one that says how many gate could not hold.
pub const LOST: &str = "services.lost";

/// Who enters what gate tells.
#[async_trait]
pub trait Refusals: Send + Sync + 'static {
    /// `lost`: how many more there were, of which nothing else is known. An error: none of it was entered.
    async fn refused(&self, all: Vec<Refused>, lost: u64) -> Result<(), Diagnostic>;
}

/// Into the home's audit log.
pub struct Entered {
    pub auth: Arc<Auth>,
    pub log: Log,
}

#[async_trait]
impl Refusals for Entered {
    async fn refused(&self, all: Vec<Refused>, lost: u64) -> Result<(), Diagnostic> {
        let (mut notes, mut refused) = (Vec::new(), Vec::new());
        for one in all {
            let user = match &one.user {
                None => None,
                Some(name) => match self.auth.user_named(name).await {
                    Ok(user) => Some(user.id),
                    // Gone since.
                    Err(told) if told.kind == Kind::NotFound => None,
                    Err(told) => return Err(told),
                },
            };
            let from = one.from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            refused.push((from, one.count, note(&one, user)));
        }
        if lost > 0 {
            let words = format!("{lost} more refusals at services");
            let detail = json!({"lost": lost, "why": "gate had no place for more sorts of them, while Hearth was away or too many came"});
            notes.push(Note::of_system(self.log.moment(), LOST, &words, detail));
        }
        self.log.add_all(notes).await?;
        // Only now: what is told again must not be counted twice.
        let first = refused.into_iter().filter_map(|(from, times, note)| self.log.at_once(from, times, note)).collect();
        if let Err(why) = self.log.add_all(first).await {
            tracing::error!(why = %why.whole(), "whom gate has turned away could not be entered into the audit log");
        }
        Ok(())
    }
}

fn note(one: &Refused, user: Option<i64>) -> Note {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(one.last) * 1_000_000);
    let mut detail = json!({"status": one.status, "times": one.count});
    if one.count > 1 {
        detail["first"] = json!(words(one.first));
    }
    let who = match (&one.user, user) {
        (Some(name), Some(id)) => Author::User { id, name: name.clone() },
        (Some(name), None) => {
            detail["username"] = json!(name);
            Author::Nobody
        }
        (None, _) => Author::Nobody,
    };
    Note {
        at: at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        who,
        source: one.from.map(shown).unwrap_or_default(),
        action: ACTION.into(),
        object: one.service.clone(),
        outcome: Outcome::Refused,
        took: Duration::ZERO,
        request: String::new(),
        detail,
    }
}
