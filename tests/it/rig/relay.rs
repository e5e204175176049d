//! Between Traefik and gate's pages: what gate is really asked, byte for byte.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Door, until};

/// Passes everything on, as long as the test's process runs.
pub struct Relay {
    at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Leads all that Traefik asks gate's pages through a relay. For a home whose file nobody else writes meanwhile.
    #[track_caller]
    pub fn before_gate(door: &Door<'_>) -> Relay {
        let behind = SocketAddr::new(door.ip("gate", "gate-clients").parse().expect("gate runs"), 8081);
        let relay = Relay::between(door.gateway("core").parse().expect("the network has a gateway"), behind);
        let mut file = door.file();
        let server = &mut file["http"]["services"]["gate"]["loadBalancer"]["servers"][0];
        assert!(server["url"].is_string(), "{server}");
        server["url"] = format!("http://{}", relay.at).into();
        door.put(&file);
        let nobody = || door.get("nobody", "/").status == 404 && !relay.heads().is_empty();
        assert!(until(Duration::from_secs(15), nobody), "Traefik does not ask gate through the relay");
        relay
    }

    /// Listens on some port of `here`; who connects is connected with `behind`.
    fn between(here: std::net::IpAddr, behind: SocketAddr) -> Relay {
        let listener = TcpListener::bind((here, 0)).expect("an address of this machine has free ports");
        let at = listener.local_addr().expect("it is bound");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = heard.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let all = all.clone();
                std::thread::spawn(move || pass(client, behind, &all));
            }
        });
        Relay { at, heard }
    }

    /// The heads of all requests so far, in order and in lower case; nothing that Traefik asks gate for has a body in a test.
    pub fn heads(&self) -> Vec<String> {
        self.heard.lock().expect("no panic while held").clone()
    }
}

fn pass(mut client: TcpStream, behind: SocketAddr, all: &Mutex<Vec<String>>) -> Option<()> {
    let mut server = TcpStream::connect(behind).ok()?;
    let (mut back, mut answers) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    while let Ok(n @ 1..) = client.read(&mut piece) {
        bytes.extend_from_slice(&piece[..n]);
        while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = bytes.drain(..end + 4).collect();
            // Noted first: whoever has the answer finds its question here.
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            all.lock().expect("no panic while held").push(head);
        }
        server.write_all(&piece[..n]).ok()?;
    }
    server.shutdown(Shutdown::Write).ok()
}
