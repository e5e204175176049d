//! Every way to write a service, and what becomes of its text.

use proptest::prelude::*;

use super::*;

fn wanted(host: &str, port: &str, access: &str) -> Wanted {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Wanted { host: given(host), port: given(port), access: given(access) }
}

#[track_caller]
fn set_(text: &str) -> String {
    set(text, "web", &wanted("photos", "80", "lan")).unwrap_or_else(|d| panic!("{}\n{text}", d.title))
}

#[test]
fn a_first_route_is_written_at_the_end_of_its_service_and_nothing_else_is_touched() {
    let route = "route: { host: photos, port: 80, access: lan }";
    for (before, after) in [
        (
            "# mine\nservices:\n  web:\n    image: a/web # tag\n    ports:\n    - 80\n    # more to come\n\n  # the other\n  db: {image: b}\n",
            "# mine\nservices:\n  web:\n    image: a/web # tag\n    ports:\n    - 80\n    # more to come\n    x-hearth:\n      ROUTE\n\n  # the other\n  db: {image: b}\n",
        ),
        (
            "services:\n    web:\n        image: a",
            "services:\n    web:\n        image: a\n        x-hearth:\n            ROUTE",
        ),
        (
            "services:\r\n  web:\r\n    image: a\r\nvolumes: {}\r\n",
            "services:\r\n  web:\r\n    image: a\r\n    x-hearth:\r\n      ROUTE\r\nvolumes: {}\r\n",
        ),
        (
            "\u{feff}---\nservices:\n  'web':\n    image: a\n...\n",
            "\u{feff}---\nservices:\n  'web':\n    image: a\n    x-hearth:\n      ROUTE\n...\n",
        ),
        // What keeps its blank lines is not cut in two.
        (
            "services:\n  web:\n    image: a\n    command: |+\n      # one\n\n\nvolumes: {}\n",
            "services:\n  web:\n    x-hearth:\n      ROUTE\n    image: a\n    command: |+\n      # one\n\n\nvolumes: {}\n",
        ),
        (
            "services:\n  web:\n    image: a\n    x-hearth:\n      # here\n      localhost: 7096\n  db: {image: b}\n",
            "services:\n  web:\n    image: a\n    x-hearth:\n      # here\n      localhost: 7096\n      ROUTE\n  db: {image: b}\n",
        ),
        (
            "services:\n  web:\n    x-hearth: { localhost: 1 } # c\n    image: a\n",
            "services:\n  web:\n    x-hearth: { localhost: 1, ROUTE } # c\n    image: a\n",
        ),
        (
            "services:\n  web:\n    x-hearth: {}\n    image: a\n",
            "services:\n  web:\n    x-hearth: { ROUTE }\n    image: a\n",
        ),
        (
            "services:\n  web:\n    x-hearth: # c\n    image: a\n",
            "services:\n  web:\n    x-hearth: { ROUTE } # c\n    image: a\n",
        ),
        (
            "services:\n  web:\n    image: a\n    x-hearth:\n      route:\n",
            "services:\n  web:\n    image: a\n    x-hearth:\n      route: { host: photos, port: 80, access: lan }\n",
        ),
        (
            "services:\n  web: { image: a, command: [\"}\", 'it''s #1'] }\n",
            "services:\n  web: { image: a, command: [\"}\", 'it''s #1'], x-hearth: { ROUTE } }\n",
        ),
        (
            "services: {web: {\n  image: it's,\n  }, db: {image: b}}\n",
            "services: {web: {\n  image: it's, x-hearth: { ROUTE }\n  }, db: {image: b}}\n",
        ),
        (
            "x-a: &a {restart: always}\nservices:\n  web: &web\n    <<: *a\n    image: a\n",
            "x-a: &a {restart: always}\nservices:\n  web: &web\n    <<: *a\n    image: a\n    x-hearth:\n      ROUTE\n",
        ),
    ] {
        assert_eq!(set_(before), after.replace("ROUTE", route), "{before}");
        assert_eq!(said(&set_(before), "web").unwrap().unwrap().host, "photos");
    }
}

#[test]
fn of_a_route_only_what_is_other_is_changed() {
    for (before, after) in [
        (
            "{ host: \"a\", port: 80, bypass: {path: /x, needs: token} } # c",
            "{ host: photos, port: 80, bypass: {path: /x, needs: token}, access: lan } # c",
        ),
        ("{host: 'a b',port: 80,access: user}", "{host: photos,port: 80,access: lan}"),
        ("{ port: 80, host: photos, access: lan }", "{ port: 80, host: photos, access: lan }"),
        (
            "\n        host: a # name\n        port: '81'\n        sticky: true\n        # who\n        access: user",
            "\n        host: photos # name\n        port: 80\n        sticky: true\n        # who\n        access: lan",
        ),
        ("\n        host:\n        port: 80", "\n        host: photos\n        port: 80\n        access: lan"),
    ] {
        let text = |route: &str| {
            format!(
                "services:\n  web:\n    x-hearth:\n      backup: {{volumes: [d]}}\n      route: {route}\n    image: a\n"
            )
            .replace("route: \n", "route:\n")
        };
        assert_eq!(set_(&text(before)), text(after));
    }
    // What is not given stays, a list of hosts too.
    let text = "services:\n  web:\n    image: a\n    x-hearth: {route: {host: [a, b.example.org], port: $P}}\n";
    assert_eq!(said(text, "web").unwrap().unwrap().host, "a, b.example.org");
    let new = set(text, "web", &wanted("", "", "group:family")).unwrap();
    assert_eq!(new, text.replace("$P}", "$P, access: group:family}"));
    let quoted = set(&new, "web", &wanted("", "${P}", "admin")).unwrap();
    assert_eq!(quoted, text.replace("$P}", "\"${P}\", access: admin}"));
}

#[test]
fn a_route_is_taken_away_and_what_stands_beside_it_stays() {
    for (before, after) in [
        ("    x-hearth:\n      route: {host: a, port: 1}\n    image: a\n", "    image: a\n"),
        ("    image: a\n    x-hearth: { route: { host: a, port: 1 } } # c\n", "    image: a\n"),
        (
            "    image: a\n    x-hearth:\n      # here\n      localhost: {port: 1, target: 2}\n      route:\n        host: a\n        port: 1\n",
            "    image: a\n    x-hearth:\n      # here\n      localhost: {port: 1, target: 2}\n",
        ),
        (
            "    image: a\n    x-hearth: {route: {host: a, port: 1}, internet: true}\n",
            "    image: a\n    x-hearth: {internet: true}\n",
        ),
        (
            "    image: a\n    x-hearth: {internet: true, route: {host: a, port: 1}}\n",
            "    image: a\n    x-hearth: {internet: true}\n",
        ),
        ("    image: a\n", "    image: a\n"),
    ] {
        let text = |inner: &str| format!("services:\n  web:\n{inner}  # next\n  db: {{image: b}}\n");
        assert_eq!(remove(&text(before), "web").unwrap(), text(after), "{before}");
    }
    let flow = "services: {web: {image: a, x-hearth: {route: {host: a, port: 1}}}}\n";
    assert_eq!(remove(flow, "web").unwrap(), "services: {web: {image: a}}\n");
}

#[test]
fn what_leads_to_other_lines_is_refused_with_why_and_what_to_write() {
    for (text, why) in [
        ("include: [other.yaml]\nservices:\n  db: {image: b}\n", "in one that the stack includes"),
        ("services:\n  web: {image: a, extends: db}\n  db: {image: b}\n", "`extends`"),
        ("services:\n  web: {image: a, x-hearth: {route: [{host: a, port: 1}]}}\n", "a list of routes"),
        ("services:\n  web: {image: a, x-hearth: {route: {tcp: 1, port: 1}}}\n", "a port of this machine"),
        ("services:\n  web: {image: a, x-hearth: [x]}\n", "no mapping"),
        ("services:\n  web:\n", "nothing but its name"),
        ("services: {web: {image: a}}\n---\nservices: {db: {image: b}}\n", "no single mapping"),
        ("services: [\n", "no single mapping"),
        (
            "x-a: &a\n  image: a\n  x-hearth: {localhost: {port: 1, target: 1}}\nservices:\n  web:\n    <<: *a\n",
            "other lines",
        ),
        ("x-a: &a {image: a}\nservices:\n  web: *a\n", "other lines"),
        ("services:\n  web: &a\n    image: a\n  two: *a\n", "other lines"),
        ("services:\n  web:\n    image: a\n    x-hearth: {route: &r {host: a, port: 1}}\nx-b: *r\n", "other lines"),
        ("services:\n  ? web\n  : image: a\n", "other lines"),
        ("services:\n  web:\n    image: a\n    x-hearth: {route: {host: [a, b], port: 1}}\n", "other lines"),
    ] {
        let told = set(text, "web", &wanted("photos", "80", "lan")).expect_err(text);
        assert_eq!((told.code, told.kind), ("spec.by-hand", Kind::Conflict));
        assert!(told.title.contains(why), "{}\n{text}", told.title);
        assert!(told.hints[0].contains("editor"), "{:?}", told.hints);
    }
}

#[test]
fn nothing_that_somebody_types_becomes_another_key() {
    let text = "services:\n  web:\n    image: a\n";
    for typed in [
        "@", "a b", "a, x: y", "a}", "a\nb: c", "\"", "'", "on", "null", "1e3", "8", "a #b", "${X}.org", "é", "\u{85}",
        "a:b", "- a",
    ] {
        match set(text, "web", &wanted(typed, "80", typed)) {
            Ok(new) => {
                let route = read(&new).unwrap();
                let route = route.at(&["services", "web", OWN, ROUTE]).unwrap().as_map().unwrap();
                assert_eq!(route.get("host").and_then(Node::as_str), Some(typed), "{new}");
                assert_eq!(route.0.len(), 3, "{new}");
            }
            Err(told) => assert_eq!(told.code, "spec.by-hand"),
        }
    }
}

/// Lines of one service, without those of its route.
fn service(name: &str, step: usize) -> impl Strategy<Value = String> {
    let pad = " ".repeat(step);
    let keys = prop::sample::subsequence(
        vec![
            "image: a/b:1 # pinned",
            "ports:\n@@- \"8080:80\"\n@@- 53:53",
            "environment:\n@@A: 'it''s'\n@@B: |\n@@@# no comment\n@@@text\n",
            "# of old\n@restart: always",
            "command: [sh, -c, \"echo # {\"]",
            "labels: {a: b, c: \"}\"}",
            "<<: *common",
        ],
        1..6,
    )
    .prop_shuffle();
    let own = prop::sample::select(vec![
        "",
        "x-hearth: {internet: true}",
        "x-hearth:\n@@# here\n@@localhost: {port: 1, target: 2}",
        "x-hearth: { route: { host: old, port: 1, sticky: true } } # way in",
        "x-hearth:\n@@route:\n@@@port: ${P:-3}\n@@@host: 'old' # name\n@@@access: user\n@@backup: {volumes: [d]}",
        "x-hearth:\n@@route: {port: 1,host: [a, b]}",
    ]);
    let name = name.to_owned();
    (keys, own, any::<bool>(), 0..3_usize).prop_map(move |(mut keys, own, first, blank)| {
        keys.insert(if first { 0 } else { keys.len() }, own);
        let lines = keys.into_iter().filter(|key| !key.is_empty()).map(|key| format!("@{key}\n"));
        let text: String = std::iter::once(format!("{name}:\n")).chain(lines).collect();
        let indented = text.replace('@', &pad).lines().map(|line| format!("{pad}{line}\n")).collect::<String>();
        format!("{indented}{}", "\n".repeat(blank))
    })
}

fn stack() -> impl Strategy<Value = String> {
    (prop::sample::select(vec![2, 3, 4]), any::<bool>(), 0..3_usize).prop_flat_map(|(step, windows, at)| {
        let names: Vec<&str> =
            ["one", "two", "db"].into_iter().enumerate().map(|(i, n)| if i == at { "web" } else { n }).collect();
        (service(names[0], step), service(names[1], step), service(names[2], step), any::<bool>()).prop_map(
            move |(a, b, c, last)| {
                let end = if last { "volumes: {d: {}}\n" } else { "" };
                let text = format!("# a stack\nx-c: &common {{init: true}}\nservices:\n{a}{b}  # between\n{c}{end}");
                if windows { text.replace('\n', "\r\n") } else { text }
            },
        )
    })
}

/// All but the route of `web`, and whether its `x-hearth` is then empty.
fn rest(text: &str) -> Node {
    let mut tree = read(text).expect("it is sound");
    let web = tree.get_mut("services").unwrap().get_mut("web").unwrap().as_map_mut().unwrap();
    if let Some(own) = web.get_mut(OWN).and_then(Node::as_map_mut) {
        own.remove(ROUTE);
        if own.is_empty() {
            web.remove(OWN);
        }
    }
    tree
}

proptest! {
    #[test]
    fn whatever_the_stack_the_route_is_what_was_wanted_and_all_else_is_as_it_was(
        text in stack(),
        host in "[a-z][a-z0-9-]{0,5}(\\.[a-z]{2,5})?|@|\\PC{0,6}",
        port in 1..=u16::MAX,
        access in prop::sample::select(vec!["public", "lan", "user", "group:kids", "admin"]),
    ) {
        prop_assume!(!host.is_empty());
        let wanted = wanted(&host, &port.to_string(), access);
        let many = text.contains("host: [a, b]");
        let Ok(new) = set(&text, "web", &wanted) else {
            // A list of hosts is nobody's to choose from; characters that no YAML holds are refused.
            prop_assert!(many || !host.is_ascii(), "refused:\n{}", text);
            return Ok(());
        };
        let told = said(&new, "web").unwrap().unwrap();
        prop_assert_eq!((told.host, told.port, told.access), (host.clone(), port.to_string(), access.to_owned()));
        prop_assert_eq!(rest(&new), rest(&text));
        // Every line without the route is there, in its order, with its own end.
        let of_route = |line: &&str| ["x-hearth", "route:", "host:", "port:", "access:"].iter().any(|key| line.contains(key));
        let lines = |text: &str| text.split_inclusive('\n').filter(|line| !of_route(line)).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(lines(&new), lines(&text));
        prop_assert_eq!(set(&new, "web", &wanted).unwrap(), new.clone());
        let gone = remove(&new, "web").unwrap();
        prop_assert_eq!(rest(&gone), rest(&text));
        prop_assert_eq!(said(&gone, "web").unwrap(), None);
        if read(&text).unwrap().at(&["services", "web", OWN]).is_none() {
            prop_assert_eq!(gone, text);
        }
    }

    #[test]
    fn no_text_makes_it_stumble(text in "[ \\n:{}\\[\\],#&*!'\"a-z\\r\\t|>-]{0,80}", at in any::<prop::sample::Index>(), whole in stack()) {
        for text in [text.clone(), format!("services:\n  web:\n    {text}"), {
            let mut cut = whole.clone();
            let at = (0..=at.index(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
            cut.insert_str(at, &text);
            cut
        }] {
            if let Ok(new) = set(&text, "web", &wanted("photos", "80", "lan")) {
                prop_assert_eq!(rest(&new), rest(&text));
            }
            let _ = remove(&text, "web");
        }
    }
}
