//! `hearth doctor` names what is in the way, and how it is put right: ports, Traefik, DNS, authorities, the clock.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hearth::base::clock::{Clock, SystemClock};
use hearth::doctor::{Finding, Grade};
use hearth::stacks::home::Home;
use serde_json::Value;

use crate::rig::{DOMAIN, Done, Door, Front, Knot, Like, Pebble, PrivateEngine, Reply, Scratch, TestCa, cases, until};

cases![together:
    a_port_held_by_another_program_is_named_with_its_holder,
    a_traefik_below_the_minimum_is_a_problem_with_its_reason,
    a_traefik_that_stands_or_is_blind_is_said,
    a_clock_a_year_off_is_said,
    an_authority_out_of_reach_is_said_with_its_cause,
    a_challenge_that_nobody_answers_offers_dns_and_the_local_authority,
    a_private_address_that_the_resolver_hides_is_called_rebinding_protection,
    an_engine_that_cannot_be_asked_has_an_exit_code_of_its_own,
    a_machine_without_a_home_is_looked_at_too;
    alone: an_engine_that_refuses_old_clients_is_asked_all_the_same;
];

const STACK: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www']
    x-hearth: {route: {host: app, port: 80, access: public}}
";

/// The findings of `hearth doctor --json`, and its exit code.
fn doctor(s: &Scratch) -> (Vec<Value>, i32) {
    let ran = s.hearth_args(&["doctor", "--json"]);
    let value: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.both()));
    (value["findings"].as_array().expect("it is a list").clone(), ran.code)
}

/// The words of the finding of one check; fails where there is none.
#[track_caller]
fn said(findings: &[Value], check: &str, grade: &str) -> String {
    let found = findings.iter().find(|f| f["check"] == check && f["grade"] == grade);
    let found = found.unwrap_or_else(|| panic!("no {grade} {check} in {findings:#?}"));
    let fixes: Vec<&str> = found["fix"].as_array().expect("it is a list").iter().filter_map(Value::as_str).collect();
    format!("{} | {}", found["words"].as_str().unwrap_or_default(), fixes.join(" | "))
}

fn has(findings: &[Value], check: &str) -> bool {
    findings.iter().any(|f| f["check"] == check)
}

fn a_port_held_by_another_program_is_named_with_its_holder(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    s.hearth_args(&["enable", "web"]).ok();
    let listener = TcpListener::bind(("0.0.0.0", door.http)).expect("the port is free");
    let container = format!("{}-holder", s.project);
    let publish = format!("{}:80", door.https);
    let run = ["run", "-d", "--name", &container, "-p", &publish, "hearth-test/busybox:1", "httpd", "-f", "-p", "80"];
    s.docker_args(&run).ok();
    let (findings, code) = doctor(s);
    let held: Vec<String> = findings
        .iter()
        .filter(|f| f["check"] == "port-held")
        .filter_map(|f| Some(format!("{} {}", f["words"].as_str()?, f["fix"])))
        .collect();
    let (program, other) = (format!("(process {})", std::process::id()), format!("by the container {container}"));
    assert!(held.iter().any(|w| w.contains(&format!("port {}", door.http)) && w.contains(&program)), "{held:#?}");
    let whole = held.iter().find(|w| w.contains(&format!("port {}", door.https)) && w.contains(&other));
    assert!(whole.is_some_and(|w| w.contains("docker stop") && w.contains("hearth.yaml")), "{held:#?}");
    assert_eq!(code, 1);
    drop(listener);
    s.docker_args(&["rm", "-f", &container]).ok();
    assert!(!has(&doctor(s).0, "port-held"));
    door.hearth("up web").ok();
    let (findings, _) = doctor(s);
    assert_eq!(findings.iter().filter(|f| f["check"] == "port-ours").count(), 2, "{findings:#?}");
    Ok(())
}

fn a_traefik_below_the_minimum_is_a_problem_with_its_reason(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    // The test's own Traefik is an older one, which the home allows.
    let allowed = until(Duration::from_secs(10), || has(&doctor(s).0, "traefik-old"));
    assert!(allowed, "{:#?}", doctor(s).0);
    let text = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    s.write("hearth.yaml", &text.replace(", minimum: \"3.7.9\"", ""));
    let (findings, code) = doctor(s);
    let words = said(&findings, "traefik-too-old", "problem");
    for part in ["this is Traefik 3.7.", "below 3.7.10", "gets past a login", "CVE-", "TRAEFIK_IMAGE=traefik:v3.7.13"] {
        assert!(words.contains(part), "no {part:?} in {words}");
    }
    assert_eq!(code, 1);
    // Its image is `traefik:v3.7` without a label: that it is an old one is known only when it runs. Nothing new has to happen for that.
    for _ in 0..2 {
        door.hearth("up").exits(2).says("this is Traefik 3.7.").says("below 3.7.10").says("hearth stop traefik");
    }
    door.hearth("down web").ok();
    door.hearth("up web").exits(2).says("proxy.traefik-too-old").says("TRAEFIK_IMAGE=traefik:v3.7.13");
    Ok(())
}

fn a_traefik_that_stands_or_is_blind_is_said(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    s.hearth_args(&["enable", "web"]).ok();
    assert!(said(&doctor(s).0, "traefik-missing", "problem").contains("hearth up"));
    door.hearth("up web").ok();
    door.until("app", 200);
    let (findings, _) = doctor(s);
    let routes = said(&findings, "traefik-routes", "ok");
    assert!(routes.contains("1 route of containers"), "{routes}");
    assert!(said(&findings, "server-away", "warning").contains("no certificate is renewed"));
    let serve = door.serve();
    let there = until(Duration::from_secs(15), || !has(&doctor(s).0, "server-away"));
    assert!(there, "{:#?}", doctor(s).0);
    serve.end();
    // Its file, and so every router of it, is taken away under it; what it read it keeps until it starts anew.
    std::fs::rename(s.dir.join("state/traefik/dynamic/hearth.yml"), s.beside("away.yml")).expect("it can be moved");
    s.docker(&format!("restart -t 1 {}-traefik-1", s.project)).ok();
    let blind = until(Duration::from_secs(15), || has(&doctor(s).0, "traefik-file"));
    assert!(blind, "{:#?}", doctor(s).0);
    std::fs::rename(s.beside("away.yml"), s.dir.join("state/traefik/dynamic/hearth.yml")).expect("it can be moved");
    s.docker(&format!("stop -t 1 {}-traefik-1", s.project)).ok();
    let words = said(&doctor(s).0, "traefik-down", "problem");
    assert!(words.contains("Traefik is stopped") && words.contains("hearth logs traefik"), "{words}");
    Ok(())
}

/// The machine's clock, set wrong.
struct Shifted(time::Duration);

impl Clock for Shifted {
    fn now(&self) -> time::OffsetDateTime {
        SystemClock.now() + self.0
    }
}

/// A home that would ask an authority at this port.
fn asking(s: &Scratch, ca: &TestCa, port: u16, more: &str) {
    s.write(
        "hearth.yaml",
        &format!(
            "name: {}\nmode: domain\ntraefik: {{http: 1, https: 2}}\ncertificates:\n  issuer: acme\n  ca: https://127.0.0.1:{port}/dir\n  roots: {}\n{more}",
            s.project,
            ca.root.display()
        ),
    );
    s.write(".env", &format!("DOMAIN={DOMAIN}\n"));
    s.write("stacks/web.yaml", STACK);
}

const DIRECTORY: &str = r#"{"newNonce":"https://x/n","newAccount":"https://x/a","newOrder":"https://x/o"}"#;

fn a_clock_a_year_off_is_said(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("ca"));
    let front = Front::start(&ca, &["127.0.0.1"], 1, |_| Reply::Own(200, DIRECTORY.into()));
    asking(s, &ca, front.port, "");
    let at = |shift: time::Duration| -> Vec<Finding> {
        let home = Home::open(s.dir.clone()).unwrap_or_else(|_| panic!("the home opens"));
        let env = std::env::vars().collect();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        runtime.block_on(hearth::doctor::look(Some(&home), &env, Arc::new(Shifted(shift))))
    };
    for (days, words) in [(365, "is 1 year ahead of that of 127.0.0.1"), (-365, "is 1 year behind that of 127.0.0.1")] {
        let findings = at(time::Duration::days(days));
        let found = findings.iter().find(|f| f.check == "clock-off").unwrap_or_else(|| panic!("{findings:#?}"));
        assert!(found.grade == Grade::Problem && found.words.contains(words), "{found:?}");
        assert!(found.fix[0].contains("timedatectl set-ntp true"), "{found:?}");
    }
    let fine = at(time::Duration::ZERO);
    assert!(fine.iter().any(|f| f.check == "clock" && f.words.contains("agrees with that of 127.0.0.1")), "{fine:#?}");
    Ok(())
}

fn an_authority_out_of_reach_is_said_with_its_cause(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("ca"));
    let mode = Arc::new(AtomicUsize::new(0));
    let judged = mode.clone();
    let front = Front::start(&ca, &["127.0.0.1"], 1, move |_| match judged.load(Ordering::SeqCst) {
        0 => Reply::Own(200, DIRECTORY.into()),
        1 => Reply::Own(200, "<html>Welcome to the router</html>".into()),
        _ => Reply::Own(503, "busy".into()),
    });
    asking(s, &ca, front.port, "");
    said(&doctor(s).0, "authority", "ok");
    for (n, words) in [(1, "no ACME directory"), (2, "status 503")] {
        mode.store(n, Ordering::SeqCst);
        let told = said(&doctor(s).0, "authority-away", "problem");
        assert!(told.contains(words) && told.contains("certificates that are there are served on"), "{told}");
    }
    let other = TestCa::new(&s.beside("other"));
    asking(s, &other, front.port, "");
    let told = said(&doctor(s).0, "authority-away", "problem");
    assert!(told.contains("does not trust") && told.contains("roots: FILE"), "{told}");
    asking(s, &ca, 1, "");
    let (findings, code) = doctor(s);
    let told = said(&findings, "authority-away", "problem");
    assert!(told.contains("the connection was refused") && code == 1, "{told}");
    Ok(())
}

fn a_challenge_that_nobody_answers_offers_dns_and_the_local_authority(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let ca = TestCa::new(&s.beside("ca"));
    let pebble = Pebble::start(s, &ca, Like { http: Some(door.http), ..Like::default() })?;
    door.says(&format!("certificates:\n  issuer: acme\n  ca: {}\n  roots: {}\n", pebble.url(), ca.root.display()));
    s.hearth_args(&["enable", "web"]).ok();
    let (findings, code) = doctor(s);
    let told = said(&findings, "challenge-closed", "problem");
    for part in ["nothing listens", "challenge: dns-01", "issuer: local", &format!("app.{DOMAIN}")] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    assert_eq!(code, 1);
    door.hearth("up web").ok();
    door.until("app", 200);
    // Traefik is there, and who answers behind it is not.
    let told = said(&doctor(s).0, "challenge-closed", "problem");
    assert!(told.contains("hearth serve"), "{told}");
    let serve = door.serve();
    let answered = until(Duration::from_secs(20), || has(&doctor(s).0, "challenge"));
    assert!(answered, "{:#?}", doctor(s).0);
    let told = said(&doctor(s).0, "challenge", "note");
    assert!(told.contains("cannot be seen from inside") && told.contains("hearth-probe"), "{told}");
    serve.end();
    Ok(())
}

fn a_private_address_that_the_resolver_hides_is_called_rebinding_protection(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("ca"));
    let knot = Knot::start(s)?;
    asking(s, &ca, 1, &format!("  resolvers: ['{}']\n", knot.address));
    // Its zone tells one name with an address, `ns`, which this machine's own resolver does not know.
    s.write(".env", "DOMAIN=home.test\n");
    s.write("stacks/web.yaml", &STACK.replace("profiles: [web]", "profiles: []").replace("host: app", "host: ns"));
    let (findings, _) = doctor(s);
    let told = said(&findings, "rebinding", "problem");
    for part in ["ns.home.test", &knot.address, "DNS rebinding", "rebind-domain-ok=/home.test/", "FRITZ!Box"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    let told = said(&findings, "name-unprovable", "problem");
    assert!(told.contains("private address") && told.contains("dns-01"), "{told}");
    let told = said(&findings, "name-missing", "problem");
    assert!(told.contains("panel.home.test") && told.contains("*.home.test"), "{told}");
    Ok(())
}

fn an_engine_that_cannot_be_asked_has_an_exit_code_of_its_own(s: &Scratch) -> Done {
    let ca = TestCa::new(&s.beside("ca"));
    asking(s, &ca, 1, "");
    s.use_engine(&format!("unix://{}", s.beside("none.sock").display()));
    let (findings, code) = doctor(s);
    assert!(said(&findings, "engine", "problem").contains("there is no such socket"));
    assert_eq!(code, 6);
    // What does not need it is looked at all the same.
    assert!(has(&findings, "clock-kept") && has(&findings, "authority-away") && has(&findings, "port-free"));
    Ok(())
}

fn an_engine_that_refuses_old_clients_is_asked_all_the_same(s: &Scratch) -> Done {
    let engine = PrivateEngine::newest("1.44")?;
    s.use_engine(&engine.host());
    let ca = TestCa::new(&s.beside("ca"));
    asking(s, &ca, 1, "");
    let (findings, _) = doctor(s);
    assert!(said(&findings, "engine", "ok").contains("with the versions 1.44 to 1."), "{findings:#?}");
    // It has a network of its own: what holds this machine's ports says nothing about its.
    said(&findings, "ports", "note");
    let forced = s.noted(s.hearth_args_start(&["doctor", "--json"], &[("DOCKER_API_VERSION", "1.41")]));
    let value: Value = serde_json::from_str(&forced.out).unwrap_or_else(|e| panic!("{e}: {}", forced.both()));
    let told = said(value["findings"].as_array().expect("it is a list"), "api-forced", "problem");
    assert!(told.contains("DOCKER_API_VERSION=1.41") && told.contains("older than 1.44"), "{told}");
    assert!(told.contains("unset DOCKER_API_VERSION") && forced.code == 1, "{told}");
    Ok(())
}

fn a_machine_without_a_home_is_looked_at_too(s: &Scratch) -> Done {
    let ran = s.hearth_args(&["doctor"]);
    for words in ["there is no home here", "Docker Engine", "Ports", "Clock"] {
        assert!(ran.both().contains(words), "no {words:?} in {}", ran.both());
    }
    assert_eq!(ran.code, 0, "a held port is nobody's problem here: {}", ran.both());
    s.write("hearth.yaml", "name: [\n");
    let (findings, code) = doctor(s);
    assert!(has(&findings, "home-unread") && has(&findings, "engine") && code == 1, "{findings:#?}");
    Ok(())
}
