//! The panel's pages in a real Chromium, over a real engine: each page's main task from end to end, with scripts and without.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{Done, PASSWORD, Panel, Scratch, Skip, cases, until};

cases![alone: a_profile_is_turned_on_after_its_plan_is_watched_and_turned_off_again, without_scripts_the_same_is_done_by_forms, hostile_22_what_containers_say_and_are_called_is_text, nobody_is_shown_a_button_that_would_be_refused,];

/// Something that runs until it is ended, and says lines that a page must not act on.
fn stack(s: &Scratch) -> String {
    format!(
        "services:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    stop_grace_period: 1s\n    container_name: {}-web\n    \
         labels: {{'<script>window.hacked = 1</script>': '<img src=x onerror=\"window.hacked = 2\">'}}\n    \
         command: [sh, -c, 'echo \"<script>window.hacked = 3</script>\"; printf \"\\033]0;t\\007\\033[31mred\\033[0m \\n\"; while true; do sleep 1; done']\n\
         \x20 one-shot: {{image: 'hearth-test/busybox:1', profiles: [web], command: ['true']}}\n",
        s.project
    )
}

fn home(s: &Scratch) -> Panel<'_> {
    Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", &stack(s))])
}

fn a_profile_is_turned_on_after_its_plan_is_watched_and_turned_off_again(s: &Scratch) -> Done {
    if hearth::web::asset("live.js").is_none() {
        return Err(Skip("built without what moves pages (scripts/assets needs npm)".into()));
    }
    let mut panel = home(s);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    browser.until_text("Nothing runs yet");
    browser.is_readable("home-empty");

    browser.click("button[formaction='/profiles/web/plan'], form[action='/profiles/web/plan'] button");
    browser.until_text("What would happen");
    assert!(
        browser.text().contains("create the network") && browser.text().contains("2 to create"),
        "{}",
        browser.text()
    );
    assert_eq!(
        s.docker(&format!("ps -aq --filter label=com.docker.compose.project={}", s.project)).ok().out,
        "",
        "only planned"
    );
    browser.is_readable("plan");
    browser.click("button.main");
    browser.until_text("Steps");
    // By itself: the page is not asked for again.
    browser.until_text("Done: 2 created");
    browser.is_readable("work");
    browser.is_quiet();

    browser.go(&panel.url("/")).expect("the page comes");
    browser.until_text("All is well");
    browser.run("window.same = true");
    let named = format!("{}-web", s.project);
    // Networks that were made until now have ended connections.
    std::thread::sleep(Duration::from_secs(3));
    // Within a second of the engine's event; killing takes some of it.
    for (verb, word) in [("kill", "Failed"), ("start", "Running"), ("pause", "Paused"), ("unpause", "Running")] {
        s.docker(&format!("{verb} {named}")).ok();
        let began = Instant::now();
        let row = "return document.getElementById('service-web').innerText";
        let seen = until(Duration::from_secs(10), || browser.run(row).as_str().is_some_and(|text| text.contains(word)));
        assert!(seen, "{verb}: {}", browser.text());
        assert!(began.elapsed() < Duration::from_secs(3), "{verb}: {:?}", began.elapsed());
        if verb == "kill" {
            browser.until_text("One service needs you");
            browser.is_readable("home-failed");
        }
    }
    // A lost connection is said, and mended by itself, with what was missed.
    panel.kill();
    browser.until_text("Connection lost");
    s.docker(&format!("pause {named}")).ok();
    panel.start();
    let came = until(Duration::from_secs(40), || !browser.text().contains("Connection lost"));
    assert!(came, "{}", browser.text());
    browser.until_text("Paused");
    assert_eq!(browser.run("return window.same"), true, "the page was never left");
    s.docker(&format!("unpause {named}")).ok();
    browser.until_text("All is well");
    // What it complains about until now is the server that was away.
    browser.complaints();

    browser.click("#service-web a.name");
    browser.until_text("What it is made of");
    browser.is_readable("service");
    browser.click("#act-restart");
    browser.until_text("Steps");
    browser.until_text("Done: 1 restarted");
    browser.go(&panel.url("/profiles/web")).expect("the page comes");
    browser.is_readable("profile");
    browser.run("window.same = true");
    for (verb, word) in [("pause", "Paused"), ("unpause", "Running")] {
        s.docker(&format!("{verb} {named}")).ok();
        let row = "return document.getElementById('service-web').innerText";
        let seen = until(Duration::from_secs(10), || browser.run(row).as_str().is_some_and(|text| text.contains(word)));
        assert!(seen, "{verb}: {}", browser.text());
    }
    assert_eq!(browser.run("return window.same"), true);
    browser.click("button[formaction='/profiles/web/plan'], form[action='/profiles/web/plan'] button");
    browser.until_text("What is stopped does not answer any more");
    browser.click("button.main");
    browser.until_text("2 removed, 1 network removed");
    browser.go(&panel.url("/works")).expect("the page comes");
    browser.is_readable("works");
    browser.go(&panel.url("/search?q=web")).expect("the page comes");
    browser.is_readable("search");
    browser.is_quiet();
    Ok(())
}

fn without_scripts_the_same_is_done_by_forms(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "operator", PASSWORD);
    browser.click("button[formaction='/profiles/web/plan'], form[action='/profiles/web/plan'] button");
    browser.until_text("What would happen");
    browser.click("button.main");
    browser.until_text("Steps");
    let at = browser.address();
    let done = until(Duration::from_secs(60), || browser.go(&at).is_ok() && browser.text().contains("Done: 2 created"));
    assert!(done, "{}", browser.text());
    // It writes a moment after it has started.
    let says = || {
        browser.go(&panel.url("/services/web")).expect("the page comes");
        // Lines out of sight are in no text that can be read.
        let log = browser.run("return document.getElementById('log').textContent");
        log.as_str().is_some_and(|log| log.contains("<script>window.hacked = 3</script>"))
    };
    assert!(until(Duration::from_secs(20), says), "the log: {}", browser.text());
    // No line stands there that would never begin.
    assert!(browser.text().contains("Figures that change need a script"), "{}", browser.text());
    assert_eq!(browser.run("return document.querySelector('.graphs').checkVisibility()"), false);
    browser.click("details.menu summary");
    browser.click("button[value=dark]");
    let is_dark = || browser.source().contains("data-theme=\"dark\"");
    assert!(until(Duration::from_secs(10), is_dark), "{}", browser.source());
    Ok(())
}

fn hostile_22_what_containers_say_and_are_called_is_text(s: &Scratch) -> Done {
    let panel = home(s);
    panel.up(&["web"]);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    for page in [
        "/",
        "/services/web",
        "/profiles/web",
        "/works",
        "/search?q=%3Cscript%3Ewindow.hacked=4%3C/script%3E",
        "/services/%3Cimg%20src=x%20onerror=window.hacked=5%3E",
    ] {
        browser.go(&panel.url(page)).expect("the page comes");
        assert_eq!(browser.run("return window.hacked"), Value::Null, "{page}");
        assert_eq!(browser.run("return document.title.includes('t\\u0007')"), false, "{page}");
    }
    browser.go(&panel.url("/services/web")).expect("the page comes");
    let log = || {
        browser
            .run("return [...document.querySelectorAll('#log > div')].map((one) => one.textContent).join('\\n')")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let text = log();
    assert!(text.contains("<script>window.hacked = 3</script>") && text.contains(" red"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains("[31m"), "{text}");
    // Also what comes while the page is open.
    s.docker(&format!("restart -t 0 {}-web", s.project)).ok();
    let twice = until(Duration::from_secs(20), || log().matches("window.hacked = 3").count() > 1);
    assert!(twice, "{}", browser.text());
    assert_eq!(browser.run("return window.hacked"), Value::Null);
    Ok(())
}

fn nobody_is_shown_a_button_that_would_be_refused(s: &Scratch) -> Done {
    let panel = home(s);
    panel.up(&["web"]);
    let browser = panel.window()?;
    panel.enter(&browser, "viewer", PASSWORD);
    browser.until_text("All is well");
    for page in ["/", "/profiles/web", "/services/web", "/works"] {
        browser.go(&panel.url(page)).expect("the page comes");
        let forms = "return [...document.querySelectorAll('main form, main [formaction]')].map((one) => one.formAction ?? one.action)";
        assert_eq!(browser.run(forms), json!([]), "{page}");
    }
    browser.forgets_cookies();
    panel.enter(&browser, "member", PASSWORD);
    browser.until_text("My services");
    browser.go(&panel.url("/works")).expect("a page comes");
    assert_eq!(browser.status(), 403, "{}", browser.text());
    Ok(())
}
