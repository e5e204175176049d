//! A plan says what of the routes will surprise, at the route that it is about, and only what concerns what is on.

use crate::rig::{DOMAIN, Done, Door, Scratch, TestCa, cases};

cases![together:
    a_host_outside_every_certificate_is_said_at_its_route,
    a_route_of_hearth_yaml_to_a_service_that_is_off_is_said;
];

fn stack(hosts: &str) -> String {
    format!(
        "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [httpd, -f, -p, '80']
    x-hearth: {{route: {{host: {hosts}, port: 80, access: public}}}}
  other:
    image: hearth-test/busybox:1
    profiles: [others]
    command: [httpd, -f, -p, '80']
    x-hearth: {{route: {{host: off.other.org, port: 80, access: public}}}}
"
    )
}

fn a_host_outside_every_certificate_is_said_at_its_route(s: &Scratch) -> Done {
    let door = Door::new(s, &stack("app"))?;
    let plan = door.hearth("plan web");
    assert!(!plan.both().contains("host-uncovered"), "the CA is yet to be made: {}", plan.both());
    door.hearth("up web").ok();
    s.write("stacks/web.yaml", &stack("[app, photos.other.org]"));
    let plan = door.hearth("plan").both();
    assert!(plan.contains("no certificate is for photos.other.org"), "{plan}");
    assert!(plan.contains("stacks/web.yaml:7") && plan.contains(&format!("names under {DOMAIN} only")), "{plan}");
    assert!(!plan.contains("off.other.org"), "what is off is of no concern: {plan}");
    // Said once, although the file for Traefik is written too.
    let up = door.hearth("up").ok().both();
    assert_eq!((up.matches("photos.other.org").count() > 0, up.matches("outside-ca").count()), (true, 0), "{up}");
    // A certificate of one's own, or an authority, is a way out.
    let (chain, key) = TestCa::new(&s.beside("ca")).issue("photos", &["photos.other.org"]);
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let hearth = std::fs::read_to_string(s.dir.join("hearth.yaml")).expect("it is there");
    s.write("hearth.yaml", &format!("{hearth}certificates: {{issuer: acme}}\n"));
    assert!(!door.hearth("plan").both().contains("host-uncovered"));
    s.write("hearth.yaml", &hearth);
    s.hearth_args(&["certs", "import", &chain, &key]).ok();
    let plan = door.hearth("plan").both();
    assert!(!plan.contains("host-uncovered"), "{plan}");
    // Another domain than the root was made for.
    let env = std::fs::read_to_string(s.dir.join(".env")).expect("it is there");
    s.write(".env", &env.replace(DOMAIN, "moved.org"));
    door.hearth("plan").says("no certificate is for names under moved.org").says("hearth certs new-ca");
    Ok(())
}

fn a_route_of_hearth_yaml_to_a_service_that_is_off_is_said(s: &Scratch) -> Done {
    let routes = "routes:\n  page: {host: page, url: 'http://other:80', access: public}\n  nas: {host: nas, url: 'http://192.0.2.1:5000', access: public}\n";
    let door = Door::with(s, &stack("app"), routes)?;
    s.hearth_args(&["enable", "web"]).ok();
    let plan = door.hearth("plan").both();
    assert!(
        plan.contains("the route `page` leads to the service `other`, which is off with its profile others"),
        "{plan}"
    );
    assert!(plan.contains("hearth.yaml:6") && plan.contains("hearth up others"), "{plan}");
    assert!(!plan.contains("`nas`") && plan.matches("lint.route-off").count() == 1, "{plan}");
    door.hearth("routes").says("off (profile others)");
    s.hearth_args(&["enable", "others"]).ok();
    let plan = door.hearth("plan").both();
    assert!(!plan.contains("route-off"), "{plan}");
    Ok(())
}
