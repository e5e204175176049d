//! Any text as YAML: it is read or refused; what was read is written and read again to the same value.
#![no_main]

use hearth_fuzz::compose::{output, yaml};
use hearth_fuzz::diag::{Diagnostics, Sources};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let file = sources.add("f.yaml", text);
    let mut told = Diagnostics::default();
    let documents = yaml::parse(file, &sources, &mut told);
    for document in documents.iter().filter(|_| told.0.is_empty()) {
        let value = output::plain(document);
        // Numbers that JSON does not know are written as null.
        if document_has_floats(&value) {
            continue;
        }
        let written = yaml::emit::emit(&value);
        let file = sources.add("g.yaml", written.as_str());
        let mut told = Diagnostics::default();
        let again = yaml::parse(file, &sources, &mut told);
        assert!(told.0.is_empty(), "{written:?}: {:?}", told.0);
        assert_eq!(again.first().map(output::plain), Some(value), "{written:?}");
    }
});

fn document_has_floats(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(n) => n.is_f64(),
        serde_json::Value::Null => true,
        serde_json::Value::Array(items) => items.iter().any(document_has_floats),
        serde_json::Value::Object(map) => map.contains_key("<<") || map.values().any(document_has_floats),
        _ => false,
    }
}
