//! A device that holds passkeys, in software: makes and shows them as Web Authentication Level 3 has it (6.1, 6.5), rightly or as a test wants.

use aws_lc_rs::rand as entropy;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn b64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A device with one key, and how it behaves.
pub struct Device {
    pair: EcdsaKeyPair,
    pub id: Vec<u8>,
    /// What the page calls itself.
    pub origin: String,
    /// The name that the key is for.
    pub zone: String,
    /// Whether it has looked who touches it.
    pub verifies: bool,
    /// What else the browser says of the page.
    pub says: Value,
    pub counter: u32,
    pub handle: String,
}

impl Device {
    pub fn new(id: &[u8], origin: &str) -> Device {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &entropy::SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        let (origin, zone) = (origin.to_owned(), "home.example".to_owned());
        let says = json!({"crossOrigin": false});
        Device { pair, id: id.to_vec(), origin, zone, verifies: true, says, counter: 1, handle: String::new() }
    }

    fn client_data(&self, sort: &str, challenge: &str) -> Vec<u8> {
        let mut said = json!({"type": sort, "challenge": challenge, "origin": self.origin});
        said.as_object_mut().unwrap().extend(self.says.as_object().unwrap().clone());
        said.to_string().into_bytes()
    }

    fn head(&self, made: bool) -> Vec<u8> {
        let mut data = Sha256::digest(&self.zone).to_vec();
        // User present, user verified, a key follows.
        data.push(1 | if self.verifies { 4 } else { 0 } | if made { 0x40 } else { 0 });
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// Makes the key, as it was asked to.
    pub fn make(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].as_str().unwrap().to_owned();
        let challenge = options["challenge"].as_str().unwrap();
        let point = self.pair.public_key().as_ref();
        let mut data = self.head(true);
        data.extend([0; 16]);
        data.extend((self.id.len() as u16).to_be_bytes());
        data.extend(&self.id);
        // COSE: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..]);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x59");
        object.extend((data.len() as u16).to_be_bytes());
        object.extend(data);
        json!({
            "id": b64(&self.id), "rawId": b64(&self.id), "type": "public-key", "extensions": {},
            "response": {"attestationObject": b64(&object), "clientDataJSON": b64(&self.client_data("webauthn.create", challenge))},
        })
    }

    /// Shows the key, as it was asked to.
    pub fn show(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let client = self.client_data("webauthn.get", options["challenge"].as_str().unwrap());
        let data = self.head(false);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client));
        let signature = self.pair.sign(&entropy::SystemRandom::new(), &signed).unwrap();
        json!({
            "id": b64(&self.id), "rawId": b64(&self.id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": b64(&data), "clientDataJSON": b64(&client), "signature": b64(signature.as_ref()),
                "userHandle": self.handle,
            },
        })
    }
}
