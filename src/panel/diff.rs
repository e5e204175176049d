//! What two texts have and have not in common, line by line, beside each other.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp};

/// Lines around a difference that are shown with it.
const AROUND: usize = 3;
/// So long two texts are compared line by line.
const PATIENCE: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    pub rows: Vec<Row>,
    pub added: usize,
    pub removed: usize,
}

/// One line of both, or of one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// `like`, `add`, `less`, `change`, or `gap`: lines that are left out.
    pub kind: &'static str,
    pub left: Option<Line>,
    pub right: Option<Line>,
    /// Of a gap.
    pub skipped: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub number: usize,
    pub text: String,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Empty where both are the same.
pub fn diff(before: &str, after: &str) -> Diff {
    let (left, right): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let pairs = aligned(&left, &right);
    let line = |of: &[&str], at: usize| Line { number: at + 1, text: of[at].to_owned() };
    let mut rows: Vec<Row> = Vec::new();
    let (mut added, mut removed) = (0, 0);
    let mut from = (0, 0);
    for (l, r) in pairs.into_iter().chain([(left.len(), right.len())]) {
        let (less, add) = (l - from.0, r - from.1);
        (removed, added) = (removed + less, added + add);
        for n in 0..less.max(add) {
            let (left, right) =
                ((n < less).then(|| line(&left, from.0 + n)), (n < add).then(|| line(&right, from.1 + n)));
            let kind = match (&left, &right) {
                (Some(_), Some(_)) => "change",
                (Some(_), None) => "less",
                _ => "add",
            };
            rows.push(Row { kind, left, right, skipped: 0 });
        }
        if l < left.len() {
            rows.push(Row { kind: "like", left: Some(line(&left, l)), right: Some(line(&right, r)), skipped: 0 });
        }
        from = (l + 1, r + 1);
    }
    if added + removed == 0 {
        return Diff::default();
    }
    Diff { rows: folded(rows), added, removed }
}

/// Lines that both have, in order. Texts that have little in common are not compared for long: what is left then differs.
fn aligned(left: &[&str], right: &[&str]) -> Vec<(usize, usize)> {
    let until = Instant::now() + PATIENCE;
    let all = similar::capture_diff_slices_deadline(Algorithm::Myers, left, right, Some(until));
    let equal = all.into_iter().filter_map(|one| match one {
        DiffOp::Equal { old_index, new_index, len } => Some((0..len).map(move |n| (old_index + n, new_index + n))),
        _ => None,
    });
    equal.flatten().collect()
}

/// Without what is far from any difference.
fn folded(rows: Vec<Row>) -> Vec<Row> {
    let differs: Vec<usize> = rows.iter().enumerate().filter(|(_, row)| row.kind != "like").map(|(at, _)| at).collect();
    let near = |at: usize| {
        let next = differs.partition_point(|one| *one < at);
        let around = [differs.get(next), next.checked_sub(1).and_then(|before| differs.get(before))];
        around.into_iter().flatten().any(|one| one.abs_diff(at) <= AROUND)
    };
    let mut shown: Vec<Row> = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        if near(at) {
            shown.push(row);
            continue;
        }
        match shown.last_mut() {
            Some(last) if last.kind == "gap" => last.skipped += 1,
            _ => shown.push(Row { kind: "gap", skipped: 1, ..Row::default() }),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_changed_stands_beside_what_it_was() {
        let of = |before: &str, after: &str| {
            let one = |row: Row| {
                let text =
                    |line: Option<Line>| line.map(|line| format!("{} {}", line.number, line.text)).unwrap_or_default();
                format!("{}|{}|{}|{}", row.kind, text(row.left), text(row.right), row.skipped)
            };
            diff(before, after).rows.into_iter().map(one).collect::<Vec<_>>()
        };
        assert!(of("a\nb\n", "a\nb\n").is_empty());
        assert_eq!(
            of("a\nb\nc\n", "a\nx\nc\nd\n"),
            ["like|1 a|1 a|0", "change|2 b|2 x|0", "like|3 c|3 c|0", "add||4 d|0"]
        );
        assert_eq!(of("a\n", ""), ["less|1 a||0"]);
        let long: String = (0..20).map(|n| format!("{n}\n")).collect();
        let rows = of(&long, &long.replace("10\n", ""));
        assert_eq!(
            (rows.len(), rows[0].as_str(), rows[4].as_str(), rows[8].as_str()),
            (9, "gap|||7", "less|11 10||0", "gap|||6")
        );
    }

    proptest! {
        #[test]
        fn both_sides_are_whole(before in "([ab]\n){0,9}", after in "([abc]\n){0,9}") {
            let diff = diff(&before, &after);
            let sides = |side: fn(&Row) -> &Option<Line>| {
                diff.rows.iter().filter_map(|row| side(row).as_ref().map(|line| line.number)).collect::<Vec<_>>()
            };
            for (side, text) in [(sides(|row| &row.left), &before), (sides(|row| &row.right), &after)] {
                let skipped: usize = diff.rows.iter().map(|row| row.skipped).sum();
                prop_assert!(side.is_sorted());
                prop_assert!(before == after || side.len() + skipped == text.lines().count());
            }
            prop_assert_eq!(diff.is_empty(), before == after);
        }
    }
}
