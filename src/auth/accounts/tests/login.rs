//! Signing in as it is meant, and as it is not.

use super::*;
use crate::auth::table::Doorkeeper;
use crate::auth::who::{Asking, By};
use crate::diag::Kind;
use crate::web::Caller;
use axum::http::HeaderMap;

fn code<T>(done: Result<T, Diagnostic>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(told) => told.code,
    }
}

async fn ask(auth: &Auth, name: &'static str, value: &str) -> Asking {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    let caller = Caller { address: [192, 168, 1, 7].into(), https: true, host: None };
    auth.ask(&headers, &caller, true).await
}

async fn by_cookie(auth: &Auth, session: &NewSession) -> Option<String> {
    match ask(auth, "cookie", &format!("__Host-hearth={}", session.token.expose())).await {
        Asking::Somebody(who) => Some(who.name.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn a_browser_signs_in_is_known_and_signs_out() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let (user, session) = a.login_browser(&named(" Anna", PASSWORD), &near()).await.unwrap();
        assert_eq!((&*user.name, user.last_login), ("anna", Some(1_780_000_000_000)));
        assert_eq!(by_cookie(a, &session).await.as_deref(), Some("anna"));
        let shown = a.sessions(user.id, Some(&By::Session(session.id.clone()))).await.unwrap();
        assert_eq!(shown.len(), 1);
        assert_eq!(
            (&*shown[0].device, &*shown[0].address, shown[0].current),
            ("Firefox on Linux", "192.168.1.7", true)
        );
        let Asking::Somebody(who) = ask(a, "cookie", &format!("__Host-hearth={}", session.token.expose())).await else {
            panic!("not known")
        };
        a.logout(&who).await.unwrap();
        assert_eq!(by_cookie(a, &session).await, None);
        assert!(a.sessions(user.id, None).await.unwrap().is_empty());
        for value in ["", "x", &"a".repeat(5000), "' OR 1=1 --"] {
            assert!(matches!(ask(a, "cookie", &format!("__Host-hearth={value}")).await, Asking::Nobody));
        }
    })
    .await;
}

#[tokio::test]
async fn sessions_end_when_they_are_not_used_and_in_the_end_anyway() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let (_, session) = a.login_browser(&named("anna", PASSWORD), &near()).await.unwrap();
        for _ in 0..4 {
            a.look().await.unwrap();
            w.clock.pass(6 * DAY);
            assert!(by_cookie(a, &session).await.is_some());
            a.write_uses().await.unwrap();
            let shown = a.sessions(1, None).await.unwrap();
            assert_eq!(shown[0].last_used, a.now(), "the last use is written down");
        }
        w.clock.pass(6 * DAY);
        assert_eq!(by_cookie(a, &session).await, None, "30 days are over");
        let (_, session) = a.login_browser(&named("anna", PASSWORD), &near()).await.unwrap();
        a.look().await.unwrap();
        assert!(by_cookie(a, &session).await.is_some());
        w.clock.pass(7 * DAY);
        assert_eq!(by_cookie(a, &session).await, None, "not used for 7 days");
        assert!(a.sessions(1, None).await.unwrap().is_empty());
        let (now, idle) = (a.now(), a.idle_since());
        assert!(w.db.write(async move |tx| sql::sweep(tx, now, idle).await).await.unwrap() >= 2);
    })
    .await;
}

#[tokio::test]
async fn hostile_20_unknown_names_and_wrong_passwords_are_told_alike_and_counted_alike() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let tries = async |name: &str, address: &str| {
            let mut told = Vec::new();
            for _ in 0..14 {
                told.push(a.login(&named(name, "not the right one"), &from(address)).await.unwrap_err());
            }
            told.into_iter().map(|d| (d.code, d.title, d.hints)).collect::<Vec<_>>()
        };
        let known = tries("anna", "203.0.113.1").await;
        let unknown = tries("nobody-here", "203.0.113.2").await;
        let odd = tries("\u{0}; DROP TABLE users", "203.0.113.3").await;
        assert_eq!(known, unknown);
        assert_eq!(known, odd);
        assert_eq!(known.iter().filter(|(code, ..)| *code == "auth.wrong-password").count(), 10);
        assert_eq!(known[13].0, "auth.too-often");
    })
    .await;
}

#[tokio::test]
async fn hostile_20_an_attack_does_not_keep_the_owner_out_at_home_or_where_they_signed_in_before() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        // Once from a holiday, before the attack.
        a.login(&named("root", PASSWORD), &from("198.51.100.77")).await.unwrap();
        for n in 0..60_u8 {
            let _ = a.login(&named("root", "not the right one"), &from(&format!("203.0.113.{n}"))).await;
        }
        assert_eq!(code(a.login(&named("root", PASSWORD), &from("203.0.113.200")).await), "auth.too-often");
        for address in ["192.168.1.7", "127.0.0.1", "198.51.100.77"] {
            assert_eq!(code(a.login(&named("root", PASSWORD), &from(address)).await), "done", "{address}");
        }
        let told = a.login(&named("root", PASSWORD), &from("203.0.113.200")).await.unwrap_err();
        assert_eq!((told.kind, told.retry.is_some()), (Kind::TooMany, true));
        w.clock.pass(15 * MINUTE);
        assert_eq!(
            code(a.login(&named("root", PASSWORD), &from("203.0.113.200")).await),
            "done",
            "a pause has its end"
        );
    })
    .await;
}

#[tokio::test]
async fn hostile_20_many_addresses_at_home_do_not_guess_without_an_end_and_keep_the_owner_out_nowhere() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        a.login(&named("root", PASSWORD), &from("192.168.1.7")).await.unwrap();
        let mut told = Vec::new();
        for n in 100..220_u8 {
            let tried = a.login(&named("root", "not the right one"), &from(&format!("192.168.1.{n}"))).await;
            told.push(code(tried));
        }
        assert_eq!(told.iter().filter(|code| **code == "auth.wrong-password").count(), 100);
        assert_eq!(told.last(), Some(&"auth.too-often"));
        assert_eq!(code(a.login(&named("root", PASSWORD), &from("192.168.1.7")).await), "done");
        let new = a.login(&named("root", PASSWORD), &from("192.168.1.8")).await.unwrap_err();
        assert!(new.retry.is_some_and(|seconds| seconds <= 30), "a new device waits as long as is said, and no longer");
        w.clock.pass(MINUTE / 2);
        assert_eq!(code(a.login(&named("root", PASSWORD), &from("192.168.1.8")).await), "done");
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_not_active_is_told_so_only_to_who_has_its_password() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        let anna = w.add("anna", Role::Member).await;
        let sleep = Change { active: Some(false), ..Change::default() };
        a.change_user(anna.id, sleep).await.unwrap();
        assert_eq!(code(a.login(&named("anna", "not the right one"), &near()).await), "auth.wrong-password");
        let told = a.login(&named("anna", PASSWORD), &near()).await.unwrap_err();
        assert_eq!((told.code, told.kind), ("auth.inactive", Kind::Denied));
    })
    .await;
}

#[tokio::test]
async fn a_hash_of_less_work_is_made_anew_at_the_next_login() {
    homes(People::default(), async |w| {
        w.add("anna", Role::Member).await;
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let parts = Parts {
            db: w.db.clone(),
            clock: w.clock.clone(),
            random: random.clone(),
            rules: People::default(),
            near: vec![],
            passwords: Passwords::new(Cost { memory_kib: 19 << 10, passes: 2 }, random).unwrap(),
        };
        let stronger = Auth::open(w.state.path(), parts).await.unwrap();
        let kept =
            async || sql::users::by_id(&mut w.db.reader().await.unwrap(), 1).await.unwrap().unwrap().password.unwrap();
        assert!(kept().await.contains("m=64,"));
        stronger.login(&named("anna", PASSWORD), &near()).await.unwrap();
        assert!(kept().await.contains("m=19456,t=2"));
        stronger.login(&named("anna", PASSWORD), &near()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_changes_ones_own_password_with_the_old_one() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let (_, session) = a.login_browser(&named("anna", PASSWORD), &near()).await.unwrap();
        let Asking::Somebody(who) = ask(a, "cookie", &format!("__Host-hearth={}", session.token.expose())).await else {
            panic!("not known")
        };
        let new = || secret("another four words on paper");
        let wrong = a.change_password(&who, &secret("wrong"), new(), &near()).await;
        assert_eq!(code(wrong), "auth.wrong-password");
        assert_eq!(code(a.change_password(&who, &secret(PASSWORD), secret(PASSWORD), &near()).await), "auth.password");
        assert_eq!(code(a.change_password(&who, &secret(PASSWORD), secret("anna"), &near()).await), "auth.password");
        let again = a.change_password(&who, &secret(PASSWORD), new(), &near()).await.unwrap().expect("a new session");
        assert_eq!(by_cookie(a, &session).await, None, "the old one has ended");
        assert_eq!(by_cookie(a, &again).await.as_deref(), Some("anna"));
        assert_eq!(code(a.login(&named("anna", PASSWORD), &near()).await), "auth.wrong-password");
        assert_eq!(code(a.login(&named("anna", "another four words on paper"), &near()).await), "done");
    })
    .await;
}

#[tokio::test]
async fn hostile_18_who_signs_in_while_the_account_is_changed_gets_nothing() {
    homes(People::default(), async |w| {
        let (a, anna) = (&w.auth, w.add("anna", Role::Member).await);
        let (agent, from) = (near().agent, near().from);
        let by = By::Session(a.begin_session(&anna, &agent, from).await.unwrap().id);
        let token = || super::super::NewToken { name: "t".into(), scopes: vec!["read".into()], days: None };
        a.add_token(anna.id, &by, token()).await.unwrap();
        // The password was right when it was looked at; then it is another one.
        a.set_password(anna.id, Secret::new("another one on paper"), true).await.unwrap();
        assert_eq!(code(a.begin_session(&anna, &agent, from).await), "auth.login-overtaken");
        assert_eq!(code(a.begin_family(&anna, &agent, from).await), "auth.login-overtaken");
        assert_eq!(code(a.admit(anna.clone(), &near()).await), "auth.login-overtaken");
        assert_eq!(code(a.begin_factor(anna.clone()).await), "auth.login-overtaken");
        assert_eq!(code(a.add_token(anna.id, &by, token()).await), "auth.nobody");
        assert!(a.sessions(anna.id, None).await.unwrap().is_empty() && a.tokens(anna.id).await.unwrap().is_empty());
        // Nor does their own change of the password overtake an admin's.
        let own = a.set_own_password(anna.clone(), Secret::new("a third one on paper"), from).await;
        assert_eq!(code(own), "auth.login-overtaken");
        let now = a.user(anna.id).await.unwrap();
        assert_eq!(code(a.begin_session(&now, &agent, from).await), "done");
    })
    .await;
}

#[tokio::test]
async fn hostile_31_nobody_fills_the_home_with_sessions() {
    homes(People::default(), async |w| {
        let (a, anna) = (&w.auth, w.add("anna", Role::Member).await);
        let (agent, from) = (near().agent, near().from);
        let first = a.begin_session(&anna, &agent, from).await.unwrap();
        for _ in 0..100 {
            w.clock.pass(1000);
            a.begin_session(&anna, &agent, from).await.unwrap();
            a.begin_family(&anna, &agent, from).await.unwrap();
        }
        a.begin_family(&anna, &agent, from).await.unwrap();
        let all = a.sessions(anna.id, None).await.unwrap();
        assert_eq!((all.len(), all.iter().any(|session| session.id == first.id)), (200, false));
        assert_eq!(by_cookie(a, &first).await, None);
    })
    .await;
}
