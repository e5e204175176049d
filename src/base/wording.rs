//! Plurals and lists in words, and the nearest known name to a mistyped one.

/// `1 step`, `2 steps`.
pub fn count(n: usize, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        _ => format!("{n} {noun}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Why a file or folder cannot be used, in words.
pub fn disk(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::PermissionDenied => "this user may not".into(),
        K::ReadOnlyFilesystem => "the disk is mounted read-only".into(),
        K::StorageFull | K::QuotaExceeded => "the disk is full".into(),
        K::NotADirectory => "something above it is no folder".into(),
        K::InvalidData => "it is no text".into(),
        _ => error.to_string(),
    }
}

/// Why a TCP connection cannot be had, in words.
pub fn connection(error: &std::io::Error) -> String {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => "nothing listens there".into(),
        K::HostUnreachable | K::NetworkUnreachable => "there is no way to that address from here".into(),
        K::ConnectionReset => "the connection was cut".into(),
        _ => error.to_string(),
    }
}

/// `a -> b -> c`; of a long chain the first and last few.
pub fn chain<S: AsRef<str>>(links: &[S]) -> String {
    let all: Vec<&str> = links.iter().map(AsRef::as_ref).collect();
    match all.len() {
        0..=12 => all.join(" -> "),
        n => format!("{} -> ({} more) -> {}", all[..6].join(" -> "), n - 12, all[n - 6..].join(" -> ")),
    }
}

/// The known name closest to `word`, if it is close enough to be what was meant (a third of its length at most).
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known.into_iter().map(|name| (distance(word, name), name)).filter(|(d, _)| *d <= limit).min().map(|(_, name)| name)
}

/// Edit distance where swapping two neighbours counts once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let substitute = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitute.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// A message as a sentence of a page: with a capital letter.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_well() {
        assert_eq!(count(1, "step"), "1 step");
        assert_eq!(count(0, "step"), "0 steps");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(chain(&["a", "b", "a"]), "a -> b -> a");
        assert!(chain(&["a"; 500]).contains("(488 more)"));
        assert_eq!(nearest("enviroment", ["environment", "env_file"]), Some("environment"));
        assert_eq!(nearest("imgae", ["image", "init"]), Some("image"));
        assert_eq!(nearest("zzz", ["image"]), None);
    }
}
