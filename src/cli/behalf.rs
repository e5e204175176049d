//! Somebody for whom a command runs and who is not at the terminal of this process: the same verbs, asked for over HTTP.
//!
//! What they do for such a one touches nothing of the process: no standard output, no question, no signal, no exit, no variable of the
//! environment but those that are handed in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::diag::{Diagnostic, Sources};
use crate::engine::Host;

/// What a command says while it works. Called from several threads, and must not wait.
pub trait Ear: Send + Sync {
    /// An event of the work: what `--json` writes as a line.
    fn event(&self, value: &Value);
    /// The document that the command is for: what `--json` writes.
    fn value(&self, value: &Value);
    /// What a person would read, on either stream; may be several lines.
    fn words(&self, words: &str);
    /// A mistake or a warning, with the sources that its place is in.
    fn diagnostic(&self, diagnostic: &Diagnostic, sources: &Sources);
}

/// Who asked, and how they are told.
#[derive(Clone)]
pub struct Behalf {
    /// For history and locks: `ann (session)`.
    pub who: String,
    /// The command line that would do the same, without secrets: `hearth up media`.
    pub command: String,
    /// Where the engine and the state of projects are found by; the server's own.
    pub environment: Arc<BTreeMap<String, String>>,
    /// The engine in memory, where the server has that instead of a real one.
    pub double: Option<Arc<dyn Host>>,
    pub ear: Arc<dyn Ear>,
    /// Ends the work in order, as the first Ctrl-C does.
    pub cancel: CancellationToken,
}

impl fmt::Debug for Behalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behalf").field("who", &self.who).field("command", &self.command).finish_non_exhaustive()
    }
}
