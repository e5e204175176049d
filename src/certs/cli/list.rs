//! The table of certificates.

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::certs::acme::words;
use crate::certs::renewal::{Next, State};
use crate::certs::room::Room;
use crate::certs::shown::{self, Leaf, Served, Shown};
use crate::certs::store::{Held, Source};
use crate::certs::tell::span;
use crate::cli::{Done, Out, Tone, table};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Sources};

struct Row {
    id: String,
    names: Vec<String>,
    held: Option<Held>,
    state: Option<State>,
    next: Option<Next>,
    ca: String,
    served: Served,
}

/// One certificate: of those that Hearth keeps, or served besides.
#[derive(Debug, Serialize, ToSchema)]
pub struct Certificate {
    /// Null where Hearth does not keep it.
    #[schema(required)]
    pub id: Option<String>,
    pub names: Vec<String>,
    /// Null while there is none yet.
    #[schema(required)]
    pub issuer: Option<String>,
    /// `imported`, or the authority's address; null where Hearth does not keep it.
    #[schema(required)]
    pub source: Option<String>,
    pub public: bool,
    #[schema(required)]
    pub not_before: Option<String>,
    #[schema(required)]
    pub not_after: Option<String>,
    pub valid: bool,
    /// Whether hosts show it, in words; null where they were not asked.
    #[schema(required)]
    pub served: Option<String>,
    /// When the next is ordered, and why then.
    #[schema(required)]
    pub next: Option<String>,
    #[schema(required)]
    pub why: Option<String>,
    /// Why the last order failed.
    #[schema(required)]
    pub last_error: Option<String>,
}

/// Certificates that need somebody: their names, and why. Those that are renewed in time need nobody.
pub fn in_need(room: &Room, now: OffsetDateTime) -> Vec<(String, String)> {
    const SOON: time::Duration = time::Duration::days(7);
    let all = all(room, None, now).unwrap_or_default();
    let why = |one: &Certificate| match (&one.last_error, &one.not_after) {
        (Some(error), _) => Some(error.clone()),
        (None, Some(end)) if crate::base::clock::moment(end).is_some_and(|end| end - now < SOON) => {
            Some(format!("it ends at {end}"))
        }
        _ => None,
    };
    all.iter().filter_map(|one| Some((one.names.join(", "), why(one)?))).collect()
}

impl Certificate {
    /// By which a list of them is sorted.
    pub fn key(&self) -> String {
        format!("{} {}", self.id.as_deref().unwrap_or_default(), self.names.join(" "))
    }

    /// When it ends; empty while there is none yet.
    pub fn ends(&self) -> &str {
        self.not_after.as_deref().unwrap_or_default()
    }

    pub fn is_for(&self, name: &str) -> bool {
        self.names.iter().any(|one| one == name)
    }

    pub fn is_valid(&self) -> bool {
        self.valid
    }

    fn of(row: &Row, now: OffsetDateTime) -> Certificate {
        let held = row.held.as_ref();
        let fault = row.state.as_ref().and_then(|state| state.fault.as_ref());
        Certificate {
            id: Some(row.id.clone()),
            names: row.names.clone(),
            issuer: held.map(|held| held.issuer.clone()),
            source: held.map(|held| match &held.source {
                Source::Acme(directory) => directory.clone(),
                Source::Imported => "imported".to_owned(),
            }),
            public: held.is_some_and(|held| held.public),
            not_before: held.map(|held| rfc3339(held.not_before)),
            not_after: held.map(|held| rfc3339(held.not_after)),
            valid: held.is_some_and(|held| held.is_valid(now)),
            served: (!matches!(row.served, Served::Unasked)).then(|| row.served.words(now)),
            next: row.next.map(|next| rfc3339(next.at)),
            why: row.next.map(|next| next.why.words().to_string()),
            last_error: fault.map(|fault| words::sentence(fault, &row.ca, &row.names, row.next).title),
        }
    }

    fn beside((hosts, leaf): &(Vec<&str>, &Leaf), now: OffsetDateTime) -> Certificate {
        Certificate {
            id: None,
            names: hosts.iter().map(|host| (*host).to_owned()).collect(),
            issuer: Some(leaf.issuer.clone()),
            source: None,
            public: false,
            not_before: None,
            not_after: Some(rfc3339(leaf.not_after)),
            valid: leaf.not_after > now,
            served: Some("yes".to_owned()),
            next: None,
            why: None,
            last_error: None,
        }
    }
}

/// All certificates. `shown`: what the routed hosts show over TLS; `None`: the home has no front door.
pub fn all(room: &Room, shown: Option<&[Shown]>, now: OffsetDateTime) -> Result<Vec<Certificate>, Diagnostic> {
    let (rows, held, _) = rows(room, shown, now)?;
    let besides = shown::besides(&held, shown.unwrap_or_default(), now);
    let own = rows.iter().map(|row| Certificate::of(row, now));
    Ok(own.chain(besides.iter().map(|one| Certificate::beside(one, now))).collect())
}

type Rows = (Vec<Row>, Vec<Held>, Vec<Diagnostic>);

/// What Hearth keeps, and what of it cannot be read.
fn rows(room: &Room, shown: Option<&[Shown]>, now: OffsetDateTime) -> Result<Rows, Diagnostic> {
    let mut rows = Vec::new();
    let (held, wrong) = room.store.list()?;
    for id in room.store.ids()? {
        let state = room.store.meta(&id)?.state;
        let all = &held;
        let held = all.iter().find(|one| one.id == id).cloned();
        let served = held.as_ref().map_or(Served::Nowhere, |one| shown::served(one, all, shown, now));
        let names = held.as_ref().map(|one| one.names.clone()).or(state.as_ref().map(|state| state.want.names.clone()));
        let Some(names) = names else { continue };
        let next = state.as_ref().and_then(|state| state.next_order(&room.policy(), now));
        let directory = state.as_ref().and_then(|state| state.fault.as_ref()).map(|fault| fault.directory.clone());
        let known = |directory: &String| room.settings.authorities.iter().find(|ca| ca.directory == *directory);
        let ca = directory.map_or(String::new(), |d| known(&d).map_or(d.clone(), |ca| ca.name.clone()));
        rows.push(Row { id, names, held, state, next, ca, served });
    }
    Ok((rows, held, wrong))
}

/// `shown`: what the routed hosts show over TLS; `None`: the home has no front door.
pub fn run(room: &Room, shown: Option<&[Shown]>, out: &Out) -> Done {
    let now = SystemClock.now();
    let (rows, held, wrong) = rows(room, shown, now)?;
    wrong.iter().for_each(|told| out.diagnostic(told, &Sources::default()));
    let besides = shown::besides(&held, shown.unwrap_or_default(), now);
    if out.json {
        let rows = rows.iter().map(|row| to_json(row, now));
        out.value(&Value::Array(rows.chain(besides.iter().map(beside_json)).collect()));
        return Ok(());
    }
    if rows.is_empty() && besides.is_empty() {
        out.say("there are no certificates but those of the local CA; certificates: {issuer: acme} in hearth.yaml orders them");
        return Ok(());
    }
    let header = ["ID", "NAMES", "ISSUER", "SERVED", "EXPIRES", "NEXT"];
    let own = rows.iter().map(|row| cells(row, now, out));
    let cells: Vec<Vec<String>> = own.chain(besides.iter().map(|one| beside(one, now))).collect();
    out.text(&table::fitting(&header, &cells, out.terminal));
    if rows.iter().any(|row| row.served.is_wrong()) {
        out.say("what is stored is not what is served: hearth up gives it to Traefik; where that changes nothing: hearth doctor");
    }
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

/// The day; the minute too, where it is near. JSON has all of it.
fn day(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let whole = rfc3339(at);
    match (at - now).whole_hours() {
        ..48 => whole.get(..16).map_or(whole.clone(), |text| format!("{} UTC", text.replace('T', " "))),
        _ => at.date().to_string(),
    }
}

fn cells(row: &Row, now: OffsetDateTime, out: &Out) -> Vec<String> {
    let expires = match &row.held {
        None => out.paint(Tone::Warn, "none yet"),
        Some(held) if held.not_after <= now => out.paint(Tone::Bad, &format!("expired on {}", held.not_after.date())),
        Some(held) => format!("in {} ({})", span(held.not_after - now), held.not_after.date()),
    };
    let next = match (&row.held, &row.state, row.next) {
        (Some(Held { source: Source::Imported, .. }), ..) => "bring the next one by hand".to_owned(),
        (_, Some(state), None) if state.order.is_some() => "it is being ordered".to_owned(),
        (_, Some(_), None) => out.paint(Tone::Bad, "stopped: see below"),
        (_, Some(_), Some(next)) if next.at <= now => format!("now, because {}", next.why.words()),
        (_, Some(_), Some(next)) => format!("{}, because {}", day(next.at, now), next.why.words()),
        (_, None, _) => "-".to_owned(),
    };
    let issuer = row.held.as_ref().map_or("-".to_owned(), |held| visible(&held.issuer));
    let served = match row.held {
        None => "-".to_owned(),
        Some(_) if row.served.is_wrong() => out.paint(Tone::Bad, &visible(&row.served.words(now))),
        Some(_) => visible(&row.served.words(now)),
    };
    vec![row.id.clone(), visible(&row.names.join(" ")), issuer, served, expires, next]
}

/// One that is served and not stored; whose it is stands in its issuer.
fn beside((hosts, leaf): &(Vec<&str>, &Leaf), now: OffsetDateTime) -> Vec<String> {
    let expires = format!("{} ({})", leaf.left(now), leaf.not_after.date());
    let next = "by itself, where it is of this home's own CA".to_owned();
    vec!["-".to_owned(), hosts.join(" "), visible(&leaf.issuer), "yes".to_owned(), expires, next]
}

fn beside_json((hosts, leaf): &(Vec<&str>, &Leaf)) -> Value {
    json!({
        "id": null,
        "names": hosts,
        "issuer": leaf.issuer,
        "not_after": rfc3339(leaf.not_after),
        "served": {"as_stored": false, "host": hosts.first(), "fingerprint": leaf.fingerprint, "not_after": rfc3339(leaf.not_after)},
    })
}

fn served_json(row: &Row, now: OffsetDateTime) -> Value {
    let words = row.served.words(now);
    match &row.served {
        Served::Unasked => Value::Null,
        Served::Nowhere => json!({"as_stored": false, "words": words}),
        Served::Yes(_) => json!({
            "as_stored": true,
            "words": words,
            "fingerprint": row.held.as_ref().map(|held| &held.fingerprint),
            "not_after": row.held.as_ref().map(|held| rfc3339(held.not_after)),
        }),
        Served::Other(host, leaf) => json!({
            "as_stored": false,
            "words": words,
            "host": host,
            "fingerprint": leaf.fingerprint,
            "not_after": rfc3339(leaf.not_after),
        }),
        Served::Silent(host, _) => json!({"as_stored": false, "words": words, "host": host}),
    }
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
        "served": served_json(row, now),
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
