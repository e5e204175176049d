//! By name with HTTPS, or on ports of this machine: what each means, and what it takes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::Frame;
use super::kept::{Kept, Step};
use crate::auth::accounts::Auth;
use crate::auth::who::Admin;
use crate::certs::json::{self as certs, NewAuthority};
use crate::certs::page::Trust;
use crate::config::certificates::{Challenge, Issuer, PROVIDERS};
use crate::panel::pairs::Pairs;
use crate::panel::refusal::{self, Told};
use crate::panel::shell::Shell;
use crate::panel::{Panel, page, work};
use crate::spec::Mode;
use crate::stacks::home::Home;
use crate::stacks::json::settings;
use crate::stacks::json::verbs::{self, Switch};
use crate::web::lang::filters;
use crate::web::over;
use crate::web::read::{Form, Json, Path};

/// The page.
#[derive(Debug, Template)]
#[template(path = "panel/welcome/way.html")]
pub struct Ways {
    pub shell: Shell,
    pub frame: Frame,
    pub domain_mode: bool,
    pub domain: String,
    /// `local`, `http` or `dns`.
    pub certificates: &'static str,
    pub provider: String,
    /// What the provider wants to know.
    pub keys: Vec<Key>,
    pub providers: Vec<&'static str>,
    pub told: Vec<Told>,
    /// What is wrong with a field.
    pub domain_wrong: Option<&'static str>,
    pub provider_wrong: Option<&'static str>,
    /// The home's own authority may not vouch for this domain.
    pub outside: bool,
}

/// One that stands in `.env`, and is not shown.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub missing: bool,
    /// The form had a field for it, which was left empty: before that it is no mistake.
    pub asked: bool,
}

pub async fn show(who: Admin, State(panel): State<Panel>, State(trust): State<Trust>, headers: HeaderMap) -> Response {
    let shell = panel.walk(&who, &headers, Step::Way);
    let frame = panel.frame(Step::Way, shell.lang).await;
    match panel.api.home() {
        Ok(home) => page(&headers, &of_home(shell, frame, &home, &trust)),
        Err(refused) => {
            let refused = crate::web::Refusals::from(refused).into_response();
            refusal::page(shell, &headers, refused).await
        }
    }
}

fn of_home(shell: Shell, frame: Frame, home: &Home, trust: &Trust) -> Ways {
    let domain = home.domain().ok().flatten().unwrap_or_default();
    let said = &home.config.certificates;
    let certificates = match (said.issuer, said.challenge) {
        (Issuer::Local, _) => "local",
        (Issuer::Acme, Challenge::Http01) => "http",
        (Issuer::Acme, Challenge::Dns01) => "dns",
    };
    let provider = said.dns.as_ref().map(|dns| dns.provider.clone()).unwrap_or_default();
    let domain_mode = home.config.mode == Mode::Domain;
    let outside = domain_mode && certificates == "local" && !trust().allows(&domain);
    Ways { domain_mode, outside, ..empty(shell, frame).with(domain, certificates, provider) }
}

pub fn empty(shell: Shell, frame: Frame) -> Ways {
    Ways {
        shell,
        frame,
        domain_mode: false,
        domain: String::new(),
        certificates: "local",
        provider: String::new(),
        keys: Vec::new(),
        providers: PROVIDERS.iter().map(|(name, ..)| *name).collect(),
        told: Vec::new(),
        domain_wrong: None,
        provider_wrong: None,
        outside: false,
    }
}

impl Ways {
    pub fn is_provider(&self, name: &str) -> bool {
        self.provider == name
    }

    /// Filled in.
    pub fn with(self, domain: String, certificates: &'static str, provider: String) -> Ways {
        let keys = keys(&provider).iter().map(|name| Key { name, missing: false, asked: false }).collect();
        Ways { domain, certificates, provider, keys, ..self }
    }
}

/// What a provider wants to know.
fn keys(provider: &str) -> &'static [&'static str] {
    PROVIDERS.iter().find(|(name, ..)| *name == provider).map_or(&[], |(_, keys, _)| keys)
}

/// The variable in `.env` that holds it.
fn variable(provider: &str, key: &str) -> String {
    format!("{provider}_{key}").to_uppercase().replace('-', "_")
}

/// Whether a home can be reached below it: `home.example.org`, `home.arpa`.
pub fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = text.split('.').collect();
    text.len() <= 200
        && labels.len() >= 2
        && labels.iter().all(|one| label(one))
        && labels.last().is_some_and(|last| last.bytes().any(|b| b.is_ascii_lowercase()))
}

/// As somebody may write it: with `https://`, capitals, a dot at its end.
fn plain(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
    text.trim_end_matches(['/', '.']).to_owned()
}

pub async fn choose(
    who: Admin,
    State(panel): State<Panel>,
    State(auth): State<Arc<Auth>>,
    State(trust): State<Trust>,
    headers: HeaderMap,
    Form(said): Form<Pairs>,
) -> Response {
    let shell = panel.walk(&who, &headers, Step::Way);
    let frame = panel.frame(Step::Way, shell.lang).await;
    let home = match panel.api.home() {
        Ok(home) => home,
        Err(refused) => {
            let refused = crate::web::Refusals::from(refused).into_response();
            return refusal::page(shell, &headers, refused).await;
        }
    };
    let certificates = match said.one("certificates") {
        "http" => "http",
        "dns" => "dns",
        _ => "local",
    };
    let mut form = empty(shell, frame).with(plain(said.one("domain")), certificates, said.one("provider").to_owned());
    form.domain_mode = said.one("mode") == "domain";
    let done = if form.domain_mode {
        checked(&mut form, &said, &home);
        if form.domain_wrong.is_some() || form.provider_wrong.is_some() || form.keys.iter().any(|key| key.missing) {
            return again(&headers, &form);
        }
        by_name(&who, &panel, &auth, &home, &form, &said).await
    } else {
        switch(&who, &panel, &home, Mode::Localhost).await
    };
    match done {
        Ok(None) if form.domain_mode && form.certificates == "local" && !trust().allows(&form.domain) => {
            Redirect::to(Step::Way.path()).into_response()
        }
        Ok(None) => next(&panel).await,
        Ok(Some(elsewhere)) => elsewhere,
        Err(refused) => {
            let (_, told) = refusal::read(refused).await;
            form.told = told;
            again(&headers, &form)
        }
    }
}

/// The page once more, with what is wrong beside the fields.
fn again(headers: &HeaderMap, form: &Ways) -> Response {
    let mut shown = page(headers, form);
    *shown.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    shown
}

async fn next(panel: &Panel) -> Response {
    let found = panel.has_found().await;
    Kept::change(panel, |kept| kept.step = if found { Step::Found } else { Step::Profiles })
}

fn checked(form: &mut Ways, said: &Pairs, home: &Home) {
    if form.domain.is_empty() {
        form.domain_wrong = Some("welcome-domain-missing");
    } else if !is_domain(&form.domain) {
        form.domain_wrong = Some("welcome-domain-wrong");
    } else if form.certificates != "local" && is_of_homes(&form.domain) {
        form.domain_wrong = Some("welcome-domain-private");
    }
    if form.certificates != "dns" {
        return;
    }
    if !PROVIDERS.iter().any(|(name, ..)| *name == form.provider) {
        form.provider_wrong = Some("welcome-provider-wrong");
        return;
    }
    let known = home.env_values().unwrap_or_default();
    for key in &mut form.keys {
        let field = format!("key-{}", key.name);
        let given = said.one(&field);
        key.asked = said.has(&field);
        let stands = known.get(&variable(&form.provider, key.name)).is_some_and(|value| !value.is_empty());
        key.missing = given.is_empty() && !stands;
    }
}

/// A name that no public authority gives a certificate for.
fn is_of_homes(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    ["arpa", "internal", "local", "localhost", "lan", "home"].contains(&last)
}

/// Writes down what domain mode takes, then switches; `Some`: the work goes on elsewhere.
async fn by_name(
    who: &Admin,
    panel: &Panel,
    auth: &Arc<Auth>,
    home: &Home,
    form: &Ways,
    said: &Pairs,
) -> Result<Option<Response>, Response> {
    let api = || State(panel.api.clone());
    let set = async |name: String, text: String| super::tell(panel, who, name, text).await;
    if home.domain().ok().flatten().as_deref() != Some(&form.domain) {
        set("DOMAIN".into(), form.domain.clone()).await?;
    }
    for key in &form.keys {
        let given = said.one(&format!("key-{}", key.name));
        if form.certificates == "dns" && !given.is_empty() {
            set(variable(&form.provider, key.name), given.to_owned()).await?;
        }
    }
    if let Some(value) = wanted(form, home) {
        let new =
            serde_json::from_value(json!({ "value": value })).map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
        let key = Path("certificates".to_owned());
        settings::set(who.clone(), api(), State(auth.clone()), key, over("*"), Json(new)).await?;
    }
    let home = panel.api.home().map_err(|refused| crate::web::Refusals::from(refused).into_response())?;
    switch(who, panel, &home, Mode::Domain).await
}

/// What is to stand under `certificates`, where that is something else than what is there.
fn wanted(form: &Ways, home: &Home) -> Option<Value> {
    let now = &home.config.certificates;
    let provider = now.dns.as_ref().map(|dns| dns.provider.as_str());
    match form.certificates {
        "local" => (now.issuer != Issuer::Local).then(|| json!({ "issuer": "local" })),
        "http" => {
            let is = now.issuer == Issuer::Acme && now.challenge == Challenge::Http01;
            (!is).then(|| json!({ "issuer": "acme", "ca": "letsencrypt", "challenge": "http-01" }))
        }
        _ => {
            let is = now.issuer == Issuer::Acme
                && now.challenge == Challenge::Dns01
                && provider == Some(form.provider.as_str());
            (!is).then(|| {
                let mut dns = json!({ "provider": form.provider });
                for key in &form.keys {
                    dns[key.name] = json!(format!("${{{}}}", variable(&form.provider, key.name)));
                }
                json!({ "issuer": "acme", "ca": "letsencrypt", "challenge": "dns-01", "dns": dns })
            })
        }
    }
}

/// Switches, where it is not so already, and waits for it; what takes longer is watched as a work.
async fn switch(who: &Admin, panel: &Panel, home: &Home, mode: Mode) -> Result<Option<Response>, Response> {
    if home.config.mode == mode {
        return Ok(None);
    }
    let begun = verbs::mode(who.clone(), State(panel.api.clone()), Json(Switch::to(mode))).await?;
    match work::settled(panel, &begun.0.id).await {
        Some(end) if end.code == 0 => Ok(None),
        Some(end) => Err(refusal::answer(&end)),
        None => Ok(Some(Redirect::to(&format!("/works/{}", begun.0.id)).into_response())),
    }
}

/// Makes the home's own authority anew, for the domain that it has now.
pub async fn authority(
    who: Admin,
    State(panel): State<Panel>,
    State(certs): State<certs::Api>,
    headers: HeaderMap,
) -> Response {
    let shell = panel.walk(&who, &headers, Step::Way);
    match certs::new_authority(who, State(certs), Json(NewAuthority { yes: true })).await {
        Ok(begun) => match work::settled(&panel, &begun.0.id).await {
            Some(end) if end.code != 0 => refusal::of_work(shell, &headers, &end),
            _ => next(&panel).await,
        },
        Err(refused) => refusal::page(shell, &headers, refused).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_taken_as_people_write_it_and_nothing_else_is() {
        for (text, wanted) in [
            ("https://Home.Example.org/", "home.example.org"),
            ("home.arpa.", "home.arpa"),
            (" nas.example.org ", "nas.example.org"),
        ] {
            assert_eq!(plain(text), wanted);
            assert!(is_domain(&plain(text)), "{text}");
        }
        for text in ["", "home", "a b.org", "-a.org", "a_b.org", "192.168.1.5", "x..org", "a.b/c", "münchen.de"] {
            assert!(!is_domain(&plain(text)), "{text}");
        }
        assert!(!is_domain(&"a".repeat(64)) && !is_domain(&format!("{}.org", "a.".repeat(120))));
    }

    #[test]
    fn every_key_of_every_provider_has_a_variable_of_its_own() {
        for (provider, keys, _) in PROVIDERS {
            for key in *keys {
                let name = variable(provider, key);
                assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'), "{name}");
                assert!(!name.starts_with("HEARTH_") && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
            }
        }
    }
}
