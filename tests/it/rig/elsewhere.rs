//! A device that is not this machine: a network namespace with one link to it.

use std::path::Path;

use super::door::{DOMAIN, Door, Page, page};
use super::{Running, Scratch, Skip};

/// Joined to this machine by a link with addresses `NET.1` here and `NET.2` there; gone when it is dropped.
pub struct Elsewhere<'s> {
    s: &'s Scratch,
    name: String,
    /// This machine's address on the link.
    pub here: String,
}

impl<'s> Elsewhere<'s> {
    /// `net` are the first three numbers of a /24; `link` is a name of at most 10 letters that no other test has.
    pub fn new(s: &'s Scratch, link: &str, net: &str) -> Result<Elsewhere<'s>, Skip> {
        if !rustix::process::getuid().is_root() {
            return Err(Skip("a network namespace takes root".into()));
        }
        let name = format!("{}-{link}", s.project);
        let there = Elsewhere { s, name, here: format!("{net}.1") };
        let peer = format!("{link}x");
        there.ip(&["netns", "add", &there.name])?;
        there.ip(&["link", "add", link, "type", "veth", "peer", "name", &peer, "netns", &there.name])?;
        there.ip(&["addr", "add", &format!("{net}.1/24"), "dev", link])?;
        there.ip(&["link", "set", link, "up"])?;
        let ns = there.name.as_str();
        there.ip(&["-n", ns, "addr", "add", &format!("{net}.2/24"), "dev", &peer])?;
        there.ip(&["-n", ns, "link", "set", &peer, "up"])?;
        there.ip(&["-n", ns, "link", "set", "lo", "up"])?;
        Ok(there)
    }

    fn run(&self, args: &[&str]) -> Running {
        let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
        let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
        Running::start(Path::new("ip"), &args, &self.s.dir, &env)
    }

    fn ip(&self, args: &[&str]) -> Result<(), Skip> {
        match self.s.noted(self.run(args)) {
            ran if ran.code == 0 => Ok(()),
            ran => Err(Skip(format!("no network namespaces here: {}", ran.err.trim()))),
        }
    }

    /// A program that runs there.
    pub fn start(&self, program: &[&str]) -> Running {
        self.run(&[&["netns", "exec", &self.name], program].concat())
    }

    /// One request by curl from there.
    pub fn curl(&self, args: &[&str]) -> Page {
        page(&self.s.noted(self.start(&[&["curl", "-sS", "-i", "--max-time", "10"], args].concat())))
    }

    /// One GET from there, of the first page of a host of a home, trusting that home's own CA.
    pub fn get(&self, door: &Door<'_>, host: &str, more: &[&str]) -> Page {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:{}", door.https, self.here);
        let ca = self.s.dir.join("state/ca/root.pem").display().to_string();
        let url = format!("https://{whole}:{}/", door.https);
        self.curl(&[&["--resolve", &at, "--cacert", &ca, &url][..], more].concat())
    }
}

/// One request by curl from within a running container, as a program in it would ask.
pub fn curl_in_container(s: &Scratch, container: &str, args: &[&str]) -> Page {
    let pid = s.docker_args(&["inspect", "-f", "{{.State.Pid}}", container]).ok().out.trim().to_owned();
    let fixed = ["--net", "--target", &pid, "curl", "-sS", "-i", "--max-time", "10"];
    let args: Vec<String> = fixed.iter().chain(args).map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
    page(&s.noted(Running::start(Path::new("nsenter"), &args, &s.dir, &env)))
}

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        // The link goes with one of its ends.
        let _ = self.ip(&["netns", "del", &self.name]);
    }
}
