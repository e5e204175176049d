//! What changes of a service's page while somebody has it open.

use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{ContainersPart, FiguresPart, HeadPart, MadePart, Page, Place, Which, WhyPart, inspect, of_service};
use crate::auth::who::Viewer;
use crate::panel::home::row_of;
use crate::panel::live::{Has, Piece, pieces_when};
use crate::panel::reach::{self, Way};
use crate::panel::refusal::{self, Told};
use crate::panel::{Panel, away, page};
use crate::proxy::json as routes;
use crate::stacks::json::containers::Inspected;
use crate::stacks::seen::Seen;
use crate::stacks::seen::service::Service;
use crate::web::events::{self, Held};
use crate::web::lang::filters;
use crate::web::list::MOST;
use crate::web::read::{Path, Query};

/// The container as it was inspected when its service was seen so.
type Known = Arc<Mutex<Option<(Service, Arc<Option<Inspected>>)>>>;

/// One page that is open.
#[derive(Clone)]
struct Open {
    who: Viewer,
    panel: Panel,
    place: Place,
    headers: HeaderMap,
    known: Known,
}

/// Server-sent events named `parts`: the pieces that are other than before.
pub async fn follow(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
    held: Held,
) -> Response {
    let (watch, end) = (panel.world.watch(), panel.api.end_of(&who));
    let place = Place::of(name, which.project, which.container);
    let open = Open { who, panel, place, headers, known: Known::default() };
    let seen = open.panel.world.now().await;
    let mut has = Has::default();
    // What was sent with the page is not sent again.
    let begins = which.number != Some(seen.number);
    if !begins {
        has.take(&open.pieces(&seen).await);
    }
    let make = move || {
        let open = open.clone();
        async move {
            let seen = open.panel.world.now().await;
            open.pieces(&seen).await
        }
    };
    events::answer_page(pieces_when(watch, has, begins, make), held, end)
}

impl Open {
    async fn pieces(&self, seen: &Seen) -> Vec<Piece> {
        // One that is gone stays as it was seen last.
        let Some(service) = self.place.find(seen) else { return Vec::new() };
        let ways = self.panel.ways.clone().of(&self.who).await;
        let now = self.panel.clock.now();
        let row = row_of(self.place.project.as_deref(), service, &ways, now);
        let inspected = self.inspected(service).await;
        let shell = self.panel.shell(&self.who, &self.headers, &self.place.to(""), "/");
        let shown = of_service(shell, self.place.clone(), row, service, seen, (*inspected).as_ref(), now);
        pieces(&shown)
    }

    /// The engine is asked again only when something of the service is other than before.
    async fn inspected(&self, service: &Service) -> Arc<Option<Inspected>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known().as_ref().filter(|(of, _)| of == service).map(|(_, found)| found.clone());
        if let Some(found) = same {
            return found;
        }
        let found = Arc::new(inspect(&self.who, &self.panel, &self.place, service).await);
        *known() = Some((service.clone(), found.clone()));
        found
    }
}

/// The pieces of the page. How long ago something was is no change.
pub fn pieces(page: &Page) -> Vec<Piece> {
    let lang = page.shell.lang;
    let (head, why, all, made) = (&page.head, &page.why, &page.all, &page.made);
    let since = |moment: &Option<super::Moment>| moment.as_ref().map(|at| at.exact.clone());
    let facts = |all: &[super::Fact]| -> Vec<(String, Option<String>)> {
        all.iter().flat_map(|fact| &fact.values).map(|said| (said.text.clone(), since(&said.when))).collect()
    };
    let waits: Vec<_> = why.waits.iter().map(|wait| (&wait.name, wait.mark.kind)).collect();
    let ones: Vec<_> =
        all.all.iter().map(|one| (&one.name, &one.state, &one.image, since(&one.since), one.is_shown)).collect();
    vec![
        away::piece(&page.away, lang),
        Piece::around(
            "service-head",
            &HeadPart { head },
            lang,
            &(head.mark.kind, since(&head.since), &head.about, &head.url, &head.acts, &head.more),
            Vec::new(),
        ),
        Piece::around(
            "service-why",
            &WhyPart { why },
            lang,
            &(&why.sentence, why.bad, facts(&why.facts), &why.output, waits),
            Vec::new(),
        ),
        Piece::around("service-containers", &ContainersPart { all }, lang, &(ones, &all.shown), Vec::new()),
        Piece::around(
            "service-figures",
            &FiguresPart { figures: &page.figures },
            lang,
            &page.figures.as_ref().map(|figures| &figures.stream),
            Vec::new(),
        ),
        Piece::around("service-made", &MadePart { made }, lang, &facts(made), Vec::new()),
    ]
}

/// The ways in, which are tried while the page is looked at already.
#[derive(Debug, Template)]
#[template(path = "panel/service/way.html")]
pub struct WayPart {
    pub ways: Vec<Way>,
    /// Why they cannot be told.
    pub told: Vec<Told>,
}

pub async fn way(who: Viewer, State(panel): State<Panel>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let shell = panel.shell(&who, &headers, "/routes", "/");
    let which = routes::Which { service: Some(name), limit: Some(MOST), ..Default::default() };
    let lang = shell.lang;
    match routes::list(who, State(panel.api.clone()), Query(which)).await {
        Ok(axum::Json(found)) => {
            let now = panel.clock.now();
            let ways = found.items.into_iter().map(|one| reach::way(one, now, lang)).collect();
            page(&headers, &WayPart { ways, told: Vec::new() })
        }
        // A part of a page that is there: what is refused, as where a stack holds mistakes, is said in its place.
        Err(refused) => page(&headers, &WayPart { ways: Vec::new(), told: refusal::read(refused).await.1 }),
    }
}
