//! The kit for serving: TLS listeners, limits, headers and pages; knows no room.
//!
//! A [`Server`] has several [`Door`]s: a listener, whether it speaks TLS and to whom, its [`Limits`], and the router behind it. What a
//! request passes, from the outside in: the number of connections, the handshake, what no head may exceed, then [`dress`] (access log, headers of every
//! answer, the size of its head, number of requests at once, who asks, panics, time, size of the body), then the router.

mod activity;
mod assets;
pub mod client;
mod cookies;
mod deadline;
mod dress;
mod etag;
pub mod events;
mod handshakes;
pub mod head;
pub mod lang;
mod limits;
pub mod list;
mod listen;
mod origin;
pub mod outside;
mod policy;
pub mod read;
mod refuse;
mod server;
mod style;
#[cfg(test)]
mod tests;
mod tls;
mod turns;
pub mod words;

pub use crate::base::net::SESSION;
pub use assets::{asset, html, serve as serve_asset};
pub use cookies::{cookie, cookies, set_cookie};
pub use dress::{Caller, Manner, dress};
pub use etag::{Etag, Over, over, over_or_new};
pub use lang::Lang;
pub use limits::{Limits, Places, household};
pub use listen::bind;
pub use origin::Origin;
pub use policy::Nonce;
pub use read::unread;
pub use refuse::{Code, Refusal, Refusals, no_such_page, of_address, page, page_with, retry_after, wants_html};
pub use server::{Door, Drained, Server};
pub use style::{STYLE, source, style_source};
pub use tls::{Certificates, Pair, Tls};
pub use words::Words;
