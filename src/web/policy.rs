//! The Content-Security-Policy of pages: nothing from elsewhere, nothing written into a page, but the style sheet that is named by its content.

use std::fmt;
use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine;

use super::style_source;
use crate::base::random::{self, Random};

/// For one answer: a script of that page that makes styles by itself, as editors and terminals do, gives them this word, which nobody can guess.
///
/// ```text
/// let nonce = Nonce::new(&SystemRandom);
/// <script src="…" nonce="{{ nonce }}" defer></script>       in the template; the script has it as document.currentScript.nonce
/// nonce.allow(page(&headers, &shown))
/// ```
#[derive(Debug, Clone)]
pub struct Nonce(String);

impl Nonce {
    pub fn new(random: &dyn Random) -> Nonce {
        Nonce(base64::prelude::BASE64_STANDARD.encode(random::bytes::<18>(random)))
    }

    /// The answer, in which styles with this word count.
    pub fn allow(&self, mut answer: Response) -> Response {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(&format!(" 'nonce-{}'", self.0)));
        answer
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Of every answer that has none of its own.
pub(super) fn usual() -> HeaderValue {
    static USUAL: OnceLock<HeaderValue> = OnceLock::new();
    USUAL.get_or_init(|| policy("")).clone()
}

/// `styles`: what besides may style a page.
fn policy(styles: &str) -> HeaderValue {
    let text = format!(
        "default-src 'none'; style-src 'self' {}{styles}; script-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        style_source()
    );
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;
    use crate::base::random::SystemRandom;

    #[test]
    fn a_nonce_is_for_the_styles_of_one_answer() {
        let (one, other) = (Nonce::new(&SystemRandom), Nonce::new(&SystemRandom));
        assert!(one.to_string().len() == 24 && one.to_string() != other.to_string());
        let answer = one.allow(().into_response());
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        let of = |kind: &str| policy.split("; ").find(|part| part.starts_with(kind)).unwrap().to_owned();
        assert!(of("style-src").ends_with(&format!(" 'nonce-{one}'")), "{policy}");
        assert_eq!(of("script-src"), "script-src 'self'");
        assert_eq!(policy.replace(&format!(" 'nonce-{one}'"), ""), usual().to_str().unwrap());
    }
}
