//! `hearth routes`: every way in, how it is, and what to do where it is not fine.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::json;

use crate::args::{Dns, Global, Routes};
use crate::base::clock::{Clock, SystemClock, rfc3339};
use crate::base::wording;
use crate::cli::{Done, Failure, Out, Tone, table};
use crate::diag::text::visible;
use crate::diag::{Diagnostic, Diagnostics};
use crate::engine::Engine;
use crate::proxy::content::{self, Values};
use crate::proxy::look::{Row, know};
use crate::proxy::{Absent, dns, names};
use crate::spec::Mode;
use crate::stacks::home::{Home, Read};
use crate::stacks::{Target, cli as stacks};

pub fn run(global: &Global, args: Routes, out: &Out) -> Done {
    let out = &out.clone().json(args.json.json);
    let home = Home::required(global.home.as_deref(), &out.cwd).map_err(|refused| refused.tell(out))?;
    let read = home.read().map_err(|refused| refused.tell(out))?;
    if let Some(format) = args.dns {
        return print_dns(&home, &read, format, args.address, out);
    }
    if home.config.mode == Mode::Localhost {
        return localhost(&home, &read, out);
    }
    // Flags that are not for a home are refused.
    Target::find(global, out)?;
    stacks::start(async {
        let (rows, code) = look(&home, &read, out).await?;
        show(&rows, out);
        if code == 0 { Ok(()) } else { Err(Failure::Code(code)) }
    })
}

/// How every way in is, and the exit code of what was told on the way.
pub async fn look(home: &Home, read: &Read, out: &Out) -> Result<(Vec<Row>, u8), Failure> {
    let mut told = Diagnostics::default();
    let engine = match out.engine().await {
        Ok(engine) => Some(engine),
        Err(why) => {
            told.push(*why.diagnostic);
            None
        }
    };
    let known = know(home, read, engine.as_ref().map(|e| e.as_ref() as &dyn Engine), &mut told).await?;
    told.0.iter().for_each(|d| out.diagnostic(d, &read.sources));
    if told.has_errors() && known.routes.is_empty() {
        return Err(Failure::Code(told.exit_code().max(1)));
    }
    Ok((known.look(&|_| true).await, told.exit_code()))
}

/// The table, and below it what to do.
pub fn show(rows: &[Row], out: &Out) {
    if out.json {
        out.value(&json!(rows.iter().map(to_json).collect::<Vec<_>>()));
        return;
    }
    if rows.is_empty() {
        return out
            .say("no service of this home has a route: x-hearth: {route: {host: NAME, port: NUMBER}} gives it one");
    }
    let now = SystemClock.now();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let certificate = match &row.certificate {
                None => "-".to_string(),
                Some(served) => {
                    let days = (served.not_after - now).whole_days();
                    let left = if days < 0 { "expired".to_string() } else { wording::count(days as usize, "day") };
                    format!("{}, {left}", visible(&served.issuer))
                }
            };
            vec![
                row.service.clone(),
                row.url.clone(),
                row.access.clone(),
                certificate,
                out.paint(tone(row), &visible(&row.state.words)),
            ]
        })
        .collect();
    out.text(&table::fitting(&["SERVICE", "URL", "ACCESS", "CERTIFICATE", "STATE"], &cells, out.terminal));
    let advice: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.state.advice.as_ref().map(|advice| format!("{}: {advice}", row.service)))
        .collect();
    advice.into_iter().for_each(|line| out.say(line));
    say_lost(rows, out);
}

/// Names that no program on this machine finds.
fn say_lost(rows: &[Row], out: &Out) {
    if out.json {
        return;
    }
    let lost: Vec<&str> =
        rows.iter().filter(|r| r.addresses.as_ref().is_some_and(Vec::is_empty)).map(|r| r.url.as_str()).collect();
    if !lost.is_empty() {
        out.say(format!(
            "{} not found by name from here: set the names in your DNS, or see hearth routes --dns hosts",
            if lost.len() == 1 { format!("{} is", lost[0]) } else { format!("{} names are", lost.len()) }
        ));
    }
}

/// After an apply: one line for each way in that it changed.
pub fn after(rows: &[Row], out: &Out) {
    for row in rows {
        if out.json {
            let mut value = to_json(row);
            value["event"] = json!("route");
            out.event(&value);
            continue;
        }
        out.say(format!("{}  {}", row.url, out.paint(tone(row), &visible(&row.state.words))));
        if let Some(advice) = row.state.advice.as_ref().filter(|_| row.state.grade == crate::proxy::Grade::Bad) {
            out.say(format!("  {advice}"));
        }
    }
    say_lost(rows, out);
}

fn tone(row: &Row) -> Tone {
    match row.state.grade {
        crate::proxy::Grade::Good => Tone::Good,
        crate::proxy::Grade::Waiting => Tone::Dim,
        crate::proxy::Grade::Bad => Tone::Bad,
    }
}

fn to_json(row: &Row) -> serde_json::Value {
    json!({
        "service": row.service,
        "url": row.url,
        "access": row.access,
        "state": row.state.words,
        "working": row.state.grade == crate::proxy::Grade::Good,
        "advice": row.state.advice,
        "certificate": row.certificate.as_ref().map(|served| json!({
            "issuer": served.issuer,
            "expires": rfc3339(served.not_after),
            "fingerprint": served.fingerprint,
            "distrusted_because": served.distrust,
        })),
        "addresses": row.addresses,
    })
}

/// Without a proxy a service answers on its ports: each service with where it answers, and whether it is on.
pub fn ports(home: &Home, read: &Read) -> Result<Vec<(String, String, bool)>, Diagnostic> {
    let values = Values::of(home)?;
    let mut rows = Vec::new();
    for (name, service) in &read.spec.services {
        for entry in &service.keys.localhost {
            let port = values.filled(&entry.port);
            let bind = values.filled(&entry.bind);
            let host = if matches!(bind.as_str(), "0.0.0.0" | "") { "127.0.0.1".to_string() } else { bind };
            let on = home.has_on(&service.profiles);
            let web = service.keys.routes.iter().any(|r| Some(port_of(r)) == entry.target.as_deref());
            let url = if web { format!("http://{host}:{port}") } else { format!("{host}:{port}/{}", entry.protocol) };
            rows.push((name.clone(), url, on));
        }
    }
    Ok(rows)
}

fn localhost(home: &Home, read: &Read, out: &Out) -> Done {
    let rows = ports(home, read)?;
    if out.json {
        let all = rows.iter().map(|(service, url, on)| json!({ "service": service, "url": url, "on": on }));
        out.value(&json!(all.collect::<Vec<_>>()));
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(service, url, on)| vec![service, url, if on { "on" } else { "off" }.to_string()])
        .collect();
    match cells.is_empty() {
        true => {
            out.say("no service of this home has a port on this machine: x-hearth: {localhost: NUMBER} gives it one")
        }
        false => out.text(&table::table(&["SERVICE", "ADDRESS", "PROFILE"], &cells)),
    }
    Ok(())
}

fn port_of(route: &crate::spec::keys::Route) -> &str {
    match &route.way {
        crate::spec::keys::Way::Port { port, .. } => port,
        _ => "",
    }
}

fn print_dns(home: &Home, read: &Read, format: Dns, address: Option<IpAddr>, out: &Out) -> Done {
    let values = Values::of(home)?;
    let mut told = Diagnostics::default();
    let routes = content::resolved(&read.rendered.routes, &values, None, Absent::Names, &mut told);
    told.0.iter().for_each(|d| out.diagnostic(d, &read.sources));
    let Some(domain) = values.domain() else {
        return Err(Diagnostic::error("home.no-domain", "there are no names without DOMAIN in .env")
            .hint("set it there, as DOMAIN=example.org")
            .into());
    };
    let Some(address) = address.or_else(|| content::own_address(home)) else {
        return Err(Diagnostic::error("proxy.no-address", "this machine has no address in a home network")
            .hint("say which one devices use: --address 192.168.1.10")
            .into());
    };
    let panel = format!("{}.{domain}", names::PANEL);
    let mut hosts = names::hosts(&routes);
    hosts.insert(&panel);
    out.text(&dns::render(format.into(), address, &domain, &hosts));
    Ok(())
}

impl From<Dns> for dns::Format {
    fn from(format: Dns) -> Self {
        match format {
            Dns::Hosts => dns::Format::Hosts,
            Dns::Dnsmasq => dns::Format::Dnsmasq,
            Dns::Pihole => dns::Format::Pihole,
        }
    }
}
