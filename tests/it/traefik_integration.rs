//! What Traefik's own suite holds true of Traefik, held of Traefik as Hearth sets it up: every case of that list that concerns a home.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rig::{DOMAIN, Done, Door, Echo, Scratch, TestCa, Watch, cases, curl, tls, until};

cases![together:
    a_stop_a_restart_and_a_scale_are_followed_over_the_right_network,
    one_change_is_one_event_and_ten_quick_ones_arrive_within_four_seconds,
    a_bad_file_keeps_the_last_state_and_is_told,
    requests_are_cleaned_and_bounded_and_the_log_keeps_no_secret,
    what_traefik_says_of_a_route_becomes_a_sentence,
    the_certificate_fits_the_name_and_no_name_opens_another_door,
    a_configured_host_never_shows_the_built_in_certificate,
    labels_that_a_stack_writes_cost_only_their_own_service,
    of_several_ports_the_chosen_one_is_asked_and_a_wrong_one_is_told_before,
];

const SOON: Duration = Duration::from_secs(10);

fn service(name: &str, route: &str, more: &str) -> String {
    format!("  {name}:\n{}{more}    profiles: [web]\n    x-hearth: {{ {route} }}\n", Echo::service())
}

fn plain(name: &str) -> String {
    service(name, &format!("route: {{ host: {name}, port: 80, access: public }}"), "")
}

/// Who answered, of so many requests, each of which has to be answered.
fn who(door: &Door, host: &str, times: usize) -> BTreeSet<String> {
    let one = |_| {
        let page = door.get(host, "/");
        assert_eq!(page.status, 200, "{host}: {page:?}");
        page.body.lines().next().unwrap_or_default().to_owned()
    };
    (0..times).map(one).collect()
}

/// Over any other network Traefik would find nobody: it is on none of them.
fn a_stop_a_restart_and_a_scale_are_followed_over_the_right_network(s: &Scratch) -> Done {
    let app = service(
        "app",
        "route: { host: app, port: 80, access: public }",
        "    networks: [aaa, default, zzz]\n    depends_on: [db]\n",
    );
    let db =
        "  db: { image: 'hearth-test/busybox:1', command: [sleep, '1000'], stop_signal: SIGKILL, profiles: [web] }\n";
    let text = format!("services:\n{app}{db}networks: {{ aaa: , zzz: }}\n");
    let door = Door::new(s, &text)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    assert_eq!(s.container("app").networks.len(), 4, "{:?}", s.container("app").networks);
    let servers = || -> BTreeSet<String> {
        let all = door.traefik("/api/http/services?per_page=1000");
        let of = |v: &&Value| v["name"].as_str().is_some_and(|n| n.ends_with("-app@docker"));
        let service = all.as_array().and_then(|all| all.iter().find(of)).cloned().unwrap_or_default();
        let list = service["loadBalancer"]["servers"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|server| server["url"].as_str().map(str::to_owned)).collect()
    };
    let right = |number: u8| {
        let container = s.inspect(&[&format!("{}-app-{number}", s.project)]).pop().expect("it is there");
        let pointer = format!("/NetworkSettings/Networks/{}_web/IPAddress", s.project);
        format!("http://{}:80", container.raw.pointer(&pointer).and_then(Value::as_str).unwrap_or_default())
    };
    let name = format!("{}-app-1", s.project);
    for _ in 0..4 {
        s.docker(&format!("restart -t 0 {name}")).ok();
        let wanted = BTreeSet::from([right(1)]);
        assert!(until(SOON, || servers() == wanted), "{:?}, not {wanted:?}", servers());
        door.until("app", 200);
    }
    s.docker(&format!("stop -t 0 {name}")).ok();
    door.until("app", 503);
    s.docker(&format!("start {name}")).ok();
    door.until("app", 200);
    s.write("stacks/web.yaml", &text.replace("    depends_on: [db]\n", "    depends_on: [db]\n    scale: 3\n"));
    door.hearth("up").ok();
    let wanted: BTreeSet<String> = [1, 2, 3].map(right).into();
    assert!(until(SOON, || servers() == wanted), "{:?}, not {wanted:?}", servers());
    assert_eq!(who(&door, "app", 12).len(), 3);
    s.docker(&format!("restart -t 0 {0}-app-2 {0}-app-3", s.project)).ok();
    let wanted: BTreeSet<String> = [1, 2, 3].map(right).into();
    assert!(until(SOON, || servers() == wanted), "{:?}, not {wanted:?}", servers());
    assert_eq!(who(&door, "app", 12).len(), 3);
    // What has no route is no part of it.
    assert!(!door.traefik("/api/http/routers?per_page=1000").to_string().contains("-db"));
    Ok(())
}

fn one_change_is_one_event_and_ten_quick_ones_arrive_within_four_seconds(s: &Scratch) -> Done {
    let door = Door::new(s, &format!("services:\n{}", plain("app")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let watch = Watch::new(&door.watched());
    // A route more, by Hearth: the file changes once.
    s.write("stacks/web.yaml", &format!("services:\n{}{}", plain("app"), plain("more")));
    door.hearth("up").ok();
    assert_eq!(watch.events(), ["moved in: hearth.yml"]);
    // Nothing to change is no event.
    door.hearth("up").ok();
    assert_eq!(watch.events(), Vec::<String>::new());
    door.until("more", 200);
    let mut file = door.file();
    let began = Instant::now();
    for round in 1..=10 {
        let headers = &mut file["http"]["middlewares"]["clean"]["headers"];
        headers["customResponseHeaders"] = json!({ "X-Round": round.to_string() });
        door.put(&file);
        std::thread::sleep(Duration::from_millis(60));
    }
    let last = || door.get("app", "/").header("x-round").map(str::to_owned);
    assert!(until(Duration::from_secs(5), || last().as_deref() == Some("10")), "{:?}", last());
    let took = began.elapsed();
    assert!(took < Duration::from_millis(4600), "{took:?}");
    assert_eq!(watch.events().len(), 10);
    Ok(())
}

fn a_bad_file_keeps_the_last_state_and_is_told(s: &Scratch) -> Done {
    let door = Door::new(s, &format!("services:\n{}", plain("app")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let shown = || tls::leaf(door.at(), &format!("app.{DOMAIN}")).expect("Traefik speaks TLS");
    let before = shown();
    let stray = door.watched().join("mine.yml");
    for text in ["http: [", "http: { routers: { x: { rulez: y } } }", "http: { middlewares: {} }"] {
        std::fs::write(&stray, text).expect("a file can be written");
        std::thread::sleep(Duration::from_millis(2500));
        assert_eq!((door.get("app", "/").status, shown()), (200, before.clone()), "{text}");
    }
    // Every later change waits for it; so it is said.
    door.hearth("up").ok().says("mine.yml").says("which Hearth did not write");
    std::fs::remove_file(&stray).expect("it is there");
    let said = door.hearth("up").ok();
    assert!(!said.err.contains("mine.yml"), "{}", said.err);
    // Of what can be read, only the bad router itself is off.
    let mut file = door.file();
    let good = file["http"]["routers"]["unknown"].clone();
    file["http"]["routers"]["bad"] = good.clone();
    file["http"]["routers"]["bad"]["rule"] = json!("Host(`bad.it.home.arpa`) && Nothing(`x`)");
    file["http"]["routers"]["fine"] = good;
    file["http"]["routers"]["fine"]["rule"] = json!("Host(`fine.it.home.arpa`)");
    door.put(&file);
    let state = |name: &str| door.traefik(&format!("/api/http/routers/{name}@file"))["status"].clone();
    assert!(until(SOON, || state("fine") == "enabled"), "{}", state("fine"));
    assert_eq!(state("bad"), "disabled");
    assert_eq!(door.get("app", "/").status, 200);
    // A pair that does not fit is only itself.
    file["tls"]["certificates"] = json!([{ "certFile": "not PEM", "keyFile": "not PEM" }]);
    door.put(&file);
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(door.ask("app", "/", &["-k"]).status, 200);
    Ok(())
}

fn requests_are_cleaned_and_bounded_and_the_log_keeps_no_secret(s: &Scratch) -> Done {
    let part = "route: [{ host: app, port: 80, access: public }, { host: app, path: /part, port: 80, access: admin },
              { host: whole, port: 80, access: public }]";
    let door = Door::new(s, &format!("services:\n{}", service("app", part, "")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    door.until("whole", 200);
    let line =
        |path: &str| door.ask("whole", path, &["--path-as-is"]).body.lines().nth(2).unwrap_or_default().to_owned();
    for (sent, seen) in [
        ("/a/../b", "GET /b"),
        ("/a/%2e%2e/b", "GET /b"),
        ("/a//b/./c", "GET /a/b/c"),
        ("/%61bc", "GET /abc"),
        // Of these an application may mean what it likes: they stay as they are.
        ("/a%2Fb", "GET /a%2Fb"),
        ("/a%3Bb;c", "GET /a%3Bb;c"),
        ("/100%25", "GET /100%25"),
    ] {
        assert_eq!(line(sent), seen, "{sent}");
    }
    // Nor may a spelling mean two things where a path is a boundary.
    assert_eq!(door.ask("app", "/a%2Fb", &["--path-as-is"]).status, 400);
    // No spelling of a path leads past its door.
    for path in ["/part", "/part/x", "/x/../part", "/x/%2e%2e/part", "//part", "/%70art", "/./part/"] {
        assert_eq!(door.ask("app", path, &["--path-as-is"]).status, 401, "{path}");
    }
    let big = |size: usize| door.ask("app", "/", &["--http1.1", "-H", &format!("X-Big: {}", "x".repeat(size))]).status;
    assert_eq!((big(60_000), big(75_000)), (200, 431));
    // A header of several names, none of which is the client's to send, and the one that says which are hop-by-hop.
    let seen = door.ask(
        "app",
        "/",
        &["-H", "X_Forwarded_Proto: http", "-H", "Remote_User: me", "-H", "Connection: X-Real-Ip, close"],
    );
    assert!(!seen.body.contains("_") && seen.body.contains("x-real-ip: "), "{}", seen.body);
    // What is written down.
    let secret = "s3cret-of-a-person";
    let (cookie, login) = (format!("id={secret}"), format!("Authorization: Bearer {secret}"));
    door.ask("app", &format!("/here?token={secret}"), &["-b", &cookie, "-H", &login]);
    let log = || s.docker(&format!("logs {}-traefik-1", s.project)).ok().both();
    assert!(until(SOON, || log().contains("\"/here\"")), "{}", log());
    let log = log();
    assert!(!log.contains(secret), "a secret is in the log");
    let line = log.lines().find(|l| l.contains("\"/here\"")).expect("it is there");
    let entry: Value = serde_json::from_str(line).expect("it is JSON");
    for key in [
        "RouterName",
        "ServiceName",
        "ClientHost",
        "RequestMethod",
        "RequestHost",
        "RequestPath",
        "DownstreamStatus",
        "Duration",
        "StartUTC",
    ] {
        assert!(!entry[key].is_null(), "{key} is missing: {entry}");
    }
    let keys: Vec<&String> = entry.as_object().into_iter().flatten().map(|(key, _)| key).collect();
    assert!(!keys.iter().any(|key| key.starts_with("request_") || key.starts_with("downstream_")), "{keys:?}");
    Ok(())
}

fn what_traefik_says_of_a_route_becomes_a_sentence(s: &Scratch) -> Done {
    let home = service("home", "route: { host: home, port: 80, access: lan }", "");
    let slow = service("slow", "route: { host: slow, port: 80, access: public, timeout: 5s }", "");
    let outside = "routes:\n  nas: { host: nas, url: 'http://host.docker.internal:1', access: public }\n";
    let door = Door::with(s, &format!("services:\n{}{home}{slow}", plain("app")), outside)?;
    door.hearth("up web").ok();
    door.until("home", 200);
    let good = door.file();
    assert_eq!(empty_maps(&good, ""), Vec::<String>::new(), "each would void the whole file");
    let mut file = good.clone();
    let all = file["http"].as_object_mut().expect("an object");
    all["middlewares"].as_object_mut().expect("an object").remove("lan");
    all["serversTransports"].as_object_mut().expect("an object").retain(|name, _| !name.ends_with("-slow"));
    let nas = |map: &mut Value, key: &str, value: Value| {
        for (name, router) in map.as_object_mut().into_iter().flatten() {
            if name.contains("out-nas") {
                router[key] = value.clone();
            }
        }
    };
    nas(&mut all["routers"], "service", json!("nobody"));
    door.put(&file);
    let said = || door.hearth("routes").out;
    let says = |host: &str, words: &str| said().lines().any(|l| l.contains(&format!("//{host}.")) && l.contains(words));
    assert!(until(SOON, || says("home", "Traefik does not have the middleware lan@file")), "{}", said());
    assert!(says("slow", "Traefik does not have the settings"), "{}", said());
    assert!(says("nas", "does not know the service nobody"), "{}", said());
    assert!(says("app", "working"), "{}", said());
    // An entry point that Traefik was not started with.
    let mut file = good.clone();
    nas(&mut file["http"]["routers"], "entryPoints", json!(["tcp-9999"]));
    door.put(&file);
    assert!(until(SOON, || says("nas", "Traefik does not listen where the route wants it")), "{}", said());
    // And it is put right.
    door.hearth("up").ok();
    assert_eq!(door.file(), good);
    door.until("home", 200);
    Ok(())
}

/// Where an empty map stands, but for a router's `tls: {}`, which means TLS as usual.
fn empty_maps(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(map) if map.is_empty() => {
            Some(at.to_owned()).filter(|at| !at.ends_with("/tls")).into_iter().collect()
        }
        Value::Object(map) => map.iter().flat_map(|(key, value)| empty_maps(value, &format!("{at}/{key}"))).collect(),
        Value::Array(all) => all.iter().flat_map(|value| empty_maps(value, at)).collect(),
        _ => Vec::new(),
    }
}

fn the_certificate_fits_the_name_and_no_name_opens_another_door(s: &Scratch) -> Done {
    let shut = service("shut", "route: { host: shut, port: 80 }", "");
    let door = Door::new(s, &format!("services:\n{}{}{shut}", plain("app"), plain("other")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let ca = TestCa::new(&s.beside("ca"));
    let import = |file: &str, names: &[&str]| {
        let (chain, key) = ca.issue(file, names);
        s.hearth_args(&["certs", "import", &chain.display().to_string(), &key.display().to_string()]).ok();
    };
    let leaf = |name: &str| tls::leaf(door.at(), name).expect("Traefik speaks TLS");
    let whole = |host: &str| format!("{host}.{DOMAIN}");
    let (wild, exact) = (whole("*"), whole("app"));
    // Without a restart: a wildcard, then an exact one beside it.
    import("wild", &[&wild]);
    assert!(until(SOON, || leaf(&exact).names == [wild.as_str()]), "{:?}", leaf(&exact));
    import("exact", &[&exact]);
    assert!(until(SOON, || leaf(&exact).names == [exact.as_str()]), "{:?}", leaf(&exact));
    assert_eq!(leaf(&whole("other")).names, [wild.as_str()]);
    assert_eq!(leaf(&whole("other")).issuer, "CN=of a test");
    assert_eq!(leaf(&exact.to_uppercase()).names, [exact.as_str()], "names in TLS have no case");
    // Unknown names and none get one of the home, so that a first certificate can be fetched over the redirect: nothing is refused.
    for name in ["nobody.example", "deep.app.it.home.arpa", ""] {
        assert_eq!(leaf(name).issuer, "CN=of a test", "{name}: {:?}", leaf(name));
    }
    // Deleted: the wildcard takes over at once, for the name and for its look.
    let listed: Value = serde_json::from_str(&s.hearth_args(&["certs", "--json"]).ok().out).expect("it is JSON");
    let of = |one: &&Value| one["names"] == json!([exact]);
    let id = listed.as_array().and_then(|all| all.iter().find(of)).map(|one| one["id"].as_str().unwrap_or_default());
    s.hearth_args(&["certs", "delete", id.unwrap_or_else(|| panic!("{listed}"))]).ok();
    assert!(until(SOON, || leaf(&exact).names == [wild.as_str()]), "{:?}", leaf(&exact));
    // One name in TLS, another in HTTP: what counts is the door of the one in HTTP.
    let fronting = |sni: &str, host: &str| {
        let at = format!("{}:{}:127.0.0.1", whole(sni), door.https);
        let url = format!("https://{}:{}/", whole(sni), door.https);
        curl(s, &["-k", "--resolve", &at, "-H", &format!("Host: {host}"), &url])
    };
    assert_eq!(fronting("app", &whole("shut")).status, 401);
    assert_eq!(fronting("shut", &whole("app")).status, 200);
    let raw = fronting("app", "api.traefik.internal");
    assert!(matches!(raw.status, 404 | 421), "{raw:?}");
    // On the private entry point too: a name in TLS without the certificate it takes is misdirected.
    let ip = door.ip("traefik", "core");
    let at = format!("{}:8082:{ip}", whole("app"));
    let url = format!("https://{}:8082/api/rawdata", whole("app"));
    let api = curl(s, &["-k", "--resolve", &at, "-H", "Host: api.traefik.internal:8082", &url]);
    assert_eq!(api.status, 421, "{api:?}");
    // Nowhere two sets of TLS options meet on one name, and every router says where it listens; on the private one only ours.
    let routers = door.traefik("/api/http/routers?per_page=1000");
    for router in routers.as_array().expect("a list") {
        let name = router["name"].as_str().unwrap_or_default();
        assert!(!name.contains("-conflicted-") && router["status"] == "enabled", "{router}");
        let points = router["entryPoints"].as_array().cloned().unwrap_or_default();
        assert_eq!(points.len(), 1, "{router}");
        let private = points.contains(&json!("api")) || points.contains(&json!("ping"));
        assert!(!private || name == "api@file" || name.ends_with("@internal"), "{router}");
    }
    Ok(())
}

fn a_configured_host_never_shows_the_built_in_certificate(s: &Scratch) -> Done {
    let door = Door::new(s, &format!("services:\n{}", plain("app")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let host = format!("app.{DOMAIN}");
    let built_in = |leaf: &tls::Leaf| leaf.subject.contains("TRAEFIK DEFAULT CERT");
    /// Ends the watcher, whatever happens to the test.
    struct End<'g>(&'g AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(false, Ordering::Relaxed);
        }
    }
    let going = AtomicBool::new(true);
    let (looked, wrong) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut looked, mut wrong) = (0, 0);
            while going.load(Ordering::Relaxed) {
                let leaf = tls::leaf(door.at(), &host);
                looked += 1;
                wrong += usize::from(leaf.is_ok_and(|leaf| built_in(&leaf)));
            }
            (looked, wrong)
        });
        let end = End(&going);
        // Every kind of change: certificates, a route more, a container that comes and goes.
        let ca = TestCa::new(&s.beside("ca"));
        for (file, names) in [("one", &[host.as_str()][..]), ("two", &["*.it.home.arpa", DOMAIN])] {
            let (chain, key) = ca.issue(file, names);
            s.hearth_args(&["certs", "import", &chain.display().to_string(), &key.display().to_string()]).ok();
        }
        s.write("stacks/web.yaml", &format!("services:\n{}{}", plain("app"), plain("more")));
        door.hearth("up").ok();
        s.docker(&format!("restart -t 0 {}-app-1", s.project)).ok();
        assert!(until(SOON, || door.ask("app", "/", &["-k"]).status == 200), "{}", door.routes());
        drop(end);
        watcher.join().expect("the watcher does not panic")
    });
    assert_eq!(wrong, 0, "of {looked}");
    assert!(looked > 100, "{looked} are too few to say anything");
    // At a start its file is read some milliseconds after its ports are there.
    for _ in 0..3 {
        s.docker(&format!("restart -t 1 {}-traefik-1", s.project)).ok();
        let (mut first, mut last_wrong) = (None, Duration::ZERO);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(2) {
            let Ok(leaf) = tls::leaf(door.at(), &host) else { continue };
            let since = first.get_or_insert_with(Instant::now).elapsed();
            if built_in(&leaf) {
                last_wrong = since;
            }
        }
        assert!(first.is_some(), "Traefik did not come back");
        assert!(last_wrong < Duration::from_millis(50), "after {last_wrong:?}");
    }
    Ok(())
}

fn labels_that_a_stack_writes_cost_only_their_own_service(s: &Scratch) -> Done {
    let raw = |label: &str| {
        format!(
            "  raw:\n{}    profiles: [web]\n    labels:\n      traefik.enable: 'true'\n      traefik.http.routers.raw.rule: Host(`raw.{DOMAIN}`)\n      traefik.http.routers.raw.entrypoints: websecure\n      traefik.http.routers.raw.tls: 'true'\n      traefik.http.routers.raw.service: raw\n      traefik.http.services.raw.loadbalancer.server.port: '80'\n{label}    x-hearth: {{ raw-labels: true }}\n",
            Echo::service()
        )
    };
    let door = Door::new(s, &format!("services:\n{}{}", plain("app"), raw("")))?;
    door.hearth("up web").ok();
    door.until("app", 200);
    door.until("raw", 200);
    let (before, file) = (s.lives(), door.file());
    // A slip of a letter: refused by its name, and nothing has happened.
    for (label, place) in [
        ("      traefik.http.routers.raw.entrypoint: web\n", "traefik.http.routers.raw.entrypoint"),
        ("      traefik.http.routers.raw.priority: high\n", "traefik.http.routers.raw.priority"),
        ("      traefik.http.routers.raw.middlewares: gone\n", "traefik.http.routers.raw.middlewares"),
        ("      traefik.http.routers.other.rule: Host(`x`\n", "traefik.http.routers.other.rule"),
        ("      traefik.http.routers.other.rule: Host(`x`)\n", "names no entry points"),
    ] {
        s.write("stacks/web.yaml", &format!("services:\n{}{}", plain("app"), raw(label)));
        door.hearth("up").exits(2).says(place).says("stacks/web.yaml:");
        assert_eq!((s.lives(), door.file()), (before.clone(), file.clone()), "{label}");
        assert_eq!((door.get("app", "/").status, door.get("raw", "/").status), (200, 200), "{label}");
    }
    // Who forgets `tls`, or the entry points, is refused; and if not, would be served over TLS all the same, and never where only
    // Hearth may ask.
    s.write(
        "stacks/web.yaml",
        &format!("services:\n{}{}", plain("app"), raw("").replace("      traefik.http.routers.raw.tls: 'true'\n", "")),
    );
    door.hearth("up").exits(2).says("without TLS");
    let mut file = file;
    let bare = json!({ "rule": format!("Host(`bare.{DOMAIN}`)"), "service": "gate" });
    file["http"]["routers"]["bare"] = bare.clone();
    file["http"]["routers"]["bare"]["entryPoints"] = json!(["websecure"]);
    file["http"]["routers"]["nowhere"] = bare;
    door.put(&file);
    let points = |name: &str| door.traefik(&format!("/api/http/routers/{name}@file"))["entryPoints"].clone();
    assert!(until(SOON, || points("nowhere") == json!(["web"])), "{}", points("nowhere"));
    assert_eq!(points("bare"), json!(["websecure"]));
    let at = format!("http://127.0.0.1:{}/", door.https);
    for host in ["bare", "app", "raw"] {
        let clear = curl(s, &["-H", &format!("Host: {host}.{DOMAIN}"), &at]);
        assert!(!matches!(clear.status, 200..400), "{host}: {clear:?}");
    }
    assert_ne!(door.get("bare", "/").status, 0);
    Ok(())
}

fn of_several_ports_the_chosen_one_is_asked_and_a_wrong_one_is_told_before(s: &Scratch) -> Done {
    s.write(
        "image/Dockerfile",
        "FROM hearth-test/busybox:1\nEXPOSE 80 8443 9000\nRUN mkdir -p /a /b && echo of 80 >/a/index.html && echo of 9000 >/b/index.html\nCMD [\"sh\", \"-c\", \"httpd -p 80 -h /a; exec httpd -f -p 9000 -h /b\"]\n",
    );
    let image = format!("hearth-test/{}-ports:1", s.project);
    s.docker_built(&image, "image");
    let text = |port: u16| {
        format!(
            "services:\n  app:\n    image: '{image}'\n    stop_signal: SIGKILL\n    profiles: [web]\n    x-hearth: {{ route: {{ host: app, port: {port}, access: public }} }}\n"
        )
    };
    let door = Door::new(s, &text(9000))?;
    door.hearth("up web").ok();
    assert_eq!(door.until("app", 200).body.trim(), "of 9000");
    s.write("stacks/web.yaml", &text(9001));
    let plan = door.hearth("plan").ok();
    plan.says("stacks/web.yaml:6").says("leads to port 9001, which its image does not name").says("80, 8443, 9000");
    assert_eq!(door.get("app", "/").body.trim(), "of 9000", "a plan changes nothing");
    // Who does it all the same is told what is wrong, not only 502.
    door.hearth("up").ok().says("nothing answers on port 9001");
    s.docker_args(&["rm", "-f", &format!("{}-app-1", s.project)]).ok();
    s.docker_args(&["rmi", &image]).ok();
    Ok(())
}
