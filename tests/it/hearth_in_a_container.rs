//! Hearth's own server runs as a container by `compose/hearth.yaml` and plain `docker compose`, and does all that it does outside.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::Duration;

use crate::rig::{
    Container, DOMAIN, Done, Door, Elsewhere, Page, PrivateEngine, Ran, Scratch, cases, curl, curl_in_container,
    free_port, until,
};

cases![
    together:
    a_home_is_served_from_a_container_as_the_user_who_owns_it,
    traefik_reaches_a_container_by_name_and_nobody_else_does,
    the_container_is_on_traefiks_network_as_long_as_traefik_is,
    who_is_at_home_is_known_from_within;
    alone:
    after_a_restart_of_the_engine_the_container_and_the_panel_are_back,
];

/// Whoever owns the homes here: nobody whom this machine knows.
const OWNER: u32 = 4711;

/// Hearth in a container for the home in the scratch folder.
struct Boxed<'s> {
    s: &'s Scratch,
    https: u16,
    http: u16,
    image: String,
}

impl<'s> Boxed<'s> {
    /// The image by `hearth image`, everything else by Compose.
    fn new(s: &'s Scratch) -> Boxed<'s> {
        let image = format!("hearth-test/{}-own:1", s.project);
        s.hearth_args(&["image", &image]).ok().says(&image);
        Boxed { s, https: free_port(), http: free_port(), image }
    }

    fn name(&self) -> String {
        format!("{}-hearth", self.s.project)
    }

    fn compose(&self, args: &[&str]) -> Ran {
        let (https, http, socket) =
            (self.https.to_string(), self.http.to_string(), self.s.socket().display().to_string());
        let variables = [
            ("HEARTH_IMAGE", self.image.as_str()),
            ("HEARTH_NAME", &self.name()),
            ("HEARTH_PORT", &https),
            ("HEARTH_HTTP_PORT", &http),
            ("DOCKER_SOCKET", &socket),
        ];
        let project = format!("{}-server", self.s.project);
        self.s.compose_args(&[&["-p", &project, "-f", "compose/hearth.yaml"], args].concat(), &variables)
    }

    #[track_caller]
    fn up(&self) {
        self.compose(&["up", "-d"]).ok();
        let answers = until(Duration::from_secs(10), || self.get("/health").status == 200);
        assert!(answers, "{}", self.log());
    }

    fn log(&self) -> String {
        self.s.docker_args(&["logs", &self.name()]).both()
    }

    /// As a person on the machine asks, trusting the home's own CA and nobody else.
    fn get(&self, path: &str) -> Page {
        let ca = self.s.dir.join("state/ca/root.pem").display().to_string();
        curl(self.s, &["--cacert", &ca, &format!("https://127.0.0.1:{}{path}", self.https)])
    }

    /// `docker exec hearth hearth ...`
    fn hearth(&self, args: &str) -> Ran {
        let words: Vec<&str> = args.split_whitespace().collect();
        self.s.docker_args(&[&["exec", &self.name(), "hearth", "--compat", "2"], words.as_slice()].concat())
    }

    fn container(&self) -> Container {
        self.s.inspect(&[&self.name()]).pop().expect("it is there")
    }
}

impl Drop for Boxed<'_> {
    fn drop(&mut self) {
        self.s.docker_args(&["rm", "-fv", &self.name()]);
        self.s.docker_args(&["rmi", "-f", &self.image]);
    }
}

fn all_belongs_to(dir: &Path, owner: u32) {
    for entry in std::fs::read_dir(dir).expect("it can be read").flatten() {
        let found = entry.metadata().expect("it is there");
        assert_eq!(found.uid(), owner, "{}", entry.path().display());
        if found.is_dir() {
            all_belongs_to(&entry.path(), owner);
        }
    }
}

fn give(dir: &Path, owner: u32) {
    chown(dir, Some(owner), Some(owner)).expect("root may");
    for entry in std::fs::read_dir(dir).expect("it can be read").flatten() {
        match entry.metadata().expect("it is there").is_dir() {
            true => give(&entry.path(), owner),
            false => chown(entry.path(), Some(owner), Some(owner)).expect("root may"),
        }
    }
}

fn a_home_is_served_from_a_container_as_the_user_who_owns_it(s: &Scratch) -> Done {
    let local = free_port();
    s.write("hearth.yaml", &format!("name: {}\n", s.project));
    let stack = format!(
        "services:\n  app:\n    image: hearth-test/busybox:1\n    stop_grace_period: 1s\n    profiles: [web]\n    command: [httpd, -f, -p, '80', -h, /www]\n    volumes: ['./data/www:/www:ro']\n    x-hearth: {{localhost: {{port: {local}, target: 80}}}}\n"
    );
    s.write("stacks/web.yaml", &stack);
    s.write("data/www/index.html", "from the home");
    s.hearth_args(&["init", "--stacks", ""]).ok();
    give(&s.dir, OWNER);
    let boxed = Boxed::new(s);
    boxed.up();
    let id = boxed.container().id;
    boxed.compose(&["exec", "hearth", "/hearth", "serve", "--check", "--listen", &boxed.https.to_string()]).ok();
    boxed
        .compose(&["exec", "hearth", "/hearth", "serve", "--check", "--listen", "1"])
        .exits(6)
        .says("no `hearth serve` answers");
    // What it starts finds its folders where they are, and Hearth's own container stays as it is.
    boxed.hearth("up web").ok();
    let here = || curl(s, &[&format!("http://127.0.0.1:{local}/")]).body;
    assert!(until(Duration::from_secs(5), || here().trim() == "from the home"), "{}", here());
    s.hearth_args(&["--compat", "2", "plan", "--check"]).ok();
    boxed.hearth("up --remove-orphans").ok();
    s.compose("up -d --remove-orphans").ok();
    boxed.compose(&["up", "-d"]).ok();
    assert_eq!((boxed.container().id, boxed.container().running()), (id, true));
    // Nothing of root's is left in a home that is not root's.
    all_belongs_to(&s.dir, OWNER);
    let top = s.docker_args(&["top", &boxed.name(), "-eo", "pid,uid,comm"]).ok().out;
    assert!(
        top.lines().any(|line| line.split_whitespace().skip(1).eq([OWNER.to_string().as_str(), "hearth"])),
        "{top}"
    );
    // It makes gate's image of itself, as it does outside.
    boxed.hearth(&format!("image {}", boxed.image)).ok();
    let ended = s.docker_args(&["stop", &boxed.name()]).ok();
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    assert_eq!(boxed.container().raw["State"]["ExitCode"], 0, "{}", boxed.log());
    boxed.hearth("up").exits(1);
    s.docker_args(&["start", &boxed.name()]).ok();
    assert!(until(Duration::from_secs(5), || boxed.get("/health").status == 200), "{}", boxed.log());
    Ok(())
}

const WEB: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    restart: unless-stopped
    profiles: [web]
    command: [sh, -c, 'mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www']
    # As Traefik is told to call Hearth.
    networks: {web: {aliases: [panel.hearth.internal]}}
    x-hearth: {route: {host: app, port: 80, access: public}}
";

/// The networks that Hearth's container is on, without its own.
fn joined(boxed: &Boxed) -> Vec<String> {
    let all = boxed.container().networks.into_keys();
    all.filter(|name| !name.ends_with("-server_default")).collect()
}

fn traefik_reaches_a_container_by_name_and_nobody_else_does(s: &Scratch) -> Done {
    let door = Door::new(s, WEB)?;
    let boxed = Boxed::new(s);
    boxed.up();
    let id = boxed.container().id;
    boxed.hearth("up web").ok();
    door.until("app", 200);
    let panel = door.until("panel", 200);
    assert!(panel.body.contains("\"status\":\"healthy\""), "{panel:?}");
    assert_eq!((boxed.container().id, joined(&boxed)), (id, vec![format!("{}_core", s.project)]));
    let text = door.file().to_string();
    assert!(
        text.contains("https://panel.hearth.internal:8444")
            && !text.contains(&format!("{}:8444", door.gateway("core")))
    );
    // A challenge finds it, too.
    assert_eq!(door.plain("app", "/.well-known/acme-challenge/nobody-asked").status, 404);

    // Whoever is on that network is told nothing without Traefik's certificate; others do not even get there.
    let core = format!("{}_core", s.project);
    let stranger = format!("{}-stranger", s.project);
    let run = ["run", "-d", "--name", &stranger, "--network", &core, "--network-alias", "panel.hearth.internal"];
    s.docker_args(&[&run[..], &["hearth-test/busybox:1", "sleep", "1000"]].concat()).ok();
    let networks = boxed.container().raw["NetworkSettings"]["Networks"].clone();
    let address = |network: &str| networks[network]["IPAddress"].as_str().unwrap_or_default().to_owned();
    let inner = format!("https://{}:8444/health", address(&core));
    let quick = ["-k", "--max-time", "2"];
    let there = curl_in_container(s, &stranger, &[&quick[..], &[&inner]].concat());
    // It gets there, and is cut: curl's 7 and 28 would mean that nobody listens.
    assert!(!there.trouble.contains("curl: (7)") && !there.trouble.contains("curl: (28)"), "{there:?}");
    assert_eq!((there.status, there.body), (0, String::new()));
    let app = format!("{}-app-1", s.project);
    let elsewhere = curl_in_container(s, &app, &[&quick[..], &[&inner]].concat()).trouble;
    assert!(elsewhere.contains("curl: (7)") || elsewhere.contains("curl: (28)"), "{elsewhere}");
    // Nor is that door on any other network of the container.
    let own = format!("https://{}:8444/health", address(&format!("{}-server_default", s.project)));
    let refused = curl(s, &[&quick[..], &[&own]].concat());
    assert!(refused.trouble.contains("curl: (7)"), "{refused:?}");
    // Two containers call themselves by the name that Traefik has for Hearth: it goes by its own list of names.
    s.docker_args(&["restart", "-t", "1", &format!("{}-traefik-1", s.project)]).ok();
    door.until("panel", 200);

    // Commands outside come to the same, and leave the file as it is.
    s.docker_args(&["rm", "-f", &stranger]).ok();
    door.hearth("up").ok().says("nothing to do");
    boxed.hearth("up").ok().says("nothing to do");
    assert!(door.file().to_string().contains("https://panel.hearth.internal:8444"));
    // What is tried from within is tried at Traefik itself.
    boxed.hearth("routes").ok().says("working");
    boxed.hearth("certs").ok();
    let said = boxed.hearth("doctor").both();
    assert!(said.contains("container"), "{said}");
    Ok(())
}

fn the_container_is_on_traefiks_network_as_long_as_traefik_is(s: &Scratch) -> Done {
    let door = Door::new(s, WEB)?;
    let boxed = Boxed::new(s);
    boxed.up();
    let id = boxed.container().id;
    boxed.hearth("up web").ok();
    door.until("panel", 200);
    let core = format!("{}_core", s.project);
    // From within, and by a command outside: the network goes, and Hearth stays.
    boxed.hearth("down").ok();
    assert!(!s.networks().contains(&core), "{:?}", s.networks());
    assert_eq!(joined(&boxed), Vec::<String>::new());
    door.hearth("up web").ok();
    door.until("panel", 200);
    door.hearth("down").ok();
    assert!(!s.networks().contains(&core), "{:?}", s.networks());
    // By Compose alone, which may leave the network behind.
    boxed.hearth("up web").ok();
    door.until("panel", 200);
    s.compose("down").ok();
    assert!(until(Duration::from_secs(15), || joined(&boxed).is_empty()), "{}", boxed.log());
    s.compose("up -d").ok();
    door.until("panel", 200);
    // Stopped it is on no network that may be gone when it starts again; what it serves goes on.
    let ended = s.docker_args(&["stop", &boxed.name()]).ok();
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    assert_eq!(joined(&boxed), Vec::<String>::new());
    assert_eq!(door.get("app", "/").status, 200);
    s.docker_args(&["start", &boxed.name()]).ok();
    door.until("panel", 200);
    // Nor does it matter in which mode the home is.
    boxed.hearth("mode localhost --yes").ok();
    assert!(until(Duration::from_secs(15), || joined(&boxed).is_empty()), "{}", boxed.log());
    boxed.hearth("mode domain --yes").ok();
    door.until("panel", 200);
    boxed.compose(&["up", "-d"]).ok();
    assert_eq!((boxed.container().id, door.get("panel", "/health").status), (id, 200));
    // It ends nobody by whom it lives.
    let project = format!("{}-server", s.project);
    let own = ["exec", &boxed.name(), "hearth", "-f", "compose/hearth.yaml", "-p", &project, "down"];
    s.docker_args(&own).exits(5).says("in which this very `hearth` runs");
    assert!(boxed.container().running());
    Ok(())
}

/// The machine's networks are not those of the container; and the home is root's here, its services another user's.
fn who_is_at_home_is_known_from_within(s: &Scratch) -> Done {
    let neighbour = Elsewhere::new(s, "itboxa0", "192.168.212")?;
    let stranger = Elsewhere::new(s, "itboxb0", "198.51.100")?;
    let door = Door::new(s, &WEB.replace("access: public", "access: lan"))?;
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    s.write(".env", &format!("{env}PUID={OWNER}\nPGID={OWNER}\n"));
    let boxed = Boxed::new(s);
    // One that looked is left of a power cut.
    let look = format!("hearth.look={}", s.dir.display());
    let name = format!("{}-look", s.project);
    s.docker_args(&["create", "--name", &name, "--label", &look, "hearth-test/busybox:1", "true"]).ok();
    boxed.up();
    boxed.hearth("up web").ok();
    door.until("panel", 200);
    let from = |who: &Elsewhere| {
        let whole = format!("app.{DOMAIN}");
        let at = format!("{whole}:{}:{}", door.https, who.here);
        let ca = s.dir.join("state/ca/root.pem").display().to_string();
        who.curl(&["--resolve", &at, "--cacert", &ca, &format!("https://{whole}:{}/", door.https)]).status
    };
    assert!(until(Duration::from_secs(10), || from(&neighbour) == 200), "{}\n{}", from(&neighbour), boxed.log());
    assert_eq!(from(&stranger), 403);
    // What is learned is what a command outside sees, so the file stays whoever writes it.
    let file = door.file();
    door.hearth("up").ok().says("nothing to do");
    boxed.hearth("up").ok().says("nothing to do");
    assert_eq!(door.file(), file);
    assert_eq!(boxed.hearth("routes --dns hosts").ok().out, door.hearth("routes --dns hosts").ok().out);
    // Whoever looked is gone.
    let left = s.docker_args(&["ps", "-aq", "--filter", &format!("label={look}")]).ok().out;
    assert_eq!(left, "");
    Ok(())
}

fn after_a_restart_of_the_engine_the_container_and_the_panel_are_back(s: &Scratch) -> Done {
    let tar = Door::saved_traefik(s)?;
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    let door = Door::on_another_engine(s, WEB, &tar);
    let boxed = Boxed::new(s);
    engine.within(|| boxed.up());
    let id = boxed.container().id;
    boxed.hearth("up web").ok();
    engine.within(|| door.until("panel", 200));
    engine.stop();
    engine.start();
    let back = until(Duration::from_secs(60), || engine.within(|| door.get("panel", "/health").status) == 200);
    assert!(back, "{}\n{}", boxed.log(), engine.within(|| door.routes()));
    assert_eq!(boxed.container().id, id);
    boxed.hearth("up").ok().says("nothing to do");
    Ok(())
}
