//! A stack is edited in a browser: mistakes are marked as one types, what it would do is shown before, a save is one commit, and nothing that was typed is lost. With scripts and without.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{Browser, Done, PASSWORD, Panel, Scratch, Skip, cases, until};

cases![alone: an_image_is_changed_in_the_editor_with_its_mistakes_marked_and_its_plan_shown, on_a_telephone_the_editor_comes_when_the_text_is_touched, without_scripts_a_stack_is_checked_planned_and_saved_by_forms, two_who_edit_one_stack_both_keep_what_they_typed, hostile_22_what_stacks_messages_and_names_hold_is_text,];

const SECRET: &str = "geheim-7f3a";

fn stack(s: &Scratch) -> String {
    format!(
        "# Pages.\nservices:\n  web:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    stop_grace_period: 1s\n    container_name: {}-web\n    \
         environment: {{ PW: '${{DB_PASSWORD:?of the database}}' }}\n    command: [sh, -c, 'while true; do sleep 1; done']\n",
        s.project
    )
}

#[expect(clippy::disallowed_methods, reason = "a person keeps the home in a repository of their own")]
fn git(s: &Scratch, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Eve", "-c", "user.email=eve@example.org"]).args(args).current_dir(&s.dir);
    let ran = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("git is there");
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim_end().to_owned()
}

/// A home in a repository, with what runs as its stack says.
fn home(s: &Scratch) -> Panel<'_> {
    s.write(".env", &format!("# mine\nDB_PASSWORD={SECRET}\n"));
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("pages", &stack(s))]);
    panel.up(&["web"]);
    git(s, &["init", "-q"]);
    git(s, &["add", "stacks", "hearth.yaml"]);
    git(s, &["commit", "-qm", "begin"]);
    panel
}

fn disk(s: &Scratch) -> String {
    std::fs::read_to_string(s.dir.join("stacks/pages.yaml")).expect("it is there")
}

/// Puts the cursor over a part of what stands in the editor.
fn select(browser: &Browser, words: &str) {
    browser.run(&format!(
        "const view = document.getElementById('text').editor; const at = view.state.doc.toString().indexOf({words:?}); \
         view.dispatch({{ selection: {{ anchor: at, head: at + {} }} }}); view.focus()",
        words.len()
    ));
}

fn an_image_is_changed_in_the_editor_with_its_mistakes_marked_and_its_plan_shown(s: &Scratch) -> Done {
    if hearth::web::asset("editor.js").is_none() {
        return Err(Skip("built without the editor (scripts/assets needs npm)".into()));
    }
    let panel = home(s);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    browser.go(&panel.url("/stacks")).expect("the page comes");
    browser.is_readable("stacks");
    browser.click("a[href='/stacks/pages']");
    browser.until_text("Ctrl+Space");
    assert!(until(Duration::from_secs(10), || browser.run("return !!document.querySelector('.cm-content')") == true));
    select(&browser, "image");
    browser.types(".cm-content", "imgae");
    browser.until_text("imgae");
    let marked = "return document.querySelectorAll('.cm-lint-marker-error').length > 0 && document.getElementById('mistakes').innerText.includes('line 4')";
    assert!(until(Duration::from_secs(15), || browser.run(marked) == true), "{}", browser.text());
    browser.is_readable("stack-wrong");
    select(&browser, "imgae");
    browser.types(".cm-content", "image");
    select(&browser, "busybox:1");
    browser.types(".cm-content", "busybox:2");
    let clear = "return document.querySelectorAll('.cm-lint-marker-error').length === 0";
    assert!(until(Duration::from_secs(15), || browser.run(clear) == true), "{}", browser.text());
    assert!(disk(s).contains("busybox:1"), "nothing is saved by typing");
    browser.click("button[value=plan]");
    browser.until_text("What it would do");
    assert!(browser.text().contains("replace"), "{}", browser.text());
    browser.is_readable("stack-drafted");
    assert!(disk(s).contains("busybox:1"), "nothing is saved by a preview");
    browser.fill("#message", "A newer busybox");
    // Saved, and on to what it does to what is on.
    browser.click("button[value=save-plan]");
    browser.until_text("Saved, as version");
    assert!(browser.text().contains("replace") && browser.text().contains("Apply"), "{}", browser.text());
    browser.is_readable("stack-saved-and-planned");
    assert_eq!(git(s, &["rev-list", "--count", "HEAD"]), "2");
    assert_eq!(
        git(s, &["show", "--format=%an: %s", "--name-only", "HEAD"]),
        "admin: A newer busybox\n\nstacks/pages.yaml"
    );
    assert_eq!(disk(s), stack(s).replace("busybox:1", "busybox:2"));
    browser.is_quiet();

    browser.go(&panel.url("/stacks")).expect("the page comes");
    browser.click("a[href='/stacks/pages/history']");
    browser.until_text("A newer busybox");
    browser.is_readable("stack-history");
    browser.click("main .rows li:nth-child(2) a");
    browser.until_text("Then and now");
    browser.is_readable("stack-version");
    // What runs is as that version says: it is restored, and nothing has to be done.
    browser.click("form[action*='/history/'] button.main");
    browser.until_text("Nothing that runs has to change");
    assert_eq!(disk(s), stack(s));
    assert_eq!(git(s, &["rev-list", "--count", "HEAD"]), "3");

    // What is in .env is set without being shown.
    for page in ["/variables", "/stacks/pages", "/stacks", "/stacks/pages/history", "/services/web"] {
        browser.go(&panel.url(page)).expect("the page comes");
        assert!(!browser.source().contains(SECRET), "{page}");
    }
    browser.go(&panel.url("/variables")).expect("the page comes");
    browser.is_readable("variables");
    browser.click("#variable-DB_5f_PASSWORD summary, li[id^=variable-DB] summary");
    browser.fill("li[id^=variable-DB] input[name=text]", "geheim-new one");
    browser.click("li[id^=variable-DB] button[value=set]");
    browser.until_text("DB_PASSWORD is written");
    assert!(!browser.source().contains("geheim"), "{}", browser.source());
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    assert!(env.starts_with("# mine\nDB_PASSWORD='geheim-new one'\n"), "{env}");
    browser.is_quiet();
    Ok(())
}

fn on_a_telephone_the_editor_comes_when_the_text_is_touched(s: &Scratch) -> Done {
    if hearth::web::asset("editor.js").is_none() {
        return Err(Skip("built without the editor (scripts/assets needs npm)".into()));
    }
    let panel = Panel::with_people(s, "", &[("pages", &stack(s))]);
    let browser = panel.window()?;
    browser.telephone();
    panel.enter(&browser, "admin", PASSWORD);
    browser.go(&panel.url("/stacks/pages")).expect("the page comes");
    let came = "return performance.getEntriesByType('resource').some(one => one.name.includes('/editor.'))";
    assert_eq!(browser.run("return matchMedia('(pointer: coarse)').matches"), true);
    assert_eq!((browser.run(came), browser.text().contains("Ctrl+Space")), (json!(false), false));
    browser.click("#text");
    let goes_on = "return document.activeElement.classList.contains('cm-content') && !document.getElementById('text').checkVisibility()";
    assert!(until(Duration::from_secs(15), || browser.run(goes_on) == true), "{}", browser.text());
    assert_eq!(browser.run(came), true);
    select(&browser, "busybox:1");
    browser.types(".cm-content", "busybox:2");
    browser.is_readable("stack-telephone");
    browser.click("button[value=save]");
    browser.until_text("Saved");
    assert_eq!(disk(s), stack(s).replace("busybox:1", "busybox:2"));
    browser.is_quiet();
    Ok(())
}

fn without_scripts_a_stack_is_checked_planned_and_saved_by_forms(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "admin", PASSWORD);
    browser.go(&panel.url("/stacks/pages")).expect("the page comes");
    browser.fill("#text", &stack(s).replace("image:", "imgae:"));
    browser.click("button[value=check]");
    browser.until_text("imgae");
    assert!(browser.text().contains("line 4"), "{}", browser.text());
    // A refused save keeps what was typed.
    browser.fill("#message", "typed before");
    browser.click("button[value=save]");
    assert!(browser.source().contains("imgae:") && browser.source().contains("typed before"));
    assert_eq!(disk(s), stack(s));
    browser.fill("#text", &stack(s).replace("busybox:1", "busybox:2"));
    browser.click("button[value=plan]");
    browser.until_text("What it would do");
    assert!(browser.text().contains("replace"), "{}", browser.text());
    browser.click("button[value=save]");
    browser.until_text("Saved, as version");
    assert_eq!(disk(s), stack(s).replace("busybox:1", "busybox:2"));
    assert_eq!(git(s, &["log", "-1", "--format=%s"]), "typed before");
    browser.go(&panel.url("/stacks/new?from=")).expect("the page comes");
    browser.fill("#name", "second");
    browser.fill("#text", "services:\n  second: { image: hearth-test/busybox:1, profiles: [second] }\n");
    browser.click("button[value=save]");
    browser.until_text("Saved, as version");
    browser.click("details.leave summary");
    browser.fill("#confirm", "other");
    browser.click("button.danger");
    browser.until_text("Nothing was deleted");
    browser.fill("#confirm", "second");
    browser.click("button.danger");
    browser.until_text("New stack");
    assert!(!s.dir.join("stacks/second.yaml").exists());
    assert_eq!(git(s, &["rev-list", "--count", "HEAD"]), "4");
    browser.forgets_cookies();
    panel.enter(&browser, "viewer", PASSWORD);
    browser.go(&panel.url("/stacks")).expect("the page comes");
    assert!(browser.text().contains("pages") && !browser.text().contains("New stack"), "{}", browser.text());
    browser.go(&panel.url("/stacks/pages")).expect("a page comes");
    assert_eq!(browser.status(), 403);
    Ok(())
}

fn two_who_edit_one_stack_both_keep_what_they_typed(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "admin", PASSWORD);
    let (mine, theirs) = (stack(s) + "# mine\n", stack(s) + "# theirs\n");
    for end in ["mine", "theirs"] {
        s.write("stacks/pages.yaml", &stack(s));
        browser.go(&panel.url("/stacks/pages")).expect("the page comes");
        s.write("stacks/pages.yaml", &theirs);
        browser.fill("#text", &mine);
        browser.fill("#message", "why mine");
        browser.click("button[value=save]");
        browser.until_text("The file has changed meanwhile");
        assert_eq!((browser.status(), disk(s)), (409, theirs.clone()));
        let text = browser.text();
        assert!(text.contains("# mine") && text.contains("# theirs"), "{text}");
        assert!(browser.source().contains("why mine"));
        match end {
            "mine" => {
                browser.is_readable("stack-conflict");
                browser.click(".attention button[value=save]");
                browser.until_text("Saved, as version");
                assert_eq!(disk(s), mine);
                assert_eq!(git(s, &["show", "--format=%s", "--name-only", "HEAD"]), "why mine\n\nstacks/pages.yaml");
            }
            _ => {
                browser.click("button[value=theirs]");
                browser.until_text("What you typed");
                let page = browser.source();
                assert!(page.contains("# theirs") && page.contains("# mine"), "{page}");
                assert_eq!(disk(s), theirs);
            }
        }
    }
    Ok(())
}

fn hostile_22_what_stacks_messages_and_names_hold_is_text(s: &Scratch) -> Done {
    let panel = home(s);
    let browser = panel.window()?;
    panel.enter(&browser, "admin", PASSWORD);
    let evil = "</textarea><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">";
    let text = format!("{}x-hearth: {{ title: '{evil}', about: '{evil}' }}\n# {evil}\n", stack(s));
    let save = json!({ "text": text, "message": format!("{evil}\n\n{evil}") });
    panel.ask_with("PUT", "/api/v1/stacks/pages", Some(panel.token("admin")), Some(&save), &["If-Match: *"]).is(200);
    s.write("stacks/<img src=x onerror=window.hacked=3>.yaml", "services: {}\n");
    s.write("stacks/broken.yaml", &format!("'{}': 1\n", evil.replace('\'', "")));
    let id = git(s, &["rev-parse", "HEAD"]);
    let first = git(s, &["rev-parse", "HEAD^"]);
    let pages = [
        "/stacks".to_owned(),
        "/stacks/pages".to_owned(),
        "/stacks/broken".to_owned(),
        "/stacks/pages?saved=%3Cscript%3E".to_owned(),
        format!("/stacks/pages?version={id}"),
        "/stacks/pages/history".to_owned(),
        format!("/stacks/pages/history/{id}"),
        format!("/stacks/pages/history/{first}"),
        "/stacks/%3Cimg%20src=x%20onerror=window.hacked=4%3E".to_owned(),
        "/variables?done=%3Cscript%3E".to_owned(),
    ];
    for page in pages {
        browser.go(&panel.url(&page)).expect("the page comes");
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(browser.run("return window.hacked"), Value::Null, "{page}");
        assert_eq!(browser.run("return document.querySelectorAll('main img, main script').length"), 0, "{page}");
    }
    Ok(())
}
