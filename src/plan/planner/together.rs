//! Services that stand or fall together: those that share a replaced container's namespace, and those that are restarted
//! with it. Their groups merge; followers stop before, and nothing is removed before all are proven.

use std::collections::{HashMap, HashSet};

use super::Planner;
use super::networks::existing;
use super::steps::At;
use crate::plan::observed::Container;
use crate::plan::wanted::WantedService;
use crate::plan::{Action, Cause, Risk};

/// Groups that merge where services stand or fall together, and what each holds.
#[derive(Default)]
pub(super) struct Groups {
    parents: Vec<u32>,
    /// Per replaced container, and where those of a service are.
    members: Vec<Member>,
    by_service: HashMap<String, Vec<usize>>,
    /// Containers that follow a replaced one: their stop, the last step of their start, and whom they follow.
    followers: Vec<(Down, At, String)>,
}

/// From `first` (a hook, the stop, or the new one's start where nothing is to be stopped) a container does not answer.
#[derive(Clone, Copy)]
pub(super) struct Down {
    pub first: At,
    pub stop: Option<At>,
}

/// The steps of one replacement that others are tied to.
pub(super) struct Member {
    pub group: u32,
    pub service: String,
    /// Id of the old container, and of those whose namespaces it shares now, whatever is wanted.
    pub old: String,
    pub shared: Vec<String>,
    /// What its stop waits for beyond its own preparation.
    pub gate: Vec<At>,
    pub down: Down,
    pub proven: At,
    pub removals: Vec<At>,
}

impl Groups {
    pub fn push(&mut self, member: Member) {
        self.by_service.entry(member.service.clone()).or_default().push(self.members.len());
        self.members.push(member);
    }
    /// Members of a service, in order of number.
    fn of(&self, service: &str) -> impl Iterator<Item = &Member> {
        self.by_service.get(service).into_iter().flatten().map(|i| &self.members[*i])
    }
    pub fn fresh(&mut self) -> u32 {
        self.parents.push(self.parents.len() as u32);
        self.parents.len() as u32 - 1
    }
    fn root(&self, mut group: u32) -> u32 {
        while self.parents[group as usize] != group {
            group = self.parents[group as usize];
        }
        group
    }
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
    /// What the stop of a member waits for. One that shares the namespace of another goes before that one does, so the
    /// other's gate counts: its own may wait for the other's start.
    fn gate(&self, mut member: usize, parents: &HashMap<usize, usize>) -> &[At] {
        while let Some(parent) = parents.get(&member) {
            member = *parent;
        }
        &self.members[member].gate
    }
}

/// Ids of the containers whose namespaces a container shares.
pub(super) fn shared(container: &Container) -> Vec<String> {
    let detail = container.detail.as_ref().map(|d| &d.host_config);
    let more = ["IpcMode", "PidMode"].iter().filter_map(|key| detail?[*key].as_str());
    let modes = more.chain([container.network_mode.as_str()]);
    modes.filter_map(|mode| mode.strip_prefix("container:")).map(str::to_string).collect()
}

impl<'a> Planner<'a> {
    /// Proofs of the replaced containers whose volumes this service uses: should one be taken back, nothing of this service
    /// was touched.
    pub fn proofs_of_refs(&self, service: &WantedService) -> Vec<At> {
        service.request.refs.iter().flat_map(|r| self.groups.of(&r.service)).map(|m| m.proven).collect()
    }

    /// A service whose namespace this one shares, or its old container did, and whose container is replaced too.
    pub fn replaced_parent(&self, service: &WantedService, old: &Container) -> Option<u32> {
        let refs = service.request.refs.iter().filter(|r| self.shares_namespace(service, &r.service));
        let wanted = refs.filter_map(|r| self.groups.of(&r.service).next()).map(|m| m.group).next();
        let shared = shared(old);
        let mut now = self.groups.members.iter().filter(|_| !shared.is_empty());
        wanted.or_else(|| now.find(|m| shared.contains(&m.old)).map(|m| m.group))
    }

    /// A container that stays, stopped before its dependency stops and started when that is back. Gives its start.
    pub fn follow(
        &mut self,
        service: &'a WantedService,
        container: &'a Container,
        on: &str,
        mended: &[At],
        gate: &[At],
    ) -> Vec<At> {
        let cause = Cause::DependencyReplaced { service: on.into() };
        let target = existing(container);
        let proofs: Vec<At> = self.groups.of(on).map(|m| m.proven).collect();
        if proofs.is_empty() {
            // The dependency is only started (again): this one follows.
            let action = Action::RestartContainer { container: target.clone(), timeout: self.options.timeout };
            let upload = self.upload(service, &target, mended);
            let at = self.steps.add(&service.name, action, cause);
            self.steps.risk(at, Risk::ShortStop);
            self.steps.tie_all(at, mended);
            self.steps.tie_all(at, gate);
            self.steps.tie_all(at, &upload.into_iter().collect::<Vec<_>>());
            let started: Vec<At> = self.ready.get(on).into_iter().flatten().flat_map(|r| r.started.clone()).collect();
            self.steps.tie_all(at, &started);
            return vec![self.hooks(service, &target, "post_start", at)];
        }
        let (first, stop) = self.stop_steps(Some(service), container, cause.clone());
        self.steps.tie_all(first, mended);
        self.steps.risk(stop, Risk::ShortStop);
        let revive = Action::StartContainer { container: target.clone() };
        let group = self.groups.of(on).next().map_or(0, |m| m.group);
        self.steps.undo(stop, group, vec![revive]);
        for hook in first..stop {
            self.steps.undo(hook, group, Vec::new());
        }
        let mut before = mended.to_vec();
        before.push(stop);
        before.extend(proofs);
        let drafted = self.steps.drafts.len();
        let started = self.start_steps(service, &target, cause, &before, gate);
        // A follower that cannot start again, or may not any more, takes the replacement back: what ran runs.
        for at in drafted..self.steps.drafts.len() {
            let is_start = matches!(self.steps.drafts[at].action, Action::StartContainer { .. });
            let stop = Action::StopContainer { container: target.clone(), timeout: self.options.timeout };
            self.steps.undo(at, group, if is_start { vec![stop] } else { Vec::new() });
        }
        for last in &started {
            self.groups.followers.push((Down { first, stop: Some(stop) }, *last, on.into()));
        }
        started
    }

    /// Ties the groups that stand or fall together: followers stop before, and nothing is removed before all are proven.
    pub fn tie_clusters(&mut self) {
        let mut groups = std::mem::take(&mut self.groups);
        // Sharers of a namespace: their old containers stop before the old one that they hang on.
        let mut sharers: Vec<(usize, usize)> = Vec::new();
        for (i, member) in groups.members.iter().enumerate() {
            let Some(service) = self.wanted.services.get(&member.service) else { continue };
            for reference in &service.request.refs {
                if self.shares_namespace(service, &reference.service)
                    && let Some(parent) = groups.by_service.get(&reference.service).and_then(|list| list.first())
                {
                    sharers.push((i, *parent));
                }
            }
        }
        // So do those that shared it until now: taken back, they need it running.
        for (i, member) in groups.members.iter().enumerate().filter(|(_, m)| !m.shared.is_empty()) {
            let now = (0..groups.members.len()).filter(|j| *j != i && member.shared.contains(&groups.members[*j].old));
            sharers.extend(now.map(|parent| (i, parent)));
        }
        sharers.sort();
        sharers.dedup();
        // What each goes before, in the end: the first in order, for what that waits for cannot wait for the others.
        let mut parents: HashMap<usize, usize> = HashMap::new();
        for (i, parent) in sharers.iter().filter(|(i, parent)| parent < i) {
            let root = parents.get(parent).copied().unwrap_or(*parent);
            let first = parents.entry(*i).or_insert(root);
            *first = root.min(*first);
        }
        for (i, parent) in sharers {
            let (down, group) = (groups.members[i].down, groups.members[i].group);
            groups.join(group, groups.members[parent].group);
            // One that is stopped already has nothing to make way with.
            if let Some(stop) = down.stop {
                self.steps.tie(groups.members[parent].down.first, stop);
                if parents.contains_key(&i) {
                    self.steps.tie_all(down.first, groups.gate(i, &parents));
                }
            }
        }
        for (down, _, on) in groups.followers.clone() {
            let on = groups.by_service.get(&on).cloned().unwrap_or_default();
            let Some(first) = on.first().copied() else { continue };
            self.steps.tie_all(down.first, groups.gate(first, &parents));
            for i in on {
                self.steps.tie(groups.members[i].down.first, down.stop.unwrap_or(down.first));
                let (a, b) = (groups.members[first].group, groups.members[i].group);
                groups.join(a, b);
            }
        }
        self.settle_groups(&groups);
        self.groups = groups;
    }

    /// A container that goes (scaled down, an orphan) stays as long as an old one shares its namespaces: that one could not
    /// be brought back without it.
    pub fn keep_shared_until_left(&mut self) {
        let mut ties: Vec<(At, At)> = Vec::new();
        let replaced: HashSet<&str> = self.groups.members.iter().map(|m| m.old.as_str()).collect();
        for member in &self.groups.members {
            let going = member.shared.iter().filter(|id| !replaced.contains(id.as_str()));
            for stop in going.filter_map(|id| self.stops.get(id.as_str())) {
                ties.extend(member.removals.iter().map(|removal| (*stop, *removal)));
            }
        }
        for (stop, removal) in ties {
            // A container that must make way for this very replacement cannot wait for it.
            if !self.steps.comes_after(removal, stop) {
                self.steps.tie(stop, removal);
            }
        }
    }

    /// Gives each draft its merged group (counted from 1), and holds removals back until all of the group is proven
    /// and all that follow it have started again.
    fn settle_groups(&mut self, groups: &Groups) {
        let mut proofs: HashMap<u32, Vec<At>> = Default::default();
        for member in &groups.members {
            proofs.entry(groups.root(member.group)).or_default().push(member.proven);
        }
        for (_, started, on) in &groups.followers {
            if let Some(member) = groups.of(on).next() {
                proofs.entry(groups.root(member.group)).or_default().push(*started);
            }
        }
        for member in &groups.members {
            let all = &proofs[&groups.root(member.group)];
            for removal in &member.removals {
                self.steps.tie_all(*removal, all);
            }
        }
        for draft in &mut self.steps.drafts {
            draft.group = draft.group.map(|g| groups.root(g) + 1);
        }
    }
}
