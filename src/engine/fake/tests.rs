//! Promises of the in-memory engine, each as a real one answers.

use serde_json::json;

use super::*;
use crate::plan::observed::State;
use crate::plan::request::{NUMBER, PROJECT, SERVICE};
use crate::plan::wanted::{ContainerRequest, Endpoint, NetworkRequest, Update};
use crate::plan::{Target, Until};

fn request(name: &str) -> ContainerRequest {
    ContainerRequest {
        service: name.into(),
        number: 1,
        name: name.into(),
        config: json!({ "Image": "app", "Labels": { PROJECT: "p", SERVICE: name, NUMBER: "1" } }),
        host_config: json!({ "NetworkMode": "none" }),
        hashed: json!({}),
        ..ContainerRequest::default()
    }
}

/// An engine with an image `app` that has a volume `/data`.
fn fake() -> Fake {
    let fake = Fake::new(1);
    let config =
        json!({ "Volumes": { "/data": {} }, "Env": ["A=image", "B=image"], "Cmd": ["serve"], "Entrypoint": ["/app"] });
    fake.world().add_image("app", "1", config);
    fake
}

fn create(fake: &Fake, request: ContainerRequest, replaces: Option<&str>) -> Result<String, String> {
    let action = Action::CreateContainer { request: Box::new(request), replaces: replaces.map(str::to_string) };
    let done = fake.world().perform(&action, &Known::default());
    done.map(|o| o.id.unwrap_or_default()).map_err(|e| e.detail)
}

fn target(id: &str) -> Target {
    Target::Existing { id: id.into(), name: id[..4].into() }
}

fn start(fake: &Fake, id: &str) -> Result<(), String> {
    let action = Action::StartContainer { container: target(id) };
    fake.world().perform(&action, &Known::default()).map(|_| ()).map_err(|e| e.detail)
}

fn run(fake: &Fake, request: ContainerRequest) -> String {
    let id = create(fake, request, None).unwrap();
    start(fake, &id).unwrap();
    id
}

fn act(fake: &Fake, action: Action) -> Result<(), String> {
    fake.world().perform(&action, &Known::default()).map(|_| ()).map_err(|e| e.detail)
}

fn network(fake: &Fake, name: &str) {
    let request = NetworkRequest { name: name.into(), body: json!({ "Name": name }), ..NetworkRequest::default() };
    act(fake, Action::CreateNetwork { request: Box::new(request) }).unwrap();
}

fn state(fake: &Fake, id: &str) -> (State, i64) {
    let world = fake.world();
    (world.containers[id].state, world.containers[id].exit_code)
}

#[test]
fn a_created_container_has_the_images_settings_and_the_engines_defaults() {
    let fake = fake();
    let mut wanted = request("a");
    wanted.config["Env"] = json!(["B=own", "C"]);
    wanted.host_config = json!({ "NetworkMode": "none", "Memory": 1000, "ShmSize": 0, "Binds": ["v:/v:ro"] });
    let id = create(&fake, wanted, None).unwrap();
    let world = fake.world();
    let c = &world.containers[&id];
    assert_eq!(c.config["Env"], json!(["B=own", "C", "A=image"]));
    assert_eq!((&c.config["Cmd"], &c.config["Entrypoint"]), (&json!(["serve"]), &json!(["/app"])));
    assert_eq!(c.config["Hostname"], json!(id[..12]));
    assert_eq!((&c.host_config["MemorySwap"], &c.host_config["ShmSize"]), (&json!(2000), &json!(67108864)));
    assert_eq!(c.host_config["RestartPolicy"]["Name"], "no");
    let mounts: Vec<_> = c.mounts.iter().map(|m| (m.destination.as_str(), m.name.len(), m.writable)).collect();
    assert_eq!(mounts, [("/data", 64, true), ("/v", 1, false)]);
    assert!(world.volumes[&c.mounts[0].name].anonymous && !world.volumes["v"].anonymous);
}

#[test]
fn an_entrypoint_of_its_own_drops_the_images_command() {
    let fake = fake();
    let mut wanted = request("a");
    wanted.config["Entrypoint"] = json!(["/other"]);
    let id = create(&fake, wanted, None).unwrap();
    assert_eq!(fake.world().containers[&id].config["Cmd"], json!(null));
}

#[test]
fn a_name_exists_once_also_when_renaming() {
    let fake = fake();
    let a = create(&fake, request("a"), None).unwrap();
    assert!(create(&fake, request("a"), None).unwrap_err().contains("is already in use by container"));
    create(&fake, request("b"), None).unwrap();
    assert!(act(&fake, Action::RenameContainer { container: target(&a), to: "b".into() }).is_err());
    assert_eq!(act(&fake, Action::RenameContainer { container: target(&a), to: "a".into() }), Ok(()));
}

#[test]
fn a_host_port_is_given_once_and_freed_by_stopping() {
    let fake = fake();
    let with_port = |name: &str, address: &str, port: &str| {
        let mut wanted = request(name);
        wanted.host_config["PortBindings"] = json!({ "80/tcp": [{ "HostIp": address, "HostPort": port }] });
        wanted
    };
    let a = run(&fake, with_port("a", "127.0.0.1", "80"));
    let b = create(&fake, with_port("b", "", "80"), None).unwrap();
    assert!(start(&fake, &b).unwrap_err().contains("port is already allocated"));
    assert_eq!(state(&fake, &b), (State::Created, 128));
    run(&fake, with_port("c", "127.0.0.2", "80"));
    let d = run(&fake, with_port("d", "", "81-83"));
    let e = run(&fake, with_port("e", "", "81-83"));
    let port = |id: &str| fake.world().containers[id].ports[0].1;
    assert_eq!(port(&d), 81);
    assert_eq!(port(&e), 82);
    act(&fake, Action::StopContainer { container: target(&a), timeout: None }).unwrap();
    assert!(start(&fake, &b).is_err(), "127.0.0.2 is still held");
}

#[test]
fn a_stopped_container_keeps_to_its_networks_id() {
    let fake = fake();
    network(&fake, "n");
    let mut wanted = request("a");
    wanted.host_config = json!({ "NetworkMode": "n" });
    wanted.endpoints = vec![("n".into(), Endpoint { aliases: vec!["web".into()], ..Endpoint::default() })];
    let a = run(&fake, wanted);
    let remove = || Action::RemoveNetwork { id: "n".into(), name: "n".into() };
    assert!(act(&fake, remove()).unwrap_err().contains("has active endpoints"));
    act(&fake, Action::StopContainer { container: target(&a), timeout: None }).unwrap();
    act(&fake, remove()).unwrap();
    network(&fake, "n");
    assert!(start(&fake, &a).unwrap_err().ends_with("not found"));
    let connect = Action::ConnectNetwork { network: "n".into(), container: target(&a), endpoint: Box::default() };
    act(&fake, connect).unwrap();
    assert_eq!(start(&fake, &a), Ok(()));
    assert!(fake.world().containers[&a].endpoints["n"].aliases.is_empty());
}

#[test]
fn a_shared_namespace_needs_its_owner_running() {
    let fake = fake();
    let vpn = run(&fake, request("vpn"));
    let mut wanted = request("app");
    wanted.host_config = json!({ "NetworkMode": format!("container:{vpn}") });
    let app = create(&fake, wanted, None).unwrap();
    act(&fake, Action::StopContainer { container: target(&vpn), timeout: None }).unwrap();
    assert!(start(&fake, &app).unwrap_err().contains("non running container"));
    start(&fake, &vpn).unwrap();
    assert_eq!(start(&fake, &app), Ok(()));
}

#[test]
fn anonymous_volumes_move_to_the_successor_and_their_data_with_them() {
    let fake = fake();
    let old = run(&fake, request("a"));
    let volume = fake.world().containers[&old].mounts[0].name.clone();
    let new = create(&fake, ContainerRequest { name: "a2".into(), ..request("a") }, Some(&old)).unwrap();
    assert_eq!(fake.world().containers[&new].mounts[0].name, volume);
    assert_eq!(fake.world().containers[&new].labels["com.docker.compose.replace"], "a-1");
    let remove = |id: &str| Action::RemoveContainer { container: target(id), volumes: true, force: true };
    act(&fake, remove(&old)).unwrap();
    assert!(fake.world().volumes.contains_key(&volume));
    assert!(fake.world().lost.is_empty());
    act(&fake, remove(&new)).unwrap();
    assert_eq!(fake.world().lost, [volume]);
}

#[test]
fn two_running_containers_of_one_number_on_one_volume_are_seen() {
    let fake = fake();
    let mut wanted = request("a");
    wanted.host_config["Binds"] = json!(["v:/v:rw"]);
    run(&fake, wanted.clone());
    assert!(fake.world().violations.is_empty());
    run(&fake, ContainerRequest { name: "a2".into(), ..wanted });
    assert_eq!(fake.world().violations.len(), 1);
}

#[test]
fn restart_policies_decide_what_comes_back() {
    let policies = ["no", "always", "unless-stopped", "on-failure"];
    let fake = fake();
    let with_policy = |policy: &str, name: &str| {
        let mut wanted = request(name);
        wanted.host_config["RestartPolicy"] = json!({ "Name": policy });
        wanted
    };
    let running: Vec<String> = policies.iter().map(|p| run(&fake, with_policy(p, &format!("{p}-r")))).collect();
    let stopped: Vec<String> = policies.iter().map(|p| run(&fake, with_policy(p, &format!("{p}-s")))).collect();
    for id in &stopped {
        act(&fake, Action::StopContainer { container: target(id), timeout: None }).unwrap();
    }
    let never = create(&fake, with_policy("always", "n"), None).unwrap();
    fake.world().restart_engine();
    let up = |id: &String| state(&fake, id).0 == State::Running;
    assert_eq!(running.iter().map(up).collect::<Vec<_>>(), [false, true, true, false]);
    assert_eq!(stopped.iter().map(up).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(state(&fake, &never).0, State::Created);
}

#[test]
fn what_ends_by_itself_is_restarted_as_its_policy_says() {
    let fake = fake();
    fake.world().behaviours.insert("a".into(), Behaviour { exits: Some((1000, 3)), ..Behaviour::default() });
    let mut wanted = request("a");
    wanted.host_config["RestartPolicy"] = json!({ "Name": "on-failure", "MaximumRetryCount": 2 });
    let a = run(&fake, wanted);
    let then = fake.world().now + 1000;
    fake.world().advance(then);
    assert_eq!(state(&fake, &a), (State::Restarting, 3));
    fake.world().advance(then + 100);
    assert_eq!(state(&fake, &a).0, State::Running);
    fake.world().advance(then + 10_000);
    assert_eq!(state(&fake, &a), (State::Exited, 3));
}

#[test]
fn paused_containers_do_not_start_but_stop() {
    let fake = fake();
    let a = run(&fake, request("a"));
    fake.world().containers.get_mut(&a).unwrap().state = State::Paused;
    assert_eq!(start(&fake, &a).unwrap_err(), "cannot start a paused container, try unpause instead");
    act(&fake, Action::UnpauseContainer { container: target(&a) }).unwrap();
    assert_eq!(state(&fake, &a).0, State::Running);
    act(&fake, Action::StopContainer { container: target(&a), timeout: None }).unwrap();
    assert_eq!(state(&fake, &a), (State::Exited, 0));
}

#[test]
fn an_update_changes_only_what_it_says() {
    let fake = fake();
    let a = run(&fake, request("a"));
    let update = Box::new(Update { body: json!({ "RestartPolicy": { "Name": "always" } }) });
    act(&fake, Action::UpdateContainer { container: target(&a), update }).unwrap();
    let world = fake.world();
    assert_eq!(world.containers[&a].host_config["RestartPolicy"]["Name"], "always");
    assert_eq!(world.containers[&a].host_config["NetworkMode"], "none");
}

async fn wait(fake: &Fake, id: &str, until: Until) -> Result<(), String> {
    let action = Action::Wait { container: target(id), until, optional: false };
    fake.perform(&action, &Known::default(), &|_| {}).await.map(|_| ()).map_err(|e| e.detail)
}

#[tokio::test]
async fn waits_end_as_the_container_does_and_time_passes_without_sleeping() {
    let fake = fake();
    let with_check = |name: &str| {
        let mut wanted = request(name);
        wanted.config["Healthcheck"] = json!({ "Test": ["CMD", "true"], "Interval": 1_000_000_000u64, "Retries": 4 });
        wanted
    };
    let proven = |health| Until::Proven { seconds: 60, stay: 3000, health, may_exit: false };
    fake.world().behaviours.insert("bad".into(), Behaviour { probe: Probe::Never, ..Behaviour::default() });
    fake.world().behaviours.insert("job".into(), Behaviour { exits: Some((700, 0)), ..Behaviour::default() });
    fake.world().behaviours.insert("fails".into(), Behaviour { exits: Some((700, 3)), ..Behaviour::default() });
    let good = run(&fake, with_check("good"));
    let bad = run(&fake, with_check("bad"));
    let job = run(&fake, request("job"));
    let fails = run(&fake, request("fails"));
    let plain = run(&fake, request("plain"));
    assert_eq!(wait(&fake, &good, Until::Healthy { seconds: None }).await, Ok(()));
    assert!(wait(&fake, &bad, proven(true)).await.unwrap_err().ends_with("is unhealthy"));
    assert!(wait(&fake, &plain, Until::Healthy { seconds: None }).await.unwrap_err().contains("no healthcheck"));
    assert_eq!(wait(&fake, &job, Until::Completed).await, Ok(()));
    assert!(wait(&fake, &fails, Until::Completed).await.unwrap_err().ends_with("exit 3"));
    assert!(wait(&fake, &job, proven(false)).await.is_err());
    let before = fake.world().now;
    assert_eq!(wait(&fake, &plain, proven(false)).await, Ok(()));
    assert_eq!(fake.world().now, before + 3000);
}
