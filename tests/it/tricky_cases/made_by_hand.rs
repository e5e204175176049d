//! Containers that nobody's `up` made: by `docker create`, by an old Compose, or with labels lost on the way.

use super::RUNS;
use crate::rig::{Container, Done, Scratch, cases};

cases![together:
    case_01_a_container_made_by_hand_with_all_labels_is_adopted,
    case_02_a_container_that_differs_is_replaced_unless_told_not_to,
    case_03_a_container_without_config_hash_is_taken_over,
    case_04_a_container_without_image_label_ends_as_compose_wants_it,
    case_05_a_container_without_oneoff_label_is_never_lost,
    case_08_a_container_of_an_old_compose_is_kept_by_what_it_is,
];

/// Makes the default network and the container of service `w`, as Compose would, but for the labels that `change` changes.
fn by_hand(s: &Scratch, env: &str, change: impl Fn(&mut Vec<(String, String)>)) -> Container {
    s.stack(&format!("services: {{ w: {{ {RUNS} }} }}"));
    let project = s.project.as_str();
    let hash = s.compose("config --hash w").ok().out.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let image = s.docker("image inspect -f {{.Id}} hearth-test/busybox:1").ok().out.trim().to_owned();
    let network = format!("{project}_default");
    let label = |key: &str, value: &str| (format!("com.docker.compose.{key}"), value.to_owned());
    let of_network = [label("project", project), label("network", "default")].map(|(k, v)| format!("--label={k}={v}"));
    s.docker_args(&["network", "create", &of_network[0], &of_network[1], &network]).ok();
    let mut labels = vec![
        label("project", project),
        label("service", "w"),
        label("oneoff", "False"),
        label("container-number", "1"),
        label("config-hash", &hash),
        label("image", &image),
        ("mine".to_owned(), "yes".to_owned()),
    ];
    change(&mut labels);
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("--label={k}={v}")).collect();
    let name = format!("{project}-w-1");
    let mut args =
        vec!["create", "--name", &name, "--network", &network, "--network-alias", "w", "--stop-signal", "SIGKILL"];
    args.extend(labels.iter().map(String::as_str));
    if !env.is_empty() {
        args.extend(["-e", env]);
    }
    args.extend(["hearth-test/busybox:1", "sleep", "infinity"]);
    s.docker_args(&args).ok();
    s.container("w")
}

fn without(key: &str) -> impl Fn(&mut Vec<(String, String)>) {
    let key = format!("com.docker.compose.{key}");
    move |labels| labels.retain(|(k, _)| *k != key)
}

fn with(key: &str, value: &str) -> impl Fn(&mut Vec<(String, String)>) {
    let (key, value) = (format!("com.docker.compose.{key}"), value.to_owned());
    move |labels| {
        labels.retain(|(k, _)| *k != key);
        labels.push((key.clone(), value.clone()));
    }
}

fn case_01_a_container_made_by_hand_with_all_labels_is_adopted(s: &Scratch) -> Done {
    let made = by_hand(s, "", |_| ());
    s.hearth_settles();
    let now = s.container("w");
    assert_eq!(made.id, now.id);
    assert!(now.running());
    s.compose_agrees();
    s.hearth("ps").ok().says(&now.name);
    s.hearth("logs").ok();
    s.hearth("exec -T w echo here").ok().says("here");
    s.hearth("down").ok();
    assert!(s.containers().is_empty());
    Ok(())
}

fn case_02_a_container_that_differs_is_replaced_unless_told_not_to(s: &Scratch) -> Done {
    let made = by_hand(s, "OLD=1", with("config-hash", "0000"));
    s.hearth("up --no-recreate").ok();
    assert_eq!(made.id, s.container("w").id, "--no-recreate keeps it");
    s.hearth("plan --check").exits(10).says("OLD");
    s.hearth_settles();
    let now = s.container("w");
    assert_ne!(made.id, now.id);
    assert!(now.env.iter().all(|e| e != "OLD=1"));
    s.compose_agrees();
    Ok(())
}

fn case_03_a_container_without_config_hash_is_taken_over(s: &Scratch) -> Done {
    // Compose does not see it, and fails because its name is taken.
    by_hand(s, "", without("config-hash"));
    assert_ne!(0, s.compose("up -d").code);
    s.hearth_settles();
    assert_eq!(1, s.containers().len());
    assert!(s.container("w").running());
    s.compose_agrees();
    Ok(())
}

fn case_04_a_container_without_image_label_ends_as_compose_wants_it(s: &Scratch) -> Done {
    by_hand(s, "", without("image"));
    s.hearth_settles();
    assert!(s.container("w").running());
    s.compose_agrees();
    Ok(())
}

fn case_05_a_container_without_oneoff_label_is_never_lost(s: &Scratch) -> Done {
    let made = by_hand(s, "", without("oneoff"));
    let ran = s.hearth("up");
    match ran.code {
        0 => assert!(s.container("w").running()),
        _ => assert_eq!((5, made.id), (ran.code, s.container("w").id), "{}", ran.both()),
    }
    Ok(())
}

fn case_08_a_container_of_an_old_compose_is_kept_by_what_it_is(s: &Scratch) -> Done {
    let made = by_hand(s, "", |labels| {
        with("config-hash", "5f5e3b")(labels);
        with("version", "2.26.1")(labels);
        labels.retain(|(name, _)| name != "mine");
    });
    s.hearth_settles();
    let now = s.container("w");
    assert_eq!(made.id, now.id, "what Compose 2.26 hashed otherwise is not replaced");
    assert!(now.running());
    s.hearth("plan").ok().says("docker compose");
    Ok(())
}
