//! Certificates from a real ACME authority, pebble, through every kind of trouble that one can make for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hearth::base::clock::SystemClock;
use hearth::certs::dns::Shows;
use hearth::certs::keeper::{self, Change, Parts};
use hearth::certs::renewal::Event;
use hearth::certs::room::Room;
use hearth::certs::store::{Held, Store};
use hearth::stacks::home::Home;
use serde_json::{Value, json};

use crate::rig::{
    Disk, Done, Front, Knot, Like, Panel, Pebble, Ran, Reply, Running, Scratch, TestCa, cases, free_port, until,
};

cases![
    together: names_are_proved_over_http_and_nothing_is_left_behind, sixty_percent_of_refused_nonces_are_not_felt,
        an_address_and_a_short_lived_profile, an_account_from_a_website, a_renewal_replaces_and_asks_when, an_admin_orders_and_renews_over_the_api,
        a_lost_account_is_made_anew, a_failed_order_says_authority_name_cause_and_next_try,
        a_closed_port_is_found_before_an_authority_counts_it, an_open_port_is_seen_and_the_order_goes_on,
        nonsense_and_silence_keep_the_old_certificate, a_name_that_is_refused_is_not_tried_again,
        an_order_is_gone_on_with_after_a_kill_at_every_step, after_a_failure_staging_comes_first, two_hearths_order_once, a_disk_that_fills_while_a_certificate_is_written_loses_nothing, apex_and_wildcard_by_rfc_2136_and_a_cname_is_followed;
];

/// A home that orders at `url`.
fn home(s: &Scratch, ca: &TestCa, url: &str, more: &str) {
    s.write(
        "hearth.yaml",
        &format!("name: h\ncertificates:\n  issuer: acme\n  ca: {url}\n  roots: {}\n{more}", ca.root.display()),
    );
    s.write("stacks/.keep", "");
}

fn ca(s: &Scratch) -> TestCa {
    TestCa::new(&s.beside("ca"))
}

fn renew(s: &Scratch, names: &[&str]) -> Ran {
    s.hearth_args(&[&["certs", "renew"], names].concat())
}

fn room(s: &Scratch) -> Room {
    let home = Home::open(s.dir.clone()).unwrap_or_else(|_| panic!("the home opens"));
    Room::open(&home).expect("the room opens")
}

fn parts(room: &Room) -> Parts {
    room.parts(Arc::new(SystemClock), Arc::new(|| 0.5)).expect("an issuer can be made")
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made").block_on(work)
}

fn held(s: &Scratch) -> Vec<Held> {
    let (held, wrong) = room(s).store.list().expect("the store can be read");
    assert!(wrong.is_empty(), "{wrong:?}");
    held
}

fn listed(s: &Scratch) -> Vec<Value> {
    let ran = s.hearth_args(&["certs", "--json"]).ok();
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
}

fn id(names: &[&str]) -> String {
    Store::id(&names.iter().map(|n| n.to_string()).collect::<Vec<_>>(), false)
}

fn names_are_proved_over_http_and_nothing_is_left_behind(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), "");
    let asked = pebble.answers_for(&s.dir);
    renew(s, &["A.example.", "b.example"]).ok().says("one order at 127.0.0.1");
    let held = held(s);
    assert_eq!((held.len(), held[0].names.clone()), (1, vec!["a.example".to_owned(), "b.example".to_owned()]));
    assert!(!held[0].public, "roots of one's own are nobody else's");
    let asked = asked.lock().expect("nobody panics with it").clone();
    assert!(asked.len() >= 2 && asked.iter().all(|(_, answered)| *answered), "{asked:?}");
    let folder = s.dir.join("state/certs").join(id(&["a.example", "b.example"]));
    assert!(!folder.join("order.json").exists());
    let rows = listed(s);
    assert_eq!((rows.len(), rows[0]["valid"].as_bool(), rows[0]["last_error"].is_null()), (1, Some(true), true));
    assert!(
        rows[0]["next"]["why"].as_str().is_some_and(|why| why.contains("authority") || why.contains("lifetime")),
        "{rows:?}"
    );
    s.hearth_args(&["certs"]).ok().says("a.example b.example").says("Pebble");
    // Bytes of the key are shown by no command.
    assert!(!s.hearth_args(&["certs", "--json"]).both().contains("PRIVATE"));
    Ok(())
}

fn sixty_percent_of_refused_nonces_are_not_felt(s: &Scratch) -> Done {
    let ca = ca(s);
    let like = Like { env: vec![("PEBBLE_WFE_NONCEREJECT", "60")], ..Like::default() };
    let pebble = Pebble::start(s, &ca, like)?;
    home(s, &ca, &pebble.url(), "");
    pebble.answers_for(&s.dir);
    for name in ["a.example", "b.example", "c.example"] {
        renew(s, &[name]).ok();
    }
    assert_eq!(held(s).len(), 3);
    Ok(())
}

fn an_address_and_a_short_lived_profile(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), "  profile: shortlived\n");
    pebble.answers_for(&s.dir);
    renew(s, &["127.0.0.1"]).ok();
    let held = held(s);
    assert_eq!(held[0].names, ["127.0.0.1"]);
    assert!((held[0].not_after - held[0].not_before).whole_hours() <= 160);
    home(s, &ca, &pebble.url(), "  profile: eternal\n");
    renew(s, &["a.example"])
        .exits(1)
        .says("`eternal` is not one of its profiles")
        .says("shortlived")
        .says("hearth certs renew");
    Ok(())
}

fn an_account_from_a_website(s: &Scratch) -> Done {
    let ca = ca(s);
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let pebble = Pebble::start(s, &ca, Like { eab: Some(("kid-1", key)), ..Like::default() })?;
    home(s, &ca, &pebble.url(), "");
    pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).exits(1).says("wants an account that was made on its website").says("eab:");
    home(s, &ca, &pebble.url(), "  eab: {kid: kid-1, hmac: \"${EAB}\"}\n");
    renew(s, &["a.example"]).exits(2).says(".env does not have it");
    s.write(".env", &format!("EAB={key}\n"));
    let ran = renew(s, &["a.example"]).ok();
    assert!(!ran.both().contains(key));
    assert_eq!(held(s).len(), 1);
    Ok(())
}

fn a_renewal_replaces_and_asks_when(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), "");
    pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).ok();
    let first = held(s).remove(0);
    renew(s, &["a.example"]).ok();
    let second = held(s).remove(0);
    assert_ne!(first.fingerprint, second.fingerprint);
    assert_ne!(first.key, second.key, "each certificate has a key of its own");
    let room = room(s);
    let meta = room.store.meta(&first.id).expect("the state can be read");
    let state = meta.state.expect("there is a state");
    // The first counted at the authority; the second replaced it and did not.
    assert_eq!(state.standing(&pebble.url()).issued.len(), 1, "{state:?}");
    let certificate = second.ari_id.clone().expect("it has an identifier");
    let answer = wait(parts(&room).issuer.suggestion(&pebble.url(), &certificate));
    let Event::Suggested { window, retry_after, .. } = answer else { panic!("{answer:?}") };
    assert!(window.start > second.not_before && window.end < second.not_after && retry_after.is_some());
    // A certificate that was replaced already cannot be replaced again: it is ordered all the same.
    let mut stale = state.clone();
    stale.certificate.as_mut().expect("there is one").id = first.ari_id;
    let ask = hearth::certs::renewal::Ask {
        want: stale.want.clone(),
        url: pebble.url(),
        directory: pebble.url(),
        rehearsal: false,
        replaces: stale.certificate.and_then(|c| c.id),
        new_account: false,
    };
    let done = wait(parts(&room).issuer.order(&second.id, &ask)).expect("it is issued");
    assert!(matches!(done, hearth::certs::acme::Done::Issued { exempt: false, .. }), "{done:?}");
    Ok(())
}

fn an_admin_orders_and_renews_over_the_api(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    let config = format!("certificates:\n  issuer: acme\n  ca: {}\n  roots: {}\n", pebble.url(), ca.root.display());
    let panel = Panel::with_people(s, &config, &[]);
    pebble.answers_for(&s.dir);
    let mut before = String::new();
    for _ in 0..2 {
        let body = json!({"names": ["a.example"]});
        let begun = panel.call("admin", "POST", "/api/v1/certificates/renew", Some(&body)).is(202).body;
        let path = format!("/api/v1/works/{}", begun["work"]["id"].as_str().expect("an id"));
        let state = || panel.call("admin", "GET", &path, None).is(200).body;
        assert!(until(Duration::from_secs(150), || state()["state"] != "running"), "{}", state());
        assert_eq!(state()["state"], "done", "{}", state());
        let listed = panel.call("admin", "GET", "/api/v1/certificates?valid=true", None).is(200).body;
        assert_eq!(listed["items"][0]["names"], json!(["a.example"]), "{listed}");
        let leaf = held(s).remove(0).fingerprint;
        assert_ne!(leaf, before, "another one");
        before = leaf;
    }
    Ok(())
}

fn a_lost_account_is_made_anew(s: &Scratch) -> Done {
    let ca = ca(s);
    let mut pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), "");
    pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).ok();
    let before = held(s).remove(0);
    pebble.restart();
    renew(s, &["a.example"]).ok();
    assert_ne!(held(s).remove(0).fingerprint, before.fingerprint);
    Ok(())
}

fn a_failed_order_says_authority_name_cause_and_next_try(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), "");
    let ran = renew(s, &["a.example"]).exits(1);
    for words in ["127.0.0.1", "could not connect to check a.example", "port 80", "the next try is at 2"] {
        assert!(ran.both().contains(words), "no {words:?} in {}", ran.both());
    }
    assert!(!ran.both().to_lowercase().contains("internal"), "{}", ran.both());
    let rows = listed(s);
    assert_eq!(
        (rows[0]["last_error"]["problem"].as_str(), rows[0]["valid"].as_bool()),
        (Some("connection"), Some(false))
    );
    // Asking again and again does not make five failures in an hour.
    let ran: Vec<Ran> = (0..6).map(|_| renew(s, &["a.example"]).exits(1)).collect();
    assert!(ran.last().is_some_and(|ran| ran.both().contains("next try")), "{}", ran[5].both());
    let log = pebble_orders(s);
    assert!(log <= 4, "{log} failed validations");
    Ok(())
}

fn a_closed_port_is_found_before_an_authority_counts_it(s: &Scratch) -> Done {
    let ca = ca(s);
    let mut pebble = Pebble::start(s, &ca, Like::default())?;
    // Traefik would have the port at which this authority asks.
    let door = format!("mode: domain\ntraefik: {{http: {}, https: {}}}\n", pebble.http, free_port());
    home(s, &ca, &pebble.url(), &door);
    s.write(".env", "DOMAIN=it.home.arpa\n");
    let ran = renew(s, &["a.example"]).exits(1);
    for words in [
        "would find the challenge not answered",
        "nothing listens",
        "hearth doctor",
        "challenge: dns-01",
        "issuer: local",
    ] {
        assert!(ran.both().contains(words), "no {words:?} in {}", ran.both());
    }
    // Something else has the port.
    let other = pebble.answers_for(&s.beside("other"));
    renew(s, &["a.example"]).exits(1).says("something answers there with status 404");
    assert!(other.lock().expect("nobody panics with it").iter().all(|(_, answered)| !answered));
    assert_eq!(pebble_orders(s), 0, "no failure is written down");
    let log = pebble.stop();
    assert!(!log.contains("Attempting to validate"), "the authority was never asked to check:\n{log}");
    Ok(())
}

fn an_open_port_is_seen_and_the_order_goes_on(s: &Scratch) -> Done {
    let ca = ca(s);
    let mut pebble = Pebble::start(s, &ca, Like::default())?;
    home(s, &ca, &pebble.url(), &format!("mode: domain\ntraefik: {{http: {}, https: {}}}\n", pebble.http, free_port()));
    s.write(".env", "DOMAIN=it.home.arpa\n");
    renew(s, &["a.example"]).exits(1).says("nothing listens");
    let asked = pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).ok();
    assert_eq!(held(s).len(), 1);
    // Once by ourselves, and then by the authority.
    assert!(asked.lock().expect("nobody panics with it").len() >= 2);
    assert!(pebble.stop().contains("Attempting to validate"), "that is what its log says of a check");
    Ok(())
}

/// Failed validations that the state has written down.
fn pebble_orders(s: &Scratch) -> usize {
    let meta = room(s).store.meta(&id(&["a.example"])).expect("the state can be read");
    meta.state.map_or(0, |state| state.standings.values().map(|standing| standing.failures.len()).sum())
}

fn nonsense_and_silence_keep_the_old_certificate(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    let mode = Arc::new(AtomicUsize::new(0));
    let judged = mode.clone();
    let front = Front::start(&ca, &["127.0.0.1"], pebble.port, move |asked| match judged.load(Ordering::SeqCst) {
        0 => Reply::Pass(Box::new(|| {})),
        1 => Reply::Own(200, "<html>Welcome to the router</html>".to_owned()),
        2 => Reply::Own(500, "<html>oops</html>".to_owned()),
        3 => Reply::Own(200, "A".repeat(3 << 20)),
        // The directory is right, and all behind it nonsense.
        _ if asked.path == "/dir" || asked.path.contains("nonce") => Reply::Pass(Box::new(|| {})),
        _ => Reply::Own(201, "{\"status\": 7}".to_owned()),
    });
    home(s, &ca, &format!("https://127.0.0.1:{}/dir", front.port), "");
    pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).ok();
    let before = held(s).remove(0);
    let expected = ["makes no sense", "trouble of its own", "cannot be reached", "makes no sense"];
    for (n, words) in expected.into_iter().enumerate() {
        mode.store(n + 1, Ordering::SeqCst);
        let ran = renew(s, &["a.example"])
            .exits(1)
            .says(words)
            .says("127.0.0.1")
            .says("the certificate that is there is kept");
        assert!(!ran.both().contains("panicked"), "{}", ran.both());
        assert_eq!(held(s).remove(0).fingerprint, before.fingerprint);
    }
    home(s, &ca, "https://127.0.0.1:1/dir", "");
    renew(s, &["a.example"]).exits(1).says("the connection was refused");
    assert_eq!(held(s).remove(0).fingerprint, before.fingerprint);
    Ok(())
}

fn a_name_that_is_refused_is_not_tried_again(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like { blocked: vec!["blocked.example"], ..Like::default() })?;
    home(s, &ca, &pebble.url(), "");
    renew(s, &["blocked.example"])
        .exits(1)
        .says("will not issue for blocked.example")
        .says("not tried again by itself");
    s.hearth_args(&["certs"]).says("stopped");
    Ok(())
}

fn an_order_is_gone_on_with_after_a_kill_at_every_step(s: &Scratch) -> Done {
    let ca = ca(s);
    let like = Like { env: vec![("PEBBLE_VA_ALWAYS_VALID", "1"), ("PEBBLE_AUTHZREUSE", "0")], ..Like::default() };
    let pebble = Pebble::start(s, &ca, like)?;
    // The process that is to be killed, and at which of its requests: before the authority hears of it, or after it has acted.
    let target = Arc::new(std::sync::Mutex::new((0u32, 0usize, false)));
    let aim = target.clone();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let front = Front::start(&ca, &["127.0.0.1"], pebble.port, move |_| {
        let (pid, at, after) = *aim.lock().expect("nobody panics with it");
        let kill = move || {
            let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process id");
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        };
        match (counted.fetch_add(1, Ordering::SeqCst) + 1 == at, after) {
            (true, true) => Reply::Pass(Box::new(kill)),
            (true, false) => {
                kill();
                Reply::Own(500, String::new())
            }
            _ => Reply::Pass(Box::new(|| {})),
        }
    });
    home(s, &ca, &format!("https://127.0.0.1:{}/dir", front.port), "");
    let mut kills = 0;
    'steps: for at in 1..40 {
        for after in [false, true] {
            let name = format!("n{at}{after}.example");
            count.store(0, Ordering::SeqCst);
            *target.lock().expect("nobody panics with it") = (0, usize::MAX, after);
            let running: Running = s.hearth_args_start(&["certs", "renew", &name], &[]);
            *target.lock().expect("nobody panics with it") = (running.pid(), at, after);
            let ran = s.noted(running);
            let through = count.load(Ordering::SeqCst) < at || ran.code == 0;
            if !through {
                kills += 1;
                assert_eq!(ran.code, -1, "it was killed: {}", ran.both());
                *target.lock().expect("nobody panics with it") = (0, usize::MAX, after);
                let orders = new_orders(&front);
                renew(s, &[&name]).ok();
                let made = new_orders(&front) - orders;
                let stored = held(s).into_iter().any(|one| one.names == [name.as_str()]);
                assert!(stored && made <= 1, "{name}: {made} more orders after the kill");
                let left = s.dir.join("state/certs").join(id(&[&name])).join("order.json");
                assert!(!left.exists(), "{name} left an order");
            } else {
                break 'steps;
            }
        }
    }
    assert!(kills >= 16, "only {kills} steps were met");
    Ok(())
}

/// The disk is full from the moment on at which the authority has issued, so that only the writing is left; and then from the beginning.
fn a_disk_that_fills_while_a_certificate_is_written_loses_nothing(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    let disk = Disk::at(s, "state/certs")?;
    let fills = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (aim, ballast) = (fills.clone(), s.dir.join("state/certs/ballast"));
    let front = Front::start(&ca, &["127.0.0.1"], pebble.port, move |asked| {
        // The certificate is on its way: nothing fits beside it any more.
        if asked.path.contains("certZ") && aim.swap(false, Ordering::SeqCst) {
            let mut file = std::fs::File::create(&ballast).expect("a file can be made");
            while std::io::Write::write(&mut file, &[0; 512]).is_ok_and(|n| n > 0) {}
        }
        Reply::Pass(Box::new(|| {}))
    });
    home(s, &ca, &format!("https://127.0.0.1:{}/dir", front.port), "");
    pebble.answers_for(&s.dir);
    renew(s, &["a.example"]).ok();
    let before = held(s).remove(0).fingerprint;
    let kept = |ran: Ran| {
        let ran = ran.exits(1).says("the disk is full").says("the certificate that is there is kept");
        assert!(!ran.both().contains("os error") && !ran.both().contains("panicked"), "{}", ran.both());
        assert_eq!(held(s).remove(0).fingerprint, before, "what is served is what was served");
    };
    fills.store(true, Ordering::SeqCst);
    kept(renew(s, &["a.example"]));
    assert!(!fills.load(Ordering::SeqCst), "the disk was full when the certificate came");
    let orders = new_orders(&front);
    // Still full: nothing new is ordered either, since nothing of it could be kept.
    kept(renew(s, &["a.example"]));
    assert_eq!(new_orders(&front), orders, "an order that nobody can keep");
    disk.free();
    renew(s, &["a.example"]).ok();
    assert_ne!(held(s).remove(0).fingerprint, before);
    assert_eq!((orders, new_orders(&front)), (2, 2), "the order was gone on with");
    assert!(!s.dir.join("state/certs").join(id(&["a.example"])).join("order.json").exists());
    Ok(())
}

fn new_orders(front: &Front) -> usize {
    front.asked().iter().filter(|asked| asked.path.contains("order-plz")).count()
}

fn after_a_failure_staging_comes_first(s: &Scratch) -> Done {
    let ca = ca(s);
    let (production, staging) = (Pebble::start(s, &ca, Like::default())?, Pebble::start(s, &ca, Like::default())?);
    home(s, &ca, &production.url(), "");
    let room = room(s);
    let mut parts = parts(&room);
    parts.policy.authorities[0].staging = Some(staging.url());
    let want = room.want(&["a.example".to_owned()]);
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |change: Change| {
        if let Change::Told(d) = change {
            told.lock().expect("nobody panics with it").push(d.title)
        }
    };
    // Nothing answers at either: asked for by a person it goes to staging, and production is not asked at all.
    wait(keeper::renew(parts.clone(), &want, tell));
    let state =
        |room: &Room| room.store.meta(&id(&["a.example"])).ok().and_then(|m| m.state).expect("there is a state");
    let first = state(&room);
    assert!(first.fault.as_ref().is_some_and(|f| f.rehearsal), "{first:?}");
    assert!(first.standing(&production.url()).failures.is_empty());
    // Staging can connect now, production not yet: one failure there, and the next try is at staging again.
    staging.answers_for(&s.dir);
    wait(keeper::renew(parts.clone(), &want, tell));
    let second = state(&room);
    assert!(
        second.fault.as_ref().is_some_and(|f| !f.rehearsal) && second.standing(&production.url()).rehearse,
        "{second:?}"
    );
    production.answers_for(&s.dir);
    wait(keeper::renew(parts.clone(), &want, tell));
    assert_eq!(held(s).len(), 1);
    assert!(state(&room).fault.is_none());
    Ok(())
}

fn two_hearths_order_once(s: &Scratch) -> Done {
    let ca = ca(s);
    let pebble = Pebble::start(s, &ca, Like::default())?;
    let front = Front::start(&ca, &["127.0.0.1"], pebble.port, |_| {
        std::thread::sleep(Duration::from_millis(50));
        Reply::Pass(Box::new(|| {}))
    });
    home(s, &ca, &format!("https://127.0.0.1:{}/dir", front.port), "");
    pebble.answers_for(&s.dir);
    let both: Vec<Running> = (0..2).map(|_| s.hearth_args_start(&["certs", "renew", "a.example"], &[])).collect();
    let codes: Vec<i32> = both.into_iter().map(|running| s.noted(running).code).collect();
    assert!(codes.contains(&0), "{codes:?}");
    assert_eq!((new_orders(&front), held(s).len()), (1, 1));
    Ok(())
}

fn apex_and_wildcard_by_rfc_2136_and_a_cname_is_followed(s: &Scratch) -> Done {
    let ca = ca(s);
    let knot = Knot::start(s)?;
    let like = Like { dns: Some(format!("{}:53", knot.address)), ..Like::default() };
    let pebble = Pebble::start(s, &ca, like)?;
    let dns = |key: &str| {
        format!(
            "  challenge: dns-01\n  resolvers: ['{0}']\n  dns: {{provider: rfc2136, server: {0}, key_name: hearth, key: \"${{{key}}}\", timeout: 10s}}\n",
            knot.address
        )
    };
    s.write(".env", &format!("TSIG={}\nWRONG=d3JvbmctYnV0LWxvbmctZW5vdWdoLWZvci1hLWtleQ==\n", Knot::SECRET));
    home(s, &ca, &pebble.url(), &dns("WRONG"));
    renew(s, &["home.test", "*.home.test"]).exits(1).says("the TXT record could not be set");
    home(s, &ca, &pebble.url(), &dns("TSIG"));
    let ran = renew(s, &["home.test", "*.home.test"]).ok();
    assert!(!ran.both().contains(Knot::SECRET));
    renew(s, &["moved.home.test"]).ok();
    assert_eq!(held(s).len(), 2);
    // What others keep under the same name is still there, and nothing of ours.
    let address = format!("{}:53", knot.address).parse().expect("an address");
    let lookup = hearth::certs::dns::Lookup::new(&[address]).expect("a resolver");
    let shows = |name: &str, value: &str| wait(lookup.everywhere("home.test", name, value)).remove(0).1;
    assert_eq!(shows("_acme-challenge.home.test", "somebody's"), Shows::Yes);
    assert_eq!(wait(lookup.texts("_acme-challenge.home.test")), ["somebody's"]);
    assert!(wait(lookup.texts("proof.elsewhere.home.test")).is_empty());
    Ok(())
}
