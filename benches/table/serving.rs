//! `hearth serve`: its first answer on a machine that it never ran on; and when nothing goes on, its memory beside 50 running containers, and its work for 500 certificates of which none is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hearth::base::secret::Secret;
use hearth::certs::store::{Meta, Source, Store};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use time::OffsetDateTime;

use crate::client::Connection;
use crate::home::{self, DOMAIN, Door, Running, Scratch, free_port};
use crate::project::IMAGE;
use crate::report::{Goal, Row, Samples, Unit};
use crate::rig::Rig;

const MEMORY: &str = "memory of hearth serve, idle, with 50 containers";
const FIRST: &str = "first start of hearth serve, to its first answer over TLS";
const WORK: &str = "hearth serve with 500 certificates of which none is due: share of a core";
/// With Traefik and gate.
const CONTAINERS: usize = 50;
const CERTIFICATES: usize = 500;
/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(60);
/// Between two looks at every certificate.
const EVERY_LOOK: f64 = 600.0;

pub fn rows(rig: &Rig) -> Result<Vec<Row>, String> {
    rig.client().image()?;
    let mut rows = home::measured("first-start", &[FIRST], |s| {
        s.write("hearth.yaml", &format!("name: {}\n", s.project));
        s.write("stacks/.keep", "");
        let mut samples = Samples::default();
        for _ in 0..rig.runs.max(5) * 2 {
            let _ = std::fs::remove_dir_all(s.dir.join("state"));
            let began = Instant::now();
            let serve = Serve::start(s);
            samples.seconds(began.elapsed());
            serve.end(s);
        }
        let row = Row::new(FIRST, Unit::Seconds, samples, Samples::default(), Goal::AtMost(0.3));
        Ok(vec![row.note("the local CA is made; by the clock on the wall, asked every 10 ms")])
    })?;
    rows.extend(home::measured("serving", &[MEMORY], |s| {
        let service = |n: usize| {
            format!(
                "  s{n:02}:\n    image: {IMAGE}\n    command: [sleep, \"1000000\"]\n    stop_signal: SIGKILL\n    profiles: [web]\n    \
                     x-hearth: {{route: {{host: s{n:02}, port: 80, access: lan}}}}\n"
            )
        };
        let all: String = (0..CONTAINERS - 2).map(service).collect();
        let door = Door::new(s, &format!("services:\n{all}"))?;
        door.hearth("up web").ok();
        let there =
            s.docker_args(&["ps", "-q", "--filter", &format!("label=com.docker.compose.project={}", s.project)]);
        assert_eq!(there.out.split_whitespace().count(), CONTAINERS, "containers that run");
        let serve = Serve::start(s);
        for _ in 0..20 {
            for path in ["/", "/health", "/api/v1/info", "/trust"] {
                serve.get(path);
            }
        }
        door.until("panel", 200);
        door.hearth("routes");
        std::thread::sleep(Duration::from_secs(20));
        let mut samples = Samples::default();
        for _ in 0..rig.runs.max(5) {
            samples.add(home::memory(serve.running.pid(), "VmRSS"));
            std::thread::sleep(Duration::from_secs(2));
        }
        let (own, most) = (home::memory(serve.running.pid(), "RssAnon"), home::memory(serve.running.pid(), "VmHWM"));
        serve.end(s);
        let row = Row::new(MEMORY, Unit::Megabytes, samples, Samples::default(), Goal::Each(30.0));
        Ok(vec![row.note(format!(
            "VmRSS after 80 pages and hearth routes; {own:.1} MB are its own, the rest is the program; at most {most:.1} MB"
        ))])
    })?);
    rows.extend(home::measured("certificates", &[WORK], |s| {
        home_with_certificates(s);
        let serve = Serve::start(s);
        let pid = serve.running.pid();
        let file = s.dir.join("state/traefik/dynamic/hearth.yml");
        let served = || std::fs::read_to_string(&file).map_or(0, |text| text.matches("\"certFile\"").count());
        assert!(home::until(Duration::from_secs(60), || served() >= CERTIFICATES), "{} are served", served());
        // The first look at each, and Traefik's file, are behind it when it has been quiet for a while.
        let mut before = home::cpu(pid);
        home::until(Duration::from_secs(60), || {
            std::thread::sleep(Duration::from_secs(5));
            let quiet = home::cpu(pid) - before < 0.1;
            before = home::cpu(pid);
            quiet
        });
        let began = home::cpu(pid);
        std::thread::sleep(WATCHED);
        let idle = (home::cpu(pid) - began) / WATCHED.as_secs_f64();
        let memory = home::memory(pid, "VmRSS");
        serve.end(s);
        let folders = std::fs::read_dir(s.dir.join("state/certs")).expect("it is there").flatten();
        let ordered = folders.filter(|folder| folder.path().join("order.json").exists()).count();
        assert_eq!(ordered, 0, "some were due");
        let share = (idle + began / EVERY_LOOK) * 100.0;
        let row = Row::new(WORK, Unit::Percent, Samples(vec![share]), Samples::default(), Goal::AtMost(1.0));
        Ok(vec![row.note(format!(
            "{:.2} % in a quiet minute, and {began:.1} s for a start, as if each look at all of them (every 10 minutes) cost as much; {memory:.1} MB",
            idle * 100.0
        ))])
    })?);
    Ok(rows)
}

struct Serve {
    running: Running,
    port: u16,
}

impl Serve {
    fn start(s: &Scratch) -> Serve {
        let port = free_port();
        let running = s.hearth_args_start(&["serve", "--listen", &format!("127.0.0.1:{port}"), "--http", "off"], &[]);
        let serve = Serve { running, port };
        assert!(home::until(Duration::from_secs(10), || serve.get("/health") == 200), "it does not answer");
        serve
    }

    /// A page, over a connection of its own; its status.
    fn get(&self, path: &str) -> u16 {
        let asked = Connection::open(([127, 0, 0, 1], self.port).into(), "localhost").and_then(|mut c| c.get(path));
        asked.map_or(0, |(status, _)| status)
    }

    fn end(self, s: &Scratch) {
        self.running.signal(rustix::process::Signal::TERM);
        s.noted(self.running);
    }
}

/// A home in domain mode whose every host has a certificate of its own, three weeks old, by an authority that does not answer.
fn home_with_certificates(s: &Scratch) {
    let directory = format!("https://127.0.0.1:{}/dir", free_port());
    // One is for the panel.
    let hosts: Vec<String> = (1..CERTIFICATES).map(|n| format!("n{n}.bench.home.arpa")).collect();
    let routes: String = hosts
        .iter()
        .zip(1..)
        .map(|(host, n)| format!("  n{n}: {{ host: {host}, url: 'http://192.0.2.1:80', access: public }}\n"))
        .collect();
    s.write(
        "hearth.yaml",
        &format!("name: {}\nmode: domain\nnetworks: 10.93.0.0/18\ncertificates: {{ issuer: acme, ca: '{directory}' }}\nroutes:\n{routes}", s.project),
    );
    s.write(".env", &format!("TZ=Etc/UTC\nPUID={0}\nPGID={0}\nDOMAIN={DOMAIN}\n", rustix::process::getuid().as_raw()));
    s.write("stacks/web.yaml", "services: {}\n");
    s.hearth_args(&["init", "--stacks", ""]).ok();
    let store = Store::open(&s.dir.join("state"), None).expect("a store can be made");
    let now = OffsetDateTime::from(std::time::SystemTime::now());
    let (root, issuer) = authority(now);
    let all = hosts.into_iter().chain([format!("panel.{DOMAIN}")]);
    for host in all {
        let mut params = CertificateParams::new(vec![host.clone()]).expect("a good name");
        params.not_before = now - time::Duration::days(21);
        params.not_after = now + time::Duration::days(69);
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key can be made");
        let leaf = params.signed_by(&key, &*issuer).expect("a certificate can be made").pem();
        let meta = Meta { source: Some(Source::Acme(directory.clone())), public: true, state: None };
        let id = Store::id(&[host], false);
        store.save(&id, &format!("{leaf}{root}"), &Secret::new(key.serialize_pem()), &meta).expect("it can be stored");
    }
}

fn authority(now: OffsetDateTime) -> (String, Arc<Issuer<'static, KeyPair>>) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = now - time::Duration::days(100);
    params.not_after = now + time::Duration::days(1000);
    params.distinguished_name.push(DnType::CommonName, "bench authority");
    let key = KeyPair::generate().expect("a key can be made");
    let root = params.self_signed(&key).expect("a CA can be made").pem();
    (root, Arc::new(Issuer::new(params, key)))
}
