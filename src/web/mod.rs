//! The kit for serving: TLS listeners, limits, headers and pages; knows no room.

mod style;

pub use style::{STYLE, style_source};
