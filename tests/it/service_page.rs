//! The page of a service in a real Chromium, over a real engine: why it is as it is comes by itself, figures move, and its log goes on with the container that comes next.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, Skip, cases, until};

cases![alone: why_a_service_failed_is_seen_without_asking_again, several_services_are_stopped_after_a_question_and_stay_chosen_while_rows_change,];

fn stack(s: &Scratch) -> String {
    let name = &s.project;
    format!(
        "services:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    stop_grace_period: 1s\n    container_name: {name}-web\n    \
         healthcheck: {{test: [CMD-SHELL, 'test -e /tmp/well || {{ echo the file is gone; exit 3; }}'], interval: 1s, retries: 1, start_period: 20s, start_interval: 200ms}}\n    \
         mem_limit: 64m\n    command: [sh, -c, 'touch /tmp/well; echo begun as $$HOSTNAME; i=0; while true; do i=$$((i+1)); echo line $$i; sleep 0.2; done']\n\
         \x20 two: {{image: 'hearth-test/busybox:1', profiles: [web], stop_grace_period: 1s, command: [sleep, '600']}}\n"
    )
}

fn home(s: &Scratch) -> Panel<'_> {
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", &stack(s))]);
    panel.up(&["web"]);
    panel
}

/// A browser in which somebody has signed in.
#[track_caller]
fn open(panel: &Panel, who: &str) -> Result<Browser, Skip> {
    if hearth::web::asset("live.js").is_none() {
        return Err(Skip("built without what moves pages (scripts/assets needs npm)".into()));
    }
    let browser = panel.window()?;
    panel.enter(&browser, who, PASSWORD);
    browser.until_text("Work");
    Ok(browser)
}

#[track_caller]
fn is_so(browser: &Browser, script: &str) {
    let so = until(Duration::from_secs(30), || browser.run(script) == true);
    assert!(so, "{script}\n{}\n{:?}", browser.text(), browser.complaints());
}

fn why_a_service_failed_is_seen_without_asking_again(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = open(&panel, "operator")?;
    let named = format!("{}-web", s.project);
    browser.go(&panel.url("/services/web")).expect("the page comes");
    browser.run("window.same = true");
    // Figures come and move by themselves, while they are seen.
    browser.run("document.getElementById('figures').scrollIntoView()");
    is_so(
        &browser,
        "return /MiB of 64 MiB|KiB of 64 MiB/.test(document.querySelector('[data-figure=memory] .now').textContent)",
    );
    is_so(
        &browser,
        "return (document.querySelector('[data-figure=cpu] path').getAttribute('d').match(/L/g) ?? []).length > 2",
    );
    browser.is_readable("service-figures");
    assert!(!browser.text().contains("need a script"), "{}", browser.text());
    // An unhealthy one says what its check has written.
    s.docker_args(&["exec", &named, "rm", "/tmp/well"]).ok();
    is_so(&browser, "return document.getElementById('service-head').innerText.includes('Unhealthy')");
    is_so(&browser, "return document.getElementById('service-why').innerText.includes('the file is gone')");
    let why = browser.run("return document.getElementById('service-why').innerText");
    let why = why.as_str().unwrap_or_default();
    assert!(why.contains("Health check") && why.contains("with 3"), "{why}");
    // One that was killed says so, and what that means.
    s.docker(&format!("kill {named}")).ok();
    is_so(&browser, "return document.getElementById('service-why').innerText.includes('SIGKILL')");
    let text = browser.text();
    assert!(text.contains("Failed") && text.contains("with 137"), "{text}");
    browser.is_readable("service-why");
    // Started again by its button: on to the work, and back.
    browser.click("#act-start");
    browser.until_text("Done: 1 started");
    browser.go(&panel.url("/services/web/log")).expect("the page comes");
    browser.run("window.same = true");
    is_so(
        &browser,
        "return [...document.querySelectorAll('#log > div')].map((one) => one.textContent).join('\\n').includes('begun as')",
    );
    // Another container takes its place: the page says so, and its lines go on.
    let id = || s.docker_args(&["inspect", "-f", "{{.Id}}", &format!("{}-web", s.project)]).ok().out;
    let before = id();
    browser.run("document.getElementById('log').dataset.test = 'kept'");
    let plan =
        panel.call("operator", "POST", "/api/v1/plans", Some(&json!({"services": ["web"], "force_recreate": true})));
    let plan = plan.is(200).body["id"].as_str().expect("there is something to do").to_owned();
    let begun = panel.call("operator", "POST", &format!("/api/v1/plans/{plan}/apply"), Some(&json!({}))).is(202);
    let work = format!("/api/v1/works/{}", begun.body["work"]["id"].as_str().unwrap_or_default());
    let done = || panel.call("operator", "GET", &work, None).text("state") == "done";
    assert!(until(Duration::from_secs(60), done), "{}", panel.call("operator", "GET", &work, None).page.body);
    let after = id();
    assert_ne!(before, after);
    is_so(&browser, "return document.querySelector('#log .turn')?.textContent.includes('replaced')");
    is_so(
        &browser,
        "return [...document.querySelectorAll('#log .turn ~ div')].filter((one) => /line [0-9]+$/.test(one.textContent)).length > 3",
    );
    assert_eq!(browser.run("return window.same && document.getElementById('log').dataset.test"), "kept");
    // What is looked for is counted, and gone to.
    browser.fill("#log-q", "begun as");
    is_so(
        &browser,
        "return /^\\d+ of \\d+$/.test(document.getElementById('log-hits').value) && document.querySelector('#log .this') !== null",
    );
    browser.is_readable("log");
    browser.is_quiet();
    // All of it as a file.
    let file = panel.call("viewer", "GET", "/services/web/log/file", None);
    assert_eq!(file.status, 200);
    assert!(file.page.body.contains("begun as") && file.page.body.lines().count() > 5, "{}", file.page.body);
    let named = file.page.header("content-disposition").unwrap_or_default();
    assert!(named.starts_with("attachment; filename=\"web-") && named.ends_with(".log\""), "{named}");
    // The plan of a button is a plan, and nothing is done before it is applied.
    browser.go(&panel.url("/services/web")).expect("the page comes");
    browser.click("main details.more summary");
    browser.click("#act-recreate");
    browser.until_text("What would happen");
    assert_eq!(id(), after);
    // Without scripts a search is a form.
    browser.without_scripts();
    browser.go(&panel.url("/services/web/log?q=begun+as&lines=5000")).expect("the page comes");
    let text = browser.text();
    assert!(text.contains("begun as") && !text.contains("line 2\n"), "{text}");
    Ok(())
}

fn several_services_are_stopped_after_a_question_and_stay_chosen_while_rows_change(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = open(&panel, "operator")?;
    browser.until_text("All is well");
    let shown = "return document.getElementById('bulk').checkVisibility()";
    assert_eq!(browser.run(shown), false, "nothing is chosen yet");
    // By keyboard: a box is checked by the space bar.
    browser.run("document.getElementById('service-web-pick').focus()");
    browser.click("#service-web-pick");
    browser.click("#service-two-pick");
    assert_eq!(browser.run(shown), true);
    assert_eq!(browser.run("return document.getElementById('bulk-count').textContent"), "2 chosen");
    browser.is_readable("bulk");
    // A row that changes stays chosen, and who stands on it stays there.
    browser.run("document.getElementById('service-web-name').focus(); document.getElementById('service-web').dataset.old = 'yes'");
    std::thread::sleep(Duration::from_secs(2));
    s.docker(&format!("pause {}-web", s.project)).ok();
    is_so(&browser, "return document.getElementById('service-web').innerText.includes('Paused')");
    assert_eq!(
        browser.run("return document.getElementById('service-web').dataset.old ?? null"),
        Value::Null,
        "it is made anew"
    );
    assert_eq!(browser.run("return document.getElementById('service-web-pick').checked"), true);
    assert_eq!(browser.run("return document.activeElement.id"), "service-web-name");
    s.docker(&format!("unpause {}-web", s.project)).ok();
    browser.until_text("All is well");
    browser.click("#bulk button.danger");
    browser.until_text("Stop 2 services?");
    let text = browser.text();
    assert!(text.contains(&format!("{}-web", s.project)) && text.contains(&format!("{}-two-1", s.project)), "{text}");
    assert!(s.docker("ps -q").ok().out.lines().count() >= 2, "nothing was stopped by a question");
    browser.is_readable("bulk-stop");
    browser.click("button.danger");
    browser.until_text("Steps");
    browser.until_text("Done: 2 stopped");
    browser.is_quiet();
    // Without scripts too.
    browser.without_scripts();
    browser.go(&panel.url("/")).expect("the page comes");
    browser.click("#service-two-pick");
    browser.click("#bulk button[formaction='/bulk/start']");
    let at = browser.address();
    let started = || browser.go(&at).is_ok() && browser.text().contains("1 started");
    assert!(until(Duration::from_secs(30), started), "{}", browser.text());
    // Who may not, has no boxes.
    let viewer = open(&panel, "viewer")?;
    viewer.go(&panel.url("/")).expect("the page comes");
    assert_eq!(viewer.run("return document.querySelectorAll('.choose, #bulk').length"), 0);
    Ok(())
}
