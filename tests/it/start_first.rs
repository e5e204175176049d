//! With `update_config.order: start-first` and nothing that forbids it, the new container runs beside the old one before that goes.

use crate::rig::{Done, Scratch, cases};

// Alone, so that the engine is not slow for another reason.
cases![alone: an_update_without_a_failed_request];

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
