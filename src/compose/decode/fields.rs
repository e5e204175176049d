//! One mapping being read: each method takes a key and gives the value in the form the model wants.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::compose::Compat;
use crate::compose::model::{Bytes, Duration, Extensions, FileMode, Float32, Mapping, MappingWithNulls};
use crate::compose::short::{command, size};
use crate::compose::tree::{Map, Node, Value};
use crate::diag::{Diagnostic, Diagnostics, Span};

pub(super) struct Fields<'n, 'd> {
    map: &'n Map,
    field: String,
    pub compat: Compat,
    told: &'d RefCell<Diagnostics>,
}

impl<'n, 'd> Fields<'n, 'd> {
    pub fn of(node: &'n Node, field: String, compat: Compat, told: &'d RefCell<Diagnostics>) -> Option<Self> {
        node.as_map().map(|map| Fields { map, field, compat, told })
    }

    fn tell(&self, node: &Node, key: &str, title: String, hint: &str) {
        self.told.borrow_mut().push(
            Diagnostic::error("compose.bad-value", title)
                .at(node.span)
                .field(format!("{}.{key}", self.field))
                .hint(hint),
        );
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        self.map.get(key).filter(|node| !node.is_null())
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub fn is_text(&self, key: &str) -> bool {
        self.get(key).is_some_and(|node| node.as_str().is_some())
    }

    pub fn text(&self, key: &str) -> String {
        self.get(key).and_then(Node::scalar_text).unwrap_or_default()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.flag_opt(key).unwrap_or_default()
    }

    pub fn flag_opt(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        match &node.value {
            Value::Bool(b) => Some(*b),
            Value::Str(text) => match text.to_lowercase().as_str() {
                "true" | "y" | "yes" | "on" => Some(true),
                "false" | "n" | "no" | "off" => Some(false),
                _ => {
                    self.tell(node, key, format!("`{key}` must be true or false, not `{text}`"), "write true or false");
                    None
                }
            },
            _ => None,
        }
    }

    pub fn int(&self, key: &str) -> i64 {
        self.int_opt(key).unwrap_or_default()
    }

    pub fn int_opt(&self, key: &str) -> Option<i64> {
        let node = self.get(key)?;
        let number = match &node.value {
            Value::Int(n) => Some(*n),
            Value::Uint(n) => i64::try_from(*n).ok(),
            // Decimals are cut; what does not fit is refused, where Compose would wrap around.
            Value::Float(f) => (f.abs() < i64::MAX as f64).then_some(*f as i64),
            Value::Str(text) => text.parse().ok(),
            _ => return None,
        };
        if number.is_none() {
            self.tell(node, key, format!("`{key}` must be a whole number of at most 64 bits"), "write digits only");
        }
        number
    }

    pub fn uint_opt(&self, key: &str) -> Option<u64> {
        let number = self.int_opt(key)?;
        if number < 0
            && let Some(node) = self.get(key)
        {
            self.tell(node, key, format!("`{key}` cannot be negative"), "write a whole number from 0");
        }
        u64::try_from(number).ok()
    }

    /// A number that fits `T`. Text is no number here, and decimals are cut, as Compose does.
    pub fn number_of_bits<T: TryFrom<i64> + Default>(&self, key: &str) -> T {
        let Some(node) = self.get(key) else { return T::default() };
        let number = match &node.value {
            Value::Str(_) => None,
            _ => self.int_opt(key).and_then(|n| T::try_from(n).ok()),
        };
        if number.is_none() {
            self.tell(node, key, format!("`{key}` must be a number that fits"), "write digits without quotes, from 0");
        }
        number.unwrap_or_default()
    }

    pub fn float(&self, key: &str) -> Float32 {
        let Some(node) = self.get(key) else { return Float32(0.0) };
        let number = match &node.value {
            Value::Int(n) => Some(*n as f32),
            Value::Uint(n) => Some(*n as f32),
            Value::Float(f) => Some(*f as f32),
            Value::Str(text) => text.parse::<f64>().ok().map(|f| f as f32),
            _ => return Float32(0.0),
        };
        if number.is_none() {
            self.tell(node, key, format!("`{key}` must be a number"), "write it as 0.5 or 2");
        }
        Float32(number.unwrap_or_default())
    }

    /// A size. A decimal YAML number is ignored in silence, as Compose does (the linter says so).
    pub fn bytes(&self, key: &str) -> Bytes {
        let Some(node) = self.get(key) else { return Bytes(0) };
        match &node.value {
            Value::Int(n) => Bytes(*n),
            Value::Str(text) => {
                if self.compat == Compat::V5
                    && let Ok(n) = text.parse()
                {
                    return Bytes(n);
                }
                size::bytes(text).unwrap_or_else(|why| {
                    self.tell(
                        node,
                        key,
                        format!("`{text}` is no size: {why}"),
                        "write a number with k, m or g, as 512m",
                    );
                    Bytes(0)
                })
            }
            _ => Bytes(0),
        }
    }

    pub fn duration_opt(&self, key: &str) -> Option<Duration> {
        let node = self.get(key)?;
        let text = node.scalar_text()?;
        match size::duration(&text) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.tell(node, key, format!("`{text}` is no duration: {why}"), "write it as 30s, 1m30s or 500ms");
                None
            }
        }
    }

    pub fn duration(&self, key: &str) -> Duration {
        self.duration_opt(key).unwrap_or_default()
    }

    /// A list of texts, or one text.
    pub fn strings(&self, key: &str) -> Vec<String> {
        match self.get(key).map(|n| &n.value) {
            Some(Value::Seq(items)) => items.iter().filter_map(Node::scalar_text).collect(),
            Some(Value::Str(one)) => vec![one.clone()],
            _ => Vec::new(),
        }
    }

    /// `null` unset, a list as it is, a text split into words.
    pub fn command(&self, key: &str) -> Option<Vec<String>> {
        let node = self.get(key)?;
        match &node.value {
            Value::Str(line) => match command::split(line, self.compat) {
                Ok(words) => Some(words),
                Err(why) => {
                    let title = format!("`{key}` cannot be split into words: {why}");
                    self.tell(node, key, title, "write it as a list: [\"program\", \"argument\"]");
                    None
                }
            },
            Value::Seq(items) => Some(items.iter().filter_map(Node::scalar_text).collect()),
            _ => None,
        }
    }

    /// A mapping of texts; a list of `key=value` is one too, and nothing becomes an empty text.
    pub fn mapping(&self, key: &str) -> Mapping {
        match self.get(key).map(|n| &n.value) {
            Some(Value::Map(map)) => {
                let own = map.iter().filter(|(k, _)| !k.starts_with("x-"));
                let mut out: Mapping = own.map(|(k, v)| (k.clone(), v.scalar_text().unwrap_or_default())).collect();
                out.extend(swallowed(map));
                out
            }
            Some(Value::Seq(items)) => items
                .iter()
                .filter_map(Node::scalar_text)
                .map(|item| match item.split_once('=') {
                    Some((k, v)) => (k.to_string(), v.to_string()),
                    None => (item, String::new()),
                })
                .collect(),
            _ => Mapping::new(),
        }
    }

    /// As `mapping`, keeping what has no value apart.
    pub fn mapping_with_nulls(&self, key: &str) -> MappingWithNulls {
        match self.get(key).map(|n| &n.value) {
            Some(Value::Map(map)) => {
                let own = map.iter().filter(|(k, _)| !k.starts_with("x-"));
                let mut out: MappingWithNulls =
                    own.map(|(k, v)| (k.clone(), if v.is_null() { None } else { v.scalar_text() })).collect();
                out.extend(swallowed(map).map(|(k, v)| (k, Some(v))));
                out
            }
            Some(Value::Seq(items)) => {
                let mut out = MappingWithNulls::new();
                for item in items {
                    let text = item.scalar_text().unwrap_or_default();
                    let (name, value) = match text.split_once('=') {
                        Some((name, value)) => (name, Some(value.to_string())),
                        None => (text.as_str(), None),
                    };
                    if name.ends_with(char::is_whitespace) {
                        self.tell(
                            item,
                            key,
                            format!("the variable `{}` has a blank behind its name", name.trim_end()),
                            "remove the blank before `=`",
                        );
                    }
                    out.insert(name.to_string(), value);
                }
                out
            }
            _ => MappingWithNulls::new(),
        }
    }

    /// `host: ip` in any of its forms, as sorted `host=ip`.
    pub fn hosts(&self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let mut hosts: Vec<(String, String)> = Vec::new();
        match &node.value {
            Value::Map(map) => {
                for (host, value) in map.iter() {
                    match value.as_seq() {
                        Some(items) => {
                            hosts.extend(items.iter().filter_map(|i| Some((host.clone(), i.scalar_text()?))))
                        }
                        None => hosts.push((host.clone(), value.scalar_text().unwrap_or_default())),
                    }
                }
            }
            Value::Seq(items) => {
                for item in items {
                    let text = item.scalar_text().unwrap_or_default();
                    match text.split_once('=').or_else(|| text.split_once(':')) {
                        Some((host, addresses)) => {
                            hosts.extend(addresses.split(',').map(|ip| (host.to_string(), ip.to_string())))
                        }
                        None => self.tell(item, key, format!("`{text}` has no address"), "write it as host=address"),
                    }
                }
            }
            _ => {}
        }
        let mut list: Vec<String> = Vec::new();
        for (host, ip) in hosts {
            if host.is_empty() || host.contains([':', '=']) {
                self.tell(node, key, format!("`{host}` is no host name"), "write each entry as host=address");
                continue;
            }
            let ip = match ip.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(inner) if ip.len() > 2 => inner,
                _ => &ip,
            };
            list.push(format!("{host}={ip}"));
        }
        list.sort();
        list
    }

    /// Permission bits: a number, or octal digits.
    pub fn mode_opt(&self, key: &str) -> Option<FileMode> {
        let node = self.get(key)?;
        match &node.value {
            Value::Int(n) if *n >= 0 => Some(FileMode(*n)),
            Value::Str(text) => match i64::from_str_radix(text, 8) {
                Ok(n) => Some(FileMode(n)),
                Err(_) => {
                    self.tell(node, key, format!("`{text}` is no file mode"), "write octal digits, as \"0440\"");
                    None
                }
            },
            _ => {
                self.tell(
                    node,
                    key,
                    "a file mode is a whole number from 0, or octal text".into(),
                    "write octal digits, as \"0440\"",
                );
                None
            }
        }
    }

    /// How many devices: a number, or `all` (-1).
    pub fn device_count(&self, key: &str) -> i64 {
        let Some(node) = self.get(key) else { return 0 };
        match &node.value {
            Value::Str(text) if text.eq_ignore_ascii_case("all") => -1,
            Value::Str(text) => text.parse().unwrap_or_else(|_| {
                self.tell(node, key, format!("`{text}` is no count"), "write a number, or all");
                0
            }),
            _ => self.int(key),
        }
    }

    pub fn sub(&self, key: &str) -> Option<Fields<'n, 'd>> {
        Fields::of(self.get(key)?, format!("{}.{key}", self.field), self.compat, self.told)
    }

    /// Calls `f` on each mapping of a list.
    pub fn each<T>(&self, key: &str, f: impl Fn(Fields<'n, 'd>) -> T) -> Vec<T> {
        let Some(Value::Seq(items)) = self.get(key).map(|n| &n.value) else { return Vec::new() };
        let field = |i| format!("{}.{key}[{i}]", self.field);
        items
            .iter()
            .enumerate()
            .filter_map(|(i, item)| Some(f(Fields::of(item, field(i), self.compat, self.told)?)))
            .collect()
    }

    /// Keys, values and places of a mapping.
    pub fn entries(&self, key: &str) -> impl Iterator<Item = (&'n String, &'n Node, Span)> + use<'n> {
        let map = self.get(key).and_then(Node::as_map);
        map.into_iter().flat_map(|map| map.0.iter().map(|(k, entry)| (k, &entry.node, entry.key)))
    }

    /// Calls `f` on each value of a mapping; `None` where it has none.
    pub fn map_of<T>(&self, key: &str, f: impl Fn(Fields<'n, 'd>) -> T) -> BTreeMap<String, Option<T>> {
        let at = |name: &str| format!("{}.{key}.{name}", self.field);
        self.entries(key)
            .map(|(name, node, _)| (name.clone(), Fields::of(node, at(name), self.compat, self.told).map(&f)))
            .collect()
    }

    pub fn extensions(&self) -> Extensions {
        self.map
            .iter()
            .filter(|(key, _)| key.starts_with("x-"))
            .map(|(key, node)| (key.clone(), node.clone()))
            .collect()
    }
}

/// What Compose makes of `x-*` keys in a mapping of texts: one entry that names them all (the linter says so). Copied, since the
/// hash depends on it.
fn swallowed(map: &Map) -> Option<(String, String)> {
    let mut keys: Vec<String> = map
        .iter()
        .filter(|(key, _)| key.starts_with("x-"))
        .map(|(key, node)| match node.is_null() {
            true => format!("{key}:<nil>"),
            false => format!("{key}:{}", node.scalar_text().unwrap_or_default()),
        })
        .collect();
    keys.sort();
    (!keys.is_empty()).then(|| ("#extensions".to_string(), format!("map[{}]", keys.join(" "))))
}
