//! One login in front of every routed service: what Traefik, gate and the panel agree on. Pure.
//!
//! Traefik asks gate about each request (`forwardAuth`). Gate decides by what the panel has told it.
//!
//! | subject | file |
//! |---|---|
//! | the cookies, and what of them an application gets | `cookie` |
//! | which paths need no session | `bypass` |
//! | the way back to where somebody wanted to go, signed | `back` |
//! | names of hosts as a request says them | `host` |
//! | what gate and panel say to each other | `wire` |

pub mod back;
pub mod bypass;
pub mod cookie;
pub mod host;
pub mod wire;

/// Where, on every host with a login, the panel answers instead of the application: everything below it.
pub const OWN: &str = "/.well-known/hearth/";
/// Where gate is asked; the home's key follows.
pub const AUTH: &str = "/auth/";

/// The headers by which an application is told who somebody is; taken from every request, whatever it brings.
pub const REMOTE_USER: &str = "Remote-User";
pub const REMOTE_GROUPS: &str = "Remote-Groups";
pub const REMOTE_EMAIL: &str = "Remote-Email";
pub const REMOTE_NAME: &str = "Remote-Name";
pub const IDENTITY: [&str; 4] = [REMOTE_USER, REMOTE_GROUPS, REMOTE_EMAIL, REMOTE_NAME];

/// What gate reads of a request, besides what Traefik itself adds (`X-Forwarded-*`).
pub const READ: [&str; 5] = ["Accept", "Authorization", "Cookie", "Sec-Fetch-Dest", "Sec-Fetch-Mode"];
