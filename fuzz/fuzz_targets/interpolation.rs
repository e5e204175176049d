//! Any text with variables, by the rules of both generations.
#![no_main]

use hearth_fuzz::compose::Compat;
use hearth_fuzz::compose::template::{self, Scope};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lookup = |name: &str| match name {
        "A" => Some("value".to_string()),
        "B" => Some(String::new()),
        _ => None,
    };
    for compat in [Compat::V2, Compat::V5] {
        let _ = template::substitute(text, &mut Scope { lookup: &lookup, compat, unset: &mut |_| {} });
    }
    template::variables(text);
});
