//! An engine that hangs, ends or starts anew in the middle of a command: bounded time, plain words, and the next command goes on from there.

use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::rig::{Done, PrivateEngine, Proxy, Scratch, Verdict, cases, until};

cases![
    together: hostile_33_an_engine_that_never_answers_is_given_up, hostile_33_an_engine_that_hangs_in_the_middle_is_given_up, hostile_33_no_engine_is_said_in_words,
        an_unreachable_registry_does_not_matter_while_the_image_is_there;
    alone: hostile_33_an_engine_stopped_in_the_middle_is_said_and_the_next_up_converges, hostile_33_an_engine_restarted_in_the_middle_is_said_and_the_next_up_converges;
];

const STACK: &str = "
services:
  slow: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, restart: unless-stopped, environment: { A: 1 },
          healthcheck: { test: [CMD-SHELL, 'test $$(cut -d. -f1 /proc/uptime) -gt 0 && test -e /tmp/ready || { sleep 1; touch /tmp/ready; exit 1; }'], interval: 1s, timeout: 5s, retries: 30 } }
  after: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, restart: unless-stopped, environment: { A: 1 }, depends_on: { slow: { condition: service_healthy } } }
";

/// The project runs as wanted, and nothing is left over.
#[track_caller]
fn converges(s: &Scratch) {
    s.hearth("up --wait").ok();
    s.hearth("plan --check").ok();
    let all = s.containers();
    assert_eq!(2, all.len(), "{:?}", all.keys());
    assert!(all.values().all(|c| c.running()));
}

fn hostile_33_an_engine_that_never_answers_is_given_up(s: &Scratch) -> Done {
    s.stack(STACK);
    let socket = s.beside("hang.sock");
    let _deaf = UnixListener::bind(&socket).expect("a socket can be made");
    let host = format!("unix://{}", socket.display());
    for command in ["up", "plan", "down", "ps"] {
        let ran = s.noted(s.hearth_starts(command, &[("DOCKER_HOST", &host)])).exits(6).says("does not answer");
        assert!(ran.took < Duration::from_secs(90), "{command} took {:.0} s", ran.took.as_secs_f32());
    }
    Ok(())
}

fn hostile_33_an_engine_that_hangs_in_the_middle_is_given_up(s: &Scratch) -> Done {
    s.stack(STACK);
    // From the first start on it answers nothing any more, pings neither.
    let hangs = AtomicBool::new(false);
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), move |call| {
        hangs.fetch_or(call.kind() == "POST /containers/*/start", Ordering::SeqCst);
        if hangs.load(Ordering::SeqCst) { Verdict::Hang } else { Verdict::Pass }
    });
    let ran = s.noted(s.hearth_starts("up", &[("DOCKER_HOST", &proxy.host())]));
    assert!([1, 6].contains(&ran.code), "{}", ran.both());
    assert!(ran.took < Duration::from_secs(60));
    converges(s);
    Ok(())
}

fn hostile_33_no_engine_is_said_in_words(s: &Scratch) -> Done {
    s.stack(STACK);
    let host = format!("unix://{}", s.beside("none.sock").display());
    let ran = s.noted(s.hearth_starts("up", &[("DOCKER_HOST", &host)])).exits(6).says("none.sock").says("hint:");
    assert!(ran.took < Duration::from_secs(10));
    Ok(())
}

fn an_unreachable_registry_does_not_matter_while_the_image_is_there(s: &Scratch) -> Done {
    // Nothing listens on port 1, so a pull fails at once.
    let image = format!("127.0.0.1:1/{}/box:1", s.project);
    s.docker_args(&["tag", "hearth-test/busybox:1", &image]).ok();
    s.stack(&format!("services: {{ w: {{ image: '{image}', command: [sleep, infinity], stop_signal: SIGKILL, pull_policy: always }} }}"));
    s.hearth("up").ok();
    assert!(s.container("w").running());
    let before = s.lives();
    s.hearth("up").ok();
    assert_eq!(before, s.lives());
    s.hearth("down").ok();
    s.docker_args(&["rmi", &image]).ok();
    s.hearth("up").exits(1).says(&image);
    assert!(s.containers().is_empty());
    Ok(())
}

/// Starts an `up` of a changed project on a private engine and waits until it is in the middle of it.
fn in_the_middle(s: &Scratch) -> Result<(PrivateEngine, crate::rig::Running), crate::rig::Skip> {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    s.stack(STACK);
    s.hearth("up --wait").ok();
    let old = s.container("slow").id;
    s.stack(&STACK.replace("A: 1", "A: 2"));
    let running = s.hearth_starts("up", &[]);
    let begun =
        until(Duration::from_secs(30), || s.containers().values().any(|c| c.id != old && c.health == "starting"));
    assert!(begun, "the update has begun");
    Ok((engine, running))
}

fn hostile_33_an_engine_stopped_in_the_middle_is_said_and_the_next_up_converges(s: &Scratch) -> Done {
    let (engine, running) = in_the_middle(s)?;
    engine.stop();
    let ran = s.noted(running);
    assert!([1, 6].contains(&ran.code), "{}", ran.both());
    engine.start();
    s.stack(&STACK.replace("A: 1", "A: 2"));
    converges(s);
    assert!(s.containers().values().all(|c| c.env.contains(&"A=2".to_owned())));
    Ok(())
}

fn hostile_33_an_engine_restarted_in_the_middle_is_said_and_the_next_up_converges(s: &Scratch) -> Done {
    let (engine, running) = in_the_middle(s)?;
    engine.stop();
    engine.start();
    s.noted(running);
    converges(s);
    assert!(s.containers().values().all(|c| c.env.contains(&"A=2".to_owned())));
    Ok(())
}
