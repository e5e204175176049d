//! The root as Apple's devices take it: a configuration profile.

use base64::Engine;
use sha2::{Digest, Sha256};

use super::local::LocalCa;

/// The profile's text. The same root gives the same identifiers, so that installing it again replaces it.
pub fn of(ca: &LocalCa) -> String {
    let root = ca.root_der();
    let content = base64::prelude::BASE64_STANDARD.encode(root);
    let lines: Vec<String> =
        content.as_bytes().chunks(64).map(|l| format!("\t\t\t{}", String::from_utf8_lossy(l))).collect();
    let (profile, payload) = (uuid(root, "profile"), uuid(root, "payload"));
    let short: String = ca.fingerprint().chars().filter(|c| *c != ':').take(8).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>hearth-ca.crt</string>
			<key>PayloadContent</key>
			<data>
{lines}
			</data>
			<key>PayloadDisplayName</key>
			<string>Hearth local CA {short}</string>
			<key>PayloadDescription</key>
			<string>Makes this device trust the addresses of one home.</string>
			<key>PayloadIdentifier</key>
			<string>app.hearth.local-ca.{payload}</string>
			<key>PayloadType</key>
			<string>com.apple.security.root</string>
			<key>PayloadUUID</key>
			<string>{payload}</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
		</dict>
	</array>
	<key>PayloadDisplayName</key>
	<string>Hearth local CA {short}</string>
	<key>PayloadDescription</key>
	<string>Makes this device trust the addresses of one home. It can vouch for private addresses and for the home's own names only.</string>
	<key>PayloadIdentifier</key>
	<string>app.hearth.local-ca</string>
	<key>PayloadRemovalDisallowed</key>
	<false/>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>{profile}</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
"#,
        lines = lines.join("\n")
    )
}

/// RFC 9562, version 8: a hash of our own choice.
fn uuid(root: &[u8], what: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(root);
    hash.update(what);
    let mut b: [u8; 16] = [0; 16];
    b.copy_from_slice(&hash.finalize()[..16]);
    b[6] = b[6] & 0x0f | 0x80;
    b[8] = b[8] & 0x3f | 0x80;
    let hex: String = b.iter().map(|b| format!("{b:02X}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SystemClock;

    fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
        text.split_once(from).unwrap().1.split_once(to).unwrap().0
    }

    #[test]
    fn the_profile_holds_the_root_and_is_the_same_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let ca = LocalCa::open(&dir.path().join("a"), &[], &SystemClock).unwrap();
        let profile = of(&ca);
        assert_eq!(profile, of(&ca));
        let data: String = between(&profile, "<data>", "</data>").split_whitespace().collect();
        assert_eq!(base64::prelude::BASE64_STANDARD.decode(data).unwrap(), ca.root_der().to_vec());
        let uuids: Vec<&str> =
            profile.split("PayloadUUID</key>").skip(1).map(|rest| between(rest, "<string>", "</string>")).collect();
        assert!(uuids.len() == 2 && uuids[0] != uuids[1] && uuids.iter().all(|u| u.len() == 36), "{uuids:?}");
        let other = LocalCa::open(&dir.path().join("b"), &[], &SystemClock).unwrap();
        assert!(uuids.iter().all(|uuid| !of(&other).contains(uuid)));
        for tag in ["dict", "array", "key", "string", "data", "integer", "plist"] {
            let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
            let opened = profile.matches(&open).count();
            assert_eq!(opened, profile.matches(&close).count(), "{tag}");
        }
    }
}
