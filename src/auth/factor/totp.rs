//! Codes that an app and we make of one secret and the time (RFC 6238): six digits, each 30 s, SHA-1, as every app knows them.

use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Totp};

use crate::base::random::{Random, bytes};
use crate::base::secret::Secret;
use crate::diag::{Diagnostic, Kind};

/// Bytes of a secret (RFC 4226: 20 recommended).
pub const SECRET: usize = 20;
const STEP: u64 = 30;
/// Steps before and after the present one that are taken too: clocks differ, and people type slowly.
const SKEW: u16 = 1;
/// Whose code it is, in the app.
const ISSUER: &str = "Hearth";

/// A new secret.
pub fn secret(random: &dyn Random) -> [u8; SECRET] {
    bytes(random)
}

/// What a person needs to set the app up: shown once, while they do.
#[derive(Debug, Clone)]
pub struct Provisioning {
    /// `otpauth://totp/...`, for a link on the phone itself.
    pub url: Secret,
    /// The secret in base32, for typing.
    pub key: Secret,
    /// The URL as a QR code, an `<svg>` element.
    pub svg: Secret,
}

pub fn provisioning(secret: &[u8], account: &str) -> Result<Provisioning, Diagnostic> {
    let totp = of(secret, account)?;
    let url = totp.to_url().map_err(|_| unusable())?;
    let svg = drawn(&url).ok_or_else(unusable)?;
    Ok(Provisioning { svg, key: Secret::new(totp.secret().to_base32()), url: Secret::new(url) })
}

/// A text as a QR code, an `<svg>` element; `None` where it is too long for one.
pub fn drawn(text: &str) -> Option<Secret> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // Without its XML declaration it can stand in a page.
    Some(Secret::new(drawn.split_once("?>").map_or(drawn.as_str(), |(_, rest)| rest)))
}

/// The step that a code belongs to, where it holds at `now` (seconds since 1970) and is later than `last`, the step of the last code that
/// was taken: each is good once.
pub fn check(secret: &[u8], code: &str, now: i64, last: Option<i64>) -> Result<Option<i64>, Diagnostic> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let Ok(now) = u64::try_from(now) else { return Ok(None) };
    let step = of(secret, "")?.check(&code, now).and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| last.is_none_or(|last| *step > last)))
}

/// The code of a moment: what the app shows.
#[cfg(test)]
pub fn code(secret: &[u8], now: i64) -> String {
    of(secret, "").unwrap().generate(u64::try_from(now).unwrap()).to_string()
}

fn of(secret: &[u8], account: &str) -> Result<Totp, Diagnostic> {
    // A colon would end the issuer's part of the label.
    let account = account.replace(':', "_");
    let builder = Builder::new().with_secret(secret.to_vec()).with_skew(SKEW).with_step_duration(STEP);
    builder.with_account_name(account).with_issuer(Some(ISSUER)).build().map_err(|_| unusable())
}

fn unusable() -> Diagnostic {
    Diagnostic::error("auth.damaged-factor", "the second factor of this account cannot be used")
        .kind(Kind::Failed)
        .hint("take it away: hearth users second-factor NAME off; then set it up again")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        // Its table has eight digits; six are their end.
        for (now, of_eight) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")] {
            assert_eq!(code(secret, now), of_eight[2..]);
        }
    }

    #[test]
    fn a_code_is_good_once_and_a_step_before_and_after() {
        let secret = secret(&SystemRandom);
        let now = 1_780_000_000;
        let shown = code(&secret, now);
        let step = check(&secret, &shown, now, None).unwrap().expect("it is the code of now");
        assert_eq!(step, now / 30);
        assert_eq!(check(&secret, &shown, now, Some(step)).unwrap(), None, "replayed");
        assert_eq!(check(&secret, &shown, now, Some(step - 1)).unwrap(), Some(step));
        assert!(check(&secret, &shown, now + 30, None).unwrap().is_some());
        assert!(check(&secret, &shown, now - 30, None).unwrap().is_some());
        assert_eq!(check(&secret, &shown, now + 300, None).unwrap(), None);
        assert_eq!(
            check(&secret, &code(&secret, now - 30), now, Some(step)).unwrap(),
            None,
            "an older one than the last"
        );
        let spaced = format!("{} {}", &shown[..3], &shown[3..]);
        assert!(check(&secret, &spaced, now, None).unwrap().is_some(), "as apps show it");
    }

    #[test]
    fn an_app_is_set_up_by_link_key_or_picture() {
        let set = provisioning(b"12345678901234567890", "anna:berg").unwrap();
        assert_eq!(set.key.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let url = set.url.expose();
        assert!(url.starts_with("otpauth://totp/Hearth:anna_berg?secret=GEZDGNBVGY3TQOJQ"), "{url}");
        assert!(url.contains("issuer=Hearth"));
        assert!(set.svg.expose().starts_with("<svg") && set.svg.expose().ends_with("</svg>"));
    }

    proptest! {
        #[test]
        fn any_text_is_no_code_and_nothing_falls_over(text in ".{0,40}", now in any::<i64>()) {
            if !text.chars().filter(|c| !c.is_whitespace()).all(|c| c.is_ascii_digit()) {
                prop_assert_eq!(check(&[1; SECRET], &text, now, None).unwrap(), None);
            }
        }
    }
}
