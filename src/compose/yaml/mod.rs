//! YAML text to [`Node`] trees, and back.
//!
//! Built on the events of `granit-parser` rather than on serde: Compose's meaning depends on raw scalars (`010`, `1_000`,
//! a bare date), on tags of nulls and on the place of every key (docs/decisions/0002).

mod build;
pub mod emit;
mod scalar;
mod syntax;

pub(crate) use build::size_of;
pub use scalar::resolve;

use crate::diag::{Diagnostic, Diagnostics, FileId, Sources, Span};

use super::tree::Node;

/// Bytes of one file; the whole of a large home is a tenth of this.
pub const MAX_BYTES: usize = 8 << 20;
/// Levels of nesting. Compose's own attributes need nine.
pub const MAX_DEPTH: usize = 100;
/// Values that aliases, `<<` and `extends` may add beyond what is written (a text weighs one more for each 64 bytes).
pub const MAX_EXPANDED: usize = 400_000;

/// All documents of a file, in order. Every mistake found is in `diagnostics`; what could be read is returned.
pub fn parse(file: FileId, sources: &Sources, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let text = sources.get(file).text.as_str();
    if text.len() > MAX_BYTES {
        let place = Span { file, line: 1, column: 1, width: 1 };
        let title = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        diagnostics.push(
            Diagnostic::error("compose.too-large", title)
                .at(place)
                .hint("split it into several files and `include` them"),
        );
        return Vec::new();
    }
    build::documents(file, text.strip_prefix('\u{feff}').unwrap_or(text), diagnostics)
}
