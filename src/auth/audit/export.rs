//! Entries for other programs: JSON lines and CSV (RFC 4180).

use super::Entry;

/// The first line of the CSV.
pub const HEADER: &str = "seq,time,kind,who,user,from,action,object,outcome,ms,request,detail,hash\r\n";

/// One line of JSON.
pub fn json_line(entry: &Entry) -> String {
    format!("{}\n", entry.json())
}

/// One line of CSV.
pub fn csv_line(entry: &Entry) -> String {
    let user = entry.user_id.map(|id| id.to_string()).unwrap_or_default();
    let fields = [
        &entry.seq.to_string(),
        &entry.time(),
        &entry.kind,
        &entry.who,
        &user,
        &entry.source,
        &entry.action,
        &entry.object,
        &entry.outcome,
        &entry.took.to_string(),
        &entry.request,
        &entry.detail,
        &entry.hash,
    ];
    format!("{}\r\n", fields.map(|field| csv_field(field)).join(","))
}

/// In quotes where it has to be. A program for tables would take a text that begins like a formula for one and run it (OWASP, CSV injection): such a text
/// gets an apostrophe before it.
fn csv_field(text: &str) -> String {
    // Also behind blanks, which such programs pass over, and in the wide forms that some of them know.
    let begins = text.trim_start().chars().next();
    let formula = begins.is_some_and(|c| "=+-@|%＝＋－＠".contains(c)) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    match formula || text.contains([',', '"', '\n', '\r', ';']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}
