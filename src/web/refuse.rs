//! A refusal as an HTTP answer.

use askama::Template;
use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::lang::{Lang, filters};
use super::{Words, words};
use crate::diag::{Diagnostic, Diagnostics, Kind, Sources, log_untold, text};

/// A diagnostic to answer with: `{"error": {code, title, ...}, "detail": ...}`, and the status of its kind.
///
/// `detail` is what clients of HomeServer read: a sentence, or with status 422 a list of `{loc, msg, type}`.
#[derive(Debug)]
pub struct Refusal(pub Diagnostic);

/// Several diagnostics about one text, with their places in it: the first error is the answer's, all stand in `errors`.
#[derive(Debug)]
pub struct Refusals(pub Diagnostics, pub Sources);

/// The code of a refusal, in the extensions of its answer: for whoever keeps what was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static str);

impl From<Diagnostic> for Refusal {
    fn from(diagnostic: Diagnostic) -> Refusal {
        Refusal(diagnostic)
    }
}

impl Refusal {
    /// The status of its kind.
    pub fn status(&self) -> StatusCode {
        status(self.0.kind)
    }

    /// The answer where the field stands in `place` of the request: `body`, `query`, `path`, `header`.
    pub fn within(self, place: &str) -> Response {
        answer(&self.0, status(self.0.kind), &Sources::default(), place, None)
    }

    /// The answer with a status of its own.
    pub fn with(self, status: StatusCode) -> Response {
        answer(&self.0, status, &Sources::default(), fields_in(), None)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.within(fields_in())
    }
}

tokio::task_local! {
    static FIELDS_IN: &'static str;
}

/// Answers a request whose fields stand in its address and not in a body: what is refused meanwhile says so.
pub async fn of_address(answers: impl Future<Output = Response>) -> Response {
    FIELDS_IN.scope("query", answers).await
}

/// Where the fields of the request stand that is being answered.
fn fields_in() -> &'static str {
    FIELDS_IN.try_with(|place| *place).unwrap_or("body")
}

impl IntoResponse for Refusals {
    fn into_response(self) -> Response {
        let Refusals(all, sources) = self;
        let shown: Vec<Value> = all.0.iter().map(|d| text::to_json(d, &sources)).collect();
        let first = all.0.iter().find(|d| d.severity == crate::diag::Severity::Error).or(all.0.first());
        match first {
            Some(first) => answer(first, status(first.kind), &sources, fields_in(), Some(shown)),
            None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        }
    }
}

fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unavailable | Kind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Failed | Kind::Bug => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn answer(d: &Diagnostic, status: StatusCode, sources: &Sources, place: &str, all: Option<Vec<Value>>) -> Response {
    let error = text::to_json(d, sources);
    let detail = match status {
        StatusCode::UNPROCESSABLE_ENTITY => {
            let place = if d.code == "web.no-etag" { "header" } else { place };
            let fields = d.field.iter().flat_map(|field| field.split('.')).map(str::to_owned);
            let loc: Vec<String> = std::iter::once(place.to_owned()).chain(fields).collect();
            json!([{"loc": loc, "msg": d.title, "type": d.code}])
        }
        _ => json!(d.title),
    };
    let mut body = json!({"error": error, "detail": detail});
    if let Some(all) = all {
        body["errors"] = json!(all);
    }
    let mut answer = (status, Json(body)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    answer.extensions_mut().insert(Code(d.code));
    retry_after(&mut answer, d);
    log_untold(d);
    answer
}

/// When the same would be taken (RFC 9110, 10.2.3), where that is known.
pub fn retry_after(answer: &mut Response, d: &Diagnostic) {
    if let Some(seconds) = d.retry {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
}

#[derive(Template)]
#[template(path = "web/refusal.html")]
struct Page<'a> {
    /// The name of its words.
    heading: &'static str,
    tone: &'static str,
    status: String,
    title: Words,
    hints: Vec<Words>,
    code: &'a str,
    /// Whether there is something at `/` for who reads it.
    begins: bool,
    way: Option<(&'a str, &'a str)>,
}

/// The refusal as a page, for a person's browser.
pub fn page(d: &Diagnostic, status: StatusCode) -> Response {
    page_with(d, status, None)
}

/// The same with a way out: a path of this host, and the name of the words on it.
pub fn page_with(d: &Diagnostic, status: StatusCode, way: Option<(&str, &str)>) -> Response {
    let heading = match status.as_u16() {
        _ if d.code == "auth.shared-name" => "web-shared-name",
        _ if d.code == "auth.not-set-up" => "web-no-admin",
        _ if d.code == "auth.set-up" => "web-has-admin",
        _ if d.code == "web.not-found" => "web-not-found",
        _ if d.code == "auth.bad-link" => "web-bad-link",
        _ if d.code == "auth.registration-closed" => "web-by-admins",
        401 => "web-unauthorized",
        403 => "web-forbidden",
        404 | 405 => "web-nothing",
        429 => "web-too-often",
        431 => "web-too-large",
        503 => "web-not-now",
        400..500 => "web-bad-request",
        _ => "web-failed",
    };
    let tone = if status.is_server_error() { "bad" } else { "warn" };
    // What the heading says is not said again below it.
    let lang = Lang::spoken();
    let title = match d.code {
        "auth.not-set-up" => lang.say("web-no-admin-words"),
        "auth.set-up" => lang.say("web-has-admin-words"),
        "web.not-found" => lang.say("web-not-found-words"),
        _ => d.title.as_str().into(),
    };
    let hints = if d.code == "web.not-found" { &[][..] } else { &d.hints };
    // Where the beginning is the same page, nobody is sent there.
    let begins = !["auth.not-set-up", "auth.shared-name"].contains(&d.code);
    let (title, hints) = (Words::sentence(&title), words::for_people(hints));
    let page = Page { heading, tone, status: status.to_string(), title, hints, code: d.code, begins, way };
    let mut answer = match page.render_with_values(&lang) {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => status.into_response(),
    };
    answer.extensions_mut().insert(Code(d.code));
    retry_after(&mut answer, d);
    log_untold(d);
    answer
}

/// For what no route answers.
pub async fn no_such_page() -> Refusal {
    let d = Diagnostic::error("web.not-found", "there is nothing at this address").kind(Kind::NotFound);
    Refusal(d.hint("look at the address"))
}

/// Whether a person's browser asks for a page, not a program for data.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
    accepts.flat_map(|v| v.split(',')).any(|kind| kind.split(';').next().unwrap_or_default().trim() == "text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_came_too_often_is_told_when_again_as_a_program_and_as_a_person() {
        let d = Diagnostic::error("auth.too-often", "too many tries").kind(Kind::TooMany).retry(7);
        let answers = [page(&d, StatusCode::TOO_MANY_REQUESTS), Refusal(d).into_response()];
        for answer in answers {
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()[header::RETRY_AFTER]),
                (429, &"7".parse().unwrap())
            );
        }
        assert!(Refusal(Diagnostic::error("a.b", "no")).into_response().headers().get(header::RETRY_AFTER).is_none());
    }
}
