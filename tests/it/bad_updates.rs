//! An update that cannot work never costs the container that works: it runs again within seconds, and the command says why.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::rig::{Container, Done, Scratch, cases};

// Alone, since they measure how long a service was down.
cases![alone:
    an_image_that_exits_is_taken_back,
    an_image_that_exits_again_and_again_is_taken_back,
    a_failing_health_check_is_taken_back,
    a_taken_port_is_found_before_anything_is_touched,
    a_missing_device_is_taken_back,
    an_invalid_capability_is_taken_back,
    a_mount_that_cannot_be_made_is_taken_back,
    a_program_that_is_not_there_is_taken_back,
    a_killed_out_of_memory_container_is_taken_back_and_said,
    a_network_that_cannot_be_made_anew_is_taken_back,
];

/// What an update may cost beside its window: stopping, renaming, starting.
const PRICE: Duration = Duration::from_secs(5);

const GOOD: &str =
    "image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, restart: unless-stopped";

/// Runs a good `w`, then tries `bad`; the old one must run again after at most `window` and the price.
#[track_caller]
fn taken_back(s: &Scratch, bad: &str, window: Duration, words: &str) -> Container {
    s.stack(&format!("services: {{ w: {{ {GOOD}, volumes: ['data:/data'] }} }}\nvolumes: {{ data: }}\n"));
    s.hearth("up").ok();
    let old = s.container("w");
    s.stack(&format!(
        "services: {{ w: {{ {bad}, environment: {{ NEW: 1 }}, volumes: ['data:/data'] }} }}\nvolumes: {{ data: }}\n"
    ));
    let ran = s.hearth("up").exits(1).says(words);
    assert!(!ran.err.contains("hearth logs"), "what failed is gone: {}", ran.err);
    let all = s.containers();
    assert_eq!(1, all.len(), "nothing is left over: {:?}", all.keys());
    let now = s.container("w");
    assert_eq!(old.id, now.id, "the old container is there");
    assert!(now.running(), "and runs");
    assert_eq!("unless-stopped", now.restart_policy, "with its restart policy");
    let down = time_down(&old, &now);
    let said = ran.err.contains("all is as it was before; `w` was stopped in between");
    assert_eq!(!down.is_zero(), said, "it says whether it was stopped: {}", ran.err);
    assert!(down < window + PRICE, "it was stopped for {:.1} s", down.as_secs_f32());
    // And a good update goes through afterwards.
    s.stack(&format!(
        "services: {{ w: {{ {GOOD}, environment: {{ NEW: 2 }}, volumes: ['data:/data'] }} }}\nvolumes: {{ data: }}\n"
    ));
    s.hearth("up").ok();
    assert!(s.container("w").env.contains(&"NEW=2".to_owned()));
    s.compose_agrees();
    now
}

/// How long a container was stopped between two looks at it.
fn time_down(before: &Container, now: &Container) -> Duration {
    if before.started == now.started {
        return Duration::ZERO;
    }
    let at = |pointer: &str| {
        OffsetDateTime::parse(now.raw.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default(), &Rfc3339)
            .expect("a time")
    };
    (at("/State/StartedAt") - at("/State/FinishedAt")).try_into().unwrap_or_default()
}

fn an_image_that_exits_is_taken_back(s: &Scratch) -> Done {
    taken_back(
        s,
        "image: 'hearth-test/busybox:1', command: [sh, -c, 'echo no such file; exit 7']",
        Duration::from_secs(3),
        "7",
    );
    Ok(())
}

fn an_image_that_exits_again_and_again_is_taken_back(s: &Scratch) -> Done {
    taken_back(
        s,
        "image: 'hearth-test/busybox:1', command: [sh, -c, 'sleep 1; exit 7'], restart: always",
        Duration::from_secs(3),
        "7",
    );
    Ok(())
}

fn a_failing_health_check_is_taken_back(s: &Scratch) -> Done {
    let bad = format!(
        "{GOOD}, healthcheck: {{ test: [CMD-SHELL, 'echo the door is shut; exit 1'], interval: 500ms, timeout: 500ms, retries: 3 }}"
    );
    taken_back(s, &bad, Duration::from_secs(3), "the door is shut");
    // What the check said is told once, and kept where the hint says.
    s.stack(&format!("services: {{ w: {{ {bad}, volumes: ['data:/data'] }} }}\nvolumes: {{ data: }}\n"));
    let ran = s.hearth("up").exits(1).says("`w` was stopped in between");
    assert_eq!(1, ran.err.matches("the door is shut").count(), "{}", ran.err);
    let id = ran.err.split("hearth history ").nth(1).and_then(|rest| rest.split_whitespace().next());
    s.hearth(&format!("history {}", id.unwrap_or_default())).ok().says("the door is shut");
    Ok(())
}

fn a_taken_port_is_found_before_anything_is_touched(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {GOOD} }} }}"));
    s.hearth("up").ok();
    let before = s.lives();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has an address").port();
    let holder = format!("{}-holder", s.project);
    let mut taken = vec![port];
    // One held by a program of the host, and one by another container.
    if s.engine().is_none() {
        drop(std::net::TcpListener::bind("127.0.0.1:0"));
    }
    s.docker_args(&["run", "-d", "--name", &holder, "-p", "127.0.0.1::80", "hearth-test/busybox:1", "sleep", "1000"])
        .ok();
    let shown = s.docker_args(&["port", &holder, "80"]).ok().out;
    taken.extend(shown.trim().rsplit(':').next().and_then(|p| p.parse::<u16>().ok()));
    assert_eq!(2, taken.len());
    for port in taken {
        s.stack(&format!("services: {{ w: {{ {GOOD}, ports: ['127.0.0.1:{port}:80'] }} }}"));
        let ran = s.hearth("up").says(&port.to_string());
        assert!([1, 5].contains(&ran.code), "{}", ran.both());
        let now = s.lives();
        assert_eq!(before.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
        assert!(before.iter().all(|(name, (id, _))| now[name].0 == *id) && s.container("w").running());
    }
    s.docker_args(&["rm", "-f", &holder]).ok();
    Ok(())
}

fn a_missing_device_is_taken_back(s: &Scratch) -> Done {
    taken_back(s, &format!("{GOOD}, devices: ['/dev/hearth-none:/dev/x']"), Duration::ZERO, "/dev/hearth-none");
    Ok(())
}

fn an_invalid_capability_is_taken_back(s: &Scratch) -> Done {
    taken_back(s, &format!("{GOOD}, cap_add: [NO_SUCH_POWER]"), Duration::ZERO, "NO_SUCH_POWER");
    Ok(())
}

fn a_mount_that_cannot_be_made_is_taken_back(s: &Scratch) -> Done {
    taken_back(s, &format!("{GOOD}, tmpfs: ['/etc/passwd/below']"), Duration::ZERO, "/etc/passwd");
    Ok(())
}

fn a_program_that_is_not_there_is_taken_back(s: &Scratch) -> Done {
    taken_back(s, "image: 'hearth-test/busybox:1', command: [no-such-program]", Duration::ZERO, "no-such-program");
    Ok(())
}

fn a_killed_out_of_memory_container_is_taken_back_and_said(s: &Scratch) -> Done {
    let bad = "image: 'hearth-test/busybox:1', command: [sh, -c, 'tail -c 200m /dev/zero'], mem_limit: 16m, memswap_limit: 16m";
    taken_back(s, bad, Duration::from_secs(3), "memory");
    Ok(())
}

fn a_network_that_cannot_be_made_anew_is_taken_back(s: &Scratch) -> Done {
    let stack = |network: &str| {
        format!(
            "services: {{ w: {{ {GOOD}, networks: {{ net: {{ aliases: [door] }} }} }} }}\nnetworks: {{ net: {network} }}\n"
        )
    };
    s.stack(&stack("{ labels: { v: '1' } }"));
    s.hearth("up").ok();
    let subnet = |c: &Container| {
        let networks = c.raw["NetworkSettings"]["Networks"].as_object().expect("networks").clone();
        assert_eq!(1, networks.len());
        let net = &networks[&format!("{}_net", s.project)];
        assert!(net["Aliases"].to_string().contains("\"door\""), "{net}");
        net["Gateway"].clone()
    };
    let old = s.container("w");
    let before = subnet(&old);
    // No interface can have such a name: the engine finds out when the old network is gone already.
    s.stack(&stack("{ driver_opts: { com.docker.network.bridge.name: 'a-name-that-is-far-too-long' } }"));
    s.hearth("up").exits(1);
    let now = s.container("w");
    assert_eq!((&old.id, &old.started), (&now.id, &now.started), "it ran all the time");
    assert_eq!(before, subnet(&now), "on the network that it had");
    s.stack(&stack("{ labels: { v: '2' } }"));
    s.hearth("up").ok();
    assert_eq!(old.id, s.container("w").id);
    s.compose_agrees();
    Ok(())
}
