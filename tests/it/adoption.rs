//! A project that Docker Compose runs is taken over as it is: recorded, and nothing recreated.

use crate::rig::{Done, Scratch, cases};

cases![together: a_running_project_is_adopted_and_nothing_touched, files_inside_another_manager_are_asked_for];

const STACK: &str = "services: { w: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, environment: { A: \"${A}\" } } }\n";

fn a_running_project_is_adopted_and_nothing_touched(s: &Scratch) -> Done {
    s.write(".env", "A=from-env-file\n");
    s.stack(STACK);
    s.compose("up -d").ok();
    let before = s.lives();
    let home = s.beside("home").display().to_string();
    s.hearth_args(&["init", &home, "--stacks", "example"]).ok();
    let hearth = |args: &[&str]| s.hearth_args(&[&["--compat", "2", "--home", &home], args].concat());
    hearth(&["adopt"]).ok().says(&s.project);
    hearth(&["adopt", &s.project]).ok();
    assert!(std::fs::read_to_string(format!("{home}/hearth.yaml")).unwrap_or_default().contains(&s.project));
    hearth(&["-p", &s.project, "plan", "--check"]).ok();
    hearth(&["-p", &s.project, "up"]).ok();
    assert_eq!(before, s.lives());
    hearth(&["ls"]).ok().says(&s.project);
    s.stack(&STACK.replace("environment: {", "environment: { B: 1,"));
    hearth(&["-p", &s.project, "plan", "--check"]).exits(10).says("B");
    hearth(&["-p", &s.project, "up"]).ok();
    s.compose_agrees();
    Ok(())
}

fn files_inside_another_manager_are_asked_for(s: &Scratch) -> Done {
    s.write("elsewhere/compose.yaml", STACK);
    s.write("elsewhere/.env", "A=1\n");
    s.compose("--project-directory elsewhere -f elsewhere/compose.yaml up -d").ok();
    let before = s.lives();
    std::fs::rename(s.dir.join("elsewhere"), s.dir.join("here")).expect("a folder can be renamed");
    let home = s.beside("home").display().to_string();
    s.hearth_args(&["init", &home, "--stacks", "example"]).ok();
    let hearth = |args: &[&str]| s.hearth_args(&[&["--compat", "2", "--home", &home], args].concat());
    hearth(&["adopt", &s.project]).exits(3).says("--files");
    hearth(&["adopt", &s.project, "--files", "here/compose.yaml"]).ok();
    hearth(&["-p", &s.project, "up"]).ok();
    assert_eq!(before, s.lives());
    Ok(())
}
