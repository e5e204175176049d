//! From a place in a rendered file back to the place in the stack that a person edits.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::compose::Loaded;
use crate::compose::tree::{Node, Value};
use crate::compose::yaml;
use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span};

/// Where everything in one rendered file comes from: line and column there to the span in a stack.
#[derive(Debug, Clone, Default)]
pub struct Places {
    starts: HashMap<(u32, u32), Span>,
}

impl Places {
    /// `text` was written from `tree`, so both have one shape; only the places differ.
    pub(super) fn new(text: &str, tree: &Node) -> Places {
        let mut sources = Sources::default();
        let file = sources.add("rendered", text);
        let documents = yaml::parse(file, &sources, &mut Diagnostics::default());
        let mut places = Places::default();
        if let Some(written) = documents.first() {
            places.pair(written, tree);
        }
        places
    }

    fn pair(&mut self, written: &Node, from: &Node) {
        self.keep(written.span, from.span);
        match (&written.value, &from.value) {
            (Value::Map(written), Value::Map(from)) => {
                for (key, entry) in &written.0 {
                    if let Some(origin) = from.0.get(key) {
                        self.pair(&entry.node, &origin.node);
                        self.starts.insert((entry.key.line, entry.key.column), origin.key);
                    }
                }
            }
            (Value::Seq(written), Value::Seq(from)) => {
                written.iter().zip(from).for_each(|(written, from)| self.pair(written, from));
            }
            _ => {}
        }
    }

    fn keep(&mut self, written: Span, from: Span) {
        self.starts.entry((written.line, written.column)).or_insert(from);
    }

    /// The place in a stack, if something of the stack begins at this place.
    pub fn origin(&self, span: Span) -> Option<Span> {
        self.starts.get(&(span.line, span.column)).copied()
    }
}

/// Rendered texts by absolute path, and what their places mean in `sources` of the stacks.
pub struct Origins<'a> {
    pub files: Vec<(PathBuf, &'a Places)>,
    pub sources: &'a Sources,
    /// What reading the stacks said; it comes first.
    pub warnings: &'a Diagnostics,
}

impl Origins<'_> {
    /// Makes everything that a load of rendered text says point into the stacks. Gives which file of `sources` became which
    /// of the load.
    pub fn apply(&self, loaded: &mut Loaded) -> HashMap<FileId, FileId> {
        let mut moved = HashMap::new();
        for id in self.sources.ids() {
            let source = self.sources.get(id);
            moved.insert(id, loaded.sources.add(&source.path, &source.text));
        }
        let rendered: HashMap<FileId, &Places> =
            self.files.iter().filter_map(|(path, places)| Some((loaded.sources.find(path)?, *places))).collect();
        let own = |span: Span| moved.get(&span.file).map_or(span, |file| Span { file: *file, ..span });
        let origin = |span: Span| rendered.get(&span.file).and_then(|p| p.origin(span)).map_or(span, own);
        for diagnostic in &mut loaded.diagnostics.0 {
            diagnostic.place = diagnostic.place.map(origin);
            diagnostic.related.iter_mut().for_each(|(span, _)| *span = origin(*span));
        }
        if let Some(project) = &mut loaded.project {
            project.places.values_mut().for_each(|span| *span = origin(*span));
        }
        let mut all = self.warnings.clone();
        for diagnostic in &mut all.0 {
            diagnostic.place = diagnostic.place.map(own);
            diagnostic.related.iter_mut().for_each(|(span, _)| *span = own(*span));
        }
        all.extend(std::mem::take(&mut loaded.diagnostics));
        loaded.diagnostics = all;
        once(&mut loaded.diagnostics);
        moved
    }
}

/// What reading the stacks told already is not told again, nor is one place of an anchor twice.
fn once(told: &mut Diagnostics) {
    let mut seen = std::collections::HashSet::new();
    told.0.retain(|d: &Diagnostic| seen.insert((d.place, d.code, d.title.clone())));
}
