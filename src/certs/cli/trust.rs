//! `hearth certs trust` and `hearth certs new-ca`.
//!
//! Hearth starts no programs, and every system's store is written by one: so the commands are printed, to be run by a person.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use serde_json::json;

use crate::args::{Global, NewCa, Trust};
use crate::base::clock::{Clock, SystemClock};
use crate::certs::local::LocalCa;
use crate::certs::page;
use crate::cli::{Done, Out, Tone, ask};
use crate::diag::Sources;
use crate::stacks::Home;

/// The systems' folders for roots that a person adds, and what takes them over: the first that is there counts.
const STORES: [(&str, &[&str]); 4] = [
    ("/usr/local/share/ca-certificates", &["update-ca-certificates"]),
    ("/etc/pki/ca-trust/source/anchors", &["update-ca-trust"]),
    ("/etc/ca-certificates/trust-source/anchors", &["update-ca-trust"]),
    ("/etc/pki/trust/anchors", &["update-ca-certificates"]),
];

pub fn trust(global: &Global, args: &Trust, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let (home, ca, zones) = open(global, out)?;
    if args.print {
        out.text(ca.root_pem());
        return Ok(());
    }
    let roots = rustls_native_certs::load_native_certs().certs;
    let trusted = is_among(&roots, ca.root_der());
    let root = home.dir.join("state/ca/root.pem");
    let store = STORES.into_iter().find(|(folder, _)| Path::new(folder).is_dir());
    let commands = store.map_or(Vec::new(), |(folder, update)| commands(&root, folder, update, &ca.fingerprint()));
    if out.json {
        out.value(&json!({
            "fingerprint": ca.fingerprint(),
            "pem": ca.root_pem(),
            "valid_until": ca.root_ends().date().to_string(),
            "trusted": trusted,
            "commands": commands,
        }));
        return Ok(());
    }
    for notice in ca.notices(&zones, SystemClock.now()) {
        out.diagnostic(&notice, &Sources::default());
    }
    out.line("The root of this home's local CA has the fingerprint (SHA-256)");
    for line in page::groups(&ca.fingerprint()) {
        out.line(format!("  {}", out.paint(Tone::Strong, &line.join(" "))));
    }
    out.line("");
    match (trusted, commands.is_empty()) {
        (true, _) => out.line("This machine trusts it."),
        (false, false) => {
            out.line("This machine does not trust it yet. As root:");
            commands.iter().for_each(|command| out.line(format!("  {}", shown(command))));
        }
        (false, true) => out.line(format!("This machine does not trust it yet. The root lies in {}", root.display())),
    }
    out.line("Browsers and other devices: `hearth serve`, then its page /trust has the steps for each");
    Ok(())
}

pub fn new_ca(global: &Global, args: &NewCa, out: &Out) -> Done {
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let zones: Vec<String> = home.domain()?.into_iter().collect();
    let dir = home.dir.join("state/ca");
    if dir.join("root.pem").exists() {
        let question =
            "Make a new root for the local CA? Every device has to be told to trust it, and the old one's key is gone.";
        ask::confirm(question, args.answer.yes, out)?;
    }
    let ca = LocalCa::replace(&dir, &zones, &SystemClock)?;
    out.line("There is a new root. Its fingerprint (SHA-256):");
    page::groups(&ca.fingerprint()).iter().for_each(|line| out.line(format!("  {}", line.join(" "))));
    out.line(
        "A running `hearth serve` takes it within seconds; Traefik gets its certificates with the next `hearth up`.",
    );
    out.line("`hearth certs trust` says how this machine comes to trust it");
    Ok(())
}

fn open(global: &Global, out: &Out) -> Result<(Home, LocalCa, Vec<String>), crate::cli::Failure> {
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let zones: Vec<String> = home.domain()?.into_iter().collect();
    let ca = LocalCa::open(&home.dir.join("state/ca"), &zones, &SystemClock)?;
    Ok((home, ca, zones))
}

fn is_among(roots: &[CertificateDer<'_>], root: &CertificateDer<'_>) -> bool {
    roots.iter().any(|known| known.as_ref() == root.as_ref())
}

/// What puts the root into a store: argument lists. The file's name tells roots of several homes apart.
fn commands(root: &Path, folder: &str, update: &[&str], fingerprint: &str) -> Vec<Vec<String>> {
    let short: String = fingerprint.chars().filter(|c| *c != ':').take(8).collect::<String>().to_lowercase();
    let copy = ["cp".to_owned(), root.display().to_string(), format!("{folder}/hearth-{short}.crt")];
    vec![copy.to_vec(), update.iter().map(|word| (*word).to_owned()).collect()]
}

/// As one types it into a shell.
fn shown(command: &[String]) -> String {
    let plain = |word: &String| word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+:@".contains(c));
    let word = |w: &String| if plain(w) { w.clone() } else { format!("'{}'", w.replace('\'', r"'\''")) };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_can_be_typed_whatever_the_home_is_called() {
        let all = commands(Path::new("/srv/my home's/root.pem"), "/etc/x", &["update-it"], "AB:CD:EF:01:23");
        let typed: Vec<String> = all.iter().map(|c| shown(c)).collect();
        assert_eq!(typed, [r"cp '/srv/my home'\''s/root.pem' /etc/x/hearth-abcdef01.crt", "update-it"]);
    }

    #[test]
    fn a_root_is_known_by_all_of_it() {
        let (a, b) = (CertificateDer::from(vec![1, 2]), CertificateDer::from(vec![1, 2, 3]));
        assert!(is_among(&[b.clone(), a.clone()], &a));
        assert!(!is_among(std::slice::from_ref(&b), &a));
    }
}
