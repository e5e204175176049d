//! Values in words, and which of them stay hidden.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::secret::is_secret_name;
use crate::plan::wanted::InlineFile;

pub(super) const HIDDEN: &str = "(hidden)";
/// Shorter texts are no secrets worth the name, and would hide half of everything.
const SHORTEST: usize = 4;

/// Texts that must not be shown, whatever field they stand in.
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// From the environments of both sides (variables with a secret's name) and the files.
    pub fn new(configs: [&Value; 2], files: &[InlineFile]) -> Hidden {
        let env = configs.into_iter().flat_map(|c| words(&c["Env"])).filter_map(|e| {
            let (name, value) = e.split_once('=')?;
            is_secret_name(name).then(|| value.to_string())
        });
        let files = files.iter().map(|f| f.content.expose().to_string());
        let mut all: Vec<String> = env.chain(files).filter(|s| s.len() >= SHORTEST).collect();
        all.sort();
        all.dedup();
        Hidden(all)
    }

    pub fn show(&self, value: String) -> String {
        if self.0.iter().any(|secret| value.contains(secret)) || has_login(&value) || has_secret_option(&value) {
            return HIDDEN.into();
        }
        value
    }
}

/// `scheme://user:password@host`.
fn has_login(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', ' ', '?']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
    })
}

/// `--token abc`, `--requirepass=abc`: an option whose name says that what follows is a secret.
fn has_secret_option(value: &str) -> bool {
    let mut words = value.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let (name, given) = option.split_once('=').map_or((option, false), |(name, _)| (name, true));
        let secret = is_secret_name(name) || name.to_ascii_lowercase().ends_with("pass");
        if secret && (given || words.peek().is_some_and(|next| !next.starts_with('-'))) {
            return true;
        }
    }
    false
}

/// The texts of a list; null is an empty one.
pub(super) fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn sorted_words(value: &Value) -> Vec<&str> {
    let mut words = words(value);
    words.sort();
    words
}

/// `NAME=value` entries by name; an entry without `=` is left out, as the Engine does.
pub(super) fn variables(value: &Value) -> BTreeMap<&str, &str> {
    words(value).into_iter().filter_map(|e| e.split_once('=')).collect()
}

/// Nothing is said: null, false, 0, empty.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// In words; `None` where nothing is said.
pub(super) fn shown(value: &Value) -> Option<String> {
    if is_nothing(value) {
        return None;
    }
    Some(match value {
        Value::String(s) => s.clone(),
        Value::Array(items) => items.iter().filter_map(shown).collect::<Vec<_>>().join(" "),
        Value::Object(map) => {
            let pairs = map.iter().map(|(k, v)| match shown(v) {
                Some(v) => format!("{k}={v}"),
                None => k.clone(),
            });
            pairs.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    })
}

/// Equal, where nothing said is nothing said.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        _ if is_nothing(a) && is_nothing(b) => true,
        (Value::Object(a), Value::Object(b)) => {
            let missing = Value::Null;
            a.keys().chain(b.keys()).all(|k| same(a.get(k).unwrap_or(&missing), b.get(k).unwrap_or(&missing)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}
