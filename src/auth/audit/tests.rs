//! Promises of the audit log, on both databases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::base::clock::Clock;
use crate::config;
use crate::store::tests::{both, empty_postgres};
use crate::store::{Db, Location, execute};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> OffsetDateTime {
        datetime!(2026-11-26 12:00 UTC)
    }
}

fn log(db: &Db) -> Log {
    Log::new(db.clone(), Arc::new(Noon))
}

fn note(n: i64) -> Note {
    let ann = Author::User { id: 1, name: "ann".into() };
    Note {
        at: datetime!(2026-11-26 10:00 UTC) + time::Duration::minutes(n),
        who: ann,
        source: "192.168.1.5".into(),
        action: "users.create".into(),
        object: format!("/api/v1/users/{n}"),
        outcome: Outcome::Done,
        took: Duration::from_millis(12),
        request: format!("r{n}"),
        detail: json!({"role": "viewer"}),
    }
}

async fn filled(db: &Db, n: i64) -> Log {
    let log = log(db);
    for n in 1..=n {
        log.add(note(n)).await.unwrap();
    }
    log
}

/// Changes the database behind the log's back.
async fn behind(db: &Db, sql: &'static str) {
    db.write(async move |tx| execute!(tx, sql).map(drop)).await.unwrap();
}

#[tokio::test]
async fn entries_are_chained_and_a_whole_chain_verifies() {
    both(async |db| {
        let empty = verify(&db, None).await.unwrap().unwrap();
        assert_eq!((empty.first, empty.last), (1, 0));
        let log = filled(&db, 5).await;
        let sound = verify(&db, None).await.unwrap().unwrap();
        assert_eq!((sound.first, sound.last), (1, 5));
        let all = log.list(&Filter::default(), None, 10).await.unwrap();
        assert_eq!(all.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!(all[0].hash, sound.hash);
        assert_eq!(all[4].time(), "2026-11-26T10:01:00.000Z");
        // What was noted still holds when more has come.
        log.add(note(6)).await.unwrap();
        assert!(verify(&db, Some((5, &sound.hash))).await.unwrap().is_ok());
        assert_eq!(verify(&db, Some((4, &sound.hash))).await.unwrap(), Err(Broken::NotAsNoted(4)));
        assert_eq!(verify(&db, Some((9, &sound.hash))).await.unwrap(), Err(Broken::CutOff { last: 6, head: 9 }));
    })
    .await;
}

#[tokio::test]
async fn the_hash_is_the_same_on_both_databases_and_stays_what_it_is() {
    let hashes = std::sync::Mutex::new(Vec::new());
    both(async |db| {
        filled(&db, 3).await;
        let hash = verify(&db, None).await.unwrap().unwrap().hash;
        hashes.lock().unwrap().push(hash);
    })
    .await;
    // Written down, from a few lines of Python that follow the guide: an encoding that changed would break every log there is.
    let known = "82aeedbf1e4b573608f7c14a1c1fcb581054eeca3fd956bcf4315977d6db4f7c";
    assert_eq!(*hashes.lock().unwrap(), [known, known]);
}

#[tokio::test]
async fn whatever_is_done_to_an_entry_is_found_and_the_first_one_is_named() {
    for (sql, broken) in [
        ("UPDATE audit SET who = 'eve' WHERE seq = 3", Broken::Changed(3)),
        ("UPDATE audit SET outcome = 'refused' WHERE seq >= 2", Broken::Changed(2)),
        ("UPDATE audit SET user_id = NULL WHERE seq = 4", Broken::Changed(4)),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", Broken::Changed(1)),
        ("UPDATE audit SET took = 0 WHERE seq = 5", Broken::Changed(5)),
        // A letter that moves from one field to the next.
        ("UPDATE audit SET who = 'an', source = 'n192.168.1.5' WHERE seq = 2", Broken::Changed(2)),
        ("DELETE FROM audit WHERE seq = 1", Broken::Missing(1)),
        ("DELETE FROM audit WHERE seq = 3", Broken::Missing(3)),
        ("DELETE FROM audit WHERE seq = 5", Broken::CutOff { last: 4, head: 5 }),
        ("DELETE FROM audit WHERE seq > 1", Broken::CutOff { last: 1, head: 5 }),
        ("DELETE FROM audit", Broken::CutOff { last: 0, head: 5 }),
        ("UPDATE audit_head SET seq = 4", Broken::Changed(4)),
        ("UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)", Broken::Added { head: 4 }),
        ("UPDATE audit_head SET cut_seq = 2, cut_hash = (SELECT hash FROM audit WHERE seq = 2)", Broken::Beginning(2)),
    ] {
        both(async |db| {
            filled(&db, 5).await;
            behind(&db, sql).await;
            assert_eq!(verify(&db, None).await.unwrap().unwrap_err(), broken, "{sql}");
        })
        .await;
    }
    both(async |db| {
        filled(&db, 2).await;
        behind(&db, "DELETE FROM audit_head").await;
        assert_eq!(verify(&db, None).await.unwrap_err().code, "audit.broken");
        assert_eq!(log(&db).add(note(3)).await.unwrap_err().code, "audit.broken");
    })
    .await;
}

#[tokio::test]
async fn two_processes_write_one_chain() {
    both(async |db| {
        let other = Db::open(db.location().clone()).await.unwrap();
        let jobs = (0..80).map(|n| {
            let log = log(if n % 2 == 0 { &db } else { &other });
            tokio::spawn(async move { log.add(note(n)).await })
        });
        futures_util::future::join_all(jobs).await.into_iter().for_each(|done| done.unwrap().unwrap());
        let sound = verify(&db, None).await.unwrap().unwrap();
        assert_eq!((sound.first, sound.last), (1, 80));
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_act_and_its_entry_are_kept_together_or_neither_is() {
    both(async |db| {
        behind(&db, "CREATE TABLE things (name TEXT PRIMARY KEY)").await;
        let act = async |fails: bool| {
            db.write(async move |tx| {
                execute!(tx, "INSERT INTO things (name) VALUES ('a')")?;
                append(tx, &note(1)).await?;
                if fails { Err(crate::diag::Diagnostic::error("x", "no")) } else { Ok(()) }
            })
            .await
        };
        assert!(act(true).await.is_err());
        assert_eq!(verify(&db, None).await.unwrap().unwrap().last, 0);
        act(false).await.unwrap();
        assert_eq!(verify(&db, None).await.unwrap().unwrap().last, 1);
    })
    .await;
}

#[tokio::test]
async fn every_field_can_be_asked_for_and_pages_go_through_all() {
    both(async |db| {
        let log = filled(&db, 9).await;
        let token = Author::Token { id: 2, name: "bob".into(), token: "t7".into() };
        let more = [
            Note { who: token, source: "fd00::1".into(), action: "stacks.up".into(), ..note(20) },
            Note { who: Author::Terminal("joe (uid 0)".into()), took: Duration::from_secs(9), ..note(30) },
            Note { who: Author::Nobody, outcome: Outcome::Refused, ..note(40) },
            Note::of_system(note(50).at, "certs.renewed", "home.example", Value::Null),
        ];
        for note in more {
            log.add(note).await.unwrap();
        }
        let found = async |filter: Filter| -> Vec<i64> {
            log.list(&filter, None, 99).await.unwrap().iter().map(|entry| entry.seq).collect()
        };
        let none = Filter::default;
        let is = |text: &str| Some(Text::read(text));
        assert_eq!(found(Filter { kind: Some("token".into()), ..none() }).await, [10]);
        assert_eq!(found(Filter { user: Some(2), ..none() }).await, [10]);
        assert_eq!(found(Filter { who: is("bob"), ..none() }).await, [10]);
        assert_eq!(found(Filter { who: is("jo*"), ..none() }).await, [11]);
        assert_eq!(found(Filter { source: is("fd00:*"), ..none() }).await, [10]);
        assert_eq!(found(Filter { action: is("certs.*"), ..none() }).await, [13]);
        assert_eq!(found(Filter { action: is("certs.%"), ..none() }).await, [0i64; 0], "no other sign means anything");
        assert_eq!(found(Filter { object: is("/api/v1/users/4*"), ..none() }).await, [12, 4]);
        assert_eq!(found(Filter { outcome: Some(Outcome::Refused), ..none() }).await, [12]);
        assert_eq!(found(Filter { request: is("r7"), ..none() }).await, [7]);
        assert_eq!(found(Filter { longer: Some(1000), ..none() }).await, [11]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found(Filter { search: some("RENEWED"), ..none() }).await, [13]);
        assert_eq!(found(Filter { search: some("r%w"), ..none() }).await, [0i64; 0], "no sign means anything");
        assert_eq!(found(Filter { service: some("4"), ..none() }).await, [0i64; 0]);
        let at = |n: i64| Some(entry::milliseconds(note(n).at));
        assert_eq!(found(Filter { since: at(2), until: at(4), ..none() }).await, [3, 2]);
        let both = Filter { who: is("ann"), since: at(9), outcome: Some(Outcome::Done), ..none() };
        assert_eq!(found(both).await, [9]);
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = log.list(&Filter { user: Some(1), ..none() }, before, 4).await.unwrap();
            seen.extend(page.iter().map(|entry| entry.seq));
            before = page.last().map(|entry| entry.seq);
            if page.len() < 4 {
                break;
            }
        }
        assert_eq!(seen, (1..=9).rev().collect::<Vec<_>>());
        let mut exported = Vec::new();
        let users = Filter { kind: Some("user".into()), ..none() };
        let note = |entry: &Entry| {
            exported.push(entry.seq);
            Ok(())
        };
        assert_eq!(log.each(&users, note).await.unwrap(), 9);
        assert_eq!(exported, (1..=9).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn hostile_31_the_log_grows_past_its_size_by_an_eighth_at_most_while_somebody_fills_it() {
    both(async |db| {
        const LIMIT: i64 = 1 << 20;
        let log = log(&db);
        let said = config::Audit { days: None, megabytes: Some(1) };
        let (keeper, stop) = (log.clone(), tokio_util::sync::CancellationToken::new());
        let ended = stop.clone();
        let kept = tokio::spawn(async move { keeper.keep(&said, ended).await });
        // Letters of more than one byte count for what they take.
        let detail = json!({"text": "\u{20ac}".repeat(1200)});
        let (mut most, mut all) = (0, 0);
        for n in 0..1200 {
            log.add(Note { detail: detail.clone(), ..note(n) }).await.unwrap();
            let size = sql::size(&mut db.reader().await.unwrap()).await.unwrap();
            most = most.max(size);
            all += 3600;
        }
        assert!(all > 3 * LIMIT && most > LIMIT, "{most}");
        assert!(most <= LIMIT + LIMIT / 8, "{most}");
        stop.cancel();
        kept.await.unwrap();
        let entry = note(1).entry(0);
        log.cut(&Keep { age: None, bytes: Some(0) }).await.unwrap();
        let left = log.list(&Filter::default(), None, 10).await.unwrap();
        let sizes: usize = left.iter().map(Entry::size).sum();
        let size = sql::size(&mut db.reader().await.unwrap()).await.unwrap();
        assert_eq!(usize::try_from(size).unwrap(), sizes, "both count alike");
        assert!(entry.size() < 400);
        assert!(verify(&db, None).await.unwrap().is_ok());
    })
    .await;
}

#[tokio::test]
async fn old_and_too_many_entries_are_cut_off_and_the_rest_still_verifies() {
    both(async |db| {
        let log = filled(&db, 100).await;
        let keep = |age: Option<u64>, bytes| Keep { age: age.map(Duration::from_secs), bytes };
        assert_eq!(log.cut(&keep(None, None)).await.unwrap(), 0);
        let all = log.list(&Filter::default(), None, 200).await.unwrap();
        let hash = |seq: i64| all.iter().find(|entry| entry.seq == seq).unwrap().hash.as_str();
        // Noon less an hour: the first 59 were entered before.
        assert_eq!(log.cut(&keep(Some(3600), None)).await.unwrap(), 59);
        let sound = verify(&db, None).await.unwrap().unwrap();
        assert_eq!((sound.first, sound.last), (60, 101));
        // Of what was noted: the last one that was cut off is known still, those before it are not.
        assert!(sound.has(60) && sound.has(59) && !sound.has(58));
        assert_eq!(verify(&db, Some((59, hash(59)))).await.unwrap(), Ok(sound.clone()));
        assert_eq!(verify(&db, Some((59, hash(58)))).await.unwrap(), Err(Broken::NotAsNoted(59)));
        assert_eq!(verify(&db, Some((58, hash(59)))).await.unwrap(), Ok(sound));
        let cuts = Filter { action: Some(Text::Is(keep::ACTION.into())), ..Filter::default() };
        let detail = log.list(&cuts, None, 9).await.unwrap()[0].json()["detail"].clone();
        assert_eq!((&detail["through"], &detail["entries"]), (&json!(59), &json!(59)));
        assert_eq!(log.cut(&keep(Some(3600), None)).await.unwrap(), 0);
        // By size: about 250 bytes each.
        assert!(log.cut(&keep(None, Some(2500))).await.unwrap() > 25);
        let sound = verify(&db, None).await.unwrap().unwrap();
        assert!(sound.last == 102 && (90..=97).contains(&sound.first), "{sound:?}");
        // Whatever is asked for, the end stays.
        log.cut(&keep(Some(0), Some(0))).await.unwrap();
        log.add(note(200)).await.unwrap();
        let sound = verify(&db, None).await.unwrap().unwrap();
        assert_eq!((sound.first, sound.last), (102, 104));
        // Somebody who takes more away and moves the beginning with it is found out.
        behind(&db, "DELETE FROM audit WHERE seq = 102").await;
        let sql = "UPDATE audit_head SET cut_seq = 102, cut_hash = 'x'";
        behind(&db, sql).await;
        assert!(verify(&db, None).await.unwrap().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_log_that_is_copied_to_the_other_database_is_whole_there() {
    let dir = tempfile::tempdir().unwrap();
    let copies = [empty_postgres().await, Location::file(dir.path().join("copy.db"))];
    let next = std::sync::Mutex::new(copies.iter());
    both(async |db| {
        let to = next.lock().unwrap().next().unwrap();
        let log = filled(&db, 120).await;
        log.cut(&Keep { age: Some(Duration::from_secs(3600)), bytes: None }).await.unwrap();
        let sound = verify(&db, None).await.unwrap().unwrap();
        db.copy_to(to).await.unwrap();
        let there = Db::look(to.clone()).await.unwrap().unwrap();
        assert_eq!(verify(&there, Some((sound.last, &sound.hash))).await.unwrap(), Ok(sound));
        there.close().await;
    })
    .await;
}

#[test]
fn a_home_says_how_long_entries_are_kept() {
    let keep = Keep::from(config::Audit::default());
    assert_eq!((keep.age, keep.bytes), (Some(Duration::from_secs(730 * 86_400)), Some(500 << 20)));
    assert_eq!(Keep::from(config::Audit { days: None, megabytes: None }), Keep { age: None, bytes: None });
}

#[tokio::test]
async fn secrets_and_what_could_look_like_more_than_one_entry_are_not_kept() {
    both(async |db| {
        let log = log(&db);
        let detail = json!({"password": "geheim", "in": [{"api_key": "geheim", "name": "x"}], "nul": "a\u{0}b"});
        let hostile = "x\n2026 admin deleted everything\u{1b}[2J\u{0}";
        log.add(Note { object: hostile.into(), detail, ..note(1) }).await.unwrap();
        log.add(Note { object: "y".repeat(9000), detail: json!({"much": "z".repeat(9000)}), ..note(2) }).await.unwrap();
        let all = log.list(&Filter::default(), None, 9).await.unwrap();
        let text: String = all.iter().map(export::json_line).collect();
        assert!(!text.contains("geheim") && text.contains("\"name\":\"x\"") && text.lines().count() == 2, "{text}");
        assert!(all[1].object.chars().all(|c| !c.is_control()));
        assert!(all[0].object.len() == 300 && all[0].detail.len() < 100);
        assert!(verify(&db, None).await.unwrap().is_ok());
    })
    .await;
}

#[test]
fn csv_is_a_table_and_never_a_formula() {
    let mut entry = note(1).entry(0);
    entry.hash = "h".into();
    let line = export::csv_line(&entry);
    assert_eq!(line.matches("\r\n").count(), 1);
    assert!(
        line.starts_with("1,2026-11-26T10:01:00.000Z,user,ann,1,192.168.1.5,users.create,/api/v1/users/1,done,12,r1,")
    );
    assert!(line.ends_with(",\"{\"\"role\"\":\"\"viewer\"\"}\",h\r\n"), "{line}");
    for hostile in ["=cmd|'/c calc'!A1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "|x", "＝1"] {
        entry.object = hostile.into();
        let line = export::csv_line(&entry);
        assert!(line.contains(&format!(",\"'{hostile}\",")), "{line}");
    }
    entry.object = "a,\"b\"".into();
    assert!(export::csv_line(&entry).contains(",\"a,\"\"b\"\"\","));
    assert_eq!(export::HEADER.matches(',').count(), 12);
}

#[test]
fn times_are_read_as_a_person_writes_them() {
    let now = entry::milliseconds(datetime!(2026-11-26 12:00 UTC));
    for (text, at) in [
        ("2026-11-26", datetime!(2026-11-26 0:00 UTC)),
        ("2026-11-26T11:00:00+01:00", datetime!(2026-11-26 10:00 UTC)),
        ("24h", datetime!(2026-11-25 12:00 UTC)),
        ("7d", datetime!(2026-11-19 12:00 UTC)),
        ("90s", datetime!(2026-11-26 11:58:30 UTC)),
        ("0000-01-01", datetime!(0000-01-01 0:00 UTC)),
    ] {
        assert_eq!(filter::time(text, now).unwrap(), entry::milliseconds(at), "{text}");
    }
    for bad in ["", "h", "-1h", "tomorrow", "9999999999d", "+1d", "2026-13-01", "ä"] {
        assert_eq!(filter::time(bad, now).unwrap_err().code, "audit.bad-filter", "{bad}");
    }
    assert!(filter::time("999999999d", now).unwrap() < 0, "longer ago than there are years");
    assert_eq!(filter::kind("ghost").unwrap_err().field.as_deref(), Some("kind"));
    assert_eq!(filter::outcome("done").unwrap(), Outcome::Done);
}
