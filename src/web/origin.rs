//! Whether a request comes from Hearth's own pages.
//!
//! Other applications of a home live under the same domain: to a browser they are the same *site*, and SameSite cookies go along. So only the
//! same *origin* counts, by what browsers say and no page can forge: `Sec-Fetch-Site` (Fetch Metadata), else `Origin` (RFC 6454) against the
//! host that was asked.

use axum::http::{HeaderMap, Method, header};

use super::Caller;

/// What a request shows of where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A page of this very host, or a person who typed the address.
    Own,
    /// A browser that says nothing about it, or no browser.
    Unsaid,
    /// A link that a person followed from elsewhere: a page to look at.
    Followed,
    /// A page of somebody else.
    Foreign,
}

impl Origin {
    pub fn of(method: &Method, headers: &HeaderMap, caller: &Caller) -> Origin {
        let text = |name: &str| {
            let mut all = headers.get_all(name).iter();
            let first = all.next().map(|v| v.to_str().unwrap_or("?"));
            if all.next().is_some() { Some("?") } else { first }
        };
        match text("sec-fetch-site") {
            Some("same-origin" | "none") => return Origin::Own,
            Some(_) => {
                let looks = [Method::GET, Method::HEAD].contains(method);
                let page = text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document");
                return if looks && page { Origin::Followed } else { Origin::Foreign };
            }
            None => {}
        }
        match text(header::ORIGIN.as_str()) {
            Some(origin) => {
                let scheme = if caller.https { "https://" } else { "http://" };
                let own = caller.host.as_deref().filter(|host| !host.is_empty());
                let same = origin.strip_prefix(scheme).zip(own).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
                if same { Origin::Own } else { Origin::Foreign }
            }
            None => Origin::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_21_only_the_same_origin_is_ours() {
        let caller =
            Caller { address: [127, 0, 0, 1].into(), https: true, host: Some("panel.home.example:8443".into()) };
        for (method, headers, expected) in [
            ("POST", "sec-fetch-site: same-origin", Origin::Own),
            ("GET", "sec-fetch-site: none", Origin::Own),
            ("POST", "sec-fetch-site: same-site", Origin::Foreign),
            ("POST", "sec-fetch-site: cross-site", Origin::Foreign),
            ("GET", "sec-fetch-site: same-site", Origin::Foreign),
            ("GET", "sec-fetch-site: cross-site|sec-fetch-mode: navigate|sec-fetch-dest: document", Origin::Followed),
            ("GET", "sec-fetch-site: cross-site|sec-fetch-mode: navigate|sec-fetch-dest: iframe", Origin::Foreign),
            ("POST", "sec-fetch-site: cross-site|sec-fetch-mode: navigate|sec-fetch-dest: document", Origin::Foreign),
            ("POST", "sec-fetch-site: same-origin|sec-fetch-site: cross-site", Origin::Foreign),
            ("POST", "origin: https://panel.home.example:8443", Origin::Own),
            ("POST", "origin: https://PANEL.home.example:8443", Origin::Own),
            ("POST", "origin: http://panel.home.example:8443", Origin::Foreign),
            ("POST", "origin: https://panel.home.example", Origin::Foreign),
            ("POST", "origin: https://panel.home.example:8443.evil.example", Origin::Foreign),
            ("POST", "origin: null", Origin::Foreign),
            (
                "POST",
                "origin: https://panel.home.example:8443|origin: https://panel.home.example:8443",
                Origin::Foreign,
            ),
            ("POST", "", Origin::Unsaid),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers.split('|').filter_map(|h| h.split_once(": ")) {
                map.append(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            assert_eq!(Origin::of(&method.parse().unwrap(), &map, &caller), expected, "{method} {headers}");
        }
        let nowhere = Caller { host: None, ..caller };
        let mut map = HeaderMap::new();
        map.insert(header::ORIGIN, "https://".parse().unwrap());
        assert_eq!(Origin::of(&Method::POST, &map, &nowhere), Origin::Foreign);
    }
}
