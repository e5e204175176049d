//! A provider on loopback that does what a test wants, good or bad: real HTTP, real signatures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand as entropy;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One pair of keys.
#[derive(Clone)]
pub struct Signer {
    pub alg: Algorithm,
    pub kid: String,
    key: EncodingKey,
    public: Value,
}

impl Signer {
    pub fn new(alg: Algorithm, kid: &str) -> Signer {
        let b64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let random = entropy::SystemRandom::new();
        let (key, public) = match alg {
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let document: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let pem = format!(
                    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                    BASE64_STANDARD.encode(document.as_ref())
                );
                let public = pair.public_key();
                let (n, e) = (
                    public.modulus().big_endian_without_leading_zero(),
                    public.exponent().big_endian_without_leading_zero(),
                );
                (EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), json!({"kty": "RSA", "n": b64(n), "e": b64(e)}))
            }
            Algorithm::ES256 => {
                let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
                let point = pair.public_key().as_ref();
                let public = json!({"kty": "EC", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..])});
                (EncodingKey::from_ec_der(document.as_ref()), public)
            }
            _ => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
                let public = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key().as_ref())});
                (EncodingKey::from_ed_der(document.as_ref()), public)
            }
        };
        Signer { alg, kid: kid.to_owned(), key, public }
    }

    fn jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(self.alg) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// What it does; a test changes it at any time.
pub struct Manner {
    pub signer: Signer,
    /// Changes to its description.
    pub description: Value,
    /// Changes to the claims of the next tokens; null takes one away.
    pub claims: Value,
    /// What it says at its UserInfo endpoint.
    pub said: Value,
    /// Instead of a signed token.
    pub token: Option<String>,
    /// Before every answer.
    pub slow: Duration,
    /// So many bytes more in every answer.
    pub huge: usize,
    /// Answers to everything with this instead.
    pub instead: Option<(u16, &'static str)>,
    /// Seconds since 1970.
    pub now: i64,
    codes: HashMap<String, (String, String)>,
    /// What it was asked, in order.
    pub asked: Vec<&'static str>,
    /// How the client said who it is.
    pub client: Option<String>,
}

#[derive(Clone)]
pub struct Rogue {
    pub issuer: String,
    pub manner: Arc<Mutex<Manner>>,
}

impl Rogue {
    pub async fn start(alg: Algorithm, now: i64) -> Rogue {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let manner = Manner {
            signer: Signer::new(alg, "k1"),
            description: json!({}),
            claims: json!({}),
            said: json!({}),
            token: None,
            slow: Duration::ZERO,
            huge: 0,
            instead: None,
            now,
            codes: HashMap::new(),
            asked: Vec::new(),
            client: None,
        };
        let rogue = Rogue { issuer, manner: Arc::new(Mutex::new(manner)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(userinfo))
            .with_state(rogue.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        rogue
    }

    pub fn set(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.manner.lock().unwrap());
    }

    pub fn asked(&self, what: &str) -> usize {
        self.manner.lock().unwrap().asked.iter().filter(|asked| **asked == what).count()
    }

    /// Somebody signs in where they were sent; the code that they come back with.
    pub fn authorize(&self, location: &str) -> HashMap<String, String> {
        let (_, query) = location.split_once('?').unwrap();
        let mut sent: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!((sent["response_type"].as_str(), sent["code_challenge_method"].as_str()), ("code", "S256"));
        let code = format!("code-{}", sent["state"]);
        let mut manner = self.manner.lock().unwrap();
        manner.codes.insert(code.clone(), (sent["nonce"].clone(), sent["code_challenge"].clone()));
        sent.insert("code".into(), code);
        sent
    }

    async fn answer(&self, what: &'static str, body: Value, status: u16) -> Response {
        let (slow, huge, instead) = {
            let mut manner = self.manner.lock().unwrap();
            manner.asked.push(what);
            (manner.slow, manner.huge, manner.instead)
        };
        tokio::time::sleep(slow).await;
        if let Some((status, location)) = instead {
            return (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location)]).into_response();
        }
        let mut body = body;
        if huge > 0 {
            body["more"] = json!("x".repeat(huge));
        }
        (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
    }
}

fn changed(mut all: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        match value.is_null() {
            true => drop(all.as_object_mut().unwrap().remove(name)),
            false => all[name] = value.clone(),
        }
    }
    all
}

async fn describe(State(rogue): State<Rogue>) -> Response {
    let at = |path: &str| format!("{}{path}", rogue.issuer);
    let description = json!({
        "issuer": rogue.issuer, "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
        "code_challenge_methods_supported": ["S256"],
    });
    let description = changed(description, &rogue.manner.lock().unwrap().description);
    rogue.answer("description", description, 200).await
}

async fn keys(State(rogue): State<Rogue>) -> Response {
    let key = rogue.manner.lock().unwrap().signer.jwk();
    rogue.answer("keys", json!({ "keys": [key] }), 200).await
}

async fn userinfo(State(rogue): State<Rogue>, headers: HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let said = rogue.manner.lock().unwrap().said.clone();
    match bearer {
        Some("Bearer an access token") => rogue.answer("userinfo", said, 200).await,
        _ => rogue.answer("userinfo", json!({}), 401).await,
    }
}

async fn token(State(rogue): State<Rogue>, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let answer = {
        let mut manner = rogue.manner.lock().unwrap();
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        manner.client = said.map(str::to_owned).or(form.get("client_secret").cloned());
        let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let code = form.get("code").and_then(|code| manner.codes.remove(code));
        code.filter(|(_, expected)| *expected == challenge).map(|(nonce, _)| {
            let claims = json!({
                "iss": rogue.issuer, "sub": "subject-1", "aud": "hearth", "iat": manner.now, "exp": manner.now + 300, "nonce": nonce,
                "preferred_username": "ada", "email": "ada@home.example", "email_verified": true,
            });
            let claims = changed(claims, &manner.claims);
            let token = manner.token.clone().unwrap_or_else(|| manner.signer.sign(&claims));
            json!({"access_token": "an access token", "token_type": "Bearer", "id_token": token})
        })
    };
    match answer {
        Some(answer) => rogue.answer("token", answer, 200).await,
        None => rogue.answer("token", json!({"error": "invalid_grant"}), 400).await,
    }
}
