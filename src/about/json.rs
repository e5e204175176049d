//! What clients and monitors ask: the fields that HomeServer's clients know, and ours beside them. Nothing about the machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::state;
use crate::auth::who::Anyone;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What it was built from, where whoever built it has said so.
pub const COMMIT: Option<&str> = option_env!("HEARTH_COMMIT");

/// That it runs, and what it reaches.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `healthy`: whoever reads it got an answer.
    status: &'static str,
    app: &'static str,
    version: &'static str,
    /// Of the server's process.
    uptime_seconds: f64,
    /// `unknown` until the first look, then `reachable` or `unreachable`.
    engine: &'static str,
    database: &'static str,
}

/// What the home has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Info {
    api_version: &'static str,
    /// `active` or `planned`, for each group of services that clients ask about.
    services: BTreeMap<&'static str, &'static str>,
    version: &'static str,
    uptime_seconds: f64,
    engine: &'static str,
    database: &'static str,
}

/// That it runs, and what it reaches.
#[utoipa::path(get, path = "/health", responses((status = 200, body = Health)))]
pub async fn health(_: Anyone, State(state): State<Arc<state::State>>) -> Json<Health> {
    let seen = state.seen();
    Json(Health {
        status: "healthy",
        app: "Hearth",
        version: VERSION,
        uptime_seconds: state.uptime(),
        engine: seen.engine.word(),
        database: seen.database.word(),
    })
}

/// Which version, and which groups of services are on.
#[utoipa::path(get, path = "/api/v1/info", responses((status = 200, body = Info)))]
pub async fn info(_: Anyone, State(state): State<Arc<state::State>>) -> Json<Info> {
    let seen = state.seen();
    Json(Info {
        api_version: "v1",
        services: state.services().collect(),
        version: VERSION,
        uptime_seconds: state.uptime(),
        engine: seen.engine.word(),
        database: seen.database.word(),
    })
}

/// For programs that ask for `/`.
pub fn index() -> Json<Value> {
    Json(json!({"message": "Hearth looks after this home", "version": VERSION, "status": "running"}))
}
