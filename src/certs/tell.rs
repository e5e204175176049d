//! What the renewal machine notes, in sentences.

use time::Duration;

use super::acme::words;
use super::renewal::{Next, Note};
use crate::base::clock::rfc3339;
use crate::base::wording;
use crate::diag::{Diagnostic, Kind};

/// `ca` is what people call the authority of a directory.
pub fn note(note: &Note, names: &[String], next: Option<Next>, ca: &dyn Fn(&str) -> String) -> Diagnostic {
    let first = names.first().map_or("", String::as_str);
    match note {
        Note::WindowMoved { chosen, explanation, .. } => {
            let title = format!(
                "the authority moved the renewal of the certificate for {first}: it is now on {}",
                rfc3339(*chosen)
            );
            let told = Diagnostic::warning("certs.moved", title).hint("nothing has to be done: Hearth follows it");
            match explanation {
                Some(url) => told.hint(format!("the authority explains it at {url}")),
                None => told,
            }
        }
        Note::Alarm { left, fault } => {
            let told = words::sentence(fault, &ca(&fault.directory), names, next);
            let title = match left {
                None => format!("there is still no certificate for {first}: {}", told.title),
                Some(left) if left.is_negative() => format!("the certificate for {first} has expired: {}", told.title),
                Some(left) => format!("the certificate for {first} expires in {}: {}", span(*left), told.title),
            };
            Diagnostic { code: "certs.alarm", title, ..told }
        }
        Note::Stopped { fault } | Note::Action { fault, .. } => {
            words::sentence(fault, &ca(&fault.directory), names, next)
        }
        Note::StepsIn { directory } => {
            let title = format!(
                "{} is asked for the certificate for {first}, because the first authority fails",
                ca(directory)
            );
            Diagnostic::warning("certs.second", title)
                .hint("nothing has to be done: the first is asked again for the next one")
        }
        Note::TimeWrong { not_before, not_after } => {
            let (from, until) = (rfc3339(*not_before), rfc3339(*not_after));
            Diagnostic::error("certs.clock-wrong", format!("the new certificate for {first} is valid from {from} to {until}, and this machine says that is not now"))
                .kind(Kind::Failed)
                .hint("set the clock of this machine, and keep it right with NTP")
        }
    }
}

/// `3 days`, `5 hours`, `12 minutes`.
pub fn span(time: Duration) -> String {
    let seconds = time.whole_seconds().max(0);
    let (n, unit) = match seconds {
        0..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    wording::count(n as usize, unit)
}
