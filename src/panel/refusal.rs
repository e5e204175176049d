//! A refusal of a call of the API, as people read it.

use askama::Template;
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use super::shell::Shell;
use crate::stacks::json::plans::Blocked;
use crate::stacks::works::End;
use crate::web::lang::filters;
use crate::web::words::for_people;
use crate::web::{Code, Words};

/// More than any refusal says.
const MOST: usize = 1 << 20;

/// What was refused, and what can be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    pub title: Words,
    /// `stacks/media.yaml:12:5`.
    pub place: String,
    pub hints: Vec<Words>,
    /// Where more about it stands.
    pub code: String,
}

impl Told {
    /// From the error of a call, as JSON.
    pub fn of(error: &Value) -> Told {
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        let hints: Vec<String> = error["hints"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|hint| hint.as_str().map(str::to_owned))
            .collect();
        let place = match &error["place"] {
            Value::Object(place) => {
                let number = |key: &str| place.get(key).and_then(Value::as_u64);
                let file = place.get("file").and_then(Value::as_str).unwrap_or_default();
                [Some(file.to_owned()), number("line").map(|n| n.to_string()), number("column").map(|n| n.to_string())]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(":")
            }
            Value::String(place) => place.clone(),
            _ => String::new(),
        };
        Told { title: Words::sentence(&text("title")), place, hints: for_people(&hints), code: text("code") }
    }
}

impl From<&Blocked> for Told {
    /// What stands in the way of a plan.
    fn from(one: &Blocked) -> Told {
        Told {
            title: Words::sentence(&one.title),
            hints: for_people(&one.hints),
            code: one.code.clone(),
            place: one.field.clone().unwrap_or_default(),
        }
    }
}

/// The status and the errors of a refused call, the first of them first.
pub async fn read(refused: Response) -> (StatusCode, Vec<Told>) {
    let (status, all) = values(refused).await;
    (status, all.iter().map(Told::of).collect())
}

/// The same as JSON.
pub async fn values(refused: Response) -> (StatusCode, Vec<Value>) {
    let (head, value) = json(refused, MOST).await;
    let all = match value["errors"].as_array() {
        Some(all) => all.clone(),
        None => vec![value["error"].clone()],
    };
    (head.status, all)
}

/// The answer of a call: its head, and its body; null where that is no JSON, or is longer than `most` bytes.
pub async fn json(answer: Response, most: usize) -> (Parts, Value) {
    let (head, body) = answer.into_parts();
    let bytes = Limited::new(body, most).collect().await.map(|all| all.to_bytes()).unwrap_or_default();
    (head, serde_json::from_slice(&bytes).unwrap_or_default())
}

const BACK: &str = "panel-back";

#[derive(Debug, Template)]
#[template(path = "panel/refusal.html")]
pub struct Page {
    pub shell: Shell,
    /// The name of its words.
    pub heading: &'static str,
    /// What that means for what was wanted.
    pub words: String,
    pub all: Vec<Told>,
    pub back: String,
    /// The name of the words of the way back.
    pub label: &'static str,
}

impl Page {
    /// Nothing was changed.
    pub fn of(shell: Shell, all: Vec<Told>) -> Page {
        let words = shell.lang.say("refusal-words").into();
        Page { heading: "refusal-heading", words, all, back: shell.path.clone(), label: BACK, shell }
    }

    /// There is no such page: back is where its like are.
    fn gone(shell: Shell, all: Vec<Told>) -> Page {
        let words = shell.lang.say("refusal-gone-words").into();
        let back = if shell.at.is_empty() { "/" } else { shell.at };
        Page { heading: "refusal-gone", words, all, back: back.into(), label: BACK, shell }
    }
}

/// The refusal of a call as a page of the panel, with its status. What is no refusal stays as it is.
pub async fn page(shell: Shell, headers: &HeaderMap, refused: Response) -> Response {
    drawn(headers, refused, |_, all| Page::of(shell, all)).await
}

/// The same of what was only asked for: the page itself is what is not there.
pub async fn page_of_none(shell: Shell, headers: &HeaderMap, refused: Response) -> Response {
    drawn(headers, refused, |status, all| match status {
        StatusCode::NOT_FOUND => Page::gone(shell, all),
        _ => Page::of(shell, all),
    })
    .await
}

/// The refusal of what comes after something that was done, which is what is answered: `done`, in a sentence; `heading`: the name of its words.
pub async fn page_after(
    shell: Shell,
    heading: &'static str,
    headers: &HeaderMap,
    refused: Response,
    done: String,
) -> Response {
    let back = shell.path.clone();
    let (_, all) = read(refused).await;
    super::page(headers, &Page { shell, heading, words: done, all, back, label: BACK })
}

async fn drawn(headers: &HeaderMap, mut refused: Response, of: impl FnOnce(StatusCode, Vec<Told>) -> Page) -> Response {
    if !refused.status().is_client_error() && !refused.status().is_server_error() {
        return refused.map(Body::new);
    }
    // The audit keeps why.
    let code = refused.extensions_mut().remove::<Code>();
    let (status, all) = read(refused).await;
    let mut answer = super::page_as(headers, status, &of(status, all));
    if let Some(code) = code {
        answer.extensions_mut().insert(code);
    }
    answer
}

/// How a work failed, as a page.
pub fn of_work(shell: Shell, headers: &HeaderMap, end: &End) -> Response {
    let all = vec![Told::of(end.error.as_ref().unwrap_or(&Value::Null))];
    super::page_as(headers, StatusCode::CONFLICT, &Page::of(shell, all))
}

/// How a work failed, as the answer of a call.
pub fn answer(end: &End) -> Response {
    let body = serde_json::json!({ "error": end.error.as_ref().unwrap_or(&Value::Null) });
    (StatusCode::CONFLICT, axum::Json(body)).into_response()
}
