//! The sections of the two long pages, named for people and in the order in which somebody may want to read them.

/// A part of a page: what links lead to, and its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    pub anchor: &'static str,
    pub title: &'static str,
}

/// Calls by what their addresses begin with; the longest beginning decides.
const CALLS: &[(&str, &str, &[&str])] = &[
    ("setup", "The first admin", &["/api/v1/setup"]),
    (
        "sign-in",
        "Signing in and out",
        &[
            "/api/v1/auth/login",
            "/api/v1/auth/refresh",
            "/api/v1/auth/register",
            "/api/v1/auth/logout",
            "/api/v1/auth/passkeys/login",
        ],
    ),
    ("account", "Your account", &["/api/v1/auth/me", "/api/v1/auth/password"]),
    ("second-factor", "Your second factor", &["/api/v1/auth/second-factor"]),
    ("passkeys", "Your passkeys", &["/api/v1/auth/passkeys"]),
    ("provider", "Your link with the provider of accounts", &["/api/v1/auth/oidc"]),
    ("sessions", "Your sessions", &["/api/v1/sessions"]),
    ("tokens", "Your API tokens", &["/api/v1/tokens"]),
    ("profiles", "Profiles", &["/api/v1/profiles"]),
    ("services", "Services", &["/api/v1/services"]),
    ("containers", "Containers: logs, figures, programs", &["/api/v1/containers"]),
    (
        "verbs",
        "Start, stop, update",
        &[
            "/api/v1/up",
            "/api/v1/down",
            "/api/v1/start",
            "/api/v1/stop",
            "/api/v1/restart",
            "/api/v1/pull",
            "/api/v1/update",
            "/api/v1/mode",
        ],
    ),
    ("plans", "Plans", &["/api/v1/plans"]),
    ("works", "Works: what goes on", &["/api/v1/works"]),
    ("events", "Events of the home", &["/api/v1/events"]),
    ("history", "History", &["/api/v1/history"]),
    ("stacks", "Stacks", &["/api/v1/stacks"]),
    ("settings", "Settings", &["/api/v1/settings"]),
    ("variables", "Variables and secrets", &["/api/v1/variables", "/api/v1/secrets"]),
    ("projects", "Projects to adopt", &["/api/v1/projects", "/api/v1/loose-containers"]),
    (
        "storage",
        "Images, volumes and networks",
        &["/api/v1/images", "/api/v1/volumes", "/api/v1/networks", "/api/v1/prune"],
    ),
    ("routes", "Routes", &["/api/v1/routes"]),
    ("certificates", "Certificates", &["/api/v1/certificates"]),
    ("users", "Users", &["/api/v1/users"]),
    ("ways-in", "Ways in of other people", &["/api/v1/users/{id}/"]),
    ("groups", "Groups", &["/api/v1/groups"]),
    ("invitations", "Invitations", &["/api/v1/invitations"]),
    ("audit", "The audit log", &["/api/v1/audit"]),
    ("notifications", "Notifications", &["/api/v1/notifications"]),
    ("doctor", "Doctor", &["/api/v1/doctor"]),
    ("hearth", "About this Hearth", &["/health", "/api/v1/info"]),
    ("homeserver", "For clients of HomeServer and BaluHost", &["/api/auth/", "/api/v1/auth/users"]),
];

/// Codes by what stands before their point.
const CODES: &[(&str, &str)] = &[
    ("home", "The home and its stacks"),
    ("config", "hearth.yaml"),
    ("spec", "x-hearth"),
    ("lint", "Advice about stacks"),
    ("compose", "Compose files"),
    ("plan", "Plans"),
    ("apply", "Carrying out a plan"),
    ("stacks", "What runs"),
    ("works", "Works"),
    ("versions", "Versions of stacks"),
    ("variables", "Variables and secrets"),
    ("storage", "Images, volumes and networks"),
    ("engine", "Docker"),
    ("exec", "Programs in containers"),
    ("auth", "People and signing in"),
    ("audit", "The audit log"),
    ("web", "Requests and pages"),
    ("panel", "The panel"),
    ("proxy", "Routes"),
    ("traefik", "Traefik's labels"),
    ("gate", "gate"),
    ("certs", "Certificates"),
    ("serve", "hearth serve"),
    ("store", "The database"),
    ("cli", "The command line"),
    ("example", "The example service"),
];

/// The section of the call at this address, and its place among them.
pub fn of_call(path: &str) -> Option<(usize, Section)> {
    let begins = |all: &[&'static str]| all.iter().filter(|begin| path.starts_with(**begin)).map(|b| b.len()).max();
    let found = CALLS.iter().enumerate().filter_map(|(at, one)| begins(one.2).map(|length| (length, at, one)));
    let (_, at, (anchor, title, _)) = found.max_by_key(|(length, ..)| *length)?;
    Some((at, Section { anchor, title }))
}

/// The section of a code, and its place among them.
pub fn of_code(code: &str) -> Option<(usize, Section)> {
    let prefix = code.split('.').next()?;
    let at = CODES.iter().position(|(known, _)| *known == prefix)?;
    let (anchor, title) = CODES[at];
    Some((at, Section { anchor, title }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_and_every_code_has_a_section_with_a_name_for_people() {
        let table = crate::routes::table();
        let mut called = std::collections::BTreeSet::new();
        for entry in table.entries().filter(|entry| entry.operation.is_some()) {
            called.insert(of_call(entry.path).unwrap_or_else(|| panic!("{} has no section", entry.path)).0);
        }
        assert_eq!(called.len(), CALLS.len(), "a section without a call");
        let (_, all) = super::super::errors::all();
        let mut coded = std::collections::BTreeSet::new();
        for one in &all {
            coded.insert(of_code(&one.code).unwrap_or_else(|| panic!("{} has no section", one.code)).0);
        }
        assert_eq!(coded.len(), CODES.len(), "a section without a code");
        for (path, title) in [
            ("/api/v1/auth/passkeys/login/begin", "Signing in and out"),
            ("/api/v1/auth/passkeys/{id}", "Your passkeys"),
            ("/api/v1/users/{id}", "Users"),
            ("/api/v1/users/{id}/tokens", "Ways in of other people"),
        ] {
            assert_eq!(of_call(path).unwrap().1.title, title);
        }
    }
}
