//! Every URL on one page, with who may call it.
//!
//! A row is method, address, permission, handler. `anyone`: whoever it is; `user`: anybody signed in; the roles are those of [`auth::who`]. What is `early` is
//! answered before the home is set up too. Plain HTTP has the rows of [`open`] only, and leads everything else to HTTPS.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::about;
use crate::auth::table::Table;
use crate::certs;
use crate::{calls, pages};

/// What handlers work with; each takes the part that is its own.
#[derive(Clone, FromRef)]
pub struct App {
    pub about: Arc<about::state::State>,
    pub trust: certs::page::Trust,
    pub challenge: certs::page::Challenge,
    pub docs: Arc<about::docs::Docs>,
}

/// All rows that are answered over HTTPS.
pub fn table() -> Table<App> {
    let mut table = Table::default();
    open(&mut table);
    table.early(|early| {
        calls! { early:
            GET "/health" Anyone => about::json::health;
        }
    });
    calls! { table:
        GET "/api/v1/info" Anyone => about::json::info;
    }
    pages! { table:
        GET "/" Anyone => about::page::index;
        GET "/docs" Anyone => about::docs::page;
        GET "/docs/errors" Anyone => about::docs::errors;
        GET "/api/v1/openapi.json" Anyone => about::docs::openapi;
    }
    table
}

/// What is answered over plain HTTP too: it is asked for by who cannot trust us yet.
pub fn open(table: &mut Table<App>) {
    table.early(|early| {
        pages! { early:
            GET "/trust" Anyone => certs::page::trust;
            GET "/trust/hearth-ca.crt" Anyone => certs::page::pem;
            GET "/trust/hearth-ca.der" Anyone => certs::page::der;
            GET "/trust/hearth-ca.mobileconfig" Anyone => certs::page::mobileconfig;
            GET "/.well-known/acme-challenge/{token}" Anyone => certs::page::challenge;
            GET "/favicon.ico" Anyone => about::page::no_icon;
        }
    });
}
