//! Certificates reach new connections at once and cost no request; whatever happens to Hearth, Traefik goes on with the last ones.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hearth::base::clock::{Clock, SystemClock};
use hearth::base::secret::Secret;
use hearth::certs::store::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::rig::{DOMAIN, Done, Door, Scratch, Skip, cases, curl, own_certificate, until};

cases![together:
    a_new_certificate_is_served_within_seconds_and_no_request_fails,
    unknown_hosts_get_the_homes_own_certificate,
    what_is_served_is_shown_and_not_what_is_stored,
    after_a_restart_of_everything_the_last_routes_and_certificates_are_served,
    a_certificate_that_a_route_needs_is_not_deleted,
    the_panel_is_reached_through_traefik_and_in_no_other_way,
    half_open_connections_do_not_keep_traefik_from_the_panel,
    an_upload_of_more_than_a_minute_comes_through,
];

const STACK: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    restart: unless-stopped
    command:
      - sh
      - -c
      - |
        mkdir -p /www/cgi-bin
        printf '#!/bin/sh\\necho\\nwc -c\\n' > /www/cgi-bin/count
        chmod +x /www/cgi-bin/*
        echo hello > /www/index.html
        exec httpd -f -p 80 -h /www
    x-hearth: {route: {host: app, port: 80, access: public}}
";

/// Who signed what is served for a host; empty where nothing is.
fn issuer(door: &Door, host: &str) -> String {
    let ran = curl(
        door.s,
        &[
            "-k",
            "-v",
            "--resolve",
            &format!("{host}:{}:127.0.0.1", door.https),
            &format!("https://{host}:{}/", door.https),
        ],
    );
    let line = ran.trouble.lines().find_map(|line| line.split_once("issuer: ")).map(|(_, issuer)| issuer.to_owned());
    line.unwrap_or_default()
}

fn what_is_served_is_shown_and_not_what_is_stored(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    // Nothing is stored yet: what the home's own CA made is shown all the same.
    let rows = certs(s);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0]["issuer"].as_str().is_some_and(|issuer| issuer.contains("Hearth")), "{rows:?}");
    let (chain, key) = own_certificate(s, "first");
    s.hearth_args(&["certs", "import", &chain, &key]).ok();
    let came = until(Duration::from_secs(10), || certs(s)[0]["served"]["as_stored"] == true);
    assert!(came, "{:?}", certs(s));
    s.hearth_args(&["certs"]).ok().says("yes, on 2 names");
    // The next one reaches the disk, and not Traefik.
    let (chain, key) = own_certificate(s, "second");
    let text = |path: &str| std::fs::read_to_string(path).expect("the file is there");
    let store = Store::open(&s.dir.join("state"), None).expect("the store opens");
    store.import(&text(&chain), &Secret::new(text(&key)), SystemClock.now()).expect("it is good");
    let rows = certs(s);
    assert_eq!((&rows[0]["issuer"], &rows[0]["served"]["as_stored"]), (&"second".into(), &false.into()), "{rows:?}");
    s.hearth_args(&["certs"]).ok().says("shows one of first").says("hearth up gives it to Traefik");
    s.docker(&format!("stop -t 1 {}-traefik-1", s.project)).ok();
    s.hearth_args(&["certs"]).ok().says("shows none (nothing listens there)");
    Ok(())
}

fn certs(s: &Scratch) -> Vec<serde_json::Value> {
    let ran = s.hearth_args(&["certs", "--json"]).ok();
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
}

fn a_new_certificate_is_served_within_seconds_and_no_request_fails(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let serve = s.hearth_args_start(&["serve", "--listen", "127.0.0.1:0", "--http", "off"], &[]);
    let (going, failed, done) = (AtomicBool::new(true), AtomicUsize::new(0), AtomicUsize::new(0));
    let host = format!("app.{DOMAIN}");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let at = format!("{host}:{}:127.0.0.1", door.https);
            let url = format!("https://{host}:{}/", door.https);
            while going.load(Ordering::Relaxed) {
                let page = curl(s, &["-k", "--resolve", &at, &url]);
                done.fetch_add(1, Ordering::Relaxed);
                if page.status != 200 {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for name in ["first", "second", "third"] {
            let (chain, key) = own_certificate(s, name);
            let began = Instant::now();
            s.hearth_args(&["certs", "import", &chain, &key]).ok();
            let came = until(Duration::from_secs(10), || issuer(&door, &host).contains(name));
            let took = began.elapsed();
            assert!(came, "the certificate `{name}` is not served: {}", issuer(&door, &host));
            assert!(took < Duration::from_secs(10), "{took:?}");
        }
        going.store(false, Ordering::Relaxed);
    });
    assert_eq!(failed.into_inner(), 0, "requests failed, of {}", done.into_inner());
    // What is shown is what is served.
    let routes: serde_json::Value = serde_json::from_str(&door.hearth("routes --json").ok().out).expect("it is JSON");
    assert_eq!(routes[0]["certificate"]["issuer"], "third", "{routes}");
    serve.signal(rustix::process::Signal::TERM);
    serve.end().ok();
    Ok(())
}

fn unknown_hosts_get_the_homes_own_certificate(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    for host in ["nobody.example", "127.0.0.1.nip.example"] {
        let issuer = issuer(&door, host);
        assert!(issuer.contains("Hearth"), "{host}: {issuer}");
    }
    // While it starts anew, Traefik may show its built-in one for some milliseconds, and no longer.
    s.docker(&format!("restart -t 1 {}-traefik-1", s.project)).ok();
    let mut seen: Vec<(u128, String)> = Vec::new();
    let mut first = None;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let issuer = issuer(&door, &format!("app.{DOMAIN}"));
        if !issuer.is_empty() {
            let first = *first.get_or_insert_with(Instant::now);
            seen.push((first.elapsed().as_millis(), issuer));
        }
    }
    assert!(seen.len() > 5, "Traefik did not come back: {seen:?}");
    let wrong: Vec<_> = seen.iter().filter(|(ms, issuer)| *ms > 50 && !issuer.contains("Hearth")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

fn after_a_restart_of_everything_the_last_routes_and_certificates_are_served(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let before = issuer(&door, &format!("app.{DOMAIN}"));
    // Hearth does not run. Everything ends at once, as by a power cut, and comes back in the least helpful order.
    let names = ["gate", "app", "traefik"].map(|service| format!("{}-{service}-1", s.project));
    let [gate, app, traefik] = names.each_ref().map(String::as_str);
    s.docker_args(&["kill", gate, app, traefik]).ok();
    s.docker_args(&["start", traefik]).ok();
    // Without gate there is still what the file says, certificates first.
    let came = until(Duration::from_secs(10), || issuer(&door, &format!("app.{DOMAIN}")) == before);
    assert!(came, "{}", issuer(&door, &format!("app.{DOMAIN}")));
    s.docker_args(&["start", app, gate]).ok();
    let back = until(Duration::from_secs(40), || door.get("app", "/").status == 200);
    assert!(back, "{:?}\n{}", door.get("app", "/"), door.routes());
    Ok(())
}

fn a_certificate_that_a_route_needs_is_not_deleted(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let (chain, key) = own_certificate(s, "brought");
    s.hearth_args(&["certs", "import", &chain, &key]).ok();
    let listed: serde_json::Value =
        serde_json::from_str(&s.hearth_args(&["certs", "--json"]).ok().out).expect("it is JSON");
    let id = listed[0]["id"].as_str().expect("it has an id").to_owned();
    s.hearth_args(&["certs", "delete", &id]).exits(5).says("app.");
    s.write("stacks/web.yaml", &STACK.replace("host: app", "host: app.elsewhere.example"));
    s.hearth_args(&["certs", "delete", &id]).ok();
    // A certificate that lost its file on the disk stops nothing.
    s.write("stacks/web.yaml", STACK);
    s.hearth_args(&["certs", "import", &chain, &key]).ok();
    let chain = s.dir.join("state/certs").join(&id).join("chain.pem");
    std::fs::remove_file(&chain).expect("it is there");
    door.hearth("up web").ok();
    assert_eq!(door.until("app", 200).body.trim(), "hello");
    Ok(())
}

fn the_panel_is_reached_through_traefik_and_in_no_other_way(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let serve = s.hearth_args_start(&["serve", "--listen", "127.0.0.1:0", "--http", "off"], &[]);
    let panel = door.until("panel", 200);
    assert!(panel.body.contains("\"status\":\"healthy\""), "{panel:?}");
    assert_eq!(door.get("panel", "/health").status, 200);
    // A challenge gets to Hearth on port 80, whatever host it is for, and is never sent elsewhere.
    let challenge = door.plain("app", "/.well-known/acme-challenge/nobody-asked");
    assert_eq!((challenge.status, challenge.header("location")), (404, None), "{challenge:?}");
    assert!(challenge.body.contains("token"));
    // The address is known to every container of the network; without Traefik's certificate nobody gets a word.
    let file = std::fs::read_to_string(s.dir.join("state/traefik/dynamic/hearth.yml")).expect("it is there");
    let inner =
        file.split('"').find(|word| word.starts_with("https://10.") && word.ends_with(":8444")).expect("it is named");
    let direct = curl(s, &["-k", &format!("{inner}/health")]);
    assert_eq!(direct.status, 0, "{direct:?}");
    // Traefik's own view of itself is for Hearth alone.
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let ips = s.docker_args(&["inspect", "-f", format, &format!("{}-traefik-1", s.project)]).ok().out;
    for ip in ips.split_whitespace() {
        let (name, at) = ("api.traefik.internal:8082", format!("api.traefik.internal:8082:{ip}"));
        let api = curl(s, &["-k", "--resolve", &at, &format!("https://{name}/api/rawdata")]);
        assert_eq!(api.status, 0, "{api:?}");
        // Nor by another name in TLS than in HTTP, or by none.
        for lie in [&["-H", "Host: api.traefik.internal"][..], &[]] {
            let api = curl(s, &[lie, &["-k", &format!("https://{ip}:8082/api/rawdata")]].concat());
            assert!(matches!(api.status, 0 | 404 | 421), "{api:?}");
        }
        assert_ne!(curl(s, &[&format!("http://{ip}:8082/api/rawdata")]).status, 200);
    }
    serve.signal(rustix::process::Signal::TERM);
    serve.end().ok();
    Ok(())
}

fn half_open_connections_do_not_keep_traefik_from_the_panel(s: &Scratch) -> Done {
    const MANY: usize = 2000;
    let raised = Rlimit { current: Some(MANY as u64 + 500), maximum: getrlimit(Resource::Nofile).maximum };
    setrlimit(Resource::Nofile, raised).map_err(|_| Skip("this process may not have 2500 files".into()))?;
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let serve = door.serve();
    let inner = SocketAddr::new(door.gateway("core").parse().expect("an address"), 8444);
    assert!(until(Duration::from_secs(15), || TcpStream::connect(inner).is_ok()), "nothing listens on {inner}");
    // As any container of that network could: nothing is said, or the beginning of a handshake.
    let open = || {
        let stream = TcpStream::connect_timeout(&inner, Duration::from_secs(5)).ok()?;
        (&stream).write_all(&b"\x16\x03\x01\x02"[..]).ok()?;
        Some(stream)
    };
    let mut held: Vec<TcpStream> = (0..MANY).filter_map(|_| open()).collect();
    assert!(held.len() > MANY * 9 / 10, "{}", held.len());
    for round in 0..10 {
        // Whoever was closed comes again.
        held.drain(..200);
        held.extend((0..200).filter_map(|_| open()));
        let began = Instant::now();
        let page = door.get("panel", "/health");
        assert!(page.status == 200 && began.elapsed() < Duration::from_secs(2), "{round}: {page:?}");
    }
    drop(held);
    serve.end();
    Ok(())
}

fn an_upload_of_more_than_a_minute_comes_through(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    door.until("app", 200);
    let file = s.beside("upload");
    std::fs::write(&file, vec![0u8; 1_320_000]).expect("a file can be written");
    let began = Instant::now();
    // Traefik's own limit would be 60 s.
    let data = format!("@{}", file.display());
    let more = ["--max-time", "120", "--limit-rate", "20k", "--data-binary", &data, "-H", "Expect:"];
    let page = door.ask("app", "/cgi-bin/count", &more);
    assert!(began.elapsed() > Duration::from_secs(61), "too quick to say anything: {:?}", began.elapsed());
    assert_eq!((page.status, page.body.trim()), (200, "1320000"), "{page:?}");
    Ok(())
}
