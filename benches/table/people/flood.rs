//! A flood of logins from outside and from the home's network, while the owner wants in.
//!
//! All of it happens in a network namespace of its own, where this machine has addresses of the world outside too: a program of its own, started as
//! root by the bench.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::asks::ask;
use super::{PASSWORD, Panel};
use crate::home::{self, memory};
use crate::report::{Goal, Row, Samples, Unit};

const MEMORY: &str = "memory of hearth serve at most, under a flood of logins";
const OWNER: &str = "a login of the owner at home, meanwhile";
/// Connections at once, from as many households outside, and from as many at home.
const OUTSIDE: u8 = 96;
const INSIDE: u8 = 32;
const LASTS: Duration = Duration::from_secs(20);

pub fn rows() -> Result<Vec<Row>, String> {
    let names = [MEMORY, OWNER];
    if !rustix::process::geteuid().is_root() {
        return Ok(names.map(|name| Row::skipped(name, "only root can give it a network of its own")).into());
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/own-net");
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let ran = Command::new("unshare").arg("--net").arg(own).arg(program).arg("--flood").output();
    let ran = ran.map_err(|e| format!("unshare: {e}"))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("flood: "));
    let numbers: Option<Vec<f64>> = line.map(|line| line.split(' ').filter_map(|n| n.parse().ok()).collect());
    let Some([most, tried, hashed, owner @ ..]) = numbers.as_deref().filter(|numbers| numbers.len() > 3) else {
        return Err(format!("the flood: {said}{}", String::from_utf8_lossy(&ran.stderr)));
    };
    let note = format!(
        "{OUTSIDE} households outside and {INSIDE} at home try without a pause for {} s: {tried} logins, {hashed} of them hashed",
        LASTS.as_secs()
    );
    let most = Samples(vec![*most]);
    Ok(vec![
        Row::new(MEMORY, Unit::Megabytes, most, Samples::default(), Goal::AtMost(200.0)).note(note),
        Row::new(OWNER, Unit::Seconds, Samples(owner.to_vec()), Samples::default(), Goal::Each(8.0))
            .note("from this machine, with the right password; each must get in"),
    ])
}

/// What runs in the network of its own.
pub fn child() -> Result<bool, String> {
    let outside = Command::new("ip").args(["addr", "add", "203.0.113.1/24", "dev", "lo"]).status();
    let outside = match outside {
        Ok(status) => Ok(status),
        Err(_) => Command::new("busybox").args(["ip", "addr", "add", "203.0.113.1/24", "dev", "lo"]).status(),
    };
    if !outside.map_err(|e| e.to_string())?.success() {
        return Err("no address of the world outside can be had".into());
    }
    let mut line = String::new();
    home::measured("flood", &[], |s| {
        let panel = Panel::start(s, &["--listen", "0.0.0.0:7443"]);
        let (stop, tried, hashed) = (Arc::new(AtomicBool::new(false)), Arc::default(), Arc::default());
        let flood = std::thread::spawn({
            let (to, stop, tried, hashed) = (panel.http, stop.clone(), Arc::clone(&tried), Arc::clone(&hashed));
            move || storm(to, &stop, &tried, &hashed)
        });
        let (began, mut owner) = (Instant::now(), Vec::new());
        std::thread::sleep(Duration::from_secs(2));
        while began.elapsed() < LASTS {
            let each = Instant::now();
            let (status, told) = panel.login([127, 0, 0, 1], "admin", PASSWORD);
            assert_eq!(status, 200, "the owner: {told}");
            owner.push(format!("{:.3}", each.elapsed().as_secs_f64()));
            std::thread::sleep(Duration::from_secs(2));
        }
        stop.store(true, Ordering::Relaxed);
        flood.join().expect("the flood does not fall over");
        let most = memory(panel.running.pid(), "VmHWM");
        let (tried, hashed) = (AtomicU64::load(&tried, Ordering::Relaxed), AtomicU64::load(&hashed, Ordering::Relaxed));
        line = format!("flood: {most:.1} {tried} {hashed} {}", owner.join(" "));
        panel.end(s);
        Ok(Vec::new())
    })?;
    println!("{line}");
    Ok(true)
}

/// Everybody tries at once, another name each time.
fn storm(to: std::net::SocketAddr, stop: &Arc<AtomicBool>, tried: &Arc<AtomicU64>, hashed: &Arc<AtomicU64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let local = tokio::task::LocalSet::new();
    let outside = (0..OUTSIDE).map(|n| Ipv4Addr::new(203, 0, 113, n + 2));
    let inside = (0..INSIDE).map(|n| Ipv4Addr::new(127, 3, 0, n + 2));
    for (who, from) in outside.chain(inside).enumerate() {
        let (stop, tried, hashed) = (stop.clone(), tried.clone(), hashed.clone());
        local.spawn_local(async move {
            let mut n = 0u64;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let name = format!("name{}", (n * 131 + who as u64) % 5000);
                let body = json!({"username": name, "password": "wrong wrong wrong"});
                let told = ask(from, to, "POST", "/api/v1/auth/login", None, Some(body)).await;
                tried.fetch_add(1, Ordering::Relaxed);
                match told {
                    Ok((401, _)) => drop(hashed.fetch_add(1, Ordering::Relaxed)),
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
    }
    runtime.block_on(local);
}
