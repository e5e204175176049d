//! `hearth audit`.

use clap::{Args, Subcommand, ValueEnum};

use super::Json;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Audit {
    #[command(subcommand)]
    pub verb: Option<AuditVerb>,
    #[command(flatten)]
    pub filter: AuditFilter,
    /// At most this many, the newest first
    #[arg(short = 'n', long, default_value_t = 30)]
    pub limit: u16,
    /// Only entries before this number: how a list goes on
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<i64>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Look whether every entry is as it was written, and none is gone
    Verify {
        /// Also that this entry has this hash, as an earlier look gave them
        #[arg(long, value_name = "NUMBER:HASH")]
        noted: Option<String>,
        #[command(flatten)]
        json: Json,
    },
    /// Write entries for other programs, the oldest first
    Export {
        #[arg(long, value_enum)]
        format: AuditFormat,
        #[command(flatten)]
        filter: Box<AuditFilter>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// One JSON object a line
    Jsonl,
    /// A table
    Csv,
}

/// Which entries; all that is given has to fit. A `*` at the end of a text stands for any ending.
#[derive(Debug, Clone, Default, Args)]
pub struct AuditFilter {
    /// user, token, terminal, system or nobody
    #[arg(long)]
    pub kind: Option<String>,
    /// Name of whoever did it
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
    /// The account that did it: its number, or its name as --who
    #[arg(long, value_name = "NUMBER|NAME", conflicts_with = "who")]
    pub user: Option<String>,
    /// Address that it came from, or `terminal`
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// What was done, as `users.*`
    #[arg(long)]
    pub action: Option<String>,
    /// What it was done to
    #[arg(long)]
    pub object: Option<String>,
    /// done, refused or failed
    #[arg(long)]
    pub outcome: Option<String>,
    /// Id of the request, as the log and the answer have it
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// From this time on: 2026-11-26, 2026-11-26T17:00:00Z, or how long ago, as 24h
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Took at least so many milliseconds
    #[arg(long, value_name = "MS")]
    pub longer: Option<i64>,
    /// Stands somewhere in it: a name, a path, a command
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// About this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
}
