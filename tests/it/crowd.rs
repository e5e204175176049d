//! One address may ask for as many requests as it likes, and hold 3,500 whose heads do not end: Traefik is not killed for memory, and who comes from
//! another address is answered.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::rig::{DOMAIN, Done, Door, Elsewhere, Running, Scratch, Skip, cases, until};

cases![alone: hostile_31_one_address_has_the_front_door_neither_killed_nor_to_itself,];

fn service(name: &str, access: &str) -> String {
    format!(
        "  {name}: {{image: 'hearth-test/busybox:1', command: [sh, -c, 'echo hello > /index.html; exec httpd -f -p 80 -h /'], profiles: [web], \
         stop_grace_period: 1s, x-hearth: {{route: {{host: {name}, port: 80, access: {access}}}}}}}\n"
    )
}

/// One that asks for too much, from there; it has all that it wants when this comes back.
fn begun(there: &Elsewhere, door: &Door, how: &str) -> Running {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/crowd.mjs").display().to_string();
    let (port, host) = (door.https.to_string(), format!("user.{DOMAIN}"));
    let running = there.start(&["node", &program, how, &there.here, &port, &host]);
    assert!(until(Duration::from_secs(120), || running.said().contains("done")), "{how}: {}", running.end().both());
    running
}

/// How its requests were answered, after its end.
fn ended(s: &Scratch, running: Running) -> Value {
    running.signal(Signal::TERM);
    let out = s.noted(running).out;
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_default()
}

fn hostile_31_one_address_has_the_front_door_neither_killed_nor_to_itself(s: &Scratch) -> Done {
    let attacker = Elsewhere::new(s, "itcrowd0", "198.18.113")?;
    let neighbour = Elsewhere::new(s, "itcrowd1", "198.18.114")?;
    let node = attacker.start(&["node", "--version"]).end();
    if node.code != 0 {
        return Err(Skip("no node here, with which it is asked".into()));
    }
    let door = Door::new(s, &format!("services:\n{}{}", service("app", "public"), service("user", "user")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let traefik = || {
        let name = format!("{}-traefik-1", s.project);
        s.docker(&format!("inspect -f {{{{.State.StartedAt}}}}-{{{{.RestartCount}}}} {name}")).ok().out
    };
    let first = traefik();
    // Until then it was the first start of this container; a kill would be a second.
    let took: Mutex<Vec<Duration>> = Mutex::default();
    let answered = |how: &str| {
        let asked = Instant::now();
        // The last of two counts for curl.
        let page = neighbour.get(&door, "app", &["--max-time", "30"]);
        assert_eq!((page.status, page.body.trim()), (200, "hello"), "{how}: {page:?}");
        took.lock().expect("nobody panics with it").push(asked.elapsed());
        assert_eq!(traefik(), first, "{how}: Traefik was killed and came back");
    };

    let running = begun(&attacker, &door, "heads");
    answered("while heads without an end are held");
    let said = ended(s, running);
    assert!(said["sent"].as_u64() > Some(3400), "it had few connections only: {said}");

    let running = attacker_streams(&attacker, &door, &answered);
    let said = ended(s, running);
    assert!(said["429"].as_u64() > Some(500), "nothing was too much: {said}");
    // The last of it is collected, or killed for, some time later.
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        answered("after the flood");
        std::thread::sleep(Duration::from_secs(3));
    }
    assert_eq!(attacker.get(&door, "app", &[]).status, 200, "what it asked for is over");
    // Who floods has the same two processors here, so the first heap of requests costs a neighbour some seconds once; most notice nothing.
    let mut took = took.into_inner().expect("nobody panics with it");
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_secs(1), "{took:?}");
    Ok(())
}

/// Streams, while others ask.
fn attacker_streams(there: &Elsewhere, door: &Door, answered: &dyn Fn(&str)) -> Running {
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| begun(there, door, "streams"));
        while !flood.is_finished() {
            answered("while streams are open");
            std::thread::sleep(Duration::from_secs(1));
        }
        flood.join().expect("it begins")
    })
}
