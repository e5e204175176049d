//! What Hearth is built from, with the licence of each. `scripts/licences` writes the list.

/// A crate or a package of npm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// `crate` or `npm`.
    pub kind: &'static str,
    pub name: &'static str,
    pub version: &'static str,
    /// As an SPDX expression.
    pub licence: &'static str,
}

const LIST: &str = include_str!("licences.txt");

pub fn all() -> impl Iterator<Item = Part> {
    LIST.lines().filter_map(|line| {
        let mut words = line.splitn(4, ' ');
        Some(Part { kind: words.next()?, name: words.next()?, version: words.next()?, licence: words.next()? })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn read(path: &str) -> std::io::Result<String> {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
    }

    #[test]
    fn each_crate_has_a_licence_that_make_deny_allows() {
        let deny = read("deny.toml").unwrap();
        let (allowed, excepted) = deny.split_once("[licenses]").unwrap().1.split_once("exceptions").unwrap();
        let is_allowed = |one: &str| allowed.contains(&format!("\"{one}\","));
        let fits = |licence: &str| {
            let mut parts = licence.split(" AND ");
            parts.all(|part| part.split([' ', '/', '(', ')']).any(is_allowed))
        };
        let refused = all().filter(|one| one.kind == "crate" && !fits(one.licence));
        let refused: Vec<_> = refused.filter(|one| !excepted.contains(&format!("crate = \"{}\"", one.name))).collect();
        assert!(refused.is_empty(), "deny.toml allows none of {refused:?}");
    }

    #[test]
    fn the_list_is_complete_and_has_nothing_else() {
        let lock = read("Cargo.lock").unwrap();
        let field = |block: &str, name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name} = ")));
            line.map(|text| text.trim_matches('"').to_owned())
        };
        let mut wanted: BTreeSet<String> = lock
            .split("[[package]]")
            .filter(|block| field(block, "source").is_some())
            .map(|block| format!("crate {} {}", field(block, "name").unwrap(), field(block, "version").unwrap()))
            .collect();
        let packages: serde_json::Value = serde_json::from_str(&read("static/npm/package-lock.json").unwrap()).unwrap();
        for (path, about) in packages["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty()) {
            let name = path.rsplit("node_modules/").next().unwrap();
            wanted.insert(format!("npm {name} {}", about["version"].as_str().unwrap()));
        }
        let listed: BTreeSet<String> = all().map(|one| format!("{} {} {}", one.kind, one.name, one.version)).collect();
        let (left_out, gone): (Vec<_>, Vec<_>) =
            (wanted.difference(&listed).collect(), listed.difference(&wanted).collect());
        assert!(left_out.is_empty() && gone.is_empty(), "run scripts/licences: without {left_out:?}, with {gone:?}");
        assert!(all().all(|one| !one.licence.is_empty()) && listed.len() > 300);
    }
}
