//! Accounts for some services alone: of all that asks for a login they enter these, and what is for one of their groups.

use super::tokens::is_service;
use crate::auth::who::{Role, article};
use crate::diag::Diagnostic;

/// Services that one account may be for alone.
pub const MOST: usize = 50;
/// A service's name as the API describes it: as in a token's scope.
pub const SERVICE: &str = "^[A-Za-z0-9._-]{1,128}$";

/// Names as they are kept: in order, each once.
pub(super) fn named(all: &[String]) -> Result<Vec<String>, Diagnostic> {
    if let Some(odd) = all.iter().find(|name| !is_service(name)) {
        return Err(refused(format!("`{odd}` is no name of a service")).hint("`hearth routes` lists them"));
    }
    let mut all = all.to_vec();
    all.sort_unstable();
    all.dedup();
    match all.len() <= MOST {
        true => Ok(all),
        false => Err(refused(format!("an account is for {MOST} services alone at most"))
            .hint("make a group for so many, and say `access: group:NAME` of them")),
    }
}

/// Refuses a role that opens more than these services.
pub(super) fn fits(only: &[String], role: Role) -> Result<(), Diagnostic> {
    match only.is_empty() || role == Role::Member {
        true => Ok(()),
        false => Err(refused(format!(
            "an account for {} alone is a member's, and not {}'s",
            only.join(", "),
            article(role.word())
        ))
        .hint("give the role `member`, or take what it is for alone away in the same change")),
    }
}

fn refused(title: String) -> Diagnostic {
    Diagnostic::error("auth.bad-only", title).field("only")
}

/// One text of them, for the database.
pub(super) fn text(only: &[String]) -> String {
    only.join(" ")
}

/// What [`text`] made. Whatever else somebody has written there by hand names no service, and so opens none.
pub(super) fn read(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { text.split(' ').map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_for_some_services_is_read_as_it_was_kept_and_never_as_one_for_all() {
        let all = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(named(&all(&["photos", "films", "photos"])).unwrap(), all(&["films", "photos"]));
        for names in [&[][..], &["photos"], &["a.b", "c_D-e"]] {
            assert_eq!(read(&text(&all(names))), all(names));
        }
        for odd in [" ", "  ", "\n", "photos "] {
            assert!(!read(odd).is_empty(), "{odd:?}");
        }
        for odd in ["", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(named(&all(&[odd])).unwrap_err().code, "auth.bad-only", "{odd:?}");
        }
        let many: Vec<String> = (0..=MOST).map(|n| format!("s{n}")).collect();
        assert!(named(&many).is_err() && named(&many[1..]).is_ok());
    }

    #[test]
    fn only_a_member_is_for_some_services_alone() {
        let photos = ["photos".to_owned()];
        for role in Role::ALL {
            assert_eq!(fits(&photos, role).is_ok(), role == Role::Member, "{role}");
            assert!(fits(&[], role).is_ok());
        }
    }
}
