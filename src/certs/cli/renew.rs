//! `hearth certs renew`: one order now, at staging first where the authority has one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;

use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::base::wording;
use crate::certs::acme::words;
use crate::certs::keeper::{self, Change};
use crate::certs::local::Name;
use crate::certs::renewal::Want;
use crate::certs::room::Room;
use crate::certs::store::Store;
use crate::cli::{Done, Failure, Out};
use crate::config::certificates::Issuer;
use crate::diag::{Diagnostic, Kind, Sources};

pub fn run(room: &Room, names: &[String], out: &Out) -> Done {
    let out = &out.clone().acts();
    if room.settings.issuer != Issuer::Acme {
        let title = "this home orders no certificates: its own CA makes them, and they renew themselves";
        return Err(Diagnostic::error("certs.no-acme", title)
            .kind(Kind::Conflict)
            .hint("for certificates that every browser trusts, write certificates: {issuer: acme} in hearth.yaml")
            .into());
    }
    let wants = chosen(room, names)?;
    let clock = Arc::new(SystemClock);
    let random = Arc::new(|| rand::rng().random_range(0.0..1.0));
    let parts = room.parts(clock, random)?;
    crate::cli::start(async {
        let failed = AtomicBool::new(false);
        for want in &wants {
            out.say(cost(room, want));
            keeper::renew(parts.clone(), want, |change| match change {
                // Both are told once it has ended.
                Change::Certificates | Change::Issued(_) | Change::Failed(_) => {}
                Change::Told(told) => out.diagnostic(&told, &Sources::default()),
            })
            .await;
            if !report(room, want, out)? {
                failed.store(true, Ordering::Relaxed);
            }
        }
        if failed.load(Ordering::Relaxed) { Err(Failure::Code(1)) } else { Ok(()) }
    })
}

/// The certificates that are meant: those that have one of the names, or a new one for exactly these names.
fn chosen(room: &Room, names: &[String]) -> Result<Vec<Want>, Diagnostic> {
    let mut managed = Vec::new();
    for id in room.store.ids()? {
        managed.extend(room.store.meta(&id)?.state.map(|state| (id, state.want)));
    }
    if names.is_empty() {
        if managed.is_empty() {
            return Err(Diagnostic::error("certs.unknown", "there is no certificate yet that could be renewed")
                .kind(Kind::NotFound)
                .hint("name what it should be for: hearth certs renew example.org '*.example.org'"));
        }
        return Ok(managed.into_iter().map(|(_, want)| want).collect());
    }
    let mut normal = Vec::new();
    for name in names {
        let by_id = managed.iter().find(|(id, _)| id == name);
        match by_id {
            Some((_, want)) => return Ok(vec![want.clone()]),
            None => normal.push(match Name::parse(name)? {
                Name::Dns(name) => name,
                Name::Ip(ip) => ip.to_string(),
            }),
        }
    }
    let has = |want: &Want| normal.iter().all(|name| want.names.contains(name));
    let found: Vec<Want> = managed.into_iter().map(|(_, want)| want).filter(has).collect();
    Ok(if found.is_empty() { vec![room.want(&normal)] } else { found })
}

/// What an attempt costs at the authority.
fn cost(room: &Room, want: &Want) -> String {
    let id = Store::id(&want.names, false);
    let state = room.store.meta(&id).ok().and_then(|meta| meta.state);
    let Some(ca) = room.settings.authorities.first() else { return String::new() };
    let now = SystemClock.now();
    let week = state.as_ref().map_or(0, |state| {
        state.standing(&ca.directory).issued.iter().filter(|t| **t + time::Duration::days(7) > now).count()
    });
    let first = match &ca.staging {
        Some(_) => format!("one order at {}'s staging, and if that ends well one at {}", ca.name, ca.name),
        None => format!("one order at {}, which has no staging", ca.name),
    };
    let used = match week {
        0 => "none was issued for these names this week".to_owned(),
        n => format!("{} of 5 for these names this week were issued already", wording::count(n, "certificate")),
    };
    format!("{}: {first}; {used}", want.names.join(", "))
}

/// Whether there is a new certificate.
fn report(room: &Room, want: &Want, out: &Out) -> Result<bool, Diagnostic> {
    let id = Store::id(&want.names, false);
    let Some(state) = room.store.meta(&id)?.state else { return Ok(false) };
    let now = SystemClock.now();
    let next = state.next_order(&room.policy(), now);
    if let Some(fault) = &state.fault {
        let known = room.settings.authorities.iter().find(|ca| ca.directory == fault.directory);
        let told = words::sentence(fault, known.map_or(&fault.directory, |ca| &ca.name), &want.names, next);
        out.diagnostic(&told, &Sources::default());
        if fault.problem == "manual" {
            out.line(&fault.detail);
            out.say("set this TXT record at your DNS provider, then run the same command again");
        }
        return Ok(false);
    }
    match room.store.load(&id)? {
        Some(held) if state.order.is_none() && state.urgent.is_none() => {
            out.line(format!("{} until {}", held.names.join(", "), rfc3339(held.not_after)));
            Ok(true)
        }
        _ => {
            out.say("another process orders it, or a limit holds it back: hearth certs shows how it goes on");
            Ok(false)
        }
    }
}
