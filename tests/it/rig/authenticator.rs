//! A device that holds passkeys, as Chromium has one for tests (Web Authentication Level 3, 12): driven over WebDriver.

use serde_json::{Value, json};

use super::Browser;

/// One in a browser; it ends with that.
pub struct Authenticator<'b> {
    browser: &'b Browser,
    id: String,
}

impl<'b> Authenticator<'b> {
    /// A device of the computer itself, which knows its owner.
    pub fn add(browser: &'b Browser) -> Authenticator<'b> {
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true,
        });
        let id = browser.session("POST", "/webauthn/authenticator", &device).expect("Chromium has a virtual one");
        Authenticator { browser, id: id.as_str().unwrap_or_default().to_owned() }
    }

    /// Whether it finds that it is its owner who touches it.
    pub fn verifies(&self, yes: bool) {
        let path = format!("/webauthn/authenticator/{}/uv", self.id);
        self.browser.session("POST", &path, &json!({ "isUserVerified": yes })).expect("it can be said");
    }

    /// How many keys it holds.
    pub fn credentials(&self) -> usize {
        let path = format!("/webauthn/authenticator/{}/credentials", self.id);
        let all = self.browser.session("GET", &path, &Value::Null).expect("it says so");
        all.as_array().map_or(0, Vec::len)
    }
}
