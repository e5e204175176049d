//! `hearth users`: who there is, and all that an admin does with them.

use serde_json::json;

use super::{Place, ago, role, ways};
use crate::args::{GroupsVerb, PasswordFrom, Users, UsersVerb};
use crate::auth::accounts::{Auth, Change, NewInvitation, NewUser, SETUP_HOURS, User};
use crate::auth::routed::{self, Routed};
use crate::base::wording::{self, count};
use crate::cli::table::fitting;
use crate::cli::{Done, Out, Tone, ask};

/// Users read at a time.
const PAGE: u32 = 500;

pub fn run(place: Place, args: Users, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let Some(verb) = args.verb else { return place.with(|auth| async move { list(&auth, out).await }) };
    let ends = ends_access(&verb);
    carry_out(&place, verb, &out.clone().acts())?;
    if ends {
        place.tell_unheard(out);
    }
    Ok(())
}

/// Whether somebody may be in who is not to be any more.
fn ends_access(verb: &UsersVerb) -> bool {
    match verb {
        UsersVerb::Set { role, active, groups, only, .. } => {
            role.is_some() || *active == Some(false) || groups.is_some() || only.is_some()
        }
        UsersVerb::Sessions { end, one, .. } => *end || one.is_some(),
        UsersVerb::Password { .. } | UsersVerb::Delete { .. } => true,
        UsersVerb::Groups { verb } => matches!(verb, Some(GroupsVerb::Remove { .. })),
        UsersVerb::SetupLink
        | UsersVerb::Add { .. }
        | UsersVerb::SecondFactor { .. }
        | UsersVerb::Show { .. }
        | UsersVerb::Passkeys { .. }
        | UsersVerb::Provider { .. }
        | UsersVerb::Invite { .. }
        | UsersVerb::Invitations { .. } => false,
    }
}

fn carry_out(place: &Place, verb: UsersVerb, out: &Out) -> Done {
    let panel = place.panel.clone();
    match verb {
        UsersVerb::SetupLink => place.with(|auth| async move {
            let token = auth.setup_token().await?;
            out.line(format!("{panel}/setup?token={}", token.expose()));
            out.say(format!("It is good once, for {SETUP_HOURS} hours; the link before it has ended."));
            Ok(())
        }),
        UsersVerb::Add { name, role: word, email, display_name, groups, only, password } => {
            let role = role(&word)?;
            place.served(&only, &[])?;
            let password = Some(asked(&name, &password)?);
            let new = NewUser { name, email, display_name, role, groups, only, password };
            place.with(|auth| async move {
                let user = auth.add_user(new).await?;
                said(out, &user, format!("{} was added as {}{}", user.name, user.role, alone(&user)))
            })
        }
        UsersVerb::Set { name, role: word, active, email, display_name, groups, only } => {
            let role = word.as_deref().map(role).transpose()?;
            let names =
                |list: String| list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
            let (groups, only) = (groups.map(names), only.map(names));
            let named = only.clone().unwrap_or_default();
            let change = Change { email, vouched: true, display_name, role, active, groups, only, ..Change::default() };
            place.with(|auth| async move {
                let before = auth.user_named(&name).await?;
                place.served(&named, &before.only)?;
                let user = auth.change_user(before.id, change).await?;
                let ended = user.role != before.role || user.active != before.active;
                let more = if ended { "; whoever was signed in as them is no more" } else { "" };
                said(out, &user, format!("{} is {}{more}", user.name, state(&user)))
            })
        }
        UsersVerb::Password { name, only, password } => {
            let password = asked(&name, &password)?;
            place.with(|auth| async move {
                let user = auth.user_named(&name).await?;
                let before = ways::Known::of(&auth, &user).await?;
                auth.set_password(user.id, password, only).await?;
                said(out, &user, format!("{} has another password{}", user.name, before.after_password(only)))
            })
        }
        UsersVerb::SecondFactor { name, .. } => place.with(|auth| async move {
            let user = auth.user_named(&name).await?;
            auth.remove_factor(user.id).await?;
            said(out, &user, format!("{} signs in without a second factor, and can set up another one", user.name))
        }),
        UsersVerb::Show { name } => place.with(|auth| async move { ways::show(&auth, &name, out).await }),
        UsersVerb::Passkeys { name, remove } => {
            place.with(|auth| async move { ways::take_key(&auth, &name, &remove, out).await })
        }
        UsersVerb::Provider { name, .. } => place.with(|auth| async move { ways::unlink(&auth, &name, out).await }),
        UsersVerb::Sessions { name, end, one } => {
            place.with(|auth| async move { ways::sessions(&auth, &name, end, one.as_deref(), out).await })
        }
        UsersVerb::Invitations { end } => {
            place.with(|auth| async move { ways::invitations(&auth, end.as_deref(), out).await })
        }
        UsersVerb::Delete { name, heir, answer } => place.with(|auth| async move {
            let user = auth.user_named(&name).await?;
            let heir = match &heir {
                Some(heir) => Some(auth.user_named(heir).await?),
                None => None,
            };
            let to = heir.as_ref().map_or("the admins, for 30 days".into(), |heir| heir.name.clone());
            ask::confirm(&format!("Remove {}? What is theirs goes to {to}.", user.name), answer.yes, out)?;
            auth.remove_user(user.id, heir.map(|heir| heir.id)).await?;
            said(out, &user, format!("{} was removed", user.name))
        }),
        UsersVerb::Invite { role: word, only, days, uses, note } => {
            let role = role(&word)?;
            place.served(&only, &[])?;
            place.with(|auth| async move {
                let new = NewInvitation { role, only, note, days, uses, maker: None };
                let (shown, token) = auth.invite(new).await?;
                let link = format!("{panel}/invitation?token={}", token.expose());
                if out.json {
                    out.value(&json!({"invitation": shown, "link": link}));
                } else {
                    out.line(link);
                    out.say(format!(
                        "It makes {} as {role}{}, within {}.",
                        count(uses as usize, "account"),
                        for_alone(&shown.only),
                        count(days as usize, "day")
                    ));
                }
                Ok(())
            })
        }
        UsersVerb::Groups { verb } => {
            let routes = place.routes.as_deref().unwrap_or_default();
            place.with(|auth| async move { groups(&auth, verb, routes, out).await })
        }
    }
}

/// The password for somebody, from the terminal or standard input.
fn asked(name: &str, from: &PasswordFrom) -> Result<crate::base::secret::Secret, crate::diag::Diagnostic> {
    ask::secret(&format!("Password for {name}"), from.stdin)
}

/// What was done, as a line or as the user in JSON.
pub(super) fn said(out: &Out, user: &User, words: String) -> Done {
    match out.json {
        true => out.value(&json!(user)),
        false => out.line(words),
    }
    Ok(())
}

pub(super) fn state(user: &User) -> String {
    let groups = if user.groups.is_empty() { String::new() } else { format!(", in {}", user.groups.join(", ")) };
    format!("{}{}, {}{groups}", user.role, alone(user), if user.active { "active" } else { "not active" })
}

/// ` for photos alone`, where it is.
fn alone(user: &User) -> String {
    for_alone(&user.only)
}

pub(super) fn for_alone(only: &[String]) -> String {
    if only.is_empty() { String::new() } else { format!(" for {} alone", wording::list(only)) }
}

async fn list(auth: &Auth, out: &Out) -> Done {
    let (mut users, mut after) = (Vec::new(), 0);
    loop {
        let page = auth.users(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        users.extend(page);
    }
    if out.json {
        out.value(&json!({ "users": users }));
        return Ok(());
    }
    if users.is_empty() {
        out.say("There is nobody yet: hearth users setup-link prints a link for the first admin.");
        return Ok(());
    }
    let row = |user: &User| {
        vec![
            user.name.clone(),
            format!("{}{}", user.role, alone(user)),
            match user.active {
                true => "active".into(),
                false => out.paint(Tone::Warn, "not active"),
            },
            user.groups.join(", "),
            if user.second_factor { "on".into() } else { String::new() },
            ago(user.last_login),
            user.email.clone().unwrap_or_default(),
        ]
    };
    let header = ["NAME", "ROLE", "STATE", "GROUPS", "SECOND FACTOR", "LAST LOGIN", "E-MAIL"];
    out.text(&fitting(&header, &users.iter().map(row).collect::<Vec<_>>(), out.terminal));
    Ok(())
}

/// What a group is for besides its members: routes that let nobody else in.
fn question(name: &str, routes: &[Routed]) -> Option<String> {
    let services = routed::of_group(routes, name);
    (!services.is_empty()).then(|| {
        format!(
            "The access of {} is `group:{name}`: without it only admins get in. Remove the group?",
            wording::list(&services)
        )
    })
}

async fn groups(auth: &Auth, verb: Option<GroupsVerb>, routes: &[Routed], out: &Out) -> Done {
    match verb {
        None if out.json => out.value(&json!({"groups": auth.groups().await?})),
        None => {
            let groups = auth.groups().await?;
            let rows: Vec<Vec<String>> =
                groups.into_iter().map(|group| vec![group.name, group.about, group.members.join(", ")]).collect();
            out.text(&fitting(&["NAME", "ABOUT", "MEMBERS"], &rows, out.terminal));
        }
        Some(GroupsVerb::Add { name, about }) => {
            let group = auth.add_group(&name, &about).await?;
            out.line(format!("the group {} was made", group.name));
        }
        Some(GroupsVerb::Remove { name, answer }) => {
            if let Some(question) = question(&name, routes) {
                ask::confirm(&question, answer.yes, out)?;
            }
            auth.remove_group(&name).await?;
            out.line(format!("the group {name} was removed; its members stay"));
        }
    }
    Ok(())
}
