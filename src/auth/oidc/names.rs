//! Names for an account that is made of what a provider says: its own name there where that can be one here, else one made of it. Pure.

use super::token::Claims;

/// User names to try in turn, each with the e-mail address where nobody else has it.
pub fn candidates(claims: &Claims) -> Vec<(String, Option<String>)> {
    let mut bases: Vec<String> = Vec::new();
    for name in claims.names.iter().filter_map(|name| user_name(name)) {
        if !bases.contains(&name) {
            bases.push(name);
        }
    }
    if bases.is_empty() {
        bases.push("guest".into());
    }
    let numbered = (2..=20).map(|n| format!("{}{n}", bases[0].chars().take(29).collect::<String>()));
    let all: Vec<String> = bases.iter().cloned().chain(numbered).collect();
    let with = |name: &String| {
        // First with the address, then without: it may be somebody's who is here already, and nothing is merged by it.
        let email = claims.email.clone().map(Some).into_iter();
        email.chain([None]).map(|email| (name.clone(), email)).collect::<Vec<_>>()
    };
    all.iter().flat_map(with).collect()
}

/// What is left of a name in the letters that a user name has.
fn user_name(text: &str) -> Option<String> {
    // An address is no name: what stands before its `@` is.
    let text = text.split('@').next().unwrap_or_default().to_lowercase();
    let kept: String = text
        .chars()
        .map(|c| if c == ' ' { '.' } else { c })
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(*c))
        .collect();
    let sign = |c: char| !c.is_ascii_alphanumeric();
    let name: String = kept.trim_start_matches(sign).chars().take(32).collect();
    let name = name.trim_end_matches(sign);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The name to show, of a length and in signs that one has.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !crate::diag::text::is_unsafe(*c)).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(said: &[&str], email: Option<&str>) -> Vec<(String, Option<String>)> {
        candidates(&Claims {
            subject: "s".into(),
            names: said.iter().map(|name| (*name).to_owned()).collect(),
            shown: None,
            email: email.map(str::to_owned),
            groups: None,
            several_factors: false,
        })
    }

    #[test]
    fn the_providers_name_is_taken_or_one_made_of_it() {
        let first = |said: &[&str]| names(said, None)[0].0.clone();
        assert_eq!(first(&["ada"]), "ada");
        assert_eq!(first(&["Ada Lovelace"]), "ada.lovelace");
        assert_eq!(first(&["ada@home.example"]), "ada");
        assert_eq!(first(&["--Ærø", "b"]), "r");
        assert_eq!(first(&["日本", "ben"]), "ben");
        assert_eq!(first(&["日本"]), "guest");
        assert_eq!(first(&["ada.-"]), "ada");
        assert_eq!(first(&[&"x".repeat(99)]).len(), 32);
        let all = names(&["ada", "ada"], Some("a@b"));
        assert_eq!((&all[0], &all[1]), (&("ada".into(), Some("a@b".into())), &("ada".into(), None)));
        assert_eq!(all[2].0, "ada2");
        assert!(all.len() < 50);
    }
}
