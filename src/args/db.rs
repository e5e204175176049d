//! `hearth db`.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Database {
    #[command(subcommand)]
    pub verb: Option<DatabaseVerb>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum DatabaseVerb {
    /// Copy everything into an empty database: PostgreSQL by URL, or a file of SQLite. Nothing is switched over
    Copy {
        /// Where to: postgres://USER@HOST/DATABASE (its password from PGPASSWORD or ~/.pgpass), a file, or `-`: a URL from standard input
        #[arg(long, value_name = "URL|FILE")]
        to: String,
        /// Another source than the home's database: a file of SQLite, as in state/backups
        #[arg(long, value_name = "FILE")]
        from: Option<std::path::PathBuf>,
    },
    /// Make the database on the server this home's, where it belongs to another one: after a move without `state/`
    Take,
}
