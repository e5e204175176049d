//! Words that pages share.

use time::OffsetDateTime;

use crate::base::clock::{parse, rfc3339, since};
use crate::stacks::seen::container::Container;
use crate::stacks::seen::service::{Service, Standing};
use crate::web::words;

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

    fn standing(standing: Standing) -> Mark {
        match standing {
            Standing::Off => Mark::of("off", "state-off"),
            Standing::Missing => Mark::of("missing", "state-missing"),
            Standing::Running => Mark::of("running", "state-running"),
            Standing::Starting => Mark::of("starting", "state-starting"),
            Standing::Unhealthy => Mark::of("unhealthy", "state-unhealthy"),
            Standing::Restarting => Mark::of("restarting", "state-restarting"),
            Standing::Paused => Mark::of("paused", "state-paused"),
            Standing::Stopped => Mark::of("stopped", "state-stopped"),
            Standing::Done => Mark::of("done", "state-done"),
            Standing::Failed => Mark::of("failed", "state-failed"),
        }
    }

    /// Of a service: one whose health check passes is healthy.
    pub fn service(service: &Service) -> Mark {
        let healthy = |one: &Container| one.health == Some("healthy");
        match service.state {
            Standing::Running if service.containers.iter().all(healthy) => Mark::of("running", "state-healthy"),
            standing => Mark::standing(standing),
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
        let (count, unit) = since(at, now);
        Moment { exact: rfc3339(at), count, unit: words::ago(unit) }
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

/// Where a service has its page. `project`: an adopted one that it is of.
pub fn service_path(project: Option<&str>, name: &str) -> String {
    let of = project.map(|project| format!("?project={}", part(project))).unwrap_or_default();
    format!("/services/{}{of}", part(name))
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
