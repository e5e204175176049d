//! What stacks said before: commits where the home is a git repository, copies in `state/` where it is none; and what a text would do.

use std::process::Command;

use serde_json::json;

use crate::rig::Server;

#[expect(clippy::disallowed_methods, reason = "a person keeps the home in a repository of their own")]
fn git(s: &Server, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Eve", "-c", "user.email=eve@example.org"]).args(args).current_dir(&s.dir);
    let ran = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_repository_a_save_is_one_commit_of_that_file_in_the_accounts_name() {
    let s = Server::begin().await;
    git(&s, &["init", "-q"]);
    git(&s, &["add", "stacks", "hearth.yaml"]);
    git(&s, &["commit", "-qm", "begin"]);
    std::fs::write(s.dir.join("staged"), "1").unwrap();
    git(&s, &["add", "staged"]);
    let text = s.read("stacks/media.yaml").replace("any/web:1", "any/web:2");
    let save = json!({"text": text, "message": "a newer web\n\n$(id) <script>"});
    let saved = s.call("admin", "PUT", "/api/v1/stacks/media", Some(save), &[("if-match", "*")]).await.is(200).body;
    assert_eq!(
        (git(&s, &["rev-parse", "HEAD"]), &json!(null)),
        (saved["version"].as_str().unwrap().to_owned(), &saved["not_kept"])
    );
    assert_eq!(git(&s, &["show", "--format=%an", "--name-only", "HEAD"]), "ann\n\nstacks/media.yaml");
    assert_eq!(git(&s, &["diff", "--cached", "--name-only"]), "staged");
    assert_eq!(git(&s, &["rev-list", "--count", "HEAD"]), "2");
    let history = s.get("admin", "/api/v1/stacks/media/history").await.is(200);
    assert_eq!(history.items("message"), ["a newer web\n\n$(id) <script>", "begin"]);
    assert_eq!(history.items("who"), ["ann", "Eve"]);
    let first = history.items("id").remove(1);
    let path = format!("/api/v1/stacks/media/history/{first}");
    let then = s.get("admin", &path).await.is(200).body;
    assert!(then["text"].as_str().unwrap().contains("any/web:1"));
    s.post("admin", &format!("{path}/restore"), json!({})).await.is(428);
    let back = s.call("admin", "POST", &format!("{path}/restore"), None, &[("if-match", "*")]).await.is(200);
    assert_eq!(back.body["text"], then["text"]);
    assert_eq!(s.read("stacks/media.yaml"), then["text"].as_str().unwrap());
    assert!(git(&s, &["log", "-1", "--format=%s"]).starts_with("stacks: restore media as of 20"));
    for id in ["HEAD", "nothing", "0000000000000000000000000000000000000000", "--all"] {
        s.get("admin", &format!("/api/v1/stacks/media/history/{id}")).await.is(404);
    }
    // What cannot be committed is saved all the same, and why is said.
    std::fs::write(s.dir.join(".git/MERGE_HEAD"), "").unwrap();
    let save = json!({"text": text});
    let saved = s.call("admin", "PUT", "/api/v1/stacks/media", Some(save), &[("if-match", "*")]).await.is(200).body;
    assert!(saved["version"].is_null() && saved["not_kept"].as_str().unwrap().contains("MERGE_HEAD"), "{saved}");
    assert!(s.read("stacks/media.yaml").contains("any/web:2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_repository_versions_are_kept_in_state_also_of_what_is_deleted() {
    let s = Server::begin().await;
    let before = s.read("stacks/tools.yaml");
    let changed = format!("{before}# changed\n");
    let save = json!({"text": changed, "message": "say so"});
    let saved = s.call("admin", "PUT", "/api/v1/stacks/tools", Some(save), &[("if-match", "*")]).await.is(200);
    assert_eq!(saved.body["version"], "2");
    let with = [("if-match", saved.header("etag"))];
    s.call("admin", "DELETE", "/api/v1/stacks/tools?message=not%20needed", None, &with).await.is(204);
    let path = "/api/v1/stacks/tools/history";
    let history = s.get("admin", path).await.is(200);
    assert_eq!(history.items("message"), ["not needed", "say so", ""]);
    let page = s.get("admin", &format!("{path}?limit=2")).await.is(200);
    let rest = s.get("admin", &format!("{path}?limit=2&after={}", page.body["next"].as_str().unwrap())).await.is(200);
    assert_eq!((page.items("id"), rest.items("id")), (vec!["3".to_owned(), "2".to_owned()], vec!["1".to_owned()]));
    assert_eq!(s.get("admin", &format!("{path}/3")).await.is(200).body["text"], json!(null));
    assert_eq!(
        s.call("admin", "POST", &format!("{path}/3/restore"), None, &[("if-none-match", "*")]).await.is(422).code(),
        "versions.deleted"
    );
    s.call("admin", "POST", &format!("{path}/1/restore"), None, &[("if-none-match", "*")]).await.is(201);
    assert_eq!(s.read("stacks/tools.yaml"), before);
    assert_eq!(s.get("admin", "/api/v1/stacks/nothing/history").await.is(404).code(), "home.no-stack");
    for (method, way) in [("GET", ""), ("GET", "/1"), ("POST", "/1/restore")] {
        s.call("operator", method, &format!("{path}{way}"), None, &[("if-match", "*")]).await.is(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_text_is_made_and_nothing_is_written() {
    let s = Server::begin().await;
    s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    let files = || {
        let mut all: Vec<String> = Vec::new();
        for folder in ["", "stacks", "compose"] {
            for entry in std::fs::read_dir(s.dir.join(folder)).unwrap().flatten() {
                all.push(format!("{} {:?}", entry.path().display(), std::fs::read(entry.path()).ok()));
            }
        }
        all.sort();
        all
    };
    let before = (files(), s.get("admin", "/api/v1/plans").await.is(200).items("id"));
    let text = s.read("stacks/media.yaml").replace("any/web:1", "any/web:2");
    let draft = s.post("admin", "/api/v1/stacks/media/plan", json!({"text": text})).await.is(200).body;
    let row = draft["plan"]["rows"].as_array().unwrap().iter().find(|row| row["service"] == "web").unwrap().clone();
    assert_eq!(row["verb"], "replace", "{draft}");
    assert_eq!(before, (files(), s.get("admin", "/api/v1/plans").await.is(200).items("id")));
    let wrong = json!({"text": "services: { web: { imgae: x } }"});
    let told = s.post("admin", "/api/v1/stacks/media/plan", wrong).await.is(422).body;
    assert!(told.to_string().contains("imgae"), "{told}");
    s.post("operator", "/api/v1/stacks/media/plan", json!({"text": text})).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn stacks_are_listed_also_where_one_holds_mistakes() {
    let s = Server::begin().await;
    std::fs::write(s.dir.join("stacks/broken.yaml"), "services:\n  a: { imgae: x }\n  b: { image: [1] }\n").unwrap();
    let all = s.get("viewer", "/api/v1/stacks").await.is(200);
    assert_eq!(all.items("name"), ["broken", "media", "tools"]);
    let of = |name: &str| all.body["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert!(of("broken")["errors"].as_u64().unwrap() >= 2, "{}", all.body);
    assert_eq!(of("media")["errors"], 0);
    assert!(of("media")["services"].as_array().unwrap().contains(&json!("web")), "{}", all.body);
    assert!(of("media")["changed"].as_str().unwrap().starts_with("20"));
}
