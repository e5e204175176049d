//! Parser events to trees: anchors, aliases, `<<`, duplicate keys, limits. One explicit stack, no recursion on input.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, Tag};

use super::{MAX_DEPTH, MAX_EXPANDED, scalar, syntax};
use crate::compose::tree::{Entry, Map, Mark, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, FileId, Span};

const KEY: &str = "write the key as a word, and what belongs to it behind the colon";

/// A collection being read.
enum Open {
    Seq { node: Node, anchor: usize },
    Map { node: Node, anchor: usize, key: Option<(String, Span)>, merges: Vec<Node> },
}

struct Builder<'d> {
    file: FileId,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    /// Size of each anchored node, so that an alias is charged before it is copied.
    sizes: HashMap<usize, usize>,
    expanded: usize,
    documents: Vec<Node>,
    diagnostics: &'d mut Diagnostics,
    /// A limit was passed: nothing more is read.
    stopped: bool,
}

pub(super) fn documents(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let mut builder = Builder {
        file,
        open: Vec::new(),
        anchors: HashMap::new(),
        sizes: HashMap::new(),
        expanded: 0,
        documents: Vec::new(),
        diagnostics,
        stopped: false,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                let marker = error.marker();
                let place = Span { file, line: marker.line().max(1) as u32, column: marker.col() as u32 + 1, width: 1 };
                let (title, hint) = syntax::words(&error.info());
                builder.error(Diagnostic::error("compose.yaml-syntax", title).at(place).hint(hint));
                builder.stopped = true;
            }
        }
        if builder.stopped {
            return Vec::new();
        }
    }
    builder.documents
}

impl Builder<'_> {
    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn place(&self, span: &YamlSpan) -> Span {
        let (start, end) = (&span.start, &span.end);
        let width = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { 1 };
        Span {
            file: self.file,
            line: start.line().max(1) as u32,
            column: start.col() as u32 + 1,
            width: width.max(1) as u32,
        }
    }

    fn event(&mut self, event: Event<'_>, span: YamlSpan) {
        let place = self.place(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag.as_deref(), place),
            Event::SequenceStart(_, anchor, tag) => {
                self.enter(Open::Seq { node: marked(place, Value::Seq(Vec::new()), tag.as_deref()), anchor }, place);
            }
            Event::MappingStart(_, anchor, tag) => {
                let node = marked(place, Value::Map(Map::default()), tag.as_deref());
                self.enter(Open::Map { node, anchor, key: None, merges: Vec::new() }, place);
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::DocumentStart(..) => self.anchors.clear(),
            _ => {}
        }
    }

    fn enter(&mut self, open: Open, place: Span) {
        if self.key_is_due() {
            return self.stop("compose.key-not-text", "a key must be text, not a list or mapping", place, KEY);
        }
        if self.open.len() >= MAX_DEPTH {
            let title = format!("nesting deeper than {MAX_DEPTH} levels");
            let hint = "no attribute of Compose needs more than nine levels: write it flatter";
            return self.stop("compose.too-deep", &title, place, hint);
        }
        self.open.push(open);
    }

    fn stop(&mut self, code: &'static str, title: &str, place: Span, hint: &str) {
        self.error(Diagnostic::error(code, title).at(place).hint(hint));
        self.stopped = true;
    }

    fn key_is_due(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn scalar(&mut self, text: Cow<str>, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, place: Span) {
        let plain = style == ScalarStyle::Plain;
        if self.key_is_due() {
            return self.key(text.into_owned(), plain && tag.is_none(), anchor, place);
        }
        let value = match tag.map(Tag::original) {
            None if plain => scalar::resolve(&text),
            // `!!int "5"` and its kin resolve as if plain; Compose's own tags keep what is written.
            Some(tag) if tag == "!!int" || tag == "!!float" || tag == "!!bool" || tag == "!!null" => {
                scalar::resolve(&text)
            }
            Some(tag) if (tag == "!reset" || tag == "!override") && plain => scalar::resolve(&text),
            _ => Value::Str(text.into_owned()),
        };
        let node = marked(place, value, tag);
        self.keep(anchor, &node, size_of(&node));
        self.put(node);
    }

    fn key(&mut self, text: String, plain: bool, anchor: usize, place: Span) {
        if plain && text != "<<" && !matches!(scalar::resolve(&text), Value::Str(_) | Value::Date(_)) {
            self.error(
                Diagnostic::error(
                    "compose.key-not-text",
                    format!("the key `{text}` is read as a number, boolean or nothing"),
                )
                .at(place)
                .hint(format!("write it as text: \"{text}\"")),
            );
        }
        self.keep(anchor, &Node::str(place, text.clone()), 1);
        if let Some(Open::Map { key, .. }) = self.open.last_mut() {
            *key = Some((text, place));
        }
    }

    fn alias(&mut self, anchor: usize, place: Span) {
        let size = self.sizes.get(&anchor).copied().unwrap_or(1);
        self.expanded += size;
        if self.expanded > MAX_EXPANDED {
            let title = format!("aliases expand to more than {MAX_EXPANDED} values");
            let hint = "write out what is meant, or let services `extends` one another";
            return self.stop("compose.alias-bomb", &title, place, hint);
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let title = "this alias stands inside the value that it repeats";
            return self.stop("compose.yaml-syntax", title, place, "name another value, or write out what is meant");
        };
        if self.key_is_due() {
            match node.value {
                Value::Str(text) => return self.key(text, false, 0, place),
                _ => return self.stop("compose.key-not-text", "a key must be text, not a list or mapping", place, KEY),
            }
        }
        self.put(node);
    }

    fn keep(&mut self, anchor: usize, node: &Node, size: usize) {
        if anchor != 0 {
            self.sizes.insert(anchor, size);
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn leave(&mut self) {
        let (mut node, anchor) = match self.open.pop() {
            Some(Open::Seq { node, anchor }) => (node, anchor),
            Some(Open::Map { mut node, anchor, merges, .. }) => {
                for merge in merges {
                    self.merge(&mut node, merge);
                }
                (node, anchor)
            }
            None => return,
        };
        // A collection's caret stands under its first key, where a person looks for it.
        if let Value::Map(map) = &node.value
            && let Some(first) = map.0.values().next()
            && first.key.line == node.span.line
        {
            node.span = first.key;
        }
        if anchor != 0 {
            let size = size_of(&node);
            self.keep(anchor, &node, size);
        }
        self.put(node);
    }

    /// `<<`: keys that the mapping does not have itself; the first of several sources wins. Shallow, as YAML says.
    fn merge(&mut self, node: &mut Node, source: Node) {
        let sources = match source.value {
            Value::Map(_) => vec![source],
            Value::Seq(items) if items.iter().all(|i| i.as_map().is_some()) => items,
            _ => {
                let found = match source.value {
                    Value::Seq(_) => "a list of other things",
                    _ => source.kind(),
                };
                self.error(
                    Diagnostic::error(
                        "compose.merge-key",
                        format!("`<<` takes a mapping or a list of mappings, not {found}"),
                    )
                    .at(source.span)
                    .hint("write `<<: *name` where `&name` stands on a mapping"),
                );
                return;
            }
        };
        let Some(map) = node.as_map_mut() else { return };
        for source in sources {
            if let Value::Map(source) = source.value {
                for (key, entry) in source.0 {
                    map.0.entry(key).or_insert(entry);
                }
            }
        }
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.documents.push(node),
            // An item tagged `!reset` is dropped from its list, as Compose does.
            Some(Open::Seq { node: Node { value: Value::Seq(items), .. }, .. }) => {
                if node.mark != Mark::Reset {
                    items.push(node);
                }
            }
            Some(Open::Map { node: Node { value: Value::Map(map), .. }, key, merges, .. }) => {
                let Some((name, place)) = key.take() else { return };
                if name == "<<" && !matches!(node.value, Value::Str(_)) {
                    merges.push(node);
                    return;
                }
                if let Some(first) = map.0.get(&name) {
                    let first = first.key;
                    self.diagnostics.push(
                        Diagnostic::error("compose.duplicate-key", format!("the key `{name}` stands here twice"))
                            .at(place)
                            .related(first, "first defined here")
                            .hint("keep one of the two"),
                    );
                    return;
                }
                map.0.insert(name, Entry { key: place, node });
            }
            Some(_) => {}
        }
    }
}

fn marked(span: Span, value: Value, tag: Option<&Tag>) -> Node {
    let mark = match tag.map(Tag::original).as_deref() {
        Some("!reset") => Mark::Reset,
        Some("!override") => Mark::Override,
        _ => Mark::None,
    };
    Node { span, value, mark }
}

/// How much an alias of it adds: values, and what their texts weigh.
pub(crate) fn size_of(node: &Node) -> usize {
    1 + match &node.value {
        Value::Seq(items) => items.iter().map(size_of).sum(),
        Value::Map(map) => map.iter().map(|(key, node)| key.len() / 64 + size_of(node)).sum(),
        Value::Str(text) => text.len() / 64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::tree::{Mark, Node, Value};
    use crate::compose::yaml;
    use crate::diag::{Diagnostics, Sources};

    fn read(text: &str) -> (Vec<Node>, Vec<String>) {
        let mut sources = Sources::default();
        let file = sources.add("f.yaml", text);
        let mut diagnostics = Diagnostics::default();
        let nodes = yaml::parse(file, &sources, &mut diagnostics);
        let told = diagnostics.0.iter().map(|d| format!("{}@{}", d.code, d.place.map_or(0, |p| p.line))).collect();
        (nodes, told)
    }

    #[test]
    fn anchors_and_merge_keys_resolve_shallowly() {
        let (docs, told) = read("a: &x {l: {p: 1}, m: 2}\nb: {<<: *x, m: 3}\nc: *x\n");
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(docs[0].at(&["b", "m"]).unwrap().value, Value::Int(3));
        assert_eq!(docs[0].at(&["b", "l", "p"]).unwrap().value, Value::Int(1));
        assert_eq!(docs[0].at(&["c", "m"]).unwrap().value, Value::Int(2));
    }

    #[test]
    fn every_duplicate_is_told_with_both_places() {
        let (_, told) = read("a: 1\nb: 2\na: 3\nb: 4\n");
        assert_eq!(told, ["compose.duplicate-key@3", "compose.duplicate-key@4"]);
    }

    #[test]
    fn tags_stay_on_nulls_and_lists() {
        let (docs, _) = read("a: !reset null\nb: !override [1]\nc: [1, !reset 2, 3]\n");
        assert_eq!(docs[0].get("a").unwrap().mark, Mark::Reset);
        assert_eq!(docs[0].get("b").unwrap().mark, Mark::Override);
        assert_eq!(docs[0].get("c").unwrap().as_seq().unwrap().len(), 2);
    }

    #[test]
    fn bombs_and_depths_end_in_a_diagnostic() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..10 {
            let items = vec![format!("*a{}", i - 1); 10].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{items}]\n"));
        }
        assert_eq!(read(&bomb).1.len(), 1);
        assert!(read(&bomb).1[0].starts_with("compose.alias-bomb"));
        assert!(read(&"- ".repeat(30_000)).1[0].starts_with("compose."));
        assert!(read(&"[".repeat(30_000)).1[0].starts_with("compose."));
    }

    #[test]
    fn places_count_characters_from_one() {
        let (docs, _) = read("services:\n  wéb:\n    image: nginx\n");
        let image = docs[0].at(&["services", "wéb", "image"]).unwrap();
        assert_eq!((image.span.line, image.span.column, image.span.width), (3, 12, 5));
    }

    #[test]
    fn a_byte_order_mark_and_many_documents_are_read() {
        let (docs, told) = read("\u{feff}a: 1\n---\nb: 2\n");
        assert_eq!((docs.len(), told.len()), (2, 0));
    }

    #[test]
    fn keys_that_are_no_text_are_refused_in_place() {
        assert_eq!(read("services:\n  1: {}\n").1, ["compose.key-not-text@2"]);
    }
}
