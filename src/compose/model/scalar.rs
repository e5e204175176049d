//! Scalars that Compose writes in a form of its own: sizes, durations, file modes, small floats.

use std::fmt;

use serde::{Serialize, Serializer};

/// A size in bytes. Text form: a decimal string (`"67108864"`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// A duration in nanoseconds. Text form: Go's (`1m30s`, `1h0m0s`, `500ms`, `0s`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    pub const fn from_secs(seconds: i64) -> Self {
        Duration(seconds * 1_000_000_000)
    }
    pub fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.max(0) as u64)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        // Go: below one second the unit shrinks; above, hours and minutes appear only when reached.
        let fraction = |value: u64, unit: u64| -> String {
            let (whole, rest) = (value / unit, value % unit);
            if rest == 0 {
                return whole.to_string();
            }
            let digits = format!("{rest:0width$}", width = unit.ilog10() as usize);
            format!("{whole}.{}", digits.trim_end_matches('0'))
        };
        match n {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{n}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}µs", fraction(n, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", fraction(n, 1_000_000)),
            _ => {
                let seconds = n / 1_000_000_000;
                let (h, m) = (seconds / 3600, seconds / 60 % 60);
                f.write_str(sign)?;
                if h > 0 {
                    write!(f, "{h}h")?;
                }
                if h > 0 || m > 0 {
                    write!(f, "{m}m")?;
                }
                write!(f, "{}s", fraction(n - (h * 3600 + m * 60) * 1_000_000_000, 1_000_000_000))
            }
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A float kept and written as Go's `float32` (`cpus`, `max_failure_ratio`): the shortest digits that give it back.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Float32(pub f32);

impl Serialize for Float32 {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // A whole number is written without a point, as Go does (`2`, not `2.0`).
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            return s.serialize_i64(self.0 as i64);
        }
        // By way of the text: widening the bits instead would turn 0.1 into 0.10000000149011612.
        s.serialize_f64(self.0.to_string().parse().unwrap_or_default())
    }
}

/// Permission bits. Text form: octal with a leading zero (`"0440"`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileMode(pub i64);

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!("0{:o}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_writes_them() {
        for (ns, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (1_500_000, "1.5ms"),
            (1_000_000_000, "1s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (1_500_000_000, "1.5s"),
            (-90_000_000_000, "-1m30s"),
        ] {
            assert_eq!(Duration(ns).to_string(), text);
        }
    }

    #[test]
    fn small_floats_keep_their_shortest_digits() {
        let text = |f: f32| serde_json::to_string(&Float32(f)).unwrap();
        assert_eq!(text(1.1), "1.1");
        assert_eq!(text(2.0), "2");
        assert_eq!(text(0.25), "0.25");
        assert_eq!(serde_json::to_value(Float32(0.1)).unwrap().to_string(), "0.1");
    }
}
