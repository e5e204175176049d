//! The face of `hearth serve`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::{Serving, Settings};
use crate::args::{Global, LogFormat, Serve};
use crate::base::clock::SystemClock;
use crate::base::files;
use crate::certs::page;
use crate::cli::{Done, Failure, Out};
use crate::config;
use crate::diag::{Diagnostic, Kind};
use crate::proxy;
use crate::stacks::Home;
use crate::stacks::home::secrets;

/// Files that may be open: connections, twice over for what each leads to.
const FILES: u64 = 8192;

pub fn run(global: &Global, args: Serve, out: &Out) -> Done {
    let listen = args.listen.iter().map(|text| address(text, "--listen")).collect::<Result<Vec<_>, _>>()?;
    let http = match args.http.as_deref() {
        None => None,
        Some("off") => Some(None),
        Some(text) => Some(Some(address(text, "--http")?)),
    };
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let settings = Settings::of(&home, listen, http);
    if args.check {
        return check(&settings);
    }
    let domain = home.domain()?;
    if args.url {
        super::urls(&home, home.zone()?.as_deref(), &settings.listen)?.into_iter().for_each(|url| out.line(url));
        return Ok(());
    }
    log(&args, out)?;
    more_files();
    warn_of_secrets(&home);
    // Two threads: a flood of handshakes on one leaves the other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| failed(format!("Hearth cannot start: {error}")))?;
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let done = runtime.block_on(async {
        let stop = signals()?;
        let serving = Serving::begin(&home, &settings, domain, env, Arc::new(SystemClock)).await?;
        tell(&serving, out);
        if let Some(link) = serving.setup_link() {
            let out = out.clone().acts();
            out.line("this home has no admin yet: set it up, once, within a day, at");
            out.line(format!("  {}", link.expose()));
        }
        serving.until(stop).await;
        Ok(())
    });
    // A handler that hangs does not hold up the end.
    runtime.shutdown_background();
    done
}

/// What a person wants to know first; on standard output, since it is what the command is for.
fn tell(serving: &Serving, out: &Out) {
    let out = out.clone().acts();
    out.line(format!("Hearth answers at {}", serving.urls.join(" and ")));
    if let Some(http) = serving.http.map(near) {
        out.line(format!("devices come to trust it at http://{http}/trust"));
    }
    out.line("fingerprint of its local CA:");
    for line in page::groups(&serving.fingerprint()) {
        out.line(format!("  {}", line.join(" ")));
    }
}

/// Whether the server that listens there answers.
fn check(settings: &Settings) -> Done {
    let Some(address) = settings.listen.first().copied().map(near) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(format!("nobody can be asked: {error}")))?;
    runtime.block_on(proxy::answers(address, "localhost", "/health")).map_err(|why| {
        let d = Diagnostic::error("serve.silent", format!("no `hearth serve` answers at {address}: {why}"));
        d.kind(Kind::Unavailable)
            .hint("its log says why; where it listens is said by --listen, else by `server.listen` in hearth.yaml")
            .into()
    })
}

/// Where a client on this machine reaches a listener.
fn near(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

fn address(text: &str, flag: &str) -> Result<SocketAddr, Failure> {
    config::address(text).ok_or_else(|| {
        let d = Diagnostic::error("serve.bad-address", format!("`{text}` is no address to listen on"));
        d.field(flag).hint(config::ADDRESS).into()
    })
}

fn log(args: &Serve, out: &Out) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&args.log).map_err(|error| {
        let d = Diagnostic::error("serve.bad-log", format!("`{}` is no filter of log lines ({error})", args.log));
        Failure::from(
            d.field("--log").hint("write a level, as info or debug, or parts with levels, as info,hearth::access=off"),
        )
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(out.color && out.terminal);
    let all = tracing_subscriber::registry().with(filter);
    // A second one in the same process would be refused, and is not needed.
    let _ = match args.log_format {
        LogFormat::Text => all.with(lines.with_target(false)).try_init(),
        LogFormat::Json => all.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
    };
    Ok(())
}

/// What stacks use is refused or warned of where they are loaded; a server that begins says it too, since nobody may load them for long.
fn warn_of_secrets(home: &Home) {
    let text = files::read_text(&home.dir.join(".env")).unwrap_or_default();
    for weak in secrets::weak(&text) {
        tracing::warn!(line = weak.line, "the value of {} in .env {}", weak.name, weak.why);
    }
}

/// Many systems give a program 1024 files until it asks for more.
fn more_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|now| now < wanted) {
        // Where it is refused, fewer connections are accepted at once.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}

/// The signal to stop: SIGTERM, Ctrl-C, or the terminal is gone.
fn signals() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let mut signal = signal(kind).map_err(|error| failed(format!("signals cannot be received: {error}")))?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            tracing::info!("stopping");
            stop.cancel();
        });
    }
    Ok(stop)
}

fn failed(title: String) -> Failure {
    let d = Diagnostic::error("serve.failed", title).kind(Kind::Failed);
    d.hint("the system is out of files, threads or memory: look at its limits").into()
}
