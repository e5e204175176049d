//! `auth` and `api` of `hearth.yaml`: who may make an account, how long sessions last, who needs a second factor, which programs are let in.

use std::time::Duration;

use super::Reader;
use crate::base::wording;
use crate::compose::short::size;
use crate::compose::tree::{Map, Node, Value};

const AUTH: [&str; 4] = ["registration", "sessions", "second_factor", "oidc"];
const SESSIONS: [&str; 2] = ["idle", "absolute"];
const SECOND_FACTOR: [&str; 1] = ["required"];
const API: [&str; 2] = ["homeserver_clients", "cors_origins"];
/// The roles that there are, as `auth` knows them.
const ROLES: [&str; 4] = ["viewer", "member", "operator", "admin"];

const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Who may make an account of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    /// Nobody: an admin adds people.
    Closed,
    /// Whoever has an invitation, which an admin makes.
    #[default]
    Invite,
    /// Everybody who reaches the panel; they become members.
    Open,
}

/// What a home says about its people, and the programs that ask in their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    pub registration: Registration,
    /// A session that is not used for so long ends.
    pub idle: Duration,
    /// A session ends after so long, however much it is used.
    pub absolute: Duration,
    /// Roles that do not get in without a second factor.
    pub second_factor: Vec<String>,
    /// Another place where the people of this home have accounts.
    pub oidc: Option<super::oidc::Oidc>,
    /// Unchanged clients of HomeServer are let in: access tokens last 12 hours.
    pub homeserver_clients: bool,
    /// Other sites whose pages may call the API with a token of their own: exact origins.
    pub cors_origins: Vec<String>,
}

impl Default for People {
    fn default() -> People {
        let day = Duration::from_secs(24 * 3600);
        People {
            registration: Registration::default(),
            idle: 7 * day,
            absolute: 30 * day,
            second_factor: Vec::new(),
            oidc: None,
            homeserver_clients: false,
            cors_origins: Vec::new(),
        }
    }
}

impl People {
    pub fn idle_ms(&self) -> i64 {
        i64::try_from(self.idle.as_millis()).unwrap_or(i64::MAX)
    }

    pub fn absolute_ms(&self) -> i64 {
        i64::try_from(self.absolute.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Reader<'_> {
    pub(super) fn people(&mut self, map: &Map) -> People {
        let mut people = People::default();
        if let Some(auth) = self.mapping(map, "auth", "auth", "registration: invite") {
            self.known(auth, &AUTH, "auth.");
            people.registration = self.registration(auth);
            if let Some(sessions) = self.mapping(auth, "sessions", "auth.sessions", "idle: 7d") {
                self.known(sessions, &SESSIONS, "auth.sessions.");
                self.session_time(sessions, "idle", &mut people.idle);
                self.session_time(sessions, "absolute", &mut people.absolute);
                if people.idle > people.absolute
                    && let Some(node) = sessions.get("idle").or(sessions.get("absolute"))
                {
                    let title = "`idle` is longer than `absolute`, after which a session ends anyway".to_string();
                    self.tell("config.wrong-value", title, node.span, "auth.sessions.idle", "make it shorter");
                }
            }
            if let Some(factor) = self.mapping(auth, "second_factor", "auth.second_factor", "required: [admin]") {
                self.known(factor, &SECOND_FACTOR, "auth.second_factor.");
                people.second_factor = self.roles(factor);
            }
            people.oidc = self.oidc(auth);
        }
        if let Some(api) = self.mapping(map, "api", "api", "cors_origins: []") {
            self.known(api, &API, "api.");
            people.homeserver_clients = self.homeserver_clients(api);
            people.cors_origins = self.origins(api);
        }
        people
    }

    fn mapping<'m>(&mut self, map: &'m Map, key: &str, field: &str, example: &str) -> Option<&'m Map> {
        let node = map.get(key).filter(|n| !n.is_null())?;
        let found = node.as_map();
        if found.is_none() {
            let title = format!("`{field}` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, field, format!("write {example} below it, for example"));
        }
        found
    }

    fn registration(&mut self, auth: &Map) -> Registration {
        let Some(node) = auth.get("registration").filter(|n| !n.is_null()) else { return Registration::default() };
        match node.as_str() {
            Some("closed") => Registration::Closed,
            Some("invite") => Registration::Invite,
            Some("open") => Registration::Open,
            _ => {
                let title = format!("`{}` is no way to register", shown(node));
                let hint = "write closed (an admin adds people), invite (by invitation), or open (everybody)";
                self.tell("config.wrong-value", title, node.span, "auth.registration", hint);
                Registration::default()
            }
        }
    }

    fn session_time(&mut self, sessions: &Map, key: &str, into: &mut Duration) {
        let Some(node) = sessions.get(key).filter(|n| !n.is_null()) else { return };
        let field = format!("auth.sessions.{key}");
        match node.scalar_text().and_then(|text| size::duration(&text).ok()).map(|time| time.as_std()) {
            Some(time) if (SHORTEST..=LONGEST).contains(&time) => *into = time,
            Some(_) => {
                let title = format!("`{}` is shorter than 5 minutes or longer than a year", shown(node));
                self.tell("config.wrong-value", title, node.span, &field, "write 12h or 30d, for example");
            }
            None => {
                let title = format!("`{}` is no duration", shown(node));
                self.tell("config.wrong-value", title, node.span, &field, "write 12h or 30d, for example");
            }
        }
    }

    fn roles(&mut self, factor: &Map) -> Vec<String> {
        let nodes = self.one_or_more(factor, "required", "auth.second_factor.required");
        let mut roles = Vec::new();
        for node in &nodes {
            let text = shown(node);
            match ROLES.contains(&text.as_str()) {
                true => roles.push(text),
                false => {
                    let hint = match wording::nearest(&text, ROLES) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("roles are {}", ROLES.join(", ")),
                    };
                    let field = "auth.second_factor.required";
                    self.tell("config.wrong-value", format!("`{text}` is no role"), node.span, field, hint);
                }
            }
        }
        roles
    }

    fn homeserver_clients(&mut self, api: &Map) -> bool {
        match api.get("homeserver_clients").filter(|n| !n.is_null()) {
            None => false,
            Some(node) => match node.value {
                Value::Bool(yes) => yes,
                _ => {
                    let title = format!("`api.homeserver_clients` must be true or false, not {}", node.kind());
                    self.tell("config.wrong-type", title, node.span, "api.homeserver_clients", "write true or false");
                    false
                }
            },
        }
    }

    fn origins(&mut self, api: &Map) -> Vec<String> {
        let nodes = self.one_or_more(api, "cors_origins", "api.cors_origins");
        let mut origins = Vec::new();
        for node in &nodes {
            let text = shown(node);
            match is_origin(&text) {
                true => origins.push(text),
                false => {
                    let title = format!("`{text}` is no origin of a page");
                    let hint =
                        "write scheme and host, and the port where it is not the usual one: https://app.example.org";
                    self.tell("config.wrong-value", title, node.span, "api.cors_origins", hint);
                }
            }
        }
        origins
    }
}

fn shown(node: &Node) -> String {
    node.scalar_text().unwrap_or_else(|| node.kind().into())
}

/// As a browser writes one in `Origin`: lower case, no path, no port that the scheme implies. No star: whoever is meant is named.
fn is_origin(text: &str) -> bool {
    let (rest, usual) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, ":443"),
        (_, Some(rest)) => (rest, ":80"),
        _ => return false,
    };
    let (host, port) = match rest.rsplit_once(':').filter(|(host, _)| !host.starts_with('[') || host.ends_with(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.[]:".contains(c);
    !host.is_empty()
        && host.chars().all(sign)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && !rest.ends_with(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, Sources};

    fn read(text: &str) -> Result<People, Vec<String>> {
        let mut sources = Sources::default();
        let file = sources.add("hearth.yaml", format!("name: h\n{text}").as_str());
        let mut told = Diagnostics::default();
        let config = super::super::parse(file, &sources, &mut told);
        let words = |d: &crate::diag::Diagnostic| {
            let line = d.place.map_or(0, |place| place.line);
            format!("{} {} {line}", d.code, d.field.clone().unwrap_or_default())
        };
        config.map(|config| config.people).ok_or_else(|| told.0.iter().map(words).collect())
    }

    #[test]
    fn a_home_that_says_nothing_is_closed_but_to_whom_an_admin_invites() {
        let people = read("").unwrap();
        assert_eq!(people, People::default());
        assert_eq!(people.registration, Registration::Invite);
        assert!(!people.homeserver_clients && people.cors_origins.is_empty() && people.second_factor.is_empty());
    }

    #[test]
    fn what_is_said_counts() {
        let people = read(
            "auth:\n  registration: closed\n  sessions: {idle: 12h, absolute: 14d}\n  second_factor: {required: [admin, operator]}\n\
             api:\n  homeserver_clients: true\n  cors_origins: [https://app.example.org, \"http://localhost:3000\"]\n",
        )
        .unwrap();
        assert_eq!(people.registration, Registration::Closed);
        assert_eq!((people.idle_ms(), people.absolute_ms()), (12 * 3_600_000, 14 * 24 * 3_600_000));
        assert_eq!(people.second_factor, ["admin", "operator"]);
        assert!(people.homeserver_clients);
        assert_eq!(people.cors_origins, ["https://app.example.org", "http://localhost:3000"]);
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        for (text, told) in [
            ("auth: open\n", "config.wrong-type auth 2"),
            ("auth: {registraton: open}\n", "config.unknown-key auth.registraton 2"),
            ("auth:\n  registration: maybe\n", "config.wrong-value auth.registration 3"),
            ("auth: {sessions: {idle: 3}}\n", "config.wrong-value auth.sessions.idle 2"),
            ("auth: {sessions: {idle: 1s}}\n", "config.wrong-value auth.sessions.idle 2"),
            ("auth: {sessions: {absolute: 400d}}\n", "config.wrong-value auth.sessions.absolute 2"),
            ("auth: {sessions: {idle: 2d, absolute: 1d}}\n", "config.wrong-value auth.sessions.idle 2"),
            ("auth: {second_factor: {required: [root]}}\n", "config.wrong-value auth.second_factor.required 2"),
            ("api: {homeserver_clients: maybe}\n", "config.wrong-type api.homeserver_clients 2"),
            ("api: {cors_origins: [\"*\"]}\n", "config.wrong-value api.cors_origins 2"),
            ("api: {cors_origins: [\"https://a.example/\"]}\n", "config.wrong-value api.cors_origins 2"),
            ("api: {cors_origins: [\"https://A.example\"]}\n", "config.wrong-value api.cors_origins 2"),
            ("api: {cors_origins: [\"https://a.example:443\"]}\n", "config.wrong-value api.cors_origins 2"),
            ("api: {cors_origins: [\"null\"]}\n", "config.wrong-value api.cors_origins 2"),
        ] {
            assert_eq!(read(text), Err(vec![told.to_string()]), "{text}");
        }
    }
}
