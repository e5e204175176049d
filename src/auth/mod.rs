//! The room of people and permissions: who is asking, and what they may.
//!
//! | subject | file |
//! |---|---|
//! | roles, and the proof that one was checked | `who` |
//! | what answers at each address, and who may call it | `table` |
//! | passwords: which are taken, what a guess costs, how many at once | `passwords` |
//! | tokens, and what is kept of them | `secrets` |
//!
//! It stands below the other rooms, since all of them ask it. It knows no home: it is given a folder and a config.

pub mod passwords;
pub mod secrets;
pub mod table;
pub mod who;
