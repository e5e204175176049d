//! Names of containers while one replaces another. Gate shows Traefik nothing of one that was set aside, so that no request meets a
//! container while it stops.

/// `<first 12 of the old id>_<name>`, as Compose names a container that will replace another.
pub fn successor(old: &str, name: &str) -> String {
    format!("{}_{name}", old.get(..12).unwrap_or(old))
}

/// `<first 12 of its id>_<name>-old`. Its own id is in it, so no container is called so by accident.
pub fn aside(id: &str, name: &str) -> String {
    format!("{}-old", successor(id, name))
}

/// Whether a container was set aside. `name` as it is, or as the engine writes it, with a leading `/`.
pub fn is_aside(id: &str, name: &str) -> bool {
    let name = name.strip_prefix('/').unwrap_or(name);
    let rest = name.strip_prefix(id.get(..12).unwrap_or(id)).and_then(|rest| rest.strip_prefix('_'));
    !id.is_empty() && rest.is_some_and(|rest| rest.len() > "-old".len() && rest.ends_with("-old"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_id_sets_a_container_aside() {
        let (id, other) = ("0123456789abcdef0123", "ffffffffffffffffffff");
        let name = aside(id, "home-web-1");
        assert_eq!(name, "0123456789ab_home-web-1-old");
        assert!(is_aside(id, &name) && is_aside(id, &format!("/{name}")));
        for (id, name) in [
            (other, name.as_str()),
            (id, "home-web-1"),
            (id, "0123456789ab_home-web-1"),
            (id, "home-old"),
            ("", "_x-old"),
        ] {
            assert!(!is_aside(id, name), "{id} {name}");
        }
    }
}
