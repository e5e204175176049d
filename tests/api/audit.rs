//! What an entry of the audit says of a call: what was asked for, why it was refused, how it ended.

use std::collections::BTreeSet;

use hearth::auth::audit::Outcome;
use hearth::auth::audit::said::{KEPT_BACK, SAID};
use hearth::auth::table::Act;
use hearth::routes;
use serde_json::{Value, json};

use crate::rig::Server;

/// The names of a schema's fields, wherever it has them from.
fn fields(schema: &Value, all: &Value, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        return fields(&all["components"]["schemas"][name], all, found);
    }
    found.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for several in ["allOf", "oneOf", "anyOf"] {
        schema[several].as_array().into_iter().flatten().for_each(|one| fields(one, all, found));
    }
}

#[test]
fn of_every_field_of_a_call_it_is_said_whether_an_entry_keeps_it() {
    let api = serde_json::to_value(routes::table().openapi("1")).unwrap();
    let (mut found, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (method, call) in api["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap()) {
        for content in call["requestBody"]["content"].as_object().into_iter().flatten() {
            fields(&content.1["schema"], &api, &mut found);
        }
        let name = call["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is the name of two calls");
        if method != "get" {
            let query = call["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query");
            found.extend(query.map(|one| one["name"].as_str().unwrap().to_owned()));
        }
    }
    assert!(found.len() > 40, "{found:?}");
    let unknown: Vec<&String> =
        found.iter().filter(|name| !SAID.contains(&name.as_str()) && !KEPT_BACK.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "put them into src/auth/audit/said.rs: {unknown:?}");
    let twice: Vec<_> = SAID.iter().filter(|name| KEPT_BACK.contains(name)).collect();
    assert!(twice.is_empty() && SAID.is_sorted() && KEPT_BACK.is_sorted(), "{twice:?}");
    let gone: Vec<_> =
        SAID.iter().chain(&KEPT_BACK).filter(|name| !found.contains(**name) && **name != "act").collect();
    assert!(gone.is_empty(), "no call takes these any more: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_why_it_was_refused_and_how_it_ended_is_in_the_audit() {
    let s = Server::begin().await;
    let last = |action: &str| {
        let notes = s.keeper.notes.lock().unwrap();
        let act = notes.iter().rev().find(|act| act.action == action).unwrap_or_else(|| panic!("no {action}")).clone();
        (act.outcome, act.object, act.detail.unwrap_or_default())
    };
    let body = json!({"name": "family", "about": "all of us"});
    s.post("admin", "/api/v1/groups", body.clone()).await.is(201);
    assert_eq!(last("groups.add"), (Outcome::Done, "/api/v1/groups".into(), body.clone()));
    s.post("admin", "/api/v1/groups", body.clone()).await.is(409);
    let told = json!({"name": "family", "about": "all of us", "code": "auth.taken"});
    assert_eq!(last("groups.add"), (Outcome::Failed, "/api/v1/groups".into(), told));
    s.post("viewer", "/api/v1/groups", json!({"name": "others"})).await.is(403);
    assert_eq!(last("groups.add").2, json!({"code": "auth.not-allowed"}), "nothing was read");
    // What was begun ends with an entry of its own, whichever way.
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    let (outcome, object, detail) = last("verbs.up");
    assert_eq!((outcome, object.as_str()), (Outcome::Begun, "/api/v1/up"));
    assert_eq!(detail["names"], json!(["media"]));
    let (outcome, object, detail) = last("works.end");
    assert!(object.starts_with("/api/v1/works/"), "{object}");
    assert_eq!((outcome, &detail["exit_code"]), (Outcome::Done, &json!(0)), "{detail}");
    assert!(detail["command"].as_str().unwrap().starts_with("hearth up"), "{detail}");
    // Also by a page, which answers with the way to it.
    assert_eq!(s.form("operator", "/services/web/restart", "").await.0, 303);
    let (outcome, object, _) = last("service.restart");
    assert_eq!((outcome, object.as_str()), (Outcome::Begun, "/services/web/restart"), "it is named as what it does");
    let work = s.work("operator", "/api/v1/restart", json!({"services": ["tool"]})).await;
    assert_eq!(work["state"], "failed", "{work}");
    // What the page has begun may end after it.
    let notes = s.keeper.notes.lock().unwrap().clone();
    let of_tool = |act: &&Act| act.detail.as_ref().is_some_and(|detail| detail["command"] == work["command"]);
    let end = notes.iter().filter(|act| act.action == "works.end").rfind(of_tool).expect("it ends in the audit");
    let code = end.detail.as_ref().map(|detail| detail["code"].clone());
    assert_eq!((end.outcome, code), (Outcome::Failed, Some(work["error"]["code"].clone())), "{end:?}");
    // No password is in any of it.
    let secret = "four words on paper";
    s.post("admin", "/api/v1/users", json!({"username": "eve", "role": "viewer", "password": secret})).await.is(201);
    assert_eq!(last("users.add").2, json!({"username": "eve", "role": "viewer"}));
    s.post("admin", "/api/v1/auth/login", json!({"username": "hunter2hunter2", "password": secret})).await.is(401);
    assert_eq!(last("login.login").2, json!({"code": "auth.wrong-password"}), "nobody is called so");
    s.post("admin", "/api/v1/auth/login", json!({"username": "EVE", "password": "wrong"})).await.is(401);
    assert_eq!(last("login.login").2, json!({"account": "eve", "code": "auth.wrong-password"}));
    let notes = format!("{:?}", s.keeper.notes.lock().unwrap());
    assert!(!notes.contains(secret) && !notes.contains("hunter2"), "{notes}");
}
