//! A real provider of OpenID Connect, with two people: `oidc-provider` on Node.js, at the versions that scripts/npmtools pins.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use super::command::Program;
use super::scratch::script_with;
use super::{Scratch, Skip, TestCa, curl, until};

/// What it is made of; `Err`: it cannot be had.
fn folder() -> Result<&'static Path, Skip> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| script_with("npmtool", &["oidc-provider"], &[]).map(PathBuf::from));
    found.as_deref().map_err(|why| Skip(format!("no provider here ({})", why.lines().last().unwrap_or_default())))
}

/// It ends when it is dropped.
pub struct Provider {
    _program: Program,
}

impl Provider {
    /// The secret of the client `hearth`.
    pub const SECRET: &str = "w8Kq3vZt5Yb1Nc7Rf9Lm2Xh4Jd6Pg0Ts";

    /// Starts it at a port of localhost, with a certificate of `ca`. `callback`: where it may send people back to.
    pub fn start(s: &Scratch, ca: &TestCa, port: u16, callback: &str) -> Result<Provider, Skip> {
        let folder = folder()?.display().to_string();
        let (chain, key) = ca.issue("provider", &["localhost"]);
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rig/provider.mjs");
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let args = [
            &program.display().to_string(),
            &folder,
            &port.to_string(),
            &chain,
            &key,
            "hearth",
            Self::SECRET,
            callback,
        ];
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let path = std::env::var("PATH").unwrap_or_default();
        let dir = s.beside("provider-runs");
        std::fs::create_dir_all(&dir).expect("a folder can be made in a temporary folder");
        let started = Program::start(Path::new("node"), &args, &dir, &[("PATH", &path)]);
        let url = format!("https://localhost:{port}/.well-known/openid-configuration");
        let up = until(Duration::from_secs(30), || curl(s, &["-k", &url]).status == 200);
        assert!(up, "the provider does not answer");
        Ok(Provider { _program: started })
    }
}
