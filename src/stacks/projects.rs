//! Compose projects as the labels of their containers tell them, whoever made them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::plan::observed::{Container, State};
use crate::plan::request;

/// One project on this engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub name: String,
    pub working_dir: PathBuf,
    pub files: Vec<PathBuf>,
    pub env_files: Vec<PathBuf>,
    /// Services that have containers.
    pub services: BTreeSet<String>,
    /// How many containers are in which state: `running`, `exited`, ...
    pub states: BTreeMap<&'static str, usize>,
    /// A container made by Hearth is among them.
    pub ours: bool,
}

impl Found {
    /// Files that the labels name and that do not exist here: they may lie inside another manager's container.
    pub fn missing(&self) -> Vec<&Path> {
        self.files.iter().map(PathBuf::as_path).filter(|file| !file.is_file()).collect()
    }

    /// `3 running, 1 exited`.
    pub fn state(&self) -> String {
        let words: Vec<String> = self.states.iter().map(|(state, n)| format!("{n} {state}")).collect();
        words.join(", ")
    }
}

/// Groups containers by project, in order of name. Where containers of one project name different files, the newest
/// container's win: older ones were made before a move.
pub fn group(containers: &[Container]) -> Vec<Found> {
    let mut sorted: Vec<&Container> = containers.iter().collect();
    sorted.sort_by(|a, b| a.created_at.cmp(&b.created_at));
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    for container in sorted {
        let label = |name: &str| container.labels.get(name).map(String::as_str).unwrap_or_default();
        let project = label(request::PROJECT);
        if project.is_empty() {
            continue;
        }
        let one = found.entry(project).or_insert_with(|| Found { name: project.to_string(), ..Found::default() });
        *one.states.entry(state(container.state)).or_default() += 1;
        one.ours |= container.labels.contains_key(request::FINGERPRINT);
        if label(request::ONEOFF).eq_ignore_ascii_case("true") {
            continue;
        }
        one.services.insert(label(request::SERVICE).to_string());
        if !label(request::CONFIG_FILES).is_empty() {
            one.working_dir = label(request::WORKING_DIR).into();
            one.files = paths(label(request::CONFIG_FILES));
            one.env_files = paths(label(request::ENVIRONMENT_FILE));
        }
    }
    found.into_values().collect()
}

fn paths(label: &str) -> Vec<PathBuf> {
    label.split(',').filter(|p| !p.is_empty()).map(PathBuf::from).collect()
}

pub fn state(state: State) -> &'static str {
    match state {
        State::Created => "created",
        State::Running => "running",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Removing => "removing",
        State::Exited => "exited",
        State::Dead => "dead",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(created: &str, state: State, labels: &[(&str, &str)]) -> Container {
        let labels = labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        Container { created_at: created.into(), state, labels, ..Container::default() }
    }

    #[test]
    fn projects_are_found_by_labels_and_the_newest_container_names_the_files() {
        let old = [(request::PROJECT, "web"), (request::SERVICE, "a"), (request::CONFIG_FILES, "/old/compose.yaml")];
        let new = [
            (request::PROJECT, "web"),
            (request::SERVICE, "b"),
            (request::CONFIG_FILES, "/srv/web/compose.yaml,/srv/web/more.yaml"),
            (request::WORKING_DIR, "/srv/web"),
        ];
        let found = group(&[
            container("2026-02-01T00:00:00Z", State::Running, &new),
            container("2026-01-01T00:00:00Z", State::Exited, &old),
            container("2026-01-01T00:00:00Z", State::Running, &[]),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].state(), "1 exited, 1 running");
        assert_eq!(found[0].working_dir, PathBuf::from("/srv/web"));
        assert_eq!(found[0].files.len(), 2);
        assert_eq!(found[0].services.len(), 2);
        assert_eq!(found[0].missing().len(), 2);
    }
}
