//! `!reset` and `!override` (Compose specification, 13-merge): which places of what was merged so far are emptied.

use super::tree::{Mark, Node, Value};

/// Paths of marked values, as keys from the root; `*` in a key stands for any (Compose's own rule).
#[derive(Debug, Clone, Default)]
pub struct Resets(Vec<Vec<String>>);

impl Resets {
    /// Takes note of every mark and removes the `!reset` values from the tree. Marks within lists change nothing.
    pub fn take(tree: &mut Node) -> Resets {
        let mut resets = Resets::default();
        resets.collect(tree, &mut Vec::new());
        resets
    }

    fn collect(&mut self, node: &mut Node, path: &mut Vec<String>) {
        let Value::Map(map) = &mut node.value else { return };
        map.0.retain(|key, entry| {
            path.push(key.clone());
            let mark = std::mem::take(&mut entry.node.mark);
            match mark {
                Mark::None => self.collect(&mut entry.node, path),
                Mark::Reset | Mark::Override => self.0.push(path.clone()),
            }
            path.pop();
            mark != Mark::Reset
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes what stands at the noted paths. `at` is where `target` hangs in the whole.
    pub fn apply(&self, target: &mut Node, at: &[&str]) {
        if !self.is_empty() {
            let mut path: Vec<String> = at.iter().map(|key| key.to_string()).collect();
            self.clear(target, &mut path);
        }
    }

    fn clear(&self, node: &mut Node, path: &mut Vec<String>) {
        let Value::Map(map) = &mut node.value else { return };
        map.0.retain(|key, entry| {
            path.push(key.clone());
            let gone = self.0.iter().any(|pattern| matches(pattern, path));
            if !gone {
                self.clear(&mut entry.node, path);
            }
            path.pop();
            !gone
        });
    }
}

fn matches(pattern: &[String], path: &[String]) -> bool {
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(p, k)| p == "*" || p == k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{output, yaml};
    use crate::diag::{Diagnostics, Sources};
    use serde_json::json;

    fn read(text: &str) -> Node {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0)
    }

    #[test]
    fn marked_places_are_emptied_in_what_was_merged_before() {
        let mut over = read("{a: !reset null, b: {c: !override [2], d: 3}}");
        let resets = Resets::take(&mut over);
        assert_eq!(output::plain(&over), json!({"b": {"c": [2], "d": 3}}));
        let mut base = read("{a: 1, b: {c: [1], d: 1}, e: 1}");
        resets.apply(&mut base, &[]);
        assert_eq!(output::plain(&base), json!({"b": {"d": 1}, "e": 1}));
    }

    #[test]
    fn a_part_knows_where_it_hangs() {
        let resets = Resets::take(&mut read("{services: {web: {ports: !reset []}}}"));
        let mut service = read("{ports: [a], image: x}");
        resets.apply(&mut service, &["services", "web"]);
        assert_eq!(output::plain(&service), json!({"image": "x"}));
    }
}
