//! The table as OpenAPI 3.1, for programs and for the page at `/docs`.

use axum::http::Method;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, RefOr, Required, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::{Entry, Sort, Table};
use crate::auth::who::Who;

/// What every refusal looks like.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the JSON that `web::Refusal` writes")]
pub struct Refused {
    error: Fault,
    /// The sentence; with status 422 a list of what does not fit.
    detail: Detail,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the JSON that `web::Refusal` writes")]
pub struct Fault {
    /// A stable name such as `auth.nobody`.
    code: String,
    /// What is wrong, in a sentence.
    title: String,
    kind: String,
    /// The field that it is about, if there is one.
    #[schema(required)]
    field: Option<String>,
    /// Where it stands in a file, if it does.
    #[schema(required, value_type = Option<Object>)]
    place: Option<()>,
    /// What to do.
    hints: Vec<String>,
    /// Where it is explained.
    docs: String,
}

#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
pub enum Detail {
    Sentence(String),
    Fields(Vec<Unfit>),
}

#[derive(serde::Serialize, ToSchema)]
pub struct Unfit {
    loc: Vec<String>,
    msg: String,
    r#type: String,
}

/// The operation of one method.
pub(super) fn operation_of(item: PathItem, method: &Method) -> Option<Operation> {
    match *method {
        Method::GET => item.get,
        Method::POST => item.post,
        Method::PUT => item.put,
        Method::PATCH => item.patch,
        Method::DELETE => item.delete,
        _ => None,
    }
}

impl<S: Clone + Send + Sync + 'static> Table<S> {
    /// All calls, each with who may make it and how it refuses.
    pub fn openapi(&self, version: &str) -> OpenApi {
        let mut schemas: Vec<_> = self.schemas().to_vec();
        for (name, schema) in [
            (Refused::name(), Refused::schema()),
            (Fault::name(), Fault::schema()),
            (Detail::name(), Detail::schema()),
            (Unfit::name(), Unfit::schema()),
        ] {
            schemas.push((name.into_owned(), schema));
        }
        schemas.sort_by(|a, b| a.0.cmp(&b.0));
        schemas.dedup_by(|a, b| a.0 == b.0);
        let mut paths = PathsBuilder::new();
        for entry in self.entries() {
            let Some(mut operation) = entry.operation.clone() else { continue };
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                let mut all = body.content.values().filter_map(|content| match content {
                    RefOr::T(content) => content.schema.as_ref(),
                    RefOr::Ref(_) => None,
                });
                if all.any(|schema| takes_nothing(schema, &schemas)) {
                    body.required = Some(Required::False);
                }
            }
            let item = PathItem::new(method_of(&entry.method), whole(entry, operation));
            paths = paths.path(entry.path, item);
        }
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::web::SESSION)));
        let components = ComponentsBuilder::new()
            .schemas_from_iter(schemas)
            .security_scheme("bearer", bearer)
            .security_scheme("cookie", cookie);
        let about = "What Hearth's command line can do, but for what stays with the home's machine. Refusals all look alike: what is wrong, and what to do.";
        OpenApiBuilder::new()
            .info(InfoBuilder::new().title("Hearth").version(version).description(Some(about)))
            .paths(paths)
            .components(Some(components.build()))
            .build()
    }
}

/// Whether no field has to be sent: no body at all is as good then ([`crate::web::read::json`]).
fn takes_nothing(schema: &RefOr<Schema>, all: &[(String, RefOr<Schema>)]) -> bool {
    match schema {
        RefOr::Ref(to) => {
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            all.iter().any(|(other, schema)| other == name && takes_nothing(schema, all))
        }
        RefOr::T(Schema::Object(object)) => !object.properties.is_empty() && object.required.is_empty(),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().all(|part| takes_nothing(part, all)),
        RefOr::T(_) => false,
    }
}

fn method_of(method: &Method) -> utoipa::openapi::HttpMethod {
    use utoipa::openapi::HttpMethod;
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// The operation with what holds for all: its name, who may call it, how it refuses.
fn whole(entry: &Entry, mut operation: Operation) -> Operation {
    operation.operation_id = Some(entry.name.clone());
    let subject = entry.name.split('.').next().unwrap_or_default().to_owned();
    operation.tags = Some(vec![subject]);
    let mut refusals = vec![
        ("429", "Too often: the header Retry-After says when again"),
        ("503", "What it takes cannot be reached now"),
    ];
    if entry.who == Who::Anyone {
        operation.security = Some(vec![SecurityRequirement::default()]);
    } else {
        let of = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(vec![of("bearer"), of("cookie")]);
        refusals.push(("401", "Nobody has said who they are"));
    }
    refusals.push(("403", "Whoever it is may not do this, or the home is not set up"));
    if operation.request_body.is_some() {
        refusals.push(("400", "The request ended before its body did"));
        refusals.push(("413", "The body is too large"));
        refusals.push(("415", "The body is of another kind than the call reads"));
    }
    if operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|p| !p.is_empty()) {
        refusals.push(("422", "Something in it does not fit: `detail` says what"));
    }
    let asks = operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|p| !p.is_empty());
    if entry.path.contains('{') || asks {
        refusals.push(("404", "It names something that is not there"));
    }
    if entry.changes() {
        refusals.push(("409", "It does not go with what is there"));
    }
    for (status, words) in refusals {
        let known = operation.responses.responses.contains_key(status);
        if !known {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Refused::name()))).build();
            let answer = ResponseBuilder::new().description(words).content("application/json", content).build();
            operation.responses.responses.insert(status.into(), answer.into());
        }
    }
    let mut more = ExtensionsBuilder::new().add("x-hearth-who", json!(entry.who.word()));
    if entry.sort == Sort::Stream {
        more = more.add("x-hearth-stream", json!(true));
    }
    operation.extensions = Some(more.build());
    operation
}
