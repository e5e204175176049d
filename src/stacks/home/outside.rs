//! Files that a stack has its containers or images made of, besides those that are read with it: they too lie inside the home.

use std::path::{Component, Path, PathBuf};

use crate::compose::model::{Project, Service};
use crate::diag::{Diagnostic, Diagnostics, Span};

/// Refuses what leads out of `home`, an absolute path: contexts and Dockerfiles of builds, files of configs and secrets, folders to watch.
/// Nothing is opened.
pub fn refuse(project: &Project, home: &Path, told: &mut Diagnostics) {
    let home = real(home);
    let mut judge = |field: String, path: &str| {
        if path.starts_with('/') && !real(Path::new(path)).starts_with(&home) {
            let mut at = field.as_str();
            let place = loop {
                match (project.places.get(at).copied(), at.rsplit_once('.')) {
                    (None, Some((above, _))) => at = above,
                    (found, _) => break found,
                }
            };
            told.push(outside(&field, path, place));
        }
    };
    for (kind, objects) in [("configs", &project.configs), ("secrets", &project.secrets)] {
        objects.iter().for_each(|(name, object)| judge(format!("{kind}.{name}.file"), &object.file));
    }
    for (name, service) in project.services.iter().chain(&project.disabled) {
        of_service(service, |field, path| judge(format!("services.{name}.{field}"), path));
    }
}

fn of_service(service: &Service, mut judge: impl FnMut(&str, &str)) {
    if let Some(build) = &service.build {
        judge("build.context", &build.context);
        let below = Path::new(&build.context).join(&build.dockerfile);
        if build.context.starts_with('/') {
            judge("build.dockerfile", &below.display().to_string());
        }
        build.additional_contexts.values().for_each(|path| judge("build.additional_contexts", path));
    }
    let watched = service.develop.iter().flat_map(|develop| &develop.watch);
    watched.for_each(|one| judge("develop.watch", &one.path));
}

fn outside(field: &str, path: &str, place: Option<Span>) -> Diagnostic {
    Diagnostic::error("compose.file-outside", format!("lies outside the home: {path}"))
        .field(field)
        .at(place)
        .hint("move it into the home; files elsewhere are read only where you name them with -f")
}

/// Where a path leads by its links, as far as there is something; what is missing is taken as it is written.
fn real(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            part => clean.push(part),
        }
        // After each part: what follows `..` is above where a link leads.
        if let Ok(real) = std::fs::canonicalize(&clean) {
            clean = real;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_05_a_path_is_followed_through_links_and_over_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir_all(home.join("in")).unwrap();
        std::os::unix::fs::symlink(dir.path(), home.join("out")).unwrap();
        let root = real(&home);
        for (path, inside) in [
            ("in/x", true),
            ("in/missing/../x", true),
            ("in/../x", true),
            ("../home/in", true),
            ("..", false),
            ("../x", false),
            ("missing/../../x", false),
            ("out", false),
            ("out/x", false),
            ("out/home/x", true),
            ("in/out/../../../x", false),
        ] {
            assert_eq!(real(&home.join(path)).starts_with(&root), inside, "{path}");
        }
    }
}
