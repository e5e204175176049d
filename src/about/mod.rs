//! What Hearth says about itself: that it runs, since when, and what it reaches.
//!
//! | subject | file |
//! |---|---|
//! | what it knows, kept up to date by a loop | `state` |
//! | for programs and monitors | `json` |
//! | files of pages | `page` |
//! | what it is built from, by licence | `licences` |
//! | the API, the guide and the codes to read, below `/docs` | `docs` |

pub mod docs;
pub mod json;
pub mod licences;
pub mod page;
pub mod state;
