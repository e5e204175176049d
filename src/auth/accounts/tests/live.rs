//! What has ended is ended: at once in the process that ended it, within a second in every other.

use crate::auth::who::By;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::auth::who::Identity;

/// By what somebody is known: a session, a program's access token, an API token.
struct Ways {
    session: NewSession,
    tokens: Tokens,
    api: Secret,
}

impl Ways {
    async fn of(auth: &Auth, name: &str) -> Ways {
        let (user, session) = auth.login_browser(&named(name, PASSWORD), &near()).await.unwrap();
        let tokens = auth.login(&named(name, PASSWORD), &near()).await.unwrap();
        let new = NewToken { name: "t".into(), scopes: vec!["read".into()], days: None };
        let (_, api) = auth.add_token(user.id, &By::Terminal, new).await.unwrap();
        Ways { session, tokens, api }
    }

    /// Which of the three open.
    async fn open(&self, auth: &Auth) -> [bool; 3] {
        [
            auth.by_cookie(self.session.token.expose()).await.is_ok_and(|who| who.is_some()),
            auth.by_bearer(self.tokens.access.expose()).await.is_ok(),
            auth.by_bearer(self.api.expose()).await.is_ok(),
        ]
    }

    async fn all(&self, auth: &Auth) -> Vec<Arc<Identity>> {
        vec![
            auth.by_cookie(self.session.token.expose()).await.unwrap().unwrap(),
            auth.by_bearer(self.tokens.access.expose()).await.unwrap(),
            auth.by_bearer(self.api.expose()).await.unwrap(),
        ]
    }
}

#[tokio::test]
async fn hostile_18_password_role_active_flag_and_removal_end_everything_at_once() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("root", Role::Admin).await;
        for how in 0..4 {
            let name = format!("user{how}");
            let user = w.add(&name, Role::Operator).await;
            let ways = Ways::of(a, &name).await;
            a.look().await.unwrap();
            // Twice: from the database, and from what is remembered.
            assert_eq!((ways.open(a).await, ways.open(a).await), ([true; 3], [true; 3]));
            let who = ways.all(a).await;
            let mut changes = a.changes();
            changes.mark_unchanged();
            match how {
                0 => a.set_password(user.id, secret("another four words on paper"), false).await.unwrap(),
                1 => drop(
                    a.change_user(user.id, Change { role: Some(Role::Viewer), ..Change::default() }).await.unwrap(),
                ),
                2 => drop(a.change_user(user.id, Change { active: Some(false), ..Change::default() }).await.unwrap()),
                _ => drop(a.remove_user(user.id, None).await.unwrap()),
            }
            assert_eq!(ways.open(a).await, [false; 3], "{how}");
            assert!(changes.has_changed().unwrap(), "what is open is told");
            for one in who {
                assert!(!a.still(&one).await.unwrap(), "{how}: {:?}", one.by);
            }
            assert!(a.refresh(&ways.tokens.refresh).await.is_err());
        }
    })
    .await;
}

#[tokio::test]
async fn other_groups_count_from_the_next_request_on_and_end_nothing() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        let user = w.add("anna", Role::Member).await;
        a.add_group("kids", "").await.unwrap();
        let ways = Ways::of(a, "anna").await;
        a.look().await.unwrap();
        let before = ways.all(a).await;
        let groups = Change { groups: Some(vec!["kids".into()]), ..Change::default() };
        a.change_user(user.id, groups).await.unwrap();
        for who in ways.all(a).await {
            assert_eq!(who.groups, ["kids"]);
            assert!(a.still(&who).await.unwrap());
        }
        assert!(!a.still(&before[0]).await.unwrap(), "who had other rights has to look again");
        a.remove_group("kids").await.unwrap();
        assert!(ways.all(a).await[0].groups.is_empty());
    })
    .await;
}

#[tokio::test]
async fn one_session_ends_alone_or_all_but_the_one_that_asks() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        w.add("ben", Role::Member).await;
        let (one, two, three) = (Ways::of(a, "anna").await, Ways::of(a, "anna").await, Ways::of(a, "anna").await);
        assert_eq!(a.sessions(1, None).await.unwrap().len(), 6);
        assert!(a.end_session(2, &one.session.id).await.is_err(), "it is not theirs");
        a.end_session(1, &one.session.id).await.unwrap();
        a.end_session(1, &two.tokens.family).await.unwrap();
        assert_eq!((one.open(a).await, two.open(a).await), ([false, true, true], [true, false, true]));
        let by = three.all(a).await[0].by.clone();
        a.end_sessions(1, Some(&by)).await.unwrap();
        assert_eq!(one.open(a).await, [false, false, true], "API tokens stay");
        assert_eq!(three.open(a).await, [true, false, true]);
        a.end_sessions(1, None).await.unwrap();
        assert_eq!(three.open(a).await, [false, false, true]);
    })
    .await;
}

#[tokio::test]
async fn hostile_18_what_is_open_ends_with_a_session_that_nobody_uses_and_typing_is_a_use() {
    const HOUR: i64 = 3_600_000;
    let rules = People { idle: Duration::from_secs(3600), ..People::default() };
    homes(rules, async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let (used, left) = (Ways::of(a, "anna").await, Ways::of(a, "anna").await);
        a.look().await.unwrap();
        let (using, leaving) = (used.all(a).await, left.all(a).await);
        a.write_uses().await.unwrap();
        // What is typed into counts as a use; what is only watched asks again and again whether it may, and does not.
        w.clock.pass(HOUR - 60_000);
        using.iter().for_each(|who| a.acts(who));
        for who in using.iter().chain(&leaving) {
            assert!(a.still(who).await.unwrap(), "{:?}", who.by);
        }
        w.clock.pass(90_000);
        for written in [false, true] {
            for who in &using {
                assert!(a.still(who).await.unwrap(), "{:?}", who.by);
            }
            // A token has its day, and no rest.
            let still = [a.still(&leaving[0]).await, a.still(&leaving[1]).await, a.still(&leaving[2]).await];
            assert_eq!(still.map(Result::unwrap), [false, false, true]);
            let listed = a.sessions(1, None).await.unwrap();
            let ids: Vec<_> = listed.iter().map(|one| one.id.as_str()).collect();
            assert_eq!(ids.len(), 2, "{ids:?}");
            assert!(ids.contains(&used.session.id.as_str()) && ids.contains(&used.tokens.family.as_str()));
            if !written {
                a.write_uses().await.unwrap();
            }
        }
        assert_eq!(left.open(a).await, [false, false, true]);
        assert!(a.refresh(&left.tokens.refresh).await.is_err());
        let (now, idle) = (w.clock.now(), w.clock.now() - time::Duration::HOUR);
        let ms = |at: time::OffsetDateTime| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap();
        let gone = w.db.write(async move |tx| sql::sweep(tx, ms(now), ms(idle)).await).await.unwrap();
        assert_eq!(gone, 2, "the session and the program");
        assert!(used.open(a).await[0] && a.refresh(&used.tokens.refresh).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn hostile_18_what_another_process_ends_is_ended_here_within_a_second() {
    homes(People::default(), async |w| {
        w.add("anna", Role::Member).await;
        let server = w.again().await;
        let stop = CancellationToken::new();
        let log = crate::auth::audit::Log::new(w.db.clone(), w.clock.clone());
        let keeping = tokio::spawn(server.clone().keep(log, stop.clone()));
        let ways = Ways::of(&server, "anna").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(ways.open(&server).await, [true; 3]);
        w.auth.set_password(1, secret("another four words on paper"), false).await.unwrap();
        let begun = Instant::now();
        while ways.open(&server).await != [false; 3] {
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", ways.open(&server).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        keeping.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_changed_by_hand_counts_once_the_counter_of_changes_is_higher() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Admin).await;
        w.add("ben", Role::Operator).await;
        let (anna, ben) = (Ways::of(a, "anna").await, Ways::of(a, "ben").await);
        a.look().await.unwrap();
        assert_eq!((anna.open(a).await, ben.open(a).await), ([true; 3], [true; 3]));
        let by_hand =
            async |sql: &'static str| w.db.write(async move |tx| crate::store::execute!(tx, sql).map(drop)).await;
        by_hand("UPDATE users SET role = 'viewer' WHERE name = 'anna'").await.unwrap();
        for sql in [
            "DELETE FROM sessions WHERE person = 2",
            "DELETE FROM families WHERE person = 2",
            "DELETE FROM tokens WHERE person = 2",
        ] {
            by_hand(sql).await.unwrap();
        }
        a.look().await.unwrap();
        assert_eq!(ben.open(a).await, [true; 3], "docs/guide/database.md says so: nothing tells it");
        by_hand("UPDATE changes SET count = count + 1").await.unwrap();
        a.look().await.unwrap();
        assert_eq!(ben.open(a).await, [false; 3]);
        assert!(anna.all(a).await.iter().all(|who| who.role == Role::Viewer));
    })
    .await;
}

#[tokio::test]
async fn a_new_rule_of_second_factors_counts_within_a_second_while_the_server_runs() {
    homes(People::default(), async |w| {
        let anna = w.add("anna", Role::Member).await;
        let (_, session) = w.auth.login_browser(&named("anna", PASSWORD), &near()).await.unwrap();
        let (stop, log) = (CancellationToken::new(), crate::auth::audit::Log::new(w.db.clone(), w.clock.clone()));
        let keeping = tokio::spawn(w.auth.clone().keep(log, stop.clone()));
        let is_in = async || w.auth.by_cookie(session.token.expose()).await.unwrap().is_some();
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(is_in().await);
        w.auth.set_rules(People { second_factor: vec!["member".into()], ..People::default() });
        let begun = Instant::now();
        while is_in().await {
            assert!(begun.elapsed() < Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(w.auth.sessions(anna.id, None).await.unwrap().is_empty());
        stop.cancel();
        keeping.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_key_that_hearth_makes_by_itself_is_entered() {
    homes(People::default(), async |w| {
        let server = w.again().await;
        w.clock.pass(31 * 86_400_000);
        let (stop, log) = (CancellationToken::new(), crate::auth::audit::Log::new(w.db.clone(), w.clock.clone()));
        let keeping = tokio::spawn(server.clone().keep(log.clone(), stop.clone()));
        let begun = Instant::now();
        let entries = loop {
            let entries = log.list(&Default::default(), None, 9).await.unwrap();
            if !entries.is_empty() || begun.elapsed() > Duration::from_secs(5) {
                break entries;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        stop.cancel();
        keeping.await.unwrap();
        let told: Vec<_> = entries.iter().map(|one| (one.kind.as_str(), one.action.as_str())).collect();
        assert_eq!(told, [("system", "keys.rotated")]);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_has_looked_after_for_a_second_is_not_believed() {
    homes(People::default(), async |w| {
        let a = &w.auth;
        w.add("anna", Role::Member).await;
        let ways = Ways::of(a, "anna").await;
        a.look().await.unwrap();
        assert_eq!(ways.open(a).await, [true; 3]);
        // Behind its back, and without a word.
        w.db.write(async |tx| sql::end_all(tx, 1).await).await.unwrap();
        tokio::time::sleep(Duration::from_millis(950)).await;
        assert_eq!(ways.open(a).await, [false; 3]);
    })
    .await;
}

#[tokio::test]
async fn while_the_database_is_away_nobody_says_whether_somebody_may_still() {
    homes(People::default(), async |w| {
        use crate::auth::table::Doorkeeper;
        w.add("anna", Role::Member).await;
        let who = Ways::of(&w.auth, "anna").await.all(&w.auth).await;
        for one in &who {
            assert_eq!(Doorkeeper::still(&*w.auth, one).await, Some(true));
        }
        w.db.close().await;
        for one in &who {
            assert_eq!(Doorkeeper::still(&*w.auth, one).await, None);
        }
    })
    .await;
}
