//! What was sent does not fit: what it is, where it stands, and the words for it.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use crate::base::wording;
use crate::diag::Diagnostic;

/// A part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Body,
    Query,
}

impl Part {
    /// As `detail` of a refusal names it.
    pub fn word(self) -> &'static str {
        match self {
            Part::Body => "body",
            Part::Query => "query",
        }
    }

    fn whole(self) -> &'static str {
        match self {
            Part::Body => "the body",
            Part::Query => "what stands behind the `?` of the address",
        }
    }

    fn within(self) -> &'static str {
        match self {
            Part::Body => "in the body",
            Part::Query => "behind the `?` of the address",
        }
    }
}

/// One step on the way to a field.
#[derive(Debug, Clone)]
pub enum Step {
    Field(String),
    Item(usize),
}

/// One thing that does not fit, and the way to it, its last step first.
#[derive(Debug)]
pub struct Misfit {
    way: Vec<Step>,
    why: Why,
}

#[derive(Debug)]
pub enum Why {
    /// Another kind of thing, and what kind is taken, where that is known.
    Kind(&'static str, Option<&'static str>),
    /// Of the right kind, and beyond what is taken.
    Beyond(Option<&'static str>),
    /// No word where one of these is taken.
    NoWord(&'static str, &'static [&'static str]),
    Word(String, &'static [&'static str]),
    Unknown(String, &'static [&'static str]),
    Missing(&'static str),
    Twice(&'static str),
    /// In the words of whoever reads it: of ours.
    Said(String),
}

impl From<Why> for Misfit {
    fn from(why: Why) -> Misfit {
        Misfit { way: Vec::new(), why }
    }
}

/// What somebody sent is repeated so far only.
const SHOWN: usize = 60;
/// Of more names a list in a sentence helps nobody.
const LISTED: usize = 16;

impl Misfit {
    /// The same, seen from one step further out.
    pub fn under(mut self, step: Step) -> Misfit {
        self.way.push(step);
        self
    }

    /// The path of the field that it is about; empty where it is the whole.
    fn field(&self) -> String {
        let mut field = String::new();
        let last = match &self.why {
            Why::Unknown(name, _) => Some(shown(name)),
            Why::Missing(name) | Why::Twice(name) => Some((*name).to_owned()),
            _ => None,
        };
        for step in self.way.iter().rev() {
            match step {
                Step::Item(n) => field.push_str(&format!("[{n}]")),
                Step::Field(name) => join(&mut field, &shown(name)),
            }
        }
        last.iter().for_each(|name| join(&mut field, name));
        field
    }

    /// To tell whoever sent it, in `part` of a request.
    pub fn told(&self, part: Part) -> Diagnostic {
        let (field, within) = (self.field(), part.within());
        let subject = match field.is_empty() {
            true => part.whole().to_owned(),
            false => format!("`{field}` {within}"),
        };
        let title = match &self.why {
            Why::Kind(given, Some(taken)) => format!("{subject} is {given}, and should be {taken}"),
            Why::Kind(given, None) => format!("{subject} is {given}, which is not taken there"),
            Why::Beyond(Some(taken)) => format!("{subject} should be {taken}"),
            Why::Beyond(None) => format!("{subject} is not within what is taken there"),
            Why::NoWord(given, known) => format!("{subject} is {given}, and should be {}", one_of(known)),
            Why::Word(given, known) => format!("{subject} is `{}`, and should be {}", shown(given), one_of(known)),
            Why::Unknown(..) => format!("{subject} is nothing that this call takes"),
            Why::Missing(_) => format!("`{field}` is missing {within}"),
            Why::Twice(_) => format!("{subject} is there twice"),
            Why::Said(words) => format!("{subject} does not fit: {words}"),
        };
        let d = Diagnostic::error("web.does-not-fit", title);
        let d = if field.is_empty() { d } else { d.field(field) };
        let d = match self.way_out() {
            Some(hint) => d.hint(hint),
            None => d,
        };
        d.hint("/docs shows what this call takes")
    }

    fn way_out(&self) -> Option<String> {
        match &self.why {
            Why::Kind("a text", Some("a list")) => Some("write it in brackets, as a list: `[\"...\"]`".into()),
            Why::Word(given, known) => {
                wording::nearest(given, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
            }
            Why::Unknown(given, known) => match wording::nearest(given, known.iter().copied()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if known.is_empty() => Some("leave it out: nothing is taken there".into()),
                None if known.len() > LISTED => None,
                None => Some(format!("there are {}", quoted(known))),
            },
            _ => None,
        }
    }
}

fn join(field: &mut String, name: &str) {
    if !field.is_empty() {
        field.push('.');
    }
    field.push_str(name);
}

/// A name that somebody sent, as it can be shown: a terminal would obey its control characters.
pub(super) fn shown(name: &str) -> String {
    let visible = crate::diag::text::visible(&name.replace('\n', " "));
    match visible.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", &visible[..at]),
        None => visible,
    }
}

fn quoted(known: &[&str]) -> String {
    wording::list(&known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>())
}

fn one_of(known: &[&str]) -> String {
    match known {
        [one] => format!("`{one}`"),
        _ => format!("one of {}", quoted(known)),
    }
}

/// What was sent, in kind: what it is may be a secret.
pub fn given(what: Unexpected<'_>) -> &'static str {
    match what {
        Unexpected::Bool(_) => "`true` or `false`",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a number",
        Unexpected::Float(n) if n.fract() == 0.0 => "a very large number",
        Unexpected::Float(_) => "a number with a fraction",
        Unexpected::Str(_) | Unexpected::Char(_) => "a text",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map | Unexpected::StructVariant | Unexpected::NewtypeStruct => "an object",
        _ => "something else",
    }
}

/// What is taken, by what serde calls it; nothing where only a library knows.
fn taken(expected: &dyn Expected) -> Option<&'static str> {
    let expected = expected.to_string();
    Some(match expected.as_str() {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not below 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" | "a JSON number" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" | "a borrowed string" => "a text",
        "a character" => "one character",
        "a sequence" => "a list",
        "a map" => "an object",
        "unit" => "null",
        other if other.starts_with("struct ") => "an object",
        _ => return None,
    })
}

impl Error for Misfit {
    fn custom<T: fmt::Display>(words: T) -> Misfit {
        Why::Said(words.to_string()).into()
    }

    fn invalid_type(given: Unexpected<'_>, expected: &dyn Expected) -> Misfit {
        Why::Kind(self::given(given), taken(expected)).into()
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Misfit {
        Why::Beyond(taken(expected)).into()
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Misfit {
        Why::Said("it is a list of another length".into()).into()
    }

    fn unknown_variant(given: &str, known: &'static [&'static str]) -> Misfit {
        Why::Word(given.to_owned(), known).into()
    }

    fn unknown_field(given: &str, known: &'static [&'static str]) -> Misfit {
        Why::Unknown(given.to_owned(), known).into()
    }

    fn missing_field(name: &'static str) -> Misfit {
        Why::Missing(name).into()
    }

    fn duplicate_field(name: &'static str) -> Misfit {
        Why::Twice(name).into()
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Part::Body).title)
    }
}

impl std::error::Error for Misfit {}

/// Text that is no JSON at all.
pub fn no_json(error: &serde_json::Error) -> Diagnostic {
    let words = error.to_string();
    let why = match words.split(" at line ").next().unwrap_or_default() {
        _ if error.is_eof() => "it ends before it is complete",
        "key must be a string" => "a name in double quotes should stand",
        "trailing comma" => "a comma stands before the closing bracket",
        "trailing characters" => "something stands after its end",
        "recursion limit exceeded" => "it is nested too deeply",
        "number out of range" => "a number is too large",
        "expected `:`" => "a `:` is missing",
        "expected `,` or `}`" | "expected `,` or `]`" => "a `,` or the closing bracket is missing",
        _ => "something stands that JSON does not have",
    };
    let title = match error.is_eof() {
        true => format!("the body is not JSON: {why}"),
        false => format!("the body is not JSON: {why} in line {}, column {}", error.line(), error.column()),
    };
    Diagnostic::error("web.does-not-fit", title).hint("/docs shows what this call takes")
}
