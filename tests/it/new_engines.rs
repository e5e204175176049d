//! Engines that refuse old clients or start anew are no trouble, and what gate runs comes from no registry.

use std::time::Duration;

use crate::rig::{Done, Door, PrivateEngine, Scratch, cases, until};

cases![alone:
    on_an_engine_that_refuses_old_clients_domain_mode_works_and_gate_is_made_of_the_program_itself,
    after_a_restart_of_the_engine_the_last_routes_and_certificates_are_served_without_hearth,
];

const STACK: &str = "
services:
  app:
    image: hearth-test/nginx:1
    profiles: [web]
    stop_signal: SIGKILL
    restart: unless-stopped
    x-hearth: {route: {host: app, port: 80, access: lan}}
";

/// Engines from 29 on refuse clients below version 1.44 of the API, which is what older Traefiks spoke.
fn on_an_engine_that_refuses_old_clients_domain_mode_works_and_gate_is_made_of_the_program_itself(s: &Scratch) -> Done {
    let traefik = Door::saved_traefik(s)?;
    let engine = PrivateEngine::newest("1.44")?;
    s.use_engine(&engine.host());
    let old = s.docker_as("version", &[("DOCKER_API_VERSION", "1.43")]);
    assert!(old.code != 0 && old.both().contains("too old"), "old clients should be turned away: {}", old.both());
    engine.within(|| {
        let door = Door::on_another_engine(s, STACK, &traefik);
        door.hearth("plan web").ok().says("build hearth:local from this program");
        door.hearth("up web").ok();
        let page = door.until("app", 200);
        assert!(page.body.contains("Welcome") || page.body.contains("It works"), "{page:?}");
        // It is there once and for all, for Compose too.
        door.hearth("plan --check").ok();
        let before = s.lives();
        s.compose("up -d").ok();
        assert_eq!(before, s.lives());
        // No registry is asked for it, whatever is asked for.
        let pulls = door.hearth("plan --pull always").ok().out;
        assert!(pulls.contains("pull traefik") && !pulls.contains("pull hearth:local"), "{pulls}");
        // Made anew where a person says so.
        door.hearth("up --build").ok();
        door.until("app", 200);
        door.hearth("down --yes").ok();
    });
    Ok(())
}

/// As after a reboot: everything ends, the engine starts what it is told to start, and no hearth runs.
fn after_a_restart_of_the_engine_the_last_routes_and_certificates_are_served_without_hearth(s: &Scratch) -> Done {
    let traefik = Door::saved_traefik(s)?;
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    let door = engine.within(|| {
        let door = Door::on_another_engine(s, STACK, &traefik);
        door.hearth("up web").ok();
        door.until("app", 200);
        door
    });
    // As Hearth tells it to read its files again, which the engine takes for a stop by hand. Neither a crash nor a restart may mind.
    let traefik = format!("{}-traefik-1", s.project);
    let pid = || s.docker(&format!("inspect -f {{{{.State.Pid}}}} {traefik}")).ok().out.trim().to_owned();
    s.docker(&format!("kill -s HUP {traefik}")).ok();
    let killed = pid();
    let number = killed.parse().ok().and_then(rustix::process::Pid::from_raw).expect("it runs");
    rustix::process::kill_process(number, rustix::process::Signal::KILL).expect("it can be killed");
    assert!(until(Duration::from_secs(15), || !["0", killed.as_str()].contains(&pid().as_str())), "it stays away");
    s.docker(&format!("kill -s HUP {traefik}")).ok();
    engine.within(|| door.until("app", 200));
    let before = s.lives();
    engine.stop();
    engine.start();
    engine.within(|| {
        // The home's own CA is all that is trusted, so this is its certificate.
        door.until("app", 200);
        assert_eq!(door.get("nobody", "/").status, 404);
        let after = s.lives();
        let ids = |of: &std::collections::BTreeMap<String, (String, String)>| {
            of.values().map(|life| life.0.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&before), ids(&after), "the same containers");
        assert_ne!(before, after, "all of them started anew");
        door.hearth("plan --check").ok();
        door.hearth("down --yes").ok();
    });
    Ok(())
}
