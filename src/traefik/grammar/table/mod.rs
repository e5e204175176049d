//! What labels may say, as a table: each key below `traefik.`, what its value is, and what holds where it is not written.
//!
//! The rows follow Traefik 3.7's dynamic configuration. Names are in lower case: keys are compared without regard to case. Keys that
//! Traefik knows but does not take from labels are here too ([`Field::by_label`]), since it refuses what stands wrongly below them.

mod http;
mod middleware;
mod tcp;

use http::{DOMAIN, HTTP, PEM_PAIR};
use tcp::{TCP, UDP};

/// The form of a value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Text,
    /// One of these; what Traefik does with another word.
    Word(&'static [&'static str], Otherwise),
    Bool,
    Int,
    /// 1 to 65535, kept as text.
    Port,
    /// A number of seconds, or a number with its unit.
    Duration,
    /// Texts with commas between.
    List,
    Struct(&'static [Field]),
    /// Several of them: `domains[0].main`.
    Structs(&'static [Field]),
    /// A list of which labels give exactly one: `server.port`.
    One(&'static [Field]),
    /// Names that a person chooses, each with such a value.
    Named(&'static Shape),
    /// Whatever a plugin asks for.
    Free,
}

/// What happens to a word that is none of those known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The service cannot be made, and routers that use it are off.
    Broken,
    /// Every request to the service fails.
    Fails,
    /// Traefik takes its default.
    Default,
    /// The same, and words are compared without their case.
    DefaultAnyCase,
}

/// What holds where nothing is written.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    Zero,
    Bool(bool),
    Int(i64),
    Text(&'static str),
    /// In nanoseconds.
    Duration(i64),
    List(&'static [&'static str]),
    /// The object with the defaults of its own fields.
    Object,
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    /// An object that may be switched on by `true` alone.
    pub bare: bool,
    /// Traefik takes it from labels at all.
    pub by_label: bool,
    pub default: Default,
}

impl Field {
    const fn bare(mut self) -> Field {
        self.bare = true;
        self
    }
    const fn not_by_label(mut self) -> Field {
        self.by_label = false;
        self
    }
    const fn or(mut self, default: Default) -> Field {
        self.default = default;
        self
    }
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, bare: false, by_label: true, default: Default::Zero }
}
const fn text(name: &'static str) -> Field {
    field(name, Shape::Text)
}
const fn flag(name: &'static str) -> Field {
    field(name, Shape::Bool)
}
const fn int(name: &'static str) -> Field {
    field(name, Shape::Int)
}
const fn time(name: &'static str) -> Field {
    field(name, Shape::Duration)
}
const fn list(name: &'static str) -> Field {
    field(name, Shape::List)
}
const fn object(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Shape::Struct(fields))
}
const fn objects(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Shape::Structs(fields))
}
const fn named(name: &'static str, shape: &'static Shape) -> Field {
    field(name, Shape::Named(shape))
}
const fn texts(name: &'static str) -> Field {
    field(name, Shape::Named(&Shape::Text))
}

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;

/// Everything below `traefik.`.
pub const ROOT: &[Field] = &[
    flag("enable"),
    object("docker", &[text("network"), flag("lbswarm"), flag("allownonrunning")]),
    object("http", HTTP),
    object("tcp", TCP),
    object("udp", UDP),
    object("tls", TLS),
];

/// Only the store `default` can be reached by labels ([`super::keys`]).
const TLS: &[Field] = &[named(
    "stores",
    &Shape::Struct(&[
        object("defaultcertificate", PEM_PAIR).not_by_label(),
        object("defaultgeneratedcert", &[text("resolver"), object("domain", DOMAIN)]),
    ]),
)];
