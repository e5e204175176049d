//! One login in front of every routed service: the panel's side. Gate decides by what it is told here (`traefik::forward` has what both
//! agree on, `docs/decisions` why it is so).
//!
//! | subject | file |
//! |---|---|
//! | what a login needs of accounts | `sessions`; in memory, for tests: `double` |
//! | the panel's end of the line to gate | `channel` |
//! | whom gate has turned away, for the audit | `refusals` |
//! | where both meet, and their keys | `place` |
//! | from the panel's host to an application's | `codes` |
//! | what the panel answers there | `page` |

pub mod channel;
pub mod codes;
pub mod double;
pub mod page;
pub mod place;
pub mod refusals;
pub mod sessions;

use std::sync::Arc;

use tokio::sync::watch;

use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::diag::Diagnostic;
use crate::traefik::forward::OWN;
use crate::traefik::forward::back::{self, Back};
pub use crate::traefik::forward::wire::Doors;
use crate::traefik::forward::wire::Hash;
use codes::Codes;
use sessions::{Opened, Person, Sessions};

/// What the login goes on to for somebody who is on the way to a service; the signed way back follows.
const GO: &str = "/go?back=";

/// Logins at applications' hosts.
pub struct Forward {
    sessions: Arc<dyn Sessions>,
    doors: watch::Receiver<Option<Doors>>,
    codes: Codes,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Forward {
    /// `doors`: as gate is told them.
    pub fn new(
        sessions: Arc<dyn Sessions>,
        doors: watch::Receiver<Option<Doors>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Forward {
        Forward { sessions, doors, codes: Codes::default(), clock, random }
    }

    fn now(&self) -> i64 {
        self.clock.now().unix_timestamp()
    }

    /// Whether a host (lower case, no port) has a route with a login.
    pub fn has(&self, host: &str) -> bool {
        let doors = self.doors.borrow();
        doors.as_ref().is_some_and(|doors| doors.routes.iter().any(|route| route.hosts.iter().any(|own| own == host)))
    }

    /// Where somebody wanted to go who was sent to the login, and from there to [`page::go`], with `back=`; `None` where nobody of ours sent them, or too long ago.
    pub fn back(&self, text: &str) -> Option<Back> {
        let key = self.doors.borrow().as_ref()?.signing.clone();
        Back::read(text, &key.0, self.now()).filter(|back| self.has(&back.host))
    }

    /// The service's host that somebody is on the way to who goes on to `next` after the login; `None` where that is a path of the panel.
    pub fn on_the_way(&self, next: &str) -> Option<String> {
        next.strip_prefix(GO).and_then(|back| self.back(back)).map(|back| back.host)
    }

    /// The address that takes somebody there, signed in, by the public id of their session at the panel and by who they are.
    /// `None` where too many are on their way at once.
    pub fn go_back(&self, back: Back, session: &str, person: i64) -> Option<String> {
        let https = self.doors.borrow().as_ref()?.https;
        let port = if https == 443 { String::new() } else { format!(":{https}") };
        let host = back.host.clone();
        let code = self.codes.make(back, session.to_owned(), person, &*self.random, self.now())?;
        Some(format!("https://{host}{port}{OWN}callback?code={}", code.expose()))
    }

    /// A session on `host` for whoever shows a code there, in the browser that asked for it; and where they wanted to go.
    pub(crate) async fn trade(
        &self,
        code: &str,
        host: &str,
        before: &str,
    ) -> Result<Option<(Opened, String)>, Diagnostic> {
        let Some(code) = self.codes.take(code, host, &back::state(before), self.now()).filter(|_| self.has(host))
        else {
            return Ok(None);
        };
        let opened = self.sessions.open(&code.parent, host).await?;
        Ok(opened.map(|opened| (opened, code.back.path)))
    }

    /// The panel's origin, as browsers reach it.
    pub(crate) fn panel(&self) -> Option<String> {
        let doors = self.doors.borrow();
        let doors = doors.as_ref()?;
        let port = if doors.https == 443 { String::new() } else { format!(":{}", doors.https) };
        Some(format!("https://{}{port}", doors.panel))
    }

    /// Ends the session of a host that a cookie is of.
    pub(crate) async fn leave(&self, cookie: &str) -> Result<(), Diagnostic> {
        self.sessions.leave(Hash::of(cookie)).await
    }

    /// Ends the panel's session that a cookie of a host belongs to, on every host.
    pub(crate) async fn sign_out(&self, cookie: &str) -> Result<Option<Person>, Diagnostic> {
        self.sessions.sign_out(Hash::of(cookie)).await
    }
}
