//! A home is a plain Compose project: with Hearth away, Compose runs the same.

use crate::rig::{Done, Scratch, cases};

cases![together:
    every_profile_means_the_same_to_compose,
    to_compose_5_too,
    a_home_takes_turns_with_compose,
    a_plan_lists_what_runs_of_a_profile_that_is_off,
];

/// A home in the scratch folder under the scratch project's name, with a range of its own.
fn home(s: &Scratch, stacks: &str) {
    let n = s.project.bytes().fold(0u32, |n, b| n.wrapping_mul(31).wrapping_add(u32::from(b)));
    s.write("hearth.yaml", &format!("name: {}\nnetworks: 10.{}.{}.0/18\n", s.project, 96 + n % 32, n / 32 % 4 * 64));
    s.hearth_args(&["init", "--stacks", stacks]).ok();
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    lines.sort();
    lines
}

const PROFILES: [&str; 5] = ["automation", "databases", "example", "files", "media"];

fn every_profile_means_the_same_to_compose(s: &Scratch) -> Done {
    home(s, &PROFILES.join(","));
    for profile in PROFILES {
        s.hearth_args(&["enable", profile]).ok();
        let ours = s.hearth_args(&["--compat", "2", "config", "--hash", "*"]).ok();
        let theirs = s.compose(&format!("--profile {profile} config --hash *")).ok();
        assert_eq!(sorted(&ours.out), sorted(&theirs.out), "{profile}");
        // COMPOSE_PROFILES says the same as the flag.
        assert_eq!(sorted(&s.compose("config --hash *").ok().out), sorted(&theirs.out), "{profile}");
        s.hearth_args(&["disable", profile]).ok();
    }
    Ok(())
}

fn to_compose_5_too(s: &Scratch) -> Done {
    home(s, &PROFILES.join(","));
    let theirs = s.compose5("--profile * config --hash *")?.ok();
    PROFILES.iter().for_each(|profile| drop(s.hearth_args(&["enable", profile]).ok()));
    let ours = s.hearth_args(&["--compat", "5", "config", "--hash", "*"]).ok();
    assert_eq!(sorted(&ours.out), sorted(&theirs.out));
    Ok(())
}

fn a_home_takes_turns_with_compose(s: &Scratch) -> Done {
    s.write(
        "stacks/small.yaml",
        "services:
  app:
    image: hearth-test/busybox:1
    command: ['sleep', '1000']
    profiles: [small]
    stop_grace_period: 1s
    depends_on: { store: { condition: service_started } }
    x-hearth: { update: { window: 5s } }
  store:
    image: hearth-test/busybox:1
    command: ['sleep', '1000']
    profiles: [small]
    stop_grace_period: 1s
    volumes: ['data:/data']
volumes: { data: {} }
",
    );
    home(s, "");
    let ids = || {
        sorted(&s.docker(&format!("ps -q --no-trunc --filter label=com.docker.compose.project={}", s.project)).ok().out)
    };
    s.hearth_args(&["up", "small"]).ok();
    let first = ids();
    assert_eq!(first.len(), 2);
    s.compose("--profile small up -d").ok();
    assert_eq!(ids(), first, "Compose replaced what Hearth made");
    s.hearth_args(&["up"]).ok();
    assert_eq!(ids(), first, "Hearth replaced what Compose had left alone");
    s.hearth_args(&["down"]).ok();
    s.compose("up -d").ok();
    let second = ids();
    assert_eq!(second.len(), 2, "COMPOSE_PROFILES turns the profile on for Compose, or `down` turned it off");
    Ok(())
}

fn a_plan_lists_what_runs_of_a_profile_that_is_off(s: &Scratch) -> Done {
    s.write(
        "stacks/mine.yaml",
        "services:
  app: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, profiles: [mine] }
",
    );
    home(s, "");
    let calm = s.hearth_args(&["plan", "--check"]).ok();
    assert!(calm.both().contains("no profile is on"), "{}", calm.both());
    s.hearth_args(&["up", "mine"]).ok();
    let id = s.container("app").id;
    s.hearth_args(&["disable", "mine"]).ok();
    let plan = s.hearth_args(&["plan"]).ok();
    assert!(plan.out.contains("its service `app` is off (profile `mine`): it runs on"), "{}", plan.out);
    assert_eq!(id, s.container("app").id);
    let up = s.hearth_args(&["up"]);
    assert!(up.code == 3 && up.err.contains("home.nothing-on"), "{}", up.both());
    s.hearth_args(&["down"]).ok();
    Ok(())
}
