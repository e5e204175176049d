//! Every setting of `hearth.yaml` with what it means, what holds where nothing is said, and when a change counts: for who looks at all of them.

/// When a change of a setting counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Within seconds.
    AtOnce,
    /// With the next `hearth up`: what runs has to follow.
    WithUp,
    /// With the next start of Hearth.
    AtStart,
    /// It is changed by a command of its own, which does what follows from it.
    Own(&'static str),
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Written as in YAML: a text, a number, a list.
    Value,
    OneOf(&'static [&'static str]),
    /// A block of several lines, which is written in the file.
    Block,
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its keys from the top, with dots between.
    pub key: &'static str,
    pub about: &'static str,
    /// As one would write it; empty where there is none.
    pub default: &'static str,
    pub sort: Sort,
    pub counts: Counts,
}

const fn value(key: &'static str, about: &'static str, default: &'static str, counts: Counts) -> Known {
    Known { key, about, default, sort: Sort::Value, counts }
}

const fn block(key: &'static str, about: &'static str, default: &'static str, counts: Counts) -> Known {
    Known { key, about, default, sort: Sort::Block, counts }
}

const fn one_of(
    key: &'static str,
    about: &'static str,
    all: &'static [&'static str],
    default: &'static str,
    counts: Counts,
) -> Known {
    Known { key, about, default, sort: Sort::OneOf(all), counts }
}

use Counts::{AtOnce, AtStart, Own, WithUp};

/// All of them, in the order of the file.
pub const KNOWN: &[Known] = &[
    value(
        "name",
        "The Compose project that all stacks make: containers are called NAME-SERVICE-1. Another name means new containers and new, empty volumes.",
        "",
        Own("a new home"),
    ),
    one_of(
        "mode",
        "How services are reached: on ports of this machine, or by name through Traefik with HTTPS.",
        &["localhost", "domain"],
        "localhost",
        Own("hearth mode"),
    ),
    value("profiles", "The profiles that are on.", "[]", Own("hearth up, hearth down")),
    value(
        "networks",
        "The range from which every network gets its subnet. It must not overlap with what this machine reaches otherwise.",
        "10.213.0.0/16",
        WithUp,
    ),
    block("adopted", "Compose projects outside the home that it looks after.", "{}", Own("hearth adopt")),
    value(
        "left_alone",
        "Compose projects outside the home that it was told to leave alone.",
        "[]",
        Own("hearth adopt"),
    ),
    value("traefik.http", "The port on which Traefik takes plain HTTP.", "80", WithUp),
    value("traefik.https", "The port on which Traefik takes HTTPS.", "443", WithUp),
    value(
        "traefik.bind",
        "The addresses of this machine on which Traefik listens. IPv4 only, so that clients are seen.",
        "[0.0.0.0]",
        WithUp,
    ),
    value("traefik.upload_timeout", "How long one upload may take; 0s is no limit.", "1h", WithUp),
    value("traefik.minimum", "The oldest version of Traefik that is accepted.", "", WithUp),
    value(
        "lan",
        "The ranges in which somebody is at home. Where nothing is said: the private networks of this machine, and the machine itself.",
        "",
        AtOnce,
    ),
    block("routes", "Ways in to what is no service of this home.", "{}", WithUp),
    value(
        "server.listen",
        "Where Hearth takes HTTPS. A port alone is for this machine only; 0.0.0.0:8443 lets other devices of the home in.",
        "8443",
        AtStart,
    ),
    value("server.http", "Where Hearth takes plain HTTP, which leads to HTTPS; false is nowhere.", "8480", AtStart),
    value("server.names", "More names or addresses for Hearth's own certificate.", "[]", AtStart),
    block(
        "certificates",
        "Who issues certificates, and how names are proved. Where nothing is said: the home's own CA.",
        "",
        AtOnce,
    ),
    one_of(
        "auth.registration",
        "Who may make an account of their own: nobody, whoever has an invitation, or everybody who reaches the panel.",
        &["closed", "invite", "open"],
        "invite",
        AtOnce,
    ),
    value("auth.sessions.idle", "A session that is not used for so long ends.", "7d", AtOnce),
    value("auth.sessions.absolute", "A session ends after so long, however much it is used.", "30d", AtOnce),
    value(
        "auth.second_factor.required",
        "Whoever has one of these roles gets in with a second factor only.",
        "[]",
        AtOnce,
    ),
    block("auth.oidc", "A provider of accounts. Its secret stands in .env.", "", AtStart),
    one_of(
        "api.homeserver_clients",
        "Lets unchanged HomeServer clients in: their access tokens last 12 hours instead of 15 minutes.",
        &["true", "false"],
        "false",
        AtOnce,
    ),
    value(
        "api.cors_origins",
        "Other sites whose pages may call the API with a token of their own, as exact origins.",
        "[]",
        AtStart,
    ),
    value("audit.days", "How many days entries of the audit are kept; false is for ever.", "730", AtStart),
    value("audit.megabytes", "How much all entries of the audit may take; false is without end.", "500", AtStart),
];

/// What `.env` and the environment say, by the name of the variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    pub name: &'static str,
    pub about: &'static str,
    pub default: &'static str,
    /// It is shown to nobody.
    pub secret: bool,
    /// It counts from `.env` alone; else from there, and where it does not stand there from the environment of the process.
    pub in_file: bool,
}

pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "DOMAIN",
        about: "The home's domain, in domain mode: services are at NAME.DOMAIN.",
        default: "",
        secret: false,
        in_file: true,
    },
    Variable {
        name: "COMPOSE_PROFILES",
        about: "The profiles that are on, for Docker Compose. Hearth keeps it the same as the list above.",
        default: "",
        secret: false,
        in_file: true,
    },
    Variable {
        name: "HEARTH_OIDC_SECRET",
        about: "The client's secret at the provider of accounts.",
        default: "",
        secret: true,
        in_file: true,
    },
    Variable {
        name: "HEARTH_DATABASE_URL",
        about: "A PostgreSQL in the place of the SQLite file of the home.",
        default: "",
        secret: true,
        in_file: false,
    },
    Variable {
        name: "HEARTH_LOG",
        about: "What is written to the log.",
        default: "info",
        secret: false,
        in_file: false,
    },
    Variable { name: "DOCKER_HOST", about: "Where the engine is.", default: "", secret: false, in_file: false },
];

/// A setting by its key.
pub fn known(key: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, one, parse};
    use crate::diag::{Diagnostics, Sources};

    #[test]
    fn every_key_of_the_file_is_known_with_its_meaning() {
        let tops: std::collections::BTreeSet<&str> =
            KNOWN.iter().filter_map(|known| known.key.split('.').next()).collect();
        assert_eq!(tops, KEYS.into_iter().collect());
        for known in KNOWN {
            assert!(known.about.ends_with('.') && known.about.len() < 200, "{}", known.key);
        }
    }

    #[test]
    fn a_default_that_is_written_changes_nothing() {
        let read = |text: &str| {
            let (mut sources, mut told) = (Sources::default(), Diagnostics::default());
            let file = sources.add("hearth.yaml", text);
            let config = parse(file, &sources, &mut told);
            config.unwrap_or_else(|| panic!("{text}: {told:?}"))
        };
        let plain = read("name: h\n");
        for known in KNOWN.iter().filter(|known| !known.default.is_empty()) {
            let value = one::value(known.default).unwrap();
            let text = one::set("name: h\n", known.key, Some(&value)).unwrap();
            let mut said = read(&text);
            // That it is said is known, and comes to the same.
            if known.key.starts_with("server.") {
                said.server = plain.server.clone();
            }
            assert_eq!(said, plain, "{}: {text}", known.key);
        }
    }
}
