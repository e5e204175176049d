//! An action in words: what will be done, what is being done, what was done.

use crate::base::wording;
use crate::diag::text::visible;
use crate::plan::{Action, Until};

/// The verb in three forms, and what it is done to.
fn parts(action: &Action) -> (&'static str, &'static str, &'static str, String) {
    let named = |what: &str, name: &str| format!("{what} {name}");
    match action {
        Action::PullImage { reference, .. } => ("pull", "pulling", "pulled", named("image", reference)),
        Action::BuildImage { request } => ("build", "building", "built", named("image", &request.image)),
        Action::CreateNetwork { request } => ("create", "creating", "created", named("network", &request.name)),
        Action::RemoveNetwork { name, .. } => ("remove", "removing", "removed", named("network", name)),
        Action::ConnectNetwork { network, container, .. } => {
            ("connect", "connecting", "connected", format!("{} to network {network}", container.name()))
        }
        Action::DisconnectNetwork { network, container } => {
            ("disconnect", "disconnecting", "disconnected", format!("{} from network {network}", container.name()))
        }
        Action::CreateVolume { request } => ("create", "creating", "created", named("volume", &request.name)),
        Action::RemoveVolume { name } => ("remove", "removing", "removed", named("volume", name)),
        Action::RemoveImage { reference } => ("remove", "removing", "removed", named("image", reference)),
        Action::CreateContainer { request, replaces: Some(_) } => {
            ("create", "creating", "created", format!("the new {}", final_name(&request.name)))
        }
        Action::CreateContainer { request, .. } => ("create", "creating", "created", named("container", &request.name)),
        Action::UpdateContainer { container, update } => {
            let only_policy = update.body.as_object().is_some_and(|b| b.keys().all(|k| k == "RestartPolicy"));
            let what = if only_policy { "the restart policy" } else { "the limits" };
            ("adjust", "adjusting", "adjusted", format!("{what} of {}", container.name()))
        }
        Action::RenameContainer { container, to } => {
            ("rename", "renaming", "renamed", format!("{} to {to}", container.name()))
        }
        Action::UploadFiles { container, files } => {
            ("write", "writing", "wrote", format!("{} into {}", wording::count(files.len(), "file"), container.name()))
        }
        Action::StartContainer { container } => ("start", "starting", "started", container.name().into()),
        Action::UnpauseContainer { container } => ("unpause", "unpausing", "unpaused", container.name().into()),
        Action::RestartContainer { container, .. } => ("restart", "restarting", "restarted", container.name().into()),
        Action::StopContainer { container, .. } => ("stop", "stopping", "stopped", container.name().into()),
        Action::RemoveContainer { container, .. } => {
            let name = container.name();
            let what = if name.starts_with("the old ") { name.into() } else { named("container", name) };
            ("remove", "removing", "removed", what)
        }
        Action::Exec { container, .. } => ("run", "running", "ran", named("a hook in", container.name())),
        Action::Wait { container, until, .. } => {
            let name = container.name();
            let (to, ing, ed) = match until {
                Until::Healthy { .. } => ("wait for health of", "waiting for health of", "healthy:"),
                Until::Completed => ("wait for the end of", "waiting for the end of", "ended well:"),
                Until::Proven { health: true, .. } => ("wait for health of", "waiting for health of", "healthy:"),
                Until::Proven { health: false, .. } => ("watch", "watching", "stayed up:"),
                Until::Left { .. } => ("wait for Traefik to leave", "waiting for Traefik to leave", "left by Traefik:"),
            };
            (to, ing, ed, name.into())
        }
    }
}

/// The name without the mark that a container carries until it takes the place of another: `<12 hex>_`.
fn final_name(name: &str) -> &str {
    match name.split_once('_') {
        Some((mark, rest)) if mark.len() == 12 && mark.chars().all(|c| c.is_ascii_hexdigit()) => rest,
        _ => name,
    }
}

/// `start web-1`.
pub fn to_do(action: &Action) -> String {
    let (to, _, _, what) = parts(action);
    visible(&format!("{to} {what}"))
}

/// `starting web-1`.
pub fn doing(action: &Action) -> String {
    let (_, ing, _, what) = parts(action);
    visible(&format!("{ing} {what}"))
}

/// `started web-1`.
pub fn did(action: &Action) -> String {
    let (_, _, ed, what) = parts(action);
    visible(&format!("{ed} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Target;

    #[test]
    fn actions_read_aloud() {
        let web = Target::Existing { id: "1".into(), name: "web-1".into() };
        let start = Action::StartContainer { container: web.clone() };
        assert_eq!([to_do(&start), doing(&start), did(&start)], ["start web-1", "starting web-1", "started web-1"]);
        assert_eq!(final_name("b428f74e757c_p-web-1"), "p-web-1");
        assert_eq!(final_name("my_web"), "my_web");
        let wait = Action::Wait { container: web, until: Until::Healthy { seconds: None }, optional: false };
        assert_eq!([doing(&wait), did(&wait)], ["waiting for health of web-1", "healthy: web-1"]);
    }
}
