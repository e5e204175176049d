//! The decision: who enters, who is sent to the login, who is refused.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Response, Uri};
use tokio::time::Instant;

use super::asked::{Asked, Question};
use super::known::{Kept, Rules};
use super::line::Unanswered;
use super::{Auth, answer};
use crate::traefik::Access;
use crate::traefik::forward::bypass::{self, Needs};
use crate::traefik::forward::wire::{Door, Hash, Kind, Of};

/// How long somebody waits who enters in any case.
const SOON: Duration = Duration::from_millis(300);

impl Auth {
    /// `until`: how long it may take. What is not known by then cannot be decided.
    pub(super) async fn decide(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        until: Instant,
    ) -> Result<Response<Body>, Unanswered> {
        let rules = match self.known.rules() {
            Some(rules) => rules,
            None => self.first_rules(until).await?,
        };
        let question = Question::of(uri).filter(|q| rules.is_key(q.key));
        let question = question.ok_or(Unanswered)?;
        let asked = Asked::of(headers);
        // Beside a route with a login, on the same host: everybody passes, and nobody gets the cookie that the other one gave.
        if question.access == Access::Public {
            return Ok(answer::enter(&asked, None, false));
        }
        let route = question.route.and_then(|name| rules.route(name));
        let behind = rules.behind(route, question.route.is_some(), asked.host.as_deref());
        let enter = Enter { auth: self, rules: &rules, asked: &asked, access: &question.access, behind, until };
        let needs = route.and_then(|route| bypass::needs(&route.bypass, asked.uri));
        match (needs, route) {
            (Some(Needs::Nothing), _) => {
                let who = enter.recognised().await;
                return Ok(answer::enter(&asked, who.as_deref(), false));
            }
            (Some(Needs::Token), Some(route)) => {
                if let Some(who) = enter.by_token(&route.service).await? {
                    return Ok(answer::enter(&asked, Some(&who), true));
                }
            }
            _ => {}
        }
        if question.access == Access::LanOrUser && asked.address.is_some_and(|address| rules.is_home(address)) {
            let who = enter.recognised().await;
            return Ok(answer::enter(&asked, who.as_deref(), false));
        }
        match enter.by_session().await? {
            Some(who) if enter.admits(&who) => Ok(answer::enter(&asked, Some(&who), false)),
            Some(who) => {
                self.refused(&rules, &asked, route, 403, Some(&who.grant.user));
                Ok(answer::not_allowed(&rules, &asked, &question.access, &who.grant))
            }
            None => self.sign_in(&rules, &asked, route, until).await,
        }
    }

    /// To the login, where that leads somewhere.
    async fn sign_in(
        &self,
        rules: &Rules,
        asked: &Asked<'_>,
        route: Option<&Door>,
        until: Instant,
    ) -> Result<Response<Body>, Unanswered> {
        let host = asked.host.as_deref().filter(|host| rules.has(host) && asked.is_navigation());
        let Some(host) = host else {
            self.refused(rules, asked, route, 401, None);
            return Ok(answer::sign_in_first(asked));
        };
        // The login is the panel's: where that is away nobody is sent there.
        if !self.line.is_open() {
            let _place = self.waiting.try_acquire().map_err(|_| Unanswered)?;
            if !self.line.wait(until).await {
                return Err(Unanswered);
            }
        }
        Ok(answer::to_login(self, rules, asked, host))
    }

    /// For the audit. The service is named as the home names it; a host that is none of its own is nobody's word.
    fn refused(&self, rules: &Rules, asked: &Asked<'_>, route: Option<&Door>, status: u16, user: Option<&str>) {
        let here = asked.host.as_deref();
        let of_host = || rules.doors.routes.iter().find(|door| door.hosts.iter().any(|own| Some(own.as_str()) == here));
        let service = route.or_else(of_host).map_or("", |door| door.service.as_str());
        self.refusals.note(service, status, user, asked.address, self.known.now());
    }

    /// No panel was met since gate began.
    async fn first_rules(&self, until: Instant) -> Result<Arc<Rules>, Unanswered> {
        let _place = self.waiting.try_acquire().map_err(|_| Unanswered)?;
        tokio::time::timeout_at(until, self.known.wait_for_rules()).await.map_err(|_| Unanswered)
    }
}

/// One request at one door.
struct Enter<'a> {
    auth: &'a Auth,
    rules: &'a Rules,
    asked: &'a Asked<'a>,
    access: &'a Access,
    /// The services that it may lead to.
    behind: Vec<&'a str>,
    until: Instant,
}

impl Enter<'_> {
    fn admits(&self, who: &Kept) -> bool {
        self.access.admits(who.grant.guest(), &self.behind)
    }

    /// Who has the cookie's session on this host; the panel is asked where that is not known.
    async fn by_session(&self) -> Result<Option<Arc<Kept>>, Unanswered> {
        let Some(cookie) = &self.asked.cookies.session else { return Ok(None) };
        let found = self.look(Kind::Cookie, Hash::of(cookie), self.until).await?;
        Ok(found.filter(|who| self.is_for_here(who)))
    }

    /// The same where nobody needs a session, so that an application may greet by name: nobody waits for a panel that is away.
    async fn recognised(&self) -> Option<Arc<Kept>> {
        let hash = Hash::of(self.asked.cookies.session.as_deref()?);
        let is_known = self.auth.known.get(&hash, self.auth.known.now()).is_some();
        if !is_known && !self.auth.line.is_open() {
            return None;
        }
        let until = self.until.min(Instant::now() + SOON);
        let who = self.look(Kind::Cookie, hash, until).await.ok()??;
        (self.is_for_here(&who) && self.admits(&who)).then_some(who)
    }

    /// Who has the token, where it is one for this service and its owner may enter.
    async fn by_token(&self, service: &str) -> Result<Option<Arc<Kept>>, Unanswered> {
        let Some(token) = self.asked.bearer().filter(|token| token.len() <= 512) else { return Ok(None) };
        let Some(who) = self.look(Kind::Token, Hash::of(token), self.until).await? else { return Ok(None) };
        let fits = matches!(&who.grant.of, Of::Routes(all) if all.iter().any(|one| one == service));
        Ok((fits && self.admits(&who)).then_some(who))
    }

    fn is_for_here(&self, who: &Kept) -> bool {
        let here = self.asked.host.as_deref().filter(|host| self.rules.has(host));
        matches!((&who.grant.of, here), (Of::Host(host), Some(here)) if host == here)
    }

    async fn look(&self, kind: Kind, hash: Hash, until: Instant) -> Result<Option<Arc<Kept>>, Unanswered> {
        let known = &self.auth.known;
        let now = known.now();
        let found = match known.get(&hash, now) {
            Some(kept) => Some(kept),
            None if known.is_nobodys(&hash, now) => None,
            None => {
                let _place = self.auth.waiting.try_acquire().map_err(|_| Unanswered)?;
                self.auth.line.ask(kind, hash, until).await?.filter(|kept| kept.holds(now))
            }
        };
        if let Some(kept) = &found {
            kept.touch(now);
        }
        Ok(found)
    }
}
