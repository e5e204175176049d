//! `hearth profiles`, `enable` and `disable`: what can be turned on and off.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::args::{Deciding, Down, Global, Json, Toggle, Up};
use crate::base::{units, wording};
use crate::cli::{Done, Out, Tone, table};
use crate::compose::short::size;
use crate::compose::tree::Node;
use crate::diag::Diagnostic;
use crate::engine::Scope;
use crate::plan::observed::{Container, Health, State};
use crate::plan::request;
use crate::spec::{Mode, Service, Spec, front};
use crate::stacks::home::{Home, Read};
use crate::stacks::{FrontDoor, Target};

/// One profile, for the table and for JSON.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Profile {
    pub name: String,
    pub on: bool,
    pub services: Vec<String>,
    /// Other profiles whose services it turns on too.
    pub needs: BTreeSet<String>,
    /// Sum of the memory limits in bytes.
    pub memory: u64,
    /// Whether some service has no limit.
    #[serde(rename = "without_memory_limit")]
    pub unlimited: bool,
    /// `None` where no engine answers.
    #[serde(rename = "containers")]
    #[schema(required)]
    pub counts: Option<Counts>,
}

/// Containers of a profile.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    pub running: usize,
    pub healthy: usize,
    pub degraded: usize,
}

/// All profiles of a home; what its stacks mean must have been read. The second is why containers are not counted, if they are not.
pub fn all(home: &Home, read: &Read, out: &Out) -> (Vec<Profile>, Option<String>) {
    let mut all = gather(home, &read.spec);
    match look(home, out) {
        Ok(containers) => {
            count_all(&mut all, &containers);
            (all, None)
        }
        Err(why) => (all, Some(why)),
    }
}

pub fn profiles(global: &Global, args: Json, out: &Out) -> Done {
    let out = &out.clone().json(args.json);
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let read = home.read().map_err(|refused| refused.tell(out))?;
    read.tell_warnings(out);
    // Flags that are not for a home are refused.
    Target::find(global, out)?;
    let (all, unseen) = all(&home, &read, out);
    if out.json {
        let value = json!({ "home": super::home::of(&home), "profiles": all });
        out.value(&value);
    } else {
        show(&home, &all, out);
    }
    if let Some(why) = unseen {
        out.say(format!("what runs is not shown: {}", crate::diag::text::visible(&why)));
    }
    Ok(())
}

/// Counts the containers of each.
pub fn count_all(all: &mut [Profile], containers: &[Container]) {
    all.iter_mut().for_each(|p| p.counts = Some(count(containers, &p.services)));
}

/// All profiles of a home, as its stacks have them: no container is counted.
pub fn gather(home: &Home, spec: &Spec) -> Vec<Profile> {
    let one = |name: String| {
        let services: Vec<(&String, &Service)> =
            spec.services.iter().filter(|(_, s)| s.profiles.is_empty() || s.profiles.contains(&name)).collect();
        let pulled = services.iter().filter(|(_, s)| !s.profiles.is_empty() && !s.written_profiles.contains(&name));
        let needs = pulled.flat_map(|(_, s)| s.written_profiles.iter().cloned()).collect();
        let own: Vec<&(&String, &Service)> = services.iter().filter(|(_, s)| s.profiles.contains(&name)).collect();
        let limits: Vec<Option<u64>> = own.iter().map(|(_, s)| memory(&s.node)).collect();
        Profile {
            on: home.config.profiles.contains(&name),
            services: own.iter().map(|(name, _)| name.to_string()).collect(),
            needs,
            memory: limits.iter().flatten().sum(),
            unlimited: limits.iter().any(Option::is_none),
            counts: None,
            name,
        }
    };
    spec.profiles().into_iter().map(one).collect()
}

/// The memory limit that a service declares, in bytes, where it is no variable.
fn memory(service: &Node) -> Option<u64> {
    let node = service.get("mem_limit").or_else(|| service.at(&["deploy", "resources", "limits", "memory"]))?;
    let bytes = size::bytes(&node.scalar_text()?).ok()?;
    u64::try_from(bytes.0).ok().filter(|n| *n > 0)
}

/// The containers of the home's project, or why they cannot be seen.
fn look(home: &Home, out: &Out) -> Result<Vec<Container>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let engine = out.engine().await.map_err(|e| e.to_string())?;
        let scope = Scope { project: home.config.name.clone(), ..Scope::default() };
        let observed = engine.observe(&scope).await.map_err(|e| e.to_string())?;
        Ok(observed.containers)
    })
}

fn count(containers: &[Container], services: &[String]) -> Counts {
    let mut counts = Counts::default();
    for container in containers {
        let of = container.labels.get(request::SERVICE);
        if of.is_none_or(|service| !services.contains(service)) {
            continue;
        }
        match (container.state, container.health.as_ref()) {
            (State::Running, Some(Health::Healthy)) => {
                counts.running += 1;
                counts.healthy += 1;
            }
            (State::Running, Some(Health::Unhealthy)) => {
                counts.running += 1;
                counts.degraded += 1;
            }
            (State::Running, _) => counts.running += 1,
            // A job that is done is not ill.
            (State::Exited, _) if container.exit_code == 0 => {}
            (State::Created, _) => {}
            _ => counts.degraded += 1,
        }
    }
    counts
}

fn show(home: &Home, all: &[Profile], out: &Out) {
    if all.is_empty() {
        return out.say("no stack of this home has a profile: everything in it is always on");
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|p| {
            let counts = match p.counts {
                None => "-".to_string(),
                Some(c) if c.degraded > 0 => out.paint(
                    Tone::Bad,
                    &format!("{} running, {} healthy, {} degraded", c.running, c.healthy, c.degraded),
                ),
                Some(c) if c.running == 0 => "none".to_string(),
                Some(c) => out.paint(Tone::Good, &format!("{} running, {} healthy", c.running, c.healthy)),
            };
            let needs: Vec<&String> = p.needs.iter().collect();
            let more = if p.unlimited && p.memory > 0 { "more than " } else { "" };
            let memory =
                if p.memory == 0 { "no limit".to_string() } else { format!("{more}{}", units::bytes(p.memory)) };
            vec![
                p.name.clone(),
                if p.on { out.paint(Tone::Strong, "on") } else { "off".to_string() },
                p.services.len().to_string(),
                counts,
                if needs.is_empty() { "-".into() } else { wording::list(&needs) },
                memory,
            ]
        })
        .collect();
    out.text(&table::table(&["PROFILE", "", "SERVICES", "CONTAINERS", "NEEDS", "MEMORY"], &rows));
    // The first one to see run takes nothing from a registry.
    let mut off: Vec<_> = all.iter().filter(|p| !p.on).collect();
    off.sort_by_key(|p| p.name != "example");
    off.retain(|p| p.name != front::CORE);
    if let Some(off) = off.first() {
        out.say(format!("turn one on and start it: hearth {}up {}", home_flag(home, out), off.name));
    }
}

fn home_flag(home: &Home, out: &Out) -> String {
    let inside = out.cwd.starts_with(&home.dir);
    if inside { String::new() } else { format!("--home {} ", home.dir.display()) }
}

/// `enable`, or `disable`: recorded in `hearth.yaml` and `.env`. `--now` is `up` or `down` of the profiles, which record too.
pub fn toggle(global: &Global, args: Toggle, on: bool, door: &dyn FrontDoor, out: &Out) -> Done {
    if args.now {
        return now(global, args, on, door, out);
    }
    let args = &args;
    let mut home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let read = home.read().map_err(|refused| refused.tell(out))?;
    home.check_profiles(&read, &args.profiles)?;
    confirm_hand_edit(&home, args, out)?;
    let changed = home.set_profiles(|now| if on { now.with(&args.profiles) } else { now.without(&args.profiles) })?;
    home.write_rendered(&read)?;
    let state = if on { "on" } else { "off" };
    match changed {
        true => out.say(format!("{} {state}: recorded in hearth.yaml and .env", wording::list(&args.profiles))),
        false => out.say(format!("{} {state} already", wording::list(&args.profiles))),
    }
    if on {
        say_needs(&home, &read, &args.profiles, out);
        if home.config.mode == Mode::Localhost {
            let unasked = crate::stacks::target::unasked(&home, &read, |_| false);
            unasked.iter().for_each(|d| out.diagnostic(d, &read.sources));
        }
    }
    if changed {
        let verb = if on { "up" } else { "down" };
        out.say(format!(
            "to {} it: hearth {}{verb} {}",
            if on { "start" } else { "stop" },
            home_flag(&home, out),
            args.profiles.join(" ")
        ));
    }
    Ok(())
}

fn now(global: &Global, args: Toggle, on: bool, door: &dyn FrontDoor, out: &Out) -> Done {
    let Toggle { profiles: names, answer, json, .. } = args;
    if on {
        let deciding = Deciding { names, ..Deciding::default() };
        return super::up::up(global, Up { deciding, answer, json, ..Up::default() }, door, out);
    }
    super::down::run(global, Down { names, answer, json, ..Down::default() }, out)
}

fn say_needs(home: &Home, read: &Read, names: &[String], out: &Out) {
    let all: BTreeMap<String, Profile> = gather(home, &read.spec).into_iter().map(|p| (p.name.clone(), p)).collect();
    for name in names {
        if let Some(needs) = all.get(name).map(|p| &p.needs).filter(|n| !n.is_empty()) {
            let needs: Vec<&String> = needs.iter().collect();
            out.say(format!("{name} also starts what it needs of {}", wording::list(&needs)));
        }
    }
}

fn confirm_hand_edit(home: &Home, args: &Toggle, out: &Out) -> Result<(), Diagnostic> {
    match home.hand_edit() {
        Some(edit) => crate::cli::ask::confirm(&edit.question(), args.answer.yes, out),
        None => Ok(()),
    }
}
