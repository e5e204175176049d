//! The bare client: sends what a plan's steps ask of the engine, as many at once as it is told, and does nothing else. No faster way
//! to the same state is known, so it is the mark for how much of a command's time is the engine's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use hearth::plan::wanted::Endpoint;
use hearth::plan::{Action, Plan, Step, StepId, Target, Until, request};
use serde_json::{Map, Value, json};

use crate::engine::{Client, encoded};

/// What the walking threads share.
struct Walk<'a> {
    steps: BTreeMap<StepId, &'a Step>,
    state: Mutex<State>,
    changed: Condvar,
    /// What Compose writes as the `image` label.
    image: &'a str,
}

#[derive(Default)]
struct State {
    /// Steps that each waits for.
    missing: BTreeMap<StepId, BTreeSet<StepId>>,
    ready: VecDeque<StepId>,
    left: usize,
    made: BTreeMap<StepId, String>,
    services: BTreeMap<String, String>,
    failed: Option<String>,
}

/// Sends all steps of `plan`, at most `at_once` at the same time, each after those it needs. Gives the time from the first call to
/// the last answer.
pub fn send(plan: &Plan, at_once: usize, socket: &Path, image: &str) -> Result<Duration, String> {
    let missing: BTreeMap<_, BTreeSet<_>> =
        plan.steps.iter().map(|s| (s.id, s.after.iter().copied().collect())).collect();
    let ready = plan.steps.iter().filter(|s| s.after.is_empty()).map(|s| s.id).collect();
    let walk = Walk {
        steps: plan.steps.iter().map(|s| (s.id, s)).collect(),
        state: Mutex::new(State { missing, ready, left: plan.steps.len(), ..State::default() }),
        changed: Condvar::new(),
        image,
    };
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| walk.work(&mut Client::new(socket)));
        }
    });
    let took = start.elapsed();
    let state = walk.state.into_inner().map_err(|e| e.to_string())?;
    state.failed.map_or(Ok(took), |why| Err(format!("the bare client: {why}")))
}

impl Walk<'_> {
    fn work(&self, client: &mut Client) {
        while let Some(step) = self.next() {
            let result = self.one(step, client);
            let Ok(mut state) = self.state.lock() else { return };
            state.left -= 1;
            match result {
                Ok(id) => {
                    if let Some(id) = id {
                        state.services.entry(step.service.clone()).or_insert_with(|| id.clone());
                        state.made.insert(step.id, id);
                    }
                    let mut free = Vec::new();
                    for (id, needs) in &mut state.missing {
                        if needs.remove(&step.id) && needs.is_empty() {
                            free.push(*id);
                        }
                    }
                    state.ready.extend(free);
                }
                Err(why) => state.failed = Some(why),
            }
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<&Step> {
        let mut state = self.state.lock().ok()?;
        loop {
            if state.left == 0 || state.failed.is_some() {
                return None;
            }
            if let Some(id) = state.ready.pop_front() {
                return self.steps.get(&id).copied();
            }
            state = self.changed.wait(state).ok()?;
        }
    }

    fn id(&self, target: &Target) -> Result<String, String> {
        match target {
            Target::Existing { id, .. } => Ok(id.clone()),
            Target::Made { step, name } => {
                let state = self.state.lock().map_err(|e| e.to_string())?;
                state.made.get(step).cloned().ok_or_else(|| format!("{name} was not made"))
            }
        }
    }

    /// One call; the id of what it made.
    fn one(&self, step: &Step, client: &mut Client) -> Result<Option<String>, String> {
        let mut post = |path: &str, content: Option<&Value>| client.call("POST", path, content);
        let mut made = None;
        match &step.action {
            Action::CreateNetwork { request } => drop(post("/networks/create", Some(&request.body))?),
            Action::CreateVolume { request } => drop(post("/volumes/create", Some(&request.body))?),
            Action::CreateContainer { request, .. } => {
                let services = self.state.lock().map_err(|e| e.to_string())?.services.clone();
                let (mut body, host) = request::finalize(request, &services, self.image)?;
                body["HostConfig"] = host;
                let endpoints: Map<String, Value> =
                    request.endpoints.iter().map(|(name, e)| (name.clone(), endpoint(e))).collect();
                body["NetworkingConfig"] = json!({ "EndpointsConfig": endpoints });
                let answer = post(&format!("/containers/create?name={}", encoded(&request.name)), Some(&body))?;
                made = answer["Id"].as_str().map(str::to_string);
            }
            Action::StartContainer { container } => {
                drop(post(&format!("/containers/{}/start", self.id(container)?), None)?);
            }
            Action::StopContainer { container, timeout } => {
                let timeout = timeout.map(|t| format!("?t={t}")).unwrap_or_default();
                drop(post(&format!("/containers/{}/stop{timeout}", self.id(container)?), None)?);
            }
            Action::RemoveContainer { container, volumes, force } => {
                let path = format!("/containers/{}?v={volumes}&force={force}", self.id(container)?);
                drop(client.call("DELETE", &path, None)?);
            }
            Action::RemoveNetwork { id, .. } => drop(client.call("DELETE", &format!("/networks/{id}"), None)?),
            Action::Wait { container, until: Until::Healthy { .. }, .. } => {
                let path = format!("/containers/{}/json", self.id(container)?);
                while client.get(&path)?["State"]["Health"]["Status"] != "healthy" {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
            other => return Err(format!("it knows no step such as {other:?}")),
        }
        Ok(made)
    }
}

fn endpoint(endpoint: &Endpoint) -> Value {
    let mut value = json!({ "Aliases": endpoint.aliases });
    if !endpoint.ipv4_address.is_empty() {
        value["IPAMConfig"] = json!({ "IPv4Address": endpoint.ipv4_address });
    }
    value
}
