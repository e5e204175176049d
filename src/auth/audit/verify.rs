//! Whether every entry is as it was written, none is missing between two, and none at the end.

use std::fmt;

use super::sql::{self, Head};
use super::{Entry, chain, keep, log};
use crate::diag::Diagnostic;
use crate::store::{Conn, Db};

const CHUNK: i64 = 1000;

/// All is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// The first and the last number; `first` is one more than `last` where there is no entry.
    pub first: i64,
    pub last: i64,
    /// The last one's hash. Written down elsewhere it shows later that nothing before it was changed, whoever could write to the database.
    pub hash: String,
}

impl Sound {
    /// Whether an entry that was noted is among those that were looked at, and so has the hash that was noted. Else it was cut off, and nobody knows.
    pub fn has(&self, seq: i64) -> bool {
        // Of the last one that was cut off the hash is kept.
        seq.saturating_add(1) >= self.first
    }
}

/// The first thing that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// This entry is not what its hash was made of, or the one before was exchanged.
    Changed(i64),
    /// This entry is gone, and later ones are there.
    Missing(i64),
    /// The entries behind `last` up to `head` are gone.
    CutOff { last: i64, head: i64 },
    /// There are entries behind the end of the chain.
    Added { head: i64 },
    /// The beginning was cut off up to here, and no entry says so.
    Beginning(i64),
    /// What was noted elsewhere does not stand here: the entry's number.
    NotAsNoted(i64),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Changed(seq) => write!(f, "entry {seq} is not what was written"),
            Broken::Missing(seq) => write!(f, "entry {seq} is gone"),
            Broken::CutOff { last, head } => {
                write!(f, "the end is gone: there were {head} entries, and the last one now is {last}")
            }
            Broken::Added { head } => write!(f, "there are entries behind {head}, the last one that was written"),
            Broken::Beginning(seq) => write!(f, "the entries up to {seq} were taken away, and not by Hearth"),
            Broken::NotAsNoted(seq) => write!(f, "entry {seq} has not the hash that was noted"),
        }
    }
}

/// What [`noted`] reads. Before the first entry the hash is empty.
pub const NOTED: &str = "^[0-9]{1,18}:([0-9a-f]{64})?$";

/// A number and its hash as a look has given them: `1234:9f86d08...`.
pub fn noted(text: &str) -> Result<(i64, &str), Diagnostic> {
    let digits = |text: &str| (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let hash =
        |text: &str| [0, 64].contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts = text.split_once(':').filter(|(seq, told)| digits(seq) && hash(told));
    let parts = parts.and_then(|(seq, hash)| Some((seq.parse::<i64>().ok()?, hash)));
    parts.ok_or_else(|| {
        Diagnostic::error("audit.bad-filter", format!("`{text}` is no number and hash"))
            .field("noted")
            .hint("write them as an earlier look has shown them: 1234:9f86d08...")
    })
}

/// Looks at the whole chain. `noted`: a number and its hash, as an earlier look gave them.
pub async fn verify(db: &Db, noted: Option<(i64, &str)>) -> Result<Result<Sound, Broken>, Diagnostic> {
    let on = &mut db.reader().await?;
    loop {
        let head = sql::head(on).await?.ok_or_else(log::no_head)?;
        let found = look(on, &head, noted).await?;
        // Old entries may have been cut off, in order, while they were looked at.
        let now = sql::head(on).await?.ok_or_else(log::no_head)?;
        if found.is_ok() || now.cut_seq == head.cut_seq {
            return Ok(found);
        }
    }
}

async fn look(on: &mut Conn, head: &Head, noted: Option<(i64, &str)>) -> Result<Result<Sound, Broken>, Diagnostic> {
    let (mut at, mut hash) = (head.cut_seq, head.cut_hash.clone());
    let mut told = head.cut_seq == 0;
    if noted.is_some_and(|(seq, wanted)| seq == head.cut_seq && wanted != head.cut_hash) {
        return Ok(Err(Broken::NotAsNoted(head.cut_seq)));
    }
    let mut noted = noted.filter(|(seq, _)| *seq > head.cut_seq);
    while at < head.seq {
        let chunk = sql::chunk(on, at, head.seq, CHUNK).await?;
        if chunk.is_empty() {
            return Ok(Err(Broken::CutOff { last: at, head: head.seq }));
        }
        for entry in &chunk {
            if entry.seq != at + 1 {
                return Ok(Err(Broken::Missing(at + 1)));
            }
            if chain::hash(&hash, entry) != entry.hash {
                return Ok(Err(Broken::Changed(entry.seq)));
            }
            if let Some((_, wanted)) = noted.take_if(|(seq, _)| *seq == entry.seq)
                && wanted != entry.hash
            {
                return Ok(Err(Broken::NotAsNoted(entry.seq)));
            }
            told |= says_cut(entry, head);
            (at, hash) = (entry.seq, entry.hash.clone());
        }
    }
    if hash != head.hash {
        return Ok(Err(Broken::Changed(at)));
    }
    // Entries that came since have moved the head with them.
    let (last, now) = (sql::last(on).await?, sql::head(on).await?.ok_or_else(log::no_head)?);
    if last > now.seq {
        return Ok(Err(Broken::Added { head: now.seq }));
    }
    if let Some((seq, _)) = noted {
        return Ok(Err(Broken::CutOff { last: at, head: seq }));
    }
    match told {
        true => Ok(Ok(Sound { first: head.cut_seq + 1, last: at, hash })),
        false => Ok(Err(Broken::Beginning(head.cut_seq))),
    }
}

/// Whether this entry tells of the cut at which the chain begins now.
fn says_cut(entry: &Entry, head: &Head) -> bool {
    entry.action == keep::ACTION
        && serde_json::from_str::<serde_json::Value>(&entry.detail)
            .is_ok_and(|detail| detail["through"] == head.cut_seq && detail["hash"] == head.cut_hash.as_str())
}
