//! Programs: access and refresh tokens, API tokens.

use super::*;
use crate::auth::jwt;
use crate::auth::who::By;
use crate::diag::Kind;

fn code<T>(done: Result<T, Diagnostic>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(told) => told.code,
    }
}

async fn renewed(a: &Auth, token: &Secret) -> Result<Tokens, Diagnostic> {
    a.refresh(token).await.and_then(Refreshed::tokens)
}

#[tokio::test]
async fn a_program_logs_in_refreshes_and_logs_out() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let tokens = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        assert_eq!(tokens.expires_in, 900);
        let who = a.by_bearer(tokens.access.expose()).await.unwrap();
        assert_eq!((&*who.name, who.user, &who.by), ("anna", 1, &By::Access(tokens.family.clone())));
        w.clock.pass(15 * MINUTE + 11_000);
        assert_eq!(code(a.by_bearer(tokens.access.expose()).await), "auth.expired");
        let next = renewed(a, &tokens.refresh).await.unwrap();
        assert_eq!(a.by_bearer(next.access.expose()).await.unwrap().name, "anna");
        assert_eq!(next.family, tokens.family);
        a.logout(&who).await.unwrap();
        assert_eq!(code(a.by_bearer(next.access.expose()).await), "auth.bad-token");
        assert_eq!(code(renewed(a, &next.refresh).await), "auth.bad-refresh");
        for wrong in ["", "hearthr_", "hearthr_x", next.access.expose(), &"a".repeat(10_000)] {
            assert_eq!(code(renewed(a, &secret(wrong)).await), "auth.bad-refresh");
        }
        assert_eq!(code(a.by_bearer(next.refresh.expose()).await), "auth.bad-token", "it is for one thing only");
    })
    .await;
}

#[tokio::test]
async fn hostile_16_a_refresh_token_that_is_used_twice_ends_its_family() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let first = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        let other = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        let second = renewed(a, &first.refresh).await.unwrap();
        a.look().await.unwrap();
        assert!(a.by_bearer(second.access.expose()).await.is_ok());
        assert_eq!(code(renewed(a, &first.refresh).await), "auth.replayed");
        assert_eq!(code(a.by_bearer(second.access.expose()).await), "auth.bad-token");
        assert_eq!(code(renewed(a, &second.refresh).await), "auth.bad-refresh");
        assert!(a.by_bearer(other.access.expose()).await.is_ok(), "another login goes on");
        // Two at once: one of them is the second.
        let (x, y) = tokio::join!(renewed(a, &other.refresh), renewed(a, &other.refresh));
        assert!(x.is_ok() != y.is_ok());
        assert_eq!(code(a.by_bearer(other.access.expose()).await), "auth.bad-token");
    })
    .await;
}

#[tokio::test]
async fn a_family_ends_when_it_is_not_used_and_in_the_end_anyway() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let mut tokens = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        for _ in 0..4 {
            w.clock.pass(6 * DAY);
            tokens = renewed(a, &tokens.refresh).await.unwrap();
        }
        w.clock.pass(6 * DAY);
        assert_eq!(code(renewed(a, &tokens.refresh).await), "auth.bad-refresh");
        let tokens = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        w.clock.pass(7 * DAY);
        assert_eq!(code(renewed(a, &tokens.refresh).await), "auth.bad-refresh");
    })
    .await;
}

#[tokio::test]
async fn unchanged_homeserver_clients_have_access_for_12_hours_where_the_home_says_so() {
    homes(People { homeserver_clients: true, ..People::default() }, async |w| {
        w.add("anna", Role::Member).await;
        let tokens = w.auth.login(&named("anna", PASSWORD), &near()).await.unwrap();
        assert_eq!(tokens.expires_in, jwt::LONG_LIFETIME);
        w.clock.pass(11 * 60 * MINUTE);
        assert!(w.auth.by_bearer(tokens.access.expose()).await.is_ok());
        w.auth.end_sessions(1, None).await.unwrap();
        assert_eq!(code(w.auth.by_bearer(tokens.access.expose()).await), "auth.bad-token", "ended all the same");
    })
    .await;
}

#[tokio::test]
async fn an_inactive_account_with_a_good_token_is_denied_and_every_other_bad_token_is_unknown() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        let anna = w.add("anna", Role::Member).await;
        let tokens = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        let active = |active| Change { active: Some(active), ..Change::default() };
        a.change_user(anna.id, active(false)).await.unwrap();
        let told = a.by_bearer(tokens.access.expose()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("auth.inactive", Kind::Denied));
        a.change_user(anna.id, active(true)).await.unwrap();
        assert_eq!(a.by_bearer(tokens.access.expose()).await.unwrap_err().kind, Kind::Unauthenticated);
        let tokens = a.login(&named("anna", PASSWORD), &near()).await.unwrap();
        a.remove_user(anna.id, None).await.unwrap();
        assert_eq!(a.by_bearer(tokens.access.expose()).await.unwrap_err().kind, Kind::Unauthenticated);
        for wrong in ["", "x", "a.b.c", "hearth_", "hearth_x", "hearth_' OR 1=1 --"] {
            assert_eq!(a.by_bearer(wrong).await.unwrap_err().kind, Kind::Unauthenticated, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn api_tokens_are_shown_once_kept_as_hashes_listed_and_ended() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Operator).await;
        w.add("ben", Role::Member).await;
        let new = |scopes: &[&str], days| NewToken {
            name: "backup script".into(),
            scopes: scopes.iter().map(|s| s.to_string()).collect(),
            days,
        };
        for (wrong, is) in [
            (new(&[], None), "auth.bad-token-request"),
            (new(&["root"], None), "auth.bad-token-request"),
            (new(&["read"], Some(0)), "auth.bad-token-request"),
            (NewToken { name: "\n".into(), ..new(&["read"], None) }, "auth.bad-label"),
        ] {
            assert_eq!(code(a.add_token(1, &By::Terminal, wrong).await), is);
        }
        for (scope, is) in [("operate", "auth.bad-token-request"), ("admin", "auth.bad-token-request"), ("read", "")] {
            let made = a.add_token(2, &By::Terminal, new(&[scope], Some(1))).await;
            assert_eq!(made.map_or_else(|told| told.code, |_| ""), is, "a member, and {scope}");
        }
        let (shown, token) = a.add_token(1, &By::Terminal, new(&["operate", "read", "read"], Some(30))).await.unwrap();
        assert!(token.expose().starts_with("hearth_"));
        assert_eq!(shown.scopes, ["read", "operate"]);
        let who = a.by_bearer(token.expose()).await.unwrap();
        assert_eq!(who.by, By::Token { id: shown.id.clone(), scopes: shown.scopes.clone() });
        a.look().await.unwrap();
        w.clock.pass(MINUTE);
        a.by_bearer(token.expose()).await.unwrap();
        w.clock.pass(MINUTE);
        a.by_bearer(token.expose()).await.unwrap();
        a.write_uses().await.unwrap();
        assert_eq!(a.tokens(1).await.unwrap()[0].last_used, Some(a.now()));
        assert_eq!(code(a.logout(&who).await), "auth.not-logged-in");
        assert_eq!(code(a.end_token(2, &shown.id).await), "auth.no-such-token", "it is not theirs");
        assert!(a.by_bearer(token.expose()).await.is_ok());
        a.end_token(1, &shown.id).await.unwrap();
        assert_eq!(code(a.by_bearer(token.expose()).await), "auth.bad-token");
        let (_, token) = a.add_token(1, &By::Terminal, new(&["read"], Some(1))).await.unwrap();
        a.look().await.unwrap();
        assert!(a.by_bearer(token.expose()).await.is_ok());
        w.clock.pass(DAY);
        assert_eq!(code(a.by_bearer(token.expose()).await), "auth.bad-token", "its day is over");
        assert!(a.tokens(1).await.unwrap().is_empty());
    })
    .await;
}
