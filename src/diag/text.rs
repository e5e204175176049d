//! A diagnostic on the terminal and as JSON.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar;

use super::{Diagnostic, Severity, Sources, Span};

/// The terminal form. `cwd` shortens paths below it. Control and bidirectional characters of the input are shown
/// escaped, so that a hostile file cannot move the cursor or reorder what a person reads.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, cwd: &Path) -> String {
    let mut out = String::new();
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let _ = writeln!(out, "{word}[{}]: {}", diagnostic.code, visible(&diagnostic.whole()));
    if let Some(span) = diagnostic.place {
        snippet(&mut out, sources, span, diagnostic.field.as_deref(), cwd);
    } else if let Some(field) = &diagnostic.field {
        let _ = writeln!(out, "  in {}", visible(field));
    }
    for (span, story) in &diagnostic.related {
        let _ = writeln!(out, "note: {}", visible(story));
        snippet(&mut out, sources, *span, None, cwd);
    }
    for hint in &diagnostic.hints {
        let _ = writeln!(out, "hint: {}", visible(hint));
    }
    out
}

/// The JSON form, as anybody may have it: code, kind, severity, title, place, field, related, hints, and where the panel explains the code.
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let place = |span: Span| {
        json!({
            "file": sources.path(span.file),
            "line": span.line,
            "column": span.column,
            "width": span.width,
            "text": super::hide::hide(&sources.line(span).chars().take(1 << 14).collect::<String>()).text,
        })
    };
    json!({
        "code": diagnostic.code,
        "kind": diagnostic.kind,
        "severity": diagnostic.severity,
        "title": diagnostic.title,
        "place": diagnostic.place.map(place),
        "field": diagnostic.field,
        "related": diagnostic.related.iter().map(|(s, story)| json!({"place": place(*s), "story": story})).collect::<Vec<_>>(),
        "hints": diagnostic.hints,
        "docs": format!("/docs/errors#{}", diagnostic.code),
    })
}

fn snippet(out: &mut String, sources: &Sources, span: Span, field: Option<&str>, cwd: &Path) {
    let path = sources.path(span.file);
    let path = path.strip_prefix(cwd).unwrap_or(path);
    let _ = write!(out, "  --> {}:{}:{}", visible(&path.to_string_lossy()), span.line, span.column);
    let _ = match field {
        Some(field) => writeln!(out, " ({})", visible(field)),
        None => writeln!(out),
    };
    let line = sources.line(span);
    if line.is_empty() {
        return;
    }
    let gutter = span.line.to_string().len();
    // Of a line of megabytes only what stands around the place is looked at.
    let from = (span.column as usize).saturating_sub(1 << 13);
    let part: String = line.chars().skip(from).take(1 << 14).collect();
    let hidden = super::hide::hide(&part);
    let start = (span.column as usize).saturating_sub(1 + from);
    let at = hidden.column(start);
    let end = hidden.column(start + span.width as usize);
    let (shown, before, under) = window(&hidden.text, at, end.saturating_sub(at));
    let _ = writeln!(out, "{:gutter$} |", "");
    let _ = writeln!(out, "{} | {shown}", span.line);
    let _ = writeln!(out, "{:gutter$} | {}{}", "", " ".repeat(before), "^".repeat(under.max(1)));
}

/// The part of a long line around character `at`, the columns before the caret, and the caret's width.
fn window(line: &str, at: usize, width: usize) -> (String, usize, usize) {
    const WIDTH: usize = 160;
    let chars: Vec<char> = line.chars().collect();
    let start = at.min(chars.len());
    let from = if chars.len() > WIDTH && start > WIDTH / 2 { start - WIDTH / 4 } else { 0 };
    let to = chars.len().min(from + WIDTH);
    let columns =
        |cs: &[char]| visible(&cs.iter().collect::<String>()).chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let end = (start + width.max(1)).clamp(start, to);
    (visible(&chars[from..to].iter().collect::<String>()), columns(&chars[from..start]), columns(&chars[start..end]))
}

/// Text safe to print: tabs become a blank, other control and direction-changing characters are written as `\u{..}`.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\t' => out.push(' '),
            '\n' => out.push('\n'),
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
        out
    })
}

/// Whether a terminal would act on the character, or read what follows in another order.
pub fn is_unsafe(c: char) -> bool {
    let reorders = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_line_and_a_way_out() {
        let mut sources = Sources::default();
        let file = sources.add("/home/me/compose.yaml", "services:\n  web:\n    imgae: nginx\n");
        let d = Diagnostic::error("compose.unknown-key", "unknown key `imgae`")
            .at(Span { file, line: 3, column: 5, width: 5 })
            .field("services.web.imgae")
            .hint("did you mean `image`?");
        assert_eq!(
            render(&d, &sources, Path::new("/home/me")),
            "error[compose.unknown-key]: unknown key `imgae`\n  --> compose.yaml:3:5 (services.web.imgae)\n  |\n3 |     imgae: nginx\n  |     ^^^^^\nhint: did you mean `image`?\n"
        );
    }

    #[test]
    fn hostile_characters_are_shown_not_obeyed() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(visible("\u{9b}2J\u{61c}\u{2028}"), "\\u{9b}2J\\u{61c}\\u{2028}");
    }
}
