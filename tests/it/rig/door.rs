//! A home in domain mode with a Traefik of its own, on free ports of this machine, and a browser's view of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Done, Ran, Running, Scratch, Skip, described, free_port, until};

const TRAEFIK: &str = "traefik:v3.7";
/// An image of the hearth that is tested.
pub const HEARTH: &str = if cfg!(debug_assertions) { "hearth-test/hearth:1" } else { "hearth-test/hearth:release" };
/// Under which every test's names are.
pub const DOMAIN: &str = "it.home.arpa";

pub struct Door<'s> {
    pub s: &'s Scratch,
    pub http: u16,
    pub https: u16,
}

/// A `hearth serve` that ends with its test; what it said is in the report of a failure.
pub struct Serve<'s> {
    s: &'s Scratch,
    running: Option<Running>,
}

impl Serve<'_> {
    /// Ends it in order; what it said.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        self.signal(rustix::process::Signal::TERM).ok()
    }

    /// Waits for one that ends by itself.
    pub fn ended(mut self) -> Ran {
        let running = self.running.take().expect("it is ended once");
        self.s.noted(running)
    }

    /// As if the power went.
    pub fn kill(mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    /// The token of the link by which the first admin is made.
    pub fn setup_token(&self) -> String {
        let running = self.running.as_ref().expect("it runs");
        let found = || running.said().split("/setup?token=").nth(1)?.split_whitespace().next().map(str::to_owned);
        assert!(until(Duration::from_secs(10), || found().is_some()), "it prints no link: {}", running.said());
        found().unwrap_or_default()
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> Ran {
        let running = self.running.take().expect("it is ended once");
        running.signal(signal);
        self.s.noted(running)
    }
}

impl Drop for Serve<'_> {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.signal(rustix::process::Signal::KILL);
        }
    }
}

/// What curl saw.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// 0: no answer.
    pub status: u16,
    pub head: String,
    pub body: String,
    /// curl's own words where there was no answer.
    pub trouble: String,
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = self.head.lines().filter_map(|line| line.split_once(':'));
        named.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

impl<'s> Door<'s> {
    /// A home with this stack, `web`, and nothing on.
    pub fn new(s: &'s Scratch, stack: &str) -> Result<Door<'s>, Skip> {
        Door::with(s, stack, "")
    }

    /// As [`Door::new`], with more lines for `hearth.yaml`.
    pub fn with(s: &'s Scratch, stack: &str, more: &str) -> Result<Door<'s>, Skip> {
        traefik_is_here(s)?;
        image(s);
        Ok(Door::made(s, stack, more, &format!("{}HEARTH_IMAGE={HEARTH}\n", env())))
    }

    /// On another engine than the usual one, with an image of hearth that hearth makes itself. Traefik's is loaded from `traefik`.
    pub fn on_another_engine(s: &'s Scratch, stack: &str, traefik: &std::path::Path) -> Door<'s> {
        s.docker_args(&["load", "-i", &traefik.display().to_string()]).ok();
        s.docker("rmi -f hearth:local");
        Door::made(s, stack, "", &format!("{}DOCKER_SOCKET={}\n", env(), s.socket().display()))
    }

    /// The image of Traefik as a file, for another engine.
    pub fn saved_traefik(s: &Scratch) -> Result<std::path::PathBuf, Skip> {
        traefik_is_here(s)?;
        let file = s.beside("traefik.tar");
        s.docker_args(&["save", "-o", &file.display().to_string(), TRAEFIK]).ok();
        Ok(file)
    }

    fn made(s: &'s Scratch, stack: &str, more: &str, env: &str) -> Door<'s> {
        let (http, https) = (free_port(), free_port());
        s.write(
            "hearth.yaml",
            &format!(
                "name: {}\nmode: domain\nnetworks: {}\ntraefik: {{http: {http}, https: {https}, minimum: \"3.7.9\"}}\n{more}",
                s.project,
                s.range()
            ),
        );
        s.write(".env", env);
        s.write("stacks/web.yaml", stack);
        s.hearth_args(&["init", "--stacks", ""]).ok();
        Door { s, http, https }
    }

    /// Runs hearth in the home, by the rules of the Compose that tests use.
    pub fn hearth(&self, args: &str) -> Ran {
        let words: Vec<&str> = args.split_whitespace().collect();
        self.s.hearth_args(&[&["--compat", "2"], words.as_slice()].concat())
    }

    /// Asks for a path of a host over HTTPS, trusting the home's own CA and nobody else.
    pub fn get(&self, host: &str, path: &str) -> Page {
        self.ask(host, path, &[])
    }

    /// As [`Door::get`], with more arguments for curl.
    pub fn ask(&self, host: &str, path: &str, more: &[&str]) -> Page {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:127.0.0.1", self.https);
        let ca = self.s.dir.join("state/ca/root.pem").display().to_string();
        let url = format!("https://{whole}:{}{path}", self.https);
        let fixed = ["--resolve", &at, "--cacert", &ca, &url];
        curl(self.s, &[&fixed[..], more].concat())
    }

    /// Over plain HTTP.
    pub fn plain(&self, host: &str, path: &str) -> Page {
        let whole = format!("{host}.{DOMAIN}");
        let at = format!("{whole}:{}:127.0.0.1", self.http);
        curl(self.s, &["--resolve", &at, &format!("http://{whole}:{}{path}", self.http)])
    }

    /// Who signed what is served for a whole host name; empty where nothing is.
    pub fn issuer(&self, whole: &str) -> String {
        let at = format!("{whole}:{}:127.0.0.1", self.https);
        let ran = quiet_curl(self.s, &["-k", "-v", "--resolve", &at, &format!("https://{whole}:{}/", self.https)]);
        let line = ran.trouble.lines().find_map(|line| line.split_once("issuer: "));
        line.map(|(_, issuer)| issuer.to_owned()).unwrap_or_default()
    }

    /// Waits until a host's certificate is from an issuer whose name holds `words`.
    #[track_caller]
    pub fn until_issued(&self, host: &str, words: &str, limit: Duration) {
        let whole = format!("{host}.{DOMAIN}");
        let came = until(limit, || self.issuer(&whole).contains(words));
        assert!(came, "{whole} is served with {:?}\n{}", self.issuer(&whole), self.s.hearth_args(&["certs"]).both());
    }

    /// Adds lines to `hearth.yaml`.
    pub fn says(&self, more: &str) {
        let text = std::fs::read_to_string(self.s.dir.join("hearth.yaml")).expect("it is there");
        self.s.write("hearth.yaml", &format!("{text}{more}"));
    }

    /// `hearth serve` for this home, on a port of its own.
    pub fn serve(&self) -> Serve<'s> {
        self.serve_with(&[])
    }

    /// With more variables.
    pub fn serve_with(&self, more: &[(&str, &str)]) -> Serve<'s> {
        let running = self.s.hearth_args_start(&["serve", "--listen", "127.0.0.1:0", "--http", "off"], more);
        Serve { s: self.s, running: Some(running) }
    }

    /// What Traefik says of itself, as `/api/http/routers`, asked with the certificate that Hearth has for that.
    pub fn traefik(&self, path: &str) -> Value {
        let file = self.file();
        let own = &file["http"]["serversTransports"]["hearth"]["certificates"][0];
        let (chain, key) = (self.s.beside("asks.pem"), self.s.beside("asks.key"));
        for (file, text) in [(&chain, &own["certFile"]), (&key, &own["keyFile"])] {
            std::fs::write(file, text.as_str().unwrap_or_default()).expect("a file can be written");
        }
        let (chain, key) = (chain.display().to_string(), key.display().to_string());
        let name = "api.traefik.internal:8082";
        let at = format!("{name}:{}", self.ip("traefik", "core"));
        let url = format!("https://{name}{path}");
        let page = curl(self.s, &["-k", "--resolve", &at, "--cert", &chain, "--key", &key, &url]);
        serde_json::from_str(&page.body).unwrap_or(Value::Null)
    }

    /// A service's address in a network of the home.
    pub fn ip(&self, service: &str, network: &str) -> String {
        let pointer = format!("/NetworkSettings/Networks/{}_{network}/IPAddress", self.s.project);
        let raw = self.s.container(service).raw;
        raw.pointer(&pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// This machine's address in a network of the home, as its file says it.
    pub fn gateway(&self, network: &str) -> String {
        let file = std::fs::read_to_string(self.s.dir.join("compose/domain.yaml")).expect("it is rendered");
        let after = file.split(&format!("\n  {network}:\n")).nth(1).unwrap_or_default();
        let subnet = after.split("subnet: ").nth(1).and_then(|rest| rest.split(".0/").next()).unwrap_or_default();
        format!("{subnet}.1")
    }

    /// The folder that Traefik watches.
    pub fn watched(&self) -> PathBuf {
        self.s.dir.join("state/traefik/dynamic")
    }

    /// What Traefik reads.
    pub fn file(&self) -> Value {
        let text = std::fs::read_to_string(self.watched().join("hearth.yml")).expect("it is there");
        serde_json::from_str(&text).expect("it is JSON")
    }

    /// Puts another text in its place, as Hearth does: whole, from the folder beside.
    pub fn put(&self, file: &Value) {
        let staged = self.s.dir.join("state/traefik/staging/test.tmp");
        std::fs::write(&staged, file.to_string()).expect("a file can be written");
        std::fs::rename(&staged, self.watched().join("hearth.yml")).expect("it can be moved");
    }

    /// Where it speaks TLS.
    pub fn at(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.https))
    }

    /// Waits until a host answers with this status; gives the page.
    #[track_caller]
    pub fn until(&self, host: &str, status: u16) -> Page {
        let mut page = Page::default();
        // Before there is an admin the panel answers nothing else.
        let path = if host == "panel" { "/health" } else { "/" };
        let came = until(Duration::from_secs(15), || {
            page = self.get(host, path);
            page.status == status
        });
        assert!(came, "{host} should answer {status}, and gives {page:?} {}\n{}", page.trouble, self.routes());
        page
    }

    /// What `hearth routes` says, for the report of a failure.
    pub fn routes(&self) -> String {
        let ran = self.hearth("routes");
        format!("{}{}", ran.out, ran.err)
    }

    /// The id of a service's container.
    pub fn id(&self, service: &str) -> String {
        self.s.docker(&format!("inspect -f {{{{.Id}}}} {}-{service}-1", self.s.project)).out.trim().to_owned()
    }
}

fn env() -> String {
    let me = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    format!("TZ=Etc/UTC\nPUID={}\nPGID={}\nDOMAIN={DOMAIN}\nTRAEFIK_IMAGE={TRAEFIK}\n", me.0, me.1)
}

/// Whether domain mode can be tried here.
pub fn traefik_is_here(s: &Scratch) -> Done {
    match s.docker_args(&["image", "inspect", "-f", "{{.Id}}", TRAEFIK]).code {
        0 => Ok(()),
        _ => Err(Skip(format!("no image {TRAEFIK} here"))),
    }
}

/// One request, of ten seconds at most. What the API answers has to be as it describes itself.
#[track_caller]
pub fn curl(s: &Scratch, args: &[&str]) -> Page {
    let page = page(&s.noted(curl_starts(s, args)));
    described::look(args, &page);
    page
}

/// As [`curl`], for one of very many: it is not in the report of a failure.
pub fn quiet_curl(s: &Scratch, args: &[&str]) -> Page {
    page(&curl_starts(s, args).end())
}

fn curl_starts(s: &Scratch, args: &[&str]) -> Running {
    let fixed = ["-sS", "-i", "--max-time", "10"];
    let args: Vec<String> = fixed.iter().chain(args).map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
    Running::start(std::path::Path::new("curl"), &args, &s.dir, &env)
}

/// A self-made certificate for all names under the domain, as a person would bring one; the names of its files. `name` is its issuer.
pub fn own_certificate(s: &Scratch, name: &str) -> (String, String) {
    let (chain, key) = (s.beside(&format!("{name}.pem")), s.beside(&format!("{name}.key")));
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let (names, subject) = (format!("subjectAltName=DNS:*.{DOMAIN}"), format!("/O={name}"));
    let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    let about = ["-subj", &subject, "-addext", &names, "-keyout", &key, "-out", &chain];
    let args: Vec<String> = kind.iter().chain(&about).map(|a| a.to_string()).collect();
    let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
    s.noted(Running::start(std::path::Path::new("openssl"), &args, &s.dir, &env)).ok();
    (chain, key)
}

/// What `curl -i` printed.
pub fn page(ran: &Ran) -> Page {
    let text = ran.out.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let status = head.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Page { status, head: head.into(), body: body.into(), trouble: ran.err.trim().into() }
}

/// Sees to an image with the hearth that is tested: the program, and the libraries that it names.
pub fn image(s: &Scratch) {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let began = Instant::now();
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_hearth"));
        let bytes = std::fs::read(program).expect("the program is there");
        let sum: String = Sha256::digest(&bytes).iter().take(8).map(|b| format!("{b:02x}")).collect();
        let there = s.docker_args(&["image", "inspect", "-f", "{{index .Config.Labels \"hearth.binary\"}}", HEARTH]);
        if there.code == 0 && there.out.trim() == sum {
            return;
        }
        let old = s.docker_args(&["image", "inspect", "-f", "{{.Id}}", HEARTH]).out.trim().to_owned();
        let file = s.beside("hearth.tar");
        let mut tar = tar::Builder::new(std::fs::File::create(&file).expect("a file can be made"));
        // The engine knows no sparse files.
        tar.sparse(false);
        tar.append_path_with_name(program, "hearth").expect("the program can be read");
        for library in libraries(s, program) {
            let real = std::fs::canonicalize(&library).expect("a library that is named is there");
            tar.append_path_with_name(real, library.trim_start_matches('/')).expect("a library can be read");
        }
        let mut folder = tar::Header::new_gnu();
        folder.set_entry_type(tar::EntryType::Directory);
        folder.set_mode(0o1777);
        folder.set_size(0);
        tar.append_data(&mut folder, "tmp/", std::io::empty()).expect("a folder can be added");
        tar.finish().expect("a tar can be written");
        let label = format!("LABEL hearth.binary={sum}");
        let path = file.display().to_string();
        s.docker_args(&["import", "-c", "ENTRYPOINT [\"/hearth\"]", "-c", &label, &path, HEARTH]).ok();
        if !old.is_empty() {
            // In use by a home of another run: then it stays.
            s.docker_args(&["rmi", &old]);
        }
        println!("made the image {HEARTH} in {:.1} s", began.elapsed().as_secs_f32());
    });
}

/// The libraries that the loader would take for a program, and the loader.
fn libraries(s: &Scratch, program: &std::path::Path) -> Vec<String> {
    let env: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name == "PATH").collect();
    let ran = s.noted(Running::start(std::path::Path::new("ldd"), &[program.display().to_string()], &s.dir, &env));
    ran.out.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}
