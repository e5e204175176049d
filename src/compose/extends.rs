//! `extends` (Compose specification, services, "extends"): a service built on another, of this file or a foreign one.

use std::path::{Path, PathBuf};

use super::load::{Loader, Model};
use super::reset::Resets;
use super::tree::{Map, Node, Value};
use super::yaml::{self, MAX_EXPANDED};
use super::{discover, merge};
use crate::base::wording;
use crate::diag::{Diagnostic, Span};

/// Services that may extend one another in a row: each costs a bit of the stack.
pub(crate) const MAX_CHAIN: usize = 200;

/// How one service came to be looked at: `(file, service)` pairs, for cycles.
type Trail = Vec<(PathBuf, String)>;

impl Loader<'_> {
    /// Resolves `extends` of every service of a file.
    pub(super) fn extend_all(&mut self, tree: &mut Node, path: &Path, model: &Model, resets: &Resets) {
        let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) else { return };
        let extending: Vec<String> =
            services.iter().filter(|(_, s)| s.get("extends").is_some()).map(|(name, _)| name.clone()).collect();
        for name in extending {
            let _ = self.extend(&name, services, path, model, Some(resets), &mut Trail::new());
        }
    }

    /// Gives the service with everything it inherits, and keeps it in `services`. `None` where it cannot be had (told).
    fn extend(
        &mut self,
        name: &str,
        services: &mut Map,
        path: &Path,
        model: &Model,
        resets: Option<&Resets>,
        trail: &mut Trail,
    ) -> Option<Node> {
        let service = services.get(name)?;
        let Some(extends) = service.get("extends") else { return Some(service.clone()) };
        let span = extends.span;
        let (file, wanted) = match &extends.value {
            Value::Str(service) => (None, service.clone()),
            Value::Map(map) => (map.get("file").cloned(), map.get("service")?.as_str()?.to_string()),
            // The schema tells of it.
            _ => return None,
        };
        let service = service.clone();
        let foreign = match file.filter(|f| !f.is_null()) {
            None => None,
            Some(node) => Some((self.foreign_path(node.as_str()?, model, node.span)?, node.span)),
        };
        let file_name = foreign.as_ref().map_or(path, |(path, _)| path).to_path_buf();
        let step = (file_name, name.to_string());
        if self.circles.contains(&step) {
            return None;
        }
        if trail.contains(&step) {
            return self.circle(trail, span);
        }
        if trail.len() >= MAX_CHAIN {
            let title = format!("services extend one another more than {MAX_CHAIN} deep");
            let d = Diagnostic::error("compose.too-deep", title).at(span).hint("extend the last base directly");
            self.diagnostics.push(d);
            self.circles.extend(trail.iter().cloned());
            return None;
        }
        trail.push(step);
        let base = match foreign {
            None => self.base(
                &wanted,
                services,
                path,
                model,
                if self.compat == super::Compat::V5 { resets } else { None },
                trail,
                span,
            ),
            Some((path, at)) => {
                let (mut map, its_resets) = match self.foreign.remove(&path) {
                    Some(known) => known,
                    None => self.foreign_file(&path, model, at)?,
                };
                let base = self.base(&wanted, &mut map, &path, model, Some(&its_resets), trail, span);
                self.foreign.insert(path, (map, its_resets));
                base
            }
        };
        trail.pop();
        let base = base?;
        if base.is_null() {
            return Some(service);
        }
        let mut base = base;
        let before = self.inherited;
        self.inherited += yaml::size_of(&base);
        if self.inherited > MAX_EXPANDED {
            if before <= MAX_EXPANDED {
                let title = format!("services inherit more than {MAX_EXPANDED} values from one another");
                let d = Diagnostic::error("compose.too-large", title).at(span);
                self.diagnostics.push(d.hint("extend a smaller base, or write out what is meant"));
            }
            return None;
        }
        if let Some(resets) = resets {
            resets.apply(&mut base, &["services", name]);
        }
        let mut merged = merge::merge_at(base, service, &["services", "x"], &mut self.diagnostics);
        if let Some(map) = merged.as_map_mut() {
            map.remove("extends");
        }
        services.set(name, merged.clone());
        Some(merged)
    }

    #[allow(clippy::too_many_arguments)]
    fn base(
        &mut self,
        wanted: &str,
        services: &mut Map,
        path: &Path,
        model: &Model,
        resets: Option<&Resets>,
        trail: &mut Trail,
        span: Span,
    ) -> Option<Node> {
        if services.contains(wanted) {
            return self.extend(wanted, services, path, model, resets, trail);
        }
        let mut d = Diagnostic::error(
            "compose.extends-no-service",
            format!("there is no service `{wanted}` to extend in {}", path.display()),
        )
        .at(span);
        d = match wording::nearest(wanted, services.0.keys().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint("check the name, and the `file` where it stands in another one"),
        };
        self.diagnostics.push(d);
        None
    }

    fn circle(&mut self, trail: &Trail, span: Span) -> Option<Node> {
        if trail.iter().any(|step| self.circles.contains(step)) {
            return None;
        }
        self.circles.extend(trail.iter().cloned());
        let mut names: Vec<&str> = trail.iter().map(|(_, name)| name.as_str()).collect();
        names.extend(trail.first().map(|(_, name)| name.as_str()));
        let story = wording::chain(&names);
        self.diagnostics.push(
            Diagnostic::error(
                "compose.extends-cycle",
                format!("these services extend each other in a circle: {story}"),
            )
            .at(span)
            .hint("remove one `extends` of the circle"),
        );
        None
    }

    /// The absolute path of an extended file; remote ones are refused in words.
    fn foreign_path(&mut self, file: &str, model: &Model, span: Span) -> Option<PathBuf> {
        if is_remote(file) {
            self.refuse_remote("extends", file, span);
            return None;
        }
        Some(discover::absolute(&model.working_dir, Path::new(file)))
    }

    pub(super) fn refuse_remote(&mut self, what: &str, file: &str, span: Span) {
        self.diagnostics.push(
            Diagnostic::error("compose.remote", format!("Hearth does not fetch remote files: `{what}` names {file}"))
                .at(span)
                .hint("download the file, look at it, and name its local path"),
        );
    }
}

/// Git and OCI resources, as Compose tells them from local paths.
pub(super) fn is_remote(path: &str) -> bool {
    path.starts_with("oci://") || path.starts_with("git@") || path.starts_with("github.com/") || path.contains("://")
}
