//! The calls as programs make them, through the guard.

mod of_audit;
mod of_ways;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::auth::Auth;
use crate::auth::accounts::Change;
use crate::auth::accounts::tests::{MINUTE, PASSWORD, World, homes, named, near};
use crate::auth::own_name::OwnName;
use crate::auth::routed::Routes;
use crate::auth::table::{Act, Guard, Notebook, Table};
use crate::calls;
use crate::config::people::{People, Registration};

struct NoNotes;

#[async_trait::async_trait]
impl Notebook for NoNotes {
    async fn note(&self, _: Act) {}
}

#[derive(Clone, FromRef)]
struct Here {
    auth: Arc<Auth>,
    routed: Routes,
}

/// A home without a stack.
fn no_routes() -> Routes {
    Routes::new(|| None)
}

fn table() -> Table<Here> {
    let mut table = Table::default();
    table.early(|early| {
        calls! { early:
            POST "/api/v1/setup" Anyone => setup::set_up;
        }
    });
    calls! { table:
        POST "/api/v1/auth/login" Anyone => login::login;
        POST "/api/v1/auth/refresh" Anyone => login::refresh;
        POST "/api/v1/auth/register" Anyone => login::register;
        POST "/api/v1/auth/logout" Person => login::logout;
        GET "/api/v1/auth/me" User => me::me;
        PATCH "/api/v1/auth/me" Person => me::change;
        POST "/api/v1/auth/password" Person => me::password;
        GET "/api/v1/auth/second-factor" User => second_factor::show;
        POST "/api/v1/auth/second-factor/begin" Anyone => second_factor::begin;
        POST "/api/v1/auth/second-factor/confirm" Anyone => second_factor::confirm;
        POST "/api/v1/auth/second-factor/codes" Person => second_factor::codes;
        POST "/api/v1/auth/second-factor/off" Person => second_factor::off;
        GET "/api/v1/sessions" User => sessions::list;
        DELETE "/api/v1/sessions" Person => sessions::end_all;
        DELETE "/api/v1/sessions/{id}" Person => sessions::end;
        GET "/api/v1/tokens" User => tokens::list;
        POST "/api/v1/tokens" Person => tokens::add;
        DELETE "/api/v1/tokens/{id}" Person => tokens::end;
        GET "/api/v1/auth/users/{id}" Admin => users::show_as_homeserver;
        GET "/api/v1/users" Admin => users::list;
        POST "/api/v1/users" Admin => users::add;
        GET "/api/v1/users/{id}" Admin => users::show;
        PATCH "/api/v1/users/{id}" Admin => users::change;
        DELETE "/api/v1/users/{id}" Admin => users::remove;
        PUT "/api/v1/users/{id}/password" Admin => users::password;
        DELETE "/api/v1/users/{id}/second-factor" Admin => users::second_factor_off;
        GET "/api/v1/users/{id}/sessions" Admin => sessions::of_user;
        DELETE "/api/v1/users/{id}/sessions" Admin => sessions::end_of_user;
        DELETE "/api/v1/users/{id}/sessions/{session}" Admin => ways::end_session;
        GET "/api/v1/users/{id}/second-factor" Admin => ways::second_factor;
        GET "/api/v1/users/{id}/tokens" Admin => ways::tokens;
        DELETE "/api/v1/users/{id}/tokens/{token}" Admin => ways::end_token;
        GET "/api/v1/users/{id}/passkeys" Admin => ways::passkeys;
        DELETE "/api/v1/users/{id}/passkeys/{key}" Admin => ways::take_passkey;
        GET "/api/v1/users/{id}/oidc" Admin => ways::links;
        DELETE "/api/v1/users/{id}/oidc" Admin => ways::unlink;
        GET "/api/v1/groups" Admin => groups::list;
        POST "/api/v1/groups" Admin => groups::add;
        GET "/api/v1/groups/{name}" Admin => groups::show;
        PATCH "/api/v1/groups/{name}" Admin => groups::change;
        DELETE "/api/v1/groups/{name}" Admin => groups::remove;
        GET "/api/v1/invitations" Admin => invitations::list;
        POST "/api/v1/invitations" Admin => invitations::add;
        DELETE "/api/v1/invitations/{id}" Admin => invitations::end;
        POST "/api/auth/login" Anyone => baluhost::login;
    }
    table
}

/// A program that calls.
struct Program {
    router: Router,
    bearer: Option<String>,
    address: &'static str,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Program {
    fn of(world: &World) -> Program {
        Program::in_home(world, no_routes())
    }

    fn in_home(world: &World, routed: Routes) -> Program {
        let guard = Arc::new(Guard::new(
            world.auth.clone(),
            Arc::new(NoNotes),
            OwnName::labelled("aaaaaaaaaaaa").unwrap(),
            Vec::new(),
            1,
        ));
        let here = Here { auth: world.auth.clone(), routed };
        Program { router: table().router(&guard).with_state(here), bearer: None, address: "192.168.1.7" }
    }

    fn with(&self, bearer: &Value) -> Program {
        Program { router: self.router.clone(), bearer: bearer.as_str().map(str::to_owned), address: self.address }
    }

    async fn sends(&self, line: &str, kind: &str, body: String) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path).header("user-agent", "curl/8.5.0");
        if !body.is_empty() {
            request = request.header("content-type", kind);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let caller = Caller { address: self.address.parse().unwrap(), https: true, host: Some("home.example".into()) };
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(caller);
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    async fn calls(&self, line: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.sends(line, "application/json", body).await
    }

    async fn gets(&self, path: &str) -> Answer {
        self.calls(&format!("GET {path}"), Value::Null).await
    }

    /// Signs in and gives who then calls.
    async fn signed_in(&self, name: &str) -> Program {
        let answer = self.calls("POST /api/v1/auth/login", json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.with(&answer.body["access_token"])
    }
}

impl Answer {
    /// Its status and the code of its refusal.
    fn told(&self) -> (u16, &str) {
        assert_eq!(self.body["error"]["code"].is_string(), !self.body["detail"].is_null(), "{}", self.body);
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }
}

#[tokio::test]
async fn hostile_15_until_the_home_is_set_up_only_the_token_opens_anything() {
    homes(People::default(), async |w| {
        let p = Program::of(&w);
        let login = json!({"username": "root", "password": PASSWORD});
        assert_eq!(p.calls("POST /api/v1/auth/login", login.clone()).await.told(), (403, "auth.not-set-up"));
        assert_eq!(p.gets("/api/v1/users").await.told(), (403, "auth.not-set-up"));
        let token = w.auth.setup_token().await.unwrap();
        let mut root = json!({"token": "guess", "username": "root", "password": PASSWORD});
        assert_eq!(p.calls("POST /api/v1/setup", root.clone()).await.told(), (403, "auth.bad-link"));
        root["token"] = json!(token.expose());
        root["role"] = json!("viewer");
        assert_eq!(p.calls("POST /api/v1/setup", root.clone()).await.told(), (422, "web.does-not-fit"));
        root.as_object_mut().unwrap().remove("role");
        let done = p.calls("POST /api/v1/setup", root.clone()).await;
        assert_eq!((done.status, &done.body["user"]["role"]), (201, &json!("admin")));
        assert_eq!(p.with(&done.body["access_token"]).gets("/api/v1/users").await.status, 200);
        assert_eq!(p.calls("POST /api/v1/setup", root).await.told(), (409, "auth.set-up"));
        assert_eq!(p.calls("POST /api/v1/auth/login", login).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn clients_of_homeserver_and_baluhost_sign_in_as_they_do() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        w.add("anna", Role::Member).await;
        let p = Program::of(&w);
        let form = "grant_type=password&username=anna&password=four+words+on+paper&scope=".to_string();
        let by_form = p.sends("POST /api/v1/auth/login", "application/x-www-form-urlencoded", form).await;
        let by_json = p.calls("POST /api/v1/auth/login", json!({"username": "anna", "password": PASSWORD})).await;
        for answer in [&by_form, &by_json] {
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("bearer"), &json!(900)));
            let user = &answer.body["user"];
            assert_eq!((&user["id"], &user["username"], &user["is_active"]), (&json!(2), &json!("anna"), &json!(true)));
            assert_eq!((&user["role"], &user["is_superuser"]), (&json!("member"), &json!(false)));
            assert_eq!(user["created_at"], "2026-05-28T20:26:40Z");
            let who = p.with(&answer.body["access_token"]);
            assert_eq!(who.gets("/api/v1/auth/me").await.body["username"], "anna");
        }
        let balu = p.calls("POST /api/auth/login", json!({"username": "root", "password": PASSWORD})).await;
        let user =
            json!({"id": 1, "username": "root", "email": "", "role": "admin", "created_at": "2026-05-28T20:26:40Z"});
        assert_eq!((balu.status, &balu.body["user"]), (200, &user));
        let root = p.with(&balu.body["token"]);
        let shown = root.gets("/api/v1/auth/users/2").await;
        assert_eq!((shown.status, &shown.body["username"]), (200, &json!("anna")));
        let anna = p.signed_in("anna").await;
        assert_eq!(anna.gets("/api/v1/auth/users/2").await.told(), (403, "auth.not-allowed"));

        let wrong = p.calls("POST /api/v1/auth/login", json!({"username": "anna", "password": "no"})).await;
        assert_eq!(wrong.told(), (401, "auth.wrong-password"));
        assert!(wrong.body["detail"].is_string());
        assert_eq!(
            p.calls("POST /api/v1/auth/login", json!({"username": "anna"})).await.told(),
            (422, "web.does-not-fit")
        );
        assert_eq!(p.gets("/api/v1/auth/me").await.told(), (401, "auth.nobody"));
        assert_eq!(p.with(&json!("x.y.z")).gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
        root.calls("PATCH /api/v1/users/2", json!({"is_active": false})).await;
        assert_eq!(anna.gets("/api/v1/auth/me").await.told(), (403, "auth.inactive"));
    })
    .await;
}

#[tokio::test]
async fn a_program_stays_signed_in_by_refreshing_until_it_signs_out() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let first = p.calls("POST /api/v1/auth/login", json!({"username": "root", "password": PASSWORD})).await.body;
        let refresh = json!({"refresh_token": first["refresh_token"]});
        let next = p.calls("POST /api/v1/auth/refresh", refresh.clone()).await;
        assert_eq!(next.status, 200);
        assert_ne!(next.body["refresh_token"], first["refresh_token"]);
        let who = p.with(&next.body["access_token"]);
        assert_eq!(who.gets("/api/v1/auth/me").await.status, 200);
        assert_eq!(p.calls("POST /api/v1/auth/refresh", refresh).await.told(), (401, "auth.replayed"));
        assert_eq!(who.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
        let again = p.signed_in("root").await;
        assert_eq!(again.calls("POST /api/v1/auth/logout", Value::Null).await.status, 204);
        assert_eq!(again.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
    })
    .await;
}

#[tokio::test]
async fn registration_answers_201_closed_403_and_taken_409() {
    let anna = json!({"username": "anna", "email": "anna@example.org", "password": PASSWORD});
    homes(People { registration: Registration::Closed, ..People::default() }, async |w| {
        w.add("root", Role::Admin).await;
        let told = Program::of(&w).calls("POST /api/v1/auth/register", anna.clone()).await;
        assert_eq!(told.told(), (403, "auth.registration-closed"));
    })
    .await;
    homes(People { registration: Registration::Open, ..People::default() }, async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let made = p.calls("POST /api/v1/auth/register", anna.clone()).await;
        assert_eq!((made.status, &made.body["email"]), (201, &json!("anna@example.org")));
        assert_eq!(p.calls("POST /api/v1/auth/register", anna.clone()).await.told(), (409, "auth.taken"));
        let weak = json!({"username": "ben", "password": "password123"});
        let told = p.calls("POST /api/v1/auth/register", weak).await;
        assert_eq!(
            (told.told(), &told.body["detail"][0]["loc"]),
            ((422, "auth.password"), &json!(["body", "password"]))
        );
    })
    .await;
}

#[tokio::test]
async fn an_admin_manages_users_groups_and_invitations() {
    homes(People { registration: Registration::Invite, ..People::default() }, async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let root = p.signed_in("root").await;
        let kids = root.calls("POST /api/v1/groups", json!({"name": "kids", "about": "under age"})).await;
        assert_eq!((kids.status, &kids.body["members"]), (201, &json!([])));
        let anna = json!({"username": "anna", "role": "member", "groups": ["kids"], "password": PASSWORD});
        let made = root.calls("POST /api/v1/users", anna.clone()).await;
        assert_eq!((made.status, &made.body["groups"]), (201, &json!(["kids"])));
        assert_eq!(root.calls("POST /api/v1/users", anna).await.told(), (409, "auth.taken"));
        let odd = json!({"username": "ben", "role": "king"});
        assert_eq!(root.calls("POST /api/v1/users", odd).await.told(), (422, "web.does-not-fit"));
        assert_eq!(root.gets("/api/v1/groups/kids").await.body["members"], json!(["anna"]));

        let page = root.gets("/api/v1/users?limit=1").await.body;
        assert_eq!((page["items"].as_array().unwrap().len(), &page["items"][0]["username"]), (1, &json!("root")));
        let after = page["next"].as_str().unwrap();
        let page = root.gets(&format!("/api/v1/users?limit=1&after={after}")).await.body;
        assert_eq!((&page["next"], &page["items"][0]["username"]), (&Value::Null, &json!("anna")));
        let moved = root.gets(&format!("/api/v1/users?sort=username&after={after}")).await;
        assert_eq!(moved.told(), (422, "web.bad-cursor"));
        let names = |page: &Value| -> Vec<String> {
            page["items"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned()).collect()
        };
        for (query, expected) in [
            ("sort=username", &["anna", "root"][..]),
            ("sort=-username", &["root", "anna"]),
            ("role=admin", &["root"]),
            ("group=kids", &["anna"]),
            ("is_active=false", &[]),
        ] {
            assert_eq!(names(&root.gets(&format!("/api/v1/users?{query}")).await.body), expected, "{query}");
        }
        for (query, code) in
            [("limit=0", "web.bad-limit"), ("sort=age", "web.does-not-fit"), ("page=2", "web.does-not-fit")]
        {
            assert_eq!(root.gets(&format!("/api/v1/users?{query}")).await.told(), (422, code), "{query}");
        }

        let who = p.signed_in("anna").await;
        let version = made.body["version"].clone();
        let change = json!({"role": "viewer", "version": version});
        let changed = root.calls("PATCH /api/v1/users/2", change.clone()).await;
        assert_eq!((changed.status, &changed.body["role"]), (200, &json!("viewer")));
        assert_eq!(who.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"), "hostile_18");
        assert_eq!(root.calls("PATCH /api/v1/users/2", change).await.told(), (409, "auth.changed-meanwhile"));
        let password = json!({"password": "another four words on paper"});
        assert_eq!(root.calls("PUT /api/v1/users/2/password", password).await.status, 204);
        assert_eq!(
            p.calls("POST /api/v1/auth/login", json!({"username": "anna", "password": PASSWORD})).await.status,
            401
        );
        assert_eq!(root.gets("/api/v1/users/2/sessions").await.body, json!({"items": [], "next": null}));
        assert_eq!(
            root.calls("DELETE /api/v1/users/2/second-factor", Value::Null).await.told(),
            (404, "auth.no-second-factor")
        );

        let invited = root.calls("POST /api/v1/invitations", json!({"role": "member", "note": "Ben"})).await;
        assert_eq!((invited.status, &invited.body["uses_left"]), (201, &json!(1)));
        let ben = json!({"username": "ben", "password": PASSWORD, "invite": invited.body["token"]});
        assert_eq!(p.calls("POST /api/v1/auth/register", ben).await.status, 201);
        let other = root.calls("POST /api/v1/invitations", json!({"role": "viewer"})).await.body;
        assert_eq!(root.gets("/api/v1/invitations").await.body["items"].as_array().unwrap().len(), 1);
        let id = other["id"].as_str().unwrap();
        assert_eq!(root.calls(&format!("DELETE /api/v1/invitations/{id}"), Value::Null).await.status, 204);

        let members = root.calls("PATCH /api/v1/groups/kids", json!({"members": ["ben"]})).await;
        assert_eq!(members.told(), (428, "web.no-version"));
        assert_eq!(root.calls("DELETE /api/v1/groups/kids", Value::Null).await.status, 204);
        assert_eq!(root.gets("/api/v1/groups").await.body, json!({"items": [], "next": null}));
        assert_eq!(root.calls("DELETE /api/v1/users/2?heir=1", Value::Null).await.status, 204);
        assert_eq!(root.gets("/api/v1/users/2").await.told(), (404, "auth.no-such-user"));
        assert_eq!(root.calls("DELETE /api/v1/users/1", Value::Null).await.told(), (409, "auth.last-admin"));
        let odd = root.gets("/api/v1/users/x").await;
        assert_eq!(odd.status, 404);
    })
    .await;
}

#[tokio::test]
async fn hostile_18_a_token_of_an_admin_leaves_admins_alone() {
    homes(People { registration: Registration::Invite, ..People::default() }, async |w| {
        w.add("root", Role::Admin).await;
        let (boss, anna) = (w.add("boss", Role::Admin).await.id, w.add("anna", Role::Member).await.id);
        let p = Program::of(&w);
        let root = p.signed_in("root").await;
        let made = root.calls("POST /api/v1/tokens", json!({"name": "script", "scopes": ["admin"]})).await;
        let script = p.with(&made.body["token"]);
        let password = json!({"password": "another four words on paper"});
        for id in [1, boss] {
            for (method, rest, body) in [
                ("PUT", "/password", password.clone()),
                ("DELETE", "/second-factor", Value::Null),
                ("PATCH", "", json!({"role": "operator"})),
                ("PATCH", "", json!({"email": "eve@example.org"})),
                ("DELETE", "", Value::Null),
            ] {
                let told = script.calls(&format!("{method} /api/v1/users/{id}{rest}"), body).await;
                assert_eq!(told.told(), (403, "auth.not-by-token"), "{method} {id}{rest}");
            }
        }
        let rises = script.calls(&format!("PATCH /api/v1/users/{anna}"), json!({"role": "admin"})).await;
        assert_eq!(rises.told(), (403, "auth.not-by-token"));
        let other = script.calls("POST /api/v1/invitations", json!({"role": "admin"})).await;
        assert_eq!(other.told(), (403, "auth.not-by-token"));
        // All else of an admin's it does.
        let changed = script.calls(&format!("PATCH /api/v1/users/{anna}"), json!({"role": "viewer"})).await;
        assert_eq!((changed.status, &changed.body["role"]), (200, &json!("viewer")));
        assert_eq!(script.calls(&format!("PUT /api/v1/users/{anna}/password"), password).await.status, 204);
        assert_eq!(script.calls("POST /api/v1/invitations", json!({"role": "member"})).await.status, 201);
        assert_eq!(script.calls(&format!("DELETE /api/v1/users/{anna}"), Value::Null).await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn hostile_18_an_api_token_cannot_make_itself_more_than_it_is() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let root = p.signed_in("root").await;
        let made = root.calls("POST /api/v1/tokens", json!({"name": "script", "scopes": ["read", "operate"]})).await;
        assert_eq!(made.status, 201);
        let script = p.with(&made.body["token"]);
        assert_eq!(script.gets("/api/v1/auth/me").await.body["username"], "root");
        assert_eq!(script.gets("/api/v1/users").await.told(), (403, "auth.scope"), "it has not the scope admin");
        for (line, body) in [
            ("POST /api/v1/tokens", json!({"name": "more", "scopes": ["admin"]})),
            ("POST /api/v1/auth/password", json!({"old_password": PASSWORD, "new_password": "more words on paper"})),
            ("PATCH /api/v1/auth/me", json!({"email": "evil@example.org"})),
            ("DELETE /api/v1/sessions", Value::Null),
            ("POST /api/v1/auth/second-factor/off", json!({"otp": "000000"})),
        ] {
            assert_eq!(script.calls(line, body).await.told(), (403, "auth.not-by-token"), "{line}");
        }
        let shown = root.gets("/api/v1/tokens").await.body;
        assert_eq!(shown["items"][0]["name"], "script");
        assert!(!shown.to_string().contains(made.body["token"].as_str().unwrap()), "shown once");
        let id = made.body["id"].as_str().unwrap();
        assert_eq!(root.calls(&format!("DELETE /api/v1/tokens/{id}"), Value::Null).await.status, 204);
        assert_eq!(script.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
        // Also where its scope is too small: another token would not help.
        let made_too = root.calls("POST /api/v1/tokens", json!({"name": "reads", "scopes": ["read"]})).await;
        let reads = p.with(&made_too.body["token"]);
        for line in [
            "DELETE /api/v1/tokens/any",
            "POST /api/v1/tokens",
            "POST /api/v1/auth/logout",
            "DELETE /api/v1/sessions",
            "PATCH /api/v1/auth/me",
        ] {
            assert_eq!(reads.calls(line, Value::Null).await.told(), (403, "auth.not-by-token"), "{line}");
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_11_nobody_ends_what_is_another_users() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        w.add("anna", Role::Member).await;
        let p = Program::of(&w);
        let (root, anna) = (p.signed_in("root").await, p.signed_in("anna").await);
        let made = root.calls("POST /api/v1/tokens", json!({"name": "t", "scopes": ["read"]})).await.body;
        let session = root.gets("/api/v1/sessions").await.body["items"][0].clone();
        assert_eq!(
            (&session["device"], &session["sort"], &session["current"]),
            (&json!("curl"), &json!("program"), &json!(true))
        );
        for path in [
            format!("tokens/{}", made["id"].as_str().unwrap()),
            format!("sessions/{}", session["id"].as_str().unwrap()),
        ] {
            let told = anna.calls(&format!("DELETE /api/v1/{path}"), Value::Null).await;
            assert_eq!(told.status, 404, "{path}");
        }
        assert_eq!(anna.gets("/api/v1/tokens").await.body, json!({"items": [], "next": null}));
        assert_eq!(anna.gets("/api/v1/sessions").await.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(p.with(&made["token"]).gets("/api/v1/auth/me").await.status, 200);
        for line in [
            "GET /api/v1/users",
            "GET /api/v1/users/1",
            "GET /api/v1/users/1/sessions",
            "DELETE /api/v1/users/1",
            "GET /api/v1/groups",
            "GET /api/v1/invitations",
        ] {
            assert_eq!(anna.calls(line, Value::Null).await.told(), (403, "auth.not-allowed"), "{line}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_changes_ones_names_password_and_second_factor() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let me = p.signed_in("root").await;
        let changed =
            me.calls("PATCH /api/v1/auth/me", json!({"display_name": "The Root", "email": "r@example.org"})).await;
        assert_eq!((changed.status, &changed.body["display_name"]), (200, &json!("The Root")));
        assert_eq!(me.gets("/api/v1/auth/me").await.body["email"], "r@example.org");
        assert_eq!(me.calls("PATCH /api/v1/auth/me", json!({"email": ""})).await.body["email"], Value::Null);
        assert_eq!(me.calls("PATCH /api/v1/auth/me", json!({"role": "admin"})).await.status, 422);

        let who = json!({"username": "root", "password": PASSWORD});
        let set = p.calls("POST /api/v1/auth/second-factor/begin", who.clone()).await;
        assert!(set.body["svg"].as_str().unwrap().starts_with("<svg"), "{}", set.body);
        let key = totp_rs::Secret::try_from_base32(set.body["key"].as_str().unwrap()).unwrap();
        let code = || crate::auth::factor::totp::code(key.as_bytes(), w.clock.seconds());
        let mut confirm = who.clone();
        confirm["otp"] = json!(code());
        let confirmed = p.calls("POST /api/v1/auth/second-factor/confirm", confirm).await;
        assert_eq!(confirmed.body["recovery_codes"].as_array().unwrap().len(), 10, "{}", confirmed.body);
        let lacking = p.calls("POST /api/v1/auth/login", who.clone()).await;
        assert_eq!(lacking.told(), (401, "auth.second-factor-required"));
        assert_eq!(lacking.body["detail"], "second_factor_required");
        let mut with = who.clone();
        with["otp"] = confirmed.body["recovery_codes"][0].clone();
        assert_eq!(p.calls("POST /api/v1/auth/login", with).await.status, 200);
        let state = me.gets("/api/v1/auth/second-factor").await.body;
        assert_eq!(state, json!({"on": true, "codes_left": 9, "required": false}));
        w.clock.pass(MINUTE);
        assert_eq!(me.calls("POST /api/v1/auth/second-factor/codes", json!({"otp": code()})).await.status, 200);
        w.clock.pass(MINUTE);
        assert_eq!(me.calls("POST /api/v1/auth/second-factor/off", json!({"otp": code()})).await.status, 204);

        let change = |old: &str| json!({"old_password": old, "new_password": "another four words on paper"});
        assert_eq!(me.calls("POST /api/v1/auth/password", change("no")).await.told(), (401, "auth.wrong-password"));
        assert_eq!(me.calls("POST /api/v1/auth/password", change(PASSWORD)).await.status, 204);
        assert_eq!(me.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_changes_its_password_gets_a_new_cookie() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::of(&w);
        let (_, session) = w.auth.login_browser(&named("root", PASSWORD), &near()).await.unwrap();
        let change = json!({"old_password": PASSWORD, "new_password": "another four words on paper"}).to_string();
        let ask = |site: &'static str, cookie: String, change: String| {
            let mut request = Request::post("/api/v1/auth/password")
                .header("content-type", "application/json")
                .header("cookie", cookie)
                .header("sec-fetch-site", site)
                .body(Body::from(change))
                .unwrap();
            let host = Some("home.example".into());
            request.extensions_mut().insert(Caller { address: [192, 168, 1, 7].into(), https: true, host });
            p.router.clone().oneshot(request)
        };
        let cookie = format!("__Host-hearth={}", session.token.expose());
        let foreign = ask("cross-site", cookie.clone(), change.clone()).await.unwrap();
        assert!([401, 403].contains(&foreign.status().as_u16()), "hostile_21");
        let done = ask("same-origin", cookie, change).await.unwrap();
        assert_eq!(done.status().as_u16(), 204);
        let set = done.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(set.starts_with("__Host-hearth=") && !set.contains("Domain"), "{set}");
        for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(set.contains(part), "{set}");
        }
    })
    .await;
}

#[tokio::test]
async fn hostile_20_who_guesses_is_told_when_to_come_again() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program { address: "203.0.113.9", ..Program::of(&w) };
        let mut last = None;
        for n in 0..12 {
            let body = json!({"username": "root", "password": format!("guess {n}")});
            last = Some(p.calls("POST /api/v1/auth/login", body).await);
        }
        let last = last.unwrap();
        assert_eq!(last.told(), (429, "auth.too-often"));
        assert!(last.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    })
    .await;
}

#[test]
fn every_call_of_people_is_described_with_who_may_make_it() {
    let table = table();
    for entry in table.entries() {
        assert!(entry.operation.is_some(), "{} {}", entry.method, entry.path);
    }
    let api = serde_json::to_value(table.openapi("0")).unwrap();
    assert_eq!(api["paths"]["/api/v1/users"]["get"]["x-hearth-who"], "admin");
    let person = &api["components"]["schemas"]["Person"];
    assert_eq!(person["properties"]["id"]["type"], "integer", "{person}");
}

#[tokio::test]
async fn an_account_and_an_invitation_are_for_services_that_there_are() {
    use crate::auth::routed::Routed;
    let routes = || Some(["films", "photos"].map(|s| Routed { service: s.into(), group: None, login: true }).to_vec());
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let p = Program::in_home(&w, Routes::new(routes));
        let root = p.signed_in("root").await;
        let anna = |only: Value| json!({"username": "anna", "role": "member", "only": only, "password": PASSWORD});
        for (line, body) in [
            ("POST /api/v1/users", anna(json!(["photo"]))),
            ("POST /api/v1/invitations", json!({"role": "member", "only": ["photo"]})),
            ("PATCH /api/v1/users/1", json!({"only": ["photo"], "version": 1})),
        ] {
            let told = root.calls(line, body).await;
            assert_eq!(told.told(), (422, "auth.bad-only"), "{line}");
            assert!(told.body["error"].to_string().contains("did you mean `photos`?"), "{line}: {}", told.body);
        }
        let admin = json!({"role": "admin", "only": ["photos"]});
        assert_eq!(root.calls("POST /api/v1/invitations", admin).await.told(), (422, "auth.bad-only"));
        let made = root.calls("POST /api/v1/users", anna(json!(["photos", "films", "photos"]))).await;
        assert_eq!((made.status, &made.body["only"]), (201, &json!(["films", "photos"])));
        assert_eq!(root.gets("/api/v1/users/1").await.body["only"], json!([]));
        // The account is the same for itself, and another list is sent over what was looked at.
        let who = p.signed_in("anna").await;
        assert_eq!(who.gets("/api/v1/auth/me").await.body["only"], json!(["films", "photos"]));
        let bare = root.calls("PATCH /api/v1/users/2", json!({"only": ["photos"]})).await;
        assert_eq!(bare.told(), (428, "web.no-version"));
        let version = &made.body["version"];
        let changed = root.calls("PATCH /api/v1/users/2", json!({"only": ["photos"], "version": version})).await;
        assert_eq!((changed.status, &changed.body["only"]), (200, &json!(["photos"])));
        let stale = root.calls("PATCH /api/v1/users/2", json!({"only": [], "version": version})).await;
        assert_eq!(stale.told(), (409, "auth.changed-meanwhile"));
        assert_eq!(who.gets("/api/v1/auth/me").await.body["only"], json!(["photos"]), "it ends no session");
        // What is gone from the home since then may stay.
        w.auth.change_user(2, Change { only: Some(vec!["gone".into()]), ..Change::default() }).await.unwrap();
        let now = root.gets("/api/v1/users/2").await.body["version"].clone();
        let kept = root.calls("PATCH /api/v1/users/2", json!({"only": ["gone", "films"], "version": now})).await;
        assert_eq!((kept.status, &kept.body["only"]), (200, &json!(["films", "gone"])));

        let invited = root.calls("POST /api/v1/invitations", json!({"role": "member", "only": ["photos"]})).await;
        assert_eq!((invited.status, &invited.body["only"]), (201, &json!(["photos"])));
        assert_eq!(root.gets("/api/v1/invitations").await.body["items"][0]["only"], json!(["photos"]));
        let ben = json!({"username": "ben", "password": PASSWORD, "invite": invited.body["token"]});
        let ben = p.calls("POST /api/v1/auth/register", ben).await;
        assert_eq!((ben.status, &ben.body["only"]), (201, &json!(["photos"])));
        let ben = p.signed_in("ben").await;
        for path in ["/api/v1/users", "/api/v1/groups", "/api/v1/invitations"] {
            assert_eq!(ben.gets(path).await.told(), (403, "auth.not-allowed"), "{path}");
        }
        let more = ben.calls("PATCH /api/v1/auth/me", json!({"only": []})).await;
        assert_eq!(more.told(), (422, "web.does-not-fit"));
    })
    .await;
}
