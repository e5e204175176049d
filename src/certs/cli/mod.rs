//! `hearth certs`: what there is, until when, and what comes next.

pub mod list;
mod renew;
mod trust;

use std::path::Path;

use crate::args::{Certs, CertsVerb, Global};
use crate::base::clock::{Clock, SystemClock};
use crate::base::files;
use crate::base::secret::Secret;
use crate::certs::room::Room;
use crate::certs::shown::Shown;
use crate::certs::store::{Held, Source, choose};
use crate::cli::{Done, Out};
use crate::diag::{Diagnostic, Kind};
use crate::stacks::home::Home;

/// What the room of routes knows, which this one does not: `command` hands it in.
pub trait Front {
    /// The hosts that a home's routes use.
    fn hosts(&self, home: &Home) -> Vec<String>;
    /// What each of them, and Hearth's own, shows over TLS. `None`: the home has no front door.
    fn shown(&self, home: &Home) -> Option<Vec<Shown>>;
}

pub fn run(global: &Global, args: Certs, front: &dyn Front, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    match &args.verb {
        Some(CertsVerb::Trust(args)) => return trust::trust(global, args, out),
        Some(CertsVerb::NewCa(args)) => return trust::new_ca(global, args, out),
        _ => {}
    }
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let room = Room::open(&home)?;
    match args.verb {
        None | Some(CertsVerb::Trust(_) | CertsVerb::NewCa(_)) => list::run(&room, front.shown(&home).as_deref(), out),
        Some(CertsVerb::Renew { names }) => renew::run(&room, &names, out),
        Some(CertsVerb::Import { chain, key }) => import(&room, &out.cwd.join(chain), &out.cwd.join(key), out),
        Some(CertsVerb::Delete { id }) => delete(&room, &id, &front.hosts(&home), out),
    }
}

fn import(room: &Room, chain: &Path, key: &Path, out: &Out) -> Done {
    let read = |path: &Path| {
        files::read_text(path).map_err(|error| {
            Diagnostic::error("certs.unreadable", format!("{} cannot be read: {error}", path.display())).hint(
                "give two files in PEM: the chain, the certificate of the names first, and its key without a password",
            )
        })
    };
    let held = room.store.import(&read(chain)?, &Secret::new(read(key)?), SystemClock.now())?;
    out.line(format!("took {} ({})", held.names.join(", "), held.id));
    out.say("it is not renewed by Hearth: bring the next one before it expires");
    Ok(())
}

/// Refused where it is all that serves a routed host.
fn delete(room: &Room, id: &str, hosts: &[String], out: &Out) -> Done {
    let (held, _) = room.store.list()?;
    let now = SystemClock.now();
    let others: Vec<Held> = held.iter().filter(|one| one.id != id).cloned().collect();
    if let Some(one) = held.iter().find(|one| one.id == id && one.is_valid(now)) {
        let used = hosts.iter().filter(|host| one.covers(host));
        let lost = used.filter(|host| {
            !choose(host, &others, now).is_some_and(|other| other.is_valid(now) && other.public >= one.public)
        });
        let lost: Vec<&str> = lost.map(String::as_str).collect();
        if let Some(first) = lost.first() {
            let title = format!("the certificate {id} serves {first}, and no other one that is as good does");
            return Err(Diagnostic::error("certs.in-use", title)
                .kind(Kind::Conflict)
                .hint("bring or order another one for it first, or remove the route")
                .into());
        }
    }
    let managed = held.iter().find(|one| one.id == id).is_some_and(|one| matches!(one.source, Source::Acme(_)));
    room.store.delete(id)?;
    out.line(format!("deleted {id}"));
    if managed {
        out.say("where its names are still wanted, hearth serve orders a new one");
    }
    Ok(())
}
