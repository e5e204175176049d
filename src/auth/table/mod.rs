//! The table of routes: what answers at each address, and who may call it. There is no other way to a handler.
//!
//! | subject | file |
//! |---|---|
//! | rows, and the router made of them | this one |
//! | what every request passes before and after its handler | `guard` |
//! | what goes on until its client leaves | `stay` |
//! | what goes on behind its answer | `later` |
//! | what answers where no row does | `nowhere` |
//! | the description for programs, OpenAPI 3.1 | `describe` |
//! | answers kept for a repeated `Idempotency-Key` | `once` |
//!
//! A row takes only a handler whose first argument is the permission that the row names: a row that says less than its handler checks, or more,
//! does not compile. Inventory, role matrix, denial test, OpenAPI and audit are all made from these rows.

mod begins;
pub mod describe;
pub mod guard;
mod later;
mod nowhere;
mod once;
pub mod stay;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, on};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{RefOr, Schema};

pub use crate::auth::audit::Outcome;
pub use begins::Begins;
pub use guard::{Act, Doorkeeper, Guard, Looked, Notebook};
pub use later::Later;

use super::who::{Permission, Who};

/// What a row answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// JSON, described in OpenAPI.
    Call,
    /// JSON or events of a call that goes on until its client leaves, or a WebSocket; described in OpenAPI.
    Stream,
    /// HTML, or a file: for browsers.
    Page,
}

/// What is known of a row besides its handler.
#[derive(Clone)]
pub struct Entry {
    pub method: Method,
    /// As axum writes it: `/api/v1/users/{id}`.
    pub path: &'static str,
    pub who: Who,
    /// `users.list`: subject and function of the handler; the name in OpenAPI and in the audit.
    pub name: String,
    pub sort: Sort,
    /// Of a stream: what it takes of what one person may have open ([`stay::MOST`]).
    pub weight: u32,
    /// Also answered before the home is set up.
    pub early: bool,
    pub operation: Option<Operation>,
}

impl Entry {
    /// Whether it may change something.
    pub fn changes(&self) -> bool {
        ![Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method)
    }
}

struct Row<S> {
    entry: Entry,
    handler: MethodRouter<S>,
}

/// Rows, in the order in which they are written.
pub struct Table<S> {
    rows: Vec<Row<S>>,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// What `utoipa_axum::routes!` makes of a described handler.
pub type Described<S> = utoipa_axum::router::UtoipaMethodRouter<S>;

impl<S: Clone + Send + Sync + 'static> Default for Table<S> {
    fn default() -> Table<S> {
        Table { rows: Vec::new(), schemas: Vec::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Table<S> {
    /// A call of the API. `handler` stands for its type only: `described` has it too.
    pub fn call<P, H, T>(
        &mut self,
        method: Method,
        path: &'static str,
        name: &str,
        _handler: H,
        described: Described<S>,
    ) where
        P: Permission,
        H: Handler<T, S>,
        T: Begins<P> + 'static,
    {
        let (schemas, paths, handler) = described;
        let (at, item) = paths.paths.into_iter().next().unwrap_or_default();
        let operation = describe::operation_of(item, &method);
        assert!(
            at == path && operation.is_some(),
            "{name} describes itself as another call than {method} {path}: {at}"
        );
        self.schemas.extend(schemas);
        self.add(
            Entry {
                method,
                path,
                who: P::WHO,
                name: short(name),
                sort: Sort::Call,
                weight: 0,
                early: false,
                operation,
            },
            handler,
        );
    }

    /// A page for browsers.
    pub fn page<P, H, T>(&mut self, method: Method, path: &'static str, name: &str, handler: H)
    where
        P: Permission,
        H: Handler<T, S>,
        T: Begins<P> + 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let (who, name, sort) = (P::WHO, short(name), Sort::Page);
        let entry = Entry { method, path, who, name, sort, weight: 0, early: false, operation: None };
        self.add(entry, on(filter, handler));
    }

    fn add(&mut self, entry: Entry, handler: MethodRouter<S>) {
        let twice = self.rows.iter().any(|row| row.entry.method == entry.method && row.entry.path == entry.path);
        assert!(!twice, "{} {} stands in the table twice", entry.method, entry.path);
        self.rows.push(Row { entry, handler });
    }

    /// The rows that were added by `rows` are answered before the home is set up too.
    pub fn early(&mut self, rows: impl FnOnce(&mut Table<S>)) {
        self.with(rows, |entry| entry.early = true);
    }

    /// The rows that were added by `rows` go on until their client leaves; one person has so many open as weigh [`stay::MOST`] together.
    pub fn streams(&mut self, weight: u32, rows: impl FnOnce(&mut Table<S>)) {
        self.with(rows, |entry| (entry.sort, entry.weight) = (Sort::Stream, weight));
    }

    fn with(&mut self, rows: impl FnOnce(&mut Table<S>), change: impl Fn(&mut Entry)) {
        let before = self.rows.len();
        rows(self);
        self.rows[before..].iter_mut().for_each(|row| change(&mut row.entry));
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.rows.iter().map(|row| &row.entry)
    }

    /// What the rows' bodies are made of, by name; a name comes as often as something names it.
    pub fn schemas(&self) -> &[(String, RefOr<Schema>)] {
        &self.schemas
    }

    /// The same rows with one handler for all: `reached` is told which row let somebody through. For tests of who may call what.
    pub fn reaching(self, reached: Arc<dyn Fn(&Entry) + Send + Sync>) -> Table<()> {
        let row = |row: Row<S>| {
            let (entry, reached) = (row.entry.clone(), reached.clone());
            let filter = MethodFilter::try_from(entry.method.clone()).unwrap_or(MethodFilter::GET);
            let handler = on(filter, move || async move { reached(&entry) });
            Row { entry: row.entry, handler }
        };
        Table { rows: self.rows.into_iter().map(row).collect(), schemas: self.schemas }
    }

    /// The router: each row behind the guard, and behind it what answers where no row does.
    pub fn router(self, guard: &Arc<Guard>) -> Router<S> {
        let mut router = Router::new();
        let mut methods: BTreeMap<&'static str, Vec<Method>> = BTreeMap::new();
        self.entries().for_each(|entry| methods.entry(entry.path).or_default().push(entry.method.clone()));
        let methods = Arc::new(methods);
        for Row { entry, handler } in self.rows {
            let path = entry.path;
            let post = guard::Post { guard: guard.clone(), entry: Arc::new(entry) };
            router = router.route(path, handler.layer(middleware::from_fn_with_state(post, guard::row)));
        }
        let (here, there) = (guard.clone(), guard.clone());
        router
            .fallback(move |request| nowhere::nothing_here(here.clone(), request))
            .method_not_allowed_fallback(move |request| {
                nowhere::no_such_method(there.clone(), methods.clone(), request)
            })
            .layer(middleware::from_fn_with_state(guard.clone(), guard::frame))
    }
}

/// `users.list` of `auth::json::users::list`, and `passkeys.list` of `passkeys::json::list`. Each is one row's alone.
fn short(name: &str) -> String {
    let parts: Vec<&str> = name.split("::").map(str::trim).filter(|part| *part != "json").collect();
    parts[parts.len().saturating_sub(2)..].join(".")
}

/// Rows of the API: method, address, who may call it, handler.
#[macro_export]
macro_rules! calls {
    ($table:ident: $($method:ident $path:literal $who:ident => $($part:ident)::+;)*) => { $(
        $table.call::<$crate::auth::who::$who, _, _>(
            axum::http::Method::$method,
            $path,
            stringify!($($part)::+),
            $($part)::+,
            utoipa_axum::routes!($($part)::+),
        );
    )* };
}

/// Rows of pages: method, address, who may see it, handler.
#[macro_export]
macro_rules! pages {
    ($table:ident: $($method:ident $path:literal $who:ident => $($part:ident)::+;)*) => { $(
        $table.page::<$crate::auth::who::$who, _, _>(
            axum::http::Method::$method,
            $path,
            stringify!($($part)::+),
            $($part)::+,
        );
    )* };
}
