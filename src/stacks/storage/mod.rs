//! Images, volumes and networks of this engine: who uses each, and what of it may go.
//!
//! | subject | file |
//! |---|---|
//! | what there is, who uses it, and whether it may go | this one |
//! | the plan that names what goes | `clearing` |

mod clearing;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::base::wording;
use crate::engine::stored::{self, Stored};
use crate::plan::observed::{Container, State};
use crate::plan::request::{PROJECT, SERVICE};
pub use clearing::{exactly, moved, plan};

/// What the stacks of the home name, profiles that are off among them.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// The home's project.
    pub project: String,
    pub images: BTreeSet<String>,
    pub volumes: BTreeSet<String>,
    pub networks: BTreeSet<String>,
}

/// A container that uses something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = StorageUser)]
pub struct User {
    pub container: String,
    /// Null where it belongs to no Compose project.
    #[schema(required)]
    pub project: Option<String>,
    #[schema(required)]
    pub service: Option<String>,
    pub running: bool,
}

/// Whether something may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StorageState)]
pub enum Use {
    /// A container uses it, be it a stopped one.
    Used,
    /// No container uses it, and it stays unless it is named.
    Kept,
    Unused,
}

impl Use {
    pub fn word(self) -> &'static str {
        match self {
            Use::Used => "used",
            Use::Kept => "kept",
            Use::Unused => "unused",
        }
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StoredImage)]
pub struct Image {
    /// `sha256:...`
    pub id: String,
    /// None: a newer image took its name, or it never had one.
    pub tags: Vec<String>,
    /// In bytes, with layers that other images share.
    pub size: u64,
    pub created_at: String,
    pub state: Use,
    /// Why it stays, where no container uses it.
    #[schema(required)]
    pub why: Option<String>,
    pub used_by: Vec<User>,
}

impl Image {
    /// Its first name; without one, its id as people read it.
    pub fn name(&self) -> &str {
        self.tags.first().map_or_else(|| short(&self.id), String::as_str)
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StoredVolume)]
pub struct Volume {
    pub name: String,
    pub driver: String,
    /// In bytes; null where the engine has not counted it in time.
    #[schema(required)]
    pub size: Option<u64>,
    pub created_at: String,
    /// Nobody has given it a name: an image asked for it.
    pub anonymous: bool,
    /// The Compose project that it was made for.
    #[schema(required)]
    pub project: Option<String>,
    /// The folder or disk of this machine that it is; its data stays when it goes.
    #[schema(required)]
    pub of_machine: Option<String>,
    pub state: Use,
    /// Why it stays, where no container uses it.
    #[schema(required)]
    pub why: Option<String>,
    pub used_by: Vec<User>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StoredNetwork)]
pub struct Network {
    pub id: String,
    pub name: String,
    pub driver: String,
    pub internal: bool,
    pub subnets: Vec<String>,
    pub created_at: String,
    /// The Compose project that it was made for.
    #[schema(required)]
    pub project: Option<String>,
    pub state: Use,
    /// Why it stays, where no container uses it.
    #[schema(required)]
    pub why: Option<String>,
    /// It is never removed from here.
    #[serde(skip)]
    pub fixed: bool,
    pub used_by: Vec<User>,
}

/// All of it, judged.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub images: Vec<Image>,
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
}

/// What somebody wants removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prune {
    /// These images, by name or id.
    pub images: Vec<String>,
    /// These volumes, with their data.
    pub volumes: Vec<String>,
    /// These networks, by name or id.
    pub networks: Vec<String>,
    /// All images that nothing uses or names, and that a registry gives again.
    pub unused_images: bool,
    /// All volumes that nothing uses or names, with their data.
    pub unused_volumes: bool,
    /// All networks that nothing uses or names.
    pub unused_networks: bool,
}

impl Prune {
    /// What is meant where nothing is said: what costs nothing to have again.
    pub fn or_usual(self) -> Prune {
        match self == Prune::default() {
            true => Prune { unused_images: true, unused_networks: true, ..self },
            false => self,
        }
    }
}

fn short(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..12).unwrap_or(digits)
}

fn user(one: &Container) -> User {
    User {
        container: one.name.clone(),
        project: one.labels.get(PROJECT).cloned(),
        service: one.labels.get(SERVICE).cloned(),
        running: matches!(one.state, State::Running | State::Paused | State::Restarting),
    }
}

/// A reference with what Docker adds to one that says less.
fn whole(reference: &str) -> String {
    let name = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}

/// Judges what there is.
pub fn held(stored: &Stored, named: &Named) -> Held {
    let images: BTreeSet<String> = named.images.iter().map(|one| whole(one)).collect();
    Held {
        images: stored.images.iter().map(|one| image(one, &stored.containers, &images)).collect(),
        volumes: stored.volumes.iter().map(|one| volume(one, &stored.containers, named)).collect(),
        networks: stored.networks.iter().map(|one| network(one, &stored.containers, named)).collect(),
    }
}

fn users<'c>(all: &'c [Container], uses: impl Fn(&Container) -> bool + 'c) -> Vec<User> {
    let mut users: Vec<User> = all.iter().filter(|one| uses(one)).map(user).collect();
    users.sort();
    users
}

fn image(one: &stored::Image, containers: &[Container], named: &BTreeSet<String>) -> Image {
    let used_by =
        users(containers, |c| c.image_id == one.id || one.tags.iter().any(|tag| whole(tag) == whole(&c.image)));
    let names = |all: &[String]| all.iter().any(|name| named.contains(&whole(name)));
    let why = if names(&one.tags) || names(&one.digests) {
        Some("a stack of this home names it".to_owned())
    } else if !one.tags.is_empty() && one.digests.is_empty() {
        Some("it was built here: no registry gives it again".to_owned())
    } else {
        None
    };
    let (state, why) = judged(&used_by, why);
    Image {
        id: one.id.clone(),
        tags: one.tags.clone(),
        size: one.size,
        created_at: one.created_at.clone(),
        state,
        why,
        used_by,
    }
}

fn volume(one: &stored::Volume, containers: &[Container], named: &Named) -> Volume {
    let used_by = users(containers, |c| c.mounts.iter().any(|m| m.kind == "volume" && m.name == one.name));
    let project = one.labels.get(PROJECT).cloned();
    let own = named.volumes.contains(&one.name) || project.as_ref() == Some(&named.project);
    let (state, why) = judged(&used_by, own.then(|| "it is of this home".to_owned()));
    Volume {
        anonymous: one.is_anonymous(),
        name: one.name.clone(),
        driver: one.driver.clone(),
        size: one.size,
        created_at: one.created_at.clone(),
        project,
        of_machine: Some(one.of_machine.clone()).filter(|of| !of.is_empty()),
        state,
        why,
        used_by,
    }
}

fn network(one: &stored::Network, containers: &[Container], named: &Named) -> Network {
    let on = |c: &Container| {
        c.networks.iter().any(|(name, at)| at.network_id == one.id || at.network_id.is_empty() && *name == one.name)
    };
    let used_by = users(containers, on);
    let project = one.labels.get(PROJECT).cloned();
    let fixed = if one.is_builtin() {
        Some("it is the engine's own")
    } else if one.scope != "local" {
        Some("it is of a swarm")
    } else if named.networks.contains(&one.name) || project.as_ref() == Some(&named.project) {
        Some("it is of this home, which makes and removes it by itself")
    } else {
        None
    };
    let (state, why) = judged(&used_by, fixed.map(str::to_owned));
    Network {
        id: one.id.clone(),
        name: one.name.clone(),
        driver: one.driver.clone(),
        internal: one.internal,
        subnets: one.subnets.clone(),
        created_at: one.created_at.clone(),
        project,
        state,
        why,
        fixed: fixed.is_some(),
        used_by,
    }
}

fn judged(used_by: &[User], why: Option<String>) -> (Use, Option<String>) {
    match (used_by.is_empty(), why) {
        (false, _) => (Use::Used, None),
        (true, Some(why)) => (Use::Kept, Some(why)),
        (true, None) => (Use::Unused, None),
    }
}

/// Who uses something, in words: services by name, what is in no project by its container.
pub fn words(users: &[User]) -> String {
    const SAID: usize = 3;
    let mut names: Vec<String> = users
        .iter()
        .map(|one| match (&one.service, &one.project) {
            (Some(service), Some(project)) => format!("{service} of {project}"),
            _ => format!("the container {}", one.container),
        })
        .collect();
    names.dedup();
    let more = names.len().saturating_sub(SAID);
    names.truncate(SAID);
    match more {
        0 => wording::list(&names),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::observed::{Attachment, Mount};
    use crate::plan::{Plan, Risk};

    fn stored() -> Stored {
        let image = |id: &str, tags: &[&str], pulled: bool| stored::Image {
            id: format!("sha256:{}", id.repeat(64)),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            digests: if pulled { vec![format!("x@sha256:{}", id.repeat(64))] } else { Vec::new() },
            size: 3 << 20,
            created_at: "2026-01-01T00:00:00Z".into(),
        };
        let volume = |name: &str, project: &str| stored::Volume {
            name: name.into(),
            driver: "local".into(),
            labels: [(PROJECT.to_owned(), project.to_owned())].into_iter().filter(|(_, p)| !p.is_empty()).collect(),
            ..stored::Volume::default()
        };
        let network = |name: &str, scope: &str| stored::Network {
            id: format!("{name}-id-of-64-digits"),
            name: name.into(),
            scope: scope.into(),
            ..stored::Network::default()
        };
        let mount = Mount { kind: "volume".into(), name: "used".into(), ..Mount::default() };
        let on = Attachment { network_id: "shop_default-id-of-64-digits".into(), ..Attachment::default() };
        let container = Container {
            name: "shop-web-1".into(),
            image: "web".into(),
            image_id: format!("sha256:{}", "a".repeat(64)),
            labels: [(PROJECT.to_owned(), "shop".to_owned()), (SERVICE.to_owned(), "web".to_owned())].into(),
            state: State::Exited,
            mounts: vec![mount],
            networks: [("shop_default".to_owned(), on)].into(),
            ..Container::default()
        };
        Stored {
            containers: vec![container],
            images: vec![
                image("a", &["web:latest"], true),
                image("b", &["docker.io/library/named:1"], true),
                image("c", &["built:1"], false),
                image("d", &["old:1", "old:2"], true),
                image("e", &[], false),
            ],
            volumes: vec![
                volume("casa_data", "casa"),
                volume("gone_data", "gone"),
                volume("used", "shop"),
                volume(&"f".repeat(64), ""),
            ],
            networks: vec![
                network("bridge", "local"),
                network("casa_web", "local"),
                network("gone_default", "local"),
                network("ingress", "swarm"),
                network("shop_default", "local"),
            ],
        }
    }

    fn casa() -> Held {
        let named = Named {
            project: "casa".into(),
            images: ["named:1".to_owned()].into(),
            networks: ["casa_web".to_owned()].into(),
            ..Named::default()
        };
        held(&stored(), &named)
    }

    fn steps(plan: &Plan) -> Vec<String> {
        plan.steps.iter().map(|step| crate::plan::text::action(&step.action)).collect()
    }

    #[test]
    fn what_a_stopped_container_has_is_used_and_what_a_stack_names_is_kept() {
        let held = casa();
        let of = |name: &str| {
            let images = held.images.iter().map(|one| (one.name(), one.state));
            let volumes = held.volumes.iter().map(|one| (one.name.as_str(), one.state));
            let networks = held.networks.iter().map(|one| (one.name.as_str(), one.state));
            images.chain(volumes).chain(networks).find(|(known, _)| *known == name).unwrap().1
        };
        for name in ["web:latest", "used", "shop_default"] {
            assert_eq!(of(name), Use::Used, "{name}");
        }
        for name in ["docker.io/library/named:1", "built:1", "casa_data", "bridge", "casa_web", "ingress"] {
            assert_eq!(of(name), Use::Kept, "{name}");
        }
        for name in ["old:1", "eeeeeeeeeeee", "gone_data", "gone_default"] {
            assert_eq!(of(name), Use::Unused, "{name}");
        }
        assert!(held.volumes[3].anonymous && !held.volumes[1].anonymous);
        assert_eq!(words(&held.volumes[2].used_by), "web of shop");
    }

    #[test]
    fn nothing_said_takes_no_volume() {
        let plan = plan(&casa(), "casa", "/", &Prune::default().or_usual());
        let id = format!("remove image sha256:{}", "e".repeat(64));
        assert_eq!(steps(&plan), ["remove image old:1", "remove image old:2", &id, "remove network gone_default"]);
        assert_eq!(plan.risk(), Risk::None);
        assert!(plan.notes.iter().any(|note| note.subject == "image built:1" && note.text.contains("built here")));
    }

    #[test]
    fn all_volumes_that_nothing_uses_are_data_that_is_lost_and_those_of_the_home_stay() {
        let plan = plan(&casa(), "casa", "/", &Prune { unused_volumes: true, ..Prune::default() });
        assert_eq!(plan.steps.len(), 2);
        assert!(plan.steps.iter().all(|step| step.risk == Risk::Data));
        assert!(plan.notes.iter().any(|note| note.subject == "volume casa_data"));
        // By its name it goes: whoever names it means it.
        let plan = self::plan(&casa(), "casa", "/", &Prune { volumes: vec!["casa_data".into()], ..Prune::default() });
        assert_eq!((plan.steps.len(), plan.refusals.len()), (1, 0));
    }

    #[test]
    fn what_is_used_is_refused_by_name_and_so_is_what_is_not_there() {
        let asked = Prune {
            images: vec!["web".into(), "nothing:1".into()],
            volumes: vec!["used".into()],
            networks: vec!["shop_default".into(), "bridge".into()],
            ..Prune::default()
        };
        let plan = plan(&casa(), "casa", "/", &asked);
        assert!(plan.steps.is_empty());
        let codes: Vec<&str> = plan.refusals.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["storage.in-use", "storage.not-there", "storage.in-use", "storage.kept", "storage.in-use"]);
    }

    #[test]
    fn a_kept_plan_means_what_it_named_and_is_off_when_that_has_moved() {
        let made = plan(&casa(), "casa", "/", &Prune::default().or_usual());
        let asked = exactly(&made);
        let mut world = stored();
        // What has come meanwhile is not in it.
        world.networks.push(stored::Network {
            id: "new".into(),
            name: "new".into(),
            scope: "local".into(),
            ..Default::default()
        });
        let named = Named { project: "casa".into(), ..Named::default() };
        let now = plan(&held(&world, &named), "casa", "/", &asked);
        assert_eq!(steps(&now), steps(&made));
        assert_eq!(moved(&made.premises, &now), Vec::<String>::new());
        // In use meanwhile, and another image under the same name.
        let on = Attachment { network_id: "gone_default-id-of-64-digits".into(), ..Attachment::default() };
        world.containers[0].networks.insert("gone_default".into(), on);
        world.images[3].id = format!("sha256:{}", "9".repeat(64));
        let now = plan(&held(&world, &named), "casa", "/", &asked);
        let told = moved(&made.premises, &now);
        assert_eq!(told[0], "the network `gone_default` is used by web of shop");
        assert!(told.contains(&"image old:1 is another one than it was".to_owned()), "{told:?}");
    }
}
