//! The home that `hearth init` makes: every profile comes up, and plain Docker Compose in the home means the same.

use crate::rig::{Done, Door, PrivateEngine, Ran, Scratch, Skip, cases};

// Alone, since it needs an engine on which images of the real names can be others.
cases![alone:
    every_profile_comes_up_and_plain_compose_agrees,
    plain_compose_agrees_in_domain_mode_and_after_the_mode_was_switched_there_and_back,
    plain_compose_5_agrees_in_domain_mode_and_after_the_mode_was_switched_there_and_back,
];

/// Gives every image of the home that is not here, or is an older stand-in, the stand-in's content; that of Hearth is made by Hearth.
fn stand_in(s: &Scratch) {
    let images = s.compose("--profile * config --images").ok().out;
    let label = "{{index .Config.Labels \"hearth.stand-in\"}}";
    for image in images.lines().filter(|image| *image != "hearth:local") {
        let there = s.docker_args(&["image", "inspect", "-f", label, image]);
        if there.code != 0 || there.out.trim() == "1" {
            s.docker_args(&["tag", "hearth-test/stand-in:1", image]).ok();
        }
    }
}

fn hearth(s: &Scratch, args: &[&str]) -> Ran {
    s.hearth_args(&[&["--compat", "2"], args].concat()).ok()
}

/// The home that `hearth init` makes, under the test's name.
fn home(s: &Scratch) {
    s.docker("rmi -f hearth:local");
    hearth(s, &["init", "."]);
    let settings = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("init wrote hearth.yaml");
    s.write("hearth.yaml", &settings.replace("name: project\n", &format!("name: {}\n", s.project)));
    hearth(s, &["render"]);
}

/// Which Compose takes turns with Hearth.
#[derive(Clone, Copy)]
struct Turns<'s> {
    s: &'s Scratch,
    compat: &'static str,
}

impl Turns<'_> {
    fn hearth(&self, args: &[&str]) -> Ran {
        self.s.hearth_args(&[&["--compat", self.compat], args].concat()).ok()
    }

    fn compose(&self, args: &str) -> Result<Ran, Skip> {
        match self.compat {
            "2" => Ok(self.s.compose(args).ok()),
            _ => Ok(self.s.compose5(args)?.ok()),
        }
    }

    /// Hearth, then Compose; then all of it made by Compose, and Hearth. Nobody touches what the other made.
    fn both_ways(&self) -> Result<(), Skip> {
        self.hearth(&["up"]);
        let made = self.s.lives();
        self.compose("up -d")?;
        assert_eq!(made, self.s.lives(), "Compose touched what `hearth up` made");
        self.hearth(&["plan", "--check"]);
        self.compose("down")?;
        self.compose("up -d")?;
        let made = self.s.lives();
        self.hearth(&["plan", "--check"]);
        self.hearth(&["up"]);
        assert_eq!(made, self.s.lives(), "Hearth touched what Compose made");
        Ok(())
    }
}

fn plain_compose_agrees_in_domain_mode_and_after_the_mode_was_switched_there_and_back(s: &Scratch) -> Done {
    in_both_modes(Turns { s, compat: "2" })
}

fn plain_compose_5_agrees_in_domain_mode_and_after_the_mode_was_switched_there_and_back(s: &Scratch) -> Done {
    s.compose5("version")?;
    in_both_modes(Turns { s, compat: "5" })
}

/// With every profile on: localhost mode, domain mode, and back again.
fn in_both_modes(turns: Turns<'_>) -> Done {
    let s = turns.s;
    let traefik = Door::saved_traefik(s)?;
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    s.docker_args(&["load", "-i", &traefik.display().to_string()]).ok();
    home(s);
    stand_in(s);
    s.append("hearth.yaml", "traefik: {minimum: \"3.7.9\"}\n");
    s.append(
        ".env",
        &format!("DOMAIN=it.home.arpa\nTRAEFIK_IMAGE=traefik:v3.7\nDOCKER_SOCKET={}\n", s.socket().display()),
    );
    let said = s.compose("config --profiles").ok().out;
    let tunnel = std::path::Path::new("/dev/net/tun").exists();
    let profiles: Vec<&str> = said.lines().filter(|profile| *profile != "vpn" || tunnel).collect();
    assert!(profiles.len() >= 5, "{said}");
    engine.within(|| -> Done {
        turns.hearth(&[&["enable"], profiles.as_slice()].concat());
        turns.both_ways()?;
        let all = s.containers().len();
        turns.hearth(&["mode", "domain", "--yes"]);
        turns.both_ways()?;
        assert!(s.containers().len() >= all + 2, "with Traefik and gate");
        turns.hearth(&["mode", "localhost", "--yes"]);
        turns.both_ways()?;
        assert_eq!(s.containers().len(), all, "as it was");
        turns.hearth(&["down", "--volumes", "--yes"]);
        Ok(())
    })?;
    assert_eq!((0, vec![], vec![]), (s.containers().len(), s.networks(), s.volumes()), "something is left");
    match tunnel {
        true => Ok(()),
        false => Err(Skip("no /dev/net/tun: the VPN's profile was left out, the others passed".to_owned())),
    }
}

fn every_profile_comes_up_and_plain_compose_agrees(s: &Scratch) -> Done {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    // On a machine where Docker Compose is installed, its version is found; here it is a file somewhere.
    let hearth = |args: &[&str]| hearth(s, args);
    home(s);
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
