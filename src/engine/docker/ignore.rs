//! `.dockerignore`, with the grammar that the docker CLI gives it: later lines win, `!` takes back, `**` crosses
//! directories, and what lies in an ignored directory is ignored with it.

/// The patterns of one file, in order.
#[derive(Debug, Default, PartialEq)]
pub struct Ignore(Vec<Pattern>);

#[derive(Debug, PartialEq)]
struct Pattern {
    /// `!`: brings back what an earlier line ignored.
    back: bool,
    /// As cleaned, for the special case of [`Pattern::matches`].
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Char(char),
    /// `?`: anything but a slash.
    One,
    /// `*`: any run without a slash.
    Run,
    /// `**` or `**/` before something: nothing, or anything that ends with a slash.
    Folders,
    /// `**` at the end: anything.
    Rest,
    /// `[a-z]`, negated with `^`.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// Reads the file's text. `Err` tells the number of the line that is no pattern.
    pub fn parse(text: &str) -> Result<Ignore, usize> {
        let mut patterns = Vec::new();
        for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            patterns.push(Pattern::parse(line.trim()).ok_or(i + 1)?);
        }
        Ok(Ignore(patterns))
    }

    /// Brings `path` back, whatever the lines say.
    pub fn keep(&mut self, path: &str) {
        let tokens = path.chars().map(Token::Char).collect();
        self.0.push(Pattern { back: true, text: path.to_string(), tokens });
    }

    /// Whether `path` (relative, with slashes) is ignored, by itself or with a directory above it.
    pub fn ignores(&self, path: &str) -> bool {
        let parents: Vec<&str> = path.match_indices('/').map(|(i, _)| &path[..i]).collect();
        self.0.iter().fold(false, |ignored, pattern| {
            // A line that ignores says nothing about what is ignored already, and the other way round.
            let speaks = pattern.back == ignored;
            if speaks && (pattern.matches(path) || parents.iter().any(|p| pattern.matches(p))) {
                return !pattern.back;
            }
            ignored
        })
    }

    /// Whether a line brings back something below `folder`: by its text, as for the docker CLI, which does not look
    /// below an ignored directory for what `!**/name` might find there.
    pub fn may_bring_back(&self, folder: &str) -> bool {
        let below = |text: &str| text.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.0.iter().any(|p| p.back && below(&p.text))
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Pattern> {
        let (back, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        if line.is_empty() {
            return None;
        }
        let text = cleaned(line);
        Some(Pattern { back, tokens: tokens(&text)?, text })
    }

    fn matches(&self, path: &str) -> bool {
        // The CLI's own reading of `**` at the start before plain text: the path ends so, or is it without the slash.
        let plain = |t: &str| !t.contains(['*', '?', '[', ']', '\\']);
        if let Some(suffix) = self.text.strip_prefix("**").filter(|rest| plain(rest)) {
            return path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path);
        }
        self.tokens_match(&path.chars().collect::<Vec<_>>())
    }

    /// Which positions of the text can be reached after each token: linear in both, whatever the pattern.
    fn tokens_match(&self, text: &[char]) -> bool {
        let mut at = vec![false; text.len() + 1];
        at[0] = true;
        for token in &self.tokens {
            let mut next = vec![false; text.len() + 1];
            match token {
                Token::Run => {
                    for i in 0..at.len() {
                        next[i] = at[i] || (i > 0 && next[i - 1] && text[i - 1] != '/');
                    }
                }
                Token::Rest => {
                    let first = at.iter().position(|here| *here).unwrap_or(at.len());
                    next.iter_mut().skip(first).for_each(|n| *n = true);
                }
                Token::Folders => {
                    let first = at.iter().position(|here| *here).unwrap_or(at.len());
                    for i in 0..at.len() {
                        next[i] = at[i] || (i > first && text[i - 1] == '/');
                    }
                }
                one => {
                    for i in 0..text.len() {
                        next[i + 1] = at[i] && one.takes(text[i]);
                    }
                }
            }
            at = next;
        }
        at[text.len()]
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Token::Char(own) => *own == c,
            Token::One => c != '/',
            Token::Class { not, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *not,
            Token::Run | Token::Folders | Token::Rest => false,
        }
    }
}

/// Without `.`, `..`, doubled and leading slashes, as Go's `filepath.Clean` leaves it.
fn cleaned(line: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in line.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if line.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while let Some(c) = chars.get(i) {
        i += 1;
        tokens.push(match c {
            '*' if chars.get(i) == Some(&'*') => {
                i += 1;
                i += usize::from(chars.get(i) == Some(&'/'));
                if i == chars.len() { Token::Rest } else { Token::Folders }
            }
            '*' => Token::Run,
            '?' => Token::One,
            '\\' => {
                i += 1;
                Token::Char(*chars.get(i - 1)?)
            }
            '[' => {
                let (class, end) = class(&chars, i)?;
                i = end;
                class
            }
            other => Token::Char(*other),
        });
    }
    Some(tokens)
}

/// The class that begins after `[` at `i`, and where the text goes on. An unclosed or empty class is no pattern.
fn class(chars: &[char], mut i: usize) -> Option<(Token, usize)> {
    let not = chars.get(i) == Some(&'^');
    i += usize::from(not);
    let mut ranges = Vec::new();
    loop {
        let single = |i: &mut usize| {
            let escaped = chars.get(*i) == Some(&'\\');
            *i += 1 + usize::from(escaped);
            chars.get(*i - 1).copied()
        };
        if chars.get(i)? == &']' && !ranges.is_empty() {
            return Some((Token::Class { not, ranges }, i + 1));
        }
        let from = single(&mut i)?;
        let is_range = chars.get(i) == Some(&'-') && chars.get(i + 1).is_some_and(|c| *c != ']');
        let to = if is_range {
            i += 1;
            single(&mut i)?
        } else {
            from
        };
        if to < from {
            return None;
        }
        ranges.push((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &str, expected: bool) {
        assert_eq!(Ignore::parse(text).unwrap().ignores(path), expected, "{text:?} on {path}");
    }

    #[test]
    fn patterns_mean_what_they_mean_to_the_docker_cli() {
        for (text, path, expected) in [
            ("a", "a", true),
            ("a", "a/b/c", true),
            ("a", "b/a", false),
            ("/a/", "a", true),
            ("./a", "a", true),
            ("a/../b", "b", true),
            ("*.md", "x.md", true),
            ("*.md", "d/x.md", false),
            ("*/x.md", "d/x.md", true),
            ("**/x.md", "x.md", true),
            ("**/x.md", "a/b/x.md", true),
            ("**/x.md", "a/yx.md", false),
            ("**/*.go", "a/b/c.go", true),
            ("**/*.go", "c.go", true),
            ("a/**", "a/b/c", true),
            ("a/**", "ab", false),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**/z", "a/bz", false),
            ("**", "anything/at/all", true),
            ("**md", "x.md", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("# a\na", "a", true),
            ("\u{feff}a", "a", true),
            (" a ", "a", true),
            ("a.c", "abc", false),
        ] {
            check(text, path, expected);
        }
    }

    #[test]
    fn later_lines_win_and_bring_back() {
        check("*\n!keep", "keep", false);
        check("*\n!keep", "keep/below", false);
        check("*\n!keep", "other", true);
        check("*.md\n!README*.md\nREADME-secret.md", "README.md", false);
        check("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true);
        check("!a\na", "a", true);
        check("d\n!d/in", "d/in", false);
        assert_eq!(Ignore::parse("a\n!\n"), Err(2));
        assert_eq!(Ignore::parse("[a"), Err(1));
        let mut ignore = Ignore::parse("*").unwrap();
        ignore.keep("Dockerfile");
        assert!(!ignore.ignores("Dockerfile") && ignore.ignores("x"));
    }

    #[test]
    fn a_pattern_of_stars_is_answered_at_once() {
        let pattern = "*a".repeat(50) + "b";
        check(&pattern, &"a".repeat(500), false);
        check(&"**/".repeat(50), &"a/".repeat(200), true);
    }
}
