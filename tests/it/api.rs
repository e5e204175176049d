//! The API on a real engine: a profile is started, watched, entered and stopped by it alone, and shares the lock with the command line.

#[path = "../api/rig.rs"]
#[allow(dead_code, reason = "the tests with the engine in memory use all of it")]
mod http;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::rig::{Done, Proxy, Scratch, Verdict, cases};
use http::{Server, Socket};

cases![
    together:
    a_profile_is_started_watched_entered_and_stopped_by_the_api_alone,
    hostile_32_api_and_command_line_have_one_lock,
    hostile_11_what_has_power_over_the_machine_is_entered_by_admins_only,
    hostile_01_a_program_gets_its_arguments_one_by_one,
    hostile_33_a_work_whose_engine_hangs_or_fails_ends_in_words_and_the_next_goes_on,
];

const STACK: &str = "services:
  web:
    image: hearth-test/busybox:1
    command: [sh, -c, 'echo up; exec sleep 1000']
    stop_signal: SIGKILL
    profiles: [media]
  slow:
    image: hearth-test/busybox:1
    command: [sleep, '1000']
    stop_signal: SIGKILL
    profiles: [slow]
    healthcheck: { test: [CMD, test, -e, /ready], interval: 1s, retries: 100 }
";

/// A home, and a server of it in this process.
fn served(s: &Scratch, work: impl AsyncFn(&Server)) {
    served_with(s, std::env::vars().collect(), work);
}

/// With this environment.
fn served_with(s: &Scratch, environment: BTreeMap<String, String>, work: impl AsyncFn(&Server)) {
    s.home();
    s.write("stacks/one.yaml", STACK);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("an event queue").block_on(async {
        let server = Server::of(s.dir.clone(), environment, None).await;
        work(&server).await;
    });
}

fn a_profile_is_started_watched_entered_and_stopped_by_the_api_alone(s: &Scratch) -> Done {
    served(s, async |server| {
        let begun = server.post("operator", "/api/v1/up", json!({"names": ["media"]})).await.is(202);
        let events = format!("{}/events", begun.header("location"));
        let events = server.events("viewer", &events, &[], |name, _| name == "end").await;
        let steps: Vec<&str> =
            events.iter().filter(|e| e.1 == "started").filter_map(|e| e.2["action"].as_str()).collect();
        assert!(steps.contains(&"create_container") && steps.contains(&"start_container"), "{events:?}");
        assert_eq!(events.last().map(|e| e.2["outcome"].clone()), Some(json!("done")));
        let web = server.get("viewer", "/api/v1/services/web").await.is(200).body;
        assert_eq!((&web["state"], &web["containers"][0]["state"]), (&json!("running"), &json!("running")), "{web}");
        let at = format!("/api/v1/containers/{}", web["containers"][0]["id"].as_str().unwrap_or_default());
        let lines = server.get("viewer", &format!("{at}/logs")).await.is(200).body;
        assert_eq!(lines["lines"][0]["text"], "up");
        let figures = server.events("viewer", &format!("{at}/stats"), &[], |name, _| name == "stats").await;
        assert!(figures[0].2["memory"].as_u64().is_some_and(|bytes| bytes > 0), "{figures:?}");
        let asked = json!({"command": ["cat"]});
        let ticket = server.post("operator", &format!("{at}/exec"), asked).await.is(200).body;
        let mut socket =
            Socket::open(server, "operator", ticket["path"].as_str().unwrap_or_default(), &[]).await.expect("it opens");
        socket.send(2, b"through\n").await;
        assert_eq!(socket.next().await, (2, b"\x01through\n".to_vec()));
        socket.send(1, br#"{"end": true}"#).await;
        assert_eq!(socket.next().await, (1, br#"{"exit_code":0}"#.to_vec()));
        // Much of it comes back whole, while both ways are full.
        let asked = json!({"command": ["cat"]});
        let ticket = server.post("operator", &format!("{at}/exec"), asked).await.is(200).body;
        let path = ticket["path"].as_str().unwrap_or_default();
        let sent: Vec<u8> = (0..6_u32 << 20).map(|n| (n % 251) as u8).collect();
        let (came, said) = Socket::open(server, "operator", path, &[]).await.expect("it opens").through(&sent).await;
        assert!(came == sent, "{} of {} bytes", came.len(), sent.len());
        assert_eq!(said, br#"{"exit_code":0}"#);
        server.done("operator", "/api/v1/down", json!({"names": ["media"]})).await;
    });
    assert!(s.containers().is_empty());
    Ok(())
}

/// Every service but `plain` has something of the machine, as a real engine tells it.
const STRONG: &str = "x-same: &same
  image: hearth-test/busybox:1
  command: [sleep, '1000']
  stop_signal: SIGKILL
  profiles: [strong]
services:
  plain: { <<: *same, volumes: ['./data/plain:/data', '/etc/localtime:/etc/localtime:ro', 'own:/own'] }
  swapped: { <<: *same, volumes: ['./data/swapped:/config'] }
  above: { <<: *same, volumes: ['./data/pair:/srv'] }
  below: { <<: *same, volumes: ['./data/pair/config:/config'] }
  socket: { <<: *same, volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro'] }
  folder: { <<: *same, volumes: ['./state:/state:ro'] }
  trick: { <<: *same, volumes: ['trick:/host'] }
  privileged: { <<: *same, privileged: true }
  processes: { <<: *same, pid: host }
  network: { <<: *same, network_mode: host }
  shares: { <<: *same, network_mode: 'service:network' }
  capable: { <<: *same, cap_add: [NET_ADMIN] }
  loose: { <<: *same, security_opt: ['seccomp=unconfined'] }
volumes:
  own: {}
  trick: { driver_opts: { type: none, device: /etc, o: bind } }
";

fn hostile_11_what_has_power_over_the_machine_is_entered_by_admins_only(s: &Scratch) -> Done {
    served(s, async |server| {
        s.write("stacks/strong.yaml", STRONG);
        // A link that leads to the machine at the start, and is gone when somebody asks.
        let swapped = s.dir.join("data/swapped");
        std::fs::create_dir_all(s.dir.join("data/pair/config")).unwrap();
        std::os::unix::fs::symlink("/", &swapped).unwrap();
        server.done("operator", "/api/v1/up", json!({"names": ["strong"]})).await;
        std::fs::remove_file(&swapped).unwrap();
        std::fs::create_dir(&swapped).unwrap();
        let ask = async |who: &str, service: &str| {
            let at = format!("/api/v1/containers/{}-{service}-1/exec", s.project);
            server.post(who, &at, json!({"command": ["true"]})).await
        };
        assert_eq!(ask("operator", "plain").await.status, 200);
        for service in [
            "swapped",
            "above",
            "below",
            "socket",
            "folder",
            "trick",
            "privileged",
            "processes",
            "network",
            "shares",
            "capable",
            "loose",
        ] {
            assert_eq!(ask("operator", service).await.is(403).code(), "exec.power", "{service}");
            assert_eq!(ask("admin", service).await.status, 200, "{service}");
        }
        server.done("operator", "/api/v1/down", json!({"yes": true})).await;
    });
    s.docker(&format!("volume rm {0}_own {0}_trick", s.project)).ok();
    Ok(())
}

fn hostile_32_api_and_command_line_have_one_lock(s: &Scratch) -> Done {
    served(s, async |server| {
        let asked = json!({"names": ["slow"], "wait": true});
        let begun = server.post("operator", "/api/v1/up", asked).await.is(202);
        let place = begun.header("location").to_string();
        // It waits for a health check that will not pass before it is told to.
        let waits = |_: &str, data: &serde_json::Value| data["event"] == "started" && data["action"] == "wait";
        server.events("viewer", &format!("{place}/events"), &[], waits).await;
        s.hearth_args(&["--compat", "2", "up", "media"]).exits(5).says("`hearth up slow --wait` of ann (program)");
        let cancelled = server.post("operator", &format!("{place}/cancel"), json!({})).await.is(200).body;
        assert_eq!(cancelled["cancelled"], true);
        server.events("viewer", &format!("{place}/events"), &[], |name, _| name == "end").await;
        let work = server.get("viewer", &place).await.is(200).body;
        assert_eq!((&work["state"], &work["exit_code"]), (&json!("interrupted"), &json!(130)), "{work}");
        server.done("operator", "/api/v1/down", json!({"yes": true})).await;
    });
    Ok(())
}

fn hostile_01_a_program_gets_its_arguments_one_by_one(s: &Scratch) -> Done {
    served(s, async |server| {
        server.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
        let web = server.get("viewer", "/api/v1/services/web").await.is(200).body;
        let at = format!("/api/v1/containers/{}", web["containers"][0]["id"].as_str().unwrap_or_default());
        let awkward =
            ["; touch /pwned", "$(touch /pwned)", "`touch /pwned`", "a b", "", "-rf", "'\"\\", "${HOME}", "x\ny"];
        // In a container without a shell in between, and from the command line.
        let command = [&["printf", "[%s]"], &awkward[..]].concat();
        let asked = json!({ "command": command });
        let ticket = server.post("operator", &format!("{at}/exec"), asked).await.is(200).body;
        let path = ticket["path"].as_str().unwrap_or_default();
        let mut socket = Socket::open(server, "operator", path, &[]).await.expect("it opens");
        let wanted: String = awkward.iter().map(|text| format!("[{text}]")).collect();
        let mut said = String::new();
        while said.len() < wanted.len() {
            let (kind, bytes) = socket.next().await;
            assert_eq!(kind, 2, "{said}");
            said.push_str(&String::from_utf8_lossy(&bytes[1..]));
        }
        assert_eq!(said, wanted);
        let typed = s.hearth_args(&[&["--compat", "2", "exec", "-T", "web"], &command[..]].concat()).ok();
        assert_eq!(typed.out, wanted);
        let look = s.hearth_args(&["--compat", "2", "exec", "-T", "web", "ls", "/pwned"]);
        assert_ne!(look.code, 0, "{}", look.both());
        server.done("operator", "/api/v1/down", json!({"yes": true})).await;
    });
    Ok(())
}

fn hostile_33_a_work_whose_engine_hangs_or_fails_ends_in_words_and_the_next_goes_on(s: &Scratch) -> Done {
    // What the engine does from its first start of a container on.
    let trouble = Arc::new(Mutex::new(None));
    let (from, seen) = (trouble.clone(), Arc::new(AtomicBool::new(false)));
    let begun = seen.clone();
    let proxy = Proxy::new(s.beside("proxy.sock"), &s.socket(), move |call| {
        begun.fetch_or(call.kind() == "POST /containers/*/start", Ordering::SeqCst);
        match from.lock().expect("no test fails with it").as_ref() {
            Some(verdict) if begun.load(Ordering::SeqCst) => *verdict,
            _ => Verdict::Pass,
        }
    });
    let environment: BTreeMap<String, String> =
        std::env::vars().chain([("DOCKER_HOST".into(), proxy.host())]).collect();
    served_with(s, environment, async |server| {
        for verdict in [Verdict::Hang, Verdict::Refuse] {
            *trouble.lock().expect("no test fails with it") = Some(verdict);
            seen.store(false, Ordering::SeqCst);
            let begun = server.post("operator", "/api/v1/up", json!({"names": ["media"]})).await.is(202);
            let place = begun.header("location").to_string();
            let ended = async {
                loop {
                    let work = server.get("viewer", &place).await.is(200).body;
                    if work["state"] != "running" {
                        return work;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            let work = tokio::time::timeout(Duration::from_secs(90), ended).await.expect("it ends");
            assert_eq!(work["state"], "failed", "{work}");
            let error = &work["error"];
            assert!(error["title"].as_str().is_some_and(|title| !title.is_empty()), "{work}");
            // The server itself goes on, and says so of the engine.
            server.get("viewer", "/api/v1/works").await.is(200);
            *trouble.lock().expect("no test fails with it") = None;
            server.done("operator", "/api/v1/up", json!({"names": ["media"]})).await;
            assert_eq!(s.containers().len(), 1);
            assert!(s.containers().values().all(|c| c.running()));
            server.done("operator", "/api/v1/down", json!({"yes": true})).await;
        }
    });
    Ok(())
}
