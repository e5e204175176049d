//! Samples of works.

use super::*;
use crate::panel::work;

fn work(end: &str) -> work::Page {
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

/// By name.
pub fn all() -> Vec<Sample> {
    vec![
        sample("work", &work("running")),
        sample("work-failed", &work("failed")),
        sample("works", &work::List { shell: shell(Role::Viewer), all: Vec::new() }),
    ]
}
