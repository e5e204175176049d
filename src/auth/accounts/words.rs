//! Names that accounts have: which are taken, and what a browser is called.
//!
//! Beside each rule stands the regular expression by which the API describes it; a test holds the two together. White space around a text is who reads a
//! form's to cut off.

use crate::diag::text::is_unsafe;
use crate::diag::{Diagnostic, Kind};

/// Names under which the audit keeps what nobody in particular did.
const RESERVED: [&str; 7] = ["anonymous", "everyone", "hearth", "nobody", "nothing", "system", "terminal"];

/// Names that applications give to whoever runs them, or make an account of by themselves. An admin may give one to somebody.
const SPECIAL: [&str; 39] = [
    "abuse",
    "admin",
    "administrator",
    "admins",
    "api",
    "backup",
    "bot",
    "daemon",
    "default",
    "git",
    "grafana",
    "homeassistant",
    "hostmaster",
    "info",
    "jellyfin",
    "mail",
    "manager",
    "moderator",
    "nextcloud",
    "noreply",
    "operator",
    "owner",
    "portainer",
    "postgres",
    "postmaster",
    "public",
    "root",
    "security",
    "server",
    "service",
    "staff",
    "sudo",
    "superadmin",
    "superuser",
    "support",
    "sysadmin",
    "test",
    "user",
    "webmaster",
];

/// Refuses names that nobody gets who is not given one.
pub fn for_anybody(name: &str) -> Result<(), Diagnostic> {
    let given = "take another name; an admin of the home can give this one to somebody";
    let told = |title: String| Err(Diagnostic::error("auth.bad-name", title).field("username").hint(given));
    let look = reads(name);
    if let Some(taken) = SPECIAL.into_iter().chain(RESERVED).find(|taken| reads(taken) == look) {
        return told(match taken == name {
            true => format!("`{name}` is what applications call whoever runs them"),
            false => format!("`{name}` reads as `{taken}`, which applications or Hearth call whoever runs them"),
        });
    }
    if name.ends_with(|c: char| !c.is_ascii_alphanumeric()) {
        return told("a user name ends with a letter or digit: applications may leave out what comes after".into());
    }
    Ok(())
}

/// How a name reads: without the signs that applications leave out where they make an address, a folder or a word of it, and with one letter for those that
/// look alike. `sql::users::reads_as` says the same in SQL.
pub fn reads(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|c| match c {
        '0' => 'o',
        '1' | 'i' => 'l',
        '5' => 's',
        '8' => 'b',
        other => other,
    });
    letters.collect::<String>().replace("rn", "m")
}

/// What cannot be seen, inside `[]`: control characters, and what [`is_unsafe`] says.
macro_rules! unseen {
    () => {
        r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    };
}
/// White space that is no control character, inside `[]`.
macro_rules! blank {
    () => {
        r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    };
}
macro_rules! in_address {
    () => {
        concat!("[^", unseen!(), blank!(), r#"<>"(),;:\\\[\]@]+"#)
    };
}

pub const USER_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$";
pub const GROUP_NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$";
/// Empty: none.
pub const EMAIL: &str = concat!("^(?:", in_address!(), "@", in_address!(), ")?$");
/// One line with something in it.
pub const LABEL: &str = concat!("^[^", unseen!(), "]*[^", unseen!(), blank!(), "][^", unseen!(), "]*$");
/// One line, or nothing.
pub const NOTE: &str = concat!("^[^", unseen!(), "]*$");
/// Characters of an address at most (RFC 5321, 4.5.3.1.3, less the brackets).
pub const LONGEST_EMAIL: usize = 254;

/// A user's name: 1 to 32 of `a-z 0-9 . _ -`, beginning with a letter or digit. Capitals are the same as small letters.
pub fn user_name(text: &str) -> Result<String, Diagnostic> {
    let name = text.to_ascii_lowercase();
    let told = |title: String| Err(Diagnostic::error("auth.bad-name", title).field("username"));
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.is_empty() || name.len() > 32 || !begins || !name.chars().all(sign) {
        return told(
            "a user name has 1 to 32 letters a-z, digits, `.`, `_` or `-`, and begins with a letter or digit".into(),
        )
        .map_err(|d: Diagnostic| d.hint("the name to show can be anything: that is the display name"));
    }
    if RESERVED.contains(&name.as_str()) {
        return told(format!("`{name}` is what Hearth calls itself, or nobody"))
            .map_err(|d: Diagnostic| d.hint("take another name"));
    }
    Ok(name)
}

/// As [`user_name`] for one that is only looked for: what no name can be is nobody's.
pub fn given_name(text: &str) -> Option<String> {
    user_name(text.trim()).ok()
}

/// A group's name, as a route's `access: group:NAME` writes it.
pub fn group_name(text: &str) -> Result<String, Diagnostic> {
    let name = text.to_ascii_lowercase();
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match !name.is_empty() && name.len() <= 32 && begins && name.chars().all(sign) {
        true => Ok(name),
        false => Err(Diagnostic::error("auth.bad-name", "a group's name has 1 to 32 letters a-z, digits, `_` or `-`")
            .field("name")
            .hint("begin it with a letter or digit")),
    }
}

/// An e-mail address, or none where it is empty. Only what no address can be is refused: nothing is sent to find out.
pub fn email(text: &str) -> Result<Option<String>, Diagnostic> {
    let address = text.to_lowercase();
    if address.is_empty() {
        return Ok(None);
    }
    let (local, domain) = address.split_once('@').unwrap_or_default();
    let whole = !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && text.chars().count() <= LONGEST_EMAIL
        && !address.chars().any(|c| c.is_whitespace() || is_unsafe(c) || "<>\"(),;:\\[]".contains(c));
    match whole {
        true => Ok(Some(address)),
        false => Err(Diagnostic::error("auth.bad-email", "this is no e-mail address")
            .field("email")
            .hint("write it as name@example.org, or leave it out")),
    }
}

/// Text for people to read, such as a display name or the name of a token: up to `most` characters, one line.
pub fn label(text: &str, field: &'static str, most: usize) -> Result<String, Diagnostic> {
    let label = text.trim();
    match !label.is_empty() && text.chars().count() <= most && !text.chars().any(is_unsafe) {
        true => Ok(label.to_owned()),
        false => Err(Diagnostic::error("auth.bad-label", format!("this takes 1 to {most} characters in one line"))
            .field(field)
            .hint("leave out line breaks and signs that cannot be seen")),
    }
}

/// Nobody is called that.
/// As [`label`], or nothing.
pub fn note(text: &str, field: &'static str, most: usize) -> Result<String, Diagnostic> {
    let blank = text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(is_unsafe);
    if blank { Ok(String::new()) } else { label(text, field, most) }
}

pub fn no_such_user(what: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error("auth.no-such-user", format!("there is no user {what}"))
        .kind(Kind::NotFound)
        .hint("`hearth users` lists them")
}

pub fn no_such_group(name: &str) -> Diagnostic {
    Diagnostic::error("auth.no-such-group", format!("there is no group `{name}`"))
        .kind(Kind::NotFound)
        .hint("`hearth users groups` lists them")
}

/// What a browser or program calls itself, in a few words: `Firefox on Linux`, `curl`.
pub fn device(agent: &str) -> String {
    let has = |word: &str| agent.contains(word);
    let system = match () {
        _ if has("Android") => " on Android",
        _ if has("iPhone") => " on iPhone",
        _ if has("iPad") => " on iPad",
        _ if has("Windows") => " on Windows",
        _ if has("Mac OS X") => " on macOS",
        _ if has("CrOS") => " on ChromeOS",
        _ if has("Linux") => " on Linux",
        _ => "",
    };
    // Each calls itself by the names of those before it, too.
    let browser = match () {
        _ if has("Edg/") || has("EdgA/") => "Edge",
        _ if has("OPR/") => "Opera",
        _ if has("SamsungBrowser/") => "Samsung Internet",
        _ if has("Firefox/") || has("FxiOS/") => "Firefox",
        _ if has("CriOS/") || has("Chrome/") => "Chrome",
        _ if has("Safari/") => "Safari",
        _ => "",
    };
    if !browser.is_empty() {
        return format!("{browser}{system}");
    }
    let first = agent.split(['/', ' ', '(']).next().unwrap_or_default();
    let plain: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(40).collect();
    if plain.is_empty() { "unknown".into() } else { plain }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_one_form_and_hostile_ones_are_refused() {
        assert_eq!(user_name("Anna.Berg").unwrap(), "anna.berg");
        assert_eq!(given_name(" Anna.Berg ").unwrap(), "anna.berg");
        assert_eq!(group_name("Kids").unwrap(), "kids");
        let long = "a".repeat(33);
        for name in [
            "", " a", "a ", "a\n", "\u{212a}", "-rf", ".", "..", "a b", "a/b", "a\nb", "a;b", "$(id)", "anna@x",
            "admin\0", "аdmin", "system", "TERMINAL", &long, "'", "<b>",
        ] {
            assert_eq!(user_name(name).unwrap_err().code, "auth.bad-name", "{name:?}");
        }
        for name in ["admin", "root", "ad.min", "administrator", "grafana"] {
            assert!(user_name(name).is_ok());
            assert_eq!(for_anybody(name).unwrap_err().code, "auth.bad-name", "{name:?}");
        }
        for name in ["boss.", "boss_", "boss--"] {
            assert_eq!(for_anybody(name).unwrap_err().code, "auth.bad-name", "{name:?}");
        }
        for name in ["adm1n", "adrnin", "r00t", "g1t", "b0t", "5taff", "t3st-1", "hearth.x"] {
            let fits = ["t3st-1", "hearth.x"].contains(&name);
            assert_eq!(for_anybody(name).is_ok(), fits, "{name:?}");
        }
        for name in ["terrninal", "he-arth", "sy5tem"] {
            assert_eq!(for_anybody(name).unwrap_err().code, "auth.bad-name", "{name:?}");
        }
        assert!(for_anybody("anna").is_ok() && for_anybody("adminka").is_ok() && SPECIAL.is_sorted());
        for name in ["", "a.b", "a b", "group:a", "*", "-a"] {
            assert_eq!(group_name(name).unwrap_err().code, "auth.bad-name", "{name:?}");
        }
    }

    #[test]
    fn addresses_and_labels_are_one_line_of_what_can_be_seen() {
        assert_eq!(email("A@Example.org").unwrap().as_deref(), Some("a@example.org"));
        assert_eq!(email("").unwrap(), None);
        for text in ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", " a@b", "<a@b>", "a@b\u{202e}"] {
            assert!(email(text).is_err(), "{text:?}");
        }
        assert_eq!(label(" Anna B. ", "display_name", 100).unwrap(), "Anna B.");
        for text in ["", " ", "a\nb", "a\u{1b}[2J", "a\u{202e}b"] {
            assert_eq!(label(text, "display_name", 100).unwrap_err().code, "auth.bad-label", "{text:?}");
        }
        assert!(label(&"a".repeat(101), "display_name", 100).is_err());
    }

    #[test]
    fn devices_are_called_what_people_call_them() {
        for (agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("", "unknown"),
            ("<script>alert(1)</script>", "scriptalert"),
        ] {
            assert_eq!(device(agent), words);
        }
    }

    /// Characters that rules care about, with and without reason.
    const SIGNS: &str = "[a-cA-C0-9._@<>\"(),;:\\\\\\[\\] \\-\n\t\u{0}\u{7f}\u{85}\u{a0}\u{61c}\u{1680}\u{2003}\u{200b}\u{200e}\u{2028}\u{202a}\u{202f}\u{205f}\u{2066}\u{3000}\u{feff}éß\u{130}\u{212a}😀]{0,40}";

    proptest! {
        #[test]
        fn what_the_api_says_of_a_text_is_what_is_taken(text in prop_oneof![SIGNS, "[a-c]{1,34}", "[a-c]{1,3}@[a-c]{1,3}", ".{0,60}"]) {
            let says = |pattern: &str, least: usize, most: usize| {
                let count = text.chars().count();
                regex::Regex::new(pattern).unwrap().is_match(&text) && (least..=most).contains(&count)
            };
            let reserved = RESERVED.contains(&text.to_lowercase().as_str());
            prop_assert_eq!(says(USER_NAME, 1, 32) && !reserved, user_name(&text).is_ok(), "{:?}", text);
            prop_assert_eq!(says(GROUP_NAME, 1, 32), group_name(&text).is_ok(), "{:?}", text);
            prop_assert_eq!(says(EMAIL, 0, LONGEST_EMAIL), email(&text).is_ok(), "{:?}", text);
            prop_assert_eq!(says(LABEL, 1, 20), label(&text, "x", 20).is_ok(), "{:?}", text);
            prop_assert_eq!(says(NOTE, 0, 20), note(&text, "x", 20).is_ok(), "{:?}", text);
        }

        #[test]
        fn any_text_is_a_name_in_its_one_form_or_is_refused(text in ".{0,60}") {
            if let Ok(name) = user_name(&text) {
                prop_assert_eq!(user_name(&name).unwrap(), name);
            }
            prop_assert!(device(&text).len() <= 60);
            let _ = (email(&text), label(&text, "x", 10), group_name(&text));
        }
    }
}
