//! Tables of text: a header, columns as wide as their widest cell, two blanks between.

use unicode_width::UnicodeWidthStr;

/// Lays out rows under a header. Colour codes in cells do not count as width.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|h| h.width()).collect();
    for row in rows {
        for (i, cell) in row.iter().enumerate().take(widths.len()) {
            widths[i] = widths[i].max(shown_width(cell));
        }
    }
    let mut out = String::new();
    let header: Vec<String> = header.iter().map(|h| h.to_string()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(shown_width(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A table of at most this width, where its words let it: cells that are too wide go on in the next line.
pub const WIDTH: usize = 100;

/// As [`table`]; for a person at a terminal folded to [`WIDTH`], for a program with a line for each row.
pub fn fitting(header: &[&str], rows: &[Vec<String>], terminal: bool) -> String {
    if terminal { folded(header, rows) } else { table(header, rows) }
}

fn folded(header: &[&str], rows: &[Vec<String>]) -> String {
    let most = |of: &dyn Fn(&str) -> usize, column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| of(cell)).max().unwrap_or_default();
        widest.max(header[column].width())
    };
    let longest_word = |cell: &str| cell.split(' ').map(shown_width).max().unwrap_or_default();
    let columns = 0..header.len();
    let least: Vec<usize> = columns.clone().map(|i| most(&longest_word, i)).collect();
    let mut widths: Vec<usize> = columns.clone().map(|i| most(&shown_width, i)).collect();
    let room = WIDTH.saturating_sub(2 * header.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let widest = columns.clone().filter(|i| widths[*i] > least[*i]).max_by_key(|i| widths[*i]);
        let Some(widest) = widest else { break };
        widths[widest] -= 1;
    }
    let mut lines = Vec::new();
    for row in rows {
        let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, width)| fold(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        let line = |n: usize| cells.iter().map(|cell| cell.get(n).cloned().unwrap_or_default()).collect();
        lines.extend((0..height).map(line));
    }
    table(header, &lines)
}

/// A cell in lines, each in the colour of the whole.
fn fold(cell: &str, width: usize) -> Vec<String> {
    let (colour, text) = match cell.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m')) {
        Some((code, rest)) => (format!("\x1b[{code}m"), rest.trim_end_matches("\x1b[0m")),
        None => (String::new(), cell),
    };
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    if !colour.is_empty() {
        lines.iter_mut().for_each(|line| *line = format!("{colour}{line}\x1b[0m"));
    }
    lines
}

fn shown_width(cell: &str) -> usize {
    let mut width = 0;
    let mut rest = cell;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        width += before.width();
        rest = after.split_once('m').map_or("", |(_, tail)| tail);
    }
    width + rest.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_is_folded_between_words_and_keeps_its_colours() {
        let long = "\x1b[31mthe port in its route may be wrong, or the service listens on 127.0.0.1 only, and nobody else gets there\x1b[0m";
        let rows = vec![
            vec!["web".into(), "https://a-rather-long-name.of-a-host.example.org/path".into(), long.into()],
            vec!["b".into(), "https://b.example.org".into(), "working".into()],
        ];
        let shown = folded(&["SERVICE", "URL", "STATE"], &rows);
        assert!(shown.lines().all(|line| shown_width(line) <= WIDTH), "{shown}");
        assert!(shown.contains("https://a-rather-long-name.of-a-host.example.org/path"), "{shown}");
        assert_eq!(shown.matches("\x1b[31m").count(), shown.matches("\x1b[0m").count());
        assert_eq!(
            shown.lines().last(),
            Some("b        https://b.example.org                                  working"),
            "{shown}"
        );
        // What has no blank is not broken.
        let name = "x".repeat(120);
        assert!(folded(&["A", "B"], &[vec![name.clone(), "b c".into()]]).contains(&name));
    }

    #[test]
    fn columns_line_up_even_in_colour() {
        let rows = vec![vec!["web".into(), "\x1b[32mrunning\x1b[0m".into()], vec!["database".into(), "off".into()]];
        let shown = table(&["NAME", "STATE"], &rows);
        assert_eq!(shown, "NAME      STATE\nweb       \x1b[32mrunning\x1b[0m\ndatabase  off\n");
    }
}
