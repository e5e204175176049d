//! Samples of images, volumes and networks.

use super::*;
use crate::panel::storage::{self, Kind, Known, Page};
use crate::stacks::json::plans::Kept;
use crate::stacks::storage::{Held, Image, Network, Use, User, Volume};

fn user(service: &str, project: &str) -> User {
    let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    User {
        container: format!("{project}-{service}-1"),
        project: named(project),
        service: named(service),
        running: true,
    }
}

fn image(tags: &[&str], state: Use, why: &str, used_by: Vec<User>) -> Image {
    Image {
        id: format!("sha256:{}", "3f2a".repeat(16)),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        size: 212 << 20,
        created_at: "2026-10-20T12:00:00Z".into(),
        state,
        why: Some(why.to_owned()).filter(|why| !why.is_empty()),
        used_by,
    }
}

fn volume(name: &str, state: Use, anonymous: bool, used_by: Vec<User>) -> Volume {
    Volume {
        name: name.into(),
        driver: "local".into(),
        size: Some(3 << 30),
        created_at: "2026-10-20T12:00:00Z".into(),
        anonymous,
        project: (!anonymous).then(|| "shop".to_owned()),
        of_machine: None,
        state,
        why: (state == Use::Kept).then(|| "it is of this home".to_owned()),
        used_by,
    }
}

fn network(name: &str, state: Use, used_by: Vec<User>) -> Network {
    Network {
        id: "9b1c".repeat(16),
        name: name.into(),
        driver: "bridge".into(),
        internal: name.ends_with("clients"),
        subnets: vec!["10.213.4.0/24".into()],
        created_at: "2026-10-20T12:00:00Z".into(),
        project: None,
        state,
        why: (state == Use::Kept).then(|| "it is the engine's own".to_owned()),
        fixed: state == Use::Kept,
        used_by,
    }
}

fn held() -> Held {
    let many = (0..9).map(|n| user(&format!("service-{n}"), "casa")).collect();
    Held {
        images: vec![
            image(&["jellyfin/jellyfin:10.10"], Use::Used, "", vec![user("jellyfin", "casa")]),
            image(&["postgres:16", "postgres:latest"], Use::Used, "", many),
            image(&["grafana/grafana:11"], Use::Kept, "a stack of this home names it", Vec::new()),
            image(&["nginx:1.25"], Use::Unused, "", Vec::new()),
            image(&[], Use::Unused, "", Vec::new()),
        ],
        volumes: vec![
            volume("casa_jellyfin-config", Use::Used, false, vec![user("jellyfin", "casa"), user("", "")]),
            volume("casa_grafana", Use::Kept, false, Vec::new()),
            volume(&"ab12".repeat(16), Use::Unused, true, Vec::new()),
            volume("shop_data", Use::Unused, false, Vec::new()),
        ],
        networks: vec![
            network("bridge", Use::Kept, Vec::new()),
            network("casa_postgres-clients", Use::Used, vec![user("postgres", "casa"), user("webserver", "paperless")]),
            network("old_default", Use::Unused, Vec::new()),
        ],
    }
}

fn known() -> Known {
    Known { own: "casa".into(), adopted: vec!["paperless".into()] }
}

fn list(kind: Kind, held: Held, role: Role) -> storage::List {
    storage::of(shell(role), kind, held, &known(), NOW)
}

fn plan(steps: serde_json::Value, role: Role) -> Page {
    let kept = Kept {
        id: "0tkdck4zdkw".into(),
        made: "2026-11-27T11:58:00Z".into(),
        who: "ada (session)".into(),
        verb: "prune",
        summary: String::new(),
        risk: "data".into(),
        plan: json!({"steps": steps, "notes": [
            {"about": "stays", "subject": "image built:1", "text": "it was built here: no registry gives it again"},
            {"about": "stays", "subject": "", "text": "12 images are used and stay"},
        ]}),
    };
    storage::of_kept(shell(role), &kept)
}

fn gone(kind: &str, name: &str) -> serde_json::Value {
    json!({"action": format!("remove_{kind}"), kind: name, "cause": {"cause": "requested", "what": "nothing uses it, 212 MiB"}})
}

/// By name.
pub fn all() -> Vec<Sample> {
    let many = Held {
        images: (0..1000)
            .map(|n| image(&[&format!("registry.example/image:{n}")], Use::Unused, "", Vec::new()))
            .collect(),
        ..Held::default()
    };
    let hostile = Held {
        volumes: vec![Volume {
            project: Some(HOSTILE.into()),
            of_machine: Some(HOSTILE.into()),
            ..volume(HOSTILE, Use::Used, false, vec![user(HOSTILE, HOSTILE)])
        }],
        ..Held::default()
    };
    let volumes = |names: &[&str]| plan(names.iter().map(|name| gone("volume", name)).collect(), Role::Admin);
    let mut unsure = volumes(&["shop_data"]);
    unsure.unsure = true;
    let mut refused_ = volumes(&[]);
    refused_.refusals = refused();
    vec![
        sample("images", &list(Kind::Images, held(), Role::Admin)),
        sample("volumes", &list(Kind::Volumes, held(), Role::Admin)),
        sample("networks", &list(Kind::Networks, held(), Role::Admin)),
        sample("images-viewer", &list(Kind::Images, held(), Role::Viewer)),
        sample("images-empty", &list(Kind::Images, Held::default(), Role::Admin)),
        sample("images-many", &list(Kind::Images, many, Role::Admin)),
        sample("volumes-hostile", &list(Kind::Volumes, hostile, Role::Admin)),
        sample("storage-plan", &plan(json!([gone("image", "nginx:1.25"), gone("image", "sha256:3f2a")]), Role::Admin)),
        sample("storage-plan-viewer", &plan(json!([gone("network", "old_default")]), Role::Viewer)),
        sample("storage-plan-volume", &unsure),
        sample("storage-plan-volumes", &volumes(&["shop_data", "shop_more"])),
        sample("storage-plan-hostile", &volumes(&[HOSTILE, HOSTILE])),
        sample("storage-plan-refused", &refused_),
    ]
}
