//! By what a user gets in: all of it, and each taken away.

use serde_json::json;

use super::ago;
use super::users::{said, state};
use crate::auth::accounts::Auth;
use crate::base::wording::count;
use crate::cli::table::fitting;
use crate::cli::{Done, Out};

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
    let rows: Vec<Vec<String>> =
        keys.into_iter()
            .map(|key| vec!["passkey".into(), key.id, key.name, ago(Some(key.made)), ago(key.last_used)])
            .chain(links.into_iter().map(|link| {
                vec!["account at".into(), String::new(), link.issuer, ago(Some(link.made)), ago(link.last_used)]
            }))
            .chain(tokens.into_iter().map(|token| {
                vec!["API token".into(), token.id, token.name, ago(Some(token.made)), ago(token.last_used)]
            }))
            .chain(sessions.into_iter().map(|session| {
                let what = format!("session of a {}", session.sort);
                vec![what, session.id, session.device, ago(Some(session.made)), ago(Some(session.last_used))]
            }))
            .collect();
    if !rows.is_empty() {
        out.text(&fitting(&["WHAT", "ID", "NAME", "MADE", "LAST USED"], &rows, out.terminal));
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
        .map(|one| vec![one.id, one.role, one.note, one.made_by, ago(Some(one.made)), one.uses_left.to_string()])
        .collect();
    out.text(&fitting(&["ID", "ROLE", "FOR", "MADE BY", "MADE", "USES LEFT"], &rows, out.terminal));
    Ok(())
}
