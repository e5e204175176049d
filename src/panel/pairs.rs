//! A form whose fields come several times, or are not known by name beforehand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// All fields, as they came.
#[derive(Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// All values of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The first value of this name, without blanks around it; empty where there is none.
    pub fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// Whether the form had such a field.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Those whose name begins so: the rest of the name, and the value.
    pub fn below(&self, prefix: &str) -> Vec<(&str, &str)> {
        self.0.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value.as_str()))).collect()
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pairs, D::Error> {
        struct Sent;
        impl<'de> Visitor<'de> for Sent {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields of a form")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Pairs, A::Error> {
                let mut all = Vec::new();
                while let Some(field) = fields.next_entry()? {
                    all.push(field);
                }
                Ok(Pairs(all))
            }
        }
        from.deserialize_map(Sent)
    }
}
