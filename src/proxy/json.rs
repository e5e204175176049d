//! Routes for programs: every way in, and how it is.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answers::is_answered;
use super::cli::routes as verb;
use super::look::Row;
use super::state::Grade;
use crate::auth::who::Viewer;
use crate::base::clock::rfc3339;
use crate::spec::Mode;
use crate::stacks::Home;
use crate::stacks::json::Api;
use crate::web::Refusal;
use crate::web::list::{self, Page};
use crate::web::read::Query;

/// How a port is that could be tried.
const ON: &str = "on";

/// One way in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Route {
    pub service: String,
    /// In localhost mode the address of the port.
    pub url: String,
    /// `public`, `lan`, `user`, ...; null in localhost mode, where nobody is asked.
    #[schema(required)]
    pub access: Option<String>,
    /// How it is, in words.
    pub state: String,
    /// Null where it was not tried: what is off in localhost mode, and what has no connections.
    #[schema(required)]
    pub working: Option<bool>,
    /// What to do where it is not fine.
    #[schema(required)]
    pub advice: Option<String>,
    #[schema(required)]
    pub certificate: Option<Served>,
}

/// What it shows over TLS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServedCertificate)]
pub struct Served {
    pub issuer: String,
    pub expires: String,
    /// SHA-256.
    pub fingerprint: String,
    /// Why this machine does not believe it.
    #[schema(required)]
    pub distrusted_because: Option<String>,
}

impl Route {
    fn of(row: Row) -> Route {
        Route {
            service: row.service,
            url: row.url,
            access: Some(row.access),
            working: Some(row.state.grade == Grade::Good),
            state: row.state.words,
            advice: row.state.advice,
            certificate: row.certificate.map(|served| Served {
                issuer: served.issuer,
                expires: rfc3339(served.not_after),
                fingerprint: served.fingerprint,
                distrusted_because: served.distrust,
            }),
        }
    }

    fn of_port((service, url, on): (String, String, bool)) -> Route {
        let state = if on { ON } else { "off" }.to_string();
        Route { service, url, access: None, state, working: None, advice: None, certificate: None }
    }
}

crate::order! { By of Route, false:
    Url "url" => |one| one.url.as_str().into(),
    Service "service" => |one| one.service.as_str().into(),
    Working "working" => |one| one.working.map_or(2, i64::from).into(),
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
    /// Only those of this service.
    pub service: Option<String>,
    /// Only those that work, or do not.
    pub working: Option<bool>,
}

/// Every way in, each tried now; in localhost mode the ports.
#[utoipa::path(get, path = "/api/v1/routes", params(Which), responses((status = 200, body = Page<Route>)))]
pub async fn list(
    who: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Route>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let dir = api.works.setting().home.clone();
    let all = api.ask(&who, &["routes"], move |out| {
        let home = Home::open(dir).map_err(|refused| refused.tell(out))?;
        let read = home.read().map_err(|refused| refused.tell(out))?;
        if home.config.mode == Mode::Localhost {
            return Ok(verb::ports(&home, &read)?.into_iter().map(Route::of_port).collect::<Vec<_>>());
        }
        let mut all = Vec::new();
        crate::stacks::cli::start(async {
            let (rows, _) = verb::look(&home, &read, out).await?;
            all = rows.into_iter().map(Route::of).collect();
            Ok(())
        })?;
        Ok(all)
    });
    let mut all = all.await.map_err(IntoResponse::into_response)?;
    all.retain(|one| which.service.as_ref().is_none_or(|service| one.service == *service));
    // Ports of what is on.
    let ports = all.iter_mut().filter(|one| one.access.is_none() && one.state == ON);
    join_all(ports.map(async |one| {
        one.working = is_answered(&one.url).await;
        if one.working == Some(false) {
            "on, and nothing answers".clone_into(&mut one.state);
        }
    }))
    .await;
    all.retain(|one| which.working.is_none_or(|working| one.working == Some(working)));
    Ok(Json(asked.page(all, |one| format!("{} {}", one.url, one.service))))
}
