//! What clients and monitors ask: the fields that HomeServer's clients know, and ours beside them. Nothing about the machine.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::state;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub async fn health(State(state): State<Arc<state::State>>) -> Json<Value> {
    let seen = state.seen();
    Json(json!({
        "status": "healthy",
        "app": "Hearth",
        "version": VERSION,
        "uptime_seconds": state.uptime(),
        "engine": seen.engine.word(),
        "database": seen.database.word(),
    }))
}

pub async fn info(State(state): State<Arc<state::State>>) -> Json<Value> {
    let services: Map<String, Value> = state.services().map(|(name, word)| (name.into(), word.into())).collect();
    let seen = state.seen();
    Json(json!({
        "api_version": "v1",
        "services": services,
        "version": VERSION,
        "uptime_seconds": state.uptime(),
        "engine": seen.engine.word(),
        "database": seen.database.word(),
    }))
}

/// For programs that ask for `/`.
pub fn index() -> Json<Value> {
    Json(json!({"message": "Hearth looks after this home", "version": VERSION, "status": "running"}))
}
