//! The room of people and permissions: who is asking, and what they may.
//!
//! | subject | file |
//! |---|---|
//! | roles, and the proof that one was checked | `who` |
//! | what answers at each address, and who may call it | `table` |
//! | what people see of it in a browser | `page` |
//! | how fast secrets may be guessed | `brakes` |
//! | second factor: codes of an app, codes on paper | `factor` |
//! | access tokens of programs, and the keys that sign them | `jwt` |
//! | passwords: which are taken, what a guess costs, how many at once | `passwords` |
//! | tokens, and what is kept of them | `secrets` |
//!
//! It stands below the other rooms, since all of them ask it. It knows no home: it is given a folder and a config.

pub mod brakes;
pub mod factor;
pub mod jwt;
pub mod page;
pub mod passwords;
pub mod secrets;
pub mod table;
pub mod who;
