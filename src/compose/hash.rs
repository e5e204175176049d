//! Compose's config hash: SHA-256 of the compact JSON that Go writes for a service, network or volume.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter};
use sha2::{Digest, Sha256};

use super::model::{Network, Service, Volume};

/// What of a service does not count: it changes nothing about its containers.
const NOT_HASHED: [&str; 7] = ["build", "pull_policy", "scale", "depends_on", "profiles", "env_file", "extends"];

/// The service as Compose hashes it. References to other services are still symbolic here.
pub fn hashed(service: &Service) -> Value {
    let mut value = serde_json::to_value(service).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !NOT_HASHED.contains(&key.as_str()));
        if let Some(Value::Object(deploy)) = map.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
    }
    value
}

/// `config-hash` of a service as its file says it (`config --hash`).
pub fn service(service: &Service) -> String {
    digest(&hashed(service))
}

pub fn network(network: &Network) -> String {
    digest(network)
}

/// The driver counts as `local` where none is named.
pub fn volume(volume: &Volume) -> String {
    let mut volume = volume.clone();
    if volume.driver.is_empty() {
        volume.driver = "local".into();
    }
    digest(&volume)
}

/// Lower-case hex SHA-256 of the Go JSON text.
pub fn digest<T: Serialize>(value: &T) -> String {
    let bytes = go_json(value);
    Sha256::digest(&bytes).iter().fold(String::with_capacity(64), |mut out, byte| {
        use std::fmt::Write;
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// JSON as Go's `encoding/json` writes it: compact, with `<`, `>`, `&`, U+2028 and U+2029 escaped.
pub fn go_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Go);
    let _ = value.serialize(&mut serializer);
    out
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut from = 0;
        for (at, c) in fragment.char_indices() {
            let escaped = match c {
                '<' => "\\u003c",
                '>' => "\\u003e",
                '&' => "\\u0026",
                '\u{2028}' => "\\u2028",
                '\u{2029}' => "\\u2029",
                _ => continue,
            };
            writer.write_all(&fragment.as_bytes()[from..at])?;
            writer.write_all(escaped.as_bytes())?;
            from = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[from..])
    }

    /// Go writes digits without an exponent from 1e-6 up to 1e21.
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
            true => write!(writer, "{value:e}"),
            false => write!(writer, "{value}"),
        }
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_digests_are_reproduced() {
        for (json, sha) in [
            (
                r#"{"command":null,"entrypoint":null,"image":"x","networks":{"default":null}}"#,
                "d5457d0b2799957b606d2ac4ed52d85a1e75799490e56229948300b9a59e8953",
            ),
            (
                r#"{"name":"csem-h1_default","ipam":{}}"#,
                "4015bf04d79a81f2aa3ee518ae42b4250976938963ea44e0b545d81981c43d1f",
            ),
            (
                r#"{"name":"csem-h1_data","driver":"local"}"#,
                "9a3dfc398486178ff4ed12ffdabf61ed0bc5f62fc1b1b9c49a1c441f4f98d387",
            ),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(digest(&value), sha);
        }
    }

    #[test]
    fn floats_are_written_as_go_does() {
        for (float, text) in [(0.1, "0.1"), (1e-6, "0.000001"), (1.5e-7, "1.5e-7"), (1e20, "100000000000000000000")] {
            assert_eq!(go_json(&float), text.as_bytes());
        }
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        assert_eq!(go_json(&"<&>é\u{2028}\u{1}\t\""), "\"\\u003c\\u0026\\u003eé\\u2028\\u0001\\t\\\"\"".as_bytes());
    }
}
