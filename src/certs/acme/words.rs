//! What authorities say, in plain words: from an ACME problem to a fault, and from a fault to a sentence.

use instant_acme::{Error, Problem};
use time::OffsetDateTime;

use super::http::Seen;
use crate::base::clock::rfc3339;
use crate::base::wording;
use crate::certs::renewal::{Fault, FaultKind, Next};
use crate::diag::{Diagnostic, Kind};

use FaultKind::{Action, Busy, NoAccount, Passing, Refused, Validation};

const PREFIX: &str = "urn:ietf:params:acme:error:";

/// Each problem: what it means for the next try, what happened (behind the authority's name; `NAMES` stands for the names), and what helps.
const PROBLEMS: &[(&str, FaultKind, &str, &str)] = &[
    (
        "rateLimited",
        Busy,
        "allows no more certificates for NAMES for now: one of its limits is reached",
        "nothing has to be done: the next try is when the limit allows it",
    ),
    ("busy", Busy, "is too busy, or being repaired", "nothing has to be done: it is asked again when it said so"),
    ("badNonce", Passing, "lost the thread of the conversation again and again", "nothing has to be done: this passes"),
    (
        "serverInternal",
        Passing,
        "has trouble of its own",
        "nothing has to be done: this passes; its status page tells more",
    ),
    (
        "network",
        Passing,
        "cannot be reached",
        "check that this machine has a way to the internet; else nothing has to be done",
    ),
    (
        "garbage",
        Passing,
        "gave an answer that makes no sense",
        "check the URL of its directory in hearth.yaml; else nothing has to be done",
    ),
    ("timeout", Passing, "did not come to an end in time", "nothing has to be done: the order is gone on with"),
    ("ours", Passing, "was not asked, because something here does not work", "the reason is said with it"),
    (
        "clock",
        Passing,
        "was not asked, because its clock and that of this machine do not agree",
        "set the clock of this machine, and keep it right with NTP; until then the certificates that are there are kept",
    ),
    ("alreadyReplaced", Passing, "says that the certificate was replaced already", "nothing has to be done"),
    ("orderNotReady", Passing, "was asked for the certificate too early", "nothing has to be done"),
    (
        "connection",
        Validation,
        "could not connect to check NAMES",
        "port 80 of each name must lead to this machine from the internet, over IPv6 too where the name has an AAAA record; where the provider blocks it, set challenge: dns-01, or issuer: local for the home's own CA",
    ),
    (
        "dns",
        Validation,
        "could not look up what it needs to check NAMES",
        "check the records of the name at its DNS provider; with dns-01 the TXT record must be visible on all name servers",
    ),
    (
        "unauthorized",
        Validation,
        "found another answer than it expected when it checked NAMES",
        "something else answers for the name: check where its A and AAAA records lead, and that no other proxy is before Traefik",
    ),
    (
        "incorrectResponse",
        Validation,
        "found another answer than it expected when it checked NAMES",
        "check where the A and AAAA records of the name lead",
    ),
    (
        "tls",
        Validation,
        "met a broken TLS connection when it checked NAMES",
        "check what answers on port 443 of the name",
    ),
    (
        "caa",
        Validation,
        "may not issue for NAMES: a CAA record forbids it",
        "add the authority to the CAA records of the name, or remove them",
    ),
    (
        "dnsProvider",
        Validation,
        "was not asked, because the TXT record could not be set",
        "check the credentials under certificates: {dns: ...}, and what they are allowed to change",
    ),
    (
        "propagation",
        Validation,
        "was not asked, because the TXT record is not visible on all name servers",
        "some providers are slow: set dns: {timeout: 15m}; else check the zone at its provider",
    ),
    (
        "closed",
        Passing,
        "was not asked to check NAMES, because it would find the challenge not answered",
        "hearth doctor says what is in the way of port 80; where it cannot be opened to the internet, set challenge: dns-01, or issuer: local",
    ),
    ("manual", Passing, "waits for a TXT record that a person has to set", "hearth certs shows it"),
    (
        "noChallenge",
        Refused,
        "does not offer the chosen challenge for NAMES",
        "a wildcard needs challenge: dns-01, and an address needs http-01",
    ),
    (
        "rejectedIdentifier",
        Refused,
        "will not issue for NAMES",
        "it keeps a list of names that it refuses; take another name, or another authority",
    ),
    (
        "unsupportedIdentifier",
        Refused,
        "does not issue for this kind of name",
        "an address needs a profile that allows it (shortlived at Let's Encrypt)",
    ),
    (
        "malformed",
        Refused,
        "did not understand the order for NAMES",
        "check the names of the routes, and DOMAIN in .env",
    ),
    ("badCSR", Refused, "refused the request for NAMES", "check the names, and the profile under certificates:"),
    ("badPublicKey", Refused, "refused the kind of key", "leave the kind of key at its default"),
    ("invalidProfile", Refused, "does not have this profile, or not for NAMES", "check profile: under certificates:"),
    ("invalidContact", Refused, "refused the e-mail address", "correct email: under certificates:, or leave it out"),
    (
        "unsupportedContact",
        Refused,
        "refused the e-mail address",
        "correct email: under certificates:, or leave it out",
    ),
    (
        "externalAccountRequired",
        Refused,
        "wants an account that was made on its website",
        "put its key id and key under certificates: {eab: {kid: ..., hmac: ${VARIABLE}}}",
    ),
    (
        "userActionRequired",
        Action,
        "wants a person to do something on its website first",
        "visit the page that it names",
    ),
    (
        "accountDoesNotExist",
        NoAccount,
        "does not know this home's account any more",
        "nothing has to be done: a new account is made",
    ),
];

fn row(problem: &str) -> Option<&'static (&'static str, FaultKind, &'static str, &'static str)> {
    PROBLEMS.iter().find(|(name, ..)| *name == problem)
}

/// Where an order stood when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Account and order: `unauthorized` is about the account.
    Order,
    /// The names are checked.
    Validation,
    /// The certificate is made.
    Finish,
}

/// Makes faults for one order.
pub struct Faults<'a> {
    pub directory: &'a str,
    pub rehearsal: bool,
    pub now: OffsetDateTime,
}

impl Faults<'_> {
    /// One of ours.
    pub fn own(&self, problem: &str, detail: impl Into<String>) -> Fault {
        let kind = row(problem).map_or(Passing, |row| row.1);
        Fault {
            kind,
            problem: problem.to_owned(),
            detail: safe(&detail.into()),
            when: self.now,
            directory: self.directory.to_owned(),
            rehearsal: self.rehearsal,
            retry_after: None,
            link: None,
        }
    }

    pub fn of_diagnostic(&self, told: &Diagnostic) -> Fault {
        self.own("ours", told.title.clone())
    }

    /// What the library gave, with what the last answer said beside it.
    pub fn of(&self, error: &Error, seen: &Seen, phase: Phase) -> Fault {
        let fault = match error {
            Error::Api(problem) => self.problem(problem, seen, phase),
            Error::Timeout(_) => self.own("timeout", ""),
            Error::Json(_) if matches!(seen.status, Some(429 | 503)) => self.own("busy", ""),
            Error::Json(_) if seen.status.is_some_and(|s| s >= 500) => self.own("serverInternal", ""),
            Error::Json(_) | Error::Str(_) | Error::InvalidUri(_) | Error::Http(_) => {
                self.own("garbage", seen.status.map(|s| format!("status {s}")).unwrap_or_default())
            }
            Error::Other(inner) if inner.is::<super::http::Trouble>() => self.own("network", inner.to_string()),
            Error::Other(inner) => self.own("garbage", inner.to_string()),
            other => self.own("ours", other.to_string()),
        };
        let retry_after = fault.retry_after.or(seen.retry_after).or_else(|| in_detail(&fault.detail));
        Fault { retry_after: retry_after.filter(|at| *at > self.now), ..fault }
    }

    pub fn problem(&self, problem: &Problem, seen: &Seen, phase: Phase) -> Fault {
        // Several names failed: the first that says why tells the most.
        let of = |t: &Option<String>| t.as_deref().map(|t| t.strip_prefix(PREFIX).unwrap_or(t).to_owned());
        let mut name = of(&problem.r#type).unwrap_or_default();
        let mut detail = problem.detail.clone().unwrap_or_default();
        if name == "compound"
            && let Some(first) = problem.subproblems.first()
        {
            name = of(&first.r#type).unwrap_or(name);
            detail = first.detail.clone().unwrap_or(detail);
        }
        let status = problem.status.or(seen.status);
        let name = match (name.as_str(), phase) {
            ("unauthorized", Phase::Order) => "accountDoesNotExist".to_owned(),
            (known, _) if row(known).is_some() => name,
            _ if matches!(status, Some(429 | 503)) => "busy".to_owned(),
            _ if status.is_some_and(|s| s >= 500) => "serverInternal".to_owned(),
            _ if phase == Phase::Validation => "unauthorized".to_owned(),
            _ => "garbage".to_owned(),
        };
        let mut fault = self.own(&name, detail);
        if fault.kind == Passing && matches!(status, Some(429 | 503)) {
            fault.kind = Busy;
        }
        fault.link = seen.link.clone().filter(|_| fault.kind == Action).or_else(|| in_words(&fault));
        fault
    }
}

/// A link in the words of an authority that wants a person.
fn in_words(fault: &Fault) -> Option<String> {
    let word = fault.detail.split_whitespace().find(|word| word.starts_with("https://"))?;
    (fault.kind == Action).then(|| word.trim_end_matches(['.', ',', ')', '"']).to_owned())
}

/// `... retry after 2026-11-27 10:00:00 UTC: see ...`, as Let's Encrypt writes.
fn in_detail(detail: &str) -> Option<OffsetDateTime> {
    let at = detail.split_once("retry after ")?.1;
    let text = at.get(..19)?.replacen(' ', "T", 1);
    OffsetDateTime::parse(&format!("{text}Z"), &time::format_description::well_known::Rfc3339).ok()
}

/// An authority's words without what could move a cursor, and not too many of them.
fn safe(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(400).collect::<String>().trim().to_owned()
}

/// Who issues, as people know it, by its directory or that of its staging.
pub type CaName<'a> = &'a str;

/// A fault as a sentence with the authority, the names, the cause and the next try.
pub fn sentence(fault: &Fault, ca: CaName<'_>, names: &[String], next: Option<Next>) -> Diagnostic {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = names.len().saturating_sub(shown.len());
    let mut shown = wording::list(&shown);
    if more > 0 {
        shown = format!("{shown} and {}", wording::count(more, "other name"));
    }
    let (what, help) = row(&fault.problem).map_or(("did not issue", ""), |row| (row.2, row.3));
    let where_ = if fault.rehearsal { format!("the staging environment of {ca}") } else { ca.to_owned() };
    let happened = match what.contains("NAMES") {
        true => what.replace("NAMES", &shown),
        false => format!("{what} (for {shown})"),
    };
    let detail = if fault.detail.is_empty() { String::new() } else { format!(": {}", fault.detail) };
    let told = Diagnostic::error("certs.not-issued", format!("{where_} {happened}{detail}")).kind(Kind::Failed);
    let told = if help.is_empty() { told } else { told.hint(help) };
    let told = match &fault.link {
        Some(link) => told.hint(format!("the page is {link}")),
        None => told,
    };
    match next {
        Some(next) => {
            told.hint(format!("the next try is at {}; the certificate that is there is kept", rfc3339(next.at)))
        }
        None if fault.kind == Refused => {
            told.hint("it is not tried again by itself: mend the cause, then run hearth certs renew")
        }
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::renewal::Reason;

    fn faults() -> Faults<'static> {
        Faults { directory: "https://ca/dir", rehearsal: false, now: time::macros::datetime!(2026-11-26 04:00 UTC) }
    }

    fn problem(name: &str, detail: &str) -> Problem {
        serde_json::from_value(serde_json::json!({"type": format!("{PREFIX}{name}"), "detail": detail, "status": 400}))
            .unwrap()
    }

    #[test]
    fn each_problem_is_said_with_authority_name_cause_and_next_try() {
        let names = ["a.example".to_owned(), "b.example".to_owned()];
        let next = Some(Next { at: faults().now + time::Duration::minutes(10), why: Reason::Missing });
        for (name, ..) in PROBLEMS {
            let fault = faults().problem(&problem(name, "some \u{1b}[2J detail"), &Seen::default(), Phase::Validation);
            let told = sentence(&fault, "Let's Encrypt", &names, next);
            let all = format!("{} {}", told.title, told.hints.join(" "));
            for part in ["Let's Encrypt", "a.example and b.example", "2026-11-26T04:10:00Z", "detail"] {
                assert!(all.contains(part), "{name}: no {part} in {all}");
            }
            assert!(!all.to_lowercase().contains("internal") && !all.contains('\u{1b}'), "{all}");
        }
    }

    #[test]
    fn what_is_no_known_problem_is_judged_by_its_status_and_phase() {
        let kind = |name: &str, status: u16, phase| {
            let seen = Seen { status: Some(status), ..Seen::default() };
            let mut problem = problem(name, "");
            problem.status = None;
            let fault = faults().problem(&problem, &seen, phase);
            (fault.kind, fault.problem)
        };
        assert_eq!(kind("x", 503, Phase::Order), (Busy, "busy".into()));
        assert_eq!(kind("serverInternal", 503, Phase::Order), (Busy, "serverInternal".into()));
        assert_eq!(kind("x", 500, Phase::Order), (Passing, "serverInternal".into()));
        assert_eq!(kind("x", 403, Phase::Validation), (Validation, "unauthorized".into()));
        assert_eq!(kind("unauthorized", 403, Phase::Order), (NoAccount, "accountDoesNotExist".into()));
    }

    #[test]
    fn when_to_come_back_is_found_in_header_or_words() {
        let limited =
            problem("rateLimited", "too many certificates, retry after 2026-11-26 10:20:30 UTC: see https://x");
        let fault = faults().of(&Error::Api(limited.clone()), &Seen::default(), Phase::Order);
        assert_eq!(fault.retry_after, Some(time::macros::datetime!(2026-11-26 10:20:30 UTC)));
        let at = faults().now + time::Duration::hours(2);
        let seen = Seen { retry_after: Some(at), ..Seen::default() };
        assert_eq!(faults().of(&Error::Api(limited), &seen, Phase::Order).retry_after, Some(at));
    }

    #[test]
    fn a_page_that_a_person_must_visit_is_found() {
        let wanted = problem("userActionRequired", "Terms of service have changed: see https://ca.example/terms.");
        let fault = faults().problem(&wanted, &Seen::default(), Phase::Order);
        assert_eq!(fault.link.as_deref(), Some("https://ca.example/terms"));
    }
}
