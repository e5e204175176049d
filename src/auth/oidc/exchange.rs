//! From the code that somebody came back with to what the provider says of them (OpenID Connect Core 1.0, 3.1.3).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::provider::Endpoints;
use super::token::{self, Bad, Claims, Expected};
use super::{Back, Begun, Oidc, Purpose, With, words};
use crate::base::secret::Secret;
use crate::diag::Diagnostic;

impl Oidc {
    /// What the provider says about whom it sent.
    pub(super) async fn claims(&self, with: &With, back: &Back, begun: &Begun) -> Result<Claims, Diagnostic> {
        let With { settings, provider, .. } = with;
        let endpoints = provider.endpoints().await?;
        // RFC 9207: an answer of another provider than the one that was asked.
        match &back.iss {
            Some(iss) if *iss != settings.issuer => {
                return Err(words::bad_token(&settings.name, "the answer is another provider's"));
            }
            None if endpoints.says_issuer => {
                return Err(words::bad_token(&settings.name, "the answer does not say whose it is"));
            }
            _ => {}
        }
        if let Some(error) = &back.error {
            return Err(words::declined(&settings.name, error));
        }
        if back.code.is_empty() || back.code.len() > 2048 {
            return Err(words::begin_again());
        }
        let (id_token, access) = self.redeem(with, &endpoints, &back.code, begun).await?;
        let expected = Expected {
            issuer: &settings.issuer,
            client: &settings.client_id,
            nonce: begun.nonce.expose(),
            access_token: access.as_ref().map(Secret::expose),
            begun: begun.at.div_euclid(1000),
            now: self.now().div_euclid(1000),
        };
        let groups = settings.groups_claim.as_deref();
        let keys = provider.keys(false).await?;
        let checked = match token::check(id_token.expose(), &keys, expected, groups) {
            // It may have changed its keys: once it is asked for them.
            Err(Bad::UnknownKey) => token::check(id_token.expose(), &provider.keys(true).await?, expected, groups),
            other => other,
        };
        let bad = |why: &str| words::bad_token(&settings.name, why);
        let mut claims = checked.map_err(|is| match is {
            Bad::UnknownKey => bad("it is signed with a key that the provider does not have"),
            Bad::Is(why) => bad(why),
        })?;
        if let (Some(at), Some(access)) = (&endpoints.userinfo, &access)
            && begun.purpose == Purpose::SignIn
            && claims.lacks(groups)
        {
            let said = provider.userinfo(at, access).await?;
            if !claims.add(&said, groups) {
                return Err(bad("what it says beside it is about somebody else"));
            }
        }
        Ok(claims)
    }

    /// The ID token for a code, and the access token beside it.
    async fn redeem(
        &self,
        with: &With,
        endpoints: &Endpoints,
        code: &str,
        begun: &Begun,
    ) -> Result<(Secret, Option<Secret>), Diagnostic> {
        let With { settings, secret, provider } = with;
        let basic = secret.as_ref().filter(|_| endpoints.basic).map(|secret| basic(&settings.client_id, secret));
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code), ("code_verifier", begun.verifier.expose())];
        let back = self.back();
        fields.push(("redirect_uri", &back));
        if basic.is_none() {
            fields.push(("client_id", &settings.client_id));
            fields.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose())));
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers: Vec<(&'static str, &str)> = basic.iter().map(|basic| ("authorization", basic.expose())).collect();
        let (status, said) = provider.redeem(&endpoints.token, &headers, form).await?;
        let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str);
        match (status, text("id_token")) {
            (200, Some(token)) => Ok((Secret::new(token), text("access_token").map(Secret::new))),
            (200, None) => Err(words::misled(&settings.name, "it gave no ID token")
                .hint("is it a provider of OpenID Connect, and not of OAuth alone?")),
            (500.., _) => Err(words::away(&settings.name, &format!("it answers with status {status}"))),
            (300..400, _) => Err(words::misled(
                &settings.name,
                "its token endpoint is said to be elsewhere: redirects are not followed",
            )),
            _ => Err(words::client_refused(&settings.name, text("error").unwrap_or_default())),
        }
    }
}

/// HTTP Basic as OAuth has it (RFC 6749, 2.3.1): both parts are encoded as in a form first.
pub(super) fn basic(client: &str, secret: &Secret) -> Secret {
    let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", part(client), part(secret.expose())))))
}
