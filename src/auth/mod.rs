//! The room of people and permissions: who is asking, and what they may.
//!
//! | subject | file |
//! |---|---|
//! | roles, and the proof that one was checked | `who` |
//!
//! It stands below the other rooms, since all of them ask it. It knows no home: it is given a folder and a config.

pub mod who;
