//! A plan says what of the routes will surprise, at the route that it is about, and only what concerns what is on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::rig::{DOMAIN, Done, Door, Scratch, TestCa, cases};

cases![together:
    a_host_outside_every_certificate_is_said_at_its_route,
    a_route_of_hearth_yaml_to_a_service_that_is_off_is_said,
    a_port_beside_a_door_is_said,
    in_localhost_mode_a_route_that_keeps_somebody_out_is_said,
    what_up_would_refuse_the_plan_refuses_in_the_same_words_and_nothing_is_written;
];

fn stack(hosts: &str) -> String {
    format!(
        "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [httpd, -f, -p, '80']
    x-hearth: {{route: {{host: {hosts}, port: 80, access: public}}}}
  other:
    image: hearth-test/busybox:1
    profiles: [others]
    command: [httpd, -f, -p, '80']
    x-hearth: {{route: {{host: off.other.org, port: 80, access: public}}}}
"
    )
}

fn a_host_outside_every_certificate_is_said_at_its_route(s: &Scratch) -> Done {
    let door = Door::new(s, &stack("app"))?;
    let plan = door.hearth("plan web");
    assert!(!plan.both().contains("host-uncovered"), "the CA is yet to be made: {}", plan.both());
    door.hearth("up web").ok();
    s.write("stacks/web.yaml", &stack("[app, photos.other.org]"));
    let plan = door.hearth("plan").both();
    assert!(plan.contains("no certificate is for photos.other.org"), "{plan}");
    assert!(plan.contains("stacks/web.yaml:7") && plan.contains(&format!("names under {DOMAIN} only")), "{plan}");
    assert!(!plan.contains("off.other.org"), "what is off is of no concern: {plan}");
    // Said once, although the file for Traefik is written too.
    let up = door.hearth("up").ok().both();
    assert_eq!((up.matches("photos.other.org").count() > 0, up.matches("outside-ca").count()), (true, 0), "{up}");
    // A certificate of one's own, or an authority, is a way out.
    let (chain, key) = TestCa::new(&s.beside("ca")).issue("photos", &["photos.other.org"]);
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let hearth = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    s.write("hearth.yaml", &format!("{hearth}certificates: {{issuer: acme}}\n"));
    assert!(!door.hearth("plan").both().contains("host-uncovered"));
    s.write("hearth.yaml", &hearth);
    s.hearth_args(&["certs", "import", &chain, &key]).ok();
    let plan = door.hearth("plan").both();
    assert!(!plan.contains("host-uncovered"), "{plan}");
    // Another domain than the root was made for.
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    s.write(".env", &env.replace(DOMAIN, "moved.org"));
    door.hearth("plan").says("no certificate is for names under moved.org").says("hearth certs new-ca");
    Ok(())
}

fn a_route_of_hearth_yaml_to_a_service_that_is_off_is_said(s: &Scratch) -> Done {
    let routes = "routes:\n  page: {host: page, url: 'http://other:80', access: public}\n  nas: {host: nas, url: 'http://192.0.2.1:5000', access: public}\n";
    let door = Door::with(s, &stack("app"), routes)?;
    s.hearth_args(&["enable", "web"]).ok();
    let plan = door.hearth("plan").both();
    assert!(
        plan.contains("the route `page` leads to the service `other`, which is off with its profile others"),
        "{plan}"
    );
    assert!(plan.contains("hearth.yaml:6") && plan.contains("hearth up others"), "{plan}");
    assert!(!plan.contains("`nas`") && plan.matches("lint.route-off").count() == 1, "{plan}");
    door.hearth("routes").says("off (profile others)");
    s.hearth_args(&["enable", "others"]).ok();
    let plan = door.hearth("plan").both();
    assert!(!plan.contains("route-off"), "{plan}");
    Ok(())
}

fn a_port_beside_a_door_is_said(s: &Scratch) -> Done {
    let with = |access: &str, port: &str| {
        let text = stack("app").replacen("access: public", &format!("access: {access}"), 1);
        text.replacen("    profiles: [web]\n", &format!("    profiles: [web]\n    ports: ['{port}']\n"), 1)
    };
    let door = Door::new(s, &with("admin", "18080:80"))?;
    let plan = door.hearth("plan web").ok().both();
    assert!(plan.contains("`app` has `access: admin`, and its stack publishes the port 18080"), "{plan}");
    assert!(plan.contains("stacks/web.yaml:8"), "{plan}");
    for (access, port, said) in [
        ("lan", "80", true),
        ("lan", "0.0.0.0:81:80", true),
        ("public", "81:80", false),
        ("admin", "127.0.0.1:81:80", false),
    ] {
        s.write("stacks/web.yaml", &with(access, port));
        let plan = door.hearth("plan web").ok().both();
        assert_eq!(plan.contains("port-beside-door"), said, "{access} {port}: {plan}");
    }
    Ok(())
}

/// Every file of the home with what is in it, and every folder.
fn in_localhost_mode_a_route_that_keeps_somebody_out_is_said(s: &Scratch) -> Done {
    let stack = |access: &str| {
        let route = |access: &str| format!("{{route: {{host: page, port: 80, access: {access}}}, localhost: 18080}}");
        format!(
            "services:\n  app:\n    image: hearth-test/busybox:1\n    profiles: [web]\n    x-hearth: {}\n  \
             off:\n    image: hearth-test/busybox:1\n    profiles: [others]\n    x-hearth: {}\n",
            route(access),
            route("admin").replace("page", "other").replace("18080", "18081"),
        )
    };
    s.write("hearth.yaml", &format!("name: {}\nmode: localhost\nprofiles: [web]\n", s.project));
    s.write("stacks/web.yaml", &stack("user"));
    let plan = || s.hearth_args(&["plan"]).both();
    let told = plan();
    assert!(told.contains("lint.access-local") && told.contains("the `access` of `app` does not hold"), "{told}");
    assert!(told.contains("stacks/web.yaml:5") && told.contains("hearth mode domain"), "{told}");
    assert!(!told.contains("`off`"), "what is off is of no concern: {told}");
    // Also before it is on for the first time, by whatever turns it on.
    s.write("hearth.yaml", &format!("name: {}\nmode: localhost\n", s.project));
    assert!(!plan().contains("access-local"), "nothing is on");
    for args in [&["plan", "web"][..], &["enable", "web"]] {
        let told = s.hearth_args(args).both();
        assert!(told.contains("the `access` of `app` does not hold"), "{args:?}: {told}");
    }
    s.write("stacks/web.yaml", &stack("public"));
    let told = plan();
    assert!(!told.contains("access-local"), "everybody may enter: {told}");
    Ok(())
}

type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

fn tree(s: &Scratch) -> Tree {
    let (mut all, mut folders) = (BTreeMap::new(), vec![s.dir.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be read") {
            let entry = entry.expect("it can be listed");
            // The audit keeps what was refused, too: in the database, which knows its home by the file beside it.
            if entry.file_name().to_string_lossy().starts_with("hearth.db") || entry.path().ends_with("state/home") {
                continue;
            }
            let path = entry.path();
            all.insert(path.clone(), std::fs::read(&path).ok());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    all
}

/// The paths that one of two trees has and the other has not, or has with other bytes.
fn changed<'t>(one: &'t Tree, other: &'t Tree) -> BTreeSet<&'t PathBuf> {
    one.keys().chain(other.keys()).filter(|path| one.get(*path) != other.get(*path)).collect()
}

fn what_up_would_refuse_the_plan_refuses_in_the_same_words_and_nothing_is_written(s: &Scratch) -> Done {
    let door = Door::new(s, &stack("app"))?;
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    let mode = |name: &str| {
        let text = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
        let text = text.replace("mode: localhost", "mode: domain").replace("mode: domain", &format!("mode: {name}"));
        s.write("hearth.yaml", &text);
    };
    let foreign = |there: bool| {
        std::fs::create_dir_all(s.dir.join("compose")).expect("a folder can be made");
        match there {
            true => s.write("compose/domain.yaml", "services: {}\n"),
            false => std::fs::remove_file(s.dir.join("compose/domain.yaml")).expect("it is there"),
        }
    };
    let with = |route: &str| stack("app").replace("{host: app, port: 80, access: public}", route);
    for (route, value, words) in [
        ("{host: panel, port: 80, access: public}", "", "Hearth's own name"),
        ("{host: '${X}', port: 80, access: public}", "off.other.org", "is routed twice"),
        ("{host: '${X}', port: 80, access: public}", "a_b.org", "`a_b.org` is no host name"),
        ("{host: a, path: '/${X}', port: 80, access: public}", "a/../b", "the path `/a/../b` holds what no path may"),
        ("{host: a, port: '${X}', access: public}", "abc", "`abc`, where the route of `app` leads, is no port"),
        ("{host: a, port: '${X:?}', access: public}", "", "X"),
        ("{host: a, port: 80, access: public}", "foreign file", "was not written by Hearth"),
    ] {
        s.write("stacks/web.yaml", &with(route));
        s.write(".env", &format!("{env}X={value}\n"));
        if value == "foreign file" {
            foreign(true);
        }
        for (present, on) in [("domain", true), ("localhost", true), ("localhost", false)] {
            mode(present);
            let text = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
            let profiles = if on { "profiles: [web]\n" } else { "" };
            s.write("hearth.yaml", &format!("{}{profiles}", text.replace("profiles: [web]\n", "")));
            let before = tree(s);
            let commands = match present {
                "domain" => ["plan web", "up web --yes"],
                _ => ["mode domain --dry-run", "mode domain --yes"],
            };
            let said = commands.map(|command| {
                let ran = door.hearth(command);
                assert!(ran.code != 0, "`{command}` accepts {route} with X={value}: {}", ran.both());
                let ran = ran.says(words);
                let after = tree(s);
                let wrote = changed(&before, &after);
                assert!(wrote.is_empty(), "`{command}` wrote {wrote:?} although {route} is refused");
                ran.err
            });
            assert_eq!(said[0], said[1], "{route}");
        }
        if value == "foreign file" {
            foreign(false);
        }
    }
    Ok(())
}
