//! The API of stacks, driven over HTTP against a server in this process, with the engine in memory.

mod audit;
mod definitions;
mod exec;
mod hostile;
mod objects;
mod pages;
mod rare;
mod rig;
mod route;
mod store;
mod tokens;
mod variables;
mod verbs;
mod versions;
