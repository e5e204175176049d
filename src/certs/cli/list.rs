//! The table of certificates.

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::certs::acme::words;
use crate::certs::renewal::{Next, State};
use crate::certs::room::Room;
use crate::certs::store::{Held, Source};
use crate::certs::tell::span;
use crate::cli::{Done, Out, Tone, table};
use crate::diag::Sources;

struct Row {
    id: String,
    names: Vec<String>,
    held: Option<Held>,
    state: Option<State>,
    next: Option<Next>,
    ca: String,
}

pub fn run(room: &Room, out: &Out) -> Done {
    let now = SystemClock.now();
    let mut rows = Vec::new();
    let (held, wrong) = room.store.list()?;
    for id in room.store.ids()? {
        let state = room.store.meta(&id)?.state;
        let held = held.iter().find(|one| one.id == id).cloned();
        let names = held.as_ref().map(|one| one.names.clone()).or(state.as_ref().map(|state| state.want.names.clone()));
        let Some(names) = names else { continue };
        let next = state.as_ref().and_then(|state| state.next_order(&room.policy(), now));
        let directory = state.as_ref().and_then(|state| state.fault.as_ref()).map(|fault| fault.directory.clone());
        let known = |directory: &String| room.settings.authorities.iter().find(|ca| ca.directory == *directory);
        let ca = directory.map_or(String::new(), |d| known(&d).map_or(d.clone(), |ca| ca.name.clone()));
        rows.push(Row { id, names, held, state, next, ca });
    }
    wrong.iter().for_each(|told| out.diagnostic(told, &Sources::default()));
    if out.json {
        out.value(&Value::Array(rows.iter().map(|row| to_json(row, now)).collect()));
        return Ok(());
    }
    if rows.is_empty() {
        out.say("there are no certificates but those of the local CA; certificates: {issuer: acme} in hearth.yaml orders them");
        return Ok(());
    }
    let header = ["ID", "NAMES", "ISSUER", "EXPIRES", "NEXT"];
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, now, out)).collect();
    out.text(&table::table(&header, &cells));
    for row in &rows {
        let Some(state) = &row.state else { continue };
        if let Some(fault) = &state.fault {
            out.diagnostic(&words::sentence(fault, &row.ca, &row.names, row.next), &Sources::default());
            if fault.problem == "manual" {
                out.say(format!("set this record, then run hearth certs renew {}: {}", row.names[0], fault.detail));
            }
        }
    }
    Ok(())
}

fn cells(row: &Row, now: OffsetDateTime, out: &Out) -> Vec<String> {
    let expires = match &row.held {
        None => out.paint(Tone::Warn, "none yet"),
        Some(held) if held.not_after <= now => out.paint(Tone::Bad, &format!("expired on {}", rfc3339(held.not_after))),
        Some(held) => format!("in {} ({})", span(held.not_after - now), rfc3339(held.not_after)),
    };
    let next = match (&row.held, &row.state, row.next) {
        (Some(Held { source: Source::Imported, .. }), ..) => "bring the next one by hand".to_owned(),
        (_, Some(state), None) if state.order.is_some() => "it is being ordered".to_owned(),
        (_, Some(_), None) => out.paint(Tone::Bad, "stopped: see below"),
        (_, Some(_), Some(next)) if next.at <= now => format!("now, because {}", next.why.words()),
        (_, Some(_), Some(next)) => format!("{}, because {}", rfc3339(next.at), next.why.words()),
        (_, None, _) => "-".to_owned(),
    };
    let issuer = row.held.as_ref().map_or("-".to_owned(), |held| held.issuer.clone());
    vec![row.id.clone(), row.names.join(" "), issuer, expires, next]
}

fn to_json(row: &Row, now: OffsetDateTime) -> Value {
    let fault = row.state.as_ref().and_then(|state| state.fault.as_ref());
    json!({
        "id": row.id,
        "names": row.names,
        "issuer": row.held.as_ref().map(|held| &held.issuer),
        "source": row.held.as_ref().map(|held| &held.source),
        "public": row.held.as_ref().is_some_and(|held| held.public),
        "not_before": row.held.as_ref().map(|held| rfc3339(held.not_before)),
        "not_after": row.held.as_ref().map(|held| rfc3339(held.not_after)),
        "valid": row.held.as_ref().is_some_and(|held| held.is_valid(now)),
        "next": row.next.map(|next| json!({"at": rfc3339(next.at), "why": next.why.words()})),
        "last_error": fault.map(|fault| json!({
            "authority": row.ca,
            "problem": fault.problem,
            "when": rfc3339(fault.when),
            "words": words::sentence(fault, &row.ca, &row.names, row.next).title,
            "record": (fault.problem == "manual").then_some(&fault.detail),
        })),
    })
}
