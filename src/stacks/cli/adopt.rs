//! `hearth adopt`: takes over a running Compose project as it is, or leaves it alone for good. Nothing is recreated; it is written down.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::start;
use crate::args::{Adopt, Global};
use crate::base::wording;
use crate::cli::table::table;
use crate::cli::{Done, Failure, Out};
use crate::config::{self, Adopted};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind};
use crate::plan::{Options, Plan, json as plan_json, text};
use crate::stacks::projects::{self, Found};
use crate::stacks::session::Session;
use crate::stacks::{Home, Loading, Target};

pub fn run(global: &Global, args: Adopt, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let mut home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    if let (Some(name), true) = (&args.project, args.undo) {
        return undo(&mut home, name, out);
    }
    start(async {
        let engine = out.engine().await?;
        let mut found = projects::group(&engine.compose_containers().await?);
        found.retain(|one| one.name != home.config.name);
        match &args.project {
            None => list(&home, &found, global, out).await,
            Some(name) => {
                let found = the_one(&home, found, name)?;
                if args.leave_alone {
                    return leave(&mut home, &found, out);
                }
                adopt(&mut home, &found, &args.files, global, out).await
            }
        }
    })
}

fn the_one(home: &Home, found: Vec<Found>, name: &str) -> Result<Found, Diagnostic> {
    if *name == home.config.name {
        return Err(Diagnostic::error("stacks.own-project", format!("`{name}` is this home's own project"))
            .hint("there is nothing to adopt: hearth up")
            .kind(Kind::Conflict));
    }
    let names: Vec<String> = found.iter().map(|one| one.name.clone()).collect();
    found.into_iter().find(|one| one.name == name).ok_or_else(|| {
        let d = Diagnostic::error(
            "stacks.no-such-project",
            format!("no container of a project `{name}` is on this engine"),
        )
        .kind(Kind::NotFound);
        match wording::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint("see what there is: hearth adopt"),
        }
    })
}

/// What adopting a project would do: its plan, and in words how it is or why there is none.
pub async fn preview(one: &Found, global: &Global, out: &Out) -> (Option<Plan>, String) {
    match record(one, &[], &out.cwd) {
        Ok(record) => match plan(one, &record, global, &out.clone().json(true)).await {
            Ok(plan) => {
                let words = text::summary(&plan);
                (Some(plan), words)
            }
            Err(_) => (None, format!("its files cannot be loaded: see hearth adopt {}", one.name)),
        },
        Err(told) => (None, told.title),
    }
}

/// Whether it is another's project about which nothing is decided yet.
pub fn is_open(home: &Home, name: &str) -> bool {
    let config = &home.config;
    name != config.name && !config.adopted.contains_key(name) && !config.left_alone.iter().any(|one| one == name)
}

async fn list(home: &Home, found: &[Found], global: &Global, out: &Out) -> Done {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for one in found.iter().filter(|one| is_open(home, &one.name)) {
        let (plan, words) = preview(one, global, out).await;
        let plan = plan.map(|plan| plan_json::to_json(&plan));
        let directory = visible(&one.working_dir.display().to_string());
        rows.push(vec![visible(&one.name), one.state(), visible(&words), directory]);
        values.push(json!({
            "project": one.name, "states": one.states, "directory": one.working_dir, "files": one.files,
            "missing_files": one.missing(), "summary": words, "plan": plan,
        }));
    }
    if out.json {
        out.value(&Value::Array(values));
    } else if rows.is_empty() {
        out.say("there is no project to adopt on this engine");
    } else {
        out.text(&table(&["PROJECT", "STATE", "PLAN", "DIRECTORY"], &rows));
        out.say("take one over with: hearth adopt PROJECT; or leave it alone: hearth adopt PROJECT --leave-alone");
    }
    Ok(())
}

/// The list without this name, where it is in it.
fn without(text: String, left: &[String], name: &str) -> Result<String, Diagnostic> {
    if !left.iter().any(|one| one == name) {
        return Ok(text);
    }
    let rest: Vec<String> = left.iter().filter(|one| *one != name).cloned().collect();
    config::set_left_alone(&text, &rest)
}

fn leave(home: &mut Home, found: &Found, out: &Out) -> Done {
    let name = &found.name;
    if home.config.adopted.contains_key(name) {
        return Err(Diagnostic::error("stacks.is-adopted", format!("`{name}` is adopted by this home"))
            .kind(Kind::Conflict)
            .hint(format!("let it go first: hearth adopt {name} --undo"))
            .into());
    }
    let mut left = home.config.left_alone.clone();
    if !left.contains(name) {
        left.push(name.clone());
    }
    home.edit_config(|text| config::set_left_alone(text, &left))?;
    if out.json {
        out.value(&json!({ "project": name, "left_alone": true }));
    }
    out.say(format!("{name} is left alone; think better of it with: hearth adopt {name} --undo"));
    Ok(())
}

fn undo(home: &mut Home, name: &str, out: &Out) -> Done {
    let (adopted, left) = (home.config.adopted.contains_key(name), home.config.left_alone.clone());
    if !adopted && !left.iter().any(|one| one == name) {
        let d = Diagnostic::error("stacks.nothing-decided", format!("`{name}` is neither adopted nor left alone here"));
        return Err(d.kind(Kind::NotFound).hint("see what there is: hearth ls").into());
    }
    home.edit_config(|text| {
        let text = if adopted { config::remove_adopted(text, name)? } else { text.to_owned() };
        without(text, &left, name)
    })?;
    if out.json {
        out.value(&json!({ "project": name, "adopted": false, "left_alone": false }));
    }
    out.say(format!("this home looks after {name} no more; its containers stay as they are"));
    Ok(())
}

async fn adopt(home: &mut Home, found: &Found, files: &[PathBuf], global: &Global, out: &Out) -> Done {
    let record = record(found, files, &out.cwd)?;
    let plan = plan(found, &record, global, out).await?;
    let left = home.config.left_alone.clone();
    home.edit_config(|text| without(config::set_adopted(text, &found.name, &record)?, &left, &found.name))?;
    if out.json {
        out.value(&json!({
            "project": found.name, "directory": record.directory, "files": record.files, "env_files": record.env_files,
            "plan": plan_json::to_json(&plan),
        }));
        return Ok(());
    }
    out.text(&text::render(&plan, false));
    out.say(format!("adopted {} ({}); nothing was touched", found.name, found.state()));
    let next = if plan.is_empty() { "look at it with" } else { "what stands above is done with" };
    let verb = if plan.is_empty() { "ps" } else { "up" };
    out.say(format!("{next}: hearth -p {} {verb}", found.name));
    Ok(())
}

/// What `hearth.yaml` will hold. Files below the directory are named from there, so that the two can move together.
fn record(found: &Found, files: &[PathBuf], cwd: &Path) -> Result<Adopted, Diagnostic> {
    let clean = |path: &Path| PathBuf::from(crate::compose::short::volume::clean(&cwd.join(path).to_string_lossy()));
    let files: Vec<PathBuf> = match files {
        [] => {
            if found.files.is_empty() || !found.missing().is_empty() {
                return Err(files_not_here(found));
            }
            found.files.clone()
        }
        given => given.iter().map(|file| clean(file)).collect(),
    };
    if let Some(gone) = files.iter().find(|file| !file.is_file()) {
        return Err(Diagnostic::error("stacks.files-not-here", format!("there is no file {}", gone.display()))
            .kind(Kind::NotFound)
            .hint("--files names the Compose files of the project, in order"));
    }
    let beside = || files[0].parent().map(Path::to_path_buf).unwrap_or_default();
    let directory = if found.working_dir.is_dir() { found.working_dir.clone() } else { beside() };
    let named = |path: &PathBuf| path.strip_prefix(&directory).unwrap_or(path).to_string_lossy().into_owned();
    let env_files = found.env_files.iter().filter(|file| file.is_file());
    Ok(Adopted {
        files: files.iter().map(named).collect(),
        env_files: env_files.map(named).collect(),
        directory: directory.to_string_lossy().into_owned(),
    })
}

fn files_not_here(found: &Found) -> Diagnostic {
    let title = match found.missing().first() {
        Some(file) => format!("its containers name {}, which is not here", file.display()),
        None => "its containers do not say from which files they were made".to_string(),
    };
    Diagnostic::error("stacks.files-not-here", title)
        .kind(Kind::NotFound)
        .hint("some other manager may keep it inside its own container")
        .hint(format!("copy its Compose file here and name it: hearth adopt {} --files FILE", found.name))
}

/// The plan that `hearth -p PROJECT plan` will give.
async fn plan(found: &Found, record: &Adopted, global: &Global, out: &Out) -> Result<Plan, Failure> {
    let target = Target::adopted(global, &found.name, record, out);
    let session = Session::open_quietly(&target, &Loading::default(), out).await?;
    let look = session.look().await?;
    session.plan(&look, &Options::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_the_directory_are_named_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("compose.yaml");
        std::fs::write(&file, "services: {}").unwrap();
        let found = Found {
            name: "web".into(),
            working_dir: dir.path().into(),
            files: vec![file.clone()],
            env_files: vec!["/gone/.env".into()],
            ..Found::default()
        };
        let made = record(&found, &[], Path::new("/")).unwrap();
        assert_eq!((made.files, made.env_files.len()), (vec!["compose.yaml".to_string()], 0));
        assert_eq!(made.directory, dir.path().to_string_lossy());
    }

    #[test]
    fn files_inside_another_managers_container_are_asked_for() {
        let found =
            Found { name: "web".into(), files: vec!["/data/compose/5/docker-compose.yml".into()], ..Found::default() };
        let told = record(&found, &[], Path::new("/")).unwrap_err();
        assert_eq!(told.kind, Kind::NotFound);
        assert!(told.hints.last().unwrap().contains("--files"), "{told:?}");
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("my.yaml"), "services: {}").unwrap();
        let made = record(&found, &["my.yaml".into()], dir.path()).unwrap();
        assert_eq!(
            (made.directory, made.files),
            (dir.path().to_string_lossy().into_owned(), vec!["my.yaml".to_string()])
        );
    }
}
