//! Promises of notices, on both databases.

use std::sync::{Arc, Mutex};

use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::auth::who::By;
use crate::store::tests::both;
use crate::store::{Db, execute};

struct At(Mutex<OffsetDateTime>);

impl Clock for At {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

fn who(user: i64, role: Role) -> Identity {
    Identity { user, name: "ada".into(), role, groups: Vec::new(), only: Vec::new(), by: By::Terminal }
}

fn new(kind: &'static str, subject: &str, person: Option<i64>) -> New {
    New { kind, subject: subject.into(), person, path: "/".into(), words: "why".into() }
}

async fn begun(db: &Db) -> (Notices, Arc<At>) {
    db.write(async |tx| {
        for id in [1_i64, 2] {
            let sql = "INSERT INTO users (id, name, display_name, role, active, version, created) VALUES ($1, $2, 'x', 'admin', TRUE, 1, 1)";
            execute!(tx, sql, id, format!("user{id}"))?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let at = Arc::new(At(Mutex::new(datetime!(2026-11-27 12:00 UTC))));
    (Notices::new(db.clone(), at.clone()), at)
}

fn later(at: &At, hours: i64) {
    *at.0.lock().unwrap() += time::Duration::hours(hours);
}

#[tokio::test]
async fn what_happens_again_is_counted_and_what_was_read_is_unread_again() {
    both(async |db| {
        let (notices, at) = begun(&db).await;
        let ada = who(1, Role::Operator);
        for _ in 0..100 {
            notices.add(new("service-failed", "photos", None)).await.unwrap();
        }
        notices.add(new("service-failed", "films", None)).await.unwrap();
        let all = notices.of(&ada);
        assert_eq!(all.iter().map(|(one, _)| one.times).collect::<Vec<_>>(), [1, 100]);
        assert_eq!((notices.unread(&ada), notices.unread(&who(2, Role::Viewer))), (2, 2));
        notices.read(&ada, Some(vec![1])).await.unwrap();
        assert_eq!((notices.unread(&ada), notices.unread(&who(2, Role::Viewer))), (1, 2), "each for themselves");
        later(&at, 1);
        notices.add(new("service-failed", "photos", None)).await.unwrap();
        assert_eq!(notices.unread(&ada), 2, "it happened again");
        notices.read(&ada, None).await.unwrap();
        assert_eq!(notices.unread(&ada), 0);
        later(&at, 25);
        notices.add(new("service-failed", "photos", None)).await.unwrap();
        assert_eq!((notices.of(&ada).len(), notices.unread(&ada)), (3, 1), "a day later it is another one");
        // Another process of the home sees the same.
        let other = Notices::new(db.clone(), at.clone());
        other.load().await.unwrap();
        assert_eq!(other.of(&ada), notices.of(&ada));
    })
    .await;
}

#[tokio::test]
async fn hostile_11_of_an_account_only_its_owner_is_told_and_of_machinery_no_member() {
    both(async |db| {
        let (notices, _) = begun(&db).await;
        notices.add(new("signed-in-elsewhere", "203.0.113.9", Some(1))).await.unwrap();
        notices.add(new("disk-full", "/srv", None)).await.unwrap();
        let sees =
            |user, role| notices.of(&who(user, role)).iter().map(|(one, _)| one.kind.clone()).collect::<Vec<_>>();
        assert_eq!(sees(1, Role::Member), ["signed-in-elsewhere"]);
        assert_eq!(sees(2, Role::Member), [""; 0]);
        assert_eq!(sees(2, Role::Admin), ["disk-full"]);
        // What somebody does not see they cannot mark.
        notices.read(&who(2, Role::Member), Some(vec![1, 2])).await.unwrap();
        assert_eq!(notices.held.read().unwrap().marks.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn no_more_is_kept_than_was_said_and_not_for_longer() {
    both(async |db| {
        let (notices, at) = begun(&db).await;
        notices.add(new("work-failed", "old", None)).await.unwrap();
        notices.read(&who(1, Role::Admin), Some(vec![1])).await.unwrap();
        later(&at, 91 * 24);
        notices.add(new("work-failed", "new", None)).await.unwrap();
        assert_eq!(notices.of(&who(1, Role::Admin)).len(), 1);
        assert!(notices.held.read().unwrap().marks.is_empty(), "nor what was read of it");
        db.write(async |tx| {
            let sql = "INSERT INTO notices (id, kind, subject, path, words, first, last, times) VALUES ($1, 'k', $2, '/', '', 1, $3, 1)";
            for n in 10..MOST + 10 {
                execute!(tx, sql, n, format!("s{n}"), 1_803_642_200_000_i64 + n)?;
            }
            Ok(())
        })
        .await
        .unwrap();
        notices.add(new("work-failed", "last", None)).await.unwrap();
        assert_eq!(notices.of(&who(1, Role::Admin)).len() as i64, MOST);
    })
    .await;
}
