//! What Traefik sees of Docker through gate: enough for every route, and nothing else.

use std::time::Duration;

use crate::rig::{Done, Scratch, Traefik, cases, get};

cases![together: a_file_in_its_directory_becomes_a_route_of_that_entry_point];

fn a_file_in_its_directory_becomes_a_route_of_that_entry_point(s: &Scratch) -> Done {
    let mut traefik = Traefik::start(s, &[])?;
    let file = "http: { routers: { a: { entryPoints: [web], rule: 'Host(`a.test`)', service: noop@internal } } }";
    std::fs::write(traefik.dynamic.join("a.yml"), file).expect("a file can be written");
    traefik.answers("a.test", 418, Duration::from_secs(10));
    assert_eq!(traefik.api("/api/http/routers/a@file")["status"], "enabled");
    assert_eq!(get(traefik.websecure, "a.test", "/").map(|answer| answer.status), Some(404));
    traefik.stop();
    traefik.run();
    assert_eq!(traefik.answers("a.test", 418, Duration::from_secs(10)).header("content-length"), "0");
    Ok(())
}
