//! The hash that chains entries: whoever changes one has to change all that come after it.

use sha2::{Digest, Sha256};

use super::Entry;

/// SHA-256 in hex over the hash before and every field. Each field is preceded by its length, so that no two entries have the same bytes; the first
/// byte is the version of this encoding.
pub fn hash(previous: &str, entry: &Entry) -> String {
    let mut bytes = vec![1u8];
    let mut field = |content: &[u8]| {
        bytes.extend((content.len() as u64).to_be_bytes());
        bytes.extend(content);
    };
    field(previous.as_bytes());
    field(&entry.seq.to_be_bytes());
    field(&entry.at.to_be_bytes());
    field(entry.kind.as_bytes());
    field(entry.who.as_bytes());
    field(entry.user_id.map(i64::to_be_bytes).as_ref().map_or(&[], |id| id.as_slice()));
    field(entry.source.as_bytes());
    field(entry.action.as_bytes());
    field(entry.object.as_bytes());
    field(entry.outcome.as_bytes());
    field(&entry.took.to_be_bytes());
    field(entry.request.as_bytes());
    field(entry.detail.as_bytes());
    let nibble = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    Sha256::digest(&bytes).iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
}
