//! `hearth audit`: who did what, and whether the log is whole.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::args::{Audit, AuditFilter, AuditFormat, AuditVerb};
use crate::auth::audit::entry::{Entry, milliseconds};
use crate::auth::audit::filter::Words;
use crate::auth::audit::verify::noted as noted_line;
use crate::auth::audit::{Author, Filter, Log, Note, Outcome, Sound, export, verify};
use crate::base::clock::{self, Clock, SystemClock};
use crate::cli::table::table;
use crate::cli::{Done, Out, Tone, start};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Kind};
use crate::store::{Db, Location};

pub fn run(args: Audit, location: Location, out: &Out) -> Done {
    let json = match &args.verb {
        Some(AuditVerb::Verify { json, .. }) => json.json,
        Some(AuditVerb::Export { .. }) => false,
        None => args.json.json,
    };
    let out = &out.clone().json(json);
    start(async {
        let Some(db) = Db::look(location).await? else {
            out.say("nothing was entered here yet");
            return Ok(());
        };
        let log = Log::new(db.clone(), Arc::new(SystemClock));
        let done = match args.verb {
            None => list(&log, &args.filter, args.before, args.limit, out).await,
            Some(AuditVerb::Verify { noted, .. }) => check(&db, noted.as_deref(), out).await,
            Some(AuditVerb::Export { format, filter }) => write(&log, format, &filter, out).await,
        };
        db.close().await;
        done
    })
}

/// What the flags mean.
fn wanted(args: &AuditFilter) -> Result<Filter, Diagnostic> {
    let AuditFilter { kind, who, user, from, action, object, outcome, request, since, until, longer, search, service } =
        args.clone();
    let (user, who) = account(user, who);
    let words =
        Words { kind, who, user, from, action, object, outcome, request, since, until, longer, search, service };
    words.read(milliseconds(SystemClock.now()))
}

/// `--user` takes a number or a name: numbers are what the log keeps of an account, names what a person knows.
fn account(user: Option<String>, who: Option<String>) -> (Option<i64>, Option<String>) {
    match user.as_deref().map(str::parse) {
        None => (None, who),
        Some(Ok(number)) => (Some(number), who),
        Some(Err(_)) => (None, user),
    }
}

async fn list(log: &Log, args: &AuditFilter, before: Option<i64>, limit: u16, out: &Out) -> Done {
    if limit == 0 {
        let d = Diagnostic::error("audit.bad-filter", "with `--limit 0` there is nothing to show");
        return Err(d.field("--limit").hint("write 1 or more, or leave it out for the newest 30").into());
    }
    let limit = usize::from(limit);
    let mut found = log.list(&wanted(args)?, before, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    if out.json {
        out.value(&Value::Array(found.iter().map(Entry::json).collect()));
        return Ok(());
    }
    if found.is_empty() {
        out.say("no entry fits");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = found.iter().map(|entry| row(entry, out)).collect();
    out.text(&table(&["NUMBER", "WHEN", "WHO", "FROM", "ACTION", "OUTCOME", "TOOK", "ON"], &rows));
    if let Some(last) = found.last().filter(|_| more) {
        out.say(format!("there are more: --before {}", last.seq));
    }
    Ok(())
}

fn row(entry: &Entry, out: &Out) -> Vec<String> {
    let when = clock::parse(&entry.time()).map_or_else(|| entry.time(), |at| clock::ago(at, SystemClock.now()));
    let who = match entry.kind.as_str() {
        "system" | "nobody" => format!("({})", entry.kind),
        "terminal" => entry.who.split(" (").next().unwrap_or_default().to_owned(),
        "token" => format!("{} (token)", entry.who),
        _ => entry.who.clone(),
    };
    let tone = match entry.outcome.as_str() {
        "done" => Tone::Good,
        "begun" => Tone::Dim,
        "refused" => Tone::Warn,
        _ => Tone::Bad,
    };
    let [who, source, action, object] = [&who, &entry.source, &entry.action, &entry.object].map(|text| visible(text));
    let (outcome, took) = (out.paint(tone, &entry.outcome), format!("{} ms", entry.took));
    vec![entry.seq.to_string(), when, who, source, action, outcome, took, object]
}

async fn check(db: &Db, noted: Option<&str>, out: &Out) -> Done {
    let noted = noted.map(noted_line).transpose()?;
    match verify(db, noted).await? {
        Ok(sound) if out.json => {
            let noted = noted.map(|(seq, _)| sound.has(seq));
            let Sound { first, last, hash } = sound;
            out.value(&json!({"sound": true, "first": first, "last": last, "hash": hash, "noted": noted}));
            Ok(())
        }
        Ok(sound) if sound.last < sound.first => {
            out.line("no entry, and none is missing");
            Ok(())
        }
        Ok(sound) => {
            out.line(format!("every entry from {} to {} is as it was written", sound.first, sound.last));
            match noted {
                Some((seq, _)) if sound.has(seq) => {
                    out.line(format!("the noted one, {seq}, has the hash that was noted"))
                }
                Some((seq, _)) => {
                    out.line(format!("the noted one, {seq}, was cut off with what is old: nothing can be said of it"))
                }
                None => {}
            }
            out.line(format!("the last one: {}:{}", sound.last, sound.hash));
            out.say("note that line somewhere else: `hearth audit verify --noted` shows later that it still holds");
            Ok(())
        }
        Err(broken) => Err(Diagnostic::error("audit.broken", format!("the audit log was changed: {broken}"))
            .kind(Kind::Conflict)
            .hint("what comes before is as it was written, what comes after proves nothing any more")
            .hint("keep the database as it is, and look who can write to it; copies may still hold what was there")
            .into()),
    }
}

async fn write(log: &Log, format: AuditFormat, args: &AuditFilter, out: &Out) -> Done {
    let filter = wanted(args)?;
    let line = match format {
        AuditFormat::Csv => {
            out.text(export::HEADER);
            export::csv_line
        }
        AuditFormat::Jsonl => export::json_line,
    };
    log.each(&filter, |entry| {
        out.text(&line(entry));
        Ok(())
    })
    .await?;
    Ok(())
}

/// An act of the command line that was done in a home, or refused.
pub struct Typed {
    /// Who and where, in words.
    pub who: String,
    /// The command's name.
    pub command: &'static str,
    /// The whole line, without secrets.
    pub line: String,
    pub code: u8,
    pub took: Duration,
}

/// Enters it.
pub fn enter(typed: Typed, location: Location) -> Result<(), Diagnostic> {
    let note = Note {
        at: SystemClock.now(),
        who: Author::Terminal(typed.who),
        source: "terminal".into(),
        action: format!("hearth {}", typed.command),
        object: typed.line,
        outcome: match typed.code {
            0 => Outcome::Done,
            4 => Outcome::Refused,
            _ => Outcome::Failed,
        },
        took: typed.took,
        request: String::new(),
        detail: if typed.code == 0 { Value::Null } else { json!({"exit": typed.code}) },
    };
    let mut told = Ok(());
    let _ = start(async {
        let db = Db::at(location);
        told = Log::new(db.clone(), Arc::new(SystemClock)).add(note).await;
        db.close().await;
        Ok(())
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_its_number_or_its_name() {
        let of = |user: &str| account(Some(user.into()), None);
        assert_eq!(of("12"), (Some(12), None));
        assert_eq!(of("sam"), (None, Some("sam".into())));
        assert_eq!(account(None, Some("sam*".into())), (None, Some("sam*".into())));
    }
}
