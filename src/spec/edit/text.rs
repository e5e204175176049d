//! Places in a text of YAML: where the value of a key begins and ends, and where a mapping takes one more key. Only looks; whoever cuts there reads what
//! came of it again.

use crate::diag::Span;

/// A text, and where its lines begin.
pub(super) struct Text<'t> {
    pub all: &'t str,
    starts: Vec<usize>,
}

/// How the value behind a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In the lines below, or nowhere.
    Below,
    /// `{...}`, from that byte.
    Flow(usize),
    /// A scalar on the key's line, from that byte.
    Scalar(usize),
}

/// A key with its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The byte that the key begins at, and the one behind its colon.
    pub key: usize,
    pub colon: usize,
    pub style: Style,
    line: usize,
    indent: usize,
}

impl<'t> Text<'t> {
    pub fn new(all: &'t str) -> Text<'t> {
        let breaks = all.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Text { all, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// With its end, where it has one.
    fn line(&self, index: usize) -> &'t str {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.all.len());
        self.starts.get(index).and_then(|start| self.all.get(*start..end)).unwrap_or_default()
    }

    /// How lines end here.
    pub fn ending(&self) -> &'static str {
        if self.line(0).ends_with("\r\n") { "\r\n" } else { "\n" }
    }

    /// The key that stands there; `None` where it is written in another way than `key: value`, or its value by an alias or with a tag.
    pub fn place(&self, key: Span) -> Option<Place> {
        let line = (key.line as usize).checked_sub(1)?;
        let start = *self.starts.get(line)?;
        let indent = (key.column as usize).checked_sub(1)?;
        let byte = |count: usize, from: usize| {
            let rest = self.all.get(from..)?;
            Some(from + rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at))
        };
        let at = byte(indent, start)?;
        let end = self.spaces(byte(key.width as usize, at)?);
        let colon = self.all.get(end..)?.starts_with(':').then_some(end + 1)?;
        let mut value = self.spaces(colon);
        if self.rest(value).starts_with('&') {
            let name = self.rest(value);
            value = self.spaces(value + name.find(char::is_whitespace).unwrap_or(name.len()));
        }
        let style = match self.rest(value).chars().next() {
            None | Some('\n' | '\r' | '#') => Style::Below,
            Some('{') => Style::Flow(value),
            Some('*' | '!' | '[' | '|' | '>') => return None,
            Some(_) => Style::Scalar(value),
        };
        Some(Place { key: at, colon, style, line, indent })
    }

    fn rest(&self, at: usize) -> &'t str {
        self.all.get(at..).unwrap_or_default()
    }

    fn spaces(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + (rest.len() - rest.trim_start_matches([' ', '\t']).len())
    }

    /// Behind a scalar. `flow`: it stands between braces.
    pub fn scalar_end(&self, start: usize, flow: bool) -> Option<usize> {
        let rest = self.rest(start);
        if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return Some(start + quoted(rest, quote)?);
        }
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        let line = line.split(" #").next().unwrap_or_default();
        let text = if flow { line.split([',', '}', ']']).next().unwrap_or_default() } else { line };
        Some(start + text.trim_end().len())
    }

    /// The byte of the brace that ends what begins at `open`.
    fn close(&self, open: usize) -> Option<usize> {
        let rest = self.rest(open);
        let (mut depth, mut at, mut begins, mut before) = (0_usize, 0, true, ' ');
        while let Some(c) = rest.get(at..)?.chars().next() {
            let mut next = at + c.len_utf8();
            match c {
                '"' | '\'' if begins => next = at + quoted(rest.get(at..)?, c)?,
                '#' if before.is_whitespace() => next = at + rest.get(at..)?.find('\n').unwrap_or(rest.len() - at),
                '{' | '[' => depth += 1,
                '}' | ']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(open + at);
                    }
                }
                _ => {}
            }
            begins = matches!(c, '{' | '[' | ',' | ':') || c.is_whitespace() && begins;
            (at, before) = (next, c);
        }
        None
    }

    /// The index of the last line that belongs to the key of a block.
    fn last_line(&self, place: &Place) -> usize {
        let (mut last, mut gap) = (place.line, false);
        for index in place.line + 1..self.starts.len() {
            let line = self.line(index);
            let text = line.trim_start_matches(' ');
            let deeper = line.len() - text.len() > place.indent;
            if text.trim().is_empty() {
                gap = true;
            } else if text.starts_with('#') {
                // A comment belongs to what stands right above it.
                last = if deeper && !gap { index } else { last };
            } else if deeper || (line.len() - text.len() == place.indent && text.starts_with("- ")) {
                (last, gap) = (index, false);
            } else {
                break;
            }
        }
        last
    }

    /// The text with something between: at a byte, in place of `gone` bytes.
    pub fn with(&self, at: usize, gone: usize, new: &str) -> Option<String> {
        Some(format!("{}{new}{}", self.all.get(..at)?, self.all.get(at + gone..)?))
    }

    /// The ways to give the mapping of a key one more entry, the best first. `lines`: the entry as lines of a block, each with how deep it stands; `flow`: between braces.
    pub fn with_entry(&self, of: &Place, lines: &[(usize, String)], flow: &str) -> Vec<String> {
        match of.style {
            Style::Flow(open) => self.in_braces(open, flow).into_iter().collect(),
            Style::Below => {
                let child = (of.line + 1..self.starts.len())
                    .map(|index| self.line(index))
                    .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
                    .map(|line| line.len() - line.trim_start_matches(' ').len())
                    .filter(|indent| *indent > of.indent);
                let Some(child) = child else {
                    return self.with(of.colon, 0, &format!(" {{ {flow} }}")).into_iter().collect();
                };
                let step = child - of.indent;
                let indented = |(deep, line): &(usize, String)| format!("{}{line}", " ".repeat(child + deep * step));
                let new = lines.iter().map(indented).collect::<Vec<_>>().join(self.ending());
                [self.last_line(of), of.line].into_iter().filter_map(|line| self.below(line, &new)).collect()
            }
            Style::Scalar(_) => Vec::new(),
        }
    }

    fn below(&self, line: usize, new: &str) -> Option<String> {
        let end = self.starts.get(line + 1).copied();
        match end.filter(|_| self.line(line).ends_with('\n')) {
            Some(end) => self.with(end, 0, &format!("{new}{}", self.ending())),
            None => self.with(self.all.len(), 0, &format!("{}{new}", self.ending())),
        }
    }

    fn in_braces(&self, open: usize, entry: &str) -> Option<String> {
        let close = self.close(open)?;
        let inner = self.all.get(open + 1..close)?.trim_end();
        let at = open + 1 + inner.len();
        match inner.chars().last() {
            None => self.with(open + 1, close - open - 1, &format!(" {entry} ")),
            Some(',') => self.with(at, 0, &format!(" {entry}")),
            Some(_) => self.with(at, 0, &format!(", {entry}")),
        }
    }

    /// The text without the entry. `flow`: it stands between braces.
    pub fn without_entry(&self, of: &Place, flow: bool) -> Option<String> {
        if !flow {
            let start = *self.starts.get(of.line)?;
            let end = self.starts.get(self.last_line(of) + 1).copied().unwrap_or(self.all.len());
            return self.with(start, end - start, "");
        }
        let end = match of.style {
            Style::Flow(open) => self.close(open)? + 1,
            Style::Scalar(start) => self.scalar_end(start, true)?,
            Style::Below => return None,
        };
        let rest = self.rest(end);
        let after = rest.trim_start();
        if let Some(after) = after.strip_prefix(',') {
            let gone = self.all.len() - after.trim_start().len() - of.key;
            return self.with(of.key, gone, "");
        }
        let before = self.all.get(..of.key)?.trim_end();
        let start = before.strip_suffix(',').map_or(of.key, |before| before.trim_end().len());
        self.with(start, end - start, "")
    }
}

/// How long a quoted scalar is, with its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut all = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = all.next() {
        if c == '\\' && quote == '"' {
            all.next();
        } else if c == quote {
            match all.peek() {
                Some((_, next)) if quote == '\'' && *next == quote => drop(all.next()),
                _ => return Some(at + 1),
            }
        }
    }
    None
}
