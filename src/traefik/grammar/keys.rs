//! Keys of labels as a tree, built as Traefik's decoder builds it.

use std::collections::HashMap;

use super::Label;

/// A plugin's options may go deep, but so deep nobody writes.
const MAX_PARTS: usize = 64;

/// A part of keys, with what stands below it.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// As the first key (in byte order) wrote it.
    pub name: String,
    /// The label whose key ends here.
    pub label: Option<usize>,
    pub children: Vec<Part>,
    /// Where a child stands, by its name in one case.
    index: HashMap<String, usize>,
}

/// What is wrong with a single key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadKey {
    /// Traefik does not look at it.
    Unread,
    /// The root is not written `traefik`.
    Root,
    EmptyPart,
    /// A part begins with `[`.
    OpeningBracket,
    /// A part ends with `]` that nothing opens: Traefik's decoder panics.
    ClosingBracket,
    /// More parts than any option has.
    Deep,
    /// Differs from an earlier key only in case; the index is the label that loses.
    Twice(usize),
}

/// Which labels Traefik's Docker provider decodes, by how they go on behind `traefik.` in whatever case.
const READ: [&str; 6] = ["docker.", "enable", "http", "tcp", "udp", "tls.stores.default"];

/// Whether a key is for Traefik at all.
pub fn is_traefik(key: &str) -> bool {
    let begin = key.get(..8).unwrap_or(key);
    begin.eq_ignore_ascii_case("traefik.") || key.eq_ignore_ascii_case("traefik")
}

/// All keys below `traefik`, and those that cannot be read, by the label's index.
pub(super) fn tree(labels: &[Label]) -> (Part, Vec<(usize, BadKey)>) {
    let mut root = Part { name: "traefik".into(), ..Part::default() };
    let mut bad = Vec::new();
    let mut order: Vec<usize> = (0..labels.len()).filter(|i| is_traefik(&labels[*i].key)).collect();
    order.sort_by(|a, b| labels[*a].key.cmp(&labels[*b].key));
    for index in order {
        let key = &labels[index].key;
        let rest = key.get("traefik.".len()..).unwrap_or_default();
        if !READ.iter().any(|begin| rest.get(..begin.len()).is_some_and(|b| b.eq_ignore_ascii_case(begin))) {
            bad.push((index, BadKey::Unread));
            continue;
        }
        match parts(key) {
            Ok(parts) => bad.extend(add(&mut root, &parts[1..], index).map(|loser| (index, BadKey::Twice(loser)))),
            Err(why) => bad.push((index, why)),
        }
    }
    (root, bad)
}

/// `domains[0]` makes two parts.
fn parts(key: &str) -> Result<Vec<&str>, BadKey> {
    let mut all = Vec::new();
    for (i, part) in key.split('.').enumerate() {
        match part {
            _ if i == MAX_PARTS => return Err(BadKey::Deep),
            _ if i == 0 && part != "traefik" => return Err(BadKey::Root),
            "" => return Err(BadKey::EmptyPart),
            _ if part.starts_with('[') => return Err(BadKey::OpeningBracket),
            _ if part.ends_with(']') => {
                let at = part.find('[').ok_or(BadKey::ClosingBracket)?;
                all.extend([&part[..at], &part[at..]]);
            }
            _ => all.push(part),
        }
    }
    Ok(all)
}

/// The label that another one of the same key has taken the place of.
fn add(part: &mut Part, path: &[&str], label: usize) -> Option<usize> {
    let [first, rest @ ..] = path else { return part.label.replace(label) };
    let at = *part.index.entry(first.chars().map(folded).collect()).or_insert_with(|| {
        part.children.push(Part { name: (*first).to_string(), ..Part::default() });
        part.children.len() - 1
    });
    add(&mut part.children[at], rest, label)
}

/// Names are compared without regard to case, also that of other alphabets.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a == b || a.chars().map(folded).eq(b.chars().map(folded))
}

/// The small letter of a letter's capital, so that all forms of one letter are the same (`ς` and `σ`).
fn folded(c: char) -> char {
    let single = |c: char, mut forms: Box<dyn Iterator<Item = char>>| match (forms.next(), forms.next()) {
        (Some(one), None) => one,
        _ => c,
    };
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let lower = single(c, Box::new(c.to_lowercase()));
    let upper = single(lower, Box::new(lower.to_uppercase()));
    // The dotless i is no i.
    if lower == 'ı' { lower } else { single(lower, Box::new(upper.to_lowercase())) }
}

impl Part {
    /// A label whose key ends here or below, for its place.
    pub fn some_label(&self) -> Option<usize> {
        self.label.or_else(|| self.children.iter().find_map(Part::some_label))
    }

    /// All of them.
    pub fn labels(&self) -> Vec<usize> {
        self.label.into_iter().chain(self.children.iter().flat_map(Part::labels)).collect()
    }
}
