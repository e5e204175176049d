//! Whether an authority is in reach, asked as a person would: its directory, and nothing more.

use serde_json::Value;
use time::OffsetDateTime;

use super::Issuer;
use super::http::Client;

/// What an authority says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// What its clock said, to the second.
    pub date: Option<OffsetDateTime>,
    pub profiles: Vec<String>,
}

impl Issuer {
    /// Asks for a directory. `Err`: why it is of no use, in words.
    pub async fn directory(&self, url: &str) -> Result<Directory, String> {
        let client = Client::new(&self.tls, self.clock.clone());
        let (status, date, body) = client.get(url).await?;
        let profiles = read(status, &body)?;
        Ok(Directory { date, profiles })
    }
}

/// The profiles of a directory that has what an order needs.
fn read(status: u16, body: &[u8]) -> Result<Vec<String>, String> {
    if status != 200 {
        return Err(format!("it answers with status {status} where its directory should be"));
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| "what it answers is no ACME directory".to_owned())?;
    let missing = ["newNonce", "newAccount", "newOrder"].into_iter().find(|key| !value[key].is_string());
    if let Some(key) = missing {
        return Err(format!("what it answers is no ACME directory: there is no {key} in it"));
    }
    let profiles = value["meta"]["profiles"].as_object();
    Ok(profiles.map(|all| all.keys().cloned().collect()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_directory_is_told_from_a_routers_welcome() {
        let good = br#"{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/o","meta":{"profiles":{"classic":"x"}}}"#;
        assert_eq!(read(200, good).unwrap(), ["classic"]);
        assert!(read(200, b"<html>Welcome</html>").unwrap_err().contains("no ACME directory"));
        assert!(read(200, b"{}").unwrap_err().contains("newNonce"));
        assert!(read(503, b"").unwrap_err().contains("503"));
    }
}
