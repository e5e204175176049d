//! A new home: files that are not there yet are written, nothing that is there is touched.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::secrets::Variables;
use super::write::{self, Beneath};
use super::{Home, Read, Refused, STACKS};
use crate::compose::normal_name;
use crate::compose::tree::{Node, Value};
use crate::config;
use crate::diag::{Diagnostic, Kind};
use crate::spec::Cidr;
use crate::stacks::catalogue::Shipped;

/// What the machine and chance give to a new home.
pub struct Facts<'a> {
    pub timezone: String,
    pub uid: u32,
    pub gid: u32,
    /// Ranges that this machine reaches already.
    pub routes: Vec<Cidr>,
    /// A number below the one given.
    pub random: &'a mut dyn FnMut(usize) -> usize,
}

/// What was done, for the person.
#[derive(Debug, Default)]
pub struct Made {
    /// Relative to the home.
    pub written: Vec<PathBuf>,
    /// Left as they were.
    pub kept: Vec<PathBuf>,
    /// Secrets that got a random value.
    pub secrets: Vec<String>,
    /// Required variables that `.env` has no value for.
    pub missing: Vec<String>,
}

/// Makes a home in `dir`, an absolute path, with these stacks. What is there stays as it is, so that it can be run again
/// after stacks were added.
pub fn make(dir: &Path, stacks: &[Shipped], facts: &mut Facts) -> Result<(Home, Made), Refused> {
    let mut made = Made::default();
    std::fs::create_dir_all(dir).map_err(|error| write::failed(dir, &error))?;
    let folder = Beneath::open(dir)?;
    folder.folder(STACKS.as_ref())?;
    let name = dir.file_name().map(|n| normal_name(&n.to_string_lossy())).filter(|n| !n.is_empty());
    let config = config::fresh(name.as_deref().unwrap_or("home"), free_range(facts));
    place(&folder, config::FILE, &config, 0o644, &mut made)?;
    let home = Home::open(dir.to_path_buf())?;
    for stack in stacks {
        place(&folder, &format!("{STACKS}/{}.yaml", stack.name), stack.text, 0o644, &mut made)?;
    }
    place(&folder, ".gitignore", IGNORE, 0o644, &mut made)?;
    place(&folder, SERVER, include_str!("../../../compose/hearth.yaml"), 0o644, &mut made)?;
    place(&folder, "README.md", &readme(&home.config.name), 0o644, &mut made)?;
    let read = home.read()?;
    let variables = read.variables();
    variables_files(&home, &read, &variables, facts, &mut made)?;
    for source in bind_sources(&read) {
        if !dir.join(&source).exists() {
            // Below a link to another disk, for example: the engine makes it.
            let Ok(made) = folder.folder(&source) else { continue };
            // Made by root for somebody: a service that runs as that user could not write there. Best effort, as the
            // folder may lie on a disk without owners.
            let _ = std::os::unix::fs::fchown(&made, Some(facts.uid), Some(facts.gid));
        }
    }
    made.written.extend(home.write_rendered(&read)?);
    Ok((home, made))
}

fn place(dir: &Beneath, name: &str, text: &str, mode: u32, made: &mut Made) -> Result<(), Diagnostic> {
    let list = if dir.create(name.as_ref(), text, mode)? { &mut made.written } else { &mut made.kept };
    list.push(name.into());
    Ok(())
}

/// A /16 of 10.0.0.0/8 that this machine does not reach yet, from a random place on.
fn free_range(facts: &mut Facts) -> Cidr {
    const FIRST: usize = 128;
    const COUNT: usize = 112;
    let start = (facts.random)(COUNT);
    let ranges = (0..COUNT).map(|i| {
        let second = FIRST + (start + i) % COUNT;
        Cidr::new(std::net::Ipv4Addr::new(10, second as u8, 0, 0), 16)
    });
    let mut free = ranges.filter(|range| !facts.routes.iter().any(|route| route.overlaps(*range)));
    free.next().unwrap_or_else(config::default_networks)
}

/// 32 characters that no shell, URL or YAML reads as anything else, about 190 bits.
fn secret(random: &mut dyn FnMut(usize) -> usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // A dash in front would be read as a flag somewhere.
    let set = |i: usize| if i == 0 || i == 31 { LETTERS } else { ALL };
    (0..32).map(|i| set(i)[random(set(i).len())] as char).collect()
}

fn variables_files(
    home: &Home,
    read: &Read,
    variables: &Variables,
    facts: &mut Facts,
    made: &mut Made,
) -> Result<(), Diagnostic> {
    let folder = home.folder()?;
    let secrets: BTreeSet<&String> = variables.secrets().map(|(name, _)| name).collect();
    let mut values: Vec<(String, String)> = vec![
        ("TZ".into(), facts.timezone.clone()),
        ("PUID".into(), facts.uid.to_string()),
        ("PGID".into(), facts.gid.to_string()),
    ];
    for name in &secrets {
        values.push((name.to_string(), secret(facts.random)));
    }
    let text = env_text(read, variables, &|name| {
        values.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()).unwrap_or_default()
    });
    if folder.create(".env".as_ref(), &text, 0o600)? {
        made.written.push(".env".into());
        made.secrets = secrets.iter().map(|name| name.to_string()).collect();
    } else {
        made.kept.push(".env".into());
    }
    place(&folder, ".env.example", &env_text(read, variables, &|_| String::new()), 0o644, made)?;
    let text = home.env_text()?;
    let set = super::env::statements(&text).into_iter().filter(|s| !s.value.is_empty());
    let set: BTreeSet<String> = set.map(|s| s.name).collect();
    made.missing = variables.required.keys().filter(|name| !set.contains(*name)).cloned().collect();
    Ok(())
}

/// `.env` with each required variable under the stack that needs it first, and the optional ones as comments.
fn env_text(read: &Read, variables: &Variables, value: &dyn Fn(&str) -> String) -> String {
    let mut text = String::from(
        "\
# The values of all variables that the stacks of this home name as ${NAME}. This file is not in git.
# Hearth writes COMPOSE_PROFILES here and nothing else.

",
    );
    for name in ["TZ", "PUID", "PGID"] {
        text.push_str(&format!("{name}={}\n", value(name)));
    }
    text.push_str(
        "\n# The name under which services are reached in domain mode: https://NAME.DOMAIN\n#DOMAIN=example.org\n",
    );
    for (index, stack) in read.spec.stacks.iter().enumerate() {
        let own = read.variables_of(index);
        let here = |name: &&String| (0..index).all(|earlier| !read.variables_of(earlier).all.contains(*name));
        let required: Vec<&String> = own.required.keys().filter(here).collect();
        let optional: Vec<&String> = own
            .all
            .iter()
            .filter(|n| !variables.required.contains_key(*n) && !matches!(n.as_str(), "TZ" | "PUID" | "PGID"))
            .filter(here)
            .collect();
        if required.is_empty() && optional.is_empty() {
            continue;
        }
        text.push_str(&format!("\n# {}\n", stack.keys.title.as_deref().unwrap_or(&stack.name)));
        for name in required {
            let why = own.required[name].why.trim().replace('\n', " ");
            let comment = if why.is_empty() { String::new() } else { format!("# {name}: {why}\n") };
            text.push_str(&format!("{comment}{name}={}\n", value(name)));
        }
        for name in optional {
            let default = own.defaults.get(name).map(String::as_str).unwrap_or_default().replace('\n', " ");
            text.push_str(&format!("#{name}={default}\n"));
        }
    }
    text
}

/// Folders of the home that services bind, as written or as a variable's default: made now, they belong to this user and
/// not to the engine's.
fn bind_sources(read: &Read) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for service in read.spec.services.values() {
        for mount in service.node.get("volumes").and_then(Node::as_seq).unwrap_or_default() {
            let source = match &mount.value {
                Value::Str(text) => crate::compose::short::volume::parse(text).map(|v| v.source).unwrap_or_default(),
                Value::Map(map) => map.get("source").and_then(Node::as_str).unwrap_or_default().to_string(),
                _ => continue,
            };
            let source = default_of(&source);
            let inner = source.strip_prefix("./").filter(|s| !s.contains("..") && !s.contains('$'));
            // What has an ending is more likely a file, which a folder of that name would break.
            let is_folder = |s: &&str| Path::new(s).extension().is_none();
            found.extend(inner.filter(|s| !s.is_empty()).filter(is_folder).map(PathBuf::from));
        }
    }
    found
}

/// `${NAME:-./x}/y` as `./x/y`.
fn default_of(source: &str) -> String {
    let inner = source.strip_prefix("${").and_then(|rest| rest.split_once('}'));
    match inner.and_then(|(inside, rest)| Some((inside.split_once(":-").or_else(|| inside.split_once('-'))?.1, rest))) {
        Some((default, rest)) => format!("{default}{rest}"),
        None => source.to_string(),
    }
}

/// What runs Hearth itself as a container. Not rendered: a person may change it.
const SERVER: &str = "compose/hearth.yaml";

const IGNORE: &str = "\
# Secrets, what Hearth remembers, and what services keep in folders of this home.
.env
secrets/
state/
data/
";

fn readme(name: &str) -> String {
    format!(
        "\
# {name}

The services of this home, run by Hearth or by plain Docker Compose.

| file | what it is |
|---|---|
| `stacks/*.yaml` | what runs: one Compose file for services that belong together; this is what you edit |
| `hearth.yaml` | which profiles are on, and what else this home has decided |
| `.env` | passwords, paths, time zone; not in git. `.env.example` shows what it holds |
| `compose.yaml`, `compose/` | written from the stacks by `hearth render`; plain Compose, in git |
| `compose/hearth.yaml` | runs Hearth's own server as a container, where it is not to run on the machine |

    hearth profiles            what there is, and what is on
    hearth up media            turn a profile on and start it
    hearth plan                what would change, and why
    hearth down media          stop it, and turn it off

Without Hearth the same: `docker compose up -d` here, or `docker compose --profile media up -d`.
"
    )
}

/// Refuses stacks that do not ship, with the nearest that does.
pub fn chosen(names: Option<&[String]>) -> Result<Vec<Shipped>, Diagnostic> {
    let all = crate::stacks::catalogue::ALL;
    let Some(names) = names else { return Ok(all.to_vec()) };
    let mut chosen = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let Some(stack) = all.iter().find(|s| s.name == name) else {
            let d =
                Diagnostic::error("home.no-stack", format!("no stack `{name}` ships with Hearth")).kind(Kind::NotFound);
            let known: Vec<&str> = all.iter().map(|s| s.name).collect();
            return Err(match crate::base::wording::nearest(name, known.iter().copied()) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint(format!("there are: {}", crate::base::wording::list(&known))),
            });
        };
        chosen.push(*stack);
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_safe_everywhere() {
        let mut n = 0;
        let text = secret(&mut |below| {
            n += 37;
            n % below
        });
        assert_eq!(text.len(), 32);
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    }

    #[test]
    fn a_range_that_this_machine_reaches_is_not_taken() {
        let taken: Cidr = "10.128.0.0/15".parse().unwrap();
        let mut first = |_: usize| 0;
        let mut facts = Facts { timezone: String::new(), uid: 0, gid: 0, routes: vec![taken], random: &mut first };
        assert_eq!(free_range(&mut facts).to_string(), "10.130.0.0/16");
    }

    #[test]
    fn defaults_of_paths_are_read() {
        assert_eq!(default_of("${MEDIA_PATH:-./data/media}/movies"), "./data/media/movies");
        assert_eq!(default_of("./x"), "./x");
    }
}
