//! Every action of a plan as one call to the engine. What is so already is success.

use hyper::Method;
use serde_json::{Value, json};

use super::errors::{self, Fault};
use super::wire::{CHANGE, query, segment};
use super::{DockerEngine, build, containers, hooks, older, pull, upload, wait};
use crate::diag::{Diagnostic, Kind};
use crate::engine::{EngineError, Known, Outcome, Tell};
use crate::plan::observed::State;
use crate::plan::{Action, Target};

pub async fn perform(
    engine: &DockerEngine,
    action: &Action,
    known: &Known,
    progress: Tell<'_>,
) -> Result<Outcome, EngineError> {
    let id = |target: &Target| id_of(target, known);
    match action {
        Action::PullImage { reference, platform, optional } => {
            let done = pull::pull(engine, reference, platform.as_deref(), progress).await;
            tolerate(done, *optional)
        }
        Action::BuildImage { request } => build::build(engine, request, progress).await,
        Action::CreateNetwork { request } => {
            let body = older::network(request.body.clone(), engine.api)?;
            let what = format!("create the network `{}`", request.name);
            match create(engine, "/networks/create", &body, "Id", &what).await {
                Err(error) if error.status == Some(409) => {
                    made_already(engine, &request.name, &body).await.ok_or(error)
                }
                done => done,
            }
        }
        Action::RemoveNetwork { id, name } => {
            remove(engine, &format!("/networks/{}", segment(id)), &format!("remove the network `{name}`")).await
        }
        Action::ConnectNetwork { network, container, endpoint } => {
            connect(engine, network, &id(container)?, container.name(), endpoint).await
        }
        Action::DisconnectNetwork { network, container } => {
            disconnect(engine, network, &id(container)?, container.name()).await
        }
        Action::CreateVolume { request } => {
            create(engine, "/volumes/create", &request.body, "Name", &format!("create the volume `{}`", request.name))
                .await
        }
        Action::RemoveVolume { name } => {
            remove(engine, &format!("/volumes/{}", segment(name)), &format!("remove the volume `{name}`")).await
        }
        Action::RemoveImage { reference } => {
            remove(engine, &format!("/images/{}", segment(reference)), &format!("remove the image `{reference}`")).await
        }
        Action::CreateContainer { request, replaces } => {
            containers::create(engine, request, replaces.as_deref(), known).await
        }
        Action::UpdateContainer { container, update } => {
            let path = format!("/containers/{}/update", id(container)?);
            let what = format!("change the limits of the container `{}`", container.name());
            let reply = post(engine, &path, Some(&update.body), &what).await?;
            let warnings = reply["Warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
            Ok(Outcome { id: None, warnings: warnings.map(str::to_string).collect() })
        }
        Action::RenameContainer { container, to } => rename(engine, &id(container)?, container.name(), to).await,
        Action::UploadFiles { container, files } => {
            upload::upload(engine, &id(container)?, container.name(), files).await
        }
        Action::StartContainer { container } => act(engine, &id(container)?, "start", container.name(), &[]).await,
        Action::UnpauseContainer { container } => unpause(engine, &id(container)?, container.name()).await,
        Action::RestartContainer { container, timeout } => {
            stop_like(engine, &id(container)?, "restart", container.name(), *timeout).await
        }
        Action::StopContainer { container, timeout } => {
            gone_is_done(stop_like(engine, &id(container)?, "stop", container.name(), *timeout).await)
        }
        Action::RemoveContainer { container, volumes, force } => {
            let flag = |on: bool| if on { "1" } else { "0" };
            let pairs = query(&[("v", flag(*volumes)), ("force", flag(*force))]);
            let path = format!("/containers/{}{pairs}", id(container)?);
            remove_container(engine, &path, container.name()).await
        }
        Action::Exec { container, hook } => hooks::run(engine, &id(container)?, container.name(), hook, progress).await,
        Action::Wait { container, until, optional } => {
            let done = wait::wait(engine, &id(container)?, container.name(), until, progress).await;
            tolerate(done, *optional)
        }
    }
}

/// The engine's id of a target; one made by an earlier step is in `known`.
fn id_of(target: &Target, known: &Known) -> Result<String, EngineError> {
    match target {
        Target::Existing { id, .. } => Ok(id.clone()),
        Target::Made { step, name } => known.made.get(&step.0).cloned().ok_or_else(|| {
            let title = format!("the container `{name}` of step {step} was not made before it was needed");
            errors::own(
                Diagnostic::error("engine.no-container", title)
                    .kind(Kind::Bug)
                    .hint("this is a mistake in Hearth: please report it"),
            )
        }),
    }
}

/// The failure of an optional step becomes a warning.
fn tolerate(done: Result<Outcome, EngineError>, optional: bool) -> Result<Outcome, EngineError> {
    match done {
        Err(error) if optional && error.diagnostic.kind != Kind::Unavailable => {
            Ok(Outcome { id: None, warnings: vec![error.diagnostic.title] })
        }
        other => other,
    }
}

async fn post(engine: &DockerEngine, path: &str, body: Option<&Value>, what: &str) -> Result<Value, EngineError> {
    let reply = engine.wire.call(Method::POST, path, body, CHANGE).await.map_err(|f| engine.tell(f, what))?;
    Ok(reply.json().unwrap_or_default())
}

async fn create(engine: &DockerEngine, path: &str, body: &Value, id: &str, what: &str) -> Result<Outcome, EngineError> {
    let reply = post(engine, path, Some(body), what).await?;
    let warnings = reply["Warning"].as_str().filter(|w| !w.is_empty()).map(str::to_string);
    Ok(Outcome { id: reply[id].as_str().map(str::to_string), warnings: warnings.into_iter().collect() })
}

/// The network of that name, where its labels (Compose's hash of the definition is one) are those that were asked for.
async fn made_already(engine: &DockerEngine, name: &str, body: &Value) -> Option<Outcome> {
    let there = engine.wire.get(&format!("/networks/{}", segment(name))).await.ok()?;
    (there["Name"] == name && there["Labels"] == body["Labels"])
        .then(|| Outcome { id: there["Id"].as_str().map(str::to_string), warnings: Vec::new() })
}

/// Removing what is gone is success.
async fn remove(engine: &DockerEngine, path: &str, what: &str) -> Result<Outcome, EngineError> {
    match engine.wire.call(Method::DELETE, path, None, CHANGE).await {
        Ok(_) | Err(Fault::Refused { status: 404, .. }) => Ok(Outcome::default()),
        Err(fault) => Err(engine.tell(fault, what)),
    }
}

/// A removal that another client began is waited for.
async fn remove_container(engine: &DockerEngine, path: &str, name: &str) -> Result<Outcome, EngineError> {
    let what = format!("remove the container `{name}`");
    match engine.wire.call(Method::DELETE, path, None, CHANGE).await {
        Err(Fault::Refused { status: 409, message }) if message.contains("is already in progress") => {
            let path = path.split('?').next().unwrap_or(path);
            wait::until_gone(engine, path).await.map_err(|f| engine.tell(f, &what))
        }
        Ok(_) | Err(Fault::Refused { status: 404, .. }) => Ok(Outcome::default()),
        Err(fault) => Err(engine.tell(fault, &what)),
    }
}

/// `POST /containers/{id}/{verb}`; 304 says that it is so already.
async fn act(
    engine: &DockerEngine,
    id: &str,
    verb: &str,
    name: &str,
    pairs: &[(&str, &str)],
) -> Result<Outcome, EngineError> {
    let path = format!("/containers/{id}/{verb}{}", query(pairs));
    post(engine, &path, None, &format!("{verb} the container `{name}`")).await?;
    Ok(Outcome::default())
}

/// Stop and restart take as long as the container's own grace time says, which may be very long or endless.
async fn stop_like(
    engine: &DockerEngine,
    id: &str,
    verb: &str,
    name: &str,
    timeout: Option<i64>,
) -> Result<Outcome, EngineError> {
    let what = format!("{verb} the container `{name}`");
    let seconds = timeout.map(|t| t.to_string());
    let pairs: Vec<(&str, &str)> = seconds.iter().map(|t| ("t", t.as_str())).collect();
    let path = format!("/containers/{id}/{verb}{}", query(&pairs));
    let call = engine.wire.call(Method::POST, &path, None, std::time::Duration::MAX);
    call.await.map(|_| Outcome::default()).map_err(|f| engine.tell(f, &what))
}

fn gone_is_done(done: Result<Outcome, EngineError>) -> Result<Outcome, EngineError> {
    match done {
        Err(error) if error.status == Some(404) => Ok(Outcome::default()),
        other => other,
    }
}

async fn unpause(engine: &DockerEngine, id: &str, name: &str) -> Result<Outcome, EngineError> {
    let done = act(engine, id, "unpause", name, &[]).await;
    match done {
        Err(error) if error.status.is_some_and(|s| s != 404) => {
            let now = engine.container(id).await.map_err(|f| engine.tell(f, "look at the container"))?;
            if now.is_some_and(|c| c.state == State::Running) { Ok(Outcome::default()) } else { Err(error) }
        }
        other => other,
    }
}

async fn rename(engine: &DockerEngine, id: &str, name: &str, to: &str) -> Result<Outcome, EngineError> {
    let what = format!("rename the container `{name}` to `{to}`");
    match post(engine, &format!("/containers/{id}/rename{}", query(&[("name", to)])), None, &what).await {
        Ok(_) => Ok(Outcome::default()),
        Err(error) => {
            // The engine refuses a rename to the name that it has already.
            let now = engine.container(id).await.map_err(|f| engine.tell(f, &what))?;
            if now.is_some_and(|c| c.name == to) { Ok(Outcome::default()) } else { Err(error) }
        }
    }
}

async fn connect(
    engine: &DockerEngine,
    network: &str,
    id: &str,
    name: &str,
    endpoint: &crate::plan::wanted::Endpoint,
) -> Result<Outcome, EngineError> {
    let what = format!("attach the container `{name}` to the network `{network}`");
    let mut warnings = Vec::new();
    let settings = older::endpoint(endpoint, engine.api, &mut warnings);
    let body = json!({ "Container": id, "EndpointConfig": settings });
    match post(engine, &format!("/networks/{}/connect", segment(network)), Some(&body), &what).await {
        Ok(_) => Ok(Outcome { id: None, warnings }),
        Err(error) if error.detail.contains("already exists in network") => Ok(Outcome { id: None, warnings }),
        Err(error) => Err(error),
    }
}

async fn disconnect(engine: &DockerEngine, network: &str, id: &str, name: &str) -> Result<Outcome, EngineError> {
    let what = format!("detach the container `{name}` from the network `{network}`");
    let body = json!({ "Container": id, "Force": true });
    match post(engine, &format!("/networks/{}/disconnect", segment(network)), Some(&body), &what).await {
        Ok(_) => Ok(Outcome::default()),
        Err(error) if error.status == Some(404) || error.detail.contains("is not connected to") => {
            Ok(Outcome::default())
        }
        Err(error) => Err(error),
    }
}
