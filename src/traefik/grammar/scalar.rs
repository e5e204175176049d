//! Single values as Go reads them.

/// `1 t T TRUE true True`, `0 f F FALSE false False`.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Decimal digits with a sign or none, within 64 bits.
pub fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Nanoseconds of a whole number of seconds, or of numbers with units: `1h30m`, `1.5s`, `-100ms`.
pub fn duration(text: &str) -> Option<i64> {
    match integer(text) {
        // As Traefik multiplies: without looking whether it fits.
        Some(seconds) => Some(seconds.wrapping_mul(1_000_000_000)),
        None => with_units(text),
    }
}

fn with_units(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    /// One above the largest positive duration: only the most negative one has it.
    const LIMIT: u64 = 1 << 63;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let whole = digits(rest);
        let after = &rest[whole.len()..];
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => (digits(after), &after[digits(after).len()..]),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unit = &after[..after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len())];
        rest = &after[unit.len()..];
        let scale = scale(unit)?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok().filter(|n| *n <= LIMIT)? };
        let mut part = whole.checked_mul(scale).filter(|n| *n <= LIMIT)?;
        part += fractional(fraction, scale);
        total = total.checked_add(part).filter(|n| *n <= LIMIT && part <= LIMIT)?;
    }
    match negative {
        true => Some((total as i64).wrapping_neg()),
        false => i64::try_from(total).ok(),
    }
}

fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

fn scale(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Digits behind the point, times the unit, cut to nanoseconds; digits that no 63-bit number holds do not count.
fn fractional(digits: &str, scale: u64) -> u64 {
    let mut value: u64 = 0;
    let mut divisor = 1f64;
    for digit in digits.bytes().map(|b| u64::from(b - b'0')) {
        let Some(next) = value.checked_mul(10).and_then(|v| v.checked_add(digit)).filter(|v| *v <= 1 << 63) else {
            break;
        };
        // Go stops one step earlier than what overflows.
        if value > ((1u64 << 63) - 1) / 10 {
            break;
        }
        value = next;
        divisor *= 10.0;
    }
    match value {
        0 => 0,
        _ => (value as f64 * (scale as f64 / divisor)) as u64,
    }
}

/// Texts with commas between, blanks around each taken away. Of nothing there is none.
pub fn list(text: &str) -> Vec<String> {
    match text.is_empty() {
        true => Vec::new(),
        false => text.split(',').map(|part| part.trim().to_string()).collect(),
    }
}

/// A duration as Hearth writes it: the largest unit that leaves a whole number.
pub fn duration_text(nanoseconds: i64) -> String {
    const UNITS: [(i64, &str); 5] =
        [(3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    match UNITS.iter().find(|(size, _)| nanoseconds != 0 && nanoseconds % size == 0) {
        Some((size, unit)) => format!("{}{unit}", nanoseconds / size),
        None if nanoseconds == 0 => "0s".into(),
        None => format!("{nanoseconds}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_read_as_go_reads_them() {
        assert_eq!(["t", "True", "0", "F"].map(boolean), [Some(true), Some(true), Some(false), Some(false)]);
        assert_eq!(["yes", "", "tRUE", " true", "on"].map(boolean), [None; 5]);
        assert_eq!(
            ["+5", "-0", "007", "9223372036854775807"].map(integer),
            [Some(5), Some(0), Some(7), Some(i64::MAX)]
        );
        assert_eq!(["", "+", "1_000", "0x10", "1.0", " 1", "9223372036854775808"].map(integer), [None; 7]);
        for (text, wanted) in [
            ("5", Some(5_000_000_000)),
            ("-1", Some(-1_000_000_000)),
            ("1h2m3.5s", Some(3_723_500_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("-1.5ms", Some(-1_500_000)),
            ("0", Some(0)),
            ("1µs2us3ns", Some(3_003)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("-9223372036854775808ns", Some(i64::MIN)),
            ("9223372036854775808ns", None),
            ("1d", None),
            ("5 s", None),
            ("s", None),
            ("", None),
            ("-", None),
            ("1s2", None),
            (".s", None),
        ] {
            assert_eq!(duration(text), wanted, "{text}");
        }
        assert_eq!(list("a, b ,,c"), ["a", "b", "", "c"]);
        assert_eq!(list(""), Vec::<String>::new());
    }

    #[test]
    fn a_written_duration_is_read_the_same() {
        for n in [0, 1, -1, 999, 1_000, 60_000_000_000, 90_000_000_000, 3_600_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(duration(&duration_text(n)), Some(n), "{n}");
        }
    }
}
