//! A real Chromium, as a person has it before them: headless, driven by its own driver over WebDriver. Every name leads to loopback, so
//! that nothing leaves this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use serde_json::{Value, json};

use super::command::Program;
use super::plain::{ask_for, get};
use super::scratch::script_with;
use super::{Running, Scratch, Skip, free_port, until};

/// Longer than Chromium takes for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where Chromium is; `Err`: it cannot be had.
fn folder() -> Result<&'static Path, Skip> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| script_with("browser", &[], &[]).map(PathBuf::from));
    found.as_deref().map_err(|why| Skip(format!("no Chromium here ({})", why.lines().last().unwrap_or_default())))
}

/// For another program that drives Chromium: Chromium itself, and an environment of somebody who has installed these roots (PEM).
pub fn chromium(s: &Scratch, trusted: &[&Path]) -> Result<(PathBuf, Vec<(String, String)>), Skip> {
    let root = folder()?;
    let home = s.beside("chromium");
    let env = environment(root, &home);
    install(s, root, &home, trusted, &env);
    Ok((root.join("usr/lib/chromium/chromium"), env))
}

/// Starts a program that hears nothing of the networks that the engine makes and removes on this machine, as the browsers of a home's family
/// on their own machines: one that does ends its connections at each of them. It takes itself to be online where it cannot ask.
pub fn blind_to_networks<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    let without_netlink = || -> Result<BpfProgram, seccompiler::BackendError> {
        let family = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::AF_NETLINK as u64)?;
        let rules = BTreeMap::from([(libc::SYS_socket, vec![SeccompRule::new(vec![family])?])]);
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EACCES as u32), arch)?.try_into()
    };
    let filter = without_netlink().expect("the filter is well formed");
    // It holds for this thread, and for what is started by it.
    let started = std::thread::scope(|scope| {
        let starting = scope.spawn(|| {
            seccompiler::apply_filter(&filter).expect("the kernel takes a filter");
            start()
        });
        starting.join()
    });
    started.unwrap_or_else(|why| std::panic::resume_unwind(why))
}

/// A window with one page, and a profile that nobody had before. Both end when it is dropped.
pub struct Browser {
    _driver: Program,
    port: u16,
    session: String,
    /// Chromium itself.
    pid: Option<i32>,
    /// Where what is downloaded arrives.
    pub downloads: PathBuf,
}

impl Browser {
    /// Starts one for somebody who has installed these roots (PEM), and no others than Chromium has itself.
    pub fn start(s: &Scratch, trusted: &[&Path]) -> Result<Browser, Skip> {
        let root = folder()?;
        let port = free_port();
        let home = s.beside(&format!("browser-{port}"));
        let downloads = home.join("Downloads");
        std::fs::create_dir_all(&downloads).expect("a folder can be made in a temporary folder");
        let env = environment(root, &home);
        install(s, root, &home, trusted, &env);
        let more: Vec<(&str, &str)> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let driver = root.join("usr/bin/chromedriver");
        let driver = blind_to_networks(|| Program::start(&driver, &[format!("--port={port}")], &home, &more));
        let ready = until(PATIENCE, || get(port, "localhost", "/status").is_some_and(|a| a.status == 200));
        assert!(ready, "Chromium's driver did not start");
        let mut browser = Browser { _driver: driver, port, session: String::new(), pid: None, downloads };
        let profile = format!("--user-data-dir={}", home.join("profile").display());
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--no-first-run",
            "--host-resolver-rules=MAP * 127.0.0.1",
            &profile,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": root.join("usr/lib/chromium/chromium"), "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.call("POST", "/session", &wanted).unwrap_or_else(|why| panic!("Chromium: {why}"));
        browser.session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        browser.pid = session["capabilities"]["goog:processID"].as_i64().and_then(|pid| pid.try_into().ok());
        let to = browser.downloads.display().to_string();
        browser.devtools("Browser.setDownloadBehavior", json!({ "behavior": "allow", "downloadPath": to }));
        Ok(browser)
    }

    /// Goes to an address. `Err`: Chromium's own word for why it shows none of it, as `net::ERR_CERT_AUTHORITY_INVALID`.
    pub fn go(&self, url: &str) -> Result<(), String> {
        let went = self.devtools("Page.navigate", json!({ "url": url }));
        if let Some(error) = went["errorText"].as_str() {
            return Err(error.to_owned());
        }
        let complete = || self.run("return document.readyState === 'complete' && location.href !== 'about:blank'");
        assert!(until(PATIENCE, || complete() == true), "{url} is never complete");
        Ok(())
    }

    /// Where it is.
    pub fn address(&self) -> String {
        let at = self.session("GET", "/url", &Value::Null).expect("it says so");
        at.as_str().unwrap_or_default().to_owned()
    }

    /// The page as markup.
    pub fn source(&self) -> String {
        let source = self.session("GET", "/source", &Value::Null).expect("it says so");
        source.as_str().unwrap_or_default().to_owned()
    }

    /// What a script gives (`return ...`); null also where the page is just being replaced.
    pub fn run(&self, script: &str) -> Value {
        let of = format!("/session/{}/execute/sync", self.session);
        self.call("POST", &of, &json!({ "script": script, "args": [] })).unwrap_or(Value::Null)
    }

    /// What a script gives in each frame of the page; null where Chromium runs none there.
    pub fn in_frames(&self, script: &str) -> Vec<Value> {
        let count = self.run("return frames.length").as_u64().unwrap_or_default();
        let into = |id: Value| self.session("POST", "/frame", &json!({ "id": id }));
        let one = |nth: u64| {
            let there = into(nth.into()).map(|_| self.run(script)).unwrap_or_default();
            into(Value::Null).expect("the page itself is there");
            there
        };
        (0..count).map(one).collect()
    }

    /// The browser's cookies for the page, as it keeps them: those too that no script sees.
    pub fn cookies(&self) -> Vec<Value> {
        let all = self.session("GET", "/cookie", &Value::Null).expect("it says so");
        all.as_array().cloned().unwrap_or_default()
    }

    /// Takes the cookies of the page's host away.
    pub fn forgets_cookies(&self) {
        self.session("DELETE", "/cookie", &Value::Null).expect("it forgets them");
    }

    /// What can be read on the page.
    pub fn text(&self) -> String {
        self.run("return document.body ? document.body.innerText : ''").as_str().unwrap_or_default().to_owned()
    }

    /// The status with which the page came.
    pub fn status(&self) -> u64 {
        self.run("return performance.getEntriesByType('navigation')[0].responseStatus").as_u64().unwrap_or_default()
    }

    /// Makes the window as wide as that many CSS pixels, as on a device with a screen of that width.
    pub fn width(&self, pixels: u32) {
        self.size(pixels.into(), 844);
    }

    /// A telephone from here on: 390 px wide, touched and not pointed at.
    pub fn telephone(&self) {
        self.width(390);
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true, "maxTouchPoints": 5 }));
    }

    fn size(&self, width: u64, height: u64) {
        let device = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", device);
    }

    /// For somebody who likes it dark.
    pub fn dark(&self, yes: bool) {
        let value = if yes { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features);
    }

    /// Runs a script in each page from here on, before anything of the page.
    pub fn in_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// From here on no page runs a script of its own.
    pub fn without_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    }

    /// Clicks on the first element that a CSS selector finds; one that is just being made is waited for. Where it leads to another page, as a
    /// link or a form's button does, that page is waited for: the driver itself does so only where it is quick, and else what follows would
    /// be told of the page before.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let found = self.found(selector);
        let leads_on = self.session("POST", "/execute/sync", &json!({ "script": LEADS_ON, "args": [found] }));
        self.press(selector, &found);
        if leads_on.is_ok_and(|leads_on| leads_on == true) {
            let there = "return window.isKeptHere || !window.isThePageBefore && document.readyState === 'complete'";
            assert!(until(PATIENCE, || self.run(there) == true), "{selector} leads nowhere: {}", self.text());
        }
    }

    /// Clicks on a link to a file: the page stays.
    #[track_caller]
    pub fn click_for_file(&self, selector: &str) {
        self.press(selector, &self.found(selector));
    }

    #[track_caller]
    fn found(&self, selector: &str) -> Value {
        let look = || self.session("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        until(Duration::from_secs(10), || look().is_ok());
        look().unwrap_or_else(|why| panic!("{selector}: {why}"))
    }

    #[track_caller]
    fn press(&self, selector: &str, found: &Value) {
        let id = found.as_object().and_then(|all| all.values().next()?.as_str()).unwrap_or_default();
        let done = self.session("POST", &format!("/element/{id}/click"), &json!({}));
        assert!(done.is_ok(), "{selector}: {done:?}");
    }

    /// Writes into the first field that a CSS selector finds, in place of what is there.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        let found = self.session("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let found = found.unwrap_or_else(|why| panic!("{selector}: {why}"));
        let id = found.as_object().and_then(|all| all.values().next()?.as_str()).unwrap_or_default();
        for (what, body) in [("clear", json!({})), ("value", json!({ "text": text }))] {
            let done = self.session("POST", &format!("/element/{id}/{what}"), &body);
            assert!(done.is_ok(), "{selector}: {done:?}");
        }
    }

    /// Types into the first element that a CSS selector finds, where its cursor stands.
    #[track_caller]
    pub fn types(&self, selector: &str, text: &str) {
        let found = self.session("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let found = found.unwrap_or_else(|why| panic!("{selector}: {why}"));
        let id = found.as_object().and_then(|all| all.values().next()?.as_str()).unwrap_or_default();
        let done = self.session("POST", &format!("/element/{id}/value"), &json!({ "text": text }));
        assert!(done.is_ok(), "{selector}: {done:?}");
    }

    /// Waits until these words can be read on the page.
    #[track_caller]
    pub fn until_text(&self, words: &str) {
        let came = until(Duration::from_secs(20), || self.text().contains(words));
        let at = self.run("return location.href");
        assert!(came, "`{words}` cannot be read at {at}:\n{}\n{:?}", self.text(), self.complaints());
    }

    /// A command of this window's session.
    pub(super) fn session(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    /// What Chromium's console complained of since the last look: scripts, policies, what could not be loaded. That the page itself came
    /// with an error's status is no complaint: see [`Browser::status`].
    pub fn complaints(&self) -> Vec<String> {
        let of = format!("/session/{}/se/log", self.session);
        let all = self.call("POST", &of, &json!({ "type": "browser" })).unwrap_or_else(|why| panic!("{why}"));
        let worth = |entry: &&Value| entry["level"] == "SEVERE" || entry["level"] == "WARNING";
        let said = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        let at = self.run("return location.href").as_str().unwrap_or_default().to_owned();
        let itself = format!("{at} - Failed to load resource: the server responded with a status of ");
        let others = |said: &String| !said.starts_with(&itself);
        all.as_array().into_iter().flatten().filter(worth).map(said).filter(others).collect()
    }

    /// Asserts that nothing of the page was kept from working: no error, nothing that its policy forbids.
    #[track_caller]
    pub fn is_quiet(&self) {
        let said = self.complaints();
        assert!(said.is_empty(), "{said:?}");
    }

    /// Asserts that the page can be read at a computer's and a telephone's width, by day and by night; keeps pictures of it, named so.
    #[track_caller]
    pub fn is_readable(&self, name: &str) {
        for (width, dark) in [(1280, false), (390, false), (390, true), (1280, true)] {
            self.width(width);
            self.dark(dark);
            self.keep_picture(&format!("{name}-{width}{}", if dark { "-dark" } else { "" }));
            let found = self.run(UNREADABLE);
            assert_eq!(found, json!([]), "{name} at {width} px, dark: {dark}");
        }
        self.dark(false);
    }

    /// A picture of the whole page, in the folder that HEARTH_PICTURES names.
    pub fn keep_picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("HEARTH_PICTURES").map(PathBuf::from) else { return };
        // On a telephone the page moves between two bars.
        let width = self.run("return innerWidth").as_u64().unwrap_or_default();
        let height = self.run("const main = document.querySelector('.panel > main'); return innerHeight + (main ? main.scrollHeight - main.clientHeight : 0)");
        if width < 600 {
            self.size(width, height.as_u64().unwrap_or_default());
        }
        let whole = self.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let bytes = base64::prelude::BASE64_STANDARD.decode(whole["data"].as_str().unwrap_or_default());
        std::fs::create_dir_all(&folder).expect("HEARTH_PICTURES names a folder");
        std::fs::write(folder.join(format!("{name}.png")), bytes.expect("a picture")).expect("a file can be written");
        if width < 600 {
            self.size(width, 844);
        }
    }

    fn devtools(&self, command: &str, params: Value) -> Value {
        let of = format!("/session/{}/goog/cdp/execute", self.session);
        let done = self.call("POST", &of, &json!({ "cmd": command, "params": params }));
        done.unwrap_or_else(|why| panic!("{command}: {why}"))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length");
        let answer = ask_for(self.port, &format!("{head}: {}\r\n\r\n{body}", body.len()), PATIENCE);
        let answer = answer.ok_or("no answer of Chromium's driver")?;
        let said: Value = serde_json::from_str(&answer.body).map_err(|e| format!("{e}: {}", answer.body))?;
        match answer.status {
            200 => Ok(said["value"].clone()),
            _ => Err(said["value"]["message"].as_str().unwrap_or_default().to_owned()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session, and not with its driver.
        let ended = self.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
        // Where its driver does not answer any more, it would go on for ever.
        if let (Err(_), Some(pid)) = (ended, self.pid.and_then(rustix::process::Pid::from_raw)) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Whether what is clicked on leads to another page; a script of the page that keeps it here is told in `isKeptHere`.
const LEADS_ON: &str = r"
const at = arguments[0].closest('a[href], button, input');
if (!at) return false;
const link = at.tagName === 'A';
const elsewhere = () => at.protocol.startsWith('http') && at.target !== '_blank' && !at.hasAttribute('download')
    && !(at.hash && at.pathname + at.search === location.pathname + location.search);
const sends = () => at.type === 'submit' && at.form && at.form.method !== 'dialog'
    && (at.form.noValidate || at.formNoValidate || at.form.matches(':valid'));
if (!(link ? elsewhere() : sends())) return false;
window.isThePageBefore = true;
window.isKeptHere = false;
const kept = event => setTimeout(() => { window.isKeptHere = event.defaultPrevented; });
addEventListener(link ? 'click' : 'submit', kept, { once: true });
return true;
";

/// What is wrong with a page for somebody who wants to read it: wider than the window, letters that are small or hardly differ from what is
/// behind them (WCAG asks for 4.5).
const UNREADABLE: &str = r"
const found = [];
if (document.documentElement.scrollWidth > innerWidth) found.push(`${document.documentElement.scrollWidth} px wide`);
// As it is drawn: a colour is written in many ways, as `color(srgb .7 .3 .1 / .28)`.
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const numbers = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
};
const over = (color, below) => below.map((one, i) => one * (1 - color[3]) + color[i] * color[3]);
const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const behind = element => {
    const layers = [];
    for (let e = element; e && layers.at(-1)?.[3] !== 1; e = e.parentElement) layers.push(numbers(getComputedStyle(e).backgroundColor));
    return layers.reduceRight((below, color) => over(color, below), [255, 255, 255]);
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
    const node = walk.currentNode, words = node.textContent.trim();
    if (!words || !node.parentElement.checkVisibility()) continue;
    const style = getComputedStyle(node.parentElement), range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width) continue;
    if (box.left < 0 || box.right > innerWidth) found.push(`out of sight: ${words}`);
    if (parseFloat(style.fontSize) < 13) found.push(`${style.fontSize}: ${words}`);
    const below = behind(node.parentElement);
    const [a, b] = [light(over(numbers(style.color), below)), light(below)].sort((a, b) => b - a);
    if ((a + .05) / (b + .05) < 4.5) found.push(`contrast ${((a + .05) / (b + .05)).toFixed(2)}: ${words}`);
}
return found;
";

/// Chromium's libraries and fonts are where its packages were unpacked.
fn environment(root: &Path, home: &Path) -> Vec<(String, String)> {
    let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio"];
    let libraries = libraries.map(|folder| root.join(folder).display().to_string()).join(":");
    let shown = |path: &Path| path.display().to_string();
    [
        ("LD_LIBRARY_PATH", libraries),
        ("FONTCONFIG_SYSROOT", shown(root)),
        ("HOME", shown(home)),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        // There is no bus here, which it would look for.
        ("DBUS_SESSION_BUS_ADDRESS", "disabled:".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Puts roots into the person's own list of authorities, as `certutil` of the trust page does.
fn install(s: &Scratch, root: &Path, home: &Path, trusted: &[&Path], env: &[(String, String)]) {
    let (database, certutil) = (home.join(".pki/nssdb"), root.join("usr/bin/certutil"));
    std::fs::create_dir_all(&database).expect("a folder can be made in a temporary folder");
    let database = format!("sql:{}", database.display());
    let run = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
        s.noted(Running::start(&certutil, &args, home, env)).ok();
    };
    run(&["-d", &database, "-N", "--empty-password"]);
    for (n, root) in trusted.iter().enumerate() {
        run(&["-d", &database, "-A", "-t", "C,,", "-n", &format!("root {n}"), "-i", &root.display().to_string()]);
    }
}
