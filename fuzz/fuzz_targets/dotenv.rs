//! Any text as a file with variables, in both formats.
#![no_main]

use std::collections::BTreeMap;

use hearth_fuzz::compose::{Compat, dotenv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lookup = |name: &str| (name == "A").then(|| "value".to_string());
    let lines = text.matches('\n').count() as u32 + 1;
    let mut variables = BTreeMap::new();
    if let Err(error) = dotenv::parse(text, &mut variables, &lookup, Compat::V5) {
        assert!((1..=lines).contains(&error.line), "line {} of {lines}", error.line);
    }
    if let Err(error) = dotenv::parse_raw(text, &mut variables, &lookup) {
        assert!((1..=lines).contains(&error.line), "line {} of {lines}", error.line);
    }
});
