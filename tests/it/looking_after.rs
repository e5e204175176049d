//! Pages of who looks after the home, in a real Chromium over a real engine: what happened while nobody looked, who did what, what the home has decided for
//! itself, and how to go on without Hearth.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, cases, until};

cases![alone: what_happened_while_nobody_looked_is_told_and_read_and_who_did_it_is_found,
    by_forms_alone_a_setting_is_changed_after_a_look_and_the_way_out_is_shown,];

const STACK: &str = "
services:
  web: { profiles: [web], image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL }
  broken: { profiles: [broken], image: 'hearth-test/busybox:1', command: [no-such-program] }
";

fn home(s: &Scratch) -> Panel<'_> {
    Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", STACK)])
}

/// Whether a page, gone to again and again, comes to say this.
fn comes_to_say(browser: &Browser, url: &str, words: &str) -> bool {
    until(Duration::from_secs(30), || browser.go(url).is_ok() && browser.text().contains(words))
}

fn what_happened_while_nobody_looked_is_told_and_read_and_who_did_it_is_found(s: &Scratch) -> Done {
    let panel = home(s);
    panel.up(&["web"]);
    panel.call("admin", "POST", "/api/v1/up", Some(&json!({ "names": ["broken"] }))).is(202);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    let new = "return document.getElementById('bell').getAttribute('aria-label')";
    let told = until(Duration::from_secs(30), || {
        browser.go(&panel.url("/")).is_ok() && browser.run(new) == "Notifications: 1 is new"
    });
    assert!(told, "{}", browser.run(new));
    browser.click("#bell");
    browser.until_text("This work failed");
    browser.is_readable("notifications");
    // What is told leads to what it is about.
    browser.click("ul.notices a.name");
    browser.until_text("no-such-program");
    browser.click("#bell");
    browser.click("button[aria-label^='Mark as read: hearth up']");
    assert_eq!(browser.run(new), "Notifications: nothing new");
    // Who did it: what was turned on here, not what was done past Hearth.
    browser.go(&panel.url("/audit")).expect("the page comes");
    let entries = || browser.run("return document.querySelectorAll('ul.entries details').length").as_u64().unwrap_or(0);
    let all = entries();
    browser.fill("#action", "verbs.up");
    browser.click("form.filter button[type=submit]");
    assert!(browser.address().contains("action=verbs.up"), "{}", browser.address());
    assert_eq!(entries(), 2, "of {all}: {}", browser.text());
    assert!(browser.text().contains("admin") && all > 2, "{}", browser.text());
    browser.is_readable("audit");
    // A filter that nothing fits says so, and leads back.
    browser.fill("#service", "no-such");
    browser.click("form.filter button[type=submit]");
    browser.until_text("No entry is like that");
    browser.click("ul.entries li.none a");
    assert_eq!(browser.run("return location.pathname + location.search"), "/audit");
    // As a file: what is shown.
    browser.go(&panel.url("/audit?action=verbs.up")).expect("the page comes");
    browser.click_for_file("a[href*='format=csv'], a[href*='csv']");
    let file = || {
        let all = std::fs::read_dir(&browser.downloads).ok()?;
        all.filter_map(|one| Some(one.ok()?.path())).find(|one| one.extension().is_some_and(|end| end == "csv"))
    };
    assert!(until(Duration::from_secs(10), || file().is_some()), "{:?}", browser.complaints());
    let lines = std::fs::read_to_string(file().unwrap_or_default()).expect("it arrived");
    assert_eq!(lines.lines().filter(|line| line.contains("verbs.up")).count(), 2, "{lines}");
    browser.click("a[href='/audit/verify']");
    browser.until_text("Every entry is as it was written");
    browser.is_readable("audit-verify");
    browser.is_quiet();
    Ok(())
}

fn by_forms_alone_a_setting_is_changed_after_a_look_and_the_way_out_is_shown(s: &Scratch) -> Done {
    let panel = home(s);
    panel.up(&["web"]);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "admin", PASSWORD);
    let written = || std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("there is one");
    let before = written();
    // What cannot be is said beside the field, with what was typed kept.
    browser.go(&panel.url("/settings")).expect("the page comes");
    browser.is_readable("settings");
    browser.click("a[href='/settings/traefik.http']");
    browser.fill("#value", "seventy");
    browser.click("button[value=check]");
    assert!(browser.run("return !!document.querySelector('[role=alert]')") == true, "{}", browser.text());
    assert_eq!(browser.run("return document.getElementById('value').value"), "seventy");
    assert_eq!(written(), before);
    // What it complains about is that answer's status.
    browser.complaints();
    // One that counts at once: strangers may make accounts, and their login says so.
    let stranger = panel.window()?;
    assert!(stranger.go(&panel.url("/login")).is_ok() && !stranger.text().contains("No account yet?"));
    browser.go(&panel.url("/settings/auth.registration")).expect("the page comes");
    let chosen = "document.getElementById('value').value = 'open'; return document.getElementById('value').value";
    assert_eq!(browser.run(chosen), "open");
    browser.click("button[value=check]");
    browser.until_text("It may be so");
    assert_eq!(written(), before, "a look writes nothing");
    browser.is_readable("setting-would");
    browser.click("button[value=save]");
    assert!(until(Duration::from_secs(10), || written().contains("registration: open")), "{}", written());
    assert!(comes_to_say(&stranger, &panel.url("/login"), "No account yet?"), "{}", stranger.text());
    browser.go(&panel.url("/settings/auth.registration")).expect("the page comes");
    browser.until_text("From hearth.yaml");
    browser.click("button[value=reset]");
    browser.until_text("It would be taken out of hearth.yaml");
    browser.click("button[value=reset-save]");
    assert!(until(Duration::from_secs(10), || !written().contains("registration")), "{}", written());
    // What is shown for going on without Hearth does so.
    browser.go(&panel.url("/about")).expect("the page comes");
    browser.is_readable("about");
    let commands = browser.run("return document.getElementById('commands').textContent");
    let commands = commands.as_str().unwrap_or_default();
    assert_eq!(commands, format!("cd {}\ndocker compose --profile web up -d", s.dir.display()));
    let id = || s.docker_args(&["inspect", "-f", "{{.Id}}", &format!("{}-web-1", s.project)]).ok().out;
    let running = id();
    s.compose("--profile web up -d").ok();
    assert_eq!(id(), running, "Compose finds nothing to do");
    assert_ne!(browser.run("return document.querySelectorAll('details').length"), Value::from(0), "licences");
    browser.is_quiet();
    Ok(())
}
