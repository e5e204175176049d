//! Definitions of stacks, settings, other projects: what is an admin's.

use serde_json::json;

use crate::rig::Server;

const NEW: &str = "services:\n  page: { image: any/page:1, profiles: [pages] }\n";

#[tokio::test(flavor = "multi_thread")]
async fn two_editors_of_a_stack_never_overwrite_each_other() {
    let s = Server::begin().await;
    let path = "/api/v1/stacks/media";
    let first = s.get("admin", path).await.is(200);
    let (tag, text) = (first.header("etag").to_string(), first.body["text"].as_str().unwrap().to_string());
    let changed = json!({"text": text.replace("any/web:1", "any/web:2")});
    let saved = s.call("admin", "PUT", path, Some(changed.clone()), &[("if-match", &tag)]).await.is(200);
    assert_ne!(saved.header("etag"), tag);
    assert!(s.read("stacks/media.yaml").contains("any/web:2"));
    s.call("admin", "PUT", path, Some(changed.clone()), &[("if-match", &tag)]).await.is(412);
    s.call("admin", "PUT", path, Some(changed), &[]).await.is(428);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_user_or_a_group_over_another_version_than_they_saw_is_told() {
    let s = Server::begin().await;
    let new = json!({"username": "ann", "role": "viewer", "password": "unhurried lantern gravel tuba"});
    let id = s.post("admin", "/api/v1/users", new).await.is(201).body["id"].clone();
    s.post("admin", "/api/v1/groups", json!({"name": "family", "about": "at first"})).await.is(201);
    let user = format!("/api/v1/users/{id}");
    for (path, field) in [(user.as_str(), "display_name"), ("/api/v1/groups/family", "about")] {
        let seen = s.get("admin", path).await.is(200).header("etag").to_owned();
        let change = async |text: &str, tag: &str| {
            s.call("admin", "PATCH", path, Some(json!({field: text})), &[("if-match", tag)]).await
        };
        let changed = change("faster", &seen).await.is(200);
        let now = changed.header("etag").to_owned();
        assert_ne!(now, seen, "{path}");
        let late = change("slower", &seen).await.is(412);
        assert!(
            !late.code().is_empty() && !late.body["error"]["hints"].as_array().unwrap().is_empty(),
            "{}",
            late.body
        );
        let there = s.get("admin", path).await.is(200);
        assert_eq!((there.header("etag"), &there.body[field]), (now.as_str(), &json!("faster")), "{path}");
        change("slower", &now).await.is(200);
        change("whatever it is", "*").await.is(200);
        s.call("admin", "PATCH", path, Some(json!({field: "without"})), &[]).await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_people_or_groups_is_changed_only_over_a_version_that_was_seen() {
    let s = Server::begin().await;
    let new = json!({"username": "ann", "role": "viewer", "password": "unhurried lantern gravel tuba"});
    let made = s.post("admin", "/api/v1/users", new).await.is(201).body;
    s.post("admin", "/api/v1/groups", json!({"name": "family"})).await.is(201);
    let user = format!("/api/v1/users/{}", made["id"]);
    for (path, body) in
        [(user.as_str(), json!({"groups": ["family"]})), ("/api/v1/groups/family", json!({"members": []}))]
    {
        let seen = s.get("admin", path).await.is(200).header("etag").to_owned();
        let told = s.call("admin", "PATCH", path, Some(body.clone()), &[]).await.is(428);
        assert_eq!(told.code(), "web.no-version", "{path}");
        assert_eq!(s.get("admin", path).await.header("etag"), seen, "{path}: nothing was changed");
        s.call("admin", "PATCH", path, Some(body.clone()), &[("if-match", &seen)]).await.is(200);
        s.call("admin", "PATCH", path, Some(body), &[("if-match", &seen)]).await.is(412);
    }
    // The other way in which a user's version is said.
    let version = s.get("admin", &user).await.is(200).body["version"].clone();
    let body = json!({"groups": ["family"], "version": version});
    s.call("admin", "PATCH", &user, Some(body.clone()), &[]).await.is(200);
    s.call("admin", "PATCH", &user, Some(body), &[]).await.is(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_to_one_editor_is_not_undone_by_another() {
    let s = Server::begin().await;
    let settings = async |days: u32| {
        let seen = s.get("admin", "/api/v1/settings/audit").await.is(200).header("etag").to_owned();
        let value = json!({"value": {"days": days}});
        s.call("admin", "PUT", "/api/v1/settings/audit", Some(value), &[("if-match", &seen)]).await.is(200);
    };
    let stays = |days: u32, on: &str| {
        let text = s.read("hearth.yaml");
        assert!(text.contains(&format!("days: {days}")) && text.contains(on), "{text}");
    };
    for round in 1..30 {
        let verb = if round % 2 == 1 { "enable" } else { "disable" };
        let path = format!("/api/v1/profiles/tools/{verb}");
        let toggled = async { s.post("admin", &path, json!({})).await.is(200) };
        tokio::join!(settings(round), toggled);
        stays(round, if round % 2 == 1 { "profiles: [tools]" } else { "profiles: []" });
    }
    // A command in another process is at it: who comes meanwhile waits, and changes what it has left.
    let file = std::fs::File::open(s.dir.join("state/hearth.yaml.lock")).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let elsewhere = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let text = s.read("hearth.yaml").replace("days: 29", "days: 77");
        std::fs::write(s.dir.join("hearth.yaml"), text).unwrap();
        drop(file);
    };
    let ((), toggled) = tokio::join!(elsewhere, s.post("admin", "/api/v1/profiles/media/enable", json!({})));
    toggled.is(200);
    stays(77, "media");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_with_mistakes_is_not_saved_and_all_of_them_are_told_in_their_places() {
    let s = Server::begin().await;
    let wrong = json!({"text": "services:\n  page: { imgae: x }\n  web: { image: x }\n"});
    let judged = s.post("admin", "/api/v1/stacks/pages/validate", wrong.clone()).await.is(200).body;
    assert_eq!(judged["valid"], false);
    let told = s.call("admin", "PUT", "/api/v1/stacks/pages", Some(wrong), &[("if-none-match", "*")]).await.is(422);
    assert!(told.body["errors"].as_array().unwrap().len() >= 2, "{}", told.body);
    assert!(told.body["errors"].to_string().contains("\"line\":2"), "{}", told.body);
    assert!(!s.dir.join("stacks/pages.yaml").exists());
    s.post("admin", "/api/v1/stacks/pages/validate", json!({"text": NEW})).await.is(200);
    let new = s.call("admin", "PUT", "/api/v1/stacks/pages", Some(json!({"text": NEW})), &[("if-none-match", "*")]);
    let tag = new.await.is(201).header("etag").to_string();
    assert_eq!(s.get("viewer", "/api/v1/stacks").await.is(200).items("name"), ["media", "pages", "tools"]);
    s.call("admin", "DELETE", "/api/v1/stacks/pages", None, &[]).await.is(428);
    s.call("admin", "DELETE", "/api/v1/stacks/pages", None, &[("if-match", &tag)]).await.is(204);
    s.get("admin", "/api/v1/stacks/pages").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_02_a_stacks_name_leads_nowhere_else() {
    let s = Server::begin().await;
    std::fs::write(s.dir.join("secret.yaml"), "services: {}\n").unwrap();
    std::os::unix::fs::symlink(s.dir.join("../secret.yaml"), s.dir.join("stacks/link.yaml")).unwrap();
    for name in ["..%2Fsecret", "%2e%2e%2fsecret", "..", ".hidden", "a%00b", "a%2Fb", "A", "-a", "a;b", "%24(id)"] {
        let path = format!("/api/v1/stacks/{name}");
        let got = s.get("admin", &path).await;
        assert!(matches!(got.status, 404 | 422), "{name}: {}", got.status);
        let put = s.call("admin", "PUT", &path, Some(json!({"text": NEW})), &[("if-none-match", "*")]).await;
        assert!(matches!(put.status, 404 | 422), "{name}: {}", put.status);
    }
    assert!(s.get("admin", "/api/v1/stacks/link").await.status >= 400);
    assert_eq!(s.read("secret.yaml"), "services: {}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_saved_over_the_version_that_was_read_and_judged_first() {
    let s = Server::begin().await;
    let first = s.get("admin", "/api/v1/settings").await.is(200);
    let (tag, text) = (first.header("etag").to_string(), first.body["text"].as_str().unwrap().to_string());
    let put = |text: String| json!({"text": text});
    let with = [("if-match", tag.as_str())];
    let bad =
        s.call("admin", "PUT", "/api/v1/settings", Some(put(format!("{text}networks: 8.8.0.0/16\n"))), &with).await;
    assert_eq!(bad.is(422).code(), "config.wrong-value");
    let own = text.replace("profiles: []", "profiles: [media]");
    assert_eq!(s.call("admin", "PUT", "/api/v1/settings", Some(put(own)), &with).await.is(409).code(), "home.own-call");
    let good = put(format!("{text}networks: 10.99.0.0/16\n"));
    let saved = s.call("admin", "PUT", "/api/v1/settings", Some(good.clone()), &with).await.is(200);
    assert_eq!(saved.body["networks"], "10.99.0.0/16");
    assert!(s.read("hearth.yaml").starts_with("name: apihome # mine\n"));
    s.call("admin", "PUT", "/api/v1/settings", Some(good), &with).await.is(412);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_setting_is_changed_and_every_other_byte_stays() {
    let s = Server::begin().await;
    let before = s.read("hearth.yaml");
    let path = "/api/v1/settings/audit";
    let unset = s.get("admin", path).await.is(200);
    assert_eq!((&unset.body["set"], &unset.body["value"]), (&json!(false), &json!(null)));
    let tag = unset.header("etag").to_string();
    let value = json!({"value": {"days": 30, "megabytes": false}});
    s.call("admin", "PUT", path, Some(value.clone()), &[]).await.is(428);
    let set = s.call("admin", "PUT", path, Some(value.clone()), &[("if-match", &tag)]).await.is(200);
    assert_eq!((&set.body["set"], &set.body["value"]), (&json!(true), &value["value"]));
    assert!(s.read("hearth.yaml").starts_with(&before), "{}", s.read("hearth.yaml"));
    s.call("admin", "PUT", path, Some(value), &[("if-match", &tag)]).await.is(412);
    let tag = set.header("etag").to_string();
    // Another key has a version of its own; a value that no home can have is refused with all that is wrong.
    let other = s.get("admin", "/api/v1/settings/networks").await.is(200).header("etag").to_string();
    let with = [("if-match", other.as_str())];
    let wrong = s.call("admin", "PUT", "/api/v1/settings/networks", Some(json!({"value": "8.8.0.0/16"})), &with).await;
    assert_eq!(wrong.is(422).code(), "config.wrong-value");
    s.call("admin", "PUT", "/api/v1/settings/networks", Some(json!({"value": "10.98.0.0/16"})), &with).await.is(200);
    let own = s.get("admin", "/api/v1/settings/profiles").await.is(200).header("etag").to_string();
    let profiles = json!({"value": ["media"]});
    let refused = s.call("admin", "PUT", "/api/v1/settings/profiles", Some(profiles), &[("if-match", &own)]).await;
    assert_eq!(refused.is(409).code(), "home.own-call");
    s.call("admin", "DELETE", path, None, &[]).await.is(428);
    let gone = s.call("admin", "DELETE", path, None, &[("if-match", &tag)]).await.is(200);
    assert_eq!(gone.body["set"], false);
    assert!(s.read("hearth.yaml").starts_with(&before), "{}", s.read("hearth.yaml"));
    assert_eq!(s.get("admin", "/api/v1/settings/secrets").await.is(404).code(), "config.unknown-key");
    s.get("operator", path).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_see_and_do_what_the_home_says_of_them() {
    let s = Server::begin().await;
    for (method, path, body, least) in [
        ("GET", "/api/v1/services", None, "viewer"),
        ("GET", "/api/v1/settings", None, "admin"),
        ("GET", "/api/v1/stacks/media", None, "admin"),
        ("POST", "/api/v1/plans", Some(json!({})), "operator"),
        ("POST", "/api/v1/stacks/media/validate", Some(json!({"text": NEW})), "admin"),
        ("POST", "/api/v1/profiles/tools/enable", Some(json!({})), "operator"),
        ("POST", "/api/v1/projects/x/adopt", Some(json!({})), "admin"),
    ] {
        let mut may = false;
        for role in ["viewer", "operator", "admin"] {
            may |= role == least;
            let status = s.call(role, method, path, body.clone(), &[]).await.status;
            assert_eq!(status != 403, may, "{role} {method} {path}: {status}");
        }
        assert_eq!(s.call("member", method, path, body.clone(), &[]).await.status, 403, "member {path}");
        assert_eq!(s.call("", method, path, body, &[]).await.status, 401, "nobody {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_none_is_said_so_and_never_taken_for_somebody_elses_change() {
    let s = Server::begin().await;
    s.post("admin", "/api/v1/groups", json!({"name": "family"})).await.is(201);
    let text = s.get("admin", "/api/v1/stacks/media").await.is(200).body["text"].clone();
    let settings = s.get("admin", "/api/v1/settings").await.is(200).body["text"].clone();
    for (method, path, body) in [
        ("PUT", "/api/v1/stacks/media", json!({"text": text})),
        ("PUT", "/api/v1/settings", json!({"text": settings})),
        ("PUT", "/api/v1/settings/audit", json!({"value": {"days": 40}})),
        ("PATCH", "/api/v1/groups/family", json!({"members": []})),
    ] {
        let tag = s.get("admin", path).await.is(200).header("etag").to_owned();
        for wrong in [tag.trim_matches('"').to_owned(), format!("W/{tag}")] {
            let told = s.call("admin", method, path, Some(body.clone()), &[("if-match", &wrong)]).await.is(422);
            assert_eq!((told.code(), &told.body["detail"][0]["loc"]), ("web.no-etag", &json!(["header", "If-Match"])));
        }
        let told = s.call("admin", method, path, Some(body.clone()), &[("if-match", "\"other\"")]).await.is(412);
        assert_eq!(told.code(), "web.other-version", "{path}");
        s.call("admin", method, path, Some(body), &[("if-match", "*")]).await.is(200);
    }
    let new = [("if-none-match", "*")];
    let told = s.call("admin", "PUT", "/api/v1/stacks/media", Some(json!({"text": NEW})), &new).await.is(412);
    assert_eq!(told.code(), "web.already-there");
    assert!(told.body["error"]["title"].as_str().unwrap().contains("a stack `media` already"), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_of_people_counts_before_it_is_answered() {
    let s = Server::begin().await;
    let path = "/api/v1/settings/auth";
    for (name, registration) in [("ann", "open"), ("ben", "closed"), ("cy", "open")] {
        let tag = s.get("admin", path).await.is(200).header("etag").to_owned();
        let value = json!({"value": {"registration": registration}});
        s.call("admin", "PUT", path, Some(value), &[("if-match", &tag)]).await.is(200);
        let new = json!({"username": name, "password": "unhurried lantern gravel tuba"});
        let told = s.post("admin", "/api/v1/auth/register", new).await;
        let closed = told.body["error"]["code"] == "auth.registration-closed";
        assert_eq!(closed, registration == "closed", "{}", told.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_with_the_nearest_name_there_is() {
    let s = Server::begin().await;
    s.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
    for (path, near) in [
        ("profiles/meida", "media"),
        ("services/wbe", "web"),
        ("stacks/medai", "media"),
        ("settings/atuh", "auth"),
        ("containers/apihome-wbe-1", "apihome-web-1"),
    ] {
        let told = s.get("admin", &format!("/api/v1/{path}")).await.is(404);
        assert_eq!(told.body["error"]["hints"][0], format!("did you mean `{near}`?"), "{path}");
    }
    let told = s.get("admin", "/api/v1/users/ben/sessions").await.is(404);
    let words = told.body["error"].to_string();
    assert!(words.contains("`ben` is no number") && words.contains("GET /api/v1/users\""), "{words}");
}
