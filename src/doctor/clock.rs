//! The clock of this machine against others, and whether something keeps it right. Certificates are valid from one hour to another, so a
//! clock that is far off breaks every one of them.

use std::path::Path;

use time::{Duration, OffsetDateTime};

use super::finding::{About, Finding};
use crate::base::clock::rfc3339;
use crate::base::wording;

/// What an honest answer may be off by: headers have whole seconds, and an answer takes its way.
const FINE: Duration = Duration::seconds(5);
/// From here on logins with a code of the minute fail, and soon certificates.
const FAR: Duration = Duration::minutes(5);
/// Authorities and this home's own CA date certificates a little back.
const BORN: Duration = Duration::hours(1);

/// What a clock is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// `Let's Encrypt`, `the engine`.
    pub whose: String,
    /// What it says less what ours says.
    pub ahead: Duration,
}

/// Everything that says something about the clock.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub others: Vec<Other>,
    /// The youngest thing of this home that bears a date, and that date: it cannot lie in the future.
    pub youngest: Option<(String, OffsetDateTime)>,
    /// The program that keeps the clock right; `None`: none is seen.
    pub keeper: Option<&'static str>,
}

/// The findings, one at least.
pub fn judge(facts: &Facts, now: OffsetDateTime) -> Vec<Finding> {
    let mut all = Vec::new();
    let worst = facts.others.iter().max_by_key(|other| other.ahead.abs());
    if let Some(other) = worst.filter(|other| other.ahead.abs() > FINE) {
        let side = if other.ahead.is_positive() { "behind" } else { "ahead of" };
        let words = format!("the clock of this machine is {} {side} that of {}", far(other.ahead.abs()), other.whose);
        let found = match other.ahead.abs() > FAR {
            true => Finding::problem(About::Clock, "clock-off", words),
            false => Finding::warning(About::Clock, "clock-off", words),
        };
        all.push(set(found));
    }
    if let Some((what, born)) = facts.youngest.as_ref().filter(|(_, born)| *born > now + BORN) {
        let words =
            format!("the clock of this machine says {}, and {what} was made on {}", rfc3339(now), rfc3339(*born));
        all.push(set(Finding::problem(About::Clock, "clock-back", words)));
    }
    if all.is_empty() {
        let words = match (&facts.others[..], facts.keeper) {
            ([], _) => format!("the clock of this machine says {}; nothing is here to compare it with", rfc3339(now)),
            (others, _) => {
                let whose: Vec<&str> = others.iter().map(|other| other.whose.as_str()).collect();
                format!("the clock of this machine agrees with that of {}", wording::list(&whose))
            }
        };
        all.push(Finding::ok(About::Clock, "clock", words));
    }
    match facts.keeper {
        Some(keeper) => all.push(Finding::ok(About::Clock, "clock-kept", format!("{keeper} keeps it right"))),
        None => all.push(
            Finding::note(About::Clock, "clock-kept", "no program is seen that keeps the clock right (NTP)")
                .fix("on a machine of its own: sudo timedatectl set-ntp true; a container or virtual machine gets it from its host"),
        ),
    }
    all
}

fn set(found: Finding) -> Finding {
    found
        .fix("set it, and keep it right: sudo timedatectl set-ntp true")
        .fix("where that is not there: sudo apt install chrony")
}

/// `8 seconds`, `3 hours`, `1 year`.
fn far(time: Duration) -> String {
    let seconds = time.whole_seconds();
    let (n, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        // Whoever mistakes a year is a day off at most.
        172_800..=31_449_599 => (seconds / 86_400, "day"),
        _ => ((seconds + 86_400) / 31_536_000, "year"),
    };
    wording::count(usize::try_from(n).unwrap_or(usize::MAX), unit)
}

/// Programs that keep a clock, by the name of their process.
const KEEPERS: [(&str, &str); 6] = [
    ("systemd-timesyn", "systemd-timesyncd"),
    ("chronyd", "chrony"),
    ("ntpd", "ntpd"),
    ("openntpd", "OpenNTPD"),
    ("ntpsec", "NTPsec"),
    ("vmtoolsd", "VMware Tools"),
];

/// The program that keeps this machine's clock, by the processes that run.
pub fn keeper() -> Option<&'static str> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|p| std::fs::read_to_string(Path::new(&p.path()).join("comm")).ok());
    names.into_iter().find_map(|name| KEEPERS.iter().find(|(comm, _)| *comm == name.trim()).map(|(_, words)| *words))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Grade;
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-26 09:00 UTC);

    fn off(ahead: Duration) -> Finding {
        let others = vec![
            Other { whose: "Let's Encrypt".into(), ahead },
            Other { whose: "the engine".into(), ahead: Duration::ZERO },
        ];
        judge(&Facts { others, keeper: Some("chrony"), ..Facts::default() }, NOW).remove(0)
    }

    #[test]
    fn how_far_and_whose_clock_is_said() {
        for (ahead, grade, words) in [
            (Duration::seconds(2), Grade::Ok, "agrees with that of Let's Encrypt and the engine"),
            (Duration::seconds(-2), Grade::Ok, "agrees"),
            (Duration::seconds(40), Grade::Warning, "is 40 seconds behind that of Let's Encrypt"),
            (Duration::hours(-3), Grade::Problem, "is 3 hours ahead of that of Let's Encrypt"),
            (Duration::days(365), Grade::Problem, "is 1 year behind"),
            (Duration::days(-366), Grade::Problem, "is 1 year ahead"),
            (Duration::days(731), Grade::Problem, "is 2 years behind"),
        ] {
            let found = off(ahead);
            assert!(found.grade == grade && found.words.contains(words), "{ahead}: {found:?}");
        }
    }

    #[test]
    fn what_was_made_in_the_future_tells_a_clock_that_went_back() {
        let youngest = Some(("the certificate for a.example".to_string(), NOW + Duration::days(300)));
        let found = judge(&Facts { youngest, ..Facts::default() }, NOW);
        assert_eq!((found[0].check, found[0].grade), ("clock-back", Grade::Problem));
        assert!(found[0].words.contains("the certificate for a.example was made on 2027-09-22"), "{found:?}");
        let fine = judge(&Facts { youngest: Some(("it".into(), NOW)), ..Facts::default() }, NOW);
        assert_eq!((fine[0].grade, fine[1].grade), (Grade::Ok, Grade::Note));
    }
}
