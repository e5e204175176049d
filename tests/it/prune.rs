//! Clearing up on a real engine: what goes is what the plan named, and what is used stays. Only what the tests have made themselves is ever chosen.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rig::{Done, PASSWORD, Panel, Scratch, cases, until};

cases![alone: what_goes_is_what_the_plan_named_and_what_is_used_stays, a_plan_is_refused_when_something_of_it_came_into_use, a_volume_goes_in_the_browser_once_its_name_was_typed,];

/// What a home names stays; of one whose stacks cannot be read nobody knows what it needs.
const STACK: &str = "services: { web: { image: 'hearth-test/busybox:1', profiles: [web] } }\n";

/// Two volumes, two networks and an image, of which a stopped container uses one each.
struct Mine {
    free_volume: String,
    used_volume: String,
    free_network: String,
    used_network: String,
    image: String,
}

fn made(s: &Scratch) -> Mine {
    let name = |what: &str| format!("{}-{what}", s.project);
    let mine = Mine {
        free_volume: name("free-volume"),
        used_volume: name("used-volume"),
        free_network: name("free-network"),
        used_network: name("used-network"),
        image: format!("{}/image:1", s.project),
    };
    for volume in [&mine.free_volume, &mine.used_volume] {
        s.docker_args(&["volume", "create", volume]).ok();
    }
    for network in [&mine.free_network, &mine.used_network] {
        s.docker_args(&["network", "create", "--internal", "--subnet", &subnet(s, network), network]).ok();
    }
    let holder = name("holder");
    let mount = format!("{}:/data", mine.used_volume);
    let run = ["run", "-d", "--name", &holder, "-v", &mount, "--network", &mine.used_network];
    s.docker_args(&[&run[..], &["hearth-test/busybox:1", "true"]].concat()).ok();
    s.docker_args(&["wait", &holder]).ok();
    s.docker_args(&["commit", &holder, &mine.image]).ok();
    mine
}

/// The third and fourth /24 of the test's own range.
fn subnet(s: &Scratch, network: &str) -> String {
    let range = s.range();
    let first = range.split('.').take(2).collect::<Vec<_>>().join(".");
    format!("{first}.{}.0/24", if network.ends_with("free-network") { 240 } else { 241 })
}

fn home<'s>(s: &'s Scratch) -> Panel<'s> {
    Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("one", STACK)])
}

impl Mine {
    fn there(&self, s: &Scratch) -> Vec<bool> {
        [
            ["volume", "inspect", &self.free_volume],
            ["volume", "inspect", &self.used_volume],
            ["network", "inspect", &self.free_network],
            ["network", "inspect", &self.used_network],
            ["image", "inspect", &self.image],
        ]
        .map(|args| s.docker_args(&args).code == 0)
        .to_vec()
    }
}

/// What a plan removes, by name.
fn goes(plan: &Value) -> Vec<String> {
    let name =
        |step: &Value| ["image", "network", "volume"].iter().find_map(|key| step[*key].as_str().map(str::to_owned));
    plan["steps"].as_array().into_iter().flatten().filter_map(name).collect()
}

fn what_goes_is_what_the_plan_named_and_what_is_used_stays(s: &Scratch) -> Done {
    let mine = made(s);
    s.home();
    s.write("stacks/one.yaml", STACK);
    let hearth = |args: &[&str]| s.hearth_args(&[&["--compat", "2", "prune"], args].concat());
    // What is used is refused by name, whoever asks.
    for (flag, name) in [
        ("--volumes", &mine.used_volume),
        ("--networks", &mine.used_network),
        ("--images", &"hearth-test/busybox:1".to_owned()),
    ] {
        hearth(&[flag, name, "--yes"]).exits(5).says("storage.in-use");
    }
    hearth(&["--volumes", "it-nothing-of-this-name"]).exits(3).says("storage.not-there");
    let all = ["--images", &mine.image, "--networks", &mine.free_network, "--volumes", &mine.free_volume];
    let dry = hearth(&[&all[..], &["--dry-run", "--json"]].concat()).ok();
    let plan: Value = serde_json::from_str(dry.out.lines().next().unwrap_or_default()).expect("a plan");
    assert_eq!(goes(&plan), [&mine.image, &mine.free_network, &mine.free_volume].map(String::clone));
    assert_eq!(mine.there(s), [true; 5], "nothing was done");
    // Without a terminal and without a yes data is not lost.
    hearth(&all).exits(4).says("needs-yes");
    assert_eq!(mine.there(s), [true; 5], "nothing was done");
    hearth(&[&all[..], &["--yes"]].concat()).ok().says("1 image removed");
    assert_eq!(mine.there(s), [false, true, false, true, false]);
    s.hearth_args(&["history"]).ok().says("prune");
    // All of it, only shown: nothing of the machine's is touched by a test.
    let whole = hearth(&["--images", "--networks", "--volumes", "--dry-run", "--json"]).ok();
    let plan: Value = serde_json::from_str(whole.out.lines().next().unwrap_or_default()).expect("a plan");
    let goes = goes(&plan);
    assert!(!goes.contains(&mine.used_volume) && !goes.contains(&mine.used_network), "{goes:?}");
    assert!(!goes.iter().any(|one| one == "hearth-test/busybox:1"), "{goes:?}");
    Ok(())
}

fn a_plan_is_refused_when_something_of_it_came_into_use(s: &Scratch) -> Done {
    let mine = made(s);
    let panel = home(s);
    let ask = |body: Value| panel.call("admin", "POST", "/api/v1/prune", Some(&body));
    let refused = ask(json!({"volumes": [mine.used_volume]})).is(200);
    assert_eq!(
        (&refused.body["id"], &refused.body["plan"]["refusals"][0]["code"]),
        (&Value::Null, &json!("storage.in-use"))
    );
    let body = json!({"volumes": [mine.free_volume], "networks": [mine.free_network]});
    let made = ask(body.clone()).is(200);
    let id = made.text("id").to_owned();
    assert_eq!(made.body["plan"]["risk"], "data");
    // Who did not decide it does not carry it out.
    panel.call("operator", "POST", &format!("/api/v1/plans/{id}/apply"), Some(&json!({"yes": true}))).is(403);
    let ends = |id: &str, yes: bool| {
        let begun =
            panel.call("admin", "POST", &format!("/api/v1/plans/{id}/apply"), Some(&json!({"yes": yes}))).is(202);
        let path = format!("/api/v1/works/{}", begun.body["work"]["id"].as_str().expect("it has an id"));
        let ended = || panel.call("admin", "GET", &path, None).text("state") != "running";
        assert!(until(Duration::from_secs(30), ended));
        panel.call("admin", "GET", &path, None).body
    };
    assert_eq!(ends(&id, false)["state"], "failed", "data is not lost without a yes");
    let late = format!("{}-late", s.project);
    s.docker_args(&[
        "create",
        "--name",
        &late,
        "-v",
        &format!("{}:/data", mine.free_volume),
        "hearth-test/busybox:1",
        "true",
    ])
    .ok();
    let ended = ends(&id, true);
    assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!("stacks.moved")), "{ended}");
    assert_eq!(mine.there(s), [true; 5], "none of it was done");
    s.docker_args(&["rm", &late]).ok();
    assert_eq!(ends(&id, true)["state"], "done");
    assert_eq!(mine.there(s), [false, true, false, true, true]);
    let audit = panel.call("admin", "GET", "/api/v1/audit", None).is(200).page.body;
    assert!(audit.contains("prune") && audit.contains(&mine.free_volume), "{audit}");
    s.docker_args(&["rmi", &mine.image]).ok();
    Ok(())
}

fn a_volume_goes_in_the_browser_once_its_name_was_typed(s: &Scratch) -> Done {
    let mine = made(s);
    let panel = home(s);
    let browser = panel.window()?;
    browser.without_scripts();
    panel.enter(&browser, "admin", PASSWORD);
    browser.go(&panel.url("/images")).expect("the page comes");
    browser.until_text(&mine.image);
    browser.is_readable("images");
    browser.go(&panel.url("/networks")).expect("the page comes");
    browser.is_readable("networks");
    browser.go(&panel.url("/volumes")).expect("the page comes");
    browser.is_readable("volumes");
    // Nothing that holds data is chosen for anybody, and what is used cannot be.
    let source = browser.source();
    assert!(!source.contains(" checked"), "{source}");
    assert!(!source.contains(&format!("value=\"{}\"", mine.used_volume)), "{source}");
    browser.click(&format!("input[value='{}']", mine.free_volume));
    browser.click("form[action='/storage/plan'] button");
    browser.until_text("The data in volumes is lost for good");
    browser.is_readable("storage-plan");
    browser.fill("#typed", "another");
    browser.click("form.sure button");
    browser.until_text("That was not confirmed");
    assert!(mine.there(s)[0], "nothing was done");
    browser.fill("#typed", &mine.free_volume);
    browser.click("form.sure button");
    browser.until_text("Steps");
    let at = browser.address();
    let done = || browser.go(&at).is_ok() && browser.text().contains("Done: 1 volume removed");
    assert!(until(Duration::from_secs(30), done), "{}", browser.text());
    assert_eq!(mine.there(s), [false, true, true, true, true]);
    s.docker_args(&["rmi", &mine.image]).ok();
    Ok(())
}
