//! Why another server gave no answer, in words that help.

use std::error::Error;

/// The host, and the end of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} cannot be reached: {why}")]
pub struct Trouble {
    host: String,
    why: String,
}

impl Trouble {
    pub fn new(host: &str, why: &str) -> Trouble {
        Trouble { host: host.to_owned(), why: why.to_owned() }
    }

    /// From what the network or TLS said.
    pub fn of(host: &str, error: &(dyn Error + 'static)) -> Trouble {
        Trouble { host: host.to_owned(), why: words(error) }
    }
}

/// What an error and those behind it say, for somebody who looks after a home.
pub fn words(error: &(dyn Error + 'static)) -> String {
    let mut chain = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        chain.push(error.to_string());
        next = error.source();
    }
    let all = chain.join(": ");
    match all.as_str() {
        s if s.contains("dns error") || s.contains("lookup") => "its name cannot be looked up".to_owned(),
        s if s.contains("refused") => "the connection was refused".to_owned(),
        s if s.contains("Expired") || s.contains("NotValidYet") => {
            "its certificate is not valid at this machine's time; is the clock right?".to_owned()
        }
        s if s.contains("UnknownIssuer") || s.contains("BadSignature") => {
            "its certificate is from an authority that this machine does not trust".to_owned()
        }
        s if s.contains("NotValidForName") => "its certificate is for another name".to_owned(),
        s if s.contains("certificate") => "its certificate is not well made".to_owned(),
        s if s.contains("unreachable") => "there is no way to it on the network".to_owned(),
        _ => chain.pop().unwrap_or_default(),
    }
}
