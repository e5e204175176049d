//! The home that `hearth init` makes: every profile comes up, and plain Docker Compose in the home means the same.

use crate::rig::{Done, PrivateEngine, Scratch, Skip, cases};

// Alone, since it needs an engine on which images of the real names can be others.
cases![alone: every_profile_comes_up_and_plain_compose_agrees];

/// Gives every image of the home that is not here the stand-in's content.
fn stand_in(s: &Scratch) {
    let images = s.compose("--profile * config --images").ok().out;
    for image in images.lines().filter(|image| s.docker_args(&["image", "inspect", "-f", "{{.Id}}", image]).code != 0) {
        s.docker_args(&["tag", "hearth-test/stand-in:1", image]).ok();
    }
}

fn every_profile_comes_up_and_plain_compose_agrees(s: &Scratch) -> Done {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    // On a machine where Docker Compose is installed, its version is found; here it is a file somewhere.
    let hearth = |args: &[&str]| s.hearth_args(&[&["--compat", "2"], args].concat()).ok();
    hearth(&["init", "."]);
    let settings = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("init wrote hearth.yaml");
    s.write("hearth.yaml", &settings.replace("name: project\n", &format!("name: {}\n", s.project)));
    hearth(&["render"]);
    hearth(&["render", "--check"]);
    stand_in(s);
    let profiles = s.compose("config --profiles").ok().out;
    assert!(profiles.lines().count() >= 5, "{profiles}");
    for profile in profiles.lines() {
        if profile == "vpn" && !std::path::Path::new("/dev/net/tun").exists() {
            continue;
        }
        hearth(&["up", profile]);
        let made = s.lives();
        // Plain Compose, told by .env which profiles are on.
        s.compose("up -d").ok();
        assert_eq!(made, s.lives(), "Compose touched what `hearth up {profile}` made");
        hearth(&["plan", "--check"]);
    }
    hearth(&["profiles"]);
    s.compose("down").ok();
    s.compose("up -d").ok();
    let made = s.lives();
    hearth(&["plan", "--check"]);
    hearth(&["up"]);
    assert_eq!(made, s.lives(), "Hearth touched what Compose made");
    hearth(&["down", "--volumes", "--yes"]);
    assert_eq!((0, vec![], vec![]), (s.containers().len(), s.networks(), s.volumes()), "something is left");
    match std::path::Path::new("/dev/net/tun").exists() {
        true => Ok(()),
        false => Err(Skip("no /dev/net/tun: the VPN's profile was left out, the others passed".to_owned())),
    }
}
