//! Profiles, plans and works: what changes what runs, and how it is watched.

use serde_json::{Value, json};

use crate::rig::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_started_watched_and_stopped() {
    let s = Server::begin().await;
    assert_eq!(s.get("viewer", "/api/v1/profiles").await.is(200).items("name"), ["media", "tools"]);
    let services = s.get("viewer", "/api/v1/services").await.is(200);
    assert_eq!((services.items("name"), services.items("state")), (list("db tool web"), list("off off off")));
    let work = s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    assert_eq!((&work["command"], &work["who"]), (&json!("hearth up media"), &json!("ann (program)")));
    let services = s.get("viewer", "/api/v1/services?profile=media").await.is(200);
    assert_eq!(services.items("state"), list("running running"));
    assert_eq!(s.get("viewer", "/api/v1/profiles/media").await.is(200).body["on"], true);
    assert!(s.read("hearth.yaml").contains("profiles: [media]") && s.read("hearth.yaml").contains("# mine"));
    // It is done: planning it again gives nothing, and history has it under the name of who asked.
    let plan = s.post("operator", "/api/v1/plans", json!({})).await.is(200).body;
    assert_eq!((&plan["plan"]["empty"], &plan["id"]), (&json!(true), &Value::Null));
    let history = s.get("viewer", "/api/v1/history").await.is(200);
    assert_eq!(
        (history.items("who"), history.items("command")),
        (vec!["ann (program)".into()], vec!["hearth up media".into()])
    );
    let one = s.get("viewer", &format!("/api/v1/history/{}", history.items("id")[0])).await.is(200).body;
    assert_eq!((&one["outcome"], one["steps"].as_array().unwrap().is_empty()), (&json!("done"), false));
    s.done("operator", "/api/v1/stop", json!({"services": ["web"]})).await;
    let web = s.get("viewer", "/api/v1/services/web").await.is(200).body;
    assert_eq!(web["state"], "stopped", "{web}");
    s.done("operator", "/api/v1/restart", json!({})).await;
    s.done("operator", "/api/v1/down", json!({"names": ["media"]})).await;
    assert_eq!(s.get("viewer", "/api/v1/containers").await.is(200).items("name"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_watched_from_any_of_them_on() {
    let s = Server::begin().await;
    let work = s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    let path = format!("/api/v1/works/{}/events", work["id"].as_str().unwrap());
    let all = s.events("viewer", &path, &[], |_, _| false).await;
    let numbers: Vec<u64> = all.iter().filter_map(|(id, ..)| *id).collect();
    assert_eq!(numbers, (1..=work["last_event"].as_u64().unwrap()).collect::<Vec<_>>());
    let names: Vec<&str> = all.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names.last(), Some(&"end"));
    assert!(["plan", "started", "finished", "result"].iter().all(|name| names.contains(name)), "{names:?}");
    let rest = s.events("viewer", &path, &[("last-event-id", &(numbers.len() - 1).to_string())], |_, _| false).await;
    assert_eq!(rest.len(), 1);
    assert_eq!((&rest[0].1, &rest[0].2["outcome"]), (&"end".to_string(), &json!("done")));
    assert_eq!(s.events("viewer", &format!("{path}?after=3"), &[], |_, _| false).await[0].0, Some(4));
    let (status, page) = s.text("viewer", "GET", "/works/unknown", None).await;
    assert!(status == 404 && page.contains("/audit?action=works.end"), "{status} {page}");
    assert_eq!(s.get("viewer", "/api/v1/works/unknown/events").await.is(404).code(), "works.unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_shown_and_carried_out_by_id_while_the_world_stays() {
    let s = Server::begin().await;
    let made = s.post("operator", "/api/v1/plans", json!({"names": ["media"]})).await.is(200).body;
    let id = made["id"].as_str().unwrap().to_string();
    assert!(made["plan"]["steps"].as_array().unwrap().iter().any(|step| step["action"] == "create_container"));
    assert_eq!(s.get("viewer", "/api/v1/plans").await.is(200).items("id"), [id.as_str()]);
    s.get("viewer", &format!("/api/v1/plans/{id}")).await.is(200);
    s.done("operator", &format!("/api/v1/plans/{id}/apply"), json!({})).await;
    let again = s.work("operator", &format!("/api/v1/plans/{id}/apply"), json!({})).await;
    assert_eq!((&again["state"], &again["error"]["code"]), (&json!("failed"), &json!("stacks.moved")));
    assert_eq!(s.post("operator", "/api/v1/plans/none/apply", json!({})).await.is(404).code(), "stacks.no-such-plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_twice_carries_its_plan_out_once() {
    let s = Server::begin().await;
    let made = s.post("operator", "/api/v1/plans", json!({"names": ["media"]})).await.is(200).body;
    let path = format!("/plans/{}/apply", made["id"].as_str().unwrap());
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let send = async || s.call("operator", "POST", &path, None, &form).await.is(303).headers["location"].clone();
    let first = send().await;
    // While it runs, and when it is done: by reload, or by a browser whose way was cut.
    assert_eq!(send().await, first);
    let work = format!("/api/v1{}", first.to_str().unwrap());
    while s.get("viewer", &work).await.is(200).body["state"] == "running" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(send().await, first);
    assert_eq!(s.get("viewer", "/api/v1/works").await.is(200).items("id").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_thrown_away_is_gone() {
    let s = Server::begin().await;
    let made = s.post("operator", "/api/v1/plans", json!({"names": ["media"]})).await.is(200).body;
    let path = format!("/api/v1/plans/{}", made["id"].as_str().unwrap());
    s.call("operator", "DELETE", &path, None, &[]).await.is(204);
    s.get("viewer", &path).await.is(404);
    assert!(s.get("viewer", "/api/v1/plans").await.is(200).items("id").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_before_anything_is_begun() {
    let s = Server::begin().await;
    let told = s.post("operator", "/api/v1/up", json!({"names": ["meida"]})).await.is(404);
    assert_eq!(told.code(), "home.no-profile");
    assert!(told.body["error"]["hints"][0].as_str().unwrap().contains("media"), "{}", told.body);
    assert_eq!(s.post("operator", "/api/v1/up", json!({"nams": []})).await.is(422).code(), "web.does-not-fit");
    assert_eq!(s.post("operator", "/api/v1/profiles/none/enable", json!({})).await.is(404).code(), "home.no-profile");
    assert_eq!(s.get("viewer", "/api/v1/services/none").await.is(404).code(), "compose.no-such-service");
    assert_eq!(s.get("viewer", "/api/v1/works").await.is(200).items("id"), Vec::<String>::new());
    for verb in ["start", "stop", "restart", "pull", "update"] {
        let told = s.post("operator", &format!("/api/v1/{verb}"), json!({"services": ["web", "wbe"]})).await.is(404);
        assert_eq!(told.code(), "compose.no-such-service", "{verb}");
        assert!(told.body["error"]["hints"][0].as_str().unwrap().contains("`web`"), "{verb}: {}", told.body);
    }
    assert_eq!(s.get("viewer", "/api/v1/works").await.is(200).items("id"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_lost_only_by_an_admin_who_says_yes() {
    let s = Server::begin().await;
    s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    for who in ["operator", "operator.operate", "operator.admin", "admin.operate"] {
        let refused = s.post(who, "/api/v1/down", json!({"volumes": [], "yes": true})).await.is(403);
        assert_eq!(refused.code(), "auth.not-allowed", "{who}");
    }
    let work = s.work("admin", "/api/v1/down", json!({"names": ["media"], "volumes": []})).await;
    assert_eq!((&work["state"], &work["error"]["code"]), (&json!("failed"), &json!("cli.needs-yes")));
    assert_eq!(s.get("viewer", "/api/v1/containers").await.items("name").len(), 2);
    s.done("admin", "/api/v1/down", json!({"volumes": [], "yes": true})).await;
    assert!(s.world().volumes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_home_goes_down_only_with_a_yes() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    for body in [json!({}), json!({"names": []}), json!({"remove_orphans": true}), json!({"yes": false})] {
        let told = s.post("operator", "/api/v1/down", body.clone()).await.is(409);
        assert_eq!(told.code(), "stacks.everything", "{body}");
    }
    assert_eq!(s.get("viewer", "/api/v1/containers").await.items("name").len(), 2);
    s.done("operator", "/api/v1/down", json!({"yes": true})).await;
    assert_eq!(s.get("viewer", "/api/v1/containers").await.items("name"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_turned_on_and_off_without_starting_anything() {
    let s = Server::begin().await;
    let on = s.post("operator", "/api/v1/profiles/tools/enable", json!({})).await.is(200).body;
    assert_eq!(on["profile"]["on"], true);
    assert_eq!(s.get("viewer", "/api/v1/services/tool").await.body["state"], "missing");
    s.done("operator", "/api/v1/profiles/tools/disable", json!({"now": true})).await;
    s.done("operator", "/api/v1/profiles/tools/enable", json!({"now": true})).await;
    assert_eq!(s.get("viewer", "/api/v1/services/tool").await.body["state"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_32_one_writer_of_a_project_whoever_it_is() {
    let s = Server::begin().await;
    let bodies = [json!({"names": ["media"]}), json!({"names": ["tools"]}), json!({"names": ["media", "tools"]})];
    let works =
        futures_util::future::join_all(bodies.iter().map(|body| s.work("operator", "/api/v1/up", body.clone())));
    let works = works.await;
    let done = works.iter().filter(|work| work["state"] == "done").count();
    let refused = works.iter().filter(|work| work["error"]["code"] == "stacks.locked").count();
    assert!(done >= 1 && done + refused == works.len(), "{works:?}");
    // Nothing is stranded: the same again ends it.
    s.done("operator", "/api/v1/up", json!({"names": ["media", "tools"]})).await;
    assert_eq!(s.world().violations, Vec::<String>::new());
    assert_eq!(s.get("viewer", "/api/v1/containers").await.items("service"), list("db tool web"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_23_values_of_variables_are_in_no_answer() {
    let s = Server::begin().await;
    let work = s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    let events =
        s.events("viewer", &format!("/api/v1/works/{}/events", work["id"].as_str().unwrap()), &[], |_, _| false).await;
    let mut seen = format!("{events:?}");
    let containers = s.get("viewer", "/api/v1/containers").await;
    for path in ["services", "containers", "plans", "history", "works", "profiles", "routes", "projects", "stacks"] {
        seen.push_str(&s.get("viewer", &format!("/api/v1/{path}")).await.is(200).body.to_string());
    }
    for name in containers.items("name") {
        let one = s.get("viewer", &format!("/api/v1/containers/{name}")).await.is(200).body;
        assert_eq!(one["test_double"], true);
        seen.push_str(&one.to_string());
    }
    assert!(seen.contains("DB_PASSWORD") && !seen.contains("geheim-42"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_23_arguments_of_programs_are_an_admins_to_read() {
    let s = Server::begin().await;
    let stack = |secret: &str, entrypoint: &str| {
        let words = format!("[run, --token, {secret}, '-p{secret}', '--key {secret}']");
        let health = format!("{{ test: [CMD, check, '-p{secret}'] }}");
        format!(
            "services:\n  page: {{ image: 'any/page:1', profiles: [pages], command: {words}, healthcheck: {health}{entrypoint} }}\n"
        )
    };
    let write = |text: String| std::fs::write(s.dir.join("stacks/pages.yaml"), text).unwrap();
    write(stack("first-4711", ""));
    s.done("admin", "/api/v1/up", json!({"names": ["pages"]})).await;
    let at = "/api/v1/containers/apihome-page-1";
    for who in ["viewer", "operator", "admin.operate"] {
        assert_eq!(s.get(who, at).await.is(200).body["command"], json!(["run", "…"]), "{who}");
    }
    assert!(s.get("admin", at).await.is(200).body["command"].to_string().contains("-pfirst-4711"));
    write(stack("second-4712", ", entrypoint: [start, '-pfirst-4711']"));
    let mut seen = s.post("operator", "/api/v1/plans", json!({"names": ["pages"]})).await.is(200).body.to_string();
    assert!(seen.contains("command: (hidden)"), "{seen}");
    let work = s.done("admin", "/api/v1/up", json!({"names": ["pages"]})).await;
    assert_eq!(s.get("viewer", at).await.is(200).body["command"], json!(["…"]), "all of it is arguments");
    let history = s.get("viewer", "/api/v1/history").await.is(200).items("id");
    let mut paths = vec!["/api/v1/plans".to_string(), at.to_string()];
    paths.extend(history.iter().map(|id| format!("/api/v1/history/{id}")));
    for path in paths {
        seen.push_str(&s.get("viewer", &path).await.is(200).body.to_string());
    }
    let events = format!("/api/v1/works/{}/events", work["id"].as_str().unwrap());
    seen.push_str(&format!("{:?}", s.events("viewer", &events, &[], |_, _| false).await));
    assert!(!seen.contains("first-4711") && !seen.contains("second-4712"), "{seen}");
    assert!(s.get("admin", &format!("/api/v1/history/{}", history[0])).await.body.to_string().contains("-pfirst-4711"));
}

fn list(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_string).collect()
}
