//! `hearth tokens`: API tokens of users.

use serde_json::json;

use super::{Place, ago, date};
use crate::args::{Tokens, TokensVerb};
use crate::auth::accounts::{NewToken, Token};
use crate::auth::routed;
use crate::auth::who::By;
use crate::cli::table::fitting;
use crate::cli::{Done, Out};

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
            place.routes.iter().try_for_each(|routes| routed::named(routes, &scopes, "--scope"))?;
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
