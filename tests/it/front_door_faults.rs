//! Whatever breaks around the front door: routes that worked still work, the words are plain, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{
    DOMAIN, Disk, Done, Door, Front, Like, Pebble, Proxy, Ran, Reply, Scratch, SetClock, Skip, TestCa, Unannounced,
    Verdict, cases, curl, free_port, own_certificate, until,
};

cases![together:
    a_traefik_that_is_killed_comes_back_with_all_routes_and_certificates,
    a_read_only_disk_keeps_the_last_routes_and_is_caught_up_with,
    a_full_disk_keeps_the_last_routes_and_is_caught_up_with,
    an_authority_that_talks_nonsense_or_is_down_costs_no_route,
    a_closed_challenge_port_is_told_and_makes_no_storm,
    a_second_hearth_is_refused_and_commands_beside_the_first_work,
    a_clock_that_is_a_year_off_takes_no_certificate_away_and_makes_no_storm,
    a_folder_that_announces_no_changes_is_read_again_within_ten_seconds,
    a_switch_of_modes_that_was_killed_is_finished_by_the_next_command,
];

const STACK: &str = "services:
  app:
    image: hearth-test/busybox:1
    stop_grace_period: 1s
    profiles: [web]
    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www']
    x-hearth: {route: {host: app, port: 80, access: public}}
";

/// Whatever its certificate is.
fn status(door: &Door, host: &str) -> u16 {
    let whole = format!("{host}.{DOMAIN}");
    let at = format!("{whole}:{}:127.0.0.1", door.https);
    let path = if host == "panel" { "health" } else { "" };
    curl(door.s, &["-k", "--resolve", &at, &format!("https://{whole}:{}/{path}", door.https)]).status
}

fn certs(s: &Scratch) -> Ran {
    s.hearth_args(&["certs"])
}

fn a_traefik_that_is_killed_comes_back_with_all_routes_and_certificates(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until("app", 200);
    door.until("panel", 200);
    let issuer = door.issuer(&format!("app.{DOMAIN}"));
    let container = format!("{}-traefik-1", s.project);
    let pid = || s.docker_args(&["inspect", "-f", "{{.State.Pid}}", &container]).out.trim().parse::<i32>().unwrap_or(0);
    let old = pid();
    // The engine must not think that a person ended it: then it would stay down.
    let killed = Pid::from_raw(old).is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok());
    if !killed {
        return Err(Skip("the engine's processes are not this machine's, or not this user's to kill".to_owned()));
    }
    assert!(until(Duration::from_secs(20), || ![0, old].contains(&pid())), "it is not started again");
    door.until("app", 200);
    door.until("panel", 200);
    assert_eq!(door.issuer(&format!("app.{DOMAIN}")), issuer);
    door.hearth("up").ok().says("nothing to do");
    door.hearth("routes").ok().says("working");
    serve.end();
    Ok(())
}

fn a_read_only_disk_keeps_the_last_routes_and_is_caught_up_with(s: &Scratch) -> Done {
    cannot_be_written(s, |disk| disk.read_only(true), |disk| disk.read_only(false), "the disk is mounted read-only")
}

fn a_full_disk_keeps_the_last_routes_and_is_caught_up_with(s: &Scratch) -> Done {
    cannot_be_written(s, |disk| disk.fill(), |disk| disk.free(), "the disk is full")
}

fn cannot_be_written(s: &Scratch, harm: impl Fn(&Disk), mend: impl Fn(&Disk), words: &str) -> Done {
    let disk = Disk::at(s, "state/traefik")?;
    let door = Door::new(s, STACK)?;
    let (first, second) = (own_certificate(s, "first"), own_certificate(s, "second"));
    s.hearth_args(&["certs", "import", &first.0, &first.1]).ok();
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until_issued("app", "first", Duration::from_secs(15));
    harm(&disk);
    // What a person brings is kept, and they are told that it is not served.
    s.hearth_args(&["certs", "import", &second.0, &second.1]).says(words);
    let refused = door.hearth("up").exits(1).says(words).says("Traefik goes on with what it has");
    assert!(!refused.both().contains("os error"), "{}", refused.both());
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(status(&door, "app"), 200);
    assert!(door.issuer(&format!("app.{DOMAIN}")).contains("first"));
    // Traefik may even start anew meanwhile.
    s.docker_args(&["restart", "-t", "1", &format!("{}-traefik-1", s.project)]).ok();
    assert!(until(Duration::from_secs(15), || status(&door, "app") == 200));
    door.until_issued("app", "first", Duration::from_secs(5));
    mend(&disk);
    door.until_issued("app", "second", Duration::from_secs(45));
    let said = serve.end();
    let told = said.both().lines().filter(|line| line.contains(words)).count();
    assert!((1..=2).contains(&told), "told {told} times: {}", said.both());
    door.hearth("up").ok().says("nothing to do");
    Ok(())
}

/// A home whose authority is behind `judge`, and a server for it.
fn authority(
    s: &Scratch,
    door: &Door,
    like: Like,
    judge: impl Fn(&crate::rig::Asked) -> Reply + Send + Sync + 'static,
) -> Result<(Pebble, Front), Skip> {
    let ca = TestCa::new(&s.beside("ca"));
    let pebble = Pebble::start(s, &ca, like)?;
    let front = Front::start(&ca, &["127.0.0.1"], pebble.port, judge);
    let url = format!("https://127.0.0.1:{}/dir", front.port);
    door.says(&format!("certificates:\n  issuer: acme\n  ca: {url}\n  roots: {}\n", ca.root.display()));
    Ok((pebble, front))
}

fn an_authority_that_talks_nonsense_or_is_down_costs_no_route(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    let sane = Arc::new(AtomicBool::new(false));
    let judged = sane.clone();
    let like = Like { http: Some(door.http), env: vec![("PEBBLE_WFE_NONCEREJECT", "60")], ..Like::default() };
    let (mut pebble, _front) = authority(s, &door, like, move |_| match judged.load(Ordering::SeqCst) {
        true => Reply::Pass(Box::new(|| {})),
        false => Reply::Own(200, "<html>Welcome to the router</html>".to_owned()),
    })?;
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until("app", 200);
    let told = || certs(s).both();
    assert!(until(Duration::from_secs(20), || told().contains("makes no sense")), "{}", told());
    let said = told();
    for words in ["127.0.0.1", &format!("app.{DOMAIN}"), "the next try is at 2"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    assert_eq!(door.get("app", "/").status, 200, "by the home's own CA");
    sane.store(true, Ordering::SeqCst);
    // By itself, a minute after the failure, however many nonces are refused.
    door.until_issued("app", "Pebble", Duration::from_secs(100));
    door.until_issued("panel", "Pebble", Duration::from_secs(100));
    pebble.stop();
    let renew = || s.hearth_args(&["certs", "renew", &format!("app.{DOMAIN}")]);
    renew().exits(1).says("the certificate that is there is kept");
    assert_eq!(status(&door, "app"), 200);
    assert!(door.issuer(&format!("app.{DOMAIN}")).contains("Pebble"));
    // It is back, and knows nobody any more; what a command sets beside the server is answered by the server.
    pebble.restart();
    renew().ok();
    assert_eq!(status(&door, "app"), 200);
    serve.end();
    Ok(())
}

fn a_closed_challenge_port_is_told_and_makes_no_storm(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    // From here Traefik is reached; from where the authority stands it is not.
    let like = Like { http: Some(free_port()), ..Like::default() };
    let (_pebble, front) = authority(s, &door, like, |_| Reply::Pass(Box::new(|| {})))?;
    door.hearth("up web").ok();
    let orders = || front.asked().iter().filter(|asked| asked.path.contains("order-plz")).count();
    let told = || certs(s).both();
    let failed = |host: &str| told().contains(&format!("could not connect to check {host}.{DOMAIN}"));
    let serve = door.serve();
    assert!(until(Duration::from_secs(30), || failed("app") && failed("panel")), "{}", told());
    let said = told();
    for words in ["port 80", "challenge: dns-01", "issuer: local", "the next try is at 2"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let log = serve.end().both();
    assert!(log.contains("could not connect to check") && log.contains("the next try is at"), "{log}");
    // A server that is started again and again, as by a supervisor, asks no more often.
    for _ in 0..4 {
        let serve = door.serve();
        door.until("panel", 200);
        std::thread::sleep(Duration::from_secs(1));
        serve.end();
    }
    assert_eq!(orders(), 2, "one for each name, and none since");
    // Nor does a person who tries again and again bring it to five failures.
    let serve = door.serve();
    door.until("panel", 200);
    for _ in 0..6 {
        s.hearth_args(&["certs", "renew", &format!("app.{DOMAIN}")]).exits(1);
    }
    assert!(orders() <= 5 + 1, "{} orders for two names", orders());
    assert_eq!(door.get("app", "/").status, 200);
    serve.end();
    Ok(())
}

fn a_second_hearth_is_refused_and_commands_beside_the_first_work(s: &Scratch) -> Done {
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let serve = door.serve();
    door.until("panel", 200);
    let second = door.serve();
    second
        .ended()
        .exits(5)
        .says("another `hearth serve` looks after this home already")
        .says("end it first, or use it");
    let (chain, key) = own_certificate(s, "beside");
    // Two commands and the server at once.
    let both = [["certs", "import", &chain, &key].to_vec(), ["--compat", "2", "up", "web"].to_vec()];
    let running: Vec<_> = both.iter().map(|args| s.hearth_args_start(args, &[])).collect();
    running.into_iter().for_each(|one| drop(s.noted(one).ok()));
    door.until_issued("app", "beside", Duration::from_secs(10));
    assert_eq!((status(&door, "app"), status(&door, "panel")), (200, 200));
    s.write("stacks/more.yaml", &STACK.replace("app", "more"));
    door.hearth("up web").ok();
    assert!(until(Duration::from_secs(15), || status(&door, "more") == 200), "{}", door.routes());
    door.hearth("routes").says("beside");
    let said = serve.end();
    assert!(!said.both().contains("ERROR"), "{}", said.both());
    Ok(())
}

fn a_switch_of_modes_that_was_killed_is_finished_by_the_next_command(s: &Scratch) -> Done {
    let local = free_port();
    let door = Door::new(s, &STACK.replace("x-hearth: {", &format!("x-hearth: {{localhost: {local}, ")))?;
    let here = || curl(s, &[&format!("http://127.0.0.1:{local}/")]).body;
    let mode = |to: &'static str| door.hearth(&format!("mode {to} --yes"));
    door.hearth("up web").ok();
    // Before the first thing that changes, and after some.
    for (nth, mend) in [(1, "up"), (3, "mode localhost --yes")] {
        door.until("app", 200);
        let seen = Mutex::new(0);
        let (tell, told) = std::sync::mpsc::channel::<i32>();
        let told = Mutex::new(told);
        let proxy = Proxy::new(s.beside("kill.sock"), &s.socket(), move |call| {
            let mut seen = seen.lock().expect("no panic while held");
            *seen += usize::from(call.acts());
            if *seen < nth || !call.acts() {
                return Verdict::Pass;
            }
            let pid = told.lock().expect("no panic while held").recv().ok();
            pid.and_then(Pid::from_raw).map(|pid| kill_process(pid, Signal::KILL));
            Verdict::Hang
        });
        let running =
            s.hearth_args_start(&["--compat", "2", "mode", "localhost", "--yes"], &[("DOCKER_HOST", &proxy.host())]);
        let _ = tell.send(running.pid() as i32);
        assert_eq!(s.noted(running).code, -1, "it was killed");
        drop(proxy);
        assert_eq!(door.hearth("mode").ok().out.trim(), "localhost", "the line in hearth.yaml is the first thing");
        door.hearth(mend).ok();
        assert_eq!((door.id("traefik"), door.id("gate")), (String::new(), String::new()), "after {mend}");
        assert!(until(Duration::from_secs(10), || here().trim() == "hello"), "after {mend}");
        door.hearth("up").ok().says("nothing to do");
        mode("localhost").ok().says("already");
        mode("domain").ok();
    }
    Ok(())
}

fn a_clock_that_is_a_year_off_takes_no_certificate_away_and_makes_no_storm(s: &Scratch) -> Done {
    let clock = SetClock::new(s)?;
    let door = Door::new(s, STACK)?;
    door.hearth("up web").ok();
    let serve = door.serve_with(&clock.env());
    door.until("app", 200);
    door.until("panel", 200);
    // By the home's own CA: devices, whose clocks are right, never meet a certificate that is not valid for them.
    for offset in ["+365d", "-300d", "+0"] {
        clock.set(offset);
        s.noted(s.hearth_args_start(&["--compat", "2", "up", "web"], &clock.env())).ok();
        assert_eq!(door.get("app", "/").status, 200, "at {offset}");
        door.until("panel", 200);
        for _ in 0..8 {
            assert_eq!((door.get("app", "/").status, door.get("panel", "/health").status), (200, 200), "at {offset}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    serve.end();
    // By an authority.
    let like = Like { http: Some(door.http), ..Like::default() };
    let (_pebble, front) = authority(s, &door, like, |_| Reply::Pass(Box::new(|| {})))?;
    let orders = || front.asked().iter().filter(|asked| asked.path.contains("order-plz")).count();
    let serve = door.serve_with(&clock.env());
    door.until_issued("app", "Pebble", Duration::from_secs(40));
    door.until_issued("panel", "Pebble", Duration::from_secs(40));
    serve.end();
    let (made, stored) = (orders(), certs(s).ok().out);
    for offset in ["+365d", "-300d"] {
        clock.set(offset);
        let serve = door.serve_with(&clock.env());
        let told = || s.noted(s.hearth_args_start(&["certs"], &clock.env())).both();
        if offset == "+365d" {
            let words = "its clock and that of this machine do not agree";
            assert!(until(Duration::from_secs(20), || told().contains(words)), "{}", told());
            assert!(told().contains("set the clock of this machine"));
        }
        assert_eq!(status(&door, "app"), 200, "at {offset}");
        assert!(until(Duration::from_secs(15), || status(&door, "panel") == 200), "at {offset}");
        for _ in 0..6 {
            assert_eq!((status(&door, "app"), status(&door, "panel")), (200, 200), "at {offset}");
            assert!(door.issuer(&format!("app.{DOMAIN}")).contains("Pebble"), "at {offset}");
            std::thread::sleep(Duration::from_millis(500));
        }
        serve.end();
    }
    clock.set("+0");
    let serve = door.serve_with(&clock.env());
    assert!(until(Duration::from_secs(15), || status(&door, "panel") == 200));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(orders(), made, "nothing was ordered by a wrong clock, nor because of it");
    let kept = certs(s).ok().out;
    let ids = |text: &str| {
        text.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&kept), ids(&stored));
    assert_eq!((status(&door, "app"), status(&door, "panel")), (200, 200));
    serve.end();
    Ok(())
}

fn a_folder_that_announces_no_changes_is_read_again_within_ten_seconds(s: &Scratch) -> Done {
    let folder = Unannounced::at(s, "state/traefik")?;
    let door = Door::new(s, STACK)?;
    let first = own_certificate(s, "first");
    s.hearth_args(&["certs", "import", &first.0, &first.1]).ok();
    door.hearth("up web").ok();
    door.until_issued("app", "first", Duration::from_secs(20));
    folder.beneath();
    let limit = Duration::from_secs(10);
    let serve = door.serve();
    assert!(until(Duration::from_secs(20), || status(&door, "panel") == 200));
    let second = own_certificate(s, "second");
    s.hearth_args(&["certs", "import", &second.0, &second.1]).ok();
    door.until_issued("app", "second", limit);
    // A route that only the file has changes no certificate: it arrives all the same.
    door.says("routes:\n  nas: {host: nas, url: 'http://nobody.invalid:9', access: public}\n");
    // Nothing is behind it, which Traefik says.
    assert!(until(limit, || status(&door, "nas") == 502), "{}", door.routes());
    serve.end();
    Ok(())
}
