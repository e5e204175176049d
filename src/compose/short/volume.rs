//! `SRC:DST[:options]` of a service's `volumes`.

/// A short volume, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShortVolume {
    pub source: String,
    pub target: String,
    pub read_only: bool,
    pub nocopy: bool,
    /// `rslave`, `shared`, ...
    pub propagation: String,
    /// `z` or `Z`.
    pub selinux: String,
    /// A host path, rather than the name of a volume.
    pub bind: bool,
    /// One or two characters: taken whole as a target, without options (Compose's rule).
    pub bare: bool,
}

/// Takes a short volume apart. A one-letter first part followed by `:` is read as a Windows drive, as Compose does.
pub fn parse(spec: &str) -> Result<ShortVolume, String> {
    let mut volume = ShortVolume::default();
    match spec.len() {
        0 => return Err("a volume cannot be empty".into()),
        1 | 2 => return Ok(ShortVolume { target: spec.into(), bare: true, ..volume }),
        _ => {}
    }
    let parts = split(spec);
    let last = parts.len() - 1;
    for (i, part) in parts.iter().enumerate() {
        if part.is_empty() {
            return Err("there is nothing between two colons".into());
        }
        match (volume.source.is_empty(), volume.target.is_empty()) {
            (true, _) if i == last => volume.target = part.clone(),
            (true, _) => volume.source = part.clone(),
            (false, true) => volume.target = part.clone(),
            _ if i < last => return Err("there are too many colons".into()),
            _ => options(part, &mut volume),
        }
    }
    volume.bind = is_path(&volume.source);
    Ok(volume)
}

/// Splits at colons outside `${...}`, keeping drive letters whole.
fn split(spec: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut braces = 0;
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("never empty");
        match c {
            '$' if chars.peek() == Some(&'{') => {
                braces += 1;
                part.push(c);
            }
            '}' if braces > 0 => {
                braces -= 1;
                part.push(c);
            }
            ':' if is_drive(part) => part.push(c),
            ':' if braces == 0 => parts.push(String::new()),
            c => part.push(c),
        }
    }
    parts
}

fn is_drive(part: &str) -> bool {
    let mut chars = part.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

fn options(list: &str, volume: &mut ShortVolume) {
    for option in list.split(',') {
        match option {
            "ro" => volume.read_only = true,
            "rw" => volume.read_only = false,
            "nocopy" => volume.nocopy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => volume.propagation = option.into(),
            "z" | "Z" => volume.selinux = option.into(),
            // Compose ignores what it does not know (`cached`, `delegated`).
            _ => {}
        }
    }
}

fn is_path(source: &str) -> bool {
    if source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") {
        return true;
    }
    let mut chars = source.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':')
}

/// Lexical cleaning of a slash path (Go's `path.Clean`).
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match out.last() {
                Some(&"..") | None if !rooted => out.push(".."),
                None => {}
                _ => {
                    out.pop();
                }
            },
            part => out.push(part),
        }
    }
    let joined = out.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_volumes_come_apart_as_compose_takes_them() {
        let v = |s: &str| parse(s).unwrap();
        assert_eq!((v("data:/x").source.as_str(), v("data:/x").bind), ("data", false));
        assert!(v("./a:/x:ro").bind && v("./a:/x:ro").read_only);
        assert_eq!(v("/x").target, "/x");
        // The one-letter trap: an anonymous volume at `v:/x`.
        assert_eq!((v("v:/x").source, v("v:/x").target), (String::new(), "v:/x".into()));
        assert_eq!(v("~/a:/b:z,rslave").propagation, "rslave");
        assert_eq!(v("${A:-b}:/x").source, "${A:-b}");
        assert!(parse("ab::c").is_err() && parse("aa:/b:ro:x").is_err() && parse("").is_err());
    }

    #[test]
    fn paths_are_cleaned_lexically() {
        for (path, clean_path) in
            [("/a/../b/", "/b"), ("a//b/.", "a/b"), ("../x", "../x"), ("", "."), ("/..", "/"), ("a/../..", "..")]
        {
            assert_eq!(clean(path), clean_path);
        }
    }
}
