//! `auth.oidc` of `hearth.yaml`: another place where the people of this home have accounts. Its secret stands in `.env`.

use super::Reader;
use crate::base::wording;
use crate::compose::tree::{Map, Node, Value};

/// The secret that the provider knows this home by.
pub const SECRET: &str = "HEARTH_OIDC_SECRET";

const KEYS: [&str; 7] = ["issuer", "client_id", "name", "scopes", "groups_claim", "create", "hosts"];
const ROLES: [&str; 4] = ["viewer", "member", "operator", "admin"];

/// A provider of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Exactly as the provider writes it.
    pub issuer: String,
    pub client_id: String,
    /// What people call it: stands on the button.
    pub name: String,
    /// `openid` is among them.
    pub scopes: Vec<String>,
    /// The claim that says in which groups somebody is.
    pub groups_claim: Option<String>,
    /// The role of who comes for the first time; `None`: they get no account.
    pub create: Option<String>,
    /// Hosts beside the issuer's own that its description may lead to, as `Host` writes them.
    pub hosts: Vec<String>,
}

impl Reader<'_> {
    /// `auth` is the mapping of that name.
    pub(super) fn oidc(&mut self, auth: &Map) -> Option<Oidc> {
        let node = auth.get("oidc").filter(|n| !n.is_null())?;
        let Some(map) = node.as_map() else {
            let title = format!("`auth.oidc` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "auth.oidc", "write issuer: and client_id: below it");
            return None;
        };
        self.known(map, &KEYS, "auth.oidc.");
        let issuer = self.oidc_text(node, map, "issuer", "issuer: https://id.example.org");
        let client_id = self.oidc_text(node, map, "client_id", "client_id: hearth");
        let host = issuer.as_deref().map(host_of).unwrap_or_default().to_owned();
        if let (Some(text), Some(node)) = (&issuer, map.get("issuer"))
            && let Some(why) = wrong_issuer(text)
        {
            let hint =
                "write it as the provider does: https, and plain http only on this machine (http://127.0.0.1:5556)";
            self.tell("config.wrong-value", format!("`{text}` {why}"), node.span, "auth.oidc.issuer", hint);
        }
        let name = map.get("name").and_then(Node::as_str).map_or(host, |name| name.trim().to_owned());
        if name.is_empty() || name.chars().count() > 40 {
            let span = map.get("name").map_or(node.span, |n| n.span);
            let title = "`name` is what stands on the button: 1 to 40 characters".to_owned();
            self.tell("config.wrong-value", title, span, "auth.oidc.name", "write name: Authentik, for example");
        }
        let mut scopes = self.texts(map, "scopes", "auth.oidc.scopes");
        if map.get("scopes").is_none_or(Node::is_null) {
            scopes = vec!["openid".into(), "profile".into(), "email".into()];
        }
        if let Some(wrong) = scopes.iter().find(|scope| !is_word(scope)) {
            let span = map.get("scopes").map_or(node.span, |n| n.span);
            let title = format!("`{wrong}` is no scope");
            self.tell("config.wrong-value", title, span, "auth.oidc.scopes", "write scopes: [openid, profile, email]");
        }
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".into());
        }
        let groups_claim = map.get("groups_claim").filter(|n| !n.is_null()).and_then(Node::scalar_text);
        let create = self.oidc_create(map);
        let hosts = self.texts(map, "hosts", "auth.oidc.hosts");
        for host in hosts.iter().filter(|host| !is_authority(host)) {
            let span = map.get("hosts").map_or(node.span, |n| n.span);
            let hint = "write it without https://, and with its port where it is not 443: keys.example.org";
            self.tell("config.wrong-value", format!("`{host}` is no host"), span, "auth.oidc.hosts", hint);
        }
        Some(Oidc { issuer: issuer?, client_id: client_id?, name, scopes, groups_claim, create, hosts })
    }

    fn oidc_text(&mut self, at: &Node, map: &Map, key: &str, example: &str) -> Option<String> {
        let field = format!("auth.oidc.{key}");
        match map.get(key).filter(|n| !n.is_null()) {
            Some(node) => match node.scalar_text().filter(|text| !text.is_empty() && text.len() <= 500) {
                Some(text) => Some(text),
                None => {
                    let title = format!("`{field}` must be text, not {}", node.kind());
                    self.tell("config.wrong-type", title, node.span, &field, format!("write {example}"));
                    None
                }
            },
            None => {
                let title = format!("`auth.oidc` needs `{key}`");
                self.tell("config.missing-key", title, at.span, &field, format!("write {example}"));
                None
            }
        }
    }

    fn oidc_create(&mut self, map: &Map) -> Option<String> {
        let node = map.get("create").filter(|n| !n.is_null())?;
        if matches!(node.value, Value::Bool(false)) {
            return None;
        }
        let text = node.scalar_text().unwrap_or_else(|| node.kind().into());
        if ROLES.contains(&text.as_str()) {
            return Some(text);
        }
        let hint = match wording::nearest(&text, ROLES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write false (only who has an account here is let in), or the role of who is new: member".into(),
        };
        self.tell("config.wrong-value", format!("`{text}` is no role"), node.span, "auth.oidc.create", hint);
        None
    }
}

fn host_of(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// OpenID Connect Discovery 1.0, 3: https, without a query or fragment.
fn wrong_issuer(text: &str) -> Option<&'static str> {
    let host = host_of(text);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match text.split_once("://").map(|(scheme, _)| scheme) {
        Some("https") => {}
        Some("http") if loopback => {}
        Some("http") => return Some("is plain http: whoever is on the way could sign in as anybody"),
        _ => return Some("is no address of a provider"),
    }
    match text.contains(['?', '#', '@', ' ', '\\']) || host.is_empty() {
        true => Some("is no address of a provider"),
        false => None,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

fn is_authority(text: &str) -> bool {
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    !text.is_empty() && text.chars().all(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Diagnostics, Sources};

    fn read(text: &str) -> (Option<Oidc>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("hearth.yaml", format!("name: h\nauth:\n  oidc: {text}\n").as_str());
        let mut told = Diagnostics::default();
        let config = super::super::parse(file, &sources, &mut told);
        let shown = |d: &crate::diag::Diagnostic| {
            format!("{} {} {}", d.place.map_or(0, |p| p.line), d.code, d.field.clone().unwrap_or_default())
        };
        (config.and_then(|config| config.people.oidc), told.0.iter().map(shown).collect())
    }

    #[test]
    fn a_provider_is_read_with_what_goes_without_saying() {
        let (oidc, told) = read("{issuer: 'https://id.example/x', client_id: hearth}");
        assert_eq!(told, Vec::<String>::new());
        let oidc = oidc.unwrap();
        assert_eq!(
            (oidc.issuer.as_str(), oidc.name.as_str(), oidc.create),
            ("https://id.example/x", "id.example", None)
        );
        assert_eq!(oidc.scopes, ["openid", "profile", "email"]);
        let whole = "{issuer: 'http://127.0.0.1:5556/dex', client_id: 7, name: Our accounts, scopes: [groups], groups_claim: groups, \
                     create: member, hosts: ['keys.example:8443']}";
        let (oidc, told) = read(whole);
        assert_eq!(told, Vec::<String>::new());
        let oidc = oidc.unwrap();
        assert_eq!(
            (oidc.client_id.as_str(), oidc.create.as_deref(), oidc.scopes.join(" ")),
            ("7", Some("member"), "openid groups".into())
        );
        assert_eq!((oidc.groups_claim.as_deref(), oidc.hosts), (Some("groups"), vec!["keys.example:8443".to_owned()]));
    }

    #[test]
    fn each_mistake_is_told_in_its_place() {
        let good = "issuer: 'https://id.example', client_id: hearth";
        for (text, expected) in [
            ("[]".to_owned(), "3 config.wrong-type auth.oidc"),
            ("{client_id: hearth, name: x}".into(), "3 config.missing-key auth.oidc.issuer"),
            ("{issuer: 'https://id.example'}".into(), "3 config.missing-key auth.oidc.client_id"),
            ("{issuer: 'http://id.example', client_id: x}".into(), "3 config.wrong-value auth.oidc.issuer"),
            ("{issuer: 'http://localhost.evil.example', client_id: x}".into(), "3 config.wrong-value auth.oidc.issuer"),
            ("{issuer: id.example, client_id: x}".into(), "3 config.wrong-value auth.oidc.issuer"),
            ("{issuer: 'https://a@b.example', client_id: x}".into(), "3 config.wrong-value auth.oidc.issuer"),
            ("{issuer: 'https://b.example/?x', client_id: x}".into(), "3 config.wrong-value auth.oidc.issuer"),
            (format!("{{{good}, create: true}}"), "3 config.wrong-value auth.oidc.create"),
            (format!("{{{good}, create: membr}}"), "3 config.wrong-value auth.oidc.create"),
            (format!("{{{good}, scopes: ['a b']}}"), "3 config.wrong-value auth.oidc.scopes"),
            (format!("{{{good}, hosts: ['https://x']}}"), "3 config.wrong-value auth.oidc.hosts"),
            (format!("{{{good}, secret: x}}"), "3 config.unknown-key auth.oidc.secret"),
            (format!("{{{good}, name: ''}}"), "3 config.wrong-value auth.oidc.name"),
        ] {
            assert_eq!(read(&text).1, [expected], "{text}");
        }
    }
}
