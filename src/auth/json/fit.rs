//! Texts as calls of people take them. What is read is what is described: each carries its rule's own pattern and lengths, which stand beside the rule
//! in `accounts::words`, `accounts::tokens` and `passwords`; the rule itself refuses, in its own words.

use std::borrow::Cow;

use serde::Deserialize;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::auth::accounts::{only, tokens, words};
use crate::auth::passwords::{EXAMPLE, LONGEST, SHORTEST};
use crate::base::secret::Secret;

/// A text and how it is described: lengths in characters, a pattern where there is one, an example.
macro_rules! texts {
    ($($(#[doc = $about:literal])+ $name:ident: $least:expr, $most:expr, $pattern:expr, $example:literal;)*) => { $(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                described(concat!($($about),+), $least, $most, $pattern, $example)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )* };
}

texts! {
    /// A user name: letters, digits, `.`, `_` and `-`. Capitals are the same as small letters.
    UserName: 1, 32, Some(words::USER_NAME), "ada";
    /// A group's name: letters, digits, `_` and `-`.
    GroupName: 1, 32, Some(words::GROUP_NAME), "family";
    /// An e-mail address; empty: none.
    Email: 0, words::LONGEST_EMAIL, Some(words::EMAIL), "ada@example.org";
    /// One line for people to read.
    Label: 1, 100, Some(words::LABEL), "Ada L.";
    /// One line for people to read, or nothing.
    Note: 0, 200, Some(words::NOTE), "for the kitchen tablet";
    /// `read`, `operate`, `admin`; or `route:SERVICE` for the paths of a service that take a token.
    Scope: 1, 134, Some(tokens::SCOPE), "read";
    /// A service that a route leads to, or the key of a route in `hearth.yaml`.
    ServiceName: 1, 128, Some(only::SERVICE), "photos";
}

/// A password to be: long enough, and not among those that are tried first, which no pattern can say.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    pub fn of(text: String) -> Password {
        Password(text)
    }

    pub fn secret(self) -> Secret {
        Secret::new(self.0)
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        let about = " A password to be: long enough, and not among those that are tried first.";
        match described(about, SHORTEST, LONGEST, None, EXAMPLE) {
            RefOr::T(Schema::Object(mut object)) => {
                object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Password));
                RefOr::T(Schema::Object(object))
            }
            other => other,
        }
    }
}

impl ToSchema for Password {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NewPassword")
    }
}

fn described(about: &str, least: usize, most: usize, pattern: Option<&str>, example: &str) -> RefOr<Schema> {
    let object = ObjectBuilder::new().schema_type(Type::String).description(Some(about.trim()));
    let object = object.min_length((least > 0).then_some(least)).max_length(Some(most)).pattern(pattern);
    object.examples([serde_json::json!(example)]).build().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::passwords::{About, judge};

    #[test]
    fn examples_are_taken() {
        assert!(judge(EXAMPLE, About::default()).is_err(), "what stands in the documentation is no secret");
        for schema in
            [UserName::schema(), GroupName::schema(), Email::schema(), Label::schema(), Note::schema(), Scope::schema()]
        {
            let schema = serde_json::to_value(schema).unwrap();
            let example = schema["examples"][0].as_str().unwrap();
            let pattern = regex::Regex::new(schema["pattern"].as_str().unwrap()).unwrap();
            assert!(pattern.is_match(example), "{schema}");
        }
    }
}
