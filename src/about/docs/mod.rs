//! The API as a person reads it, at `/docs`, and as a program does, at `/api/v1/openapi.json`; both from one description. And what the codes of
//! refusals mean, and the guide.

mod errors;
mod guide;
mod markdown;
mod read;
mod sections;

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use self::markdown::Markup;
use crate::auth::who::Anyone;
use crate::diag::{Diagnostic, Kind};
use crate::web::read::Path;
use crate::web::{STYLE, page_with};

/// Made once from the table of routes.
pub struct Docs {
    json: Bytes,
    page: Bytes,
    errors: Bytes,
}

#[derive(Template)]
#[template(path = "about/docs.html")]
struct Page {
    style: &'static str,
    version: &'static str,
    subjects: Vec<read::Subject>,
}

#[derive(Template)]
#[template(path = "about/errors.html")]
struct Errors {
    style: &'static str,
    intro: String,
    parts: Vec<errors::Part>,
}

#[derive(Template)]
#[template(path = "about/guides.html")]
struct Guides {
    version: &'static str,
    all: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "about/guide.html")]
struct Guide {
    title: String,
    /// Markup.
    html: String,
}

impl Docs {
    /// `api`: OpenAPI as JSON.
    pub fn new(api: &Value) -> Docs {
        let page = Page { style: STYLE, version: super::json::VERSION, subjects: read::subjects(api) };
        let (intro, all) = errors::all();
        let errors = Errors { style: STYLE, intro, parts: errors::parts(all) };
        // Rendering into memory fails only where a value cannot be written, and these are texts.
        let text = |page: askama::Result<String>| Bytes::from(page.unwrap_or_default());
        Docs { json: Bytes::from(api.to_string()), page: text(page.render()), errors: text(errors.render()) }
    }
}

/// The API, to read.
pub async fn page(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    html(&docs.page)
}

/// What each code of a refusal means.
pub async fn errors(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    html(&docs.errors)
}

/// The pages of the guide.
pub async fn guides(_: Anyone) -> Response {
    html(&Bytes::from(Guides { version: super::json::VERSION, all: guide::list() }.render().unwrap_or_default()))
}

/// One page of the guide.
pub async fn guide(_: Anyone, Path(name): Path<String>) -> Response {
    match guide::page(&name) {
        Some(Markup { title, html: text }) => {
            html(&Bytes::from(Guide { title, html: text }.render().unwrap_or_default()))
        }
        None => {
            let d = Diagnostic::error("web.not-found", "the guide has no page of this name").kind(Kind::NotFound);
            page_with(&d.hint("the list names all pages"), StatusCode::NOT_FOUND, Some(("/docs/guide", "web-to-guide")))
        }
    }
}

/// The API, for programs.
pub async fn openapi(_: Anyone, State(docs): State<Arc<Docs>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], docs.json.clone()).into_response()
}

fn html(page: &Bytes) -> Response {
    match page.is_empty() {
        true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => Html(page.clone()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The values of an attribute.
    fn all<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
        let begins = format!(" {attribute}=\"");
        page.split(begins.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    /// Every page below `/docs` by its address, as it is served.
    fn pages() -> BTreeMap<String, String> {
        let docs = Docs::new(&serde_json::to_value(crate::routes::table().openapi("1")).unwrap());
        let text = |page: &Bytes| String::from_utf8(page.to_vec()).unwrap();
        let mut pages = BTreeMap::from([
            ("/docs".to_owned(), text(&docs.page)),
            ("/docs/errors".to_owned(), text(&docs.errors)),
            ("/docs/guide".to_owned(), Guides { version: "1", all: guide::list() }.render().unwrap()),
        ]);
        for (name, _) in guide::list() {
            let Markup { title, html } = guide::page(name).unwrap();
            pages.insert(format!("/docs/guide/{name}"), Guide { title, html }.render().unwrap());
        }
        pages
    }

    #[test]
    fn every_link_of_the_documentation_leads_to_a_place_that_there_is() {
        let pages = pages();
        let (mut wrong, mut followed) = (Vec::new(), 0);
        for (address, page) in &pages {
            assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{address}");
            assert!(!page.contains("<script") && !page.contains(".md)") && !page.contains(" style="), "{address}");
            for link in all(page, "href") {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let path = if path.is_empty() { address } else { path };
                let outside = path.starts_with("https://") || ["/", "/trust", "/api/v1/openapi.json"].contains(&path);
                followed += 1;
                match pages.get(path) {
                    None if outside => {}
                    Some(page) if anchor.is_empty() || all(page, "id").contains(&anchor) => {}
                    _ => wrong.push(format!("{address}: {link}")),
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(followed > 150, "{followed}");
        for section in ["verbs", "audit", "homeserver"] {
            assert!(pages["/docs"].contains(&format!("<a href=\"#{section}\">")), "{section}");
        }
        for section in ["of-auth", "of-compose"] {
            assert!(pages["/docs/errors"].contains(&format!("<a href=\"#{section}\">")), "{section}");
        }
        assert!(pages["/docs/errors"].contains("<a href=\"/docs/guide/audit#whether-it-is-whole\">the audit log</a>"));
        assert!(pages["/docs/guide"].contains("<a href=\"/docs/guide/people\">People</a>"));
    }

    #[test]
    fn no_two_places_of_a_page_have_one_name() {
        for (address, page) in pages() {
            let mut names = all(&page, "id");
            names.sort_unstable();
            let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
            assert!(twice.is_empty(), "{address}: {twice:?}");
        }
    }

    #[test]
    fn what_an_error_names_as_its_explanation_is_there() {
        let pages = pages();
        let told = crate::diag::text::to_json(&Diagnostic::error("web.does-not-fit", "no"), &Default::default());
        let (path, anchor) = told["docs"].as_str().and_then(|docs| docs.split_once('#')).unwrap();
        assert!(all(&pages[path], "id").contains(&anchor));
    }
}
