//! The main pages before Lighthouse, as somebody has them who trusts the home's CA: on a computer, and on a slow telephone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::samples::judges;
use crate::rig::{Done, Panel, Running, Scratch, blind_to_networks, cases, chromium, curl, set_up, setup_link, until};

cases![
    alone:
    lighthouse_finds_the_main_pages_accessible_and_sound;
    named:
    lighthouse_gives_the_main_pages_full_marks;
];

const STACK: &str = "services:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [media]\n    stop_signal: SIGKILL\n    command: [httpd, -f, -p, '80']\n";

/// Whether it looks as from a telephone or as from a computer.
const PRESETS: [&str; 2] = ["mobile", "desktop"];

/// Of 100.
const FAST: f64 = 99.0;

struct Lighthouse<'s> {
    s: &'s Scratch,
    program: PathBuf,
    env: Vec<(String, String)>,
}

impl Lighthouse<'_> {
    /// The marks of 100 by category, and what has cost some.
    #[track_caller]
    fn look(&self, url: &str, cookie: &str, preset: &str, categories: &str) -> (BTreeMap<String, f64>, String) {
        let mut told = String::new();
        // A machine that is busy for long has it give up, which is no word about the page.
        for _ in 0..4 {
            let flags = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-component-update --disable-sync --no-first-run";
            let mut args: Vec<String> =
                [url, "--quiet", "--no-enable-error-reporting", "--output=json"].map(str::to_owned).into();
            args.extend([format!("--only-categories={categories}"), format!("--chrome-flags={flags}")]);
            if preset == "desktop" {
                args.push("--preset=desktop".into());
            }
            if !cookie.is_empty() {
                // Not where the lists of processes show it.
                self.s.write("headers.json", &serde_json::json!({"Cookie": cookie}).to_string());
                args.push(format!("--extra-headers={}", self.s.dir.join("headers.json").display()));
            }
            let start = || Running::start(&self.program, &args, &self.s.dir, &self.env);
            let ran = blind_to_networks(start).patient(Duration::from_secs(180)).end();
            let Ok(report) = serde_json::from_str::<Value>(&ran.out) else {
                told = ran.both();
                continue;
            };
            if report["runtimeError"]["code"].is_string() {
                told = report["runtimeError"].to_string();
                continue;
            }
            return marks(&report);
        }
        panic!("Lighthouse sees nothing of {url}: {told}");
    }
}

fn marks(report: &Value) -> (BTreeMap<String, f64>, String) {
    let (mut marks, mut lost) = (BTreeMap::new(), Vec::new());
    for (name, category) in report["categories"].as_object().expect("there are some") {
        marks.insert(name.clone(), (category["score"].as_f64().unwrap_or(0.0) * 100.0).round());
        for audit in category["auditRefs"].as_array().into_iter().flatten().filter(|audit| audit["weight"] != 0) {
            let audit = &report["audits"][audit["id"].as_str().unwrap_or_default()];
            if audit["score"].as_f64().is_some_and(|score| score < 1.0) {
                lost.push(format!(
                    "{name}: {} {} {}",
                    audit["id"], audit["displayValue"], audit["details"]["items"][0]
                ));
            }
        }
    }
    (marks, lost.join("\n"))
}

/// Looks at each page with `look`: name, address, cookie.
fn each_page(s: &Scratch, mut look: impl FnMut(&Lighthouse<'_>, &str, &str, &str)) -> Done {
    let program = judges()?.join("node_modules/.bin/lighthouse");
    let panel = Panel::new_on_docker(s, "", &[("media", STACK)]);
    let root = s.dir.join("state/ca/root.pem");
    let (chromium, mut env) = chromium(s, &[&root])?;
    env.push(("CHROME_PATH".into(), chromium.display().to_string()));
    let lighthouse = Lighthouse { s, program, env };
    look(&lighthouse, "setup", &setup_link(panel.running()), "");
    let cookie = set_up(s, panel.running(), &root.display().to_string());
    let cookie = cookie.trim_start_matches("Cookie: ");
    s.hearth_args(&["up", "media", "--yes"]).ok();
    let (header, root) = (format!("Cookie: {cookie}"), root.display().to_string());
    let of = |path: &str| {
        let args =
            ["--cacert", &root, "-X", "POST", "-H", &header, "-H", "Sec-Fetch-Site: same-origin", &panel.url(path)];
        curl(s, &args).header("location").map(str::to_owned).unwrap_or_else(|| panic!("{path} leads nowhere"))
    };
    let plan = of("/profiles/media/plan");
    let runs = || s.docker(&format!("inspect -f {{{{.State.Running}}}} {}-web-1", s.project)).out.trim() == "true";
    assert!(until(Duration::from_secs(20), runs));
    for (name, path) in
        [("home", "/"), ("service", "/services/web"), ("stack", "/stacks/media"), ("plan", plan.as_str())]
    {
        look(&lighthouse, name, &panel.url(path), cookie);
    }
    Ok(())
}

fn lighthouse_finds_the_main_pages_accessible_and_sound(s: &Scratch) -> Done {
    each_page(s, |lighthouse, name, url, cookie| {
        let (marks, lost) = lighthouse.look(url, cookie, "mobile", "accessibility,best-practices");
        assert!(marks.len() == 2 && marks.values().all(|mark| *mark == 100.0), "{name}: {marks:?}\n{lost}");
    })
}

fn lighthouse_gives_the_main_pages_full_marks(s: &Scratch) -> Done {
    let mut wrong = Vec::new();
    each_page(s, |lighthouse, name, url, cookie| {
        for preset in PRESETS {
            let runs: Vec<_> = (0..5)
                .map(|_| lighthouse.look(url, cookie, preset, "performance,accessibility,best-practices"))
                .collect();
            let median = |of: &str| {
                let mut all: Vec<f64> = runs.iter().map(|(marks, _)| marks[of]).collect();
                all.sort_by(f64::total_cmp);
                all[all.len() / 2]
            };
            let [fast, open, sound] = ["performance", "accessibility", "best-practices"].map(median);
            println!("Lighthouse: {name} ({preset}): performance {fast}, accessibility {open}, best practices {sound}");
            if fast < FAST || open < 100.0 || sound < 100.0 {
                wrong.push(format!("{name} ({preset}): {fast}, {open}, {sound}\n{}", runs[0].1));
            }
        }
    })?;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
