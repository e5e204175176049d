//! With `update_config.order: start-first` and nothing that forbids it, the new container runs beside the old one before that goes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::rig::{DOMAIN, Done, Door, Echo, Scratch, cases, tls};

// Alone, so that the engine is not slow for another reason.
cases![
    alone: an_update_without_a_failed_request,
    its_route_is_never_lost_while_its_labels_change,
    no_request_through_traefik_meets_a_container_that_stops,
];

/// The client tries each address of the name, as most do (RFC 8305): between the end of the old server and the engine's taking
/// its address out of the name, that address refuses. redis-cli alone takes the first only.
fn an_update_without_a_failed_request(s: &Scratch) -> Done {
    let stack = |round: u32| {
        format!(
            "services:
  w:
    image: hearth-test/redis:1
    command: [redis-server, --databases, '{round}']
    tmpfs: /data
    healthcheck: {{ test: [CMD, redis-cli, ping], interval: 500ms, retries: 10 }}
    deploy: {{ update_config: {{ order: start-first }} }}
  asks:
    image: hearth-test/redis:1
    command: [sh, -c, 'while sleep 0.05; do ok=; for a in $$(nslookup w | sed -n \"3,\\$$s/^Address: //p\"); do redis-cli -h $$a config get databases && ok=1 && break; done; [ $$ok ] || echo failed; done']
    tmpfs: /data
    stop_signal: SIGKILL
    depends_on: {{ w: {{ condition: service_healthy }} }}
"
        )
    };
    s.stack(&stack(11));
    s.hearth("up --wait").ok();
    let (old, asks) = (s.container("w").id, s.container("asks").id);
    s.stack(&stack(12));
    s.hearth("up").ok();
    assert_ne!(old, s.container("w").id);
    assert_eq!(asks, s.container("asks").id);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let said = s.docker_args(&["logs", &asks]).ok().out;
    let count = |word: &str| said.lines().filter(|line| *line == word).count();
    assert!(count("11") > 0 && count("12") > 0, "both answered: {} and {}", count("11"), count("12"));
    assert_eq!(0, count("failed"), "of {} requests", said.lines().count());
    s.compose_agrees();
    Ok(())
}

/// Without a health check both containers run for three seconds, with other labels each: of two that say different things under one name Traefik takes neither.
fn its_route_is_never_lost_while_its_labels_change(s: &Scratch) -> Done {
    let stack = |more: &str| {
        format!(
            "services:\n  app:\n{}    profiles: [web]\n    deploy: {{ update_config: {{ order: start-first }} }}\n    x-hearth: {{ route: {{ host: app, port: 80, access: public{more} }} }}\n",
            Echo::service()
        )
    };
    let door = Door::new(s, &stack(""))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let (old, host) = (door.id("app"), format!("app.{DOMAIN}"));
    let going = AtomicBool::new(true);
    let began = Instant::now();
    let seen = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut seen: BTreeMap<u16, Vec<u128>> = BTreeMap::new();
            while going.load(Ordering::Relaxed) {
                let status = status(&door, &host);
                seen.entry(status).or_default().push(began.elapsed().as_millis());
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        let changes = [", headers: {response: {X-Round: one}}", ", sticky: true, headers: {response: {X-Round: two}}"];
        for more in changes {
            s.write("stacks/web.yaml", &stack(more));
            let up = s.hearth_args(&["--compat", "2", "up"]);
            if up.code != 0 {
                break;
            }
            std::thread::sleep(Duration::from_secs(3));
        }
        going.store(false, Ordering::Relaxed);
        client.join().expect("the client does not panic")
    });
    assert_ne!(door.id("app"), old);
    assert_eq!(door.get("app", "/").header("x-round"), Some("two"));
    let count = |status: u16| seen.get(&status).map_or(0, Vec::len);
    // With no router the page for who is away would come (503), or none at all (404).
    assert_eq!((count(404), count(503)), (0, 0), "the route was lost: {seen:?}");
    assert!(count(200) > 20, "{seen:?}");
    // What was sent to the old one while it ended, before Traefik heard of it (within two seconds).
    let others: Vec<_> = seen.iter().filter(|(status, _)| **status != 200).collect();
    assert!(others.iter().map(|(_, at)| at.len()).sum::<usize>() <= 10, "{others:?}");
    Ok(())
}

/// Three updates, each of another kind: other labels, another environment, another image's settings. The old container takes two seconds to
/// stop and lets nobody in meanwhile: whoever were sent there would see it.
fn no_request_through_traefik_meets_a_container_that_stops(s: &Scratch) -> Done {
    let stack = |more: &str, route: &str| {
        format!(
            "services:\n  app:\n{}{more}    profiles: [web]\n    deploy: {{ update_config: {{ order: start-first }} }}\n    x-hearth: {{ route: {{ host: app, port: 80, access: public{route} }} }}\n",
            Echo::slow_to_stop()
        )
    };
    let door = Door::new(s, &stack("", ""))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let host = format!("app.{DOMAIN}");
    let going = AtomicBool::new(true);
    let mut ids = vec![door.id("app")];
    let seen = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
            while going.load(Ordering::Relaxed) {
                *seen.entry(status(&door, &host)).or_default() += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        let round = ", headers: {response: {X-Round: one}}";
        for (more, route) in
            [("", round), ("    cpu_shares: 512\n", round), ("    cpu_shares: 256\n", ", sticky: true")]
        {
            s.write("stacks/web.yaml", &stack(more, route));
            let up = s.hearth_args(&["--compat", "2", "up"]);
            if up.code != 0 {
                break;
            }
            ids.push(door.id("app"));
        }
        going.store(false, Ordering::Relaxed);
        client.join().expect("the client does not panic")
    });
    ids.dedup();
    assert_eq!(ids.len(), 4, "three times another container");
    let all: usize = seen.values().sum();
    assert!(all >= 300, "{seen:?}");
    assert_eq!(seen.get(&200), Some(&all), "of {all} requests some were lost: {seen:?}");
    Ok(())
}

/// What one request over a connection of its own is answered; 0: nothing.
fn status(door: &Door, host: &str) -> u16 {
    let Ok(mut stream) = tls::connect(door.at(), host) else { return 0 };
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    if stream.write_all(request.as_bytes()).is_err() {
        return 0;
    }
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}
