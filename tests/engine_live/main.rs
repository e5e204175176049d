//! The Docker Engine port on the engine that answers here. Without one, each test says so aloud and is counted.

mod registry;

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use futures_util::StreamExt;
use hearth::engine::docker::DockerEngine;
use hearth::engine::streams::{ExecRequest, LogOptions, Streams};
use hearth::engine::{Engine, Known, Progress, Scope};
use hearth::plan::observed::{Health, State};
use hearth::plan::wanted::{ContainerRequest, Endpoint, NetworkRequest, VolumeRequest};
use hearth::plan::{Action, StepId, Target, Until, request};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const IMAGE: &str = "hearth-test/busybox:1";

fn env() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

/// Runs `test` with a connected engine, and removes what it made (all names begin with `docker-live-<name>`), before and after.
fn live(name: &str, test: impl AsyncFnOnce(&Rig)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = match DockerEngine::connect(&env()).await {
            Ok(engine) => engine,
            Err(error) if std::env::var_os("CI").is_some() => panic!("{error}"),
            Err(error) => return eprintln!("SKIPPED {name}: {error}"),
        };
        let rig = Rig { engine, project: format!("docker-live-{name}") };
        rig.clear().await;
        test(&rig).await;
        rig.clear().await;
    });
}

struct Rig {
    engine: DockerEngine,
    project: String,
}

impl Rig {
    fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.project)
    }

    fn scope(&self, inspect: bool) -> Scope {
        Scope {
            project: self.project.clone(),
            images: vec![IMAGE.into(), "docker-live/none:1".into()],
            inspect,
            ..Scope::default()
        }
    }

    async fn act(&self, action: Action, known: &Known) -> Result<Option<String>, String> {
        let done = self.engine.perform(&action, known, &|_| {}).await;
        done.map(|o| o.id)
            .map_err(|e| format!("{} {}: {:?}", e.diagnostic.code, e.diagnostic.title, e.diagnostic.hints))
    }

    async fn clear(&self) {
        let seen = self.engine.observe(&self.scope(false)).await.unwrap();
        for c in seen.containers {
            let container = Target::Existing { id: c.id, name: c.name };
            self.act(Action::RemoveContainer { container, volumes: true, force: true }, &Known::default())
                .await
                .unwrap();
        }
        for n in seen.networks.into_values() {
            self.act(Action::RemoveNetwork { id: n.id, name: n.name }, &Known::default()).await.unwrap();
        }
        for name in seen.volumes.into_keys() {
            self.act(Action::RemoveVolume { name }, &Known::default()).await.unwrap();
        }
    }

    fn request(&self, service: &str, command: &[&str]) -> ContainerRequest {
        ContainerRequest {
            service: service.into(),
            number: 1,
            name: self.name(&format!("{service}-1")),
            config: json!({ "Image": IMAGE, "Cmd": command, "StopTimeout": 1, "Labels": { request::PROJECT: self.project, request::SERVICE: service } }),
            host_config: json!({ "NetworkMode": "none", "RestartPolicy": { "Name": "no" } }),
            hashed: json!({ "image": IMAGE }),
            ..ContainerRequest::default()
        }
    }

    async fn create(&self, request: ContainerRequest) -> Target {
        let name = request.name.clone();
        let action = Action::CreateContainer { request: Box::new(request), replaces: None };
        let id = self.act(action, &Known::default()).await.unwrap().unwrap();
        Target::Existing { id, name }
    }

    async fn run(&self, request: ContainerRequest) -> Target {
        let container = self.create(request).await;
        self.act(Action::StartContainer { container: container.clone() }, &Known::default()).await.unwrap();
        container
    }

    async fn wait(&self, container: &Target, until: Until) -> Result<Option<String>, String> {
        self.act(Action::Wait { container: container.clone(), until, optional: false }, &Known::default()).await
    }
}

fn id(target: &Target) -> &str {
    match target {
        Target::Existing { id, .. } => id,
        Target::Made { .. } => panic!("not made yet"),
    }
}

#[test]
fn networks_volumes_and_containers_come_and_go_and_doing_it_twice_is_success() {
    live("life", async |rig| {
        let none = Known::default();
        let label = json!({ request::PROJECT: rig.project });
        let network = NetworkRequest {
            key: "n".into(),
            name: rig.name("n"),
            body: json!({ "Name": rig.name("n"), "Labels": label, "IPAM": { "Config": [{ "Subnet": "10.231.77.0/28" }] } }),
            ..NetworkRequest::default()
        };
        rig.act(Action::CreateNetwork { request: Box::new(network.clone()) }, &none).await.unwrap();
        let second = NetworkRequest {
            name: rig.name("m"),
            body: json!({ "Name": rig.name("m"), "Labels": label, "IPAM": { "Config": [{ "Subnet": "10.231.77.16/28" }] } }),
            ..network
        };
        rig.act(Action::CreateNetwork { request: Box::new(second) }, &none).await.unwrap();
        let volume = VolumeRequest {
            name: rig.name("v"),
            body: json!({ "Name": rig.name("v"), "Labels": label }),
            ..VolumeRequest::default()
        };
        rig.act(Action::CreateVolume { request: Box::new(volume.clone()) }, &none).await.unwrap();
        rig.act(Action::CreateVolume { request: Box::new(volume) }, &none).await.unwrap();

        let mut request = rig.request("web", &["sleep", "1000"]);
        request.host_config["NetworkMode"] = json!(rig.name("n"));
        request.host_config["Binds"] = json!([format!("{}:/data:rw", rig.name("v"))]);
        request.endpoints = vec![
            (
                rig.name("n"),
                Endpoint {
                    aliases: vec!["web".into()],
                    mac_address: "02:42:0a:00:00:09".into(),
                    ..Endpoint::default()
                },
            ),
            (
                rig.name("m"),
                Endpoint { aliases: vec!["other".into()], ipv4_address: "10.231.77.20".into(), ..Endpoint::default() },
            ),
        ];
        let web = rig.run(request).await;
        rig.act(Action::StartContainer { container: web.clone() }, &none).await.unwrap();

        let seen = rig.engine.observe(&rig.scope(true)).await.unwrap();
        let c = &seen.containers[0];
        assert_eq!((c.state, c.name.as_str(), c.image.as_str()), (State::Running, rig.name("web-1").as_str(), IMAGE));
        assert_eq!(c.labels[request::IMAGE], seen.images[IMAGE].label_id);
        assert_eq!(c.networks[&rig.name("m")].ip_address, "10.231.77.20");
        assert!(c.networks[&rig.name("m")].aliases.contains(&"other".to_string()));
        assert_eq!(c.networks[&rig.name("n")].mac_address, "02:42:0a:00:00:09");
        assert_eq!((c.mounts[0].name.as_str(), c.mounts[0].kind.as_str()), (rig.name("v").as_str(), "volume"));
        assert_eq!(seen.networks[&rig.name("n")].attached, std::slice::from_ref(&c.id));
        assert_eq!(seen.networks[&rig.name("n")].subnets, ["10.231.77.0/28"]);
        assert!(seen.subnets.contains(&("10.231.77.0/28".into(), rig.name("n"))));
        assert!(seen.volumes.contains_key(&rig.name("v")) && !seen.images.contains_key("docker-live/none:1"));
        let quick = rig.engine.observe(&rig.scope(false)).await.unwrap();
        assert_eq!((quick.containers[0].state, &quick.containers[0].labels), (c.state, &c.labels));
        assert_eq!(quick.containers[0].mounts, c.mounts);
        let foreign =
            rig.engine.observe(&Scope { project: "docker-live-nobody".into(), ..Scope::default() }).await.unwrap();
        let web_seen = foreign.foreign.iter().find(|f| f.id == c.id).unwrap();
        assert_eq!((web_seen.project.as_deref(), web_seen.running), (Some(rig.project.as_str()), true));

        let rename = Action::RenameContainer { container: web.clone(), to: rig.name("aside") };
        rig.act(rename.clone(), &none).await.unwrap();
        rig.act(rename, &none).await.unwrap();
        let detach = Action::DisconnectNetwork { network: rig.name("m"), container: web.clone() };
        rig.act(detach.clone(), &none).await.unwrap();
        rig.act(detach, &none).await.unwrap();
        let endpoint = Box::new(Endpoint { aliases: vec!["again".into()], ..Endpoint::default() });
        let attach = Action::ConnectNetwork { network: rig.name("m"), container: web.clone(), endpoint };
        rig.act(attach.clone(), &none).await.unwrap();
        rig.act(attach, &none).await.unwrap();
        let update = Box::new(hearth::plan::wanted::Update { body: json!({ "RestartPolicy": { "Name": "no" } }) });
        rig.act(Action::UpdateContainer { container: web.clone(), update }, &none).await.unwrap();
        rig.act(Action::RestartContainer { container: web.clone(), timeout: Some(0) }, &none).await.unwrap();
        for _ in 0..2 {
            rig.act(Action::StopContainer { container: web.clone(), timeout: Some(0) }, &none).await.unwrap();
        }
        for _ in 0..2 {
            rig.act(Action::RemoveContainer { container: web.clone(), volumes: false, force: true }, &none)
                .await
                .unwrap();
        }
        rig.act(Action::StopContainer { container: web, timeout: None }, &none).await.unwrap();
        assert!(rig.engine.inspect(&c.id).await.unwrap().is_none());
        for n in seen.networks.values() {
            for _ in 0..2 {
                rig.act(Action::RemoveNetwork { id: n.id.clone(), name: n.name.clone() }, &none).await.unwrap();
            }
        }
        for _ in 0..2 {
            rig.act(Action::RemoveVolume { name: rig.name("v") }, &none).await.unwrap();
        }
    });
}

#[test]
fn a_made_container_is_found_by_its_step_and_refs_by_their_service() {
    live("refs", async |rig| {
        let vpn = rig.run(rig.request("vpn", &["sleep", "1000"])).await;
        let mut request = rig.request("app", &["sleep", "1000"]);
        request.refs =
            vec![hearth::plan::wanted::Ref { field: hearth::plan::wanted::RefField::Network, service: "vpn".into() }];
        request.host_config["NetworkMode"] = json!("service:vpn");
        let mut known = Known::default();
        let create = Action::CreateContainer { request: Box::new(request), replaces: None };
        let refused = rig.act(create.clone(), &known).await.unwrap_err();
        assert!(refused.contains("engine.no-container") && refused.contains("vpn"), "{refused}");
        known.services.insert("vpn".into(), id(&vpn).into());
        let made = rig.act(create, &known).await.unwrap().unwrap();
        known.made.insert(7, made.clone());
        let app = Target::Made { step: StepId(7), name: rig.name("app-1") };
        rig.act(Action::StartContainer { container: app }, &known).await.unwrap();
        let c = rig.engine.inspect(&made).await.unwrap().unwrap();
        assert_eq!(c.network_mode, format!("container:{}", id(&vpn)));
    });
}

#[test]
fn a_replaced_containers_anonymous_volume_moves_over() {
    live("inherit", async |rig| {
        let mut request = rig.request("db", &["sleep", "1000"]);
        request.host_config["Mounts"] = json!([{ "Type": "volume", "Target": "/data" }]);
        let old = rig.run(request.clone()).await;
        let volume = rig.engine.inspect(id(&old)).await.unwrap().unwrap().mounts[0].name.clone();
        request.name = rig.name("new");
        let action = Action::CreateContainer { request: Box::new(request), replaces: Some(id(&old).into()) };
        let new = rig.act(action, &Known::default()).await.unwrap().unwrap();
        let new = rig.engine.inspect(&new).await.unwrap().unwrap();
        assert_eq!(new.mounts[0].name, volume);
        assert_eq!(new.labels[request::REPLACE], rig.name("new"));
    });
}

#[test]
fn waits_tell_health_exit_and_staying_up() {
    live("waits", async |rig| {
        let mut healthy = rig.request("healthy", &["sleep", "1000"]);
        let check = |command: &str| json!({ "Test": ["CMD-SHELL", command], "Interval": 300_000_000, "Timeout": 1_000_000_000, "Retries": 2 });
        healthy.config["Healthcheck"] = check("echo all is well");
        let healthy = rig.run(healthy).await;
        let mut sick = rig.request("sick", &["sleep", "1000"]);
        sick.config["Healthcheck"] = check("echo the pump is off; false");
        let sick = rig.run(sick).await;
        let job = rig.run(rig.request("job", &["sh", "-c", "echo working; sleep 0.2"])).await;
        let bad = rig.run(rig.request("bad", &["sh", "-c", "echo going down; exit 3"])).await;
        let plain = rig.run(rig.request("plain", &["sleep", "1000"])).await;

        rig.wait(&healthy, Until::Healthy { seconds: Some(20) }).await.unwrap();
        let probes = Mutex::new(Vec::new());
        let tell = |p: Progress| {
            if let Progress::Probe(words) = p {
                probes.lock().unwrap().push(words);
            }
        };
        let action = Action::Wait { container: sick.clone(), until: Until::Healthy { seconds: None }, optional: false };
        let error = rig.engine.perform(&action, &Known::default(), &tell).await.unwrap_err();
        assert_eq!(error.diagnostic.code, "engine.unhealthy");
        // What it said stands once: in its last words, below.
        assert!(!error.diagnostic.hints.iter().any(|h| h.contains("the pump is off")), "{:?}", error.diagnostic.hints);
        assert!(probes.into_inner().unwrap().contains(&"the pump is off".to_string()));
        let optional =
            Action::Wait { container: sick.clone(), until: Until::Healthy { seconds: None }, optional: true };
        assert_eq!(rig.engine.perform(&optional, &Known::default(), &|_| {}).await.unwrap().warnings.len(), 1);
        let words = rig.engine.last_words(id(&sick), 5).await.unwrap();
        assert!(words.iter().any(|w| w.contains("the pump is off")), "{words:?}");

        rig.wait(&job, Until::Completed).await.unwrap();
        let error = rig.wait(&bad, Until::Completed).await.unwrap_err();
        assert!(error.contains("engine.exited") && error.contains("exit code 3"), "{error}");
        assert_eq!(rig.engine.last_words(id(&bad), 5).await.unwrap(), ["going down"]);
        let proven = |health, may_exit| Until::Proven { seconds: 5, stay: 300, health, may_exit };
        rig.wait(&plain, proven(false, false)).await.unwrap();
        rig.wait(&healthy, proven(true, false)).await.unwrap();
        rig.wait(&job, proven(false, true)).await.unwrap();
        assert!(rig.wait(&job, proven(false, false)).await.unwrap_err().contains("engine.exited"));
        assert!(
            rig.wait(&plain, Until::Healthy { seconds: None }).await.unwrap_err().contains("engine.no-healthcheck")
        );
        let seen = rig.engine.observe(&rig.scope(false)).await.unwrap();
        let of = |service: &str| seen.containers.iter().find(|c| c.name == rig.name(service)).unwrap();
        assert_eq!(of("healthy-1").health, Some(Health::Healthy));
        assert_eq!((of("bad-1").state, of("bad-1").exit_code), (State::Exited, 3));
    });
}

#[test]
fn files_hooks_and_pauses() {
    live("files", async |rig| {
        let file = hearth::plan::wanted::InlineFile {
            target: "/deep/er/token".into(),
            uid: 1000,
            gid: 1001,
            mode: 0o440,
            origin: "secret token".into(),
            content: hearth::base::secret::Secret::new("s3cret"),
        };
        let container = rig.create(rig.request("w", &["sleep", "1000"])).await;
        let none = Known::default();
        rig.act(Action::UploadFiles { container: container.clone(), files: vec![file] }, &none).await.unwrap();
        rig.act(Action::StartContainer { container: container.clone() }, &none).await.unwrap();
        let hook = |script: &str| {
            let hook = hearth::plan::wanted::Hook {
                command: vec!["sh".into(), "-c".into(), script.into()],
                environment: vec!["A=b".into()],
                ..Default::default()
            };
            Action::Exec { container: container.clone(), hook: Box::new(hook) }
        };
        let lines = Mutex::new(Vec::new());
        let tell = |p: Progress| {
            if let Progress::Line(line) = p {
                lines.lock().unwrap().push(line);
            }
        };
        let script = "stat -c '%u %g %a' /deep/er/token; cat /deep/er/token; echo; printf $A";
        rig.engine.perform(&hook(script), &none, &tell).await.unwrap();
        assert_eq!(lines.into_inner().unwrap(), ["1000 1001 440", "s3cret", "b"]);
        let error = rig.act(hook("echo it broke >&2; exit 4"), &none).await.unwrap_err();
        assert!(
            error.contains("engine.hook") && error.contains("exit code 4") && error.contains("it broke"),
            "{error}"
        );
        rig.act(Action::UnpauseContainer { container }, &none).await.unwrap();
    });
}

#[test]
fn refusals_of_the_engine_are_told_in_words() {
    live("refused", async |rig| {
        let none = Known::default();
        let change = |f: &dyn Fn(&mut ContainerRequest)| {
            let mut request = rig.request("w", &["sleep", "1000"]);
            f(&mut request);
            request
        };
        let create = |request: ContainerRequest| Action::CreateContainer { request: Box::new(request), replaces: None };
        let first = rig.create(rig.request("w", &["sleep", "1000"])).await;
        for (request, code) in [
            (change(&|_| {}), "engine.name-taken"),
            (change(&|r| r.config["Image"] = json!("docker-live/none:1")), "engine.no-image"),
            (change(&|r| r.host_config["CapAdd"] = json!(["FLY"])), "engine.capability"),
            (
                change(&|r| {
                    r.host_config["Mounts"] = json!([{ "Type": "bind", "Source": "/none/such", "Target": "/x" }])
                }),
                "engine.mount",
            ),
        ] {
            let error = rig.act(create(request), &none).await.unwrap_err();
            assert!(error.starts_with(code), "{code}: {error}");
        }
        rig.act(Action::RemoveContainer { container: first, volumes: true, force: true }, &none).await.unwrap();
        let started = async |f: &dyn Fn(&mut ContainerRequest)| {
            let container = rig.create(change(f)).await;
            let error = rig.act(Action::StartContainer { container: container.clone() }, &none).await.unwrap_err();
            rig.act(Action::RemoveContainer { container, volumes: true, force: true }, &none).await.unwrap();
            error
        };
        let error = started(&|r| {
            r.host_config["Devices"] =
                json!([{ "PathOnHost": "/dev/none", "PathInContainer": "/dev/none", "CgroupPermissions": "rwm" }])
        })
        .await;
        assert!(error.starts_with("engine.device"), "{error}");
        let error = started(&|r| r.config["Cmd"] = json!(["no-such-program"])).await;
        assert!(error.starts_with("engine.no-command"), "{error}");
        let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scope = Scope { host_ports: vec![(port.to_string(), "tcp".into())], ..rig.scope(false) };
        let seen = rig.engine.observe(&scope).await.unwrap();
        if std::env::var("DOCKER_HOST").is_ok() {
            return eprintln!("SKIPPED in part: the engine that DOCKER_HOST names may publish its ports elsewhere");
        }
        assert!(seen.host.taken_ports.iter().any(|(_, p, protocol)| *p == port && protocol == "tcp"));
        let publish = |r: &mut ContainerRequest| {
            r.host_config["NetworkMode"] = json!("bridge");
            r.config["ExposedPorts"] = json!({ "80/tcp": {} });
            r.host_config["PortBindings"] = json!({ "80/tcp": [{ "HostIp": "", "HostPort": port.to_string() }] });
        };
        let error = started(&publish).await;
        assert!(error.starts_with("engine.port-taken"), "{error}");
    });
}

#[test]
fn a_socket_that_accepts_and_never_answers_is_told_within_ten_seconds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let env = BTreeMap::from([("DOCKER_HOST".to_string(), format!("unix://{}", path.display()))]);
        let began = std::time::Instant::now();
        let error = DockerEngine::connect(&env).await.err().unwrap();
        assert_eq!(error.diagnostic.code, "engine.silent");
        assert_eq!(error.diagnostic.kind.exit_code(), 6);
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    });
}

/// An engine that plays its part for a while: answers pings, and `last` to everything else.
async fn played(last: &'static str, test: impl AsyncFnOnce(DockerEngine)) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let pings = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let engine = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let pings = pings.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = socket.read(&mut buffer).await {
                    let is_ping = buffer[..n].starts_with(b"GET /_ping");
                    // The first greeting is answered; with a silent engine no later one is.
                    if is_ping && (pings.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 || last != "silent") {
                        let answer = "HTTP/1.1 200 OK\r\napi-version: 1.45\r\ncontent-length: 2\r\n\r\nOK";
                        socket.write_all(answer.as_bytes()).await.unwrap();
                    } else if last != "silent" {
                        socket.write_all(last.as_bytes()).await.unwrap();
                        return;
                    }
                }
            });
        }
    });
    let env = BTreeMap::from([("DOCKER_HOST".to_string(), format!("unix://{}", path.display()))]);
    test(DockerEngine::connect(&env).await.unwrap()).await;
    engine.abort();
}

#[test]
fn an_engine_that_falls_silent_or_breaks_off_in_the_middle_is_told_within_ten_seconds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[";
        let html = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>";
        for (last, code, exit) in [("silent", "engine.silent", 6), (cut, "engine.lost", 6), (html, "engine.garbled", 6)]
        {
            played(last, async |engine| {
                let began = std::time::Instant::now();
                let start = Action::StartContainer { container: Target::Existing { id: "a".into(), name: "w".into() } };
                let error = match code {
                    "engine.garbled" => engine.observe(&Scope::default()).await.unwrap_err(),
                    _ => engine.perform(&start, &Known::default(), &|_| {}).await.unwrap_err(),
                };
                assert_eq!((error.diagnostic.code, error.diagnostic.kind.exit_code()), (code, exit), "{error}");
                assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
                if last == "silent" {
                    // What is tried after that does not wait as long again.
                    let began = std::time::Instant::now();
                    assert!(engine.inspect("a").await.is_err() && engine.last_words("a", 1).await.is_err());
                    assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
                }
            })
            .await;
        }
    });
}

/// Not a test of speed: prints what a look costs, for `cargo test --release -- --ignored look_costs --nocapture`.
#[test]
#[ignore = "a measurement"]
fn look_costs() {
    live("cost", async |rig| {
        let project = std::env::var("MEASURED_PROJECT").unwrap_or_default();
        for inspect in [false, true] {
            let mut times = Vec::new();
            for _ in 0..7 {
                let began = std::time::Instant::now();
                let engine = DockerEngine::connect(&env()).await.unwrap();
                let scope = Scope { project: project.clone(), images: vec![IMAGE.into()], inspect, ..Scope::default() };
                let seen = engine.observe(&scope).await.unwrap();
                times.push((began.elapsed(), seen.containers.len()));
            }
            times.sort();
            println!("inspect {inspect}: {:?}", times[3]);
        }
        let _ = (rig, Value::Null);
    });
}

#[test]
fn an_image_is_built_from_a_context_with_everything_in_it() {
    live("build", async |rig| {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("in/deep")).unwrap();
        std::fs::write(root.join("in/deep/text"), "hello").unwrap();
        std::fs::write(root.join("in/secret"), "no").unwrap();
        std::os::unix::fs::symlink("deep/text", root.join("in/link")).unwrap();
        std::fs::write(root.join(".dockerignore"), "**/secret\nDockerfile\n").unwrap();
        std::fs::write(root.join("big"), vec![7u8; 3 << 20]).unwrap();
        let dockerfile = format!(
            "FROM {IMAGE} AS base\nARG WORD\nCOPY . /ctx\nRUN cat /ctx/in/link && echo \" $WORD\" && find /ctx -type f | sort\nFROM base AS final\nRUN exit 3\n"
        );
        std::fs::write(root.join("Dockerfile"), &dockerfile).unwrap();
        let request = |change: &dyn Fn(&mut hearth::plan::wanted::BuildRequest)| {
            let mut request = hearth::plan::wanted::BuildRequest {
                service: "w".into(),
                image: "docker-live/built:1".into(),
                context: root.to_str().unwrap().into(),
                dockerfile: "Dockerfile".into(),
                target: "base".into(),
                args: BTreeMap::from([("WORD".into(), Some("world".into()))]),
                labels: BTreeMap::from([("docker-live".into(), "yes".into())]),
                no_cache: true,
                ..Default::default()
            };
            change(&mut request);
            Action::BuildImage { request: Box::new(request) }
        };
        let said = Mutex::new(Vec::new());
        let tell = |p: Progress| {
            if let Progress::Line(line) = p {
                said.lock().unwrap().push(line);
            }
        };
        let done = rig.engine.perform(&request(&|_| {}), &Known::default(), &tell).await.unwrap();
        assert!(done.id.unwrap().starts_with("sha256:"));
        let said = said.into_inner().unwrap();
        assert!(said.contains(&"hello world".to_string()), "{said:?}");
        let files: Vec<&String> = said.iter().filter(|l| l.starts_with("/ctx/")).collect();
        assert_eq!(files, ["/ctx/.dockerignore", "/ctx/big", "/ctx/in/deep/text"]);
        let scope = Scope { images: vec!["docker-live/built:1".into()], ..Scope::default() };
        let image = &rig.engine.observe(&scope).await.unwrap().images["docker-live/built:1"];
        assert_eq!(image.config["Labels"]["docker-live"], "yes");
        let inline = format!("FROM {IMAGE}\nCOPY in/deep/text /\nRUN ls -a /");
        rig.act(
            request(&|r| {
                r.dockerfile_inline = inline.clone();
                r.target = String::new()
            }),
            &Known::default(),
        )
        .await
        .unwrap();
        let error = rig.act(request(&|r| r.target = "final".into()), &Known::default()).await.unwrap_err();
        assert!(error.starts_with("engine.build") && error.contains("returned a non-zero code: 3"), "{error}");
        let error = rig.act(request(&|r| r.dockerfile = "None".into()), &Known::default()).await.unwrap_err();
        assert!(error.starts_with("engine.no-dockerfile"), "{error}");
        rig.act(
            request(&|r| {
                r.if_absent = true;
                r.target = "final".into()
            }),
            &Known::default(),
        )
        .await
        .unwrap();
        for _ in 0..2 {
            rig.act(Action::RemoveImage { reference: "docker-live/built:1".into() }, &Known::default()).await.unwrap();
        }
    });
}

#[test]
fn an_image_that_no_registry_gives_is_told_in_words_and_tolerated_where_optional() {
    live("pull", async |rig| {
        // A registry on a port where nothing answers.
        let reference = "127.0.0.1:9/docker-live/none:1".to_string();
        let pull = |optional| Action::PullImage { reference: reference.clone(), platform: None, optional };
        let error = rig.act(pull(false), &Known::default()).await.unwrap_err();
        assert!(error.starts_with("engine.registry-unreachable"), "{error}");
        let done = rig.engine.perform(&pull(true), &Known::default(), &|_| {}).await.unwrap();
        assert_eq!(done.warnings.len(), 1);
    });
}

#[test]
fn a_pull_signs_in_with_the_docker_clis_login_and_tells_its_layers() {
    live("login", async |rig| {
        if std::env::var("DOCKER_HOST").is_ok() {
            return eprintln!("SKIPPED login: the engine that DOCKER_HOST names may not reach a registry of this test");
        }
        let registry = registry::serve().await;
        let dir = tempfile::tempdir().unwrap();
        let auth =
            base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", registry::USER, registry::PASSWORD));
        let config = json!({ "auths": { registry.clone(): { "auth": auth } } });
        std::fs::write(dir.path().join("config.json"), config.to_string()).unwrap();
        let mut env = env();
        env.insert("DOCKER_CONFIG".into(), dir.path().to_str().unwrap().into());
        let engine = DockerEngine::connect(&env).await.unwrap();
        let reference = format!("{registry}/docker-live/hello:1");
        let pull = |reference: &str| Action::PullImage { reference: reference.into(), platform: None, optional: false };
        let layers = Mutex::new(Vec::new());
        let tell = |p: Progress| {
            if let Progress::Layer { status, .. } = p {
                layers.lock().unwrap().push(status);
            }
        };
        let done = engine.perform(&pull(&reference), &Known::default(), &tell).await.unwrap();
        assert!(layers.into_inner().unwrap().contains(&"Pull complete".to_string()));
        let scope = Scope { images: vec![reference.clone()], ..Scope::default() };
        let image = engine.observe(&scope).await.unwrap().images.remove(&reference).unwrap();
        assert_eq!((Some(&image.id), image.config["Labels"]["from"].as_str()), (done.id.as_ref(), Some("registry")));

        let missing = engine
            .perform(&pull(&format!("{registry}/docker-live/hello:2")), &Known::default(), &|_| {})
            .await
            .unwrap_err();
        assert_eq!(missing.diagnostic.code, "engine.no-manifest", "{}", missing.detail);
        let anonymous = rig.engine.perform(&pull(&reference), &Known::default(), &|_| {}).await.unwrap_err();
        assert_eq!(anonymous.diagnostic.code, "engine.registry-denied", "{}", anonymous.detail);
        engine.perform(&Action::RemoveImage { reference }, &Known::default(), &|_| {}).await.unwrap();
    });
}

#[test]
fn logs_come_line_by_line_and_programs_run_with_and_without_a_terminal() {
    live("streams", async |rig| {
        let script = "echo one; echo two >&2; printf 'no end'";
        let plain = rig.run(rig.request("plain", &["sh", "-c", script])).await;
        rig.wait(&plain, Until::Completed).await.unwrap();
        let mut with_tty = rig.request("tty", &["sh", "-c", "printf '\\001one\\n'; echo two; sleep 1000"]);
        with_tty.config["Tty"] = json!(true);
        let tty = rig.run(with_tty).await;

        let options = LogOptions { timestamps: true, ..LogOptions::default() };
        let lines: Vec<_> = rig.engine.logs(id(&plain), &options).await.unwrap().map(|l| l.unwrap()).collect().await;
        let of = |stderr: bool| {
            lines
                .iter()
                .filter(|l| l.stderr == stderr)
                .map(|l| String::from_utf8_lossy(&l.text).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!((of(false), of(true)), (vec!["one".to_string(), "no end".into()], vec!["two".to_string()]));
        assert!(
            lines.iter().all(|l| l.at.as_ref().is_some_and(|at| at.starts_with("20") && at.ends_with('Z'))),
            "{lines:?}"
        );
        let last = LogOptions { tail: Some(1), ..LogOptions::default() };
        assert_eq!(rig.engine.logs(id(&plain), &last).await.unwrap().count().await, 1);
        let future = LogOptions { since: Some("4000000000".into()), ..LogOptions::default() };
        assert_eq!(rig.engine.logs(id(&plain), &future).await.unwrap().count().await, 0);
        let mut follow =
            rig.engine.logs(id(&tty), &LogOptions { follow: true, ..LogOptions::default() }).await.unwrap();
        assert_eq!(follow.next().await.unwrap().unwrap().text.as_ref(), b"\x01one");
        assert_eq!(follow.next().await.unwrap().unwrap().text.as_ref(), b"two");

        let request = ExecRequest { command: vec!["cat".into()], stdin: true, ..ExecRequest::default() };
        let mut session = rig.engine.exec(id(&tty), &request).await.unwrap();
        session.input.write_all(b"to and fro").await.unwrap();
        session.input.shutdown().await.unwrap();
        let mut echo = Vec::new();
        while let Some(output) = session.output.next().await {
            echo.extend_from_slice(&output.unwrap().bytes);
        }
        assert_eq!((echo.as_slice(), rig.engine.exit_code(&session.id).await.unwrap()), (b"to and fro".as_slice(), 0));

        let request = ExecRequest {
            command: vec!["sh".into(), "-c".into(), "sleep 0.3; stty size; read x; exit $x".into()],
            tty: Some((33, 77)),
            stdin: true,
            ..ExecRequest::default()
        };
        let mut session = rig.engine.exec(id(&tty), &request).await.unwrap();
        let mut screen = Vec::new();
        while !screen.windows(5).any(|w| w == b"33 77") {
            screen.extend_from_slice(&session.output.next().await.unwrap().unwrap().bytes);
        }
        rig.engine.resize(&session.id, 10, 20).await.unwrap();
        session.input.write_all(b"7\n").await.unwrap();
        while session.output.next().await.is_some() {}
        assert_eq!(rig.engine.exit_code(&session.id).await.unwrap(), 7);
        let gone = rig.engine.exec("docker-live-none", &request).await.err().unwrap();
        assert_eq!(gone.diagnostic.code, "engine.no-container");
    });
}
