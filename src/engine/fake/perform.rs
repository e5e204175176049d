//! One action, done to the world.

use super::error::refused;
use super::world::World;
use crate::engine::{EngineError, Known, Outcome};
use crate::plan::observed::State;
use crate::plan::{Action, Target};

/// The id that a target means.
pub(super) fn resolve(target: &Target, known: &Known) -> Result<String, EngineError> {
    match target {
        Target::Existing { id, .. } => Ok(id.clone()),
        Target::Made { step, name } => {
            let unknown = || refused(404, format!("step {step} has not made the container {name}"));
            known.made.get(&step.0).cloned().ok_or_else(unknown)
        }
    }
}

impl World {
    /// Everything but waits. Doing what is already so is success.
    pub(super) fn perform(&mut self, action: &Action, known: &Known) -> Result<Outcome, EngineError> {
        self.advance(self.now + cost(action));
        let id = |target: &Target| resolve(target, known);
        match action {
            Action::PullImage { reference, .. } => return self.pull(reference),
            Action::BuildImage { request } => return self.build(request),
            Action::CreateNetwork { request } => return self.create_network(request),
            Action::CreateVolume { request } => return self.create_volume(request),
            Action::CreateContainer { request, replaces } => {
                return self.create_container(request, replaces.as_deref(), known);
            }
            Action::RemoveNetwork { id, .. } => self.remove_network(id)?,
            Action::ConnectNetwork { network, container, endpoint } => {
                self.connect(network, &id(container)?, endpoint)?
            }
            Action::DisconnectNetwork { network, container } => self.disconnect(network, &id(container)?)?,
            Action::RemoveVolume { name } => self.remove_volume(name)?,
            Action::RemoveImage { reference } => self.remove_image(reference)?,
            Action::UpdateContainer { container, update } => self.update(&id(container)?, &update.body)?,
            Action::RenameContainer { container, to } => self.rename(&id(container)?, to)?,
            Action::UploadFiles { container, files } => {
                let id = id(container)?;
                self.existing(&id)?;
                let written = files.iter().map(|f| (f.target.clone(), f.content.expose().to_string()));
                if let Some(c) = self.containers.get_mut(&id) {
                    c.files.extend(written);
                }
            }
            Action::StartContainer { container } => {
                let id = id(container)?;
                self.start(&id)?;
                self.forget_restarts(&id);
            }
            Action::UnpauseContainer { container } => {
                let id = id(container)?;
                self.existing(&id)?;
                if let Some(c) = self.containers.get_mut(&id).filter(|c| c.state == State::Paused) {
                    c.state = State::Running;
                }
            }
            Action::RestartContainer { container, timeout } => {
                let id = id(container)?;
                self.stop(&id, *timeout)?;
                self.start(&id)?;
                self.forget_restarts(&id);
            }
            Action::StopContainer { container, timeout } => match self.stop(&id(container)?, *timeout) {
                Err(error) if error.status == Some(404) => {}
                other => other?,
            },
            Action::RemoveContainer { container, volumes, force } => {
                self.remove_container(&id(container)?, *volumes, *force)?
            }
            Action::Exec { container, hook } => {
                let c = self.existing(&id(container)?)?;
                if !c.is_running() {
                    return Err(refused(409, format!("container {} is not running", c.id)));
                }
                match self.behaviour(c).exec_code {
                    0 => {}
                    code => return Err(refused(500, format!("{} ended with {code}", hook.command.join(" ")))),
                }
            }
            Action::Wait { .. } => {}
        }
        Ok(Outcome::default())
    }

    /// A start by hand counts restarts anew.
    fn forget_restarts(&mut self, id: &str) {
        if let Some(c) = self.containers.get_mut(id).filter(|c| c.state == State::Running) {
            c.restarts = 0;
        }
    }

    fn rename(&mut self, id: &str, to: &str) -> Result<(), EngineError> {
        if self.existing(id)?.name == to {
            return Ok(());
        }
        self.refuse_name(to)?;
        if let Some(c) = self.containers.get_mut(id) {
            c.name = to.into();
        }
        Ok(())
    }

    fn remove_container(&mut self, id: &str, volumes: bool, force: bool) -> Result<(), EngineError> {
        let Some(c) = self.containers.get(id) else { return Ok(()) };
        if (c.is_running() || c.state == State::Restarting) && !force {
            let name = &c.name;
            let why = format!(
                "cannot remove container \"/{name}\": container is running: stop the container before removing or force remove"
            );
            return Err(refused(409, why));
        }
        self.kill(id);
        let Some(gone) = self.containers.remove(id) else { return Ok(()) };
        for mount in gone.mounts.iter().filter(|m| volumes && m.kind == "volume") {
            let anonymous = self.volumes.get(&mount.name).is_some_and(|v| v.anonymous);
            if anonymous && self.users(&mount.name).next().is_none() {
                self.drop_volume(&mount.name);
            }
        }
        Ok(())
    }
}

/// Virtual ms that a call takes.
fn cost(action: &Action) -> u64 {
    match action {
        Action::PullImage { .. } | Action::BuildImage { .. } => 2000,
        Action::StartContainer { .. } | Action::RestartContainer { .. } => 200,
        Action::CreateContainer { .. } | Action::CreateNetwork { .. } | Action::StopContainer { .. } => 50,
        _ => 10,
    }
}

/// The call as tests read it: `start web-1`.
pub(super) fn describe(action: &Action) -> String {
    match action {
        Action::PullImage { reference, .. } => format!("pull {reference}"),
        Action::BuildImage { request } => format!("build {}", request.image),
        Action::CreateNetwork { request } => format!("create network {}", request.name),
        Action::RemoveNetwork { name, .. } => format!("remove network {name}"),
        Action::ConnectNetwork { network, container, .. } => format!("connect {} to {network}", container.name()),
        Action::DisconnectNetwork { network, container } => format!("disconnect {} from {network}", container.name()),
        Action::CreateVolume { request } => format!("create volume {}", request.name),
        Action::RemoveVolume { name } => format!("remove volume {name}"),
        Action::RemoveImage { reference } => format!("remove image {reference}"),
        Action::CreateContainer { request, .. } => format!("create {}", request.name),
        Action::UpdateContainer { container, update } => format!("update {} {}", container.name(), update.body),
        Action::RenameContainer { container, to } => format!("rename {} to {to}", container.name()),
        Action::UploadFiles { container, .. } => format!("upload {}", container.name()),
        Action::StartContainer { container } => format!("start {}", container.name()),
        Action::UnpauseContainer { container } => format!("unpause {}", container.name()),
        Action::RestartContainer { container, .. } => format!("restart {}", container.name()),
        Action::StopContainer { container, .. } => format!("stop {}", container.name()),
        Action::RemoveContainer { container, .. } => format!("remove {}", container.name()),
        Action::Exec { container, hook } => format!("exec {} {}", container.name(), hook.command.join(" ")),
        Action::Wait { container, .. } => format!("wait {}", container.name()),
    }
}
