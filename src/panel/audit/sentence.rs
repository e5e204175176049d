//! An entry as a sentence: what was done, in the words of people, and to what.

use serde_json::Value;

use crate::auth::audit::entry::Shown;

/// The parts of a sentence; who it was stands before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The name of its words.
    pub key: &'static str,
    /// What it was done to; the words say where it stands.
    pub what: String,
    /// `yes` where it was not done: it was wanted.
    pub tried: &'static str,
}

/// What is known by a name of its own: the action, and the name of its words.
const KNOWN: &[(&str, &str)] = &[
    ("account.act", "audit-said-account"),
    ("adoption.adopt", "audit-said-adopt"),
    ("adoption.leave", "audit-said-leave"),
    ("adoption.release", "audit-said-release"),
    ("adoption.think_again", "audit-said-think-again"),
    ("audit.take", "audit-said-export"),
    ("baluhost.login", "audit-said-sign-in"),
    ("bulk.restart", "audit-said-restart"),
    ("bulk.start", "audit-said-start"),
    ("bulk.stop", "audit-said-stop"),
    ("certs.new_authority", "audit-said-authority"),
    ("certs.renew", "audit-said-renew"),
    ("certs.renewed", "audit-said-renew"),
    ("cookies.clear", "audit-said-cookies"),
    ("exec.ask", "audit-said-exec-ask"),
    ("exec.end", "audit-said-exec-end"),
    ("exec.open", "audit-said-exec"),
    ("factor.begin", "audit-said-factor-begin"),
    ("factor.confirm", "audit-said-factor"),
    ("forms.logout", "audit-said-sign-out"),
    ("forms.make_account", "audit-said-register"),
    ("forms.second", "audit-said-sign-in"),
    ("forms.set_up", "audit-said-set-up"),
    ("forms.sign_in", "audit-said-sign-in"),
    ("found.adopt", "audit-said-adopt"),
    ("found.leave", "audit-said-leave"),
    ("found.undo", "audit-said-undo"),
    ("groups.add", "audit-said-group-add"),
    ("groups.change", "audit-said-group-change"),
    ("groups.remove", "audit-said-group-remove"),
    ("history.restore", "audit-said-stack-restore"),
    ("invitations.add", "audit-said-invite"),
    ("invitations.end", "audit-said-invite-end"),
    ("json.new_authority", "audit-said-authority"),
    ("keys.rotated", "audit-said-keys"),
    ("log.cut", "audit-said-cut"),
    ("login.login", "audit-said-sign-in"),
    ("login.logout", "audit-said-sign-out"),
    ("login.refresh", "audit-said-refresh"),
    ("login.register", "audit-said-register"),
    ("me.change", "audit-said-names"),
    ("me.password", "audit-said-own-password"),
    ("nothing", "audit-said-nothing"),
    ("notices.mark", "audit-said-notices"),
    ("oidc.link", "audit-said-link"),
    ("oidc.unlink", "audit-said-unlink-own"),
    ("page.logout", "audit-said-sign-out"),
    ("page.second", "audit-said-sign-in"),
    ("passkeys.add", "audit-said-passkey"),
    ("passkeys.begin", "audit-said-passkey-begin"),
    ("passkeys.begin_login", "audit-said-passkey-login"),
    ("passkeys.login", "audit-said-sign-in"),
    ("passkeys.remove", "audit-said-passkey-remove"),
    ("passkeys.rename", "audit-said-passkey-rename"),
    ("password.change", "audit-said-own-password"),
    ("plan.apply", "audit-said-apply"),
    ("plan.discard", "audit-said-discard"),
    ("plan.of_profile", "audit-said-plan"),
    ("plans.apply", "audit-said-apply"),
    ("plans.discard", "audit-said-discard"),
    ("plans.draft", "audit-said-draft"),
    ("plans.make", "audit-said-plan"),
    ("profile.off", "audit-said-disable"),
    ("profile.on", "audit-said-enable"),
    ("profiles.disable", "audit-said-disable"),
    ("profiles.enable", "audit-said-enable"),
    ("route.remove", "audit-said-route-remove"),
    ("route.set", "audit-said-route"),
    ("second_factor.begin", "audit-said-factor-begin"),
    ("second_factor.codes", "audit-said-codes"),
    ("second_factor.confirm", "audit-said-factor"),
    ("second_factor.off", "audit-said-factor-off"),
    ("service.pull", "audit-said-pull"),
    ("service.recreate", "audit-said-plan"),
    ("service.restart", "audit-said-restart"),
    ("service.route", "audit-said-route"),
    ("service.start", "audit-said-start"),
    ("service.stop", "audit-said-stop"),
    ("service.update", "audit-said-plan"),
    ("services.enter", "audit-said-enter"),
    ("services.lost", "audit-said-lost"),
    ("sessions.end", "audit-said-session-end"),
    ("sessions.end_all", "audit-said-sessions-end"),
    ("sessions.end_of_user", "audit-said-sessions-of"),
    ("settings.save", "audit-said-settings"),
    ("settings.set", "audit-said-setting"),
    ("settings.unset", "audit-said-setting-reset"),
    ("setup.set_up", "audit-said-set-up"),
    ("shared-name", "audit-said-shared"),
    ("shell.choose", "audit-said-theme"),
    ("stack.act", "audit-said-stack-save"),
    ("stack.create", "audit-said-stack-save"),
    ("stack.delete", "audit-said-stack-delete"),
    ("stacks.delete", "audit-said-stack-delete"),
    ("stacks.save", "audit-said-stack-save"),
    ("stacks.validate", "audit-said-checked"),
    ("storage.apply", "audit-said-apply"),
    ("storage.plan", "audit-said-clearing"),
    ("tokens.add", "audit-said-token"),
    ("tokens.end", "audit-said-token-end"),
    ("users.add", "audit-said-user-add"),
    ("users.change", "audit-said-user-change"),
    ("users.password", "audit-said-user-password"),
    ("users.remove", "audit-said-user-remove"),
    ("users.second_factor_off", "audit-said-user-factor"),
    ("variables.add", "audit-said-variable"),
    ("variables.change", "audit-said-variable"),
    ("variables.change_file", "audit-said-secret"),
    ("variables.set", "audit-said-variable"),
    ("variables.unset", "audit-said-variable-unset"),
    ("variables.write_file", "audit-said-secret"),
    ("verbs.down", "audit-said-down"),
    ("verbs.mode", "audit-said-mode"),
    ("verbs.pull", "audit-said-pull"),
    ("verbs.restart", "audit-said-restart"),
    ("verbs.start", "audit-said-start"),
    ("verbs.stop", "audit-said-stop"),
    ("verbs.up", "audit-said-up"),
    ("verbs.update", "audit-said-update"),
    ("versions.restore", "audit-said-stack-restore"),
    ("ways.end_session", "audit-said-session-of"),
    ("ways.end_token", "audit-said-token-of"),
    ("ways.take_passkey", "audit-said-passkey-of"),
    ("ways.unlink", "audit-said-unlink"),
    ("welcome.answers", "audit-said-setup"),
    ("welcome.apply", "audit-said-setup-apply"),
    ("welcome.authority", "audit-said-authority"),
    ("welcome.choose_way", "audit-said-setup-way"),
    ("welcome.chosen", "audit-said-setup"),
    ("welcome.end", "audit-said-setup-end"),
    ("welcome.leave_found", "audit-said-setup"),
    ("welcome.leave_machine", "audit-said-setup"),
    ("welcome.make", "audit-said-setup"),
    ("work.cancel", "audit-said-cancel"),
    ("works.cancel", "audit-said-cancel"),
    ("works.end", "audit-said-work-end"),
];

/// Whether an action has words of its own.
#[cfg(test)]
pub fn is_known(action: &str) -> bool {
    KNOWN.iter().any(|(known, _)| *known == action)
}

pub fn of(entry: &Shown) -> Said {
    let tried = if matches!(entry.outcome.as_str(), "refused" | "failed") { "yes" } else { "no" };
    if entry.kind == "terminal" && entry.action.starts_with("hearth") {
        let what = if entry.object.is_empty() { entry.action.clone() } else { entry.object.clone() };
        return Said { key: "audit-said-ran", what, tried };
    }
    match KNOWN.iter().find(|(action, _)| *action == entry.action) {
        Some((_, key)) => Said { key, what: what(entry), tried },
        None => {
            let what = match entry.object.as_str() {
                "" => entry.action.clone(),
                object => format!("{} {object}", entry.action),
            };
            Said { key: "audit-said-other", what, tried }
        }
    }
}

/// What it was done to: by the details, or else by the last part of the address.
fn what(entry: &Shown) -> String {
    const FIELDS: [&str; 9] = ["username", "account", "command", "name", "names", "services", "key", "project", "mode"];
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(all) => {
            let names: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            Some(names.join(", "))
        }
        _ => None,
    };
    let said = || FIELDS.iter().find_map(|field| text(&entry.detail[*field]).filter(|text| !text.is_empty()));
    let part = || {
        if !entry.object.starts_with('/') {
            return entry.object.clone();
        }
        let parts: Vec<&str> = entry.object.split('/').filter(|part| !part.is_empty()).collect();
        let known = [
            "api",
            "v1",
            "services",
            "profiles",
            "plans",
            "works",
            "users",
            "groups",
            "stacks",
            "settings",
            "variables",
            "secrets",
            "found",
            "projects",
        ];
        let named = parts.windows(2).rev().find(|pair| known[2..].contains(&pair[0])).map(|pair| pair[1]);
        named.filter(|name| !known.contains(name)).unwrap_or_default().to_owned()
    };
    // Of these the address has it: the form of a service says its project too, and whoever deletes a stack types its name.
    let by_address = ["service.", "stack."].iter().any(|begin| entry.action.starts_with(begin));
    let named = Some(part()).filter(|part| by_address && !part.is_empty());
    named.or_else(said).unwrap_or_else(part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::Lang;

    fn entry(action: &str, object: &str, outcome: &str, detail: Value) -> Shown {
        Shown {
            seq: 1,
            time: "2026-11-27T11:00:00.000Z".into(),
            kind: "user".into(),
            who: "ada".into(),
            user: Some(1),
            from: "192.168.1.9".into(),
            action: action.into(),
            object: object.into(),
            outcome: outcome.into(),
            ms: 3,
            request: "r1".into(),
            detail,
            hash: "h".into(),
        }
    }

    #[test]
    fn every_action_that_changes_something_has_a_sentence_or_is_named() {
        let said = |entry: &Shown| {
            let said = of(entry);
            Lang::default().with(said.key, [("what", said.what.clone().into()), ("tried", said.tried.into())])
        };
        for (entry, words) in [
            (entry("users.add", "/api/v1/users", "done", json!({"username": "grace"})), "added the account grace"),
            (entry("users.add", "/people", "refused", json!({"username": "grace"})), "tried to add the account grace"),
            (entry("verbs.up", "/api/v1/up", "begun", json!({"names": ["media", "files"]})), "turned on media, files"),
            (entry("profiles.enable", "/api/v1/profiles/media/enable", "done", json!({})), "turned on media"),
            (entry("settings.set", "/api/v1/settings/auth", "done", json!({"value": {}})), "changed the setting auth"),
            (entry("service.restart", "/services/jellyfin/restart", "done", json!({})), "restarted jellyfin"),
            (
                entry("bulk.stop", "/bulk/stop", "refused", json!({"services": ["web", "two"]})),
                "tried to stop web, two",
            ),
            (entry("variables.set", "/api/v1/variables/TZ", "done", json!({})), "set the variable TZ"),
            (entry("odd.thing", "/api/v1/odd", "done", json!({})), "did odd.thing /api/v1/odd"),
        ] {
            assert!(said(&entry).starts_with(words), "{}", said(&entry));
        }
        for (_, key) in KNOWN {
            for tried in ["yes", "no"] {
                let said = Lang::default().with(key, [("what", "x".into()), ("tried", tried.into())]);
                assert!(said != *key && !said.contains('{'), "{key}: {said}");
            }
        }
    }
}
