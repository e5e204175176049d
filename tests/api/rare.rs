//! Verbs that are seldom asked for: update, pull, mode, adoption, renewal.

use serde_json::json;

use crate::rig::Server;

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pulled_and_what_moved_is_replaced() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["tools"]})).await;
    let before = s.get("viewer", "/api/v1/services/tool").await.is(200).body;
    s.world().offer_image("any/tool:1", "2", json!({}));
    s.done("operator", "/api/v1/pull", json!({"services": ["tool"]})).await;
    let pulled = s.get("viewer", "/api/v1/services/tool").await.is(200).body;
    assert_eq!(pulled["containers"][0]["id"], before["containers"][0]["id"], "what is pulled replaces nothing yet");
    let work = s.done("operator", "/api/v1/update", json!({"services": ["tool"], "yes": true})).await;
    assert_eq!(work["command"], "hearth update tool --yes");
    let after = s.get("viewer", "/api/v1/services/tool").await.is(200).body;
    assert_eq!(after["state"], "running");
    assert_ne!(after["containers"][0]["image_id"], before["containers"][0]["image_id"]);
    let unknown = s.post("operator", "/api/v1/update", json!({"services": ["nothing"]})).await.is(404);
    assert_eq!(unknown.code(), "compose.no-such-service");
    s.post("viewer", "/api/v1/update", json!({})).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mode_is_switched_by_an_admin_and_not_without_what_it_needs() {
    let s = Server::begin().await;
    s.post("operator", "/api/v1/mode", json!({"mode": "localhost"})).await.is(403);
    s.done("admin", "/api/v1/mode", json!({"mode": "localhost"})).await;
    let work = s.work("admin", "/api/v1/mode", json!({"mode": "domain", "yes": true})).await;
    assert_eq!((&work["state"], &work["command"]), (&json!("failed"), &json!("hearth mode domain --yes")), "{work}");
    assert!(work["error"]["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "{work}");
    assert_eq!(s.get("admin", "/api/v1/settings").await.is(200).body["mode"], "localhost");
    assert_eq!(s.post("admin", "/api/v1/mode", json!({"mode": "cloud"})).await.is(422).code(), "web.does-not-fit");
    std::fs::write(s.dir.join(".env"), "DOMAIN=home.example\n").unwrap();
    for mode in ["domain", "localhost"] {
        let unanswered = s.work("admin", "/api/v1/mode", json!({"mode": mode})).await;
        assert_eq!(unanswered["state"], "failed", "it is asked first: {unanswered}");
        s.done("admin", "/api/v1/mode", json!({"mode": mode, "yes": true})).await;
        assert_eq!(s.get("admin", "/api/v1/settings").await.is(200).body["mode"], mode);
        assert!(s.read("compose.yaml").contains(&format!("compose/{mode}.yaml")), "{}", s.read("compose.yaml"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_project_is_previewed_and_taken_over_as_it_is() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["tools"]})).await;
    // As if Compose had made it from a folder of its own.
    let folder = s.dir.join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("compose.yaml");
    std::fs::write(&file, "services:\n  tool: { image: any/tool:1 }\n").unwrap();
    for container in s.world().containers.values_mut() {
        let mut set = |name: &str, value: String| container.labels.insert(format!("com.docker.compose.{name}"), value);
        set("project", "photos".into());
        set("project.working_dir", folder.display().to_string());
        set("project.config_files", file.display().to_string());
        container.labels.retain(|name, _| !name.starts_with("hearth."));
    }
    let listed = s.get("viewer", "/api/v1/projects?sort=whose").await.is(200);
    assert_eq!(listed.items("name"), ["photos"]);
    s.get("operator", "/api/v1/projects/photos/adoption").await.is(403);
    let preview = s.get("admin", "/api/v1/projects/photos/adoption").await.is(200).body;
    assert_eq!(preview["project"]["services"], json!(["tool"]));
    assert_eq!(s.get("admin", "/api/v1/projects/nothing/adoption").await.is(404).code(), "stacks.no-such-project");
    // Nothing of it is shown before it is this home's.
    s.get("viewer", "/api/v1/services?project=photos").await.is(404);
    let ids: Vec<String> = s.world().containers.keys().cloned().collect();
    let work = s.done("admin", "/api/v1/projects/photos/adopt", json!({})).await;
    assert_eq!(work["command"], "hearth adopt photos");
    assert_eq!(s.world().containers.keys().cloned().collect::<Vec<_>>(), ids, "nothing is recreated");
    assert_eq!(s.get("viewer", "/api/v1/projects?whose=adopted").await.is(200).items("name"), ["photos"]);
    assert_eq!(s.get("viewer", "/api/v1/services?project=photos").await.is(200).items("name"), ["tool"]);
    // What was done with it stands beside what was done with the home, also after Hearth began anew.
    s.done("operator", "/api/v1/restart", json!({"project": "photos", "services": ["tool"]})).await;
    let again = s.begun_anew().await;
    let (_, works) = again.text("viewer", "GET", "/works", None).await;
    assert!(works.contains("hearth up tools") && works.contains("hearth -p photos restart tool"), "{works}");
    let path = works.split("href=\"").map(|rest| rest.split('"').next().unwrap_or_default());
    let path = path.filter(|path| path.starts_with("/history/") && path.ends_with("?project=photos"));
    let (status, page) = again.text("viewer", "GET", path.last().expect("it has a page"), None).await;
    assert!(status == 200 && page.contains("-p photos"), "{status} {page}");
    // What is wrong for the home and each project alike is said once.
    let (_, works) = again.text("viewer", "GET", "/works?after=nothing", None).await;
    assert_eq!(works.matches("is not where a page of this list ended").count(), 1, "{works}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_listed_and_an_order_is_an_admins() {
    let s = Server::begin().await;
    s.get("viewer", "/api/v1/certificates?valid=true&sort=-not_after").await.is(200);
    s.post("operator", "/api/v1/certificates/renew", json!({})).await.is(403);
    let work = s.work("admin", "/api/v1/certificates/renew", json!({"names": ["nothing.example"]})).await;
    assert_eq!(work["command"], "hearth certs renew nothing.example");
    assert_eq!(work["state"], "failed", "no authority is set: {work}");
    assert!(work["error"]["hints"].as_array().is_some_and(|hints| !hints.is_empty()), "{work}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_sorted_and_filtered_as_it_says() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    for (path, field, expected) in [
        ("profiles?sort=-name", "name", &["tools", "media"][..]),
        ("profiles?on=true", "name", &["media"]),
        ("services?sort=-state&state=running", "name", &["web", "db"]),
        ("services?stack=tools", "name", &["tool"]),
        ("containers?sort=-service&state=running", "service", &["web", "db"]),
        ("containers?service=db", "service", &["db"]),
        ("containers?state=paused", "service", &[]),
        ("stacks?sort=-title", "name", &["media", "tools"]),
        ("stacks?profile=tools", "name", &["tools"]),
        ("works?verb=up&sort=who", "verb", &["up"]),
        ("works?verb=down", "verb", &[]),
    ] {
        assert_eq!(s.get("viewer", &format!("/api/v1/{path}")).await.is(200).items(field), expected, "{path}");
    }
    for list in ["profiles", "services", "containers", "stacks", "works", "projects", "routes", "certificates"] {
        let wrong = s.get("viewer", &format!("/api/v1/{list}?sort=colour")).await.is(422);
        assert!(
            wrong.body["error"]["title"].as_str().is_some_and(|title| title.contains("it should be one of")),
            "{}",
            wrong.body
        );
        assert_eq!(s.get("viewer", &format!("/api/v1/{list}?after=%25")).await.is(422).code(), "web.bad-cursor");
    }
    let page = s.get("viewer", "/api/v1/services?limit=2&sort=-name").await.is(200);
    assert_eq!(page.items("name"), ["web", "tool"]);
    let next = page.body["next"].as_str().unwrap_or_default().to_owned();
    let rest = s.get("viewer", &format!("/api/v1/services?limit=2&sort=-name&after={next}")).await.is(200);
    assert_eq!((rest.items("name"), &rest.body["next"]), (vec!["db".to_string()], &json!(null)));
}
