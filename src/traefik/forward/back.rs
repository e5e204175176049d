//! The way back: where somebody wanted to go when a login came in between, as the login page is told it.
//!
//! Never an address that somebody wrote: it is put together from what Traefik says was asked for, on a host that is a route of this home,
//! and signed, with an end. So the login page can lead to nowhere else.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Seconds that a login may take.
pub const LASTS: i64 = 600;
/// Bytes of a path with its query; a longer one is left out, and the way leads to the host's first page.
pub const LONGEST: usize = 2048;
/// Bytes of the whole, as it stands in an address.
const WHOLE: usize = 4096;

/// The way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// A host with a route, as `host::normal` gives it.
    pub host: String,
    /// Path and query on it; always begins with one `/`.
    pub path: String,
    /// [`state`] of the cookie that the browser was given on that host before.
    pub state: String,
}

/// What stands in the way back of a browser's cookie: only who has the cookie can use it.
pub fn state(cookie: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(cookie))
}

/// A path that is safe behind `https://host`: what Traefik says was asked for, or `/` where that could lead elsewhere.
pub fn path(uri: &str) -> String {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'\\' && b != b'#';
    let low = uri.get(..4).unwrap_or(uri).to_ascii_lowercase();
    let elsewhere = ["//", "/%2f", "/%5c", "/%09", "/%0a", "/%0d", "/%00"].iter().any(|begin| low.starts_with(begin));
    if !uri.starts_with('/') || elsewhere || uri.len() > LONGEST || !uri.bytes().all(plain) {
        return "/".into();
    }
    // Equal for every server; and never taken for the end of a user's name, or for what no address may hold (RFC 3986, 2).
    let coded = |c: char| if "@\"<>^`{|}".contains(c) { format!("%{:02X}", c as u32) } else { c.to_string() };
    let path: String = uri.chars().map(coded).collect();
    if path.len() > LONGEST { "/".into() } else { path }
}

impl Back {
    /// As text for an address, signed. `until`: seconds since 1970.
    pub fn sign(&self, key: &[u8; 32], until: i64) -> String {
        let text = format!("{until}\n{}\n{}\n{}", self.state, self.host, self.path);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(tag))
    }

    /// What was signed with this key, and has not ended. `now`: seconds since 1970.
    pub fn read(text: &str, key: &[u8; 32], now: i64) -> Option<Back> {
        if text.len() > WHOLE {
            return None;
        }
        let (said, tag) = text.split_once('.')?;
        let (said, tag) = (URL_SAFE_NO_PAD.decode(said).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        // In constant time.
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &said, &tag).ok()?;
        let said = String::from_utf8(said).ok()?;
        let [until, state, host, path] = said.split('\n').collect::<Vec<_>>()[..] else { return None };
        let until: i64 = until.parse().ok()?;
        // One that ends later than any was ever signed for was signed by a clock that was wrong.
        let lasts = now < until && until <= now + 2 * LASTS;
        let same = self::path(path) == path;
        (lasts && same && super::host::normal(host).as_deref() == Some(host)).then(|| Back {
            host: host.into(),
            path: path.into(),
            state: state.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn back(path: &str) -> Back {
        Back { host: "app.example.org".into(), path: super::path(path), state: state("cookie") }
    }

    #[test]
    fn what_is_signed_is_read_again_until_it_ends() {
        let back = back("/a/b?c=d&e=%2F@");
        assert_eq!(back.path, "/a/b?c=d&e=%2F%40");
        let text = back.sign(&KEY, 1000);
        assert_eq!(Back::read(&text, &KEY, 999).as_ref(), Some(&back));
        assert_eq!(Back::read(&text, &KEY, 1000), None, "it has ended");
        assert_eq!(Back::read(&text, &KEY, 1000 - 3 * LASTS), None, "nobody signs for so long");
        assert_eq!(Back::read(&text, &[8; 32], 999), None, "another home's");
        assert!(
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
            "it needs no codes in an address"
        );
    }

    #[test]
    fn hostile_19_no_path_leads_to_another_host() {
        for uri in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/%2f%2fevil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/a\\b",
            "/a b",
            "/a\tb",
            "/a\r\nSet-Cookie: x=y",
            "/a#b",
            "/caf\u{e9}",
            "",
            "a",
            "@evil.example",
            "*",
        ] {
            assert_eq!(path(uri), "/", "{uri}");
        }
        assert_eq!(path("/@somebody"), "/%40somebody");
        assert_eq!(path("/a?q={b|c}&d=\"e\"<f>"), "/a?q=%7Bb%7Cc%7D&d=%22e%22%3Cf%3E");
        assert_eq!(path(&format!("/{}", "a".repeat(LONGEST))), "/");
        assert_eq!(path(&format!("/{}", "{".repeat(LONGEST - 1))), "/", "as it would be signed");
        assert_eq!(path("/a//b/%2f?x=//y"), "/a//b/%2f?x=//y");
    }

    #[test]
    fn nothing_that_somebody_wrote_is_believed() {
        let text = back("/a").sign(&KEY, 1000);
        let (said, tag) = text.split_once('.').unwrap();
        let evil = Back { host: "evil.example".into(), ..back("/a") }.sign(&[8; 32], 1000);
        for wrong in [
            "",
            ".",
            said,
            &format!("{said}."),
            &format!("{}.{tag}", evil.split('.').next().unwrap()),
            &format!("{text}A"),
        ] {
            assert_eq!(Back::read(wrong, &KEY, 999), None, "{wrong}");
        }
        // Signed, and yet not what this makes.
        for odd in [Back { host: "APP.example.org".into(), ..back("/a") }, Back { path: "//evil".into(), ..back("/") }]
        {
            assert_eq!(Back::read(&odd.sign(&KEY, 1000), &KEY, 999), None, "{odd:?}");
        }
        assert_eq!(Back::read(&"A".repeat(WHOLE + 1), &KEY, 999), None);
    }

    proptest! {
        #[test]
        fn any_uri_gives_a_path_on_the_same_host(uri in "\\PC{0,40}|[/\\\\%a-f0-9@:?#. ]{0,24}|/[!-~]{0,40}") {
            let path = path(&uri);
            prop_assert!(path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '@', '#', ' ']));
            let host = "app.example.org";
            let whole: Result<axum::http::Uri, _> = format!("https://{host}{path}").parse();
            prop_assert_eq!(whole.ok().and_then(|u| u.host().map(str::to_owned)), Some(host.to_owned()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}|[A-Za-z0-9_.-]{0,200}") {
            prop_assert_eq!(Back::read(&text, &KEY, 999), None);
        }
    }
}
