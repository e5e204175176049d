//! The services that somebody may enter, as tiles: the start page of who has no more to do with the home.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::machine::Figure;
use super::shell::Shell;
use super::{Panel, page};
use crate::auth::who::{Identity, User};
use crate::base::wording;
use crate::proxy::Mine;
use crate::web::lang::filters;

#[derive(Debug, Template)]
#[template(path = "panel/tiles.html")]
pub struct Tiles {
    pub shell: Shell,
    pub tiles: Vec<Tile>,
    /// Of the machine, which serves everybody; nothing of what runs on it. None for who is here for some services alone.
    pub machine: Vec<Figure>,
}

/// A service that somebody may enter.
#[derive(Debug, Clone, Default)]
pub struct Tile {
    pub title: String,
    pub about: String,
    pub url: String,
}

pub async fn mine(who: User, State(panel): State<Panel>, headers: HeaderMap) -> Response {
    page_of(&who, &panel, "/services", &headers).await
}

pub async fn page_of(who: &Identity, panel: &Panel, path: &'static str, headers: &HeaderMap) -> Response {
    let tile = |way: Mine| Tile { title: wording::sentence(&way.service), about: way.about, url: way.url };
    let tiles = panel.ways.clone().of(who).await.into_iter().map(tile).collect();
    let shell = panel.shell(who, headers, path, path);
    let machine = if who.only.is_empty() { panel.machine.figures() } else { Vec::new() };
    page(headers, &Tiles { shell, tiles, machine })
}
