//! The tree of keys beside the table: values, and what Traefik's decoder would refuse or pass over.

mod free;
mod told;

use std::collections::BTreeMap;

use super::keys::{self, Part};
use super::table::{Field, ROOT, Shape};
use super::value::{Object, Value};
use super::{Label, Places, loss, scalar};
use crate::diag::{Diagnostic, Diagnostics};

use free::{comma_first, free_entries, text_entries};
use told::{MANY, settable};

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
}
