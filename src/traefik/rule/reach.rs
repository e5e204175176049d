//! Which hosts and paths a rule can reach, to see where two rules are about the same thing.

use super::{Matcher, Name, Rule};

/// One way in: a host and a path that satisfy the rule, perhaps with more conditions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    pub host: Host,
    pub path: Path,
    /// There are conditions besides host and path: a method, a header, something that must not be.
    pub narrowed: bool,
}

/// Ordered by how much they say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// Whatever the host.
    Any,
    /// Hosts that fit a regular expression.
    Pattern(String),
    /// Any one label before this name: `*.example.org`, here without `*.`.
    Wildcard(String),
    /// This name, in lower case, without a final dot.
    Name(String),
}

/// Ordered by how much they say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    Any,
    Pattern(String),
    Prefix(String),
    Exact(String),
}

/// Of a rule with more ways in than this all count as one, to any host.
const MAX_WAYS: usize = 500;

const ANYWHERE: Reach = Reach { host: Host::Any, path: Path::Any, narrowed: true };

/// All ways in, sorted, each once. What cannot be (two different hosts at once) is left out.
pub fn of(rule: &Rule) -> Vec<Reach> {
    let mut ways = ways(rule, false).unwrap_or_else(|| vec![ANYWHERE]);
    ways.sort();
    ways.dedup();
    ways
}

/// Nothing, where there are too many.
fn ways(rule: &Rule, turned: bool) -> Option<Vec<Reach>> {
    match (rule, turned) {
        (Rule::Not(inner), _) => ways(inner, !turned),
        (Rule::Is(matcher), false) => Some(vec![one(matcher)]),
        (Rule::Is(_), true) => Some(vec![ANYWHERE]),
        (Rule::Any(rules), false) | (Rule::All(rules), true) => {
            let each: Option<Vec<Vec<Reach>>> = rules.iter().map(|rule| ways(rule, turned)).collect();
            Some(each?.concat()).filter(|all| all.len() <= MAX_WAYS)
        }
        (Rule::All(rules), false) | (Rule::Any(rules), true) => {
            let mut all = vec![Reach { narrowed: false, ..ANYWHERE }];
            for rule in rules {
                let more = ways(rule, turned)?;
                all = all.iter().flat_map(|a| more.iter().filter_map(|b| a.and(b))).collect();
                if all.len() > MAX_WAYS {
                    return None;
                }
            }
            Some(all)
        }
    }
}

fn one(matcher: &Matcher) -> Reach {
    let text = matcher.arguments.first().cloned().unwrap_or_default();
    let host = match matcher.name {
        Name::Host | Name::HostSni => Some(host(&text)),
        Name::HostRegexp | Name::HostSniRegexp => Some(Host::Pattern(text.clone())),
        _ => None,
    };
    let path = match matcher.name {
        Name::Path => Some(Path::Exact(text)),
        Name::PathPrefix if text == "/" => Some(Path::Any),
        Name::PathPrefix => Some(Path::Prefix(text)),
        Name::PathRegexp => Some(Path::Pattern(text)),
        _ => None,
    };
    let narrowed = host.is_none() && path.is_none();
    Reach { host: host.unwrap_or(Host::Any), path: path.unwrap_or(Path::Any), narrowed }
}

fn host(text: &str) -> Host {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    match name.strip_prefix("*.") {
        _ if name == "*" => Host::Any,
        Some(rest) => Host::Wildcard(rest.into()),
        None => Host::Name(name),
    }
}

impl Reach {
    /// Whether some request could satisfy both, as far as that can be seen: two regular expressions are taken to meet.
    pub fn meets(&self, other: &Reach) -> bool {
        self.host.meets(&other.host) && self.path.meets(&other.path)
    }

    /// Both at once, if that can be.
    fn and(&self, other: &Reach) -> Option<Reach> {
        self.meets(other).then(|| Reach {
            host: self.host.clone().max(other.host.clone()),
            path: self.path.clone().max(other.path.clone()),
            narrowed: self.narrowed
                || other.narrowed
                || self.host.unclear(&other.host)
                || self.path.unclear(&other.path),
        })
    }
}

impl Host {
    fn meets(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) | (Host::Wildcard(a), Host::Wildcard(b)) => a == b,
            (Host::Name(name), Host::Wildcard(base)) | (Host::Wildcard(base), Host::Name(name)) => {
                name.split_once('.').is_some_and(|(_, rest)| rest == base)
            }
            _ => true,
        }
    }

    /// Of both together [`Ord`]'s greater does not say all.
    fn unclear(&self, other: &Host) -> bool {
        self != other && *self != Host::Any && *other != Host::Any
    }
}

impl Path {
    fn meets(&self, other: &Path) -> bool {
        match (self, other) {
            (Path::Exact(a), Path::Exact(b)) => a == b,
            (Path::Exact(path), Path::Prefix(prefix)) | (Path::Prefix(prefix), Path::Exact(path)) => {
                path.starts_with(prefix)
            }
            (Path::Prefix(a), Path::Prefix(b)) => a.starts_with(b) || b.starts_with(a),
            _ => true,
        }
    }

    fn unclear(&self, other: &Path) -> bool {
        match (self, other) {
            // The longer prefix, and an exact path below a prefix, say all; the longer sorts behind what it begins with.
            (Path::Prefix(_) | Path::Exact(_) | Path::Any, Path::Prefix(_) | Path::Exact(_) | Path::Any) => false,
            _ => self != other && *self != Path::Any && *other != Path::Any,
        }
    }
}
