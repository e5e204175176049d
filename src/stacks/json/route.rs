//! The route of one service, as its stack says it: shown, made, changed, taken away. Every other byte of the stack stays, and saving it is a save of the stack.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::stacks::{self, Save, Saved};
use super::verbs::refused;
use super::{Api, meant};
use crate::auth::accounts::Auth;
use crate::auth::who::Admin;
use crate::compose::short::ports;
use crate::compose::tree::Node;
use crate::diag::Diagnostic;
use crate::spec::edit::{self, Said, Wanted};
use crate::stacks::home::known::Known;
use crate::web::read::{Json as Body, Path};
use crate::web::{Etag, Refusal, over};

/// The route of a service as its stack says it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceRoute)]
pub struct Shown {
    pub service: String,
    /// The stack that it stands in.
    pub stack: String,
    /// Null where there is none, or where it can only be changed in the stack's text.
    #[schema(required)]
    pub route: Option<Route>,
    /// Why it can only be changed in the stack's text; null where it can be changed here.
    #[schema(required)]
    pub by_hand: Option<String>,
    /// Ports inside the container that the stack names.
    pub ports: Vec<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WrittenRoute)]
pub struct Route {
    /// A name under the domain, a whole name, or `@`; several are joined by commas.
    pub host: String,
    /// Inside the container. It may hold a variable.
    pub port: String,
    /// `public`, `lan`, `lan-or-user`, `user`, `group:NAME` or `admin`.
    pub access: String,
}

impl From<Said> for Route {
    fn from(said: Said) -> Route {
        Route { host: said.host, port: said.port, access: said.access }
    }
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SetRoute)]
pub struct Set {
    /// A name under the domain, a whole name, or `@` for the domain itself. A first route needs it.
    #[schema(example = "photos")]
    pub host: Option<String>,
    /// The port inside the container. A first route needs it.
    #[schema(minimum = 1, maximum = 65535, example = 2283)]
    pub port: Option<u16>,
    /// `public`, `lan`, `lan-or-user`, `user`, `group:NAME` or `admin`. A first route is for `user` without it.
    #[schema(example = "user")]
    pub access: Option<String>,
    /// Why, for the stack's history. Without it the route is named.
    pub message: Option<String>,
}

/// A service of the home, with the text that it stands in.
struct Found {
    known: Arc<Known>,
    stack: String,
    ports: Vec<u16>,
}

impl Found {
    async fn of(api: &Api, service: &str) -> Result<Found, Response> {
        let known = api.works.readings().later().await.map_err(refused)?;
        let read = &known.read;
        let of = read.spec.services.get(service);
        let stack = of.and_then(|of| read.spec.stacks.get(of.stack)).map(|stack| stack.name.clone());
        // What domain mode brings along stands in no stack.
        let stack = stack.filter(|stack| known.text(stack).is_some());
        let (Some(of), Some(stack)) = (of, stack) else {
            let d = Diagnostic::error("compose.no-such-service", format!("no stack has a service `{service}`"));
            let known = read.spec.services.keys().map(String::as_str);
            return Err(Refusal(meant(d, service, known, "/api/v1/services")).into_response());
        };
        let mut ports = named(&of.node);
        ports.extend(of.keys.localhost.iter().filter_map(|one| one.target.as_ref()?.parse::<u16>().ok()));
        let mut seen = BTreeSet::new();
        ports.retain(|port| seen.insert(*port));
        Ok(Found { stack, ports, known })
    }

    fn text(&self) -> &str {
        self.known.text(&self.stack).unwrap_or_default()
    }

    fn tag(&self) -> Etag {
        Etag::of(self.text().as_bytes())
    }

    fn require(&self, headers: &HeaderMap) -> Result<(), Response> {
        Etag::require(Some(&self.tag()), headers, &format!("a stack `{}`", self.stack))
    }

    /// Saves the stack over the text that was read.
    async fn save(
        self,
        who: Admin,
        api: State<Api>,
        auth: State<Arc<Auth>>,
        text: String,
        message: String,
    ) -> Result<Response, Response> {
        let over = over(self.tag().as_str());
        stacks::save(who, api, auth, Path(self.stack), over, Body(Save { text, message })).await
    }
}

/// Ports that a service names itself: of those inside the container, TCP.
fn named(service: &Node) -> Vec<u16> {
    let items = |key: &str| service.get(key).and_then(Node::as_seq).unwrap_or_default().iter();
    let exposed = items("expose").filter_map(|one| {
        let text = one.scalar_text()?;
        text.strip_suffix("/tcp").unwrap_or(&text).parse::<u16>().ok()
    });
    let published = items("ports").flat_map(|one| match one.get("target") {
        Some(target) => target.scalar_text().and_then(|text| text.parse().ok()).into_iter().collect(),
        None => {
            let short = ports::parse(&one.scalar_text().unwrap_or_default()).unwrap_or_default();
            short.into_iter().filter(|one| one.protocol != "udp").map(|one| one.target).collect::<Vec<u16>>()
        }
    });
    exposed.chain(published).collect()
}

/// The route of a service as its stack says it; its ETag is the stack's, and wanted for changing it.
#[utoipa::path(get, path = "/api/v1/services/{name}/route", params(("name" = String, Path)), responses((status = 200, body = Shown)))]
pub async fn show(_: Admin, State(api): State<Api>, Path(name): Path<String>) -> Result<Response, Response> {
    let found = Found::of(&api, &name).await?;
    let tree = found.known.tree(&found.stack, edit::tree);
    let (route, by_hand) = match edit::said_in(tree.as_deref(), &name) {
        Ok(said) => (said.map(Route::from), None),
        Err(why) => (None, Some(why.title)),
    };
    let tag = found.tag().header();
    let shown = Shown { service: name, stack: found.stack, route, by_hand, ports: found.ports };
    Ok(([tag], Json(shown)).into_response())
}

/// Gives a service a route, or changes what is given of the one that it has; all else of its stack stays, byte for byte. It is a save of the stack, over the
/// version that `If-Match` names, and refused as one. Nothing is started or stopped: that takes a plan. A route that other lines of the stack depend on is left (409, `spec.by-hand`).
#[utoipa::path(put, path = "/api/v1/services/{name}/route", params(("name" = String, Path),
        ("If-Match" = String, Header, description = "The ETag of the version of the stack that was seen, in its quotes; `*` is whatever version there is")),
    request_body = Set,
    responses((status = 200, body = Saved),
        (status = 412, description = "Somebody else has changed the stack meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn set(
    who: Admin,
    api: State<Api>,
    auth: State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(asked): Body<Set>,
) -> Result<Response, Response> {
    let found = Found::of(&api, &name).await?;
    found.require(&headers)?;
    let told = |d: Diagnostic| Refusal(d).into_response();
    let is_first = edit::said(found.text(), &name).map_err(told)?.is_none();
    let wanted = Wanted {
        host: asked.host,
        port: asked.port.map(|port| port.to_string()),
        access: asked.access.or_else(|| is_first.then(|| "user".to_owned())),
    };
    for (field, missing) in [("host", wanted.host.is_none()), ("port", wanted.port.is_none())] {
        if is_first && missing {
            let d = Diagnostic::error("spec.missing-key", format!("a route needs a `{field}`")).field(field);
            return Err(Refusal(
                d.hint("give host, the name under your domain, and port, the one inside the container"),
            )
            .into_response());
        }
    }
    let text = edit::set(found.text(), &name, &wanted).map_err(told)?;
    let message = asked.message.filter(|message| !message.trim().is_empty());
    let message = message.unwrap_or_else(|| words(&name, &text));
    found.save(who, api, auth, text, message).await
}

/// Takes the route of a service away; all else of its stack stays. A save of the stack, as when it is changed.
#[utoipa::path(delete, path = "/api/v1/services/{name}/route", params(("name" = String, Path),
        ("If-Match" = String, Header, description = "The ETag of the version of the stack that was seen, in its quotes; `*` is whatever version there is")),
    responses((status = 200, body = Saved),
        (status = 412, description = "Somebody else has changed the stack meanwhile"),
        (status = 428, description = "The request does not say which version it was made over")))]
pub async fn remove(
    who: Admin,
    api: State<Api>,
    auth: State<Arc<Auth>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let found = Found::of(&api, &name).await?;
    found.require(&headers)?;
    let text = edit::remove(found.text(), &name).map_err(|d| Refusal(d).into_response())?;
    let message = words(&name, &text);
    found.save(who, api, auth, text, message).await
}

/// `route photos: photos.DOMAIN for user`.
fn words(service: &str, text: &str) -> String {
    let Ok(Some(said)) = edit::said(text, service) else { return format!("route {service}: none") };
    let host = |host: &str| match host.trim() {
        "@" => "DOMAIN".to_owned(),
        host if host.contains(['.', '$']) => host.to_owned(),
        host => format!("{host}.DOMAIN"),
    };
    let hosts: Vec<String> = said.host.split(',').map(host).collect();
    format!("route {service}: {} for {}", hosts.join(", "), said.access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_which_route_it_gives() {
        let said = |inner: &str| words("web", &format!("services:\n  web: {{image: a{inner}}}\n"));
        assert_eq!(said(""), "route web: none");
        assert_eq!(said(", x-hearth: {route: {host: photos, port: 1}}"), "route web: photos.DOMAIN for user");
        let several = said(", x-hearth: {route: {host: ['@', a.example.org], port: 1, access: group:kids}}");
        assert_eq!(several, "route web: DOMAIN, a.example.org for group:kids");
    }

    #[test]
    fn ports_that_a_service_names_are_offered() {
        let (mut sources, mut told) = Default::default();
        let text = "expose: [80, '81/tcp', '53/udp', $X]\nports: ['127.0.0.1:8080:90', '54:54/udp', {target: 91, published: 1}, 92, '${P}:93']\n";
        let file = crate::diag::Sources::add(&mut sources, "a.yaml", text);
        let tree = crate::compose::yaml::parse(file, &sources, &mut told).remove(0);
        assert_eq!(named(&tree), [80, 81, 90, 91, 92]);
    }
}
