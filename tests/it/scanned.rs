//! A scanner of web applications finds nothing: wapiti crawls the panel and tries its forms and addresses, as nobody and as an admin.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::rig::{Done, PASSWORD, Panel, Running, Scratch, Skip, cases, curl, repository, script_with};

cases![
    alone:
    wapiti_finds_nothing_as_nobody,
    wapiti_finds_nothing_as_an_admin,
];

/// What it looks at by what is answered, and what it tries. Others need a host outside, or look for products by lists that they get from there. `csrf`
/// knows tokens in forms and nothing else; that a form of another site does nothing here is tried in a real browser, since it is told by what a browser says of
/// itself (`Sec-Fetch-Site`, `Origin`).
const MODULES: &str = "cookieflags,crlf,csp,exec,file,http_headers,permanentxss,redirect,sql,xss";

fn wapiti_finds_nothing_as_nobody(s: &Scratch) -> Done {
    let bin = tool()?;
    let panel = Panel::with_people(s, "", &[]);
    scan(s, &bin, &panel, &[])
}

fn wapiti_finds_nothing_as_an_admin(s: &Scratch) -> Done {
    let bin = tool()?;
    let panel = Panel::with_people(s, "", &[]);
    let password = format!("password={PASSWORD}");
    let form =
        ["--data-urlencode", "username=admin", "--data-urlencode", &password, "-H", "Sec-Fetch-Site: same-origin"];
    let page = curl(s, &[&["-k"], &form[..], &[&panel.url("/login")]].concat());
    let cookie = page.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a session").to_owned();
    scan(s, &bin, &panel, &["-C", &cookie, "--drop-set-cookie"])?;
    let still = curl(s, &["-k", "-H", &format!("Cookie: {cookie}"), &panel.url("/account")]);
    assert_eq!(still.status, 200, "it was signed in to the end");
    Ok(())
}

fn tool() -> Result<String, Skip> {
    script_with("pytool", &["wapiti"], &[]).map_err(Skip)
}

fn scan(s: &Scratch, bin: &str, panel: &Panel<'_>, more: &[&str]) -> Done {
    let report = s.beside("wapiti.json").display().to_string();
    let (session, config) = (s.beside("session").display().to_string(), s.beside("config").display().to_string());
    let starts = ["/", "/login", "/docs", "/account", "/password", "/trust"].map(|path| panel.url(path));
    let logout = panel.url("/logout");
    let mut args = vec!["-u", &starts[0], "--scope", "domain", "-m", MODULES, "-f", "json", "-o", &report];
    starts[1..].iter().for_each(|url| args.extend(["-s", url]));
    // Bounded by time, so that a slow machine looks at less and not for longer.
    args.extend(["--max-scan-time", "20", "--max-attack-time", "8", "--flush-session", "--store-session", &session]);
    args.extend(["--store-config", &config, "--no-bugreport", "--verify-ssl", "0", "-x", &logout]);
    args.extend(["-H", "Sec-Fetch-Site: same-origin"]);
    args.extend(more);
    let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
    let home = s.beside("").display().to_string();
    let (path, names) = (std::env::var("PATH").unwrap_or_default(), repository().join("scripts/pytools"));
    let env: Vec<(String, String)> = vec![
        ("HOME".into(), home),
        ("PATH".into(), path),
        // Its C library knows nothing of names below localhost.
        ("PYTHONPATH".into(), names.display().to_string()),
    ];
    let running = Running::start(&Path::new(bin.trim()).join("wapiti"), &args, &s.dir, &env);
    let ran = s.noted(running.patient(Duration::from_secs(240)));
    assert_eq!(ran.code, 0, "{}", ran.both());
    let report: Value = serde_json::from_str(&std::fs::read_to_string(&report).expect("a report")).expect("JSON");
    let seen = report["infos"]["crawled_pages_nbr"].as_u64().unwrap_or_default();
    assert!(seen >= 8, "it has seen {seen} pages only");
    for kind in ["vulnerabilities", "anomalies"] {
        for (name, found) in report[kind].as_object().expect("findings by name") {
            // Only where every browser takes the certificate (`web::tests::hsts_comes_and_goes_with_the_certificate`): with it nobody gets past the home's own
            // authority before they trust it, and here there is no other.
            if name.contains("HSTS") {
                continue;
            }
            assert!(found.as_array().is_some_and(Vec::is_empty), "{name}: {found:#}");
        }
    }
    Ok(())
}
