//! The second factor: codes of an app (`totp`), and codes on paper for when that is lost (`recovery`).

pub mod recovery;
pub mod totp;
