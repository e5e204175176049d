//! A database that is away, and one whose tables were changed by hand: who asks is told so, and not where it is.

use std::collections::BTreeMap;
use std::path::Path;

use hearth::engine::fake::{ADDRESS, Double};
use serde_json::json;
use sqlx::{Connection, Executor};

use crate::rig::Server;

#[expect(dead_code, reason = "the store's own tests use all of it")]
#[path = "../../src/store/tests/server.rs"]
mod server;

/// A server of a home with one service, whose `.env` is this.
async fn begin(dir: &Path, env: &str) -> Server {
    std::fs::create_dir(dir.join("stacks")).unwrap();
    std::fs::write(dir.join("hearth.yaml"), "name: apihome\nmode: localhost\nprofiles: []\n").unwrap();
    std::fs::write(dir.join("stacks/tools.yaml"), "services:\n  tool: { image: any/tool:1, profiles: [tools] }\n")
        .unwrap();
    std::fs::write(dir.join(".env"), env).unwrap();
    let environment = BTreeMap::from([("DOCKER_HOST".to_owned(), ADDRESS.to_owned())]);
    Server::of(dir.to_owned(), environment, Some(Double::default())).await
}

/// What of it nobody may be told.
fn is_silent(said: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} is told: {said}");
    }
}

/// Asked by nobody, by a page and by an admin: the status, and no word of where.
async fn is_told(s: &Server, status: u16, code: &str, secrets: &[&str]) {
    let login = json!({"username": "ann", "password": "a long enough word"});
    for (who, method, path, body) in [
        ("", "POST", "/api/v1/auth/login", Some(login.clone())),
        ("", "POST", "/api/auth/login", Some(login)),
        ("member", "GET", "/api/v1/auth/me", None),
        ("admin", "GET", "/api/v1/users", None),
        ("admin", "GET", "/api/v1/users/1", None),
    ] {
        let (is, said) = s.text(who, method, path, body).await;
        assert_eq!(is, status, "{who} {method} {path}: {said}");
        assert!(said.contains(code) && said.contains("the database"), "{said}");
        is_silent(&said, secrets);
    }
    let page = s.browser("", "/login", "username=ann&password=a+long+enough+word", "").await;
    assert!(page.status == status && page.body.contains("he database"), "{}: {}", page.status, page.body);
    is_silent(&page.body, secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_not_told_where_a_database_is_that_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let s = begin(dir.path(), "HEARTH_DATABASE_URL=postgres://joe:s3cret@127.0.0.1:1/rooms\n").await;
    let secrets = ["127.0.0.1", "joe", "s3cret", "rooms", "postgres:", "refused"];
    is_told(&s, 503, "store.unreachable", &secrets).await;
    // Nor by a work that goes on without it.
    let work = s.done("operator", "/api/v1/up", json!({"names": ["tools"]})).await;
    let events = format!("/api/v1/works/{}/events", work["id"].as_str().unwrap());
    let (_, said) = s.text("operator", "GET", &events, None).await;
    assert!(said.contains("store.unreachable"), "{said}");
    is_silent(&said, &secrets);
    is_silent(&work.to_string(), &secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_not_told_what_a_database_says_of_a_statement_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    let s = begin(dir.path(), "").await;
    s.get("admin", "/api/v1/users").await.is(200);
    let file = dir.path().join("state/hearth.db");
    let mut on = sqlx::SqliteConnection::connect(&file.display().to_string()).await.unwrap();
    on.execute("ALTER TABLE users RENAME TO persons").await.unwrap();
    on.close().await.unwrap();
    is_told(&s, 500, "store.failed", &["hearth.db", "/state", "no such table"]).await;

    let server = server::Server::shared().unwrap();
    let (dir, name) = (tempfile::tempdir().unwrap(), server::new_name());
    let mut on = sqlx::PgConnection::connect(&server.url("postgres")).await.unwrap();
    on.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    on.close().await.unwrap();
    let s = begin(dir.path(), &format!("HEARTH_DATABASE_URL={}\n", server.url(&name))).await;
    s.get("admin", "/api/v1/users").await.is(200);
    let mut on = sqlx::PgConnection::connect(&server.url(&name)).await.unwrap();
    on.execute("ALTER TABLE users RENAME TO persons").await.unwrap();
    on.close().await.unwrap();
    let port = format!(":{}", server.port);
    is_told(&s, 500, "store.failed", &["127.0.0.1", &port, &name, "postgres:", "relation"]).await;
}
