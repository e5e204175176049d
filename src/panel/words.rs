//! Words that pages share.

use time::OffsetDateTime;

use crate::base::clock::{Unit, parse, rfc3339, since as ago};
use crate::stacks::seen::service::Standing;

/// How something stands: a shape, by the name of its style, and the name of the word beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub kind: &'static str,
    pub key: &'static str,
}

impl Mark {
    pub const fn of(kind: &'static str, key: &'static str) -> Mark {
        Mark { kind, key }
    }

    pub fn standing(standing: Standing) -> Mark {
        match standing {
            Standing::Off => Mark::of("off", "state-off"),
            Standing::Missing => Mark::of("missing", "state-missing"),
            Standing::Running => Mark::of("running", "state-running"),
            Standing::Starting => Mark::of("starting", "state-starting"),
            Standing::Unhealthy => Mark::of("unhealthy", "state-unhealthy"),
            Standing::Restarting => Mark::of("restarting", "state-restarting"),
            Standing::Paused => Mark::of("paused", "state-paused"),
            Standing::Stopped => Mark::of("stopped", "state-stopped"),
            Standing::Failed => Mark::of("failed", "state-failed"),
        }
    }

    /// Of a work: `running`, or how it ended.
    pub fn work(state: &str) -> Mark {
        match state {
            "running" => Mark::of("working", "state-working"),
            "done" => Mark::of("done", "state-done"),
            "interrupted" => Mark::of("interrupted", "state-interrupted"),
            _ => Mark::of("failed", "state-failed"),
        }
    }
}

/// A moment: exactly, and how long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// RFC 3339.
    pub exact: String,
    /// How many of `unit` ago.
    pub count: u64,
    /// The name of its words.
    pub unit: &'static str,
}

impl Moment {
    pub fn of(at: OffsetDateTime, now: OffsetDateTime) -> Moment {
        let (count, unit) = ago(at, now);
        let unit = match unit {
            Unit::Second => "panel-seconds-ago",
            Unit::Minute => "panel-minutes-ago",
            Unit::Hour => "panel-hours-ago",
            Unit::Day => "panel-days-ago",
        };
        Moment { exact: rfc3339(at), count, unit }
    }

    /// Of milliseconds since 1970.
    pub fn ms(at: i64, now: OffsetDateTime) -> Moment {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).unwrap_or(now);
        Moment::of(at, now)
    }

    /// As the engine writes it; `None` where it is none.
    pub fn read(text: &str, now: OffsetDateTime) -> Option<Moment> {
        parse(text).map(|at| Moment::of(at, now))
    }
}

/// A name as a part of an element's id: letters, digits and dashes, and the codes of other bytes between underscores.
pub fn id(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut id, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => id.push(byte.into()),
            byte => id += &format!("_{byte:02x}_"),
        }
        id
    })
}

/// A name as a part of an address (RFC 3986, 2.3): whatever somebody has called a service.
pub fn part(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut part, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => part.push(byte.into()),
            byte => part += &format!("%{byte:02X}"),
        }
        part
    })
}

/// What a program wrote for a terminal, as text: without escape sequences (ECMA-48, 5.4) and other control characters but the tab.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // CSI: until its final byte.
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // OSC, DCS, PM, APC, SOS: until BEL or ST.
                Some(']' | 'P' | '^' | '_' | 'X') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || c == '\u{9c}' || c == '\u{1b}' && chars.next_if_eq(&'\\').is_some() {
                            break;
                        }
                    }
                }
                // Two characters, with others in between that say which set is meant.
                Some(' '..='/') => {
                    chars.next();
                }
                _ => {}
            },
            '\t' => plain.push(c),
            // What turns the direction of a line is for no log.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_22_what_is_for_a_terminal_does_nothing_in_a_page() {
        for (text, wanted) in [
            ("\u{1b}[31mred\u{1b}[0m and plain", "red and plain"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("a\u{1b}(Bb\u{1b}Mc", "abc"),
            ("\u{1b}[2J\u{1b}[H\rdone\u{8}\u{0}\t!", "done\t!"),
            ("\u{1b}P1;2|abc\u{1b}\\x", "x"),
            ("\u{202e}gnp.exe", "gnp.exe"),
            ("cut \u{1b}[", "cut "),
        ] {
            assert_eq!(plain(text), wanted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_a_log_line_is_a_control_character(text: String) {
            let plain = plain(&text);
            prop_assert!(plain.chars().all(|c| c == '\t' || !c.is_control()));
            prop_assert!(plain.len() <= text.len());
        }
    }
}
