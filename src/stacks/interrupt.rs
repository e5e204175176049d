//! Ctrl-C and SIGTERM: the first ends in order, the second at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::Out;
use crate::diag::Kind;

static LISTENING: AtomicBool = AtomicBool::new(false);

const FIRST: &str = "\ninterrupted: what has begun is finished or taken back, nothing new begins. Again to end at once";
const SECOND: &str = "\nleft half done: run the same command again, it goes on from here";

/// Says it where somebody reads it: a full pipe must not keep the process from its end.
fn say(out: &Out, words: &'static str) {
    let (out, (said, wait)) = (out.clone(), std::sync::mpsc::channel());
    let words = if out.json { words.trim_start() } else { words };
    let spawned = std::thread::Builder::new().name("words".into()).spawn(move || {
        out.say(words);
        let _ = said.send(());
    });
    if spawned.is_ok() {
        let _ = wait.recv_timeout(Duration::from_secs(1));
    }
}

/// A token that the first signal cancels, or who asked where that is somebody elsewhere: then signals are nobody's here. The second signal ends the process, whatever it is busy with: so listening
/// happens on a thread of its own. To be called once a process.
pub fn listen(out: &Out) -> CancellationToken {
    if let Some(behalf) = &out.behalf {
        return behalf.cancel.clone();
    }
    let token = CancellationToken::new();
    if LISTENING.swap(true, Ordering::SeqCst) {
        return token;
    }
    let (given, out) = (token.clone(), out.clone());
    let (ready, wait) = std::sync::mpsc::channel();
    let spawned = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
                return;
            };
            let _ = ready.send(());
            for words in [FIRST, SECOND] {
                tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
                given.cancel();
                say(&out, words);
            }
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        });
    });
    // From here on a signal is ours; where no thread could be made it ends the process as ever.
    if spawned.is_ok() {
        let _ = wait.recv();
    }
    token
}
