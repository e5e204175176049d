//! Relative paths made absolute (lexically; symbolic links stay), and `~` resolved.

use std::path::Path;

use super::short::volume::clean;
use super::tree::{Node, Value};

/// Resolves every path attribute of a canonical tree against `base`.
pub fn resolve(tree: &mut Node, base: &Path, home: Option<&Path>) {
    let paths =
        Paths { base: base.to_string_lossy().into_owned(), home: home.map(|h| h.to_string_lossy().into_owned()) };
    if let Some(services) = tree.get_mut("services").and_then(Node::as_map_mut) {
        for entry in services.0.values_mut() {
            paths.service(&mut entry.node);
        }
    }
    for section in ["configs", "secrets"] {
        each_value(tree.get_mut(section), &mut |object| paths.set(object.get_mut("file")));
    }
    each_value(tree.get_mut("volumes"), &mut |volume| paths.driver_options(volume));
}

struct Paths {
    base: String,
    home: Option<String>,
}

impl Paths {
    fn absolute(&self, path: &str) -> String {
        let expanded = match (path.strip_prefix('~'), &self.home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => clean(&format!("{home}{rest}")),
            // Compose joins whatever follows the tilde to the caller's home.
            (Some(rest), Some(home)) => clean(&format!("{home}/{rest}")),
            _ => path.to_string(),
        };
        let windows =
            expanded.as_bytes().get(1) == Some(&b':') && expanded.as_bytes().get(2).is_some_and(|b| b"\\/".contains(b));
        match expanded.starts_with('/') || windows || expanded.starts_with(r"\\") {
            true => expanded,
            false => clean(&format!("{}/{expanded}", self.base)),
        }
    }

    fn set(&self, node: Option<&mut Node>) {
        if let Some(Node { value: Value::Str(path), .. }) = node {
            *path = self.absolute(path);
        }
    }

    /// As `set`, but an empty text stays empty.
    fn set_some(&self, node: Option<&mut Node>) {
        self.set(node.filter(|n| n.as_str() != Some("")));
    }

    fn service(&self, service: &mut Node) {
        if let Some(build) = service.get_mut("build") {
            self.context(build.get_mut("context"));
            each_value(build.get_mut("additional_contexts"), &mut |node| self.context(Some(node)));
            each_value(build.get_mut("ssh"), &mut |node| self.set(Some(node)));
        }
        each_item(service.get_mut("env_file"), &mut |file| self.set_some(file.get_mut("path")));
        each_item(service.get_mut("label_file"), &mut |file| self.set_some(Some(file)));
        if let Some(file) = service.get_mut("extends").and_then(|e| e.get_mut("file")) {
            self.set_some(Some(file));
        }
        if let Some(develop) = service.get_mut("develop") {
            each_item(develop.get_mut("watch"), &mut |watch| self.set_some(watch.get_mut("path")));
        }
        each_item(service.get_mut("volumes"), &mut |mount| {
            if mount.get("type").and_then(Node::as_str) == Some("bind") {
                self.set(mount.get_mut("source"));
            }
        });
    }

    /// A build context may also be an address or another service.
    fn context(&self, node: Option<&mut Node>) {
        let Some(node) = node else { return };
        let Some(text) = node.as_str() else { return };
        let remote = ["https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:"];
        if !text.contains("://") && !remote.iter().any(|prefix| text.starts_with(prefix)) {
            self.set_some(Some(node));
        }
    }

    /// A local volume with `o: bind` is a bind mount: its device is a path.
    fn driver_options(&self, volume: &mut Node) {
        if volume.get("driver").and_then(Node::as_str) != Some("local") {
            return;
        }
        if let Some(options) = volume.get_mut("driver_opts")
            && options.get("o").and_then(Node::as_str) == Some("bind")
        {
            self.set(options.get_mut("device"));
        }
    }
}

fn each_item(node: Option<&mut Node>, f: &mut dyn FnMut(&mut Node)) {
    if let Some(Node { value: Value::Seq(items), .. }) = node {
        items.iter_mut().for_each(f);
    }
}

fn each_value(node: Option<&mut Node>, f: &mut dyn FnMut(&mut Node)) {
    if let Some(Node { value: Value::Map(map), .. }) = node {
        map.0.values_mut().for_each(|entry| f(&mut entry.node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_from_the_base_or_from_home() {
        let paths = Paths { base: "/srv/p".into(), home: Some("/home/me".into()) };
        for (path, absolute) in [
            ("./a/../b", "/srv/p/b"),
            ("..", "/srv"),
            ("/etc/../x", "/etc/../x"),
            ("~", "/home/me"),
            ("~/x", "/home/me/x"),
            ("~bob/x", "/home/me/bob/x"),
            (r"C:\x", r"C:\x"),
        ] {
            assert_eq!(paths.absolute(path), absolute, "{path}");
        }
    }
}
