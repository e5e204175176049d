//! What a person does with a running project: look at it, read it, take it over, act on a plan kept earlier.

use crate::rig::{Done, Scratch, cases};

cases![together:
    what_runs_is_shown_read_and_entered,
    adopting_a_project_touches_nothing,
    a_kept_plan_is_applied_only_while_the_world_stays,
    history_tells_what_became_of_each_step,
    a_project_is_acted_on_by_its_labels_alone,
    profiles_of_a_home_come_and_go,
    volumes_go_only_where_they_are_named,
    a_mistake_in_a_stack_keeps_nobody_from_ending_what_runs,
];

const TWO: &str = "services:
  a: { image: 'hearth-test/busybox:1', command: [sh, -c, 'echo first; exec sleep 1000'], stop_signal: SIGKILL }
  b:
    image: hearth-test/busybox:1
    command: [sh, -c, 'sleep 1; echo second >&2; exec sleep 1000']
    stop_signal: SIGKILL
    depends_on: [a]
";

fn what_runs_is_shown_read_and_entered(s: &Scratch) -> Done {
    s.stack(TWO);
    s.hearth("up").ok();
    let shown = s.hearth("ps --json").ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.out).expect("ps --json gives JSON");
    let services: Vec<&str> = shown.as_array().into_iter().flatten().filter_map(|c| c["service"].as_str()).collect();
    assert_eq!(services, ["a", "b"]);
    assert!(crate::rig::until(std::time::Duration::from_secs(20), || s.hearth("logs").ok().out.contains("second")));
    let lines = s.hearth("logs").ok().out;
    assert_eq!(
        lines.lines().map(str::trim_end).collect::<Vec<_>>(),
        ["a-1  | first", "b-1  | second"],
        "in order of time"
    );
    assert_eq!(s.hearth("logs --no-log-prefix -n 1 b").ok().out, "second\n");
    assert_eq!(
        s.hearth_args(&["-f", "compose.yaml", "-p", &s.project, "exec", "a", "echo", "$HOME; x"]).ok().out,
        "$HOME; x\n"
    );
    s.hearth_args(&["-f", "compose.yaml", "-p", &s.project, "exec", "a", "sh", "-c", "exit 7"]).exits(7);
    s.hearth("exec c true").exits(3).says("there is no service `c`");
    s.hearth("stop a").ok();
    s.hearth("exec a true").exits(5).says("hearth up");
    s.hearth("ps -a").ok().says("exited");
    s.hearth("start").ok();
    s.hearth("plan --check").ok();
    Ok(())
}

fn adopting_a_project_touches_nothing(s: &Scratch) -> Done {
    s.stack(TWO);
    s.compose("up -d").ok();
    let before = s.lives();
    s.write("home/hearth.yaml", "name: other-home # mine\n");
    std::fs::create_dir_all(s.dir.join("home/stacks")).expect("a folder can be made");
    let adopt = |more: &[&str]| s.hearth_args(&[&["--home", "home", "--compat", "2", "adopt"], more].concat());
    adopt(&[]).ok().says(&s.project);
    adopt(&["no-such-project"]).exits(3);
    adopt(&[&s.project]).ok().says("nothing to do").says("nothing was touched");
    assert_eq!(s.lives(), before);
    let text = std::fs::read_to_string(s.dir.join("home/hearth.yaml")).expect("it is there");
    assert!(text.starts_with("name: other-home # mine\n") && text.contains("compose.yaml"), "{text}");
    let there = |command: &str| s.hearth_args(&["--home", "home", "--compat", "2", "-p", &s.project, command]);
    there("up").ok();
    assert_eq!(s.lives(), before);
    s.hearth_args(&["--home", "home", "ls"]).ok().says("adopted");
    there("down").ok();
    assert!(s.containers().is_empty());
    Ok(())
}

fn a_kept_plan_is_applied_only_while_the_world_stays(s: &Scratch) -> Done {
    s.stack(TWO);
    let kept = s.hearth("plan --save").ok();
    let id = kept.err.trim().rsplit(' ').next().expect("the id is named").to_string();
    s.hearth(&format!("apply {id}")).ok();
    s.hearth(&format!("apply {id}")).exits(5).says("was not there");
    s.hearth("apply nothing").exits(3);
    s.stack(&TWO.replace("first", "1st"));
    let kept = s.hearth("plan --save").ok();
    let id = kept.err.trim().rsplit(' ').next().expect("the id is named").to_string();
    s.stack(&TWO.replace("first", "erste"));
    s.hearth(&format!("apply {id}")).exits(5).says("service `a` changed");
    Ok(())
}

fn history_tells_what_became_of_each_step(s: &Scratch) -> Done {
    s.stack(TWO);
    s.hearth("history").ok().says("nothing was done here yet");
    s.hearth("up").ok();
    s.hearth("up").ok();
    s.stack(&TWO.replace("exec sleep 1000", "exit 3"));
    s.hearth("up").exits(1);
    let runs = s.hearth("history --json").ok();
    let runs: Vec<serde_json::Value> = serde_json::from_str(&runs.out).expect("history --json gives JSON");
    let outcomes: Vec<&str> = runs.iter().filter_map(|r| r["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["failed", "done"], "what found nothing to do is no event");
    let failed = s.hearth(&format!("history {}", runs[0]["id"].as_str().unwrap_or_default())).ok();
    assert!(failed.out.contains("failed") && failed.out.contains("taken back"), "{}", failed.out);
    Ok(())
}

fn a_project_is_acted_on_by_its_labels_alone(s: &Scratch) -> Done {
    s.stack(TWO);
    s.compose("up -d").ok();
    std::fs::remove_file(s.dir.join("compose.yaml")).expect("it was there");
    let with = |args: &[&str]| s.hearth_args(&[&["-p", s.project.as_str()], args].concat());
    with(&["stop", "b"]).ok();
    assert_eq!(s.containers().values().filter(|c| c.running()).count(), 1);
    with(&["start"]).ok();
    assert_eq!(s.containers().values().filter(|c| c.running()).count(), 2);
    with(&["up"]).exits(3);
    with(&["down"]).ok();
    assert!(s.containers().is_empty() && s.networks().is_empty());
    Ok(())
}

fn a_mistake_in_a_stack_keeps_nobody_from_ending_what_runs(s: &Scratch) -> Done {
    s.home();
    s.write(
        "stacks/one.yaml",
        "services: { a: { image: 'hearth-test/busybox:1', command: [sleep, '1000'], stop_signal: SIGKILL } }\n",
    );
    s.hearth_args(&["up"]).ok();
    s.write("stacks/two.yaml", "services: { b: { imgae: x } }\n");
    s.hearth_args(&["up"]).exits(2).says("imgae");
    s.hearth_args(&["ps"]).ok().says("running");
    s.hearth_args(&["stop"]).ok();
    assert!(!s.container("a").running());
    s.hearth_args(&["down", "a"]).exits(2);
    s.hearth_args(&["down"]).ok();
    assert!(s.containers().is_empty() && s.networks().is_empty());
    Ok(())
}

fn profiles_of_a_home_come_and_go(s: &Scratch) -> Done {
    s.home();
    let service = |name: &str, profile: &str, more: &str| {
        format!(
            "  {name}: {{ image: 'hearth-test/busybox:1', command: [sleep, '1000'], stop_signal: SIGKILL, profiles: [{profile}]{more} }}\n"
        )
    };
    let stack =
        ["services:\n", &service("web", "a", ", depends_on: [db]"), &service("db", "b", ""), &service("job", "c", "")];
    s.write("stacks/one.yaml", &stack.concat());
    let hearth = |args: &[&str]| s.hearth_args(&[&["--compat", "2"], args].concat());
    let running = || -> Vec<String> {
        s.containers().into_values().map(|c| c.labels["com.docker.compose.service"].clone()).collect()
    };
    hearth(&["up"]).exits(3).says("hearth up PROFILE");
    hearth(&["up", "aa"]).exits(3).says("did you mean `a`?");
    hearth(&["up", "web"]).exits(3).says("is a service");
    hearth(&["up", "a"]).ok();
    hearth(&["up", "b", "c"]).ok();
    assert_eq!(running().len(), 3);
    let before = s.lives();
    s.compose("up -d").ok();
    assert_eq!(s.lives(), before, "COMPOSE_PROFILES in .env means the same");
    hearth(&["down", "b"]).ok();
    assert_eq!(running().len(), 3, "the profile a needs db");
    hearth(&["down", "a"]).ok();
    assert_eq!(running(), ["job"]);
    hearth(&["down"]).ok();
    assert!(running().is_empty());
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it was written");
    assert_eq!(env, "COMPOSE_PROFILES=c\n");
    Ok(())
}

fn volumes_go_only_where_they_are_named(s: &Scratch) -> Done {
    s.stack(
        "services: { a: { image: 'hearth-test/busybox:1', command: [sleep, '1000'], stop_signal: SIGKILL, volumes: ['one:/1', 'two:/2'] } }
volumes: { one: {}, two: {} }\n",
    );
    s.hearth("up").ok();
    s.hearth("down --volumes").exits(4).says("--yes");
    assert_eq!(s.containers().len(), 1, "nothing was done");
    s.hearth("down --volumes tow").exits(3).says("did you mean");
    s.hearth("down --volumes one --yes").ok();
    assert_eq!(s.volumes(), [format!("{}_two", s.project)]);
    s.hearth("down --volumes --yes").ok();
    assert!(s.volumes().is_empty());
    Ok(())
}
