//! Every subcommand on one page (DESIGN section 7), with the flags that stand before it; those after it are in the files beside. What each
//! does stands in its room's `cli` face.

mod audit;
mod db;
mod front;
mod home;
mod people;
mod project;

pub use audit::*;
pub use db::*;
pub use front::*;
pub use home::*;
pub use people::*;
pub use project::*;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::ColorArg;
use crate::compose::Compat;

/// Runs the services of a home server with Docker, from declarative stacks; what it writes is plain Compose.
#[derive(Debug, Parser)]
#[command(name = "hearth", version, max_term_width = 110, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that stand before the command: which home, or which plain Compose project.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The home: a folder with hearth.yaml (default: here or a folder above)
    #[arg(long, value_name = "DIR", env = "HEARTH_HOME")]
    pub home: Option<PathBuf>,
    /// A Compose file; repeat to merge several. Works on any plain Compose project, without a home
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Project name
    #[arg(short = 'p', long, value_name = "NAME")]
    pub project_name: Option<String>,
    /// Directory that relative paths start from (default: that of the first file)
    #[arg(long, value_name = "DIR")]
    pub project_directory: Option<PathBuf>,
    /// A file with variables; repeat for several. `.env` is then not read
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<PathBuf>,
    /// Turn a profile on for this command; `*` is all
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<String>,
    /// Whose rules decide model and hash: Compose 2 or 5 (default: the one installed here)
    #[arg(long, value_name = "2|5")]
    pub compat: Option<CompatArg>,
    /// Colour: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompatArg {
    #[value(name = "2")]
    Two,
    #[value(name = "5")]
    Five,
}

impl From<CompatArg> for Compat {
    fn from(arg: CompatArg) -> Compat {
        match arg {
            CompatArg::Two => Compat::V2,
            CompatArg::Five => Compat::V5,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a home: hearth.yaml, stacks, .env with random secrets
    Init(Init),
    /// Show the loaded project, as `docker compose config` does
    Config(Config),
    /// Write compose.yaml and compose/ from the stacks
    Render(Render),
    /// Show each profile: on or off, its services, what it needs
    Profiles(Json),
    /// Turn profiles on (recorded; `--now` also starts them)
    Enable(Toggle),
    /// Turn profiles off (recorded; `--now` also stops them)
    Disable(Toggle),
    /// Show how services are reached, or switch: on ports of this machine, or by name through Traefik
    Mode(Mode),
    /// Show what would change and why
    Plan(PlanArgs),
    /// Apply a saved plan, unless the world has moved since
    Apply(Apply),
    /// Make what runs what is wanted, replacing only what changed
    Up(Up),
    /// Stop and remove containers and networks; volumes stay unless named
    Down(Down),
    /// Start existing containers
    Start(Some_),
    /// Stop containers, in reverse order of dependency
    Stop(Timed),
    /// Restart containers without applying changes
    Restart(Timed),
    /// Pull images
    Pull(Some_),
    /// Pull and replace what moved; the old image stays until the new one is proven
    Update(Update),
    /// List containers of the project
    Ps(Ps),
    /// Show logs
    Logs(Logs),
    /// Run a command in a running container
    Exec(Exec),
    /// List all Compose projects of this engine, ours and others
    Ls(Json),
    /// Take over a running Compose project as it is, recreating nothing
    Adopt(Adopt),
    /// Remove images, networks and volumes that nothing uses; without flags images and networks
    Prune(Prune),
    /// Show every way in: address, access, certificate, and how it is
    Routes(Routes),
    /// Show certificates: names, issuer, what is served, expiry, next renewal and why; renew, bring your own, trust the local CA
    Certs(Certs),
    /// Show the people of the home; add, change, remove, invite; also when nobody can sign in any more
    Users(Users),
    /// Show, make and end API tokens
    Tokens(Tokens),
    /// Look at engine, Traefik, ports, DNS, authorities and clock; each finding with its fix
    Doctor(Json),
    /// Show what was done, when and by whom
    History(History),
    /// Show who changed what and what was refused; check that the log is whole
    Audit(Box<Audit>),
    /// Show where the database is and what is in it; copy all of it into another one
    Db(Database),
    /// Show Traefik the part of Docker that it reads, and answer for services that cannot
    Gate(Gate),
    /// Run Hearth's own server: HTTPS, and what goes on in the background
    Serve(Serve),
    /// Make the image hearth:local of this program: for gate, and to run Hearth itself as a container (compose/hearth.yaml)
    Image(Image),
    /// Say what of the machine a container does not show: Hearth in one runs it there
    #[command(hide = true)]
    Machine,
    /// Small programs to see something run: web, counter
    #[command(hide = true)]
    Example(ExampleArgs),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

#[derive(Debug, Clone, Default, Args)]
pub struct Json {
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// How questions are answered.
#[derive(Debug, Clone, Default, Args)]
pub struct Answer {
    /// Answer yes to what would be asked
    #[arg(short, long)]
    pub yes: bool,
}
