//! Who runs this command, and what they typed, for locks and history.

use std::collections::BTreeMap;

use crate::base::secret::is_secret_name;
use crate::cli::Out;

/// The person and place behind a command: `joe (uid 1000, pts/3, nas)`, or who it is done on behalf of. `sudo` names who called it.
pub fn who(out: &Out) -> String {
    if let Some(behalf) = &out.behalf {
        return behalf.who.clone();
    }
    let environment = out.environment();
    let uid = rustix::process::getuid().as_raw();
    let mut parts = vec![format!("uid {uid}")];
    let tty = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok();
    parts.extend(tty.and_then(|t| t.into_string().ok()).map(|t| t.trim_start_matches("/dev/").to_string()));
    parts.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
    let user = of_process(&environment, uid);
    match environment.get("SUDO_USER").filter(|s| **s != user && uid == 0) {
        Some(caller) => format!("{caller} as {user} ({})", parts.join(", ")),
        None => format!("{user} ({})", parts.join(", ")),
    }
}

/// Who it is, without the place.
pub fn user(out: &Out) -> String {
    match &out.behalf {
        Some(behalf) => behalf.who.clone(),
        None => of_process(&out.environment(), rustix::process::getuid().as_raw()),
    }
}

/// What was typed, or what would have to be typed for the same.
pub fn command(out: &Out) -> String {
    match &out.behalf {
        Some(behalf) => behalf.command.clone(),
        None => command_line(std::env::args_os()),
    }
}

/// The name of the user of this process. What the password file says wins over the variables, which anyone can set.
fn of_process(environment: &BTreeMap<String, String>, uid: u32) -> String {
    let table = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_line = |line: &str| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_string())
    };
    let known = table.lines().find_map(of_line);
    known.or_else(|| environment.get("USER").cloned()).unwrap_or_else(|| uid.to_string())
}

/// The command line as typed. Values given to names that look secret are left out.
fn command_line(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> String {
    let mut words = vec!["hearth".to_string()];
    for argument in arguments.into_iter().skip(1) {
        let argument = argument.to_string_lossy().into_owned();
        let hidden = match argument.split_once('=') {
            Some((name, _)) if is_secret_name(name.trim_start_matches('-')) => format!("{name}=(hidden)"),
            _ => argument,
        };
        words.push(quoted(&hidden));
    }
    words.join(" ")
}

/// A word as it would be typed in a shell.
pub fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,@+%".contains(c));
    if plain { word.to_string() } else { format!("'{}'", crate::diag::text::visible(word).replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_kept_without_secrets() {
        let line = |words: &[&str]| command_line(words.iter().map(Into::into));
        assert_eq!(line(&["/usr/bin/hearth", "-f", "my file.yaml", "up"]), "hearth -f 'my file.yaml' up");
        assert_eq!(line(&["hearth", "x", "DB_PASSWORD=geheim", "TZ=UTC"]), "hearth x 'DB_PASSWORD=(hidden)' TZ=UTC");
    }

    #[test]
    fn root_is_named_by_the_password_file() {
        let liar = BTreeMap::from([("USER".to_string(), "mallory".to_string())]);
        assert_eq!(of_process(&liar, 0), "root");
        assert_eq!(of_process(&liar, 4_000_000_001), "mallory");
    }
}
