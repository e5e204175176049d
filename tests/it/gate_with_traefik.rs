//! A real Traefik that knows Docker through gate alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::rig::{Done, Gate, PrivateEngine, Proxy, Scratch, Traefik, Verdict, cases, get, until};

cases![
    together: a_start_is_routed_and_a_stop_takes_it_away, labels_of_the_image_route_nothing, of_two_networks_the_named_one_is_used,
        an_attached_network_works_without_a_restart, a_container_started_in_the_gap_is_found,
        a_file_in_its_directory_becomes_a_route_of_that_entry_point, an_inspect_that_fails_costs_no_route;
    alone: an_engine_that_is_started_anew_costs_no_route_and_no_start, a_gate_that_is_started_anew_costs_no_route;
];

const SOON: Duration = Duration::from_secs(6);

/// A service that answers its own name, routed at `<name>.test`; `more` are further lines of it, `net` is its network for Traefik.
fn service(s: &Scratch, name: &str, net: &str, more: &str) -> String {
    let labels = [
        ("enable".to_owned(), "true".to_owned()),
        ("docker.network".to_owned(), format!("{}_{net}", s.project)),
        (format!("http.routers.{name}.rule"), format!("Host(`{name}.test`)")),
        (format!("http.routers.{name}.entrypoints"), "web".to_owned()),
        (format!("http.routers.{name}.service"), name.to_owned()),
        (format!("http.services.{name}.loadbalancer.server.port"), "80".to_owned()),
    ];
    let list: Vec<&str> = labels.iter().map(|(key, _)| key.as_str()).collect();
    let lines: String = labels.iter().map(|(key, value)| format!("      traefik.{key}: '{value}'\n")).collect();
    format!(
        "  {name}:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    command: [sh, -c, 'mkdir -p /tmp/w; echo {name} >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']\n\
         {more}    labels:\n      hearth.traefik: '{}'\n{lines}",
        list.join(" ")
    )
}

fn traefik<'s>(s: &'s Scratch, gate: &Gate<'_>) -> Result<Traefik<'s>, crate::rig::Skip> {
    let flags = [
        format!("providers.docker.endpoint=tcp://127.0.0.1:{}", gate.docker),
        "providers.docker.exposedbydefault=false".to_owned(),
    ];
    Traefik::start(s, &flags)
}

fn a_start_is_routed_and_a_stop_takes_it_away(s: &Scratch) -> Done {
    s.stack(&format!("services:\n{}{}", service(s, "one", "default", ""), service(s, "two", "default", "")));
    s.compose("up -d one").ok();
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    assert_eq!(traefik.answers("one.test", 200, SOON).body.trim(), "one");
    traefik.answers("two.test", 404, SOON);
    s.compose("up -d two").ok();
    traefik.answers("two.test", 200, SOON);
    s.compose("stop -t 0 one").ok();
    traefik.answers("one.test", 404, SOON);
    s.compose("start one").ok();
    traefik.answers("one.test", 200, SOON);
    s.docker_args(&["pause", &s.container("one").id]).ok();
    traefik.answers("one.test", 404, SOON);
    s.docker_args(&["unpause", &s.container("one").id]).ok();
    traefik.answers("one.test", 200, SOON);
    let log = traefik.log();
    let complaints = ["Failed to", "Provider error", "rror while", "event stream closed"];
    assert!(!complaints.iter().any(|words| log.contains(words)), "Traefik has nothing to complain of: {log}");
    Ok(())
}

fn labels_of_the_image_route_nothing(s: &Scratch) -> Done {
    s.write(
        "image/Dockerfile",
        "FROM hearth-test/busybox:1\nEXPOSE 80\nLABEL traefik.enable=true traefik.http.routers.evil.rule='Host(`evil.test`)' hearth.traefik='enable http.routers.evil.rule'\nLABEL traefik.http.routers.both.rule='Host(`evil.test`)'\n",
    );
    let image = format!("{}-image", s.project);
    s.docker_built(&image, "image");
    let routed = service(s, "both", "default", "").replace("hearth-test/busybox:1", &image);
    let plain = format!("  plain: {{ image: '{image}', command: [httpd, -f, -p, '80'], stop_signal: SIGKILL }}\n");
    s.stack(&format!("services:\n{routed}{plain}"));
    s.compose("up -d").ok();
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    assert_eq!(traefik.answers("both.test", 200, SOON).body.trim(), "both");
    traefik.answers("evil.test", 404, SOON);
    let routers = traefik.api("/api/http/routers").to_string();
    assert!(!routers.contains("evil") && routers.contains("both@docker"), "{routers}");
    drop(traefik);
    s.compose("down -t 0").ok();
    s.docker_args(&["rmi", &image]).ok();
    Ok(())
}

fn of_two_networks_the_named_one_is_used(s: &Scratch) -> Done {
    let more = "    networks: [alpha, beta]\n";
    s.stack(&format!("services:\n{}networks: {{ alpha: , beta: }}\n", service(s, "one", "beta", more)));
    s.compose("up -d").ok();
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    let address = |net: &str| {
        let pointer = format!("/NetworkSettings/Networks/{}_{net}/IPAddress", s.project);
        s.container("one").raw.pointer(&pointer).and_then(|ip| ip.as_str()).unwrap_or_default().to_owned()
    };
    for _ in 0..4 {
        traefik.answers("one.test", 200, SOON);
        let wanted = format!("http://{}:80", address("beta"));
        let named = until(SOON, || {
            traefik.api("/api/http/services/one@docker")["loadBalancer"]["servers"][0]["url"] == wanted.as_str()
        });
        assert!(named, "{wanted}: {}", traefik.api("/api/http/services/one@docker"));
        s.compose("restart -t 0 one").ok();
    }
    Ok(())
}

fn an_attached_network_works_without_a_restart(s: &Scratch) -> Done {
    let more = "    networks: [alpha]\n";
    s.stack(&format!("services:\n{}networks: {{ alpha: , beta: }}\n", service(s, "one", "beta", more)));
    s.compose("up -d").ok();
    let beta = format!("{}_beta", s.project);
    s.docker_args(&["network", "create", &beta]);
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    traefik.answers("one.test", 200, SOON);
    let life = s.lives();
    let server = || {
        traefik.api("/api/http/services/one@docker")["loadBalancer"]["servers"][0]["url"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let before = server();
    s.docker_args(&["network", "connect", &beta, &s.container("one").id]).ok();
    let moved = until(SOON, || !server().is_empty() && server() != before);
    let pointer = format!("/NetworkSettings/Networks/{beta}/IPAddress");
    let ip = s.container("one").raw.pointer(&pointer).and_then(|ip| ip.as_str()).unwrap_or_default().to_owned();
    assert!(moved && server() == format!("http://{ip}:80"), "{before} should have become {ip}, not {}", server());
    assert_eq!(traefik.answers("one.test", 200, SOON).body.trim(), "one");
    // And back, when it is detached.
    s.docker_args(&["network", "disconnect", &beta, &s.container("one").id]).ok();
    assert!(until(SOON, || server() == before), "{}", server());
    traefik.answers("one.test", 200, SOON);
    assert_eq!(life, s.lives(), "nothing was restarted");
    Ok(())
}

/// Traefik lists, and only then subscribes to events. A container that starts in between would stay unrouted until the next event.
fn a_container_started_in_the_gap_is_found(s: &Scratch) -> Done {
    s.stack(&format!("services:\n{}{}", service(s, "one", "default", ""), service(s, "late", "default", "")));
    s.compose("up -d one").ok();
    s.compose("create late").ok();
    let late = s.container("late").id;
    let gate = Gate::start(s, &s.socket());
    // The gap, stretched: gate's answer to Traefik's subscription waits here until the container runs.
    let gap = Gap::before(gate.docker, {
        let (client, socket) = (late.clone(), s.socket());
        move || start(&socket, &client)
    });
    let flags = [
        format!("providers.docker.endpoint=tcp://127.0.0.1:{}", gap.port),
        "providers.docker.exposedbydefault=false".to_owned(),
    ];
    let traefik = Traefik::start(s, &flags)?;
    traefik.answers("one.test", 200, SOON);
    assert_eq!(traefik.answers("late.test", 200, SOON).body.trim(), "late");
    Ok(())
}

fn start(socket: &std::path::Path, id: &str) {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("the engine listens");
    let request = format!(
        "POST /containers/{id}/start HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("the engine takes a request");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// A relay before gate that does something between Traefik's list and its subscription.
struct Gap {
    port: u16,
}

impl Gap {
    fn before(gate: u16, act: impl FnOnce() + Send + 'static) -> Gap {
        use std::io::{BufRead, BufReader, Write};
        use std::net::{TcpListener, TcpStream};
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback can be had");
        let port = listener.local_addr().expect("it has an address").port();
        let act = std::sync::Arc::new(std::sync::Mutex::new(Some(act)));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (act, upstream) = (act.clone(), TcpStream::connect(("127.0.0.1", gate)));
                std::thread::spawn(move || {
                    let mut upstream = upstream.ok()?;
                    let (mut back, mut answers) = (client.try_clone().ok()?, upstream.try_clone().ok()?);
                    std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
                    let mut from = BufReader::new(client);
                    let mut line = String::new();
                    while from.read_line(&mut line).ok()? > 0 {
                        if line.contains("/events")
                            && let Some(act) = act.lock().expect("no panic while held").take()
                        {
                            act();
                            // Whatever the start told is over.
                            std::thread::sleep(Duration::from_millis(500));
                        }
                        upstream.write_all(line.as_bytes()).ok()?;
                        line.clear();
                    }
                    upstream.shutdown(std::net::Shutdown::Write).ok()
                });
            }
        });
        Gap { port }
    }
}

/// What Traefik has for a service; its containers are in another network namespace here, so only Traefik's own word counts.
fn server(traefik: &Traefik<'_>, service: &str) -> Option<String> {
    let found = traefik.api(&format!("/api/http/services/{service}@docker"));
    found["loadBalancer"]["servers"][0]["url"].as_str().map(str::to_owned)
}

fn an_engine_that_is_started_anew_costs_no_route_and_no_start(s: &Scratch) -> Done {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    let always = "    restart: always\n";
    s.stack(&format!("services:\n{}{}", service(s, "one", "default", always), service(s, "late", "default", "")));
    s.compose("up -d one").ok();
    s.compose("create late").ok();
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    assert!(until(SOON, || server(&traefik, "one").is_some()), "{}", traefik.log());
    engine.stop();
    // Down for long enough that whoever only tries again with growing gaps would come late.
    std::thread::sleep(Duration::from_secs(15));
    engine.start();
    s.docker_args(&["start", &s.container("late").id]).ok();
    let both = until(SOON, || server(&traefik, "one").is_some() && server(&traefik, "late").is_some());
    assert!(both, "{:?} {:?}\n{}", server(&traefik, "one"), server(&traefik, "late"), traefik.log());
    Ok(())
}

fn a_gate_that_is_started_anew_costs_no_route(s: &Scratch) -> Done {
    s.stack(&format!("services:\n{}", service(s, "one", "default", "")));
    s.compose("up -d").ok();
    let gate = Gate::start(s, &s.socket());
    let traefik = traefik(s, &gate)?;
    traefik.answers("one.test", 200, SOON);
    let ports = (gate.docker, gate.pages);
    gate.end().exits(0);
    for _ in 0..20 {
        assert_eq!(traefik.get("one.test", "/").map(|answer| answer.status), Some(200));
        std::thread::sleep(Duration::from_millis(100));
    }
    let _gate = Gate::start_on(s, &s.socket(), ports);
    s.compose("restart -t 0 one").ok();
    let ip = format!("/NetworkSettings/Networks/{}_default/IPAddress", s.project);
    let ip = s.container("one").raw.pointer(&ip).and_then(|ip| ip.as_str()).unwrap_or_default().to_owned();
    let named =
        until(Duration::from_secs(25), || server(&traefik, "one").as_deref() == Some(&format!("http://{ip}:80")));
    assert!(named, "{}", traefik.log());
    traefik.answers("one.test", 200, SOON);
    Ok(())
}

fn a_file_in_its_directory_becomes_a_route_of_that_entry_point(s: &Scratch) -> Done {
    let mut traefik = Traefik::start(s, &[])?;
    let file = "http: { routers: { a: { entryPoints: [web], rule: 'Host(`a.test`)', service: noop@internal } } }";
    std::fs::write(traefik.dynamic.join("a.yml"), file).expect("a file can be written");
    traefik.answers("a.test", 418, Duration::from_secs(10));
    assert_eq!(traefik.api("/api/http/routers/a@file")["status"], "enabled");
    assert_eq!(get(traefik.websecure, "a.test", "/").map(|answer| answer.status), Some(404));
    traefik.stop();
    traefik.run();
    assert_eq!(traefik.answers("a.test", 418, Duration::from_secs(10)).header("content-length"), "0");
    Ok(())
}

/// Of three inspects one fails, each time that Traefik looks: it must keep what it has, for a list that works with an inspect that fails
/// takes that container's route away without a word.
fn an_inspect_that_fails_costs_no_route(s: &Scratch) -> Done {
    let names = ["one", "two", "three"];
    let all: String = names.iter().chain(&["four"]).map(|name| service(s, name, "default", "")).collect();
    s.stack(&format!("services:\n{all}"));
    s.compose("up -d one two three").ok();
    let (fails, inspects, refused) =
        (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (failing, counted) = (fails.clone(), refused.clone());
    let socket = s.beside("failing.sock");
    let _engine = Proxy::new(socket.clone(), &s.socket(), move |call| {
        let inspect = call.kind() == "GET /containers/*/json" && failing.load(Ordering::SeqCst);
        match inspect && inspects.fetch_add(1, Ordering::SeqCst) % 3 == 0 {
            true => {
                counted.fetch_add(1, Ordering::SeqCst);
                Verdict::Refuse
            }
            false => Verdict::Pass,
        }
    });
    let gate = Gate::start(s, &socket);
    let traefik = traefik(s, &gate)?;
    for name in names {
        traefik.answers(&format!("{name}.test"), 200, SOON);
    }
    // Else gate would still know them.
    std::thread::sleep(Duration::from_millis(1500));
    fails.store(true, Ordering::SeqCst);
    // Traefik looks again because of it, and again because of what failed.
    s.compose("up -d four").ok();
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for name in names {
            assert_eq!(traefik.answers(&format!("{name}.test"), 200, Duration::ZERO).body.trim(), name);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let looks = refused.load(Ordering::SeqCst);
    assert!(looks >= 2, "only {looks} inspects failed while Traefik looked");
    assert_ne!(gate.ask("/v1.45/containers/json?all=1").status, 200, "a list that is not whole is none");
    fails.store(false, Ordering::SeqCst);
    // Without a new event: gate makes good for the looks that failed.
    traefik.answers("four.test", 200, Duration::from_secs(25));
    for name in names {
        traefik.answers(&format!("{name}.test"), 200, Duration::ZERO);
    }
    Ok(())
}
