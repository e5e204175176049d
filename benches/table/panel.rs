//! The panel: pages of a host with a thousand containers, a hundred panels that are open while nothing happens, what Hearth takes for five, and the log of
//! a container that has written a gigabyte. Over HTTPS on this machine, as an admin, in the program as it is released.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::home::{self, Browser, Scratch, Skip, Stream, cpu, memory, until};
use crate::http::{Head, body};
use crate::people::{PASSWORD, Panel};
use crate::project::IMAGE;
use crate::relay::Relay;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const HOME: &str = "the home page with 1,000 containers, slowest of a hundred";
const SIZE: &str = "the same, as it is sent";
const SERVICE: &str = "the page of one service of 1,000, slowest of a hundred";
const PAINT: &str = "first contentful paint of the home page with 1,000 containers, each of ten";
const LONG: &str = "its tasks longer than 50 ms, each of ten";
const WORK: &str = "share of a core for 100 open panels, while nothing happens";
const EVENTS: &str = "their subscriptions to events at the engine";
const MEMORY: &str = "memory of Hearth with 50 containers and 5 open panels";
const LOG: &str = "the last 200 lines of a log of a gigabyte, slowest of twenty";
const PROFILES: usize = 25;
const WATCHED: Duration = Duration::from_secs(60);

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    let mut rows = home::measured("pages", &[HOME, SIZE, SERVICE, PAINT, LONG], |s| Ok(pages(s)))?;
    rows.extend(home::measured("panels", &[WORK, EVENTS, MEMORY], |s| Ok(open_panels(s, rig)))?);
    rows.extend(home::measured("log", &[LOG], |s| Ok(log(s)))?);
    Ok(rows)
}

/// On an engine in memory: the time is Hearth's own.
fn pages(s: &Scratch) -> Vec<Row> {
    s.write("stacks/host.yaml", &host(s, 1000, PROFILES));
    let panel = Panel::start(s, &[]);
    let names: Vec<String> = (0..PROFILES).map(|n| format!("p{n:02}")).collect();
    let (status, told) = panel.ask("POST", "/api/v1/up", Some(json!({ "names": names })));
    assert_eq!(status, 202, "it begins: {told}");
    let work = format!("/api/v1/works/{}", told["work"]["id"].as_str().unwrap_or_default());
    let ended = until(Duration::from_secs(300), || panel.ask("GET", &work, None).1["state"] == "done");
    assert!(ended, "they run: {}", panel.ask("GET", &work, None).1);
    let running = |page: &str| page.matches("id=\"service-").count();
    let (_, page) = ask(&panel, "/", "identity", 1);
    let shown = running(&String::from_utf8_lossy(&page));
    assert!(shown >= 1000, "{shown} services are on the page");
    let (home, sent) = ask(&panel, "/", "br, gzip", 300);
    let (service, _) = ask(&panel, "/services/s0500", "br, gzip", 300);
    let drawn = drawn(s, &panel).unwrap_or_else(|Skip(why)| [PAINT, LONG].map(|row| Row::skipped(row, &why)).into());
    panel.end(s);
    let size = Samples(vec![sent.len() as f64 / 1000.0]);
    let plain = format!("{:.0} KB as text", page.len() as f64 / 1000.0);
    let mut rows = vec![
        Row::new(HOME, Unit::Milliseconds, slowest(home), Samples::default(), Goal::AtMost(20.0))
            .note("300 in a row over one connection, from the request's first byte to the answer's last"),
        Row::new(SIZE, Unit::Kilobytes, size, Samples::default(), Goal::AtMost(60.0)).note(plain),
        Row::new(SERVICE, Unit::Milliseconds, slowest(service), Samples::default(), Goal::AtMost(10.0)),
    ];
    rows.extend(drawn);
    rows
}

/// As a person's browser draws it: a window of 1280 by 844 px, over HTTPS, with all that the page brings along.
fn drawn(s: &Scratch, panel: &Panel) -> Result<Vec<Row>, Skip> {
    let browser = Browser::start(s, &[&s.dir.join("state/ca/root.pem")])?;
    browser.width(1280);
    let at = |path: &str| browser.go(&format!("https://{}{path}", panel.host)).expect("the page comes");
    at("/login");
    browser.fill("#username", "admin");
    browser.fill("#password", PASSWORD);
    browser.click("button.main");
    browser.until_text("Work");
    browser.in_each_page(
        "window.long = []; new PerformanceObserver((list) => window.long.push(...list.getEntries().map((one) => one.duration))).observe({ type: 'longtask' });",
    );
    let (mut paint, mut long, mut longest) = (Samples::default(), Samples::default(), 0.0_f64);
    for _ in 0..10 {
        at("/");
        // What moves by itself has begun by then.
        std::thread::sleep(Duration::from_secs(2));
        let first = browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime");
        paint.add(first.as_f64().unwrap_or(f64::NAN));
        let tasks: Vec<f64> =
            serde_json::from_value(browser.run("return window.long")).expect("it was looked for them");
        long.add(tasks.len() as f64);
        longest = tasks.into_iter().fold(longest, f64::max);
    }
    let note = if longest > 0.0 { format!("the longest: {longest:.0} ms") } else { String::new() };
    Ok(vec![
        Row::new(PAINT, Unit::Milliseconds, paint, Samples::default(), Goal::Each(500.0))
            .note("Chromium, headless, without a GPU"),
        Row::new(LONG, Unit::Count, long, Samples::default(), Goal::Each(0.0)).note(note),
    ])
}

/// Many services that do nothing, in profiles.
fn host(s: &Scratch, services: usize, profiles: usize) -> String {
    let mut text = "services:\n".to_owned();
    for n in 0..services {
        let _ = writeln!(
            text,
            "  s{n:04}:\n    image: {IMAGE}\n    container_name: {}-s{n:04}\n    profiles: [p{:02}]\n    command: [sleep, infinity]\n    \
             stop_grace_period: 0s\n    network_mode: none",
            s.project,
            n % profiles
        );
    }
    text
}

/// What took `times` requests, in milliseconds each, and the last answer's body.
fn ask(panel: &Panel, path: &str, coding: &str, times: usize) -> (Vec<f64>, Vec<u8>) {
    let mut stream = reached(panel);
    let request = request(panel, path, "text/html", coding);
    let (mut took, mut last) = (Vec::new(), Vec::new());
    for _ in 0..times {
        last.clear();
        let began = Instant::now();
        stream.get_mut().write_all(request.as_bytes()).expect("it takes a request");
        let head = Head::read(&mut stream).expect("it answers").expect("it answers");
        body(&mut stream, head.length, &mut last, false).expect("it answers whole");
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(head.status(), 200, "{path}: {}", String::from_utf8_lossy(&last));
    }
    (took, last)
}

fn request(panel: &Panel, path: &str, kind: &str, coding: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: {kind}\r\nAccept-Encoding: {coding}\r\n\r\n",
        panel.host, panel.token
    )
}

fn reached(panel: &Panel) -> BufReader<Stream> {
    let host = panel.host.split(':').next().unwrap_or_default();
    let stream = home::connect(panel.https, host).expect("it can be reached");
    stream.sock.set_nodelay(true).expect("a socket of this machine");
    BufReader::new(stream)
}

/// The slowest of each hundred.
fn slowest(took: Vec<f64>) -> Samples {
    let of = |part: &[f64]| {
        let mut part = part.to_vec();
        part.sort_by(f64::total_cmp);
        part[part.len() * 99 / 100 - 1]
    };
    Samples(took.chunks(100).map(of).collect())
}

/// On the real engine, with something in between that sees who listens to its events.
fn open_panels(s: &Scratch, rig: &Rig) -> Vec<Row> {
    s.write("stacks/host.yaml", &host(s, 50, 1));
    s.write("hearth.yaml", &format!("name: {}\nprofiles: [p00]\nlan: 127.0.0.0/8\n", s.project));
    s.hearth_args(&["up", "--yes"]).ok();
    let relay = Relay::start(s.dir.join("engine.sock"), &rig.socket).expect("a socket can be made");
    let engine = format!("unix://{}", relay.socket.display());
    let panel = Panel::on(s, &engine, &[]);
    let pid = panel.running.pid();
    let mut all = open(&panel, 5);
    std::thread::sleep(Duration::from_secs(15));
    let (taken, own) = (memory(pid, "VmRSS"), memory(pid, "RssAnon"));
    all.extend(open(&panel, 95));
    std::thread::sleep(Duration::from_secs(15));
    let began = cpu(pid);
    std::thread::sleep(WATCHED);
    let share = (cpu(pid) - began) / WATCHED.as_secs_f64() * 100.0;
    let subscriptions = relay.listening() as f64;
    // They are still there: nothing has come, or what was said meanwhile.
    for stream in &mut all {
        stream.get_ref().sock.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket of this machine");
        let read = stream.read(&mut [0; 4096]);
        let silent = read.as_ref().is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        assert!(silent || read.as_ref().is_ok_and(|n| *n > 0), "a panel was hung up on: {read:?}");
    }
    panel.end(s);
    vec![
        Row::new(WORK, Unit::Percent, Samples(vec![share]), Samples::default(), Goal::AtMost(2.0))
            .note(format!("home pages over HTTPS, 50 containers, for {} s", WATCHED.as_secs())),
        Row::new(EVENTS, Unit::Count, Samples(vec![subscriptions]), Samples::default(), Goal::AtMost(1.0)),
        Row::new(MEMORY, Unit::Megabytes, Samples(vec![taken]), Samples::default(), Goal::AtMost(40.0))
            .note(format!("{own:.1} MB of it its own, the rest what is in memory of its program file")),
    ]
}

/// Home pages with their streams, each told already what it shows.
fn open(panel: &Panel, count: usize) -> Vec<BufReader<Stream>> {
    ask(panel, "/", "br, gzip", count);
    let begin = || {
        let mut stream = reached(panel);
        let request = request(panel, "/live?number=0", "text/event-stream", "identity");
        stream.get_mut().write_all(request.as_bytes()).expect("it takes a request");
        let mut line = String::new();
        while !line.contains("event: ") {
            line.clear();
            assert!(stream.read_line(&mut line).expect("it answers") > 0, "it has ended");
        }
        stream
    };
    (0..count).map(|_| begin()).collect()
}

fn log(s: &Scratch) -> Vec<Row> {
    // With what the engine writes around each line it is a gigabyte on the disk.
    let script = "/bin/busybox head -c 700000000 /dev/zero | /bin/busybox tr '\\0' x | /bin/busybox fold -w 1000; echo; echo the end; \
         /bin/busybox sleep 100000";
    let stack = format!(
        "services:\n  web:\n    image: {IMAGE}\n    profiles: [web]\n    container_name: {}-web\n    stop_grace_period: 0s\n    network_mode: none\n    \
         logging: {{driver: json-file}}\n    command: [sh, -c, {}]\n",
        s.project,
        json!(script)
    );
    s.write("stacks/web.yaml", &stack);
    s.write("hearth.yaml", &format!("name: {}\nprofiles: [web]\nlan: 127.0.0.0/8\n", s.project));
    s.hearth_args(&["up", "--yes"]).ok();
    let named = format!("{}-web", s.project);
    let is_done = || s.docker_args(&["logs", "--tail", "1", &named]).out.trim_end() == "the end";
    assert!(until(Duration::from_secs(300), is_done), "it is written");
    let panel = Panel::on(s, "", &[]);
    let (mut took, page) = ask(&panel, "/services/web/log?lines=200", "br, gzip", 20);
    let (_, plain) = ask(&panel, "/services/web/log?lines=200", "identity", 1);
    assert!(String::from_utf8_lossy(&plain).contains("the end"), "its last line is there");
    panel.end(s);
    took.sort_by(f64::total_cmp);
    let note = format!("{:.0} KB as it is sent", page.len() as f64 / 1000.0);
    let slowest = Samples(vec![*took.last().unwrap_or(&f64::NAN)]);
    vec![Row::new(LOG, Unit::Milliseconds, slowest, Samples::default(), Goal::AtMost(300.0)).note(note)]
}
