//! A log that grows by ten thousand lines a second is followed by a real Chromium that goes on answering; one of a gigabyte opens at once. Nothing in a line acts on the page.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, Skip, cases, until};

cases![alone: hostile_22_ten_thousand_lines_a_second_are_followed_and_stay_text, a_log_of_a_gigabyte_opens_at_once,];

fn home<'s>(s: &'s Scratch, script: &str) -> Panel<'s> {
    let stack = format!(
        "services:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    stop_grace_period: 1s\n    container_name: {}-web\n    logging: {{driver: json-file}}\n    command: [sh, -c, {}]\n",
        s.project,
        json!(script.replace('$', "$$"))
    );
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", &stack)]);
    panel.up(&["web"]);
    panel
}

#[track_caller]
fn open(panel: &Panel) -> Result<Browser, Skip> {
    let browser = panel.window()?;
    panel.enter(&browser, "viewer", PASSWORD);
    browser.until_text("Work");
    Ok(browser)
}

/// A hundred bursts of a thousand lines in ten seconds, once a file says so; every hundredth is hostile.
const FLOOD: &str = r#"while [ ! -e /tmp/go ]; do sleep 0.1; done
awk 'BEGIN { for (n = 0; n < 1000; n++) if (n % 100 == 50) print "\033[31m<img src=x onerror=window.hacked=1>\033]0;hacked\007\033[0m<script>window.hacked=2</script>"; else print "\033[32m[INF]\033[0m 2026-11-27 request " n " was answered in 12 ms" }' >/tmp/burst
i=0; while [ $i -lt 100 ]; do cat /tmp/burst; i=$((i+1)); usleep 95000; done
echo the very last line; touch /tmp/done; while true; do sleep 1; done"#;

fn hostile_22_ten_thousand_lines_a_second_are_followed_and_stay_text(s: &Scratch) -> Done {
    let panel = home(s, FLOOD);
    let browser = open(&panel)?;
    browser.go(&panel.url("/services/web/log")).expect("the page comes");
    browser.run(
        "window.long = []; new PerformanceObserver((list) => { for (const one of list.getEntries()) window.long.push(Math.round(one.duration)); }).observe({ type: 'longtask' }); \
         window.reports = []; document.addEventListener('securitypolicyviolation', (event) => window.reports.push(event.violatedDirective));",
    );
    let named = format!("{}-web", s.project);
    s.docker_args(&["exec", &named, "touch", "/tmp/go"]).ok();
    let lines = "return [...document.querySelectorAll('#log > div')].map((one) => one.textContent).join('\\n').includes('was answered in 12 ms')";
    assert!(until(Duration::from_secs(20), || browser.run(lines) == true), "{}", browser.text());
    // It answers a click meanwhile.
    let clicked = Instant::now();
    browser.click("#log-times");
    assert_eq!(browser.run("return document.getElementById('log').classList.contains('times')"), true);
    let answered = clicked.elapsed();
    let is_done = || s.docker_args(&["exec", &named, "test", "-e", "/tmp/done"]).code == 0;
    assert!(until(Duration::from_secs(90), is_done), "the flood never ends");
    let ended = Instant::now();
    let last =
        "return document.querySelector('#log > div:last-child')?.textContent.includes('the very last line') ?? false";
    let came = until(Duration::from_secs(20), || browser.run(last) == true);
    let late = ended.elapsed();
    let long = browser.run("return window.long");
    assert!(came, "{}", browser.text());
    assert!(late < Duration::from_secs(2), "the last line came {late:?} after it was written; long tasks: {long}");
    assert!(answered < Duration::from_secs(2), "a click took {answered:?}");
    let longest = long.as_array().into_iter().flatten().filter_map(Value::as_u64).max().unwrap_or(0);
    assert!(longest < 200, "long tasks: {long}");
    assert_eq!(browser.run("return document.querySelectorAll('#log > div').length <= 5000"), true);
    // Each of what was skipped is counted.
    assert_eq!(browser.run("return window.hacked ?? null"), Value::Null);
    assert_eq!(browser.run("return document.querySelectorAll('#log img, #log script').length"), 0);
    assert_eq!(browser.run("return window.reports"), json!([]));
    let text = browser
        .run("return [...document.querySelectorAll('#log > div')].map((one) => one.textContent).join('\\n')")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        text.contains("<img src=x onerror=window.hacked=1><script>window.hacked=2</script>"),
        "{}",
        &text[..2000.min(text.len())]
    );
    assert!(!text.contains('\u{1b}') && !text.contains("]0;"));
    assert_eq!(
        browser.run("return document.querySelector('#log .a1')?.textContent.startsWith('<img') ?? false"),
        true,
        "red is red"
    );
    browser.is_quiet();
    // Its lines are all alike: each letter of five thousand is not measured.
    browser.run("const log = document.getElementById('log'); while (log.childElementCount > 60) log.firstElementChild.remove();");
    browser.is_readable("log-flood");
    Ok(())
}

fn a_log_of_a_gigabyte_opens_at_once(s: &Scratch) -> Done {
    // With what the engine writes around each line it is a gigabyte on the disk.
    let script = "head -c 700000000 /dev/zero | tr '\\0' x | fold -w 1000; echo; echo the end; touch /tmp/done; while true; do sleep 1; done";
    let panel = home(s, script);
    let named = format!("{}-web", s.project);
    let is_done = || s.docker_args(&["exec", &named, "test", "-e", "/tmp/done"]).code == 0;
    assert!(until(Duration::from_secs(300), is_done), "it is never written");
    let mut took = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let page = panel.call("viewer", "GET", "/services/web/log?lines=200", None);
        took.push(began.elapsed());
        assert!(page.status == 200 && page.page.body.contains("the end"), "{}", page.page.head);
    }
    took.sort();
    // With what curl takes to begin, and a server that is not optimised.
    assert!(took[2] < Duration::from_millis(600), "{took:?}");
    Ok(())
}
