//! The one address of the panel at which names count: where a provider sends people back to, and for which passkeys are made.
//!
//! A panel answers at several (its own on the machine, the machine's name, its addresses, `panel.DOMAIN`); a passkey is for one name and all below it, and a provider
//! sends back to an address that was told to it.

use super::own_name::OwnName;
use crate::web::Caller;

/// Scheme is always https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: u16,
    /// The name for which passkeys are made: the home's domain, so that they stay good when the panel's own name changes.
    pub zone: String,
    /// Everybody may know it: it is no name that the panel has to itself.
    public: bool,
}

impl Place {
    /// In a home with a domain: `panel.DOMAIN`, at the port at which Traefik is reached.
    pub fn of_domain(domain: &str, port: u16) -> Place {
        let zone = domain.trim_end_matches('.').to_lowercase();
        Place { host: format!("panel.{zone}"), port, zone, public: true }
    }

    /// On the machine itself: the name that the panel has there to itself.
    pub fn of_machine(name: &OwnName, port: u16) -> Place {
        Place { host: name.as_str().into(), port, zone: name.as_str().into(), public: false }
    }

    /// As `Host` has it.
    pub fn authority(&self) -> String {
        match self.port {
            443 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// As a browser's `Origin` has it.
    pub fn origin(&self) -> String {
        format!("https://{}", self.authority())
    }

    /// [`Place::origin`], where it may be told.
    pub fn told(&self) -> Option<String> {
        self.public.then(|| self.origin())
    }

    /// Whether somebody is there.
    pub fn is_here(&self, caller: &Caller) -> bool {
        let named = caller.host.as_deref().unwrap_or_default();
        let named = named.strip_suffix(":443").unwrap_or(named);
        caller.https && named.eq_ignore_ascii_case(&self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_panels_own_name_over_tls_is_the_place() {
        let place = Place::of_domain("Home.example.", 443);
        assert_eq!((place.origin().as_str(), place.zone.as_str()), ("https://panel.home.example", "home.example"));
        let here = |host: &str, https: bool| {
            place.is_here(&Caller { address: [127, 0, 0, 1].into(), https, host: Some(host.into()) })
        };
        assert!(here("panel.home.example", true) && here("PANEL.home.example:443", true));
        assert!(!here("panel.home.example", false) && !here("panel.home.example:8443", true));
        assert!(
            !here("home.example", true) && !here("panel.home.example.evil.example", true) && !here("10.0.0.1", true)
        );
    }
}
