//! Roles times objects: every route with a part of its path left open, asked for what is really there and belongs to somebody else, by nobody and by each role.

use hearth::auth::who::By;
use std::collections::BTreeMap;

use hearth::auth::accounts::{NewInvitation, NewToken, NewUser};
use hearth::auth::table::Entry;
use hearth::auth::who::{Role, Who};
use hearth::routes;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::rig::{Server, Socket};

/// What stands in what is there, and in no answer to who may not see it.
const MARKERS: [&str; 3] = ["marker-", "geheim-42", "any/web:1"];

/// A path's open part, with the path up to it as the table writes it, and what really is there. A route that leaves a part open has to have one here.
type Objects = BTreeMap<&'static str, String>;

/// A home in which there is one of everything, none of it of whoever asks: the people of the rig have the numbers 0 to 3, by role, and the owner is 4.
async fn filled() -> (Server, Objects, String) {
    let s = Server::begin().await;
    for (name, role) in [("m", Role::Member), ("o", Role::Operator), ("a", Role::Admin), ("owner", Role::Admin)] {
        let new = NewUser {
            name: format!("{name}{name}"),
            email: None,
            display_name: Some(format!("marker-{name}")),
            role,
            groups: Vec::new(),
            only: Vec::new(),
            password: None,
        };
        s.auth.add_user(new).await.unwrap();
    }
    let owner = s.auth.user(4).await.unwrap();
    assert_eq!(owner.name, "ownerowner");
    let session = s.auth.begin_session(&owner, "marker-agent", [192, 168, 1, 9].into()).await.unwrap();
    let new = NewToken { name: "marker-token".into(), scopes: vec!["read".into()], days: None };
    let (token, _) = s.auth.add_token(4, &By::Terminal, new).await.unwrap();
    s.auth.add_group("family", "marker-group").await.unwrap();
    let new = NewInvitation {
        role: Role::Admin,
        only: Vec::new(),
        note: "marker-note".into(),
        days: 7,
        uses: 1,
        maker: None,
    };
    let (invitation, _) = s.auth.invite(new).await.unwrap();
    let path = format!("sqlite://{}", s.dir.join("state/hearth.db").display());
    let mut db = SqliteConnection::connect(&path).await.unwrap();
    db.execute(
        "INSERT INTO passkeys (credential, id, person, handle, name, public, made) VALUES ('marker-c', 'key4', 4, 'marker-h', 'marker-key', '{}', 1);
         INSERT INTO provider_links (issuer, subject, person, made) VALUES ('marker-issuer', 'marker-subject', 4, 1)",
    )
    .await
    .unwrap();
    db.close().await.unwrap();
    let plan = s.post("operator", "/api/v1/plans", json!({"names": ["tools"]})).await.is(200).body;
    let work = s.done("admin", "/api/v1/up", json!({"names": ["media"]})).await;
    let run = s.get("viewer", "/api/v1/history").await.is(200).items("id").remove(0);
    let ticket = s.post("operator", "/api/v1/containers/apihome-web-1/exec", json!({"command": ["sh"]})).await.is(200);
    {
        // A project of somebody else's on the same engine.
        let mut world = s.world();
        let mut one = world.containers.values().next().unwrap().clone();
        one.id = "f".repeat(64);
        one.name = "other-web-1".into();
        one.labels.insert("com.docker.compose.project".into(), "other".into());
        world.containers.insert(one.id.clone(), one);
    }
    let stack = json!({"text": s.read("stacks/media.yaml") + "# marker-stack\n"});
    s.call("admin", "PUT", "/api/v1/stacks/media", Some(stack), &[("if-match", "*")]).await.is(200);
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let objects = BTreeMap::from([
        ("/api/v1/auth/users/{id}", "4".to_owned()),
        ("/api/v1/users/{id}", "4".to_owned()),
        ("/api/v1/users/{id}/sessions/{session}", session.id.clone()),
        ("/api/v1/users/{id}/tokens/{token}", token.id.clone()),
        ("/api/v1/users/{id}/passkeys/{key}", "key4".to_owned()),
        ("/api/v1/sessions/{id}", session.id),
        ("/api/v1/tokens/{id}", token.id),
        ("/api/v1/auth/passkeys/{id}", "key4".to_owned()),
        ("/account/passkeys/{id}", "key4".to_owned()),
        ("/api/v1/groups/{name}", "family".to_owned()),
        ("/api/v1/invitations/{id}", invitation.id.clone()),
        ("/api/v1/profiles/{name}", "media".to_owned()),
        ("/api/v1/services/{name}", "web".to_owned()),
        ("/api/v1/containers/{id}", "apihome-web-1".to_owned()),
        ("/api/v1/plans/{id}", text(&plan)),
        ("/api/v1/works/{id}", text(&work)),
        ("/api/v1/history/{id}", run.clone()),
        ("/api/v1/projects/{name}", "other".to_owned()),
        ("/api/v1/stacks/{name}", "media".to_owned()),
        ("/api/v1/stacks/{name}/history/{id}", "1".to_owned()),
        ("/api/v1/variables/{name}", "MARKED".to_owned()),
        ("/api/v1/secrets/{name}", "key".to_owned()),
        ("/api/v1/settings/{key}", "profiles".to_owned()),
        ("/storage/plans/{id}", text(&plan)),
        ("/found/{name}", "other".to_owned()),
        ("/profiles/{name}", "media".to_owned()),
        ("/services/{name}", "web".to_owned()),
        ("/plans/{id}", text(&plan)),
        ("/history/{id}", run),
        ("/stacks/{name}", "media".to_owned()),
        ("/stacks/{name}/history/{id}", "1".to_owned()),
        ("/variables/{name}", "MARKED".to_owned()),
        ("/variables/secrets/{name}", "key".to_owned()),
        ("/works/{id}", text(&work)),
        ("/people/{id}", "4".to_owned()),
        ("/settings/{key}", "auth.registration".to_owned()),
        ("/groups/{name}", "family".to_owned()),
        ("/invitations/{id}", invitation.id.clone()),
        // The same in every home.
        ("/static/{file}", hearth::web::asset("panel.css").unwrap().rsplit('/').next().unwrap().to_owned()),
        ("/docs/guide/{page}", "people".to_owned()),
        // For everybody: whoever knows the name of a challenge is the authority that gave it.
        ("/.well-known/acme-challenge/{token}", "x".to_owned()),
    ]);
    let ticket = ticket.body["path"].as_str().unwrap().to_owned();
    (s, objects, ticket)
}

/// The row's path with what is really there.
fn path(entry: &Entry, objects: &Objects) -> String {
    let mut at = String::new();
    let mut path = String::new();
    for segment in entry.path.split('/').skip(1) {
        at = format!("{at}/{segment}");
        let part = match segment.starts_with('{') {
            false => segment,
            true => objects.get(at.as_str()).unwrap_or_else(|| {
                panic!(
                    "{} {}: enter in tests/api/objects.rs what `{at}` stands for, of somebody else's",
                    entry.method, entry.path
                )
            }),
        };
        path = format!("{path}/{part}");
    }
    path
}

/// All that could be changed by any of it.
async fn everything(s: &Server) -> String {
    let mut all = String::new();
    for path in [
        "users",
        "users/4/sessions",
        "users/4/tokens",
        "users/4/passkeys",
        "users/4/oidc",
        "groups",
        "invitations",
        "stacks/media",
        "settings",
        "works",
        "plans",
        "projects",
        "profiles",
    ] {
        all.push_str(&s.get("admin", &format!("/api/v1/{path}")).await.is(200).body.to_string());
        all.push('\n');
    }
    all.push_str(&format!("{:?}", s.world().containers));
    all
}

/// What a row whose body is looked at before its object would take.
fn body(entry: &Entry) -> Option<Value> {
    match entry.name.as_str() {
        "passkeys.rename" => Some(json!({"name": "mine now"})),
        _ => entry.changes().then(|| json!({})),
    }
}

fn quiet(what: &str, text: &str) {
    for marker in MARKERS {
        assert!(!text.contains(marker), "{what} shows {marker}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_11_what_is_somebody_elses_is_neither_seen_nor_touched_by_whoever_may_not() {
    let (s, objects, _) = filled().await;
    let before = everything(&s).await;
    for marker in MARKERS.iter().take(2) {
        assert!(before.contains(marker), "{marker}");
    }
    let table = routes::table();
    let rows: Vec<&Entry> = table.entries().filter(|entry| entry.path.contains('{')).collect();
    assert!(rows.len() > 40, "{}", rows.len());
    let (mut refused, mut seen) = (0, 0);
    for entry in rows {
        let path = path(entry, &objects);
        if entry.who == Who::Anyone {
            continue;
        }
        for role in ["", "viewer", "member", "operator", "admin"] {
            let what = format!("{role} {} {path}", entry.method);
            let admitted = role.parse::<Role>().is_ok_and(|role| entry.who.admits(role));
            // What is asked for as one's own is not found by anybody else, whatever they may elsewhere.
            let own = matches!(entry.who, Who::User | Who::Person);
            if admitted && !own {
                // That it really is there is shown by whoever may look at it.
                let looks = !entry.changes() && !path.ends_with("/exec") && !path.ends_with("/adoption");
                if looks {
                    assert_eq!(s.open(role, "GET", &path, None, &[]).await.status().as_u16(), 200, "{what}");
                    seen += 1;
                }
                continue;
            }
            let answer = match entry.path.starts_with("/account/") {
                true => s.form(role, &path, "act=remove").await,
                false => s.text(role, entry.method.as_str(), &path, body(entry)).await,
            };
            let expected = if role.is_empty() {
                401
            } else if own {
                404
            } else {
                403
            };
            assert_eq!(answer.0, expected, "{what}: {}", answer.1);
            // Their own page says what they are called themselves.
            let letter = role.get(..1).unwrap_or_default();
            let theirs = [format!("\"marker-{letter}\""), format!(">marker-{letter}<")];
            quiet(&what, &theirs.iter().fold(answer.1, |text, own| text.replace(own, "")));
            refused += 1;
        }
        assert_eq!(everything(&s).await, before, "{} {path} has changed something", entry.method);
    }
    assert!(refused > 100 && seen > 20, "{refused} {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_11_a_ticket_is_good_for_whom_it_was_made() {
    let (s, _, ticket) = filled().await;
    for (role, status) in [("", 401), ("viewer", 403), ("member", 403), ("admin", 403)] {
        assert_eq!(Socket::open(&s, role, &ticket, &[]).await.err(), Some(status), "{role}");
    }
}
