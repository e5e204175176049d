//! What a call brings, read into types; what does not fit is refused in words, with the field that it is about.
//!
//! The names are axum's own, so that utoipa knows what they stand for.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};

use super::Refusal;
use super::deadline::Late;
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
        match kind(request.headers()).as_deref() {
            Some(JSON) => json(&whole(request.into_body()).await?).map(Json),
            other => Err(other_kind(other, JSON)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        match kind(request.headers()).as_deref() {
            Some(JSON) => json(&whole(request.into_body()).await?).map(JsonOrForm),
            Some(FORM) => form(&whole(request.into_body()).await?).map(JsonOrForm),
            other => Err(other_kind(other, JSON)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        match kind(request.headers()).as_deref() {
            Some(FORM) => form(&whole(request.into_body()).await?).map(Form),
            other => Err(other_kind(other, FORM)),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let text = parts.uri.query().unwrap_or_default();
        pairs(text.as_bytes(), "query").map(Query)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(read)) => Ok(Path(read)),
            // What cannot be the name of anything names nothing.
            Err(_) => Err(super::no_such_page().await.into_response()),
        }
    }
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
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, Refusal(d)).into_response()
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
    (StatusCode::PAYLOAD_TOO_LARGE, Refusal(d.hint("send less at once"))).into_response()
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
            return (StatusCode::REQUEST_TIMEOUT, Refusal(d)).into_response();
        }
        cause = one.source();
    }
    let d = Diagnostic::error("web.cut-off", "the request ended before its body did").kind(Kind::Invalid);
    (StatusCode::BAD_REQUEST, Refusal(d.hint("send it again"))).into_response()
}

/// A body of JSON read into what a call works with, or the refusal that its sender gets.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Response> {
    // RFC 8259, 8.1. What nobody asked for is passed over by the reader, whatever bytes it is made of.
    if std::str::from_utf8(bytes).is_err() {
        return Err(wrong("body", "", "it is not UTF-8 text"));
    }
    // serde would read a list as an object, by the order of the fields.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| *b == b'[') {
        return Err(wrong("body", "", "it is a list, and should be an object"));
    }
    let bytes = whole_numbers(bytes);
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let read = serde_path_to_error::deserialize(&mut reader);
    let read = read.map_err(|e| wrong("body", &e.path().to_string(), &e.inner().to_string()))?;
    reader.end().map_err(|e| wrong("body", "", &e.to_string()))?;
    Ok(read)
}

/// A field that holds an object: serde would read a list as one, by the order of its fields.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let map = Option::<serde_json::Map<String, serde_json::Value>>::deserialize(from)?;
    map.map(|map| serde_json::from_value(map.into()).map_err(D::Error::custom)).transpose()
}

/// `25.0` and `2.5e1` written as `25`: JSON has one kind of number, and a client may write a whole one as it likes (JSON Schema 2020-12, 6.1.1), which
/// serde reads as no integer. What is no number of that kind stays as it is, wrong or not.
fn whole_numbers(bytes: &[u8]) -> Cow<'_, [u8]> {
    /// All whole numbers up to here have one value as a float (RFC 8259, 6).
    const EXACT: f64 = 9_007_199_254_740_991.0;
    let mut written: Option<Vec<u8>> = None;
    let (mut at, mut kept) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let begin = at;
        match byte {
            b'"' => {
                at += 1;
                while let Some(&inner) = bytes.get(at) {
                    at += if inner == b'\\' { 2 } else { 1 };
                    if inner == b'"' {
                        break;
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                let sign = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
                at += bytes[at..].iter().take_while(|b| sign(b)).count();
                let token = &bytes[begin..at];
                let text = std::str::from_utf8(token).unwrap_or_default();
                let float = token.iter().any(|b| b".eE".contains(b));
                // By serde, which knows what JSON writes: `1.` is none of it.
                let number = if float { serde_json::from_str::<f64>(text).ok() } else { None };
                if let Some(number) = number.filter(|n| n.fract() == 0.0 && n.abs() <= EXACT) {
                    let out = written.get_or_insert_default();
                    out.extend_from_slice(&bytes[kept..begin]);
                    out.extend_from_slice((number as i64).to_string().as_bytes());
                    kept = at;
                }
            }
            _ => at += 1,
        }
    }
    match written {
        None => Cow::Borrowed(bytes),
        Some(mut out) => {
            out.extend_from_slice(&bytes[kept..]);
            Cow::Owned(out)
        }
    }
}

fn form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Response> {
    pairs(bytes, "body")
}

fn pairs<T: DeserializeOwned>(bytes: &[u8], place: &'static str) -> Result<T, Response> {
    if std::str::from_utf8(bytes).is_err() {
        return Err(wrong(place, "", "it is not UTF-8 text"));
    }
    let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(bytes));
    serde_path_to_error::deserialize(reader).map_err(|e: serde_path_to_error::Error<serde_urlencoded::de::Error>| {
        wrong(place, &e.path().to_string(), &e.inner().to_string())
    })
}

/// What was sent does not fit: `place` is where it stood (`body`, `query`), `field` its path there.
fn wrong(place: &'static str, field: &str, why: &str) -> Response {
    // The library's position means nothing to who sent an object.
    let why = why.split(" at line ").next().unwrap_or(why);
    let named = !matches!(field, "" | "." | "?");
    let title = match (place, named) {
        ("query", true) => format!("`{field}` behind the `?` of the address does not fit: {why}"),
        ("query", false) => format!("what stands behind the `?` of the address does not fit: {why}"),
        (_, true) => format!("`{field}` in the body does not fit: {why}"),
        (_, false) => format!("the body does not fit: {why}"),
    };
    let d = Diagnostic::error("web.does-not-fit", title).hint("/docs shows what this call takes");
    let d = if named { d.field(field) } else { d };
    Refusal(d).within(place)
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
            (r#"{"limit": 25.0, "name": "a"}"#, r#"{"limit": 25, "name": "a"}"#),
            (r#"[2.5e1,1E2,-3.0,-0.0,0.5,1e-3]"#, "[25,100,-3,0,0.5,1e-3]"),
            (r#"["25.0", "\\\"1.0", "\\\\", 1.0]"#, r#"["25.0", "\\\"1.0", "\\\\", 1]"#),
            ("[1e300, 9007199254740993.0, 1., .5, 1e, --1.0]", "[1e300, 9007199254740993.0, 1., .5, 1e, --1.0]"),
            ("\"25.0", "\"25.0"),
            ("\"\\", "\"\\"),
            ("", ""),
        ] {
            assert_eq!(std::str::from_utf8(&whole_numbers(sent.as_bytes())).unwrap(), read, "{sent}");
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
