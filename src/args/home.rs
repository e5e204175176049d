//! What a home is and has: its stacks, profiles, mode, history.

use std::path::PathBuf;

use clap::Args;

use super::{Answer, Json};

#[derive(Debug, Args)]
pub struct Init {
    /// Where (default: here)
    pub dir: Option<PathBuf>,
    /// Only these stacks, separated by commas (default: all that ship)
    #[arg(long, value_delimiter = ',')]
    pub stacks: Option<Vec<String>>,
}

#[derive(Debug, Args)]
pub struct Render {
    /// Write nothing; exit 10 when the rendered files are not what the stacks say
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Toggle {
    #[arg(required = true)]
    pub profiles: Vec<String>,
    /// Apply at once
    #[arg(long)]
    pub now: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Mode {
    /// localhost or domain; none shows the present one
    pub mode: Option<String>,
    /// Only show what the switch would change
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Adopt {
    /// The project's name; without it all that could be adopted are listed
    pub project: Option<String>,
    /// Its Compose files, where its containers name a path inside some other manager's container
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub files: Vec<PathBuf>,
    /// Neither adopt it nor be told of it any more
    #[arg(long, requires = "project", conflicts_with_all = ["files", "undo"])]
    pub leave_alone: bool,
    /// Take back what was decided: it is adopted, or left alone, no more. Its containers stay as they are
    #[arg(long, requires = "project", conflicts_with = "files")]
    pub undo: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Prune {
    /// Images: these, or all that nothing uses or names and a registry gives again
    #[arg(long, value_name = "IMAGE", num_args = 0..)]
    pub images: Option<Vec<String>>,
    /// Volumes, with their data: these, or all that nothing uses or names. Each is listed and asked for
    #[arg(long, value_name = "NAME", num_args = 0..)]
    pub volumes: Option<Vec<String>>,
    /// Networks: these, or all that nothing uses or names
    #[arg(long, value_name = "NETWORK", num_args = 0..)]
    pub networks: Option<Vec<String>>,
    /// Only show what would go, and what stays and why
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct History {
    /// One run in full
    pub id: Option<String>,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 20)]
    pub limit: u32,
    #[command(flatten)]
    pub json: Json,
}
