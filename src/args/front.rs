//! The way in, the servers, and what else the program can do.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Answer, Json};

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
    /// The socket at which the panel tells who may enter
    #[arg(long, value_name = "PATH", env = "HEARTH_GATE_PANEL", default_value = "/run/hearth/panel.sock")]
    pub panel: PathBuf,
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
    /// Ask the server that runs here whether it answers: 0 if so. A health check for an image without a shell
    #[arg(long)]
    pub check: bool,
    /// Print where a browser finds the panel, and end: on this machine it has a name of its own
    #[arg(long, conflicts_with = "check")]
    pub url: bool,
}

#[derive(Debug, Args)]
pub struct Image {
    /// Its name
    #[arg(default_value = "hearth:local")]
    pub name: String,
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
