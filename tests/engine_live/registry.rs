//! A registry of one image on 127.0.0.1, which every engine may use without TLS. It wants a login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A login whose JSON has `/` and `+` in one base64 alphabet and `_` and `-` in the other.
pub const USER: &str = "me";
pub const PASSWORD: &str = "a>?>?~~~\u{fb}\u{ff}";

struct Image {
    manifest: Vec<u8>,
    blobs: Vec<Vec<u8>>,
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// `text` is what its one file holds, so that no engine has its layer already.
fn image(text: &str) -> Image {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "hello", text.as_bytes()).unwrap();
    let layer = tar.into_inner().unwrap();
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": { "from": "registry" } },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = config.to_string().into_bytes();
    let part = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "size": bytes.len(), "digest": digest(bytes) });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": part("application/vnd.docker.container.image.v1+json", &config),
        "layers": [part("application/vnd.docker.image.rootfs.diff.tar", &layer)],
    });
    Image { manifest: manifest.to_string().into_bytes(), blobs: vec![config, layer] }
}

/// Serves until the runtime ends; gives `127.0.0.1:<port>`.
pub async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(async move { one(socket).await.ok() });
        }
    });
    address
}

async fn one(mut socket: TcpStream) -> std::io::Result<()> {
    let image = image(&socket.local_addr()?.to_string());
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&text[..end]).into_owned();
            text.drain(..end + 4);
            answer(&mut socket, &image, &head).await?;
        }
        match socket.read(&mut buffer).await? {
            0 => return Ok(()),
            // An engine tries TLS first: hang up at once, as a plain server would.
            _ if buffer[0] == 0x16 && text.is_empty() => return Ok(()),
            n => text.extend_from_slice(&buffer[..n]),
        }
    }
}

async fn answer(socket: &mut TcpStream, image: &Image, head: &str) -> std::io::Result<()> {
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let login = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let knows =
        head.lines().any(|line| line.to_lowercase().starts_with("authorization: basic ") && line.ends_with(&login));
    let blob = image.blobs.iter().find(|blob| path.ends_with(&digest(blob)));
    let (status, kind, body): (&str, &str, &[u8]) = match path {
        _ if !knows => (
            "401 Unauthorized",
            "application/json",
            b"{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}",
        ),
        "/v2/" => ("200 OK", "application/json", b"{}"),
        path if path.contains("/manifests/1") || path.ends_with(&digest(&image.manifest)) => {
            ("200 OK", "application/vnd.docker.distribution.manifest.v2+json", &image.manifest)
        }
        path if path.contains("/manifests/") => (
            "404 Not Found",
            "application/json",
            b"{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"manifest unknown\"}]}",
        ),
        _ => blob.map_or(("404 Not Found", "text/plain", b"".as_slice()), |blob| {
            ("200 OK", "application/octet-stream", blob)
        }),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nDocker-Distribution-Api-Version: registry/2.0\r\nWWW-Authenticate: Basic realm=\"test\"\r\n\
         Content-Type: {kind}\r\nDocker-Content-Digest: {}\r\nContent-Length: {}\r\n\r\n",
        digest(body),
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        socket.write_all(body).await?;
    }
    Ok(())
}
