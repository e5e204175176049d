//! `access: lan` does not become public by what else runs on the engine: a tunnel, or a network with a bridge of any name.

use crate::rig::{DOMAIN, Done, Door, PrivateEngine, Scratch, cases, curl_in_container};

// On an engine of its own: with a tunnel on the usual one, no home on it would let this machine in.
cases![alone: a_tunnel_on_the_engine_takes_this_machine_out_of_the_home_and_it_is_said];

const STACK: &str = "
services:
  app:
    image: hearth-test/nginx:1
    profiles: [web]
    stop_signal: SIGKILL
    x-hearth: {route: {host: app, port: 80, access: lan}}
";

/// What the file for Traefik counts as home.
fn home(door: &Door) -> Vec<String> {
    let ranges = &door.file()["http"]["middlewares"]["at-home"]["ipAllowList"]["sourceRange"];
    let all = ranges.as_array().into_iter().flatten();
    all.filter_map(|range| range.as_str()).map(str::to_owned).collect()
}

fn a_tunnel_on_the_engine_takes_this_machine_out_of_the_home_and_it_is_said(s: &Scratch) -> Done {
    let traefik = Door::saved_traefik(s)?;
    let engine = PrivateEngine::get()?;
    s.use_engine(&engine.host());
    let (net, image) = (format!("{}-apart", s.project), format!("cloudflare/cloudflared:{}", s.project));
    let (near, tunnel) = (format!("{}-near", s.project), format!("{}-tunnel", s.project));
    engine.within(|| {
        let door = Door::on_another_engine(s, STACK, &traefik);
        // Docker names a bridge `br-...` only where nobody else does.
        let bridge = "com.docker.network.bridge.name=hthnamed0";
        s.docker_args(&["network", "create", "--subnet", "10.250.77.0/24", "-o", bridge, &net]).ok();
        let start = |name: &str, image: &str| {
            s.docker_args(&["run", "-d", "--init", "--name", name, "--network", &net, image, "sleep", "900"]).ok();
        };
        let whole = format!("app.{DOMAIN}");
        let at = format!("{whole}:{}:10.250.77.1", door.https);
        let url = format!("https://{whole}:{}/", door.https);
        let from = |container: &str| curl_in_container(s, container, &["-k", "--resolve", &at, &url]).status;
        start(&near, "hearth-test/busybox:1");
        let said = door.hearth("up web").ok();
        assert!(!said.both().contains("tunnel"), "{}", said.both());
        door.until("app", 200);
        assert_eq!(from(&near), 200, "what runs on this machine counts as this machine");
        let gateway = home(&door).into_iter().find(|range| range.ends_with("/32"));
        assert!(gateway.is_some(), "{:?}", home(&door));
        let named = |ranges: &[String]| ranges.iter().any(|range| range.starts_with("10.250."));
        assert!(!named(&home(&door)), "a bridge's network is nobody's home: {:?}", home(&door));

        s.docker_args(&["tag", "hearth-test/busybox:1", &image]).ok();
        start(&tunnel, &image);
        door.hearth("plan").ok().says("lint.lan-tunnel").says(&tunnel).says("lan: [192.168.1.0/24]");
        door.hearth("up").ok().says("lint.lan-tunnel");
        door.until("app", 403);
        assert_eq!((from(&tunnel), from(&near)), (403, 403), "{:?}", home(&door));
        assert!(!home(&door).iter().any(|range| Some(range) == gateway.as_ref()), "{:?}", home(&door));

        // Who names the home has said all: nothing is added, with a tunnel or without.
        door.says("lan: [192.168.7.0/24]\n");
        let said = door.hearth("up").ok();
        assert!(!said.both().contains("lint.lan-tunnel"), "{}", said.both());
        s.docker_args(&["rm", "-f", &tunnel, &near]).ok();
        s.docker_args(&["rmi", &image]).ok();
        door.hearth("up").ok();
        assert_eq!(home(&door), ["192.168.7.0/24"]);
        door.until("app", 403);
        s.docker_args(&["network", "rm", &net]).ok();
        door.hearth("down --yes").ok();
    });
    Ok(())
}
