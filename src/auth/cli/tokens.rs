//! `hearth tokens`: API tokens of users.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Place, Routed, ago};
use crate::args::{Tokens, TokensVerb};
use crate::auth::accounts::{NewToken, ROUTE, Token};
use crate::auth::who::By;
use crate::base::wording;
use crate::cli::table::fitting;
use crate::cli::{Done, Out};
use crate::diag::{Diagnostic, Kind};

pub fn run(place: Place, args: Tokens, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    match args.verb {
        TokensVerb::List { user } => place.with(|auth| async move {
            let user = auth.user_named(&user).await?;
            let all = auth.tokens(user.id).await?;
            if out.json {
                out.value(&json!({ "tokens": all }));
                return Ok(());
            }
            let row = |token: &Token| {
                let ends = token.expires.map_or("when it is ended".into(), date);
                vec![token.id.clone(), token.name.clone(), token.scopes.join(", "), ends, ago(token.last_used)]
            };
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            out.text(&fitting(&["ID", "NAME", "SCOPES", "ENDS", "LAST USED"], &rows, out.terminal));
            Ok(())
        }),
        TokensVerb::Add { user, name, scopes, days } => {
            let out = &out.clone().acts();
            place.routes.iter().try_for_each(|routes| has_routes(routes, &scopes))?;
            place.with(|auth| async move {
                let user = auth.user_named(&user).await?;
                let (token, secret) = auth.add_token(user.id, &By::Terminal, NewToken { name, scopes, days }).await?;
                if out.json {
                    out.value(&json!({"token": secret.expose(), "about": token}));
                } else {
                    out.line(secret.expose());
                    out.say(
                        "This is the only time that it is shown. A program sends it as `Authorization: Bearer TOKEN`.",
                    );
                }
                Ok(())
            })
        }
        TokensVerb::End { user, id } => {
            let out = &out.clone().acts();
            place.with(|auth| async move {
                let user = auth.user_named(&user).await?;
                auth.end_token(user.id, &id).await?;
                out.line(format!("the token {id} of {} was ended", user.name));
                Ok(())
            })?;
            place.tell_unheard(out);
            Ok(())
        }
    }
}

/// Refuses a scope for a service that no route leads to: its token would enter nowhere.
fn has_routes(routes: &[Routed], scopes: &[String]) -> Result<(), Diagnostic> {
    let known: BTreeSet<&str> = routes.iter().map(|route| route.service.as_str()).collect();
    let named = scopes.iter().filter_map(|scope| scope.strip_prefix(ROUTE));
    let Some(name) = named.filter(|name| !name.is_empty()).find(|name| !known.contains(name)) else { return Ok(()) };
    let title = format!("no route of this home leads to a service `{name}`");
    let d = Diagnostic::error("auth.bad-token-request", title).kind(Kind::NotFound).field("--scope");
    Err(match wording::nearest(name, known.iter().copied()) {
        Some(near) => d.hint(format!("did you mean `{ROUTE}{near}`?")),
        None => d.hint("`hearth routes` lists them; a scope names the service, or the key of a route in hearth.yaml"),
    })
}

/// The day, of milliseconds since 1970.
fn date(ms: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).map(crate::base::clock::rfc3339);
    at.map(|text| text.split('T').next().unwrap_or_default().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_for_a_service_without_a_route_is_refused_with_the_nearest() {
        let routes = ["photos", "films"].map(|service| Routed { service: service.into(), group: None });
        let told = |scope: &str| has_routes(&routes, &["read".into(), scope.into()]).err();
        assert!(told("route:photos").is_none() && told("operate").is_none() && told("route:").is_none());
        let near = told("route:photo").unwrap();
        assert_eq!((near.code, &*near.hints[0]), ("auth.bad-token-request", "did you mean `route:photos`?"));
        assert!(told("route:nope").unwrap().hints[0].contains("hearth routes"));
    }
}
