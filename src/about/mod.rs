//! What Hearth says about itself: that it runs, since when, and what it reaches.
//!
//! | subject | file |
//! |---|---|
//! | what it knows, kept up to date by a loop | `state` |
//! | for programs and monitors | `json` |
//! | the page at `/` | `page` |
//! | the API, the guide and the codes to read, below `/docs` | `docs` |

pub mod docs;
pub mod json;
pub mod page;
pub mod state;
