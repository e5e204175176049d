//! One command at a time changes a project, and one that is interrupted ends in order.

use std::time::Duration;

use rustix::process::Signal;

use crate::rig::{Done, Scratch, cases, until};

cases![together:
    a_second_command_is_refused_and_told_who_works,
    another_project_is_not_in_the_way,
    ctrl_c_brings_the_old_container_back,
    ctrl_c_before_anything_was_done_leaves_nothing,
    a_second_ctrl_c_ends_at_once_and_says_how_to_go_on,
];

/// A service that becomes healthy only after seconds, so that an update of it takes its time.
fn slow(value: u32) -> String {
    format!(
        "services: {{ w: {{ image: 'hearth-test/busybox:1', command: [sh, -c, 'sleep 4; touch /tmp/ready; exec sleep infinity'], stop_signal: SIGKILL,
          restart: unless-stopped, environment: {{ A: {value} }}, healthcheck: {{ test: [CMD, test, -e, /tmp/ready], interval: 500ms, retries: 20 }} }} }}\n"
    )
}

fn a_second_command_is_refused_and_told_who_works(s: &Scratch) -> Done {
    s.stack(&slow(1));
    s.hearth("up --wait").ok();
    let old = s.container("w").id;
    s.stack(&slow(2));
    let first = s.hearth_starts("up", &[]);
    assert!(until(Duration::from_secs(20), || s.containers().values().any(|c| c.id != old)), "the first has begun");
    let second = s.hearth("up").exits(5).says("since");
    assert!(second.took < Duration::from_secs(5));
    s.hearth("down").exits(5);
    s.hearth("plan").ok();
    s.noted(first).ok();
    assert!(s.container("w").env.contains(&"A=2".to_owned()));
    s.hearth("up").ok();
    Ok(())
}

fn another_project_is_not_in_the_way(s: &Scratch) -> Done {
    s.stack(&slow(1));
    s.hearth("up --wait").ok();
    s.stack(&slow(2));
    let first = s.hearth_starts("up", &[]);
    let other = format!("{}-other", s.project);
    s.write("other.yaml", &slow(1));
    s.hearth_args(&["-f", "other.yaml", "-p", &other, "up"]).ok();
    s.hearth_args(&["-f", "other.yaml", "-p", &other, "down"]).ok();
    s.noted(first).ok();
    Ok(())
}

fn ctrl_c_brings_the_old_container_back(s: &Scratch) -> Done {
    s.stack(&slow(1));
    s.hearth("up --wait").ok();
    let old = s.container("w").id;
    s.stack(&slow(2));
    let running = s.hearth_starts("up", &[]);
    let begun = until(Duration::from_secs(20), || s.containers().values().any(|c| c.id != old && c.running()));
    assert!(begun, "the new one runs, and is not healthy yet");
    running.signal(Signal::INT);
    let ran = s.noted(running).exits(130).says("interrupted").says("`w` was stopped in between");
    assert!(ran.took < Duration::from_secs(30));
    let all = s.containers();
    assert_eq!(vec![&old], all.values().map(|c| &c.id).collect::<Vec<_>>(), "only the old one is there");
    assert!(s.container("w").running());
    assert_eq!("unless-stopped", s.container("w").restart_policy);
    s.hearth("up").ok();
    assert_ne!(old, s.container("w").id);
    Ok(())
}

fn ctrl_c_before_anything_was_done_leaves_nothing(s: &Scratch) -> Done {
    let mut text = String::from("services:\n");
    (0..20).for_each(|n| text.push_str(&format!("  s{n}: {{ image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, depends_on: [base] }}\n")));
    text.push_str("  base: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL }\n");
    s.stack(&text);
    let running = s.hearth_starts("up", &[]);
    assert!(until(Duration::from_secs(20), || !s.networks().is_empty()));
    running.signal(Signal::INT);
    let ran = s.noted(running);
    assert!([0, 130].contains(&ran.code), "{}", ran.both());
    // What was made stays, and the next up goes on from there.
    s.hearth("up").ok();
    assert_eq!(21, s.containers().values().filter(|c| c.running()).count());
    Ok(())
}

fn a_second_ctrl_c_ends_at_once_and_says_how_to_go_on(s: &Scratch) -> Done {
    let stack = |value: u32| {
        // It does not listen to SIGTERM: stopping it takes all its time.
        s.stack(&format!(
            "services: {{ w: {{ image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_grace_period: 20s, environment: {{ A: {value} }} }} }}\n"
        ));
    };
    stack(1);
    s.hearth("up").ok();
    let old = s.container("w").id;
    stack(2);
    let running = s.hearth_starts("up", &[]);
    assert!(until(Duration::from_secs(20), || s.containers().values().any(|c| c.id != old)), "the new one is made");
    running.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(500));
    running.signal(Signal::INT);
    let ran = s.noted(running).exits(130).says("left half done: run the same command again, it goes on from here");
    assert!(ran.took < Duration::from_secs(10));
    s.docker_args(&["kill", &old]);
    s.hearth("up").ok();
    let all = s.containers();
    assert_eq!(1, all.len());
    assert!(s.container("w").running() && s.container("w").env.contains(&"A=2".to_owned()));
    Ok(())
}
