//! What was done and refused, each entry as a sentence: all of it for admins, one's own acts for everybody else, as the calls say.

pub mod sentence;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use time::OffsetDateTime;

use super::refusal::{self, Told};
use super::shell::Shell;
use super::words::{Mark, Moment};
use super::{Panel, page};
use crate::auth::audit::entry::Shown;
use crate::auth::audit::{Author, Log, Outcome};
use crate::auth::json::audit::{self as calls, Looked, Noted, Which};
use crate::auth::who::{Admin, Role, User};
use crate::web::lang::filters;
use crate::web::read::Query;
use crate::web::{Lang, list};

const EACH: u16 = 50;

#[derive(Debug, Template)]
#[template(path = "panel/audit/page.html")]
pub struct Page {
    pub shell: Shell,
    pub told: Vec<Told>,
    pub asked: Asked,
    pub outcomes: Vec<Choice>,
    pub kinds: Vec<Choice>,
    pub all: Vec<Row>,
    /// Where the next ones are.
    pub next: Option<String>,
    /// Where the same is taken from, as a file.
    pub csv: String,
    pub jsonl: String,
    /// They see all of it.
    pub sees_all: bool,
}

#[derive(Debug, Clone)]
pub struct Choice {
    pub value: &'static str,
    /// The name of its word.
    pub key: &'static str,
    pub is: bool,
}

/// An entry.
#[derive(Debug, Clone)]
pub struct Row {
    pub mark: Mark,
    pub who: String,
    /// The name of a word in the place of a name.
    pub nobody: Option<&'static str>,
    /// What was done, as a sentence.
    pub said: String,
    pub when: Option<Moment>,
    pub facts: Vec<(&'static str, String)>,
}

/// Which entries.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub who: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub service: String,
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub outcome: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub since: String,
    #[serde(default)]
    pub until: String,
    #[serde(default)]
    pub after: String,
}

impl Asked {
    fn fields(&self) -> [(&'static str, &String); 8] {
        [
            ("who", &self.who),
            ("action", &self.action),
            ("service", &self.service),
            ("search", &self.search),
            ("outcome", &self.outcome),
            ("kind", &self.kind),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }

    pub fn is_all(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.is_empty())
    }

    fn which(&self) -> Which {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Which {
            limit: Some(EACH),
            after: given(&self.after),
            who: given(&self.who),
            action: given(&self.action),
            service: given(&self.service),
            search: given(&self.search),
            outcome: given(&self.outcome),
            kind: given(&self.kind),
            since: given(&self.since),
            until: given(&self.until),
            ..Which::default()
        }
    }

    /// The same filter at an address, with one more field.
    fn path(&self, path: &str, more: (&str, &str)) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(more.0, more.1);
        for (name, value) in self.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("{path}?{}", query.finish())
    }
}

pub async fn show(
    who: User,
    State(panel): State<Panel>,
    State(log): State<Log>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/audit", "/audit");
    match calls::list(who, State(log), Query(asked.which())).await {
        Ok(axum::Json(found)) => page(&headers, &of(shell, asked, found, panel.clock.now())),
        Err(refused) => {
            let empty = list::Page { items: Vec::new(), next: None };
            let again = |told| Page { told, ..of(shell, asked, empty, panel.clock.now()) };
            super::form_page(&headers, refused.into_response(), again).await
        }
    }
}

pub fn of(shell: Shell, asked: Asked, found: list::Page<Shown>, now: OffsetDateTime) -> Page {
    let lang = shell.lang;
    let outcomes = Outcome::ALL.map(|one| Choice {
        value: one.word(),
        key: outcome(one.word()).key,
        is: asked.outcome == one.word(),
    });
    let kinds = Author::KINDS.map(|one| Choice { value: one, key: kind(one), is: asked.kind == one });
    Page {
        told: Vec::new(),
        outcomes: outcomes.to_vec(),
        kinds: kinds.to_vec(),
        all: found.items.into_iter().map(|entry| row(entry, lang, now)).collect(),
        next: found.next.map(|after| asked.path("/audit", ("after", &after))),
        csv: asked.path("/api/v1/audit/export", ("format", "csv")),
        jsonl: asked.path("/api/v1/audit/export", ("format", "jsonl")),
        sees_all: shell.role == Role::Admin,
        shell,
        asked,
    }
}

fn outcome(word: &str) -> Mark {
    match word {
        "done" => Mark::of("done", "audit-done"),
        "begun" => Mark::of("working", "audit-begun"),
        "refused" => Mark::of("warning", "audit-refused"),
        _ => Mark::of("failed", "audit-failed"),
    }
}

fn kind(word: &str) -> &'static str {
    match word {
        "user" => "audit-user",
        "token" => "audit-token",
        "terminal" => "audit-terminal",
        "system" => "audit-system",
        _ => "audit-nobody",
    }
}

fn row(entry: Shown, lang: Lang, now: OffsetDateTime) -> Row {
    let mut facts = vec![
        ("audit-fact-action", entry.action.clone()),
        ("audit-fact-object", entry.object.clone()),
        ("audit-fact-from", entry.from.clone()),
        ("audit-fact-kind", lang.say(kind(&entry.kind)).into_owned()),
        ("audit-fact-took", crate::base::units::duration(std::time::Duration::from_millis(entry.ms.unsigned_abs()))),
        ("audit-fact-request", entry.request.clone()),
    ];
    if entry.detail.as_object().is_some_and(|map| !map.is_empty()) {
        facts.push(("audit-fact-detail", entry.detail.to_string()));
    }
    facts.push(("audit-fact-number", format!("{} · {}", entry.seq, entry.hash)));
    facts.retain(|(_, text)| !text.is_empty());
    let nobody = entry.who.is_empty().then(|| kind(&entry.kind));
    Row {
        mark: outcome(&entry.outcome),
        said: said(&entry, lang),
        nobody,
        when: Moment::read(&entry.time, now),
        who: entry.who,
        facts,
    }
}

fn said(entry: &Shown, lang: Lang) -> String {
    let said = sentence::of(entry);
    lang.with(said.key, [("what", said.what.into()), ("tried", said.tried.into())]).trim_end().to_owned()
}

/// What a look at the whole chain has found.
#[derive(Debug, Template)]
#[template(path = "panel/audit/verify.html")]
pub struct Verified {
    pub shell: Shell,
    pub looked: Looked,
    /// From where to where.
    pub words: String,
    /// Number and hash of the last entry, to be written down elsewhere.
    pub note: Option<String>,
}

pub async fn verify(admin: Admin, State(panel): State<Panel>, State(log): State<Log>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&admin, &headers, "/audit/verify", "/audit");
    match calls::look(admin, State(log), Query(Noted::default())).await {
        Ok(axum::Json(looked)) => page(&headers, &of_look(shell, looked)),
        Err(refused) => refusal::page(shell, &headers, refused.into_response()).await,
    }
}

pub fn of_look(shell: Shell, looked: Looked) -> Verified {
    let note = looked.last.zip(looked.hash.as_ref()).map(|(last, hash)| format!("{last}:{hash}"));
    let ends = looked.first.zip(looked.last).unwrap_or_default();
    let words = shell
        .lang
        .with("audit-sound-words", [("first", ends.0.to_string().into()), ("last", ends.1.to_string().into())]);
    Verified { shell, looked, words, note }
}
