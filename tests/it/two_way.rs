//! Hearth and Docker Compose take turns on a project, and neither touches the other's containers. One file of `tests/it/two_way/` each.

use crate::rig::{Case, Done, Mode, Scratch, Skip, repository};

/// A case for each fixture, with the Compose of each generation.
macro_rules! turns {
    ($($name:ident),+ $(,)?) => {
        pub const CASES: &[Case] = &[$(
            Case { name: stringify!($name), mode: Mode::Together, run: |s| take_turns(s, stringify!($name), None) },
            Case { name: concat!(stringify!($name), "_with_compose_5"), mode: Mode::Together, run: |s| take_turns(s, stringify!($name), Some("5")) },
        )+];
    };
}

turns![
    addresses,
    configs_and_secrets,
    dependencies,
    environment,
    health,
    hosts_and_dns,
    identity,
    limits,
    logging,
    mounts,
    namespaces,
    networks,
    ports,
    process,
    scale,
    volumes
];

fn take_turns(s: &Scratch, fixture: &str, compat: Option<&str>) -> Done {
    let file = repository().join("tests/it/two_way").join(format!("{fixture}.yaml"));
    let text = std::fs::read_to_string(file).expect("each case has its fixture");
    // Both generations' cases may run at once: addresses of their own.
    s.stack(&compat.map_or(text.clone(), |_| text.replace("198.18.213.", "198.18.214.")));
    s.write("some.env", "FROM_FILE=yes\nQUOTED=\"a b\"\n");
    s.write("some.txt", "text\n");
    let compose = |args: &str| match compat {
        None => Ok(s.compose(&format!("--profile * {args}"))),
        Some(_) => s.compose5(&format!("--profile * {args}")),
    };
    let hearth = |args: &str| s.hearth(&format!("--profile * --compat {} {args}", compat.unwrap_or("2")));
    compose("version")?;

    hearth("up").ok();
    let made = s.lives();
    assert!(!made.is_empty());
    compose("up -d")?.ok();
    assert_eq!(made, s.lives(), "Compose touched what Hearth made");
    hearth("plan --check").ok();

    compose("down -v")?.ok();
    let ran = compose("up -d")?;
    if ran.code != 0 && ran.both().contains("requires API version") {
        return Err(Skip("Compose itself asks for a newer engine here; what Hearth made it left alone".to_owned()));
    }
    ran.ok();
    let made = s.lives();
    hearth("plan --check").ok();
    hearth("up").ok();
    assert_eq!(made, s.lives(), "Hearth touched what Compose made");

    hearth("down --volumes --yes").ok();
    assert_eq!((0, vec![], vec![]), (s.containers().len(), s.networks(), s.volumes()), "something is left");
    Ok(())
}
