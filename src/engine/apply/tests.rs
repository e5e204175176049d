//! Promises of the walker, over plans made by hand.

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::engine::fake::{Behaviour, Fake, Fault, Probe};
use crate::engine::{EngineError, Outcome, Scope, Tell};
use crate::plan::observed::{Container, Observed, State};
use crate::plan::request::{NUMBER, PROJECT, SERVICE};
use crate::plan::wanted::{ContainerRequest, Ref, RefField, Update};
use crate::plan::{Action, Cause, Risk, Target, Until};

/// A plan made by hand, step by step.
#[derive(Default)]
struct Hand(Plan);

impl Hand {
    fn step(&mut self, action: Action, after: &[StepId], group: Option<u32>, undo: Vec<Action>) -> StepId {
        let id = StepId(self.0.steps.len() as u32 + 1);
        let (cause, risk, after) = (Cause::Missing, Risk::None, after.to_vec());
        self.0.steps.push(Step { id, action, cause, risk, after, service: String::new(), group, undo });
        id
    }

    fn add(&mut self, action: Action, after: &[StepId]) -> StepId {
        self.step(action, after, None, Vec::new())
    }

    /// Create, start and wait of one container: gives the start and the wait.
    fn container(&mut self, service: &str, after: &[StepId]) -> (StepId, StepId) {
        let create = self.add(create(service, &format!("{service}-1"), None), &[]);
        let made = made(create, &format!("{service}-1"));
        let start = self.add(Action::StartContainer { container: made.clone() }, &[&[create], after].concat());
        let wait = self.add(wait(made, Until::Healthy { seconds: None }, false), &[start]);
        (start, wait)
    }

    /// The replacement of a container as the design has it.
    fn replacement(&mut self, service: &str, old: &Target) -> StepId {
        let name = old.name().to_string();
        let Target::Existing { id: old_id, .. } = old.clone() else { panic!("an old container exists") };
        let policy = |name: &str| Action::UpdateContainer {
            container: old.clone(),
            update: Box::new(Update { body: json!({ "RestartPolicy": { "Name": name, "MaximumRetryCount": 0 } }) }),
        };
        let group = Some(1);
        let create = self.step(create(service, &format!("{name}-new"), Some(old_id)), &[], group, Vec::new());
        let new = made(create, &format!("{name}-new"));
        self.0.steps.last_mut().unwrap().undo = vec![remove(&new)];
        let update = self.step(policy("no"), &[create], group, vec![policy("always")]);
        let stop = Action::StopContainer { container: old.clone(), timeout: None };
        let stop = self.step(stop, &[update], group, vec![Action::StartContainer { container: old.clone() }]);
        let rename =
            |container: &Target, to: &str| Action::RenameContainer { container: container.clone(), to: to.into() };
        let aside = self.step(rename(old, "aside"), &[stop], group, vec![rename(old, &name)]);
        let named = self.step(rename(&new, &name), &[aside], group, vec![rename(&new, "failed")]);
        let stop = Action::StopContainer { container: new.clone(), timeout: Some(1) };
        let start = self.step(Action::StartContainer { container: new.clone() }, &[named], group, vec![stop]);
        let until = Until::Proven { seconds: 30, stay: 3000, health: true, may_exit: false };
        let proven = self.step(wait(new, until, false), &[start], group, Vec::new());
        self.step(remove(old), &[proven], group, Vec::new())
    }
}

fn made(step: StepId, name: &str) -> Target {
    Target::Made { step, name: name.into() }
}

fn remove(container: &Target) -> Action {
    Action::RemoveContainer { container: container.clone(), volumes: false, force: true }
}

fn wait(container: Target, until: Until, optional: bool) -> Action {
    Action::Wait { container, until, optional }
}

fn create(service: &str, name: &str, replaces: Option<String>) -> Action {
    let request = ContainerRequest {
        service: service.into(),
        number: 1,
        name: name.into(),
        config: json!({
            "Image": "app",
            "Labels": { PROJECT: "p", SERVICE: service, NUMBER: "1" },
            "Healthcheck": { "Test": ["CMD", "true"] },
        }),
        host_config: json!({
            "NetworkMode": "none",
            "Binds": [format!("{service}-data:/data:rw")],
            "RestartPolicy": { "Name": "always" },
        }),
        hashed: json!({}),
        ..ContainerRequest::default()
    };
    Action::CreateContainer { request: Box::new(request), replaces }
}

fn walk(parallel: usize) -> Walk {
    Walk { parallel, known: Known::default(), cancel: CancellationToken::new() }
}

fn fake() -> Fake {
    let fake = Fake::new(1);
    fake.world().add_image("app", "1", json!({}));
    fake
}

/// A world in which `web` runs, and its container.
async fn running_web() -> (Fake, Target) {
    let fake = fake();
    let mut hand = Hand::default();
    hand.container("web", &[]);
    assert!(apply(&fake, &hand.0, walk(4), &|_| {}).await.is_done());
    fake.recover();
    let id = fake.world().by_name("web-1").unwrap().id.clone();
    (fake, Target::Existing { id, name: "web-1".into() })
}

fn words(report: &Report) -> Vec<String> {
    let one = |r: &StepResult| match r {
        StepResult::Done { .. } => "done".into(),
        StepResult::Failed { diagnostic, .. } => format!("failed: {}", diagnostic.title),
        StepResult::Skipped { because } => format!("skipped: {because}"),
        StepResult::TakenBack { trouble } => format!("taken back{}", trouble.join(", ")),
    };
    report.steps.values().map(one).collect()
}

/// The old container runs under its own name with its own policy, and nothing else of it is left.
fn assert_as_before(fake: &Fake, old: &Target) {
    let world = fake.world();
    let Target::Existing { id, .. } = old else { panic!("an old container exists") };
    assert_eq!(world.containers.len(), 1, "{:?}", fake.calls());
    let c = &world.containers[id];
    assert_eq!((c.name.as_str(), c.state), ("web-1", State::Running));
    assert_eq!(c.host_config["RestartPolicy"]["Name"], "always");
    assert_eq!(world.violations, Vec::<String>::new());
}

#[tokio::test]
async fn steps_run_after_what_they_need_and_never_more_at_once_than_allowed() {
    for seed in 0..20 {
        let fake = Fake::new(seed);
        fake.world().add_image("app", "1", json!({}));
        let mut hand = Hand::default();
        let (_, db) = hand.container("db", &[]);
        for service in ["a", "b", "c", "d", "e"] {
            hand.container(service, &[db]);
        }
        let open = Mutex::new((0i32, 0i32, Vec::new()));
        let tell = |event: Event<'_>| {
            let mut open = open.lock().unwrap();
            match event {
                Event::Started(step) if !matches!(step.action, Action::Wait { .. }) => {
                    open.0 += 1;
                    open.1 = open.1.max(open.0);
                }
                Event::Finished(step, _) => {
                    open.0 -= i32::from(!matches!(step.action, Action::Wait { .. }));
                    for before in &step.after {
                        assert!(open.2.contains(before), "{} before {before}", step.id);
                    }
                    open.2.push(step.id);
                }
                _ => {}
            }
        };
        let report = apply(&fake, &hand.0, walk(3), &tell).await;
        assert!(report.is_done(), "{:?}", words(&report));
        assert_eq!(open.lock().unwrap().1, 3);
        assert_eq!(report.steps.len(), 18);
    }
}

#[tokio::test]
async fn a_failed_step_skips_what_depends_on_it_and_nothing_else() {
    let fake = fake();
    fake.world().behaviours.insert("db".into(), Behaviour { exits: Some((100, 3)), ..Behaviour::default() });
    let mut hand = Hand::default();
    let (_, db) = hand.container("db", &[]);
    hand.container("app", &[db]);
    hand.container("other", &[]);
    // It restarts for ever, so it is never healthy; give it up after a while.
    hand.0.steps[2].action = wait(made(StepId(1), "db-1"), Until::Healthy { seconds: Some(5) }, false);
    let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
    let all = words(&report);
    assert_eq!(&all[..2], ["done", "done"]);
    assert_eq!(all[2], "failed: container db-1 is unhealthy");
    assert_eq!(all[3], "done", "creating needs nothing");
    let because = "skipped: wait for db-1 failed: container db-1 is unhealthy";
    assert_eq!(&all[4..6], [because, because]);
    assert_eq!(&all[6..], ["done", "done", "done"]);
}

#[tokio::test]
async fn a_failed_replacement_brings_the_old_container_back_with_its_last_words() {
    let (fake, old) = running_web().await;
    let behaviour = Behaviour { probe: Probe::Never, says: vec!["no config".into()], ..Behaviour::default() };
    fake.world().behaviours.insert("web".into(), behaviour);
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let told = Mutex::new(Vec::new());
    let tell = |event: Event<'_>| {
        if let Event::TakenBack { step, because } = event {
            told.lock().unwrap().push(format!("{}: {because}", step.id));
        }
    };
    let report = apply(&fake, &hand.0, walk(4), &tell).await;
    let all = words(&report);
    assert_eq!(&all[..6], vec!["taken back"; 6]);
    assert_eq!(all[6], "failed: container web-1 was not healthy in time");
    assert!(all[7].starts_with("skipped"));
    let (_, _, last) = report.failures().next().unwrap();
    assert_eq!(last, ["no config"]);
    let because = "wait for web-1-new failed: container web-1 was not healthy in time";
    let expected: Vec<String> = (1..=7).rev().map(|n| format!("{n}: {because}")).collect();
    assert_eq!(*told.lock().unwrap(), expected);
    assert_as_before(&fake, &old);
}

#[tokio::test]
async fn a_replacement_that_fails_anywhere_is_taken_back_whole() {
    for call in 1..=7 {
        for answer in [false, true] {
            let (fake, old) = running_web().await;
            fake.fault(if answer { Fault::FailAnswer(call) } else { Fault::FailCall(call) });
            let mut hand = Hand::default();
            hand.replacement("web", &old);
            let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
            assert_eq!(report.failures().count(), 1, "{:?}", words(&report));
            if answer && call == 1 {
                // Made without our knowing: the next plan finds it.
                let stray = fake.world().by_name("web-1-new").unwrap().id.clone();
                fake.world().containers.remove(&stray);
            }
            assert_as_before(&fake, &old);
        }
    }
}

#[tokio::test]
async fn past_its_point_of_no_return_a_group_is_not_taken_back() {
    let (fake, old) = running_web().await;
    fake.fault(Fault::FailAnswer(8));
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
    assert_eq!(words(&report)[7], "failed: scripted failure");
    let world = fake.world();
    assert_eq!(world.containers.len(), 1);
    assert_eq!(world.by_name("web-1").unwrap().state, State::Running);
}

#[tokio::test]
async fn what_is_optional_and_fails_only_warns() {
    let fake = fake();
    fake.world().behaviours.insert("db".into(), Behaviour { exits: Some((10, 0)), ..Behaviour::default() });
    let mut hand = Hand::default();
    let pull = Action::PullImage { reference: "gone".into(), platform: None, optional: true };
    hand.add(pull, &[]);
    let create = hand.add(create("db", "db-1", None), &[]);
    let waits = hand.add(wait(made(create, "db-1"), Until::Healthy { seconds: None }, true), &[create]);
    hand.container("app", &[waits]);
    let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
    assert!(report.is_done(), "{:?}", words(&report));
    let warned =
        report.steps.values().filter(|r| matches!(r, StepResult::Done { warnings, .. } if !warnings.is_empty()));
    assert_eq!(warned.count(), 2);
}

#[tokio::test]
async fn cancelling_takes_a_half_done_replacement_back_and_says_what_was_left() {
    for at in 1..=7 {
        let (fake, old) = running_web().await;
        let mut hand = Hand::default();
        let last = hand.replacement("web", &old);
        hand.container("app", &[last]);
        let walk = walk(1);
        let cancel = walk.cancel.clone();
        let tell = move |event: Event<'_>| {
            if matches!(event, Event::Started(step) if step.id == StepId(at)) {
                cancel.cancel();
            }
        };
        let report = apply(&fake, &hand.0, walk, &tell).await;
        assert!(report.cancelled);
        assert_eq!(report.failures().count(), 0);
        let all = words(&report);
        assert_eq!(all[10], "skipped: the command was interrupted", "{all:?}");
        let app = fake.world().by_name("app-1").map(|c| c.id.clone());
        app.map(|id| fake.world().containers.remove(&id));
        assert_as_before(&fake, &old);
    }
}

#[tokio::test]
async fn cancelling_finishes_a_replacement_that_is_proven() {
    let (fake, old) = running_web().await;
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let walk = walk(1);
    let cancel = walk.cancel.clone();
    let tell = move |event: Event<'_>| {
        if matches!(event, Event::Finished(step, _) if step.id == StepId(7)) {
            cancel.cancel();
        }
    };
    let report = apply(&fake, &hand.0, walk, &tell).await;
    assert!(report.cancelled && report.is_done(), "{:?}", words(&report));
    assert_eq!(fake.world().containers.len(), 1);
}

#[tokio::test]
async fn waits_do_not_hold_up_a_cancelled_walk() {
    let fake = fake();
    let mut hand = Hand::default();
    hand.container("web", &[]);
    let walk = walk(1);
    let cancel = walk.cancel.clone();
    let tell = move |event: Event<'_>| {
        if matches!(event, Event::Progress(..)) {
            cancel.cancel();
        }
    };
    let report = apply(&fake, &hand.0, walk, &tell).await;
    assert_eq!(words(&report), ["done", "done", "skipped: the command was interrupted"]);
}

#[tokio::test]
async fn when_the_engine_is_gone_taking_back_gives_up_at_once_and_says_so() {
    let (fake, old) = running_web().await;
    fake.fault(Fault::GoneFrom(5));
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
    assert_eq!(fake.calls().len(), 6, "one failed, one tried to take back: {:?}", fake.calls());
    assert_eq!(words(&report)[3], "taken backnot tried: rename container web-1");
}

/// An engine that panics in one kind of call.
struct Panicking<'f>(&'f Fake, fn(&Action) -> bool);

#[async_trait::async_trait]
impl Engine for Panicking<'_> {
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        self.0.observe(scope).await
    }
    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        assert!(!(self.1)(action), "a bug");
        self.0.perform(action, known, progress).await
    }
    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        self.0.inspect(id).await
    }
    async fn last_words(&self, _: &str, _: u32) -> Result<Vec<String>, EngineError> {
        panic!("another bug")
    }
}

#[tokio::test]
async fn a_panic_in_a_call_or_a_listener_is_a_failed_step_and_no_group_is_lost() {
    let (fake, old) = running_web().await;
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let engine = Panicking(&fake, |action| matches!(action, Action::Wait { .. }));
    let report = apply(&engine, &hand.0, walk(4), &|_| panic!("a listener's bug")).await;
    let (_, diagnostic, _) = report.failures().next().unwrap();
    assert_eq!(diagnostic.code, "apply.bug");
    assert_as_before(&fake, &old);
}

#[tokio::test]
async fn references_mean_the_container_that_this_walk_made() {
    let (fake, old) = running_web().await;
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    let mut action = create("app", "app-1", None);
    if let Action::CreateContainer { request, .. } = &mut action {
        request.refs.push(Ref { field: RefField::Network, service: "web".into() });
    }
    hand.add(action, &[StepId(1)]);
    let mut walk = walk(4);
    let Target::Existing { id, .. } = &old else { return };
    walk.known.services.insert("web".into(), id.clone());
    let report = apply(&fake, &hand.0, walk, &|_| {}).await;
    assert!(report.is_done(), "{:?}", words(&report));
    let world = fake.world();
    let mode = world.by_name("app-1").unwrap().host_config["NetworkMode"].clone();
    assert_eq!(mode, format!("container:{}", world.by_name("web-1").unwrap().id));
}

#[tokio::test]
async fn a_plan_with_a_broken_order_ends_and_says_so() {
    let fake = fake();
    let mut hand = Hand::default();
    hand.add(create("a", "a-1", None), &[StepId(2)]);
    hand.add(create("b", "b-1", None), &[StepId(1)]);
    hand.add(create("c", "c-1", None), &[]);
    let report = apply(&fake, &hand.0, walk(4), &|_| {}).await;
    let all = words(&report);
    assert!(all[0].starts_with("skipped") && all[1].starts_with("skipped"));
    assert_eq!(all[2], "done");
}

#[tokio::test]
async fn a_crashed_walk_is_dropped_with_what_it_did_until_then() {
    for call in 0..8 {
        let (fake, old) = running_web().await;
        fake.fault(Fault::Crash { call, effect: true });
        let mut hand = Hand::default();
        hand.replacement("web", &old);
        tokio::select! {
            _ = apply(&fake, &hand.0, walk(4), &|_| {}) => panic!("it crashes before the end"),
            () = fake.crashed() => {}
        }
        fake.recover();
        assert!(fake.world().by_name("web-1").is_some() || fake.world().by_name("aside").is_some());
    }
}

#[tokio::test]
async fn a_walk_that_was_cancelled_before_does_nothing() {
    let (fake, old) = running_web().await;
    let mut hand = Hand::default();
    hand.replacement("web", &old);
    hand.container("app", &[]);
    let walk = walk(32);
    walk.cancel.cancel();
    let report = apply(&fake, &hand.0, walk, &|_| {}).await;
    assert!(report.cancelled);
    assert_eq!(fake.calls(), Vec::<String>::new());
}

/// `web` runs on the network `n`, and a plan makes that anew under it.
async fn network_made_anew() -> (Fake, Target, Plan) {
    let (fake, web) = running_web().await;
    let network = |v: &str| {
        let body = json!({ "Name": "n", "Labels": { "v": v } });
        let request = crate::plan::wanted::NetworkRequest { name: "n".into(), body, ..Default::default() };
        Action::CreateNetwork { request: Box::new(request) }
    };
    let connect =
        || Action::ConnectNetwork { network: "n".into(), container: web.clone(), endpoint: Default::default() };
    let mut before = Hand::default();
    let made = before.add(network("1"), &[]);
    before.add(connect(), &[made]);
    assert!(apply(&fake, &before.0, walk(4), &|_| {}).await.is_done());
    fake.recover();
    let mut hand = Hand::default();
    let remove = || Action::RemoveNetwork { id: "n".into(), name: "n".into() };
    let off = Action::DisconnectNetwork { network: "n".into(), container: web.clone() };
    let off = hand.step(off, &[], Some(1), vec![connect()]);
    let removed = hand.step(remove(), &[off], Some(1), vec![network("1")]);
    let made = hand.step(network("2"), &[removed], Some(1), vec![remove()]);
    hand.step(connect(), &[made], Some(1), Vec::new());
    (fake, web, hand.0)
}

/// The label of the network that `web` is on.
fn network_of_web(fake: &Fake) -> Option<String> {
    let world = fake.world();
    let id = world.by_name("web-1")?.endpoints.get("n")?.network_id.clone();
    world.networks.get(&id)?.labels.get("v").cloned()
}

#[tokio::test]
async fn a_network_that_cannot_be_made_anew_is_taken_back() {
    for fault in
        [Fault::FailCall(1), Fault::FailAnswer(2), Fault::FailCall(2), Fault::FailCall(3), Fault::FailAnswer(3)]
    {
        let (fake, _, plan) = network_made_anew().await;
        fake.fault(fault);
        let report = apply(&fake, &plan, walk(4), &|_| {}).await;
        assert_eq!(report.failures().count(), 1);
        assert_eq!(network_of_web(&fake).as_deref(), Some("1"), "{:?}", words(&report));
    }
}

#[tokio::test]
async fn an_interrupted_network_is_taken_back_or_finished() {
    for (call, then) in [(1, "1"), (2, "1"), (3, "1"), (4, "2")] {
        let (fake, _, plan) = network_made_anew().await;
        let walk = walk(4);
        fake.fault(Fault::Cancel { call, token: walk.cancel.clone() });
        let report = apply(&fake, &plan, walk, &|_| {}).await;
        assert_eq!(network_of_web(&fake).as_deref(), Some(then), "{call}: {:?}", words(&report));
    }
}

#[tokio::test]
async fn a_group_that_cannot_end_does_not_begin() {
    let (fake, old) = running_web().await;
    let mut hand = Hand::default();
    let pull = Action::PullImage { reference: "gone".into(), platform: None, optional: false };
    let fails = hand.add(pull, &[]);
    let first = hand.add(create("app", "app-1", None), &[]);
    let stop = Action::StopContainer { container: old.clone(), timeout: None };
    hand.step(stop, &[first], Some(1), vec![Action::StartContainer { container: old.clone() }]);
    let again = Action::RenameContainer { container: old.clone(), to: "other".into() };
    hand.step(again, &[fails], Some(1), Vec::new());
    let report = apply(&fake, &hand.0, walk(1), &|_| {}).await;
    assert_eq!(report.failures().count(), 1);
    assert_eq!(fake.calls(), ["pull gone", "create app-1"], "{:?}", words(&report));
    assert_eq!(fake.world().by_name("web-1").unwrap().state, State::Running);
}

/// Stops take two seconds, as programs do that end in their own time.
struct Unhurried<'f>(&'f Fake);

#[async_trait::async_trait]
impl Engine for Unhurried<'_> {
    async fn observe(&self, scope: &Scope) -> Result<Observed, EngineError> {
        self.0.observe(scope).await
    }
    async fn perform(&self, action: &Action, known: &Known, progress: Tell<'_>) -> Result<Outcome, EngineError> {
        if matches!(action, Action::StopContainer { .. }) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        self.0.perform(action, known, progress).await
    }
    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        self.0.inspect(id).await
    }
    async fn last_words(&self, id: &str, lines: u32) -> Result<Vec<String>, EngineError> {
        self.0.last_words(id, lines).await
    }
}

#[tokio::test]
async fn a_container_that_takes_its_time_to_stop_does_not_hold_up_the_others() {
    let fake = fake();
    let mut hand = Hand::default();
    for i in 0..5 {
        hand.container(&format!("s{i}"), &[]);
    }
    assert!(apply(&fake, &hand.0, walk(4), &|_| {}).await.is_done());
    let mut down = Hand::default();
    for c in fake.world().containers.values() {
        let container = Target::Existing { id: c.id.clone(), name: c.name.clone() };
        down.add(Action::StopContainer { container, timeout: None }, &[]);
    }
    let report = apply(&Unhurried(&fake), &down.0, walk(1), &|_| {}).await;
    assert!(report.is_done(), "{:?}", words(&report));
    assert!(report.took < Duration::from_secs(7), "{:?} for five stops of two seconds each", report.took);
    assert!(fake.world().containers.values().all(|c| !c.is_running()));
}
