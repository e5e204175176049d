//! `hearth down`: containers and networks go; volumes only where they are named.

use std::collections::{BTreeMap, BTreeSet};

use super::{deciding, start};
use crate::args::{Down, Global};
use crate::base::wording;
use crate::cli::{Done, Failure, Out};
use crate::diag::{Diagnostic, Kind};
use crate::plan::observed::Observed;
use crate::plan::wanted::VolumeRequest;
use crate::plan::{Options, Verb, request};
use crate::stacks::run::{Doing, carry_out_plan};
use crate::stacks::session::Session;
use crate::stacks::target::Change;
use crate::stacks::{Loading, Target};

pub fn run(global: &Global, args: Down, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json).acts();
    let target = Target::find(global, out)?;
    deciding::timeout(args.timeout)?;
    start(async {
        let mut session = Session::open_quietly(&target, &Loading::whole(), out).await?;
        let look = session.look().await?;
        session.know_by_labels(&look.observed.containers);
        let only = target.ending(&session.project, &args.names)?;
        if target.home().is_none() {
            deciding::known_services(&session, &look.observed.containers, &args.names)?;
        }
        let change = Change::Off(args.names.clone());
        let mut settle = || target.settle(&change, args.answer.yes, out);
        if only.as_ref().is_some_and(Vec::is_empty) {
            settle()?;
            out.say("nothing to do: other profiles need all of its services");
            return Ok(());
        }
        let volumes = volumes(&session, &look.observed, args.volumes.as_deref())?;
        let known = |name: &String| target.home().is_some() || session.project.services.contains_key(name);
        let options = Options {
            verb: Verb::Down,
            only: only.unwrap_or_default(),
            timeout: args.timeout,
            // Who names a service that no file knows any more means it.
            remove_orphans: args.remove_orphans || args.names.iter().any(|name| !known(name)),
            anonymous_volumes: args.volumes.as_ref().is_some_and(Vec::is_empty),
            volumes,
            ..Options::default()
        };
        let plan = session.plan(&look, &options)?;
        carry_out_plan(&session, Doing { options, yes: args.answer.yes, saved: None, settle: &mut settle }, look, plan)
            .await
    })
}

/// The names of the volumes that `--volumes` means: those that were named, by key or by name, or all of the project's.
/// External ones belong to someone else and are never among them.
fn volumes(session: &Session<'_>, observed: &Observed, asked: Option<&[String]>) -> Result<Vec<String>, Failure> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    let wanted = &session.wanted.volumes;
    let external: BTreeSet<&str> = wanted.values().filter(|v| v.external).map(|v| v.name.as_str()).collect();
    let labelled =
        observed.volumes.values().filter(|v| v.labels.get(request::PROJECT) == Some(&session.wanted.project));
    let mut all: BTreeSet<&str> = labelled.map(|v| v.name.as_str()).collect();
    all.extend(wanted.values().filter(|v| observed.volumes.contains_key(&v.name)).map(|v| v.name.as_str()));
    all.retain(|name| !external.contains(name));
    if asked.is_empty() {
        return Ok(all.into_iter().map(str::to_string).collect());
    }
    let of = |given: &String| -> Result<String, Failure> {
        let name = wanted.get(given).map_or(given.as_str(), |v| v.name.as_str());
        if all.contains(name) {
            return Ok(name.to_string());
        }
        Err(no_volume(given, name, &all, external.contains(name), wanted).into())
    };
    asked.iter().map(of).collect()
}

fn no_volume(
    given: &str,
    name: &str,
    all: &BTreeSet<&str>,
    external: bool,
    wanted: &BTreeMap<String, VolumeRequest>,
) -> Diagnostic {
    if external {
        return Diagnostic::error(
            "stacks.external-volume",
            format!("the volume `{name}` is external: it is not this project's to remove"),
        )
        .kind(Kind::Denied)
        .hint(format!("to remove it all the same: docker volume rm {name}"));
    }
    let keys = wanted.keys().map(String::as_str);
    let title = if wanted.contains_key(given) {
        format!("the volume `{name}` does not exist")
    } else {
        format!("this project has no volume `{given}`")
    };
    let d = Diagnostic::error("stacks.no-such-volume", title).kind(Kind::NotFound);
    match wording::nearest(given, all.iter().copied().chain(keys)) {
        Some(near) => d.hint(format!("did you mean `{near}`?")),
        None if all.is_empty() => d.hint("it has no volumes at present"),
        None => d.hint(format!("it has {}", wording::list(&all.iter().collect::<Vec<_>>()))),
    }
}
