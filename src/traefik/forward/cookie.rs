//! The cookies of a login, and the shield: no application ever gets one of them.
//!
//! RFC 6265, 5.4 says how browsers write `Cookie`; what else is sent there is read as widely as any server might.

pub use crate::base::net::SESSION;

/// On the same host, before somebody has signed in: ties the way back to this browser.
pub const BEFORE: &str = "__Host-hearth-before";

/// What no part of a `Cookie` header may hold that goes to an application, lower case.
const OURS: [&[u8]; 2] = [b"__host-hearth", b"__secure-hearth"];

/// Characters of 32 random bytes in base64url.
pub const LENGTH: usize = 43;

/// What was found in all `Cookie` headers of one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// The one value of [`SESSION`]; none where there are two different ones.
    pub session: Option<String>,
    /// The one value of [`BEFORE`].
    pub before: Option<String>,
    /// What the application gets; empty: no `Cookie` at all.
    pub others: Vec<Vec<u8>>,
}

/// Parts ours from an application's. `lines`: each `Cookie` header of the request, in order.
pub fn part<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Cookies {
    let mut found = Cookies::default();
    let (mut sessions, mut befores) = (Vec::new(), Vec::new());
    for line in lines {
        if !is_ours(line) {
            if !line.iter().all(|b| blank(*b)) {
                found.others.push(line.to_vec());
            }
            continue;
        }
        let mut kept: Vec<u8> = Vec::with_capacity(line.len());
        for piece in line.split(|b| *b == b';') {
            let piece = trim(piece);
            if is_ours(piece) {
                let (name, value) = match piece.iter().position(|b| *b == b'=') {
                    Some(at) => (trim(&piece[..at]), trim(&piece[at + 1..])),
                    None => (piece, &b""[..]),
                };
                match name {
                    _ if name == SESSION.as_bytes() => sessions.push(value),
                    _ if name == BEFORE.as_bytes() => befores.push(value),
                    _ => {}
                }
            } else if !piece.is_empty() {
                if !kept.is_empty() {
                    kept.extend_from_slice(b"; ");
                }
                kept.extend_from_slice(piece);
            }
        }
        if !kept.is_empty() {
            found.others.push(kept);
        }
    }
    found.session = only(&sessions);
    found.before = only(&befores);
    found
}

/// The value, where there is one and it is one that Hearth makes.
fn only(all: &[&[u8]]) -> Option<String> {
    let first = all.first()?;
    if all.iter().any(|other| other != first) {
        return None;
    }
    std::str::from_utf8(first).ok().filter(|value| is_value(value)).map(str::to_owned)
}

/// Whether it has the shape of a value that Hearth makes.
pub fn is_value(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_ours(text: &[u8]) -> bool {
    // Cheap for most: only from an underscore on is compared.
    let begins = |at: usize, name: &[u8]| text.get(at..at + name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
    text.iter().enumerate().any(|(at, b)| *b == b'_' && OURS.iter().any(|name| begins(at, name)))
}

fn blank(b: u8) -> bool {
    b.is_ascii_whitespace() || b == 0x0b
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && blank(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(lines: &[&str]) -> Cookies {
        part(lines.iter().map(|l| l.as_bytes()))
    }

    fn text(cookies: &Cookies) -> Vec<String> {
        cookies.others.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    fn value() -> String {
        "A".repeat(LENGTH)
    }

    #[test]
    fn an_applications_own_cookies_stay_byte_for_byte() {
        for line in ["a=1", "a=1;b=2 ;  c=\"x, y\"", "hearth-home-web=abc; __Host-app=1", "\u{e9}=1"] {
            assert_eq!((text(&of(&[line])), of(&[line]).session), (vec![line.to_owned()], None));
        }
        assert_eq!(of(&["", "  "]).others, Vec::<Vec<u8>>::new());
    }

    #[test]
    fn ours_is_taken_out_wherever_and_however_often_it_stands() {
        let value = value();
        let ours = format!("__Host-hearth={value}");
        for (lines, left) in [
            (vec![ours.clone()], vec![]),
            (vec![format!("a=1; {ours}; b=2")], vec!["a=1; b=2"]),
            (vec![format!("{ours};a=1")], vec!["a=1"]),
            (vec![format!("a=1;\t {ours} \t;b=2")], vec!["a=1; b=2"]),
            (vec![format!("a=1; __Host-hearth = {value}")], vec!["a=1"]),
            (vec!["a=1".into(), format!("{ours}; b=2"), ours.clone()], vec!["a=1", "b=2"]),
        ] {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let found = of(&lines);
            assert_eq!(found.session.as_deref(), Some(value.as_str()), "{lines:?}");
            assert_eq!(text(&found), left, "{lines:?}");
        }
    }

    #[test]
    fn what_is_called_like_ours_goes_to_nobody() {
        let value = value();
        for line in [
            format!("__Host-hearth-before={value}"),
            format!("__Host-hearth2={value}"),
            format!("__host-HEARTH={value}"),
            format!("__Secure-hearth={value}"),
            format!("\"__Host-hearth\"={value}"),
            format!("$__Host-hearth={value}"),
            format!("x=1, __Host-hearth={value}"),
            "__Host-hearth".to_owned(),
        ] {
            let found = of(&[&format!("a=1; {line}")]);
            assert_eq!((text(&found), found.session), (vec!["a=1".to_owned()], None), "{line}");
        }
    }

    #[test]
    fn of_two_sessions_none_is_believed() {
        let (one, two) = ("A".repeat(LENGTH), "B".repeat(LENGTH));
        assert_eq!(of(&[&format!("__Host-hearth={one}; __Host-hearth={two}")]).session, None);
        assert_eq!(of(&[&format!("__Host-hearth={one}"), &format!("__Host-hearth={two}")]).session, None);
        assert_eq!(of(&[&format!("__Host-hearth={one}; __Host-hearth={one}")]).session, Some(one));
        for wrong in ["", "short", &"A".repeat(LENGTH + 1), &format!("{}=", "A".repeat(LENGTH - 1))] {
            assert_eq!(of(&[&format!("__Host-hearth={wrong}")]).session, None);
        }
    }

    proptest! {
        #[test]
        fn hostile_19_no_application_gets_our_cookie_whatever_stands_around_it(
            before in proptest::collection::vec("[ -~\t]{0,12}", 0..4),
            after in proptest::collection::vec("[ -~\t]{0,12}", 0..4),
            glue in prop_oneof![Just(";"), Just("; "), Just(" ;\t"), Just(";;")],
            cased in proptest::collection::vec(any::<bool>(), 13),
        ) {
            let name: String = SESSION.chars().zip(cased).map(|(c, up)| if up { c.to_ascii_uppercase() } else { c }).collect();
            let secret = value();
            let pieces: Vec<String> = before.iter().cloned().chain([format!("{name}={secret}")]).chain(after).collect();
            let line = pieces.join(glue);
            let found = of(&[&line, &line]);
            for line in text(&found) {
                prop_assert!(!line.contains(&secret) && !line.to_ascii_lowercase().contains("__host-hearth"), "{line}");
            }
        }

        #[test]
        fn any_bytes_are_parted(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..4)) {
            let found = part(lines.iter().map(Vec::as_slice));
            prop_assert!(found.others.iter().all(|line| !is_ours(line) && !line.is_empty()));
        }
    }
}
