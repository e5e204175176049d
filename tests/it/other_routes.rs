//! Every other kind of route than by host to a container of the home, and every key of a route, through a real Traefik.

use std::net::SocketAddr;
use std::time::Duration;

use crate::rig::{DOMAIN, Done, Door, Echo, Elsewhere, Scratch, cases, curl, echo, free_port, tls, until};

cases![together:
    tcp_and_udp_pass_as_they_come_and_the_plan_says_that_traefik_is_recreated,
    every_key_of_a_route_does_what_it_says,
    a_rate_limit_holds_one_client_back_and_no_other,
    a_browser_stays_with_one_of_three_and_the_ill_one_is_left_out,
    what_is_not_in_docker_is_reached_by_its_address,
    a_container_of_another_project_is_reached_and_never_recreated,
    a_container_of_another_project_that_is_away_has_a_waiting_page_while_hearth_runs,
    where_lan_cannot_be_promised_it_is_said,
];

const SOON: Duration = Duration::from_secs(10);

/// A service that says what reached it, with these lines below `x-hearth.route`.
fn service(name: &str, routes: &[&str], more: &str) -> String {
    let routes: String = routes.iter().map(|route| format!("        - {{{route}}}\n")).collect();
    format!("  {name}:\n{}{more}    profiles: [web]\n    x-hearth:\n      route:\n{routes}", Echo::service())
}

fn tcp_and_udp_pass_as_they_come_and_the_plan_says_that_traefik_is_recreated(s: &Scratch) -> Done {
    let stranger = Elsewhere::new(s, "itwan1", "203.0.114")?;
    let first = "host: app, port: 80, access: public";
    let door = Door::new(s, &format!("services:\n{}", service("app", &[first], "")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let traefik = door.id("traefik");
    let (open, home, shut, datagrams) = (free_port(), free_port(), free_port(), free_port());
    let routes = [
        first.to_owned(),
        format!("tcp: {open}, port: 7, access: public"),
        format!("tcp: {home}, port: 7, access: lan"),
        format!("tcp: {shut}, port: 7"),
        format!("udp: {datagrams}, port: 7, access: public"),
    ];
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    s.write("stacks/web.yaml", &format!("services:\n{}", service("app", &routes, "")));
    // Why, too: the entry points and the ports of this machine.
    let plan = door.hearth("plan").ok();
    plan.says("replace")
        .says("traefik")
        .says("command: --entrypoints.")
        .says("tcp-")
        .says(&format!("port {datagrams}/udp"));
    assert_eq!(door.id("traefik"), traefik, "a plan changes nothing");
    door.hearth("up").ok();
    assert_ne!(door.id("traefik"), traefik);
    let here = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    assert!(until(SOON, || echo::tcp(here(open), "as it comes") == "as it comes"), "{}", door.routes());
    assert_eq!(echo::tcp(here(home), "from the home"), "from the home");
    assert_eq!(echo::tcp(here(shut), "from nobody"), "", "what needs a login is closed");
    assert!(until(SOON, || echo::udp(here(datagrams), "a datagram") == "a datagram"), "{}", door.routes());
    // The same from outside: by telnet's rules curl sends what it is given and prints what comes back.
    let outside = |port: u16| {
        let url = format!("telnet://{}:{port}", stranger.here);
        stranger.curl(&["-m", "2", "--upload-file", "hearth.yaml", &url]).head
    };
    assert!(outside(open).starts_with("name:"), "{}", outside(open));
    assert_eq!(outside(home), "", "access: lan lets a stranger in");
    assert_eq!(outside(shut), "");
    let routes = door.hearth("routes").ok();
    let state =
        |port: u16| routes.out.lines().find(|l| l.contains(&format!(":{port} "))).unwrap_or_default().to_owned();
    assert!(state(open).contains("working") && state(home).contains("working"), "{}", routes.out);
    assert!(state(shut).contains("closed: its access asks for a login"), "{}", routes.out);
    assert!(state(datagrams).contains("passed on"), "{}", routes.out);
    // Off and on again, without Traefik being made anew: entry points are those of all profiles.
    let traefik = door.id("traefik");
    s.docker(&format!("restart -t 1 {}-app-1", s.project)).ok();
    assert!(until(SOON, || echo::tcp(here(open), "again") == "again"));
    assert!(until(SOON, || echo::udp(here(datagrams), "again") == "again"));
    assert_eq!(door.id("traefik"), traefik);
    Ok(())
}

fn every_key_of_a_route_does_what_it_says(s: &Scratch) -> Done {
    let routes = [
        &format!("host: [app, second, whole.{DOMAIN}, Bücher, UPPER], port: 80, access: public"),
        "host: app, path: /api, strip-prefix: true, port: 80, access: public, headers: {request: {X-Part: stripped}}",
        "host: app, path: /api/deep, port: 80, access: public, headers: {request: {X-Part: deep}}",
        "host: tls, port: 443, scheme: https, access: public",
        "host: two, port: 80, scheme: h2c, access: public",
        "host: slow, port: 80, timeout: 1s, access: public",
        "host: heads, port: 80, access: public, headers: {request: {X-Set: of the route, X-Gone: ''}, response: {X-Set: back, X-Made-By: ''}}",
    ];
    let door = Door::new(s, &format!("services:\n{}", service("app", &routes, "")))?;
    door.hearth("up web").ok();
    let seen = door.until("app", 200).body;
    assert!(
        seen.contains("HTTP/1.1\nGET /\n") && seen.contains(&format!("host: app.{DOMAIN}:{}\n", door.https)),
        "{seen}"
    );
    for host in ["second", "whole", "xn--bcher-kva", "XN--BCHER-KVA", "upper", "uPPer"] {
        assert_eq!(door.get(host, "/").status, 200, "{host}");
    }
    // Paths: the longest wins, and only what begins with it as a part of a path.
    let line = |path: &str| {
        let page = door.get("app", path).body;
        let part = page.lines().find_map(|l| l.strip_prefix("x-part: ")).unwrap_or("whole").to_owned();
        (part, page.lines().nth(2).unwrap_or_default().to_owned())
    };
    assert_eq!(line("/other?x=1"), ("whole".into(), "GET /other?x=1".into()));
    assert_eq!(line("/api/a?x=1"), ("stripped".into(), "GET /a?x=1".into()));
    assert_eq!(line("/api"), ("stripped".into(), "GET /".into()));
    assert_eq!(line("/api/deep/b"), ("deep".into(), "GET /api/deep/b".into()));
    assert_eq!(
        door.get("second", "/api/a").body.lines().nth(2),
        Some("GET /api/a"),
        "of the other host nothing is taken"
    );
    // Schemes.
    assert_eq!(door.get("tls", "/").body.lines().nth(2), Some("GET /"));
    let two = door.get("two", "/").body;
    assert!(two.contains("\nHTTP/2.0\n"), "{two}");
    // Time.
    assert_eq!(door.get("slow", "/wait-300").status, 200);
    let late = door.get("slow", "/wait-3000");
    assert_eq!(late.status, 504, "{late:?}");
    assert_eq!(door.get("app", "/wait-2000").status, 200, "no other route has that limit");
    // Headers, there and back.
    let page = door.ask("heads", "/", &["-H", "X-Gone: sent", "-H", "X-Set: of the client"]);
    assert!(page.body.contains("x-set: of the route\n") && !page.body.contains("x-gone"), "{page:?}");
    assert_eq!((page.header("x-set"), page.header("x-made-by")), (Some("back"), None), "{page:?}");
    assert_eq!(door.get("app", "/").header("x-made-by"), Some("echo"));
    // WebSockets, as they come.
    for host in ["app", "tls"] {
        assert_eq!(websocket(&door, host), "hello through it", "{host}");
    }
    door.hearth("routes").ok().says("working");
    Ok(())
}

fn a_rate_limit_holds_one_client_back_and_no_other(s: &Scratch) -> Done {
    let stranger = Elsewhere::new(s, "itwan3", "203.0.116")?;
    let other = Elsewhere::new(s, "itwan4", "203.0.117")?;
    let machine = Echo::here();
    let routes = [
        "host: app, port: 80, access: public, rate-limit: {average: 2/h, burst: 5}",
        "host: free, port: 80, access: public",
    ];
    let door = Door::new(s, &format!("services:\n{}", service("app", &routes, "")))?;
    let url = format!("http://host.docker.internal:{}", machine.http);
    s.append("hearth.yaml", &format!("routes:\n  nas: {{host: nas, url: '{url}', access: public, rate-limit: 3/h}}\n"));
    door.hearth("up web").ok();
    door.until("free", 200);
    let ask = |who: &Elsewhere, host: &str, more: &[&str]| {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:{}", door.https, who.here);
        let url = format!("https://{whole}:{}/", door.https);
        who.curl(&[&["--resolve", &at, "-k", &url][..], more].concat()).status
    };
    let asked: Vec<u16> = (0..8).map(|_| ask(&stranger, "app", &[])).collect();
    assert_eq!(asked, [200, 200, 200, 200, 200, 429, 429, 429], "five at once, and two in an hour");
    // Who says to be somebody else is still the same client.
    for lie in ["X-Forwarded-For: 192.0.2.77", "X-Real-Ip: 192.0.2.77", "Forwarded: for=192.0.2.77"] {
        assert_eq!(ask(&stranger, "app", &["-H", lie]), 429, "{lie}");
    }
    assert_eq!(ask(&other, "app", &[]), 200, "another client has asked for nothing yet");
    assert_eq!(ask(&stranger, "free", &[]), 200, "no other route has that limit");
    let asked: Vec<u16> = (0..4).map(|_| ask(&stranger, "nas", &[])).collect();
    assert_eq!(asked, [200, 200, 200, 429], "of what is not in Docker as well");
    Ok(())
}

/// Asks for a WebSocket and sends a line through it; gives what came back, or the answer that was no WebSocket.
fn websocket(door: &Door, host: &str) -> String {
    use std::io::{Read, Write};
    let host = format!("{host}.{DOMAIN}");
    let mut stream = tls::connect(door.at(), &host).expect("Traefik speaks TLS");
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request can be sent");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    if !head.starts_with("HTTP/1.1 101 ") {
        return head;
    }
    let mut back = [0; 16];
    let came = stream.write_all(b"hello through it").and_then(|()| stream.read_exact(&mut back));
    came.map(|()| String::from_utf8_lossy(&back).into_owned()).unwrap_or_default()
}

fn a_browser_stays_with_one_of_three_and_the_ill_one_is_left_out(s: &Scratch) -> Done {
    let routes = [
        "host: app, port: 80, access: public",
        "host: stay, port: 80, access: public, sticky: true",
        "host: well, port: 80, access: public, health: /health",
    ];
    let door = Door::new(s, &format!("services:\n{}", service("app", &routes, "    scale: 3\n")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let who = |host: &str, more: &[&str]| door.ask(host, "/", more).body.lines().next().unwrap_or_default().to_owned();
    let of_ten = |host: &str, more: &[&str]| {
        let all: std::collections::BTreeSet<String> = (0..10).map(|_| who(host, more)).collect();
        all
    };
    assert!(until(SOON, || of_ten("app", &[]).len() == 3), "three containers answer in turn: {:?}", of_ten("app", &[]));
    assert!(until(SOON, || of_ten("stay", &[]).len() == 3), "without its cookie a browser gets any");
    let first = door.get("stay", "/");
    let cookie = first.header("set-cookie").unwrap_or_default().to_owned();
    for word in ["Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap_or_default();
    let of = first.body.lines().next().unwrap_or_default().to_owned();
    assert_eq!(of_ten("stay", &["-b", pair]).into_iter().collect::<Vec<_>>(), [of]);
    // One falls ill: only the route that looks at its health leaves it out. Traefik asks every 30 s.
    let ip = |n: u8| {
        let name = format!("{}-app-{n}", s.project);
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} {{.Config.Hostname}}";
        let said = s.docker_args(&["inspect", "-f", format, &name]).ok().out;
        let (ip, name) = said.trim().split_once(' ').expect("two words").to_owned();
        (ip.to_owned(), format!("from {name}"))
    };
    assert_eq!(of_ten("well", &[]).len(), 3);
    let (at, ill) = ip(2);
    assert_eq!(curl(s, &[&format!("http://{at}/ill")]).status, 200);
    let out = until(Duration::from_secs(40), || !of_ten("well", &[]).contains(&ill));
    assert!(out, "{ill} is still asked: {:?}", of_ten("well", &[]));
    assert_eq!(of_ten("well", &[]).len(), 2);
    assert_eq!(of_ten("app", &[]).len(), 3);
    Ok(())
}

fn what_is_not_in_docker_is_reached_by_its_address(s: &Scratch) -> Done {
    let machine = Echo::here();
    let datagrams = free_port();
    let raw = free_port();
    let routes = format!(
        "routes:
  printer: {{ host: printer, url: 'http://host.docker.internal:{0}', access: public, headers: {{request: {{X-Set: outside}}, response: {{X-Made-By: ''}}}} }}
  nas: {{ host: nas, url: 'https://host.docker.internal:{1}', access: lan, path: /files, strip-prefix: true }}
  two: {{ host: two, url: 'h2c://host.docker.internal:{0}', access: public }}
  slow: {{ host: slow, url: 'http://host.docker.internal:{0}', access: public, timeout: 1s }}
  door: {{ host: door, url: 'http://host.docker.internal:{0}' }}
  gone: {{ host: gone, url: 'http://host.docker.internal:1', access: public }}
  raw: {{ tcp: {raw}, url: 'host.docker.internal:{2}', access: lan }}
",
        machine.http, machine.https, machine.raw
    );
    let on_machine = free_port();
    let text = format!(
        "services:
  machine:
    image: hearth-test/busybox:1
    network_mode: host
    stop_signal: SIGKILL
    command: [sh, -c, 'mkdir -p /tmp/w; echo of the machine >/tmp/w/index.html; exec httpd -f -p {on_machine} -h /tmp/w']
    x-hearth: {{ route: {{ host: machine, port: {on_machine}, access: public }} }}
"
    );
    let door = Door::with(s, &text, &routes)?;
    // Whoever answers datagrams from any address answers from the nearest of its own: that one has to be asked.
    let names =
        format!("  names: {{ udp: {datagrams}, url: '{}:{}', access: public }}\n", door.gateway("core"), machine.raw);
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    s.write("hearth.yaml", &format!("{config}{names}"));
    door.hearth("up").ok();
    let seen = door.until("printer", 200);
    assert!(seen.body.starts_with("from the machine\n") && seen.body.contains("x-set: outside\n"), "{seen:?}");
    assert_eq!(seen.header("x-made-by"), None);
    assert_eq!(door.get("nas", "/files/a").body.lines().nth(2), Some("GET /a"));
    assert_eq!(door.get("nas", "/else").status, 404, "only its path is routed");
    assert!(door.get("two", "/").body.contains("\nHTTP/2.0\n"));
    assert_eq!(door.get("slow", "/wait-3000").status, 504);
    assert_eq!(door.get("door", "/").status, 401, "what needs a login asks for it, wherever it leads");
    assert_eq!(websocket(&door, "printer"), "hello through it");
    let here = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    assert!(until(SOON, || echo::tcp(here(raw), "as it comes") == "as it comes"));
    assert!(until(SOON, || echo::udp(here(datagrams), "a datagram") == "a datagram"));
    assert_eq!(door.until("machine", 200).body.trim(), "of the machine");
    // What does not answer is told in words, with its address.
    assert_eq!(door.get("gone", "/").status, 502);
    let said = door.routes();
    assert!(
        said.lines().any(|l| l.contains("gone.") && l.contains("finds nobody at http://host.docker.internal:1")),
        "{said}"
    );
    Ok(())
}

/// Compose alone makes the other project; Traefik comes to it.
fn a_container_of_another_project_is_reached_and_never_recreated(s: &Scratch) -> Done {
    let other = format!("{}-photos", s.project);
    let door = Door::new(s, &format!("services:\n{}", service("own", &["host: own, port: 80, access: public"], "")))?;
    s.write(
        "other/compose.yaml",
        &format!(
            "services:\n  named:\n{0}    container_name: {other}-whatever\n  many:\n{0}    scale: 2\n  behind:\n{0}    networks: [back]\nnetworks: {{ back: }}\n",
            Echo::service()
        ),
    );
    let compose = |args: &str| s.compose(&format!("-p {other} -f other/compose.yaml {args}")).ok();
    compose("up -d");
    compose("run -d many");
    // As Compose 1 called them.
    let old = format!("{other}_old_1");
    let label = |key: &str, value: &str| format!("com.docker.compose.{key}={value}");
    s.docker_args(&[
        "run",
        "-d",
        "--name",
        &old,
        "--network",
        &format!("{other}_default"),
        "--label",
        &label("project", &other),
        "--label",
        &label("service", "old"),
        "--label",
        &label("oneoff", "False"),
        "hearth-test/busybox:1",
        "sh",
        "-c",
        "mkdir -p /tmp/w; echo of old >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w",
    ])
    .ok();
    let before = lives_of(s, &other);
    assert_eq!(before.len(), 6, "{before:?}");
    let raw = free_port();
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    let route = |name: &str, key: &str, service: &str, more: &str| {
        format!("  {name}: {{ {key}, project: '{other}', service: {service}, access: public, {more} }}\n")
    };
    let routes = [
        route("named", "host: named", "named", "port: 80, path: /part, strip-prefix: true"),
        route("many", "host: many", "many", "port: 80"),
        route("old", "host: old", "old", "port: 80"),
        route("raw", &format!("tcp: {raw}"), "named", "port: 7"),
        route("gone", "host: gone", "gone", "port: 80"),
        route("behind", "host: behind", "behind", "port: 80"),
    ];
    s.write("hearth.yaml", &format!("{config}routes:\n{}", routes.concat()));
    // The plan shows what Traefik joins.
    door.hearth("plan").ok().says(&format!("{other}_default"));
    let up = door.hearth("up").ok();
    let up = up.says(&format!("the project `{other}` has no container of a service `gone`"));
    up.says(&format!("{other}-behind-1 is not on the network `{other}_default`")).says("network: NAME");
    door.until("old", 200);
    assert_eq!(door.get("named", "/part/a").body.lines().nth(2), Some("GET /a"));
    let many = || {
        let who = |_| door.get("many", "/").body.lines().next().unwrap_or_default().to_owned();
        (0..8).map(who).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(many().len(), 2, "its containers in turn, and not the one-off: {:?}", many());
    let here = SocketAddr::from(([127, 0, 0, 1], raw));
    assert!(until(SOON, || echo::tcp(here, "as it comes") == "as it comes"));
    assert_eq!(door.get("gone", "/").status, 502);
    assert_eq!(lives_of(s, &other), before, "containers of another project were touched");
    // One more of them, and the network that `behind` is on.
    compose("up -d --scale many=3 --no-recreate");
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    let gone = config.lines().find(|line| line.starts_with("  gone:")).expect("it was written");
    let behind = format!("service: behind, network: '{other}_back',");
    s.write("hearth.yaml", &config.replace(gone, "").replace("service: behind,", &behind));
    let traefik = door.id("traefik");
    let plan = door.hearth("plan").ok();
    plan.says("traefik").says(&format!("{other}_back"));
    assert_eq!(door.id("traefik"), traefik);
    door.hearth("up").ok();
    door.until("behind", 200);
    assert!(until(SOON, || many().len() == 3), "{:?}", many());
    door.hearth("up").ok().says("nothing to do");
    Ok(())
}

/// Compose alone has the other project in hand, and Hearth hears of it.
fn a_container_of_another_project_that_is_away_has_a_waiting_page_while_hearth_runs(s: &Scratch) -> Done {
    let other = format!("{}-photos", s.project);
    let own = service("server", &["host: own, port: 80, access: public"], "");
    let door = Door::new(s, &format!("services:\n{own}"))?;
    let check = "    healthcheck: {test: [CMD, test, -e, /tmp/well], interval: 1s, start_period: 60s, retries: 2}\n";
    let plain = "  server:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    command: [sh, -c, 'mkdir /tmp/w; echo of photos >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']\n";
    s.write("other/compose.yaml", &format!("services:\n{plain}{check}    container_name: {other}-as-somebody-likes\n"));
    let compose = |args: &str| s.compose(&format!("-p {other} -f other/compose.yaml {args}")).ok();
    compose("up -d");
    let well = || s.docker_args(&["exec", &format!("{other}-as-somebody-likes"), "touch", "/tmp/well"]).ok();
    well();
    let (raw, more) = (free_port(), ["-H", "Accept: text/html", "-b", "own=s3cret"]);
    door.says(&format!(
        "routes:\n  photos: {{host: photos, project: '{other}', service: server, port: 80, access: public}}\n  \
         raw: {{tcp: {raw}, project: '{other}', service: server, port: 80, access: public}}\n"
    ));
    door.hearth("up web").ok();
    door.until("photos", 200);
    let before = lives_of(s, &other);
    let serve = door.serve();
    let waiting = |words: &str| {
        let mut page = door.ask("photos", "/a", &more);
        let came = until(SOON, || {
            page = door.ask("photos", "/a", &more);
            page.status == 503 && page.body.contains(words)
        });
        assert!(came, "no {words:?}: {page:?}\n{}", door.routes());
        assert!(page.header("x-hearth-gate").is_some() && !page.body.contains("s3cret"), "{page:?}");
        page.body
    };
    assert_eq!(door.until("photos", 200).body.trim(), "of photos");
    assert_eq!(lives_of(s, &other), before, "containers of another project were touched");
    compose("stop -t 0");
    let page = waiting("server is stopped");
    assert!(page.contains(&format!("docker compose -p {other} start server")), "{page}");
    let said = door.routes();
    let words = format!("no container of `server` of the project `{other}` is ready");
    assert_eq!(said.matches(&words).count(), 2, "by name and by port: {said}");
    assert_eq!(door.get("own", "/").status, 200, "a service of the home has the same name, and its own page");
    compose("start");
    let page = waiting("server is starting");
    assert!(!page.contains("is stopped"));
    well();
    door.until("photos", 200);
    s.docker_args(&["exec", &format!("{other}-as-somebody-likes"), "rm", "/tmp/well"]).ok();
    waiting("server is not well");
    well();
    door.until("photos", 200);
    s.docker_args(&["pause", &format!("{other}-as-somebody-likes")]).ok();
    waiting("server is paused");
    s.docker_args(&["unpause", &format!("{other}-as-somebody-likes")]).ok();
    door.until("photos", 200);
    compose("down -t 0");
    waiting(" is not there");
    // Made anew, under another address and, by its file, another name.
    s.write("other/compose.yaml", &format!("services:\n{plain}"));
    compose("up -d");
    assert_eq!(door.until("photos", 200).body.trim(), "of photos");
    // A command beside Hearth, which does not know that it hears, takes no waiting page away for long.
    compose("stop -t 0");
    waiting("server is stopped");
    door.hearth("up web").ok();
    waiting("server is stopped");
    // Who goes leaves a file that finds who comes without being written anew.
    serve.end();
    assert!(until(SOON, || door.get("photos", "/").status == 502), "{:?}", door.get("photos", "/"));
    compose("start");
    assert_eq!(door.until("photos", 200).body.trim(), "of photos");
    compose("down -t 0");
    Ok(())
}

/// Id and start of every container of a project.
fn lives_of(s: &Scratch, project: &str) -> Vec<(String, String)> {
    let label = format!("label=com.docker.compose.project={project}");
    let ids = s.docker_args(&["ps", "-aq", "--no-trunc", "--filter", &label]).ok().out;
    let mut all: Vec<(String, String)> =
        s.inspect(&ids.split_whitespace().collect::<Vec<_>>()).into_iter().map(|c| (c.id, c.started)).collect();
    all.sort();
    all
}

/// Over IPv6 the engine passes connections on under its own address.
fn where_lan_cannot_be_promised_it_is_said(s: &Scratch) -> Done {
    let door = Door::new(s, &format!("services:\n{}", service("app", &["host: app, port: 80, access: lan"], "")))?;
    let silent = door.hearth("plan web").ok();
    assert!(!silent.both().contains("cannot be promised"), "{}", silent.both());
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    s.write("hearth.yaml", &config.replace("traefik: {", "traefik: {bind: ['0.0.0.0', '::'], "));
    door.hearth("plan web").ok().says("`access: lan` of `app` cannot be promised").says("stacks/web.yaml:");
    Ok(())
}
