//! `hearth ls`: every Compose project of this engine, ours and others.

use std::path::Path;

use serde_json::{Value, json};

use super::start;
use crate::args::{Global, Json};
use crate::cli::table::table;
use crate::cli::{Done, Out, Tone};
use crate::diag::text::visible;
use crate::stacks::Home;
use crate::stacks::projects::{self, Found};

pub fn run(global: &Global, args: Json, out: &Out) -> Done {
    let out = &out.clone().json(args.json);
    let home = Home::find(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    start(async {
        let engine = out.engine().await?;
        let found = projects::group(&engine.compose_containers().await?);
        if out.json {
            out.value(&Value::Array(found.iter().map(|one| as_json(one, home.as_ref())).collect()));
            return Ok(());
        }
        let rows: Vec<Vec<String>> = found.iter().map(|one| row(one, home.as_ref(), out)).collect();
        out.text(&table(&["PROJECT", "STATE", "WHOSE", "DIRECTORY", "FILES"], &rows));
        Ok(())
    })
}

fn row(found: &Found, home: Option<&Home>, out: &Out) -> Vec<String> {
    let running = found.states.keys().all(|state| *state == "running");
    let state = out.paint(if running { Tone::Good } else { Tone::Warn }, &found.state());
    let file = |file: &Path| {
        let shown = file.strip_prefix(&found.working_dir).unwrap_or(file).display().to_string();
        let gone = if file.is_file() { "" } else { " (not here)" };
        visible(&format!("{shown}{gone}"))
    };
    let files: Vec<String> = found.files.iter().map(|f| file(f)).collect();
    let directory = visible(&found.working_dir.display().to_string());
    vec![visible(&found.name), state, whose(found, home).into(), directory, files.join(", ")]
}

/// `this home` and `adopted` are looked after from here; the others are told by what made their containers.
pub fn whose(found: &Found, home: Option<&Home>) -> &'static str {
    match home {
        Some(home) if home.config.name == found.name => "this home",
        Some(home) if home.config.adopted.contains_key(&found.name) => "adopted",
        Some(home) if home.config.left_alone.contains(&found.name) => "left alone",
        _ if found.ours => "made by hearth",
        _ => "made by compose",
    }
}

fn as_json(found: &Found, home: Option<&Home>) -> Value {
    json!({
        "project": found.name,
        "states": found.states,
        "services": found.services,
        "whose": whose(found, home),
        "adopted": home.is_some_and(|home| home.config.adopted.contains_key(&found.name)),
        "made_by_hearth": found.ours,
        "directory": found.working_dir,
        "files": found.files,
        "missing_files": found.missing(),
        "env_files": found.env_files,
    })
}
