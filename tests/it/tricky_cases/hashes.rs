//! What changes a service's config hash and what does not; which services a command means; what loads differently than it reads.

use super::RUNS;
use crate::rig::{Done, Scratch, cases};

cases![together:
    case_06_what_is_no_part_of_a_container_changes_no_hash,
    case_07_another_way_to_write_the_same_changes_the_hash_as_with_compose,
    case_09_a_service_with_env_file_has_the_hash_that_its_label_says,
    case_27_a_profile_flag_overrides_the_variable,
    case_28_a_target_that_needs_an_off_service_is_refused,
    case_33_what_loads_otherwise_than_it_reads_is_told,
    case_35_another_directory_recreates_nothing,
    case_36_two_limits_that_differ_are_refused,
];

fn hash_of(s: &Scratch, service: &str) -> String {
    let ours = s.hearth("--profile * config --hash w").ok().out;
    assert_eq!(ours, s.compose("--profile * config --hash w").ok().out, "both programs hash alike");
    ours.lines().find_map(|l| l.strip_prefix(service)).unwrap_or_default().trim().to_owned()
}

fn case_06_what_is_no_part_of_a_container_changes_no_hash(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS} }}, d: {{ {RUNS} }} }}"));
    let plain = hash_of(s, "w");
    for more in ["x-note: hello", "depends_on: [d]", "profiles: [p]", "scale: 3", "build: .", "pull_policy: always"] {
        s.stack(&format!("services: {{ w: {{ {RUNS}, {more} }}, d: {{ {RUNS} }} }}"));
        assert_eq!(plain, hash_of(s, "w"), "{more}");
    }
    Ok(())
}

fn case_07_another_way_to_write_the_same_changes_the_hash_as_with_compose(s: &Scratch) -> Done {
    let pairs = [
        ("volumes: ['data:/x']", "volumes: [{ type: volume, source: data, target: /x }]"),
        ("ports: ['1000:1', '2000:2']", "ports: ['2000:2', '1000:1']"),
    ];
    for (one, other) in pairs {
        s.stack(&format!("services: {{ w: {{ {RUNS}, {one} }} }}\nvolumes: {{ data: }}\n"));
        let first = hash_of(s, "w");
        s.stack(&format!("services: {{ w: {{ {RUNS}, {other} }} }}\nvolumes: {{ data: }}\n"));
        assert_ne!(first, hash_of(s, "w"), "{one} and {other}");
    }
    Ok(())
}

fn case_09_a_service_with_env_file_has_the_hash_that_its_label_says(s: &Scratch) -> Done {
    s.write("w.env", "A=1\n");
    s.stack(&format!("services: {{ w: {{ {RUNS}, env_file: w.env }} }}"));
    s.compose("up -d").ok();
    let ours = s.hearth("config --hash w").ok().out;
    assert_eq!(
        ours.split_whitespace().nth(1),
        s.container("w").labels.get("com.docker.compose.config-hash").map(String::as_str)
    );
    s.hearth("plan --check").ok();
    Ok(())
}

fn case_27_a_profile_flag_overrides_the_variable(s: &Scratch) -> Done {
    s.write(".env", "COMPOSE_PROFILES=pa\n");
    s.stack(&format!("services: {{ a: {{ {RUNS}, profiles: [pa] }}, c: {{ {RUNS}, profiles: [pc] }} }}"));
    assert_eq!("a\n", s.hearth("config --services").ok().out);
    assert_eq!("c\n", s.hearth("--profile pc config --services").ok().out);
    Ok(())
}

fn case_28_a_target_that_needs_an_off_service_is_refused(s: &Scratch) -> Done {
    s.stack(&format!(
        "services: {{ b: {{ {RUNS}, profiles: [pb], depends_on: [c] }}, c: {{ {RUNS}, profiles: [pc] }} }}"
    ));
    let ran = s.hearth("up b").says("`c`");
    assert!([2, 3].contains(&ran.code), "{}", ran.both());
    assert!(s.containers().is_empty());
    Ok(())
}

fn case_33_what_loads_otherwise_than_it_reads_is_told(s: &Scratch) -> Done {
    s.stack("services: { w: { image: 'hearth-test/busybox:1', command: 'a | b && c', volumes: ['v:/x'], mem_limit: 1e3, healthcheck: { test: NONE } } }\n");
    let ours = s.hearth("config --format json").ok();
    let theirs = s.compose("config --format json").ok();
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a JSON model");
    assert_eq!(read(&theirs.out), read(&ours.out));
    for code in ["lint.command-cut", "lint.one-letter-volume", "lint.size-ignored", "lint.health-none"] {
        assert!(ours.err.contains(code), "{code} is told\n{}", ours.err);
    }
    Ok(())
}

fn case_35_another_directory_recreates_nothing(s: &Scratch) -> Done {
    let text = format!("services: {{ w: {{ {RUNS} }} }}");
    s.stack(&text);
    s.hearth("up").ok();
    let before = s.lives();
    s.write("elsewhere/compose.yaml", &text);
    let file = s.dir.join("elsewhere/compose.yaml");
    let file = file.display().to_string();
    s.hearth_args(&["-f", &file, "-p", &s.project, "up"]).ok();
    assert_eq!(before, s.lives());
    Ok(())
}

fn case_36_two_limits_that_differ_are_refused(s: &Scratch) -> Done {
    s.stack(&format!(
        "services: {{ w: {{ {RUNS}, pids_limit: 10, deploy: {{ resources: {{ limits: {{ pids: 20 }} }} }} }} }}"
    ));
    s.hearth("up").exits(2).says("pids").says("compose.yaml:1:");
    assert!(s.containers().is_empty());
    Ok(())
}
