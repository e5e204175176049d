//! Containers of the projects that this home looks after, and of no others: whoever is not in the list cannot be reached by its id either.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::bare;
use super::disks::{self, Disk};
use super::plans::Of;
use super::verbs::refused;
use super::{Api, meant};
use crate::auth::who::Viewer;
use crate::diag::Diagnostic;
use crate::engine::streams::Stats;
use crate::engine::{self, EngineError, Host, Scope};
use crate::plan::{observed, request};
use crate::stacks::home::{Home, Refused};
use crate::stacks::seen::container::Container;
use crate::web::Refusal;
use crate::web::events::{self, Held, Message};
use crate::web::list::{self, Page};
use crate::web::read::{Path, Query};

/// Questions about single containers that are open at once.
const AT_ONCE: usize = 8;

/// One container as it was inspected. Of its environment only the names are shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inspected {
    #[serde(flatten)]
    pub container: Container,
    /// Names of variables: values may be secrets, and are nobody's to read here.
    pub environment: Vec<String>,
    /// The program alone, and `…` in place of its arguments: those are shown to admins.
    pub command: Vec<String>,
    pub networks: Vec<String>,
    /// What it is called by in each network, where it is in one.
    pub addresses: Vec<Address>,
    pub mounts: Vec<Mount>,
    pub restart_policy: String,
    /// How often the engine has started it again by that policy.
    pub restart_count: i64,
    /// The kernel ended it, since it took more memory than it may have.
    pub oom_killed: bool,
    /// The engine's words about its last start; empty where there was no trouble.
    pub error: String,
    /// When it ended; null while it runs, and where it never did.
    #[schema(required)]
    pub finished_at: Option<String>,
    /// Null without a health check.
    #[schema(required)]
    pub health_check: Option<HealthCheck>,
    pub limits: Limits,
    /// What it waits for when it is started.
    pub depends_on: Vec<Dependency>,
    /// Ports inside it, TCP, that its image or its stack names.
    pub exposes: Vec<u16>,
    /// Its image as registries know it, `name@sha256:...`; none where it was built here.
    pub image_digests: Vec<String>,
    /// The engine that it is on is the one in memory: nothing of it really runs.
    pub test_double: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Mount {
    /// `volume`, `bind` or `tmpfs`.
    pub kind: String,
    /// The volume's name, or the path on the machine.
    pub source: String,
    pub target: String,
    pub writable: bool,
    /// Of this machine, where it can be seen.
    #[schema(required)]
    pub disk: Option<Disk>,
}

/// In one network.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContainerAddress)]
pub struct Address {
    pub network: String,
    /// Empty while it does not run.
    pub ip: String,
    /// Names by which others there find it.
    pub names: Vec<String>,
}

/// How its health check went.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthCheck {
    /// So often it has failed since it passed last.
    pub failing: i64,
    /// The last time; null where it has not been asked yet.
    #[schema(required)]
    pub last: Option<Probe>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Probe {
    /// When it was over, RFC 3339.
    pub at: String,
    pub exit_code: i64,
    /// What it wrote, at most 4 KiB of it. It may hold escape sequences for terminals.
    pub output: String,
}

/// What it may use at most; null is no limit of its own.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Limits {
    /// Bytes.
    #[schema(required)]
    pub memory: Option<u64>,
    /// Of processors.
    #[schema(required)]
    pub cpus: Option<f64>,
    /// Processes and threads.
    #[schema(required)]
    pub pids: Option<i64>,
}

/// A service that it needs.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dependency {
    pub service: String,
    /// `service_started`, `service_healthy` or `service_completed_successfully`.
    pub condition: String,
}

impl HealthCheck {
    fn of(health: &serde_json::Value) -> Option<HealthCheck> {
        let probe = |probe: &serde_json::Value| Probe {
            at: probe["End"].as_str().unwrap_or_default().to_string(),
            exit_code: probe["ExitCode"].as_i64().unwrap_or(0),
            output: probe["Output"].as_str().unwrap_or_default().chars().take(4096).collect(),
        };
        let known = health["Status"].as_str().is_some_and(|status| status != "none");
        known.then(|| HealthCheck {
            failing: health["FailingStreak"].as_i64().unwrap_or(0),
            last: health["Log"].as_array().and_then(|log| log.last()).map(probe),
        })
    }
}

impl Limits {
    fn of(host: &serde_json::Value) -> Limits {
        let number = |key: &str| host[key].as_i64().filter(|n| *n > 0);
        let quota = number("CpuQuota").map(|quota| quota as f64 / number("CpuPeriod").unwrap_or(100_000) as f64);
        Limits {
            memory: number("Memory").and_then(|n| u64::try_from(n).ok()),
            cpus: number("NanoCpus").map(|nano| nano as f64 / 1e9).or(quota),
            pids: number("PidsLimit"),
        }
    }
}

/// Of the label that Compose writes: `db:service_healthy:false,cache:service_started:false`.
fn depends_on(label: &str) -> Vec<Dependency> {
    let one = |one: &str| {
        let mut parts = one.split(':');
        let service = parts.next().filter(|name| !name.is_empty())?.to_string();
        Some(Dependency { service, condition: parts.next().unwrap_or("service_started").to_string() })
    };
    label.split(',').filter_map(one).collect()
}

crate::order! { By of Container, false:
    Name "name" => |one| one.name.as_str().into(),
    Service "service" => |one| one.service.as_str().into(),
    State "state" => |one| one.state.into(),
    Created "created_at" => |one| one.created_at.as_str().into(),
}

/// A container's state, as the engine calls it.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ContainerState)]
pub enum State_ {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl State_ {
    fn is(self, state: observed::State) -> bool {
        matches!(
            (self, state),
            (State_::Created, observed::State::Created)
                | (State_::Running, observed::State::Running)
                | (State_::Paused, observed::State::Paused)
                | (State_::Restarting, observed::State::Restarting)
                | (State_::Removing, observed::State::Removing)
                | (State_::Exited, observed::State::Exited)
                | (State_::Dead, observed::State::Dead)
        )
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// A project that this home has adopted; none is the home's own.
    project: Option<String>,
    /// At most so many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next` of the page before.
    after: Option<String>,
    /// In which order.
    #[param(inline)]
    sort: Option<Sort>,
    /// Only those of this service.
    service: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<State_>,
}

/// All containers of a project.
#[utoipa::path(get, path = "/api/v1/containers", params(Which), responses((status = 200, body = Page<Container>)))]
pub async fn list(
    _: Viewer,
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Container>>, Response> {
    let asked =
        list::Asked::of(which.limit, which.after.as_deref(), which.sort).map_err(|d| Refusal(d).into_response())?;
    let (_, project) = project_of(&api, which.project.as_deref()).map_err(refused)?;
    let all = observed(&api, &project).await?;
    let fits = |c: &&observed::Container| {
        which.service.as_ref().is_none_or(|service| c.is_of(service))
            && which.state.is_none_or(|state| state.is(c.state))
    };
    let found = all.iter().filter(fits).map(Container::of).collect();
    let mut page = asked.page(found, |one: &Container| one.id.clone());
    look_up_starts(&*engine(&api).await?, page.items.iter_mut()).await;
    Ok(Json(page))
}

/// When the containers of a page were started, which the engine says of one at a time. Of one that is gone meanwhile, or was never started, nothing.
pub(super) async fn look_up_starts(engine: &dyn Host, all: impl Iterator<Item = &mut Container>) {
    let started = all.filter(|one| one.started_at.is_none() && one.state != "created");
    let look = async |one: &mut Container| {
        let whole = engine.inspect(&one.id).await.ok().flatten();
        one.started_at = whole.map(|whole| whole.started_at).filter(|at| !at.is_empty());
    };
    futures_util::stream::iter(started).for_each_concurrent(AT_ONCE, look).await;
}

/// How those ended that ended with an error, which the engine says of one at a time. Mostly there are none, and it is not asked.
pub(super) async fn look_up_ends(api: &Api, all: &mut [observed::Container]) -> Result<(), Response> {
    let ended: Vec<_> =
        all.iter_mut().filter(|one| one.state == observed::State::Exited && one.exit_code != 0).collect();
    if ended.is_empty() {
        return Ok(());
    }
    let engine = engine(api).await?;
    let look = async |one: &mut observed::Container| {
        if let Some(whole) = engine.inspect(&one.id).await.ok().flatten() {
            (one.restart, one.oom_killed, one.error) = (whole.restart, whole.oom_killed, whole.error);
        }
    };
    futures_util::stream::iter(ended).for_each_concurrent(AT_ONCE, look).await;
    Ok(())
}

/// One container, by its id or name.
#[utoipa::path(get, path = "/api/v1/containers/{id}", params(("id" = String, Path), Of), responses((status = 200, body = Inspected)))]
pub async fn one(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Inspected>, Response> {
    let (engine, found) = find(&api, of.project.as_deref(), &id).await?;
    let whole = match found.detail {
        Some(_) => found,
        None => engine.inspect(&found.id).await.map_err(told)?.ok_or_else(|| gone(&id, &[]))?,
    };
    let detail = whole.detail.clone().unwrap_or_default();
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
    };
    let name = |text: String| text.split_once('=').map_or(text.clone(), |(name, _)| name.to_string());
    let has_entrypoint = !texts(&detail.config["Entrypoint"]).is_empty();
    let mount = |m: &observed::Mount| Mount {
        kind: m.kind.clone(),
        source: if m.kind == "volume" { m.name.clone() } else { m.source.clone() },
        target: m.destination.clone(),
        writable: m.writable,
        disk: None,
    };
    let sources = whole.mounts.iter().map(|m| m.source.clone()).collect();
    let on = disks::of(&*engine, &api.works.setting().environment, sources).await;
    let mounts = whole.mounts.iter().map(mount).zip(on).map(|(mount, disk)| Mount { disk, ..mount }).collect();
    let address = |(network, at): (&String, &observed::Attachment)| Address {
        network: network.clone(),
        ip: at.ip_address.clone(),
        names: at.aliases.iter().filter(|name| !whole.id.starts_with(*name)).cloned().collect(),
    };
    Ok(Json(Inspected {
        environment: texts(&detail.config["Env"]).into_iter().map(name).collect(),
        command: bare::command(texts(&detail.config["Cmd"]), has_entrypoint, &who),
        networks: whole.networks.keys().cloned().collect(),
        addresses: whole.networks.iter().map(address).collect(),
        mounts,
        restart_policy: detail.host_config["RestartPolicy"]["Name"].as_str().unwrap_or_default().to_string(),
        restart_count: detail.restarts,
        oom_killed: whole.oom_killed,
        error: whole.error.clone(),
        finished_at: Some(whole.finished_at.clone())
            .filter(|at| !at.is_empty() && whole.state != observed::State::Running),
        health_check: HealthCheck::of(&detail.health),
        limits: Limits::of(&detail.host_config),
        depends_on: whole.labels.get(request::DEPENDS_ON).map(|label| depends_on(label)).unwrap_or_default(),
        exposes: exposes(&detail.config),
        image_digests: engine.digests(&whole.image_id).await.unwrap_or_default(),
        test_double: engine.is_double(),
        container: Container::of(&whole),
    }))
}

fn exposes(config: &serde_json::Value) -> Vec<u16> {
    let ports = config["ExposedPorts"].as_object().into_iter().flatten();
    let mut ports: Vec<u16> = ports.filter_map(|(port, _)| port.strip_suffix("/tcp")?.parse().ok()).collect();
    ports.sort_unstable();
    ports
}

/// What a running container uses, about once a second: server-sent events named `stats`.
#[utoipa::path(get, path = "/api/v1/containers/{id}/stats", params(("id" = String, Path), Of),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn stats(
    who: Viewer,
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(of): Query<Of>,
    held: Held,
) -> Result<Response, Response> {
    let (engine, found) = find(&api, of.project.as_deref(), &id).await?;
    let figures = engine.stats(&found.id).await.map_err(told)?;
    let message = |one: Result<Stats, EngineError>| {
        match one {
        Ok(stats) => Message {
            id: None,
            name: "stats".into(),
            data: json!({
                "at": stats.at, "cpu_percent": stats.cpu_percent, "memory": stats.memory, "memory_limit": stats.memory_limit,
                "received": stats.received, "sent": stats.sent, "read": stats.read, "written": stats.written,
                "processes": stats.processes,
            })
            .to_string()
            .into(),
        },
        Err(error) => failed(&error),
    }
    };
    Ok(events::answer(figures.map(message), held, api.end_of(&who)))
}

/// The last event of a stream that broke.
pub(super) fn failed(error: &EngineError) -> Message {
    let value = crate::diag::text::to_json(&error.diagnostic, &Default::default());
    Message { id: None, name: "error".into(), data: value.to_string().into() }
}

/// The home, and the name of the project that is meant: its own, or one that it has adopted.
pub(super) fn project_of(api: &Api, project: Option<&str>) -> Result<(Home, String), Refused> {
    let global = api.global(project)?;
    let home = api.home()?;
    let name = global.project_name.unwrap_or_else(|| home.config.name.clone());
    Ok((home, name))
}

pub(super) async fn engine(api: &Api) -> Result<std::sync::Arc<dyn Host>, Response> {
    let setting = api.works.setting();
    engine::connect(&setting.environment, setting.double.as_ref()).await.map_err(told)
}

/// The containers of a project, as the list call tells them.
pub(super) async fn observed(api: &Api, project: &str) -> Result<Vec<observed::Container>, Response> {
    Ok(engine(api).await?.observe(&Scope::of(project)).await.map_err(told)?.containers)
}

/// A container of a project that this home looks after, by id (12 digits of it are enough) or name.
pub(super) async fn find(
    api: &Api,
    project: Option<&str>,
    wanted: &str,
) -> Result<(std::sync::Arc<dyn Host>, observed::Container), Response> {
    let (_, project) = project_of(api, project).map_err(refused)?;
    let engine = engine(api).await?;
    let is = |c: &observed::Container| c.name == wanted || wanted.len() >= 12 && c.id.starts_with(wanted);
    // Asked for by itself, where it is its name or whole id: to list all of a thousand takes the engine long.
    if is_plain(wanted) {
        let of_project = |c: &observed::Container| c.labels.get(request::PROJECT).is_some_and(|of| *of == project);
        let found = engine.inspect(wanted).await.map_err(told)?;
        if let Some(found) = found.filter(|c| is(c) && of_project(c)) {
            return Ok((engine, found));
        }
    }
    let all = engine.observe(&Scope::of(&project)).await.map_err(told)?.containers;
    let (found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is);
    let found = found.into_iter().next().ok_or_else(|| gone(wanted, &others))?;
    Ok((engine, found))
}

/// What a container can be called: nothing in it leads elsewhere in an address of the engine.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

fn gone(wanted: &str, others: &[observed::Container]) -> Response {
    let d = Diagnostic::error("stacks.no-container", format!("this project has no container `{wanted}`"));
    let known = others.iter().map(|c| c.name.as_str());
    Refusal(meant(d, wanted, known, "/api/v1/containers")).into_response()
}

pub(super) fn told(error: EngineError) -> Response {
    Refusal(*error.diagnostic).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_02_nothing_that_leads_elsewhere_at_the_engine_is_asked_for_by_name() {
        assert!(is_plain("casa-web-1") && is_plain(&"3f2a".repeat(16)) && is_plain("a_b.c"));
        for name in ["", ".", "..", "../images/x", "x/../../images/y", "x?all=1", "x#y", "x%2e%2e", "x y", "-x", "é"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
