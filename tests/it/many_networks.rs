//! A home of many stacks has as many networks, all from its own range: the engine's default pools would end after about thirty.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::rig::{Done, Door, Scratch, cases};

// Alone, since it makes the engine slow for others.
cases![alone: sixty_networks_come_up_without_address_clashes];

fn sixty_networks_come_up_without_address_clashes(s: &Scratch) -> Done {
    let stack = |n: u32| {
        format!(
            "services:\n  app{n}:\n    image: hearth-test/busybox:1\n    stop_signal: SIGKILL\n    profiles: [web]\n    command: [sh, -c, 'mkdir -p /tmp/w; echo {n} >/tmp/w/index.html; exec httpd -f -p 80 -h /tmp/w']\n    x-hearth: {{ route: {{ host: app{n}, port: 80, access: public }} }}\n"
        )
    };
    let door = Door::new(s, &stack(0))?;
    let config = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    let range: IpNet = "10.108.0.0/16".parse().expect("a range");
    let line = config.lines().find(|line| line.starts_with("networks:")).expect("it was written");
    s.write("hearth.yaml", &config.replace(line, &format!("networks: {range}")));
    (1..60).for_each(|n| s.write(&format!("stacks/more{n}.yaml"), &stack(n)));
    let up = door.hearth("up web").ok();
    assert!(up.took < Duration::from_secs(180), "{:?}", up.took);
    // 60 stacks, `core`, and gate's own.
    let networks = subnets(s);
    assert_eq!(networks.len(), 62, "{networks:?}");
    let all: Vec<(&String, &IpNet)> = networks.iter().collect();
    for (i, (name, net)) in all.iter().enumerate() {
        assert!(range.contains(*net), "{name} has {net}");
        let clash = all[i + 1..].iter().find(|(_, other)| other.contains(*net) || net.contains(*other));
        assert!(clash.is_none(), "{name} and {clash:?} have the same addresses");
    }
    // Traefik is on all of them, and each is reached.
    assert_eq!(s.container("traefik").networks.len(), 62);
    for n in [0, 1, 29, 30, 31, 58, 59] {
        assert_eq!(door.until(&format!("app{n}"), 200).body.trim(), n.to_string());
    }
    // One more stack moves nobody's addresses.
    s.write("stacks/more60.yaml", &stack(60));
    door.hearth("render").ok();
    door.hearth("plan").ok().says("1 to replace");
    std::fs::remove_file(s.dir.join("stacks/more60.yaml")).expect("it was written");
    let down = door.hearth("down").ok();
    assert!(down.took < Duration::from_secs(180), "{:?}", down.took);
    assert_eq!(subnets(s), BTreeMap::new());
    Ok(())
}

/// The subnet of each network of the project.
fn subnets(s: &Scratch) -> BTreeMap<String, IpNet> {
    let names = s.networks();
    if names.is_empty() {
        return BTreeMap::new();
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = s.docker_args(&[&["network", "inspect"], names.as_slice()].concat()).ok().out;
    let found: Vec<Value> = serde_json::from_str(&found).expect("it is JSON");
    let one = |network: &Value| {
        let subnet = network["IPAM"]["Config"][0]["Subnet"].as_str()?.parse().ok()?;
        Some((network["Name"].as_str()?.to_owned(), subnet))
    };
    found.iter().filter_map(one).collect()
}
