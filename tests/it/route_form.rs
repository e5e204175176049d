//! An address from the page of a service: the form, the plan, and what answers then, through a real Traefik in a real Chromium.

use std::time::Duration;

use serde_json::json;

use crate::forward_auth::{BROWSER, enters, set};
use crate::rig::{
    Browser, DOMAIN, Done, Door, Echo, HEARTH, PASSWORD, Panel, Scratch, Skip, cases, free_port, image_of_hearth,
    traefik_is_here, until,
};

cases![alone: a_service_has_an_address_in_four_steps_from_its_page, by_forms_alone_a_service_is_kept_to_one_group,];

/// What a person wrote, with lines of one service.
fn stack(own: &str) -> String {
    format!(
        "# ours\nservices:\n  web: # the photos\n{}    expose: [\"80\"]\n    profiles: [web]\n{own}\n# the end\n",
        Echo::service()
    )
}

/// A home in domain mode in which the service runs, with its server.
struct House<'s> {
    panel: Panel<'s>,
    door: Door<'s>,
}

impl<'s> House<'s> {
    fn new(s: &'s Scratch, own: &str) -> Result<House<'s>, Skip> {
        traefik_is_here(s)?;
        image_of_hearth(s);
        let (http, https) = (free_port(), free_port());
        let socket = s.socket().display().to_string();
        s.write(
            ".env",
            &format!("DOMAIN={DOMAIN}\nTRAEFIK_IMAGE=traefik:v3.7\nHEARTH_IMAGE={HEARTH}\nDOCKER_SOCKET={socket}\n"),
        );
        let config = format!(
            "mode: domain\nnetworks: {}\ntraefik: {{http: {http}, https: {https}, minimum: \"3.7.9\"}}\n",
            s.range()
        );
        let panel = Panel::on_docker(s, &config, &[("web", &stack(own))]);
        panel.up(&["web"]);
        Ok(House { panel, door: Door { s, http, https } })
    }

    fn browser(&self, scripts: bool) -> Result<Browser, Skip> {
        let browser = self.panel.window()?;
        if !scripts {
            browser.without_scripts();
        }
        self.panel.enter(&browser, "admin", PASSWORD);
        Ok(browser)
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.panel.s.dir.join("stacks/web.yaml")).expect("it is there")
    }

    /// Applies the plan that the browser shows, and waits until that is done.
    fn applies(&self, browser: &Browser) {
        browser.click("form[action$='/apply'] button");
        let begun = || browser.run("return location.pathname.startsWith('/works/')") == true;
        assert!(until(Duration::from_secs(20), begun), "{}", browser.text());
        let at = browser.address();
        let done = || browser.text().contains("Done:") || (browser.go(&at).is_ok() && browser.text().contains("Done:"));
        assert!(until(Duration::from_secs(120), done), "{}", browser.text());
    }
}

fn a_service_has_an_address_in_four_steps_from_its_page(s: &Scratch) -> Done {
    let house = House::new(s, "")?;
    let browser = house.browser(true)?;
    let before = s.docker_args(&["ps", "-q", "--no-trunc"]).ok().out;
    // 1: the service. What is known stands in the form.
    browser.go(&house.panel.url("/")).expect("the page comes");
    browser.click("#service-web-name");
    browser.until_text("Who may enter");
    let typed = |id: &str| browser.run(&format!("return document.getElementById('{id}').value"));
    assert_eq!(
        (typed("route-host"), typed("route-port"), typed("route-access")),
        (json!("web"), json!("80"), json!("user"))
    );
    browser.is_readable("service-route");
    // What is wrong is said beside its field, and what was typed is kept.
    browser.fill("#route-host", "my photos");
    browser.click(".way button.main");
    browser.until_text("is no host name");
    assert_eq!(typed("route-host"), json!("my photos"));
    // Of the refused form alone.
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|line| line.contains("422")), "{complaints:?}");
    browser.is_readable("service-route-refused");
    assert_eq!(house.written(), stack(""));
    // 2 and 3: the form.
    browser.fill("#route-host", "photos");
    browser.run("document.getElementById('route-access').value = 'public'");
    browser.click(".way button.main");
    // 4: the plan. Only the text is another one by now.
    browser.until_text("What would happen");
    assert_eq!(s.docker_args(&["ps", "-q", "--no-trunc"]).ok().out, before);
    assert_eq!(house.written(), stack("    x-hearth:\n      route: { host: photos, port: 80, access: public }\n"));
    house.applies(&browser);
    house.door.until("photos", 200);
    browser.go(&house.panel.url("/services/web")).expect("the page comes");
    if hearth::web::asset("live.js").is_some() {
        browser.until_text(&format!("https://photos.{DOMAIN}"));
    }
    browser.is_quiet();
    Ok(())
}

fn by_forms_alone_a_service_is_kept_to_one_group(s: &Scratch) -> Done {
    let route = "    x-hearth:\n      route: # everybody\n        host: photos\n        port: 80\n        access: user # for now\n";
    let mut house = House::new(s, route)?;
    house.panel.call("admin", "POST", "/api/v1/groups", Some(&json!({ "name": "family" }))).is(201);
    let eve = json!({ "username": "eve", "password": PASSWORD, "role": "member", "groups": ["family"] });
    house.panel.call("admin", "POST", "/api/v1/users", Some(&eve)).is(201);
    house.panel.sign_in("eve");
    let browser = house.browser(false)?;
    browser.go(&house.panel.url("/services/web")).expect("the page comes");
    browser.click(".way summary");
    browser.types("#route-access", "Members of the group family");
    browser.click(".way button.main");
    browser.until_text("What would happen");
    assert_eq!(house.written(), stack(&route.replace("access: user", "access: group:family")));
    house.applies(&browser);
    // Whoever is in the group enters; another one who has signed in does not.
    let door = &house.door;
    assert!(
        until(Duration::from_secs(30), || door.ask("photos", "/", &BROWSER).header("location").is_some()),
        "{}",
        door.routes()
    );
    let signs_in = |name: &str| {
        let origin = format!("Origin: https://panel.{DOMAIN}:{}", door.https);
        let (name, password) = (format!("username={name}"), format!("password={PASSWORD}"));
        let form = ["--data-urlencode", &name, "--data-urlencode", &password, "-d", "next=/", "-H", &origin];
        let page = door.ask("panel", "/login", &[&form[..], &BROWSER].concat());
        assert_eq!(page.status, 303, "{page:?}");
        set(&page, "__Host-hearth")
    };
    let cookie = enters(door, &signs_in("eve"), "photos");
    assert_eq!(door.ask("photos", "/", &["-H", &cookie]).status, 200);
    let other = enters(door, &signs_in("member"), "photos");
    assert_eq!(door.ask("photos", "/", &["-H", &other]).status, 403);
    Ok(())
}
