//! Hearth: stack files become running containers, in step with Docker Compose.
//!
//! Reading order, and the law of imports (`tests/tidy.rs` holds it): each line may use the lines above it.
//!
//! | module | what it is |
//! |---|---|
//! | [`base`] | ids, clock, secrets, units, wording; imports nothing of ours |
//! | [`diag`] | [`diag::Diagnostic`]: every refusal as data, with its place in the source |
//! | [`compose`] | Compose files: tree, interpolation, merge, canonical model, hash. Pure |
//! | [`traefik`] | what Traefik is told: routes as labels and as one file; a model of its label grammar. Pure |
//! | [`spec`] | what Hearth adds: `x-hearth`, profile closure, render. Pure |
//! | [`config`] | `hearth.yaml`: what a home has decided for itself |
//! | [`plan`] | wanted and observed make a [`plan::Plan`]; a checker; its text. Pure |
//! | [`engine`] | the Docker Engine behind a trait, an in-memory double, and the walker of plans |
//! | [`store`] | SQLite and PostgreSQL: pools, migrations, one writer |
//! | [`cli`] | output, colour, progress and exit codes; knows no room |
//! | [`args`] | every subcommand and flag on one page, as types; what each does stands in the face of its room |
//! | [`web`] | the kit for serving: TLS listeners, limits, headers, pages; knows no room |
//! | [`auth`] | the room of people: who is asking, what they may, what they did |
//! | [`gate`] | the small service between Traefik and Docker |
//! | [`example`] | two small services to see something run |
//! | [`stacks`] | the room that joins them: preview, up, down, history |
//! | [`notices`] | the room of what happened while nobody looked |
//! | [`certs`] | the room of certificates: local CA, ACME, renewal, storage |
//! | [`proxy`] | the room of routes: the file that Traefik reads, its status, probes |
//! | [`doctor`] | a look at everything that a home stands on and does not own, each finding with its fix |
//! | [`panel`] | the room of pages for who looks after the home: what runs, plans, works |
//! | [`about`] | what Hearth says about itself: health, info, the API to read |
//! | [`routes`] | every URL on one page, with who may call it |
//! | [`serve`] | wiring of everything that stays running, and its orderly stop |
//! | [`command`] | from a command line to the room that does it, and back to an exit code |
//!
//! Pure means: no async, no I/O, no clock, no randomness.

pub mod about;
pub mod args;
pub mod auth;
pub mod base;
pub mod certs;
pub mod cli;
pub mod command;
pub mod compose;
pub mod config;
pub mod diag;
pub mod doctor;
pub mod engine;
pub mod example;
pub mod gate;
pub mod notices;
pub mod panel;
pub mod plan;
pub mod proxy;
pub mod routes;
pub mod serve;
pub mod spec;
pub mod stacks;
pub mod store;
pub mod traefik;
pub mod web;
