//! The words in which the attribute table is written.

use crate::compose::Compat;

/// What a value may look like. Several scalar kinds are one [`Shape::Scalar`] with a set of [`Kinds`].
pub enum Shape {
    Any,
    Scalar(Kinds),
    /// One of these texts.
    Enum(&'static [&'static str]),
    /// Text that a rule accepts; the words say what it wants.
    Matching(fn(&str) -> bool, &'static str),
    /// A whole number within bounds, or text.
    Between(i64, i64),
    List {
        items: &'static Shape,
        unique: bool,
    },
    /// Keys with a shape each.
    Object(&'static Object),
    /// Any key that the rule accepts, all of one shape.
    Dict {
        keys: Keys,
        values: &'static Shape,
    },
    /// The first alternative of the value's kind judges it.
    OneOf(&'static [&'static Shape]),
}

pub struct Object {
    /// What this is, for messages: `a service`, `a health check`.
    pub what: &'static str,
    pub keys: &'static [Key],
    pub required: &'static [&'static str],
    /// Whether `x-*` keys may stand here.
    pub extensible: bool,
    /// Whether any other key may stand here unjudged.
    pub open: bool,
}

pub struct Key {
    pub name: &'static str,
    pub shape: &'static Shape,
    /// `Some` where only one generation of Compose knows it.
    pub only: Option<Compat>,
}

/// Which keys a [`Shape::Dict`] takes.
#[derive(Clone, Copy, PartialEq)]
pub enum Keys {
    /// Any text.
    Any,
    /// Any text, but Compose fails on `x-*`.
    NoExtensions,
    /// `[a-zA-Z0-9._-]+`; others are refused.
    Names,
    /// `[a-zA-Z0-9._-]+` are judged, others pass unjudged.
    NamesOrWhatever,
    /// `[a-z]+` are judged, others pass unjudged.
    Limits,
}

/// A set of scalar kinds.
#[derive(Clone, Copy, PartialEq)]
pub struct Kinds(pub u8);

pub const TEXT: u8 = 1;
pub const WHOLE: u8 = 2;
/// Whole or decimal.
pub const NUMBER: u8 = 4;
pub const BOOL: u8 = 8;
pub const NULL: u8 = 16;

impl Kinds {
    pub fn has(self, kind: u8) -> bool {
        self.0 & kind != 0
    }
    /// `text or a whole number`.
    pub fn words(self) -> String {
        let known = [
            (TEXT, "text"),
            (WHOLE, "a whole number"),
            (NUMBER, "a number"),
            (BOOL, "true or false"),
            (NULL, "nothing"),
        ];
        let words: Vec<&str> = known.iter().filter(|(kind, _)| self.has(*kind)).map(|(_, word)| *word).collect();
        words.join(" or ")
    }
}

impl Shape {
    /// What would have been right, for messages.
    pub fn words(&self) -> String {
        match self {
            Shape::Any => "anything".into(),
            Shape::Scalar(kinds) => kinds.words(),
            Shape::Enum(words) => format!("one of {}", words.join(", ")),
            Shape::Matching(_, words) => (*words).into(),
            Shape::Between(low, high) => format!("a whole number from {low} to {high}"),
            Shape::List { .. } => "a list".into(),
            Shape::Object(object) => format!("a mapping ({})", object.what),
            Shape::Dict { .. } => "a mapping".into(),
            Shape::OneOf(shapes) => shapes.iter().map(|s| s.words()).collect::<Vec<_>>().join(" or "),
        }
    }
}

macro_rules! object {
    ($name:ident, $what:literal, $open:expr, [$($required:literal),*], { $($key:ident $(@ $only:ident)? : $shape:expr),* $(,)? }) => {
        pub static $name: Shape = Shape::Object(&Object {
            what: $what,
            keys: &[$(Key { name: stringify!($key), shape: &$shape, only: object!(@only $($only)?) }),*],
            required: &[$($required),*],
            extensible: $open.0,
            open: $open.1,
        });
    };
    (@only) => { None };
    (@only $only:ident) => { Some(Compat::$only) };
}
pub(super) use object;
