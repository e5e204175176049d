//! Services that need each other, and commands that meet one of them in a strange state.

use super::RUNS;
use crate::rig::{Done, Scratch, cases};

cases![together:
    case_10_what_shares_a_namespace_follows_its_owner,
    case_17_a_job_that_ended_well_is_not_run_again,
    case_20_a_device_that_is_missing_costs_nobody_their_container,
    case_21_an_invalid_capability_costs_nobody_their_container,
    case_22_a_taken_name_is_found_before_anything_is_touched,
    case_23_an_unhealthy_dependency_stops_what_needs_it,
    case_24_a_failed_job_leaves_the_old_container_running,
    case_25_scaling_keeps_the_lowest_numbers,
    case_26_a_service_of_an_off_profile_is_told_or_ended,
    case_30_a_paused_container_goes_on,
    case_32_a_dependent_with_restart_is_restarted_not_replaced,
];

fn case_10_what_shares_a_namespace_follows_its_owner(s: &Scratch) -> Done {
    let stack = |value: u32| {
        format!(
            "services:
  vpn: {{ {RUNS}, environment: {{ A: {value} }}, volumes: ['data:/x'] }}
  app: {{ {RUNS}, network_mode: 'service:vpn' }}
  user: {{ {RUNS}, volumes_from: [vpn] }}
volumes: {{ data: }}
"
        )
    };
    s.stack(&stack(1));
    s.hearth_settles();
    let before = s.lives();
    s.stack(&stack(2));
    s.hearth_settles();
    let after = s.lives();
    assert!(
        before.iter().all(|(name, (id, _))| after.get(name).is_some_and(|(now, _)| now != id)),
        "all three are new"
    );
    let vpn = s.container("vpn").id;
    assert_eq!(Some(format!("container:{vpn}").as_str()), s.container("app").raw["HostConfig"]["NetworkMode"].as_str());
    assert!(s.containers().values().all(|c| c.running()));
    s.compose_agrees();
    Ok(())
}

fn case_17_a_job_that_ended_well_is_not_run_again(s: &Scratch) -> Done {
    s.stack("services: { job: { image: 'hearth-test/busybox:1', command: ['true'] } }\n");
    s.hearth("up").ok();
    assert!(crate::rig::until(std::time::Duration::from_secs(10), || s.container("job").state == "exited"));
    let first = s.container("job");
    s.hearth("plan --check").ok();
    s.hearth("up").ok();
    assert_eq!(first.started, s.container("job").started);
    s.hearth("up --rerun").ok();
    let again = s.container("job");
    assert_eq!(first.id, again.id);
    assert_ne!(first.started, again.started);
    Ok(())
}

/// Three services in a chain that run; then all of them change, and the one in the middle gets `bad`, with which it cannot run.
#[track_caller]
fn chain_survives(s: &Scratch, bad: &str, word: &str) {
    let stack = |value: u32, bad: &str| {
        format!(
            "services:
  a: {{ {RUNS}, environment: {{ A: {value} }} }}
  b: {{ {RUNS}, environment: {{ A: {value} }}, depends_on: [a]{bad} }}
  c: {{ {RUNS}, environment: {{ A: {value} }}, depends_on: [b] }}
"
        )
    };
    s.stack(&stack(1, ""));
    s.hearth("up").ok();
    let old = s.container("b").id;
    s.stack(&stack(2, bad));
    let ran = s.hearth("up").says(word);
    assert_ne!(0, ran.code);
    let all = s.containers();
    assert_eq!(3, all.len(), "no container is left over: {:?}", all.keys());
    assert!(all.values().all(|c| c.running()), "all run");
    assert_eq!(old, s.container("b").id, "the old one runs");
    s.stack(&stack(2, ""));
    s.hearth_settles();
    assert!(s.containers().values().all(|c| c.running() && c.env.contains(&"A=2".to_owned())));
    s.compose_agrees();
}

fn case_20_a_device_that_is_missing_costs_nobody_their_container(s: &Scratch) -> Done {
    chain_survives(s, ", devices: ['/dev/hearth-none:/dev/x']", "/dev/hearth-none");
    Ok(())
}

fn case_21_an_invalid_capability_costs_nobody_their_container(s: &Scratch) -> Done {
    chain_survives(s, ", cap_add: [NO_SUCH_POWER]", "NO_SUCH_POWER");
    Ok(())
}

fn case_22_a_taken_name_is_found_before_anything_is_touched(s: &Scratch) -> Done {
    let taken = format!("{}x", s.project);
    s.stack(&format!("services: {{ w: {{ {RUNS} }} }}"));
    s.hearth("up").ok();
    let before = s.lives();
    s.docker_args(&["create", "--name", &taken, "hearth-test/busybox:1", "true"]).ok();
    s.stack(&format!("services: {{ w: {{ {RUNS}, container_name: {taken} }} }}"));
    s.hearth("up").exits(5).says(&taken);
    assert_eq!(before, s.lives());
    s.docker_args(&["rm", &taken]).ok();
    s.hearth_settles();
    assert_eq!(vec![taken], s.containers().into_keys().collect::<Vec<_>>());
    s.compose_agrees();
    Ok(())
}

fn case_23_an_unhealthy_dependency_stops_what_needs_it(s: &Scratch) -> Done {
    let sick = "healthcheck: { test: [CMD, 'false'], interval: 200ms, retries: 1 }";
    s.stack(&format!("services:\n  a: {{ {RUNS}, {sick} }}\n  b: {{ {RUNS}, depends_on: {{ a: {{ condition: service_healthy }} }} }}\n"));
    s.hearth("up").exits(1).says("a");
    assert!(!s.containers().values().any(|c| c.name.ends_with("-b-1") && c.running()));
    s.stack(&format!("services:\n  a: {{ {RUNS} }}\n  b: {{ {RUNS}, depends_on: {{ a: {{ condition: service_healthy, required: false }} }} }}\n"));
    s.hearth("up").ok();
    assert!(s.container("b").running());
    Ok(())
}

fn case_24_a_failed_job_leaves_the_old_container_running(s: &Scratch) -> Done {
    let stack = |code: u32| {
        format!(
            "services:
  mig: {{ image: 'hearth-test/busybox:1', command: [sh, -c, 'exit {code}'] }}
  app: {{ {RUNS}, environment: {{ A: {code} }}, depends_on: {{ mig: {{ condition: service_completed_successfully }} }} }}
"
        )
    };
    s.stack(&stack(0));
    s.hearth("up").ok();
    let old = s.container("app");
    s.stack(&stack(3));
    s.hearth("up").exits(1).says("3");
    let now = s.container("app");
    assert_eq!((old.id, true), (now.id.clone(), now.running()));
    Ok(())
}

fn case_25_scaling_keeps_the_lowest_numbers(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS}, scale: 3 }} }}"));
    s.hearth_settles();
    s.docker_args(&["rm", "-f", &format!("{}-w-1", s.project)]).ok();
    s.hearth_settles();
    assert_eq!(3, s.containers().len());
    s.compose_agrees();
    let lowest = s.containers().into_keys().min().unwrap_or_default();
    s.hearth("up --scale w=1").ok();
    assert_eq!(vec![lowest], s.containers().into_keys().collect::<Vec<_>>());
    Ok(())
}

fn case_26_a_service_of_an_off_profile_is_told_or_ended(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ a: {{ {RUNS}, profiles: [pa] }}, b: {{ {RUNS} }} }}"));
    s.hearth("--profile pa up").ok();
    let id = s.container("a").id;
    // An up without the profile leaves it running, and says so.
    s.hearth("plan").ok().says("pa");
    s.hearth("up").ok();
    assert_eq!(id, s.container("a").id);
    // A down of everything ends it too, where Compose leaves it running and its network in use.
    s.hearth("down").ok();
    assert!(s.containers().is_empty());
    assert!(s.networks().is_empty());
    Ok(())
}

fn case_30_a_paused_container_goes_on(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS} }} }}"));
    s.hearth("up").ok();
    let before = s.lives();
    s.docker_args(&["pause", &s.container("w").name]).ok();
    s.hearth("plan --check").exits(10).says("pause");
    s.hearth_settles();
    assert_eq!(before, s.lives());
    assert!(s.container("w").running());
    s.compose_agrees();
    Ok(())
}

fn case_32_a_dependent_with_restart_is_restarted_not_replaced(s: &Scratch) -> Done {
    let stack = |value: u32| {
        format!(
            "services:\n  a: {{ {RUNS}, environment: {{ A: {value} }} }}\n  b: {{ {RUNS}, depends_on: {{ a: {{ condition: service_started, restart: true }} }} }}\n"
        )
    };
    s.stack(&stack(1));
    s.hearth("up").ok();
    let (a, b) = (s.container("a"), s.container("b"));
    s.stack(&stack(2));
    s.hearth_settles();
    let (new_a, new_b) = (s.container("a"), s.container("b"));
    assert_ne!(a.id, new_a.id);
    assert_eq!(b.id, new_b.id);
    assert!(new_b.started > new_a.started, "b is started after the new a");
    s.compose_agrees();
    Ok(())
}
