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
    fn columns_line_up_even_in_colour() {
        let rows = vec![vec!["web".into(), "\x1b[32mrunning\x1b[0m".into()], vec!["database".into(), "off".into()]];
        let shown = table(&["NAME", "STATE"], &rows);
        assert_eq!(shown, "NAME      STATE\nweb       \x1b[32mrunning\x1b[0m\ndatabase  off\n");
    }
}
