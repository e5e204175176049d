//! `hearth config`: the loaded project, as `docker compose config` shows it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::args::{Config, Format, Global};
use crate::cli::{Done, Failure, Out};
use crate::compose::model::Project;
use crate::compose::{hash, no_such_service, output, yaml};
use crate::diag::{Diagnostic, Sources};
use crate::stacks::{Loading, Target};

/// What one of the listing flags prints, a line each.
type Listing = fn(&Project) -> Vec<String>;

pub fn run(global: &Global, args: Config, out: &Out) -> Done {
    let out = out.clone().json(args.json);
    let target = Target::find(global, &out)?;
    let loading = Loading { targets: args.targets.clone(), all_resources: args.all_resources, ..Loading::default() };
    let (project, sources) = target.load(&loading, &out, true)?;
    if args.quiet {
        return Ok(());
    }
    if let Some(wanted) = &args.hash {
        return hashes(&project, wanted, &out);
    }
    let lists: [(bool, Listing); 6] = [
        (args.services, services),
        (args.volumes, |p| p.volumes.keys().cloned().collect()),
        (args.networks, |p| p.networks.keys().cloned().collect()),
        (args.images, images),
        (args.profiles, profiles),
        (args.environment, |p| p.environment.iter().map(|(k, v)| format!("{k}={v}")).collect()),
    ];
    if let Some((_, list)) = lists.iter().find(|(asked, _)| *asked) {
        let lines = list(&project);
        match args.format {
            Format::Json => out.value(&json!(lines)),
            Format::Yaml => lines.iter().for_each(|line| out.line(line)),
        }
        return Ok(());
    }
    match args.format {
        Format::Json => {
            no_ssh_paths(&project, &sources, &out)?;
            out.value(&output::json(&project));
        }
        Format::Yaml => out.text(&yaml::emit::emit(&output::yaml(&project))),
    }
    Ok(())
}

/// The JSON model has no form for a key with a path: Compose stops here too.
fn no_ssh_paths(project: &Project, sources: &Sources, out: &Out) -> Done {
    let with_path =
        project.services.iter().filter(|(_, s)| s.build.iter().flat_map(|b| &b.ssh).any(|key| !key.path.is_empty()));
    let mut found = false;
    for (name, _) in with_path {
        let field = format!("services.{name}.build");
        let d = Diagnostic::error("compose.ssh-json", "an ssh key with a path has no form in the JSON model")
            .at(project.places.get(&field).copied())
            .field(field)
            .hint("ask for --format yaml");
        out.diagnostic(&d, sources);
        found = true;
    }
    if found { Err(Failure::Code(2)) } else { Ok(()) }
}

fn hashes(project: &Project, wanted: &str, out: &Out) -> Done {
    let names: BTreeSet<&str> = match wanted {
        "*" => project.services.keys().map(String::as_str).collect(),
        list => list.split(',').collect(),
    };
    for name in names {
        let service = project.services.get(name).ok_or_else(|| no_such_service(project, name))?;
        out.line(format!("{name} {}", hash::service(service)));
    }
    Ok(())
}

/// Dependencies before those that need them.
fn services(project: &Project) -> Vec<String> {
    fn visit<'p>(project: &'p Project, name: &'p str, seen: &mut BTreeSet<&'p str>, list: &mut Vec<String>) {
        if let Some(service) = project.services.get(name)
            && seen.insert(name)
        {
            service.depends_on.keys().for_each(|on| visit(project, on, seen, list));
            list.push(name.to_string());
        }
    }
    let (mut seen, mut list) = (BTreeSet::new(), Vec::new());
    project.services.keys().for_each(|name| visit(project, name, &mut seen, &mut list));
    list
}

fn images(project: &Project) -> Vec<String> {
    project.services.iter().map(|(name, s)| s.image_or_default(&project.name, name)).collect()
}

fn profiles(project: &Project) -> Vec<String> {
    let all = project.services.values().chain(project.disabled.values());
    all.flat_map(|s| s.profiles.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
