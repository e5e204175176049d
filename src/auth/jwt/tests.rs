//! Tokens as an attacker would make them, against keys of a home.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::base::random::SystemRandom;

const NOW: i64 = 1_780_000_000;
const ANNA: Bearer<'static> = Bearer { user: 7, name: "anna", family: "fam" };

fn keys(dir: &std::path::Path, now: i64) -> Keys {
    Keys::open(&dir.join("auth"), now * 1000, &SystemRandom).unwrap()
}

fn claims() -> Claims {
    Claims {
        sub: "anna".into(),
        user_id: 7,
        sid: "fam".into(),
        iat: NOW,
        exp: NOW + LIFETIME,
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
    }
}

fn part(value: &serde_json::Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn a_token_says_who_and_holds_until_it_expires() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path(), NOW);
    let token = keys.sign(ANNA, LIFETIME, NOW).unwrap();
    assert_eq!(keys.verify(token.expose(), NOW).unwrap(), claims());
    assert!(keys.verify(token.expose(), NOW + LIFETIME).is_ok(), "within the leeway");
    assert_eq!(keys.verify(token.expose(), NOW + LIFETIME + LEEWAY).unwrap_err().code, "auth.expired");
    let payload = token.expose().split('.').nth(1).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!((&said["sub"], &said["user_id"]), (&json!("anna"), &json!(7)));
}

#[test]
fn hostile_16_no_confusion_of_algorithms_keys_or_audiences_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let ours = keys(dir.path(), NOW);
    let newest = ours.newest().unwrap();
    let good = ours.sign(ANNA, LIFETIME, NOW).unwrap();
    let parts: Vec<&str> = good.expose().split('.').collect();
    let kid = newest.kid.clone();
    let head = |alg: &str| part(&json!({"alg": alg, "typ": "JWT", "kid": kid}));
    let public = newest.verifies.try_get_as_bytes().unwrap().to_vec();
    let hs = |alg: Algorithm, secret: &[u8]| {
        let header = Header { kid: Some(kid.clone()), ..Header::new(alg) };
        encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap()
    };
    let signed = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        ours.sign_claims(&claims).unwrap().expose().to_owned()
    };
    let other_home = tempfile::tempdir().unwrap();
    let theirs = keys(other_home.path(), NOW);
    let foreign = theirs.sign(ANNA, LIFETIME, NOW).unwrap().expose().to_owned();
    let kidnapped = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
    let kidnapped = encode(&kidnapped, &claims(), &theirs.newest().unwrap().signs).unwrap();
    let kidless = encode(&Header::new(Algorithm::EdDSA), &claims(), &newest.signs).unwrap();
    let odd_kid = |kid: &str| {
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims(), &newest.signs).unwrap()
    };
    let hostile = [
        ("alg none, no signature", format!("{}.{}.", head("none"), parts[1])),
        ("alg None", format!("{}.{}.{}", head("None"), parts[1], parts[2])),
        ("HS256 with the public key", hs(Algorithm::HS256, &public)),
        (
            "HS512 with the public key in base64",
            hs(Algorithm::HS512, BASE64_URL_SAFE_NO_PAD.encode(&public).as_bytes()),
        ),
        ("HS256 with nothing", hs(Algorithm::HS256, b"")),
        ("said to be RS256", format!("{}.{}.{}", head("RS256"), parts[1], parts[2])),
        ("another home's", foreign),
        ("another home's key under our kid", kidnapped),
        ("no kid", kidless),
        ("a kid that is a path", odd_kid("../../etc/passwd")),
        ("a kid that is SQL", odd_kid("' OR 1=1 --")),
        ("wrong audience", signed(&|c| c.aud = "hearth-files".into())),
        ("no audience", signed(&|c| c.aud = String::new())),
        ("wrong issuer", signed(&|c| c.iss = "hearts".into())),
        ("from the future", signed(&|c| (c.iat, c.exp) = (NOW + 60, NOW + 120))),
        ("expired", signed(&|c| (c.iat, c.exp) = (NOW - 2000, NOW - 1000))),
        ("for years", signed(&|c| c.exp = NOW + 1_000_000)),
        ("at the end of time", signed(&|c| c.exp = i64::MAX)),
        ("another's payload", format!("{}.{}.{}", parts[0], part(&json!({"sub": "admin", "user_id": 1})), parts[2])),
        ("signature cut", good.expose()[..good.expose().len() - 1].to_owned()),
        ("twice", format!("{0}.{0}", good.expose())),
        ("long", format!("{}{}", good.expose(), "a".repeat(LONGEST))),
    ];
    for (what, token) in hostile {
        let told = ours.verify(&token, NOW).expect_err(what);
        assert_eq!(told.kind, Kind::Unauthenticated, "{what}");
        assert!(!told.title.contains(&token), "{what}");
    }
    assert!(ours.verify(good.expose(), NOW).is_ok());
}

#[test]
fn hostile_16_keys_are_made_once_for_each_home_and_end_after_their_grace() {
    let dir = tempfile::tempdir().unwrap();
    let first = keys(dir.path(), NOW);
    let path = dir.path().join("auth/signing-keys.json");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(first.newest().unwrap().kid, keys(dir.path(), NOW).newest().unwrap().kid, "the same one is read again");
    let old = first.sign(ANNA, LONG_LIFETIME, NOW + ROTATION_MS / 1000 - 1).unwrap();
    let turn = NOW + ROTATION_MS / 1000;
    assert!(!first.turned(), "the first one is in the place of none");
    first.rotate(turn * 1000, &SystemRandom).unwrap();
    assert!(first.turned() && !first.turned());
    assert!(first.verify(old.expose(), turn).is_ok(), "an old key verifies what it signed");
    let new = first.sign(ANNA, LIFETIME, turn).unwrap();
    assert_ne!(
        jsonwebtoken::decode_header(old.expose()).unwrap().kid,
        jsonwebtoken::decode_header(new.expose()).unwrap().kid
    );
    let later = turn + GRACE_MS / 1000 + 1;
    assert_eq!(first.verify(old.expose(), later).unwrap_err().code, "auth.bad-token");
    // The next turn takes it off the disk, too.
    first.rotate((turn + ROTATION_MS / 1000) * 1000, &SystemRandom).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("seed").count(), 2);
}

#[test]
fn hostile_15_a_key_that_is_known_or_damaged_ends_the_start() {
    for (seed, code) in [
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "auth.weak-secret"),
        ("c2hvcnQ", "auth.weak-secret"),
        ("changeme-changeme-changeme-changeme-changem", "auth.weak-secret"),
        ("0123456789abcdefghijklmnopqrstuvwxyz", "auth.damaged-keys"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let folder = crate::store::folder::Folder::open(dir.path()).unwrap();
        folder.write("signing-keys.json", &json!([{"made": NOW * 1000, "seed": seed}]).to_string()).unwrap();
        let told = Keys::open(dir.path(), NOW * 1000, &SystemRandom).err().unwrap();
        assert_eq!(told.code, code, "{seed}");
        assert!(!told.title.contains(seed));
    }
    let dir = tempfile::tempdir().unwrap();
    crate::store::folder::Folder::open(dir.path()).unwrap().write("signing-keys.json", "{").unwrap();
    assert_eq!(Keys::open(dir.path(), NOW, &SystemRandom).err().unwrap().code, "auth.damaged-keys");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_refused_and_any_changed_byte_too(text in ".{0,200}", at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(dir.path(), NOW);
        prop_assert!(keys.verify(&text, NOW).is_err());
        let good = keys.sign(ANNA, LIFETIME, NOW).unwrap().expose().to_owned();
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(changed) = String::from_utf8(bytes) && changed != good {
            prop_assert!(keys.verify(&changed, NOW).is_err(), "{}", changed);
        }
    }
}
