//! The tree of keys beside the table: values, and what Traefik's decoder would refuse or pass over.

use std::collections::BTreeMap;

use super::keys::{self, BadKey, Part};
use super::table::{Field, Otherwise, ROOT, Shape};
use super::value::{Object, Value};
use super::{Label, Places, loss, scalar};
use crate::base::wording;
use crate::diag::{Diagnostic, Diagnostics};

/// What Traefik's decoder makes of a container's labels.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Everything below `traefik.` as written.
    pub root: Object,
    pub outcome: Outcome,
    pub places: Places,
    pub diagnostics: Diagnostics,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    #[default]
    Accepted,
    /// The container's labels count for nothing.
    Refused,
    /// The decoder dies, and with it this reading of all containers.
    Panic,
}

/// Decodes all labels; the first mistake does not hide the next.
pub fn decode(labels: &[Label]) -> Decoded {
    let (tree, bad) = keys::tree(labels);
    let mut decoder = Decoder { labels, out: Decoded::default(), path: Vec::new(), live: true };
    for (index, why) in bad {
        decoder.bad_key(index, why);
    }
    decoder.out.root = decoder.structure(ROOT, &tree);
    decoder.out
}

/// More names than this are no help to a reader.
const MANY: usize = 14;

struct Decoder<'l> {
    labels: &'l [Label],
    out: Decoded,
    /// Names from the root to the part at hand.
    path: Vec<String>,
    /// Traefik would fill this in: not what stands below an option that is off, or that labels cannot set.
    live: bool,
}

impl Decoder<'_> {
    fn tell(&mut self, diagnostic: Diagnostic, label: Option<usize>) {
        let Some(label) = label.and_then(|index| self.labels.get(index)) else { return };
        let diagnostic = diagnostic.or_at(label.key_span);
        self.out.diagnostics.push(diagnostic.field(label.key.clone()));
    }

    fn refuse(&mut self, diagnostic: Diagnostic, label: Option<usize>) {
        self.out.outcome = self.out.outcome.max(Outcome::Refused);
        self.tell(diagnostic, label);
    }

    fn bad_key(&mut self, index: usize, why: BadKey) {
        let key = &self.labels[index].key;
        let error = |what: &str, lost: &str| Diagnostic::error("traefik.bad-key", format!("{what}: {lost}"));
        match why {
            BadKey::Unread => {
                let d = Diagnostic::error(
                    "traefik.ignored-label",
                    format!("`{key}` says nothing to Traefik: {}", loss::IGNORED),
                );
                let d = match key.to_ascii_lowercase().starts_with("traefik.tls.") {
                    true => {
                        d.hint("certificates and TLS options cannot be labels; Hearth writes them into Traefik's file")
                    }
                    false => d.hint("below `traefik.` stand enable, docker, http, tcp and udp; remove the label"),
                };
                self.tell(d, Some(index));
            }
            BadKey::Root => {
                let root = key.split('.').next().unwrap_or_default();
                let d = error(&format!("`{root}` must be written in small letters"), loss::CONTAINER);
                self.refuse(d.hint(format!("write traefik{}", &key[root.len()..])), Some(index));
            }
            BadKey::EmptyPart => {
                let d = error(&format!("`{key}` has nothing between two dots, or behind the last"), loss::CONTAINER);
                self.refuse(d, Some(index));
            }
            BadKey::OpeningBracket => {
                let d = error("a part of the key begins with `[`", loss::CONTAINER);
                self.refuse(d.hint("an index stands behind its name, as tls.domains[0].main"), Some(index));
            }
            BadKey::ClosingBracket => {
                let d = error("a part of the key ends with `]` that nothing opens", loss::PANIC);
                self.refuse(d, Some(index));
                self.out.outcome = Outcome::Panic;
            }
            BadKey::Deep => {
                let d = error("the key has more parts than any option of Traefik", loss::CONTAINER);
                self.refuse(d, Some(index));
            }
            BadKey::Twice(loser) => {
                let other = self.labels[loser].key.clone();
                let d = Diagnostic::error(
                    "traefik.twice",
                    format!("`{other}` and `{key}` are one label: Traefik would take only the second"),
                );
                let d = match self.labels[loser].key_span {
                    Some(span) => d.related(span, "it stands here too"),
                    None => d,
                };
                self.tell(d.hint("remove one of them"), Some(index));
            }
        }
    }

    fn structure(&mut self, fields: &'static [Field], part: &Part) -> Object {
        let mut object = Object::default();
        for child in &part.children {
            let Some(field) = fields.iter().find(|field| keys::same_name(field.name, &child.name)) else {
                self.unknown(fields, child);
                continue;
            };
            self.path.push(field.name.to_string());
            let live = self.live;
            if live && !field.by_label {
                self.not_by_label(field, child);
            }
            self.live = live && field.by_label && !self.is_off(field, child);
            let value = self.value(field, child);
            if self.live {
                self.place(child);
                object.0.extend(value.map(|value| (field.name, value)));
            }
            self.live = live;
            self.path.pop();
        }
        object
    }

    fn place(&mut self, part: &Part) {
        if let Some(label) = part.some_label().and_then(|index| self.labels.get(index)) {
            self.out.places.insert(&self.path, label);
        }
    }

    fn written(&self, part: &Part) -> Option<&Label> {
        part.label.and_then(|index| self.labels.get(index))
    }

    /// Whether an option that may stand alone is switched off. Anything but `true` does it, without a word.
    fn is_off(&mut self, field: &Field, part: &Part) -> bool {
        let Some(label) = self.written(part).filter(|label| field.bare && label.known && !label.value.is_empty())
        else {
            return false;
        };
        if label.value.eq_ignore_ascii_case("true") {
            return false;
        }
        let (value, place) = (label.value.clone(), label.value_span);
        let below = part.children.iter().find_map(Part::some_label);
        if !value.eq_ignore_ascii_case("false") && self.live {
            let lost = match self.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                [_, "routers", name, "tls"] => format!("the router `{name}` would have no TLS"),
                [_, "middlewares", name, _] => format!("routers with the middleware `{name}` would be off"),
                _ => format!("Traefik would leave `{}` out", field.name),
            };
            let title = format!("`{value}` does not switch `{}` on: without a word {lost}", field.name);
            let d = Diagnostic::error("traefik.bad-value", title).at(place);
            self.tell(d.hint("write true, or false where that is meant"), part.label);
            // So that its absence is not told as well.
            self.place(part);
        } else if below.is_some() && self.live {
            let title =
                format!("`{}` is off, so what stands below it counts for nothing: {}", field.name, loss::IGNORED);
            self.tell(Diagnostic::error("traefik.ignored-label", title).hint("remove it, or write true"), below);
        }
        true
    }

    fn value(&mut self, field: &'static Field, part: &Part) -> Option<Value> {
        let alone = part.children.is_empty();
        if alone && matches!(field.shape, Shape::Struct(_) | Shape::Named(_)) && !field.bare && field.by_label {
            let known = match field.shape {
                Shape::Struct(fields) => settable(fields),
                _ => Vec::new(),
            };
            let many = known.len() > MANY;
            let title = format!("`{}` is no value by itself: {}", field.name, loss::CONTAINER);
            let d = Diagnostic::error("traefik.bad-key", title);
            let d = match known.is_empty() || many {
                true => d.hint(format!("write what it shall be, as {}.NAME...", self.key())),
                false => d.hint(format!("below it stand {}", known.join(", "))),
            };
            self.refuse(d, part.label);
            return None;
        }
        if alone && !field.by_label {
            return None;
        }
        self.shaped(&field.shape, part)
    }

    fn shaped(&mut self, shape: &'static Shape, part: &Part) -> Option<Value> {
        match shape {
            Shape::Struct(fields) => {
                self.unused_value(part);
                Some(Value::Object(self.structure(fields, part)))
            }
            Shape::One(fields) => {
                if part.children.is_empty() && self.live {
                    let title = format!("`{}` is no value by itself: {}", part.name, loss::CONTAINER);
                    let d = Diagnostic::error("traefik.bad-key", title);
                    self.refuse(d.hint(format!("below it stand {}", settable(fields).join(", "))), part.label);
                    return None;
                }
                self.unused_value(part);
                Some(Value::Object(self.structure(fields, part)))
            }
            Shape::Structs(fields) => Some(self.several(fields, part)),
            Shape::Named(inner) => Some(self.named(inner, part)),
            Shape::Free => {
                if let Some(label) = part.children.iter().find_map(|child| comma_first(child, self.labels)) {
                    let title = format!("an option of a plugin cannot begin with a comma here: {}", loss::CONTAINER);
                    self.refuse(Diagnostic::error("traefik.bad-value", title), Some(label));
                }
                let plugin = part.children.iter().flat_map(|child| free_entries(child, self.labels));
                Some(Value::Named(plugin.collect()))
            }
            Shape::List => self.list(part),
            scalar => {
                if let Some(child) = part.children.first() {
                    self.below_a_scalar(part, child);
                    return None;
                }
                if !self.live {
                    return None;
                }
                self.scalar(scalar, part)
            }
        }
    }

    fn below_a_scalar(&mut self, part: &Part, child: &Part) {
        let title = format!("nothing can stand below `{}`: {}", part.name, loss::CONTAINER);
        self.refuse(Diagnostic::error("traefik.unknown-label", title), child.some_label());
    }

    /// The value of a key below which others stand, where only those count.
    fn unused_value(&mut self, part: &Part) {
        let Some(label) = self.written(part).filter(|_| self.live) else { return };
        if !label.known || ["", "true"].contains(&label.value.to_ascii_lowercase().as_str()) {
            return;
        }
        let title = format!("the value of `{}` has no meaning: {}", label.key, loss::IGNORED);
        let d = Diagnostic::error("traefik.ignored-label", title).at(label.value_span);
        self.tell(d.hint("remove the label; what it shall be stands below it"), part.label);
    }

    /// A list of objects: one for each part below, in the order of the keys as text.
    fn several(&mut self, fields: &'static [Field], part: &Part) -> Value {
        if part.children.is_empty() && self.live {
            let title = format!("`{}` takes no value by itself: {}", part.name, loss::IGNORED);
            let d = Diagnostic::error("traefik.ignored-label", title);
            self.tell(d.hint(format!("write {}[0].{}", self.key(), settable(fields).join(" or "))), part.label);
        }
        let mut all = Vec::new();
        for (i, child) in part.children.iter().enumerate() {
            self.path.push(format!("[{i}]"));
            self.unused_value(child);
            all.push(self.structure(fields, child));
            self.path.pop();
        }
        Value::Objects(all)
    }

    fn named(&mut self, inner: &'static Shape, part: &Part) -> Value {
        self.unused_value(part);
        let mut all = BTreeMap::new();
        for child in &part.children {
            self.path.push(child.name.clone());
            if self.live {
                self.place(child);
            }
            match inner {
                // A name with dots is one name again.
                Shape::Text => text_entries(child, child.name.clone(), self.labels, &mut all),
                Shape::Int => all.extend(self.number(child).map(|value| (child.name.clone(), value))),
                _ => all.extend(self.shaped(inner, child).map(|value| (child.name.clone(), value))),
            }
            self.path.pop();
        }
        Value::Named(all)
    }

    /// A number under a name: here Traefik does not look at what stands below.
    fn number(&mut self, part: &Part) -> Option<Value> {
        let below = part.children.iter().find_map(Part::some_label);
        if part.label.is_none() {
            let title =
                format!("`{}` must be a number, and nothing can stand below it: {}", part.name, loss::CONTAINER);
            self.refuse(Diagnostic::error("traefik.bad-value", title), below);
            return None;
        }
        if below.is_some() {
            let title = format!("nothing can stand below `{}`: {}", part.name, loss::IGNORED);
            self.tell(Diagnostic::error("traefik.ignored-label", title), below);
        }
        self.scalar(&Shape::Int, part)
    }

    fn list(&mut self, part: &Part) -> Option<Value> {
        for child in &part.children {
            match child.children.first() {
                Some(below) => self.below_a_scalar(child, below),
                None if self.live => {
                    let title = format!(
                        "`{}` is one text with commas between, not several labels: {}",
                        part.name,
                        loss::IGNORED
                    );
                    let d = Diagnostic::error("traefik.ignored-label", title);
                    self.tell(d.hint(format!("write {} with all of them, as a,b", self.key())), child.label);
                }
                None => {}
            }
        }
        let label = self.written(part)?;
        Some(match label.known {
            true => Value::List(scalar::list(&label.value)),
            false => Value::List(vec![label.value.clone()]),
        })
    }

    fn scalar(&mut self, shape: &Shape, part: &Part) -> Option<Value> {
        let label = self.written(part)?;
        let (text, place) = (label.value.clone(), label.value_span);
        if !label.known {
            return Some(Value::Later(text));
        }
        let (read, wanted) = match shape {
            Shape::Bool => (scalar::boolean(&text).map(Value::Bool), "true or false"),
            Shape::Int => (scalar::integer(&text).map(Value::Int), "a whole number"),
            Shape::Duration => (scalar::duration(&text).map(Value::Duration), "a duration, as 30s or 1m30s"),
            _ => (Some(Value::Text(text.clone())), ""),
        };
        if read.is_none() {
            let title = format!("`{text}` is not {wanted}: {}", loss::CONTAINER);
            self.refuse(Diagnostic::error("traefik.bad-value", title).at(place), part.label);
        }
        self.beyond_the_decoder(shape, part, &text);
        read
    }

    /// Texts that the decoder takes and Traefik cannot use.
    fn beyond_the_decoder(&mut self, shape: &Shape, part: &Part, text: &str) {
        let name = self.path.get(2).map_or("", String::as_str);
        let off = format!("routers to the service `{name}` would be off");
        let fails = format!("every request to the service `{name}` would fail");
        let default = "without a word Traefik would take its default";
        let (title, hint) = match *shape {
            Shape::Port => {
                let number = text.bytes().all(|b| b.is_ascii_digit());
                if number && text.parse::<u16>().map_or(text.is_empty(), |port| port > 0) {
                    return;
                }
                let lost = if number { fails } else { off };
                (format!("`{text}` is no port: {lost}"), "a port is a number from 1 to 65535".to_string())
            }
            Shape::Word(words, otherwise) => {
                let any_case = otherwise == Otherwise::DefaultAnyCase;
                let same = |word: &&str| text == *word || any_case && text.eq_ignore_ascii_case(word);
                if text.is_empty() || words.iter().any(same) {
                    return;
                }
                let lost = match otherwise {
                    Otherwise::Broken => off.as_str(),
                    Otherwise::Fails => fails.as_str(),
                    Otherwise::Default | Otherwise::DefaultAnyCase => default,
                };
                let hint = match wording::nearest(&text.to_lowercase(), words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("one of: {}", words.join(", ")),
                };
                (format!("`{text}` is not known here: {lost}"), hint)
            }
            _ => return,
        };
        let place = self.written(part).and_then(|label| label.value_span);
        self.tell(Diagnostic::error("traefik.bad-value", title).at(place).hint(hint), part.label);
    }

    fn not_by_label(&mut self, field: &Field, part: &Part) {
        let title = format!("`{}` cannot be set by labels: {}", field.name, loss::IGNORED);
        let d = Diagnostic::error("traefik.ignored-label", title);
        self.tell(d.hint("Traefik takes it only from a file"), part.some_label());
    }

    fn unknown(&mut self, fields: &'static [Field], part: &Part) {
        let known = settable(fields);
        self.out.places.incomplete.push(self.path.clone());
        let title = format!("Traefik knows no `{}` here: {}", part.name, loss::CONTAINER);
        let d = Diagnostic::error("traefik.unknown-label", title);
        let lower = part.name.to_lowercase();
        // Below a name that a person chose.
        let owner = self.path.last().filter(|_| self.path.len() == 3);
        let dotted = owner.filter(|_| {
            let mut below = part.children.iter();
            below.any(|child| fields.iter().any(|field| keys::same_name(field.name, &child.name)))
        });
        let d = if let Some(owner) = dotted {
            d.hint(format!(
                "a name cannot hold a dot: write `{owner}-{}` where `{owner}.{}` is one name",
                part.name, part.name
            ))
        } else if let Some(near) = wording::nearest(&lower, known.iter().copied()) {
            d.hint(format!("did you mean `{near}`?"))
        } else if known.len() <= MANY {
            d.hint(format!("known here: {}", known.join(", ")))
        } else {
            d
        };
        // One mistake in a name is one message, with how many labels it concerns.
        let all = part.labels();
        let d = match all.len() {
            0 | 1 => d,
            n => d.hint(format!("{} begin so", wording::count(n, "label"))),
        };
        self.refuse(d, all.first().copied());
    }

    /// The key of the part at hand.
    fn key(&self) -> String {
        let mut key = String::from("traefik");
        for name in &self.path {
            let dot = if name.starts_with('[') { "" } else { "." };
            key.push_str(&format!("{dot}{name}"));
        }
        key
    }
}

fn settable(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().filter(|field| field.by_label).map(|field| field.name).collect()
}

fn text(part: &Part, labels: &[Label]) -> Value {
    match part.label.and_then(|index| labels.get(index)) {
        Some(label) if !label.known => Value::Later(label.value.clone()),
        Some(label) => Value::Text(label.value.clone()),
        None => Value::Text(String::new()),
    }
}

fn text_entries(part: &Part, name: String, labels: &[Label], all: &mut BTreeMap<String, Value>) {
    if part.children.is_empty() {
        all.insert(name, text(part, labels));
        return;
    }
    for child in &part.children {
        text_entries(child, format!("{name}.{}", child.name), labels, all);
    }
}

/// A plugin's option: below it a list (`[0]`), a mapping, or nothing.
fn free(part: &Part, labels: &[Label]) -> Value {
    match part.children.first() {
        None => text(part, labels),
        Some(first) if first.name.starts_with('[') => {
            Value::Items(part.children.iter().map(|child| free(child, labels)).collect())
        }
        Some(_) => Value::Named(part.children.iter().map(|child| (child.name.clone(), free(child, labels))).collect()),
    }
}

/// A text within a mapping that begins with a comma: Traefik's decoder takes it for a list in a form of its own.
fn comma_first(option: &Part, labels: &[Label]) -> Option<usize> {
    fn below(part: &Part, labels: &[Label]) -> Option<usize> {
        let own = part
            .label
            .filter(|index| part.children.is_empty() && labels.get(*index).is_some_and(|l| l.value.starts_with(',')));
        own.or_else(|| part.children.iter().find_map(|child| below(child, labels)))
    }
    let mapping = option.children.first().is_some_and(|first| !first.name.starts_with('['));
    let unfolded = option.children.iter().any(|child| child.name == option.name);
    if mapping && !unfolded { option.children.iter().find_map(|child| below(child, labels)) } else { None }
}

/// An option at the top of a plugin's. Where a mapping holds a key of its own name Traefik puts its content in its place.
fn free_entries(part: &Part, labels: &[Label]) -> Vec<(String, Value)> {
    match free(part, labels) {
        Value::Named(inner) if inner.contains_key(&part.name) => inner.into_iter().collect(),
        value => vec![(part.name.clone(), value)],
    }
}
