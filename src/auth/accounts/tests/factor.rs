//! The second factor: set up, asked for, good once, required, taken away.

use super::*;
use crate::auth::factor::totp;
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
        let confirmed = w.db.write(async move |tx| sql::factors::confirm(tx, 1, &first).await).await.unwrap();
        assert!(!confirmed);
    })
    .await;
}
