//! What `plan` and `up` share: flags turned into what is loaded and how it is decided.

use crate::args::Deciding;
use crate::cli::Failure;
use crate::compose::model::Project;
use crate::compose::no_such_service;
use crate::diag::Diagnostic;
use crate::plan::observed::Container;
use crate::plan::{Options, Recreate, request};
use crate::stacks::session::Session;

/// The planner's options for these flags.
pub fn options(deciding: &Deciding) -> Result<Options, Failure> {
    let recreate = match (deciding.force_recreate || deciding.renew_anon_volumes, deciding.no_recreate) {
        (true, _) => Recreate::Force,
        (_, true) => Recreate::Never,
        _ => Recreate::Diverged,
    };
    if let Some(policy) = deciding.pull.as_deref().filter(|p| !["always", "missing", "never"].contains(p)) {
        return Err(Diagnostic::error("cli.bad-value", format!("`{policy}` is no pull policy"))
            .hint("--pull takes always, missing or never")
            .into());
    }
    timeout(deciding.timeout)?;
    Ok(Options {
        recreate,
        renew_anonymous_volumes: deciding.renew_anon_volumes,
        remove_orphans: deciding.remove_orphans,
        rerun: deciding.rerun,
        timeout: deciding.timeout,
        no_deps: deciding.no_deps,
        only: deciding.names.clone(),
        pull: deciding.pull.clone(),
        ..Options::default()
    })
}

/// A stop timeout is a number of seconds, or -1 for no limit, as the engine takes it.
pub fn timeout(seconds: Option<i64>) -> Result<(), Failure> {
    match seconds {
        Some(n) if n < -1 => Err(Diagnostic::error("cli.bad-value", format!("`{n}` is no time to wait"))
            .hint("--timeout takes seconds; -1 waits without a limit")
            .into()),
        _ => Ok(()),
    }
}

/// Applies `--scale SERVICE=N` to the loaded project.
pub fn scale(project: &mut Project, scale: &[String]) -> Result<(), Failure> {
    for one in scale {
        let parsed = one.split_once('=').and_then(|(name, n)| Some((name, n.parse::<u32>().ok()?)));
        let Some((name, n)) = parsed else {
            return Err(Diagnostic::error("cli.bad-value", format!("`{one}` is no scale"))
                .hint("write it as --scale SERVICE=N, as in --scale web=2")
                .into());
        };
        match project.services.get_mut(name) {
            Some(service) => service.scale = Some(i64::from(n)),
            None => return Err(no_such_service(project, name).into()),
        }
    }
    Ok(())
}

/// Checks that every name is a service of the project, or of a container of it that no file names any more.
pub fn known_services(session: &Session<'_>, containers: &[Container], names: &[String]) -> Result<(), Failure> {
    let left = |name: &String| containers.iter().any(|c| c.labels.get(request::SERVICE) == Some(name));
    match names.iter().find(|name| !session.project.services.contains_key(*name) && !left(name)) {
        Some(name) => Err(no_such_service(&session.project, name).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_options_and_wrong_values_are_told() {
        let given = Deciding { renew_anon_volumes: true, pull: Some("always".into()), ..Deciding::default() };
        let made = options(&given).unwrap();
        assert_eq!(made.recreate, Recreate::Force);
        assert!(options(&Deciding { pull: Some("often".into()), ..Deciding::default() }).is_err());
        assert!(options(&Deciding { timeout: Some(-2), ..Deciding::default() }).is_err());
        let mut project = Project::default();
        project.services.insert("web".into(), Default::default());
        scale(&mut project, &["web=3".into()]).unwrap();
        assert_eq!(project.services["web"].scale, Some(3));
        for wrong in ["web", "web=-1", "web=x", "wbe=2"] {
            assert!(scale(&mut project, &[wrong.into()]).is_err(), "{wrong}");
        }
    }
}
