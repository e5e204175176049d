//! Certificates for programs: what there is, and an order now.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::cli::list::{Certificate, all};
use super::cli::{self, Front};
use super::room::Room;
use crate::args;
use crate::auth::who::{Admin, Viewer};
use crate::base::clock::{Clock, SystemClock};
use crate::cli::Out;
use crate::stacks::Home;
use crate::stacks::json::{Accepted, Begun};
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::{Json as Body, Query};

/// What handlers of this room work with.
#[derive(Clone)]
pub struct Api {
    pub stacks: crate::stacks::json::Api,
    pub front: Arc<dyn Front + Send + Sync>,
    /// After certificates have changed: Traefik gets them.
    pub changed: Arc<dyn Fn(&args::Global, &Out) + Send + Sync>,
}

crate::order! { By of Certificate, false:
    Id "id" => |one| one.key().as_str().into(),
    Ends "not_after" => |one| one.ends().into(),
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// In which order.
    #[param(inline)]
    pub sort: Option<Sort>,
    /// Only those with this name.
    pub name: Option<String>,
    /// Only those that are valid now, or are not.
    pub valid: Option<bool>,
}

/// All certificates: those that Hearth keeps, and those that are served besides. Each routed host is asked what it shows.
#[utoipa::path(get, path = "/api/v1/certificates", params(Which), responses((status = 200, body = Page<Certificate>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Certificate>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let (dir, front) = (api.stacks.works.setting().home.clone(), api.front.clone());
    let found = api.stacks.ask(&who, &["certs"], move |out| {
        let home = Home::open(dir).map_err(|refused| refused.tell(out))?;
        let room = Room::open(&home)?;
        Ok(all(&room, front.shown(&home).as_deref(), SystemClock.now())?)
    });
    let mut found = found.await.map_err(IntoResponse::into_response)?;
    found.retain(|one| {
        which.name.as_ref().is_none_or(|name| one.is_for(name))
            && which.valid.is_none_or(|valid| one.is_valid() == valid)
    });
    Ok(Json(asked.page(found, Certificate::key)))
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = RenewCertificates)]
pub struct Renew {
    /// A name of the certificate, its id, or all names of a new one; none is all certificates.
    names: Vec<String>,
}

/// Orders now: at the authority's staging first, then at the authority itself.
#[utoipa::path(post, path = "/api/v1/certificates/renew", request_body = Renew, responses((status = 202, body = Accepted)))]
pub async fn renew(who: Admin, State(api): State<Api>, Body(asked): Body<Renew>) -> Result<Begun, Response> {
    let mut words = vec!["certs", "renew"];
    words.extend(asked.names.iter().map(String::as_str));
    let global = api.stacks.works.setting().global();
    let (front, changed) = (api.front.clone(), api.changed.clone());
    let verb = args::CertsVerb::Renew { names: asked.names.clone() };
    let args = args::Certs { verb: Some(verb), json: args::Json { json: true } };
    let begun = api.stacks.begin(&who, "certs renew", &words, move |out| {
        cli::run(&global, args, front.as_ref(), out)?;
        changed(&global, out);
        Ok(())
    });
    begun.map_err(IntoResponse::into_response)
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewAuthority {
    /// Every device has to be told to trust the new root, and the old one's key is gone: without a yes here it is refused.
    pub yes: bool,
}

/// Makes a new root for the home's own authority, for the domain that the home has now.
#[utoipa::path(post, path = "/api/v1/certificates/new-ca", request_body = NewAuthority, responses((status = 202, body = Accepted)))]
pub async fn new_authority(
    who: Admin,
    State(api): State<Api>,
    Body(asked): Body<NewAuthority>,
) -> Result<Begun, Response> {
    let mut words = vec!["certs", "new-ca"];
    words.extend(asked.yes.then_some("--yes"));
    let global = api.stacks.works.setting().global();
    let (front, changed) = (api.front.clone(), api.changed.clone());
    let verb = args::CertsVerb::NewCa(args::NewCa { answer: args::Answer { yes: asked.yes } });
    let args = args::Certs { verb: Some(verb), json: args::Json { json: true } };
    let begun = api.stacks.begin(&who, "certs new-ca", &words, move |out| {
        cli::run(&global, args, front.as_ref(), out)?;
        changed(&global, out);
        Ok(())
    });
    begun.map_err(IntoResponse::into_response)
}
