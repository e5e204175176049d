//! The login in front of services: gate is told who may enter, with the doors as the keeper of Traefik's file finds them.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::auth::accounts::Auth;
use crate::auth::audit::Log;
use crate::auth::forward::refusals::Entered;
use crate::auth::forward::{Doors, channel};
use crate::proxy::Found;

/// Goes on until `stop`. `doors` is told what `found` has of them.
pub async fn keep(
    home: PathBuf,
    auth: Arc<Auth>,
    log: Log,
    mut found: watch::Receiver<Found>,
    doors: Arc<watch::Sender<Option<Doors>>>,
    stop: CancellationToken,
) {
    let refusals = Arc::new(Entered { auth: auth.clone(), log });
    let passing = async {
        loop {
            let now = found.borrow_and_update().doors.clone();
            // What was found once holds until something else is.
            doors.send_if_modified(|old| now.is_some() && std::mem::replace(old, now.clone()) != now);
            if found.changed().await.is_err() {
                return stop.cancelled().await;
            }
        }
    };
    tokio::select! {
        ended = channel::serve(&home, auth, refusals, doors.subscribe(), stop.clone()) => if let Err(why) = ended {
            tracing::error!(code = why.code, "{}", why.whole());
        },
        () = passing => {}
    }
}
