//! The room of people and permissions: who is asking, and what they may.
//!
//! | subject | file |
//! |---|---|
//! | people, and by what they are known | `accounts` |
//! | one login in front of every routed service | `forward` |
//! | roles, and the proof that one was checked | `who` |
//! | what answers at each address, and who may call it | `table` |
//! | what people see of it in a browser | `page` |
//! | what was done and refused, by whom | `audit` |
//! | how fast secrets may be guessed | `brakes` |
//! | second factor: codes of an app, codes on paper | `factor` |
//! | the API of people | `json` |
//! | `hearth users`, `hearth tokens` | `cli` |
//! | access tokens of programs, and the keys that sign them | `jwt` |
//! | signing in by a provider of accounts | `oidc` |
//! | passkeys: keys that devices hold | `passkeys` |
//! | the name that the panel has to itself on its machine | `own_name` |
//! | passwords: which are taken, what a guess costs, how many at once | `passwords` |
//! | what was begun in a browser and is to be ended there | `pending` |
//! | the address at which names count | `place` |
//! | what of a home's routes concerns people | `routed` |
//! | what lies sealed in the database | `seal` |
//! | tokens, and what is kept of them | `secrets` |
//! | what the room keeps by name | `sql` |
//! | single-use tickets for sockets | `tickets` |
//!
//! It stands below the other rooms, since all of them ask it. It knows no home: it is given a folder and a config.

pub mod accounts;
pub mod audit;
pub mod brakes;
pub mod cli;
pub mod factor;
pub mod forward;
pub mod json;
pub mod jwt;
pub mod oidc;
pub mod own_name;
pub mod page;
pub mod passkeys;
pub mod passwords;
pub mod pending;
pub mod place;
pub mod routed;
pub mod seal;
pub mod secrets;
mod sql;
pub mod table;
pub mod tickets;
pub mod who;

pub use accounts::Auth;
