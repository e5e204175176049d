//! The walk's state: what is ready, what runs, what is to be taken back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::call::{Called, Caller, Ended, Meter};
use super::graph::Graph;
use super::{Event, NOT_TAKEN_BACK, Report, StepResult, Walk};
use crate::engine::{Engine, Known, Outcome};
use crate::plan::{Action, Plan, Step, Target};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not begun.
    Idle,
    Running,
    Done,
    Failed,
    /// Skipped, or dropped while it waited.
    Left,
}

/// A group that is being taken back, or was.
struct Back {
    because: String,
    launched: bool,
}

pub(super) struct Run<'a> {
    caller: Caller<'a>,
    plan: &'a Plan,
    graph: Graph,
    parallel: usize,
    calls: usize,
    /// Calls that may take as long as a program wishes, and when each no longer counts, oldest first.
    patient: VecDeque<(Instant, usize)>,
    stage: Vec<Stage>,
    results: Vec<Option<StepResult>>,
    /// Calls that may begin, the heaviest chain first; and waits, which need no room.
    ready: BinaryHeap<(u64, Reverse<usize>)>,
    ready_waits: Vec<usize>,
    known: Known,
    /// Numbers of the containers this walk put into `known.services`.
    numbers: BTreeMap<String, u32>,
    backs: BTreeMap<u32, Back>,
    cancelled: bool,
}

type Open<'a> = FuturesUnordered<BoxFuture<'a, Ended>>;

impl<'a> Run<'a> {
    pub fn new(
        engine: &'a dyn Engine,
        plan: &'a Plan,
        walk: &'a Walk,
        tell: &'a (dyn Fn(Event<'_>) + Sync),
        meter: &'a Meter,
    ) -> Run<'a> {
        let graph = Graph::new(plan);
        let len = plan.steps.len();
        let mut run = Run {
            caller: Caller { engine, tell, meter, cancel: &walk.cancel },
            plan,
            parallel: walk.parallel.max(1),
            calls: 0,
            patient: VecDeque::new(),
            stage: vec![Stage::Idle; len],
            results: vec![None; len],
            ready: BinaryHeap::new(),
            ready_waits: Vec::new(),
            known: walk.known.clone(),
            numbers: BTreeMap::new(),
            backs: BTreeMap::new(),
            cancelled: false,
            graph,
        };
        for i in std::mem::take(&mut run.graph.broken) {
            run.skip(i, "it needs a step that is not in the plan before it");
        }
        for i in 0..len {
            run.offer(i);
        }
        run
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    fn offer(&mut self, i: usize) {
        if self.graph.needs[i] != 0 || self.stage[i] != Stage::Idle {
            return;
        }
        match is_wait(&self.plan.steps[i].action) {
            true => self.ready_waits.push(i),
            false => self.ready.push((self.graph.weight[i], Reverse(i))),
        }
    }

    /// Begins what is ready: waits at once, calls as far as there is room, groups to take back before both.
    pub fn begin(&mut self, open: &mut Open<'a>) {
        let due: Vec<u32> =
            self.backs.iter().filter(|(g, b)| !b.launched && !self.is_running(**g)).map(|(g, _)| *g).collect();
        for group in due {
            self.launch_back(group, open);
        }
        while let Some(i) = self.ready_waits.pop() {
            self.begin_step(i, open);
        }
        while self.calls < self.parallel
            && let Some((_, Reverse(i))) = self.ready.pop()
        {
            self.begin_step(i, open);
        }
    }

    fn begin_step(&mut self, i: usize, open: &mut Open<'a>) {
        if self.stage[i] != Stage::Idle {
            return;
        }
        let step = &self.plan.steps[i];
        if self.cancelled && !self.is_to_finish(step) {
            return self.skip(i, INTERRUPTED);
        }
        self.calls += usize::from(!is_wait(&step.action));
        if is_patient(&step.action) {
            self.patient.push_back((Instant::now() + PATIENCE, i));
        }
        self.stage[i] = Stage::Running;
        self.caller.say(Event::Started(step));
        let (known, container) = (self.known_for(&step.action), self.container_of(&step.action));
        open.push(Box::pin(self.caller.step(i, step, known, container)));
    }

    /// When the next of the calls that take long gives its place to others.
    pub fn next_room(&self) -> Option<Instant> {
        self.patient.front().map(|(due, _)| *due)
    }

    /// A container that takes its time to stop keeps the engine as little busy as a wait does.
    pub fn make_room(&mut self) {
        while self.next_room().is_some_and(|due| due <= Instant::now()) {
            self.patient.pop_front();
            self.calls -= 1;
        }
    }

    pub fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Step { index, result } => self.step_ended(index, result),
            Ended::Back { group, trouble } => self.back_ended(group, trouble),
        }
    }

    fn step_ended(&mut self, i: usize, result: Called) {
        let step = &self.plan.steps[i];
        if !is_patient(&step.action) {
            self.calls -= usize::from(!is_wait(&step.action));
        } else if let Some(at) = self.patient.iter().position(|(_, one)| *one == i) {
            self.patient.remove(at);
            self.calls -= 1;
        }
        match result {
            Called::Done(outcome) => {
                self.learn(step, &outcome);
                self.stage[i] = Stage::Done;
                self.finish(i, StepResult::Done { id: outcome.id, warnings: outcome.warnings });
                self.release(i);
            }
            Called::Failed { error, .. } if is_optional(&step.action) => {
                self.stage[i] = Stage::Done;
                let mut warnings = vec![error.diagnostic.title.clone()];
                warnings.extend(error.diagnostic.hints.iter().cloned());
                self.finish(i, StepResult::Done { id: None, warnings });
                self.release(i);
            }
            Called::Failed { error, words } => {
                self.stage[i] = Stage::Failed;
                let because = format!("{} failed: {}", describe(&step.action), error.diagnostic.title);
                self.finish(i, StepResult::Failed { diagnostic: error.diagnostic, words });
                self.skip_followers(i, &because);
                if let Some(group) = step.group.filter(|g| !self.is_past_return(*g)) {
                    self.take_back(group, &because);
                }
            }
            Called::Dropped => {
                self.stage[i] = Stage::Left;
                self.finish(i, StepResult::Skipped { because: INTERRUPTED.into() });
                self.cancel();
                self.skip_followers(i, INTERRUPTED);
            }
        }
    }

    /// What others need to know of what a step made.
    fn learn(&mut self, step: &Step, outcome: &Outcome) {
        let Some(id) = &outcome.id else { return };
        match &step.action {
            Action::CreateContainer { request, replaces } => {
                self.known.made.insert(step.id.0, id.clone());
                let current = self.known.services.get(&request.service);
                let taken = current.is_none()
                    || replaces.is_some() && replaces.as_ref() == current
                    || self.numbers.get(&request.service).is_some_and(|n| request.number < *n);
                if taken {
                    self.known.services.insert(request.service.clone(), id.clone());
                    self.numbers.insert(request.service.clone(), request.number);
                }
            }
            Action::PullImage { reference, .. } => {
                self.known.images.insert(reference.clone(), id.clone());
            }
            Action::BuildImage { request } => {
                self.known.images.insert(request.image.clone(), id.clone());
            }
            _ => {}
        }
    }

    fn release(&mut self, i: usize) {
        for f in self.graph.followers[i].clone() {
            self.graph.needs[f] -= 1;
            self.offer(f);
        }
    }

    fn finish(&mut self, i: usize, result: StepResult) {
        self.caller.say(Event::Finished(&self.plan.steps[i], &result));
        self.results[i] = Some(result);
    }

    fn skip(&mut self, i: usize, because: &str) {
        if self.stage[i] == Stage::Idle {
            self.stage[i] = Stage::Left;
            self.finish(i, StepResult::Skipped { because: because.into() });
            self.skip_followers(i, because);
        }
    }

    fn skip_followers(&mut self, i: usize, because: &str) {
        let mut next = self.graph.followers[i].clone();
        while let Some(f) = next.pop() {
            if self.stage[f] != Stage::Idle {
                continue;
            }
            self.stage[f] = Stage::Left;
            self.finish(f, StepResult::Skipped { because: because.into() });
            next.extend(&self.graph.followers[f]);
            // A group that can no longer end is not left half done, and not begun where it had not.
            if let Some(group) = self.plan.steps[f].group.filter(|g| !self.is_past_return(*g)) {
                self.take_back(group, because);
            }
        }
    }

    /// Nothing new begins. Groups in the middle are taken back, or finished where that is the shorter way to safety.
    pub fn cancel(&mut self) {
        if std::mem::replace(&mut self.cancelled, true) {
            return;
        }
        let groups: Vec<u32> = self.graph.groups.keys().copied().collect();
        for group in groups {
            if self.is_half_done(group) && !self.is_past_return(group) && !self.is_proven(group) {
                self.take_back(group, INTERRUPTED);
            }
        }
    }

    fn members(&self, group: u32) -> impl Iterator<Item = usize> + '_ {
        self.graph.groups.get(&group).into_iter().flatten().copied()
    }

    fn is_running(&self, group: u32) -> bool {
        self.members(group).any(|i| self.stage[i] == Stage::Running)
    }

    /// Something of it has begun, and not all of it is done.
    fn is_half_done(&self, group: u32) -> bool {
        self.members(group).any(|i| !matches!(self.stage[i], Stage::Idle | Stage::Left))
            && self.members(group).any(|i| self.stage[i] != Stage::Done)
    }

    /// Something was removed that no undo brings back (or may have been: the call has begun), or a network was made anew:
    /// what comes next needs it.
    fn is_past_return(&self, group: u32) -> bool {
        self.members(group).any(|i| {
            let step = &self.plan.steps[i];
            let begun = matches!(self.stage[i], Stage::Running | Stage::Done | Stage::Failed);
            let made = self.stage[i] == Stage::Done && matches!(step.action, Action::CreateNetwork { .. });
            made || begun && step.undo.is_empty() && is_removal(&step.action)
        })
    }

    /// All its waits have come true.
    fn is_proven(&self, group: u32) -> bool {
        let mut waits = self.members(group).filter(|i| is_wait(&self.plan.steps[*i].action)).peekable();
        waits.peek().is_some() && waits.all(|i| self.stage[i] == Stage::Done)
    }

    fn is_to_finish(&self, step: &Step) -> bool {
        step.group.is_some_and(|g| {
            !self.backs.contains_key(&g) && self.is_half_done(g) && (self.is_past_return(g) || self.is_proven(g))
        })
    }

    fn take_back(&mut self, group: u32, because: &str) {
        if self.backs.contains_key(&group) {
            return;
        }
        self.backs.insert(group, Back { because: because.into(), launched: false });
        let members: Vec<usize> = self.members(group).collect();
        for i in members {
            self.skip(i, because);
            self.skip_followers(i, because);
        }
    }

    /// All running steps of the group have ended: its undo lists run, last step first.
    fn launch_back(&mut self, group: u32, open: &mut Open<'a>) {
        let Some(back) = self.backs.get_mut(&group) else { return };
        back.launched = true;
        let because = back.because.clone();
        let plan = self.plan;
        let mut begun: Vec<usize> =
            self.members(group).filter(|i| matches!(self.stage[*i], Stage::Done | Stage::Failed)).collect();
        begun.reverse();
        let mut lists = Vec::new();
        for i in begun {
            let step = &plan.steps[i];
            let possible = step.undo.iter().filter(
                |a| !matches!(a.target(), Some(Target::Made { step, .. }) if !self.known.made.contains_key(&step.0)),
            );
            lists.push((i, step, possible.map(|a| (a, self.known_for(a))).collect()));
        }
        open.push(Box::pin(self.caller.take_back(group, lists, because)));
    }

    fn back_ended(&mut self, group: u32, trouble: Vec<(usize, Vec<String>)>) {
        for (i, trouble) in trouble {
            let step = &self.plan.steps[i];
            if let (Action::CreateContainer { request, replaces }, Some(made)) =
                (&step.action, self.known.made.remove(&step.id.0))
            {
                let current = self.known.services.get(&request.service) == Some(&made);
                match replaces {
                    Some(old) if current => self.known.services.insert(request.service.clone(), old.clone()),
                    None if current => self.known.services.remove(&request.service),
                    _ => None,
                };
            }
            match &mut self.results[i] {
                Some(StepResult::Failed { diagnostic, .. }) => {
                    diagnostic.hints.extend(trouble.into_iter().map(|t| format!("{NOT_TAKEN_BACK}: {t}")));
                }
                result => *result = Some(StepResult::TakenBack { trouble }),
            }
        }
        debug_assert!(self.backs.contains_key(&group));
    }

    /// Only what this action refers to: a call gets small maps, however large the plan.
    fn known_for(&self, action: &Action) -> Known {
        let mut known = Known::default();
        if let Some(Target::Made { step, .. }) = action.target() {
            known.made.extend(self.known.made.get(&step.0).map(|id| (step.0, id.clone())));
        }
        if let Action::CreateContainer { request, .. } = action {
            for reference in &request.refs {
                let id = self.known.services.get(&reference.service);
                known.services.extend(id.map(|id| (reference.service.clone(), id.clone())));
            }
            let image = request.config["Image"].as_str().unwrap_or_default();
            known.images.extend(self.known.images.get(image).map(|id| (image.to_string(), id.clone())));
        }
        known
    }

    fn container_of(&self, action: &Action) -> Option<String> {
        match action.target()? {
            Target::Existing { id, .. } => Some(id.clone()),
            Target::Made { step, .. } => self.known.made.get(&step.0).cloned(),
        }
    }

    pub fn report(self) -> Report {
        let unreached = || StepResult::Skipped { because: "it was never reached".into() };
        let results = self.results.into_iter().map(|r| r.unwrap_or_else(unreached));
        Report {
            steps: self.plan.steps.iter().map(|s| s.id).zip(results).collect(),
            cancelled: self.cancelled,
            ..Report::default()
        }
    }
}

/// How long a call that waits for a program counts as one that keeps the engine busy.
const PATIENCE: Duration = Duration::from_millis(700);

const INTERRUPTED: &str = "the command was interrupted";

fn is_wait(action: &Action) -> bool {
    matches!(action, Action::Wait { .. })
}

/// It goes on until a program inside the container has ended.
fn is_patient(action: &Action) -> bool {
    matches!(action, Action::StopContainer { .. } | Action::RestartContainer { .. } | Action::Exec { .. })
}

fn is_removal(action: &Action) -> bool {
    matches!(
        action,
        Action::RemoveContainer { .. }
            | Action::RemoveNetwork { .. }
            | Action::RemoveVolume { .. }
            | Action::RemoveImage { .. }
    )
}

fn is_optional(action: &Action) -> bool {
    matches!(action, Action::PullImage { optional: true, .. } | Action::Wait { optional: true, .. })
}

/// An action in a few words: `start container web-1`.
pub(super) fn describe(action: &Action) -> String {
    let (verb, name) = match action {
        Action::PullImage { reference, .. } => ("pull image", reference.as_str()),
        Action::BuildImage { request } => ("build image", request.image.as_str()),
        Action::CreateNetwork { request } => ("create network", request.name.as_str()),
        Action::RemoveNetwork { name, .. } => ("remove network", name.as_str()),
        Action::ConnectNetwork { container, .. } => ("connect a network to", container.name()),
        Action::DisconnectNetwork { container, .. } => ("disconnect a network from", container.name()),
        Action::CreateVolume { request } => ("create volume", request.name.as_str()),
        Action::RemoveVolume { name } => ("remove volume", name.as_str()),
        Action::RemoveImage { reference } => ("remove image", reference.as_str()),
        Action::CreateContainer { request, .. } => ("create container", request.name.as_str()),
        Action::UpdateContainer { container, .. } => ("update container", container.name()),
        Action::RenameContainer { container, .. } => ("rename container", container.name()),
        Action::UploadFiles { container, .. } => ("write files into", container.name()),
        Action::StartContainer { container } => ("start container", container.name()),
        Action::UnpauseContainer { container } => ("unpause container", container.name()),
        Action::RestartContainer { container, .. } => ("restart container", container.name()),
        Action::StopContainer { container, .. } => ("stop container", container.name()),
        Action::RemoveContainer { container, .. } => ("remove container", container.name()),
        Action::Exec { container, .. } => ("run a hook in", container.name()),
        Action::Wait { container, .. } => ("wait for", container.name()),
    };
    format!("{verb} {name}")
}
