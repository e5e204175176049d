//! Samples of works.

use super::*;
use crate::panel::work;
use crate::stacks::json::history;

pub fn work(end: &str) -> work::Page {
    let step = |n: usize, state: &str, words: &str, more: &str, took: &str| work::Step {
        id: format!("step-1-{n}"),
        mark: Mark::work(state),
        words: words.into(),
        more: more.into(),
        took: took.into(),
    };
    let failed = end == "failed";
    work::Page {
        shell: shell(Role::Operator),
        head: work::Head {
            mark: Mark::work(end),
            heading: "Up media".into(),
            words: if failed {
                "Failed: 1 as before".into()
            } else {
                "Under way. It goes on when this page is closed.".into()
            },
            who: "ada (session)".into(),
            began: crate::panel::words::Moment::of(datetime!(2026-11-27 11:58 UTC), NOW),
            done: 2,
            of: 4,
            steps: "2 of 4 steps".into(),
            cancel: (!failed).then(|| "/works/0tk/cancel".into()),
        },
        steps: vec![
            step(1, "done", "Pull jellyfin/jellyfin:10.10", "212 MiB of 212 MiB", "41.2 s"),
            step(2, "done", "Create casa-jellyfin-1", "", "410 ms"),
            step(
                3,
                end,
                "Wait until casa-jellyfin-1 is healthy, at most 90 s",
                "curl: (7) Failed to connect to localhost port 8096",
                "",
            ),
            step(4, "interrupted", "Remove the old casa-jellyfin-1", "", ""),
        ],
        told: if failed { refused() } else { Vec::new() },
        command: "hearth up media".into(),
    }
}

fn line(kind: &str, command: &str) -> work::Line {
    work::Line {
        mark: Mark::work(kind),
        command: command.into(),
        path: "/works/0tk".into(),
        who: "ada (session)".into(),
        began: crate::panel::words::Moment::of(datetime!(2026-11-27 11:58 UTC), NOW),
        took: "41.2 s".into(),
    }
}

fn list(any: bool) -> work::List {
    let some = |all: Vec<work::Line>| if any { all } else { Vec::new() };
    work::List {
        shell: shell(Role::Viewer),
        works: some(vec![line("running", "up media"), line("failed", "update sonarr")]),
        before: some(vec![line("done", "mode domain"), line("interrupted", "up automation")]),
        told: if any { Vec::new() } else { refused() },
        more: any.then(|| "/works?after=0tk".into()),
    }
}

fn past(outcome: &str, hostile: &str) -> work::Past {
    let step = |words: &str, outcome: &str| history::Step {
        round: 1,
        step: 1 + words.len() as i64,
        words: format!("{words}{hostile}"),
        outcome: outcome.into(),
        detail: hostile.into(),
    };
    let run = history::Run {
        id: "0tk".into(),
        project: "casa".into(),
        began: "2026-11-26T09:00:00Z".into(),
        ended: (outcome != "killed").then(|| "2026-11-26T09:00:41Z".into()),
        who: format!("ada (terminal){hostile}"),
        command: format!("hearth up media{hostile}"),
        outcome: outcome.into(),
        summary: "1 created, 1 as before".into(),
    };
    let steps = vec![step("pull jellyfin/jellyfin:10.10", "done"), step("create casa-jellyfin-1", "skipped")];
    work::of_run(shell(Role::Viewer), history::WholeRun { run, plans: json!([]), steps }, NOW)
}

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("work", &work("running")),
        sample("work-failed", &work("failed")),
        sample("works", &list(true)),
        sample("works-empty", &list(false)),
        sample("works-past", &past("done", "")),
        sample("works-hostile", &past("killed", HOSTILE)),
    ]
}
