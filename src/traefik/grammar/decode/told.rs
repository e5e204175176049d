//! The words for what Traefik's decoder would refuse, pass over, or take and not be able to use.

use super::super::keys::{self, BadKey, Part};
use super::super::loss;
use super::super::table::{Field, Otherwise, Shape};
use super::{Decoder, Outcome};
use crate::base::wording;
use crate::diag::Diagnostic;

/// More names than this are no help to a reader.
pub(super) const MANY: usize = 14;

impl Decoder<'_> {
    pub(super) fn bad_key(&mut self, index: usize, why: BadKey) {
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

    pub(super) fn below_a_scalar(&mut self, part: &Part, child: &Part) {
        let title = format!("nothing can stand below `{}`: {}", part.name, loss::CONTAINER);
        self.refuse(Diagnostic::error("traefik.unknown-label", title), child.some_label());
    }

    /// The value of a key below which others stand, where only those count.
    pub(super) fn unused_value(&mut self, part: &Part) {
        let Some(label) = self.written(part).filter(|_| self.live) else { return };
        if !label.known || ["", "true"].contains(&label.value.to_ascii_lowercase().as_str()) {
            return;
        }
        let title = format!("the value of `{}` has no meaning: {}", label.key, loss::IGNORED);
        let d = Diagnostic::error("traefik.ignored-label", title).at(label.value_span);
        self.tell(d.hint("remove the label; what it shall be stands below it"), part.label);
    }

    /// Texts that the decoder takes and Traefik cannot use.
    pub(super) fn beyond_the_decoder(&mut self, shape: &Shape, part: &Part, text: &str) {
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

    pub(super) fn not_by_label(&mut self, field: &Field, part: &Part) {
        let title = format!("`{}` cannot be set by labels: {}", field.name, loss::IGNORED);
        let d = Diagnostic::error("traefik.ignored-label", title);
        self.tell(d.hint("Traefik takes it only from a file"), part.some_label());
    }

    pub(super) fn unknown(&mut self, fields: &'static [Field], part: &Part) {
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
    pub(super) fn key(&self) -> String {
        let mut key = String::from("traefik");
        for name in &self.path {
            let dot = if name.starts_with('[') { "" } else { "." };
            key.push_str(&format!("{dot}{name}"));
        }
        key
    }
}

pub(super) fn settable(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().filter(|field| field.by_label).map(|field| field.name).collect()
}
