//! A service with three lines of route answers at `https://name.domain`, for whom its access says and nobody else; through a real Traefik.

use std::time::Duration;

use crate::rig::{DOMAIN, Done, Door, Echo, Elsewhere, HEARTH as IMAGE, Relay, Scratch, cases, curl, until};

cases![together:
    three_lines_of_route_answer_over_https_with_a_valid_certificate,
    what_needs_a_login_lets_nobody_in_while_nobody_can_sign_in,
    a_service_that_is_away_answers_503_with_a_page_and_its_own_503_survives,
    no_cookie_of_the_application_reaches_the_page_that_stands_in_for_it,
    plain_http_is_sent_to_https_but_for_challenges,
    turning_profiles_on_and_off_never_recreates_traefik,
    a_home_in_domain_mode_takes_turns_with_compose,
    switching_modes_removes_what_the_other_needs_and_back,
    a_switch_that_fails_on_its_way_says_which_mode_counts_and_how_to_go_back,
    a_database_is_reached_by_its_own_service_only,
    whoever_calls_itself_gate_is_not_gate,
    labels_that_an_image_brings_open_nothing,
    lan_is_for_the_home_and_for_nobody_else,
    a_path_is_a_boundary_for_every_spelling_of_it,
];

/// A page that shows what it was asked with (`/cgi-bin/env`), and one that fails by itself (`/cgi-bin/503`).
const ECHO: &str = "    image: hearth-test/busybox:1
    stop_grace_period: 1s
    command:
      - sh
      - -c
      - |
        mkdir -p /www/cgi-bin
        printf '#!/bin/sh\\necho \"Content-Type: text/plain\"\\necho\\nenv | sort\\n' > /www/cgi-bin/env
        printf '#!/bin/sh\\necho \"Status: 403 No\"\\necho \"Content-Type: text/plain\"\\necho\\necho no by itself\\n' > /www/cgi-bin/403
        printf '#!/bin/sh\\necho \"Status: 503 Busy\"\\necho \"Content-Type: text/plain\"\\necho\\necho busy by itself\\n' > /www/cgi-bin/503
        chmod +x /www/cgi-bin/*
        echo hello > /www/index.html
        exec httpd -f -p 80 -h /www
";

fn stack(services: &[(&str, &str)]) -> String {
    let one = |(name, route): &(&str, &str)| {
        format!("  {name}:\n{ECHO}    profiles: [web]\n    x-hearth: {{route: {{{route}}}}}\n")
    };
    format!("services:\n{}", services.iter().map(one).collect::<String>())
}

fn three_lines_of_route_answer_over_https_with_a_valid_certificate(s: &Scratch) -> Done {
    let door = Door::new(s, &stack(&[("app", "host: app, port: 80, access: lan")]))?;
    door.hearth("up web").ok();
    let page = door.until("app", 200);
    assert_eq!(page.body.trim(), "hello");
    // In any case of letters, and for no name that nobody has.
    assert_eq!(door.get("APP", "/").status, 200);
    let unknown = door.get("nobody", "/");
    assert_eq!((unknown.status, unknown.body.contains("nobody")), (404, true), "{unknown:?}");
    // Nor does such a name tell how a service is.
    assert_eq!(door.ask("nobody", "/", &["-H", "X-Hearth-Route: app"]).status, 404);
    door.hearth("routes").ok().says("working");
    Ok(())
}

fn what_needs_a_login_lets_nobody_in_while_nobody_can_sign_in(s: &Scratch) -> Done {
    let routes = [
        ("user", "host: user, port: 80"),
        ("admin", "host: admin, port: 80, access: admin"),
        ("family", "host: family, port: 80, access: 'group:family'"),
        ("own", "host: own, path: /cgi-bin/403, port: 80, access: lan"),
    ];
    let door = Door::new(s, &stack(&routes))?;
    door.hearth("up web").ok();
    // By gate's own answer, which Traefik hands on with its mark.
    let said = door.hearth("routes").ok().out;
    assert_eq!(said.matches("asks for a login").count(), 3, "{said}");
    assert!(said.contains("the service itself answers 403"), "{said}");
    let html = ["-H", "Accept: text/html"];
    for host in ["user", "admin", "family"] {
        let page = door.until(host, 401);
        assert_eq!(page.header("x-hearth-gate"), Some("1"), "{page:?}");
        assert!(page.body.contains("Sign in first"), "{page:?}");
        // No server of Hearth's runs, which the login would be on.
        let page = door.ask(host, "/", &html);
        assert!(page.status == 503 && page.body.contains("Signing in is not possible"), "{page:?}");
        let page = door.ask(host, "/.well-known/hearth/callback?code=x", &html);
        assert!([502, 504].contains(&page.status), "the application never gets it: {page:?}");
    }
    // The same while the service is away: who may not enter does not learn how it is. And closed while gate is.
    s.docker(&format!("stop -t 1 {0}-user-1", s.project)).ok();
    std::thread::sleep(Duration::from_secs(3));
    let page = door.ask("user", "/", &html);
    assert!(page.status == 503 && page.body.contains("Signing in is not possible"), "{page:?}");
    assert_eq!(door.get("user", "/").status, 401);
    s.docker(&format!("stop -t 1 {0}-gate-1", s.project)).ok();
    // Traefik looks for it at an address that nobody else can have, for half a minute.
    let page = door.ask("user", "/", &["--max-time", "5"]);
    assert!([0, 500].contains(&page.status) && page.body.is_empty(), "{page:?}");
    let said = door.hearth("routes").out;
    assert!(said.contains("gate, which knows who may, does not run"), "{said}");
    Ok(())
}

fn a_service_that_is_away_answers_503_with_a_page_and_its_own_503_survives(s: &Scratch) -> Done {
    let mut text = stack(&[("app", "host: app, port: 80, access: public")]);
    text.push_str("    healthcheck: {test: [CMD, test, -e, /tmp/well], interval: 1s, start_period: 60s, retries: 2}\n");
    let door = Door::new(s, &text)?;
    door.hearth("up web").ok();
    let html = ["-H", "Accept: text/html", "-b", "session=secret-of-the-app"];
    door.until("app", 503);
    let starting = door.ask("app", "/deep/page?x=1", &html);
    assert_eq!(starting.status, 503);
    assert!(starting.body.contains("<html") && starting.body.contains("starting"), "{starting:?}");
    assert!(!starting.body.contains("secret-of-the-app"));
    let container = format!("{}-app-1", s.project);
    s.docker_args(&["exec", &container, "touch", "/tmp/well"]).ok();
    door.until("app", 200);
    // Its own 503 is its own, for browsers too.
    let own = door.ask("app", "/cgi-bin/503", &html);
    assert_eq!((own.status, own.body.trim()), (503, "busy by itself"));
    s.docker_args(&["exec", &container, "rm", "/tmp/well"]).ok();
    let ill = door.until("app", 503);
    assert!(!ill.body.contains("<html"), "a program gets a line: {ill:?}");
    s.docker_args(&["stop", "-t", "1", &container]).ok();
    let stopped = until(Duration::from_secs(10), || door.ask("app", "/", &html).body.contains("stopped"));
    assert!(stopped, "{:?}", door.ask("app", "/", &html));
    s.docker_args(&["rm", "-f", &container]).ok();
    door.until("app", 503);
    Ok(())
}

/// Told from what gate is really asked, between it and Traefik.
fn no_cookie_of_the_application_reaches_the_page_that_stands_in_for_it(s: &Scratch) -> Done {
    let service = |name: &str, route: &str| {
        format!("  {name}:\n{}    profiles: [web]\n    x-hearth: {{route: {{{route}}}}}\n", Echo::service())
    };
    let door = Door::new(s, &format!("services:\n{}", service("app", "host: app, port: 80, access: public")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let relay = Relay::before_gate(&door);
    let secrets = ["-H", "Cookie: a=s3cret; b=2", "-H", "cookie: c=s3cret", "-H", "Authorization: Bearer s3cret"];
    let ask = |host: &str, more: &[&str]| door.ask(host, "/a?b=c", &[&secrets[..], more].concat());
    let ways: [&[&str]; 4] = [
        &["--http1.1"],
        &["--http2", "-H", "Accept: text/html"],
        &["--http1.1", "-H", "Connection: Upgrade, Cookie", "-H", "Upgrade: websocket"],
        &["--http2", "-X", "PUT"],
    ];
    let before = relay.heads().len();
    // While it is there, all of it is its own.
    for version in ["--http1.1", "--http2"] {
        let page = ask("app", &[version]);
        let whole = page.status == 200 && page.body.contains("a=s3cret") && page.body.contains("c=s3cret");
        assert!(whole && page.body.contains("authorization: Bearer s3cret"), "{version}: {page:?}");
    }
    assert_eq!(relay.heads().len(), before, "gate is not asked while the application is there: {:?}", relay.heads());
    s.docker(&format!("stop -t 1 {}-app-1", s.project)).ok();
    door.until("app", 503);
    for (host, status, path) in [("app", 503, "/a?b=c"), ("nobody", 404, "/unknown?b=c")] {
        for way in ways {
            let before = relay.heads().len();
            let page = ask(host, way);
            assert_eq!((page.status, page.header("x-hearth-gate")), (status, Some("1")), "{host} {way:?}: {page:?}");
            let heads = relay.heads();
            let [head] = &heads[before..] else { panic!("one question, not {:?}", &heads[before..]) };
            assert!(head.lines().next().is_some_and(|l| l.contains(&format!(" {path} "))), "{head}");
            assert_eq!(head.contains("\nx-hearth-route: app\r"), host == "app", "{head}");
        }
    }
    // In clear nobody is asked at all, but for challenges.
    let at = format!("app.{DOMAIN}:{}:127.0.0.1", door.http);
    let before = relay.heads().len();
    let url = format!("http://app.{DOMAIN}:{}/a", door.http);
    assert_eq!(curl(s, &[&secrets[..], &["--resolve", &at, &url]].concat()).status, 301);
    assert_eq!(relay.heads().len(), before);
    for head in relay.heads() {
        let names: Vec<&str> = head.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        assert!(!names.contains(&"cookie") && !names.contains(&"authorization") && !head.contains("s3cret"), "{head}");
    }
    // It is back, and so is what is its own.
    s.docker(&format!("start {}-app-1", s.project)).ok();
    door.until("app", 200);
    assert!(ask("app", &["--http2"]).body.contains("a=s3cret"));
    Ok(())
}

fn plain_http_is_sent_to_https_but_for_challenges(s: &Scratch) -> Done {
    let door = Door::new(s, &stack(&[("app", "host: app, port: 80, access: lan")]))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let page = door.plain("app", "/a/b?c=d");
    assert_eq!(page.status, 301);
    assert_eq!(page.header("location"), Some(format!("https://app.{DOMAIN}:{}/a/b?c=d", door.https).as_str()));
    // Hearth is not there to answer a challenge, but nobody is sent elsewhere with one.
    for path in ["/.well-known/acme-challenge/x", "/.well-known/acme-challenge/../x"] {
        let page = door.plain("app", path);
        assert!(page.header("location").is_none() || path.contains(".."), "{path}: {page:?}");
    }
    // 443 speaks nothing in clear.
    let clear = curl(s, &["-H", &format!("Host: app.{DOMAIN}"), &format!("http://127.0.0.1:{}/", door.https)]);
    assert!(!matches!(clear.status, 200..400), "{clear:?}");
    Ok(())
}

fn turning_profiles_on_and_off_never_recreates_traefik(s: &Scratch) -> Done {
    let text = stack(&[("app", "host: app, port: 80, access: lan")]);
    let door = Door::new(s, &text)?;
    s.write(
        "stacks/other.yaml",
        &stack(&[("other", "host: other, port: 80, access: lan")]).replace("[web]", "[other]"),
    );
    door.hearth("up web").ok();
    let (traefik, gate) = (door.id("traefik"), door.id("gate"));
    door.hearth("up other").ok();
    door.until("other", 200);
    door.hearth("down web").ok();
    door.until("app", 503);
    door.until("other", 200);
    assert_eq!((door.id("traefik"), door.id("gate")), (traefik, gate));
    // With the last profile that has a route it goes.
    door.hearth("down other").ok();
    assert_eq!(door.id("traefik"), "");
    Ok(())
}

fn a_home_in_domain_mode_takes_turns_with_compose(s: &Scratch) -> Done {
    let door = Door::new(s, &stack(&[("app", "host: app, port: 80, access: lan")]))?;
    door.hearth("up web").ok();
    let ids = || ["app", "traefik", "gate"].map(|service| door.id(service));
    let first = ids();
    s.compose("up -d").ok();
    assert_eq!(ids(), first, "Compose replaced what Hearth made");
    s.compose("down").ok();
    s.compose("up -d").ok();
    let second = ids();
    door.until("app", 200);
    door.hearth("up").ok().says("nothing to do");
    assert_eq!(ids(), second, "Hearth replaced what Compose made");
    Ok(())
}

fn switching_modes_removes_what_the_other_needs_and_back(s: &Scratch) -> Done {
    let text =
        stack(&[("app", "host: app, port: 80, access: lan")]).replace("x-hearth: {", "x-hearth: {localhost: LOCAL, ");
    let local = crate::rig::free_port();
    let door = Door::new(s, &text.replace("LOCAL", &local.to_string()))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let shown = door.hearth("mode localhost --dry-run").ok();
    shown.says("remove").says("traefik").says("docker compose up -d --remove-orphans");
    door.until("app", 200);
    door.hearth("mode localhost").exits(4);
    door.until("app", 200);
    door.hearth("mode localhost --yes").ok();
    assert_eq!((door.id("traefik"), door.id("gate")), (String::new(), String::new()));
    let here = || curl(s, &[&format!("http://127.0.0.1:{local}/")]).body;
    assert!(until(Duration::from_secs(5), || here().trim() == "hello"));
    s.compose("up -d --remove-orphans").ok();
    door.hearth("up").ok().says("nothing to do");
    // The way that is printed, by Compose alone.
    let root = std::fs::read_to_string(s.dir.join("compose.yaml")).expect("it is there");
    s.write("compose.yaml", &root.replace("compose/localhost.yaml", "compose/domain.yaml"));
    s.compose("up -d --remove-orphans").ok();
    door.until("app", 200);
    s.write("compose.yaml", &root);
    s.compose("up -d --remove-orphans").ok();
    assert_eq!(door.id("traefik"), "");
    assert!(until(Duration::from_secs(5), || here().trim() == "hello"));
    door.hearth("up").ok().says("nothing to do");
    door.hearth("mode domain --yes").ok();
    door.until("app", 200);
    assert!(here().is_empty(), "the port of localhost mode is gone");
    Ok(())
}

fn a_switch_that_fails_on_its_way_says_which_mode_counts_and_how_to_go_back(s: &Scratch) -> Done {
    let text =
        stack(&[("app", "host: app, port: 80, access: lan")]).replace("x-hearth: {", "x-hearth: {localhost: LOCAL, ");
    let door = Door::new(s, &text.replace("LOCAL", &crate::rig::free_port().to_string()))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    // Nothing listens on port 1, so a pull fails at once.
    let broken = "services: { broken: { image: '127.0.0.1:1/none:1', profiles: [web] } }\n";
    s.write("stacks/broken.yaml", broken);
    let ran = door.hearth("mode localhost --yes");
    assert_ne!(ran.code, 0, "{}", ran.both());
    ran.says("home.mode-half-way").says("in localhost mode now").says("or go back: hearth mode domain");
    door.hearth("mode").ok().says("localhost");
    std::fs::remove_file(s.dir.join("stacks/broken.yaml")).expect("it is there");
    door.hearth("mode domain --yes").ok();
    door.until("app", 200);
    Ok(())
}

/// Whom Traefik takes for gate decides over every route.
fn whoever_calls_itself_gate_is_not_gate(s: &Scratch) -> Done {
    let door = Door::new(s, &stack(&[("app", "host: app, port: 80, access: lan")]))?;
    let aliases = "    networks: {web: {aliases: [gate, gate.hearth.internal]}}\n    container_name: ";
    let spoof = stack(&[("spoof", "host: spoof, port: 80, access: lan")]);
    s.write("stacks/spoof.yaml", &spoof.replacen(ECHO, &format!("{ECHO}{aliases}{}-gate\n", s.project), 1));
    door.hearth("up web").ok();
    door.until("app", 200);
    // Traefik connects anew.
    s.docker(&format!("restart -t 1 {}-gate-1 {}-traefik-1", s.project, s.project)).ok();
    door.until("app", 200);
    s.docker(&format!("stop {}-app-1", s.project)).ok();
    // And gate is who answers for what is away.
    assert!(door.until("app", 503).header("x-hearth-gate").is_some());
    let log = s.docker(&format!("logs {}-traefik-1", s.project)).both();
    assert!(!log.contains("Failed to list containers"), "{log}");
    Ok(())
}

fn a_database_is_reached_by_its_own_service_only(s: &Scratch) -> Done {
    let app =
        stack(&[("app", "host: app, port: 80, access: lan"), ("stranger", "host: stranger, port: 80, access: lan")]);
    let app = app.replacen("    profiles: [web]\n", "    profiles: [web]\n    depends_on: [db]\n", 1);
    let db = format!("  db:\n{}    profiles: [web]\n", ECHO.replace("-p 80", "-p 5432"));
    let door = Door::new(s, &format!("{app}{db}"))?;
    s.write("stacks/second.yaml", &stack(&[("elsewhere", "host: elsewhere, port: 80, access: lan")]));
    door.hearth("up web").ok();
    let address = |service: &str| {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let ran = s.docker_args(&["inspect", "-f", format, &format!("{}-{service}-1", s.project)]).ok();
        ran.out.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let database = address("db");
    let reaches = |from: &str, to: &str, port: &str| {
        // In that container's network, by a program that says whether 200 came.
        let net = format!("container:{}-{from}-1", s.project);
        let url = format!("http://{to}:{port}/");
        s.docker_args(&["run", "--rm", "--network", &net, IMAGE, "example", "check", &url]).code == 0
    };
    assert!(until(Duration::from_secs(5), || reaches("app", &database, "5432")), "its own service reaches it");
    let knows = |from: &str| s.docker_args(&["exec", &format!("{}-{from}-1", s.project), "nslookup", "db"]).code == 0;
    assert!(knows("app"), "its own service finds it by name");
    assert!(!knows("stranger") && !knows("elsewhere"), "others find it by name");
    // For some milliseconds whenever a network is made, as other tests here do all the time, the engine (26.1) has no rule between networks: it takes
    // the jump to them away and puts it back. What is not kept apart is reached each time.
    let apart = |from: &str, to: &str, port: &str| (0..3).any(|_| !reaches(from, to, port));
    assert!(apart("stranger", &database, "5432"), "a neighbour reaches the database");
    assert!(apart("elsewhere", &database, "5432"), "another stack reaches the database");
    let neighbour = address("stranger");
    assert!(reaches("app", &neighbour, "80"), "services of one stack reach each other");
    assert!(apart("elsewhere", &neighbour, "80"), "stacks reach each other's services");
    Ok(())
}

fn labels_that_an_image_brings_open_nothing(s: &Scratch) -> Done {
    s.write(
        "image/Dockerfile",
        "FROM hearth-test/nginx:1\nLABEL traefik.enable=true traefik.http.routers.evil.rule=PathPrefix(`/`) traefik.http.routers.evil.priority=9000000 traefik.http.routers.evil.entrypoints=websecure,api,web traefik.http.routers.evil.tls=true\n",
    );
    let image = format!("hearth-test/{}-evil:1", s.project);
    s.docker_built(&image, "image");
    let text = format!(
        "{}  evil: {{image: '{image}', profiles: [web]}}\n",
        stack(&[("app", "host: app, port: 80, access: lan")])
    );
    let door = Door::new(s, &text)?;
    door.hearth("up web").ok().says("brings labels for Traefik, which are dropped");
    assert_eq!(door.until("app", 200).body.trim(), "hello");
    assert_eq!(door.get("nobody", "/").status, 404);
    s.docker_args(&["rm", "-f", &format!("{}-evil-1", s.project)]).ok();
    s.docker_args(&["rmi", &image]).ok();
    Ok(())
}

fn lan_is_for_the_home_and_for_nobody_else(s: &Scratch) -> Done {
    let neighbour = Elsewhere::new(s, "ithome0", "192.168.211")?;
    let stranger = Elsewhere::new(s, "itwan0", "198.18.115")?;
    let routes = [
        ("lan", "host: lan, port: 80, access: lan"),
        ("both", "host: both, port: 80, access: lan-or-user"),
        ("open", "host: open, port: 80, access: public"),
    ];
    let door = Door::new(s, &stack(&routes))?;
    door.hearth("up web").ok();
    door.until("lan", 200);
    let from = |who: &Elsewhere, host: &str, more: &[&str]| who.get(&door, host, more);
    for host in ["lan", "both", "open"] {
        assert_eq!(from(&neighbour, host, &[]).status, 200, "{host} from the home's own network");
    }
    assert_eq!(from(&stranger, "open", &[]).status, 200);
    for (host, status, words) in [("lan", 403, "home network"), ("both", 401, "Sign in first")] {
        let page = from(&stranger, host, &[]);
        assert_eq!(page.status, status, "{host}: {page:?}");
        assert!(page.body.contains(words), "{page:?}");
        // Nor by saying to come from there.
        let lie = [
            "-H",
            "X-Forwarded-For: 192.168.211.2",
            "-H",
            "X-Real-Ip: 192.168.211.2",
            "-H",
            "Forwarded: for=192.168.211.2",
        ];
        assert_eq!(from(&stranger, host, &lie).status, status);
    }
    // IPv6 would come in under the engine's own address: nobody listens there.
    let whole = format!("lan.{DOMAIN}");
    let six = curl(
        s,
        &["--resolve", &format!("{whole}:{}:[::1]", door.https), "-k", &format!("https://{whole}:{}/", door.https)],
    );
    assert_eq!(six.status, 0, "{six:?}");
    Ok(())
}

fn a_path_is_a_boundary_for_every_spelling_of_it(s: &Scratch) -> Done {
    let stranger = Elsewhere::new(s, "itpath0", "198.51.100")?;
    let nginx = "    image: hearth-test/nginx:1
    stop_signal: SIGKILL
    profiles: [web]
    command:
      - sh
      - -c
      - |
        cd /usr/share/nginx/html
        mkdir -p api x open admin café openly apiary
        for one in api x open admin openly apiary; do echo $$one > $$one/index.html; done
        echo coffee > café/index.html
        echo spaced > 'x/a b'
        echo sharp > 'x/a#b'
        exec nginx -g 'daemon off;'
    x-hearth:
      route:
        - {host: site, port: 80, access: public}
        - {host: site, path: /api, port: 80, access: lan, strip-prefix: true}
        - {host: part, path: /open, port: 80, access: public}
        - {host: free, port: 80, access: public}
        - {host: same, port: 80, access: public, headers: {response: {X-Hearth-Gate: pages}}}
        - {host: same, path: /café, port: 80, access: public}
";
    let door = Door::new(s, &format!("services:\n  app:\n{nginx}"))?;
    door.hearth("up web").ok();
    door.until("site", 200);
    let ca = s.dir.join("state/ca/root.pem").display().to_string();
    let get = |host: &str, path: &str| {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:{}", door.https, stranger.here);
        let url = format!("https://{whole}:{}{path}", door.https);
        stranger.curl(&["--path-as-is", "--resolve", &at, "--cacert", &ca, &url])
    };
    for (host, path, body) in [
        ("site", "/x/", "x"),
        ("site", "/x/a%20b", "spaced"),
        ("site", "/x/a%23b", "sharp"),
        ("site", "/x/?next=%2Fapi%2F", "x"),
        ("part", "/open/", "open"),
        // No route of this host has a path: nothing is kept from anybody by one, and some programs need encoded slashes.
        ("free", "/x/..%2fapi/", "api"),
        // All of this host is for everybody.
        ("same", "/x/;v=1/..;/x/", ""),
    ] {
        if body.is_empty() {
            assert_eq!(get(host, path).status, 404, "{host}{path}: the service's own");
            continue;
        }
        let page = get(host, path);
        assert_eq!((page.status, page.body.trim()), (200, body), "{host}{path}: {page:?}");
    }
    assert_eq!(get("part", "/admin/").status, 404);
    assert_eq!(get("part", "/open%2f..%2fadmin/").status, 404);
    // A path ends where its name ends.
    assert_eq!((get("part", "/openly/").status, get("part", "/open").status), (404, 301));
    assert_eq!(get("site", "/apiary/").body.trim(), "apiary");
    assert_eq!(get("same", "/caf%C3%A9/").body.trim(), "coffee");
    assert_eq!(get("same", "/").header("X-Hearth-Gate"), None, "no service speaks as gate does");
    assert!(get("part", "/admin/").header("X-Hearth-Gate").is_some());
    for path in ["/api/", "/x/../api/", "/x/%2e%2e/api/", "/%61pi/", "//api/", "/x/.%2E//api/"] {
        assert_eq!(get("site", path).status, 403, "{path}");
    }
    for (host, path) in [
        ("site", "/x/..%2fapi/"),
        ("site", "/%2fapi/"),
        ("site", "/x%2f..%2Fapi/"),
        ("site", "/x/..%5capi/"),
        ("site", "/x/..\\api/"),
        ("site", "/x/..%252fapi/"),
        ("site", "/x/%252e%252e/api/"),
        ("site", "/x/..%3b/api/"),
        ("site", "/api/..%2fadmin/"),
        ("part", "/open/..%2fadmin/"),
        ("part", "/open/%2e%2e%2fadmin/"),
        // What a server of Java would read as /api/ and /admin/.
        ("site", "/x/..;/api/"),
        ("site", "/x/..;a=b/api/"),
        ("site", "/x;/..;/api/"),
        ("site", "/;/api/"),
        ("site", "/api;/"),
        ("part", "/open/..;/admin/"),
    ] {
        let page = get(host, path);
        assert_eq!(page.status, 400, "{host}{path}: {page:?}");
    }
    assert!(get("site", "/x/..;/api/").body.contains("holds a semicolon"));
    assert_eq!(get("site", "/x/?a=1;b=2").status, 200, "a query may have one");
    // Nor is that so only while the service is there.
    door.hearth("stop app").ok();
    door.until("site", 503);
    assert_eq!(get("site", "/x/..%2fapi/").status, 400);
    Ok(())
}
