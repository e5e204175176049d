//! Lists of times in JSON, as RFC 3339.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Time;

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Stamp(#[serde(with = "time::serde::rfc3339")] Time);

pub fn serialize<S: Serializer>(times: &[Time], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(times.iter().map(|t| Stamp(*t)))
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Time>, D::Error> {
    Ok(Vec::<Stamp>::deserialize(deserializer)?.into_iter().map(|stamp| stamp.0).collect())
}
