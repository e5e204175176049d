//! Data: what lies in volumes, configs and images, and stays there.

use super::RUNS;
use crate::rig::{Done, Scratch, cases};

cases![together:
    case_11_volumes_from_read_only_stays_read_only,
    case_14_a_volume_whose_options_changed_is_never_emptied,
    case_15_a_volume_made_by_hand_is_used_and_said,
    case_16_a_changed_inline_config_arrives,
    case_18_an_anonymous_volume_moves_over_unless_told_not_to,
    case_19_a_moved_tag_is_noticed_and_its_volume_kept,
    case_34_a_missing_bind_source_is_made_or_refused_as_written,
];

/// Runs a command in the container of a service.
#[track_caller]
fn inside(s: &Scratch, service: &str, command: &[&str]) -> String {
    let name = format!("{}-{service}-1", s.project);
    s.docker_args(&[&["exec", name.as_str()], command].concat()).ok().out
}

fn case_11_volumes_from_read_only_stays_read_only(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ a: {{ {RUNS}, volumes: ['data:/x'] }}, b: {{ {RUNS}, volumes_from: ['a:ro'] }} }}\nvolumes: {{ data: }}\n"));
    s.hearth_settles();
    let from = s.container("b").raw["HostConfig"]["VolumesFrom"].clone();
    assert_eq!(format!("[\"{}:ro\"]", s.container("a").id), from.to_string());
    s.compose_agrees();
    Ok(())
}

fn case_14_a_volume_whose_options_changed_is_never_emptied(s: &Scratch) -> Done {
    let services = format!("services: {{ w: {{ {RUNS}, volumes: ['data:/x'] }} }}\n");
    s.stack(&format!("{services}volumes: {{ data: }}\n"));
    s.hearth("up").ok();
    inside(s, "w", &["touch", "/x/mine"]);
    s.stack(&format!("{services}volumes: {{ data: {{ labels: {{ a: b }} }} }}\n"));
    for up in ["up", "up --yes"] {
        s.hearth(up).ok();
        assert_eq!("mine\n", inside(s, "w", &["ls", "/x"]), "after {up}");
    }
    s.hearth("plan").ok().says("data");
    Ok(())
}

fn case_15_a_volume_made_by_hand_is_used_and_said(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS}, volumes: ['data:/x'] }} }}\nvolumes: {{ data: }}\n"));
    let volume = format!("{}_data", s.project);
    s.docker_args(&["volume", "create", &volume]).ok();
    s.hearth("plan").ok().says(&volume);
    s.hearth_settles();
    assert_eq!(Some(&volume), s.container("w").volumes.get("/x"));
    s.compose_agrees();
    s.hearth("down").ok();
    s.docker_args(&["volume", "inspect", &volume]).ok();
    Ok(())
}

fn case_16_a_changed_inline_config_arrives(s: &Scratch) -> Done {
    let stack = |content: &str| {
        format!("services: {{ w: {{ {RUNS}, configs: [c] }} }}\nconfigs: {{ c: {{ content: {content} }} }}\n")
    };
    s.stack(&stack("one"));
    s.hearth_settles();
    assert_eq!("one", inside(s, "w", &["cat", "/c"]));
    s.stack(&stack("two"));
    s.hearth("plan --check").exits(10).says("config");
    s.hearth_settles();
    assert_eq!("two", inside(s, "w", &["cat", "/c"]));
    s.compose_agrees();
    Ok(())
}

fn case_18_an_anonymous_volume_moves_over_unless_told_not_to(s: &Scratch) -> Done {
    let stack = |value: u32| format!("services: {{ w: {{ {RUNS}, volumes: [/x], environment: {{ A: {value} }} }} }}");
    s.stack(&stack(1));
    s.hearth("up").ok();
    inside(s, "w", &["touch", "/x/mine"]);
    let first = s.container("w");
    s.stack(&stack(2));
    s.hearth_settles();
    let second = s.container("w");
    assert_ne!(first.id, second.id);
    assert_eq!(first.volumes, second.volumes);
    assert_eq!("mine\n", inside(s, "w", &["ls", "/x"]));
    s.compose_agrees();
    s.hearth("up -V").ok();
    let third = s.container("w");
    assert_ne!(second.volumes, third.volumes);
    assert_eq!("", inside(s, "w", &["ls", "/x"]));
    let old = &second.volumes["/x"];
    s.docker_args(&["volume", "inspect", old]).ok();
    s.docker_args(&["volume", "rm", old]).ok();
    Ok(())
}

fn case_19_a_moved_tag_is_noticed_and_its_volume_kept(s: &Scratch) -> Done {
    let image = format!("{}:1", s.project);
    let build = |more: &str| {
        s.write("image/Dockerfile", &format!("FROM hearth-test/busybox:1\nVOLUME /x\nLABEL n={more}\n"));
        s.docker_built(&image, "image");
    };
    build("1");
    s.stack(&format!("services: {{ w: {{ image: '{image}', command: [sleep, infinity], stop_signal: SIGKILL }} }}"));
    s.hearth("up").ok();
    inside(s, "w", &["touch", "/x/mine"]);
    let first = s.container("w");
    build("2");
    s.hearth("plan --check").exits(10).says("image");
    s.hearth_settles();
    let second = s.container("w");
    assert_ne!(first.image, second.image);
    assert_eq!("mine\n", inside(s, "w", &["ls", "/x"]));
    s.compose_agrees();
    s.hearth("down --volumes --yes").ok();
    s.docker_args(&["image", "rm", "-f", &image]).ok();
    Ok(())
}

fn case_34_a_missing_bind_source_is_made_or_refused_as_written(s: &Scratch) -> Done {
    s.stack(&format!("services: {{ w: {{ {RUNS}, volumes: [{{ type: bind, source: ./made, target: /x }}] }} }}"));
    s.hearth_settles();
    assert!(s.dir.join("made").is_dir());
    s.compose_agrees();
    s.stack(&format!("services: {{ w: {{ {RUNS}, volumes: [{{ type: bind, source: ./not, target: /x, bind: {{ create_host_path: false }} }}] }} }}"));
    let before = s.lives();
    let ran = s.hearth("up").says("not");
    assert_ne!(0, ran.code);
    assert_eq!(before, s.lives());
    Ok(())
}
