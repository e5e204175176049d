//! Several services at once: started, restarted, stopped. Those of each project are one work.

use std::collections::BTreeMap;
use std::fmt;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::shell::Shell;
use super::words::{Mark, service_path};
use super::{Panel, page, refusal};
use crate::auth::table::guard::Detail;
use crate::auth::who::Operator;
use crate::stacks::json::Begun;
use crate::stacks::json::verbs::{self, Services, Timed};
use crate::stacks::seen::Seen;
use crate::web::lang::filters;
use crate::web::read::{Form, Json, Query};

/// More than any page has.
const MOST: usize = 2_000;

/// The services that were chosen: names, those of an adopted project with it before a slash; several in one field have blanks between them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Picked(pub Vec<String>);

impl<'de> Deserialize<'de> for Picked {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Picked, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Picked;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Picked, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "services" => {
                            let names = map.next_value::<String>()?;
                            all.extend(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned));
                            all.truncate(MOST);
                        }
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Picked(all))
            }
        }
        from.deserialize_map(All)
    }
}

impl Picked {
    /// As a row of the home is chosen.
    pub fn value(project: Option<&str>, name: &str) -> String {
        project.map_or_else(|| name.to_owned(), |project| format!("{project}/{name}"))
    }

    /// By project, the home's own first.
    fn by_project(&self) -> BTreeMap<Option<String>, Vec<String>> {
        let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for one in &self.0 {
            let (project, name) = match one.split_once('/') {
                Some((project, name)) => (Some(project.to_owned()), name),
                None => (None, one.as_str()),
            };
            all.entry(project).or_default().push(name.to_owned());
        }
        all
    }
}

/// What would stop, before it does.
#[derive(Debug, Template)]
#[template(path = "panel/bulk/stop.html")]
pub struct Page {
    pub shell: Shell,
    pub all: Vec<One>,
}

impl Page {
    /// All of them in one field.
    fn values(&self) -> String {
        self.all.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// A service that would stop.
#[derive(Debug)]
pub struct One {
    pub value: String,
    pub name: String,
    pub path: String,
    pub mark: Mark,
    /// Its containers.
    pub containers: String,
}

/// Asks before anything stops.
pub async fn ask(
    who: Operator,
    State(panel): State<Panel>,
    Query(picked): Query<Picked>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.shell(&who, &headers, "/bulk/stop", "/");
    let seen = panel.world.now().await;
    match of(shell, &seen, &picked) {
        Some(shown) => page(&headers, &shown),
        None => Redirect::to("/").into_response(),
    }
}

/// `None`: nothing was chosen that there is.
pub fn of(shell: Shell, seen: &Seen, picked: &Picked) -> Option<Page> {
    let chosen = seen.all().filter_map(|(project, one)| {
        let value = Picked::value(project, &one.name);
        picked.0.contains(&value).then(|| One {
            value,
            name: one.name.clone(),
            path: service_path(project, &one.name),
            mark: Mark::service(one),
            containers: one.containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    });
    let all: Vec<One> = chosen.collect();
    (!all.is_empty()).then_some(Page { shell, all })
}

/// What is done with the services of a project.
type Begins = Result<Begun, Response>;

/// One work for each project; on to it, or to all of them.
async fn each<R: Future<Output = Begins>>(
    who: Operator,
    panel: Panel,
    headers: HeaderMap,
    picked: Picked,
    begin: impl Fn(Operator, Option<String>, Vec<String>) -> R,
) -> Response {
    let shell = panel.shell(&who, &headers, "/works", "/works");
    let (mut begun, mut named) = (Vec::new(), Vec::new());
    for (project, services) in picked.by_project() {
        match begin(who.clone(), project, services.clone()).await {
            Ok(one) => {
                begun.push(one.0.id);
                named.extend(services);
            }
            Err(refused) if begun.is_empty() => {
                let shell = Shell { path: "/".into(), at: "/", ..shell };
                return refusal::page(shell, &headers, refused).await;
            }
            // What has begun goes on, and that not all has is said.
            Err(refused) => {
                let done = shell.lang.with("bulk-not-all", [("count", begun.len().into())]);
                let told = refusal::page_after(shell, "bulk-stuck", &headers, refused, done).await;
                return (Extension(Detail(json!({ "services": named }))), told).into_response();
            }
        }
    }
    let to = match begun.as_slice() {
        [] => "/".to_owned(),
        [one] => format!("/works/{one}"),
        _ => "/works".to_owned(),
    };
    (Extension(Detail(json!({ "services": named }))), Redirect::to(&to)).into_response()
}

pub async fn start(
    who: Operator,
    State(panel): State<Panel>,
    headers: HeaderMap,
    Form(picked): Form<Picked>,
) -> Response {
    let api = State(panel.api.clone());
    let begin = move |who, project, services| verbs::start(who, api.clone(), Json(Services { project, services }));
    each(who, panel, headers, picked, begin).await
}

pub async fn restart(
    who: Operator,
    State(panel): State<Panel>,
    headers: HeaderMap,
    Form(picked): Form<Picked>,
) -> Response {
    let api = State(panel.api.clone());
    let begin = move |who, project, services| {
        verbs::restart(who, api.clone(), Json(Timed { project, services, ..Timed::default() }))
    };
    each(who, panel, headers, picked, begin).await
}

pub async fn stop(
    who: Operator,
    State(panel): State<Panel>,
    headers: HeaderMap,
    Form(picked): Form<Picked>,
) -> Response {
    let api = State(panel.api.clone());
    let begin = move |who, project, services| {
        verbs::stop(who, api.clone(), Json(Timed { project, services, ..Timed::default() }))
    };
    each(who, panel, headers, picked, begin).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::samples;

    #[test]
    fn what_is_chosen_is_by_project_and_nothing_else_stops() {
        let picked = Picked(vec!["jellyfin".into(), "paperless/webserver".into(), "sonarr".into(), "nobody".into()]);
        let by = picked.by_project();
        assert_eq!(by[&None], ["jellyfin", "sonarr", "nobody"]);
        assert_eq!(by[&Some("paperless".into())], ["webserver"]);
        let shell = || samples::shell(crate::auth::who::Role::Operator);
        let shown = of(shell(), &samples::seen(0), &picked).unwrap();
        let names: Vec<&str> = shown.all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["jellyfin", "sonarr", "webserver"]);
        assert!(
            of(shell(), &samples::seen(0), &Picked(vec!["webserver".into()])).is_none(),
            "of no project of that name"
        );
    }
}
