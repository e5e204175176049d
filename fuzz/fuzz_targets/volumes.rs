//! Any text as a short volume, a command line, a size and a duration.
#![no_main]

use hearth_fuzz::compose::Compat;
use hearth_fuzz::compose::short::{command, size, volume};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(volume) = volume::parse(text) {
        assert!(!volume.target.is_empty(), "{text:?}");
        let clean = volume::clean(&volume.target);
        assert_eq!(volume::clean(&clean), clean, "{text:?}");
    }
    let _ = (command::split(text, Compat::V2), command::split(text, Compat::V5), command::cut_by(text));
    let _ = (size::bytes(text), size::duration(text).map(|d| d.to_string()));
});
