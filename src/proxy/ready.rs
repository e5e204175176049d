//! Whether an authority's questions about names come through Traefik to Hearth.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{client, look};
use crate::certs::challenges::PROBE;
use crate::stacks::home::Home;

/// How long Traefik may take to start and to read its file.
const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(500);

/// Asks this machine's own port for challenges until Hearth answers there. `Err` says what answered instead, as the end of a sentence.
/// Whether that port is reached from outside is another question.
pub async fn ready(dir: &Path) -> Result<(), String> {
    let Ok(home) = Home::open(dir.to_path_buf()) else { return Err("hearth.yaml cannot be read".to_owned()) };
    let at = SocketAddr::new(look::front_address(&home).ip(), home.config.traefik.http);
    let began = Instant::now();
    loop {
        let answer =
            client::plain(at, "challenge.hearth.internal", &format!("/.well-known/acme-challenge/{PROBE}")).await;
        let why = match answer {
            Ok(answer) if answer.status == 200 && answer.body.as_ref() == PROBE.as_bytes() => return Ok(()),
            Ok(answer) => {
                format!("port {} of this machine answers with {} and not as Hearth", at.port(), answer.status)
            }
            Err(failed) => format!("port {} of this machine does not answer ({})", at.port(), look::words(&failed)),
        };
        if began.elapsed() > PATIENCE {
            return Err(why);
        }
        sleep(STEP).await;
    }
}
