//! By what a user gets in: all of it, and each taken away.

use serde_json::json;

use super::users::{for_alone, said, state};
use super::{ago, date};
use crate::auth::accounts::{Auth, User};
use crate::base::wording::count;
use crate::cli::table::fitting;
use crate::cli::{Done, Out};
use crate::diag::Diagnostic;

/// By what somebody was known before they got another password, and what of it that has left.
pub struct Known {
    sessions: usize,
    tokens: usize,
    second_factor: bool,
    others: bool,
}

impl Known {
    pub async fn of(auth: &Auth, user: &User) -> Result<Known, Diagnostic> {
        let (sessions, tokens) = (auth.sessions(user.id, None).await?.len(), auth.tokens(user.id).await?.len());
        let others = !auth.keys_of(user.id).await?.is_empty() || !auth.links_of(user.id).await?.is_empty();
        Ok(Known { sessions, tokens, second_factor: user.second_factor, others })
    }

    /// `only`: every other way in was taken away too.
    pub fn after_password(&self, only: bool) -> String {
        let Known { sessions, tokens, second_factor, others } = *self;
        let mut words = match (sessions, tokens) {
            (0, 0) => String::new(),
            (n, 0) => format!("; {} ended", were(n, "session")),
            (0, n) => format!("; {} ended", were(n, "API token")),
            (n, m) => format!("; {} and {} were ended", count(n, "session"), count(m, "API token")),
        };
        let factor = second_factor.then_some("second factor");
        let kept: Vec<&str> = factor.into_iter().chain(others.then_some("passkeys and link with a provider")).collect();
        if !kept.is_empty() {
            let fate = if only { "were taken away too" } else { "stay; --only takes them away too" };
            let fate = if others {
                fate.to_owned()
            } else {
                fate.replace("were", "was").replace("stay;", "stays;").replace("them", "it")
            };
            words += &format!("; their {} {fate}", kept.join(", "));
        }
        words
    }
}

fn were(n: usize, what: &str) -> String {
    format!("{} {}", count(n, what), if n == 1 { "was" } else { "were" })
}

/// All by which a user gets in, without secrets.
pub async fn show(auth: &Auth, name: &str, out: &Out) -> Done {
    let user = auth.user_named(name).await?;
    let (factor, keys, links) =
        (auth.factor(user.id).await?, auth.keys_of(user.id).await?, auth.links_of(user.id).await?);
    let (tokens, sessions) = (auth.tokens(user.id).await?, auth.sessions(user.id, None).await?);
    if out.json {
        out.value(&json!({
            "user": user,
            "second_factor": {"on": factor.on, "codes_left": factor.codes_left, "required": factor.required},
            "passkeys": keys,
            "links": links,
            "tokens": tokens,
            "sessions": sessions,
        }));
        return Ok(());
    }
    out.line(format!("{} is {}", user.name, state(&user)));
    out.line(format!("password: {}", if user.has_password { "yes" } else { "none" }));
    out.line(match (factor.on, factor.required) {
        (true, _) => format!("second factor: on, {} left", count(factor.codes_left.max(0) as usize, "recovery code")),
        (false, true) => "second factor: none, and the home asks their role for one".into(),
        (false, false) => "second factor: none".into(),
    });
    let row = |what: &str, id: String, name: String, may: String, made: i64, last: Option<i64>, ends: Option<i64>| {
        vec![what.to_owned(), id, name, may, ago(Some(made)), ago(last), ends.map(date).unwrap_or_default()]
    };
    let rows: Vec<Vec<String>> =
        keys.into_iter()
            .map(|key| row("passkey", key.id, key.name, String::new(), key.made, key.last_used, None))
            .chain(links.into_iter().map(|link| {
                row("account at", String::new(), link.issuer, String::new(), link.made, link.last_used, None)
            }))
            .chain(tokens.into_iter().map(|token| {
                let may = token.scopes.join(", ");
                row("API token", token.id, token.name, may, token.made, token.last_used, token.expires)
            }))
            .chain(sessions.into_iter().map(|session| {
                let what = format!("session of a {}", session.sort);
                let (last, ends) = (Some(session.last_used), Some(session.expires));
                row(&what, session.id, session.device, String::new(), session.made, last, ends)
            }))
            .collect();
    if !rows.is_empty() {
        out.text(&fitting(&["WHAT", "ID", "NAME", "MAY", "MADE", "LAST USED", "ENDS"], &rows, out.terminal));
    }
    Ok(())
}

pub async fn take_key(auth: &Auth, name: &str, id: &str, out: &Out) -> Done {
    let user = auth.user_named(name).await?;
    auth.take_key(user.id, id).await?;
    said(
        out,
        &user,
        format!("{} does not get in by that passkey any more; sessions stay: hearth users sessions", user.name),
    )
}

pub async fn unlink(auth: &Auth, name: &str, out: &Out) -> Done {
    let user = auth.user_named(name).await?;
    auth.take_links(user.id).await?;
    said(
        out,
        &user,
        format!("{} is linked with no account at a provider; sessions stay: hearth users sessions", user.name),
    )
}

/// Where they are signed in; ends all of it, or one.
pub async fn sessions(auth: &Auth, name: &str, end: bool, one: Option<&str>, out: &Out) -> Done {
    let user = auth.user_named(name).await?;
    let mut all = auth.sessions(user.id, None).await?;
    match one {
        Some(id) => {
            auth.end_session(user.id, id).await?;
            all.retain(|session| session.id == id);
        }
        None if end => auth.end_sessions(user.id, None).await?,
        None => {}
    }
    let ended = end || one.is_some();
    if out.json {
        out.value(&json!({"sessions": all, "ended": ended}));
    } else if ended {
        out.line(format!("{} was signed out: {}", user.name, count(all.len(), "session")));
    } else {
        let row = |s: &crate::auth::accounts::Session| {
            let (id, device, address) = (s.id.clone(), s.device.clone(), s.address.clone());
            vec![id, device, s.sort.into(), address, ago(Some(s.made)), ago(Some(s.last_used))]
        };
        let rows: Vec<Vec<String>> = all.iter().map(row).collect();
        out.text(&fitting(&["ID", "DEVICE", "SORT", "ADDRESS", "SIGNED IN", "LAST USED"], &rows, out.terminal));
    }
    Ok(())
}

/// Invitations that still hold; ends one.
pub async fn invitations(auth: &Auth, end: Option<&str>, out: &Out) -> Done {
    if let Some(id) = end {
        auth.end_invitation(id).await?;
        out.line(format!("the invitation {id} was ended"));
        return Ok(());
    }
    let all = auth.invitations().await?;
    if out.json {
        out.value(&json!({"invitations": all}));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|one| {
            vec![
                one.id,
                format!("{}{}", one.role, for_alone(&one.only)),
                one.note,
                one.made_by,
                ago(Some(one.made)),
                date(one.expires),
                one.uses_left.to_string(),
            ]
        })
        .collect();
    out.text(&fitting(&["ID", "ROLE", "FOR", "MADE BY", "MADE", "ENDS", "USES LEFT"], &rows, out.terminal));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_password_says_what_it_has_ended_and_what_stays() {
        let told = |sessions, tokens, second_factor, others, only| {
            Known { sessions, tokens, second_factor, others }.after_password(only)
        };
        assert_eq!(told(0, 0, false, false, false), "");
        assert_eq!(told(1, 0, false, false, false), "; 1 session was ended");
        assert_eq!(told(0, 2, false, false, true), "; 2 API tokens were ended");
        assert_eq!(
            told(2, 4, true, false, false),
            "; 2 sessions and 4 API tokens were ended; their second factor stays; --only takes it away too"
        );
        assert_eq!(told(0, 0, true, false, true), "; their second factor was taken away too");
        assert_eq!(
            told(0, 0, true, true, false),
            "; their second factor, passkeys and link with a provider stay; --only takes them away too"
        );
    }
}
