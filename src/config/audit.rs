//! `audit` of `hearth.yaml`: how long entries of the audit log are kept.

use super::Reader;
use crate::compose::tree::Map;

const AUDIT: [&str; 2] = ["days", "megabytes"];

/// What is kept at most; `None`: without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    pub days: Option<u32>,
    pub megabytes: Option<u32>,
}

impl Default for Audit {
    /// Two years, and more than a million entries.
    fn default() -> Audit {
        Audit { days: Some(730), megabytes: Some(500) }
    }
}

impl Reader<'_> {
    pub(super) fn audit(&mut self, map: &Map) -> Audit {
        let mut audit = Audit::default();
        let Some(node) = map.get("audit").filter(|n| !n.is_null()) else { return audit };
        let Some(map) = node.as_map() else {
            let title = format!("`audit` must be a mapping, not {}", node.kind());
            self.tell("config.wrong-type", title, node.span, "audit", "write days: 365 below it, for example");
            return audit;
        };
        self.known(map, &AUDIT, "audit.");
        for (key, value) in [("days", &mut audit.days), ("megabytes", &mut audit.megabytes)] {
            let Some(node) = map.get(key).filter(|n| !n.is_null()) else { continue };
            let text = node.scalar_text().unwrap_or_default();
            match text.parse::<u32>() {
                Ok(number) if number > 0 => *value = Some(number),
                _ if text == "false" => *value = None,
                _ => {
                    let title = format!("`{text}` is no number of {key}");
                    let hint = format!("write {key}: 365, or {key}: false to keep all");
                    self.tell("config.wrong-value", title, node.span, &format!("audit.{key}"), hint);
                }
            }
        }
        audit
    }
}
