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
