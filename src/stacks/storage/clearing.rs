//! Clearing up: what of it goes, what stays and why.
//!
//! Nothing is removed here. What goes is a [`Plan`] that names each of it; it is carried out as any other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Held, Image, Network, Prune, Use, User, Volume, short, whole, words};
use crate::base::{units, wording};
use crate::plan::{Action, Cause, Note, Plan, Refusal, Risk, Step, StepId};

/// What would go, what stays and why: a plan that names each of it.
pub fn plan(held: &Held, project: &str, working_dir: &str, asked: &Prune) -> Plan {
    let mut plan = Plan { project: project.into(), working_dir: working_dir.into(), ..Plan::default() };
    let mut making = Making { plan: &mut plan };
    making.images(held, asked);
    making.networks(held, asked);
    making.volumes(held, asked);
    plan
}

/// The same for a plan that is kept: exactly what it removes, so that what has come meanwhile is not in it.
pub fn exactly(plan: &Plan) -> Prune {
    let mut asked = Prune::default();
    for step in &plan.steps {
        match &step.action {
            Action::RemoveImage { reference } => asked.images.push(reference.clone()),
            Action::RemoveNetwork { id, .. } => asked.networks.push(id.clone()),
            Action::RemoveVolume { name } => asked.volumes.push(name.clone()),
            _ => {}
        }
    }
    asked
}

struct Making<'p> {
    plan: &'p mut Plan,
}

impl Making<'_> {
    fn step(&mut self, action: Action, risk: Risk, what: String) {
        let id = StepId(u32::try_from(self.plan.steps.len() + 1).unwrap_or(u32::MAX));
        let cause = Cause::Requested { what };
        let (after, undo) = (Vec::new(), Vec::new());
        self.plan.steps.push(Step { id, action, cause, risk, after, service: String::new(), group: None, undo });
    }

    fn stays(&mut self, kind: &str, name: &str, why: String) {
        self.plan.notes.push(Note { about: "stays".into(), subject: format!("{kind} {name}"), text: why });
    }

    fn refuse(&mut self, code: &str, field: &str, title: String, hint: &str) {
        self.plan.refusals.push(Refusal {
            code: code.into(),
            field: Some(field.into()),
            title,
            hints: vec![hint.into()],
        });
    }

    fn unknown(&mut self, kind: &str, name: &str) {
        self.refuse(
            "storage.not-there",
            name,
            format!("there is no {kind} `{name}` on this engine"),
            "it may be gone already: look again",
        );
    }

    fn used(&mut self, kind: &str, name: &str, users: &[User]) {
        let title = format!("the {kind} `{name}` is used by {}", words(users));
        self.refuse("storage.in-use", name, title, "what is used is never removed: remove the containers first");
    }

    fn images(&mut self, held: &Held, asked: &Prune) {
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        for name in &asked.images {
            let by_id = |one: &&Image| {
                let digits = name.strip_prefix("sha256:").unwrap_or(name);
                digits.len() >= 12 && one.id.strip_prefix("sha256:").unwrap_or(&one.id).starts_with(digits)
            };
            let by_tag = |one: &&Image| one.tags.iter().any(|tag| whole(tag) == whole(name));
            match held
                .images
                .iter()
                .find(by_tag)
                .map(|one| (one, false))
                .or_else(|| held.images.iter().find(by_id).map(|one| (one, true)))
            {
                None => self.unknown("image", name),
                Some((one, _)) if one.state == Use::Used => self.used("image", name, &one.used_by),
                Some((one, true)) => {
                    gone.insert(&one.id);
                    self.image(one, &one.tags);
                }
                Some((one, false)) => {
                    gone.insert(&one.id);
                    let tags: Vec<String> = one.tags.iter().filter(|tag| whole(tag) == whole(name)).cloned().collect();
                    self.image(one, &tags);
                }
            }
        }
        if !asked.unused_images {
            return;
        }
        for one in &held.images {
            match one.state {
                Use::Unused if !gone.contains(one.id.as_str()) => self.image(one, &one.tags),
                Use::Kept if !gone.contains(one.id.as_str()) => {
                    self.stays("image", one.name(), one.why.clone().unwrap_or_default());
                }
                _ => {}
            }
        }
        let used = held.images.iter().filter(|one| one.state == Use::Used).count();
        self.counted(used, "image");
    }

    fn image(&mut self, one: &Image, tags: &[String]) {
        let size = units::bytes(one.size);
        let at = self.plan.steps.len();
        match tags {
            [] => self.step(
                Action::RemoveImage { reference: one.id.clone() },
                Risk::None,
                format!("nothing uses it, and it has no name, {size}"),
            ),
            tags => {
                for tag in tags {
                    self.step(
                        Action::RemoveImage { reference: tag.clone() },
                        Risk::None,
                        format!("nothing uses it, {size}"),
                    );
                }
            }
        }
        let references: Vec<String> = self.plan.steps[at..].iter().map(|step| named(&step.action)).collect();
        for reference in references {
            self.plan.premises.insert(format!("image {reference}"), short(&one.id).to_owned());
        }
    }

    fn networks(&mut self, held: &Held, asked: &Prune) {
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        for name in &asked.networks {
            match held.networks.iter().find(|one| one.id == *name || one.name == *name) {
                None => self.unknown("network", name),
                Some(one) if one.state == Use::Used => self.used("network", &one.name, &one.used_by),
                Some(one) if one.fixed => {
                    let title = format!("the network `{}` stays: {}", one.name, one.why.as_deref().unwrap_or_default());
                    self.refuse("storage.kept", name, title, "choose another one");
                }
                Some(one) => {
                    gone.insert(&one.id);
                    self.network(one);
                }
            }
        }
        if !asked.unused_networks {
            return;
        }
        for one in &held.networks {
            match one.state {
                Use::Unused if !gone.contains(one.id.as_str()) => self.network(one),
                Use::Kept => self.stays("network", &one.name, one.why.clone().unwrap_or_default()),
                _ => {}
            }
        }
        let used = held.networks.iter().filter(|one| one.state == Use::Used).count();
        self.counted(used, "network");
    }

    fn network(&mut self, one: &Network) {
        let action = Action::RemoveNetwork { id: one.id.clone(), name: one.name.clone() };
        self.step(action, Risk::None, "no container is on it".into());
        self.plan.premises.insert(format!("network {}", one.name), short(&one.id).to_owned());
    }

    fn volumes(&mut self, held: &Held, asked: &Prune) {
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        for name in &asked.volumes {
            match held.volumes.iter().find(|one| one.name == *name) {
                None => self.unknown("volume", name),
                Some(one) if one.state == Use::Used => self.used("volume", name, &one.used_by),
                Some(one) => {
                    gone.insert(&one.name);
                    self.volume(one);
                }
            }
        }
        if !asked.unused_volumes {
            return;
        }
        for one in &held.volumes {
            match one.state {
                Use::Unused if !gone.contains(one.name.as_str()) => self.volume(one),
                Use::Kept if !gone.contains(one.name.as_str()) => {
                    self.stays("volume", &one.name, one.why.clone().unwrap_or_default());
                }
                _ => {}
            }
        }
        let used = held.volumes.iter().filter(|one| one.state == Use::Used).count();
        self.counted(used, "volume");
    }

    fn volume(&mut self, one: &Volume) {
        let mut words = match (one.anonymous, &one.project) {
            (true, _) => "nothing uses it, and nobody gave it a name".to_owned(),
            (false, Some(project)) => format!("nothing uses it; it was made for {project}"),
            (false, None) => "nothing uses it".to_owned(),
        };
        if let Some(size) = one.size {
            words += &format!(", {}", units::bytes(size));
        }
        if let Some(folder) = &one.of_machine {
            words += &format!("; its data lies at {folder} and stays there");
        }
        self.step(Action::RemoveVolume { name: one.name.clone() }, Risk::Data, words);
        self.plan.premises.insert(format!("volume {}", one.name), one.created_at.clone());
    }

    /// What is used stays, which needs no list.
    fn counted(&mut self, used: usize, noun: &str) {
        if used > 0 {
            let all = wording::count(used, noun);
            self.plan.notes.push(Note {
                about: "stays".into(),
                subject: String::new(),
                text: format!("{all} {}", if used == 1 { "is used and stays" } else { "are used and stay" }),
            });
        }
    }
}

fn named(action: &Action) -> String {
    match action {
        Action::RemoveImage { reference } => reference.clone(),
        _ => String::new(),
    }
}

/// What has moved of what a kept plan rests on; nothing: it still holds.
pub fn moved(then: &BTreeMap<String, String>, now: &Plan) -> Vec<String> {
    let gone = now.refusals.iter().map(|refusal| refusal.title.clone());
    let other = then.iter().filter(|(what, was)| now.premises.get(*what).is_some_and(|is| is != *was));
    gone.chain(other.map(|(what, _)| format!("{what} is another one than it was"))).collect()
}
