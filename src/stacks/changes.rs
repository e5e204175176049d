//! What services of a plan are made of, before and after: their parts of the rendered file, as it lies there and as it would be written.
//! Variables stay as they are written; what is written out in a stack and looks like a secret is hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::Target;
use crate::base::files;
use crate::base::secret::is_secret_name;
use crate::plan::Plan;

/// Of a plan as JSON: `[{ "service", "before", "after" }]`, texts of YAML, null where there is none.
pub const KEY: &str = "changes";

const HIDDEN: &str = "(hidden)";

/// Of services that the plan does something about. Of what is no home: none.
pub fn of(target: &Target, plan: &Plan) -> Value {
    let Some((home, read)) = target.read() else { return json!([]) };
    let path = Path::new(home.config.mode.file());
    let before = files::read_text(&home.dir.join(path)).unwrap_or_default();
    let after = read.rendered.files.get(path).map(String::as_str).unwrap_or_default();
    let (before, after) = (services(&before), services(after));
    let named: BTreeSet<&str> =
        plan.steps.iter().map(|step| step.service.as_str()).filter(|name| !name.is_empty()).collect();
    let shown = |of: &BTreeMap<&str, String>, name: &str| of.get(name).map(|text| hidden(text));
    let all = named.into_iter().filter(|name| before.get(name) != after.get(name));
    all.map(|name| json!({"service": name, "before": shown(&before, name), "after": shown(&after, name)})).collect()
}

/// A plan that was kept, without them: what it is compared by.
pub fn without(plan: &str) -> String {
    let mut plan: Value = serde_json::from_str(plan).unwrap_or_default();
    if let Some(map) = plan.as_object_mut() {
        map.shift_remove(KEY);
    }
    plan.to_string()
}

/// The parts of a rendered file, by service: what is rendered begins each in the third column of a line.
fn services(text: &str) -> BTreeMap<&str, String> {
    let mut all = BTreeMap::new();
    let mut name = None;
    for line in text.lines().skip_while(|line| *line != "services:").skip(1) {
        if !line.is_empty() && !line.starts_with(' ') {
            break;
        }
        if line.starts_with("  #") {
            continue;
        }
        match line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            Some(rest) => name = rest.strip_suffix(':').map(|name| name.trim_matches(['"', '\''])),
            None => {
                if let Some(name) = name {
                    let part: &mut String = all.entry(name).or_default();
                    part.push_str(line.strip_prefix("    ").unwrap_or(line));
                    part.push('\n');
                }
            }
        }
    }
    all
}

/// Without values whose names say that they are secrets, and what looks like one.
fn hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // A secret over several lines goes on as long as they stand further in.
    let mut below: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if below.is_some_and(|of| indent > of || line.trim().is_empty()) {
            continue;
        }
        below = None;
        let entry = line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']);
        let split = entry.find(['=', ':']).map(|at| (&entry[..at], &entry[at + 1..]));
        match split.filter(|(name, value)| is_secret_name(name) && !is_open(value)) {
            Some((name, _)) => {
                let begin = line.len() - entry.len();
                let sign = &entry[name.len()..=name.len()];
                let blank = if sign == ":" { " " } else { "" };
                shown.push_str(&format!("{}{name}{sign}{blank}{HIDDEN}\n", &line[..begin]));
                below = Some(indent);
            }
            None => {
                shown.push_str(&crate::diag::hidden(line));
                shown.push('\n');
            }
        }
    }
    shown
}

/// Nothing, or a variable and nothing besides: what it stands for is in `.env`.
fn is_open(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let name = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).map(|inner| {
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        (end, inner)
    });
    match name {
        // `${NAME:?why}` says nothing; what `:-` or `:+` puts there is a value.
        Some((end, inner)) => !inner[end..].contains(['-', '+', '{']),
        None => value.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_23_what_a_stack_writes_out_as_a_secret_is_hidden() {
        let text = "image: a:1\nenvironment:\n  PW: geheim-1\n  DB_PASSWORD: ${DB_PASSWORD:?of the database}\n  API_TOKEN: ${X:-geheim-2}\n  LOG: info\n  PRIVATE_KEY: |\n    geheim-3\n    geheim-4\n  \
                    URL: postgres://u:geheim-5@h/x\nlist:\n  - SECRET=geheim-6\n  - \"TOKEN=geheim-7\"\nlabels:\n  a.password: \"geheim-8\"\nrestart: always\n";
        let shown = hidden(text);
        assert!(!shown.contains("geheim"), "{shown}");
        for kept in [
            "image: a:1\n",
            "  DB_PASSWORD: ${DB_PASSWORD:?of the database}\n",
            "  LOG: info\n",
            "restart: always\n",
            "  - SECRET=(hidden)\n",
            "  PRIVATE_KEY: (hidden)\n",
        ] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
    }

    #[test]
    fn a_rendered_file_is_taken_apart_by_service() {
        let text = "# Written\nservices:\n  # stacks/a.yaml\n  web:\n    image: a:1\n    command:\n      - |\n        x\n  \"0\":\n    image: b\nnetworks:\n  web: {}\n";
        let parts = services(text);
        assert_eq!(parts.keys().copied().collect::<Vec<_>>(), ["0", "web"]);
        assert_eq!(parts["web"], "image: a:1\ncommand:\n  - |\n    x\n");
    }
}
