//! Every subcommand and flag on one page (DESIGN section 7). What each does stands in its room's `cli` face.

use std::net::SocketAddr;
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
    /// Show every way in: address, access, certificate, and how it is
    Routes(Routes),
    /// Show certificates: names, issuer, what is served, expiry, next renewal and why; renew, bring your own, trust the local CA
    Certs(Certs),
    /// Look at engine, Traefik, ports, DNS, authorities and clock; each finding with its fix
    Doctor(Json),
    /// Show what was done, when and by whom
    History(History),
    /// Show Traefik the part of Docker that it reads, and answer for services that cannot
    Gate(Gate),
    /// Run Hearth's own server: HTTPS, and what goes on in the background
    Serve(Serve),
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

#[derive(Debug, Args)]
pub struct Init {
    /// Where (default: here)
    pub dir: Option<PathBuf>,
    /// Only these stacks, separated by commas (default: all that ship)
    #[arg(long, value_delimiter = ',')]
    pub stacks: Option<Vec<String>>,
}

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

/// How questions are answered.
#[derive(Debug, Clone, Default, Args)]
pub struct Answer {
    /// Answer yes to what would be asked
    #[arg(short, long)]
    pub yes: bool,
}

/// What `plan` and `up` share: what to act on and how to decide.
#[derive(Debug, Clone, Default, Args)]
pub struct Deciding {
    /// Profiles in a home, services with -f
    pub names: Vec<String>,
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

#[derive(Debug, Args)]
pub struct Adopt {
    /// The project's name; without it all that could be adopted are listed
    pub project: Option<String>,
    /// Its Compose files, where its containers name a path inside some other manager's container
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub files: Vec<PathBuf>,
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

/// Runs as the container `gate` of the stack `core`, which Hearth writes; each flag can be a variable there.
#[derive(Debug, Args)]
pub struct Gate {
    /// The Docker Engine's socket
    #[arg(long, value_name = "PATH", env = "HEARTH_GATE_SOCKET", default_value = "/var/run/docker.sock")]
    pub socket: PathBuf,
    /// The Compose project whose containers are shown, and no others
    #[arg(long, value_name = "NAME", env = "HEARTH_GATE_PROJECT")]
    pub project: Option<String>,
    /// Where Traefik asks for Docker
    #[arg(long, value_name = "ADDRESS:PORT", env = "HEARTH_GATE_DOCKER", default_value = "0.0.0.0:2375")]
    pub docker: SocketAddr,
    /// Where the pages for services that do not answer are
    #[arg(long, value_name = "ADDRESS:PORT", env = "HEARTH_GATE_PAGES", default_value = "0.0.0.0:8081")]
    pub pages: SocketAddr,
    /// Ask the gate that runs here whether it works: 0 if so. A health check for an image without a shell
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Trust {
    /// Print only the root, as PEM
    #[arg(long, conflicts_with = "json")]
    pub print: bool,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
pub struct NewCa {
    #[command(flatten)]
    pub answer: Answer,
}

#[derive(Debug, Args)]
pub struct Certs {
    #[command(subcommand)]
    pub verb: Option<CertsVerb>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Subcommand)]
pub enum CertsVerb {
    /// Order now: at the authority's staging first, then at the authority itself
    Renew {
        /// A name of the certificate, its id, or all names of a new one (default: all certificates)
        names: Vec<String>,
    },
    /// Bring a certificate of your own, in PEM
    Import {
        /// The certificate of the names, then those of the authority
        chain: PathBuf,
        /// Its key, without a password
        key: PathBuf,
    },
    /// Forget a certificate that no route needs
    Delete {
        /// As `hearth certs` shows it
        id: String,
    },
    /// Print the local CA's fingerprint, and how this machine comes to trust it
    Trust(Trust),
    /// Make a new root for the local CA: each device has to be told to trust it
    NewCa(NewCa),
}

#[derive(Debug, Args)]
pub struct Routes {
    /// Print the names for a DNS server or hosts file of the home instead
    #[arg(long, value_name = "FORMAT")]
    pub dns: Option<Dns>,
    /// With --dns: the address of this machine that devices use (default: found)
    #[arg(long, value_name = "IP", requires = "dns")]
    pub address: Option<std::net::IpAddr>,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dns {
    Hosts,
    Dnsmasq,
    Pihole,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where HTTPS is, as 0.0.0.0:8443, or a port on this machine only; repeat for several [default: server.listen in hearth.yaml, else 8443]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Vec<String>,
    /// Where plain HTTP is, for redirect and trust page; `off` for nowhere [default: server.http in hearth.yaml, else 8480]
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<String>,
    /// Which lines are logged: a level, or levels of parts, as info,hearth::access=off
    #[arg(long, value_name = "FILTER", env = "HEARTH_LOG", default_value = "info")]
    pub log: String,
    /// How they are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub struct ExampleArgs {
    #[command(subcommand)]
    pub which: Example,
}

#[derive(Debug, Subcommand)]
pub enum Example {
    /// A page that shows the counter
    Web,
    /// Counts, and keeps the number in /data
    Counter,
    /// Exits 0 when the address answers 200: a health check for images without a shell
    Check { url: String },
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}
