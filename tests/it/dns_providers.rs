//! Apex and wildcard by DNS providers that nobody has an account with here: their API is a stub that answers as its public documentation
//! says (Cloudflare's "DNS Records for a Zone" of API v4, DuckDNS's "HTTP API specification", deSEC's "Retrieving and Creating DNS Records",
//! Hetzner's Cloud API "Zone RRSet Actions", Amazon's "Route 53 API Reference" 2013-04-01, acme-dns's own README), recorded from there and from no live
//! account. All else is real: the library that speaks to them, the TLS, the name server that shows the record, the authority that checks.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use dns_update::{DnsRecord, DnsRecordType, DnsUpdater, TsigAlgorithm};
use serde_json::{Value, json};

use crate::rig::{Asked, Done, Front, Knot, Like, Pebble, Ran, Reply, Scratch, Skip, TestCa, cases};

cases![together: apex_and_wildcard_by_cloudflare_as_documented, apex_and_wildcard_by_duckdns_one_after_the_other_as_documented, apex_and_wildcard_by_desec_as_documented, apex_and_wildcard_by_hetzner_as_documented, apex_and_wildcard_by_route53_as_documented, a_name_that_leads_to_acme_dns_is_proved_there, a_record_that_a_person_sets_is_shown_and_then_found];

/// Every connection through it leads to one port of loopback, whatever host was meant.
fn proxy_to(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let own = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut head = [0u8; 4096];
                let n = client.read(&mut head).unwrap_or(0);
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)) else { return };
                if !head[..n].starts_with(b"CONNECT ") || client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_err() {
                    return;
                }
                let (Ok(mut from), Ok(mut to)) = (client.try_clone(), server.try_clone()) else { return };
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    own
}

/// Shows these values under a name on a real name server, and no others.
fn show(knot: &str, zone: &str, name: &str, values: &[String]) {
    let secret = base64::prelude::BASE64_STANDARD.decode(Knot::SECRET).expect("it is base64");
    let server = format!("tcp://{knot}");
    let updater = DnsUpdater::new_rfc2136_tsig(server.as_str(), "hearth", secret, TsigAlgorithm::HmacSha256);
    let updater = updater.expect("an updater can be made");
    let records = values.iter().map(|value| DnsRecord::TXT(value.clone())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(updater.set_rrset(name, DnsRecordType::TXT, 60, records, zone)).expect("the record can be set");
}

fn query(path: &str) -> BTreeMap<String, String> {
    let pairs = path.split_once('?').map_or("", |(_, query)| query).split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Orders these names with this provider, whose API is a stub at `host`; `FRONT` in `dns` stands for its port on loopback.
fn order_of(
    s: &Scratch,
    names: &[&str],
    host: &'static str,
    dns: &str,
    knot: &Knot,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Result<(Ran, Pebble), Skip> {
    let ca = TestCa::new(&s.beside("ca"));
    let like =
        Like { dns: Some(format!("{}:53", knot.address)), env: vec![("PEBBLE_AUTHZREUSE", "0")], ..Like::default() };
    let pebble = Pebble::start(s, &ca, like)?;
    let front = Front::start(&ca, &[host], 1, answer);
    s.write(".env", "TOKEN=sesame-of-a-test\n");
    s.write("stacks/.keep", "");
    let root = ca.root.display().to_string();
    let dns = dns.replace("FRONT", &front.port.to_string());
    s.write("hearth.yaml", &format!(
        "name: h\ncertificates:\n  issuer: acme\n  ca: {}\n  roots: {root}\n  challenge: dns-01\n  resolvers: ['{}']\n  dns: {{{dns}, timeout: 20s}}\n",
        pebble.url(), knot.address
    ));
    let proxy = format!("http://127.0.0.1:{}", proxy_to(front.port));
    let env = [("HTTPS_PROXY", proxy.as_str()), ("SSL_CERT_FILE", root.as_str())];
    let ran = s.noted(s.hearth_args_start(&[&["certs", "renew"], names].concat(), &env));
    assert!(!ran.both().contains("sesame"), "{}", ran.both());
    Ok((ran, pebble))
}

/// Orders apex and wildcard of `apex`.
fn order(
    s: &Scratch,
    apex: &str,
    host: &'static str,
    dns: &str,
    knot: &Knot,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Result<(Ran, Pebble), Skip> {
    let dns = format!("{dns}, token: \"${{TOKEN}}\"");
    order_of(s, &[apex, &format!("*.{apex}")], host, &dns, knot, answer)
}

fn apex_and_wildcard_by_cloudflare_as_documented(s: &Scratch) -> Done {
    const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
    let knot = Knot::start(s)?;
    let most = Arc::new(Mutex::new((0, Vec::<(String, String)>::new())));
    let (state, address) = (most.clone(), knot.address.clone());
    let answer = move |asked: &Asked| {
        let mut state = state.lock().expect("nobody panics with it");
        let records = format!("/client/v4/zones/{ZONE}/dns_records");
        let path = asked.path.split('?').next().unwrap_or_default();
        let result = match (asked.method.as_str(), path) {
            ("GET", "/client/v4/zones") => match query(&asked.path).get("name").map(String::as_str) {
                Some("home.test") => json!([{"id": ZONE, "name": "home.test", "status": "active", "type": "full"}]),
                _ => json!([]),
            },
            ("GET", path) if path == records => {
                let one = |(id, value): &(String, String)| json!({"id": id, "name": "_acme-challenge.home.test", "type": "TXT", "content": value, "proxied": false, "ttl": 60});
                Value::Array(state.1.iter().map(one).collect())
            }
            ("POST", path) if path == records => {
                let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
                assert_eq!((sent["type"].as_str(), sent["name"].as_str()), (Some("TXT"), Some("_acme-challenge.home.test")));
                let (id, value) = (format!("{:032x}", asked.nth), sent["content"].as_str().unwrap_or_default().to_owned());
                state.1.push((id.clone(), value.clone()));
                state.0 = state.0.max(state.1.len());
                json!({"id": id, "name": "_acme-challenge.home.test", "type": "TXT", "content": value})
            }
            ("DELETE", path) => {
                let id = path.rsplit('/').next().unwrap_or_default().to_owned();
                state.1.retain(|(other, _)| *other != id);
                json!({ "id": id })
            }
            _ => return Reply::Own(404, json!({"success": false, "errors": [{"code": 7000, "message": "No route for that URI"}], "messages": [], "result": null}).to_string()),
        };
        if asked.method != "GET" {
            // It keeps a text in quotes or without; a name server shows it without.
            let values: Vec<String> = state.1.iter().map(|(_, value)| value.trim_matches('"').to_owned()).collect();
            show(&address, "home.test", "_acme-challenge.home.test", &values);
        }
        Reply::Own(200, json!({"success": true, "errors": [], "messages": [], "result": result}).to_string())
    };
    let (ran, _pebble) = order(s, "home.test", "api.cloudflare.com", "provider: cloudflare", &knot, answer)?;
    ran.ok().says("*.home.test, home.test until");
    let state = most.lock().expect("nobody panics with it");
    assert_eq!((state.0, state.1.len()), (2, 0), "both values at once, and none is left");
    Ok(())
}

fn apex_and_wildcard_by_duckdns_one_after_the_other_as_documented(s: &Scratch) -> Done {
    let knot = Knot::of(s, "duckdns.org")?;
    let set = Arc::new(Mutex::new(Vec::<String>::new()));
    let (state, address) = (set.clone(), knot.address.clone());
    let answer = move |asked: &Asked| {
        let asked_for = query(&asked.path);
        let of = |key: &str| asked_for.get(key).cloned().unwrap_or_default();
        if of("domains") != "home" && of("domains") != "home.duckdns.org" || of("token") != "sesame-of-a-test" {
            return Reply::Own(200, "KO".to_owned());
        }
        // One text for the domain and all below it.
        let values: Vec<String> = [of("txt")].into_iter().filter(|value| !value.is_empty()).collect();
        show(&address, "duckdns.org", "_acme-challenge.home.duckdns.org", &values);
        state.lock().expect("nobody panics with it").push(of("txt"));
        Reply::Own(200, "OK".to_owned())
    };
    let (ran, _pebble) = order(s, "home.duckdns.org", "www.duckdns.org", "provider: duckdns", &knot, answer)?;
    ran.ok().says("*.home.duckdns.org, home.duckdns.org until");
    let set = set.lock().expect("nobody panics with it");
    let values: Vec<&String> = set.iter().filter(|value| !value.is_empty()).collect();
    assert!(values.len() == 2 && values[0] != values[1] && set.last().is_some_and(String::is_empty), "{set:?}");
    Ok(())
}

/// The values that a provider keeps, and the most that it kept at once.
type Kept = Arc<Mutex<(usize, Vec<String>)>>;

fn texts(body: &str, of: impl Fn(&Value) -> Option<&str>) -> Vec<String> {
    let sent: Value = serde_json::from_str(body).unwrap_or_default();
    let records = sent["records"].as_array().cloned().unwrap_or_default();
    records.iter().filter_map(|one| of(one).map(str::to_owned)).collect()
}

fn keep(kept: &Kept, knot: &str, change: impl FnOnce(&mut Vec<String>)) {
    let mut kept = kept.lock().expect("nobody panics with it");
    change(&mut kept.1);
    kept.0 = kept.0.max(kept.1.len());
    let bare: Vec<String> = kept.1.iter().map(|value| value.trim_matches('"').to_owned()).collect();
    show(knot, "home.test", "_acme-challenge.home.test", &bare);
}

fn apex_and_wildcard_by_desec_as_documented(s: &Scratch) -> Done {
    let (knot, kept) = (Knot::start(s)?, Kept::default());
    let (state, address) = (kept.clone(), knot.address.clone());
    let answer = move |asked: &Asked| {
        let rrset = |records: &[String]| {
            json!({"created": "2026-11-26T10:00:00Z", "domain": "home.test", "subname": "_acme-challenge", "name": "_acme-challenge.home.test.",
                "type": "TXT", "records": records, "ttl": 3600, "touched": "2026-11-26T10:00:00Z"}).to_string()
        };
        let (all, one) = ("/api/v1/domains/home.test/rrsets/", "/api/v1/domains/home.test/rrsets/_acme-challenge/TXT/");
        let now = || state.lock().expect("nobody panics with it").1.clone();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/api/v1/domains/home.test/") => {
                Reply::Own(200, json!({"name": "home.test", "minimum_ttl": 3600}).to_string())
            }
            ("GET", path) if path == one && !now().is_empty() => Reply::Own(200, rrset(&now())),
            ("POST" | "PUT", path) if path == all || path == one => {
                let sent = texts(&asked.body, Value::as_str);
                keep(&state, &address, |values| *values = sent);
                Reply::Own(if path == all { 201 } else { 200 }, rrset(&now()))
            }
            ("DELETE", path) if path == one => {
                keep(&state, &address, Vec::clear);
                Reply::Own(204, String::new())
            }
            _ => Reply::Own(404, json!({"detail": "Not found."}).to_string()),
        }
    };
    let (ran, _pebble) = order(s, "home.test", "desec.io", "provider: desec", &knot, answer)?;
    ran.ok().says("*.home.test, home.test until");
    let kept = kept.lock().expect("nobody panics with it");
    assert_eq!((kept.0, kept.1.len()), (2, 0), "both values at once, and none is left");
    Ok(())
}

fn apex_and_wildcard_by_hetzner_as_documented(s: &Scratch) -> Done {
    let (knot, kept) = (Knot::start(s)?, Kept::default());
    let (state, address) = (kept.clone(), knot.address.clone());
    let answer = move |asked: &Asked| {
        let act = asked.path.strip_prefix("/v1/zones/home.test/rrsets/_acme-challenge/TXT/actions/");
        let sent = texts(&asked.body, |one| one["value"].as_str());
        match act.filter(|_| asked.method == "POST") {
            Some("add_records") => keep(&state, &address, |values| values.extend(sent)),
            Some("remove_records") => keep(&state, &address, |values| values.retain(|value| !sent.contains(value))),
            Some("change_ttl") => {}
            _ => return Reply::Own(404, json!({"error": {"code": "not_found", "message": "not found"}}).to_string()),
        }
        let action = json!({"id": asked.nth, "command": act, "status": "success", "progress": 100, "error": null, "resources": []});
        Reply::Own(201, json!({ "action": action }).to_string())
    };
    let (ran, _pebble) = order(s, "home.test", "api.hetzner.cloud", "provider: hetzner", &knot, answer)?;
    ran.ok().says("*.home.test, home.test until");
    let kept = kept.lock().expect("nobody panics with it");
    assert_eq!((kept.0, kept.1.len()), (2, 0), "both values at once, and none is left");
    Ok(())
}

fn apex_and_wildcard_by_route53_as_documented(s: &Scratch) -> Done {
    const SPACE: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";
    let (knot, kept) = (Knot::start(s)?, Kept::default());
    let (state, address) = (kept.clone(), knot.address.clone());
    let answer = move |asked: &Asked| {
        let rrset = "/2013-04-01/hostedzone/Z1PA6795UKMFR9/rrset";
        let path = asked.path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let text = match (asked.method.as_str(), path) {
            ("GET", "/2013-04-01/hostedzonesbyname") => format!(
                "<ListHostedZonesByNameResponse {SPACE}><HostedZones><HostedZone><Id>/hostedzone/Z1PA6795UKMFR9</Id><Name>home.test.</Name>\
                 <CallerReference>a</CallerReference><Config><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>4</ResourceRecordSetCount>\
                 </HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"
            ),
            ("GET", path) if path == rrset => {
                let values = state.lock().expect("nobody panics with it").1.clone();
                let one = |value: &String| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>");
                let set = format!(
                    "<ResourceRecordSet><Name>_acme-challenge.home.test.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>{}</ResourceRecords></ResourceRecordSet>",
                    values.iter().map(one).collect::<String>()
                );
                let set = if values.is_empty() { String::new() } else { set };
                format!(
                    "<ListResourceRecordSetsResponse {SPACE}><ResourceRecordSets>{set}</ResourceRecordSets><IsTruncated>false</IsTruncated>\
                     <MaxItems>100</MaxItems></ListResourceRecordSetsResponse>"
                )
            }
            ("POST", path) if path == rrset => {
                let body = asked.body.replace("&quot;", "\"");
                let sent = body.split("<Value>").skip(1).filter_map(|rest| rest.split("</Value>").next());
                let sent: Vec<String> = sent.map(str::to_owned).collect();
                let gone = body.contains("<Action>DELETE</Action>");
                keep(&state, &address, |values| *values = if gone { Vec::new() } else { sent });
                format!(
                    "<ChangeResourceRecordSetsResponse {SPACE}><ChangeInfo><Id>/change/C2682N5HXP0BZ4</Id><Status>INSYNC</Status>\
                     <SubmittedAt>2026-11-26T10:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>"
                )
            }
            _ => return Reply::Own(404, String::new()),
        };
        Reply::Own(200, format!("<?xml version=\"1.0\"?>\n{text}"))
    };
    let dns = "provider: route53, access_key: \"${TOKEN}\", secret_key: \"${TOKEN}\"";
    let (ran, _pebble) = order_of(s, &["home.test", "*.home.test"], "route53.amazonaws.com", dns, &knot, answer)?;
    ran.ok().says("*.home.test, home.test until");
    let kept = kept.lock().expect("nobody panics with it");
    assert_eq!((kept.0, kept.1.len()), (2, 0), "both values at once, and none is left");
    Ok(())
}

fn a_name_that_leads_to_acme_dns_is_proved_there(s: &Scratch) -> Done {
    let knot = Knot::start(s)?;
    let address = knot.address.clone();
    let answer = move |asked: &Asked| {
        let sent: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let Some(value) = sent["txt"].as_str().filter(|_| asked.path == "/update" && sent["subdomain"] == "proof")
        else {
            return Reply::Own(401, json!({"error": "forbidden"}).to_string());
        };
        show(&address, "home.test", "proof.elsewhere.home.test", &[value.to_owned()]);
        Reply::Own(200, json!({ "txt": value }).to_string())
    };
    let dns = "provider: acme-dns, server: 'https://127.0.0.1:FRONT', subdomain: proof, username: somebody, password: \"${TOKEN}\"";
    let (ran, _pebble) = order_of(s, &["moved.home.test"], "127.0.0.1", dns, &knot, answer)?;
    ran.ok().says("moved.home.test until");
    Ok(())
}

fn a_record_that_a_person_sets_is_shown_and_then_found(s: &Scratch) -> Done {
    let knot = Knot::start(s)?;
    let nobody = |_: &Asked| Reply::Own(404, String::new());
    let (ran, _pebble) = order_of(s, &["by-hand.home.test"], "127.0.0.1", "provider: manual", &knot, nobody)?;
    let ran = ran.exits(1).says("set this TXT record at your DNS provider, then run the same command again");
    let shown = s.hearth_args(&["certs"]).ok().says("_acme-challenge.by-hand.home.test TXT ");
    let record =
        ran.out.lines().find(|line| line.starts_with("_acme-challenge.by-hand.home.test TXT ")).map(str::to_owned);
    let record = record.unwrap_or_else(|| panic!("no record in {}{}", ran.out, shown.both()));
    let value = record.rsplit(' ').next().unwrap_or_default().to_owned();
    show(&knot.address, "home.test", "_acme-challenge.by-hand.home.test", &[value]);
    // The same order goes on: another one would want another record.
    s.hearth_args(&["certs", "renew", "by-hand.home.test"]).ok().says("by-hand.home.test until");
    Ok(())
}
