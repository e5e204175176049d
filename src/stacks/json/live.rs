//! What happens in the home, as it happens.

use axum::extract::State;
use axum::response::Response;
use futures_util::stream;

use super::Api;
use crate::auth::who::Viewer;
use crate::web::events::{self, Held, Message};

/// What happens in the home, as it happens: server-sent events
///
/// `container`: `what` happened to which (`created`, `started`, `exited`, `healthy`, `unhealthy`, `removed`, ...). `work`: one has begun or ended. `engine`: Docker
/// is `reachable` again, or not. `resync`: what was before nobody tells you, so look anew at what you show; it comes first, and whenever something was missed.
#[utoipa::path(get, path = "/api/v1/events",
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub async fn follow(who: Viewer, State(api): State<Api>, held: Held) -> Response {
    let messages = stream::unfold(api.live.watch(), |mut watch| async move {
        let told = watch.next().await?;
        Some((Message { id: None, name: told.name.into(), data: told.data }, watch))
    });
    events::answer(messages, held, api.end_of(&who))
}
