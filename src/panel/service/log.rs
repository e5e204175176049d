//! What a service's container wrote: its page, and all of it as a file.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use time::OffsetDateTime;

use super::lines::Line;
use super::{Containers, Place, Tab, Which, containers_of, tabs};
use crate::auth::who::Viewer;
use crate::base::clock::{parse, rfc3339};
use crate::panel::ansi::plain;
use crate::panel::shell::Shell;
use crate::panel::words::part;
use crate::panel::{Panel, away, page, refusal};
use crate::stacks::json::logs;
use crate::stacks::seen::container::Container;
use crate::web::events::Held;
use crate::web::lang::filters;
use crate::web::read::{Path, Query};

/// Lines that the page begins with, where nobody asks for others.
const LINES: u16 = 500;
/// What can be chosen.
const CHOICES: [u16; 4] = [200, LINES, 2000, 5000];
const LEVELS: [&str; 5] = ["", "info", "warn", "error", "stderr"];

/// Lines of one container, and where those come from that follow.
#[derive(Debug, Clone, Default)]
pub struct Log {
    pub container: String,
    pub lines: Vec<Line>,
    pub stream: String,
    /// When the last line came.
    pub last: String,
    pub cut: bool,
    /// All of it.
    pub page: String,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/service/log.html")]
pub struct Page {
    pub shell: Shell,
    pub place: Place,
    pub tabs: Vec<Tab>,
    pub all: Containers,
    pub log: Log,
    pub asked: Asked,
    /// Lines that fit what is looked for, of those that are loaded.
    pub hits: Option<usize>,
    pub choices: Vec<(u16, bool)>,
    pub levels: Vec<(&'static str, String, bool)>,
    pub file: String,
    /// The engine does not answer: why, and what that means.
    pub away: Option<String>,
    pub command: String,
    pub call: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub project: Option<String>,
    #[serde(default)]
    pub container: Option<String>,
    /// What is looked for.
    #[serde(default)]
    pub q: String,
    #[serde(default)]
    pub level: String,
    #[serde(default)]
    pub lines: Option<u16>,
    #[serde(default)]
    pub times: Option<String>,
    #[serde(default)]
    pub nowrap: Option<String>,
}

pub async fn show(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let seen = panel.world.now().await;
    let place = Place::of(name, asked.project.clone(), asked.container.clone());
    let shell = panel.shell(&who, &headers, &place.to("/log"), "/");
    let Some(service) = place.find(&seen) else { return super::missing(who, &panel, place, shell, &headers).await };
    let count = asked.lines.filter(|n| CHOICES.contains(n)).unwrap_or(LINES);
    let log = match place.chosen(service) {
        Some(one) if seen.away.is_none() => short(who, &panel, &place, one, count).await.unwrap_or_default(),
        _ => Log::default(),
    };
    let all = containers_of(&place, service, panel.clock.now());
    let away = away::words(&seen, shell.lang);
    page(&headers, &Page { away, ..of(shell, place, all, log, asked, count) })
}

/// `log`: all lines that were loaded.
pub fn of(shell: Shell, place: Place, mut all: Containers, mut log: Log, asked: Asked, count: u16) -> Page {
    let lang = shell.lang;
    let level = LEVELS.into_iter().find(|level| *level == asked.level).unwrap_or_default();
    let wanted = asked.q.to_lowercase();
    let narrowed = !wanted.is_empty() || !level.is_empty();
    for line in &mut log.lines {
        line.hidden = narrowed && !(line.is_of(level) && line.text().to_lowercase().contains(&wanted));
    }
    let word = |level: &str| match level {
        "info" => lang.say("service-level-info"),
        "warn" => lang.say("service-level-warn"),
        "error" => lang.say("service-level-error"),
        "stderr" => lang.say("service-level-stderr"),
        _ => lang.say("service-level-all"),
    };
    let name = log.container.clone();
    all.all.iter_mut().for_each(|one| one.path = place.to_of("/log", Some(&one.name)));
    Page {
        tabs: tabs(&shell, &place, "/log"),
        hits: narrowed.then(|| log.lines.iter().filter(|line| !line.hidden).count()),
        choices: CHOICES.into_iter().map(|n| (n, n == count)).collect(),
        levels: LEVELS.into_iter().map(|one| (one, word(one).into_owned(), one == level)).collect(),
        file: place.to("/log/file"),
        away: None,
        command: format!("hearth logs {}", place.name),
        call: if name.is_empty() { String::new() } else { format!("GET /api/v1/containers/{name}/logs") },
        all,
        log,
        asked,
        place,
        shell,
    }
}

/// The last lines of a container.
pub async fn short(who: Viewer, panel: &Panel, place: &Place, one: &Container, count: u16) -> Option<Log> {
    let which = logs::Which { project: place.project.clone(), tail: Some(count), ..Default::default() };
    let id = Path(one.id.clone());
    let found = logs::last(who, State(panel.api.clone()), id, Query(which)).await.ok()?.0;
    let last = found.lines.last().and_then(|line| line.at.clone()).unwrap_or_else(|| rfc3339(panel.clock.now()));
    Some(Log {
        container: one.name.clone(),
        stream: place.with("/log/lines", &format!("id={}", part(&one.id))),
        page: place.to("/log"),
        cut: found.cut || found.lines.len() >= usize::from(count),
        lines: found.lines.into_iter().map(Line::of).collect(),
        last,
    })
}

/// All that the engine has kept of it, as text, without what would act on a terminal.
pub async fn file(
    who: Viewer,
    State(panel): State<Panel>,
    Path(name): Path<String>,
    Query(which): Query<Which>,
    headers: HeaderMap,
    held: Held,
) -> Response {
    let seen = panel.world.now().await;
    let place = Place::of(name, which.project, which.container);
    let shell = panel.shell(&who, &headers, &place.to("/log"), "/");
    let chosen = place.find(&seen).and_then(|service| place.chosen(service));
    let Some(one) = chosen else { return super::missing(who, &panel, place, shell, &headers).await };
    let project = place.project.as_deref();
    let lines = match logs::lines(&who, &panel.api, &one.id, project, None).await {
        Ok(lines) => lines,
        Err(refused) => return refusal::page(shell, &headers, refused).await,
    };
    let text = move |line: Result<logs::Line, crate::engine::EngineError>| {
        let _ = &held;
        line.map(text).map_err(std::io::Error::other)
    };
    let bytes = lines.take_until(panel.api.end_of(&who)).ready_chunks(256).map(move |lines| {
        let all: Result<Vec<String>, std::io::Error> = lines.into_iter().map(&text).collect();
        all.map(|all| Bytes::from(all.concat()))
    });
    let name = file_name(&place.name, panel.clock.now());
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (head, Body::from_stream(bytes)).into_response()
}

fn text(line: logs::Line) -> String {
    let text = plain(&line.text);
    match line.at.as_deref().and_then(parse) {
        Some(at) => format!("{} {text}\n", rfc3339(at)),
        None => format!("{text}\n"),
    }
}

/// `jellyfin-20261127-120000.log`; letters that mean something in a header or a path are none of it.
fn file_name(service: &str, now: OffsetDateTime) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = service.chars().take(100).map(safe).collect();
    let stamp: String = rfc3339(now).chars().take(19).filter(|c| !"-:".contains(*c)).collect();
    format!("{}-{}.log", name.trim_start_matches('.'), stamp.replace('T', "-"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn hostile_22_the_name_of_a_file_is_a_name() {
        let now = datetime!(2026-11-27 12:00:01.5 UTC);
        assert_eq!(file_name("jellyfin", now), "jellyfin-20261127-120001.log");
        assert_eq!(file_name("../e\"vil\r\nX: y", now), "_e_vil__X__y-20261127-120001.log");
    }
}
