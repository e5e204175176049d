//! What a call brings, read into types; what does not fit is refused in words, with the field that it is about.
//!
//! The names are axum's own, so that utoipa knows what they stand for.

mod heard;
mod misfit;
mod value;

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::{DeserializeOwned, Error};

pub use self::heard::Heard;
use self::misfit::{Misfit, Part, no_json};
use self::value::Value;
use super::deadline::Late;
use super::{Refusal, refuse, wants_html};
use crate::diag::{Diagnostic, Kind};

/// A body of JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A body of JSON, or a form as a browser sends it (`application/x-www-form-urlencoded`).
#[derive(Debug)]
pub struct JsonOrForm<T>(pub T);

/// A form as a browser sends it.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// What stands behind the `?`.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The parts of the path that a route leaves open.
#[derive(Debug)]
pub struct Path<T>(pub T);

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let heard = hears(request.extensions());
        match kind(request.headers()).as_deref() {
            Some(JSON) => {
                let body = whole(request.into_body()).await?;
                if let Some(heard) = heard {
                    heard.json(&body);
                }
                json(&body).map(Json)
            }
            None => match whole(request.into_body()).await? {
                none if none.is_empty() => json(&none).map(Json),
                _ => Err(other_kind(None, JSON)),
            },
            other => Err(other_kind(other, JSON)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let heard = hears(request.extensions());
        match kind(request.headers()).as_deref() {
            Some(JSON) => {
                let body = whole(request.into_body()).await?;
                if let Some(heard) = heard {
                    heard.json(&body);
                }
                json(&body).map(JsonOrForm)
            }
            Some(FORM) => form(request.into_body(), heard).await.map(JsonOrForm),
            other => Err(other_kind(other, JSON)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let by_person = wants_html(request.headers());
        let read = match kind(request.headers()).as_deref() {
            Some(FORM) => {
                let heard = hears(request.extensions());
                form(request.into_body(), heard).await.map(Form)
            }
            other => Err(other_kind(other, FORM)),
        };
        read.map_err(|told| if by_person { not_ours(told.status()) } else { told })
    }
}

fn hears(extensions: &Extensions) -> Option<Heard> {
    extensions.get::<Heard>().cloned()
}

async fn form<T: DeserializeOwned>(body: Body, heard: Option<Heard>) -> Result<T, Response> {
    let body = whole(body).await?;
    if let Some(heard) = heard {
        heard.pairs(&body);
    }
    pairs(&body, Part::Body)
}

/// For a person, whose browser sent what no page of ours has.
fn not_ours(status: StatusCode) -> Response {
    let d = Diagnostic::error("web.does-not-fit", "the form came without all of its fields, or with others");
    refuse::page(&d.hint("go back, load the page anew and fill it in once more"), status)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let text = parts.uri.query().unwrap_or_default();
        if let Some(heard) = hears(&parts.extensions) {
            heard.pairs(text.as_bytes());
        }
        pairs(text.as_bytes(), Part::Query).map(Query)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let is_odd = parts.uri.path().contains("%00");
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(_) if is_odd => Err(super::no_such_page().await.into_response()),
            Ok(axum::extract::Path(read)) => Ok(Path(read)),
            // What cannot be the name of anything names nothing.
            Err(rejection) => Err(match no_number(&rejection) {
                Some(value) => {
                    let listed = parts.extensions.get::<MatchedPath>().and_then(|at| at.as_str().split("/{").next());
                    Refusal(unnumbered(&value, listed.unwrap_or_default())).into_response()
                }
                None => super::no_such_page().await.into_response(),
            }),
        }
    }
}

/// What stands in an address in the place of a number.
fn no_number(rejection: &PathRejection) -> Option<String> {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else { return None };
    let (value, wanted) = match failed.kind() {
        ErrorKind::ParseError { value, expected_type }
        | ErrorKind::ParseErrorAtKey { value, expected_type, .. }
        | ErrorKind::ParseErrorAtIndex { value, expected_type, .. } => (value, expected_type),
        _ => return None,
    };
    (*wanted == "i64" && value.parse::<i128>().is_err()).then(|| value.clone())
}

fn unnumbered(value: &str, listed: &str) -> Diagnostic {
    let title = format!("`{}` is no number, and here stands the number of what is meant", misfit::shown(value));
    let d = Diagnostic::error("web.not-found", title).kind(Kind::NotFound);
    // Some are called at a second address, which has no list.
    d.hint(format!("the list has it as `id`: GET {}", listed.replace("/auth/users", "/users")))
}

/// The media type without its parameters, lower case.
fn kind(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn other_kind(found: Option<&str>, expected: &str) -> Response {
    let title = match found {
        Some(found) if !found.is_empty() => format!("the body is `{found}`, and this call reads `{expected}`"),
        _ => format!("the request does not say what its body is, and this call reads `{expected}`"),
    };
    let d = Diagnostic::error("web.wrong-media-type", title).hint(format!("send the header Content-Type: {expected}"));
    Refusal(d).with(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// The whole body; the door has bounded its size already.
async fn whole(body: Body) -> Result<Bytes, Response> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(unread(&error)),
    }
}

/// The answer to a body beyond the bound of the door.
pub fn too_large() -> Response {
    let d = Diagnostic::error("web.too-large", "the body of the request is larger than this call takes");
    Refusal(d.hint("send less at once")).with(StatusCode::PAYLOAD_TOO_LARGE)
}

/// The answer to a body that could not be read.
pub fn unread(error: &(dyn std::error::Error + 'static)) -> Response {
    let mut cause = Some(error);
    while let Some(one) = cause {
        if one.is::<LengthLimitError>() {
            return too_large();
        }
        if one.is::<Late>() {
            let d = Diagnostic::error("web.too-slow", "the body of the request did not come in time");
            let d = d.hint("send it again over a better connection; a body has ten seconds");
            return Refusal(d).with(StatusCode::REQUEST_TIMEOUT);
        }
        cause = one.source();
    }
    let d = Diagnostic::error("web.cut-off", "the request ended before its body did").kind(Kind::Invalid);
    Refusal(d.hint("send it again")).with(StatusCode::BAD_REQUEST)
}

/// A body of JSON read into what a call works with, or the refusal that its sender gets. No body at all is an object of nothing: whoever has nothing to
/// say need not say it.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Response> {
    if bytes.is_empty() {
        return fit(Value::Object(Vec::new()), Part::Body);
    }
    // RFC 8259, 8.1. What nobody asked for is passed over by the reader, whatever bytes it is made of.
    let text = std::str::from_utf8(bytes).map_err(|_| no_text(Part::Body))?;
    fit(serde_json::from_str(text).map_err(|e| Refusal(no_json(&e)).within("body"))?, Part::Body)
}

fn pairs<T: DeserializeOwned>(bytes: &[u8], part: Part) -> Result<T, Response> {
    std::str::from_utf8(bytes).map_err(|_| no_text(part))?;
    let pairs = form_urlencoded::parse(bytes);
    // PostgreSQL has no NUL in texts. What is kept has this sign in its place, so that is what is looked for.
    let plain = |text: Cow<'_, str>| Cow::Owned(text.replace('\0', "\u{FFFD}"));
    match part {
        Part::Query => fit(Value::of_pairs(pairs.map(|(name, value)| (plain(name), plain(value)))), part),
        _ => fit(Value::of_pairs(pairs), part),
    }
}

fn fit<T: DeserializeOwned>(sent: Value, part: Part) -> Result<T, Response> {
    T::deserialize(sent).map_err(|misfit| Refusal(misfit.told(part)).within(part.word()))
}

fn no_text(part: Part) -> Response {
    Refusal(Misfit::custom("it is not UTF-8 text").told(part)).within(part.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code)]
        name: String,
        #[serde(default)]
        #[expect(dead_code)]
        limit: u8,
    }

    async fn told<T: std::fmt::Debug>(answer: Result<T, Response>) -> (u16, serde_json::Value) {
        let answer = answer.unwrap_err();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn sent(kind: &str, body: &str) -> (u16, serde_json::Value) {
        let request = Request::post("/").header("content-type", kind).body(Body::from(body.to_owned())).unwrap();
        told(Json::<Asked>::from_request(request, &()).await).await
    }

    #[test]
    fn a_body_that_is_no_text_is_refused_also_where_nobody_asked() {
        #[derive(Debug, serde::Deserialize)]
        struct Some {
            #[expect(dead_code)]
            name: String,
        }
        assert!(json::<Some>(br#"{"name": "a", "more": "b"}"#).is_ok());
        let refusal = json::<Some>(b"{\"name\": \"a\", \"more\": \"\xfb\"}").unwrap_err();
        assert_eq!(refusal.status().as_u16(), 422);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_with_its_field() {
        let (status, told) = sent("application/json", r#"{"name": "a", "limit": 300}"#).await;
        assert_eq!((status, &told["error"]["code"]), (422, &"web.does-not-fit".into()));
        assert_eq!(told["error"]["field"], "limit");
        assert_eq!(told["detail"][0]["loc"], serde_json::json!(["body", "limit"]));
        assert!(!told.to_string().contains("line 1"), "{told}");
        for (kind, body, expected) in [
            ("text/plain", "{}", 415),
            ("application/json", "{", 422),
            ("application/json", r#"{"name": "a"} x"#, 422),
            ("application/json", r#"{"nam": "a"}"#, 422),
            ("application/json", r#" ["a", 3]"#, 422),
            ("application/json", "\u{1}", 422),
        ] {
            assert_eq!(sent(kind, body).await.0, expected, "{body}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        for (sent, read) in [
            (r#"[25.0, 2.5e1, 1E2, -3.0, -0.0, 0.5, 1e-3]"#, "[25,25,100,-3,0,0.5,0.001]"),
            ("[1e300, 9007199254740993.0, 18446744073709551615]", "[1e+300,9007199254740992.0,18446744073709551615]"),
            (r#"{"text": "25.0", "in": [{"it": 1.0}]}"#, r#"{"text":"25.0","in":[{"it":1}]}"#),
        ] {
            let read_: serde_json::Value = json(sent.as_bytes()).unwrap();
            assert_eq!(read_.to_string(), read, "{sent}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Pull {
        Always,
        Never,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Many {
        username: String,
        #[serde(default)]
        command: Vec<String>,
        pull: Option<Pull>,
        seconds: Option<i64>,
        wait: Option<bool>,
        inner: Option<Asked>,
        #[serde(default)]
        list: Vec<Asked>,
    }

    /// Nothing that serde, or a library below it, says of itself.
    fn no_foreign_words(title: &str) {
        for word in [
            "variant", "expected", "invalid", "sequence", "integer", "struct", "EOF", "key must", "digit", "u8", "i64",
            "map",
        ] {
            assert!(!title.contains(word), "{title}");
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_is_said_in_our_words_with_its_field_and_a_way_out() {
        let json_of = |body: &str| json::<Many>(body.as_bytes());
        for (body, field, title) in [
            ("{bad", None, "the body is not JSON: a name in double quotes should stand in line 1, column 2"),
            ("{", None, "the body is not JSON: it ends before it is complete"),
            (
                "{\"a\": 1,}",
                None,
                "the body is not JSON: a comma stands before the closing bracket in line 1, column 9",
            ),
            ("[]", None, "the body is a list, and should be an object"),
            ("\"a\"", None, "the body is a text, and should be an object"),
            ("{}", Some("username"), "`username` is missing in the body"),
            ("", Some("username"), "`username` is missing in the body"),
            (r#"{"username": 7}"#, Some("username"), "`username` in the body is a number, and should be a text"),
            (r#"{"usernam": "a"}"#, Some("usernam"), "`usernam` in the body is nothing that this call takes"),
            (r#"{"username": "a", "username": "b"}"#, Some("username"), "`username` in the body is there twice"),
            (r#"{"command": "sh"}"#, Some("command"), "`command` in the body is a text, and should be a list"),
            (
                r#"{"command": ["a", 2]}"#,
                Some("command[1]"),
                "`command[1]` in the body is a number, and should be a text",
            ),
            (
                r#"{"pull": "foo"}"#,
                Some("pull"),
                "`pull` in the body is `foo`, and should be one of `always` and `never`",
            ),
            (
                r#"{"pull": 3}"#,
                Some("pull"),
                "`pull` in the body is a number, and should be one of `always` and `never`",
            ),
            (
                r#"{"seconds": 0.5}"#,
                Some("seconds"),
                "`seconds` in the body is a number with a fraction, and should be a whole number",
            ),
            (
                r#"{"seconds": 1e300}"#,
                Some("seconds"),
                "`seconds` in the body is a very large number, and should be a whole number",
            ),
            (r#"{"wait": "yes"}"#, Some("wait"), "`wait` in the body is a text, and should be `true` or `false`"),
            (r#"{"inner": [1]}"#, Some("inner"), "`inner` in the body is a list, and should be an object"),
            (r#"{"inner": {}}"#, Some("inner.name"), "`inner.name` is missing in the body"),
            (
                r#"{"list": [{"name": "a", "limit": 256}]}"#,
                Some("list[0].limit"),
                "`list[0].limit` in the body should be a whole number from 0 to 255",
            ),
        ] {
            let (status, told) = told(json_of(body)).await;
            assert_eq!((status, told["error"]["title"].as_str()), (422, Some(title)), "{body}");
            assert_eq!(told["error"]["field"].as_str(), field, "{body}");
            let loc: Vec<&str> = std::iter::once("body").chain(field.iter().flat_map(|f| f.split('.'))).collect();
            assert_eq!(told["detail"], serde_json::json!([{"loc": loc, "msg": title, "type": "web.does-not-fit"}]));
            assert!(told["error"]["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "{told}");
            no_foreign_words(title);
        }
        let (_, told) = told(json_of(r#"{"usernam": "a"}"#)).await;
        assert_eq!(told["error"]["hints"][0], "did you mean `username`?");
    }

    #[tokio::test]
    async fn what_stands_in_the_address_is_read_as_what_is_wanted_and_refused_as_part_of_it() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Which {
            limit: Option<u16>,
            since: Option<i64>,
            pull: Option<Pull>,
            wait: Option<bool>,
        }
        let of = |query: &str| pairs::<Which>(query.as_bytes(), Part::Query);
        let read = of("limit=3&since=-4&pull=never&wait=true").unwrap();
        assert!(matches!(read, Which { limit: Some(3), since: Some(-4), pull: Some(Pull::Never), wait: Some(true) }));
        for (query, field, title) in [
            (
                "limit=abc",
                "limit",
                "`limit` behind the `?` of the address is a text, and should be a whole number from 0 to 65535",
            ),
            (
                "limit=",
                "limit",
                "`limit` behind the `?` of the address is a text, and should be a whole number from 0 to 65535",
            ),
            ("limit=65536", "limit", "`limit` behind the `?` of the address should be a whole number from 0 to 65535"),
            ("limit=-1", "limit", "`limit` behind the `?` of the address should be a whole number from 0 to 65535"),
            (
                "pull=foo",
                "pull",
                "`pull` behind the `?` of the address is `foo`, and should be one of `always` and `never`",
            ),
            ("wait=yes", "wait", "`wait` behind the `?` of the address is a text, and should be `true` or `false`"),
            ("page=2", "page", "`page` behind the `?` of the address is nothing that this call takes"),
            ("limit=1&limit=2", "limit", "`limit` behind the `?` of the address is there twice"),
        ] {
            let (status, told) = told(of(query)).await;
            assert_eq!((status, told["error"]["title"].as_str()), (422, Some(title)), "{query}");
            assert_eq!(told["detail"][0]["loc"], serde_json::json!(["query", field]), "{query}");
            no_foreign_words(title);
        }
    }

    #[tokio::test]
    async fn what_was_sent_is_repeated_neither_at_length_nor_with_what_a_terminal_obeys() {
        let long = format!("{{\"\\u001b[2J\\n{}\": 1}}", "a".repeat(5000));
        let (_, told) = told(json::<Asked>(long.as_bytes())).await;
        let title = told["error"]["title"].as_str().unwrap();
        assert!(title.len() < 200 && !title.chars().any(char::is_control), "{title}");
    }

    #[tokio::test]
    async fn whoever_has_nothing_to_say_need_not_send_a_body() {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Open {
            names: Vec<String>,
        }
        let plain = || Request::post("/").body(Body::empty()).unwrap();
        assert!(Json::<Open>::from_request(plain(), &()).await.unwrap().0.names.is_empty());
        assert_eq!(told(Json::<Asked>::from_request(plain(), &()).await).await.0, 422);
        let unnamed = Request::post("/").body(Body::from("{}")).unwrap();
        assert_eq!(told(Json::<Open>::from_request(unnamed, &()).await).await.0, 415);
    }

    #[tokio::test]
    async fn a_person_whose_form_does_not_fit_is_told_on_a_page() {
        let sent = |accept: &str| {
            let form = Request::post("/").header("content-type", FORM).header("accept", accept);
            form.body(Body::from("limit=3")).unwrap()
        };
        for (accept, kind) in [("text/html,*/*", "text/html"), ("*/*", "application/json")] {
            let told = Form::<Asked>::from_request(sent(accept), &()).await.unwrap_err();
            assert_eq!(told.status(), 422);
            assert!(told.headers()["content-type"].to_str().unwrap().starts_with(kind), "{accept}");
        }
    }

    #[tokio::test]
    async fn a_form_is_as_good_where_both_are_read() {
        for (kind, body) in [("application/json; charset=utf-8", r#"{"name": "a b"}"#), (FORM, "name=a+b&limit=3")] {
            let request = Request::post("/").header("content-type", kind).body(Body::from(body)).unwrap();
            JsonOrForm::<Asked>::from_request(request, &()).await.unwrap();
        }
    }
}
