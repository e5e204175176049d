//! A request's body that has a time by which it has to be there.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// It did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come in time")]
pub struct Late;

/// The same body, which fails with [`Late`] when its end has not come after `limit`. One that is empty costs nothing.
pub fn within(body: Body, limit: Duration) -> Body {
    if body.is_end_stream() { body } else { Body::new(Timed { body, deadline: Box::pin(sleep(limit)) }) }
}

struct Timed {
    body: Body,
    deadline: Pin<Box<Sleep>>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => self.deadline.as_mut().poll(context).map(|()| Some(Err(axum::Error::new(Late)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_that_trickles_fails_in_time_and_one_that_comes_is_whole() {
        let trickle = stream::unfold((), |()| async {
            sleep(Duration::from_millis(10)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let late = within(Body::from_stream(trickle), Duration::from_millis(100)).collect().await.unwrap_err();
        assert!(late.to_string().contains("in time"), "{late}");
        let whole = within(Body::from("all of it"), Duration::from_millis(100)).collect().await.unwrap();
        assert_eq!(whole.to_bytes(), "all of it");
    }
}
