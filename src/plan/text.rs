//! A plan as text: stable, readable by someone who knows no Rust.
//!
//! Per service one line with a sign and the causes below it; what is left alone and why; a summary. The steps are shown
//! where they are asked for.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Action, Cause, FieldChange, Plan, Risk, Step, Until};
use crate::base::wording::{count, list};
pub use rows::{Row, Verb, rows};

/// The whole plan; `steps` shows every step, not only what happens per service. No colour, ends with a line break.
pub fn render(plan: &Plan, steps: bool) -> String {
    let mut out = String::new();
    refusals(plan, &mut out);
    if steps {
        for step in &plan.steps {
            let _ = writeln!(out, "{}", step_line(step));
        }
    } else {
        resources(plan, &mut out);
        services(plan, &mut out);
    }
    notes(plan, &mut out);
    let _ = writeln!(out, "{}", summary(plan));
    out
}

/// One line: `2 to create, 1 to replace, 4 as they are`.
pub fn summary(plan: &Plan) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !plan.refusals.is_empty() {
        parts.push(format!("refused for {}", count(plan.refusals.len(), "reason")));
    }
    let rows = rows(plan);
    for verb in Verb::ALL {
        let n = rows.iter().filter(|r| r.verb == verb).map(|r| &r.name).collect::<BTreeSet<_>>().len();
        if n > 0 {
            parts.push(format!("{n} to {}", verb.words()));
        }
    }
    for (noun, verb, is) in RESOURCES {
        let n = plan.steps.iter().filter(|s| is(&s.action).is_some()).count();
        if n > 0 {
            parts.push(format!("{} to {verb}", count(n, noun)));
        }
    }
    let same: u32 = plan.unchanged.values().sum();
    if parts.is_empty() {
        parts.push("nothing to do".into());
    }
    match same {
        0 => {}
        1 => parts.push("1 as it is".into()),
        n => parts.push(format!("{n} as they are")),
    }
    parts.join(", ")
}

/// One step: number, what is done, why, and after which steps.
pub fn step_line(step: &Step) -> String {
    let mut line = format!("{:>3}. {}", step.id, action(&step.action));
    let why = cause(&step.cause);
    if !why.is_empty() {
        let _ = write!(line, ": {why}");
    }
    match step.risk {
        // A stop or removal says so itself.
        Risk::None | Risk::Stop => {}
        Risk::ShortStop => line.push_str(" [short stop]"),
        Risk::Data => line.push_str(" [data is lost]"),
    }
    if !step.after.is_empty() {
        let ids: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        let _ = write!(line, " (after {})", ids.join(", "));
    }
    line
}

/// What one action does, in words: `start shop-web-1`.
pub fn action(action: &Action) -> String {
    let name = action.target().map_or(String::new(), |t| clean(t.name()));
    match action {
        Action::PullImage { reference, optional, .. } => {
            format!("pull {}{}", clean(reference), if *optional { " (goes on if that fails)" } else { "" })
        }
        Action::BuildImage { request } => {
            let how = match (request.of_hearth, request.if_absent) {
                (true, _) => " from this program",
                (false, true) => " unless the pull brought it",
                (false, false) => "",
            };
            format!("build {}{how}", clean(&request.image))
        }
        Action::CreateNetwork { request } => format!("create network {}", clean(&request.name)),
        Action::RemoveNetwork { name, .. } => format!("remove network {}", clean(name)),
        Action::ConnectNetwork { network, .. } => format!("connect {name} to network {}", clean(network)),
        Action::DisconnectNetwork { network, .. } => format!("disconnect {name} from network {}", clean(network)),
        Action::CreateVolume { request } => format!("create volume {}", clean(&request.name)),
        Action::RemoveVolume { name } => format!("remove volume {} and its data", clean(name)),
        Action::RemoveImage { reference } => format!("remove image {}", clean(reference)),
        Action::CreateContainer { request, .. } => format!("create {}", clean(&request.name)),
        Action::UpdateContainer { update, .. } => {
            let keys: Vec<String> =
                update.body.as_object().into_iter().flatten().map(|(k, v)| update_words(k, v)).collect();
            format!("update {name}: {}", list(&keys))
        }
        Action::RenameContainer { to, .. } => format!("rename {name} to {}", clean(to)),
        Action::UploadFiles { files, .. } => {
            let origins: Vec<String> = files.iter().map(|f| clean(&f.origin)).collect();
            format!("write {} into {name}", list(&origins))
        }
        Action::StartContainer { .. } => format!("start {name}"),
        Action::UnpauseContainer { .. } => format!("unpause {name}"),
        Action::RestartContainer { .. } => format!("restart {name}"),
        Action::StopContainer { .. } => format!("stop {name}"),
        Action::RemoveContainer { .. } => format!("remove {name}"),
        Action::Exec { .. } => format!("run a hook in {name}"),
        Action::Wait { until, optional, .. } => {
            format!("wait until {name} {}{}", until_words(until), if *optional { " (goes on if not)" } else { "" })
        }
    }
}

fn until_words(until: &Until) -> String {
    match until {
        Until::Healthy { seconds: None } => "is healthy".into(),
        Until::Healthy { seconds: Some(n) } => format!("is healthy, at most {n} s"),
        Until::Completed => "has ended with 0".into(),
        Until::Proven { seconds, health: true, .. } => format!("is healthy within {seconds} s"),
        Until::Left { ms } => format!("has been left by Traefik, {} s", *ms as f64 / 1000.0),
        Until::Proven { stay: 0, .. } => "runs".into(),
        Until::Proven { stay, may_exit, .. } => {
            let or = if *may_exit { " or ended with 0" } else { "" };
            format!("has run for {} s{or}", *stay as f64 / 1000.0)
        }
    }
}

fn update_words(key: &str, value: &serde_json::Value) -> String {
    match (key, value["Name"].as_str()) {
        ("RestartPolicy", Some(name)) => {
            format!("restart policy {}", if name.is_empty() { "no".into() } else { clean(name) })
        }
        _ => super::diff::field_name(key),
    }
}

/// A cause in a few words; empty where the action says it all.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Missing | Cause::Replacement => String::new(),
        Cause::Changed { fields } => fields.iter().map(field).collect::<Vec<_>>().join("; "),
        Cause::ImageMoved { from, to } => {
            format!("image moved {} to {}", clean(from), clean(to.split(':').next_back().unwrap_or(to)))
        }
        Cause::NotAttached { network } => format!("not attached to network {}", clean(network)),
        Cause::NotMounted { volume } => format!("volume {} is not mounted", clean(volume)),
        Cause::DependencyReplaced { service } => format!("follows {}", clean(service)),
        Cause::NotRunning { state } if state == "created" => "was created and never started".into(),
        Cause::NotRunning { state } => format!("does not run ({state})"),
        Cause::Paused => "is paused".into(),
        Cause::Needed { by } => format!("{} needs it", clean(by)),
        Cause::LeftBehind { what } => format!("left behind: {}", clean(what)),
        Cause::Scale { from, to } => format!("scale {from} to {to}"),
        Cause::Orphan => "no file names it any more".into(),
        Cause::Requested { what } => format!("asked for ({})", clean(what)),
    }
}

/// Each change in a line. A route is many labels, of which a person reads the rule: the others are counted.
fn fields_words(fields: &[FieldChange]) -> Vec<String> {
    let is_proxy =
        |f: &&FieldChange| ["label traefik.", "label hearth.traefik"].iter().any(|prefix| f.field.starts_with(prefix));
    let is_rule = |f: &&FieldChange| f.field.ends_with(".rule");
    let others = fields.iter().filter(is_proxy).filter(|f| !is_rule(f)).count();
    if others < 4 {
        return fields.iter().map(field).collect();
    }
    let mut lines: Vec<String> = fields.iter().filter(|f| !is_proxy(f) || is_rule(f)).map(field).collect();
    lines.push(format!("{} for Traefik besides (--json shows them)", count(others, "label")));
    lines
}

/// `environment TZ: UTC to Europe/Berlin`.
pub fn field(change: &FieldChange) -> String {
    let name = clean(&change.field);
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => match apart(from, to) {
            (less, more) if less.is_empty() && !from.is_empty() => format!("{name}: {} (new)", shown(&more)),
            (more, less) if less.is_empty() && !to.is_empty() => format!("{name}: {} (gone)", shown(&more)),
            (from, to) => format!("{name}: {} to {}", shown(&from), shown(&to)),
        },
        (None, Some(to)) => format!("{name}: {} (new)", shown(to)),
        (Some(from), None) => format!("{name}: {} (gone)", shown(from)),
        (None, None) => format!("{name} changed"),
    }
}

/// Of long texts the words in which they differ: what both begin and end with says nothing.
fn apart(from: &str, to: &str) -> (String, String) {
    if from.len().max(to.len()) <= LONGEST || from == to {
        return (from.into(), to.into());
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (from.split(' ').collect(), to.split(' ').collect());
    let first = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[first..], &b[first..]);
    let last = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (a[..a.len() - last].join(" "), b[..b.len() - last].join(" "))
}

fn shown(value: &str) -> String {
    match value {
        "" => "\"\"".into(),
        value => clean(value),
    }
}

/// What fits a line.
const LONGEST: usize = 120;

/// Nothing that a terminal would act on, and no more than a line's worth.
fn clean(text: &str) -> String {
    let mut line = harmless(text);
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str("...");
    }
    line
}

fn harmless(text: &str) -> String {
    crate::diag::text::visible(text).replace('\n', "\\n")
}

fn refusals(plan: &Plan, out: &mut String) {
    if plan.refusals.is_empty() {
        return;
    }
    out.push_str("refused\n");
    for refusal in &plan.refusals {
        let _ = writeln!(out, "  ! {} [{}]", clean(&refusal.title), refusal.code);
        if let Some(field) = &refusal.field {
            let _ = writeln!(out, "      at {}", clean(field));
        }
        for hint in &refusal.hints {
            let _ = writeln!(out, "      hint: {}", clean(hint));
        }
    }
}

type IsResource = fn(&Action) -> Option<&str>;

/// `(noun, verb, the name where an action is that)`.
const RESOURCES: [(&str, &str, IsResource); 7] = [
    ("image", "pull", |a| if let Action::PullImage { reference, .. } = a { Some(reference) } else { None }),
    ("image", "build", |a| if let Action::BuildImage { request } = a { Some(&request.image) } else { None }),
    ("network", "create", |a| if let Action::CreateNetwork { request } = a { Some(&request.name) } else { None }),
    ("network", "remove", |a| if let Action::RemoveNetwork { name, .. } = a { Some(name) } else { None }),
    ("volume", "create", |a| if let Action::CreateVolume { request } = a { Some(&request.name) } else { None }),
    ("volume", "remove", |a| if let Action::RemoveVolume { name } = a { Some(name) } else { None }),
    ("image", "remove", |a| if let Action::RemoveImage { reference } = a { Some(reference) } else { None }),
];

fn resources(plan: &Plan, out: &mut String) {
    for noun in ["image", "network", "volume"] {
        let mut lines = Vec::new();
        for step in &plan.steps {
            for (_, verb, is) in RESOURCES.iter().filter(|(n, ..)| *n == noun) {
                if let Some(name) = is(&step.action) {
                    lines.push((name, *verb, step));
                }
            }
        }
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{noun}s");
        for (name, verb, step) in lines {
            let sign = if verb == "remove" { '-' } else { '+' };
            let _ = write!(out, "  {sign} {verb} {}", clean(name));
            if matches!(&step.action, Action::BuildImage { request } if request.of_hearth) {
                out.push_str(" from this program");
            }
            let why = cause(&step.cause);
            let said = matches!(step.cause, Cause::Requested { .. } | Cause::Needed { .. });
            if step.risk == Risk::Data {
                out.push_str(" and its data");
            }
            if !why.is_empty() && !said {
                let _ = write!(out, ": {why}");
            }
            out.push('\n');
        }
    }
}

fn services(plan: &Plan, out: &mut String) {
    let mut grouped: BTreeMap<(&str, Verb, Vec<String>, Option<bool>), Vec<String>> = BTreeMap::new();
    for row in rows(plan) {
        let names = grouped.entry((row.service, row.verb, row.why, row.stops)).or_default();
        if !names.contains(&row.name) {
            names.push(row.name);
        }
    }
    let same: u32 = plan.unchanged.values().sum();
    if grouped.is_empty() && same == 0 {
        return;
    }
    out.push_str("services\n");
    let width = grouped.keys().map(|(service, ..)| service.chars().count()).max().unwrap_or(0);
    for ((service, verb, why, stops), names) in &grouped {
        let names: Vec<String> = names.iter().map(|n| clean(n)).collect();
        let how = match stops {
            Some(true) => " (short stop)",
            Some(false) => " (without a stop)",
            None => "",
        };
        let pad = " ".repeat(width - service.chars().count());
        let _ = writeln!(out, "  {} {}{pad}  {} {}{how}", verb.sign(), clean(service), verb.words(), list(&names));
        for why in why {
            let _ = writeln!(out, "      {why}");
        }
    }
    match same {
        0 => {}
        1 => out.push_str("  = 1 container as it is\n"),
        n => {
            let _ = writeln!(out, "  = {n} containers as they are");
        }
    }
}

fn notes(plan: &Plan, out: &mut String) {
    if plan.notes.is_empty() {
        return;
    }
    out.push_str("left alone\n");
    for note in &plan.notes {
        let _ = writeln!(out, "  . {}: {}", clean(&note.subject), harmless(&note.text));
    }
}
