//! Any bytes as the body of each call of the API: it is read, or refused in words, with a code, and as what it is.
#![no_main]

use std::sync::LazyLock;

use futures_util::FutureExt;
use hearth::routes::{self, Reads};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;

static ALL: LazyLock<Vec<(String, Reads)>> = LazyLock::new(routes::bodies);

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which.
    let Some((which, body)) = bytes.split_first() else { return };
    let (name, reads) = &ALL[usize::from(*which) % ALL.len()];
    let Some(refusal) = reads(body) else {
        // No body at all is an object of nothing.
        let is_json = body.is_empty() || serde_json::from_slice::<serde_json::Value>(body).is_ok();
        assert!(is_json, "{name} has read what is no JSON");
        return;
    };
    assert!([400, 422].contains(&refusal.status().as_u16()), "{name}: {}", refusal.status());
    let told = refusal.into_body().collect().now_or_never().expect("it is whole").expect("it is whole").to_bytes();
    let told: serde_json::Value = serde_json::from_slice(&told).expect("a refusal is JSON");
    let text = |field: &str| told["error"][field].as_str().unwrap_or_default().to_owned();
    assert!(!text("code").is_empty() && !text("title").is_empty() && told.get("detail").is_some(), "{name}: {told}");
    assert!(!text("title").chars().any(char::is_control), "{name}: {told}");
});
