//! What Docker clients see through gate: enough for every route of Traefik's, and nothing else. What Traefik makes of it stands in
//! `gate_with_traefik`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::rig::{Done, Gate, Heard, PrivateEngine, Proxy, Scratch, Verdict, ask, cases, get, until};

cases![
    together: five_calls_pass_and_every_other_one_is_refused_and_logged, only_what_traefik_reads_leaves,
        other_projects_are_not_there, a_list_with_a_failing_inspect_fails, a_list_and_its_inspects_cost_one_look,
        events_are_told_and_what_traefik_would_miss_is_forced, a_failed_list_is_made_good, a_check_tells_whether_it_works,
        every_state_has_its_page, it_ends_in_order_with_listeners_connected, it_runs_in_a_container_that_may_do_nothing_else;
    alone: an_engine_that_is_started_anew_is_heard_again, nothing_grows_with_lists_and_events;
];

const STACK: &str = "
services:
  web: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, environment: { TOKEN: s3cret-value },
         labels: { hearth.traefik: 'enable http.routers.web.rule', traefik.enable: 'true', traefik.http.routers.web.rule: 'Host(`a.test`)',
                   traefik.http.routers.foreign.rule: 'Host(`b.test`)', some.other: s3cret-value },
         expose: ['80'], healthcheck: { test: [CMD, 'true'], interval: 1s } }
  two: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL }
  off: { image: 'hearth-test/busybox:1', command: ['true'] }
";

fn up(s: &Scratch) -> Gate<'_> {
    s.stack(STACK);
    s.compose("up -d").ok();
    let all_up = until(Duration::from_secs(20), || {
        let all = s.containers();
        all.values().any(|c| c.health == "healthy") && all.values().any(|c| c.state == "exited")
    });
    assert!(all_up, "the project is up");
    Gate::start(s, &s.socket())
}

/// Once it has listed the project it knows whose a network's container is. What it heard of other tests' before that is told by then.
fn listed(gate: Gate<'_>) -> Gate<'_> {
    gate.list();
    std::thread::sleep(Duration::from_millis(1100));
    gate
}

fn five_calls_pass_and_every_other_one_is_refused_and_logged(s: &Scratch) -> Done {
    let gate = up(s);
    let web = s.container("web");
    let passed =
        ["/_ping", "/version", "/containers/json", "/containers/json?all=1", &format!("/containers/{}/json", web.id)];
    for path in passed {
        for version in ["", "/v1.24", "/v1.45", "/v1.54"] {
            for method in ["GET", "HEAD"] {
                let request = format!("{method} {version}{path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n");
                let answer = ask(gate.docker, &request).unwrap_or_default();
                assert_eq!(answer.status, 200, "{method} {version}{path}");
                assert_eq!(answer.body.is_empty(), method == "HEAD", "{method} {version}{path}");
            }
        }
    }
    let request = "HEAD /events HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n";
    assert_eq!(ask(gate.docker, request).unwrap_or_default().status, 200);
    let ping = gate.ask("/_ping");
    let real: String =
        s.docker_args(&["version", "-f", "{{.Server.APIVersion}} {{.Server.Os}}"]).ok().out.trim().into();
    assert_eq!(format!("{} {}", ping.header("api-version"), ping.header("ostype")), real);

    let id = &web.id;
    let refused: Vec<(&str, String)> = [
        ("POST", "/containers/create".to_owned()),
        ("POST", format!("/containers/{id}/start")),
        ("POST", format!("/containers/{id}/stop")),
        ("POST", format!("/containers/{id}/kill")),
        ("POST", format!("/containers/{id}/exec")),
        ("POST", format!("/containers/{id}/attach")),
        ("POST", format!("/containers/{id}/rename?name=x")),
        ("POST", format!("/containers/{id}/update")),
        ("DELETE", format!("/containers/{id}")),
        ("PUT", format!("/containers/{id}/archive?path=/")),
        ("GET", format!("/containers/{id}/archive?path=/etc")),
        ("GET", format!("/containers/{id}/logs?stdout=1")),
        ("GET", format!("/containers/{id}/top")),
        ("GET", format!("/containers/{id}/stats")),
        ("GET", format!("/containers/{id}/changes")),
        ("GET", format!("/containers/{id}/export")),
        ("GET", format!("/containers/{id}/attach/ws")),
        ("POST", "/containers/json".to_owned()),
        ("PUT", "/events".to_owned()),
        ("OPTIONS", "/_ping".to_owned()),
        ("PATCH", "/version".to_owned()),
        ("TRACE", "/version".to_owned()),
        ("GET", "/info".to_owned()),
        ("GET", "/system/df".to_owned()),
        ("GET", "/images/json".to_owned()),
        ("POST", "/images/create?fromImage=x".to_owned()),
        ("POST", "/build".to_owned()),
        ("POST", "/auth".to_owned()),
        ("GET", "/networks".to_owned()),
        ("POST", "/networks/create".to_owned()),
        ("GET", "/volumes".to_owned()),
        ("GET", "/secrets".to_owned()),
        ("GET", "/configs".to_owned()),
        ("GET", "/swarm".to_owned()),
        ("GET", "/services".to_owned()),
        ("GET", "/plugins".to_owned()),
        ("POST", "/session".to_owned()),
        ("POST", "/grpc".to_owned()),
        ("GET", "/containers/../info/json".to_owned()),
        ("GET", "/containers/%2e%2e%2finfo/json".to_owned()),
        ("GET", "//containers/json".to_owned()),
        ("GET", "/v1.45//info".to_owned()),
        ("GET", "/".to_owned()),
    ]
    .into();
    for (method, path) in &refused {
        for version in ["", "/v1.45"] {
            let request = format!(
                "{method} {version}{path} HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let answer = ask(gate.docker, &request).unwrap_or_default();
            assert_eq!(answer.status, 403, "{method} {version}{path}: {}", answer.body);
            assert_eq!(answer.body, r#"{"message":"gate does not pass this call"}"#, "{method} {version}{path}");
        }
    }
    let log = gate.end().exits(0).err;
    for (method, path) in &refused {
        let shown = path.split('?').next().unwrap_or_default();
        assert!(
            log.lines().any(|l| l.contains("refused") && l.contains(method) && l.contains(shown)),
            "{method} {path}: {log}"
        );
    }
    assert!(!log.contains("fromImage") && !log.contains("name=x"), "no query is logged: {log}");
    Ok(())
}

/// Every path of a JSON value; names that are data become `*`.
fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend((!at.is_empty()).then(|| at.to_owned()));
            for (name, value) in fields {
                let data = ["NetworkSettings.Networks", "NetworkSettings.Ports"].contains(&at);
                let name = if data { "*" } else { name };
                paths(value, &if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{at}[]"), found)),
        _ => found.extend([at.to_owned()]),
    }
}

fn only_what_traefik_reads_leaves(s: &Scratch) -> Done {
    s.write("image/Dockerfile", "FROM hearth-test/busybox:1\nENV IMAGE_TOKEN=s3cret-value\nEXPOSE 8080\nLABEL traefik.enable=true traefik.http.routers.image.rule='Host(`panel.test`)' some.image.label=s3cret-value\nLABEL hearth.traefik='enable http.routers.image.rule'\n");
    let image = format!("{}-image", s.project);
    s.docker_built(&image, "image");
    s.write("compose.yaml", &format!("{STACK}  image: {{ image: '{image}', command: [sleep, infinity], stop_signal: SIGKILL, volumes: ['./s3cret-value:/data'] }}\n"));
    s.compose("up -d").ok();
    let healthy = until(Duration::from_secs(20), || s.container("web").health == "healthy");
    assert!(healthy, "the check passes");
    let gate = Gate::start(s, &s.socket());
    let mut found = BTreeSet::new();
    paths(&gate.json("/containers/json?all=1"), "", &mut found);
    assert_eq!(found, BTreeSet::from(["[].Id".to_owned(), "[]".to_owned()]));
    let mut found = BTreeSet::new();
    for container in s.containers().values() {
        let shown = gate.json(&format!("/containers/{}/json", container.id));
        assert!(!shown.to_string().contains("s3cret-value"), "{shown}");
        paths(&shown, "", &mut found);
    }
    let labels =
        ["com.docker.compose.project", "com.docker.compose.service", "traefik.enable", "traefik.http.routers.web.rule"];
    let labels = labels.map(|label| format!("Config.Labels.{label}"));
    let expected = [
        "Id",
        "Name",
        "State",
        "State.Status",
        "State.Health",
        "State.Health.Status",
        "HostConfig",
        "HostConfig.NetworkMode",
        "Config",
        "Config.Labels",
        "NetworkSettings",
        "NetworkSettings.Ports",
        "NetworkSettings.Ports.*",
        "NetworkSettings.Networks",
        "NetworkSettings.Networks.*",
        "NetworkSettings.Networks.*.IPAddress",
        "NetworkSettings.Networks.*.GlobalIPv6Address",
    ];
    assert_eq!(found, expected.map(str::to_owned).into_iter().chain(labels).collect());
    // What is shown is what is there.
    let (real, shown) = (s.container("web"), gate.json(&format!("/containers/{}/json", s.container("web").id)));
    assert_eq!((shown["Id"].as_str(), shown["Name"].as_str()), (Some(real.id.as_str()), real.raw["Name"].as_str()));
    let network = format!("{}_default", s.project);
    for field in ["IPAddress", "GlobalIPv6Address"] {
        let pointer = format!("/NetworkSettings/Networks/{network}/{field}");
        assert_eq!(shown.pointer(&pointer), real.raw.pointer(&pointer), "{pointer}");
    }
    assert!(shown["NetworkSettings"]["Ports"].as_object().is_some_and(|ports| ports.contains_key("80/tcp")));
    let mut found = BTreeSet::new();
    paths(&gate.json("/version"), "", &mut found);
    assert_eq!(found, BTreeSet::from(["ApiVersion".to_owned(), "Version".to_owned()]));
    drop(gate);
    s.compose("down -t 0").ok();
    s.docker_args(&["rmi", &image]).ok();
    Ok(())
}

fn other_projects_are_not_there(s: &Scratch) -> Done {
    let gate = listed(up(s));
    let heard = Heard::open(gate.docker, "/events");
    heard.waits_for("health_status: refresh", 1);
    let other = format!("{}-other", s.project);
    s.docker_args(&[
        "run",
        "-d",
        "--name",
        &other,
        "--label",
        "com.docker.compose.project=other",
        "hearth-test/busybox:1",
        "sleep",
        "infinity",
    ])
    .ok();
    let id = s.inspect(&[&other]).pop().map(|c| c.id).unwrap_or_default();
    assert_eq!(gate.list().into_iter().collect::<BTreeSet<_>>(), s.containers().into_values().map(|c| c.id).collect());
    for named in [id.as_str(), &other, &id[..12], "no-such-container"] {
        let answer = gate.ask(&format!("/containers/{named}/json"));
        assert_eq!(answer.status, 404, "{named}: {}", answer.body);
    }
    s.docker_args(&["rm", "-f", &other]).ok();
    s.docker_args(&["kill", &s.container("two").id]).ok();
    heard.waits_for("die", 1);
    assert_eq!(heard.actions(), ["health_status: refresh", "die"], "{:?}", heard.lines());
    // Running only, as a client may ask.
    let running = gate.json("/containers/json").as_array().map_or(0, Vec::len);
    assert_eq!((running, gate.list().len()), (1, 3));
    Ok(())
}

fn a_list_with_a_failing_inspect_fails(s: &Scratch) -> Done {
    up(s);
    let (seen, wrong) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(usize::MAX)));
    let at = wrong.clone();
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), move |call| {
        let one = call.kind() == "GET /containers/*/json";
        // 0: every one; n: the n-th from now on.
        let fails = one
            && match at.load(Ordering::SeqCst) {
                0 => true,
                usize::MAX => false,
                n => seen.fetch_add(1, Ordering::SeqCst) + 1 == n,
            };
        if fails { Verdict::Refuse } else { Verdict::Pass }
    });
    let gate = Gate::start(s, std::path::Path::new(proxy.host().trim_start_matches("unix://")));
    assert_eq!(gate.list().len(), 3);
    std::thread::sleep(Duration::from_millis(1100));
    wrong.store(2, Ordering::SeqCst);
    let answer = gate.ask("/containers/json?all=1");
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.body.starts_with(r#"{"message":"#) && !answer.body.contains("test refuses"), "{}", answer.body);
    // The next one is whole again.
    assert_eq!(gate.list().len(), 3);
    wrong.store(0, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(gate.ask(&format!("/containers/{}/json", s.container("web").id)).status, 500);
    // One that is really gone is left out.
    wrong.store(usize::MAX, Ordering::SeqCst);
    s.docker_args(&["rm", "-f", &s.container("two").id]).ok();
    assert_eq!(gate.list().len(), 2);
    Ok(())
}

fn a_list_and_its_inspects_cost_one_look(s: &Scratch) -> Done {
    up(s);
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), |_| Verdict::Pass);
    let gate = Gate::start(s, std::path::Path::new(proxy.host().trim_start_matches("unix://")));
    let heard = Heard::open(gate.docker, "/events");
    heard.waits_for("health_status: refresh", 1);
    gate.list();
    let counted = |proxy: &Proxy, from: usize| {
        let calls = proxy.calls();
        let count = |kind: &str| calls[from..].iter().filter(|call| call.kind() == kind).count();
        (count("GET /containers/json"), count("GET /containers/*/json"))
    };
    std::thread::sleep(Duration::from_millis(2100));
    let before = proxy.calls().len();
    for id in gate.list() {
        gate.json(&format!("/v1.45/containers/{id}/json"));
    }
    assert_eq!(counted(&proxy, before), (1, 3));
    // An event takes its own container out of the look at once, and no other.
    let (web, two) = (s.container("web"), s.container("two"));
    s.docker_args(&["pause", &two.id]).ok();
    heard.waits_for("health_status: refresh", 2);
    let before = proxy.calls().len();
    assert_eq!(gate.json(&format!("/containers/{}/json", two.id))["State"]["Status"], "paused");
    gate.json(&format!("/containers/{}/json", web.id));
    gate.json(&format!("/containers/{}/json", two.id));
    assert_eq!(counted(&proxy, before), (0, 1));
    Ok(())
}

fn events_are_told_and_what_traefik_would_miss_is_forced(s: &Scratch) -> Done {
    let gate = listed(up(s));
    let heard = Heard::open(gate.docker, "/v1.45/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D");
    heard.waits_for("health_status: refresh", 1);
    // The one without a health check: a pause would begin its checks anew, and tell that too.
    let (web, two) = (s.container("web"), s.container("two"));
    let other = format!("{}-net", s.project);
    s.docker_args(&["network", "create", &other]).ok();
    let refreshed = std::cell::Cell::new(1);
    let forces = |args: &[&str]| {
        s.docker_args(args).ok();
        refreshed.set(refreshed.get() + 1);
        heard.waits_for("health_status: refresh", refreshed.get());
        // Whatever else the engine tells of it (a network's end comes twice) is no further line.
        std::thread::sleep(Duration::from_millis(1100));
    };
    forces(&["network", "connect", &other, &two.id]);
    let shown = gate.json(&format!("/containers/{}/json", two.id));
    assert!(
        shown["NetworkSettings"]["Networks"][&other]["IPAddress"].as_str().is_some_and(|ip| !ip.is_empty()),
        "{shown}"
    );
    forces(&["network", "disconnect", &other, &two.id]);
    forces(&["rename", &two.name, &format!("{}-renamed", s.project)]);
    forces(&["pause", &two.id]);
    forces(&["unpause", &two.id]);
    forces(&["update", "--memory", "64m", "--memory-swap", "64m", &two.id]);
    assert_eq!(heard.actions().iter().filter(|a| *a != "health_status: refresh").count(), 0);
    // A start and an end are told by their own words, once: their networks force nothing.
    s.docker_args(&["restart", "-t", "0", &web.id]).ok();
    heard.waits_for("start", 1);
    heard.waits_for("health_status: healthy", 1);
    assert_eq!(heard.actions()[refreshed.get()..], ["die", "start", "health_status: healthy"]);
    forces(&["rm", "-f", &web.id]);
    for line in heard.lines() {
        let event: Value = serde_json::from_str(&line).expect("a line is JSON");
        let mut found = BTreeSet::new();
        paths(&event, "", &mut found);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["Action", "Actor", "Actor.Attributes", "Actor.ID", "Type"],
            "{line}"
        );
    }
    Ok(())
}

fn a_failed_list_is_made_good(s: &Scratch) -> Done {
    up(s);
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let fails = broken.clone();
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), move |call| {
        let one = call.kind() == "GET /containers/*/json" && fails.load(Ordering::SeqCst);
        if one { Verdict::Refuse } else { Verdict::Pass }
    });
    let gate = Gate::start(s, std::path::Path::new(proxy.host().trim_start_matches("unix://")));
    let gate = listed(gate);
    let heard = Heard::open(gate.docker, "/events");
    heard.waits_for("health_status: refresh", 1);
    std::thread::sleep(Duration::from_millis(1100));
    broken.store(true, Ordering::SeqCst);
    assert_eq!(gate.ask("/containers/json?all=1").status, 500);
    heard.waits_for("health_status: refresh", 2);
    broken.store(false, Ordering::SeqCst);
    heard.waits_for("health_status: refresh", 3);
    gate.list();
    let told = heard.lines().len();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(heard.lines().len(), told, "nothing is owed any more: {:?}", heard.lines());
    Ok(())
}

fn a_check_tells_whether_it_works(s: &Scratch) -> Done {
    let gate = Gate::start(s, &s.socket());
    gate.check().exits(0);
    drop(gate);
    let away = Gate::start(s, &s.beside("none.sock"));
    away.check().exits(1).says("reaches no Docker Engine");
    assert_eq!(away.ask("/_ping").status, 503);
    assert_eq!(away.ask("/containers/json").status, 500);
    assert!(get(away.pages, "a.test", "/").is_some_and(|page| page.status == 404), "its pages are there");
    let log = away.end().exits(0).err;
    assert!(log.lines().filter(|l| l.contains("not heard any more")).count() == 1, "it is said once: {log}");
    let none = s.hearth_args(&["gate", "--check", "--docker", "127.0.0.1:1", "--pages", "127.0.0.1:1"]);
    none.exits(1).says("does not answer on 127.0.0.1:1");
    s.hearth_args(&["gate"]).exits(2).says("HEARTH_GATE_PROJECT");
    Ok(())
}

fn it_ends_in_order_with_listeners_connected(s: &Scratch) -> Done {
    let gate = Gate::start(s, &s.socket());
    let heard = Heard::open(gate.docker, "/events");
    heard.waits_for("health_status: refresh", 1);
    let ended = gate.end().exits(0);
    assert!(ended.out.is_empty() && !ended.err.contains("panicked"), "{}", ended.both());
    Ok(())
}

/// As in a home: read-only, without capabilities, health check by the program itself. The binary of this build and its libraries are mounted, which
/// spares an image.
fn it_runs_in_a_container_that_may_do_nothing_else(s: &Scratch) -> Done {
    let (binary, socket) = (env!("CARGO_BIN_EXE_hearth"), s.socket().display().to_string());
    let project = &s.project;
    s.stack(&format!(
        "
services:
  gate:
    image: hearth-test/busybox:1
    command: [/hearth, gate]
    environment: {{ HEARTH_GATE_PROJECT: {project} }}
    read_only: true
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
    networks: [gate-clients]
    volumes: ['{socket}:/var/run/docker.sock', '{binary}:/hearth:ro', '/usr/lib:/lib:ro', '/usr/lib64:/lib64:ro']
    healthcheck: {{ test: [CMD, /hearth, gate, --check], interval: 1s }}
  client: {{ image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, networks: [gate-clients] }}
networks: {{ gate-clients: {{ internal: true }} }}
"
    ));
    s.compose("up -d --wait").ok();
    assert_eq!(s.container("gate").health, "healthy");
    let client = s.container("client").id;
    let asks = |url: &str| s.docker_args(&["exec", &client, "wget", "-qO-", url]);
    assert_eq!(asks("http://gate:2375/_ping").ok().out, "OK");
    assert!(asks("http://gate:2375/v1.45/containers/json?all=1").ok().out.contains(&client));
    asks("http://gate:2375/info").exits(1).says("403");
    asks("http://gate:8081/closed").exits(1).says("403");
    s.compose("stop gate").ok();
    let ended = s.container("gate").raw["State"]["ExitCode"].as_i64();
    assert_eq!(ended, Some(0), "it ends by itself when it is told to");
    Ok(())
}

/// A page as a browser asks for it through Traefik.
fn page(gate: &Gate<'_>, service: &str, accept: &str) -> crate::rig::Answer {
    let request = format!(
        "GET /some/path HTTP/1.1\r\nHost: photos.test\r\nX-Hearth-Route: {service}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    );
    ask(gate.pages, &request).unwrap_or_default()
}

fn every_state_has_its_page(s: &Scratch) -> Done {
    s.stack(
        "
services:
  starting: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, labels: { hearth.title: 'Photos <of> us' },
              healthcheck: { test: [CMD, 'false'], interval: 1s, start_period: 600s } }
  unwell: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL, healthcheck: { test: [CMD, 'false'], interval: 1s, retries: 1 } }
  stopped: { image: 'hearth-test/busybox:1', command: [sh, -c, 'exit 3'] }
  again: { image: 'hearth-test/busybox:1', command: [sh, -c, 'exit 4'], restart: always }
  fine: { image: 'hearth-test/busybox:1', command: [sleep, infinity], stop_signal: SIGKILL }
",
    );
    s.compose("up -d").ok();
    let gate = Gate::start(s, &s.socket());
    let html = "text/html,*/*;q=0.8";
    let says = |service: &str, words: &str| {
        let mut last = Default::default();
        let came = until(Duration::from_secs(20), || {
            last = page(&gate, service, html);
            last.status == 503 && last.body.contains(words)
        });
        assert!(came, "{service} should say {words:?}: {last:?}");
        assert!(last.header("content-type").starts_with("text/html") && last.header("retry-after") == "5");
        assert!(
            last.header("cache-control") == "no-store" && last.header("content-security-policy").contains("'sha256-")
        );
        assert!(!last.body.contains("busybox") && !last.body.contains(&s.project), "{}", last.body);
    };
    says("starting", "is starting</h1>");
    says("starting", "Photos &#60;of&#62; us is starting");
    says("unwell", "unwell is not well");
    says("stopped", "exit code 3");
    says("again", "again keeps stopping");
    says("fine", "fine is there");
    says("none", "photos.test is turned off");
    let line = page(&gate, "stopped", "application/json");
    assert_eq!((line.status, line.body.as_str()), (503, "stopped is stopped. It ended with an error (exit code 3).\n"));
    let fixed = |path: &str, status: u16, words: &str| {
        let answer = get(gate.pages, "photos.test", path).unwrap_or_default();
        assert!(answer.status == status && answer.body.contains(words), "{path}: {answer:?}");
    };
    fixed("/closed", 403, "no way to sign in");
    fixed("/refused", 403, "only from the home network");
    fixed("/unknown", 404, "photos.test");
    fixed("/anything", 404, "No service has this name");
    Ok(())
}

fn an_engine_that_is_started_anew_is_heard_again(s: &Scratch) -> Done {
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    let gate = up(s);
    let heard = Heard::open(gate.docker, "/events");
    heard.waits_for("health_status: refresh", 1);
    let before = gate.list();
    engine.stop();
    assert_eq!(gate.ask("/_ping").status, 503);
    assert_eq!(gate.ask("/containers/json?all=1").status, 500);
    let told = heard.lines().len();
    engine.start();
    let again = until(Duration::from_secs(10), || heard.lines().len() > told);
    assert!(again, "the same stream tells to look again: {:?}", heard.lines());
    assert_eq!(gate.list().into_iter().collect::<BTreeSet<_>>(), before.into_iter().collect());
    s.docker_args(&["start", &s.container("two").id]).ok();
    heard.waits_for("start", 1);
    gate.check().exits(0);
    Ok(())
}

fn nothing_grows_with_lists_and_events(s: &Scratch) -> Done {
    let gate = up(s);
    let web = s.container("web");
    let mut heard: Vec<Heard> = Vec::new();
    let round = |heard: &mut Vec<Heard>| {
        for n in 0..200 {
            for id in gate.list() {
                gate.json(&format!("/containers/{id}/json"));
            }
            assert_eq!(gate.ask("/info").status, 403);
            assert_eq!(page(&gate, &format!("none-{n}"), "*/*").status, 503);
            // More listeners than there is room for: the eldest go.
            heard.push(Heard::open(gate.docker, "/events"));
        }
        s.docker_args(&["restart", "-t", "0", &web.id]).ok();
        heard.clear();
    };
    round(&mut heard);
    let before = gate.memory();
    for _ in 0..4 {
        round(&mut heard);
    }
    let after = gate.memory();
    assert!(before > 0 && after < before + 2048, "{before} kB grew to {after} kB");
    assert!(after < 30 * 1024, "{after} kB");
    Ok(())
}
