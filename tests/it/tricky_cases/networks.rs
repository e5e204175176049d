//! Networks that moved away under their containers.

use super::RUNS;
use crate::rig::{Done, Scratch, cases};

cases![together:
    case_12_a_recreated_network_keeps_the_names_of_its_services,
    case_13_a_network_made_by_hand_is_refused_and_nothing_touched,
    case_29_a_network_that_is_gone_comes_back_under_a_stopped_container,
    case_31_a_detached_network_is_mended_and_an_extra_one_left,
];

#[track_caller]
fn resolves(s: &Scratch, from: &str, name: &str) {
    let from = format!("{}-{from}-1", s.project);
    s.docker_args(&["exec", &from, "nslookup", name]).ok();
}

fn case_12_a_recreated_network_keeps_the_names_of_its_services(s: &Scratch) -> Done {
    let services = format!("services: {{ w: {{ {RUNS} }}, v: {{ {RUNS} }} }}\n");
    s.stack(&services);
    s.hearth("up").ok();
    s.stack(&format!("{services}networks: {{ default: {{ labels: {{ a: b }} }} }}\n"));
    s.hearth_settles();
    resolves(s, "v", "w");
    resolves(s, "w", "v");
    s.compose_agrees();
    Ok(())
}

fn case_13_a_network_made_by_hand_is_refused_and_nothing_touched(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS} }} }}"));
    let network = format!("{}_default", s.project);
    s.docker_args(&["network", "create", &network]).ok();
    let id = s.docker_args(&["network", "inspect", "-f", "{{.Id}}", &network]).ok().out;
    s.hearth("up").exits(5).says(&network);
    assert!(s.containers().is_empty());
    assert_eq!(id, s.docker_args(&["network", "inspect", "-f", "{{.Id}}", &network]).ok().out);
    Ok(())
}

fn case_29_a_network_that_is_gone_comes_back_under_a_stopped_container(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS} }}, v: {{ {RUNS} }} }}"));
    s.hearth("up").ok();
    s.hearth("stop").ok();
    s.docker_args(&["network", "rm", &format!("{}_default", s.project)]).ok();
    s.hearth_settles();
    assert!(s.containers().values().all(|c| c.running()));
    resolves(s, "v", "w");
    s.compose_agrees();
    Ok(())
}

fn case_31_a_detached_network_is_mended_and_an_extra_one_left(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS} }}, v: {{ {RUNS} }} }}"));
    s.hearth("up").ok();
    let (network, extra) = (format!("{}_default", s.project), format!("{}_extra", s.project));
    let name = s.container("w").name;
    s.docker_args(&["network", "disconnect", &network, &name]).ok();
    s.hearth("plan --check").exits(10).says(&network);
    s.hearth_settles();
    resolves(s, "v", "w");
    let before = s.lives();
    s.docker_args(&["network", "create", &extra]).ok();
    s.docker_args(&["network", "connect", &extra, &name]).ok();
    s.hearth("up").ok();
    assert_eq!(before, s.lives());
    assert!(s.container("w").networks.contains_key(&extra));
    s.compose_agrees();
    Ok(())
}
