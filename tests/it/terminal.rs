//! A terminal in a container, in a real Chromium: what is typed is run, what is shown is seen, and it ends when it is left.

use std::time::Duration;

use serde_json::json;

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, Skip, cases, until};

cases![alone: a_terminal_types_and_shows_and_ends_when_it_is_left, hostile_11_a_viewer_gets_no_terminal,];

fn home(s: &Scratch) -> Panel<'_> {
    let stack = "services:\n  web: {image: 'hearth-test/busybox:1', profiles: [web], stop_grace_period: 1s, command: [sleep, '600']}\n";
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", stack)]);
    panel.up(&["web"]);
    panel
}

#[track_caller]
fn open(panel: &Panel, who: &str) -> Result<Browser, Skip> {
    let browser = panel.window()?;
    panel.enter(&browser, who, PASSWORD);
    browser.until_text("Work");
    Ok(browser)
}

/// What the terminal shows, as lines.
const SHOWN: &str = "const buffer = window.hearthTerminal.buffer.active; let text = ''; for (let at = 0; at < buffer.length; at += 1) text += `${buffer.getLine(at).translateToString(true)}\\n`; return text;";

#[track_caller]
fn shows(browser: &Browser, wanted: &str) {
    let shown = || browser.run(SHOWN).as_str().unwrap_or_default().to_owned();
    let came = until(Duration::from_secs(30), || shown().contains(wanted));
    assert!(came, "{wanted}: {}\n{}\n{:?}", shown(), browser.text(), browser.complaints());
}

/// As somebody types, and the key for the end of the line.
#[track_caller]
fn types(browser: &Browser, text: &str) {
    let element = "textarea.xterm-helper-textarea";
    browser.run(&format!("document.querySelector('{element}').focus()"));
    browser.types(element, &format!("{text}\u{e007}"));
}

fn a_terminal_types_and_shows_and_ends_when_it_is_left(s: &Scratch) -> Done {
    if hearth::web::asset("terminal.js").is_none() {
        return Err(Skip("built without the terminal (scripts/assets needs npm)".into()));
    }
    let panel = home(s);
    let browser = open(&panel, "operator")?;
    browser.go(&panel.url("/services/web/terminal")).expect("the page comes");
    // There is no bash in it: the next shell is found by itself.
    browser.until_text("Open.");
    types(&browser, "echo $((6*7))");
    shows(&browser, "\n42\n");
    // Its size is the window's, also after that has changed.
    let size = || {
        browser
            .run("return `${window.hearthTerminal.rows} ${window.hearthTerminal.cols}`")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    types(&browser, "stty size");
    let wide = size();
    shows(&browser, &format!("\n{wide}\n"));
    // What the terminal measures its letters with stands out of sight.
    browser.keep_picture("terminal");
    browser.width(700);
    assert!(until(Duration::from_secs(10), || size() != wide), "{}", size());
    std::thread::sleep(Duration::from_millis(500));
    types(&browser, "clear; stty size");
    shows(&browser, &format!("{}\n", size()));
    browser.width(1280);
    // Several lines are asked about before they are sent.
    browser.run(
        "const data = new DataTransfer(); data.setData('text/plain', 'echo sur\\necho prise\\n'); \
         document.querySelector('textarea.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));",
    );
    browser.until_text("Paste this?");
    browser.click("#terminal-paste button.quiet");
    std::thread::sleep(Duration::from_millis(500));
    assert!(!browser.run(SHOWN).as_str().unwrap_or_default().contains("prise"));
    // What its policy forbids nothing of it has tried.
    browser.is_quiet();
    let programs = || s.docker(&format!("top {}-web-1", s.project)).ok().out;
    assert!(programs().contains("/bin/sh"), "{}", programs());
    browser.go(&panel.url("/works")).expect("the page comes");
    let ended = until(Duration::from_secs(20), || !programs().contains("/bin/sh"));
    assert!(ended, "{}", programs());
    // A program that ends says with what.
    browser.go(&panel.url("/services/web/terminal")).expect("the page comes");
    browser.until_text("Open.");
    types(&browser, "exit 3");
    browser.until_text("The program has ended with 3.");
    let audit = panel.call("admin", "GET", "/api/v1/audit?action=exec.end", None).is(200);
    assert!(audit.page.body.contains("/bin/sh"), "{}", audit.page.body);
    // Where the panel is not reached nothing was begun, and so it says.
    browser.run("window.fetch = () => Promise.reject(new TypeError('gone'))");
    browser.click("#terminal-connect");
    browser.until_text("nothing was begun");
    // Without scripts it says what to do instead.
    browser.without_scripts();
    browser.go(&panel.url("/services/web/terminal")).expect("the page comes");
    assert!(browser.text().contains(&format!("docker exec -it {}-web-1 sh", s.project)), "{}", browser.text());
    Ok(())
}

fn hostile_11_a_viewer_gets_no_terminal(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = open(&panel, "viewer")?;
    browser.go(&panel.url("/services/web")).expect("the page comes");
    assert_eq!(browser.run("return document.querySelectorAll('a[href*=terminal]').length"), 0, "{}", browser.text());
    browser.go(&panel.url("/services/web/terminal")).expect("a page comes");
    assert_eq!(browser.status(), 403, "{}", browser.text());
    let asked = json!({"command": ["sh"], "tty": {"rows": 24, "columns": 80}});
    let path = format!("/api/v1/containers/{}-web-1/exec", s.project);
    panel.call("viewer", "POST", &path, Some(&asked)).is(403);
    Ok(())
}
