//! The audit log as programs read it, and what a crowd of strangers does to it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use futures_util::StreamExt;

use super::super::audit;
use super::*;
use crate::auth::accounts::{Change, NewToken};
use crate::auth::audit::crowd::SEVERAL;
use crate::auth::audit::{Filter, Log, Note, verify};
use crate::auth::who::By;
use crate::base::secret::Secret;

#[derive(Clone, FromRef)]
struct Desk {
    auth: Arc<Auth>,
    audit: Log,
    routed: Routes,
}

/// A home whose guard writes into its audit log.
fn home(w: &World) -> (Program, Log) {
    let mut table: Table<Desk> = Table::default();
    calls! { table:
        POST "/api/v1/auth/login" Anyone => login::login;
        GET "/api/v1/auth/me" User => me::me;
        POST "/api/v1/tokens" Person => tokens::add;
        GET "/api/v1/users" Admin => users::list;
        POST "/api/v1/groups" Admin => groups::add;
        GET "/api/v1/audit" User => audit::list;
        GET "/api/v1/audit/export" User => audit::take;
        GET "/api/v1/audit/verify" Admin => audit::look;
    }
    let log = Log::new(w.db.clone(), w.clock.clone());
    let guard = Arc::new(Guard::new(
        w.auth.clone(),
        Arc::new(log.clone()),
        OwnName::labelled("aaaaaaaaaaaa").unwrap(),
        Vec::new(),
        1,
    ));
    let desk = Desk { auth: w.auth.clone(), audit: log.clone(), routed: no_routes() };
    (Program { router: table.router(&guard).with_state(desk), bearer: None, address: "192.168.1.7" }, log)
}

fn of(answer: &Answer, field: &str) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].as_array().unwrap().iter().map(|entry| entry[field].clone()).collect()
}

#[tokio::test]
async fn an_admin_reads_all_of_the_audit_and_everybody_else_their_own_acts() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        w.add("anna", Role::Member).await;
        let (p, _) = home(&w);
        let (root, anna) = (p.signed_in("root").await, p.signed_in("anna").await);
        p.calls("POST /api/v1/auth/login", json!({"username": "anna", "password": "wrong"})).await;
        for name in ["one", "two", "three"] {
            root.calls("POST /api/v1/groups", json!({"name": name, "about": ""})).await;
        }
        assert_eq!(anna.gets("/api/v1/users").await.status, 403);
        let all = root.gets("/api/v1/audit").await;
        assert_eq!(of(&all, "seq"), (1..=7).rev().map(|n| json!(n)).collect::<Vec<_>>());
        let own = anna.gets("/api/v1/audit").await;
        assert_eq!(of(&own, "action"), ["users.list", "login.login"], "a login is an act of who it let in");
        assert_eq!(of(&own, "user"), [2, 2]);
        assert_eq!(anna.gets("/api/v1/audit?user=1").await.told(), (403, "auth.not-allowed"));
        assert_eq!(anna.gets("/api/v1/audit?who=root").await.told(), (403, "auth.not-allowed"));
        let own = of(&anna.gets("/api/v1/audit?who=ann*").await, "user");
        assert!(own.len() > 2 && own.iter().all(|user| *user == 2), "{own:?}");
        assert_eq!(of(&anna.gets("/api/v1/audit?kind=nobody").await, "seq"), Vec::<Value>::new());
        assert_eq!(anna.gets("/api/v1/audit/verify").await.told(), (403, "auth.not-allowed"));
        // A token of an admin's sees what others did where it may do what an admin does.
        for (scope, status) in [("read", 403), ("admin", 200)] {
            let new = NewToken { name: "t".into(), scopes: vec![scope.into()], days: None };
            let (_, token) = w.auth.add_token(1, &By::Terminal, new).await.unwrap();
            let by = p.with(&json!(token.expose()));
            let found = by.gets("/api/v1/audit?who=anna&kind=user&outcome=refused").await;
            assert_eq!(found.status, status);
            assert!(status == 403 || of(&found, "seq").len() >= 3);
        }
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_filtered_by_every_field_and_goes_on_page_by_page() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let (p, _) = home(&w);
        let root = p.signed_in("root").await;
        for n in 0..9 {
            w.clock.pass(MINUTE);
            root.calls("POST /api/v1/groups", json!({"name": format!("g{n}"), "about": ""})).await;
        }
        w.clock.pass(MINUTE);
        p.gets("/api/v1/users").await;
        let entry = root.gets("/api/v1/audit?limit=1").await.body["items"][0].clone();
        let of_one = |field: &str| entry[field].as_str().unwrap().to_owned();
        assert_eq!((of_one("kind"), of_one("outcome")), ("nobody".into(), "refused".into()));
        let (request, time) = (of_one("request"), of_one("time"));
        for (filter, found) in [
            ("kind=user", 10),
            ("who=root", 10),
            ("who=ro*", 10),
            ("user=1", 10),
            ("from=192.168.1.7", 11),
            ("from=10.*", 0),
            ("action=groups.*", 9),
            ("object=/api/v1/users", 1),
            ("outcome=refused", 1),
            ("outcome=failed", 0),
            ("longer=0", 11),
            ("longer=60000", 0),
            ("since=3m", 4),
            (&format!("since={time}"), 1),
            (&format!("until={time}"), 10),
            (&format!("request={request}"), 1),
            ("action=groups.add&since=5m&until=2m", 3),
        ] {
            assert_eq!(of(&root.gets(&format!("/api/v1/audit?{filter}")).await, "seq").len(), found, "{filter}");
        }
        for bad in
            ["kind=ghost", "outcome=maybe", "since=tomorrow", "limit=0", "limit=201", "after=x", "whom=x", "user=x"]
        {
            assert_eq!(root.gets(&format!("/api/v1/audit?{bad}")).await.status, 422, "{bad}");
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = root.gets(&format!("/api/v1/audit?action=groups.*&limit=4{after}")).await;
            seen.extend(of(&page, "seq"));
            // What is done meanwhile moves no page.
            p.gets("/api/v1/users").await;
            match page.body["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, (2..=10).rev().map(|n| json!(n)).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_taken_out_as_lines_and_as_a_table_that_runs_nothing() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        w.add("anna", Role::Member).await;
        let (p, log) = home(&w);
        let (root, anna) = (p.signed_in("root").await, p.signed_in("anna").await);
        let formula = "=cmd|'/c calc'!A1";
        let note = crate::auth::audit::Note::of_system(
            time::macros::datetime!(2026-11-26 10:00 UTC),
            "x",
            formula,
            Value::Null,
        );
        let many = (0..2500).map(|_| log.add(note.clone()));
        futures_util::future::join_all(many).await.into_iter().for_each(|done| done.unwrap());
        let taken = async |who: &Program, query: &str| -> (String, String) {
            let path = format!("/api/v1/audit/export?{query}");
            let bearer = format!("Bearer {}", who.bearer.as_deref().unwrap());
            let request = Request::builder().uri(path).header("authorization", bearer).body(Body::empty()).unwrap();
            let answer = who.router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            let (mut body, mut text, mut largest) = (answer.into_body().into_data_stream(), String::new(), 0);
            while let Some(part) = body.next().await {
                let part = part.unwrap();
                largest = largest.max(part.len());
                text.push_str(std::str::from_utf8(&part).unwrap());
            }
            assert!(largest < 600_000, "it comes in parts: {largest}");
            (kind, text)
        };
        let (kind, lines) = taken(&root, "format=jsonl").await;
        assert_eq!((kind.as_str(), lines.lines().count()), ("application/x-ndjson", 2502));
        let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["seq"], &first["action"], &first["who"]),
            (&json!(1), &json!("login.login"), &json!("root"))
        );
        let (kind, table) = taken(&root, "format=csv&kind=system").await;
        assert!(kind.starts_with("text/csv"));
        assert_eq!(
            (table.lines().count(), table.lines().next()),
            (2501, Some(crate::auth::audit::export::HEADER.trim()))
        );
        assert!(
            table.contains(&format!(",\"'{formula}\",")) && !table.contains(&format!(",{formula}")),
            "{}",
            &table[..600]
        );
        let (_, own) = taken(&anna, "format=csv").await;
        assert_eq!(own.lines().count(), 2, "{own}");
        assert_eq!(taken(&anna, "format=csv&kind=system").await.1, crate::auth::audit::export::HEADER);
        assert_eq!(taken(&anna, "format=jsonl&kind=system").await.1, "");
        assert_eq!(anna.gets("/api/v1/audit/export?format=csv&user=1").await.told(), (403, "auth.not-allowed"));
        assert_eq!(root.gets("/api/v1/audit/export?format=xml").await.status, 422);
        let looked = root.gets("/api/v1/audit/verify").await.body;
        assert_eq!((&looked["sound"], &looked["last"]), (&json!(true), &json!(2503)), "with what was refused");
        let noted = format!("2503:{}", looked["hash"].as_str().unwrap());
        let fits = root.gets(&format!("/api/v1/audit/verify?noted={noted}")).await.body;
        assert_eq!((&fits["sound"], &fits["noted"]), (&json!(true), &json!(true)));
        assert_eq!(looked["noted"], Value::Null);
        let looked = root.gets(&format!("/api/v1/audit/verify?noted=2503:{}", "0".repeat(64))).await.body;
        assert!(looked["sound"] == false && looked["broken"].as_str().unwrap().contains("2503"), "{looked}");
        for bad in ["", "x", "2503", "2503:other", "-1:", "+1:", &format!("{}:", "9".repeat(19))] {
            let path = format!("/api/v1/audit/verify?noted={}", bad.replace('+', "%2B"));
            assert_eq!(root.gets(&path).await.told(), (422, "audit.bad-filter"), "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_18_an_export_ends_with_the_rights_of_who_takes_it() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let (p, log) = home(&w);
        let anna = w.add("anna", Role::Admin).await;
        for how in ["logout", "role", "password"] {
            let note = Note::of_system(log.moment(), "things.happen", how, json!({"text": "x".repeat(200)}));
            log.add_all(vec![note; 3000]).await.unwrap();
            let taker = p.signed_in("anna").await;
            let bearer = format!("Bearer {}", taker.bearer.as_deref().unwrap());
            let request = Request::builder().uri("/api/v1/audit/export?format=jsonl").header("authorization", bearer);
            let answer = p.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let mut body = answer.into_body().into_data_stream();
            assert!(body.next().await.unwrap().is_ok(), "{how}");
            match how {
                "logout" => {
                    let who = w.auth.by_bearer(taker.bearer.as_deref().unwrap()).await.unwrap();
                    w.auth.logout(&who).await.unwrap();
                }
                "role" => {
                    let role = |role| Change { role: Some(role), ..Change::default() };
                    w.auth.change_user(anna.id, role(Role::Member)).await.unwrap();
                }
                _ => w.auth.set_password(anna.id, Secret::new("another four words on paper"), false).await.unwrap(),
            }
            // What was under way may come still, and not one entry more; a client sees that it was cut off.
            let ended = Instant::now();
            assert!(body.next().await.expect("it was not all").is_err(), "{how}: a part was given all the same");
            assert!(body.next().await.is_none() && ended.elapsed().as_millis() < 1000, "{how}: {:?}", ended.elapsed());
            if how == "role" {
                let role = Change { role: Some(Role::Admin), ..Change::default() };
                w.auth.change_user(anna.id, role).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn who_knocks_where_nothing_is_is_entered_and_a_flood_of_them_counted() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let (p, log) = home(&w);
        let root = p.signed_in("root").await;
        for n in 0..500 {
            assert_eq!(p.gets(&format!("/api/v1/secrets/{n}")).await.status, 401);
        }
        log.tell_crowd().await.unwrap();
        let found = root.gets("/api/v1/audit?action=nothing").await;
        let objects = of(&found, "object");
        assert_eq!(objects.len(), 6, "{objects:?}");
        assert_eq!((&objects[0], &objects[5]), (&json!("495 more like it"), &json!("/api/v1/secrets/0")));
        assert_eq!(of(&found, "outcome"), vec![json!("refused"); 6]);
    })
    .await;
}

#[tokio::test]
async fn hostile_20_a_flood_of_strangers_is_counted_and_keeps_nobody_from_anything() {
    const FLOOD: u32 = 50_000;
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let (p, log) = home(&w);
        let root = p.signed_in("root").await;
        let began = Instant::now();
        for n in 0..FLOOD {
            let address = IpAddr::from(Ipv4Addr::from(0xcb00_7100 + n % 3000));
            let path = ["/api/v1/users", "/api/v1/auth/me"][n as usize % 2];
            let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
            request.extensions_mut().insert(Caller { address, https: true, host: Some("home.example".into()) });
            assert_eq!(p.router.clone().oneshot(request).await.unwrap().status(), 401);
            if n == FLOOD / 2 {
                // In the middle of it an admin's act is on the disk when it is answered, and the owner signs in.
                let made = root.calls("POST /api/v1/groups", json!({"name": "family", "about": ""})).await;
                assert_eq!(made.status, 201, "{}", made.body);
                let newest = log.list(&Filter::default(), None, 1).await.unwrap();
                assert_eq!((newest[0].action.as_str(), newest[0].who.as_str()), ("groups.add", "root"));
                p.signed_in("root").await;
                let newest = log.list(&Filter::default(), None, 1).await.unwrap();
                assert_eq!((newest[0].action.as_str(), newest[0].who.as_str()), ("login.login", "root"));
            }
        }
        eprintln!("{FLOOD} refusals in {:?}", began.elapsed());
        log.tell_crowd().await.unwrap();
        let nobody = Filter { kind: Some("nobody".into()), ..Filter::default() };
        let entries = log.list(&nobody, None, 1000).await.unwrap();
        assert!(entries.len() <= 110, "{}", entries.len());
        let more = |entry: &crate::auth::audit::Entry| entry.json()["detail"]["more"].as_u64();
        let sum: u64 = entries.iter().map(|entry| more(entry).unwrap_or(1)).sum();
        assert_eq!(sum, u64::from(FLOOD), "none is forgotten");
        let told = entries.iter().find(|entry| entry.action == SEVERAL).unwrap().json();
        assert_eq!(told["outcome"], "refused");
        assert!(told["detail"]["households"].as_u64().unwrap() >= 1000, "{told}");
        assert!(verify(&w.db, None).await.unwrap().is_ok());
    })
    .await;
}

#[tokio::test]
async fn hostile_31_what_somebody_known_is_refused_is_counted_too_and_fills_nothing() {
    const FLOOD: usize = 5000;
    homes(People::default(), async |w| {
        for (name, role) in [("root", Role::Admin), ("eve", Role::Viewer), ("anna", Role::Viewer)] {
            w.add(name, role).await;
        }
        let (p, log) = home(&w);
        let (root, eve, anna) = (p.signed_in("root").await, p.signed_in("eve").await, p.signed_in("anna").await);
        for n in 0..FLOOD {
            assert_eq!(eve.gets("/api/v1/users").await.status, 403);
            if n == FLOOD / 2 {
                // Whoever else it is has entries of their own, and what is done is entered whoever floods.
                assert_eq!(anna.gets("/api/v1/users").await.status, 403);
                assert_eq!(root.calls("POST /api/v1/groups", json!({"name": "a", "about": ""})).await.status, 201);
                let newest = log.list(&Filter::default(), None, 2).await.unwrap();
                assert_eq!([newest[0].who.as_str(), newest[1].who.as_str()], ["root", "anna"]);
            }
        }
        // What was asked in a wrong way has changed nothing either.
        for _ in 0..100 {
            assert_eq!(root.calls("POST /api/v1/groups", json!({"name": "a", "about": ""})).await.status, 409);
        }
        log.tell_crowd().await.unwrap();
        for (name, outcome, times) in [("eve", "refused", FLOOD), ("anna", "refused", 1), ("root", "failed", 100)] {
            let answer = root.gets(&format!("/api/v1/audit?who={name}&outcome={outcome}")).await;
            let (kinds, details) = (of(&answer, "kind"), of(&answer, "detail"));
            assert!(kinds.len() <= 6 && kinds.iter().all(|kind| kind == "user"), "{kinds:?}");
            let sum: u64 = details.iter().map(|detail| detail["more"].as_u64().unwrap_or(1)).sum();
            assert_eq!(sum, times as u64, "{name}: none is forgotten");
        }
        let told = &eve.gets("/api/v1/audit?outcome=refused&limit=1").await.body["items"][0];
        assert_eq!((&told["object"], &told["action"]), (&json!("4995 more like it"), &json!("users.list")));
        assert_eq!(told["from"], "192.168.1.7");
    })
    .await;
}
