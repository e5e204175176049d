//! What is done to the services of a project, a home's or another.

use clap::{Args, ValueEnum};

use super::{Answer, Json};

#[derive(Debug, Args)]
pub struct Config {
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub format: Format,
    /// Print the config hash of a service, or of all with '*'
    #[arg(long, value_name = "SERVICE")]
    pub hash: Option<String>,
    /// Names of services
    #[arg(long)]
    pub services: bool,
    /// Names of volumes
    #[arg(long)]
    pub volumes: bool,
    /// Names of networks
    #[arg(long)]
    pub networks: bool,
    /// Images
    #[arg(long)]
    pub images: bool,
    /// Names of profiles
    #[arg(long)]
    pub profiles: bool,
    /// The variables that interpolation sees
    #[arg(long)]
    pub environment: bool,
    /// Only check; print nothing but mistakes
    #[arg(short, long)]
    pub quiet: bool,
    /// Keep networks and volumes that no service uses
    #[arg(long)]
    pub all_resources: bool,
    /// Mistakes and warnings as JSON on standard error
    #[arg(long)]
    pub json: bool,
    /// Only these services and what they need
    pub targets: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Yaml,
    Json,
}

/// What `plan` and `up` share: what to act on and how to decide.
#[derive(Debug, Clone, Default, Args)]
pub struct Deciding {
    /// Profiles in a home, services with -f
    pub names: Vec<String>,
    /// Only this service and what it needs, whatever its profile; nothing is turned on for good
    #[arg(long = "service", value_name = "SERVICE", conflicts_with = "names")]
    pub services: Vec<String>,
    /// Also end containers that no stack names any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Replace every container even if nothing changed
    #[arg(long, conflicts_with = "no_recreate")]
    pub force_recreate: bool,
    /// Replace nothing
    #[arg(long)]
    pub no_recreate: bool,
    /// New anonymous volumes instead of keeping the old ones
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,
    /// Leave dependencies alone
    #[arg(long)]
    pub no_deps: bool,
    /// Run one-shots again that ended well and did not change
    #[arg(long)]
    pub rerun: bool,
    /// Pull: always, missing or never
    #[arg(long, value_name = "POLICY")]
    pub pull: Option<String>,
    /// Seconds to wait for a stop before killing
    #[arg(short, long, value_name = "SECONDS")]
    pub timeout: Option<i64>,
    /// Number of containers of a service, as SERVICE=N
    #[arg(long, value_name = "SERVICE=N")]
    pub scale: Vec<String>,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub deciding: Deciding,
    /// Plan a `down` instead
    #[arg(long)]
    pub down: bool,
    /// Plan an `update` instead: pull again, and replace what moved
    #[arg(long, conflicts_with = "down")]
    pub update: bool,
    /// Exit 10 when there is something to do
    #[arg(long)]
    pub check: bool,
    /// Keep the plan, to be applied by id
    #[arg(long)]
    pub save: bool,
    /// Every step, not only what happens per service
    #[arg(long)]
    pub steps: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Apply {
    pub id: String,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Default, Args)]
pub struct Up {
    #[command(flatten)]
    pub deciding: Deciding,
    /// Taken for Compose's sake: Hearth always returns when all is started
    #[arg(short, long, hide = true)]
    pub detach: bool,
    /// Return only when every service is running or healthy
    #[arg(long)]
    pub wait: bool,
    /// At most this many seconds with --wait
    #[arg(long, value_name = "SECONDS")]
    pub wait_timeout: Option<u64>,
    /// Create without starting
    #[arg(long)]
    pub no_start: bool,
    /// Build images before starting
    #[arg(long)]
    pub build: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Default, Args)]
pub struct Down {
    /// Profiles in a home, services with -f; none means everything
    pub names: Vec<String>,
    /// Also remove these volumes; without names all of the project's, each listed and asked for
    #[arg(short = 'v', long, value_name = "NAME", num_args = 0..)]
    pub volumes: Option<Vec<String>>,
    /// Also end containers that no stack names any more
    #[arg(long)]
    pub remove_orphans: bool,
    /// Seconds to wait for a stop before killing
    #[arg(short, long, value_name = "SECONDS")]
    pub timeout: Option<i64>,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Some_ {
    pub services: Vec<String>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Timed {
    pub services: Vec<String>,
    /// Seconds to wait for a stop before killing
    #[arg(short, long, value_name = "SECONDS")]
    pub timeout: Option<i64>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Update {
    pub services: Vec<String>,
    /// Only show what would be replaced
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Ps {
    pub services: Vec<String>,
    /// Also those that do not run
    #[arg(short, long)]
    pub all: bool,
    /// Only container ids
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct Logs {
    pub services: Vec<String>,
    /// Go on as lines come
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last lines of each container
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    pub tail: String,
    /// Since a time (RFC 3339, or as 10m)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Show the time of each line
    #[arg(short, long)]
    pub timestamps: bool,
    /// Without the container's name before each line
    #[arg(long)]
    pub no_log_prefix: bool,
}

#[derive(Debug, Args)]
pub struct Exec {
    /// The service in whose container it runs
    pub service: String,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
    /// No terminal
    #[arg(short = 'T', long)]
    pub no_tty: bool,
    /// A terminal and input are given where there are some: taken for those whose fingers type `-it`
    #[arg(short = 'i', long, hide = true)]
    pub interactive: bool,
    #[arg(short = 't', long, hide = true)]
    pub tty: bool,
    /// As this user
    #[arg(short, long)]
    pub user: Option<String>,
    /// In this directory
    #[arg(short, long)]
    pub workdir: Option<String>,
    /// A variable, as NAME=value
    #[arg(short, long)]
    pub env: Vec<String>,
    /// Which container of the service
    #[arg(long, default_value_t = 1)]
    pub index: u32,
}
