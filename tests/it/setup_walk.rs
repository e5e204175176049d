//! The setup in one go: from an empty folder, `hearth init`, `hearth serve` and the printed link to routes that answer, in a real Chromium on a real engine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::rig::{
    Browser, DOMAIN, Done, HEARTH, PASSWORD, Running, Scratch, Skip, cases, curl, free_port, image_of_hearth,
    setup_link, traefik_is_here, until,
};

cases![alone: from_the_printed_link_to_a_service_that_answers_in_under_five_minutes, by_forms_alone_the_same, killed_half_way_it_goes_on_from_there, by_name_through_traefik_in_under_five_minutes,];

/// What a newcomer is given at most.
const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// A new home with its server, and a browser.
struct Walk<'s> {
    s: &'s Scratch,
    home: PathBuf,
    https: u16,
    http: u16,
    /// Where the example answers in localhost mode.
    port: u16,
    running: Option<Running>,
    link: String,
    browser: Browser,
    began: Instant,
}

impl<'s> Walk<'s> {
    /// From an empty folder to the printed link. `more`: lines for `hearth.yaml` and `.env`.
    fn begun(s: &'s Scratch, more: (&str, &str)) -> Result<Walk<'s>, Skip> {
        image_of_hearth(s);
        let began = Instant::now();
        let home = s.beside(&s.project);
        let at = home.display().to_string();
        s.hearth_args(&["init", &at, "--stacks", "example"]).ok();
        let port = free_port();
        // Others on this engine have the usual port, and the usual image.
        change(&home, "stacks/example.yaml", |text| {
            text.replace("localhost: 7080", &format!("localhost: {port}")).replace("hearth:local", HEARTH)
        });
        change(&home, "hearth.yaml", |text| text + more.0);
        change(&home, ".env", |text| text + more.1);
        s.hearth_args(&["--home", &at, "render"]).ok();
        let (https, http) = (free_port(), free_port());
        let running = serve(s, &home, https, http);
        let link = setup_link(&running);
        let browser = Browser::start(s, &[&home.join("state/ca/root.pem")])?;
        Ok(Walk { s, home, https, http, port, running: Some(running), link, browser, began })
    }

    fn serves(&mut self) {
        self.running = Some(serve(self.s, &self.home, self.https, self.http));
    }

    fn is_killed(&mut self) {
        let running = self.running.take().expect("it runs");
        running.signal(Signal::KILL);
        self.s.noted(running);
    }

    /// A path of the panel, at the host of the link.
    fn url(&self, path: &str) -> String {
        let host = self.link.split("/setup").next().expect("it has a host");
        format!("{host}{path}")
    }

    /// The account, and what this machine says.
    fn comes_in(&self) {
        self.browser.go(&self.link).expect("the page comes");
        self.browser.fill("#username", "ada");
        self.browser.fill("#password", PASSWORD);
        self.browser.fill("#again", PASSWORD);
        self.browser.click("button.main");
        self.browser.until_text("This machine");
        assert!(self.browser.text().contains("Step 1 of"), "{}", self.browser.text());
    }

    /// On from the machine to how services are reached.
    fn looks_at_the_machine(&self) {
        self.browser.click("form[action='/welcome/machine'] button");
        self.browser.until_text("How services are reached");
    }

    /// What others run on this engine is left for later; then the example is chosen.
    fn chooses(&self) {
        let at = || self.browser.text();
        assert!(
            until(Duration::from_secs(30), || at().contains("What runs here already")
                || at().contains("What should run")),
            "{}",
            at()
        );
        if at().contains("What runs here already") {
            self.browser.click("form[action='/welcome/found'] button");
        }
        self.browser.until_text("What should run");
        self.browser.click("input[value='example']");
        self.browser.click(".steps button.main");
        self.browser.until_text("What would happen");
    }

    /// Until what was begun has ended well.
    fn is_done(&self) {
        // By itself, where what moves pages is built in.
        let moves = hearth::web::asset("live.js").is_some();
        let done =
            || (moves || self.browser.go(&self.url("/welcome/work")).is_ok()) && self.browser.text().contains("Done:");
        assert!(until(Duration::from_secs(240), done), "{}", self.browser.text());
        self.browser.click("form[action='/welcome/work'] button");
        self.browser.until_text("You are done");
    }

    fn ends(&self) {
        self.browser.click("form[action='/welcome/done'] button");
        self.browser.until_text("All is well");
        assert!(!self.browser.text().contains("The setup of this home goes on"), "{}", self.browser.text());
        let took = self.began.elapsed();
        assert!(took < FIVE_MINUTES, "{took:?}");
        println!("from an empty folder to what answers: {:.1} s", took.as_secs_f32());
    }

    /// The example answers at its port.
    fn answers(&self) {
        let address = format!("http://127.0.0.1:{}", self.port);
        let text = self.browser.text();
        assert!(text.contains(&address) && text.contains("Answers"), "{text}");
        assert!(!text.contains("Does not answer"), "{text}");
        assert_eq!(curl(self.s, &[&address]).status, 200);
    }
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(Signal::TERM);
            self.s.noted(running);
        }
    }
}

fn serve(s: &Scratch, home: &std::path::Path, https: u16, http: u16) -> Running {
    let (at, plain) = (format!("127.0.0.1:{https}"), format!("127.0.0.1:{http}"));
    let home = home.display().to_string();
    let args = ["--home", &home, "serve", "--listen", &at, "--http", &plain];
    let running = s.hearth_args_start(&args, &[]).patient(Duration::from_secs(1800));
    let health = format!("https://localhost:{https}/health");
    assert!(until(Duration::from_secs(30), || curl(s, &["-k", &health]).status == 200), "{}", running.said());
    running
}

fn change(home: &std::path::Path, file: &str, edit: impl FnOnce(String) -> String) {
    let path = home.join(file);
    let text = std::fs::read_to_string(&path).expect("init has written it");
    std::fs::write(&path, edit(text)).expect("a file can be written");
}

fn from_the_printed_link_to_a_service_that_answers_in_under_five_minutes(s: &Scratch) -> Done {
    let walk = Walk::begun(s, ("", ""))?;
    walk.comes_in();
    walk.browser.is_readable("welcome-machine");
    walk.looks_at_the_machine();
    walk.browser.is_readable("welcome-way");
    // What does not fit is said beside the field, and nothing is done.
    walk.browser.click("input[name='mode'][value='domain']");
    walk.browser.fill("#domain", "not a domain");
    walk.browser.click(".steps button.main");
    walk.browser.until_text("That is no domain");
    walk.browser.click("input[name='mode'][value='localhost']");
    walk.browser.click(".steps button.main");
    walk.chooses();
    walk.browser.is_readable("welcome-plan");
    walk.browser.click("form[action='/welcome/plan'] button");
    walk.browser.until_text("Carry out a plan");
    walk.is_done();
    walk.answers();
    walk.browser.is_readable("welcome-done");
    walk.ends();
    Ok(())
}

fn by_forms_alone_the_same(s: &Scratch) -> Done {
    let walk = Walk::begun(s, ("", ""))?;
    walk.browser.without_scripts();
    walk.comes_in();
    walk.looks_at_the_machine();
    walk.browser.click(".steps button.main");
    walk.chooses();
    // It can be left, and says on the home's page that it goes on.
    walk.browser.go(&walk.url("/")).expect("the page comes");
    walk.browser.click("a[href='/welcome']");
    walk.browser.until_text("What would happen");
    walk.browser.click("form[action='/welcome/plan'] button");
    walk.browser.until_text("Carry out a plan");
    let done = || walk.browser.go(&walk.url("/welcome/work")).is_ok() && walk.browser.text().contains("Done:");
    assert!(until(Duration::from_secs(240), done), "{}", walk.browser.text());
    walk.is_done();
    walk.answers();
    walk.ends();
    Ok(())
}

fn killed_half_way_it_goes_on_from_there(s: &Scratch) -> Done {
    let mut walk = Walk::begun(s, ("", ""))?;
    walk.comes_in();
    walk.looks_at_the_machine();
    walk.browser.click(".steps button.main");
    walk.chooses();
    walk.is_killed();
    walk.serves();
    walk.browser.go(&walk.url("/welcome")).expect("the page comes");
    walk.browser.until_text("What would happen");
    walk.browser.click("form[action='/welcome/plan'] button");
    walk.browser.until_text("Carry out a plan");
    walk.is_killed();
    walk.serves();
    walk.browser.go(&walk.url("/welcome")).expect("the page comes");
    walk.browser.until_text("Hearth was restarted while this was under way");
    walk.browser.is_readable("welcome-restarted");
    walk.browser.click("form[action='/welcome/again'] button");
    let at = || walk.browser.text();
    assert!(
        until(Duration::from_secs(30), || at().contains("Before anything happens") || at().contains("You are done")),
        "{}",
        at()
    );
    if at().contains("Before anything happens") {
        walk.browser.click("form[action='/welcome/plan'] button");
        walk.browser.until_text("Carry out a plan");
        walk.is_done();
    }
    let answered = || walk.browser.go(&walk.url("/welcome/done")).is_ok() && !at().contains("Does not answer");
    assert!(until(Duration::from_secs(60), answered), "{}", at());
    walk.answers();
    walk.ends();
    Ok(())
}

fn by_name_through_traefik_in_under_five_minutes(s: &Scratch) -> Done {
    traefik_is_here(s)?;
    let (http, https) = (free_port(), free_port());
    let settings = format!("traefik: {{http: {http}, https: {https}, minimum: \"3.7.9\"}}\n");
    let socket = s.socket().display().to_string();
    let env = format!("TRAEFIK_IMAGE=traefik:v3.7\nHEARTH_IMAGE={HEARTH}\nDOCKER_SOCKET={socket}\n");
    let walk = Walk::begun(s, (&settings, &env))?;
    walk.comes_in();
    walk.looks_at_the_machine();
    walk.browser.click("input[name='mode'][value='domain']");
    walk.browser.fill("#domain", &format!("https://{DOMAIN}/"));
    walk.browser.click(".steps button.main");
    walk.chooses();
    walk.browser.click("form[action='/welcome/plan'] button");
    walk.browser.until_text("Carry out a plan");
    walk.is_done();
    let text = || walk.browser.text();
    let address = format!("https://example.{DOMAIN}");
    let answered = || {
        walk.browser.go(&walk.url("/welcome/done")).is_ok()
            && text().contains(&address)
            && !text().contains("Does not answer")
    };
    assert!(until(Duration::from_secs(60), answered), "{}", text());
    walk.browser.is_readable("welcome-done-domain");
    // Believed by who trusts the home's own authority.
    let resolve = format!("example.{DOMAIN}:{https}:127.0.0.1");
    let root = walk.home.join("state/ca/root.pem").display().to_string();
    let page = curl(s, &["--resolve", &resolve, "--cacert", &root, &format!("{address}:{https}/")]);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(text().contains("Trust on another device"), "{}", text());
    walk.ends();
    Ok(())
}
