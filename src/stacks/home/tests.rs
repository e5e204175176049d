//! A home in a temporary folder, from stacks to the loaded project.

use super::*;
use crate::args::Global;
use crate::compose::Loaded;
use crate::stacks::{Given, Loading};

fn home(files: &[(&str, &str)]) -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let base = [("hearth.yaml", "name: h\n")];
    for (path, text) in base.iter().filter(|(path, _)| !files.iter().any(|(p, _)| p == path)).chain(files) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::create_dir_all(root.join("stacks")).unwrap();
    let home = Home::open(root).unwrap_or_else(|r| panic!("{:?}", r.diagnostics));
    (dir, home)
}

fn codes(told: &Diagnostics, sources: &Sources) -> Vec<String> {
    let one = |d: &Diagnostic| {
        let place = d.place.map(|p| {
            let file = sources.path(p.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!("{file}:{}:{}", p.line, p.column)
        });
        format!("{} {}", d.code, place.unwrap_or_default())
    };
    told.0.iter().map(one).collect()
}

fn load(home: &Home, environment: &[(&str, &str)]) -> (Loaded, Vec<String>) {
    let global = Global { compat: Some(crate::args::CompatArg::Two), ..Global::default() };
    let environment = environment.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let given = Given { global, cwd: home.dir.clone(), environment };
    let read = home.read().unwrap_or_else(|r| panic!("{:?}", codes(&r.diagnostics, &r.sources)));
    let loaded = home.load(&read, &given, &Loading::default(), Some(&["*".to_string()]));
    let told = codes(&loaded.diagnostics, &loaded.sources);
    (loaded, told)
}

#[test]
fn mistakes_that_only_loading_finds_point_into_the_stack() {
    let stack = "\
services:
  web:
    image: nginx:1.27
    ports:
      - \"${PORT:-http}:80\"
    environment:
      KEY: ${KEY:?a key}
  other:
    image: nginx:1.27
    mem_limit: lots
";
    let (_dir, home) = home(&[("stacks/media.yaml", stack)]);
    let (loaded, told) = load(&home, &[]);
    assert!(loaded.project.is_none());
    assert_eq!(
        told,
        [
            "compose.missing-variable media.yaml:7:12",
            "compose.bad-port media.yaml:5:9",
            "compose.bad-value media.yaml:10:16"
        ]
    );
}

#[test]
fn a_loaded_home_is_what_compose_would_load() {
    let stack = "\
services:
  web:
    image: nginx:1.27
    profiles: [media]
    depends_on: [db]
    volumes: ['./data:/data']
    x-hearth: {localhost: {port: 7001, target: 80}}
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: '${DB_PASSWORD:?}'}
";
    let (_dir, home) = home(&[("stacks/media.yaml", stack), (".env", "DB_PASSWORD=kT9x2fQQ1\n")]);
    let (loaded, told) = load(&home, &[]);
    assert_eq!(told, Vec::<String>::new());
    let project = loaded.project.unwrap();
    assert_eq!(project.name, "h");
    assert_eq!(project.working_dir, home.dir);
    assert_eq!(project.config_files, [home.dir.join("compose.yaml")]);
    assert_eq!(project.services["web"].ports[0].published, "7001");
    assert_eq!(project.services["web"].volumes[0].source, home.dir.join("data").to_string_lossy());
    assert_eq!(project.services["db"].networks.keys().collect::<Vec<_>>(), ["db-clients"]);
    assert!(project.networks["db-clients"].internal);
    let place = project.places["services.web"];
    assert_eq!(loaded.sources.path(place.file), home.dir.join("stacks/media.yaml"));
}

#[test]
fn placeholders_for_required_secrets_are_refused_where_they_stand() {
    let stack = "services: {db: {image: 'postgres:17', environment: {P: '${DB_PASSWORD:?}', Q: '${NAME:?}'}}}\n";
    let (_dir, home) = home(&[("stacks/a.yaml", stack), (".env", "NAME=example\n\nDB_PASSWORD=changeme\n")]);
    let (loaded, told) = load(&home, &[]);
    assert!(loaded.project.is_none());
    assert_eq!(told, ["home.placeholder .env:3:1"]);
    assert!(!format!("{:?}", loaded.diagnostics.0[0]).contains("changeme"));
    let (story, _) = (&loaded.diagnostics.0[0].related[0], ());
    assert_eq!(loaded.sources.path(story.0.file), home.dir.join("stacks/a.yaml"));
}

#[test]
fn hostile_24_exported_variables_that_differ_are_told_and_do_not_count() {
    let stack = "services: {a: {image: 'x:1', environment: {A: '${A}', B: '${B:-d}', C: '${C:-c}'}}}\n";
    let (_dir, home) = home(&[("stacks/a.yaml", stack), (".env", "A=1\nB=2\n")]);
    let (loaded, told) = load(&home, &[("A", "9"), ("B", "2"), ("C", "3"), ("UNRELATED", "x")]);
    assert_eq!(told, ["home.exported-variable .env:1:1", "home.exported-variable "]);
    let environment = &loaded.project.unwrap().services["a"].environment;
    assert_eq!(environment["A"].as_deref(), Some("1"));
    assert_eq!(environment["C"].as_deref(), Some("c"));
}

#[test]
fn what_leads_compose_elsewhere_is_refused() {
    let stack = "services: {a: {image: 'x:1'}}\n";
    let (_dir, home) =
        home(&[("stacks/a.yaml", stack), (".env", "COMPOSE_PROJECT_NAME=h\nCOMPOSE_DISABLE_ENV_FILE=0\n")]);
    assert_eq!(load(&home, &[]).1, ["home.env-redirects .env:2:1"]);
}

#[test]
fn labels_for_traefik_are_refused_wherever_they_come_from() {
    let stack =
        "services: {a: {image: 'x:1', labels: ['${L:-traefik.enable}=true']}, b: {image: 'x:1', label_file: l.env}}\n";
    let (_dir, home) = home(&[("stacks/a.yaml", stack), ("l.env", "traefik.http.x=1\n")]);
    let (_, told) = load(&home, &[]);
    assert_eq!(told.iter().filter(|t| t.starts_with("spec.raw-label a.yaml:1:")).count(), 2, "{told:?}");
}

#[test]
fn labels_that_a_stack_may_write_itself_are_judged_with_their_values() {
    let stack = "\
x-router: &router {traefik.enable: true, traefik.http.routers.r.rule: 'Host(`a.$D`)', traefik.http.routers.r.entrypoints: web}
services:
  a:
    image: x:1
    labels: {<<: *router, traefik.http.services.a.loadbalancer.server.port: '${PORT}'}
    x-hearth: {raw-labels: true}
  b:
    image: x:1
    labels: {<<: *router, traefik.http.services.b.loadbalancer.server.port: 80}
    x-hearth: {raw-labels: true}
";
    let (_dir, home) = home(&[("stacks/a.yaml", stack), (".env", "D=example.org\nPORT=high\n")]);
    let (loaded, told) = load(&home, &[]);
    assert_eq!(told, ["traefik.bad-value a.yaml:5:5", "traefik.conflict a.yaml:9:5"]);
    let title = &loaded.diagnostics.0[1].title;
    assert_eq!(title, "the router `r` has another `service` in `b` than in `a`: Traefik would serve neither");
}

#[test]
fn labels_of_a_stack_take_no_host_of_a_route_nor_the_panels() {
    let labels = |host: &str| {
        format!(
            "labels: {{traefik.enable: true, traefik.http.routers.r-{host}.rule: 'Host(`{host}.${{DOMAIN}}`)', traefik.http.routers.r-{host}.entrypoints: web, traefik.http.services.s-{host}.loadbalancer.server.port: 80}}"
        )
    };
    let stack = format!(
        "services:\n  a:\n    image: x:1\n    x-hearth: {{route: {{host: a, port: 80, access: admin}}}}\n  b:\n    image: x:1\n    {}\n    x-hearth: {{raw-labels: true}}\n  c:\n    image: x:1\n    {}\n    x-hearth: {{raw-labels: true}}\n",
        labels("a"),
        labels("panel")
    );
    let (_dir, home) = home(&[("stacks/a.yaml", &stack), (".env", "DOMAIN=example.org\n")]);
    let (loaded, told) = load(&home, &[]);
    assert_eq!(told, ["traefik.host-taken a.yaml:7:5", "traefik.host-taken a.yaml:11:5"]);
    let related: Vec<u32> = loaded.diagnostics.0.iter().flat_map(|d| &d.related).map(|(span, _)| span.line).collect();
    assert_eq!(related, [4], "the route's place is told too");
}

#[test]
fn profiles_are_recorded_in_both_files_and_a_hand_edit_is_seen() {
    let stack = "services: {a: {image: 'x:1', profiles: [media]}, b: {image: 'x:1', profiles: [files]}}\n";
    let (_dir, mut home) =
        home(&[("stacks/a.yaml", stack), ("hearth.yaml", "# mine\nname: h\nprofiles: [] # none\n"), (".env", "A=1\n")]);
    assert_eq!(home.hand_edit(), None);
    let read = home.read().unwrap_or_else(|_| panic!("reads"));
    assert!(home.check_profiles(&read, &["media".into()]).is_ok());
    let wrong = home.check_profiles(&read, &["medai".into()]).unwrap_err();
    assert_eq!(wrong.hints, ["did you mean `media`?"]);
    assert!(home.set_profiles(|now| now.with(&["media".into()])).unwrap());
    let text = |name: &str| std::fs::read_to_string(home.dir.join(name)).unwrap();
    assert_eq!(text("hearth.yaml"), "# mine\nname: h\nprofiles: [media] # none\n");
    assert_eq!(text(".env"), "A=1\nCOMPOSE_PROFILES=media\n");
    std::fs::write(home.dir.join(".env"), "A=1\nCOMPOSE_PROFILES=files\n").unwrap();
    let edit = home.hand_edit().unwrap();
    assert_eq!((edit.recorded, edit.in_env), (vec!["media".to_string()], vec!["files".to_string()]));
}

#[test]
fn a_home_is_found_from_below_and_a_missing_one_is_told() {
    let (_dir, home) = home(&[("stacks/deep/x", "")]);
    assert_eq!(Home::find(None, &home.dir.join("stacks/deep")).unwrap().unwrap().dir, home.dir);
    assert_eq!(Home::find(Some(Path::new(".")), &home.dir).unwrap().unwrap().dir, home.dir);
    assert_eq!(Home::find(Some(Path::new("stacks")), &home.dir).unwrap_err().diagnostics.exit_code(), 3);
}

#[test]
fn profiles_that_another_command_turned_on_meanwhile_stay_on() {
    let stack = "services:\n  a: {image: x:1, profiles: [a]}\n  b: {image: x:1, profiles: [b]}\n";
    let (_dir, home) = home(&[("stacks/s.yaml", stack)]);
    let out = Out::new(crate::cli::ColorArg::Never, true, home.dir.clone());
    let target = crate::stacks::Target::find(&Global::default(), &out).unwrap_or_else(|_| panic!("a home is found"));
    home.clone().set_profiles(|now| now.with(&["a".into()])).unwrap();
    target.settle(&crate::stacks::target::Change::On(vec!["b".into()]), false, &out).unwrap();
    let now = Home::open(home.dir.clone()).unwrap_or_else(|r| panic!("{:?}", r.diagnostics));
    assert_eq!((now.config.profiles.join(","), now.hand_edit()), ("a,b".into(), None));
}

#[test]
fn of_edits_of_one_moment_none_is_lost() {
    let (_dir, home) = home(&[("hearth.yaml", "name: h # mine\nprofiles: []\n"), (".env", "A=1\n")]);
    // All have looked at the home before any of them edits it, as processes do.
    std::thread::scope(|scope| {
        for n in 0..12 {
            let mut home = home.clone();
            scope.spawn(move || match n % 3 {
                0 => {
                    let record = config::Adopted {
                        directory: format!("/srv/{n}"),
                        files: vec!["c.yaml".into()],
                        ..Default::default()
                    };
                    home.edit_config(|text| config::set_adopted(text, &format!("p{n}"), &record)).unwrap();
                }
                _ => assert!(home.set_profiles(|now| now.with(&[format!("on{n}")])).unwrap()),
            });
        }
    });
    let now = Home::open(home.dir.clone()).unwrap_or_else(|r| panic!("{:?}", r.diagnostics));
    assert_eq!((now.config.adopted.len(), now.config.profiles.len(), now.hand_edit()), (4, 8, None));
    assert!(now.config_text().unwrap().starts_with("name: h # mine\n"));
}

#[test]
fn a_mistake_in_a_route_of_hearth_yaml_points_there() {
    let config = "name: h\nroutes:\n  nas: {host: media, url: 'http://192.168.1.20'}\n";
    let stack = "services:\n  web: {image: 'x:1', x-hearth: {route: {host: media, port: 80}}}\n";
    let (_dir, home) = home(&[("hearth.yaml", config), ("stacks/media.yaml", stack)]);
    let Err(refused) = home.read() else { panic!("one name for two") };
    assert_eq!(codes(&refused.diagnostics, &refused.sources), ["spec.route-twice hearth.yaml:3:9"]);
    let first = refused.diagnostics.0[0].related[0].0;
    assert!(refused.sources.path(first.file).ends_with("stacks/media.yaml"));
}
