//! The second factor: set up, asked for, good once, required, taken away.

use super::*;
use crate::auth::factor::totp;
use crate::auth::who::{By, Identity};
use crate::config::people::Registration as Rule;
use crate::diag::Kind;

fn code<T>(done: Result<T, Diagnostic>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(told) => told.code,
    }
}

/// What the app shows now.
pub fn app(w: &World, enrolment: &Enrolment) -> String {
    let key = totp_rs::Secret::try_from_base32(enrolment.key.expose()).unwrap();
    totp::code(key.as_bytes(), w.auth.now() / 1000)
}

fn with(name: &str, otp: &str) -> Credentials {
    Credentials { otp: Some(otp.into()), ..named(name, PASSWORD) }
}

fn here() -> IpAddr {
    near().from
}

/// The first account, as it is now.
async fn one(a: &Auth) -> User {
    a.user(1).await.unwrap()
}

#[tokio::test]
async fn a_second_factor_is_set_up_asked_for_and_each_code_is_good_once() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let first = a.begin_factor(one(a).await).await.unwrap();
        assert_eq!(code(a.login(&named("anna", PASSWORD), &near()).await), "done", "it does not count yet");
        let set = a.begin_factor(one(a).await).await.unwrap();
        assert_eq!(
            code(a.confirm_factor(one(a).await, &app(&w, &first), here()).await),
            "auth.wrong-code",
            "begun anew"
        );
        let codes = a.confirm_factor(one(a).await, &app(&w, &set), here()).await.unwrap();
        assert_eq!(codes.len(), 10);
        assert_eq!(code(a.begin_factor(one(a).await).await), "auth.second-factor-on");
        let state = a.factor(1).await.unwrap();
        assert_eq!((state.on, state.codes_left, state.required), (true, 10, false));

        let told = a.login(&named("anna", PASSWORD), &near()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("auth.second-factor-required", Kind::Unauthenticated));
        let wrong = a.login(&Credentials { otp: Some(app(&w, &set)), ..named("anna", "no") }, &near()).await;
        assert_eq!(code(wrong), "auth.wrong-password", "the password comes first");
        assert_eq!(code(a.login(&with("anna", &app(&w, &set)), &near()).await), "auth.wrong-code", "that was used");
        w.clock.pass(MINUTE);
        let shown = app(&w, &set);
        let (who, login) = (with("anna", &shown), near());
        let (x, y) = tokio::join!(a.login(&who, &login), a.login(&who, &login));
        assert!(x.is_ok() != y.is_ok(), "each is good once");
        assert_eq!(code(a.login(&with("anna", codes[3].expose()), &near()).await), "done");
        assert_eq!(code(a.login(&with("anna", codes[3].expose()), &near()).await), "auth.wrong-code");
        assert_eq!(a.factor(1).await.unwrap().codes_left, 9);

        let mut told = Vec::new();
        for n in 0..14 {
            told.push(code(a.login(&with("anna", &format!("{n:06}")), &from("203.0.113.4")).await));
        }
        assert!(told.contains(&"auth.too-often"), "{told:?}");
        w.clock.pass(MINUTE);
        assert_eq!(code(a.login(&with("anna", &app(&w, &set)), &near()).await), "done", "at home it goes on");

        w.clock.pass(MINUTE);
        let again = a.new_codes(1, &app(&w, &set), here()).await.unwrap();
        assert_eq!(
            code(a.login(&with("anna", codes[4].expose()), &near()).await),
            "auth.wrong-code",
            "the old have ended"
        );
        assert_eq!(code(a.remove_own_factor(1, "123456", here()).await), "auth.wrong-code");
        a.remove_own_factor(1, again[0].expose(), here()).await.unwrap();
        assert_eq!(code(a.login(&named("anna", PASSWORD), &near()).await), "done");
        assert_eq!(code(a.new_codes(1, again[1].expose(), here()).await), "auth.no-second-factor");
    })
    .await;
}

#[tokio::test]
async fn who_needs_a_second_factor_sets_it_up_with_the_password_and_gets_in_with_it_only() {
    homes(People { second_factor: vec!["admin".into()], ..People::default() }, async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        w.add("anna", Role::Member).await;
        assert_eq!(code(a.login(&named("anna", PASSWORD), &near()).await), "done");
        let told = a.login(&named("root", PASSWORD), &near()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("auth.second-factor-missing", Kind::Denied));
        assert_eq!(code(a.begin_factor_as("root", &secret("wrong"), here(), None).await), "auth.wrong-password");
        let (_, set) = a.begin_factor_as("root", &secret(PASSWORD), here(), None).await.unwrap();
        let wrong = a.confirm_factor_as("root", &secret(PASSWORD), "000000", here()).await;
        assert_eq!(code(wrong), "auth.wrong-code");
        a.confirm_factor_as("root", &secret(PASSWORD), &app(&w, &set), here()).await.unwrap();
        let again = a.begin_factor_as("root", &secret(PASSWORD), here(), None).await;
        assert_eq!(code(again), "auth.second-factor-on", "the password alone changes nothing any more");
        w.clock.pass(MINUTE);
        assert_eq!(code(a.login(&with("root", &app(&w, &set)), &near()).await), "done");
        w.clock.pass(MINUTE);
        let removed = a.remove_own_factor(1, &app(&w, &set), here()).await;
        assert_eq!(code(removed), "auth.second-factor-kept");
        a.remove_factor(1).await.unwrap();
        assert_eq!(code(a.login(&named("root", PASSWORD), &near()).await), "auth.second-factor-missing");
    })
    .await;
}

#[tokio::test]
async fn hostile_18_who_needs_two_factors_comes_in_by_no_other_door_with_one() {
    homes(People { registration: Rule::Open, ..People::default() }, async |w| {
        let a = &w.auth;
        let (root, anna) = (w.add("root", Role::Admin).await, w.add("anna", Role::Member).await);
        let before = a.begin_session(&anna, "a browser", here()).await.unwrap();
        let tokens = a.begin_family(&anna, "curl", here()).await.unwrap();
        let new = NewToken { name: "n".into(), scopes: vec!["read".into()], days: None };
        let (_, api) = a.add_token(anna.id, &By::Session(before.id.clone()), new).await.unwrap();
        let other = a.begin_session(&root, "a browser", here()).await.unwrap();
        // The rule comes: whoever has one factor is out, and comes in again with two.
        let rule = People { second_factor: vec!["member".into()], ..(*a.rules()).clone() };
        assert!(a.set_rules(rule));
        a.hold_to_factors().await.unwrap();
        assert!(a.by_cookie(before.token.expose()).await.unwrap().is_none());
        assert_eq!(code(a.by_bearer(tokens.access.expose()).await), "auth.bad-token");
        assert_eq!(code(a.refresh(&tokens.refresh).await), "auth.bad-refresh");
        assert!(a.by_cookie(other.token.expose()).await.unwrap().is_some(), "nothing is asked of admins here");
        assert_eq!(code(a.by_bearer(api.expose()).await), "done", "what a program was given by hand goes on");
        // Nor has anybody a session by making an account, or by another password.
        let own = Registration { username: "ben".into(), email: None, password: secret(PASSWORD), invite: None };
        let ben = a.register(own, here()).await.unwrap();
        assert_eq!(code(a.begin_session(&ben, "a browser", here()).await), "auth.second-factor-missing");
        assert_eq!(code(a.begin_family(&ben, "curl", here()).await), "auth.second-factor-missing");
        let who = Identity {
            user: anna.id,
            name: "anna".into(),
            role: Role::Member,
            groups: vec![],
            only: vec![],
            by: By::Session("x".into()),
        };
        let changed = a.change_password(&who, &secret(PASSWORD), secret("another four words here"), &near()).await;
        assert!(changed.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_that_was_begun_ends_with_the_password_and_with_time() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        let anna = w.add("anna", Role::Member).await;
        let (_, set) = a.begin_factor_as("anna", &secret(PASSWORD), here(), None).await.unwrap();
        a.set_password(anna.id, secret("another four words here"), false).await.unwrap();
        let with = secret("another four words here");
        let late = a.confirm_factor_as("anna", &with, &app(&w, &set), here()).await;
        assert_ne!(code(late), "done", "who knew the password before");
        let (_, set) = a.begin_factor_as("anna", &with, here(), None).await.unwrap();
        w.clock.pass(31 * MINUTE);
        let late = a.confirm_factor_as("anna", &with, &app(&w, &set), here()).await;
        assert_eq!(code(late), "auth.wrong-code", "it was begun long ago");
    })
    .await;
}

#[tokio::test]
async fn secrets_lie_sealed_in_the_database() {
    homes(People::default(), async |w| {
        w.add("anna", Role::Member).await;
        let set = w.auth.begin_factor(one(&w.auth).await).await.unwrap();
        let row = sql::factors::of(&mut w.db.reader().await.unwrap(), 1).await.unwrap().unwrap();
        assert!(!row.secret.contains(set.key.expose()) && row.secret.len() > 60);
    })
    .await;
}

#[tokio::test]
async fn hostile_18_where_a_passkey_is_the_second_factor_a_password_makes_no_other() {
    homes(People::default(), async |w| {
        let (a, anna) = (&w.auth, w.add("anna", Role::Member).await);
        let add = "INSERT INTO passkeys (credential, id, person, handle, name, public, made) VALUES ('c', 'k', $1, 'h', 'n', '{}', 1)";
        w.db.write(async move |tx| crate::store::execute!(tx, add, 1_i64).map(drop)).await.unwrap();
        assert_eq!(code(a.begin_factor_as("anna", &secret(PASSWORD), here(), None).await), "auth.second-factor-by-passkey");
        let (_, session) = a.admit(anna, &near()).await.unwrap();
        let who = a.by_cookie(session.token.expose()).await.unwrap().unwrap();
        assert_eq!(code(a.begin_factor_as("anna", &secret(PASSWORD), here(), Some(&who)).await), "done");
    })
    .await;
}

#[tokio::test]
async fn what_is_confirmed_is_the_secret_whose_code_was_shown() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        a.begin_factor(one(a).await).await.unwrap();
        let first = sql::factors::of(&mut w.db.reader().await.unwrap(), 1).await.unwrap().unwrap().secret;
        a.begin_factor(one(a).await).await.unwrap();
        let confirmed = w.db.write(async move |tx| sql::factors::confirm(tx, 1, &first, 0).await).await.unwrap();
        assert!(!confirmed);
    })
    .await;
}
