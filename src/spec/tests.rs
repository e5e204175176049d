//! Stacks in memory, from text to what is rendered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::compose::{FileError, Files};

/// Files by path below `/home`.
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        if !path.starts_with("/home") {
            return Err(FileError::Outside);
        }
        self.0.get(path).map(|text| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }
    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path) && file != path)
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        Some(path.to_path_buf())
    }
}

struct Run {
    spec: Option<Spec>,
    /// compose/localhost.yaml
    text: String,
    /// compose/domain.yaml
    domain: String,
    told: Vec<String>,
    hints: Vec<String>,
}

/// Reads and renders; the first part of each pair is a path below the home.
fn run_with(files: &[(&str, &str)], previous: Option<&str>) -> Run {
    run_in(Mode::Localhost, files, previous)
}

fn run_in(mode: Mode, files: &[(&str, &str)], previous: Option<&str>) -> Run {
    let all: BTreeMap<PathBuf, String> =
        files.iter().map(|(path, text)| (Path::new("/home").join(path), text.to_string())).collect();
    let stacks: Vec<StackFile> = all
        .iter()
        .filter(|(path, _)| path.parent() == Some(Path::new("/home/stacks")))
        .map(|(path, text)| StackFile {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            path: path.clone(),
            text: text.clone(),
        })
        .collect();
    let mut sources = Sources::default();
    let mut told = Diagnostics::default();
    let spec = read(Path::new("/home"), &stacks, &Memory(all), &mut sources, &mut told);
    let settings = Settings {
        project: "home",
        mode,
        range: "10.213.0.0/16".parse().unwrap(),
        previous: previous.into_iter().collect(),
        traefik: &crate::traefik::statics::Settings::default(),
        outside: &[],
    };
    let rendered = spec.as_ref().and_then(|spec| render(spec, &settings, &mut told));
    let shown = |d: &Diagnostic| {
        let file = |p: Span| sources.path(p.file).strip_prefix("/home").unwrap().display().to_string();
        d.place.map_or(d.code.to_string(), |p| format!("{} {}:{}:{}", d.code, file(p), p.line, p.column))
    };
    let file = |name: &str| rendered.as_ref().and_then(|r| r.files.get(Path::new(name)).cloned()).unwrap_or_default();
    Run {
        text: file(LOCALHOST),
        domain: file(DOMAIN),
        spec,
        told: told.0.iter().map(shown).collect(),
        hints: told.0.iter().flat_map(|d| d.hints.clone()).collect(),
    }
}

fn run(files: &[(&str, &str)]) -> Run {
    run_with(files, None)
}

/// One stack; the text below `services:`.
fn one(services: &str) -> Run {
    run(&[("stacks/media.yaml", &format!("services:\n{services}"))])
}

fn networks_of(run: &Run, service: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let file = sources.add("r.yaml", run.text.clone());
    let tree = crate::compose::yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0);
    match tree.at(&["services", service, "networks"]).map(|n| &n.value) {
        Some(crate::compose::tree::Value::Seq(items)) => {
            items.iter().filter_map(Node::as_str).map(str::to_string).collect()
        }
        Some(crate::compose::tree::Value::Map(map)) => map.0.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

#[test]
fn what_is_rendered_is_plain_compose_with_everything_written_out() {
    let run = one(
        "  web:\n    image: nginx:1.27\n    profiles: [media]\n    x-hearth:\n      localhost: {port: 7001, target: 80}\n      update: {window: 20s}\n",
    );
    assert_eq!(run.told, Vec::<String>::new());
    let subnet = run.text.split("subnet: ").nth(1).unwrap().lines().next().unwrap();
    assert_eq!(
        run.text,
        format!(
            "{HEADER}services:\n  # stacks/media.yaml\n  web:\n    image: nginx:1.27\n    profiles:\n      - media\n    networks:\n      - media\n    ports:\n      - \"127.0.0.1:7001:80\"\n    x-hearth:\n      update:\n        window: 20s\nnetworks:\n  media:\n    ipam:\n      config:\n        - subnet: {subnet}\n"
        )
    );
}

#[test]
fn variables_stay_as_they_are_written() {
    let text = "  a:\n    image: x:${TAG:-1}\n    environment: {A: \"${B:?it's needed}\", C: $D}\n    volumes: ['${M:-./m}/x:/x:ro']\n    mem_limit: ${MEM:-1g}\n";
    let run = one(text);
    assert_eq!(run.told, Vec::<String>::new());
    for part in ["x:${TAG:-1}", "${B:?it's needed}", "C: $D", "${M:-./m}/x:/x:ro", "${MEM:-1g}"] {
        assert!(run.text.contains(part), "{part}\n{}", run.text);
    }
}

#[test]
fn a_key_in_two_stacks_is_told_with_both_places() {
    let run = run(&[
        ("stacks/a.yaml", "services:\n  web: {image: 'x:1'}\nvolumes: {data: {}}\n"),
        ("stacks/b.yaml", "services:\n  db: {image: 'x:1'}\n  web: {image: 'y:1'}\nvolumes: {data: {}}\n"),
    ]);
    assert!(run.spec.is_none());
    assert_eq!(run.told, ["spec.twice stacks/b.yaml:3:3", "spec.twice stacks/b.yaml:4:11"]);
}

#[test]
fn what_a_stack_may_not_say_is_refused_in_place() {
    let run = run(&[
        ("stacks/Bad Name.yaml", "services: {}\n"),
        (
            "stacks/a.yaml",
            "name: mine\nx-hearth: {titel: A}\nservices:\n  web:\n    imgae: x:1\n    labels: {traefik.enable: 'true'}\n    depends_on: [dbb]\n  db: {image: 'x:1', labels: ['traefik.http.x=1'], x-hearth: {raw-labels: true}}\n",
        ),
    ]);
    assert_eq!(
        run.told,
        [
            "spec.bad-stack-name stacks/Bad Name.yaml:1:1",
            "compose.unknown-key stacks/a.yaml:5:5",
            "spec.name-in-stack stacks/a.yaml:1:1",
            "spec.unknown-key stacks/a.yaml:2:12",
            "spec.raw-label stacks/a.yaml:6:14",
            "traefik.unknown-label stacks/a.yaml:8:31",
            "spec.unknown-service stacks/a.yaml:7:18",
        ]
    );
    assert!(run.hints.contains(&"did you mean `title`?".to_string()));
    assert!(run.hints.contains(&"did you mean `db`?".to_string()));
}

#[test]
fn profiles_close_over_what_a_service_needs() {
    let run = one("  app: {image: 'x:1', profiles: [media], depends_on: [db], network_mode: 'service:vpn'}\n\
         \x20 db: {image: 'x:1', profiles: [databases], depends_on: [disk]}\n\
         \x20 disk: {image: 'x:1', profiles: [files]}\n\
         \x20 vpn: {image: 'x:1', profiles: [net]}\n\
         \x20 nice: {image: 'x:1', profiles: [more], depends_on: {free: {condition: service_started, required: false}}}\n\
         \x20 free: {image: 'x:1', profiles: [other]}\n\
         \x20 base: {image: 'x:1'}\n");
    assert_eq!(run.told, Vec::<String>::new());
    let spec = run.spec.unwrap();
    let profiles = |name: &str| spec.services[name].profiles.join(",");
    assert_eq!(profiles("db"), "databases,media");
    assert_eq!(profiles("disk"), "files,databases,media");
    assert_eq!(profiles("vpn"), "net,media");
    assert_eq!(profiles("free"), "other");
    assert_eq!(profiles("base"), "");
}

#[test]
fn what_an_always_on_service_needs_is_always_on_and_told() {
    let run = one("  app: {image: 'x:1', links: ['db:sql']}\n  db: {image: 'x:1', profiles: [databases]}\n");
    assert_eq!(run.told, ["lint.always-on stacks/media.yaml:2:31"]);
    assert!(!run.text.contains("profiles"));
}

#[test]
fn a_service_that_only_others_reach_is_alone_with_them() {
    let run = run(&[
        (
            "stacks/media.yaml",
            "services:\n  app: {image: 'x:1', depends_on: [db, job, proxy], ports: ['80:80']}\n  db: {image: 'x:1'}\n  job: {image: 'x:1'}\n  proxy: {image: 'x:1', x-hearth: {internet: true}}\n  other: {image: 'x:1'}\n",
        ),
        ("stacks/files.yaml", "services:\n  cloud: {image: 'x:1', depends_on: [db, app]}\n"),
    ]);
    assert_eq!(run.told, Vec::<String>::new());
    assert_eq!(networks_of(&run, "db"), ["db-clients"]);
    assert_eq!(networks_of(&run, "proxy"), ["media", "proxy-clients"]);
    assert_eq!(networks_of(&run, "other"), ["media"]);
    assert_eq!(networks_of(&run, "app"), ["app-clients", "db-clients", "job-clients", "media", "proxy-clients"]);
    // Of another stack, it meets the published service on a network of their own.
    assert_eq!(networks_of(&run, "cloud"), ["app-clients", "db-clients", "files"]);
    let internal = run.text.matches("internal: true").count();
    assert_eq!(internal, 4, "{}", run.text);
}

#[test]
fn a_job_that_ran_before_is_no_server() {
    let run = one(
        "  app: {image: 'x:1', depends_on: {job: {condition: service_completed_successfully}}}\n  job: {image: 'x:1'}\n",
    );
    assert_eq!(networks_of(&run, "job"), ["media"]);
}

#[test]
fn who_shares_a_network_has_neither_ports_nor_networks() {
    let run = one("  vpn: {image: 'x:1'}\n\
         \x20 app: {image: 'x:1', network_mode: 'service:vpn', depends_on: [db], x-hearth: {localhost: {port: 7002, target: 80}}}\n\
         \x20 db: {image: 'x:1'}\n\
         \x20 host: {image: 'x:1', network_mode: host, depends_on: [db]}\n");
    assert_eq!(run.told, Vec::<String>::new());
    assert_eq!(networks_of(&run, "vpn"), ["db-clients", "media"]);
    assert!(networks_of(&run, "app").is_empty() && networks_of(&run, "host").is_empty());
    let vpn = run.text.split("  vpn:").nth(1).unwrap().split("  app:").next().unwrap();
    assert!(vpn.contains("127.0.0.1:7002:80"), "{}", run.text);
}

#[test]
fn what_a_stack_writes_itself_stays() {
    let run = one("  a: {image: 'x:1', networks: {back: {aliases: [aa]}, default: {}}, depends_on: [b]}\n\
         \x20 b: {image: 'x:1', networks: [back]}\n\
         networks:\n  back: {driver_opts: {x: z}}\n  out: {external: true}\n  mine: {ipam: {config: [{subnet: 10.99.0.0/24}]}}\n");
    assert_eq!(run.told, Vec::<String>::new());
    assert_eq!(networks_of(&run, "a"), ["back", "media"]);
    assert_eq!(networks_of(&run, "b"), ["back"]);
    assert!(run.text.contains("driver_opts:\n      x: z\n    ipam:"), "{}", run.text);
    assert!(run.text.contains("  out:\n    external: true\n"));
    assert!(run.text.contains("- subnet: 10.99.0.0/24\n"));
}

#[test]
fn a_generated_network_cannot_be_taken() {
    let run = one("  a: {image: 'x:1', depends_on: [db]}\n  db: {image: 'x:1'}\nnetworks: {db-clients: {}}\n");
    assert_eq!(run.told, ["spec.reserved-network stacks/media.yaml:4:12"]);
}

fn subnets(text: &str) -> BTreeMap<String, String> {
    let mut sources = Sources::default();
    let file = sources.add("r.yaml", text);
    let tree = crate::compose::yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0);
    let networks = tree.get("networks").and_then(Node::as_map).unwrap().clone();
    let subnet = |node: &Node| networks::written_subnets(node).first().unwrap().to_string();
    networks.iter().map(|(key, node)| (key.clone(), subnet(node))).collect()
}

#[test]
fn adding_stacks_renumbers_nothing() {
    let stack = |n: usize| {
        let text = format!("services:\n  app{n}: {{image: 'x:1', depends_on: [db{n}]}}\n  db{n}: {{image: 'x:1'}}\n");
        (format!("stacks/s{n}.yaml"), text)
    };
    let mut previous: Option<String> = None;
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    // From the end, so that every new name sorts before those that are there.
    for count in 1..=60 {
        let files: Vec<(String, String)> = (61 - count..=60).map(stack).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let run = run_with(&files, previous.as_deref());
        assert_eq!(run.told, Vec::<String>::new());
        let now = subnets(&run.text);
        for (key, subnet) in &known {
            assert_eq!(&now[key], subnet, "{key} after {count} stacks");
        }
        let mut all: Vec<Cidr> = now.values().map(|s| s.parse().unwrap()).collect();
        all.sort();
        assert!(all.windows(2).all(|w| !w[0].overlaps(w[1])));
        known = now;
        previous = Some(run.text);
    }
    assert_eq!(known.len(), 120);
}

#[test]
fn a_range_without_room_is_told() {
    let files: Vec<(String, String)> =
        (0..129).map(|n| (format!("stacks/s{n}.yaml"), format!("services: {{app{n}: {{image: 'x:1'}}}}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    // 128 pieces, one of them for the front door.
    let told = run(&files).told;
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("spec.range-full stacks/"));
}

#[test]
fn extends_and_includes_are_written_out_and_their_paths_start_from_the_home() {
    let run = run(&[
        (
            "stacks/media.yaml",
            "include: [stacks/parts/extra.yaml]\nservices:\n  web:\n    extends: {file: stacks/parts/base.yaml, service: base}\n    environment: {B: '2'}\n    ports: !override ['81:81']\n  twin:\n    extends: web\n    image: y:1\n",
        ),
        (
            "stacks/parts/base.yaml",
            "services:\n  root:\n    image: x:${TAG:-1}\n    volumes: ['./data:/data']\n    ports: ['80:80']\n  base:\n    extends: root\n    environment: ['A=1']\n    x-hearth: {internet: true}\n",
        ),
        ("stacks/parts/extra.yaml", "services:\n  side: {image: 'z:1', env_file: side.env}\nvolumes: {v: {}}\n"),
    ]);
    assert_eq!(run.told, Vec::<String>::new());
    assert!(!run.text.contains("extends") && !run.text.contains("include"));
    let web = run.text.split("  web:").nth(1).unwrap().split("  twin:").next().unwrap();
    assert!(web.contains("image: x:${TAG:-1}") && web.contains("- ./stacks/parts/data:/data"), "{web}");
    assert!(web.contains("- A=1\n      - B=2") && web.contains("- \"81:81\"") && !web.contains("80:80"), "{web}");
    assert!(run.text.contains("env_file: ./stacks/parts/side.env"), "{}", run.text);
    assert!(run.spec.unwrap().services["web"].keys.internet);
}

#[test]
fn what_cannot_be_flattened_is_refused_in_words() {
    for (text, code) in [
        ("include: ['https://x/y.yaml']\n", "compose.remote"),
        ("include: ['${F}.yaml']\n", "spec.variable-file"),
        ("include: [../../etc/x.yaml]\n", "compose.file-outside"),
        ("include: [gone.yaml]\n", "compose.file-not-found"),
        ("include: [{path: parts/a.yaml, env_file: x.env}]\n", "spec.second-env"),
        ("include: [parts/env/a.yaml]\n", "spec.second-env"),
        ("include: [parts/circle.yaml]\n", "compose.include-cycle"),
        ("services: {a: {extends: b}, b: {extends: a}}\n", "compose.extends-cycle"),
        ("services: {a: {extends: {file: parts/a.yaml, service: gone}}}\n", "compose.extends-no-service"),
        ("services: {a: {extends: {file: parts/a.yaml, service: rel}}}\n", "spec.variable-path"),
    ] {
        let run = run(&[
            ("stacks/a.yaml", text),
            ("parts/a.yaml", "services: {rel: {image: 'x:1', volumes: ['${M}/x:/x']}}\n"),
            ("parts/env/a.yaml", "services: {q: {image: 'x:1'}}\n"),
            ("parts/env/.env", "A=1\n"),
            ("parts/circle.yaml", "include: [circle2.yaml]\n"),
            ("parts/circle2.yaml", "include: [circle.yaml]\n"),
        ]);
        assert!(run.told.iter().any(|t| t.starts_with(code)), "{text}: {:?}", run.told);
        assert!(run.told.iter().all(|t| t.contains(':')), "{:?}", run.told);
    }
}

#[test]
fn one_port_for_two_services_is_told_unless_they_never_meet() {
    let run = one("  a: {image: 'x:1', profiles: [p], x-hearth: {localhost: {port: 7001, target: 80}}}\n\
         \x20 b: {image: 'x:1', profiles: [p], x-hearth: {localhost: {port: 7001, target: 80}}}\n\
         \x20 c: {image: 'x:1', profiles: [q], x-hearth: {localhost: {port: 7001, target: 80}}}\n\
         \x20 d: {image: 'x:1', profiles: [p], x-hearth: {localhost: {port: 7001, target: 80, protocol: udp}}}\n\
         \x20 e: {image: 'x:1', profiles: [p], ports: ['7001:1'], x-hearth: {localhost: {port: 7002, target: 80, bind: '::1'}}}\n");
    let codes: Vec<&str> = run.told.iter().map(|t| t.split(' ').next().unwrap()).collect();
    assert_eq!(codes, ["spec.port-twice", "spec.port-twice"]);
}

#[test]
fn the_order_of_the_input_changes_nothing() {
    let a = ("stacks/a.yaml", "services:\n  web: {image: 'x:1', depends_on: [db]}\n");
    let b = ("stacks/b.yaml", "services:\n  db: {image: 'x:1'}\n");
    let together = run(&[a, b]).text;
    assert_eq!(together, run(&[b, a]).text);
    assert_eq!(together, run_with(&[a, b], Some(&together)).text);
}

/// A piece of a rendered file, as a tree.
fn at<'a>(tree: &'a Node, path: &[&str]) -> Option<&'a Node> {
    tree.at(path)
}

fn tree(text: &str) -> Node {
    let mut sources = Sources::default();
    let file = sources.add("r.yaml", text);
    crate::compose::yaml::parse(file, &sources, &mut Diagnostics::default()).remove(0)
}

const ROUTED: &str = "services:
  web:
    image: x:1
    profiles: [media]
    depends_on: [db]
    labels: { mine: '1' }
    x-hearth: { route: { host: media, port: 8096, access: lan }, localhost: 7096 }
  db: { image: x:1, profiles: [media] }
";

#[test]
fn domain_mode_has_labels_and_traefik_on_the_stacks_network_and_no_ports() {
    let run = run(&[
        ("stacks/media.yaml", ROUTED),
        ("stacks/other.yaml", "services:\n  lone: {image: 'x:1', profiles: [other]}\n"),
    ]);
    assert_eq!(run.told, Vec::<String>::new());
    let domain = tree(&run.domain);
    let labels = at(&domain, &["services", "web", "labels"]).unwrap();
    let rule = labels.get("traefik.http.routers.home-web.rule").and_then(Node::as_str).unwrap();
    assert!(rule.starts_with("Host(`media.${DOMAIN:?"), "{rule}");
    assert_eq!(labels.get("traefik.docker.network").and_then(Node::as_str), Some("home_media"));
    assert_eq!(labels.get("mine").and_then(Node::as_str), Some("1"), "labels of the stack stay");
    assert!(at(&domain, &["services", "web", "ports"]).is_none());
    let list = |path: &[&str]| -> Vec<String> {
        let items = at(&domain, path).and_then(Node::as_seq).unwrap_or_default();
        items.iter().filter_map(Node::as_str).map(str::to_string).collect()
    };
    // Not `other`, which has no route, nor `db-clients`.
    assert_eq!(list(&["services", "traefik", "networks"]), ["core", "gate-clients", "media"]);
    // An address for good, which Traefik's hosts file names: whatever others call themselves, it is gate.
    let gate = at(&domain, &["services", "gate", "networks", "gate-clients", "ipv4_address"]).and_then(Node::as_str);
    assert_eq!(list(&["services", "traefik", "extra_hosts"])[1], format!("gate.hearth.internal:{}", gate.unwrap()));
    assert_eq!(list(&["services", "traefik", "profiles"]), ["core", "media"]);
    assert_eq!(list(&["services", "db", "networks"]), ["db-clients"]);
    // Localhost mode knows nothing of it.
    for word in ["traefik", "gate", "core"] {
        assert!(!run.text.contains(word), "{word} in {}", run.text);
    }
    assert_eq!(networks_of(&run, "web"), ["db-clients", "media"]);
}

#[test]
fn the_networks_of_the_front_door_are_joined_by_nobody_else() {
    let spy = "services:
  spy: {image: 'x:1', networks: [core, gate-clients]}
  other: {image: 'x:1', networks: {gate-clients: {aliases: [gate]}}}
networks: {core: {}, gate-clients: {}}
";
    let run = run_in(Mode::Domain, &[("stacks/spy.yaml", spy)], None);
    assert_eq!(run.told.len(), 5, "{:?}", run.told);
    assert!(run.told.iter().all(|told| told.starts_with("spec.reserved-network stacks/spy.yaml:")), "{:?}", run.told);
}

#[test]
fn both_modes_give_every_network_the_same_addresses() {
    let run = run(&[("stacks/media.yaml", ROUTED)]);
    let (local, domain) = (tree(&run.text), tree(&run.domain));
    for (key, node) in at(&local, &["networks"]).and_then(Node::as_map).unwrap().iter() {
        assert_eq!(Some(plain_text(node)), at(&domain, &["networks", key]).map(plain_text), "{key}");
    }
}

fn plain_text(node: &Node) -> String {
    format!(
        "{:?}",
        node.at(&["ipam", "config"]).and_then(Node::as_seq).and_then(|s| s[0].get("subnet")).and_then(Node::as_str)
    )
}

#[test]
fn two_routes_for_one_name_are_told_with_both_places() {
    let two = "services:
  a: {image: 'x:1', x-hearth: {route: {host: media, port: 80}}}
  b:
    image: x:1
    x-hearth:
      route:
        - {host: [other, media], port: 80}
        - {host: media, port: 80, path: /b}
        - {tcp: 443, port: 443, access: public}
        - {tcp: 8082, port: 1, access: public}
        - {tcp: 8083, port: 1, access: public}
        - {udp: 8083, port: 1, access: public}
";
    let run = run(&[("stacks/media.yaml", two)]);
    assert_eq!(run.told, [7, 9, 10, 11].map(|line| format!("spec.route-twice stacks/media.yaml:{line}:12")));
}

#[test]
fn every_route_of_a_host_with_a_path_takes_plain_paths_only() {
    let text = "services:
  site: {image: 'x:1', x-hearth: {route: {host: [site, other], port: 80}}}
  api: {image: 'x:1', x-hearth: {route: {host: 'site.${DOMAIN}', port: 80, path: /api}}}
  cloud: {image: 'x:1', x-hearth: {route: {host: cloud, port: 80}}}
";
    let run = run_in(Mode::Domain, &[("stacks/media.yaml", text)], None);
    assert_eq!(run.told, Vec::<String>::new());
    let chains = run.domain.lines().filter(|line| line.contains(".middlewares:"));
    let plain: Vec<bool> = chains.map(|line| line.contains("plain-path@file,")).collect();
    assert_eq!(plain, [true, true, false], "{}", run.domain);
}

#[test]
fn names_that_domain_mode_needs_are_refused_there_only() {
    let own = [("stacks/core.yaml", "services:\n  traefik: {image: 'x:1'}\n")];
    assert_eq!(run(&own).told, Vec::<String>::new());
    assert_eq!(run(&own).domain, "", "what could not work is not written");
    let mut told = run_in(Mode::Domain, &own, None).told;
    told.sort();
    assert_eq!(told, ["spec.reserved-service stacks/core.yaml:2:3", "spec.reserved-stack stacks/core.yaml:1:1"]);
}

#[test]
fn a_service_on_no_network_cannot_be_routed_and_one_on_the_machines_is_reached_there() {
    let text = "services:
  alone: {image: 'x:1', network_mode: none, x-hearth: {route: {host: a, port: 80}}}
  house: {image: 'x:1', network_mode: host, x-hearth: {route: {host: b, port: 8123}}}
  vpn: {image: 'x:1'}
  torrent: {image: 'x:1', network_mode: 'service:vpn', x-hearth: {route: {host: c, port: 8080}}}
";
    let files = [("stacks/media.yaml", text)];
    assert_eq!(run_in(Mode::Domain, &files, None).told, ["spec.no-shared-network stacks/media.yaml:2:64"]);
    let without = text.replace("network_mode: none, ", "");
    let run = run_in(Mode::Domain, &[("stacks/media.yaml", &without)], None);
    assert_eq!(run.told, Vec::<String>::new());
    let domain = tree(&run.domain);
    assert!(at(&domain, &["services", "house", "labels"]).is_none());
    let network = at(&domain, &["services", "torrent", "labels"]).and_then(|l| l.get("traefik.docker.network"));
    assert_eq!(network.and_then(Node::as_str), Some("home_media"));
}

#[test]
fn labels_that_a_stack_may_write_itself_are_listed_as_its_own() {
    let text = "services:
  web:
    image: x:1
    labels: ['traefik.enable=true', 'traefik.http.routers.w.rule=Host(`w.org`)', 'traefik.http.routers.w.entrypoints=web', 'other=1']
    x-hearth: {raw-labels: true}
";
    let run = run(&[("stacks/media.yaml", text)]);
    let domain = tree(&run.domain);
    let labels: Vec<&str> = at(&domain, &["services", "web", "labels"])
        .and_then(Node::as_seq)
        .unwrap()
        .iter()
        .filter_map(Node::as_str)
        .collect();
    assert_eq!(labels.last(), Some(&"hearth.traefik=enable http.routers.w.entrypoints http.routers.w.rule"));
    assert_eq!(labels.len(), 5);
}

#[test]
fn labels_that_a_stack_may_write_itself_are_judged_as_traefik_would() {
    let text = "services:
  web:
    image: x:1
    labels:
      traefik.enable: true
      traefik.http.routers.w.rule: 'Host(`w.${DOMAIN}`) && PathRegexp(`x$$`)'
      traefik.http.routers.w.entrypoints: websecure
      traefik.http.routers.w.tls: maybe
      traefik.http.services.w.loadbalancer.server.port: ${PORT}
      traefik.http.services.w.loadbalancer.server.ports: 80
    x-hearth: {raw-labels: true}
  list:
    image: x:1
    labels: ['traefik.enable=true', 'traefik.http.routers.${NAME}.rule=x', 'traefik.http.routers.l.rule=Hots(`a`)', 'traefik.http.routers.l.entrypoints=web']
    deploy: {labels: {traefik.foo: 1, 'traefik.http.routers.a b.rule': x}}
    x-hearth: {raw-labels: true}
  routed:
    image: x:1
    labels: {traefik.http.middlewares.m.addprefix.prefix: /x}
    x-hearth: {raw-labels: true, route: {host: a, port: 80, access: lan}}
";
    let run = run(&[("stacks/media.yaml", text)]);
    assert_eq!(
        run.told,
        [
            "traefik.bad-value stacks/media.yaml:8:35",
            "traefik.unknown-label stacks/media.yaml:10:7",
            "traefik.bad-key stacks/media.yaml:14:37",
            "traefik.bad-rule stacks/media.yaml:14:76",
            "traefik.bad-key stacks/media.yaml:15:39",
            "traefik.ignored-label stacks/media.yaml:15:23",
        ]
    );
    assert!(run.hints.contains(&"did you mean `port`?".to_string()));
}
