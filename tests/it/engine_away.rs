//! The panel while the engine hangs: it is said, what is shown is from before, and all of it is mended by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::rig::{Browser, Done, PASSWORD, Panel, Proxy, Scratch, Skip, Verdict, cases, until};

cases![alone: hostile_33_an_engine_that_hangs_is_said_on_open_pages_and_mended_by_itself,];

const STACK: &str = "
services:
  web: { profiles: [web], image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL }
";

/// The engine is asked whether it is there 4 s after its last word, and has 5 s to answer; a machine that is busy takes longer.
const NOTICED: Duration = Duration::from_secs(45);

#[track_caller]
fn says(browser: &Browser, words: &str) {
    assert!(until(NOTICED, || browser.text().contains(words)), "{words}: {}", browser.text());
}

fn hostile_33_an_engine_that_hangs_is_said_on_open_pages_and_mended_by_itself(s: &Scratch) -> Done {
    if hearth::web::asset("live.js").is_none() {
        return Err(Skip("built without what moves pages (scripts/assets needs npm)".into()));
    }
    let hangs = Arc::new(AtomicBool::new(false));
    let now = hangs.clone();
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), move |_| {
        if now.load(Ordering::SeqCst) { Verdict::Hang } else { Verdict::Pass }
    });
    let real = format!("unix://{}", s.socket().display());
    s.use_engine(&proxy.host());
    let panel = Panel::on_docker(s, &format!("networks: {}\n", s.range()), &[("web", STACK)]);
    s.use_engine(&real);
    panel.up(&["web"]);
    let [home, service] = ["/", "/services/web"].map(|path| {
        let browser = panel.window()?;
        panel.enter(&browser, "operator", PASSWORD);
        browser.go(&panel.url(path)).expect("the page comes");
        browser.run("window.same = true");
        Ok(browser)
    });
    let (home, service) = (home?, service?);
    says(&home, "All is well");
    says(&service, "Running");
    hangs.store(true, Ordering::SeqCst);
    says(&home, "Docker does not answer");
    says(&home, "What is shown is from before");
    assert!(home.text().contains("web"), "{}", home.text());
    home.is_readable("home-away");
    // Whoever comes now waits for no engine.
    for path in ["/", "/services/web", "/stacks", "/routes", "/doctor"] {
        let began = Instant::now();
        service.go(&panel.url(path)).expect("the page comes");
        assert_eq!(service.status(), 200, "{path}: {}", service.text());
        assert!(began.elapsed() < Duration::from_secs(30), "{path}: {:?}", began.elapsed());
    }
    hangs.store(false, Ordering::SeqCst);
    says(&home, "All is well");
    assert_eq!(home.run("return window.same"), true, "the page was never left");
    Ok(())
}
