//! Runs plans on the in-memory engine, and says what must be true afterwards.

use std::collections::{BTreeMap, BTreeSet};

use hearth::engine::apply::{Report, StepResult, Walk, apply};
use hearth::engine::fake::{Behaviour, Fake, FakeContainer, Health};
use hearth::engine::{Engine, Known, Scope};
use hearth::plan::observed::{Observed, State};
use hearth::plan::request::{NUMBER, PROJECT, SERVICE};
use hearth::plan::wanted::Wanted;
use hearth::plan::{self, Action, Options, Plan, Step, Target, Verb, check, text};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::project::{IMAGES, Shape};

/// An engine with the images, the foreign things, and what each service does.
pub fn engine(shape: &Shape, seed: u64) -> Fake {
    let fake = Fake::new(seed);
    prepare(&fake, shape);
    let mut world = fake.world();
    let stranger = FakeContainer {
        id: "f".repeat(64),
        name: "stranger".into(),
        state: State::Running,
        ports: vec![("127.0.0.1".into(), 9999, "tcp".into())],
        started: Some(0),
        host_config: json!({ "RestartPolicy": { "Name": "always" } }),
        ..FakeContainer::default()
    };
    world.containers.insert(stranger.id.clone(), stranger);
    drop(world);
    fake
}

/// Moves tags and changes what services do, as a shape has it.
pub fn prepare(fake: &Fake, shape: &Shape) {
    let mut world = fake.world();
    for i in 0..IMAGES {
        let config = match i {
            0 => json!({ "Volumes": { "/data": {} }, "Cmd": ["serve"] }),
            1 => json!({ "Env": ["V=image", "PATH=/bin"], "Labels": { "maker": "m" }, "Entrypoint": ["/e"] }),
            _ => json!({ "ExposedPorts": { "80/tcp": {} }, "User": "1000", "StopSignal": "SIGINT" }),
        };
        let version = shape.images[i].to_string();
        world.add_image(&shape.image(i), &version, config.clone());
        world.offer_image(&shape.image(i), &version, config);
    }
    world.behaviours.clear();
    for (name, service) in shape.active() {
        let exits = service.job.then_some((700, 0));
        let stubborn = service.env == 2;
        // What ends with 0 counts as a job that is done where nothing says that it should stay up.
        let graceful = matches!(service.restart, 1 | 2);
        world
            .behaviours
            .insert(name, Behaviour { exits, stubborn, graceful, says: vec!["up".into()], ..Behaviour::default() });
    }
}

pub fn scope(wanted: &Wanted) -> Scope {
    let images: BTreeSet<String> =
        wanted.services.values().map(|s| s.request.config["Image"].as_str().unwrap_or_default().to_string()).collect();
    Scope {
        project: wanted.project.clone(),
        images: images.into_iter().collect(),
        networks: wanted.networks.values().map(|n| n.name.clone()).collect(),
        volumes: wanted.volumes.values().map(|v| v.name.clone()).collect(),
        inspect: true,
        ..Scope::default()
    }
}

pub async fn look(fake: &Fake, wanted: &Wanted) -> Observed {
    match fake.observe(&scope(wanted)).await {
        Ok(observed) => observed,
        Err(error) => panic!("{error}"),
    }
}

/// Plans, and holds the plan against the checker and the rule that no unnamed volume goes.
pub fn planned(wanted: &Wanted, observed: &Observed, options: &Options) -> Plan {
    let plan = plan::plan(wanted, observed, options);
    let wrong = check::check(&plan);
    assert!(wrong.is_empty(), "{wrong:?}\n{}", text::render(&plan, true));
    let removed = plan.steps.iter().filter_map(|s| match &s.action {
        Action::RemoveVolume { name } => Some(name),
        _ => None,
    });
    for name in removed {
        assert!(options.volumes.contains(name), "{name} was not named\n{}", text::render(&plan, true));
    }
    plan
}

pub async fn walk(fake: &Fake, observed: &Observed, plan: &Plan, cancel: CancellationToken) -> Report {
    let mut known = Known { services: plan.known.clone(), ..Known::default() };
    known.images = observed.images.iter().map(|(name, image)| (name.clone(), image.label_id.clone())).collect();
    apply(fake, plan, Walk { parallel: 4, known, cancel }, &|_| {}).await
}

/// One command, as the room does it: images in a round of their own, then a new look and the rest. Gives the last plan
/// and what became of it.
pub async fn command(fake: &Fake, wanted: &Wanted, options: &Options, cancel: &CancellationToken) -> (Plan, Report) {
    let mut options = options.clone();
    let mut observed = look(fake, wanted).await;
    let mut plan = planned(wanted, &observed, &options);
    let is_image = |a: &Action| matches!(a, Action::PullImage { .. } | Action::BuildImage { .. });
    let mut images = plan.clone();
    images.steps.retain(|s| is_image(&s.action));
    if !images.steps.is_empty() {
        let kept: BTreeSet<plan::StepId> = images.steps.iter().map(|s| s.id).collect();
        images.steps.iter_mut().for_each(|s| s.after.retain(|a| kept.contains(a)));
        let report = walk(fake, &observed, &images, cancel.clone()).await;
        if !report.is_done() || report.cancelled || options.verb == Verb::Pull {
            return (images, report);
        }
        options.pulled = true;
        observed = look(fake, wanted).await;
        plan = planned(wanted, &observed, &options);
    }
    assert!(plan.refusals.is_empty(), "{:?}\n{}", plan.refusals, text::render(&plan, true));
    let report = walk(fake, &observed, &plan, cancel.clone()).await;
    (plan, report)
}

pub async fn up(fake: &Fake, wanted: &Wanted, options: &Options) -> (Plan, Report) {
    command(fake, wanted, options, &CancellationToken::new()).await
}

/// A plan after images are as they should be: what `up` has left to do.
pub async fn left_to_do(fake: &Fake, wanted: &Wanted) -> Plan {
    let observed = look(fake, wanted).await;
    planned(wanted, &observed, &Options { pulled: true, ..Options::default() })
}

/// What fails probes, or will, only because of how it behaved then gets well.
pub fn heal(fake: &Fake) {
    let mut world = fake.world();
    let soon = world.now + 500;
    let ailing = |c: &&mut FakeContainer| c.is_running() && c.health.is_some_and(|h| h != Health::Healthy);
    for c in world.containers.values_mut().filter(ailing) {
        c.probed_at = Some((soon, Health::Healthy));
    }
}

/// Jobs end, probes are made.
pub fn time_passes(fake: &Fake) {
    let mut world = fake.world();
    let later = world.now + 20_000;
    world.advance(later);
}

/// `up` without faults does all of it, and a second plan is empty.
pub async fn converge(fake: &Fake, shape: &Shape, wanted: &Wanted) {
    let (plan, report) = up(fake, wanted, &Options::default()).await;
    let say = || format!("{}\n{}\n{:#?}", shape.yaml(false), text::render(&plan, true), words(&report));
    assert!(report.is_done(), "{}", say());
    time_passes(fake);
    let again = left_to_do(fake, wanted).await;
    assert!(again.is_empty(), "not empty after {}\nTHEN\n{}\n{:#?}", say(), text::render(&again, true), causes(&again));
    assert_settled(fake, shape);
}

/// What was not done, and why.
pub fn words(report: &Report) -> Vec<String> {
    let one = |(id, r): (&plan::StepId, &StepResult)| match r {
        StepResult::Done { .. } => None,
        StepResult::Failed { diagnostic, words } => Some(format!("{id} failed: {} {words:?}", diagnostic.title)),
        StepResult::Skipped { because } => Some(format!("{id} skipped: {because}")),
        StepResult::TakenBack { trouble } => Some(format!("{id} taken back {trouble:?}")),
    };
    report.steps.iter().filter_map(one).collect()
}

pub fn causes(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|s| format!("{} {:?}", s.service, s.cause)).collect()
}

/// Everything wanted runs (or has run), once, under its own name; nothing is left over.
pub fn assert_settled(fake: &Fake, shape: &Shape) {
    let world = fake.world();
    assert_eq!(world.violations, Vec::<String>::new());
    let own: Vec<&FakeContainer> = world.containers.values().filter(|c| c.labels.contains_key(PROJECT)).collect();
    let mut count: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let active: BTreeMap<String, _> = shape.active().collect();
    for c in own {
        let service = c.labels[SERVICE].clone();
        let Some(s) = active.get(&service) else { continue };
        let number = c.labels[NUMBER].clone();
        assert!(count.entry(service.clone()).or_default().insert(number.clone()), "{service} {number} is there twice");
        let name = if s.named { format!("fixed-{}", &service[1..]) } else { format!("p-{service}-{number}") };
        assert_eq!(
            c.name,
            name,
            "a stray name in {:#?}",
            world.containers.values().map(|c| (&c.name, c.state, &c.host_config["RestartPolicy"])).collect::<Vec<_>>()
        );
        match s.job {
            true => assert_eq!((c.state, c.exit_code), (State::Exited, 0), "{name}"),
            false => assert_eq!(c.state, State::Running, "{name}: {}", c.error),
        }
        if s.health {
            assert_eq!(c.health, Some(Health::Healthy), "{name}");
        }
        let policy = ["no", "always", "unless-stopped", "on-failure"][s.restart as usize];
        assert_eq!(c.host_config["RestartPolicy"]["Name"], policy, "{name}");
        if s.config {
            assert_eq!(c.files.get("/c"), Some(&format!("text {}", shape.config)), "{name}");
        }
        for (network, e) in &c.endpoints {
            // One that does not run may have been attached anew, which names no id yet.
            let right =
                world.network(network).is_some_and(|n| n.id == e.network_id) || s.job && e.network_id.is_empty();
            assert!(right, "{name} is on {network} as {}", e.network_id);
        }
    }
    for (name, s) in &active {
        assert_eq!(count.get(name).map_or(0, BTreeSet::len), usize::from(s.scale), "containers of {name}");
    }
}

/// Volumes with what is in them.
pub fn data(fake: &Fake) -> BTreeMap<String, BTreeSet<String>> {
    let world = fake.world();
    world.volumes.iter().filter(|(_, v)| !v.data.is_empty()).map(|(name, v)| (name.clone(), v.data.clone())).collect()
}

/// What was in a volume still is.
pub fn assert_no_data_lost(before: &BTreeMap<String, BTreeSet<String>>, fake: &Fake) {
    let after = data(fake);
    for (name, marks) in before {
        let now = after.get(name);
        assert!(now.is_some_and(|now| marks.is_subset(now)), "the volume {name} lost {marks:?}: {now:?}");
    }
    assert_eq!(fake.world().lost, Vec::<String>::new());
}

/// `(service, number)` of everything that runs.
pub fn running_marks(fake: &Fake) -> BTreeSet<(String, String)> {
    let world = fake.world();
    let running = world.containers.values().filter(|c| c.is_running() && c.labels.contains_key(PROJECT));
    running.map(|c| (c.labels[SERVICE].clone(), c.labels[NUMBER].clone())).collect()
}

/// The networks that each running container of the project is on, by its id.
pub fn attached(fake: &Fake) -> BTreeMap<String, BTreeSet<String>> {
    let world = fake.world();
    let running = world.containers.values().filter(|c| c.is_running() && c.labels.contains_key(PROJECT));
    let on = |c: &FakeContainer| {
        let there = c.endpoints.iter().filter(|(name, e)| world.network(name).is_some_and(|n| n.id == e.network_id));
        there.map(|(name, _)| name.clone()).collect()
    };
    running.map(|c| (c.id.clone(), on(c))).collect()
}

/// A container that runs as before is on the networks that it was on, made anew or not; unless connecting it is what failed.
pub fn assert_still_attached(
    before: &BTreeMap<String, BTreeSet<String>>,
    fake: &Fake,
    (plan, report): (&Plan, &Report),
    said: &dyn Fn() -> String,
) {
    let connects =
        |id| matches!(plan.steps.iter().find(|s| s.id == id), Some(Step { action: Action::ConnectNetwork { .. }, .. }));
    if report.failures().any(|(id, _, _)| connects(id)) {
        return;
    }
    // What goes and could not be stopped need not have them: it is stopped next time.
    let goes = |s: &Step, id: &str| matches!(&s.action, Action::RemoveContainer { container: Target::Existing { id: of, .. }, .. } if of == id && s.group.is_none());
    let after = attached(fake);
    for (id, networks) in before.iter().filter(|(id, _)| !plan.steps.iter().any(|s| goes(s, id))) {
        let lost = after.get(id).map(|now| networks.difference(now).collect::<Vec<_>>()).unwrap_or_default();
        assert!(lost.is_empty(), "{id} runs and lost {lost:?}\n{}", said());
    }
}

/// What ran before and is still wanted runs now too, in its old container or a new one.
pub fn assert_still_running(
    before: &BTreeSet<(String, String)>,
    shape: &Shape,
    fake: &Fake,
    said: &dyn Fn() -> String,
) {
    let after = running_marks(fake);
    let active: BTreeMap<String, _> = shape.active().collect();
    for (service, number) in before {
        let Some(s) = active.get(service) else { continue };
        let low = before.iter().filter(|(other, n)| other == service && n < number).count();
        if s.job || low >= usize::from(s.scale) {
            continue;
        }
        assert!(
            after.contains(&(service.clone(), number.clone())),
            "{service} {number} ran before and does not now\n{}",
            said()
        );
    }
    assert_eq!(fake.world().violations, Vec::<String>::new());
}

/// What people and other programs do to containers between two commands.
pub fn drift(fake: &Fake, what: &[(u8, usize)]) {
    let mut world = fake.world();
    for (kind, nth) in what {
        let own: Vec<String> =
            world.containers.values().filter(|c| c.labels.contains_key(PROJECT)).map(|c| c.id.clone()).collect();
        let networks: Vec<String> = world.networks.keys().cloned().collect();
        let Some(id) = own.get(nth % own.len().max(1)).cloned() else { continue };
        match kind {
            0 => world.stop_by_hand(&id),
            1 => drop(world.containers.remove(&id)),
            2 => {
                if let Some(c) = world.containers.get_mut(&id).filter(|c| c.state == State::Running) {
                    c.state = State::Paused;
                }
            }
            3 => {
                if let Some(c) = world.containers.get_mut(&id) {
                    let first = c.endpoints.keys().next().cloned();
                    first.map(|name| c.endpoints.remove(&name));
                }
            }
            4 => {
                if let Some(c) = world.containers.get_mut(&id) {
                    c.host_config["Memory"] = json!(12_345_678);
                    c.host_config["MemorySwap"] = json!(24_691_356);
                }
            }
            5 => {
                if let Some(c) = world.containers.get_mut(&id) {
                    c.host_config["RestartPolicy"] = json!({ "Name": "always", "MaximumRetryCount": 0 });
                }
            }
            6 => {
                if let Some(c) = world.containers.get_mut(&id).filter(|c| !c.name.starts_with("0123456789ab_")) {
                    c.name = format!("0123456789ab_{}", c.name);
                }
            }
            7 => {
                if let Some(network) = networks.get(nth % networks.len().max(1)).cloned() {
                    let used = world
                        .containers
                        .values()
                        .any(|c| c.is_running() && c.endpoints.values().any(|e| e.network_id == network));
                    if !used {
                        world.networks.remove(&network);
                    }
                }
            }
            _ => world.restart_engine(),
        }
    }
}
