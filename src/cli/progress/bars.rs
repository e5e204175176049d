//! Bars on a terminal: one line for each running step, one for each layer of a pull, and one for the whole.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{waits, words};
use crate::diag::text::visible;
use crate::engine::Progress as Said;
use crate::plan::{Step, StepId};

pub(super) struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    lines: Mutex<BTreeMap<StepId, Line>>,
}

struct Line {
    bar: ProgressBar,
    words: String,
    waits: bool,
    layers: BTreeMap<String, ProgressBar>,
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file: one that did not parse would show as the plain default.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

impl Bars {
    pub(super) fn new(steps: u64) -> Bars {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let whole = all.add(ProgressBar::new(steps));
        whole.set_style(style("  {bar:30} {pos}/{len} steps {msg}"));
        Bars { all, whole, lines: Mutex::default() }
    }

    pub(super) fn start(&self, step: &Step) {
        let bar = self.all.insert_before(&self.whole, ProgressBar::new_spinner());
        bar.set_style(style("  {spinner} {wide_msg}"));
        let words = words::doing(&step.action);
        bar.set_message(words.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        let line = Line { bar, words, waits: waits(&step.action), layers: BTreeMap::new() };
        let mut lines = self.lock();
        lines.insert(step.id, line);
        self.count(&lines);
    }

    pub(super) fn said(&self, step: &Step, said: &Said) {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(&step.id) else { return };
        match said {
            Said::Layer { id, status, current, total } => self.layer(line, id, status, *current, *total),
            Said::Line(words) | Said::Probe(words) => {
                let last = words.trim().lines().last().unwrap_or_default();
                line.bar.set_message(format!("{}: {}", line.words, visible(last)));
            }
        }
    }

    fn layer(&self, line: &mut Line, id: &str, status: &str, current: u64, total: u64) {
        // Bars for what takes time; the rest is over before it can be read.
        let moves = total > 0 && (status.starts_with("Downloading") || status.starts_with("Extracting"));
        if !moves {
            if status.ends_with("complete")
                && let Some(bar) = line.layers.remove(id)
            {
                bar.finish_and_clear();
            }
            return;
        }
        let bar = line.layers.entry(id.to_string()).or_insert_with(|| {
            let bar = self.all.insert_after(&line.bar, ProgressBar::new(total));
            bar.set_style(style("      {bar:24} {bytes:>10} of {total_bytes:10} {msg}"));
            bar
        });
        bar.set_length(total);
        bar.set_position(current);
        bar.set_message(format!("{} {}", visible(status).to_lowercase(), visible(id)));
    }

    pub(super) fn finish(&self, step: &Step) {
        let mut lines = self.lock();
        if let Some(line) = lines.remove(&step.id) {
            line.layers.values().for_each(ProgressBar::finish_and_clear);
            line.bar.finish_and_clear();
        }
        self.whole.inc(1);
        self.count(&lines);
    }

    /// A line that stays, above the bars.
    pub(super) fn line(&self, words: &str) {
        let _ = self.all.println(words);
    }

    pub(super) fn close(&self) {
        self.lock().values().for_each(|line| {
            line.layers.values().for_each(ProgressBar::finish_and_clear);
            line.bar.finish_and_clear();
        });
        self.whole.finish_and_clear();
        let _ = self.all.clear();
    }

    fn count(&self, lines: &BTreeMap<StepId, Line>) {
        let waiting = lines.values().filter(|line| line.waits).count();
        let words = if waiting > 0 { format!("· {waiting} waiting for a container") } else { String::new() };
        self.whole.set_message(words);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<StepId, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
