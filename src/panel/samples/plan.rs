//! Samples of plans.

use super::*;
use crate::panel::plan::{self, Plan};
use crate::stacks::json::plans::Kept;

pub fn plan(role: Role) -> Plan {
    let row = |service: &str, verb: &str, why: &[&str], stops: Option<bool>| json!({"service": service, "verb": verb, "name": format!("casa-{service}-1"), "why": why, "stops": stops, "step": 1});
    let kept = Kept {
        id: "0tkdck4zdkw".into(),
        made: "2026-11-27T11:58:00Z".into(),
        who: "ada (session)".into(),
        verb: "up",
        summary: "1 to create, 2 to replace, 1 to stop, 4 as they are".into(),
        risk: "short_stop".into(),
        plan: json!({
            "steps": [{"action": "pull_image", "image": "jellyfin/jellyfin:10.10"}, {"action": "create_volume", "volume": "casa_media"}],
            "rows": [
                row("jellyfin", "replace", &["image moved jellyfin/jellyfin:10.9 to 10.10", "environment TZ: UTC to Europe/Berlin"], Some(true)),
                row("sonarr", "create", &[], None),
                row("prowlarr", "stop", &["asked for (down)"], None),
                row("bazarr", "start", &["does not run (exited)"], None),
            ],
            "unchanged": {"radarr": 1, "lidarr": 3},
            "notes": [{"about": "profile", "subject": "monitoring", "text": "is off and stays off"}],
            "refusals": [],
            "changes": [{"service": "jellyfin", "before": "image: a:1\nrestart: always\n", "after": "image: a:2\nrestart: always\n"}],
        }),
    };
    plan::of_kept(shell(role), &kept, NOW)
}

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("plan", &plan(Role::Operator)),
        sample("plan-viewer", &plan(Role::Viewer)),
        sample("plan-refused", &Plan { refusals: refused(), rows: Vec::new(), ..plan(Role::Admin) }),
    ]
}
