//! Durations (`1d12h`) and sizes (`1.5g`).

use crate::compose::model::{Bytes, Duration};

/// Go's duration syntax plus days and weeks. A number without a unit is refused, except a bare `0`.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(Duration(0));
    }
    if rest.is_empty() {
        return Err("a duration is a number with a unit, as `30s` or `1m30s`");
    }
    let mut total: f64 = 0.0;
    let mut exact: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let number = &rest[..digits];
        if !number.bytes().any(|b| b.is_ascii_digit()) {
            return Err("a duration is a number with a unit, as `30s` or `1m30s`");
        }
        let unit_len = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len() - digits);
        let unit = &rest[digits..digits + unit_len];
        let ns: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 604_800_000_000_000,
            "" => return Err("the unit is missing: write `30s`, not `30`"),
            _ => return Err("the unit is not known: ns, us, ms, s, m, h, d or w"),
        };
        match number.parse::<i64>() {
            Ok(n) => exact = n.checked_mul(ns).and_then(|n| exact.checked_add(n)).ok_or("the duration is too long")?,
            Err(_) => total += number.parse::<f64>().map_err(|_| "the number cannot be read")? * ns as f64,
        }
        rest = &rest[digits + unit_len..];
    }
    let sum = exact.checked_add(total as i64).ok_or("the duration is too long")?;
    Ok(Duration(if negative { -sum } else { sum }))
}

/// A size in bytes: a number, an optional blank, and b, k, m, g, t or p with optional `b` or `ib`; 1024 to a step.
pub fn bytes(text: &str) -> Result<Bytes, &'static str> {
    const WRONG: &str = "a size is a number with an optional unit b, k, m, g, t or p, as `512m`";
    let at = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').map_or(0, |i| i + 1);
    let (number, suffix) = text.split_at(at);
    // One blank may stand between; no more, and none elsewhere.
    let number = number.strip_suffix(' ').unwrap_or(number);
    let value: f64 = match number.bytes().any(|b| b.is_ascii_digit()) && !number.contains([' ', '+']) {
        true => number.parse().map_err(|_| WRONG)?,
        false => return Err(WRONG),
    };
    if value < 0.0 {
        return Err(WRONG);
    }
    let suffix = suffix.to_lowercase();
    let mut letters = suffix.chars();
    let power = match letters.next() {
        None => 0,
        Some('b') if suffix == "b" => 0,
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        Some('p') => 5,
        _ => return Err(WRONG),
    };
    match letters.as_str() {
        "" | "b" | "ib" => match value * 1024f64.powi(power) {
            size if size < i64::MAX as f64 => Ok(Bytes(size as i64)),
            _ => Err("it is larger than any machine"),
        },
        _ => Err(WRONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_go_units_days_and_weeks() {
        for (text, shown) in [
            ("1d12h", "36h0m0s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("500ms", "500ms"),
            ("0", "0s"),
            ("1w", "168h0m0s"),
            ("1m30s", "1m30s"),
        ] {
            assert_eq!(duration(text).map(|d| d.to_string()).as_deref(), Ok(shown), "{text}");
        }
        for wrong in ["30", "", "s", "1x", "abc"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_count_in_steps_of_1024() {
        for (text, n) in [
            ("64m", 67_108_864),
            ("1.5g", 1_610_612_736),
            ("1024k", 1_048_576),
            ("12", 12),
            ("64 MiB", 67_108_864),
            ("5b", 5),
        ] {
            assert_eq!(bytes(text).map(|b| b.0), Ok(n), "{text}");
        }
        for wrong in ["64mi", "-1", "m", "", "1xb", "1 2m"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
