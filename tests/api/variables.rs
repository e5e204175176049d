//! Variables and secret files: they are set, and never shown.

use serde_json::json;

use crate::rig::Server;

const STACK: &str = "services:\n  vault:\n    image: any/db:1\n    profiles: [db]\n    environment: { PW: '${DB_PASSWORD:?of the database}', TZ: '${TZ:-UTC}' }\n    \
                     secrets: [key]\nsecrets: { key: { file: ./secrets/key }, out: { file: ../key }, own: { file: ./state/x } }\n";

#[tokio::test(flavor = "multi_thread")]
async fn hostile_23_a_variable_is_set_and_its_value_is_in_no_answer() {
    let s = Server::begin().await;
    let env = "# mine\nDB_PASSWORD=geheim-eins # keep\nOTHER='geheim-zwei'\n";
    std::fs::write(s.dir.join(".env"), env).unwrap();
    std::fs::write(s.dir.join("stacks/db.yaml"), STACK).unwrap();
    let mut told = Vec::new();
    let list = s.get("admin", "/api/v1/variables").await.is(200).body;
    let of = |name: &str| list["variables"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    let password = of("DB_PASSWORD");
    for (key, wanted) in [
        ("set", json!(true)),
        ("required", json!(true)),
        ("secret", json!(true)),
        ("why", json!("of the database")),
        ("stacks", json!(["db"])),
        ("services", json!(["vault"])),
    ] {
        assert_eq!(password[key], wanted, "{key}");
    }
    assert_eq!((&of("TZ")["set"], &of("TZ")["has_default"]), (&json!(false), &json!(true)));
    assert_eq!(of("OTHER")["services"], json!([]));
    let put = json!({"text": "geheim-drei it's $HOME"});
    told.push(list.to_string());
    told.push(s.call("admin", "PUT", "/api/v1/variables/DB_PASSWORD", Some(put), &[]).await.is(200).body.to_string());
    assert_eq!(s.read(".env"), "# mine\nDB_PASSWORD='geheim-drei it\\'s $HOME' # keep\nOTHER='geheim-zwei'\n");
    told.push(
        s.call("admin", "PUT", "/api/v1/secrets/key", Some(json!({"text": "geheim-vier"})), &[])
            .await
            .is(200)
            .body
            .to_string(),
    );
    assert_eq!(s.read("secrets/key"), "geheim-vier");
    for name in ["out", "own"] {
        let refused =
            s.call("admin", "PUT", &format!("/api/v1/secrets/{name}"), Some(json!({"text": "geheim-x"})), &[]).await;
        assert_eq!(refused.is(403).code(), "variables.elsewhere");
    }
    s.call("admin", "DELETE", "/api/v1/variables/OTHER", None, &[]).await.is(204);
    assert_eq!(s.call("admin", "DELETE", "/api/v1/variables/OTHER", None, &[]).await.is(404).code(), "variables.none");
    assert!(!s.read(".env").contains("OTHER"));
    for name in ["COMPOSE_PROFILES", "DOCKER_HOST", "A-B", "1A", "HEARTH_DATABASE_URL"] {
        let refused =
            s.call("admin", "PUT", &format!("/api/v1/variables/{name}"), Some(json!({"text": "geheim-x"})), &[]).await;
        assert!([403, 422].contains(&refused.status), "{name}: {}", refused.body);
        told.push(refused.body.to_string());
    }
    let notes = s.keeper.notes.lock().unwrap().iter().map(|act| format!("{:?}", act.detail)).collect::<String>();
    told.push(notes);
    for text in told {
        assert!(!text.contains("geheim"), "{text}");
    }
    s.get("operator", "/api/v1/variables").await.is(403);
}
