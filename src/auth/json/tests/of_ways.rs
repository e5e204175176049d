//! What an admin sees and takes away of how others get in.

use super::*;
use crate::auth::accounts::NewToken;
use crate::auth::who::By;
use crate::store::execute;

#[tokio::test]
async fn an_admin_sees_and_ends_by_what_others_get_in_and_no_secret_of_it() {
    homes(People::default(), async |w| {
        w.add("root", Role::Admin).await;
        let anna = w.add("anna", Role::Member).await.id;
        let codes = w.with_factor(anna).await;
        let add = async |tx: &mut crate::store::Tx| {
            let key = "INSERT INTO passkeys (credential, id, person, handle, name, public, made)
                       VALUES ('cred-marker', 'key1', 2, 'handle-marker', 'phone', 'public-marker', 5)";
            execute!(tx, key)?;
            let link = "INSERT INTO provider_links (issuer, subject, person, made) VALUES ('https://id.example', 'subject-marker', 2, 6)";
            execute!(tx, link).map(drop)
        };
        w.db.write(add).await.unwrap();
        let new = NewToken { name: "backup".into(), scopes: vec!["read".into()], days: None };
        let (token, secret) = w.auth.add_token(anna, &By::Terminal, new).await.unwrap();
        let p = Program::of(&w);
        let root = p.signed_in("root").await;
        let paper = json!({"username": "anna", "password": PASSWORD, "otp": codes[0].expose()});
        let login = p.calls("POST /api/v1/auth/login", paper).await;
        let who = p.with(&login.body["access_token"]);
        let at = |what: &str| format!("/api/v1/users/{anna}/{what}");
        let keys = root.gets(&at("passkeys")).await.body;
        assert_eq!(keys, json!({"items": [{"id": "key1", "name": "phone", "made": 5, "last_used": null}], "next": null}));
        for (path, known) in [("passkeys", "-last_used"), ("oidc", "issuer")] {
            assert_eq!(root.gets(&at(&format!("{path}?sort={known}&limit=1"))).await.body["items"].as_array().unwrap().len(), 1);
            assert_eq!(root.gets(&at(&format!("{path}?sort=handle"))).await.told(), (422, "web.does-not-fit"), "{path}");
        }
        let links = root.gets(&at("oidc")).await.body;
        assert_eq!(links["items"][0]["issuer"], "https://id.example");
        let factor = root.gets(&at("second-factor")).await.body;
        assert_eq!((&factor["on"], &factor["codes_left"]), (&json!(true), &json!(codes.len() - 1)));
        let tokens = root.gets(&at("tokens")).await.body;
        assert_eq!((&tokens["items"][0]["id"], &tokens["items"][0]["name"]), (&json!(token.id), &json!("backup")));
        let sessions = root.gets(&at("sessions")).await.body;
        let session = sessions["items"][0]["id"].as_str().unwrap().to_owned();
        let seen = format!("{keys}{links}{factor}{tokens}{sessions}");
        assert!(!seen.contains("marker") && !seen.contains(secret.expose()), "{seen}");
        assert!(!seen.contains(&crate::auth::secrets::hash(secret.expose())), "{seen}");
        let token_at = at(&format!("tokens/{}", token.id));
        let session_at = at(&format!("sessions/{session}"));
        let all = [at("passkeys/key1"), at("oidc"), at("second-factor"), token_at.clone(), session_at.clone()];
        // Nobody else can, be it of themselves.
        for path in &all {
            assert_eq!(who.calls(&format!("DELETE {path}"), Value::Null).await.told(), (403, "auth.not-allowed"), "{path}");
        }
        // What is another user's is not found under this one.
        for path in [token_at.replace("/2/", "/1/"), session_at.replace("/2/", "/1/"), "/api/v1/users/1/passkeys/key1".into()] {
            assert_eq!(root.calls(&format!("DELETE {path}"), Value::Null).await.status, 404, "{path}");
        }
        assert_eq!(who.gets("/api/v1/auth/me").await.status, 200);
        for path in &all {
            assert_eq!(root.calls(&format!("DELETE {path}"), Value::Null).await.status, 204, "{path}");
            assert_eq!(root.calls(&format!("DELETE {path}"), Value::Null).await.status, 404, "{path}");
        }
        assert_eq!(root.gets(&at("passkeys")).await.body["items"], json!([]));
        assert_eq!(who.gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
        assert_eq!(p.with(&json!(secret.expose())).gets("/api/v1/auth/me").await.told(), (401, "auth.bad-token"));
        for what in ["passkeys", "oidc", "second-factor", "tokens", "sessions"] {
            assert_eq!(root.gets(&format!("/api/v1/users/99/{what}")).await.told(), (404, "auth.no-such-user"), "{what}");
        }
    })
    .await;
}
