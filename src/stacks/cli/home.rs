//! `hearth init` and `render`: a home and its files.

use std::path::Path;

use rand::Rng;
use serde_json::json;

use crate::args::{Global, Init, Render};
use crate::base::wording;
use crate::cli::{Done, FOUND, Failure, Out};
use crate::compose::short::volume::clean;
use crate::spec::{Cidr, front};
use crate::stacks::home::{Home, init};

pub fn init(args: Init, out: &Out) -> Done {
    let dir = args.dir.unwrap_or_else(|| ".".into());
    let whole = std::path::PathBuf::from(clean(&out.cwd.join(&dir).to_string_lossy()));
    let stacks = init::chosen(args.stacks.as_deref())?;
    let mut source = rand::rng();
    let mut random = |below: usize| (source.next_u64() % below.max(1) as u64) as usize;
    let (uid, gid) = user();
    let mut facts = init::Facts { timezone: timezone(), uid, gid, routes: routes(), random: &mut random };
    let (home, made) = init::make(&whole, &stacks, &mut facts).map_err(|refused| refused.tell(out))?;
    let shown = |paths: &[std::path::PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
    for path in shown(&made.written) {
        out.line(format!("wrote {path}"));
    }
    for path in shown(&made.kept) {
        out.line(format!("kept  {path} as it is"));
    }
    if !made.secrets.is_empty() {
        out.say(format!(".env has {}, made for this home", wording::count(made.secrets.len(), "random password")));
    }
    if !made.missing.is_empty() {
        out.say(format!("set in .env before you start anything: {}", wording::list(&made.missing)));
    }
    let read = home.read().map_err(|refused| refused.tell(out))?;
    let known = read.spec.profiles();
    let first = first_to_try(&known);
    let go = if dir == Path::new(".") { String::new() } else { format!("cd {} && ", dir.display()) };
    if let Some(first) = first {
        out.say(format!("next: {go}hearth plan {first}     (profiles: {})", wording::list(&known)));
    } else {
        out.say(format!("next: put a Compose file into {}/stacks, then: {go}hearth up", dir.display()));
    }
    Ok(())
}

/// The profile to begin with: the example runs anywhere, as its image is Hearth's own. What Traefik and gate are in has nothing to show by itself, and goes
/// where something behind them is in no profile.
fn first_to_try(known: &[String]) -> Option<&String> {
    let example = known.iter().find(|profile| *profile == "example");
    example.or_else(|| known.iter().find(|profile| *profile != front::CORE))
}

/// Who the files of services should belong to: this user, or the one who asked root.
fn user() -> (u32, u32) {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok()).filter(|n| *n > 0);
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    match uid {
        0 => (number("SUDO_UID").unwrap_or(1000), number("SUDO_GID").unwrap_or(1000)),
        _ => (uid, gid),
    }
}

/// The machine's time zone by its name, as TZ takes it.
fn timezone() -> String {
    let valid = |name: &str| {
        !name.is_empty() && name.len() < 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c))
    };
    let named = std::env::var("TZ").ok();
    let file = std::fs::read_to_string("/etc/timezone").ok().map(|t| t.trim().to_string());
    let link = std::fs::read_link("/etc/localtime").ok();
    let linked = link.and_then(|l| l.to_string_lossy().split_once("/zoneinfo/").map(|(_, name)| name.to_string()));
    [named, file, linked].into_iter().flatten().find(|name| valid(name)).unwrap_or_else(|| "Etc/UTC".into())
}

/// Ranges that this machine has a route to, but for the one that leads everywhere.
fn routes() -> Vec<Cidr> {
    let table = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let number = |hex: &str| u32::from_str_radix(hex, 16).ok().map(u32::swap_bytes);
    let one = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (base, mask) = (number(fields.get(1)?)?, number(fields.get(7)?)?);
        (mask != 0).then(|| Cidr::new(base.into(), mask.leading_ones() as u8))
    };
    table.lines().skip(1).filter_map(one).collect()
}

pub fn render(global: &Global, args: Render, out: &Out) -> Done {
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let read = home.read().map_err(|refused| refused.tell(out))?;
    read.tell_warnings(out);
    if args.check {
        let differing = home.differing(&read);
        for (path, there) in &differing {
            let why = if *there { "is not what the stacks say" } else { "is missing" };
            out.line(format!("{} {why}", path.display()));
        }
        return if differing.is_empty() { Ok(()) } else { Err(Failure::Code(FOUND)) };
    }
    if !home.differing(&read).is_empty() {
        out.acting();
    }
    let written = home.write_rendered(&read)?;
    for path in &written {
        out.line(format!("wrote {}", path.display()));
    }
    if written.is_empty() {
        out.say("nothing to do: what is rendered is what the stacks say");
    }
    Ok(())
}

/// The home as JSON, for commands that show it.
pub(super) fn of(home: &Home) -> serde_json::Value {
    json!({ "directory": home.dir, "project": home.config.name, "mode": home.config.mode.name() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_home_begins_with_a_profile_that_shows_something() {
        let first = |known: &[&str]| {
            let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            first_to_try(&known).cloned()
        };
        assert_eq!(first(&["automation", "core", "example"]).as_deref(), Some("example"));
        assert_eq!(first(&["core", "web"]).as_deref(), Some("web"));
        assert_eq!((first(&["core"]), first(&[])), (None, None));
    }
}
