//! Reading `certificates`, with each mistake told in its place.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::known::{AUTHORITIES, PROVIDERS};
use super::{Ca, Certificates, Challenge, Dns, Eab, Issuer, Text};
use crate::base::secret::is_secret_name;
use crate::base::wording;
use crate::compose::short::size;
use crate::compose::tree::{Map, Node, Value};
use crate::config::Reader;

const KEYS: [&str; 12] = [
    "issuer",
    "ca",
    "second_ca",
    "email",
    "challenge",
    "dns",
    "profile",
    "eab",
    "second_eab",
    "roots",
    "resolvers",
    "key_file",
];

impl Reader<'_> {
    pub(in crate::config) fn certificates(&mut self, map: &Map) -> Certificates {
        let mut read = Certificates::default();
        let Some(node) = map.get("certificates").filter(|n| !n.is_null()) else { return read };
        let Some(map) = node.as_map() else {
            let title = format!("`certificates` must be a mapping, not {}", node.kind());
            self.tell(
                "config.wrong-type",
                title,
                node.span,
                "certificates",
                "write issuer: acme below it, for example",
            );
            return read;
        };
        self.known(map, &KEYS, "certificates.");
        if let Some(issuer) = self.choice(map, "issuer", &[("local", Issuer::Local), ("acme", Issuer::Acme)]) {
            read.issuer = issuer;
        }
        if let Some(challenge) =
            self.choice(map, "challenge", &[("http-01", Challenge::Http01), ("dns-01", Challenge::Dns01)])
        {
            read.challenge = challenge;
        }
        let first = self.ca(map, "ca", "eab").or_else(|| map.get("ca").is_none().then(|| known(&AUTHORITIES[0])));
        let eab = self.eab(map, "eab");
        read.authorities.extend(first.map(|ca| Ca { eab, ..ca }));
        let second_eab = self.eab(map, "second_eab");
        read.authorities.extend(self.ca(map, "second_ca", "second_eab").map(|ca| Ca { eab: second_eab, ..ca }));
        if let ([first, second], Some(node)) = (&read.authorities[..], map.get("second_ca"))
            && first.directory == second.directory
        {
            let title = "`second_ca` is the same authority as `ca`".to_string();
            self.tell(
                "config.wrong-value",
                title,
                node.span,
                "certificates.second_ca",
                "name another one, or leave it out",
            );
        }
        read.email = self.text(map, "email");
        if let (Some(email), Some(node)) = (&read.email, map.get("email"))
            && !(email.contains('@') && email.is_ascii() && !email.contains([' ', ',', ':']))
        {
            let title = format!("`{email}` is no e-mail address");
            self.tell(
                "config.wrong-value",
                title,
                node.span,
                "certificates.email",
                "write one address, or leave it out",
            );
        }
        read.profile = self.text(map, "profile");
        read.roots = self.text(map, "roots");
        read.key_file = self.text(map, "key_file");
        read.resolvers = self.resolvers(map);
        read.dns = self.dns(map);
        if read.challenge == Challenge::Dns01
            && read.dns.is_none()
            && let Some(node) = map.get("challenge").filter(|_| map.get("dns").is_none())
        {
            let title = "`challenge: dns-01` needs `dns`: who keeps the zone".to_string();
            let hint = "write dns: {provider: cloudflare, token: \"${CLOUDFLARE_TOKEN}\"} beside it, or dns: {provider: manual}";
            self.tell("config.missing-key", title, node.span, "certificates.dns", hint);
        }
        read
    }

    fn choice<T: Copy>(&mut self, map: &Map, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let node = map.get(key)?;
        let text = node.scalar_text().unwrap_or_default();
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let title = format!("`{text}` is no `{key}` of certificates");
            let hint = format!("known here: {}", names.join(", "));
            self.tell("config.wrong-value", title, node.span, &format!("certificates.{key}"), hint);
        }
        found
    }

    fn text(&mut self, map: &Map, key: &str) -> Option<String> {
        let node = map.get(key).filter(|n| !n.is_null())?;
        let text = node.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            let title = format!("`certificates.{key}` must be text, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, &format!("certificates.{key}"), "put it in quotes");
        }
        text.map(str::to_owned)
    }

    fn ca(&mut self, map: &Map, key: &str, eab: &str) -> Option<Ca> {
        let text = self.text(map, key)?;
        let node = map.get(key)?;
        if let Some(row) = AUTHORITIES.iter().find(|row| row.0 == text) {
            if matches!(row.0, "zerossl" | "google") && map.get(eab).is_none() {
                let title = format!("{} issues only to accounts that were made on its website", row.1);
                let hint = format!("write {eab}: {{kid: \"...\", hmac: \"${{VARIABLE}}\"}} beside it");
                self.tell("config.missing-key", title, node.span, &format!("certificates.{eab}"), hint);
            }
            return Some(known(row));
        }
        let host =
            text.strip_prefix("https://").and_then(|rest| rest.split('/').next()).filter(|host| !host.is_empty());
        if let Some(host) = host {
            return Some(Ca { name: host.to_owned(), directory: text.clone(), staging: None, eab: None });
        }
        let title = format!("`{text}` is no authority");
        let names = AUTHORITIES.map(|row| row.0);
        let hint = match wording::nearest(&text, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}, or the https:// URL of an ACME directory", names.join(", ")),
        };
        self.tell("config.wrong-value", title, node.span, &format!("certificates.{key}"), hint);
        None
    }

    fn eab(&mut self, map: &Map, key: &str) -> Option<Eab> {
        let node = map.get(key).filter(|n| !n.is_null())?;
        let at = format!("certificates.{key}");
        let Some(inner) = node.as_map() else {
            let title = format!("`{at}` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, &at, "write {kid: \"...\", hmac: \"${VARIABLE}\"}");
            return None;
        };
        self.known(inner, &["kid", "hmac"], &format!("{at}."));
        let mut one = |name: &str, secret: bool| self.value(inner, node, &at, name, secret);
        let (kid, hmac) = (one("kid", false), one("hmac", true));
        Some(Eab { kid: kid?, hmac: hmac? })
    }

    /// A value that must be there; a secret must stand in `.env`, not in a file that git keeps.
    fn value(&mut self, map: &Map, parent: &Node, at: &str, key: &str, secret: bool) -> Option<Text> {
        let field = format!("{at}.{key}");
        let Some(node) = map.get(key).filter(|n| !n.is_null()) else {
            let title = format!("`{at}` needs `{key}`");
            self.tell(
                "config.missing-key",
                title,
                parent.span,
                &field,
                format!("write {key}: \"${{VARIABLE}}\" and the value into .env"),
            );
            return None;
        };
        let Some(text) = node.scalar_text() else {
            let title = format!("`{field}` must be text, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, &field, "put it in quotes");
            return None;
        };
        let value = Text::of(&text);
        if secret && matches!(value, Text::Plain(_)) {
            let title = format!("`{field}` is a secret, and hearth.yaml belongs in git");
            let hint = format!("write {key}: \"${{VARIABLE}}\" here, and VARIABLE=... into .env");
            self.tell("config.secret", title, node.span, &field, hint);
        }
        Some(value)
    }

    fn dns(&mut self, map: &Map) -> Option<Dns> {
        let node = map.get("dns").filter(|n| !n.is_null())?;
        let Some(inner) = node.as_map() else {
            let title = format!("`certificates.dns` must be a mapping, not {}", node.kind());
            self.tell(
                "config.wrong-type",
                title,
                node.span,
                "certificates.dns",
                "write {provider: duckdns, token: \"${DUCKDNS_TOKEN}\"}",
            );
            return None;
        };
        let provider = inner.get("provider").and_then(Node::scalar_text).unwrap_or_default();
        let Some((name, must, may)) = PROVIDERS.iter().find(|(name, ..)| *name == provider) else {
            let span = inner.get("provider").map_or(node.span, |n| n.span);
            let names: Vec<&str> = PROVIDERS.iter().map(|row| row.0).collect();
            let title = format!("`{provider}` is no DNS provider that Hearth knows");
            let hint = match wording::nearest(&provider, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}; any other: a CNAME to one of them, or manual", names.join(", ")),
            };
            self.tell("config.wrong-value", title, span, "certificates.dns.provider", hint);
            return None;
        };
        let all: Vec<&str> = ["provider", "timeout"].iter().chain(*must).chain(*may).copied().collect();
        self.known(inner, &all, "certificates.dns.");
        let mut keys = BTreeMap::new();
        for key in must.iter().chain(may.iter().filter(|key| inner.get(key).is_some())) {
            let secret = is_secret_name(key) && !key.contains("name");
            keys.extend(self.value(inner, node, "certificates.dns", key, secret).map(|value| (key.to_string(), value)));
        }
        Some(Dns { provider: name.to_string(), keys, timeout: self.timeout(inner) })
    }

    fn timeout(&mut self, map: &Map) -> Option<Duration> {
        let node = map.get("timeout")?;
        let read = node.as_str().and_then(|text| size::duration(text).ok()).filter(|d| d.0 > 0);
        if read.is_none() {
            let title = "`certificates.dns.timeout` is no duration".to_string();
            self.tell(
                "config.wrong-value",
                title,
                node.span,
                "certificates.dns.timeout",
                "write a number with its unit, as 10m",
            );
        }
        read.map(|d| Duration::from_nanos(d.0 as u64))
    }

    fn resolvers(&mut self, map: &Map) -> Vec<SocketAddr> {
        let Some(node) = map.get("resolvers").filter(|n| !n.is_null()) else { return Vec::new() };
        let nodes = match &node.value {
            Value::Seq(items) => items.clone(),
            _ => vec![node.clone()],
        };
        let mut read = Vec::new();
        for node in nodes {
            let text = node.scalar_text().unwrap_or_default();
            match text.parse::<SocketAddr>().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53))) {
                Ok(address) => read.push(address),
                Err(_) => {
                    let title = format!("`{text}` is no address of a resolver");
                    let hint = "write an IP address, or one with a port as 192.168.1.1:5353";
                    self.tell("config.wrong-value", title, node.span, "certificates.resolvers", hint);
                }
            }
        }
        read
    }
}

fn known((_, name, directory, staging): &(&str, &str, &str, Option<&str>)) -> Ca {
    Ca { name: name.to_string(), directory: directory.to_string(), staging: staging.map(str::to_owned), eab: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::diag::Diagnostic;
    use crate::diag::{Diagnostics, Sources};

    fn read(text: &str) -> (Option<Certificates>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("hearth.yaml", format!("name: h\ncertificates:\n{text}"));
        let mut told = Diagnostics::default();
        let config = parse(file, &sources, &mut told);
        let shown = |d: &Diagnostic| {
            let place = d.place.map_or(0, |p| p.line);
            format!("{place} {} {} ({})", d.field.clone().unwrap_or_default(), d.code, d.hints.join(" "))
        };
        (config.map(|c| c.certificates), told.0.iter().map(shown).collect())
    }

    #[test]
    fn all_keys_are_read() {
        let (read, told) = read(
            "  issuer: acme\n  ca: letsencrypt\n  second_ca: zerossl\n  second_eab: {kid: k1, hmac: \"${HMAC}\"}\n  email: me@example.org\n  \
             challenge: dns-01\n  dns: {provider: rfc2136, server: 10.0.0.1, key_name: hearth, key: \"${TSIG}\", timeout: 15m}\n  \
             profile: shortlived\n  roots: ca.pem\n  resolvers: [9.9.9.9, '127.0.0.1:5353']\n  key_file: /etc/age.key\n",
        );
        assert_eq!(told, Vec::<String>::new());
        let read = read.unwrap();
        assert_eq!((read.issuer, read.challenge, read.authorities.len()), (Issuer::Acme, Challenge::Dns01, 2));
        assert!(read.authorities[0].staging.is_some());
        let dns = read.dns.unwrap();
        assert_eq!(dns.keys["key"], Text::Variable("TSIG".into()));
        assert_eq!(dns.timeout, Some(Duration::from_secs(900)));
        let variables = BTreeMap::from([("TSIG".to_string(), "sesame".to_string())]);
        assert_eq!(dns.keys["key"].resolve(&variables).unwrap().expose(), "sesame");
        assert_eq!(dns.keys["key"].resolve(&BTreeMap::new()).unwrap_err().code, "certs.no-variable");
        assert_eq!(read.resolvers[1].port(), 5353);
    }

    #[test]
    fn every_mistake_is_told_in_its_place() {
        let (none, told) = read(
            "  isuer: acme\n  issuer: acne\n  ca: letsencript\n  second_ca: google\n  email: me\n  challenge: dns-02\n  \
             dns: {provider: cloudfare}\n  resolvers: [x]\n  profile: 3\n",
        );
        assert!(none.is_none());
        let expected = [
            ("3 certificates.isuer config.unknown-key", "did you mean `issuer`?"),
            ("4 certificates.issuer config.wrong-value", "local, acme"),
            ("8 certificates.challenge config.wrong-value", "http-01, dns-01"),
            ("5 certificates.ca config.wrong-value", "did you mean `letsencrypt`?"),
            ("6 certificates.second_eab config.missing-key", "second_eab"),
            ("7 certificates.email config.wrong-value", ""),
            ("11 certificates.profile config.wrong-type", ""),
            ("10 certificates.resolvers config.wrong-value", ""),
            ("9 certificates.dns.provider config.wrong-value", "did you mean `cloudflare`?"),
        ];
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, (place, hint)) in told.iter().zip(expected) {
            assert!(told.starts_with(place) && told.contains(hint), "{told} is not {place}");
        }
    }

    #[test]
    fn a_secret_in_a_file_for_git_is_refused_and_not_shown() {
        let (none, told) = read("  challenge: dns-01\n  dns: {provider: desec, token: sesame}\n");
        assert!(none.is_none() && told[0].contains("config.secret") && !told[0].contains("sesame"), "{told:?}");
        let (_, told) = read("  challenge: dns-01\n");
        assert!(told[0].contains("config.missing-key"), "{told:?}");
        let (_, told) = read("  dns: {provider: desec}\n");
        assert!(told[0].contains("certificates.dns.token config.missing-key"), "{told:?}");
    }
}
