//! Scanners that look for weaknesses of TLS find none: in Hearth's own listener, in the listener behind Traefik, in Traefik's.
//!
//! What is accepted stands in `tls_accepted.json` and, with more words, in `docs/guide/tls.md`. One that nothing finds any more is a mistake.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::Value;

use crate::rig::{DOMAIN, Done, Door, Running, Scratch, cases, curl, free_port, repository, scanner};

cases![named:
    testssl_finds_no_weakness,
    sslyze_finds_no_weakness,
];

const STACK: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [sh, -c, 'mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www']
    x-hearth: {route: {host: app, port: 80, access: public}}
";

/// testssl.sh is a large shell script: a minute and more for each way in.
const PATIENCE: Duration = Duration::from_secs(900);

/// One finding that is accepted.
#[derive(Deserialize)]
struct Accepted {
    scanner: String,
    /// Where it is found.
    ways: BTreeSet<String>,
    finding: String,
    why: String,
    /// Chance decides whether it is found.
    #[serde(default)]
    sometimes: bool,
}

/// One way in.
struct Way {
    called: &'static str,
    /// What is asked for in TLS.
    name: String,
    at: SocketAddr,
    /// The CA that is trusted.
    root: PathBuf,
    /// Certificate and key that are shown, where nobody is let in without.
    client: Option<PathBuf>,
}

/// What a scanner says that is not "fine": a short name, and its words.
type Findings = Vec<(String, String)>;

fn testssl_finds_no_weakness(s: &Scratch) -> Done {
    let tool = PathBuf::from(scanner("testssl")?);
    every_way(s, "testssl", &|way| testssl(s, &tool, way))
}

fn sslyze_finds_no_weakness(s: &Scratch) -> Done {
    let tool = PathBuf::from(scanner("sslyze")?);
    every_way(s, "sslyze", &|way| sslyze(s, &tool, way))
}

/// A home with a Traefik and a server, and each way into it looked at.
fn every_way(s: &Scratch, scanner: &str, look: &(dyn Fn(&Way) -> Findings + Sync)) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let own = free_port();
    let serve = s.hearth_args_start(&["serve", "--listen", &format!("127.0.0.1:{own}"), "--http", "off"], &[]);
    door.until("app", 200);
    door.until("panel", 200);
    let ways = ways(&door, own);
    let inner = format!("https://{}/health", ways[2].at);
    assert_eq!(curl(s, &["-k", &inner]).status, 0, "without a certificate nobody gets a word");
    let found: Vec<Findings> = std::thread::scope(|scope| {
        let looking: Vec<_> = ways.iter().map(|way| scope.spawn(|| look(way))).collect();
        looking.into_iter().map(|one| one.join().expect("a scanner was run")).collect()
    });
    serve.signal(Signal::TERM);
    s.noted(serve).exits(0);
    judge(scanner, &ways, &found);
    Ok(())
}

fn ways(door: &Door, own: u16) -> [Way; 3] {
    let state = door.s.dir.join("state");
    let root = state.join("ca/root.pem");
    let here = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let file = std::fs::read_to_string(state.join("traefik/dynamic/hearth.yml")).expect("it is written");
    let inner = file.split('"').find_map(|word| word.strip_prefix("https://10.")).expect("Traefik is told of Hearth");
    let inner = format!("10.{inner}").parse().expect("it is told an address");
    // Its key lies in the same file.
    let authority = std::fs::read_to_string(state.join("mtls/root.pem")).expect("it is made");
    let end = "-----END CERTIFICATE-----\n";
    let (certificate, _) = authority.split_once(end).expect("a certificate comes first");
    std::fs::write(door.s.beside("inner.pem"), format!("{certificate}{end}")).expect("a file can be written");
    [
        Way { called: "hearth", name: "localhost".into(), at: here(own), root: root.clone(), client: None },
        // An application's headers are its own; the panel's are ours.
        Way { called: "traefik", name: format!("panel.{DOMAIN}"), at: here(door.https), root, client: None },
        Way {
            called: "inner",
            name: "panel.hearth.internal".into(),
            at: inner,
            root: door.s.beside("inner.pem"),
            client: Some(state.join("mtls/client.pem")),
        },
    ]
}

fn judge(scanner: &str, ways: &[Way], found: &[Findings]) {
    let text = std::fs::read_to_string(repository().join("tests/it/tls_accepted.json")).expect("it is there");
    let accepted: Vec<Accepted> = serde_json::from_str(&text).expect("it is JSON of that form");
    let guide = std::fs::read_to_string(repository().join("docs/guide/tls.md")).expect("it is there");
    let mut wrong = Vec::new();
    for (way, findings) in ways.iter().zip(found) {
        let holds: Vec<&Accepted> =
            accepted.iter().filter(|a| a.scanner == scanner && a.ways.contains(way.called)).collect();
        for (name, words) in findings {
            if !holds.iter().any(|a| a.finding == *name) {
                wrong.push(format!("{}: {name}: {words}", way.called));
            }
        }
        for unused in holds.iter().filter(|a| !a.sometimes && !findings.iter().any(|(name, _)| *name == a.finding)) {
            wrong.push(format!("{}: {} is accepted, and not found any more", way.called, unused.finding));
        }
    }
    for one in &accepted {
        if !guide.contains(&format!("`{}`", one.finding)) || one.why.is_empty() {
            wrong.push(format!("{} is accepted, and docs/guide/tls.md does not say why", one.finding));
        }
    }
    assert!(wrong.is_empty(), "{scanner}\n{}", wrong.join("\n"));
}

fn run(s: &Scratch, program: &Path, args: &[&str], more: &[(&str, String)]) -> String {
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    let mut env: Vec<(String, String)> = std::env::vars().filter(|(k, _)| k == "PATH" || k == "HOME").collect();
    for (name, value) in more {
        env.retain(|(k, _)| k != name);
        env.push((name.to_string(), value.clone()));
    }
    s.noted(Running::start(program, &args, &s.dir, &env).patient(PATIENCE)).both()
}

/// Everything that is not for show: which browsers it would get, and marks.
const CHECKS: [&str; 7] =
    ["--protocols", "--std", "--server-preference", "--fs", "--server-defaults", "--headers", "--vulnerable"];

fn testssl(s: &Scratch, tool: &Path, way: &Way) -> Findings {
    let json = s.beside(&format!("testssl-{}.json", way.called)).display().to_string();
    let (root, ip) = (way.root.display().to_string(), way.at.ip().to_string());
    let client = way.client.as_ref().map(|c| c.display().to_string());
    let url = format!("https://{}:{}", way.name, way.at.port());
    let mut args = vec!["--warnings", "off", "--color", "0", "--quiet", "--nodns", "none", "--ip", &ip];
    args.extend(["--add-ca", &root, "--jsonfile", &json]);
    args.extend(client.iter().flat_map(|client| ["--mtls", client.as_str()]));
    args.extend(CHECKS);
    args.push(&url);
    let path = format!("{}:{}", tool.join("usr/bin").display(), std::env::var("PATH").unwrap_or_default());
    let data = tool.join("etc/testssl").display().to_string();
    let said = run(s, &tool.join("usr/bin/testssl"), &args, &[("PATH", path), ("TESTSSL_INSTALL_DIR", data)]);
    let text = std::fs::read_to_string(&json).unwrap_or_default();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|e| panic!("testssl told nothing: {e}\n{said}"));
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    // It came to its end, and looked at what matters.
    for id in ["SSLv3", "TLS1_3", "cert_chain_of_trust", "HTTP_status_code", "heartbleed", "RC4"] {
        assert!(all.iter().any(|one| one["id"] == id), "testssl did not look at {id} of {}\n{said}", way.called);
    }
    let fine = |one: &&Value| matches!(one["severity"].as_str(), Some("OK" | "INFO"));
    // Without an address it is about this machine's OpenSSL.
    let found = all.iter().filter(|one| one["ip"] != "/" && !fine(one));
    found.map(|one| (text(one, "id"), format!("{} {}", text(one, "severity"), text(one, "finding")))).collect()
}

/// What must be true or not in sslyze's answer, by its own names: the check, the field, the value.
const WANTED: [(&str, &str, bool); 17] = [
    ("ssl_2_0_cipher_suites", "/is_tls_version_supported", false),
    ("ssl_3_0_cipher_suites", "/is_tls_version_supported", false),
    ("tls_1_0_cipher_suites", "/is_tls_version_supported", false),
    ("tls_1_1_cipher_suites", "/is_tls_version_supported", false),
    ("tls_1_2_cipher_suites", "/is_tls_version_supported", true),
    ("tls_1_3_cipher_suites", "/is_tls_version_supported", true),
    ("tls_compression", "/supports_compression", false),
    ("tls_1_3_early_data", "/supports_early_data", false),
    ("openssl_ccs_injection", "/is_vulnerable_to_ccs_injection", false),
    ("tls_fallback_scsv", "/supports_fallback_scsv", true),
    ("heartbleed", "/is_vulnerable_to_heartbleed", false),
    ("session_renegotiation", "/supports_secure_renegotiation", true),
    ("session_renegotiation", "/is_vulnerable_to_client_renegotiation_dos", false),
    ("tls_extended_master_secret", "/supports_ems_extension", true),
    ("certificate_info", "/certificate_deployments/0/received_chain_contains_anchor_certificate", false),
    ("certificate_info", "/certificate_deployments/0/received_chain_has_valid_order", true),
    ("certificate_info", "/certificate_deployments/0/verified_chain_has_sha1_signature", false),
];

fn sslyze(s: &Scratch, tool: &Path, way: &Way) -> Findings {
    let json = s.beside(&format!("sslyze-{}.json", way.called)).display().to_string();
    let (root, client) = (way.root.display().to_string(), way.client.as_ref().map(|c| c.display().to_string()));
    let target = format!("{}:{}{{{}}}", way.name, way.at.port(), way.at.ip());
    let mut args = vec!["--mozilla_config", "intermediate", "--early_data", "--http_headers", "--ems", "--fallback"];
    args.extend(["--certinfo", "--certinfo_ca_file", &root, "--json_out", &json]);
    args.extend(client.iter().flat_map(|client| ["--cert", client.as_str(), "--key", client.as_str()]));
    args.push(&target);
    let said = run(s, tool, &args, &[]);
    let answer: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap_or_default())
        .unwrap_or_else(|e| panic!("sslyze told nothing: {e}\n{said}"));
    let checks = &answer["server_scan_results"][0]["scan_result"];
    let mut found: Findings = Vec::new();
    let mut wrong = |name: &str, words: String| found.push((name.to_owned(), words));
    for (check, field, good) in WANTED {
        let is = checks[check]["result"].pointer(field);
        if is != Some(&Value::Bool(good)) {
            let name = field.rsplit('/').next().unwrap_or(field);
            wrong(name, format!("{check}{field} is {is:?}, not {good}"));
        }
    }
    let robot = checks["robot"]["result"]["robot_result"].as_str().unwrap_or_default();
    if !robot.starts_with("NOT_VULNERABLE") {
        wrong("robot", robot.to_owned());
    }
    let paths = &checks["certificate_info"]["result"]["certificate_deployments"][0]["path_validation_results"];
    let ours = paths.as_array().into_iter().flatten().find(|p| p["trust_store"]["path"] == root.as_str());
    if ours.is_none_or(|p| p["was_validation_successful"] != true) {
        wrong("untrusted", format!("with our CA: {ours:?}"));
    }
    let http = &checks["http_headers"]["result"];
    if http.is_null() || !http["http_error_trace"].is_null() {
        wrong("http_headers", format!("no answer: {http}"));
    } else if http["strict_transport_security_header"].is_null() {
        wrong("strict_transport_security_header", "there is none".to_owned());
    }
    // Mozilla's rules are judged in its text alone.
    match said.split_once("COMPLIANCE AGAINST TLS CONFIGURATION").map(|(_, verdict)| verdict) {
        Some(verdict) if verdict.contains(": OK - Compliant.") => {}
        verdict => wrong("mozilla", verdict.unwrap_or(&said).trim().to_owned()),
    }
    found
}
