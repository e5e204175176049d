//! What runs on this machine and is not under Hearth, in a real Chromium over a real engine: found, adopted with 0 changes, left alone, and either taken back.

use std::time::Duration;

use serde_json::json;

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, cases, until};

cases![alone: a_project_is_found_adopted_with_nothing_changed_and_let_go_again, whoever_only_looks_decides_nothing];

const OTHER: &str =
    "services: { w: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL } }\n";

/// A home, and a project beside it that Compose runs; its name.
fn beside<'s>(s: &'s Scratch) -> (Panel<'s>, String) {
    let name = format!("{}-other", s.project);
    s.write("other/compose.yaml", OTHER);
    s.compose_args(&["-p", &name, "-f", "other/compose.yaml", "up", "-d"], &[]).ok();
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[]);
    (panel, name)
}

fn opens(panel: &Panel, who: &str) -> Result<Browser, crate::rig::Skip> {
    let browser = panel.window()?;
    panel.enter(&browser, who, PASSWORD);
    Ok(browser)
}

fn container(s: &Scratch, name: &str) -> String {
    s.docker_args(&["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &format!("{name}-w-1")]).ok().out
}

fn a_project_is_found_adopted_with_nothing_changed_and_let_go_again(s: &Scratch) -> Done {
    let (panel, name) = beside(s);
    let before = container(s, &name);
    let browser = opens(&panel, "admin")?;
    browser.until_text("not under Hearth");
    browser.click("#others a");
    browser.until_text(&name);
    browser.is_readable("found");
    browser.click(&format!("a.name[href='/found/{name}']"));
    browser.until_text("0 changes");
    browser.is_readable("found-one");
    browser.click(&format!("form[action='/found/{name}/adopt'] button"));
    browser.until_text("Looked after by this home");
    let written = || std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    assert!(written().contains(&format!("{name}:")), "{}", written());
    assert_eq!(container(s, &name), before, "nothing was touched");
    let projects = panel.call("viewer", "GET", &format!("/api/v1/projects/{name}"), None).is(200);
    assert_eq!(projects.body["whose"], "adopted");
    browser.go(&panel.url("/")).expect("the page comes");
    let there = until(Duration::from_secs(10), || browser.text().contains(&format!("{name}, a project of its own")));
    assert!(there, "{}", browser.text());

    browser.go(&panel.url(&format!("/found/{name}"))).expect("the page comes");
    browser.click(&format!("form[action='/found/{name}/undo'] button"));
    browser.until_text("Not under Hearth");
    assert!(!written().contains("directory"), "{}", written());
    // The same by the API and the terminal; a decision is undone by whom it was not made too.
    let path = format!("/api/v1/projects/{name}/left-alone");
    panel.call("admin", "PUT", &path, None).is(204);
    assert!(written().contains("left_alone"), "{}", written());
    let home = s.dir.display().to_string();
    let refused = panel.call("admin", "DELETE", &format!("/api/v1/projects/{name}/adopt"), None).is(404);
    assert_eq!(refused.code(), "stacks.nothing-decided");
    s.hearth_args(&["--home", &home, "ls"]).ok().says("left alone");
    s.hearth_args(&["--home", &home, "adopt", &name, "--undo"]).ok();
    // By forms alone.
    browser.without_scripts();
    browser.go(&panel.url(&format!("/found/{name}"))).expect("the page comes");
    browser.click(&format!("form[action='/found/{name}/leave'] button"));
    browser.until_text("Left alone");
    browser.click(&format!("form[action='/found/{name}/undo'] button"));
    assert_eq!(panel.call("viewer", "GET", &format!("/api/v1/projects/{name}"), None).body["whose"], "made by compose");
    assert_eq!(container(s, &name), before, "nothing was touched");
    Ok(())
}

fn whoever_only_looks_decides_nothing(s: &Scratch) -> Done {
    let (panel, name) = beside(s);
    s.docker_args(&["run", "-d", "--name", &format!("{}-loose", s.project), "hearth-test/busybox:1", "sleep", "1000"])
        .ok();
    for who in ["viewer", "operator"] {
        let browser = opens(&panel, who)?;
        for path in
            ["/found".to_owned(), format!("/found/{name}"), "/images".into(), "/volumes".into(), "/networks".into()]
        {
            browser.go(&panel.url(&path)).expect("the page comes");
            assert_eq!(browser.status(), 200, "{path}");
            let forms = "return [...document.querySelectorAll('main form button')].length";
            assert_eq!(browser.run(forms), json!(0), "{path} of {who}");
            if path == "/found" {
                assert!(browser.text().contains(&format!("{}-loose", s.project)), "{}", browser.text());
            }
        }
        panel.call(who, "POST", &format!("/api/v1/projects/{name}/adopt"), Some(&json!({}))).is(403);
        panel.call(who, "PUT", &format!("/api/v1/projects/{name}/left-alone"), None).is(403);
        panel.call(who, "POST", "/api/v1/prune", Some(&json!({}))).is(403);
    }
    Ok(())
}
