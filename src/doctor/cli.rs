//! The face of `hearth doctor`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::finding::{About, Finding, Grade, exit_code, unread};
use super::look::look;
use crate::args::{Global, Json};
use crate::base::clock::SystemClock;
use crate::base::wording;
use crate::cli::{Done, Failure, Out, Tone};
use crate::diag::text::visible;
use crate::stacks::cli as stacks;
use crate::stacks::home::Home;

pub fn run(global: &Global, args: Json, out: &Out) -> Done {
    let out = &out.clone().json(args.json);
    let mut findings = Vec::new();
    // With -f somebody looks at plain Compose: the machine is looked at all the same.
    let home = match global.files.is_empty().then(|| Home::find(global.home.as_deref(), &out.cwd)) {
        None => None,
        Some(Ok(home)) => home,
        // A home that is named and not there, or cannot be read, is the first thing to mend; the machine is looked at all the same.
        Some(Err(refused)) => {
            findings.push(unread(&refused));
            None
        }
    };
    if home.is_none() && findings.is_empty() {
        let words = "there is no home here: only the machine is looked at";
        findings.push(
            Finding::note(About::Home, "no-home", words).fix("go to a home, or name one: hearth --home DIR doctor"),
        );
    }
    let env = out.environment();
    stacks::start(async {
        findings.extend(look(home.as_ref(), &env, Arc::new(SystemClock)).await);
        match out.json {
            true => out.value(&to_json(&findings)),
            false => show(&findings, out),
        }
        match exit_code(&findings) {
            0 => Ok(()),
            code => Err(Failure::Code(code)),
        }
    })
}

fn tone(grade: Grade) -> Tone {
    match grade {
        Grade::Ok => Tone::Good,
        Grade::Note => Tone::Dim,
        Grade::Warning => Tone::Warn,
        Grade::Problem => Tone::Bad,
    }
}

/// Grouped by subject; fixes below their finding.
fn show(findings: &[Finding], out: &Out) {
    let mut about = None;
    for finding in findings {
        if about != Some(finding.about) {
            about = Some(finding.about);
            out.line(out.paint(Tone::Strong, &finding.about.to_string()));
        }
        let grade = out.paint(tone(finding.grade), &format!("{:<7}", finding.grade.to_string()));
        out.line(format!("  {grade}  {}", visible(&finding.words)));
        for fix in &finding.fix {
            out.line(format!("           - {}", visible(fix)));
        }
    }
    out.say(sum(findings));
}

/// `1 problem, 2 warnings`, or that all is well.
fn sum(findings: &[Finding]) -> String {
    let count = |grade: Grade, noun: &str| {
        let n = findings.iter().filter(|f| f.grade == grade).count();
        (n > 0).then(|| wording::count(n, noun))
    };
    let parts: Vec<String> =
        [count(Grade::Problem, "problem"), count(Grade::Warning, "warning")].into_iter().flatten().collect();
    match parts.is_empty() {
        true => "nothing is wrong that can be seen from here".into(),
        false => wording::list(&parts),
    }
}

fn to_json(findings: &[Finding]) -> Value {
    let one = |finding: &Finding| {
        json!({
            "about": finding.about.to_string().to_lowercase(),
            "check": finding.check,
            "grade": finding.grade.to_string(),
            "words": finding.words,
            "fix": finding.fix,
        })
    };
    let worst = findings.iter().map(|f| f.grade).max().unwrap_or(Grade::Ok);
    json!({"worst": worst.to_string(), "findings": findings.iter().map(one).collect::<Vec<_>>()})
}
