//! What a provider says about somebody: an ID token (OpenID Connect Core 1.0, section 2), checked against everything in it (3.1.3.7). Pure.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use crate::auth::secrets;

/// How tokens may be signed: by a key of which the provider alone has the other half. What is not listed here is not even looked at: no `none`, and
/// no HMAC, whose key could be something that everybody knows.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Seconds by which the provider's clock may differ from ours.
const SKEW: i64 = 60;

/// No token is longer.
const LONGEST: usize = 16 << 10;

/// Keys of one provider at most.
const MOST_KEYS: usize = 32;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// When the sign-in was begun, and now; seconds since 1970.
    pub begun: i64,
    pub now: i64,
}

/// What a good token said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub subject: String,
    /// The names under which the provider knows them, the likeliest first.
    pub names: Vec<String>,
    pub shown: Option<String>,
    /// Only where the provider has seen to it that it is theirs.
    pub email: Option<String>,
    /// Of the claim that was asked for, where it is there.
    pub groups: Option<Vec<String>>,
    /// They have shown more than one factor there (RFC 8176).
    pub several_factors: bool,
}

/// Why a token does not hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Bad {
    /// It names a key that is not among those that are known: newer ones may be.
    UnknownKey,
    /// The end of a sentence about it.
    Is(&'static str),
}

#[derive(Deserialize)]
struct Raw {
    iss: String,
    sub: String,
    aud: Audience,
    exp: Number,
    iat: Number,
    nbf: Option<Number>,
    azp: Option<String>,
    nonce: Option<String>,
    at_hash: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Seconds since 1970; some providers write a fraction.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Broken(f64),
}

impl Number {
    fn seconds(self) -> i64 {
        match self {
            Number::Whole(n) => n,
            // Out of range it saturates, and is refused by what compares it.
            Number::Broken(n) => n as i64,
        }
    }
}

/// The keys of a set (RFC 7517, 5) that can be used here; others are passed over, as it asks.
pub fn keys(set: &Value) -> Vec<Jwk> {
    let all = set.get("keys").and_then(Value::as_array);
    let read = all.into_iter().flatten().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    read.filter(|key| ALGORITHMS.iter().any(|alg| fits(key, *alg))).take(MOST_KEYS).collect()
}

/// Whether a key is one of this algorithm, and is there to sign.
fn fits(key: &Jwk, alg: Algorithm) -> bool {
    let named = key.common.key_algorithm.is_none_or(|named| {
        matches!(
            (named, alg),
            (KeyAlgorithm::RS256, Algorithm::RS256)
                | (KeyAlgorithm::ES256, Algorithm::ES256)
                | (KeyAlgorithm::EdDSA, Algorithm::EdDSA)
        )
    });
    let kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => alg == Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) => alg == Algorithm::ES256 && ec.curve == EllipticCurve::P256,
        AlgorithmParameters::OctetKeyPair(ed) => alg == Algorithm::EdDSA && ed.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    named && kind && key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
}

/// What the token says, where it holds.
pub fn check(token: &str, keys: &[Jwk], expected: Expected<'_>, groups_claim: Option<&str>) -> Result<Claims, Bad> {
    if token.len() > LONGEST {
        return Err(Bad::Is("it is longer than any token"));
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Bad::Is("it is no signed token of a known sort"))?;
    let alg = header.alg;
    if !ALGORITHMS.contains(&alg) {
        return Err(Bad::Is("it is not signed with RS256, ES256 or EdDSA"));
    }
    if header.crit.is_some() {
        return Err(Bad::Is("it says that something must be understood which is not"));
    }
    let key = key_for(keys, alg, header.kid.as_deref())?;
    let key = DecodingKey::from_jwk(key).map_err(|_| Bad::Is("the provider's key cannot be used"))?;
    let mut validation = Validation::new(alg);
    // All of it is checked below, by the clock that we are given.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let raw = jsonwebtoken::decode::<Raw>(token, &key, &validation);
    let raw = raw.map_err(|_| Bad::Is("its signature is wrong, or it lacks what every one must say"))?.claims;
    holds(&raw, alg, expected).map_err(Bad::Is)?;
    Ok(claims(raw, groups_claim))
}

/// The key that the token names; without a name, the only one there is.
fn key_for<'k>(keys: &'k [Jwk], alg: Algorithm, kid: Option<&str>) -> Result<&'k Jwk, Bad> {
    let mut fitting = keys.iter().filter(|key| fits(key, alg));
    match kid {
        Some(kid) => fitting.find(|key| key.common.key_id.as_deref() == Some(kid)).ok_or(Bad::UnknownKey),
        None => match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(Bad::UnknownKey),
            (Some(_), Some(_)) => Err(Bad::Is("it does not say with which of several keys it is signed")),
        },
    }
}

fn holds(raw: &Raw, alg: Algorithm, expected: Expected<'_>) -> Result<(), &'static str> {
    if raw.iss != expected.issuer {
        return Err("it is from another issuer");
    }
    let for_us = match &raw.aud {
        Audience::One(one) => one == expected.client,
        // A token for others too could be handed on by them.
        Audience::Several(all) => matches!(all.as_slice(), [one] if one == expected.client),
    };
    if !for_us {
        return Err("it is not for this home alone");
    }
    if raw.azp.as_deref().is_some_and(|azp| azp != expected.client) {
        return Err("it was asked for by another client");
    }
    let Expected { now, begun, .. } = expected;
    if now >= raw.exp.seconds().saturating_add(SKEW) {
        return Err("it has expired");
    }
    let iat = raw.iat.seconds();
    if iat > now.saturating_add(SKEW) || raw.nbf.is_some_and(|nbf| nbf.seconds() > now.saturating_add(SKEW)) {
        return Err("it is from the future; is the clock of one of the two machines wrong?");
    }
    if iat < begun.saturating_sub(SKEW) {
        return Err("it was made before this sign-in was begun");
    }
    if !raw.nonce.as_deref().is_some_and(|nonce| secrets::same(nonce, expected.nonce)) {
        return Err("it was made for another sign-in");
    }
    if let (Some(said), Some(access)) = (&raw.at_hash, expected.access_token)
        && !secrets::same(said, &at_hash(alg, access))
    {
        return Err("it came with another access token than it was made with");
    }
    match !raw.sub.is_empty()
        && raw.sub.len() <= 255
        && raw.sub.is_ascii()
        && !raw.sub.contains(|c: char| c.is_ascii_control())
    {
        true => Ok(()),
        false => Err("it names nobody"),
    }
}

/// The left half of the digest that belongs to the algorithm (3.1.3.6).
fn at_hash(alg: Algorithm, access: &str) -> String {
    match alg {
        Algorithm::EdDSA => BASE64_URL_SAFE_NO_PAD.encode(&Sha512::digest(access)[..32]),
        _ => BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(access)[..16]),
    }
}

fn claims(raw: Raw, groups_claim: Option<&str>) -> Claims {
    let mut claims = Claims {
        names: Vec::new(),
        shown: None,
        email: None,
        groups: None,
        several_factors: raw.amr.iter().any(|how| how == "mfa"),
        subject: raw.sub,
    };
    claims.fill(&raw.rest, groups_claim);
    claims
}

impl Claims {
    /// Whether the token leaves out what the provider may say at its UserInfo endpoint (5.4: where there is an access token it may keep it for there).
    pub fn lacks(&self, groups_claim: Option<&str>) -> bool {
        self.names.is_empty() || (groups_claim.is_some() && self.groups.is_none())
    }

    /// Adds what an answer of that endpoint says. `false`: it is about somebody else, and nothing of it counts (5.3.2).
    pub fn add(&mut self, said: &Value, groups_claim: Option<&str>) -> bool {
        match said.as_object() {
            Some(said) if said.get("sub").and_then(Value::as_str) == Some(&self.subject) => {
                self.fill(said, groups_claim);
                true
            }
            _ => false,
        }
    }

    fn fill(&mut self, said: &serde_json::Map<String, Value>, groups_claim: Option<&str>) {
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let verified = said.get("email_verified").and_then(Value::as_bool) == Some(true);
        let email = text("email").filter(|_| verified);
        let local = email.and_then(|email| email.split_once('@')).map(|(local, _)| local);
        let names = [text("preferred_username"), text("nickname"), local, text("name")];
        if self.names.is_empty() {
            self.names = names.into_iter().flatten().map(str::to_owned).collect();
        }
        self.shown = self.shown.take().or(text("name").map(str::to_owned));
        self.email = self.email.take().or(email.map(str::to_owned));
        let groups = groups_claim.and_then(|claim| said.get(claim)).map(|value| match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).take(200).collect(),
            Value::String(one) => vec![one.clone()],
            _ => Vec::new(),
        });
        self.groups = self.groups.take().or(groups);
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;
    const EXPECTED: Expected<'_> = Expected {
        issuer: "https://id.example",
        client: "hearth",
        nonce: "n-1",
        access_token: Some("at"),
        begun: NOW - 20,
        now: NOW,
    };

    struct Signer {
        key: EncodingKey,
        public: Vec<u8>,
    }

    fn signer() -> Signer {
        let document = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
        let public = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap().public_key().as_ref().to_vec();
        Signer { key: EncodingKey::from_ed_der(document.as_ref()), public }
    }

    impl Signer {
        fn jwk(&self, kid: &str) -> Value {
            let x = BASE64_URL_SAFE_NO_PAD.encode(&self.public);
            json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x})
        }

        fn token(&self, kid: Option<&str>, claims: &Value) -> String {
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, claims, &self.key).unwrap()
        }
    }

    fn good() -> Value {
        json!({
            "iss": "https://id.example", "sub": "u-7", "aud": "hearth", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
            "at_hash": at_hash(Algorithm::EdDSA, "at"), "preferred_username": "ada", "email": "ada@home.example",
            "email_verified": true, "name": "Ada L.", "groups": ["family", "media"],
        })
    }

    fn with(change: Value) -> Value {
        let mut claims = good();
        for (name, value) in change.as_object().unwrap() {
            match value.is_null() {
                true => drop(claims.as_object_mut().unwrap().remove(name)),
                false => claims[name] = value.clone(),
            }
        }
        claims
    }

    #[test]
    fn what_a_good_token_says_is_taken() {
        let signer = signer();
        let keys = keys(&json!({"keys": [{"kty": "new-sort", "kid": "x"}, signer.jwk("a")]}));
        assert_eq!(keys.len(), 1);
        let read = |claims: &Value| check(&signer.token(Some("a"), claims), &keys, EXPECTED, Some("groups"));
        let claims = read(&good()).unwrap();
        assert_eq!((claims.subject.as_str(), claims.names.join(" ")), ("u-7", "ada ada Ada L.".into()));
        assert_eq!(
            (claims.email.as_deref(), claims.groups),
            (Some("ada@home.example"), Some(vec!["family".into(), "media".into()]))
        );
        assert!(!claims.several_factors && read(&with(json!({"amr": ["pwd", "mfa"]}))).unwrap().several_factors);
        for unverified in
            [json!({"email_verified": false}), json!({"email_verified": null}), json!({"email_verified": "true"})]
        {
            assert_eq!(read(&with(unverified)).unwrap().email, None);
        }
        for also in [
            json!({"aud": ["hearth"]}),
            json!({"azp": "hearth"}),
            json!({"at_hash": null}),
            json!({"exp": NOW - 30}),
            json!({"iat": NOW as f64 + 0.5}),
            json!({"groups": null}),
        ] {
            read(&with(also)).unwrap();
        }
        // The only key may go unnamed.
        check(&signer.token(None, &good()), &keys, EXPECTED, None).unwrap();
    }

    #[test]
    fn hostile_16_a_token_that_says_anything_else_is_refused() {
        let signer = signer();
        let keys = keys(&json!({"keys": [signer.jwk("a")]}));
        for change in [
            json!({"iss": "https://id.example/"}),
            json!({"iss": "https://other.example"}),
            json!({"aud": "other"}),
            json!({"aud": ["hearth", "other"]}),
            json!({"aud": []}),
            json!({"azp": "other"}),
            json!({"exp": NOW - 60}),
            json!({"exp": -1e300}),
            json!({"exp": null}),
            json!({"iat": NOW + 61}),
            json!({"iat": NOW - 81}),
            json!({"iat": null}),
            json!({"nbf": NOW + 61}),
            json!({"nonce": "n-2"}),
            json!({"nonce": null}),
            json!({"at_hash": at_hash(Algorithm::EdDSA, "another")}),
            json!({"sub": ""}),
            json!({"sub": "a\u{0}b"}),
            json!({"sub": "x".repeat(256)}),
            json!({"sub": null}),
        ] {
            let token = signer.token(Some("a"), &with(change.clone()));
            assert!(matches!(check(&token, &keys, EXPECTED, None), Err(Bad::Is(_))), "{change}");
        }
    }

    #[test]
    fn hostile_16_no_other_algorithm_and_no_other_key_signs() {
        let (signer, other) = (signer(), signer());
        let set = json!({"keys": [signer.jwk("a")]});
        let known = keys(&set);
        let parts: Vec<String> = signer.token(Some("a"), &good()).split('.').map(str::to_owned).collect();
        let b64 = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let refused = |token: &str| check(token, &known, EXPECTED, None).unwrap_err();
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None","kid":"a"}"#,
            r#"{"alg":"HS256","kid":"a"}"#,
            r#"{"alg":"ES384","kid":"a"}"#,
        ] {
            for signature in ["", parts[2].as_str()] {
                assert!(
                    matches!(refused(&format!("{}.{}.{signature}", b64(header), parts[1])), Bad::Is(_)),
                    "{header}"
                );
            }
        }
        // HMAC with what everybody can read: the public key, in each way that it is written.
        let raw = EncodingKey::from_secret(&signer.public);
        let text = EncodingKey::from_secret(signer.jwk("a")["x"].as_str().unwrap().as_bytes());
        let whole = EncodingKey::from_secret(set.to_string().as_bytes());
        for key in [raw, text, whole] {
            let header = Header { kid: Some("a".into()), ..Header::new(Algorithm::HS256) };
            let token = jsonwebtoken::encode(&header, &good(), &key).unwrap();
            assert!(matches!(refused(&token), Bad::Is(_)));
        }
        assert!(matches!(refused(&other.token(Some("a"), &good())), Bad::Is(_)), "another's signature");
        assert_eq!(refused(&other.token(Some("b"), &good())), Bad::UnknownKey);
        // RS256 said, an Ed25519 key named.
        let header = b64(r#"{"alg":"RS256","kid":"a"}"#);
        assert_eq!(refused(&format!("{header}.{}.{}", parts[1], parts[2])), Bad::UnknownKey);
        for broken in ["", ".", "..", "a.b.c", &parts[..2].join("."), &"x".repeat(20_000)] {
            assert!(matches!(refused(broken), Bad::Is(_)), "{broken:.20}");
        }
        // A set that holds a secret, a key to encrypt with, one of another curve: none of them is a key.
        let useless = json!({"keys": [
            {"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "OKP", "crv": "Ed25519", "use": "enc", "kid": "a", "x": signer.jwk("a")["x"]},
            {"kty": "EC", "crv": "P-384", "kid": "a", "x": "AA", "y": "AA"},
            {"kty": "RSA", "kid": "a", "alg": "RSA-OAEP", "n": "AA", "e": "AQAB"},
        ]});
        assert_eq!(keys(&useless), []);
        let two = keys(&json!({"keys": [signer.jwk("a"), other.jwk("b")]}));
        assert!(matches!(check(&signer.token(None, &good()), &two, EXPECTED, None), Err(Bad::Is(_))));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fall_over(text in "[A-Za-z0-9_.-]{0,200}") {
            let _ = check(&text, &[], EXPECTED, None);
        }
    }
}
