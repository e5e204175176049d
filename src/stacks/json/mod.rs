//! The room's face for programs: one file a subject, each with its four parts: request, answer, error, handler.
//!
//! Nothing is done here that a command of the terminal does not do: a short verb runs while its caller waits, a long one becomes a work
//! ([`super::works`]) and is answered with 202 and where it can be watched.

pub mod adoption;
mod bare;
pub mod containers;
pub mod disks;
pub mod exec;
pub mod history;
pub mod live;
pub mod logs;
pub mod loose;
mod places;
pub mod plans;
pub mod profiles;
pub mod route;
pub mod services;
pub mod settings;
pub mod stacks;
pub mod storage;
mod talk;
pub mod variables;
pub mod verbs;
pub mod versions;
pub mod works;

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::FrontDoor;
use super::home::editing::{self, Editing};
use super::home::{Home, Refused};
use super::live::Live;
use super::who::quoted;
use super::works::{Asked, Works};
use crate::args::Global;
use crate::auth::table::stay::ended;
use crate::auth::table::{Doorkeeper, Later};
use crate::auth::tickets::Tickets;
use crate::auth::who::{By, Identity};
use crate::base::random::SystemRandom;
use crate::base::wording;
use crate::cli::{Done, Ear, Failure, Out};
use crate::diag::{Diagnostic, Diagnostics, Kind, Severity, Sources, Span};
use crate::web::{Refusal, Refusals};
pub use bare::event as bare_event;
use places::Places;

/// What handlers of this room, and of those above it, work with.
#[derive(Clone)]
pub struct Api {
    pub works: Works,
    pub live: Live,
    pub door: Arc<dyn FrontDoor + Send + Sync>,
    pub tickets: Arc<Tickets<exec::Asked>>,
    pub keeper: Arc<dyn Doorkeeper>,
    places: Arc<Places>,
}

impl Api {
    pub fn new(works: Works, door: Arc<dyn FrontDoor + Send + Sync>, keeper: Arc<dyn Doorkeeper>) -> Api {
        let tickets = Arc::new(Tickets::new(works.setting().clock.clone(), Arc::new(SystemRandom)));
        Api { live: Live::new(works.clone()), works, door, tickets, keeper, places: Arc::default() }
    }

    /// The home as it is now.
    pub fn home(&self) -> Result<Home, Refused> {
        Home::open(self.works.setting().home.clone())
    }

    /// Who saves a file of the home holds it, from the look at its version to the end.
    async fn editing(&self) -> Result<Editing, Response> {
        let dir = self.works.setting().home.clone();
        let held = tokio::task::spawn_blocking(move || editing::begin(&dir)).await;
        held.unwrap_or_else(|_| Err(super::works::panicked())).map_err(|told| Refusal(told).into_response())
    }

    /// The flags before the command, for a project that this home looks after: its own, or one that it has adopted. Of others nothing is shown, so
    /// nothing can be done to them either.
    pub fn global(&self, project: Option<&str>) -> Result<Global, Refused> {
        let mut global = self.works.setting().global();
        let Some(name) = project else { return Ok(global) };
        let home = self.home()?;
        if name != home.config.name && !home.config.adopted.contains_key(name) {
            let d = Diagnostic::error("home.no-project", format!("this home knows no project `{name}`"));
            let known = std::iter::once(&home.config.name).chain(home.config.adopted.keys()).map(String::as_str);
            return Err(meant(d, name, known, "/api/v1/projects").into());
        }
        global.project_name = Some(name.to_string());
        Ok(global)
    }

    /// Runs a short verb of somebody, on a thread where it may wait. What it refuses is the answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        who: &Identity,
        words: &[&str],
        run: impl FnOnce(&Out) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refusals> {
        let _place = self.places.take(who.user).await;
        let heard = Arc::new(Heard::default());
        let asked = asked(who, "", words);
        let out = self.works.setting().out(&asked, heard.clone(), CancellationToken::new());
        let ran = tokio::task::spawn_blocking(move || run(&out)).await;
        let failure = match ran {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure,
            Err(_) => super::works::panicked().into(),
        };
        Err(heard.refusals(failure))
    }

    /// For what stays open: comes true when the server stops, or whoever it is would not be let in any more.
    pub fn end_of(&self, who: &Identity) -> impl Future<Output = ()> + Send + 'static {
        let (stop, ended) = (self.works.stopping(), ended(self.keeper.clone(), who.clone()));
        async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = ended => {}
            }
        }
    }

    /// Begins a long verb of somebody: 202, with where it is.
    pub fn begin(
        &self,
        who: &Identity,
        verb: &'static str,
        words: &[&str],
        run: impl FnOnce(&Out) -> Done + Send + 'static,
    ) -> Result<Begun, Refusal> {
        let asked = Asked { later: Later::of_this_call(), ..asked(who, verb, words) };
        let work = self.works.begin(asked, run)?;
        Ok(Begun(works::Shown::of(&work)))
    }
}

/// `words`: the command line without `hearth`.
fn asked(who: &Identity, verb: &'static str, words: &[&str]) -> Asked {
    let way = match &who.by {
        By::Session(_) => "session".to_string(),
        By::Access(_) => "program".to_string(),
        By::Token { id, .. } => format!("token {id}"),
        By::Terminal => "terminal".to_string(),
    };
    let command = words.iter().fold("hearth".to_string(), |line, word| line + " " + &quoted(word));
    Asked { user: who.user, who: format!("{} ({way})", who.name), verb, command, later: None }
}

/// The answer to whoever began a work.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Accepted {
    work: works::Shown,
}

/// 202, and `Location`: where the work is.
#[derive(Debug)]
pub struct Begun(pub works::Shown);

impl IntoResponse for Begun {
    fn into_response(self) -> Response {
        let at = HeaderValue::try_from(format!("/api/v1/works/{}", self.0.id)).unwrap_or(HeaderValue::from_static("/"));
        (StatusCode::ACCEPTED, [(header::LOCATION, at)], axum::Json(Accepted { work: self.0 })).into_response()
    }
}

impl From<Refused> for Refusals {
    fn from(refused: Refused) -> Refusals {
        Refusals(refused.diagnostics, refused.sources)
    }
}

/// Says which of the known names may be meant, and where all of them are.
fn meant<'a>(d: Diagnostic, name: &str, known: impl IntoIterator<Item = &'a str>, all: &str) -> Diagnostic {
    let d = match wording::nearest(name, known) {
        Some(near) => d.hint(format!("did you mean `{near}`?")),
        None => d,
    };
    d.kind(Kind::NotFound).hint(format!("see which there are: GET {all}"))
}

/// What a short verb said.
#[derive(Default)]
struct Heard(Mutex<(Diagnostics, Sources)>);

impl Heard {
    fn refusals(&self, failure: Failure) -> Refusals {
        let (mut told, sources) = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match failure {
            Failure::Told(more) => told.extend(more),
            Failure::Code(code) if !told.has_errors() => told.push(unsaid(code)),
            Failure::Code(_) => {}
        }
        told.0.retain(|d| d.severity == Severity::Error);
        Refusals(told, sources)
    }
}

/// A verb that ended badly without a word: it has told everything elsewhere.
fn unsaid(code: u8) -> Diagnostic {
    Diagnostic::error("works.failed", format!("it ended with {code}"))
        .kind(Kind::Failed)
        .hint("the server's log may say why")
}

impl Ear for Heard {
    fn event(&self, _: &Value) {}
    fn value(&self, _: &Value) {}
    fn words(&self, _: &str) {}

    fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, kept) = &mut *heard;
        // Places of several loads come together here: each points into its own texts.
        let mut moved = |span: Span| {
            let path = sources.path(span.file);
            let file = kept.find(path).unwrap_or_else(|| kept.add(path, sources.get(span.file).text.clone()));
            Span { file, ..span }
        };
        let mut diagnostic = diagnostic.clone();
        diagnostic.place = diagnostic.place.map(&mut moved);
        diagnostic.related.iter_mut().for_each(|(span, _)| *span = moved(*span));
        told.push(diagnostic);
    }
}
