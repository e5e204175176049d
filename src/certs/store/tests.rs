//! What the store promises, on a real disk.

use std::os::unix::fs::PermissionsExt;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use time::{Duration, OffsetDateTime};

use super::*;

fn now() -> OffsetDateTime {
    time::macros::datetime!(2026-11-26 04:00 UTC)
}

struct Ca(Issuer<'static, KeyPair>, String);

fn ca() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::OrganizationName, "Some");
    params.distinguished_name.push(DnType::CommonName, "CA");
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Ca(Issuer::new(params, key), pem)
}

fn issue(ca: &Ca, names: &[&str], from: OffsetDateTime, until: OffsetDateTime) -> (String, Secret) {
    let mut params = CertificateParams::new(names.iter().map(|n| n.to_string()).collect::<Vec<_>>()).unwrap();
    params.not_before = from;
    params.not_after = until;
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &ca.0).unwrap().pem();
    (format!("{leaf}{}", ca.1), Secret::new(key.serialize_pem()))
}

fn usual(ca: &Ca, names: &[&str]) -> (String, Secret) {
    issue(ca, names, now() - Duration::days(1), now() + Duration::days(60))
}

fn meta() -> Meta {
    Meta { source: Some(Source::Acme("https://ca.example/dir".into())), public: true, state: None }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| n.to_string()).collect()
}

#[test]
fn what_is_stored_comes_back_and_the_former_one_stays_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), None).unwrap();
    let ca = ca();
    let id = Store::id(&names(&["*.a.example", "a.example"]), false);
    let (first, first_key) = usual(&ca, &["a.example", "*.a.example"]);
    let (second, second_key) = usual(&ca, &["a.example", "*.a.example"]);
    store.save(&id, &first, &first_key, &meta()).unwrap();
    store.save(&id, &second, &second_key, &meta()).unwrap();
    let held = store.load(&id).unwrap().unwrap();
    assert_eq!((held.names.clone(), held.chain_pem.as_str()), (names(&["*.a.example", "a.example"]), second.as_str()));
    assert_eq!((held.issuer.as_str(), held.public), ("Some CA", true));
    assert!(held.ari_id.is_some());
    let folder = dir.path().join("state/certs").join(&id);
    assert_eq!(std::fs::read_to_string(folder.join("previous-chain.pem")).unwrap(), first);
    for entry in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(!format!("{held:?}").contains("PRIVATE"));
    store.delete(&id).unwrap();
    assert!(store.list().unwrap().0.is_empty());
    assert_eq!(store.delete(&id).unwrap_err().code, "certs.unknown");
    assert_eq!(store.delete("../../etc").unwrap_err().code, "certs.unknown");
}

#[test]
fn a_crash_between_chain_and_key_leaves_a_pair() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), None).unwrap();
    let ca = ca();
    let id = Store::id(&names(&["a.example"]), false);
    let folder = dir.path().join("state/certs").join(&id);
    let (old, old_key) = usual(&ca, &["a.example"]);
    let (new, new_key) = usual(&ca, &["a.example"]);
    store.save(&id, &old, &old_key, &meta()).unwrap();
    // Killed after the new chain was laid down, and then after the key was replaced.
    std::fs::write(folder.join("new-chain.pem"), &new).unwrap();
    assert_eq!(store.load(&id).unwrap().unwrap().chain_pem, old);
    std::fs::write(folder.join("key.pem"), new_key.expose()).unwrap();
    let held = store.load(&id).unwrap().unwrap();
    assert_eq!((held.chain_pem.as_str(), held.key.expose()), (new.as_str(), new_key.expose()));
    assert!(!folder.join("new-chain.pem").exists());
    // A damaged pair is told, and harms no other.
    std::fs::write(folder.join("key.pem"), old_key.expose()).unwrap();
    let (other, other_key) = usual(&ca, &["b.example"]);
    store.save(&Store::id(&names(&["b.example"]), false), &other, &other_key, &meta()).unwrap();
    let (held, wrong) = store.list().unwrap();
    assert_eq!((held.len(), wrong.len(), wrong[0].code), (1, 1, "certs.damaged"));
}

#[test]
fn a_pair_that_is_wrong_in_any_way_is_not_taken() {
    let ca = ca();
    let (chain, key) = usual(&ca, &["a.example"]);
    let (_, other) = usual(&ca, &["a.example"]);
    let stranger = format!("{}{}", chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap(), self::ca().1);
    let why = |chain: &str, key: &Secret, at| pair::check(chain, key.expose(), at).unwrap_err().title;
    assert!(pair::check(&chain, key.expose(), now()).is_ok());
    assert!(why(&chain, &other, now()).contains("does not belong"));
    assert!(why(&chain, &key, now() + Duration::days(61)).contains("expired"));
    assert!(why(&chain, &key, now() - Duration::days(2)).contains("not valid before"));
    assert!(why("", &key, now()).contains("no certificate"));
    assert!(why(&chain, &Secret::new("x"), now()).contains("cannot be read"));
    let upside_down = format!("{}{chain}", ca.1);
    assert!(why(&upside_down, &key, now()).contains("does not belong"));
    let _ = stranger;
    let unordered = format!("{chain}{}", chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap());
    assert!(why(&unordered, &key, now()).contains("not in order"));
}

#[test]
fn keys_are_sealed_where_a_key_file_is_given() {
    use age::secrecy::ExposeSecret;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = dir.path().join(name);
        let text = format!("# made\n{}\n", age::x25519::Identity::generate().to_string().expose_secret());
        std::fs::write(&path, text).unwrap();
        path
    };
    let (one, two) = (file("one"), file("two"));
    let state = dir.path().join("state");
    let (chain, key) = usual(&ca(), &["a.example"]);
    let id = Store::id(&names(&["a.example"]), false);
    let store = Store::open(&state, Some(&one)).unwrap();
    store.save(&id, &chain, &key, &meta()).unwrap();
    store.save_account("ca.example", &Secret::new("sesame")).unwrap();
    for path in ["certs", "acme"].iter().flat_map(|f| walk(&state.join(f))) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("PRIVATE KEY") && !text.contains("sesame"), "{}", path.display());
    }
    assert_eq!(store.load(&id).unwrap().unwrap().key, key);
    assert_eq!(store.account("ca.example").unwrap().unwrap().expose(), "sesame");
    for (file, why) in [(None, "no key file"), (Some(two.as_path()), "another key file")] {
        let told = Store::open(&state, file).unwrap().load(&id).unwrap_err();
        assert!(told.title.contains(why), "{told}");
    }
    assert_eq!(Store::open(&state, Some(&dir.path().join("none"))).err().unwrap().code, "certs.bad-key-file");
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn two_processes_never_hold_one_set_of_names() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), None).unwrap();
    let id = Store::id(&names(&["a.example"]), false);
    let lease = store.lease(&id, now()).unwrap();
    assert!(lease.is_some());
    assert!(store.lease(&id, now()).unwrap().is_none());
    drop(lease);
    // Another machine that shares the folder: until its lease ends.
    let other =
        format!(r#"{{"machine":"other","until":"{}"}}"#, crate::base::clock::rfc3339(now() + Duration::minutes(5)));
    std::fs::write(dir.path().join("state/certs").join(&id).join("lease.json"), other).unwrap();
    assert!(store.lease(&id, now()).unwrap().is_none());
    assert!(store.lease(&id, now() + Duration::minutes(6)).unwrap().is_some());
}

#[test]
fn wider_rights_are_taken_away_and_the_disk_is_probed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = Store::open(&state, None).unwrap();
    std::fs::set_permissions(state.join("certs"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let id = Store::id(&names(&["a.example"]), false);
    store.probe(&id, "12345").unwrap();
    assert_eq!(store.list().unwrap().0.len(), 0);
    assert_eq!(std::fs::metadata(state.join("certs")).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(walk(&state).is_empty());
}

#[test]
fn what_was_brought_is_judged_first_and_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), None).unwrap();
    let (chain, key) = usual(&ca(), &["a.example"]);
    let held = store.import(&chain, &key, now()).unwrap();
    assert_eq!((held.source, held.public), (Source::Imported, true));
    assert_ne!(held.id, Store::id(&names(&["a.example"]), false));
    assert_eq!(store.import(&chain, &Secret::new("x"), now()).unwrap_err().code, "certs.bad-pair");
}

#[test]
fn the_best_certificate_serves_and_never_something_worse() {
    let held = |id: &str, names: &[&str], days: i64, public: bool| Held {
        id: id.into(),
        names: names.iter().map(|n| n.to_string()).collect(),
        chain_pem: String::new(),
        key: Secret::default(),
        issuer: String::new(),
        not_before: now() - Duration::days(30),
        not_after: now() + Duration::days(days),
        public,
        source: Source::Imported,
        ari_id: None,
        fingerprint: String::new(),
    };
    let all = [
        held("wild", &["*.a.example", "a.example"], 20, true),
        held("exact", &["x.a.example"], 10, true),
        held("old", &["y.a.example"], -1, true),
        held("own", &["z.a.example"], 50, false),
        held("alone", &["q.example"], -5, false),
    ];
    let chosen = |host: &str| choose(host, &all, now()).map(|one| one.id.as_str());
    for (host, id) in [
        ("a.example", Some("wild")),
        ("w.a.example", Some("wild")),
        ("x.a.example", Some("exact")),
        ("y.a.example", Some("wild")),
        ("z.a.example", Some("wild")),
        ("b.w.a.example", None),
        ("q.example", Some("alone")),
        ("b.example", None),
    ] {
        assert_eq!(chosen(host), id, "{host}");
    }
    let hosts = names(&["a.example", "x.a.example", "y.a.example"]);
    let ids: Vec<&str> = serving(&hosts, &all, now()).iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["wild", "exact"]);
}
