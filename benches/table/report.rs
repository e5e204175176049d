//! Samples, rows, and the table that is printed: Markdown, so that it can stand in the docs as it is.

use std::time::Duration;

/// Measured values of one kind, in the unit of their row.
#[derive(Debug, Clone, Default)]
pub struct Samples(pub Vec<f64>);

impl Samples {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn seconds(&mut self, value: Duration) {
        self.add(value.as_secs_f64());
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        }
    }

    /// The greatest alone, for what must never happen.
    pub fn worst(&self) -> Samples {
        Samples(self.0.iter().copied().reduce(f64::max).into_iter().collect())
    }

    fn show(&self, unit: Unit) -> String {
        let (least, most) = self.0.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
        match self.0.len() {
            0 => "-".into(),
            1 => unit.show(least),
            _ => format!("{} ({}-{})", unit.show(self.median()), unit.bare(least), unit.bare(most)),
        }
    }
}

/// What a row's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Megabytes,
    Kilobytes,
    Percent,
    Times,
    PerSecond,
    Count,
}

impl Unit {
    fn bare(self, value: f64) -> String {
        match self {
            Unit::Seconds if value < 1.0 => format!("{value:.3}"),
            Unit::Seconds | Unit::Times => format!("{value:.2}"),
            Unit::Milliseconds if value.abs() < 10.0 => format!("{value:.2}"),
            Unit::Milliseconds | Unit::Megabytes | Unit::Kilobytes => format!("{value:.1}"),
            Unit::Percent if value < 10.0 => format!("{value:.2}"),
            Unit::Percent => format!("{value:.1}"),
            Unit::PerSecond | Unit::Count => format!("{value:.0}"),
        }
    }

    fn show(self, value: f64) -> String {
        let suffix = match self {
            Unit::Seconds => " s",
            Unit::Milliseconds => " ms",
            Unit::Megabytes => " MB",
            Unit::Kilobytes => " KB",
            Unit::Percent => " %",
            Unit::Times => " x",
            Unit::PerSecond => " /s",
            Unit::Count => "",
        };
        format!("{}{suffix}", self.bare(value))
    }
}

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// Hearth's median is at most this many times the other's.
    Ratio(f64),
    /// Hearth's median is at least this many times the other's.
    AtLeast(f64),
    /// Hearth's median is at most this, in the row's unit.
    AtMost(f64),
    /// Hearth's median is at least this, in the row's unit.
    NoLess(f64),
    /// Each of Hearth's values is at most this.
    Each(f64),
    /// Shown for comparison.
    None,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    pub what: String,
    pub unit: Unit,
    pub hearth: Samples,
    /// Compose's, or what else it stands beside.
    pub other: Samples,
    pub goal: Goal,
    /// A few words on how to read it.
    pub note: String,
    /// It could not be measured here; `note` says why.
    pub skipped: bool,
}

impl Row {
    pub fn new(what: impl Into<String>, unit: Unit, hearth: Samples, other: Samples, goal: Goal) -> Row {
        Row { what: what.into(), unit, hearth, other, goal, note: String::new(), skipped: false }
    }

    pub fn note(mut self, note: impl Into<String>) -> Row {
        self.note = note.into();
        self
    }

    /// One that needs what is not here.
    pub fn skipped(what: impl Into<String>, why: &str) -> Row {
        let none = Samples::default();
        Row { skipped: true, ..Row::new(what, Unit::Count, none.clone(), none, Goal::None).note(why) }
    }

    fn ratio(&self) -> Option<f64> {
        let ratio = self.hearth.median() / self.other.median();
        ratio.is_finite().then_some(ratio)
    }

    /// Whether the goal is met; a row without samples meets none. One that was skipped has none.
    pub fn met(&self) -> bool {
        match self.goal {
            Goal::Ratio(most) => self.ratio().is_some_and(|r| r <= most),
            Goal::AtLeast(least) => self.ratio().is_some_and(|r| r >= least),
            Goal::AtMost(most) => self.hearth.median() <= most,
            Goal::NoLess(least) => self.hearth.median() >= least,
            Goal::Each(most) => !self.hearth.0.is_empty() && self.hearth.0.iter().all(|value| *value <= most),
            Goal::None => true,
        }
    }

    fn cells(&self) -> [String; 7] {
        let goal = match self.goal {
            Goal::Ratio(most) => format!("at most {most:.2} x"),
            Goal::AtLeast(least) => format!("at least {least:.2} x"),
            Goal::AtMost(most) => format!("at most {}", self.unit.show(most)),
            Goal::NoLess(least) => format!("at least {}", self.unit.show(least)),
            Goal::Each(most) => format!("each at most {}", self.unit.show(most)),
            Goal::None => String::new(),
        };
        let verdict = match (self.goal, self.met()) {
            _ if self.skipped => "skipped",
            (Goal::None, _) => "",
            (_, true) => "ok",
            (_, false) => "**miss**",
        };
        [
            self.what.clone(),
            self.hearth.show(self.unit),
            self.other.show(self.unit),
            self.ratio().map_or(String::new(), |r| format!("{r:.2} x")),
            goal,
            verdict.into(),
            self.note.clone(),
        ]
    }
}

/// The whole table.
pub fn table(rows: &[Row]) -> String {
    let head = ["what", "Hearth", "beside", "ratio", "goal", "", "note"].map(String::from);
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |i: usize| lines.iter().map(|l| l[i].chars().count()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for (n, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(widths).map(|(cell, w)| format!("{cell:w$}")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if n == 0 {
            let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
            text.push_str(&format!("| {} |\n", rule.join(" | ")));
        }
    }
    text
}

/// The machine, the engine and the hour, for the line above the table.
pub fn machine(version: &serde_json::Value, compose: &str, runs: usize) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map(|l| l.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let memory = read("/proc/meminfo");
    let kib = memory.lines().find_map(|l| l.strip_prefix("MemTotal:")).map(|l| l.trim().trim_end_matches(" kB"));
    let gib = kib.and_then(|k| k.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0 / 1024.0;
    let date = time::OffsetDateTime::from(std::time::SystemTime::now()).date();
    let text = |key: &str| version[key].as_str().unwrap_or("?").to_string();
    format!(
        "{date}; {cores} cores ({}), {gib:.0} GiB, Linux {}; Docker Engine {}, Docker Compose {compose}; medians of {runs} interleaved runs (least-most).",
        model.unwrap_or("?").trim(),
        text("KernelVersion"),
        text("Version"),
    )
}

/// The machine's load over the last minute: another program's work shows here.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}
