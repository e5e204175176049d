//! What a call brought, for whoever keeps what was done: of its fields those that may be told of, and no others.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

/// Bytes of one field that are kept, as JSON; of a longer one only how long it was.
const LONGEST: usize = 1000;

/// It is put into a request's extensions, and filled when its body, form or query is read. Clones share what was heard.
#[derive(Clone)]
pub struct Heard {
    /// Names of fields, sorted.
    may: &'static [&'static str],
    said: Arc<Mutex<Map<String, Value>>>,
}

impl Heard {
    /// `may`: the names of fields that are kept, sorted. A field that is not among them is never held.
    pub fn of(may: &'static [&'static str]) -> Heard {
        Heard { may, said: Arc::default() }
    }

    /// What was heard until now.
    pub fn said(&self) -> Map<String, Value> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn json(&self, body: &[u8]) {
        if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
            fields.into_iter().for_each(|(name, value)| self.hear(name, value));
        }
    }

    /// As a form or an address has them; a name that comes several times is a list.
    pub(super) fn pairs(&self, text: &[u8]) {
        for (name, value) in form_urlencoded::parse(text) {
            self.hear(name.into_owned(), json!(value));
        }
    }

    fn hear(&self, name: String, value: Value) {
        if self.may.binary_search(&name.as_str()).is_err() || value.is_null() {
            return;
        }
        let length = value.to_string().len();
        let value = if length > LONGEST { json!(format!("({length} bytes)")) } else { value };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(&name) {
            Some(Value::Array(all)) => all.push(value),
            Some(one) => *one = json!([one.take(), value]),
            None => drop(said.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_told_of_is_never_held() {
        let heard = Heard::of(&["names", "role", "text"]);
        heard.json(br#"{"role": "admin", "password": "p", "names": ["a"], "text": null, "other": {"role": "x"}}"#);
        assert_eq!(Value::Object(heard.said()), json!({"role": "admin", "names": ["a"]}));
        let heard = Heard::of(&["names", "text"]);
        heard.pairs(b"names=a&names=b+c&token=t");
        heard.json(format!(r#"{{"text": "{}"}}"#, "x".repeat(2000)).as_bytes());
        assert_eq!(Value::Object(heard.said()), json!({"names": ["a", "b c"], "text": "(2002 bytes)"}));
        heard.json(b"[1, 2");
    }
}
