//! Certificates from a real authority (pebble), proved through a real Traefik, ordered and renewed by a running `hearth serve` alone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::rig::{DOMAIN, Done, Door, Knot, Like, Pebble, Scratch, TestCa, cases, curl, quiet_curl, until};

cases![together:
    routes_get_certificates_of_an_authority_by_themselves_without_a_restart,
    a_renewal_that_the_authority_asks_for_costs_no_request,
    a_short_lived_certificate_is_renewed_by_itself_and_costs_no_request,
    one_wildcard_serves_all_hosts_where_dns_proves_them,
];

/// A service for the home network, and one that needs a login.
const STACK: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www']
    x-hearth: {route: {host: app, port: 80, access: lan}}
  closed:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [httpd, -f, -p, '80']
    x-hearth: {route: {host: closed, port: 80}}
";

/// For an order, and Traefik's ten seconds after it.
const LIMIT: Duration = Duration::from_secs(40);

/// What `hearth.yaml` says of an authority at this URL.
fn asks(ca: &TestCa, url: &str, more: &str) -> String {
    format!("certificates:\n  issuer: acme\n  ca: {url}\n  roots: {}\n{more}", ca.root.display())
}

/// The chain that is stored for exactly this name.
fn stored(s: &Scratch, name: &str) -> Option<PathBuf> {
    let listed: Vec<Value> = serde_json::from_str(&s.hearth_args(&["certs", "--json"]).out).ok()?;
    let row = listed.iter().find(|row| row["names"] == serde_json::json!([name]) && !row["issuer"].is_null())?;
    Some(s.dir.join("state/certs").join(row["id"].as_str()?).join("chain.pem"))
}

/// The certificate that a host shows, PEM.
fn leaf(door: &Door, host: &str) -> String {
    let whole = format!("{host}.{DOMAIN}");
    let at = format!("{whole}:{}:127.0.0.1", door.https);
    let url = format!("https://{whole}:{}/", door.https);
    let body = quiet_curl(door.s, &["-k", "-w", "%{certs}", "--resolve", &at, &url]).body;
    body.split_once("-----BEGIN").map(|(_, pem)| pem.to_owned()).unwrap_or_default()
}

/// Asks for a page again and again while `work` is done; how many were asked for, and how many were not answered with 200.
fn under_load(door: &Door, work: impl FnOnce()) -> (usize, usize) {
    let (going, failed, done) = (AtomicBool::new(true), AtomicUsize::new(0), AtomicUsize::new(0));
    let whole = format!("app.{DOMAIN}");
    let (at, url) = (format!("{whole}:{}:127.0.0.1", door.https), format!("https://{whole}:{}/", door.https));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while going.load(Ordering::Relaxed) {
                let page = quiet_curl(door.s, &["-k", "--resolve", &at, &url]);
                done.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(usize::from(page.status != 200), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        // A failure of the work must not leave the other thread going.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // What comes soon, on a busy machine, comes before there was any load to speak of.
        until(Duration::from_secs(60), || done.load(Ordering::Relaxed) > 10);
        going.store(false, Ordering::Relaxed);
        worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    (done.into_inner(), failed.into_inner())
}

fn routes_get_certificates_of_an_authority_by_themselves_without_a_restart(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let ca = TestCa::new(&s.beside("ca"));
    let pebble = Pebble::start(s, &ca, Like { http: Some(door.http), ..Like::default() })?;
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until("app", 200);
    door.until("panel", 200);
    assert!(door.issuer(&format!("app.{DOMAIN}")).contains("Hearth"));
    // From here on nothing is done but this.
    door.says(&asks(&ca, &pebble.url(), ""));
    for host in ["app", "closed", "panel"] {
        assert!(until(LIMIT, || stored(s, &format!("{host}.{DOMAIN}")).is_some()), "nothing is issued for {host}");
        door.until_issued(host, "Pebble", Duration::from_secs(10));
    }
    // Nobody else did that: the audit has it as Hearth's own act.
    let acts = || door.hearth("audit --kind system --action certs.renewed --json").out;
    let entered = || ["app", "closed", "panel"].iter().all(|host| acts().contains(&format!("{host}.{DOMAIN}")));
    assert!(until(Duration::from_secs(5), entered), "{}", acts());
    // Access is as it was, for the authority's questions as for everybody's.
    let get = |host: &str| {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:127.0.0.1", door.https);
        curl(s, &["-k", "--resolve", &at, &format!("https://{whole}:{}/", door.https)]).status
    };
    assert_eq!((get("app"), get("closed"), get("panel")), (200, 401, 403), "the panel has no admin yet");
    assert_eq!(door.plain("app", "/").status, 301);
    let certs = s.hearth_args(&["certs"]).ok();
    for words in [&format!("app.{DOMAIN}"), &format!("closed.{DOMAIN}"), &format!("panel.{DOMAIN}"), "Pebble"] {
        assert!(certs.out.contains(words), "{words}: {}", certs.out);
    }
    let routes: Value = serde_json::from_str(&door.hearth("routes --json").ok().out).expect("it is JSON");
    for route in routes.as_array().expect("it is a list") {
        assert!(route["certificate"]["issuer"].as_str().is_some_and(|i| i.contains("Pebble")), "{route}");
    }
    let said = serve.end();
    assert!(said.both().contains("what stands under certificates: has changed"), "{}", said.both());
    Ok(())
}

fn a_renewal_that_the_authority_asks_for_costs_no_request(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let ca = TestCa::new(&s.beside("ca"));
    let pebble = Pebble::start(s, &ca, Like { http: Some(door.http), ..Like::default() })?;
    door.says(&asks(&ca, &pebble.url(), ""));
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until_issued("app", "Pebble", LIMIT);
    let chain = stored(s, &format!("app.{DOMAIN}")).expect("what is served is stored");
    let first = leaf(&door, "app");
    pebble.suggests_now(s, &chain);
    serve.end();
    // It is asked for at the start, and then as often as the authority says.
    let (done, failed) = under_load(&door, || {
        let serve = door.serve();
        let came = until(LIMIT, || ![String::new(), first.clone()].contains(&leaf(&door, "app")));
        assert!(came, "it is not renewed: {}", s.hearth_args(&["certs"]).both());
        serve.end();
    });
    assert!(failed == 0 && done > 10, "{failed} of {done} failed");
    Ok(())
}

fn a_short_lived_certificate_is_renewed_by_itself_and_costs_no_request(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let ca = TestCa::new(&s.beside("ca"));
    let pebble = Pebble::start(s, &ca, Like { http: Some(door.http), brief: true, ..Like::default() })?;
    door.says(&asks(&ca, &pebble.url(), ""));
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until_issued("app", "Pebble", LIMIT);
    let first = leaf(&door, "app");
    let (done, failed) = under_load(&door, || {
        let came = until(Duration::from_secs(100), || ![String::new(), first.clone()].contains(&leaf(&door, "app")));
        assert!(came, "it is not renewed: {}", s.hearth_args(&["certs"]).both());
    });
    assert!(failed == 0 && done > 10, "{failed} of {done} failed");
    serve.end();
    Ok(())
}

fn one_wildcard_serves_all_hosts_where_dns_proves_them(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let ca = TestCa::new(&s.beside("ca"));
    let knot = Knot::of(s, DOMAIN)?;
    // Nobody could ask over HTTP: this port leads nowhere.
    let pebble = Pebble::start(s, &ca, Like { dns: Some(format!("{}:53", knot.address)), ..Like::default() })?;
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    s.write(".env", &format!("{env}TSIG={}\n", Knot::SECRET));
    let dns = format!(
        "  challenge: dns-01\n  resolvers: ['{0}']\n  dns: {{provider: rfc2136, server: {0}, key_name: hearth, key: \"${{TSIG}}\", timeout: 20s}}\n",
        knot.address
    );
    door.says(&asks(&ca, &pebble.url(), &dns));
    door.hearth("up web").ok();
    let serve = door.serve();
    for host in ["app", "closed", "panel"] {
        door.until_issued(host, "Pebble", LIMIT);
    }
    let listed: Vec<Value> = serde_json::from_str(&s.hearth_args(&["certs", "--json"]).ok().out).expect("it is JSON");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["names"], serde_json::json!([format!("*.{DOMAIN}"), DOMAIN]));
    let said = serve.end();
    assert!(!said.both().contains(Knot::SECRET));
    Ok(())
}
