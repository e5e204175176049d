//! Relative paths of a file in a folder of the home, made to start from the home. Variables stay unresolved.

use crate::compose::tree::{Node, Value};
use crate::diag::Span;

/// Rewrites every path of `tree`; `folder` is where they started from, relative to the home. Gives the places of paths that
/// begin with a variable: nobody can tell what those start from.
pub(super) fn rewrite(tree: &mut Node, folder: &str) -> Vec<Span> {
    let mut rewriter = Rewriter { folder, unknown: Vec::new() };
    each_value(tree.get_mut("services"), &mut |service| rewriter.service(service));
    for section in ["configs", "secrets"] {
        each_value(tree.get_mut(section), &mut |object| rewriter.path(object.get_mut("file")));
    }
    each_value(tree.get_mut("volumes"), &mut |volume| {
        let bind = volume.at(&["driver_opts", "o"]).and_then(Node::as_str) == Some("bind");
        if bind && volume.get("driver").and_then(Node::as_str) == Some("local") {
            rewriter.path(volume.get_mut("driver_opts").and_then(|o| o.get_mut("device")));
        }
    });
    rewriter.unknown
}

struct Rewriter<'f> {
    folder: &'f str,
    unknown: Vec<Span>,
}

impl Rewriter<'_> {
    /// `./a` below `stacks/lib` is `./stacks/lib/a`. Absolute paths and `~` stay.
    fn moved(&mut self, text: &str, span: Span) -> Option<String> {
        if text.is_empty() || text.starts_with(['/', '~']) {
            return None;
        }
        if text.starts_with('$') {
            self.unknown.push(span);
            return None;
        }
        // Only what stands before the first variable can be cleaned.
        let cut = text.find('$').map_or(text.len(), |at| text[..at].rfind('/').map_or(0, |slash| slash + 1));
        let (known, rest) = text.split_at(cut);
        let joined = join(self.folder, known);
        Some(if rest.is_empty() { joined } else { format!("{joined}/{rest}") })
    }

    fn path(&mut self, node: Option<&mut Node>) {
        let Some(node) = node else { return };
        let span = node.span;
        if let Value::Str(text) = &mut node.value
            && let Some(moved) = self.moved(text, span)
        {
            *text = moved;
        }
    }

    /// An address, or another service, is no path.
    fn context(&mut self, node: Option<&mut Node>) {
        let Some(node) = node else { return };
        let remote = ["github.com/", "git@", "service:", "docker-image:", "oci-layout:", "target:"];
        let text = node.as_str().unwrap_or_default();
        if !text.contains("://") && !remote.iter().any(|prefix| text.starts_with(prefix)) {
            self.path(Some(node));
        }
    }

    fn service(&mut self, service: &mut Node) {
        match service.get_mut("build") {
            Some(build) if build.as_str().is_some() => self.context(Some(build)),
            Some(build) => self.build(build),
            None => {}
        }
        for key in ["env_file", "label_file"] {
            let Some(node) = service.get_mut(key) else { continue };
            match &mut node.value {
                Value::Str(_) => self.path(Some(node)),
                Value::Seq(items) => items.iter_mut().for_each(|item| match item.as_map_mut() {
                    Some(map) => self.path(map.get_mut("path")),
                    None => self.path(Some(item)),
                }),
                _ => {}
            }
        }
        each_item(service.get_mut("volumes"), &mut |mount| self.mount(mount));
        each_item(service.get_mut("develop").and_then(|d| d.get_mut("watch")), &mut |watch| {
            self.path(watch.get_mut("path"));
        });
    }

    fn build(&mut self, build: &mut Node) {
        let here = Node::str(build.span, ".");
        if let Some(map) = build.as_map_mut().filter(|map| map.get("context").is_none()) {
            map.set("context", here);
        }
        self.context(build.get_mut("context"));
        let Some(contexts) = build.get_mut("additional_contexts") else { return };
        match &mut contexts.value {
            Value::Map(map) => map.0.values_mut().for_each(|entry| self.context(Some(&mut entry.node))),
            Value::Seq(items) => {
                for item in items {
                    let Some((name, path)) = item.as_str().and_then(|t| t.split_once('=')) else { continue };
                    let mut inner = Node::str(item.span, path);
                    let name = name.to_string();
                    self.context(Some(&mut inner));
                    item.value = Value::Str(format!("{name}={}", inner.as_str().unwrap_or_default()));
                }
            }
            _ => {}
        }
    }

    fn mount(&mut self, mount: &mut Node) {
        let span = mount.span;
        if let Value::Map(_) = &mount.value {
            if mount.get("type").and_then(Node::as_str) == Some("bind") {
                self.path(mount.get_mut("source"));
            }
            return;
        }
        let Value::Str(text) = &mut mount.value else { return };
        let Some(colon) = first_colon(text) else { return };
        let (source, rest) = text.split_at(colon);
        // A source without a dot in front is the name of a volume, or a variable that may hold either.
        let is_path = source.starts_with(['.', '$']);
        if let Some(moved) = is_path.then(|| self.moved(source, span)).flatten() {
            *text = format!("{moved}{rest}");
        }
    }
}

/// `path` below `folder`, cleaned: `./a`, or `../a` where it leads above the home.
fn join(folder: &str, path: &str) -> String {
    let mut up = 0;
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')).filter(|p| !p.is_empty() && *p != ".") {
        match part {
            ".." if parts.pop().is_none() => up += 1,
            ".." => {}
            part => parts.push(part),
        }
    }
    let mut all = if up == 0 { vec!["."] } else { vec![".."; up] };
    all.extend(parts);
    all.join("/")
}

/// The first colon outside `${...}`.
fn first_colon(text: &str) -> Option<usize> {
    let mut braces = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' if text[..at].ends_with('$') || braces > 0 => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            ':' if braces == 0 => return Some(at),
            _ => {}
        }
    }
    None
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
    use crate::compose::{output, yaml};
    use crate::diag::{Diagnostics, Sources};

    fn run(text: &str) -> (String, usize) {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        let mut tree = yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0);
        let unknown = rewrite(&mut tree, "stacks/lib");
        (output::plain(&tree).to_string(), unknown.len())
    }

    #[test]
    fn paths_of_a_deeper_file_start_from_the_home_afterwards() {
        let (shown, unknown) = run(
            "services: {a: {build: ., env_file: [a.env, {path: ../b.env}], volumes: ['./data:/d', 'named:/n', '/abs:/x', \
             '../../../up/${N:-x}:/u', './${S:-a:b}/m:/m:ro', {type: bind, source: c, target: /c}]}}\n\
             secrets: {s: {file: s.txt}}\n",
        );
        assert_eq!(unknown, 0);
        assert_eq!(
            shown,
            r#"{"services":{"a":{"build":"./stacks/lib","env_file":["./stacks/lib/a.env",{"path":"./stacks/b.env"}],"volumes":["./stacks/lib/data:/d","named:/n","/abs:/x","../up/${N:-x}:/u","./stacks/lib/${S:-a:b}/m:/m:ro",{"type":"bind","source":"./stacks/lib/c","target":"/c"}]}},"secrets":{"s":{"file":"./stacks/lib/s.txt"}}}"#
        );
    }

    #[test]
    fn a_path_that_begins_with_a_variable_is_told() {
        assert_eq!(run("services: {a: {volumes: ['${M:-./m}/x:/x', '${M}:/y']}}").1, 2);
    }
}
