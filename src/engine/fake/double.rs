//! The engine in memory as a server has it: every image can be pulled, and time goes on by itself.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use serde_json::json;

use super::Fake;
use super::world::Behaviour;
use crate::engine::{Engine, EngineError, Known, Outcome, Scope, Tell};
use crate::plan::Action;
use crate::plan::observed::{Container, Observed};

/// What stands in `DOCKER_HOST` for it.
pub const ADDRESS: &str = "memory:";

/// A test double of a whole engine. Nothing runs on it, and everything on it ends with the process. Clones share it.
#[derive(Clone)]
pub struct Double {
    pub(super) fake: Arc<Fake>,
    pub(super) execs: Arc<AtomicUsize>,
}

impl Default for Double {
    fn default() -> Double {
        Double { fake: Arc::new(Fake::new(1)), execs: Arc::default() }
    }
}

impl Double {
    /// The engine behind it, to arrange what tests need.
    pub fn fake(&self) -> &Fake {
        &self.fake
    }
}

#[async_trait]
impl Engine for Double {
    /// Each look takes a second of its time: what is starting becomes healthy while somebody watches.
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        {
            let mut world = self.fake.world();
            let later = world.now + 1000;
            world.advance(later);
        }
        self.fake.observe(scope).await
    }

    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        if let Action::PullImage { reference, .. } = action {
            let mut world = self.fake.world();
            if !world.registry.contains_key(reference) {
                world.offer_image(reference, "1", json!({}));
            }
        }
        if let Action::CreateContainer { request, .. } = action {
            let says =
                Behaviour { says: vec![format!("{} runs in memory only", request.service)], ..Behaviour::default() };
            self.fake.world().behaviours.entry(request.service.clone()).or_insert(says);
        }
        self.fake.perform(action, known, progress).await
    }

    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        self.fake.inspect(id).await
    }

    async fn last_words(&self, id: &str, lines: u32) -> Result<Vec<String>, EngineError> {
        self.fake.last_words(id, lines).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::engine::Host;
    use crate::engine::streams::{ExecRequest, LogOptions, Streams};
    use crate::plan::Target;
    use crate::plan::request::{PROJECT, SERVICE};
    use crate::plan::wanted::ContainerRequest;

    /// A double on which one container of a project runs; its id.
    async fn running() -> (Double, String) {
        let double = Double::default();
        let known = Known::default();
        let pull = Action::PullImage { reference: "any/image:1".into(), platform: None, optional: false };
        double.perform(&pull, &known, &|_| {}).await.unwrap();
        let request = ContainerRequest {
            name: "p-web-1".into(),
            service: "web".into(),
            number: 1,
            config: json!({"Image": "any/image:1", "Labels": {PROJECT: "p", SERVICE: "web"}}),
            host_config: json!({}),
            ..ContainerRequest::default()
        };
        let create = Action::CreateContainer { request: Box::new(request), replaces: None };
        let id = double.perform(&create, &known, &|_| {}).await.unwrap().id.unwrap();
        let start = Action::StartContainer { container: Target::Existing { id: id.clone(), name: "p-web-1".into() } };
        double.perform(&start, &known, &|_| {}).await.unwrap();
        (double, id)
    }

    #[tokio::test]
    async fn what_runs_on_it_writes_uses_and_answers() {
        let (double, id) = running().await;
        assert!(double.is_double());
        assert_eq!(double.compose_containers().await.unwrap().len(), 1);
        let lines: Vec<_> = double.logs(&id, &LogOptions::default()).await.unwrap().collect().await;
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].as_ref().unwrap().text, "web runs in memory only");
        let first = double.stats(&id).await.unwrap().next().await.unwrap().unwrap();
        assert_eq!(first.processes, 1);
        let request = ExecRequest { command: vec!["sh".into()], ..ExecRequest::default() };
        let session = double.exec(&id, &request).await.unwrap();
        let said: Vec<_> = session.output.collect().await;
        assert_eq!(said.len(), 1);
        assert_eq!(double.exit_code(&session.id).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_does_not_run_has_no_programs_and_what_is_gone_no_log() {
        let (double, id) = running().await;
        let target = Target::Existing { id: id.clone(), name: "p-web-1".into() };
        let stop = Action::StopContainer { container: target, timeout: None };
        double.perform(&stop, &Known::default(), &|_| {}).await.unwrap();
        assert!(double.exec(&id, &ExecRequest::default()).await.is_err());
        assert!(double.stats(&id).await.unwrap().next().await.is_none());
        assert!(double.logs("gone", &LogOptions::default()).await.is_err());
    }
}
