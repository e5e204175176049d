//! What doctor finds, for programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::finding::{Grade, unread};
use super::look::look;
use crate::auth::who::Viewer;
use crate::base::clock::SystemClock;
use crate::stacks::Home;
use crate::stacks::json::Api;

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// `home`, `docker`, `traefik`, `ports`, `names`, `certificates` or `clock`.
    pub about: String,
    /// A stable name of what was looked at.
    pub check: &'static str,
    /// `ok`, `note`, `warning` or `problem`.
    pub grade: String,
    pub words: String,
    /// Commands, or what to change.
    pub fix: Vec<String>,
}

/// All findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Findings {
    /// The worst grade of them.
    pub worst: String,
    pub findings: Vec<Finding>,
}

/// Looks at all that the home stands on and does not own: engine, Traefik, ports, names, authorities, clock. Takes some seconds.
#[utoipa::path(get, path = "/api/v1/doctor", responses((status = 200, body = Findings)))]
pub async fn look_around(who: Viewer, State(api): State<Api>) -> Result<Json<Findings>, Response> {
    let dir = api.works.setting().home.clone();
    let found = api.ask(&who, &["doctor"], move |out| {
        let (home, mut findings) = match Home::open(dir) {
            Ok(home) => (Some(home), Vec::new()),
            Err(refused) => (None, vec![unread(&refused)]),
        };
        let environment = out.environment();
        crate::stacks::cli::start(async {
            findings.extend(look(home.as_ref(), &environment, Arc::new(SystemClock)).await);
            Ok(())
        })?;
        let worst = findings.iter().map(|f| f.grade).max().unwrap_or(Grade::Ok).to_string();
        let one = |f: super::finding::Finding| Finding {
            about: f.about.to_string().to_lowercase(),
            check: f.check,
            grade: f.grade.to_string(),
            words: f.words,
            fix: f.fix,
        };
        Ok(Findings { worst, findings: findings.into_iter().map(one).collect() })
    });
    found.await.map(Json).map_err(IntoResponse::into_response)
}
