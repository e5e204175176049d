//! A bare client of the Docker Engine: one call after the other over one connection, no library in between.

use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Head, body};
use crate::project::IMAGE;

/// One connection; opened again where the engine has closed it.
pub struct Client {
    socket: PathBuf,
    stream: Option<BufReader<UnixStream>>,
}

/// What the engine answered.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    pub fn new(socket: &Path) -> Client {
        Client { socket: socket.to_path_buf(), stream: None }
    }

    /// Any call; every answer is given, whatever its status.
    pub fn send(&mut self, method: &str, path: &str, kind: &str, content: &[u8]) -> io::Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            content.len()
        )
        .into_bytes();
        request.extend_from_slice(content);
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(UnixStream::connect(&self.socket)?),
        };
        stream.get_mut().write_all(&request)?;
        let head = Head::read(&mut stream)?.ok_or_else(|| io::Error::other("the engine closed the connection"))?;
        let mut answer = Vec::new();
        body(&mut stream, head.length, &mut answer, false)?;
        if head.length != crate::http::Length::UntilClose {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status(), body: answer })
    }

    /// A call that must succeed (304, "already so", counts), with a JSON body or none.
    pub fn call(&mut self, method: &str, path: &str, content: Option<&Value>) -> Result<Value, String> {
        let content = content.map(|c| c.to_string()).unwrap_or_default();
        let answer =
            self.send(method, path, "application/json", content.as_bytes()).map_err(|e| format!("{path}: {e}"))?;
        match answer.status {
            200..=299 | 304 => Ok(answer.json()),
            status => Err(format!("{method} {path}: {status} {}", answer.json()["message"])),
        }
    }

    pub fn get(&mut self, path: &str) -> Result<Value, String> {
        self.call("GET", path, None)
    }

    /// Containers with a project's label, running or not.
    pub fn containers(&mut self, project: &str) -> Result<Vec<Value>, String> {
        let list = self.get(&format!("/containers/json?all=1&filters={}", filter(project)))?;
        Ok(list.as_array().cloned().unwrap_or_default())
    }

    /// Ids of a project's containers in order; a mistake where not all of `expected` run.
    pub fn running(&mut self, project: &str, expected: usize) -> Result<Vec<String>, String> {
        let all = self.containers(project)?;
        let up = all.iter().filter(|c| c["State"] == "running").count();
        if up != expected || all.len() != expected {
            return Err(format!("{up} of {expected} containers of {project} run, {} are there", all.len()));
        }
        let mut ids: Vec<String> = all.iter().filter_map(|c| c["Id"].as_str()).map(str::to_string).collect();
        ids.sort();
        Ok(ids)
    }

    /// Ends everything of a project, its volumes too.
    pub fn clear(&mut self, project: &str) -> Result<(), String> {
        for container in self.containers(project)? {
            let id = container["Id"].as_str().unwrap_or_default();
            self.send("DELETE", &format!("/containers/{id}?force=1&v=1"), "text/plain", b"")
                .map_err(|e| e.to_string())?;
        }
        let networks = self.get(&format!("/networks?filters={}", filter(project)))?;
        for network in networks.as_array().into_iter().flatten() {
            self.call("DELETE", &format!("/networks/{}", network["Id"].as_str().unwrap_or_default()), None)?;
        }
        self.clear_volumes(project)
    }

    pub fn clear_volumes(&mut self, project: &str) -> Result<(), String> {
        let volumes = self.get(&format!("/volumes?filters={}", filter(project)))?;
        for volume in volumes["Volumes"].as_array().into_iter().flatten() {
            self.call("DELETE", &format!("/volumes/{}", volume["Name"].as_str().unwrap_or_default()), None)?;
        }
        Ok(())
    }

    /// Makes [`IMAGE`] from a static busybox, where it is not there yet.
    pub fn image(&mut self) -> Result<(), String> {
        if self.get(&format!("/images/{IMAGE}/json")).is_ok() {
            return Ok(());
        }
        let path = ["/usr/bin/busybox", "/bin/busybox"].into_iter().find(|p| Path::new(p).is_file());
        let binary = path.and_then(|p| std::fs::read(p).ok()).ok_or("no busybox here: scripts/needs installs one")?;
        let mut tar = tar::Builder::new(Vec::new());
        let mut put = |name: &str, mode: u32, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, name, content)
        };
        put("bin/busybox", 0o755, &binary).map_err(|e| e.to_string())?;
        put("www/index.html", 0o644, b"here\n").map_err(|e| e.to_string())?;
        let tar = tar.into_inner().map_err(|e| e.to_string())?;
        let (name, tag) = IMAGE.split_once(':').unwrap_or((IMAGE, "latest"));
        let entrypoint = encoded("ENTRYPOINT [\"/bin/busybox\"]");
        let path = format!("/images/create?fromSrc=-&repo={}&tag={tag}&changes={entrypoint}", encoded(name));
        let answer = self.send("POST", &path, "application/x-tar", &tar).map_err(|e| e.to_string())?;
        match answer.status {
            200 => self.get(&format!("/images/{IMAGE}/json")).map(drop),
            _ => Err(format!("the image could not be made: {}", String::from_utf8_lossy(&answer.body))),
        }
    }
}

/// Waits until nothing of a project is left but what `down` leaves, the engine's own tidying included.
pub fn settled(client: &mut Client, project: &str) -> Result<(), String> {
    for _ in 0..100 {
        let networks = client.get(&format!("/networks?filters={}", filter(project)))?;
        if client.containers(project)?.is_empty() && networks.as_array().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("something of {project} is left after down"))
}

fn filter(project: &str) -> String {
    encoded(&json!({ "label": [format!("com.docker.compose.project={project}")] }).to_string())
}

/// Percent encoding of everything but letters, digits and `-._~`.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(b as char),
            _ => out.push_str(&format!("%{b:02X}")),
        }
        out
    })
}
