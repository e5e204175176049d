//! The route of one service: shown, made, changed and taken away, by the API and by the form of its page. All else of its stack stays.

use serde_json::json;

use crate::rig::Server;

const WEB: &str = "/api/v1/services/web/route";

/// `stacks/media.yaml` with these lines of `web`.
fn media(own: &str) -> String {
    let text = "x-hearth: { title: Media, about: Films }\nservices:\n  web:\n    image: any/web:1\n    profiles: [media]\n    environment: { DB_PASSWORD: geheim-42, TZ: UTC }\n    depends_on: [db]\nOWN  db: { image: any/db:1, profiles: [media], volumes: ['data:/data'] }\nvolumes: { data: {} }\n";
    text.replace("OWN", own)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_given_changed_and_taken_away_over_the_version_that_was_seen() {
    let s = Server::begin().await;
    assert_eq!(s.read("stacks/media.yaml"), media(""));
    let shown = s.get("admin", WEB).await.is(200);
    assert_eq!(
        (&shown.body["route"], &shown.body["by_hand"], &shown.body["stack"]),
        (&json!(null), &json!(null), &json!("media"))
    );
    let tag = shown.header("etag").to_owned();
    assert_eq!(tag, s.get("admin", "/api/v1/stacks/media").await.is(200).header("etag"));
    let new = json!({"host": "photos", "port": 2283});
    s.call("admin", "PUT", WEB, Some(new.clone()), &[]).await.is(428);
    s.call("operator", "PUT", WEB, Some(new.clone()), &[("if-match", &tag)]).await.is(403);
    let told = s.call("admin", "PUT", WEB, Some(json!({"port": 1})), &[("if-match", &tag)]).await.is(422);
    assert_eq!((told.code(), &told.body["error"]["field"]), ("spec.missing-key", &json!("host")));
    let saved = s.call("admin", "PUT", WEB, Some(new.clone()), &[("if-match", &tag)]).await.is(200);
    let route = |text: &str| media(&format!("    x-hearth:\n      route: {{ {text} }}\n"));
    assert_eq!(s.read("stacks/media.yaml"), route("host: photos, port: 2283, access: user"));
    assert_eq!(saved.body["text"], json!(s.read("stacks/media.yaml")));
    let all = s.get("admin", "/api/v1/stacks/media/history").await.is(200);
    assert_eq!(all.body["items"][0]["message"], "route web: photos.DOMAIN for user");
    // Who saw an older version is told.
    s.call("admin", "PUT", WEB, Some(new), &[("if-match", &tag)]).await.is(412);
    s.call("admin", "DELETE", WEB, None, &[("if-match", &tag)]).await.is(412);
    let tag = saved.header("etag").to_owned();
    let changed =
        s.call("admin", "PUT", WEB, Some(json!({"access": "group:family"})), &[("if-match", &tag)]).await.is(200);
    assert_eq!(s.read("stacks/media.yaml"), route("host: photos, port: 2283, access: group:family"));
    assert_eq!(
        s.get("admin", WEB).await.is(200).body["route"],
        json!({"host": "photos", "port": "2283", "access": "group:family"})
    );
    let tag = changed.header("etag").to_owned();
    s.call("admin", "DELETE", WEB, None, &[]).await.is(428);
    s.call("admin", "DELETE", WEB, None, &[("if-match", &tag)]).await.is(200);
    assert_eq!(s.read("stacks/media.yaml"), media(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_route_is_refused_in_its_field_and_nothing_is_saved() {
    let s = Server::begin().await;
    for (body, field) in [
        (json!({"host": "not a name", "port": 1}), "host"),
        (json!({"host": "a", "port": 1, "access": "users"}), "access"),
        (json!({"host": "a}, x: {", "port": 1}), "host"),
    ] {
        let told = s.call("admin", "PUT", WEB, Some(body.clone()), &[("if-match", "*")]).await.is(422);
        let at = told.body["error"]["field"].as_str().unwrap_or_default();
        assert!(at.ends_with(field), "{body}: {}", told.body);
    }
    s.call("admin", "PUT", WEB, Some(json!({"host": "a", "port": 0})), &[("if-match", "*")]).await.is(422);
    assert_eq!(s.read("stacks/media.yaml"), media(""));
    s.get("admin", "/api/v1/services/nobody/route").await.is(404);
    std::fs::write(
        s.dir.join("stacks/media.yaml"),
        media("    x-hearth: {route: [{host: a, port: 1}, {host: b, port: 1}]}\n"),
    )
    .unwrap();
    let shown = s.get("admin", WEB).await.is(200).body;
    assert!(shown["by_hand"].as_str().unwrap().contains("a list of routes"), "{shown}");
    let told = s.call("admin", "PUT", WEB, Some(json!({"access": "lan"})), &[("if-match", "*")]).await.is(409);
    assert_eq!(told.code(), "spec.by-hand");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_to_the_plan_or_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed() {
    let s = Server::begin().await;
    s.post("admin", "/api/v1/groups", json!({"name": "family"})).await.is(201);
    let (_, page) = s.text("admin", "GET", "/services/web", None).await;
    for words in
        ["Save and plan", "value=\"web\"", "value=\"group:family\"", "localhost mode", "<details class=\"way\" open>"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    for who in ["operator", "viewer"] {
        let (_, page) = s.text(who, "GET", "/services/web", None).await;
        assert!(!page.contains("Save and plan"), "{who}");
        assert_eq!(s.form(who, "/services/web/route", "etag=*&host=a&port=1&access=user").await.0, 403);
    }
    let form =
        |host: &str, port: &str, access: &str| format!("etag=*&act=save&host={host}&port={port}&access={access}");
    let (status, page) = s.form("admin", "/services/web/route", &form("not+a+name", "12x", "lan")).await;
    assert_eq!(status, 422);
    let beside = page.split("id=\"route-port-told\"").nth(1).expect("it is said beside the port");
    assert!(
        beside.contains("is no port") && page.contains("value=\"not a name\"") && page.contains("value=\"12x\""),
        "{page}"
    );
    assert!(page.contains("<option value=\"lan\" selected>"), "{page}");
    let (status, page) = s.form("admin", "/services/web/route", &form("not+a+name", "12", "lan")).await;
    assert_eq!(status, 422);
    assert!(
        page.split("id=\"route-host-told\"").nth(1).is_some_and(|beside| beside.contains("is no host name")),
        "{page}"
    );
    assert_eq!(s.read("stacks/media.yaml"), media(""));
    // Of a service that is off there is nothing to do; of one that runs there is a plan.
    let (status, _) = s.form("admin", "/services/web/route", &form("photos", "80", "group:family")).await;
    assert_eq!(status, 303);
    let (_, page) = s.text("admin", "GET", "/services/web?saved=route", None).await;
    assert!(page.contains("It is saved.") && page.contains("<option value=\"group:family\" selected>"), "{page}");
    assert!(!page.contains("<details class=\"way\" open>") && page.contains("Take it away"), "{page}");
    let (status, _) = s.form("admin", "/services/web/route", "etag=*&act=remove").await;
    assert_eq!((status, s.read("stacks/media.yaml")), (303, media("")));
    let (status, _) = s.form("admin", "/services/web/route", "etag=%22x%22&act=remove").await;
    assert_eq!(status, 412);
}
