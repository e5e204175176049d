//! What an API token may never do, whatever its scopes.

use serde_json::{Value, json};

use crate::rig::Server;

/// The id of whom the rig calls `admin`.
const OWN: &str = "3";

#[tokio::test(flavor = "multi_thread")]
async fn hostile_18_a_token_changes_nothing_about_how_its_owner_or_an_admin_signs_in() {
    let s = Server::begin().await;
    let password = json!({"password": "another four words on paper"});
    let own = |rest: &str| format!("/api/v1/users/{OWN}{rest}");
    for (method, path, body) in [
        ("PUT", own("/password"), password.clone()),
        ("DELETE", own("/second-factor"), Value::Null),
        ("DELETE", own("/passkeys/k1"), Value::Null),
        ("DELETE", own("/oidc"), Value::Null),
        ("DELETE", own("/tokens/t2"), Value::Null),
        ("DELETE", own("/sessions/s1"), Value::Null),
        ("DELETE", own("/sessions"), Value::Null),
        ("PATCH", own(""), json!({"role": "operator"})),
        ("PATCH", own(""), json!({"is_active": false})),
        ("DELETE", own(""), Value::Null),
        ("PATCH", "/api/v1/users/77".into(), json!({"role": "admin"})),
        (
            "POST",
            "/api/v1/users".into(),
            json!({"username": "eve", "role": "admin", "password": "four words on paper"}),
        ),
        ("POST", "/api/v1/invitations".into(), json!({"role": "admin"})),
        ("POST", "/api/v1/tokens".into(), json!({"name": "more", "scopes": ["admin"]})),
        ("POST", "/api/v1/auth/password".into(), json!({"old_password": "x", "new_password": "four words on paper"})),
        ("PATCH", "/api/v1/auth/me".into(), json!({"email": "eve@example.org"})),
        ("POST", "/api/v1/auth/passkeys/begin".into(), json!({})),
        ("POST", "/api/v1/auth/passkeys".into(), json!({"ticket": "x", "name": "x", "credential": {}})),
        ("PATCH", "/api/v1/auth/passkeys/k1".into(), json!({"name": "x"})),
        ("DELETE", "/api/v1/auth/passkeys/k1".into(), Value::Null),
        ("POST", "/api/v1/auth/oidc/link".into(), json!({})),
        ("DELETE", "/api/v1/auth/oidc/link".into(), Value::Null),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = s.call("admin.admin", method, &path, body, &[]).await.is(403);
        assert_eq!(answer.code(), "auth.not-by-token", "{method} {path}");
    }
    for (path, form) in [
        ("/account/passkeys/k1", "act=remove"),
        ("/account/provider", "act=unlink"),
        ("/account/second-factor/codes", "otp=123456"),
        ("/account/second-factor/off", "otp=123456"),
    ] {
        let (status, _) = s.form("admin.admin", path, form).await;
        assert_eq!(status, 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_routes_of_the_home_need_is_known_to_the_api_too() {
    let s = Server::begin().await;
    let photos = "services:\n  photos: { image: any/web:1, profiles: [media], x-hearth: { route: { host: photos, port: 80, access: 'group:family' } } }\n";
    std::fs::write(s.dir.join("stacks/photos.yaml"), photos).unwrap();
    s.auth.add_group("family", "").await.unwrap();
    s.auth.add_group("friends", "").await.unwrap();
    let remove = async |at: &str| s.call("admin", "DELETE", &format!("/api/v1/groups/{at}"), None, &[]).await;
    let told = remove("family").await.is(409);
    assert_eq!(told.code(), "auth.group-in-use");
    assert!(told.body["error"]["title"].as_str().unwrap().contains("photos"), "{}", told.body);
    remove("friends").await.is(204);
    remove("family?force=true").await.is(204);
    let told = s.post("admin", "/api/v1/tokens", json!({"name": "n", "scopes": ["route:photo"]})).await.is(404);
    assert_eq!(told.body["error"]["hints"][0], "did you mean `route:photos`?", "{}", told.body);
}
