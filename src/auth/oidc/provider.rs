//! The provider as it describes itself (OpenID Connect Discovery 1.0), and its keys: fetched when they are needed, kept, and fetched anew.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::token;
use super::words::{away, misled};
use crate::base::secret::Secret;
use crate::config::oidc::Oidc as Settings;
use crate::diag::{Diagnostic, Kind};
use crate::web::outside::{Ask, Outside, Target};

/// No document of a provider is larger.
const MOST: usize = 256 << 10;
/// What was fetched is good for so long.
const FRESH: Duration = Duration::from_secs(3600);
/// Where nothing newer can be had, for so long.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Between two fetches that a key or a failure asks for: whoever sends nonsense does not make us ask again and again.
const PAUSE: Duration = Duration::from_secs(30);
/// After a failure, where nothing is known yet.
const RETRY: Duration = Duration::from_secs(3);

/// Where a provider answers what.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// Where a browser is sent.
    pub authorization: Target,
    pub token: Target,
    jwks: Target,
    /// Where it says more about somebody than in the token.
    pub userinfo: Option<Target>,
    /// The client's secret goes along as HTTP Basic; else in the form.
    pub basic: bool,
    /// It names itself in its answers to a browser (RFC 9207).
    pub says_issuer: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Something fetched, and when.
struct Kept<T> {
    what: Option<(T, Instant)>,
    tried: Option<Instant>,
    /// What came of the last try, where it was no good.
    failed: Option<Diagnostic>,
}

impl<T: Clone> Kept<T> {
    fn nothing() -> Kept<T> {
        Kept { what: None, tried: None, failed: None }
    }

    fn within(&self, age: Duration) -> Option<T> {
        self.what.as_ref().filter(|(_, at)| at.elapsed() < age).map(|(what, _)| what.clone())
    }

    fn just_tried(&self) -> bool {
        self.tried.is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// What there is, where it is not to be asked for: it is fresh (`anew`: that is not enough), or was asked for a moment ago.
    fn known(&self, anew: bool) -> Option<Result<T, Diagnostic>> {
        if let Some(fresh) = self.within(FRESH).filter(|_| !anew || self.just_tried()) {
            return Some(Ok(fresh));
        }
        let failed = self.failed.as_ref().filter(|_| self.tried.is_some_and(|at| at.elapsed() < RETRY));
        match self.within(STALE).filter(|_| self.just_tried()) {
            Some(old) => Some(Ok(old)),
            None => failed.map(|told| Err(told.clone())),
        }
    }

    /// What came of asking. Where it is of no use, what there was stays good for a while.
    fn take(&mut self, came: Result<T, Diagnostic>) -> Result<T, Diagnostic> {
        self.tried = Some(Instant::now());
        match came {
            Ok(new) => {
                (self.what, self.failed) = (Some((new.clone(), Instant::now())), None);
                Ok(new)
            }
            Err(told) => {
                self.failed = Some(told.clone());
                // One that has become another is not what it was; one that does not answer is.
                self.within(STALE).filter(|_| told.kind == Kind::Unavailable).ok_or(told)
            }
        }
    }
}

/// A provider, with what is known of it.
pub struct Provider {
    outside: Outside,
    issuer: Target,
    text: String,
    hosts: Vec<String>,
    name: String,
    endpoints: Mutex<Kept<Endpoints>>,
    keys: Mutex<Kept<Vec<Jwk>>>,
}

impl Provider {
    /// Asks nobody yet.
    pub fn new(settings: &Settings, outside: Outside) -> Result<Provider, Diagnostic> {
        let issuer =
            Target::parse(&settings.issuer).map_err(|why| misled(&settings.name, &format!("its address {why}")))?;
        Ok(Provider {
            outside,
            issuer,
            text: settings.issuer.clone(),
            hosts: settings.hosts.clone(),
            name: settings.name.clone(),
            endpoints: Mutex::new(Kept::nothing()),
            keys: Mutex::new(Kept::nothing()),
        })
    }

    /// Where it answers. Who comes while it is being asked waits for that answer.
    pub async fn endpoints(&self) -> Result<Endpoints, Diagnostic> {
        let mut kept = self.endpoints.lock().await;
        match kept.known(false) {
            Some(known) => known,
            None => {
                let came = self.discover().await;
                kept.take(came)
            }
        }
    }

    async fn discover(&self) -> Result<Endpoints, Diagnostic> {
        let url = format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'));
        let target = Target::parse(&url).map_err(|why| misled(&self.name, &format!("its address {why}")))?;
        let said = self.json(&target, &[], "its description").await?;
        let document: Document = serde_json::from_value(said)
            .map_err(|error| misled(&self.name, &format!("its description is not one of a provider ({error})")))?;
        if document.issuer != self.text {
            let why =
                format!("it calls itself {:.200}, and hearth.yaml calls it {}", shown(&document.issuer), self.text);
            return Err(misled(&self.name, &why)
                .hint("write `auth.oidc.issuer` exactly as the provider writes it, to the last `/`"));
        }
        if document.code_challenge_methods_supported.is_some_and(|all| !all.iter().any(|one| one == "S256")) {
            return Err(misled(&self.name, "it does not know PKCE with S256, without which codes could be stolen"));
        }
        let methods = document.token_endpoint_auth_methods_supported;
        Ok(Endpoints {
            authorization: self.led_to("authorization_endpoint", &document.authorization_endpoint)?,
            token: self.led_to("token_endpoint", &document.token_endpoint)?,
            jwks: self.led_to("jwks_uri", &document.jwks_uri)?,
            userinfo: match &document.userinfo_endpoint {
                Some(url) => Some(self.led_to("userinfo_endpoint", url)?),
                None => None,
            },
            basic: methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic")),
            says_issuer: document.authorization_response_iss_parameter_supported,
        })
    }

    /// An address in the description: at the issuer's own place, or at one that the home has named.
    fn led_to(&self, what: &str, url: &str) -> Result<Target, Diagnostic> {
        let target = Target::parse(url)
            .map_err(|why| misled(&self.name, &format!("its `{what}` {why}: {:.200}", shown(url))))?;
        let named = target.is_https() && self.hosts.iter().any(|host| *host == target.authority());
        match target.same_place(&self.issuer) || named {
            true => Ok(target),
            false => {
                let why = format!("its `{what}` leads to another host, {}", target.authority());
                let hint = format!(
                    "if that is right, name it in hearth.yaml: auth: {{oidc: {{hosts: [\"{}\"]}}}}",
                    target.authority()
                );
                Err(misled(&self.name, &why).hint(hint))
            }
        }
    }

    /// Its keys. `anew`: those that are known are not enough; then it is asked again, now and then.
    pub async fn keys(&self, anew: bool) -> Result<Vec<Jwk>, Diagnostic> {
        let endpoints = self.endpoints().await?;
        let mut kept = self.keys.lock().await;
        match kept.known(anew) {
            Some(known) => known,
            None => {
                let came = self.json(&endpoints.jwks, &[], "its keys").await.map(|set| token::keys(&set));
                kept.take(came)
            }
        }
    }

    /// As if the last question had been long ago.
    #[cfg(test)]
    pub async fn forget_pause(&self) {
        self.keys.lock().await.tried = None;
    }

    async fn json(&self, target: &Target, more: &[(&'static str, &str)], what: &str) -> Result<Value, Diagnostic> {
        let headers = [&[("accept", "application/json")], more].concat();
        let ask = Ask { method: Method::GET, target, headers: &headers, body: Bytes::new() };
        let answer = self.outside.ask(ask, MOST).await.map_err(|trouble| away(&self.name, &trouble.to_string()))?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map_err(|_| misled(&self.name, &format!("{what} at {} is not JSON", target.authority()))),
            300..400 => Err(misled(&self.name, &format!("{what} is said to be elsewhere: redirects are not followed"))),
            status if status >= 500 => Err(away(&self.name, &format!("it answers with status {status}"))),
            status => Err(misled(&self.name, &format!("{what} comes with status {status}"))),
        }
    }

    /// What it says of whom an access token is about.
    pub async fn userinfo(&self, target: &Target, access: &Secret) -> Result<Value, Diagnostic> {
        let bearer = Secret::new(format!("Bearer {}", access.expose()));
        self.json(target, &[("authorization", bearer.expose())], "what it says of you").await
    }

    /// Posts a form to the token endpoint; status and what came back.
    pub async fn redeem(
        &self,
        target: &Target,
        headers: &[(&'static str, &str)],
        form: String,
    ) -> Result<(u16, Value), Diagnostic> {
        let mut all = vec![("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        let ask = Ask { method: Method::POST, target, headers: &all, body: form.into() };
        let answer = self.outside.ask(ask, MOST).await.map_err(|trouble| away(&self.name, &trouble.to_string()))?;
        Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null)))
    }
}

/// What a provider wrote, fit to be shown.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !crate::diag::text::is_unsafe(*c)).take(200).collect()
}
