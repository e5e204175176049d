//! The kit for serving: TLS listeners, limits, headers and pages; knows no room.
//!
//! A [`Server`] has several [`Door`]s: a listener, whether it speaks TLS and to whom, its [`Limits`], and the router behind it. What a
//! request passes, from the outside in: the number of connections, the handshake, the sizes of its head, then [`dress`] (access log, headers of every
//! answer, number of requests at once, who asks, panics, time, size of the body), then the router.

mod activity;
pub mod client;
mod dress;
mod etag;
pub mod events;
mod handshakes;
mod limits;
pub mod list;
mod listen;
mod origin;
pub mod outside;
pub mod read;
mod refuse;
mod server;
mod style;
#[cfg(test)]
mod tests;
mod tls;

pub use dress::{Caller, Manner, dress};
pub use etag::Etag;
pub use limits::{Limits, household};
pub use listen::bind;
pub use origin::Origin;
pub use read::unread;
pub use refuse::{Refusal, Refusals, no_such_page, page, wants_html};
pub use server::{Door, Drained, Server};
pub use style::{STYLE, source, style_source};
pub use tls::{Certificates, Pair, Tls};

/// The cookie of a session, on the panel and on every host behind it. `__Host-` (RFC 6265bis, 4.1.3.2): no other host can set it, and it goes
/// to none but the one that did.
pub const SESSION: &str = "__Host-hearth";

/// The value of a cookie; `None` also where it is there twice, since a browser has one of a `__Host-` name.
pub fn cookie<'h>(headers: &'h axum::http::HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(axum::http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}
