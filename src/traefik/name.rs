//! How routers, services and middlewares are called: `<project>-<service>`, the second route of a service `<project>-<service>--2`.
//!
//! Traefik takes neither `.` nor `@` in a name, and compares names case-sensitively although it folds keys. So names are made of
//! `a-z0-9-` only and at most [`LONGEST`] characters; whatever does not fit is told apart by a piece of its hash.

use sha2::{Digest, Sha256};

/// A DNS label's length, which is also easy to read in Traefik's log.
pub const LONGEST: usize = 63;

/// The name of the route number `index` (from 0) of a service.
pub fn route(project: &str, service: &str, index: usize) -> String {
    let number = if index == 0 { String::new() } else { format!("--{}", index + 1) };
    let plain = format!("{project}-{service}");
    // `--` and a number is how further routes are told apart, so no service may look like one.
    let fits = is_plain(&plain) && !plain.contains("--") && plain.len() + number.len() <= LONGEST;
    let base = if fits { plain } else { hashed(&format!("{project}\n{service}")) };
    format!("{base}{number}")
}

/// The name of a route of `hearth.yaml`: `<project>--out-<key>`, which no service's route has, whatever the service is called.
pub fn outside(project: &str, key: &str) -> String {
    let plain = format!("{project}--out-{key}");
    let fits = is_plain(&plain) && !project.contains("--") && !key.contains("--") && plain.len() <= LONGEST;
    if fits { plain } else { hashed(&format!("{project}\nout\n{key}")) }
}

/// The name under which exactly these labels are said: with 8 hexadecimal digits of their hash behind `--v`, which no other name has.
pub fn version(name: &str, labels: &[(String, String)]) -> String {
    let mut digest = Sha256::new();
    for (key, value) in labels {
        digest.update(key.as_bytes());
        digest.update([0]);
        digest.update(value.as_bytes());
        digest.update([0]);
    }
    let mark: String = digest.finalize().iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{name}{VERSION}{mark}")
}

/// Whether an object in Traefik is that of the route `name`, in whatever version.
pub fn is_of(object: &str, name: &str) -> bool {
    object.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(VERSION))
}

const VERSION: &str = "--v";

pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What can be read of the text, and 12 hexadecimal digits of its hash behind `--x`, which no plain name has.
pub(super) fn hashed(text: &str) -> String {
    let digest: String = Sha256::digest(text.as_bytes()).iter().take(6).map(|b| format!("{b:02x}")).collect();
    let mut readable = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => readable.push(c),
            _ if !readable.ends_with('-') => readable.push('-'),
            _ => {}
        }
        if readable.len() >= 40 {
            break;
        }
    }
    format!("{}--x{digest}", readable.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_names_stay_readable() {
        assert_eq!(route("home", "jellyfin", 0), "home-jellyfin");
        assert_eq!(route("home", "jellyfin", 1), "home-jellyfin--2");
        assert!(route("home", "My.App_2", 0).starts_with("home-my-app-2--x"));
    }

    /// Any name; names that only punctuation and case tell apart; names that look like what Hearth makes of others.
    fn service() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9._-]{1,12}",
            "[a-z]{60,90}",
            "[aA]?[-._]{0,2}[bB2]?",
            "-{0,2}(out|v0a1b2c3d|xf00ba4)?-{0,2}[ab2]?(--headers|--strip|--away|--2)?",
        ]
        .prop_filter("a name", |name| !name.is_empty())
    }

    proptest! {
        #[test]
        fn no_two_routes_share_a_name(a in service(), b in service(), i in 0usize..4, j in 0usize..4) {
            let (first, second) = (route("home", &a, i), route("home", &b, j));
            prop_assert!(first.len() <= LONGEST + 4);
            prop_assert!(is_plain(&first));
            prop_assert_eq!(first == second, a == b && i == j, "{} {}", first, second);
            prop_assert!(is_plain(&outside("home", &a)));
            prop_assert_eq!(outside("home", &a) == outside("home", &b), a == b);
            prop_assert_ne!(outside("home", &a), second);
            prop_assert_ne!(outside("home", &a), route("home", &format!("out-{a}"), 0));
            prop_assert_ne!(route("home", &a, 1), route("home", &format!("{a}--2"), 0));
        }
    }
}
